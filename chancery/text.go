package chancery

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"detente/instrument"
	"detente/traffic"
	"detente/wording"
)

// Document is a text from outside: a file, a template.
type Document struct {
	instrument.Text        // ids of its clauses may be missing; its numbers are not read
	Kind            string // empty: it does not say
	Nature          string
	Name            string            // of a template
	About           map[string]string // by language of the program
}

// most is how many clauses a document may have: as many as a negotiation holds.
const most = 2000

// Check tells whether a document is a text. It gives ids to clauses that have none. Error: ErrFile with the place.
func (x *Document) Check() error {
	if len(x.Clauses) > most {
		return fmt.Errorf("%w: %d clauses, %d at most", ErrFile, len(x.Clauses), most)
	}
	seen := make(map[string]bool)
	for i := range x.Clauses {
		c := &x.Clauses[i]
		if c.ID == "" {
			c.ID = NewID()
		}
		switch {
		case !provisionPattern.MatchString(c.ID), c.ID == instrument.Structure, c.ID == instrument.Title, c.ID == instrument.Names:
			return fmt.Errorf("%w: clause %d: %.70q is no id", ErrFile, i+1, c.ID)
		case seen[c.ID]:
			return fmt.Errorf("%w: clause %d: %s stands twice", ErrFile, i+1, c.ID)
		case !slices.Contains(instrument.Kinds(), c.Kind):
			return fmt.Errorf("%w: clause %d: %.40q is no kind of clause", ErrFile, i+1, c.Kind)
		case len(c.Texts) == 0 && !c.Kind.Heads():
			return fmt.Errorf("%w: clause %d (%s) says nothing", ErrFile, i+1, c.ID)
		}
		seen[c.ID] = true
		if len(c.Texts) > 0 {
			if err := c.Texts.Check(); err != nil {
				return fmt.Errorf("%w: clause %d (%s): %w", ErrFile, i+1, c.ID, err)
			}
		}
	}
	for what, texts := range map[string]wording.Texts{instrument.Title: x.Title, instrument.Names: x.Names} {
		if len(texts) > 0 {
			if err := texts.Check(); err != nil {
				return fmt.Errorf("%w: %s: %w", ErrFile, what, err)
			}
		}
	}
	return nil
}

// order is the structure of a document.
func (x *Document) order() string {
	lines := make([]string, len(x.Clauses))
	for i, c := range x.Clauses {
		lines[i] = string(c.Kind) + " " + c.ID
	}
	return strings.Join(lines, "\n")
}

// Import holds a document against where a party stands, and gives the positions that it would take: on what differs, and on nothing else. A language that the
// document does not have keeps its text. Nothing is withdrawn by what a document lacks, but the structure that it has. Errors: ErrFile, ErrFrozen, ErrWording.
func (d *Draft) Import(p traffic.Party, x Document, note string) ([]Wish, error) {
	if err := x.Check(); err != nil {
		return nil, err
	}
	var out []Wish
	add := func(id string, texts wording.Texts) error {
		if len(texts) == 0 {
			return nil
		}
		merged := d.Merge(p, id, texts)
		if prov := d.Provisions[id]; prov != nil {
			if s, stands := prov.Stands[p]; stands && s.Digest == merged.Digest() && s.Reserved == "" {
				return nil
			}
		}
		w := Wish{Provision: id, Texts: merged, Note: note}
		if err := d.check(&w); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		out = append(out, w)
		return nil
	}
	if title := d.TitleTexts(); len(x.Title) > 0 && !maps.Equal(map[string]string(x.Title), title) {
		if err := add(instrument.Title, x.Title); err != nil {
			return nil, err
		}
	}
	if err := add(instrument.Names, x.Names); err != nil {
		return nil, err
	}
	for _, c := range x.Clauses {
		if err := add(c.ID, c.Texts); err != nil {
			return nil, err
		}
	}
	if len(x.Clauses) == 0 {
		return out, nil
	}
	order, own := x.order(), ""
	if s := d.Provisions[instrument.Structure]; s != nil {
		own = s.Stands[p].Order
	}
	if order != own {
		w := Wish{Provision: instrument.Structure, Order: order, Note: note}
		if err := d.check(&w); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

// Merge fills languages that a wording lacks from where a party stands.
func (d *Draft) Merge(p traffic.Party, provision string, texts wording.Texts) wording.Texts {
	merged := make(wording.Texts)
	if prov := d.Provisions[provision]; prov != nil {
		maps.Copy(merged, prov.Stands[p].Texts)
	}
	maps.Copy(merged, texts)
	return merged
}

// Stands is where a party stands on a provision, nil where nowhere.
func (d *Draft) Stands(p traffic.Party, provision string) *instrument.Stand {
	if prov := d.Provisions[provision]; prov != nil {
		if s, ok := prov.Stands[p]; ok {
			return &s
		}
	}
	return nil
}
