// Package treatytest has a whole treaty as a text, in two languages, for the tests of whatever carries texts.
// It must never be imported by anything but tests.
package treatytest

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"detente/instrument"
	"detente/wording"
)

//go:embed testdata/ottawa-en-fr.json
var ottawa []byte

// Treaty is the Convention on anti-personnel mines in English and French: 131 paragraphs in 22 articles.
func Treaty() (instrument.Text, error) {
	var rows []struct {
		N             int
		Label, En, Fr string
	}
	if err := json.Unmarshal(ottawa, &rows); err != nil {
		return instrument.Text{}, fmt.Errorf("treatytest: %w", err)
	}
	t := instrument.Text{
		Title: wording.Texts{
			"en": "Convention on the Prohibition of the Use, Stockpiling, Production and Transfer of Anti-Personnel Mines and on their Destruction",
			"fr": "Convention sur l’interdiction de l’emploi, du stockage, de la production et du transfert des mines antipersonnel et sur leur destruction",
		},
		Languages: []string{"en", "fr"},
	}
	article, paragraph, point := 0, "", ""
	for _, r := range rows {
		label := strings.Trim(r.Label, "()")
		c := instrument.Clause{Number: label, Texts: wording.Texts{"en": r.En, "fr": r.Fr}}
		inParagraph := fmt.Sprintf("art.%d.%s", article, paragraph)
		switch {
		case r.N < 13:
			c.ID, c.Kind = fmt.Sprintf("preamble.%d", r.N+1), instrument.Preamble
		case r.N == 82: // goes on after the points of article 8, 14
			c.ID, c.Kind = inParagraph+".end", instrument.Passage
		case label == "" || label == "1" && r.Label == "1":
			article++
			t.Clauses = append(t.Clauses, instrument.Clause{ID: fmt.Sprintf("art.%d", article), Kind: instrument.Article, Number: fmt.Sprint(article)})
			paragraph = "1"
			c.ID, c.Kind = fmt.Sprintf("art.%d.1", article), instrument.Paragraph
		case r.Label == label:
			paragraph = label
			c.ID, c.Kind = fmt.Sprintf("art.%d.%s", article, label), instrument.Paragraph
		case label == "i" && point == "h" || label != "i" && label != "ii" && label != "iii":
			point = label
			c.ID, c.Kind = inParagraph+"."+label, instrument.Point
		default:
			c.ID, c.Kind = inParagraph+"."+point+"."+label, instrument.Subpoint
		}
		t.Clauses = append(t.Clauses, c)
	}
	return t, nil
}
