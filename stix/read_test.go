package stix_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"detente/stix"

	"github.com/google/go-cmp/cmp"
)

// validator is compiled once for all tests of the package.
var validator = sync.OnceValues(stix.NewValidator)

func newValidator(t testing.TB) *stix.Validator {
	t.Helper()
	v, err := validator()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// week is real indicators, one object a line.
func week(t testing.TB) [][]byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "maltrail", "week.ndjson.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]byte
	s := bufio.NewScanner(z)
	for s.Scan() {
		lines = append(lines, bytes.Clone(s.Bytes()))
	}
	if s.Err() != nil || len(lines) < 8000 {
		t.Fatal(len(lines), s.Err())
	}
	return lines
}

// What a national CERT meets every week is valid, and reads as it was written.
func TestRealIndicators(t *testing.T) {
	v := newValidator(t)
	nothing := 0
	for i, line := range week(t) {
		if i%4 != 0 { // the gateway's tests read them all
			continue
		}
		o, err := v.Read(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if !bytes.Equal(o.Raw, line) || o.Type != "indicator" || o.Flags != 0 || o.Modified.IsZero() {
			t.Fatalf("read as %+v", o)
		}
		seen := o.Observables()
		if len(seen) > 1 || len(seen) == 1 && !seen[0].Alone {
			t.Fatalf("%s points at %+v", o.Text("pattern"), seen)
		}
		if len(seen) == 0 && !strings.Contains(o.Text("pattern"), "http:///") { // a path of no host, by which a panel is known
			nothing++
		}
	}
	if nothing > 8 {
		t.Errorf("%d indicators point at nothing", nothing)
	}
}

// The examples of the standard's own authors.
func TestExamplesOfOASIS(t *testing.T) {
	v := newValidator(t)
	names, err := filepath.Glob(filepath.Join("testdata", "oasis", "*.json"))
	if err != nil || len(names) < 6 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		bundle, err := v.Split(b)
		if err != nil || bundle.Type != "bundle" || len(bundle.Items) == 0 {
			t.Fatalf("%s: %v, %v", name, bundle, err)
		}
		for _, it := range bundle.Items {
			if it.Err != nil {
				t.Errorf("%s: %v", name, it.Err)
			}
			if !bytes.Contains(b, it.Raw) {
				t.Errorf("%s: %s is not a piece of it", name, it.Object.ID)
			}
		}
	}
}

const (
	idA   = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
	head  = `"type":"indicator","spec_version":"2.1","id":"` + idA + `","created":"2026-08-23T00:00:00.000Z","modified":"2026-08-24T00:00:00.000Z"`
	good  = `{` + head + `,"pattern":"[ipv4-addr:value = '198.51.100.7']","pattern_type":"stix","valid_from":"2026-08-23T00:00:00Z"}`
	other = `{"type":"domain-name","id":"domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7","value":"example.com"}`
)

// with puts members into the good object.
func with(members string) string {
	return strings.Replace(good, `"pattern":`, members+`,"pattern":`, 1)
}

// Everything that somebody could try, and what comes of it. Nothing panics, hangs, or takes more memory than its own size.
func TestHostileObjects(t *testing.T) {
	v := newValidator(t)
	for _, c := range []struct {
		name, in string
		want     error
		path     string
		flags    stix.Flags
	}{
		{"good", good, nil, "", 0},
		{"space around", "\n\t " + good + " \r\n", nil, "", 0},
		{"a custom object", `{"type":"x-radar","spec_version":"2.1","id":"x-radar--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2026-08-23T00:00:00.000Z","modified":"2026-08-23T00:00:00.000Z","height":3}`, nil, "", 0},
		{"an observable without spec_version", other, nil, "", 0},
		{"nothing", "", stix.ErrSyntax, "", 0},
		{"no object", `["a"]`, stix.ErrInvalid, "", 0},
		{"two objects", good + good, stix.ErrSyntax, "", 0},
		{"half an object", good[:len(good)-9], stix.ErrSyntax, "/valid_from", 0},
		{"a comma too many", with(`"x_a":1,`), stix.ErrSyntax, "", 0},
		{"a comment", with(`/* */"x_a":1`), stix.ErrSyntax, "", 0},
		{"no UTF-8", with(`"description":"` + "\xff\xfe" + `"`), nil, "", stix.Replaced},
		{"half a surrogate pair", with(`"description":"\ud83d!"`), nil, "", stix.Replaced},
		{"a pair the wrong way round", with(`"description":"\udc00\ud83d"`), nil, "", stix.Replaced},
		{"a whole pair", with(`"description":"\ud83d\ude00"`), nil, "", 0},
		{"NUL", with(`"description":"a\u0000b"`), nil, "", stix.Control},
		{"a raw control character", with("\"description\":\"a\x01b\""), stix.ErrSyntax, "/description", 0},
		{"an escape sequence of terminals", with(`"description":"\u001b[31m"`), nil, "", stix.Control},
		{"text that runs backwards", with(`"description":"invoice\u202efdp.exe"`), nil, "", stix.Bidi},
		{"markup", with(`"description":"<script>alert(1)</script>"`), nil, "", 0},
		{"an unknown escape", with(`"description":"\x41"`), stix.ErrSyntax, "/description", 0},
		{"half an escape", with(`"description":"\u12`), stix.ErrSyntax, "/description", 0},
		{"a member twice", with(`"name":"a","name":"b"`), stix.ErrTwice, "/name", 0},
		{"a member twice, the second in disguise", with(`"name":"a","n\u0061me":"b"`), stix.ErrTwice, "/name", 0},
		{"the id twice", with(`"id":"` + idA + `"`), stix.ErrTwice, "/id", 0},
		{"deep", with(`"x_a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40)), stix.ErrLimit, "/x_a" + strings.Repeat("/0", 31), 0},
		{"very deep", with(`"x_a":` + strings.Repeat(`{"a":`, 50_000)), stix.ErrLimit, "/x_a" + strings.Repeat("/a", 31), 0},
		{"many members", with(`"x_a":[` + strings.Repeat("0,", 30_000) + `0]`), stix.ErrLimit, "", 0},
		{"a long string", with(`"x_a":"` + strings.Repeat("a", 800<<10) + `"`), stix.ErrLimit, "/x_a", 0},
		{"large", `{"a":"` + strings.Repeat("a", 700<<10) + `","b":"` + strings.Repeat("b", 700<<10) + `"}`, stix.ErrLimit, "", 0},
		{"a huge number", with(`"confidence":1e999999999`), stix.ErrLimit, "/confidence", 0},
		{"a long number", with(`"confidence":` + strings.Repeat("9", 10_000)), stix.ErrLimit, "/confidence", 0},
		{"a number that is none", with(`"confidence":01`), stix.ErrSyntax, "", 0},
		{"a number out of range", with(`"confidence":101`), stix.ErrInvalid, "/confidence", 0},
		{"a broken number", with(`"confidence":50.5`), stix.ErrInvalid, "/confidence", 0},
		{"no id", `{"type":"indicator"}`, stix.ErrInvalid, "/id", 0},
		{"an id of nothing", `{"type":"indicator","id":"indicator--1"}`, stix.ErrInvalid, "/id", 0},
		{"the id of another type", strings.Replace(good, "indicator--8", "malware--8", 1), stix.ErrInvalid, "/id", 0},
		{"no type", `{"id":"` + idA + `"}`, stix.ErrInvalid, "/type", 0},
		{"a type that is a number", `{"type":7,"id":"` + idA + `"}`, stix.ErrInvalid, "/type", 0},
		{"STIX 2.0", strings.Replace(good, `"spec_version":"2.1",`, "", 1), stix.ErrVersion, "/spec_version", 0},
		{"a later version", strings.Replace(good, `"2.1"`, `"3.0"`, 1), stix.ErrVersion, "/spec_version", 0},
		{"no pattern", `{` + head + `,"pattern_type":"stix","valid_from":"2026-08-23T00:00:00Z"}`, stix.ErrInvalid, "", 0},
		{"a pattern that is none", strings.Replace(good, "[ipv4", "(ipv4", 1), stix.ErrInvalid, "/pattern", 0},
		{"an unknown kind of pattern", strings.Replace(good, `"stix"`, `"tarot"`, 1), nil, "", 0},
		{"null", with(`"name":null`), stix.ErrInvalid, "/name", 0},
		{"an empty list", with(`"labels":[]`), stix.ErrInvalid, "/labels", 0},
		{"modified before created", strings.Replace(good, "2026-08-24", "2026-08-22", 1), stix.ErrInvalid, "/modified", 0},
		{"the 30th of February", strings.Replace(good, "2026-08-24", "2026-02-30", 1), stix.ErrInvalid, "/modified", 0},
		{"a time without milliseconds", strings.Replace(good, "24T00:00:00.000Z", "24T00:00:00Z", 1), stix.ErrInvalid, "/modified", 0},
		{"valid for no time", with(`"valid_until":"2026-08-23T00:00:00Z"`), stix.ErrInvalid, "/valid_until", 0},
		{"a marking of nothing", with(`"granular_markings":[{"selectors":["name"],"marking_ref":"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"}]`), stix.ErrMarking, "/granular_markings/0/selectors/0", 0},
		{"a marking that is none", with(`"object_marking_refs":["TLP:RED"]`), stix.ErrInvalid, "/object_marking_refs/0", 0},
		{"RED that says clear", `{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1","created":"2022-10-01T00:00:00.000Z","name":"TLP:RED",` +
			`"extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{"extension_type":"property-extension","tlp_2_0":"clear"}}}`, stix.ErrMarking, "", 0},
		{"RED", `{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1","created":"2022-10-01T00:00:00.000Z","name":"TLP:RED",` +
			`"extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{"extension_type":"property-extension","tlp_2_0":"red"}}}`, nil, "", 0},
	} {
		o, err := v.Read([]byte(c.in))
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, should be %v", c.name, err, c.want)
			continue
		}
		if err == nil {
			if o.Flags != c.flags || string(o.Raw) != strings.TrimSpace(c.in) {
				t.Errorf("%s: flags %b of %s", c.name, o.Flags, o.Raw)
			}
			continue
		}
		faults := stix.FaultsOf(err)
		if faults == nil || c.path != "" && faults[0].Path != c.path {
			t.Errorf("%s: fault at %q, should be at %q", c.name, faults[0].Path, c.path)
		}
		if text := err.Error(); len(text) > 1000 || strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r == 0x202e }) {
			t.Errorf("%s: is told as %.200q", c.name, text)
		}
	}
}

// One bad object in a bundle costs the others nothing.
func TestBundleIsCutNotEncoded(t *testing.T) {
	red := strings.Replace(good, "24T", "25T", 1)
	parts := []string{
		strings.ReplaceAll(good, ",", " ,\n"), // a repetition in other letters is a contradiction: nothing is encoded again to find out
		other,
		good,
		`{"type":"indicator","id":"` + idA + `","x":` + strings.Repeat("[", 60) + strings.Repeat("]", 60) + `}`,
		`{"a":1,"a":2}`,
		`"a text"`, `17`, `null`, `[{}]`, `{}`,
		other,
		red,
		`{"big":"` + strings.Repeat(`\\\"}]`, 200_000) + `"}`,
		other,
	}
	in := `{ "more" :true, "objects": [` + strings.Join(parts, " , ") + `],"type":"bundle","id":"bundle--x","next":"n1"}`
	bundle, err := stix.Split([]byte(in), stix.Standard())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"more": true, "next": "n1"}, bundle.Rest); diff != "" || bundle.Type != "bundle" || bundle.ID != "bundle--x" {
		t.Error(bundle.Type, bundle.ID, diff)
	}
	want := []error{nil, nil, stix.ErrConflict, stix.ErrLimit, stix.ErrTwice, stix.ErrInvalid, stix.ErrInvalid, stix.ErrInvalid, stix.ErrInvalid, stix.ErrInvalid,
		stix.ErrRepeated, nil, stix.ErrLimit, stix.ErrRepeated}
	if len(bundle.Items) != len(want) {
		t.Fatalf("%d objects", len(bundle.Items))
	}
	for i, it := range bundle.Items {
		if !errors.Is(it.Err, want[i]) || (it.Err == nil) != (want[i] == nil) {
			t.Errorf("object %d: %v, should be %v", i, it.Err, want[i])
		}
		if string(it.Raw) != parts[i] {
			t.Errorf("object %d is %.100s", i, it.Raw)
		}
	}
	for name, in := range map[string]string{
		"no end":              `{"objects":[` + good,
		"no end of an object": `{"objects":[{"a":"`,
		"a broken object":     `{"objects":[{"a":nonsense}]}`,
		"objects twice":       `{"objects":[],"objects":[]}`,
		"more after":          `{"objects":[]}x`,
		"a list":              `[]`,
		"too many":            `{"objects":[` + strings.Repeat(`{},`, 100_001) + `{}]}`,
	} {
		if _, err := stix.Split([]byte(in), stix.Standard()); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if b, err := stix.Split([]byte(`{}`), stix.Standard()); err != nil || len(b.Items) != 0 {
		t.Error("an empty envelope is", b, err)
	}
}

// Objects may name each other in a circle, and themselves.
func TestCyclesDoNotHang(t *testing.T) {
	a, b := "report--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", "report--9e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
	of := func(id, ref string) string {
		return `{"type":"report","spec_version":"2.1","id":"` + id + `","created":"2026-08-23T00:00:00.000Z","modified":"2026-08-23T00:00:00.000Z",` +
			`"name":"r","published":"2026-08-23T00:00:00.000Z","object_refs":["` + ref + `","` + id + `"],"created_by_ref":"identity--9e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"}`
	}
	bundle, err := newValidator(t).Split([]byte(`{"type":"bundle","objects":[` + of(a, b) + `,` + of(b, a) + `]}`))
	if err != nil || bundle.Items[0].Err != nil || bundle.Items[1].Err != nil {
		t.Fatal(err, bundle.Items)
	}
	if diff := cmp.Diff([]string{"identity--9e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", b}, bundle.Items[0].Object.Refs()); diff != "" {
		t.Error(diff)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(other))
	f.Add([]byte(with(`"description":"\ud83d\ude00\u0000\ud800","x_a":[-1.5e3,0,true,null,{}]`)))
	v := newValidator(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := v.Read(b)
		if o == nil && err == nil || err != nil && stix.FaultsOf(err) == nil {
			t.Fatal("neither object nor fault")
		}
		if o == nil {
			return
		}
		if !bytes.Contains(b, o.Raw) {
			t.Fatal("the bytes are others")
		}
		again, err := stix.Read(o.Raw, v.Limits)
		if err != nil || again.ID != o.ID {
			t.Fatal("what was read once cannot be read again", err)
		}
		o.Refs()
		if _, err := stix.Resolve(o, nil); err != nil && stix.FaultsOf(err) == nil {
			t.Fatal(err)
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte(`{"type":"bundle","id":"b","objects":[` + good + `,` + other + `,17,"a",{"a":1,"a":2}]}`))
	f.Add([]byte(`{"more":true,"next":"1","objects":[]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		lim := stix.Standard()
		lim.Object, lim.Objects = 4096, 64
		bundle, err := stix.Split(b, lim)
		if err != nil {
			return
		}
		at := 0
		for _, it := range bundle.Items {
			i := bytes.Index(b[at:], it.Raw)
			if i < 0 || len(it.Raw) == 0 || (it.Object == nil) != (it.Err != nil && !errors.Is(it.Err, stix.ErrRepeated) && !errors.Is(it.Err, stix.ErrConflict)) {
				t.Fatalf("%q is no piece in its place, or %v", it.Raw, it.Err)
			}
			at += i + len(it.Raw)
		}
	})
}

// BenchmarkRead is what a server does with each object that is posted: read it, and hold it against its schema and the rules.
func BenchmarkRead(b *testing.B) {
	v, lines := newValidator(b), week(b)
	b.Run("validated", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			if _, err := v.Read(lines[i%len(lines)]); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "objects/s")
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			if _, err := stix.Read(lines[i%len(lines)], v.Limits); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "objects/s")
	})
	bundle := []byte(`{"type":"bundle","id":"bundle--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","objects":[`)
	bundle = append(append(bundle, bytes.Join(lines[:1000], []byte(","))...), "]}"...)
	b.Run("bundle", func(b *testing.B) {
		for range b.N {
			if _, err := v.Split(bundle); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "objects/s")
	})
}
