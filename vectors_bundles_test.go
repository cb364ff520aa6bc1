package detente_test

import (
	"bytes"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"testing"
	"time"

	"detente/bundle"
	"detente/canonical"
	"detente/feed"
	"detente/key"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

const bundleContent = "application/vnd.detente.bundle"

type bundleVector struct {
	Vector
	To      traffic.Party `json:"to"`
	Private Hex           `json:"private"` // sealing key of the receiver
	From    traffic.Party `json:"from"`
	Keys    []PublicKey   `json:"keys"` // "bundle" keys of the sender
	Bundle  Hex           `json:"bundle"`
	At      int64         `json:"at,omitempty"`
	Content Hex           `json:"content,omitempty"`
}

// bundleWire is the content of a bundle, to be compared as bytes.
type bundleWire struct {
	Charters [][]byte              `cbor:"charters,omitempty"`
	Feeds    []bundle.FeedPart     `cbor:"feeds,omitempty"`
	Held     []bundle.Held         `cbor:"held,omitempty"`
	Gossip   []string              `cbor:"gossip,omitempty"`
	Forks    [][]byte              `cbor:"forks,omitempty"`
	Wants    []bundle.Want         `cbor:"wants,omitempty"`
	Blobs    []bundle.Chunk        `cbor:"blobs,omitempty"`
	Know     map[traffic.Party]int `cbor:"know,omitempty"`
	Hold     int64                 `cbor:"hold,omitempty"`
}

func encodeBundle(t testing.TB, b *bundle.Bundle) []byte {
	return must(canonical.Marshal(bundleWire{
		b.Charters, b.Feeds, b.Held, b.Gossip, b.Forks, b.Wants, b.Blobs, b.Know, int64(b.Hold / time.Second),
	}))(t)
}

// A sealed bundle is another every time, so the file is written with -update only and otherwise read.
func TestVectorsBundles(t *testing.T) {
	runStored(t, "bundles.json", generateBundles, func(t testing.TB, v bundleVector) error {
		private := must(hpke.MLKEM768X25519().NewPrivateKey(v.Private))(t)
		self := bundle.Opener{Party: v.To, Find: func(id key.ID) hpke.PrivateKey {
			if id == bundle.SealingID(private.PublicKey()) {
				return private
			}
			return nil
		}}
		b, err := bundle.Open(v.Bundle, self, func(p traffic.Party) func(key.ID) key.Verifier {
			if p != v.From {
				return nil
			}
			return finder(t, v.Keys)
		})
		for code, sentinel := range map[string]error{
			"not-for-us": bundle.ErrNotForUs, "sealing-key": bundle.ErrKey, "seal": bundle.ErrSeal, "sender": bundle.ErrSender,
			"limit": bundle.ErrLimit, "shape": bundle.ErrShape,
		} {
			err = as(code, err, sentinel)
		}
		if err != nil {
			return err
		}
		want := []any{v.From, v.To, v.At, v.Content}
		if diff := cmp.Diff(want, []any{b.From, b.To, b.At.Unix(), Hex(encodeBundle(t, b))}); diff != "" {
			t.Error(diff)
		}
		return nil
	})
}

// sealed seals plaintext to xs by hand, whatever it is.
func sealed(t testing.TB, plain []byte, info string) []any {
	to := somebody{"xs"}.sealing(t).PublicKey()
	enc, sender, err := hpke.NewSender(to, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(info))
	must(enc, err)(t)
	id := bundle.SealingID(to)
	return []any{"detente-bundle.v1", "xs", id[:], enc, must(sender.Seal(nil, plain))(t)}
}

const infoOfXS = "detente.v1 bundle\nxs"

// pieces are what a plaintext is put together from.
type pieces struct {
	head    map[string]any // of the signed head
	content []byte
	signers []fixedSigner
	padding func(padded []byte) []byte
}

func newPieces(t testing.TB, content []byte) pieces {
	sum := sha256.Sum256(content)
	return pieces{
		map[string]any{"from": "xn", "to": "xs", "at": 1795000200, "size": len(content), "content": sum[:]}, content,
		[]fixedSigner{somebody{"xn"}.node(t, "bundle")}, nil,
	}
}

func (p pieces) plain(t testing.TB) []byte {
	env := signContent(t, bundleContent, must(canonical.Marshal(p.head))(t), p.signers...)
	b := binary.BigEndian.AppendUint32(nil, uint32(len(env)))
	b = append(append(b, env...), p.content...)
	n := len(b)
	step := 1 << (bits.Len(uint(n)) - 1 - bits.Len(uint(bits.Len(uint(n))-1))) // Padmé
	b = append(b, make([]byte, (step-n%step)%step)...)
	if p.padding != nil {
		b = p.padding(b)
	}
	return b
}

func generateBundles(t testing.TB) []bundleVector {
	xn, xs := somebody{"xn"}, somebody{"xs"}
	seed := sha256.Sum256([]byte("xs/sealing"))
	var list []bundleVector
	add := func(refuse, name, doc string, b []byte) *bundleVector {
		list = append(list, bundleVector{
			Vector: Vector{name, doc, refuse}, To: "xs", Private: seed[:], From: "xn", Keys: []PublicKey{xn.node(t, "bundle").published()}, Bundle: b,
		})
		return &list[len(list)-1]
	}
	accepted := func(name, doc string, b bundle.Bundle) {
		b.From, b.To, b.At = "xn", "xs", time.Unix(1795000200, 0)
		to := bundle.Recipient{Party: "xs", Key: xs.sealing(t).PublicKey()}
		v := add("", name, doc, must(bundle.Seal(&b, xn.node(t, "bundle"), to))(t))
		v.At, v.Content = b.At.Unix(), encodeBundle(t, &b)
	}
	accepted("empty", "Nothing but that the sender lives.", bundle.Bundle{})
	accepted("hello", "What the sender holds and knows.", bundle.Bundle{
		Held: []bundle.Held{{Feed: feedOf(t, "xs"), Size: 0, Root: sha256.Sum256(nil)}}, Know: map[traffic.Party]int{"xn": 2, "xs": 1}, Hold: time.Minute,
	})
	entries := [][]byte{generateStatements(t)[0].Statement}
	cp := feed.Checkpoint{Feed: feedOf(t, "xn"), Size: 1, Root: [32]byte(logOf(t, entries...).root(t, 1))}
	part := bundle.FeedPart{Feed: cp.Feed, Entries: entries, Checkpoint: cp.Note(must(cp.Sign(xn.node(t, "checkpoint"), signingTime))(t))}
	blob := []byte("a page")
	accepted("traffic", "One statement under its checkpoint, a receipt for the receiver's feed, a chunk of a blob, and one wanted.", bundle.Bundle{
		Feeds: []bundle.FeedPart{part},
		Held:  []bundle.Held{{Feed: feedOf(t, "xs"), Size: 1, Root: [32]byte{1}, Cosignatures: "— detente.v1/xn/mirror AAAAAAAA\n"}},
		Wants: []bundle.Want{{Hash: [32]byte{2}, Offset: 10}}, Blobs: []bundle.Chunk{{Hash: sha256.Sum256(blob), Size: int64(len(blob)), Data: blob}},
	})

	empty := []byte{0xa0}
	byHand := func(refuse, name, doc string, change func(p *pieces)) *bundleVector {
		p := newPieces(t, empty)
		change(&p)
		return add(refuse, name, doc, must(canonical.Marshal(sealed(t, p.plain(t), infoOfXS)))(t))
	}
	v := byHand("", "by-hand", "Put together piece by piece: the base of those that follow.", func(*pieces) {})
	v.At, v.Content = 1795000200, empty

	outer := func(refuse, name, doc string, change func(o []any)) {
		o := sealed(t, newPieces(t, empty).plain(t), infoOfXS)
		change(o)
		add(refuse, name, doc, must(canonical.Marshal(o))(t))
	}
	outer("not-for-us", "addressed-to-another", "Addressed to another party.", func(o []any) { o[1] = "xl" })
	outer("sealing-key", "other-sealing-key", "Sealed to a key that is not the receiver's.", func(o []any) { o[2] = make([]byte, 16) })
	outer("seal", "ciphertext-changed", "One bit of the ciphertext is flipped.", func(o []any) { o[4].([]byte)[9] ^= 1 })
	outer("seal", "enc-changed", "One bit of the encapsulated key is flipped.", func(o []any) { o[3].([]byte)[9] ^= 1 })
	outer("shape", "other-version", "Another version of the format.", func(o []any) { o[0] = "detente-bundle.v2" })
	outer("shape", "enc-short", "The encapsulated key lacks its last byte.", func(o []any) { o[3] = o[3].([]byte)[:1119] })
	other := sealed(t, newPieces(t, empty).plain(t), "detente.v1 bundle\nxl")
	add("seal", "info-of-another", "Sealed to this key with the info of another receiver.", must(canonical.Marshal(other))(t))
	add("shape", "trailing", "A byte follows the bundle.", append(bytes.Clone(v.Bundle), 0))

	byHand("sender", "forged", "Signed by a key that is not the sender's.", func(p *pieces) { p.signers = []fixedSigner{xs.node(t, "bundle")} })
	byHand("sender", "two-signatures", "Signed by a second key too.", func(p *pieces) { p.signers = append(p.signers, xs.node(t, "bundle")) })
	byHand("sender", "unknown-sender", "From a party that is not known.", func(p *pieces) { p.head["from"] = "xl" })
	byHand("sender", "other-content", "The sender signed another content.", func(p *pieces) { p.head["content"] = make([]byte, 32) })
	byHand("not-for-us", "sealed-again", "The sender wrote it to another party, who sealed it again.", func(p *pieces) { p.head["to"] = "xl" })
	byHand("shape", "padding-carries", "The padding holds a byte that is not zero.", func(p *pieces) {
		p.padding = func(b []byte) []byte { b[len(b)-1] = 1; return b }
	})
	byHand("shape", "padding-missing", "The plaintext is not padded.", func(p *pieces) {
		p.padding = func(b []byte) []byte { return bytes.TrimRight(b, "\x00") }
	})
	byHand("shape", "padding-long", "The padding is longer than Padmé gives.", func(p *pieces) {
		p.padding = func(b []byte) []byte { return append(b, make([]byte, 512)...) }
	})
	content := func(refuse, name, doc string, value any) {
		b := must(canonical.Marshal(value))(t)
		p := newPieces(t, b)
		add(refuse, name, doc, must(canonical.Marshal(sealed(t, p.plain(t), infoOfXS)))(t))
	}
	content("shape", "field-unknown", "A field that is not in the document.", map[string]any{"note": "x"})
	content("shape", "field-empty", "A list that is there and empty.", map[string]any{"gossip": []any{}})
	content("shape", "want-of-three", "A want of three parts.", map[string]any{"wants": []any{[]any{make([]byte, 32), 0, 0}}})
	content("limit", "hold-long", "The answer is to be held back for over five minutes.", map[string]any{"hold": 301})
	content("limit", "forks-17", "Seventeen forks.", map[string]any{"forks": make([][]byte, 17)})
	return list
}
