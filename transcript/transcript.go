// Package transcript writes a dossier out for people: every statement as its form has it, in a reader's language, as text or as pages.
// It must never be taken for evidence, nor depend on anything but the statements and the regime: whoever has both writes the same, to the byte.
package transcript

import (
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/text/language"

	"detente/dossier"
	"detente/form"
	"detente/statement"
	"detente/traffic"
)

//go:embed phrases
var phraseFiles embed.FS

// Case is a dossier to be written out.
type Case struct {
	Channel string // its name
	Members []traffic.Party
	State   *dossier.State
	Regime  *form.Regime
}

// Writer writes transcripts. It is safe for concurrent use.
type Writer struct{ book *form.Phrasebook }

// NewWriter reads the phrases, and holds that every language has all of them.
func NewWriter() (*Writer, error) {
	book, err := form.LoadPhrases(fs.FS(phraseFiles))
	if err == nil {
		err = book.Complete()
	}
	if err != nil {
		return nil, fmt.Errorf("transcript: %w", err)
	}
	return &Writer{book}, nil
}

// Languages are those in which a transcript can be written.
func (w *Writer) Languages() []language.Tag { return w.book.Languages() }

// Sheet is one statement of a transcript, in a language.
type Sheet struct {
	Heading  string         // "1 of 7"
	Document *form.Document // nil where the form is not at hand
	Lines    []string       // in its place
	Standing string
	Files    []string // attachments, with their hashes
}

// Front is the title and the lines before the first statement.
func (w *Writer) Front(c Case, lang language.Tag) (title string, lines []string) {
	say := func(key string, args ...any) string { return w.book.Phrase(lang, key, args...) }
	lines = []string{
		say("channel", fmt.Sprintf("%s (%s)", form.Clean(c.Channel, true, 128), names(c.Members))),
		say("plane", say("plane."+string(c.State.Plane))),
		say("dossier", c.State.ID.String()),
		say("statements", len(c.State.Entries)),
		say("open", len(c.State.Open)),
	}
	if !c.State.Opened {
		lines = append(lines, say("unopened"))
	}
	return say("title"), append(lines, say("state", hex.EncodeToString(c.State.Digest[:])))
}

func names(members []traffic.Party) string {
	out := make([]string, len(members))
	for i, m := range members {
		out[i] = string(m)
	}
	return strings.Join(out, ", ")
}

// Sheets lays out every statement.
func (w *Writer) Sheets(c Case, lang language.Tag) []Sheet {
	numbers := make(map[statement.ID]string, len(c.State.Entries))
	for i := range c.State.Entries {
		e := &c.State.Entries[i]
		numbers[e.Statement.ID()] = traffic.Number(e.Statement.Issuer, e.Feed, e.Index)
	}
	out := make([]Sheet, len(c.State.Entries))
	for i := range c.State.Entries {
		out[i] = w.sheet(c, lang, &c.State.Entries[i], numbers)
		out[i].Heading = w.book.Phrase(lang, "held", i+1, len(c.State.Entries))
	}
	return out
}

func (w *Writer) sheet(c Case, lang language.Tag, e *dossier.Entry, numbers map[statement.ID]string) (out Sheet) {
	say := func(key string, args ...any) string { return w.book.Phrase(lang, key, args...) }
	s := e.Statement
	out.Standing = say("standing", say("standing."+string(e.Standing), e.Why))
	m := form.Message{
		Number: numbers[s.ID()], From: s.Issuer.String(), To: s.Audience, At: s.IssuedAt, Precedence: s.Precedence, Plane: s.Plane, Marking: s.Marking,
	}
	m.Original, _ = language.Parse(s.Language)
	if s.Audience == statement.Everyone {
		m.To = names(c.Members)
	}
	if s.Case() != s.ID() {
		m.Case = s.Case().Short()
	}
	for _, id := range s.Refs {
		name, ok := numbers[id]
		if !ok {
			name = id.Short()
		}
		m.Refs = append(m.Refs, name)
	}
	fm, known := c.Regime.Form(s.Form, s.Version)
	if !known {
		out.Lines = []string{numbers[s.ID()], say("unknown", form.Clean(s.Form, true, 64), s.Version)}
		return out
	}
	v, err := fm.Decode(s.Payload)
	if err != nil { // an invalid statement, whose fields the form refuses
		out.Lines = []string{numbers[s.ID()]}
		return out
	}
	m.Form, m.Values = fm, v
	out.Document = c.Regime.Render(m, lang)
	for _, b := range fm.Blobs(v) {
		out.Files = append(out.Files, say("attachment", form.Clean(b.Name, true, 255), fmt.Sprint(b.Size), hex.EncodeToString(b.Hash[:])))
	}
	return out
}

// RTL tells whether a language is written from right to left.
func (w *Writer) RTL(lang language.Tag) bool { return w.book.RTL(lang) }

// Page is the number of a page, as a language writes it.
func (w *Writer) Page(lang language.Tag, n, of int) string { return w.book.Phrase(lang, "page", n, of) }

// Text is the transcript as a text file, in lines of at most 72 columns where words allow.
func (w *Writer) Text(c Case, lang language.Tag) string {
	var b strings.Builder
	mark := ""
	if w.book.RTL(lang) {
		mark = "\u200f" // so that a line that begins with a Latin word runs like the others
	}
	line := func(s string) {
		if s != "" {
			b.WriteString(mark + s)
		}
		b.WriteByte('\n')
	}
	title, front := w.Front(c, lang)
	line(title)
	for _, l := range front {
		line(l)
	}
	for _, s := range w.Sheets(c, lang) {
		line("")
		line(strings.Repeat("═", 72))
		line(s.Heading + " · " + s.Standing)
		line("")
		if s.Document != nil {
			b.WriteString(s.Document.String())
		}
		for _, l := range append(s.Lines, s.Files...) {
			line(l)
		}
	}
	return b.String()
}
