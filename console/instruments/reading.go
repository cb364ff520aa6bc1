package instruments

import (
	"context"
	"slices"
	"strings"

	"detente/api/drafting"
	"detente/console/cases"
	"detente/form"
)

// Reading answers, of a document that has come back: what does it say otherwise than our wording?
type Reading struct {
	*File
	Offers  []Offer
	Missing []string // provisions that the document does not have
	Up      string   // the negotiation's page
}

// Offer is what a document proposes for one provision. The editor begins with it; nothing is stated before somebody has read it there.
type Offer struct {
	ID, Name  string
	Authors   string // as the document calls them: seen here and nowhere else
	Untracked bool
	Preview   *Preview
	Written   []Side // what the editor is to begin with
}

// Titled is the instrument's title.
func (r *Reading) Titled() string { return form.Visible(r.Title) }

// Read holds a document against a negotiation. It states nothing.
func Read(ctx context.Context, d *cases.Desk, id string, document []byte) (*Reading, error) {
	d.Query.Set("n", id)
	f, err := MakeFile(ctx, d)
	if err != nil {
		return nil, err
	}
	said, err := drafting.Client{Node: d.Client}.Read(ctx, f.ID, document)
	if err != nil {
		return nil, err
	}
	r := &Reading{File: f, Up: d.To("/instrument", "n", f.ID)}
	name := func(provision string) string {
		for i := range f.Provisions {
			if f.Provisions[i].ID == provision {
				return f.name(d, &f.Provisions[i])
			}
		}
		return label(&drafting.Provision{ID: provision, Kind: provision}, d) // the title, of which nobody has spoken
	}
	for _, p := range said.Proposals {
		o := Offer{ID: p.Provision, Name: name(p.Provision), Preview: &Preview{}}
		var authors []string
		for _, c := range p.Changes {
			o.Untracked = o.Untracked || c.Untracked
			for _, a := range c.Authors {
				if !slices.Contains(authors, a) {
					authors = append(authors, a)
				}
			}
			o.Preview.Sides = append(o.Preview.Sides, Side{Column: column(c.Lang, d.Lang), Changes: changes(c.Lang, c.Old, c.New)})
		}
		o.Authors = strings.Join(authors, ", ")
		for _, lang := range f.Languages {
			o.Written = append(o.Written, Side{Column: column(lang, d.Lang), Field: "t." + lang, Text: p.Texts[lang]})
		}
		r.Offers = append(r.Offers, o)
	}
	for _, m := range said.Missing {
		provision, lang, _ := strings.Cut(m, " ")
		if provision = name(provision); lang != "" {
			provision += " (" + column(lang, d.Lang).Name + ")"
		}
		r.Missing = append(r.Missing, provision)
	}
	return r, nil
}
