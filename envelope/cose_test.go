package envelope_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"detente/canonical"
	"detente/envelope"
	"detente/key"

	"github.com/google/go-cmp/cmp"
	"github.com/veraison/go-cose"
)

// coseKey lends our keys to go-cose, which has no names for these algorithms of its own.
type coseKey struct {
	key.Signer
	key.Verifier
}

func (k coseKey) Algorithm() cose.Algorithm { return cose.Algorithm(k.Signer.Public().Algorithm) }

func (k coseKey) Sign(_ io.Reader, content []byte) ([]byte, error) { return k.Signer.Sign(content) }

func (k coseKey) Verify(content, signature []byte) error {
	if !k.Verifier.Verify(content, signature) {
		return cose.ErrVerification
	}
	return nil
}

func coseKeys(t testing.TB, keys ...*key.Private) (signers []cose.Signer, verifiers []cose.Verifier) {
	for _, k := range keys {
		v, err := key.Standard().Verifier(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		signers, verifiers = append(signers, coseKey{k, v}), append(verifiers, coseKey{k, v})
	}
	return signers, verifiers
}

// An implementation of COSE that is not ours reads and verifies what we sign.
func TestGoCoseReadsOurs(t *testing.T) {
	ed, lattice := generate(t, key.Ed25519), generate(t, key.MLDSA65)
	contents := full()
	b := sign(t, contents, ed, lattice)

	m := cose.NewSignMessage()
	if err := m.UnmarshalCBOR(b); err != nil {
		t.Fatal(err)
	}
	_, verifiers := coseKeys(t, ed, lattice)
	if err := m.Verify(nil, verifiers...); err != nil {
		t.Fatal(err)
	}
	critical, err := m.Headers.Protected.Critical()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{int64(-70001), int64(-70002)}, critical); diff != "" {
		t.Error(diff)
	}
	if !bytes.Equal(m.Payload, contents.Payload) || m.Headers.Protected[cose.HeaderLabelContentType] != contents.ContentType {
		t.Errorf("go-cose reads %v %x", m.Headers.Protected, m.Payload)
	}
	_, swapped := coseKeys(t, generate(t, key.Ed25519), lattice)
	if err := m.Verify(nil, swapped...); !errors.Is(err, cose.ErrVerification) {
		t.Errorf("go-cose verified under another key: %v", err)
	}
}

// We read and verify what go-cose signs with the same headers, and it comes to the same bytes.
func TestWeReadGoCose(t *testing.T) {
	a, b := generate(t, key.Ed25519), generate(t, key.Ed25519)
	contents := full()
	m := cose.NewSignMessage()
	m.Payload = contents.Payload
	m.Headers.Protected = cose.ProtectedHeader{
		int64(2): []any{int64(-70001), int64(-70002)}, int64(3): contents.ContentType,
		int64(15): map[any]any{1: "xn/nrrc", 3: "xs", 6: 1795000000}, int64(-70001): map[any]any{1: "header"},
		int64(-70002): []any{[]any{-19, idBytes(a)}, []any{-19, idBytes(b)}},
	}
	for _, k := range []*key.Private{a, b} {
		s := cose.NewSignature()
		s.Headers.Protected = cose.ProtectedHeader{int64(1): cose.Algorithm(-19), int64(4): idBytes(k)}
		m.Signatures = append(m.Signatures, s)
	}
	signers, _ := coseKeys(t, a, b)
	if err := m.Sign(nil, nil, signers...); err != nil {
		t.Fatal(err)
	}
	theirs, err := m.MarshalCBOR()
	if err != nil {
		t.Fatal(err)
	}
	e, err := envelope.Decode(theirs, contentType, 1<<14)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Verify(known(t, a, b)); err != nil {
		t.Fatal(err)
	}
	if ours := sign(t, contents, a, b); !bytes.Equal(ours, theirs) {
		t.Errorf("go-cose gives\n%x, we\n%x", theirs, ours)
	}
}

// What go-cose lets pass is why it is not the engine: docs/decisions/002-own-cose-sign.md.
func TestGoCoseLetsPass(t *testing.T) {
	ed := generate(t, key.Ed25519)
	_, verifiers := coseKeys(t, ed)
	for _, s := range []struct {
		name   string
		change func(*draft)
		want   error
	}{
		{"a critical label that nobody knows", func(d *draft) {
			d.body[2], d.body[-70003] = []int{-70002, -70003}, 1
		}, envelope.ErrUnknownHeader},
		{"a longer head than needed", func(d *draft) {
			d.raw = func(b []byte) []byte { return bytes.Replace(b, []byte("\x4apayload"), []byte("\x58\x0apayload"), 1) }
		}, canonical.ErrNotCanonical},
		{"an unprotected label", func(d *draft) { d.top = func(p []any) []any { p[1] = map[int]any{-70003: 1}; return p } }, envelope.ErrShape},
	} {
		t.Run(s.name, func(t *testing.T) {
			d := newDraft(ed)
			d.payload = []byte("payload no")
			s.change(d)
			b := d.bytes(t)
			m := cose.NewSignMessage()
			if err := m.UnmarshalCBOR(b); err != nil {
				t.Fatalf("go-cose has become stricter, which is worth a look: %v", err)
			}
			if err := m.Verify(nil, verifiers...); err != nil {
				t.Fatalf("go-cose has become stricter, which is worth a look: %v", err)
			}
			if _, err := envelope.Decode(b, contentType, 1<<14); !errors.Is(err, s.want) {
				t.Errorf("decoded with %v, want %v", err, s.want)
			}
		})
	}
}

func BenchmarkOurs(b *testing.B) {
	ed := generate(b, key.Ed25519)
	raw, find := sign(b, full(), ed), known(b, ed)
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := envelope.Decode(raw, contentType, 1<<14); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode-verify", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			e, err := envelope.Decode(raw, contentType, 1<<14)
			if err == nil {
				err = e.Verify(find)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkGoCose does less than BenchmarkOurs: neither canonical form nor the signature set is checked.
func BenchmarkGoCose(b *testing.B) {
	ed := generate(b, key.Ed25519)
	raw := sign(b, full(), ed)
	_, verifiers := coseKeys(b, ed)
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := cose.NewSignMessage().UnmarshalCBOR(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode-verify", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m := cose.NewSignMessage()
			err := m.UnmarshalCBOR(raw)
			if err == nil {
				err = m.Verify(nil, verifiers...)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
