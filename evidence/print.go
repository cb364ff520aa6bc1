package evidence

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"detente/form"
	"detente/key"
	"detente/party"
	"detente/statement"
	"detente/traffic"
)

// Print shows the verdict to a person: the result first, then who said what to whom, then what that rests on. The statement is shown in the
// form's phrases in lang, the rest in English.
func (v *Verdict) Print(w io.Writer, lang string) error {
	p := printer{w: w}
	if v.Result != Proved {
		p.refusal(v)
		return p.err
	}
	p.f("PROVED  %s: %s\n\n", v.Level, v.Level.meaning())
	p.statement(v, lang)
	p.heading("Stands in")
	p.row("feed", v.Position.Feed)
	p.row("place", fmt.Sprintf("index %d in a tree of %d", v.Position.Index, v.Position.Size))
	p.row("root", v.Position.Root)
	p.heading("Held by")
	for _, r := range v.Receipts {
		p.row(string(r.Party), "since "+clock(r.At)+" at the latest ("+strings.Join(r.Algorithms, ", ")+")")
	}
	if len(v.Receipts) == 0 {
		p.f("  nobody but %s, as far as the file shows\n", v.issuer)
	}
	p.basis(v.Keys, v.RestsOn)
	p.notes(v.Notes)
	return p.err
}

// refusal never shows a statement as its form would: what is not proved must not look as if it were.
func (p *printer) refusal(v *Verdict) {
	p.f("REFUSED  %s\n  %s\n", v.Reason, v.Detail)
	p.compare(v.Compare)
	switch {
	case v.Logged:
		p.heading("Said all the same: this stands in the feed of " + string(v.issuer))
	case v.Statement != nil:
		p.heading("The file claims what follows, and does not prove it")
	}
	if v.Statement != nil {
		p.raw(v.Statement)
		p.row("statement", v.Statement.ID)
	}
	p.notes(v.Notes)
}

// Print shows the conviction to a person.
func (c *Conviction) Print(w io.Writer) error {
	p := printer{w: w}
	if c.Result != Proved {
		p.f("REFUSED  %s\n  %s\n", c.Reason, c.Detail)
		p.compare(c.Compare)
		return p.err
	}
	who := string(c.Party) + " has signed"
	if c.Doubtful {
		who = "withdrawn keys of " + string(c.Party) + " have signed one of"
	}
	p.f("PROVED  %s two histories of one feed\n\n", who)
	p.row("feed", c.Feed)
	p.row("one", fmt.Sprintf("size %d, root %s", c.Smaller.Size, c.Smaller.Root))
	p.row("another", fmt.Sprintf("size %d, root %s", c.Larger.Size, c.Larger.Root))
	if c.Smaller.Size == c.Larger.Size {
		p.row("", "Of one size, and different.")
	} else {
		p.row("", fmt.Sprintf("The first %d entries of the larger are not those of the smaller.", c.Smaller.Size))
	}
	p.basis(c.Keys, c.RestsOn)
	p.notes(c.Notes)
	return p.err
}

func (l Level) meaning() string {
	switch l {
	case E2:
		return "signed, in its party's feed, and held by every party it is addressed to"
	case E1:
		return "signed, and in its party's feed"
	}
	return "signed"
}

// printer keeps the first error of its writer.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) f(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *printer) heading(s string) { p.f("\n%s\n", s) }

func (p *printer) row(label, text string) {
	p.f("%s\n", strings.TrimRight(fmt.Sprintf("  %-12s%s", label, text), " "))
}

// statement shows what was said: as its form has it, or else field by field.
func (p *printer) statement(v *Verdict, lang string) {
	s := v.Statement
	if v.form != nil {
		original, _ := language.Parse(s.Language)
		m := form.Message{
			Form: v.form, Values: v.values, Number: s.ID[:8], From: s.Issuer, To: s.Audience, At: s.Issued, Precedence: s.Precedence,
			Plane: s.Plane, Original: original, Marking: s.Marking,
		}
		if s.Audience == statement.Everyone {
			m.To = list(v.others)
		}
		if s.Dossier != s.ID {
			m.Case = s.Dossier[:8]
		}
		for _, id := range s.Refs {
			m.Refs = append(m.Refs, id[:8])
		}
		p.f("%s\n", v.regime.Render(m, language.Make(lang)))
	} else {
		p.raw(s)
	}
	p.row("statement", s.ID)
	if s.Dossier != s.ID {
		p.row("dossier", s.Dossier)
	}
	for _, id := range s.Refs {
		p.row("refers to", id)
	}
	p.row("dated", clock(s.Issued)+", by its party's own clock")
	persons := "drafted by " + safe(s.Drafter)
	if s.Releaser != "" {
		persons += ", released by " + safe(s.Releaser)
	}
	p.row("persons", persons)
}

func (p *printer) raw(s *Statement) {
	if s.Plane != traffic.Real {
		plane := strings.ToUpper(string(s.Plane))
		p.f("%s %s %s\n\n", plane, plane, plane)
	}
	p.f("%s\n", s.Precedence)
	p.row("from", s.Issuer)
	to := s.Audience
	if to == statement.Everyone {
		to = "all members"
	}
	p.row("to", to)
	p.row("form", fmt.Sprintf("%s, version %d", safe(s.Form), s.Version))
	if s.Marking != "" {
		p.row("marking", safe(s.Marking))
	}
	p.row("language", safe(s.Language))
	p.field("  ", "says", s.raw)
}

// field shows a value of a form that is not at hand. Texts are quoted as Go does: nothing in them can steer a terminal or turn a line.
func (p *printer) field(indent, name string, value any) {
	switch x := value.(type) {
	case map[string]any:
		p.f("%s%s:\n", indent, safe(name))
		for _, k := range slices.Sorted(maps.Keys(x)) {
			p.field(indent+"  ", k, x[k])
		}
	case []any:
		p.f("%s%s:\n", indent, safe(name))
		for i, item := range x {
			p.field(indent+"  ", strconv.Itoa(i+1), item)
		}
	case string:
		p.f("%s%s: %q\n", indent, safe(name), x)
	default:
		p.f("%s%s: %v\n", indent, safe(name), x)
	}
}

// basis shows the keys and the charters they are from.
func (p *printer) basis(keys []Key, rests []Basis) {
	p.heading("Verified")
	for _, k := range keys {
		withdrawn := ""
		if !k.Withdrawn.IsZero() {
			withdrawn = ", withdrawn since " + clock(k.Withdrawn)
		}
		p.row(k.Signed, fmt.Sprintf("by %s, %s, key %s%s", k.Holder, k.Algorithm, k.ID, withdrawn))
	}
	p.heading("Rests on the charters that you trust")
	for _, b := range rests {
		from := fmt.Sprintf("version %d", b.Given)
		if b.Known > b.Given {
			from += fmt.Sprintf("; the file continues it to version %d", b.Known)
		}
		p.row(string(b.Party), from)
		p.words(b.Words["en"])
	}
}

// words are shown in rows of four, as they are read out.
func (p *printer) words(words []string) {
	for row := range slices.Chunk(words, 4) {
		p.row("", strings.Join(row, " "))
	}
}

func (p *printer) compare(u *Untrusted) {
	if u == nil || len(u.Words) == 0 {
		return
	}
	p.f("\nThe file has version %d of a charter of %s. Ask %s by another way for its words; if they are these, trust the charter and verify again.\n",
		u.Version, u.Party, u.Party)
	for _, lang := range party.Languages() {
		p.row(lang, "")
		p.words(u.Words[lang])
	}
}

func (p *printer) notes(notes []string) {
	if len(notes) == 0 {
		return
	}
	p.heading("Notes")
	for _, n := range notes {
		p.f("  – %s\n", n)
	}
}

// algorithm names a signature algorithm, protocol.md#keys.
func algorithm(a key.Algorithm) string {
	switch a {
	case key.Ed25519:
		return "Ed25519"
	case key.MLDSA44:
		return "ML-DSA-44"
	case key.MLDSA65:
		return "ML-DSA-65"
	}
	return "algorithm " + strconv.FormatInt(int64(a), 10)
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func list(parties []traffic.Party) string {
	var out []string
	for _, p := range parties {
		out = append(out, string(p))
	}
	return strings.Join(out, ", ")
}

// safe makes a stranger's word printable: what could steer a terminal or turn a line stands as an escape.
func safe(s string) string {
	q := strconv.Quote(s)
	return cmp.Or(strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`), "-")
}
