package evidence

import (
	"fmt"
	"io"
)

// Print shows the verdict to a person: the result, every statement with what is proved of it, then what the file has besides. Each statement is shown in
// its form's phrases in lang.
func (v *CaseVerdict) Print(w io.Writer, lang string) error {
	p := printer{w: w}
	if v.Result != Proved {
		p.f("REFUSED  %s\n  %s\n", v.Reason, v.Detail)
		p.compare(v.Compare)
		if len(v.Statements) > 0 {
			p.heading(fmt.Sprintf("Read before that: %d statements; nothing of this file is to be relied on", len(v.Statements)))
		}
		return p.err
	}
	p.f("PROVED  a case of %d statements\n\n", len(v.Statements))
	p.row("case", v.Dossier)
	p.row("channel", v.Channel)
	p.row("plane", string(v.Plane))
	p.row("sealed by", string(v.SealedBy))
	p.row("state", v.State)
	if v.Folded {
		p.row("", "The statements fold to this state.")
	}
	for i := range v.Statements {
		p.word(i+1, len(v.Statements), &v.Statements[i], lang)
	}
	p.besides(v)
	p.notes(v.Notes)
	return p.err
}

func (p *printer) word(n, of int, c *CaseWord, lang string) {
	v := c.Verdict
	what := "proved " + string(v.Level) + ": " + v.Level.meaning()
	if c.Invalid != "" {
		what = "invalid (" + safe(c.Invalid) + "): it stands in the feed of its party, and counts for nothing"
	}
	p.heading(fmt.Sprintf("%d of %d  %s  %s", n, of, c.Number, what))
	if c.Standing != "" {
		p.row("standing", c.Standing)
	}
	switch {
	case v.Statement == nil:
	case c.Invalid != "":
		p.raw(v.Statement)
	default:
		p.statement(v, lang)
	}
	if v.Position != nil {
		p.row("place", fmt.Sprintf("index %d in a tree of %d of %s", v.Position.Index, v.Position.Size, v.Position.Feed))
	}
	for _, r := range v.Receipts {
		p.row("held by", string(r.Party)+" since "+clock(r.At)+" at the latest")
	}
	for _, note := range v.Notes {
		p.f("  – %s\n", note)
	}
}

func (p *printer) besides(v *CaseVerdict) {
	if len(v.Files)+len(v.Renderings) == 0 && v.Paper == "" {
		return
	}
	p.heading("In the file besides, for people")
	for _, f := range v.Files {
		p.row("attachment", fmt.Sprintf("%s, %d bytes", f.Hash, f.Size))
	}
	for _, r := range v.Renderings {
		what := "is what this program writes of these statements"
		switch {
		case !v.Folded:
			what = "is not compared"
		case !r.Matches:
			what = "is NOT what this program writes of these statements"
		}
		p.row("rendering", safe(r.Language)+" "+what)
	}
	if v.Paper != "" {
		p.row("PDF", v.Paper+", not compared")
	}
}
