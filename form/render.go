package form

import (
	"time"

	"golang.org/x/text/language"

	"detente/traffic"
)

// Message is what a rendering shows of a statement. Everything but Form, Precedence and Plane may be empty.
type Message struct {
	Form       *Form
	Values     Values
	Number     string // such as "XN/NRRC 26-0042"
	From, To   string
	At         time.Time // of release
	Precedence traffic.Precedence
	Plane      traffic.Plane
	Case       string
	Refs       []string     // display numbers of what it answers, corrects or cancels
	Original   language.Tag // the language of the originator's words, the authoritative ones
	Marking    string       // such as "TLP:AMBER"
	Status     []string     // lines on its receipts, in the reader's language already
}

// Document is a statement as one reader sees it: the phrases of the form in his language, the originator's words as they were signed.
type Document struct {
	Lang       language.Tag
	RTL        bool
	Banner     string // the plane, where it is not the real one: to be shown first and last
	Precedence string
	Title      string
	Number     string
	Head       []Entry
	Items      []Item
	Fixed      string // the form's fixed sentence
	Status     []string
	End        string
}

// Entry is one line of the head.
type Entry struct{ Label, Text string }

// Item is one field: a label of the form and what was stated.
type Item struct {
	Label string
	Runs  []Run
}

// Run is a piece of text: the form's own, or the originator's.
type Run struct {
	Text   string
	Quoted bool         // the originator's words, to be set apart and never translated
	Lang   language.Tag // of quoted words
	RTL    bool
}

// Render lays out m for a reader of lang, or of the regime's nearest language.
func (r *Regime) Render(m Message, lang language.Tag) *Document { return &Document{} }

// String is the document as a telegram of 72 columns, for a terminal or a printed page.
func (d *Document) String() string { return "" }

// DTG is t as a date-time group, such as "231415Z NOV 26".
func DTG(t time.Time) string { return "" }
