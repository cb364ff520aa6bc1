package detente_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"detente/canonical"
	"detente/key"
	"detente/sealing"
	"detente/traffic"
)

// sealingVector is a manifest, and evidence with its verdict.
type sealingVector struct {
	Vector
	Manifest Hex           `json:"manifest"`
	Hash     Hex           `json:"hash,omitempty"`
	Evidence Hex           `json:"evidence,omitempty"`
	State    sealing.State `json:"state,omitempty"`
	Consents []string      `json:"consents,omitempty"`
	InForce  []string      `json:"in-force,omitempty"`
	Lapsed   []string      `json:"lapsed,omitempty"`
}

func TestVectorsSealing(t *testing.T) {
	runVectors(t, "sealing.json", generateSealing, func(t testing.TB, v sealingVector) error {
		var o sealing.Outcome
		r, err := sealing.Open(v.Manifest, key.Standard())
		if err == nil && v.Evidence != nil {
			var e sealing.Evidence
			if e, err = sealing.DecodeEvidence(v.Evidence); err == nil {
				o = r.Verdict(e)
			}
		}
		if err == nil {
			h := r.Hash()
			if !bytes.Equal(h[:], v.Hash) || o.State != v.State || !slices.Equal(names(o.InForce), v.InForce) || !slices.Equal(names(o.Lapsed), v.Lapsed) || len(o.Consents) != len(v.Consents) {
				t.Errorf("%s: %x, %+v", v.Name, h, o)
			}
		}
		for _, x := range []struct {
			code string
			is   error
		}{{"object", sealing.ErrObject}, {"roster", sealing.ErrRoster}, {"keys", sealing.ErrKeys}, {"terms", sealing.ErrTerms}, {"manifest", sealing.ErrManifest}} {
			err = as(x.code, err, x.is)
		}
		return err
	})
}

func names(list []traffic.Address) (out []string) {
	for _, a := range list {
		out = append(out, a.String())
	}
	return out
}

func generateSealing(t testing.TB) []sealingVector {
	m := &sealing.Manifest{
		Kind: "treaty", Plane: traffic.Real, Instrument: [32]byte{1}, Text: [32]byte{2}, Faulty: 1, Deadline: time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC), Delta: 6 * time.Hour,
		Effect: sealing.Effect{Kind: sealing.OnSealing}, Duration: sealing.Period{Years: 5}, Notice: sealing.Period{Months: 6}, Nonce: [16]byte{3},
	}
	signers := map[traffic.Address][]key.Signer{}
	member := func(p traffic.Party, post traffic.Post, algorithms ...key.Algorithm) sealing.Member {
		one := sealing.Member{Party: p, Post: post}
		for _, a := range algorithms {
			k := fixedKey(t, a, "sealing "+string(p)+"/"+string(post))
			one.Keys = append(one.Keys, k.Public())
			signers[one.Address()] = append(signers[one.Address()], k)
		}
		return one
	}
	for _, p := range []traffic.Party{"xn", "xs"} {
		algorithms := []key.Algorithm{key.Ed25519, key.MLDSA65}
		m.Parties = append(m.Parties, member(p, "mfa", algorithms[:1+len(m.Parties)]...))
		m.Texts = append(m.Texts, sealing.TextHash{Party: p, Lang: "en", Digest: [32]byte{4}}, sealing.TextHash{Party: p, Lang: "ru", Digest: [32]byte{5}})
	}
	for _, p := range []traffic.Party{"xa", "xb", "xn", "xs"} {
		m.Sealers = append(m.Sealers, member(p, "cert", key.Ed25519))
	}
	manifest := must(m.Encode())(t)
	r := must(sealing.Open(manifest, key.Standard()))(t)
	hash := r.Hash()
	var consents []sealing.Consent
	for _, p := range m.Parties {
		consents = append(consents, must(r.SignConsent(p.Party, signers[p.Address()]...))(t))
	}
	finals := map[sealing.Decision][]sealing.Final{}
	for _, s := range m.Sealers {
		for _, d := range []sealing.Decision{sealing.InForce, sealing.Lapsed} {
			finals[d] = append(finals[d], must(r.SignFinal(s.Address(), d, signers[s.Address()]...))(t))
		}
	}
	yes, no := finals[sealing.InForce], finals[sealing.Lapsed]
	var list []sealingVector
	verdict := func(name, doc string, e sealing.Evidence, state sealing.State, consented, inForce, lapsed []string) {
		list = append(list, sealingVector{
			Vector: Vector{name, doc, ""}, Manifest: manifest, Hash: hash[:], Evidence: must(e.Encode())(t), State: state, Consents: consented, InForce: inForce, Lapsed: lapsed,
		})
	}
	both, three := []string{"xn", "xs"}, []string{"xa/cert", "xb/cert", "xn/cert"}
	verdict("in-force", "Three of four sealers say so, and both parties have consented, one of them with two keys.", sealing.Evidence{Consents: consents, Finals: yes[:3]}, sealing.StateInForce, both, three, nil)
	verdict("lapsed", "Three of four sealers say that it has lapsed.", sealing.Evidence{Finals: no[:3]}, sealing.StateLapsed, nil, nil, three)
	verdict("contested", "Two sealers have signed both: nobody is bound.", sealing.Evidence{Consents: consents, Finals: slices.Concat(yes[:3], no[1:])}, sealing.StateContested, both, three,
		[]string{"xb/cert", "xn/cert", "xs/cert"})
	verdict("one-twice", "Two sealers, one of them twice, are two.", sealing.Evidence{Consents: consents, Finals: []sealing.Final{yes[0], yes[1], yes[1]}}, sealing.StatePending, both, three[:2], nil)
	verdict("consent-missing", "All sealers say so, and a party has not consented.", sealing.Evidence{Consents: consents[:1], Finals: yes}, sealing.StatePending, both[:1],
		[]string{"xa/cert", "xb/cert", "xn/cert", "xs/cert"}, nil)
	turned := slices.Clone(yes[:3])
	turned[2].Decision = sealing.Lapsed
	verdict("turned", "A signature of in-force stands under lapsed: it counts for neither.", sealing.Evidence{Consents: consents, Finals: turned}, sealing.StatePending, both, three[:2], nil)
	half := slices.Clone(consents)
	half[1].Signatures = half[1].Signatures[:1]
	verdict("without-lattice", "A consent lacks the signature of the party's second key.", sealing.Evidence{Consents: half, Finals: yes[:3]}, sealing.StatePending, both[:1], three, nil)

	refuse := func(name, doc, code string, change func(map[string]any)) {
		fields := must(canonical.Fields(manifest, sealing.MaxManifest))(t)
		change(fields)
		list = append(list, sealingVector{Vector: Vector{name, doc, code}, Manifest: must(canonical.Marshal(fields))(t)})
	}
	refuse("type", "It says that it is something else.", "manifest", func(f map[string]any) { f["type"] = "detente-manifest.v2" })
	refuse("unknown-key", "It has a key that no manifest has.", "manifest", func(f map[string]any) { f["hint"] = "x" })
	refuse("empty-optional", "An optional list is there and empty.", "manifest", func(f map[string]any) { f["channels"] = []any{} })
	refuse("too-few-sealers", "Of four sealers two cannot be allowed to fail.", "roster", func(f map[string]any) { f["faulty"] = 2 })
	refuse("turned-parties", "The parties do not ascend.", "roster", func(f map[string]any) { slices.Reverse(f["parties"].([]any)) })
	refuse("key-twice", "Two sealers have one key.", "keys", func(f map[string]any) {
		s := f["sealers"].([]any)
		s[1].(map[string]any)["keys"] = s[0].(map[string]any)["keys"]
	})
	refuse("lattice-first", "A party's first key is not Ed25519.", "keys", func(f map[string]any) { slices.Reverse(f["parties"].([]any)[1].(map[string]any)["keys"].([]any)) })
	refuse("no-delta", "There are sealers, and Δ is 0.", "terms", func(f map[string]any) { f["delta"] = 0 })
	refuse("date-on-sealing", "It takes effect on sealing, and names a date.", "terms", func(f map[string]any) { f["date"] = 1804000000 })
	refuse("period", "A period is all zeros.", "terms", func(f map[string]any) { f["renewal"] = []any{0, 0, 0} })
	list = append(list, sealingVector{Vector: Vector{"evidence-trailing", "A byte follows the evidence.", "object"}, Manifest: manifest,
		Evidence: append(must(sealing.Evidence{Finals: no[:1]}.Encode())(t), 0)})
	return list
}
