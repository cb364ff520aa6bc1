package docx

import (
	"detente/instrument"
	"detente/instrument/proposal"
)

// Changes are what a document proposes to change in a text, and the provisions of the text that it does not have: see proposal.Of.
func (d *Document) Changes(base instrument.Text) (out []proposal.Proposal, missing []string, err error) {
	var seen []proposal.Seen
	for _, r := range d.Rows {
		for _, lang := range d.Languages {
			if c, ok := r.Cells[lang]; ok {
				seen = append(seen, proposal.Seen{Provision: r.Provision, Number: r.Number, Lang: lang, Old: c.Old(), New: c.New(), Authors: c.Authors()})
			}
		}
	}
	return proposal.Of(base, seen)
}
