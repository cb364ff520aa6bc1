package match_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"detente/match"
	"detente/observable"

	"github.com/google/go-cmp/cmp"
)

const north = `
[[asset]]
name = "Grid operator North"
post = "cert"
networks = ["192.0.2.0/24", "2001:db8:40::/44", "203.0.113.9"]
names = ["grid.example", "Bücher.example"]
numbers = ["AS64500", "AS64510-AS64519"]

[[asset]]
name = "Hospital"
networks = ["192.0.2.128/25"]
names = ["clinic.grid.example"]
numbers = ["AS64500-AS64600"]
`

func parse(t testing.TB, text string) *match.Table {
	t.Helper()
	table, err := match.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestWhatConcernsUs(t *testing.T) {
	table := parse(t, north)
	for given, want := range map[string][]string{
		"192.0.2.1":                  {"Grid operator North within 192.0.2.0/24"},
		"192.0.2.200":                {"Hospital within 192.0.2.128/25", "Grid operator North within 192.0.2.0/24"},
		"203.0.113.9":                {"Grid operator North is 203.0.113.9/32"},
		"203.0.113.8":                nil,
		"192.0.2.0/24":               {"Grid operator North is 192.0.2.0/24", "Hospital contains 192.0.2.128/25"},
		"192.0.0.0/16":               {"Grid operator North contains 192.0.2.0/24", "Hospital contains 192.0.2.128/25"},
		"2001:db8:4f::7":             {"Grid operator North within 2001:db8:40::/44"},
		"grid.example":               {"Grid operator North is grid.example"},
		"www.clinic.grid.example":    {"Hospital within clinic.grid.example", "Grid operator North within grid.example"},
		"notgrid.example":            nil,
		"https://WWW.bücher.example": {"Grid operator North within xn--bcher-kva.example"},
		"http://192.0.2.1:8080/x":    {"Grid operator North within 192.0.2.0/24"},
		"boss@grid.example":          {"Grid operator North is grid.example"},
		"AS64500":                    {"Grid operator North is AS64500", "Hospital within AS64500-AS64600"},
		"AS64515":                    {"Hospital within AS64500-AS64600", "Grid operator North within AS64510-AS64519"},
		"AS64601":                    nil,
		strings.Repeat("ab", 32):     nil,
	} {
		o, err := observable.Guess(given)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, h := range table.Match(o) {
			got = append(got, fmt.Sprintf("%s %s %s", h.Asset.Name, h.How, h.Own))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", given, d)
		}
	}
	if hits := new(match.Table).Match(observable.Observable{Kind: observable.Domain, Value: "grid.example"}); hits != nil {
		t.Errorf("the table of nobody matches %v", hits)
	}
}

// An indicator that names everything must not cost as much as everything.
func TestAnIndicatorForEverythingIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("[[asset]]\nname = \"all\"\nnetworks = [")
	for i := range 5000 {
		fmt.Fprintf(&b, "\"10.%d.%d.0/24\",", i/256, i%256)
	}
	b.WriteString("]\n")
	if hits := parse(t, b.String()).Match(observable.Observable{Kind: observable.Prefix, Value: "0.0.0.0/0"}); len(hits) != match.MaxHits {
		t.Errorf("%d hits", len(hits))
	}
}

func TestATableIsReadStrictly(t *testing.T) {
	if len(parse(t, match.Example).Assets) != 1 || len(parse(t, "").Assets) != 0 {
		t.Error("the example has one asset, the empty text none")
	}
	for _, c := range []struct{ text, says string }{
		{"[[asset]]\nname=\"a\"\nnetwork=[\"192.0.2.0/24\"]", "no key"},
		{"[[asset]]\nname=\"a\"", "neither"},
		{"[[asset]]\nnames=[\"a.example\"]", "name is"},
		{"[[asset]]\nname=\"a\\u0007\"\nnames=[\"a.example\"]", "name is"},
		{"[[asset]]\nname=\"a\"\nnames=[\"a.example\"]\n[[asset]]\nname=\"a\"\nnames=[\"b.example\"]", "twice"},
		{"[[asset]]\nname=\"a\"\nnames=[\"a.example\",\"A.example.\"]", "twice"},
		{"[[asset]]\nname=\"a\"\nnetworks=[\"192.0.2.1/24\"]", "write 192.0.2.0/24"},
		{"[[asset]]\nname=\"a\"\nnetworks=[\"0.0.0.0/0\"]", "everything"},
		{"[[asset]]\nname=\"a\"\nnumbers=[\"AS5-AS4\"]", "before"},
		{"[[asset]]\nname=\"a\"\npost=\"No!\"\nnumbers=[\"AS5\"]", "post"},
		{"[[asset", ""},
		{strings.Repeat("#", match.MaxText+1), "at most"},
	} {
		if _, err := match.Parse(c.text); !errors.Is(err, match.ErrTable) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.60q: %v", c.text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(north)
	f.Add(match.Example)
	f.Fuzz(func(t *testing.T, text string) {
		table, err := match.Parse(text)
		if err != nil {
			return
		}
		for _, s := range []string{"192.0.2.1", "::/1", "a.grid.example", "AS64500"} {
			if o, err := observable.Guess(s); err == nil {
				table.Match(o)
			}
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	var text strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&text, "[[asset]]\nname=\"a%d\"\nnetworks=[\"10.%d.%d.0/24\"]\nnames=[\"n%d.example\"]\nnumbers=[\"AS%d\"]\n", i, i/256, i%256, i, 64500+i)
	}
	table := parse(b, text.String())
	var all []observable.Observable
	for i := range 10000 {
		for _, s := range []string{fmt.Sprintf("10.%d.%d.1", i/256, i%256), fmt.Sprintf("http://www.n%d.example/x", i), fmt.Sprintf("x%d.example.org", i)} {
			o, err := observable.Guess(s)
			if err != nil {
				b.Fatal(err)
			}
			all = append(all, o)
		}
	}
	for i := 0; b.Loop(); i++ {
		table.Match(all[i%len(all)])
	}
}
