package templates_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"detente/regimes"
	"detente/regimes/instruments/templates"
	"detente/wording"
)

// Every model loads, says in six languages what it is for, and is of a kind that its form knows.
func TestEveryModel(t *testing.T) {
	all, err := templates.All()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string][]string{"negotiation": codes(t, regimes.Instruments(), "negotiation", "kind"), "instrument-opening": codes(t, regimes.Public(), "instrument-opening", "kind")}
	var names []string
	for _, m := range all {
		names = append(names, m.Name())
		for _, lang := range []string{"ar", "en", "es", "fr", "ru", "zh"} {
			if strings.TrimSpace(m.About[lang]) == "" {
				t.Errorf("%s: nothing about it in %s", m.Name(), lang)
			}
		}
		form := "negotiation"
		if m.Rules != nil {
			form = "instrument-opening"
		}
		if !slices.Contains(kinds[form], m.Kind) {
			t.Errorf("%s: %s knows no %q", m.Name(), form, m.Kind)
		}
		if (m.Kind == "exchange-of-notes") != (m.Notes != nil) {
			t.Errorf("%s: notes are for an exchange of notes", m.Name())
		}
		if again, err := templates.Load(m.Name()); err != nil || again.ID != m.ID {
			t.Errorf("%s: %v", m.Name(), err)
		}
	}
	want := []string{"guarantees-declarations/1", "guarantees-forward/1", "guarantees-letters/1", "guarantees-notes/1", "guarantees-statement/1", "incidents-agreement/1", "no-first-strike/1"}
	if !slices.Equal(names, want) {
		t.Errorf("%v", names)
	}
	if _, err := templates.Load("capitulation/1"); !errors.Is(err, templates.ErrUnknown) {
		t.Error(err)
	}
}

// Guarantees cover elections, say how a complaint is made, and accuse nobody.
func TestGuarantees(t *testing.T) {
	all, err := templates.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if !strings.HasPrefix(m.ID, "guarantees-") {
			continue
		}
		text := map[string]string{}
		for _, c := range m.Clauses {
			for lang, s := range c.Texts {
				text[lang] += s + "\n"
			}
		}
		for lang, words := range map[string][]string{"en": {"electoral processes", "counting and publication of votes", "implies no attribution", "special caution", "duty"},
			"ru": {"избирательные процессы", "подсчёт и обнародование", "не означает присвоения ответственности", "особую осмотрительность", "дежурные посты"}} {
			for _, w := range words {
				if !strings.Contains(text[lang], w) {
					t.Errorf("%s in %s does not say %q", m.Name(), lang, w)
				}
			}
		}
	}
}

// The second note has the first in it, byte for byte.
func TestTheSecondNoteQuotesTheFirst(t *testing.T) {
	m, err := templates.Load("guarantees-notes")
	if err != nil {
		t.Fatal(err)
	}
	body := wording.Texts{}
	for _, lang := range m.Languages {
		for _, c := range m.Clauses {
			body[lang] += c.Texts[lang] + "\n"
		}
	}
	first, second, err := m.Write(body)
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range m.Languages {
		if !strings.Contains(first[lang], body[lang]) || !strings.Contains(second[lang], first[lang]) {
			t.Errorf("%s: %s", lang, second[lang])
		}
	}
}

func codes(t *testing.T, regime fs.FS, form, field string) []string {
	t.Helper()
	b, err := fs.ReadFile(regime, "regime.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Forms []struct {
			ID     string
			Fields []struct {
				Name  string
				Codes []string
			}
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	for _, f := range file.Forms {
		for _, x := range f.Fields {
			if f.ID == form && x.Name == field {
				return x.Codes
			}
		}
	}
	t.Fatalf("no %s.%s", form, field)
	return nil
}
