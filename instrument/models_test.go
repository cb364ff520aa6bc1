package instrument_test

import (
	"strings"
	"testing"

	"detente/form"
	"detente/instrument"
	"detente/regimes/instruments/templates"
	"detente/traffic"
	"detente/wording"
)

func anyTexts(t wording.Texts) map[string]any {
	m := map[string]any{}
	for lang, text := range t {
		m[lang] = text
	}
	return m
}

// Every model that ships can be tabled, accepted as it is, and gives each party its originals, in which no token is left.
func TestEveryModelBecomesAnInstrument(t *testing.T) {
	all, err := templates.All()
	if err != nil {
		t.Fatal(err)
	}
	parties := []instrument.Named{
		{Party: "xn", Names: map[string]string{"en": "Northland", "ru": "Северия"}, Languages: []string{"en"}},
		{Party: "xs", Names: map[string]string{"en": "Southland", "ru": "Южния"}, Languages: []string{"ru"}},
	}
	for _, m := range all {
		t.Run(m.ID, func(t *testing.T) {
			w := begin(t, m.Kind, m.Nature, strings.Join(m.Languages, " "), "xn", "xs")
			for _, c := range m.Clauses {
				if c.Texts != nil {
					w.says("xn", "position", form.Values{"provision": c.ID, "texts": anyTexts(c.Texts)})
					w.says("xs", "acceptance", accepts(c.ID, anyTexts(c.Texts)))
				}
			}
			w.order(m.Order(), "xn", "xs")
			n := w.fold()
			for _, e := range n.Entries {
				if e.Why != "" {
					t.Errorf("%s: %s", e.Form, e.Why)
				}
			}
			text, err := n.Clean()
			if err != nil {
				t.Fatal(err)
			}
			for _, lang := range m.Languages {
				first := text.Render(lang, parties, "xn")
				for _, p := range []traffic.Party{"xn", "xs"} {
					o := text.Render(lang, parties, p)
					if s := o.String(); strings.ContainsAny(s, "{}") {
						t.Errorf("%s of %s: a token is left in\n%s", lang, p, s)
					}
					if p == "xs" && len(o.Signatures) == 2 && o.Digest() == first.Digest() {
						t.Errorf("%s: both originals are the same", lang)
					}
				}
			}
		})
	}
}
