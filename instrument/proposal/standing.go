package proposal

import (
	"slices"

	"detente/instrument"
	"detente/traffic"
	"detente/wording"
)

// Standing is the text as a party stands on it in a negotiation: where it stands nowhere, as the first other party of the opening does that stands
// somewhere. The clauses that are in no structure come last, as passages, if they are asked for.
func Standing(n *instrument.Negotiation, p traffic.Party, outside bool) instrument.Text {
	t := instrument.Text{Title: n.Opening.Title, Languages: n.Opening.Languages, Prevailing: n.Opening.Prevailing}
	if s := Stand(n, p, instrument.Title); s != nil {
		t.Title = s.Texts
	}
	if s := Stand(n, p, instrument.Names); s != nil {
		t.Names = s.Texts
	}
	for _, c := range n.Rolling().Clauses {
		if c.ID == instrument.Title || c.ID == instrument.Names || c.Outside && !outside {
			continue
		}
		clause := instrument.Clause{ID: c.ID, Kind: c.Kind, Number: c.Number}
		if c.Outside {
			clause.Kind = instrument.Passage
		}
		if s := Stand(n, p, c.ID); s != nil {
			clause.Texts = s.Texts
		}
		t.Clauses = append(t.Clauses, clause)
	}
	return t
}

// Stand is where a party stands on a provision, else where the first other party does; nil if none does.
func Stand(n *instrument.Negotiation, p traffic.Party, provision string) *instrument.Stand {
	prov := n.Provisions[provision]
	if prov == nil {
		return nil
	}
	for _, q := range append([]traffic.Party{p}, n.Opening.Parties...) {
		if s, ok := prov.Stands[q]; ok {
			return &s
		}
	}
	return nil
}

// Change is a piece of what is negotiated, seen from a text: words that stay, or that parties want added to it or gone. Op is as in wording.Change.
type Change struct {
	wording.Change
	By []traffic.Party
}

// Changes are what the others want otherwise than Standing in one language of a provision. Without the pieces that are to be added they are the text that
// stands, byte for byte.
func Changes(n *instrument.Negotiation, p traffic.Party, provision, lang string) (out []Change) {
	prov := n.Provisions[provision]
	if prov == nil {
		return nil
	}
	var wishes []wording.Wish
	var all []traffic.Party
	base := -1
	for _, q := range n.Opening.Parties {
		if s, ok := prov.Stands[q]; ok && s.Texts[lang] != "" {
			if q == p || base < 0 {
				base = len(all)
			}
			wishes, all = append(wishes, wording.Wish{Party: q, Text: s.Texts[lang]}), append(all, q)
		}
	}
	for _, piece := range wording.Brackets(lang, wishes) {
		who := piece.Parties
		if who == nil {
			who = all
		}
		c := Change{Change: wording.Change{Op: wording.Added, Text: piece.Text}, By: who}
		if slices.Contains(who, all[base]) {
			c.By = slices.DeleteFunc(slices.Clone(all), func(q traffic.Party) bool { return slices.Contains(who, q) })
			if c.Op = wording.Gone; len(c.By) == 0 {
				c.Op = wording.Same
			}
		}
		out = append(out, c)
	}
	return out
}
