package envelope_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"detente/canonical"
	"detente/envelope"
	"detente/key"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const contentType = "application/vnd.detente.statement" // the one that has every label

// draft is an envelope taken to pieces, so that each can be made wrong alone: what is signed is what stands in it.
type draft struct {
	tag         []byte
	body        map[int]any // labels of the protected header
	rawBody     []byte      // instead of body
	unprotected any
	payload     any
	signers     []*key.Private
	signatures  func([]any) []any // changes the list when all is signed
	top         func([]any) []any // changes the four parts
	raw         func([]byte) []byte
}

func newDraft(signers ...*key.Private) *draft {
	d := &draft{tag: []byte{0xd8, 0x62}, unprotected: map[int]any{}, payload: []byte("\xa1\x01\x02"), signers: signers}
	d.body = map[int]any{2: []int{-70002}, 3: contentType, -70002: d.set()}
	return d
}

func (d *draft) set() []any {
	set := []any{}
	for _, s := range d.signers {
		set = append(set, []any{s.Public().Algorithm, idBytes(s)})
	}
	return set
}

func (d *draft) bytes(t testing.TB) []byte {
	body := d.rawBody
	if body == nil {
		body = encode(t, d.body)
	}
	list := []any{}
	for _, s := range d.signers {
		head := encode(t, map[int]any{1: s.Public().Algorithm, 4: idBytes(s)})
		payload, _ := d.payload.([]byte)
		sig, err := s.Sign(encode(t, []any{"Signature", body, head, []byte{}, payload}))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, []any{head, d.unprotected, sig})
	}
	if d.signatures != nil {
		list = d.signatures(list)
	}
	parts := []any{body, d.unprotected, d.payload, list}
	if d.top != nil {
		parts = d.top(parts)
	}
	b, err := cbor.Marshal(parts) // not canonical.Marshal, which would refuse null
	if err != nil {
		t.Fatal(err)
	}
	if b = append(bytes.Clone(d.tag), b...); d.raw != nil {
		b = d.raw(b)
	}
	return b
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	b, err := canonical.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func generate(t testing.TB, a key.Algorithm) *key.Private {
	t.Helper()
	k, err := key.Generate(a)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func idBytes(k *key.Private) []byte { id := k.ID(); return id[:] }

func sign(t testing.TB, c envelope.Contents, keys ...*key.Private) []byte {
	t.Helper()
	var signers []key.Signer
	for _, k := range keys {
		signers = append(signers, k)
	}
	b, err := envelope.Sign(c, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func known(t testing.TB, keys ...*key.Private) func(key.ID) key.Verifier {
	m := map[key.ID]key.Verifier{}
	for _, k := range keys {
		v, err := key.Standard().Verifier(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		m[k.ID()] = v
	}
	return func(id key.ID) key.Verifier { return m[id] }
}

func full() envelope.Contents {
	return envelope.Contents{
		ContentType: contentType, Claims: []byte("\xa3\x01\x67xn/nrrc\x03\x62xs\x06\x1a\x6a\xfd\x86\xc0"), Header: []byte("\xa1\x01\x66header"),
		Payload: []byte("\xa1\x64text\x65hello"),
	}
}

func TestSignedIsDecodedAndVerified(t *testing.T) {
	ed, lattice := generate(t, key.Ed25519), generate(t, key.MLDSA65)
	for _, contents := range []envelope.Contents{
		full(), {ContentType: contentType, Payload: []byte{}}, {ContentType: contentType, Payload: make([]byte, 4000)},
	} {
		b := sign(t, contents, ed, lattice)
		e, err := envelope.Decode(b, contentType, len(b))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(contents, e.Contents, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
		want := []envelope.Ref{{Algorithm: key.Ed25519, Key: ed.ID()}, {Algorithm: key.MLDSA65, Key: lattice.ID()}}
		if !slices.Equal(e.Set, want) || !bytes.Equal(e.Bytes(), b) {
			t.Errorf("set %v", e.Set)
		}
		if err := e.Verify(known(t, ed, lattice)); err != nil {
			t.Error(err)
		}
		if err := e.Verify(known(t, ed)); !errors.Is(err, envelope.ErrUnknownKey) {
			t.Errorf("without the second key: %v", err)
		}
	}
}

// Each story has one fault; everything else in it is right and signed as it stands. protocol.md#envelope
func TestRefused(t *testing.T) {
	a, b := generate(t, key.Ed25519), generate(t, key.MLDSA65)
	id := idBytes(a)
	for _, s := range []struct {
		story  string
		want   error
		change func(*draft)
	}{
		{"a signature stripped", envelope.ErrSignatureSet, func(d *draft) { d.signatures = func(s []any) []any { return s[:1] } }},
		{"a signature stripped, and from the set too", envelope.ErrBadSignature, func(d *draft) {
			signed := encode(t, d.body)
			d.top = func(p []any) []any {
				if !bytes.Equal(p[0].([]byte), signed) {
					t.Fatal("the base has changed")
				}
				d.body[-70002] = d.set()[:1]
				p[0], p[3] = encode(t, d.body), p[3].([]any)[:1]
				return p
			}
		}},
		{"a signature added", envelope.ErrSignatureSet, func(d *draft) { d.body[-70002] = d.set()[:1] }},
		{"signatures reordered", envelope.ErrSignatureSet, func(d *draft) { d.signatures = func(s []any) []any { slices.Reverse(s); return s } }},
		{"one signature twice", envelope.ErrSignatureSet, func(d *draft) { d.signatures = func(s []any) []any { return []any{s[0], s[0]} } }},
		{"no signature", envelope.ErrSignatureSet, func(d *draft) { d.signatures = func([]any) []any { return []any{} } }},
		{"an empty set", envelope.ErrSignatureSet, func(d *draft) { d.signers = nil; d.body[-70002] = []any{} }},
		{"a key twice in the set", envelope.ErrSignatureSet, func(d *draft) { d.signers = []*key.Private{a, a}; d.body[-70002] = d.set() }},
		{"seventeen signatures", envelope.ErrSignatureSet, func(d *draft) {
			d.signers = nil
			for range 17 {
				d.signers = append(d.signers, generate(t, key.Ed25519))
			}
			d.body[-70002] = d.set()
		}},
		{"another algorithm in a signature's header", envelope.ErrSignatureSet, func(d *draft) { d.signatures = header(0, encode(t, map[int]any{1: -8, 4: id})) }},
		{"another key in a signature's header", envelope.ErrSignatureSet, func(d *draft) { d.signatures = header(0, encode(t, map[int]any{1: -19, 4: idBytes(b)})) }},
		{"one more label in a signature's header", envelope.ErrSignatureSet, func(d *draft) {
			d.signatures = header(0, encode(t, map[int]any{1: -19, 4: id, 5: 1}))
		}},
		{"a signature's header not canonical", envelope.ErrSignatureSet, func(d *draft) {
			d.signatures = header(0, slices.Concat([]byte{0xa2, 0x01, 0x32, 0x18, 0x04, 0x50}, id))
		}},
		{"a signature's header empty", envelope.ErrSignatureSet, func(d *draft) { d.signatures = header(0, nil) }},
		{"another algorithm in the set", envelope.ErrUnknownKey, func(d *draft) {
			d.body[-70002] = []any{[]any{-8, id}, d.set()[1]}
			d.signatures = header(0, encode(t, map[int]any{1: -8, 4: id}))
		}},
		{"signatures exchanged", envelope.ErrBadSignature, func(d *draft) {
			d.signatures = func(s []any) []any {
				x, y := s[0].([]any), s[1].([]any)
				x[2], y[2] = y[2], x[2]
				return s
			}
		}},
		{"another payload", envelope.ErrBadSignature, func(d *draft) { d.top = func(p []any) []any { p[2] = []byte("x"); return p } }},
		{"another header", envelope.ErrBadSignature, func(d *draft) {
			d.top = func(p []any) []any { d.body[15] = map[int]any{}; p[0] = encode(t, d.body); return p }
		}},

		{"an unknown critical label", envelope.ErrUnknownHeader, func(d *draft) { d.body[2], d.body[-70003] = []int{-70002, -70003}, 1 }},
		{"an unknown label", envelope.ErrUnknownHeader, func(d *draft) { d.body[4] = []byte("kid") }},
		{"no critical labels", envelope.ErrUnknownHeader, func(d *draft) { delete(d.body, 2) }},
		{"the set not critical", envelope.ErrUnknownHeader, func(d *draft) { d.body[2] = []int{} }},
		{"the header not critical", envelope.ErrUnknownHeader, func(d *draft) { d.body[-70001] = 1 }},
		{"a critical header that is not there", envelope.ErrUnknownHeader, func(d *draft) { d.body[2] = []int{-70001, -70002} }},
		{"no set", envelope.ErrUnknownHeader, func(d *draft) { delete(d.body, -70002) }},
		{"no content type", envelope.ErrUnknownHeader, func(d *draft) { delete(d.body, 3) }},
		{"a key id of 15 bytes", envelope.ErrUnknownHeader, func(d *draft) { d.body[-70002] = []any{[]any{-19, id[:15]}, d.set()[1]} }},
		{"a key id of 17 bytes", envelope.ErrUnknownHeader, func(d *draft) { d.body[-70002] = []any{[]any{-19, append(id[:16:16], 0)}, d.set()[1]} }},
		{"another content type", envelope.ErrContentType, func(d *draft) { d.body[3] = "application/cose" }},

		{"no tag", envelope.ErrShape, func(d *draft) { d.tag = nil }},
		{"the tag of COSE_Sign1", envelope.ErrShape, func(d *draft) { d.tag = []byte{0xd2} }},
		{"a long tag", envelope.ErrShape, func(d *draft) { d.tag = []byte{0xd9, 0, 0x62} }},
		{"nothing", envelope.ErrShape, func(d *draft) { d.raw = func([]byte) []byte { return nil } }},
		{"a nil payload", canonical.ErrForbidden, func(d *draft) { d.payload = nil }},
		{"a payload of text", envelope.ErrShape, func(d *draft) { d.payload = "text" }},
		{"a payload of integers", envelope.ErrShape, func(d *draft) { d.top = func(p []any) []any { p[2] = []int{0xa1, 1, 2}; return p } }},
		{"a label in the body's unprotected map", envelope.ErrShape, func(d *draft) {
			d.top = func(p []any) []any { p[1] = map[int]any{5: 1}; return p }
		}},
		{"a label in a signature's unprotected map", envelope.ErrShape, func(d *draft) {
			d.signatures = func(s []any) []any { s[1].([]any)[1] = map[int]any{5: 1}; return s }
		}},
		{"three parts", envelope.ErrShape, func(d *draft) { d.top = func(p []any) []any { return p[:3] } }},
		{"five parts", envelope.ErrShape, func(d *draft) { d.top = func(p []any) []any { return append(p, 0) } }},
		{"a signature of two parts", envelope.ErrShape, func(d *draft) {
			d.signatures = func(s []any) []any { s[0] = s[0].([]any)[:2]; return s }
		}},

		{"a byte that follows", canonical.ErrTrailing, func(d *draft) { d.raw = func(b []byte) []byte { return append(b, 0) } }},
		{"the last byte gone", canonical.ErrTruncated, func(d *draft) { d.raw = func(b []byte) []byte { return b[:len(b)-1] } }},
		{"too many bytes", canonical.ErrTooLarge, func(d *draft) { d.payload = make([]byte, 1<<14) }},
		{"a long head", canonical.ErrNotCanonical, func(d *draft) {
			d.raw = func(b []byte) []byte { return slices.Concat(b[:2], []byte{0x98, 4}, b[3:]) }
		}},
		{"labels out of order", canonical.ErrNotCanonical, func(d *draft) {
			d.rawBody = slices.Concat([]byte{0xa3, 3}, encode(t, contentType), []byte{2}, encode(t, []int{-70002}), encode(t, -70002), encode(t, d.set()))
		}},
		{"a label twice", canonical.ErrDuplicateKey, func(d *draft) {
			twice := slices.Concat([]byte{3}, encode(t, contentType))
			d.rawBody = slices.Concat([]byte{0xa4, 2}, encode(t, []int{-70002}), twice, twice, encode(t, -70002), encode(t, d.set()))
		}},
		{"a byte after the header's map", canonical.ErrTrailing, func(d *draft) { d.rawBody = append(encode(t, d.body), 0) }},
		{"an empty header", canonical.ErrTruncated, func(d *draft) { d.rawBody = []byte{} }},
	} {
		t.Run(s.story, func(t *testing.T) {
			d := newDraft(a, b)
			s.change(d)
			e, err := envelope.Decode(d.bytes(t), contentType, 1<<14)
			if err == nil {
				err = e.Verify(known(t, a, b))
			}
			if !errors.Is(err, s.want) {
				t.Errorf("%v, want %v", err, s.want)
			}
		})
	}
	for _, c := range []envelope.Contents{{Claims: full().Claims}, {Header: full().Header}} {
		c.ContentType = "application/vnd.detente.charter"
		if e, err := envelope.Decode(sign(t, c, a), c.ContentType, 1<<14); !errors.Is(err, envelope.ErrUnknownHeader) {
			t.Errorf("a charter with claims or a header: %v, %v", e, err)
		}
	}
	e, err := envelope.Decode(newDraft(a, b).bytes(t), contentType, 1<<14)
	if err != nil || e.Verify(known(t, a, b)) != nil {
		t.Errorf("the base that the stories change is itself refused: %v", err)
	}
}

// header puts another protected header on signature i.
func header(i int, h []byte) func([]any) []any {
	return func(s []any) []any { s[i].([]any)[0] = append([]byte{}, h...); return s }
}

func TestSignRefuses(t *testing.T) {
	k := generate(t, key.Ed25519)
	c := envelope.Contents{ContentType: contentType}
	if _, err := envelope.Sign(c); !errors.Is(err, envelope.ErrSignatureSet) {
		t.Errorf("nobody signs: %v", err)
	}
	if _, err := envelope.Sign(c, k, k); !errors.Is(err, envelope.ErrSignatureSet) {
		t.Errorf("one signs twice: %v", err)
	}
	if _, err := envelope.Sign(c, broken{k}); !errors.Is(err, errToken) {
		t.Errorf("the token is out: %v", err)
	}
	c.Header = []byte{0xf6}
	if _, err := envelope.Sign(c, k); !errors.Is(err, canonical.ErrForbidden) {
		t.Errorf("the header is null: %v", err)
	}
}

var errToken = errors.New("token removed")

type broken struct{ *key.Private }

func (broken) Sign([]byte) ([]byte, error) { return nil, errToken }

// A charter is signed by holders of whom some may be unknown to the reader; those he knows must verify.
func TestApproved(t *testing.T) {
	a, b := generate(t, key.Ed25519), generate(t, key.MLDSA65)
	raw := sign(t, full(), a, b)
	e, err := envelope.Decode(raw, contentType, len(raw))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []struct {
		story string
		know  []*key.Private
	}{{"nobody", nil}, {"one", []*key.Private{b}}, {"both", []*key.Private{a, b}}} {
		got, err := e.Approved(known(t, s.know...))
		if err != nil || len(got) != len(s.know) {
			t.Errorf("%s known: %v %v", s.story, got, err)
		}
		for _, k := range s.know {
			if !got[k.ID()] {
				t.Errorf("%s known: %v is not among those who approved", s.story, k.ID())
			}
		}
	}
	if e, err = envelope.Decode(bytes.Replace(raw, []byte("hello"), []byte("HELLO"), 1), contentType, len(raw)); err != nil {
		t.Fatal(err)
	}
	if got, err := e.Approved(known(t, b)); !errors.Is(err, envelope.ErrBadSignature) {
		t.Errorf("a forgery is approved: %v %v", got, err)
	}
}

// FuzzDecode holds that what is accepted is the one encoding of what was read: put together again from its parts, it is the same bytes.
func FuzzDecode(f *testing.F) {
	k, err := key.FromSeed(key.Ed25519, make([]byte, key.SeedSize))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sign(f, full(), k))
	f.Add(newDraft(k).bytes(f))
	f.Add([]byte("\xd8\x62\x84\x40\xa0\x40\x80"))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := envelope.Decode(b, contentType, 1<<14)
		if err != nil {
			return
		}
		if err := e.Verify(known(t, k)); err != nil && !errors.Is(err, envelope.ErrUnknownKey) && !errors.Is(err, envelope.ErrBadSignature) {
			t.Fatal(err)
		}
		body := map[int]any{2: []int{-70002}, 3: e.ContentType, -70002: e.Set}
		if e.Header != nil {
			body[2], body[-70001] = []int{-70001, -70002}, cbor.RawMessage(e.Header)
		}
		if e.Claims != nil {
			body[15] = cbor.RawMessage(e.Claims)
		}
		var parts []any
		if err := cbor.Unmarshal(b[2:], &parts); err != nil {
			t.Fatal(err)
		}
		signatures := parts[3].([]any) // the envelope does not show them
		for i, r := range e.Set {
			head := encode(t, map[int]any{1: r.Algorithm, 4: r.Key[:]})
			signatures[i] = []any{head, map[int]any{}, signatures[i].([]any)[2]}
		}
		again := encode(t, []any{encode(t, body), map[int]any{}, e.Payload, signatures})
		if !bytes.Equal(b[2:], again) {
			t.Fatalf("%x\nis read as\n%x", b[2:], again)
		}
	})
}
