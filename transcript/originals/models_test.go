package originals_test

import (
	"bytes"
	"os"
	"testing"

	"detente/instrument"
	"detente/instrument/akn"
	"detente/instrument/docx"
	"detente/regimes/instruments/templates"
)

// Every model that ships is printed, and goes out and comes back through both formats unchanged.
func TestEveryModelIsPrinted(t *testing.T) {
	f := fonts(t)
	all, err := templates.All()
	if err != nil {
		t.Fatal(err)
	}
	_, named := agreement()
	for _, m := range all {
		text := instrument.Text{Title: m.Title, Languages: m.Languages, Prevailing: m.Prevailing}
		for _, c := range m.Clauses {
			text.Clauses = append(text.Clauses, instrument.Clause{ID: c.ID, Kind: instrument.Kind(c.Kind), Texts: c.Texts})
		}
		text.Renumber()
		file := printed(t, f, rendered(text, named, "xs", m.Languages[:min(2, len(m.Languages))]...))
		if to := os.Getenv("DETENTE_PAGES"); to != "" { // to look at
			if err := os.WriteFile(to+m.ID+".pdf", file, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var b bytes.Buffer
		if err := docx.Write(&b, docx.Of(text)); err != nil {
			t.Fatal(err)
		}
		d, err := docx.Read(bytes.NewReader(b.Bytes()), int64(b.Len()), text)
		if err != nil {
			t.Fatal(err)
		}
		if changes, missing, err := d.Changes(text); err != nil || len(changes)+len(missing) > 0 {
			t.Errorf("%s as docx: %+v %v %v", m.ID, changes, missing, err)
		}
		var read []*akn.Expression
		for _, lang := range m.Languages {
			b.Reset()
			if err := akn.Write(&b, &akn.Document{Text: text}, lang); err != nil {
				t.Fatal(err)
			}
			e, err := akn.Read(&b)
			if err != nil {
				t.Fatal(err)
			}
			read = append(read, e)
		}
		if again, err := akn.Join(read...); err != nil || again.Digest() != text.Digest() {
			t.Errorf("%s as Akoma Ntoso is another text: %v", m.ID, err)
		}
	}
}
