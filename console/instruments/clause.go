package instruments

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"detente/api/drafting"
	"detente/console/cases"
	"detente/form"
)

// Clause is a provision as it stands.
type Clause struct {
	drafting.Provision
	Name     string // "Article 2", in the reader's language
	Anchor   string
	Href     string // its editor
	Heading  bool
	Sides    []Side   // its text in each column, with its brackets in place
	Order    []string // of the structure, in words
	Stands   []Stand
	Wordings []Wording // of others, which this party does not stand on
	Own      *Stand    // where this party stands; nil where it stands nowhere
	Words    []Comment
	Private  []Private
}

// Side is a text in one language.
type Side struct {
	Column
	Pieces  []Piece
	Changes []Change // from one wording to another, word by word
	Field   string   // its name in the editor
	Text    string   // as it is edited
}

// Piece is a run of words and who wants it: nobody in particular where all do.
type Piece struct {
	Text string
	By   string // "XN, XS"
	Ours bool
}

// Change is a run of words that is kept, added or left out.
type Change struct {
	Op   string // same, added or gone
	Text string
}

// Stand is where a party stands.
type Stand struct {
	drafting.Stand
	Ours bool
	Href string
	Mark string // agreed, reserved, other or none: how it is drawn
}

// Wording is a wording of others that can be accepted.
type Wording struct {
	Parties []string
	Digest  string
	Sides   []Side
	Order   []string
}

// name names a provision in the reader's language, with what it is within: "Article 2, Paragraph 1".
func (f *File) name(d *cases.Desk, p *drafting.Provision) string {
	i := slices.IndexFunc(f.Provisions, func(x drafting.Provision) bool { return x.ID == p.ID })
	depth := slices.Index(deep(), p.Kind)
	out := label(p, d)
	for i--; i >= 0 && depth > 0; i-- {
		x := &f.Provisions[i]
		if above := slices.Index(deep(), x.Kind); above >= 0 && above < depth {
			out, depth = d.Say("clause.within", label(x, d), out), above
		}
	}
	return out
}

// bare is a text without the marks that isolate its parts: for a place that takes no marks, such as a title.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, s)
}

// deep are the kinds that stand within each other, the widest first.
func deep() []string { return []string{"article", "paragraph", "point", "subpoint"} }

// label names a provision by itself.
func label(p *drafting.Provision, d *cases.Desk) string {
	kind := d.Say("clause.kind." + p.Kind)
	number := form.Visible(p.Number)
	if l := p.Label[d.Lang]; l != "" {
		number = form.Visible(l)
	}
	switch p.Kind {
	case "title", "names", "structure", "preamble", "closing", "passage":
		return kind
	case "article", "chapter", "annex":
		if p.Label[d.Lang] != "" {
			return number
		}
	}
	if number == "" {
		return kind
	}
	return d.Say("clause.numbered."+p.Kind, number)
}

func (f *File) clause(d *cases.Desk, p *drafting.Provision) Clause {
	c := Clause{
		Provision: *p, Name: f.name(d, p), Anchor: "p-" + p.ID, Href: f.jump(d, p.ID), Heading: slices.Contains([]string{"chapter", "article", "annex", "title"}, p.Kind),
	}
	for _, col := range f.Columns {
		c.Sides = append(c.Sides, Side{Column: col, Pieces: pieces(p, col.Lang, f.Self)})
	}
	if p.Order != "" {
		c.Order = f.order(d, p.Order)
	}
	for _, s := range p.Stands {
		row := Stand{Stand: s, Ours: string(s.Party) == f.Self, Href: statement(d, s.Statement), Mark: "other"}
		switch {
		case s.Kind == "":
			row.Mark = "none"
		case s.Reserved != "":
			row.Mark = "reserved"
		case p.Digest != "" && s.Digest == p.Digest:
			row.Mark = "agreed"
		}
		c.Stands = append(c.Stands, row)
		if row.Ours && s.Kind != "" {
			c.Own = &c.Stands[len(c.Stands)-1]
		}
	}
	if c.Own != nil {
		own := *c.Own
		c.Own = &own // the slice may have moved meanwhile
	}
	c.Wordings = f.wordings(d, &c)
	for _, w := range p.Comments {
		c.Words = append(c.Words, Comment{w, statement(d, w.Statement)})
	}
	for _, n := range p.Notes {
		c.Private = append(c.Private, f.private(n))
	}
	return c
}

// wordings are those of the others that this party could accept: each once, with who stands on it.
func (f *File) wordings(d *cases.Desk, c *Clause) (out []Wording) {
	for _, s := range c.Stands {
		if s.Ours || s.Kind == "" || c.Own != nil && c.Own.Digest == s.Digest && c.Own.Reserved == "" {
			continue
		}
		i := slices.IndexFunc(out, func(w Wording) bool { return w.Digest == s.Digest })
		if i < 0 {
			w := Wording{Digest: s.Digest}
			for _, l := range f.Languages {
				if text := s.Texts[l]; text != "" {
					w.Sides = append(w.Sides, Side{Column: column(l, d.Lang), Pieces: []Piece{{Text: text}}})
				}
			}
			if s.Order != "" {
				w.Order = f.order(d, s.Order)
			}
			out = append(out, w)
			i = len(out) - 1
		}
		out[i].Parties = append(out[i].Parties, string(s.Party))
	}
	return out
}

// pieces are the words of a provision in a language, with its brackets in place.
func pieces(p *drafting.Provision, lang, self string) (out []Piece) {
	if list := p.Brackets[lang]; len(list) > 0 {
		for _, b := range list {
			piece := Piece{Text: b.Text}
			var names []string
			for _, party := range b.Parties {
				names = append(names, strings.ToUpper(string(party)))
				piece.Ours = piece.Ours || string(party) == self
			}
			piece.By = strings.Join(names, ", ")
			out = append(out, piece)
		}
		return out
	}
	if text := p.Texts[lang]; text != "" {
		return []Piece{{Text: text}}
	}
	for _, s := range p.Stands { // only one stands anywhere
		if text := s.Texts[lang]; text != "" {
			return []Piece{{Text: text, By: strings.ToUpper(string(s.Party)), Ours: string(s.Party) == self}}
		}
	}
	return nil
}

// Stage is a rung of the ladder with how far each party has come on it.
type Stage struct {
	Name    string // tabled, agreed, certified, initialled, signed, consented or in-force
	Reached bool   // by all
	Some    bool   // by some
	Parties []Step
	Now     bool // the last that was reached
}

// Step is that a party has come to a rung.
type Step struct{ drafting.Rung }

// stages is the ladder as it is drawn: what is past, what was reached last, what is ahead.
func stages(x *drafting.File) []Stage {
	names := []string{"tabled", "agreed", "certified", "initialled", "signed", "consented", "in-force"}
	of := map[string]string{"conformity": "certified", "initialling": "initialled", "signature": "signed", "consent": "consented"}
	out := make([]Stage, len(names))
	at := map[string]int{}
	for i, n := range names {
		out[i].Name = n
		at[n] = i
	}
	hash := current(x)
	add := func(i int, r drafting.Rung) {
		if !slices.ContainsFunc(out[i].Parties, func(s Step) bool { return s.Party == r.Party }) {
			out[i].Parties = append(out[i].Parties, Step{r})
		}
	}
	for _, r := range x.Ladder {
		if i, ok := at[of[r.Form]]; ok && (r.Manifest == "" || hash == "" || r.Manifest == hash) {
			add(i, r)
		}
	}
	if x.Status != nil {
		for _, p := range x.Status.Parties {
			for name, when := range map[string]time.Time{"certified": p.Certified, "initialled": p.Initialled, "signed": p.Signed, "consented": p.Consented} {
				if !when.IsZero() {
					add(at[name], drafting.Rung{Party: string(p.Party), At: when})
				}
			}
		}
	}
	reached := -1
	for i := range out {
		s := &out[i]
		s.Some = len(s.Parties) > 0
		s.Reached = s.Some && len(s.Parties) >= len(x.Parties)
	}
	if x.Total > 0 {
		out[0].Reached = true
	}
	if x.Text != "" || x.Frozen != "" {
		out[1].Reached = true
	}
	if i, ok := at[cmp.Or(map[string]string{"scrubbed": "agreed", "suspended": "in-force", "ended": "in-force"}[x.Stage], x.Stage)]; ok {
		out[i].Reached = true
	}
	for i := range out {
		if out[i].Reached {
			reached = i
		}
	}
	if reached >= 0 {
		out[reached].Now = true
	}
	return out
}

// current is the hash of the manifest that counts: by which the instrument stands, else that of the text as it stands.
func current(x *drafting.File) string {
	if x.Status != nil && x.Status.Manifest != "" {
		return x.Status.Manifest
	}
	if x.Frozen != "" {
		return x.Frozen
	}
	for i := len(x.Manifests) - 1; i >= 0; i-- {
		if x.Manifests[i].Current {
			return x.Manifests[i].Hash
		}
	}
	return ""
}
