package statement

import (
	"testing"

	"detente/canonical"

	"github.com/google/go-cmp/cmp"
)

// What is read by hand is what the CBOR library would have read, and nothing else is taken.
func FuzzReadAsTheLibraryDoes(f *testing.F) {
	for _, b := range examples(f) {
		f.Add(b)
	}
	f.Fuzz(readAsTheLibraryDoes)
}

// Each real one with one bit changed, of each byte.
func TestReadAsTheLibraryDoes(t *testing.T) {
	for _, b := range examples(t) {
		readAsTheLibraryDoes(t, b)
		for i := range b {
			for _, bit := range []byte{0x01, 0x20, 0x40} {
				other := append([]byte(nil), b...)
				other[i] ^= bit
				readAsTheLibraryDoes(t, other)
			}
		}
	}
}

func examples(t testing.TB) (out [][]byte) {
	for _, v := range []any{
		claims{"xn/nrrc", "*", 1},
		header{Plane: "real", Precedence: "R", Form: "check", Version: 1, Clock: 1, Language: "en", Drafter: "d", Charter: 1},
		header{Dossier: make([]byte, 32), Refs: make([]ID, 2), Seen: []byte{0x81, 0x01}, Clock: -1, Marking: "m", Releaser: "r"},
		header{Dossier: make([]byte, 31), Clock: 1 << 40},
		map[int]any{1: "xn", 3: "", 6: 0, 7: 1}, map[int]any{1: "xn", 3: ""}, map[int]any{1: "xn", 3: []byte{}, 6: false}, 1, []int{},
	} {
		b, err := canonical.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

func readAsTheLibraryDoes(t *testing.T, b []byte) {
	t.Helper()
	var c, wantClaims claims
	same(t, canonical.Read(b, MaxSize, c.read), canonical.Unmarshal(b, &wantClaims, MaxSize), c, wantClaims)
	var h, wantHeader header
	same(t, canonical.Read(b, MaxSize, h.read), canonical.Unmarshal(b, &wantHeader, MaxSize), h, wantHeader)
}

func same(t *testing.T, err, want error, got, value any) {
	t.Helper()
	if (err == nil) != (want == nil) {
		t.Fatalf("read: %v; the library: %v", err, want)
	}
	if err == nil && !cmp.Equal(got, value) {
		t.Errorf("read otherwise than the library: %s", cmp.Diff(value, got))
	}
}
