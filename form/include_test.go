package form_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/text/language"

	"detente/form"
	"detente/regimes"
	"detente/traffic"
)

// above is a regime over the test regime: it has a form of its own, one that takes the place of an included one, a limit and a table.
func above() fstest.MapFS {
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	return fstest.MapFS{
		"regime.json": text(`{
  "id": "above", "version": 1, "includes": ["trial/3"], "tables": ["tides"], "languages": ["ar", "en"],
  "time_limits": {"tide": {"R": "12h"}},
  "forms": [
    {"id": "tide", "version": 1, "ceiling": "O", "refs": "none", "must_answer": "tide", "answers_with": ["report"],
     "fields": [{"name": "height", "kind": "count", "max": 9}]},
    {"id": "report", "version": 8, "ceiling": "O", "refs": "any", "fields": [{"name": "level", "kind": "count", "max": 9}]}
  ]
}`),
		"tides.json":      text(`{"high": 2}`),
		"phrases/ar.json": text(`{"language": "ar", "direction": "rtl", "phrases": {"tide": "مدّ", "tide.height": "الارتفاع", "tides.high": "مدّ عال", "report": "بلاغ", "report.level": "المستوى"}}`),
		"phrases/en.json": text(`{"language": "en", "direction": "ltr", "phrases": {"tide": "TIDE", "tide.height": "Height", "tides.high": "high tide", "report": "REPORT", "report.level": "Level"}}`),
	}
}

func TestRegimeThatIncludesAnother(t *testing.T) {
	under := folder(t)
	r, err := form.Load(above(), regimes.Communications(), under)
	if err != nil {
		t.Fatal(err)
	}
	below, err := form.Load(under)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.Includes, []string{"trial/3"}) || r.Forms()[0].ID != "tide" || len(r.Forms()) != 1+len(below.Forms()) {
		t.Errorf("includes %v, %d forms", r.Includes, len(r.Forms()))
	}
	for _, f := range below.Forms() {
		got, ok := r.Latest(f.ID)
		if want := map[string]int{"report": 8}[f.ID]; !ok || want != 0 && got.Version != want || want == 0 && got.Version != f.Version {
			t.Errorf("%s: %+v", f.ID, got)
		}
	}
	if _, ok := r.Form("report", below.Forms()[0].Version); ok {
		t.Error("the version that was replaced is there still")
	}
	tide, _ := r.Latest("tide")
	if tide.AnswerWithin(traffic.Routine) == 0 || r.Limit("long", traffic.Flash) != below.Limit("long", traffic.Flash) || below.Limit("long", traffic.Flash) == 0 {
		t.Error("a limit was lost")
	}
	if b, ok := r.Table("tides"); !ok || string(b) != `{"high": 2}` {
		t.Errorf("table %q", b)
	}
	if got := r.Phrases.Phrase(language.English, "report.level"); got != "Level" {
		t.Errorf("the form that replaces another says %q", got)
	}
	if got := r.Phrases.Phrase(language.Arabic, "value.yes"); got != below.Phrases.Phrase(language.Arabic, "value.yes") {
		t.Errorf("the frame says %q", got)
	}
	if below.Phrases.Phrase(language.English, "tide") != "tide" {
		t.Error("the included regime itself has changed")
	}

	h := sha256.New()
	m := above()
	for _, name := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(h, "%s\x00%x\n", name, sha256.Sum256(m[name].Data))
	}
	fmt.Fprintf(h, "trial/3\x00%x\n", below.Hash)
	if r.Hash != [32]byte(h.Sum(nil)) {
		t.Errorf("hash %x", r.Hash)
	}
	under["phrases/en.json"].Data = append(under["phrases/en.json"].Data, '\n')
	if again, err := form.Load(above(), under); err != nil || again.Hash == r.Hash {
		t.Errorf("a line more in what it includes has the same hash, %v", err)
	}
}

func TestSpoiledInclusions(t *testing.T) {
	for name, c := range map[string]struct{ file, old, new string }{
		"not at hand":                {"regime.json", `trial/3`, `trial/4`},
		"no name":                    {"regime.json", `trial/3`, `trial`},
		"itself":                     {"regime.json", `trial/3`, `above/1`},
		"twice":                      {"regime.json", `["trial/3"]`, `["trial/3", "trial/3"]`},
		"very many":                  {"regime.json", `["trial/3"]`, `["trial/3"` + strings.Repeat(`, "a/1"`, 8) + `]`},
		"form twice":                 {"regime.json", `"report", "version": 8`, `"report", "version": 1`},
		"null for a form":            {"regime.json", `"forms": [`, `"forms": [null, `},
		"limit twice":                {"regime.json", `"time_limits": {"tide"`, `"time_limits": {"long": {"R": "1h"}, "tide"`},
		"form named as a table":      {"regime.json", `"id": "tide"`, `"id": "tides"`},
		"word in one language":       {"phrases/en.json", `"tides.high": "high tide",`, ``},
		"word of no table":           {"phrases/en.json", `"tides.high"`, `"winds.high"`},
		"frame of its own":           {"phrases/en.json", `"tide": "TIDE"`, `"tide": "TIDE", "value.yes": "aye"`},
		"phrase of the replaced":     {"phrases/en.json", `"report.level": "Level"`, `"report.level": "Level", "report.over": "over"`},
		"one language less":          {"regime.json", `["ar", "en"]`, `["ar"]`},
		"table that is not there":    {"regime.json", `["tides"]`, `["tides", "winds"]`},
		"table twice":                {"regime.json", `["tides"]`, `["tides", "tides"]`},
		"table that is not named":    {"regime.json", `["tides"]`, `[]`},
		"table that is no JSON":      {"tides.json", `{`, `{{`},
		"regime for a table":         {"regime.json", `["tides"]`, `["tides", "regime"]`},
		"table outside the folder":   {"regime.json", `["tides"]`, `["tides", "../tides"]`},
		"answer by what is nowhere":  {"regime.json", `"answers_with": ["report"]`, `"answers_with": ["storm"]`},
		"limit that is in neither":   {"regime.json", `"must_answer": "tide"`, `"must_answer": "ebb"`},
		"form named as the included": {"regime.json", `"id": "tide"`, `"id": "report"`},
	} {
		m := above()
		spoiled := strings.Replace(string(m[c.file].Data), c.old, c.new, 1)
		if spoiled == string(m[c.file].Data) {
			t.Errorf("%s: nothing was spoiled", name)
		}
		m[c.file].Data = []byte(spoiled)
		if _, err := form.Load(m, folder(t), m); !errors.Is(err, form.ErrRegime) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// One level only, so that there is no circle and a reader finds what counts.
	top := above()
	top["regime.json"].Data = []byte(strings.NewReplacer(`"above"`, `"top"`, `"trial/3"`, `"above/1"`).Replace(string(top["regime.json"].Data)))
	if _, err := form.Load(top, above(), folder(t)); !errors.Is(err, form.ErrRegime) {
		t.Errorf("an inclusion of an inclusion: %v", err)
	}
	// Two that are included must not share a form either.
	twin := folder(t)
	twin["regime.json"].Data = []byte(strings.Replace(string(twin["regime.json"].Data), `"id": "trial"`, `"id": "twin"`, 1))
	both := above()
	both["regime.json"].Data = []byte(strings.Replace(string(both["regime.json"].Data), `["trial/3"]`, `["trial/3", "twin/3"]`, 1))
	if _, err := form.Load(both, folder(t), twin); !errors.Is(err, form.ErrRegime) {
		t.Errorf("a form in two included regimes: %v", err)
	}
}

func TestRegimesOfTheProgramLoadTogether(t *testing.T) {
	all, err := form.LoadAll(regimes.All()...)
	if err != nil {
		t.Fatal(err)
	}
	folders, err := fs.ReadDir(regimes.FS, ".")
	if err != nil || len(folders) != len(all) {
		t.Errorf("%d regimes in %d folders, %v", len(all), len(folders), err)
	}
}
