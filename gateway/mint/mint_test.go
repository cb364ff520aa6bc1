package mint_test

import (
	"testing"
	"time"

	"detente/gateway/mint"
	"detente/label"
	"detente/stix"

	"github.com/google/go-cmp/cmp"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The ids of observables are those of the standard, so that two tools that see one address mean one object.
func TestObservable(t *testing.T) {
	o, err := mint.Observable("ipv4-addr", mint.Fields{"value": "198.51.100.3"}, "value")
	must(t, err)
	if o.ID != "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4" {
		t.Error(o.ID)
	}
	if _, err := mint.Observable("ipv4-addr", mint.Fields{"value": ""}, "value"); err == nil {
		t.Error("an observable that says nothing was made")
	}
}

func TestObject(t *testing.T) {
	v, err := stix.NewValidator()
	must(t, err)
	at := time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)
	uuid := mint.UUID("a", "bc")
	if uuid == mint.UUID("ab", "c") || uuid != mint.UUID("a", "bc") || !mint.IsUUID(uuid) {
		t.Error("a UUID is not that of its parts")
	}
	o, err := mint.Object("indicator", uuid, at, at.Add(-time.Hour), mint.Fields{
		"pattern": mint.Pattern(mint.Comparison{Path: "domain-name:value", Value: `a'b\c.example`}), "pattern_type": "stix", "valid_from": at, "name": "", "labels": []string(nil),
		"object_marking_refs": mint.Markings(label.TLPAmber, label.PAPRed),
	})
	must(t, err)
	must(t, v.Validate(o))
	tlp, pap, unknown := mint.Labels(o, nil)
	if tlp != label.TLPAmber || pap != label.PAPRed || unknown || o.Modified != at {
		t.Errorf("%s %s %v %s", tlp, pap, unknown, o.Modified)
	}
}

func TestPatterns(t *testing.T) {
	for _, want := range [][]mint.Comparison{
		{{Path: "domain-name:value", Value: `a'b\c.example`}},
		{{Path: "file:hashes.'SHA-256'", Value: "ab"}, {Path: "file:name", Value: "x AND y = ']'"}},
		{{Path: "network-traffic:dst_port", Value: "443"}, {Path: "network-traffic:dst_ref.value", Value: "198.51.100.3"}, {Path: "network-traffic:protocols[0]", Value: "tcp"}, {Path: "email-message:to_refs[*].value", Value: "a@b"}},
	} {
		got, ok := mint.Comparisons(mint.Pattern(want...))
		if d := cmp.Diff(want, got); d != "" || !ok {
			t.Error(d)
		}
		if err := stix.CheckPattern(mint.Pattern(want...)); err != nil {
			t.Error(err)
		}
	}
	if got, ok := mint.Comparisons("[ file:hashes.\"SHA-256\"='ab' ]"); !ok || got[0].Path != "file:hashes.'SHA-256'" {
		t.Error(got)
	}
	for _, p := range []string{"", "[]", "[a:b = 'c'", "[a:b != 'c']", "[a:b = 'c' OR a:b = 'd']", "[a:b = 'c'] AND [a:b = 'd']", "[a:b = 'c\\]", "[a:b IN ('c')]", "[a:b = 1.5]", "[a:b = 'c' ANDa:b = 'd']", "[a:b = ]"} {
		if got, ok := mint.Comparisons(p); ok {
			t.Errorf("%s is read as %v", p, got)
		}
	}
}

func FuzzComparisons(f *testing.F) {
	f.Add("[a:b = 'c' AND d:'e f' = 5]")
	f.Fuzz(func(t *testing.T, p string) {
		all, ok := mint.Comparisons(p)
		if !ok {
			return
		}
		again, ok := mint.Comparisons(mint.Pattern(all...))
		if d := cmp.Diff(all, again); !ok || d != "" {
			t.Fatal(d)
		}
	})
}
