package directory

import (
	"bytes"
	"cmp"
	"slices"

	"detente/form"
	"detente/statement"
	"detente/traffic"
)

// Term is an entry of the glossary: what one party means by a word, and what it takes to be the other side's word for it.
type Term struct {
	ID            statement.ID
	Channel       [32]byte
	Plane         traffic.Plane
	Party         traffic.Party
	Term          string
	Language      string
	Definition    string
	Counterpart   string
	CounterpartIn string
	Standing      string // proposed, agreed, differs, withdrawn
	at            Order
}

type termKey struct {
	Where
	party          traffic.Party
	language, term string
}

// Glossary is the fold of glossary: of each party, term and language the last word stands. Neither side's definition touches the other's.
type Glossary struct{ terms map[termKey]Term }

// NewGlossary is an empty glossary.
func NewGlossary() *Glossary { return &Glossary{make(map[termKey]Term)} }

// Add takes in a valid statement of the form glossary; others it passes over. It tells whether the glossary took it.
func (g *Glossary) Add(id statement.ID, s *statement.Header, v form.Values) bool {
	if s.Form != "glossary" {
		return false
	}
	t := Term{
		ID: id, Channel: s.Channel, Plane: s.Plane, Party: s.Issuer.Party, Term: v.Text("term"), Language: v.Text("language"),
		Definition: v.Text("definition"), Counterpart: v.Text("counterpart"), CounterpartIn: v.Text("counterpart_in"), Standing: v.Text("standing"),
		at: OrderOf(id, s),
	}
	key := termKey{Where{s.Channel, s.Plane}, t.Party, t.Language, t.Term}
	if old, ok := g.terms[key]; ok && old.at.Compare(t.at) >= 0 {
		return false
	}
	g.terms[key] = t
	return true
}

// All gives the terms of a channel and plane, those of both sides that name each other beside one another, then by term. Withdrawn ones come last.
func (g *Glossary) All(w Where) []Term {
	var out []Term
	for key, t := range g.terms {
		if key.Where == w {
			out = append(out, t)
		}
	}
	pair := func(t *Term) [2]string { // the same for two terms that name each other
		p := []string{t.Language + " " + t.Term, t.CounterpartIn + " " + t.Counterpart}
		slices.Sort(p)
		return [2]string(p)
	}
	slices.SortFunc(out, func(a, b Term) int {
		pa, pb := pair(&a), pair(&b)
		gone := func(t *Term) int {
			if t.Standing == "withdrawn" {
				return 1
			}
			return 0
		}
		return cmp.Or(gone(&a)-gone(&b), slices.Compare(pa[:], pb[:]), cmp.Compare(a.Party, b.Party), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return out
}
