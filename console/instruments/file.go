package instruments

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	"detente/api/drafting"
	"detente/console/cases"
	"detente/form"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// File answers, of one negotiation: which words are open, who stands where, how far has it come?
type File struct {
	drafting.File
	Self      string
	Columns   []Column // the languages that stand beside each other
	Choices   [2][]cases.Choice
	OpenOnly  bool
	Clauses   []Clause
	Hidden    int // clauses that are agreed and not shown
	Open      int
	Stages    []Stage
	Packages  []Package
	Words     []Comment // about all of it
	Private   []Private
	Manifests []Manifest
	Powers    []Powers
	Statement []Said
	Downloads []Download
	Posts     []cases.Choice // that may speak in it
	Seals     []Seal
	Unspoken  int // provisions on which all others agree and this party has not spoken
	Steps     []Rise
	Speaks    bool       // this officer may say something in it
	Moves     bool       // and the text is not frozen
	Action    string     // where what is said goes
	Reads     string     // where documents go that have come back
	Back      string     // this page
	Order     string     // the structure in words, where it is open
	Given     url.Values // what was written in a form that was not done
	Problem   *cases.Refusal
}

// Was is what was written in a field of the form that was not done, where it is this one.
func (f *File) Was(do, field string) string {
	if f.Given.Get("do") != do {
		return ""
	}
	return f.Given.Get(field)
}

// Titled is the instrument's title.
func (f *File) Titled() string { return form.Visible(f.Title) }

// Column is a language in which a text is shown.
type Column struct {
	Lang string
	Dir  string
	Name string
}

// Said is a statement of the negotiation.
type Said struct {
	drafting.Entry
	Href string
}

// Comment is what was said without a position.
type Comment struct {
	drafting.Comment
	Href string
}

// Private is what this party keeps to itself.
type Private struct {
	drafting.Note
	Texts  []Side
	Action string // where it is taken away; empty for who may not
	Of     string // the negotiation
}

// Powers are full powers, with whether they count now.
type Powers struct {
	drafting.Powers
	Href  string
	Ended bool
}

// most is how many clauses stand on a page at once. A treaty has some hundreds.
const most = 600

// MakeFile makes the page of a negotiation.
func MakeFile(ctx context.Context, d *cases.Desk) (*File, error) { return file(ctx, d, nil) }

func file(ctx context.Context, d *cases.Desk, given url.Values) (*File, error) {
	x, err := show(ctx, d)
	if err != nil {
		return nil, err
	}
	f := &File{
		File: x, Self: string(d.Party), OpenOnly: d.Query.Get("only") == "open", Speaks: speaks(d), Action: d.To("/instrument"), Back: x.ID, Open: max(x.Total-x.Agreed, 0), Given: given,
	}
	f.Moves = f.Speaks && x.Frozen == ""
	f.choose(d)
	for i := range x.Provisions {
		c := f.clause(d, &x.Provisions[i])
		if f.OpenOnly && c.Agreed || len(f.Clauses) == most {
			f.Hidden++
			continue
		}
		f.Clauses = append(f.Clauses, c)
	}
	f.Stages = stages(&x)
	for _, p := range x.Packages {
		f.Packages = append(f.Packages, f.pack(d, p))
	}
	for _, c := range x.Comments {
		if c.Provision == "" {
			f.Words = append(f.Words, Comment{c, statement(d, c.Statement)})
		}
	}
	for _, n := range x.Notes {
		if n.Provision == "" {
			f.Private = append(f.Private, f.private(n))
		}
	}
	for i := range x.Manifests {
		f.Manifests = append(f.Manifests, f.manifest(d, &x.Manifests[i]))
	}
	for _, p := range x.Powers {
		f.Powers = append(f.Powers, Powers{p, statement(d, p.ID), !p.Revoked.IsZero() || !p.Until.IsZero() && p.Until.Before(d.Now)})
	}
	for i := len(x.Entries) - 1; i >= 0; i-- { // the newest first
		f.Statement = append(f.Statement, Said{x.Entries[i], statement(d, x.Entries[i].ID)})
	}
	f.Downloads, f.Reads = f.downloads(d), d.To("/instrument/document")
	f.Unspoken = len(unspoken(&x, d))
	f.Steps = f.steps(d)
	if err := f.seals(ctx, d); err != nil {
		return nil, err
	}
	if f.Speaks {
		f.Posts, err = voices(ctx, d, &x)
	}
	return f, err
}

// show reads the negotiation that a page is about.
func show(ctx context.Context, d *cases.Desk) (drafting.File, error) {
	x, err := drafting.Client{Node: d.Client}.Show(ctx, cmp.Or(d.Query.Get("n"), "-"), d.Lang)
	if err != nil {
		return x, err
	}
	if x.Plane != d.Plane { // a window never mixes planes
		return x, notFound("other-plane")
	}
	x.Languages = slices.DeleteFunc(x.Languages[:min(len(x.Languages), mostLanguages)], func(l string) bool {
		_, err := language.Parse(l)
		return err != nil
	})
	return x, nil
}

// mostLanguages is in how many languages an instrument can be, protocol.md#wording.
const mostLanguages = 24

func speaks(d *cases.Desk) bool { return d.May("send") }

// choose says which languages stand beside each other: those asked for, else the reader's own and the first of the others.
func (f *File) choose(d *cases.Desk) {
	var chosen []string
	for _, name := range []string{"a", "b"} {
		if l := d.Query.Get(name); slices.Contains(f.Languages, l) && !slices.Contains(chosen, l) {
			chosen = append(chosen, l)
		}
	}
	for _, l := range append([]string{own(f.Languages, d.Lang)}, f.Languages...) {
		if len(chosen) < 2 && l != "" && !slices.Contains(chosen, l) {
			chosen = append(chosen, l)
		}
	}
	f.Columns = nil
	for i, l := range chosen {
		f.Columns = append(f.Columns, column(l, d.Lang))
		if len(f.Languages) > 2 {
			for _, o := range f.Languages {
				f.Choices[i] = append(f.Choices[i], cases.Choice{Value: o, Label: column(o, d.Lang).Name, Chosen: o == l})
			}
		}
	}
}

// own is the authentic language that a reader of another reads most easily; empty where none is his.
func own(languages []string, reader string) string {
	base, _ := language.Make(reader).Base()
	for _, l := range languages {
		if b, _ := language.Make(l).Base(); b == base {
			return l
		}
	}
	return ""
}

// column is a language as it is written, and its name in the reader's.
func column(lang, reader string) Column {
	tag := language.Make(lang)
	c := Column{Lang: lang, Dir: "ltr", Name: lang}
	if s, _ := tag.Script(); slices.Contains([]string{"Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm"}, s.String()) {
		c.Dir = "rtl"
	}
	if namer := display.Languages(language.Make(reader)); namer != nil {
		if name := namer.Name(tag); name != "" {
			c.Name = name
		}
	}
	return c
}

// Package is what a party agrees to only together.
type Package struct {
	drafting.Package
	Own    bool
	Labels []string // of its provisions
	Href   string
}

func (f *File) pack(d *cases.Desk, p drafting.Package) Package {
	out := Package{Package: p, Own: string(p.By) == f.Self, Href: statement(d, p.ID)}
	for i := range f.Provisions {
		if _, in := p.Items[f.Provisions[i].ID]; in {
			out.Labels = append(out.Labels, f.name(d, &f.Provisions[i]))
		}
	}
	return out
}

func (f *File) private(n drafting.Note) Private {
	out := Private{Note: n, Of: f.ID}
	if f.Speaks {
		out.Action = f.Action
	}
	for _, c := range f.Columns {
		if text := n.Texts[c.Lang]; text != "" {
			out.Texts = append(out.Texts, Side{Column: c, Pieces: []Piece{{Text: text}}})
		}
	}
	return out
}

// jump is the address of a provision's editor.
func (f *File) jump(d *cases.Desk, provision string) string {
	return d.To("/instrument/provision", "n", f.ID, "p", provision)
}

// order is a structure in words, a line for each clause.
func (f *File) order(d *cases.Desk, lines string) (out []string) {
	for line := range strings.SplitSeq(lines, "\n") {
		kind, id, _ := strings.Cut(line, " ")
		text := d.Say("clause.kind." + kind)
		if i := slices.IndexFunc(f.Provisions, func(p drafting.Provision) bool { return p.ID == id }); i >= 0 {
			text = f.name(d, &f.Provisions[i])
		}
		out = append(out, text)
	}
	return out
}
