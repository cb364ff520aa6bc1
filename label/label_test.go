package label_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"detente/label"

	"github.com/google/go-cmp/cmp"
)

// The table of who may see what, each label on each path.
func TestWhatEachLabelPermits(t *testing.T) {
	paths := []label.Audience{label.Organisation, label.Clients, label.Community, label.Everybody}
	for tlp, widest := range map[label.TLP]int{label.TLPRed: 0, label.TLPAmberStrict: 1, label.TLPAmber: 2, label.TLPGreen: 3, label.TLPClear: 4, label.Unmarked: 0, "PUCE": 0} {
		for i, a := range paths {
			for _, own := range []bool{true, false} {
				err := label.Leave(label.Parcel{TLP: tlp, Plane: label.Real, Own: own}, label.Path{Audience: a, Plane: label.Real})
				if (err == nil) != (i < widest) || err != nil && !errors.Is(err, label.ErrRefused) {
					t.Errorf("%q to %s: %v", tlp, a.Key(), err)
				}
			}
		}
	}
}

func TestWhoIsNamed(t *testing.T) {
	to := func(who ...string) label.Path {
		return label.Path{Audience: label.Named, Recipients: who, Plane: label.Real}
	}
	for _, c := range []struct {
		name string
		x    label.Parcel
		over label.Path
		want label.Reason
	}{
		{"RED, own, to whom we like", label.Parcel{TLP: label.TLPRed, Own: true}, to("xs/cert"), ""},
		{"RED of another, to a named one", label.Parcel{TLP: label.TLPRed, Named: []string{"xn/cert"}}, to("xn/cert"), ""},
		{"RED of another, to one more", label.Parcel{TLP: label.TLPRed, Named: []string{"xn/cert"}}, to("xn/cert", "xn/nrrc"), label.ReasonRecipients},
		{"AMBER+STRICT of another, to a third party", label.Parcel{TLP: label.TLPAmberStrict}, to("xo/cert"), label.ReasonRecipients},
		{"GREEN of another, to a peer", label.Parcel{TLP: label.TLPGreen}, to("xo/cert"), ""},
		{"RED, to nobody", label.Parcel{TLP: label.TLPRed, Own: true}, to(), label.ReasonRecipients},
		{"unmarked, own", label.Parcel{Own: true}, to("xs/cert"), label.ReasonUnmarked},
		{"an unknown label", label.Parcel{TLP: "UNCLEAR", Own: true}, to("xs/cert"), label.ReasonUnknown},
		{"an exercise among what is real", label.Parcel{TLP: label.TLPClear, Own: true, Plane: label.Exercise}, to("xs/cert"), label.ReasonPlane},
		{"made wider on the way", label.Parcel{TLP: label.TLPGreen, Source: label.TLPAmber}, to("xs/cert"), label.ReasonWidened},
		{"the label taken off", label.Parcel{Source: label.TLPAmber}, to("xs/cert"), label.ReasonWidened},
		{"made narrower on the way", label.Parcel{TLP: label.TLPGreen, Source: label.TLPClear}, to("xs/cert"), ""},
	} {
		if c.x.Plane == "" {
			c.x.Plane = label.Real
		}
		err := label.Leave(c.x, c.over)
		refusal, _ := errors.AsType[*label.Refusal](err)
		if (err == nil) != (c.want == "") || err != nil && refusal.Reason != c.want {
			t.Errorf("%s: %v, should be %q", c.name, err, c.want)
		}
	}
}

// Of two labels the narrower counts, whichever comes first, and a label is its own equal only.
func TestOrderOfLabels(t *testing.T) {
	all := label.TLPs()
	for i, a := range all {
		for j, b := range all {
			if got := a.Narrower(b); got != all[min(i, j)] {
				t.Errorf("%s and %s: %s", a, b, got)
			}
			if a.Widens(b) != (j > i) {
				t.Errorf("%s to %s widens: %v", a, b, a.Widens(b))
			}
		}
		if back, ok := label.TLPOfMarking(a.MarkingID()); !ok || back != a || label.Unmarked.Narrower(a) != a || a.Narrower(label.Unmarked) != a || !a.Widens(label.Unmarked) {
			t.Error(a)
		}
		if p, ok := label.ParseTLP(a.String()); !ok || p != a {
			t.Error(a, p)
		}
	}
	for i, a := range label.PAPs() {
		for j, b := range label.PAPs() {
			if a.Narrower(b) != label.PAPs()[min(i, j)] || a.Widens(b) != (j > i) {
				t.Error(a, b)
			}
		}
		for _, action := range []label.Action{label.Passive, label.Lookup, label.Active, label.Publish} {
			if a.Permits(action) != (int(action) <= i) {
				t.Error(a, action)
			}
		}
		if back, ok := label.PAPOfMarking(a.MarkingID()); !ok || back != a {
			t.Error(a)
		}
	}
	if label.PAP("PUCE").Permits(label.Lookup) || !label.PAP("").Permits(label.Active) {
		t.Error("an unknown label permits what somebody can notice, or none forbids")
	}
}

func TestLabelsAsPeopleWriteThem(t *testing.T) {
	for s, want := range map[string]label.TLP{
		"tlp:white": label.TLPClear, "TLP:AMBER+STRICT": label.TLPAmberStrict, " tlp:amber-strict ": label.TLPAmberStrict, "Green": label.TLPGreen, "red": label.TLPRed,
	} {
		if got, ok := label.ParseTLP(s); !ok || got != want {
			t.Errorf("%q is %q", s, got)
		}
	}
	for _, s := range []string{"", "TLP:", "UNCLEAR", "ex:chr", "AMBER STRICTLY"} {
		if got, ok := label.ParseTLP(s); ok {
			t.Errorf("%q is taken as %q", s, got)
		}
	}
	if p, ok := label.ParsePAP("pap:white"); !ok || p != label.PAPClear {
		t.Error(p)
	}
	// The ids of TLP 1.0 that stand in feeds of many years.
	if got, ok := label.TLPOfMarking("marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"); !ok || got != label.TLPClear {
		t.Error(got)
	}
}

// The table of classes is that of the taxonomy's own file.
func TestClassesOfRSIT(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "rsit", "machinev1"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Version int
		Values  []struct {
			Predicate string
			Entry     []struct{ Value string }
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	var want []label.Class
	for _, v := range file.Values {
		c := label.Class{Name: v.Predicate}
		for _, e := range v.Entry {
			c.Types = append(c.Types, e.Value)
		}
		want = append(want, c)
	}
	if diff := cmp.Diff(want, label.Classes()); diff != "" || file.Version != label.RSITVersion {
		t.Error(file.Version, diff)
	}
	for _, c := range want {
		for _, kind := range c.Types {
			k := label.Classification{Class: c.Name, Type: kind}
			for _, s := range []string{k.String(), k.Tag(), c.Name + ":" + kind} {
				if got, ok := label.ParseClassification(s); !ok || got != k {
					t.Errorf("%s is read as %v", s, got)
				}
			}
			if got, ok := label.OfType(kind); !ok || got != k {
				t.Errorf("type %s is of %v", kind, got)
			}
		}
	}
	for _, s := range []string{"", "fraud.", "fraud.ddos", "phishing", ".", "rsit:"} {
		if got, ok := label.ParseClassification(s); ok {
			t.Errorf("%q is %v", s, got)
		}
	}
}

func TestAdmiraltyCode(t *testing.T) {
	for s, want := range map[string]string{"B2": "B2", "b-2": "B2", "f6": "F6", "A": "A", "3": "3", "C / 4": "C4"} {
		if a, ok := label.ParseAdmiralty(s); !ok || a.String() != want || !a.Valid() {
			t.Errorf("%q is %v", s, a)
		}
	}
	for _, s := range []string{"", "G1", "B7", "2B", "BB", "B22", "-"} {
		if a, ok := label.ParseAdmiralty(s); ok {
			t.Errorf("%q is taken as %v", s, a)
		}
	}
}

// Every key that the package gives has its words; that the six languages have the same is tested for all phrases together.
func TestWordsForEverything(t *testing.T) {
	b, err := fs.ReadFile(label.Phrases(), "phrases/en.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Phrases map[string]string }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	need := func(key string) {
		want[key] = true
		if file.Phrases[key] == "" {
			t.Errorf("no words for %s", key)
		}
	}
	for _, tlp := range append(label.TLPs(), label.Unmarked) {
		need(tlp.Key())
	}
	for _, p := range label.PAPs() {
		need(p.Key())
	}
	for a := label.Nobody; a <= label.Everybody; a++ {
		need(a.Key())
	}
	for _, p := range []label.Plane{label.Real, label.Exercise, label.Test} {
		need(p.Key())
	}
	for _, r := range []label.Reason{label.ReasonUnmarked, label.ReasonAudience, label.ReasonRecipients, label.ReasonWidened, label.ReasonPlane, label.ReasonUnknown} {
		need((&label.Refusal{Reason: r}).Key())
	}
	for _, s := range []string{"A1", "B2", "C3", "D4", "E5", "F6"} {
		a, _ := label.ParseAdmiralty(s)
		source, information := a.Keys()
		need(source)
		need(information)
	}
	for _, c := range label.Classes() {
		need(label.Classification{Class: c.Name}.Key())
		for _, kind := range c.Types {
			need(label.Classification{Class: c.Name, Type: kind}.Key())
		}
	}
	for key := range file.Phrases {
		if !want[key] {
			t.Errorf("nothing gives the key %s", key)
		}
	}
}
