package canonical_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"

	"detente/canonical"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// What is refused byte by byte stands in testdata/vectors/canonical.json at the root; here is what holds for all bytes.

// deterministic encodes as RFC 8949 section 4.2.1 says, but holds no opinion on which types are allowed.
func deterministic(t testing.TB, v any) []byte {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := mode.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// generic decodes anything well-formed, with the library's defaults.
func generic(b []byte) (any, error) {
	mode, err := cbor.DecOptions{IntDec: cbor.IntDecConvertSignedOrFail}.DecMode()
	if err != nil {
		return nil, err
	}
	var v any
	err = mode.Unmarshal(b, &v)
	return v, err
}

// allowed tells whether a decoded value holds nothing but what protocol.md#canonical allows.
func allowed(v any, depth int) bool {
	if depth > 16 {
		return false
	}
	switch v := v.(type) {
	case int64, []byte, string, bool:
		return true
	case []any:
		for _, x := range v {
			if !allowed(x, depth+1) {
				return false
			}
		}
		return true
	case map[any]any:
		for k, x := range v {
			switch k.(type) {
			case int64, string:
			default:
				return false
			}
			if !allowed(k, depth+1) || !allowed(x, depth+1) {
				return false
			}
		}
		return true
	}
	return false
}

// agree compares Check with a library's opinion of the same bytes: decoded, of allowed types, and encoded again to themselves.
func agree(t testing.TB, b []byte) {
	v, err := generic(b)
	want := err == nil && allowed(v, 0) && bytes.Equal(deterministic(t, v), b)
	if got := canonical.Check(b, len(b)); (got == nil) != want {
		t.Fatalf("%x: Check says %v, the library %v (%v)", b, got, want, err)
	}
}

func values() *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.Int64().AsAny(), rapid.Bool().AsAny(), rapid.String().AsAny(), rapid.SliceOf(rapid.Byte()).AsAny(),
		rapid.SampledFrom([]any{nil, 1.5, uint64(math.MaxUint64), cbor.Tag{Number: 1, Content: 1}, cbor.SimpleValue(99), "\xff"}), // refused
	)
	key := rapid.OneOf(rapid.Int64().AsAny(), rapid.String().AsAny(), rapid.Bool().AsAny())
	return rapid.OneOf(
		leaf,
		rapid.SliceOfN(leaf, 0, 30).AsAny(),
		rapid.MapOfN(key, rapid.OneOf(leaf, rapid.SliceOfN(leaf, 0, 3).AsAny(), rapid.MapOfN(key, leaf, 0, 3).AsAny()), 0, 30).AsAny(),
	)
}

// Check accepts what the library would write, and nothing else: neither another spelling of it nor one flipped bit that is not a record.
func TestCheckAgreesWithTheLibrary(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		b := deterministic(t, values().Draw(r, "value"))
		agree(t, b)
		if len(b) > 0 {
			b[rapid.IntRange(0, len(b)-1).Draw(r, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(r, "bit")
			agree(t, b)
		}
		agree(t, rapid.SliceOf(rapid.Byte()).Draw(r, "bytes"))
	})
}

// However few bytes an item takes, a structure holds no more of them than a decoder can pay for.
func TestItemsAreCounted(t *testing.T) {
	const most = 1 << 18
	list := func(n int, item string) []byte { // an array with a head of five bytes
		return append(binary.BigEndian.AppendUint32([]byte{0x9a}, uint32(n)), strings.Repeat(item, n)...)
	}
	for _, test := range []struct {
		name string
		b    []byte
		want error
	}{
		{"as many as may be", list(most-1, "\x00"), nil},
		{"one more", list(most, "\x00"), canonical.ErrTooLarge},
		{"maps of a key and a value, which count three", list((most-1)/3, "\xa1\x00\x00"), nil},
		{"one of them more", list((most-1)/3+1, "\xa1\x00\x00"), canonical.ErrTooLarge},
		{"four megabytes of empty maps", list(4<<20-5, "\xa0"), canonical.ErrTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := canonical.Check(test.b, len(test.b)); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
			var v any
			if err := canonical.Unmarshal(test.b, &v, len(test.b)); !errors.Is(err, test.want) {
				t.Errorf("decoded: %v, want %v", err, test.want)
			}
		})
	}
}

type record struct {
	Name  string         `cbor:"name"`
	ID    [4]byte        `cbor:"id"`
	Notes [][]byte       `cbor:"notes,omitempty"`
	More  map[string]int `cbor:"more,omitempty"`
}

func TestMarshalAndUnmarshalAreInverse(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		in := record{Name: rapid.String().Draw(r, "name"), Notes: rapid.SliceOf(rapid.SliceOf(rapid.Byte())).Draw(r, "notes")}
		in.More = rapid.MapOf(rapid.String(), rapid.Int()).Draw(r, "more")
		copy(in.ID[:], rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(r, "id"))
		b, err := canonical.Marshal(in)
		if err != nil {
			r.Fatal(err)
		}
		if err := canonical.Check(b, len(b)); err != nil {
			r.Fatalf("what Marshal gives Check refuses: %v", err)
		}
		var out record
		if err := canonical.Unmarshal(b, &out, len(b)); err != nil {
			r.Fatal(err)
		}
		if again, err := canonical.Marshal(out); err != nil || !bytes.Equal(again, b) {
			r.Fatalf("%x came back as %x, %v", b, again, err)
		}
		if err := canonical.Unmarshal(b, &out, len(b)-1); !errors.Is(err, canonical.ErrTooLarge) {
			r.Fatalf("over the limit: %v", err)
		}
	})
}

// A record has one spelling. The library alone would read each of these as the record that stands first.
func TestOneSpelling(t *testing.T) {
	text := func(s string) string { return hex.EncodeToString(append([]byte{0x60 | byte(len(s))}, s...)) }
	id, name := text("id")+"44 00010203", text("name")+"61 61"
	for _, s := range []struct {
		story, bytes string
		want         error
	}{
		{"the record", "a2" + id + name, nil},
		{"a byte more in the id", "a2" + text("id") + "45 0001020304" + name, canonical.ErrShape},
		{"a byte less in the id", "a2" + text("id") + "43 000102" + name, canonical.ErrShape},
		{"the id as integers", "a2" + text("id") + "84 00010203" + name, canonical.ErrShape},
		{"a key in capitals", "a2" + text("ID") + "44 00010203" + name, canonical.ErrShape},
		{"a missing key", "a1" + id, canonical.ErrShape},
		{"an unknown key", "a3" + id + name + text("nota") + "00", canonical.ErrShape},
		{"an optional field there and empty", "a3" + id + name + text("notes") + "80", canonical.ErrShape},
		{"another type", "a2" + id + text("name") + "01", canonical.ErrShape},
		{"an array", "82 44 00010203 61 61", canonical.ErrShape},
		{"a field of null", "a2" + id + text("name") + "f6", canonical.ErrForbidden},
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(s.bytes, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		var v record
		if err := canonical.Unmarshal(b, &v, 64); !errors.Is(err, s.want) {
			t.Errorf("%s: %v, want %v", s.story, err, s.want)
		}
	}
}

func TestMarshalRefuses(t *testing.T) {
	deep := any(1)
	for range 17 {
		deep = []any{deep}
	}
	for _, s := range []struct {
		story string
		value any
		want  error
	}{
		{"a float", 1.5, canonical.ErrForbidden},
		{"nil", nil, canonical.ErrForbidden},
		{"a nil pointer inside", []*int{nil}, canonical.ErrForbidden},
		{"text that is not UTF-8", "\xff", canonical.ErrText},
		{"an integer over 63 bits", uint64(math.MaxUint64), canonical.ErrForbidden},
		{"a map by booleans", map[bool]int{true: 1}, canonical.ErrForbidden},
		{"seventeen arrays deep", deep, canonical.ErrDepth},
	} {
		if b, err := canonical.Marshal(s.value); !errors.Is(err, s.want) {
			t.Errorf("%s: %x, %v, want %v", s.story, b, err, s.want)
		}
	}
	if b, err := canonical.Marshal(func() {}); err == nil {
		t.Errorf("a function is %x", b)
	}
	if b, err := canonical.Marshal(struct{ A []byte }{}); err != nil || !bytes.Equal(b, []byte("\xa1\x61A\x40")) {
		t.Errorf("a nil slice is %x, %v", b, err)
	}
}

func TestCheckAllocatesNothing(t *testing.T) {
	good := deterministic(t, map[any]any{1: []any{"a", []byte("b")}, "c": true})
	bomb := []byte("\x9b\x7f\xff\xff\xff\xff\xff\xff\xff") // an array of 2^63-1 elements
	if n := testing.AllocsPerRun(100, func() {
		if canonical.Check(good, 64) != nil || canonical.Check(bomb, 64) == nil {
			t.Error("misjudged")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{"\x00", "\xa2\x01\x02\x61a\x81\x40", "\x9b\x7f\xff\xff\xff\xff\xff\xff\xff", "\xbf\xff", "\xf9\x7e\x00", "\xc2\x41\x01"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		agree(t, b)
		var v any
		if err := canonical.Unmarshal(b, &v, len(b)); (err == nil) != (canonical.Check(b, len(b)) == nil) {
			t.Fatalf("%x: checked and decoded differently: %v", b, err)
		}
		m, err := canonical.Fields(b, len(b))
		if err != nil {
			if texts, ok := onlyTexts(v).(map[string]any); ok && canonical.Check(b, len(b)) == nil {
				t.Fatalf("%x: %v was refused: %v", b, texts, err)
			}
			return
		}
		if diff := cmp.Diff(onlyTexts(v), any(m)); diff != "" {
			t.Fatalf("%x: the library reads it as another: %s", b, diff)
		}
	})
}

// onlyTexts is what the library has made of an item, with maps by text; nil where a key is none.
func onlyTexts(v any) any {
	switch v := v.(type) {
	case map[any]any:
		m := make(map[string]any, len(v))
		for k, value := range v {
			text, ok := k.(string)
			inner := onlyTexts(value)
			if !ok || inner == nil {
				return nil
			}
			m[text] = inner
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i := range v {
			if list[i] = onlyTexts(v[i]); list[i] == nil {
				return nil
			}
		}
		return list
	}
	return v
}

func TestFields(t *testing.T) {
	want := map[string]any{
		"text": "слово", "number": int64(-7), "yes": true, "no": false, "bytes": []byte{1, 2}, "none": []byte{},
		"list": []any{int64(1), "a", []any{}}, "map": map[string]any{"hash": make([]byte, 32)},
	}
	b, err := canonical.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := canonical.Fields(b, len(b))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for name, v := range map[string]any{"no map": []any{}, "a number for a key": map[any]any{1: 1}, "one within": map[string]any{"a": map[any]any{1: 1}}} {
		b, err := canonical.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := canonical.Fields(b, len(b)); !errors.Is(err, canonical.ErrShape) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	item := deterministic(b, map[any]any{1: "xn/nrrc", 3: "xs", 6: 1795000000, 7: []any{make([]byte, 32), make([]byte, 32)}})
	b.SetBytes(int64(len(item)))
	for b.Loop() {
		if err := canonical.Check(item, 1024); err != nil {
			b.Fatal(err)
		}
	}
}

func TestAppendBytes(t *testing.T) {
	for _, n := range []int{0, 1, 23, 24, 255, 256, 1<<16 - 1, 1 << 16} {
		want, err := canonical.Marshal(make([]byte, n))
		if err != nil {
			t.Fatal(err)
		}
		if got := canonical.AppendBytes([]byte("before"), make([]byte, n)); string(got) != "before"+string(want) {
			t.Errorf("%d bytes: the head is another than that of the library", n)
		}
	}
}

// What a record is not, a reader says at once, and nothing is read after it.
func TestReaderRefuses(t *testing.T) {
	read := func(r *canonical.Reader) {
		r.Map()
		r.Key(1)
		r.Count()
		if r.Has(2) {
			r.NotEmpty(len(r.Bytes()))
		}
		r.Key(3)
		r.Fill(make([]byte, 2))
		r.Empty()
	}
	for name, c := range map[string]struct {
		hex  string
		want error
	}{
		"a whole one":      {"a201000342ffff", canonical.ErrShape}, // but for what comes after the map
		"truncated":        {"a2010003", canonical.ErrTruncated},
		"no map":           {"80", canonical.ErrShape},
		"a key too few":    {"a10100", canonical.ErrShape},
		"a key too many":   {"a301000342ffff0400", canonical.ErrShape},
		"another key":      {"a201000442ffff", canonical.ErrShape},
		"a text as a key":  {"a20100614142ffff", canonical.ErrShape},
		"there and empty":  {"a3010002400342ffff", canonical.ErrShape},
		"another length":   {"a201000341ff", canonical.ErrShape},
		"another type":     {"a201400342ffff", canonical.ErrShape},
		"not canonical":    {"a20118000342ffff", canonical.ErrNotCanonical},
		"bytes that trail": {"a201000342ffff00", canonical.ErrTrailing},
	} {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(err)
		}
		if err := canonical.Read(b, 100, read); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if err := canonical.Read([]byte{0}, 0, func(*canonical.Reader) {}); !errors.Is(err, canonical.ErrTooLarge) {
		t.Errorf("over the limit: %v", err)
	}
}
