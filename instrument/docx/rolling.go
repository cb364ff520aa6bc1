package docx

import (
	"strings"

	"detente/instrument"
	"detente/instrument/proposal"
	"detente/traffic"
	"detente/wording"
)

// Rolling is a text in negotiation, as a party works on it: its own wording, with what the others want as their changes. Whoever rejects all changes has
// proposal.Standing, clauses outside of the structure included. Base gives that text, against which the document is read again.
func Rolling(n *instrument.Negotiation, p traffic.Party) *Document {
	base := Base(n, p)
	d := Of(base)
	for i := range d.Rows {
		r := &d.Rows[i]
		for _, lang := range d.Languages {
			var c Cell
			for _, change := range proposal.Changes(n, p, r.Provision, lang) {
				run := Run{Op: change.Op, Text: change.Text}
				if change.Op != wording.Same {
					run.Author = authors(change.By)
				}
				c = append(c, run)
			}
			if c != nil {
				r.Cells[lang] = c
			}
		}
	}
	return d
}

// Base is the text that a document of Rolling is held against.
func Base(n *instrument.Negotiation, p traffic.Party) instrument.Text {
	return proposal.Standing(n, p, true)
}

func authors(parties []traffic.Party) string {
	names := make([]string, len(parties))
	for i, p := range parties {
		names[i] = strings.ToUpper(string(p))
	}
	return strings.Join(names, ", ")
}
