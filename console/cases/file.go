package cases

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"detente/api"
	"detente/traffic"
)

// File answers: what was said by both sides, where does it stand, who owes what by when, what may be said next?
type File struct {
	api.CaseFile
	Owed     []Owed
	Sheets   []Sheet
	Next     []Group
	Annex    *Annex
	Own      *Own // nil where nothing stands beside the case
	Declared []Match
}

// Titled is the case's number.
func (f *File) Titled() string { return f.Title }

// Owed is what somebody owes.
type Owed struct {
	api.Deadline
	Channel string
	Owes    string // ours or theirs
}

// Sheet is the case on one channel, its statements in the two columns of the sides.
type Sheet struct {
	api.CaseSheet
	Entries  []Entry
	Matters  []Matter
	Passings []Passing
	Links    []Link
}

// Entry is a statement.
type Entry struct {
	api.CaseEntry
	Href string
}

// Matter is one thing asked or announced, with who is expected to speak next in it.
type Matter struct {
	api.CaseMatter
	Owes string // ours, theirs, or nothing where nobody is expected
}

// Passing is what a side says of passing something on.
type Passing struct {
	api.Passing
	Ours bool
}

// Link is a declared activity that a side holds the case to be.
type Link struct {
	api.CaseLink
	Href string
}

// Group is what may be said about one statement.
type Group struct {
	About, Channel string
	Steps          []Step
}

// Step is what may be said, with the form prepared.
type Step struct {
	What    string
	Href    string
	Expects bool
}

// Problem is what the node says is wrong.
func Problem(err error) (*api.Problem, bool) { return errors.AsType[*api.Problem](err) }

// MakeFile makes the file of a case.
func MakeFile(ctx context.Context, d *Desk) (*File, error) {
	c, err := d.Client.Case(ctx, d.Query.Get("n"), d.Lang)
	if err != nil {
		return nil, err
	}
	if c.Plane != d.Plane { // a window never mixes planes
		return nil, &api.Problem{Status: http.StatusNotFound, Code: "other-plane"}
	}
	f := &File{CaseFile: c, Declared: d.matches(c.Declared)}
	for _, s := range c.Sheets {
		f.Sheets = append(f.Sheets, d.sheet(s))
		for _, o := range s.Owed {
			f.Owed = append(f.Owed, Owed{o, s.Channel, d.owes(&o, asker(s, o.Number, c.Opener))})
		}
	}
	slices.SortStableFunc(f.Owed, func(a, b Owed) int { return cmp.Or(ranked(a.Soft)-ranked(b.Soft), a.At.Compare(b.At)) })
	f.Next = d.steps(c)
	if f.Annex, err = d.annex(ctx, f.Sheets); err != nil {
		return nil, err
	}
	f.Own, err = d.own(ctx, c.Title)
	return f, err
}

func ranked(last bool) int {
	if last {
		return 1
	}
	return 0
}

// asker is who asked for what a deadline runs from.
func asker(s api.CaseSheet, number string, opener traffic.Party) traffic.Party {
	for _, m := range s.Matters {
		if m.Number == number {
			return m.Asker
		}
	}
	return opener
}

func (d *Desk) sheet(s api.CaseSheet) Sheet {
	out := Sheet{CaseSheet: s}
	for _, e := range s.Entries {
		out.Entries = append(out.Entries, Entry{e, d.To("/statement/" + url.PathEscape(e.ID))})
	}
	for _, m := range s.Matters {
		row := Matter{CaseMatter: m}
		if m.Next != nil {
			row.Owes = d.owes(m.Next, m.Asker)
		}
		out.Matters = append(out.Matters, row)
	}
	for _, p := range s.Passings {
		out.Passings = append(out.Passings, Passing{p, p.Party == d.Party})
	}
	for _, l := range s.Links {
		out.Links = append(out.Links, Link{l, d.To("/statement/" + url.PathEscape(l.Notice))})
	}
	return out
}

// steps groups what may be said by what it is about; what is expected stands first. Who may say nothing is shown nothing.
func (d *Desk) steps(c api.CaseFile) (out []Group) {
	if !d.May("send") && !d.May("answer") && !d.May("acknowledge") {
		return nil
	}
	for _, s := range c.Steps {
		i := slices.IndexFunc(out, func(g Group) bool { return g.About == s.Number && g.Channel == s.Channel })
		if i < 0 {
			out = append(out, Group{About: s.Number, Channel: s.Channel})
			i = len(out) - 1
		}
		code := ""
		if len(s.Codes) == 1 {
			code = s.Codes[0]
		}
		href := d.To("/compose", "channel", s.Channel, "form", s.Form, "case", c.Title, "about", s.About, "to", s.To)
		if code != "" {
			href += "&" + url.Values{"f." + s.Field: {code}}.Encode()
		}
		g := &out[i]
		if j := slices.IndexFunc(g.Steps, func(x Step) bool { return x.What == s.What }); j >= 0 {
			g.Steps[j].Expects = g.Steps[j].Expects || s.Expects
			if g.Steps[j].Href != href { // several rows of the table: the form asks which it is
				g.Steps[j].Href = d.To("/compose", "channel", s.Channel, "form", s.Form, "case", c.Title, "about", s.About, "to", s.To)
			}
			continue
		}
		g.Steps = append(g.Steps, Step{s.What, href, s.Expects})
	}
	return out
}
