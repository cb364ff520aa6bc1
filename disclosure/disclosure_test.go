package disclosure_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"detente/canonical"
	"detente/disclosure"

	"github.com/google/go-cmp/cmp"
)

func report(t testing.TB) ([]disclosure.Digest, [][]byte) {
	t.Helper()
	digests, all, err := disclosure.Make("xn", []disclosure.Part{
		{Name: "source", Value: "A sensor at the exchange point."}, {Name: "victim", Value: "District hospital"}, {Name: "hosts", Value: int64(12)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return digests, all
}

// Lakeland is told who was hit, Southland is told from where it is known; both hold the same statement, and neither sees what the other was shown.
func TestWithheldFromOneAndShownToAnother(t *testing.T) {
	digests, all := report(t)
	if len(digests) != 8 {
		t.Errorf("%d digests tell how many parts there are", len(digests))
	}
	for name, want := range map[string]any{"victim": "District hospital", "source": "A sensor at the exchange point.", "hosts": int64(12)} {
		shown, err := disclosure.Reveal(all, name)
		if err != nil {
			t.Fatal(err)
		}
		parts, err := disclosure.Verify("xn", digests, shown)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]disclosure.Part{{Name: name, Value: want}}, parts); d != "" {
			t.Error(d)
		}
		f := &disclosure.File{Issuer: "xn", Digests: digests, Disclosures: shown}
		b, err := f.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		again, err := disclosure.ParseFile(b)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(f, again); d != "" {
			t.Error(d)
		}
		for other := range map[string]bool{"victim": true, "source": true} {
			if other != name && bytes.Contains(b, []byte(other)) {
				t.Errorf("what shows the %s speaks of the %s", name, other)
			}
		}
	}
	if parts, err := disclosure.Verify("xn", digests, nil); err != nil || len(parts) != 0 {
		t.Errorf("nothing shown: %v, %v", parts, err)
	}
	if again, _ := report(t); slices.Equal(again, digests) {
		t.Error("the same parts have the same digests: they could be guessed")
	}
}

func TestWhatIsNotTaken(t *testing.T) {
	digests, all := report(t)
	changed := bytes.Replace(all[1], []byte("hospital"), []byte("barracks"), 1)
	if _, err := disclosure.Verify("xn", digests, [][]byte{changed}); !errors.Is(err, disclosure.ErrUnknown) {
		t.Errorf("a part that was changed: %v", err)
	}
	if _, err := disclosure.Verify("xs", digests, all); !errors.Is(err, disclosure.ErrUnknown) {
		t.Errorf("digests that another party copied: %v", err)
	}
	if _, err := disclosure.Verify("xn", digests, [][]byte{all[0], all[0]}); !errors.Is(err, disclosure.ErrTwice) {
		t.Errorf("a part twice: %v", err)
	}
	_, more := report(t)
	if _, err := disclosure.Verify("xn", digests, more); !errors.Is(err, disclosure.ErrUnknown) {
		t.Errorf("parts of another report: %v", err)
	}
	for name, d := range map[string][]disclosure.Digest{
		"none": nil, "out of order": {digests[1], digests[0]}, "twice": {digests[0], digests[0]}, "too many": make([]disclosure.Digest, 65),
	} {
		if _, err := disclosure.Verify("xn", d, nil); !errors.Is(err, disclosure.ErrDigests) {
			t.Errorf("%s: %v", name, err)
		}
	}
	short, _ := canonical.Marshal([]any{make([]byte, 15), "victim", "x"})
	badName, _ := canonical.Marshal([]any{make([]byte, 32), "Victim", "x"})
	four, _ := canonical.Marshal([]any{make([]byte, 32), "victim", "x", "y"})
	for name, b := range map[string][]byte{"short salt": short, "name": badName, "four": four, "cut off": all[0][:20], "empty": nil, "long": make([]byte, disclosure.MaxPart+1)} {
		if _, err := disclosure.Verify("xn", digests, [][]byte{b}); !errors.Is(err, disclosure.ErrPart) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := disclosure.Reveal([][]byte{b}, "victim"); !errors.Is(err, disclosure.ErrPart) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := disclosure.Reveal(all, "victim", "colour"); !errors.Is(err, disclosure.ErrName) {
		t.Errorf("a part that is not there: %v", err)
	}
	for name, parts := range map[string][]disclosure.Part{
		"none": nil, "a name": {{Name: "No", Value: "x"}}, "a float": {{Name: "a", Value: 1.5}}, "nothing": {{Name: "a"}}, "too many": make([]disclosure.Part, 49),
		"too long": {{Name: "a", Value: string(make([]byte, disclosure.MaxPart))}},
	} {
		if _, _, err := disclosure.Make("xn", parts); !errors.Is(err, disclosure.ErrPart) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := disclosure.Make("xn", []disclosure.Part{{Name: "a", Value: "x"}, {Name: "a", Value: "y"}}); !errors.Is(err, disclosure.ErrTwice) {
		t.Errorf("a name twice: %v", err)
	}
}

// An author who has made two disclosures of one name cannot have both taken by one reader.
func TestOneNameWithTwoValues(t *testing.T) {
	a, da, _ := disclosure.Make("xn", []disclosure.Part{{Name: "victim", Value: "one"}})
	b, db, _ := disclosure.Make("xn", []disclosure.Part{{Name: "victim", Value: "two"}})
	both := append(a, b...)
	slices.SortFunc(both, func(x, y disclosure.Digest) int { return bytes.Compare(x[:], y[:]) })
	if _, err := disclosure.Verify("xn", both, [][]byte{da[0], db[0]}); !errors.Is(err, disclosure.ErrTwice) {
		t.Error(err)
	}
}

func FuzzParseFile(f *testing.F) {
	digests, all := report(f)
	b, err := (&disclosure.File{Issuer: "xn", Digests: digests, Disclosures: all}).Bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := disclosure.ParseFile(b)
		if err != nil {
			return
		}
		if _, err := file.Parts(); err != nil {
			return
		}
		if again, err := file.Bytes(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("a file has two spellings: %v", err)
		}
	})
}
