package envelope

import (
	"testing"

	"detente/canonical"
	"detente/key"

	"github.com/google/go-cmp/cmp"
)

// What is read by hand is what the CBOR library would have read, and nothing else is taken.
func FuzzReadAsTheLibraryDoes(f *testing.F) {
	set := []Ref{{Algorithm: key.Ed25519}, {Algorithm: key.MLDSA65, Key: key.ID{1}}}
	for _, v := range []any{
		body{critical(true), withClaims, []byte{0xa0}, []byte{0x82, 0x01, 0x02}, set},
		body{critical(false), "a", nil, nil, set[:1]}, body{}, signatureHeader{Algorithm: key.Ed25519}, map[int]any{1: 1, 4: make([]byte, 16), 5: 0},
		wire{Protected: []byte{1}, Payload: []byte{2}, Signatures: []wireSignature{{Protected: []byte{3}, Signature: []byte{4}}, {}}}, wire{},
		map[int]any{2: []int{1}, 3: "a", labelSet: []any{[]any{-19, make([]byte, 15)}}},
	} {
		b, err := canonical.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		for i := range b { // as the real ones are, but for one byte
			for _, bit := range []byte{0x01, 0x20, 0x40} {
				other := append([]byte(nil), b...)
				other[i] ^= bit
				f.Add(other)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 1 << 16
		var w, wantWire wire
		same(t, canonical.Read(b, limit, w.read), canonical.Unmarshal(b, &wantWire, limit), w, wantWire)
		var s, wantHeader signatureHeader
		same(t, canonical.Read(b, limit, s.read), canonical.Unmarshal(b, &wantHeader, limit), s, wantHeader)
		var h, wantBody body
		same(t, canonical.Read(b, limit, h.read), canonical.Unmarshal(b, &wantBody, limit), h, wantBody)
	})
}

func same(t *testing.T, err, want error, got, value any) {
	t.Helper()
	if (err == nil) != (want == nil) {
		t.Fatalf("read: %v; the library: %v", err, want)
	}
	if err != nil {
		return
	}
	a, errA := canonical.Marshal(got)
	b, errB := canonical.Marshal(value)
	if errA != nil || errB != nil || !cmp.Equal(a, b) {
		t.Errorf("read otherwise than the library: %x and %x", a, b)
	}
}
