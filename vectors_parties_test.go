package detente_test

import (
	"crypto/hpke"
	"crypto/sha256"
	"testing"

	"detente/canonical"
	"detente/envelope"
	"detente/key"
	"detente/party"
)

const (
	charterContent = "application/vnd.detente.charter"
	foundingTime   = 1790000000
)

// somebody is a party of the vectors, its keys made from its name.
type somebody struct{ name string }

func (p somebody) key(t testing.TB, a key.Algorithm, use string) fixedSigner {
	return fixedKey(t, a, p.name+"/"+use)
}

func (p somebody) post(t testing.TB) fixedSigner { return p.key(t, key.Ed25519, "nrrc real") }

func (p somebody) root(t testing.TB) fixedSigner { return p.key(t, key.Ed25519, "root") }

// node gives one of the node's signing keys by its name in the charter.
func (p somebody) node(t testing.TB, use string) fixedSigner {
	if use == "checkpoint-pq" || use == "mirror-pq" {
		return p.key(t, key.MLDSA44, use)
	}
	return p.key(t, key.Ed25519, use)
}

func (p somebody) sealing(t testing.TB) hpke.PrivateKey {
	seed := sha256.Sum256([]byte(p.name + "/sealing"))
	return must(hpke.MLKEM768X25519().NewPrivateKey(seed[:]))(t)
}

func wireKey(s fixedSigner) []any { return []any{s.Public().Algorithm, s.Public().Bytes} }

// charter is the payload of the party's version 1, with as few keys as there can be: one root of one key, one post with one key. A vector
// changes what it is about.
func (p somebody) charter(t testing.TB) map[string]any {
	node := map[string]any{"sealing": []any{0x647a, p.sealing(t).PublicKey().Bytes()}}
	for _, use := range []string{"checkpoint", "checkpoint-pq", "mirror", "mirror-pq", "bundle", "transport"} {
		node[use] = wireKey(p.node(t, use))
	}
	return map[string]any{
		"party": p.name, "name": map[string]any{"en": p.name}, "version": 1, "issued": foundingTime,
		"roots": map[string]any{"need": 1, "roots": []any{[]any{wireKey(p.root(t))}}},
		"posts": []any{map[string]any{
			"post": "nrrc", "may": []any{"acknowledge", "answer", "commit", "receive"}, "keys": []any{[]any{"real", wireKey(p.post(t))}},
		}},
		"node": node, "languages": []any{"en"}, "routes": []any{[]any{"https", "https://" + p.name + ".example"}},
	}
}

// next is the payload of the version after the charter.
func (p somebody) next(t testing.TB, version int, previous []byte) map[string]any {
	m := p.charter(t)
	m["version"], m["previous"], m["issued"] = version, []byte(hashOf(previous)), foundingTime+version
	return m
}

func signCharter(t testing.TB, payload map[string]any, roots ...fixedSigner) []byte {
	return signContent(t, charterContent, must(canonical.Marshal(payload))(t), roots...)
}

func signContent(t testing.TB, contentType string, payload []byte, signers ...fixedSigner) []byte {
	var as []key.Signer
	for _, s := range signers {
		as = append(as, s)
	}
	return must(envelope.Sign(envelope.Contents{ContentType: contentType, Payload: payload}, as...))(t)
}

// founded is the party's charter of version 1.
func (p somebody) founded(t testing.TB) []byte { return signCharter(t, p.charter(t), p.root(t)) }

// chainOf links charters, the first of which is version 1.
func chainOf(t testing.TB, charters ...[]byte) *party.Chain {
	ch, err := linkCharters(charters)
	return must(ch, err)(t)
}

// linkCharters says with the vectors' codes what is wrong.
func linkCharters(charters [][]byte) (ch *party.Chain, err error) {
	for _, b := range charters {
		c, err := party.DecodeCharter(b, key.Standard())
		if err != nil {
			return nil, as("charter", err, party.ErrShape, party.ErrParty, party.ErrVersion, party.ErrTime, party.ErrRoots, party.ErrPost,
				party.ErrPlane, party.ErrMay, party.ErrOrder, party.ErrKey, party.ErrKeyTwice, party.ErrText, party.ErrCount, party.ErrRevoked)
		}
		if ch == nil {
			ch, err = party.NewChain(c)
		} else {
			ch, err = ch.Extend(c)
		}
		if err != nil {
			return nil, as("chain", err, party.ErrChain, party.ErrParty, party.ErrRevoked)
		}
	}
	return ch, nil
}
