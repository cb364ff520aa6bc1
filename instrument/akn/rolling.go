package akn

import (
	"detente/instrument"
	"detente/instrument/proposal"
	"detente/traffic"
	"detente/wording"
)

// Of is a negotiation as a document: the text that all have authenticated, the clean one, or as a party stands on it, with brackets where not all is agreed.
func Of(n *instrument.Negotiation, p traffic.Party) *Document {
	d := &Document{Name: n.ID.String(), Date: n.Opening.At, Brackets: make(map[string]map[string][]wording.Piece)}
	text, ok := n.Text()
	if !ok {
		text = proposal.Standing(n, p, false)
		for _, c := range n.Rolling().Clauses {
			if !c.Agreed && !c.Outside {
				d.Brackets[c.ID] = c.Brackets
			}
		}
	}
	d.Text = text
	d.Parties, _ = text.Named(n.Opening.Parties)
	for _, s := range n.Steps {
		if len(d.Events) < maxEvents {
			e := Event{Date: s.At, Name: s.Form, Type: "generation"}
			switch s.Form {
			case "correction", "extension":
				e.Type = "amendment"
			case "termination-notice":
				e.Type = "repeal"
			}
			d.Events = append(d.Events, e)
		}
	}
	return d
}
