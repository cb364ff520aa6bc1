package sealing

import (
	"bytes"
	"testing"

	"detente/key"
)

// Whatever a stranger sends is refused, or is what would have been written.
func FuzzDecode(f *testing.F) {
	c := play(f, 4, 1)
	e := Evidence{[]Consent{c.consent(f, "xn")}, []Final{c.final(f, 0, Lapsed)}}
	p := Packet{e.Consents, []Seen{c.seen(f, 1)}}
	s, err := NewSealer(c.round, c.manifest.Sealers[0].Address())
	if err != nil {
		f.Fatal(err)
	}
	s.Receive(deadline, p)
	for _, write := range []func() ([]byte, error){c.manifest.Encode, e.Encode, p.Encode, e.Consents[0].Encode, p.Seens[0].Encode, e.Finals[0].Encode, s.Record} {
		b, err := write()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	same := func(t *testing.T, in []byte, write func() ([]byte, error)) {
		if out, err := write(); err != nil || !bytes.Equal(in, out) {
			t.Fatalf("read %x, wrote %x, %v", in, out, err)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := DecodeManifest(b); err == nil {
			same(t, b, m.Encode)
			if r, err := Open(b, key.Standard()); err == nil {
				r.Deciding(e)
			}
		}
		if e, err := DecodeEvidence(b); err == nil {
			same(t, b, e.Encode)
			c.round.Deciding(e)
		}
		if p, err := DecodePacket(b); err == nil {
			same(t, b, p.Encode)
			s, err := NewSealer(c.round, c.manifest.Sealers[0].Address())
			if err != nil {
				t.Fatal(err)
			}
			s.Receive(deadline, p)
			if s.Accepted() {
				t.Fatal("somebody forged a consent of xs")
			}
		}
		if c, err := DecodeConsent(b); err == nil {
			same(t, b, c.Encode)
		}
		if f, err := DecodeFinal(b); err == nil {
			same(t, b, f.Encode)
		}
		if s, err := Restore(c.round, c.manifest.Sealers[0].Address(), b); err == nil {
			again, err := s.Record()
			if err != nil || len(again) > len(b) {
				t.Fatalf("%x, %v", again, err)
			}
		}
	})
}
