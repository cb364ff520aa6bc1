package docx

import (
	"slices"
	"strings"

	"detente/instrument"
	"detente/wording"
)

// Proposal is what a document says otherwise than a text, in one language of one provision.
type Proposal struct {
	Provision string
	Lang      string
	Old       string // as the text has it
	New       string
	Authors   []string // of the changes, as the word processor calls them: for the eyes of whoever imports, and never stated
	// Untracked tells that the document without its changes is not the text either: somebody wrote without tracking, or the text has gone on since.
	Untracked bool
}

// Changes are what a document proposes to change in a text, in its order, and the provisions of the text that the document does not have. It refuses
// (a *Refusal) provisions and languages that the text does not have, other numbers, another order: what comes where is a provision of its own.
func (d *Document) Changes(base instrument.Text) (out []Proposal, missing []string, err error) {
	texts := map[string]wording.Texts{instrument.Title: base.Title}
	order := map[string]int{instrument.Title: -1}
	number := map[string]string{}
	for i, c := range base.Clauses {
		texts[c.ID], order[c.ID], number[c.ID] = c.Texts, i, c.Number
	}
	last := -2
	for _, r := range d.Rows {
		old, ok := texts[r.Provision]
		switch {
		case !ok:
			return nil, nil, &Refusal{Place: r.Provision, What: "the text has no such provision"}
		case order[r.Provision] < last:
			return nil, nil, &Refusal{Place: r.Provision, What: "it stands elsewhere in the text: the order of provisions is a provision of its own"}
		case r.Number != number[r.Provision]:
			return nil, nil, &Refusal{Place: r.Provision, What: "its number was changed: the order of provisions is a provision of its own"}
		}
		last = order[r.Provision]
		for lang := range r.Cells {
			if !slices.Contains(base.Languages, lang) {
				return nil, nil, &Refusal{Place: r.Provision, What: "the text is not in the language " + lang}
			}
		}
		for _, lang := range base.Languages {
			c, has := r.Cells[lang]
			if !has {
				if old[lang] != "" {
					missing = append(missing, r.Provision+" "+lang)
				}
				continue
			}
			if wanted := strings.Trim(c.New(), "\n"); wanted != old[lang] {
				out = append(out, Proposal{
					Provision: r.Provision, Lang: lang, Old: old[lang], New: wanted, Authors: c.Authors(), Untracked: strings.Trim(c.Old(), "\n") != old[lang],
				})
			}
		}
		delete(texts, r.Provision)
	}
	for _, c := range base.Clauses {
		if _, left := texts[c.ID]; left {
			missing = append(missing, c.ID)
		}
	}
	return out, missing, nil
}
