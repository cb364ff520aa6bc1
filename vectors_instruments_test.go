package detente_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"detente/instrument"
	"detente/traffic"
	"detente/wording"

	"github.com/google/go-cmp/cmp"
)

type instrumentVector struct {
	Vector
	Texts      map[string]string `json:"texts,omitempty"`      // a wording
	Order      string            `json:"order,omitempty"`      // of clauses
	Salt       Hex               `json:"salt,omitempty"`       // of a commitment to texts
	Text       *instrumentText   `json:"text,omitempty"`       // a whole text
	Lang       string            `json:"lang,omitempty"`       // of an original of text
	Parties    []traffic.Party   `json:"parties,omitempty"`    // in the order of the opening
	Original   traffic.Party     `json:"original,omitempty"`   // whose it is
	Title      string            `json:"title,omitempty"`      // as it is printed
	Blocks     [][3]string       `json:"blocks,omitempty"`     // kind, label, text
	Signatures [][2]string       `json:"signatures,omitempty"` // party, what stands above
	Digest     Hex               `json:"digest,omitempty"`
}

type instrumentText struct {
	Title      wording.Texts      `json:"title"`
	Languages  []string           `json:"languages"`
	Prevailing string             `json:"prevailing,omitempty"`
	Clauses    []instrumentClause `json:"clauses"`
	Names      wording.Texts      `json:"names,omitempty"`
}

type instrumentClause struct {
	Kind  instrument.Kind `json:"kind"`
	ID    string          `json:"id"`
	Texts wording.Texts   `json:"texts,omitempty"`
}

func (x *instrumentText) text() *instrument.Text {
	t := &instrument.Text{Title: x.Title, Languages: x.Languages, Prevailing: x.Prevailing, Names: x.Names}
	for _, c := range x.Clauses {
		t.Clauses = append(t.Clauses, instrument.Clause{ID: c.ID, Kind: c.Kind, Texts: c.Texts})
	}
	t.Renumber()
	return t
}

func TestVectorsInstruments(t *testing.T) {
	runVectors(t, "instruments.json", generateInstruments, func(t testing.TB, v instrumentVector) error {
		var d [32]byte
		var err error
		switch {
		case v.Original != "":
			o := original(v)
			if diff := cmp.Diff([]any{v.Title, v.Blocks, v.Signatures}, []any{o.Title, blocksOf(o), signaturesOf(o)}); diff != "" {
				t.Error(diff)
			}
			d = o.Digest()
		case v.Text != nil:
			d = v.Text.text().Digest()
		case v.Order != "":
			if d, err = instrument.OrderDigest(v.Order); err != nil {
				return as("order", err, instrument.ErrOrder)
			}
		default:
			texts := wording.Texts(v.Texts)
			if err := texts.Check(); err != nil {
				return as("wording", err, wording.ErrText, wording.ErrLanguage, wording.ErrLimit)
			}
			if d = texts.Digest(); v.Salt != nil {
				d = instrument.CommitmentDigest(v.Salt, d)
			}
		}
		if hex.EncodeToString(d[:]) != hex.EncodeToString(v.Digest) {
			t.Errorf("digest %x", d)
		}
		return nil
	})
}

func original(v instrumentVector) instrument.Original {
	text := v.Text.text()
	named, _ := text.Named(v.Parties)
	return text.Render(v.Lang, named, v.Original)
}

func blocksOf(o instrument.Original) (out [][3]string) {
	for _, b := range o.Blocks {
		out = append(out, [3]string{string(b.Kind), b.Label, b.Text})
	}
	return out
}

func signaturesOf(o instrument.Original) (out [][2]string) {
	for _, s := range o.Signatures {
		out = append(out, [2]string{string(s.Party), s.For})
	}
	return out
}

func generateInstruments(testing.TB) []instrumentVector {
	var list []instrumentVector
	add := func(refuse, name, doc string, v instrumentVector) {
		v.Vector = Vector{name, doc, refuse}
		var d [32]byte
		switch {
		case refuse != "":
			list = append(list, v)
			return
		case v.Original != "":
			o := original(v)
			v.Title, v.Blocks, v.Signatures, d = o.Title, blocksOf(o), signaturesOf(o), o.Digest()
		case v.Text != nil:
			d = v.Text.text().Digest()
		case v.Order != "":
			d, _ = instrument.OrderDigest(v.Order)
		default:
			if d = wording.Texts(v.Texts).Digest(); v.Salt != nil {
				d = instrument.CommitmentDigest(v.Salt, d)
			}
		}
		v.Digest = d[:]
		list = append(list, v)
	}
	texts := func(pairs ...string) wording.Texts {
		m := wording.Texts{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	two := texts("en", "Each Party shall notify the other.", "ru", "Каждая Сторона уведомляет другую.")
	add("", "wording", "A wording in two languages.", instrumentVector{Texts: two})
	add("", "wording-of-lines", "Keys of different length, and several lines.", instrumentVector{Texts: texts("zh-Hant", "第一條\n第二條", "ar", "نص", "fr", "L’État")})
	add("wording", "wording-decomposed", "An accent apart from its letter.", instrumentVector{Texts: texts("fr", "E\u0301tat")})
	add("wording", "wording-tag", "A language in capitals.", instrumentVector{Texts: texts("EN", "Text")})
	add("wording", "wording-turned", "A mark that turns the direction of writing.", instrumentVector{Texts: texts("en", "a\u202eb")})
	add("wording", "wording-blank", "A text of spaces.", instrumentVector{Texts: texts("en", " \n ")})
	add("", "commitment", "What a party commits itself to that wording by.", instrumentVector{Texts: two, Salt: []byte("sixteen bytes...")})
	add("", "order", "An order of clauses.", instrumentVector{Order: "article a7\nparagraph k2\nparagraph k3"})
	add("", "order-spaced", "The same, with spaces and blank lines that count for nothing.", instrumentVector{Order: " article  a7\n\nparagraph k2 \nparagraph k3\n"})
	add("order", "order-twice", "A provision stands twice.", instrumentVector{Order: "article a7\nparagraph a7"})
	add("order", "order-kind", "There is no such kind.", instrumentVector{Order: "verse a7"})
	add("order", "order-reserved", "The structure is no clause.", instrumentVector{Order: "article structure"})

	whole := &instrumentText{
		Title:     texts("ar", "اتفاق بين {parties}", "en", "Agreement between {parties}", "es", "Acuerdo entre {parties}", "fr", "Accord entre {parties}", "ru", "Соглашение между {parties:ins}", "zh", "{parties}协定"),
		Languages: []string{"ar", "en", "es", "fr", "ru", "zh"}, Prevailing: "en",
		Names: texts("ar", "xn الشمالية\nxs الجنوبية\nxt الشرقية", "en", "xn Northland\nxn:for the Government of Northland\nxs Southland\nxt Eastland", "es", "xn Nortelandia\nxs Sur\nxt Isla del Este",
			"fr", "xn le Nordland\nxs le Sudland\nxt l’Estland", "ru", "xn Северная Страна\nxn:ins Северной Страной\nxn:for Северную Страну\nxs Южная Страна\nxs:ins Южной Страной\nxt Восточная Страна\nxt:ins Восточной Страной",
			"zh", "xn 北国\nxs 南国\nxt 东国"),
	}
	same := func(s string) wording.Texts { return texts("ar", s, "en", s, "es", s, "fr", s, "ru", s, "zh", s) }
	for _, line := range strings.Split("preamble p|chapter c1|article a1|paragraph a1.1|article a2|paragraph a2.1|point a2.1.a|subpoint a2.1.a.i|subpoint a2.1.a.ii|subpoint a2.1.a.iii|"+
		"subpoint a2.1.a.iv|point a2.1.b|point a2.1.c|point a2.1.d|point a2.1.e|point a2.1.f|point a2.1.g|passage a2.1.end|paragraph a2.2|chapter c2|article a3|paragraph a3.1|article a4|article a5|article a6|"+
		"article a7|article a8|article a9|article a10|article a11|annex n1|article n1.1|paragraph n1.1.1|paragraph n1.1.2|annex n2|closing end", "|") {
		kind, id, _ := strings.Cut(line, " ")
		c := instrumentClause{Kind: instrument.Kind(kind), ID: id}
		switch id {
		case "p":
			c.Texts = same("{parties}")
		case "a1":
			c.Texts = texts("ar", "التعاريف", "en", "Definitions", "es", "Definiciones", "fr", "Définitions", "ru", "Определения", "zh", "定义")
		case "a2.1.a":
			c.Texts = same("{party:1}, {party:2}, {party:3}, {party:4}, {party:0}, {side:1}, {side:3}, {party:1:gen}, {other}, {parties")
		default:
			if !c.Kind.Heads() {
				c.Texts = same(id)
			}
		}
		whole.Clauses = append(whole.Clauses, c)
	}
	add("", "text", "A text in six languages. Its numbers are no part of the digest.", instrumentVector{Text: whole})
	parties := []traffic.Party{"xn", "xs", "xt"}
	for _, lang := range whole.Languages {
		add("", "original-"+lang, "That text as the second of three parties keeps it in this language.", instrumentVector{Text: whole, Lang: lang, Parties: parties, Original: "xs"})
	}
	add("", "original-of-nobody", "A perspective that is no party leaves the order of the opening.", instrumentVector{Text: whole, Lang: "en", Parties: parties, Original: "xz"})
	one := *whole
	one.Names, one.Prevailing = nil, ""
	one.Clauses = []instrumentClause{{"annex", "n", nil}, {"paragraph", "q", same("{parties}")}}
	add("", "original-without-names", "Where no names are agreed, parties are called by their ids. A sole annex, and a sole paragraph, have no number.",
		instrumentVector{Text: &one, Lang: "en", Parties: parties[:2], Original: "xn"})
	return list
}
