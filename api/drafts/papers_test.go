package drafts

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"detente/form"
	"detente/instrument"
	"detente/instrument/akn"
	"detente/instrument/docx"
	"detente/instrument/proposal"
	"detente/statement"
	"detente/traffic"
)

// talks is a negotiation in which both have a wording of one paragraph.
func talks() *instrument.Negotiation {
	var items []instrument.Item
	for i, said := range []struct {
		from traffic.Party
		form string
		v    form.Values
	}{
		{"xn", "negotiation", form.Values{"title": map[string]any{"en": "Agreement", "ru": "Соглашение"}, "kind": "treaty", "nature": "legal", "languages": "en ru", "parties": []any{"xn", "xs"}}},
		{"xn", "position", form.Values{"provision": "structure", "order": "article art.1\nparagraph art.1.1"}},
		{"xn", "position", form.Values{"provision": "art.1.1", "texts": map[string]any{"en": "At once.", "ru": "Сразу."}}},
		{"xs", "position", form.Values{"provision": "art.1.1", "texts": map[string]any{"en": "In a day.", "ru": "За день."}}},
	} {
		item := instrument.Item{
			ID: statement.ID{byte(i + 1)}, Issuer: traffic.Address{Party: said.from, Post: "legal"}, Audience: statement.Everyone, At: time.Unix(1795000000+int64(i), 0), Form: said.form,
			Clock: int64(i + 1), Values: said.v,
		}
		if i > 0 {
			item.Refs = []statement.ID{{1}}
		}
		items = append(items, item)
	}
	return instrument.Fold(items)
}

// What comes back is known by its content, and held against the text as this party stands on it, whatever the format.
func TestADocumentIsHeldAgainstTheOwnText(t *testing.T) {
	n := talks()
	d := docx.Rolling(n, "xn")
	var word bytes.Buffer
	if err := docx.Write(&word, d); err != nil {
		t.Fatal(err)
	}
	base, found, missing, format, err := held(n, "xn", word.Bytes())
	if err != nil || format != "docx" || len(missing) > 0 || len(found) != 2 || found[0].Old != "At once." || found[0].New != "In a day." || found[0].Authors[0] != "XS" {
		t.Errorf("%+v %v %s %v", found, missing, format, err)
	}
	if whole(&base, "art.1.1")["ru"] != "Сразу." || whole(&base, instrument.Title)["en"] != "Agreement" || whole(&base, "art.9") != nil {
		t.Errorf("%+v", base)
	}
	var xml bytes.Buffer
	if err := akn.Write(&xml, &akn.Document{Text: base}, "ru"); err != nil {
		t.Fatal(err)
	}
	changed := append([]byte("\xef\xbb\xbf"), bytes.Replace(xml.Bytes(), []byte("Сразу."), []byte("Тотчас."), 1)...)
	if _, found, missing, format, err = held(n, "xn", changed); err != nil || format != "akn" || len(missing) > 0 || len(found) != 1 || found[0].New != "Тотчас." {
		t.Errorf("%+v %v %s %v", found, missing, format, err)
	}
	for _, bad := range [][]byte{nil, []byte("hello"), []byte("<html/>"), []byte("PK\x03\x04")} {
		if _, _, _, _, err := held(n, "xn", bad); !errors.Is(err, docx.ErrFormat) && !errors.Is(err, akn.ErrFormat) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	strange := docx.Of(base)
	strange.Rows[len(strange.Rows)-1].Provision = "art.9"
	word.Reset()
	if err := docx.Write(&word, strange); err != nil {
		t.Fatal(err)
	}
	if _, _, _, _, err := held(n, "xn", word.Bytes()); !errors.Is(err, proposal.ErrMisfit) {
		t.Error(err)
	}
}
