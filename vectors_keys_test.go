package detente_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"detente/envelope"
	"detente/key"
)

type keyVector struct {
	Vector
	Algorithm key.Algorithm `json:"alg"`
	Seed      Hex           `json:"seed,omitempty"`
	Public    Hex           `json:"public"`
	ID        Hex           `json:"key-id,omitempty"`
	Message   Hex           `json:"message,omitempty"`
	Signature Hex           `json:"signature,omitempty"`
}

func TestVectorsKeys(t *testing.T) {
	runVectors(t, "keys.json", func(t testing.TB) []keyVector {
		var list []keyVector
		for _, a := range []struct {
			name string
			alg  key.Algorithm
		}{{"ed25519", key.Ed25519}, {"ml-dsa-44", key.MLDSA44}, {"ml-dsa-65", key.MLDSA65}} {
			k := fixedKey(t, a.alg, a.name)
			id, msg := k.ID(), []byte("to be signed")
			v := keyVector{
				Vector{a.name, "A key of the seed, its id, and its signature of the message.", ""},
				a.alg, k.Seed(), k.Public().Bytes, id[:], msg, must(k.Sign(msg))(t),
			}
			list = append(list, v)
			refused := func(refuse, name, doc string, change func(*keyVector)) {
				w := v
				w.Vector = Vector{a.name + "-" + name, doc, refuse}
				w.Seed, w.Public, w.Signature = nil, bytes.Clone(v.Public), bytes.Clone(v.Signature)
				change(&w)
				list = append(list, w)
			}
			refused("bad-signature", "message", "Another message.", func(w *keyVector) { w.Message = []byte("to be forged") })
			refused("bad-signature", "signature", "One bit of the signature is flipped.", func(w *keyVector) { w.Signature[5] ^= 1 })
			refused("bad-signature", "short-signature", "The signature lacks its last byte.", func(w *keyVector) {
				w.Signature = w.Signature[:len(w.Signature)-1]
			})
			refused("bad-signature", "long-signature", "A byte follows the signature.", func(w *keyVector) { w.Signature = append(w.Signature, 0) })
			refused("malformed-key", "short-key", "The public key lacks its last byte.", func(w *keyVector) {
				w.Public, w.ID, w.Message, w.Signature = w.Public[:len(w.Public)-1], nil, nil, nil
			})
		}
		ed := list[0]
		// s + L, where L is the order of the base point: the same number to a lax verifier.
		ed.Vector = Vector{"ed25519-s-not-reduced", "The scalar of the signature has the order of the group added.", "bad-signature"}
		ed.Seed, ed.Signature = nil, addOrder(ed.Signature)
		list = append(list, ed)
		// Made with a public key that has a component of order 8, for a challenge that 8 does not divide.
		mixed := keyVector{
			Vector{
				"ed25519-cofactor", "The equation holds only when multiplied by the cofactor 8; verification is without it.", "bad-signature",
			}, key.Ed25519, nil, unhex(t, "4685c6393555c0e59759b46a0babb4e1360ab7686c081314cb47ae5ebe231748"),
			nil, []byte("mixed order 0"),
			unhex(t, "f76aabb2b40f4c44575a7fde5d1aebac319ea0c69b1b31419fe4172e1e57084555342976c312ac9903f51430d44446037cf47a4af1a38bea300db290332be20e"),
		}
		id := key.Public{Algorithm: key.Ed25519, Bytes: mixed.Public}.ID()
		mixed.ID = id[:]
		list = append(list, mixed)
		nowhere := keyVector{
			Vector{"ed25519-no-point", "The public key is no point of the curve (y = 2): it is kept, and nothing verifies under it.", "bad-signature"},
			key.Ed25519, nil, append([]byte{2}, make([]byte, 31)...), nil, ed.Message, ed.Signature,
		}
		nobody := key.Public{Algorithm: key.Ed25519, Bytes: nowhere.Public}.ID()
		nowhere.ID = nobody[:]
		list = append(list, nowhere)
		for _, k := range []struct{ name, point string }{
			{"order-1", "0100000000000000000000000000000000000000000000000000000000000000"},
			{"order-2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
			{"order-4", "0000000000000000000000000000000000000000000000000000000000000000"},
			{"order-4-negative", "0000000000000000000000000000000000000000000000000000000000000080"},
			{"order-8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"},
			{"order-8-negative", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"},
			{"not-reduced", "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
		} {
			list = append(list, keyVector{
				Vector{
					"ed25519-" + k.name,
					"A public key of small order, under which one signature fits many messages, or in a second encoding, is not taken.",
					"malformed-key",
				},
				key.Ed25519, nil, unhex(t, k.point), nil, nil, nil,
			})
		}
		return append(list, keyVector{
			Vector{"unknown-algorithm", "An algorithm that is not in the registry.", "unknown-algorithm"}, -70000, nil, []byte{1}, nil, nil, nil,
		})
	}, func(t testing.TB, v keyVector) error {
		p := key.Public{Algorithm: v.Algorithm, Bytes: v.Public}
		verifier, err := key.Standard().Verifier(p)
		if err != nil {
			return err
		}
		if id := verifier.ID(); !bytes.Equal(id[:], v.ID) {
			t.Errorf("key id %v, want %x", id, v.ID)
		}
		if v.Seed != nil {
			if k := must(key.FromSeed(v.Algorithm, v.Seed))(t); !bytes.Equal(k.Public().Bytes, v.Public) {
				t.Errorf("the seed gives the public key %x", k.Public().Bytes)
			}
		}
		if !verifier.Verify(v.Message, v.Signature) {
			return envelope.ErrBadSignature
		}
		return nil
	})
}

// addOrder adds 2^252 + 27742317777372353535851937790883648493 to the second half of an Ed25519 signature.
func addOrder(signature []byte) []byte {
	order, _ := hex.DecodeString("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
	out, carry := bytes.Clone(signature), 0
	for i, b := range order {
		sum := int(out[32+i]) + int(b) + carry
		out[32+i], carry = byte(sum), sum>>8
	}
	return out
}

func unhex(t testing.TB, s string) []byte { return must(hex.DecodeString(s))(t) }
