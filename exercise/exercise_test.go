package exercise_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/exercise"
	"detente/form"
	"detente/regimes"
)

var (
	began = time.Date(2027, 2, 1, 9, 0, 0, 0, time.UTC)
	cast  = exercise.Cast{"alpha": "xn", "bravo": "xs"}
)

func shipped(t testing.TB, id string) *exercise.Scenario {
	t.Helper()
	b, ok := exercise.Named(id)
	if !ok {
		t.Fatalf("no scenario %s", id)
	}
	s, err := exercise.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The scenarios that ship can be played: each of their texts is there in six languages, their forms and fields are those of the regime.
func TestTheScenariosThatShip(t *testing.T) {
	ids, err := exercise.Shipped()
	if err != nil || !slices.Equal(ids, []string{"rumour", "wiper"}) {
		t.Fatal(ids, err)
	}
	all, err := form.LoadAll(regimes.All()...)
	if err != nil {
		t.Fatal(err)
	}
	r := all[slices.IndexFunc(all, func(r *form.Regime) bool { return r.ID == "incidents" })]
	for _, id := range ids {
		s := shipped(t, id)
		if err := s.Check(cast); err != nil || s.ID != id {
			t.Error(s.ID, err)
		}
		texts := []map[string]string{s.Title, s.Brief}
		for _, i := range s.Inject {
			if !i.Says() {
				texts = append(texts, i.Brief)
				continue
			}
			f, ok := r.Latest(i.Form)
			if !ok {
				t.Errorf("%s: %s: no form %s", id, i.ID, i.Form)
				continue
			}
			for name := range i.Fields {
				if _, ok := f.Field(name); !ok {
					t.Errorf("%s: %s: %s has no field %s", id, i.ID, i.Form, name)
				}
			}
			for _, field := range f.Fields {
				if field.Kind == form.KindText && i.Fields[field.Name] != "" && !strings.HasPrefix(i.Fields[field.Name], "EXERCISE.") {
					t.Errorf("%s: %s: %s does not begin with EXERCISE", id, i.ID, field.Name)
				}
			}
		}
		for _, e := range s.Expect {
			texts = append(texts, e.What)
			for _, name := range e.Form {
				if _, ok := r.Latest(name); !ok {
					t.Errorf("%s: %s: no form %s", id, e.ID, name)
				}
			}
		}
		for _, text := range texts {
			for _, lang := range []string{"ar", "en", "es", "fr", "ru", "zh"} {
				if text[lang] == "" {
					t.Errorf("%s: %q is not there in %s", id, text["en"], lang)
				}
			}
		}
	}
}

func said(id, from, formID string, minutes int, dossier string) exercise.Said {
	return exercise.Said{ID: id, From: from, Form: formID, At: began.Add(time.Duration(minutes) * time.Minute), Dossier: dossier}
}

// After the exercise each side sees the same: what was answered in time, what late, what not at all.
func TestDebrief(t *testing.T) {
	s := shipped(t, "wiper")
	traffic := []exercise.Said{
		said("0", "xs/nrrc", "acknowledgement", -60, "d"), // of an earlier run
		said("1", "xn/nrrc", "loss-of-control", 5, "d"),
		said("2", "xs/nrrc", "acknowledgement", 9, "d"),
		said("3", "xs/nrrc", "cease-request", 15, "d"),
		said("4", "xn/nrrc", "acknowledgement", 40, "d"),
		said("5", "xn/nrrc", "reply", 41, "other"),
		said("6", "xn/nrrc", "interim", 44, "d"),
	}
	got := map[string]exercise.Finding{}
	for _, f := range s.Debrief(cast, began, traffic) {
		got[f.ID] = f
	}
	if f := got["loss-acknowledged"]; !f.Met || f.Elapsed != 4*time.Minute || f.Answer.ID != "2" || f.Post != "xs/nrrc" {
		t.Errorf("%+v", f)
	}
	if f := got["cease-acknowledged"]; f.Met || f.Answer == nil || f.Elapsed != 25*time.Minute {
		t.Errorf("%+v", f)
	}
	if f := got["cease-checked"]; !f.Met || f.Answer.ID != "6" {
		t.Errorf("%+v", f)
	}
	if f := got["ceased"]; f.Met || f.Answer != nil || f.Moot {
		t.Errorf("an answer in another case counts: %+v", f)
	}
	for _, f := range s.Debrief(cast, began, nil) {
		if !f.Moot {
			t.Errorf("%s is held against a side, and nothing was said that it could answer", f.ID)
		}
	}
	slices.Reverse(traffic)
	for _, f := range s.Debrief(cast, began, traffic) {
		if f.Met != got[f.ID].Met || f.Elapsed != got[f.ID].Elapsed {
			t.Errorf("%s: in another order it is another", f.ID)
		}
	}
}

// Each node brings about its own side's part and no other.
func TestWhoDoesWhat(t *testing.T) {
	s := shipped(t, "rumour")
	var n, south []string
	for _, i := range s.Due(cast, "xn") {
		n = append(n, i.ID)
	}
	for _, i := range s.Due(cast, "xs") {
		south = append(south, i.ID)
	}
	if !slices.Equal(n, []string{"headline"}) || !slices.Equal(south, []string{"caution", "message", "question"}) {
		t.Error(n, south)
	}
	for _, c := range []exercise.Cast{{"alpha": "xn"}, {"alpha": "xn", "bravo": "xn"}, {"alpha": "xn", "bravo": "xs", "gamma": "xm"}, {"alpha": "xn", "charlie": "xs"}} {
		if err := s.Check(c); !errors.Is(err, exercise.ErrScenario) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestSpoiledScenarios(t *testing.T) {
	b, _ := exercise.Named("wiper")
	for name, change := range map[string][2]string{
		"an unknown key":      {`roles =`, `rolls =`},
		"one role":            {`["alpha", "bravo"]`, `["alpha"]`},
		"an id twice":         {`id = "utility"`, `id = "loss"`},
		"out of order":        {`at = "12m"`, `at = "2m"`},
		"no such role":        {`by = "alpha/nrrc"`, `by = "gamma/nrrc"`},
		"about nothing":       {`about = "loss"`, `about = "university"`},
		"no precedence":       {`precedence = "O"`, `precedence = "Q"`},
		"after nothing":       {`after = "cease"`, `after = "ceased"`},
		"years":               {`within = "2h"`, `within = "20000h"`},
		"no English":          {`en = "The request has its result."`, ``},
		"a brief that speaks": {"id = \"press\"", "id = \"press\"\nchannel = \"nrrc\""},
	} {
		text := strings.Replace(string(b), change[0], change[1], 1)
		if text == string(b) {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := exercise.Parse([]byte(text)); !errors.Is(err, exercise.ErrScenario) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, id := range []string{"wiper", "rumour"} {
		b, _ := exercise.Named(id)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := exercise.Parse(b)
		if err != nil {
			if !errors.Is(err, exercise.ErrScenario) {
				t.Fatal(err)
			}
			return
		}
		s.Debrief(exercise.Cast{}, began, []exercise.Said{said("1", "/", "x", 1, "")})
	})
}
