package instruments

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"detente/api/drafting"
	"detente/console/cases"
	"detente/form"
	"detente/wording"
)

// Editor answers, of one provision: what does each side want it to say, and what would this side say instead?
type Editor struct {
	*File
	Clause  Clause
	New     bool // the clause is not there yet
	Fields  []Side
	Kinds   []cases.Choice // of a new clause
	After   []cases.Choice
	Places  []Place // of the structure
	Reasons []cases.Choice
	Notes   []cases.Choice
	Against string // whose wording the difference is shown from; empty: none
	Preview *Preview
	Problem *cases.Refusal
	Note    string // for the others to read
	Look    string // where a preview comes from
	Up      string // the negotiation's page
}

// Place is a clause in the structure as it is edited.
type Place struct {
	ID, Kind, Name string
	At             int
	Kinds          []cases.Choice
}

// Titled is the provision's name.
func (e *Editor) Titled() string {
	if e.New {
		return ""
	}
	return bare(e.Clause.Name) + " – " + form.Visible(e.Title)
}

// kinds are the kinds of clauses, and which of them has a number of its own.
func kinds(d *cases.Desk, chosen string) (out []cases.Choice) {
	for _, k := range []string{"preamble", "chapter", "article", "paragraph", "point", "subpoint", "passage", "annex", "closing"} {
		out = append(out, cases.Choice{Value: k, Label: d.Say("clause.kind." + k), Chosen: k == chosen})
	}
	return out
}

// MakeEditor makes the editor of a provision.
func MakeEditor(ctx context.Context, d *cases.Desk) (*Editor, error) {
	return edit(ctx, d, url.Values{})
}

// edit makes the editor with what was written already.
func edit(ctx context.Context, d *cases.Desk, given url.Values) (*Editor, error) {
	if !d.Query.Has("n") { // it is shown again in answer to its form
		d.Query = url.Values{"n": {given.Get("n")}, "p": {given.Get("p")}}
	}
	f, err := MakeFile(ctx, d)
	if err != nil {
		return nil, err
	}
	id := d.Query.Get("p")
	e := &Editor{File: f, New: id == "", Look: d.To("/instrument/preview"), Up: d.To("/instrument", "n", f.ID), Note: given.Get("note")}
	e.Columns = nil
	for _, l := range f.Languages {
		e.Columns = append(e.Columns, column(l, d.Lang))
	}
	found := false
	for i := range f.Provisions {
		if f.Provisions[i].ID == id {
			e.Clause, found = f.clause(d, &f.Provisions[i]), true
		}
	}
	switch {
	case e.New:
		e.Kinds = kinds(d, cmp.Or(given.Get("kind"), "paragraph"))
		e.After = e.places(d, given.Get("after"))
	case !found && slices.Contains([]string{"title", "names", "structure"}, id):
		e.Clause = f.clause(d, &drafting.Provision{ID: id, Kind: id})
	case !found:
		return nil, notFound("no-provision")
	}
	base, whose := e.base(d)
	e.Against = whose
	for _, c := range e.Columns {
		s := Side{Column: c, Field: "t." + c.Lang, Text: given.Get("t." + c.Lang)}
		if !given.Has(s.Field) {
			s.Text = e.written(c.Lang, base)
		}
		e.Fields = append(e.Fields, s)
	}
	if id == "structure" {
		e.Places = e.structure(d)
	}
	for _, r := range []string{"scrutiny", "ad-referendum", "language", "other"} {
		e.Reasons = append(e.Reasons, cases.Choice{Value: r, Label: d.Say("clause.reserved." + r), Chosen: r == given.Get("reason")})
	}
	for _, k := range []string{"instruction", "fall-back", "comment"} {
		e.Notes = append(e.Notes, cases.Choice{Value: k, Label: d.Say("note." + k), Chosen: k == given.Get("kind")})
	}
	return e, nil
}

// base is the wording from which a difference is shown: that of another party, else the own one.
func (e *Editor) base(_ *cases.Desk) (map[string]string, string) {
	for _, s := range e.Clause.Stands {
		if !s.Ours && len(s.Texts) > 0 {
			return s.Texts, strings.ToUpper(string(s.Party))
		}
	}
	if e.Clause.Own != nil {
		return e.Clause.Own.Texts, strings.ToUpper(e.Self)
	}
	if e.Clause.ID == "title" {
		return e.Titles, ""
	}
	return nil, ""
}

// written is with which text a field begins: the own wording, else that of another.
func (e *Editor) written(lang string, base map[string]string) string {
	if e.Clause.Own != nil && e.Clause.Own.Texts[lang] != "" {
		return e.Clause.Own.Texts[lang]
	}
	return base[lang]
}

// places are the clauses behind which a new one can stand.
func (f *File) places(d *cases.Desk, chosen string) []cases.Choice {
	out := []cases.Choice{{Value: "", Label: d.Say("clause.at-end"), Chosen: chosen == ""}}
	for i := range f.Provisions {
		p := &f.Provisions[i]
		if slices.Contains([]string{"title", "names", "structure"}, p.Kind) {
			continue
		}
		out = append(out, cases.Choice{Value: p.ID, Label: bare(f.name(d, p)), Chosen: chosen == p.ID})
	}
	return out
}

// structure is the order as this side wants it, to be edited: each clause with its place.
func (e *Editor) structure(d *cases.Desk) (out []Place) {
	lines := e.Clause.lines()
	for i, line := range lines {
		kind, id, _ := strings.Cut(line, " ")
		p := Place{ID: id, Kind: kind, Name: e.order(d, line)[0], At: i + 1, Kinds: kinds(d, kind)}
		out = append(out, p)
	}
	return out
}

// lines is the order of the clauses, the own one first.
func (c *Clause) lines() []string {
	order := c.Provision.Order
	if c.Own != nil && c.Own.Order != "" {
		order = c.Own.Order
	} else if order == "" {
		for _, s := range c.Stands {
			order = cmp.Or(order, s.Order)
		}
	}
	if order == "" {
		return nil
	}
	return strings.Split(order, "\n")
}

// Preview is what is being written, held against what stands.
type Preview struct {
	Against string
	Sides   []Side
	Same    bool     // nothing differs
	Lacks   []string // languages without a text
}

// maxCompared is how many bytes of a text are compared word by word.
const maxCompared = 48 << 10

// MakePreview shows the difference that what is being written would make.
func MakePreview(ctx context.Context, d *cases.Desk, given url.Values) (*Preview, error) {
	e, err := edit(ctx, d, given)
	if err != nil {
		return nil, err
	}
	return e.preview(d), nil
}

func (e *Editor) preview(d *cases.Desk) *Preview {
	base, whose := e.base(d)
	p := &Preview{Against: whose, Same: true}
	for _, s := range e.Fields {
		text := clean(s.Text)
		if text == "" {
			p.Lacks = append(p.Lacks, s.Name)
		}
		s.Changes = changes(s.Lang, base[s.Lang], text)
		p.Same = p.Same && text == base[s.Lang]
		p.Sides = append(p.Sides, s)
	}
	return p
}

// changes is what differs between two wordings, word by word.
func changes(lang, from, to string) (out []Change) {
	if len(from) > maxCompared || len(to) > maxCompared {
		return []Change{{Op: "gone", Text: from}, {Op: "added", Text: to}}
	}
	for _, c := range wording.Diff(lang, from, to) {
		op := "same"
		switch c.Op {
		case wording.Added:
			op = "added"
		case wording.Gone:
			op = "gone"
		}
		out = append(out, Change{Op: op, Text: c.Text})
	}
	return out
}

// clean is a text as it is stated: one line feed where a line ends, nothing around it.
func clean(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
}

// texts are what was written, by language; a language that was left empty is not there.
func texts(given url.Values, languages []string) map[string]string {
	out := make(map[string]string)
	for _, l := range languages {
		if t := clean(given.Get("t." + l)); t != "" {
			out[l] = t
		}
	}
	return out
}

// ordered is the structure as it was written: by the places that were given, those that were taken out left away.
func ordered(given url.Values) string {
	type line struct {
		at   int
		text string
	}
	var lines []line
	for _, id := range given["id"] {
		at := 0
		if _, err := fmt.Sscan(given.Get("at."+id), &at); err != nil || given.Get("out."+id) != "" {
			continue
		}
		lines = append(lines, line{at, given.Get("kind."+id) + " " + id})
	}
	slices.SortStableFunc(lines, func(a, b line) int { return a.at - b.at })
	var out []string
	for _, l := range lines {
		out = append(out, l.text)
	}
	return strings.Join(out, "\n")
}
