// Package akn writes the text of an instrument as Akoma Ntoso 3.0 (OASIS LegalDocML), one document for each language, and reads such documents.
// It must never be what is signed: it is a translation, and what it reads is a proposal. What it cannot understand it refuses, with the place.
package akn

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/instrument"
	"detente/instrument/proposal"
	"detente/traffic"
	"detente/wording"
)

// Why a document is not read, written or joined.
var (
	ErrFormat  = errors.New("akn: not a document that can be read") // damaged, too large, with declarations
	ErrRefused = errors.New("akn: the document has what cannot be read")
	ErrText    = errors.New("akn: the text cannot be written")
	ErrJoin    = errors.New("akn: the documents are not one text in several languages")
)

// What a document may have.
const (
	MaxFile    = 4 << 20
	maxDepth   = 48
	maxTokens  = 400_000
	maxClauses = 5_000
	maxText    = 64 << 10 // bytes of a provision
	maxEvents  = 500

	space = "http://docs.oasis-open.org/legaldocml/ns/akn/3.0"
	own   = "urn:detente:akn:1"
)

// Refusal is what a document has that is not read, and where.
type Refusal struct {
	Place string // "article art_1 > paragraph art_1__para_2"
	What  string
}

func (r *Refusal) Error() string { return fmt.Sprintf("%v: %s: %s", ErrRefused, r.Place, r.What) }

// Is tells that it is ErrRefused.
func (r *Refusal) Is(target error) bool { return target == ErrRefused }

// Event is a step in the life of the instrument.
type Event struct {
	Date time.Time // a day
	Name string    // "signature", "entry-into-force"
	Type string    // of the three that the standard has: generation, amendment, repeal
}

// Document is an instrument with what is known about it.
type Document struct {
	instrument.Text
	// Brackets of provisions that are not agreed, by provision and language. They stand in place of the provision's texts.
	Brackets map[string]map[string][]wording.Piece
	Parties  []instrument.Named
	Name     string    // of the instrument, for its address: its dossier in hexadecimal
	Date     time.Time // of its opening
	Events   []Event
}

// Expression is a document in one language, as it was read.
type Expression struct {
	Lang       string
	Languages  []string // all the authentic ones
	Prevailing string
	Title      string
	Names      string // of the parties, as the text has them; empty in documents that were not written here
	Clauses    []Clause
	Parties    []traffic.Party
	Events     []Event
	// Digest is that of the whole text, as the document has it; zero for documents that were not written here.
	Digest [32]byte
}

// Clause is a provision in one language.
type Clause struct {
	ID     string
	Kind   instrument.Kind
	Number string
	Text   string
	// Bracketed tells that parts of it are in brackets: it is then no wording that could be proposed.
	Bracketed bool
}

// Join puts expressions of one text together. Each provision must be in all of them, with the same kind and number. Errors: ErrJoin.
func Join(all ...*Expression) (t instrument.Text, err error) {
	if len(all) == 0 {
		return t, fmt.Errorf("%w: none", ErrJoin)
	}
	first := all[0]
	t = instrument.Text{Title: wording.Texts{}}
	for i, c := range first.Clauses {
		t.Clauses = append(t.Clauses, instrument.Clause{ID: c.ID, Kind: c.Kind, Number: c.Number})
		for _, e := range all {
			if len(e.Clauses) != len(first.Clauses) {
				return t, fmt.Errorf("%w: %s has %d provisions, %s has %d", ErrJoin, first.Lang, len(first.Clauses), e.Lang, len(e.Clauses))
			}
			said := e.Clauses[i]
			if said.ID != c.ID || said.Kind != c.Kind || said.Number != c.Number {
				return t, fmt.Errorf("%w: %s %s %q in %s is %s %s %q in %s", ErrJoin, c.Kind, c.ID, c.Number, first.Lang, said.Kind, said.ID, said.Number, e.Lang)
			}
			if said.Bracketed {
				return t, fmt.Errorf("%w: %s is in brackets", ErrJoin, c.ID)
			}
			if said.Text != "" {
				if t.Clauses[i].Texts == nil {
					t.Clauses[i].Texts = wording.Texts{}
				}
				t.Clauses[i].Texts[e.Lang] = said.Text
			}
		}
	}
	seen := make(map[string]bool)
	for _, e := range all {
		if seen[e.Lang] {
			return t, fmt.Errorf("%w: two of them are in %s", ErrJoin, e.Lang)
		}
		seen[e.Lang] = true
		if e.Title != "" {
			t.Title[e.Lang] = e.Title
		}
		if e.Names != "" {
			if t.Names == nil {
				t.Names = wording.Texts{}
			}
			t.Names[e.Lang] = e.Names
		}
	}
	for _, lang := range first.Languages { // in the order that the text gives them
		if seen[lang] {
			t.Languages = append(t.Languages, lang)
			delete(seen, lang)
		}
	}
	for _, e := range all {
		if seen[e.Lang] {
			t.Languages = append(t.Languages, e.Lang)
		}
	}
	if slices.Contains(t.Languages, first.Prevailing) {
		t.Prevailing = first.Prevailing
	}
	return t, nil
}

// Changes are what a document proposes to change in a text, in its language, and the provisions of the text that it does not have: see
// proposal.Of. What is in brackets is not proposed.
func (e *Expression) Changes(base instrument.Text) (out []proposal.Proposal, missing []string, err error) {
	var seen []proposal.Seen
	add := func(id, number, text string) {
		seen = append(seen, proposal.Seen{Provision: id, Number: number, Lang: e.Lang, Old: text, New: text})
	}
	if e.Title != "" {
		add(instrument.Title, "", e.Title)
	}
	if e.Names != "" {
		add(instrument.Names, "", e.Names)
	}
	for _, c := range e.Clauses {
		if !c.Bracketed {
			add(c.ID, c.Number, c.Text)
		}
	}
	one := base
	for _, lang := range base.Languages {
		if lang == e.Lang {
			one.Languages = []string{lang}
		}
	}
	out, missing, err = proposal.Of(one, seen)
	for i := range out {
		out[i].Untracked = true // the format has no authors of changes
	}
	return out, missing, err
}
