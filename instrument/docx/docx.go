// Package docx writes a negotiated text as a document for word processors, a column for each language and a row for each provision, and reads it back.
// It must never change a text: what it cannot understand it refuses, with the place, and what it reads is a proposal that a person tables or does not.
package docx

import (
	"errors"
	"fmt"
	"strings"

	"detente/instrument"
	"detente/traffic"
	"detente/wording"
)

// Why a document is not read or written.
var (
	ErrFormat  = errors.New("docx: not a document that can be read")        // damaged, encrypted, too large, with macros
	ErrRefused = errors.New("docx: the document has what cannot be read")   // with the place: see Refusal
	ErrText    = errors.New("docx: the text cannot be written as document") // not in its one form, too many languages
)

// What a document may have.
const (
	MaxFile      = 8 << 20  // bytes, packed
	MaxPart      = 32 << 20 // bytes of the text, unpacked
	MaxColumns   = 6
	maxParts     = 200
	maxRelations = 1 << 20 // bytes of a part that names others, unpacked
	maxDepth     = 40      // elements in each other
	maxTokens    = 4_000_000
	maxRows      = 5_000
	maxCell      = 64 << 10 // bytes
	maxAuthors   = 64       // of changes in a cell
	maxName      = 40       // characters of a bookmark
)

// Refusal is what a document has that is not read, and where.
type Refusal struct {
	Place string // "row 12, column 2 (art.1.2 ru)"
	What  string // in English, for the one who must change the document
}

func (r *Refusal) Error() string { return fmt.Sprintf("%v: %s: %s", ErrRefused, r.Place, r.What) }

// Is tells that it is ErrRefused.
func (r *Refusal) Is(target error) bool { return target == ErrRefused }

// Document is a text with its changes.
type Document struct {
	Languages []string // a column each, in their order
	Rows      []Row
}

// Row is a provision. Its id is that of the clause; the title's is instrument.Title.
type Row struct {
	Provision string
	Kind      instrument.Kind // not in the file: empty in what was read
	Number    string          // its label as it stands before the text: "Article 1"
	Cells     map[string]Cell // by language
}

// Cell is a text and the changes that are proposed in it.
type Cell []Run

// Run is a stretch of it. Op is wording.Same, wording.Added or wording.Gone.
type Run struct {
	Op     byte
	Text   string
	Author string // of a change
}

// Old is the text before all changes.
func (c Cell) Old() string { return c.without(wording.Added) }

// New is the text after all changes.
func (c Cell) New() string { return c.without(wording.Gone) }

func (c Cell) without(op byte) string {
	var b strings.Builder
	for _, r := range c {
		if r.Op != op {
			b.WriteString(r.Text)
		}
	}
	return b.String()
}

// Authors are those of its changes, in their order, each once.
func (c Cell) Authors() (out []string) {
	seen := make(map[string]bool)
	for _, r := range c {
		if r.Op != wording.Same && !seen[r.Author] {
			seen[r.Author] = true
			out = append(out, r.Author)
		}
	}
	return out
}

// Plain is a cell without changes.
func Plain(text string) Cell { return Cell{{Op: wording.Same, Text: text}} }

// Tracked is a text that a party wants otherwise.
func Tracked(lang, old, wanted string, by traffic.Party) (out Cell) {
	for _, c := range wording.Diff(lang, old, wanted) {
		r := Run{Op: c.Op, Text: c.Text}
		if c.Op != wording.Same {
			r.Author = strings.ToUpper(string(by))
		}
		out = append(out, r)
	}
	return out
}

// Of is a text as a document without changes.
func Of(t instrument.Text) *Document {
	d := &Document{Languages: t.Languages}
	d.Rows = append(d.Rows, row(instrument.Title, "", "", t.Title, t.Languages))
	if len(t.Names) > 0 {
		d.Rows = append(d.Rows, row(instrument.Names, "", "", t.Names, t.Languages))
	}
	for _, c := range t.Clauses {
		d.Rows = append(d.Rows, row(c.ID, c.Kind, c.Number, c.Texts, t.Languages))
	}
	return d
}

func row(id string, kind instrument.Kind, number string, texts wording.Texts, langs []string) Row {
	r := Row{Provision: id, Kind: kind, Number: number, Cells: make(map[string]Cell)}
	for _, lang := range langs {
		r.Cells[lang] = Plain(texts[lang])
	}
	return r
}

// Propose writes into a document what a party wants instead, by provision. Provisions that it does not have are left.
func (d *Document) Propose(by traffic.Party, wanted map[string]wording.Texts) {
	for i := range d.Rows {
		texts, ok := wanted[d.Rows[i].Provision]
		if !ok {
			continue
		}
		for lang, cell := range d.Rows[i].Cells {
			if text, ok := texts[lang]; ok && text != cell.New() {
				d.Rows[i].Cells[lang] = Tracked(lang, cell.Old(), text, by)
			}
		}
	}
}
