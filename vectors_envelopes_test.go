package detente_test

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"testing"

	"detente/canonical"
	"detente/envelope"
	"detente/key"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
)

type envelopeVector struct {
	Vector
	ContentType string      `json:"content-type"`
	Limit       int         `json:"limit"`
	Keys        []PublicKey `json:"keys"`
	Envelope    Hex         `json:"envelope"`
	Claims      Hex         `json:"claims,omitempty"`
	Header      Hex         `json:"header,omitempty"`
	Payload     Hex         `json:"payload,omitempty"`
	KeyIDs      []Hex       `json:"key-ids,omitempty"`
}

// parts is an envelope taken to pieces, each of which may be wrong. What is signed is what stands in it, so that a vector has one fault only.
type parts struct {
	tag         []byte
	body        map[int]any // labels of the protected header
	rawBody     []byte      // instead of body
	unprotected any
	payload     any
	signers     []key.Signer
	signatures  func([]any) []any // changes the list when all is signed
	top         func([]any) []any
}

func (p parts) bytes(t testing.TB) []byte {
	body := p.rawBody
	if body == nil {
		body = must(canonical.Marshal(p.body))(t)
	}
	list := []any{}
	for _, s := range p.signers {
		id := s.ID()
		head := must(canonical.Marshal(map[int]any{1: s.Public().Algorithm, 4: id[:]}))(t)
		payload, _ := p.payload.([]byte)
		message := must(canonical.Marshal([]any{"Signature", body, head, []byte{}, payload}))(t)
		list = append(list, []any{head, p.unprotected, must(s.Sign(message))(t)})
	}
	if p.signatures != nil {
		list = p.signatures(list)
	}
	all := []any{body, p.unprotected, p.payload, list}
	if p.top != nil {
		all = p.top(all)
	}
	return append(bytes.Clone(p.tag), must(cbor.Marshal(all))(t)...) // null and the like pass here
}

func (p parts) set() []any {
	set := []any{}
	for _, s := range p.signers {
		id := s.ID()
		set = append(set, []any{s.Public().Algorithm, id[:]})
	}
	return set
}

func TestVectorsEnvelopes(t *testing.T) {
	runVectors(t, "envelopes.json", generateEnvelopes, func(t testing.TB, v envelopeVector) error {
		e, err := envelope.Decode(v.Envelope, v.ContentType, v.Limit)
		if err != nil {
			return err
		}
		if err := e.Verify(finder(t, v.Keys)); err != nil {
			return err
		}
		var ids []Hex
		for _, ref := range e.Set {
			ids = append(ids, ref.Key[:])
		}
		want := []any{string(v.Claims), string(v.Header), string(v.Payload), v.KeyIDs}
		if diff := cmp.Diff(want, []any{string(e.Claims), string(e.Header), string(e.Payload), ids}); diff != "" {
			t.Error(diff)
		}
		return nil
	})
}

func generateEnvelopes(t testing.TB) []envelopeVector {
	ed, lattice := fixedKey(t, key.Ed25519, "envelope ed25519"), fixedKey(t, key.MLDSA65, "envelope ml-dsa-65")
	other := fixedKey(t, key.Ed25519, "envelope other")
	claims := must(canonical.Marshal(map[int]any{1: "xn/nrrc", 3: "xs", 6: 1795000000}))(t)
	header := must(canonical.Marshal(map[int]any{1: "header"}))(t)
	payload := []byte("\xa1\x64text\x65hello")

	var list []envelopeVector
	add := func(refuse, name, doc string, b []byte, keys ...PublicKey) *envelopeVector {
		if keys == nil {
			keys = []PublicKey{ed.published()}
		}
		list = append(list, envelopeVector{Vector: Vector{name, doc, refuse}, ContentType: statementContent, Limit: 16384, Keys: keys, Envelope: b})
		return &list[len(list)-1]
	}
	accepted := func(name, doc string, c envelope.Contents, signers ...fixedSigner) []byte {
		c.ContentType = statementContent
		keys, as := []PublicKey{}, []key.Signer{}
		for _, s := range signers {
			keys, as = append(keys, s.published()), append(as, s)
		}
		b := must(envelope.Sign(c, as...))(t)
		v := add("", name, doc, b, keys...)
		v.Claims, v.Header, v.Payload = c.Claims, c.Header, c.Payload
		for _, s := range signers {
			id := s.ID()
			v.KeyIDs = append(v.KeyIDs, id[:])
		}
		return b
	}
	accepted("one-signature", "Signed with Ed25519; no claims, no header.", envelope.Contents{Payload: payload}, ed)
	full := accepted("claims-and-header", "With labels 15 and -70001.", envelope.Contents{Claims: claims, Header: header, Payload: payload}, ed)
	accepted("two-signatures", "Signed with Ed25519 and ML-DSA-65, both named in the signature set.", envelope.Contents{Payload: payload}, ed, lattice)
	accepted("reversed", "The signature set gives the order, not the algorithm.", envelope.Contents{Payload: payload}, lattice, ed)
	accepted("empty-payload", "A payload of no bytes is a payload.", envelope.Contents{}, ed)

	// good is the same as two-signatures, but with two short signatures, and open to change.
	good := func() parts {
		p := parts{tag: []byte{0xd8, 0x62}, unprotected: map[int]any{}, payload: payload, signers: []key.Signer{ed, other}}
		p.body = map[int]any{2: []int{-70002}, 3: statementContent, -70002: p.set()}
		return p
	}
	pair := []PublicKey{ed.published(), other.published()}
	mutate := func(refuse, name, doc string, change func(*parts)) {
		p := good()
		change(&p)
		add(refuse, name, doc, p.bytes(t), pair...)
	}
	mutate("", "by-hand", "Put together piece by piece: the base of those that follow.", func(*parts) {})
	base := &list[len(list)-1]
	base.Payload = payload
	for _, k := range good().signers {
		id := k.ID()
		base.KeyIDs = append(base.KeyIDs, id[:])
	}

	mutate("signature-set", "signature-stripped", "The second signature is taken away.", func(p *parts) {
		p.signatures = func(s []any) []any { return s[:1] }
	})
	mutate("signature-set", "signature-added", "A signature is there that the set does not name.", func(p *parts) { p.body[-70002] = p.set()[:1] })
	mutate("signature-set", "signatures-reordered", "The signatures stand in another order than the set.", func(p *parts) {
		p.signatures = func(s []any) []any { slices.Reverse(s); return s }
	})
	mutate("signature-set", "signature-repeated", "The first signature stands in the place of the second.", func(p *parts) {
		p.signatures = func(s []any) []any { return []any{s[0], s[0]} }
	})
	mutate("signature-set", "signatures-none", "No signature, though the set names two.", func(p *parts) { p.signatures = func([]any) []any { return []any{} } })
	mutate("signature-set", "set-empty", "The signature set is empty and so is the list.", func(p *parts) { p.signers = nil; p.body[-70002] = []any{} })
	mutate("signature-set", "set-twice", "The set names one key twice.", func(p *parts) {
		p.signers = []key.Signer{ed, ed}
		p.body[-70002] = p.set()
	})
	mutate("signature-set", "set-of-17", "The set names 17 keys.", func(p *parts) {
		p.signers = nil
		for i := range 17 {
			p.signers = append(p.signers, fixedKey(t, key.Ed25519, string(rune('a'+i))))
		}
		p.body[-70002] = p.set()
	})
	mutate("signature-set", "other-algorithm", "A signature's header names another algorithm than the set.", func(p *parts) {
		p.signatures = func(s []any) []any {
			id := other.ID()
			s[1].([]any)[0] = must(canonical.Marshal(map[int]any{1: -8, 4: id[:]}))(t)
			return s
		}
	})
	mutate("signature-set", "signature-header-label", "A signature's header has one label more.", func(p *parts) {
		p.signatures = func(s []any) []any {
			id := other.ID()
			s[1].([]any)[0] = must(canonical.Marshal(map[int]any{1: -19, 4: id[:], 5: []byte{1}}))(t)
			return s
		}
	})
	mutate("bad-signature", "signatures-swapped", "The headers stand in order, the two signatures are exchanged.", func(p *parts) {
		p.signatures = func(s []any) []any {
			a, b := s[0].([]any), s[1].([]any)
			a[2], b[2] = b[2], a[2]
			return s
		}
	})
	mutate("bad-signature", "payload-changed", "The payload is another than the one signed.", func(p *parts) {
		p.top = func(a []any) []any { a[2] = []byte("\xa1\x64text\x65other"); return a }
	})
	mutate("bad-signature", "signature-empty", "The second signature is empty.", func(p *parts) {
		p.signatures = func(s []any) []any { s[1].([]any)[2] = []byte{}; return s }
	})
	add("bad-signature", "header-changed", "One byte of the claims is changed.", bytes.Replace(full, []byte("xn/nrrc"), []byte("xl/nrrc"), 1))
	add("unknown-key", "unknown-key", "The second key of the set is not one of those given.", good().bytes(t), ed.published())

	mutate("unknown-header", "critical-unknown", "A label that is not known, named in crit.", func(p *parts) {
		p.body[2], p.body[-70003] = []int{-70002, -70003}, 1
	})
	mutate("unknown-header", "not-critical-unknown", "A label that is not known, not named in crit.", func(p *parts) { p.body[4] = []byte{1} })
	mutate("unknown-header", "text-label", "A label that is text.", func(p *parts) {
		p.rawBody = must(canonical.Marshal(map[any]any{2: []int{-70002}, 3: statementContent, -70002: p.set(), "x": 1}))(t)
	})
	mutate("unknown-header", "critical-missing", "Label 2 is not there.", func(p *parts) { delete(p.body, 2) })
	mutate("unknown-header", "critical-short", "crit does not name -70002.", func(p *parts) { p.body[2] = []int{} })
	mutate("unknown-header", "critical-without-header", "crit does not name -70001, which is there.", func(p *parts) { p.body[-70001] = map[int]any{} })
	mutate("unknown-header", "critical-without-label", "crit names -70001, which is not there.", func(p *parts) { p.body[2] = []int{-70001, -70002} })
	mutate("unknown-header", "critical-order", "crit names -70002 before -70001.", func(p *parts) {
		p.body[2], p.body[-70001] = []int{-70002, -70001}, map[int]any{}
	})
	mutate("unknown-header", "content-type-missing", "Label 3 is not there.", func(p *parts) { delete(p.body, 3) })
	mutate("unknown-header", "content-type-number", "The content type is a CoAP number, which COSE would allow.", func(p *parts) { p.body[3] = 60 })
	mutate("unknown-header", "set-missing", "Label -70002 is not there.", func(p *parts) { delete(p.body, -70002) })
	mutate("unknown-header", "set-key-id-long", "A key id of the set has 17 bytes.", func(p *parts) {
		id := ed.ID()
		p.body[-70002] = []any{[]any{-19, append(id[:], 0)}, p.set()[1]}
	})
	mutate("unknown-header", "set-key-id-array", "A key id of the set is an array of 16 integers.", func(p *parts) {
		id := ed.ID()
		p.body[-70002] = []any{[]any{-19, integers(id[:])}, p.set()[1]}
	})
	mutate("unknown-header", "body-not-a-map", "The protected header is an array.", func(p *parts) { p.rawBody = []byte{0x80} })
	mutate("content-type", "content-type", "Another content type.", func(p *parts) { p.body[3] = "application/cose" })

	mutate("shape", "tag-missing", "Tag 98 is missing.", func(p *parts) { p.tag = nil })
	mutate("shape", "tag-18", "Tag 18, COSE_Sign1.", func(p *parts) { p.tag = []byte{0xd2} })
	mutate("shape", "tag-long", "Tag 98 in three bytes.", func(p *parts) { p.tag = []byte{0xd9, 0, 0x62} })
	mutate("shape", "tag-cwt", "Tag 61 (CWT) around tag 98.", func(p *parts) { p.tag = []byte{0xd8, 0x3d, 0xd8, 0x62} })
	mutate("forbidden", "payload-nil", "The payload is null: detached.", func(p *parts) { p.payload = nil })
	mutate("shape", "payload-text", "The payload is text.", func(p *parts) { p.payload = "text" })
	mutate("shape", "payload-integers", "The payload is an array of integers.", func(p *parts) {
		p.top = func(a []any) []any { a[2] = integers(payload); return a }
	})
	mutate("shape", "unprotected-body", "The body's unprotected map holds a label.", func(p *parts) {
		p.top = func(a []any) []any { a[1] = map[int]any{5: []byte{1}}; return a }
	})
	mutate("shape", "unprotected-signature", "A signature's unprotected map holds a label.", func(p *parts) {
		p.signatures = func(s []any) []any { s[0].([]any)[1] = map[int]any{4: []byte{1}}; return s }
	})
	mutate("shape", "three-parts", "The envelope has three parts.", func(p *parts) { p.top = func(a []any) []any { return a[:3] } })
	mutate("shape", "five-parts", "The envelope has five parts.", func(p *parts) { p.top = func(a []any) []any { return append(a, 0) } })
	mutate("shape", "signature-of-four", "A signature has four parts.", func(p *parts) {
		p.signatures = func(s []any) []any { s[0] = append(s[0].([]any), 0); return s }
	})
	mutate("shape", "signatures-map", "The list of signatures is a map.", func(p *parts) {
		p.top = func(a []any) []any { a[3] = map[int]any{}; return a }
	})

	for _, c := range []envelope.Contents{{Claims: claims}, {Header: header}} {
		name := "claims"
		if c.ContentType = charterContent; c.Header != nil {
			name = "header"
		}
		add("unknown-header", "charter-with-"+name, "Labels 15 and -70001 are for statements only.", must(envelope.Sign(c, ed))(t)).ContentType = charterContent
	}

	encoded := good().bytes(t)
	add("shape", "empty", "No bytes at all.", nil, pair...)
	add("trailing", "trailing", "A byte follows the envelope.", append(bytes.Clone(encoded), 0), pair...)
	add("truncated", "truncated", "The last byte is missing.", encoded[:len(encoded)-1], pair...)
	add("too-large", "too-large", "A byte more than the limit.", encoded, pair...).Limit = len(encoded) - 1
	add("not-canonical", "long-head", "The envelope's array has its count in two bytes.", slices.Concat(encoded[:2], []byte{0x98, 4}, encoded[3:]), pair...)
	mutate("not-canonical", "body-order", "Labels 3 and 2 of the protected header are out of order.", func(p *parts) {
		p.rawBody = rawMap(t, 3, statementContent, 2, []int{-70002}, -70002, p.set())
	})
	mutate("duplicate-key", "body-duplicate", "Label 3 is there twice.", func(p *parts) {
		p.rawBody = rawMap(t, 2, []int{-70002}, 3, statementContent, 3, statementContent, -70002, p.set())
	})
	mutate("trailing", "body-trailing", "A byte follows the protected header inside its byte string.", func(p *parts) {
		p.rawBody = append(must(canonical.Marshal(p.body))(t), 0)
	})
	mutate("truncated", "body-empty", "The protected header is an empty byte string, which COSE would allow for an empty map.", func(p *parts) {
		p.rawBody = []byte{}
	})
	return list
}

func integers(b []byte) []int {
	list := make([]int, len(b))
	for i, c := range b {
		list[i] = int(c)
	}
	return list
}

// rawMap encodes a map as it stands, whatever the order.
func rawMap(t testing.TB, pairs ...any) []byte {
	b := []byte{0xa0 | byte(len(pairs)/2)}
	for _, p := range pairs {
		b = append(b, must(canonical.Marshal(p))(t)...)
	}
	return b
}

func hashOf(b []byte) Hex {
	h := sha256.Sum256(b)
	return h[:]
}
