// Package instrument folds the statements of a negotiation: who stands on which wording of which provision, what is agreed, and how far the instrument has
// come, from its tabling to its end. It must never look at a clock, a database or anything that only one side knows: all parties compute the same.
package instrument

import (
	"time"

	"detente/form"
	"detente/statement"
	"detente/traffic"
	"detente/wording"
)

// Ids of provisions that are not clauses.
const (
	Structure = "structure" // the order of the clauses, itself negotiated
	Title     = "title"     // the title, where somebody wants another than the negotiation was opened with
	Names     = "names"     // how the parties are called in each language: lines "<party>[:<case>] <name>"
)

// Item is a statement of a negotiation's dossier, or one of full powers that the channel holds outside of it.
type Item struct {
	ID       statement.ID
	Issuer   traffic.Address
	Audience string // an address, or statement.Everyone
	At       time.Time
	Channel  [32]byte
	Plane    traffic.Plane
	Form     string
	Refs     []statement.ID
	Clock    int64
	Values   form.Values // nil for what the regime cannot read
	// Void says why the dossier leaves it without effect (invalid, or out of its order); empty for a statement that counts.
	Void string
	// Cancelled by its own author: it has no effect.
	Cancelled bool
}

// Entry is a statement and what the fold made of it.
type Entry struct {
	Item
	Why     string   // why it has no effect; empty for one that has, see Reasons
	Remarks []string // what an officer should notice in one that has, see Remarks
}

// Negotiation is what the statements of a dossier make of it. It is the same on every side that holds the same statements.
type Negotiation struct {
	ID         statement.ID // of the opening statement; zero while there is none
	Opening    Opening
	Provisions map[string]*Provision // by id, the reserved ones too
	Packages   []*Package            // in their order, those that were withdrawn too
	Comments   []Comment             // and non-papers
	Manifests  []*Manifest           // in their order
	Powers     []*Powers             // in their order
	Notes      []*Note               // of an exchange, those that count
	Steps      []*Step               // on the ladder, in their order
	Entries    []Entry               // all of them, in the canonical order, protocol.md#clock
	Frozen     *Manifest             // that all have authenticated first; nil while the text may still be moved

	turns []turn
}

// Opening is what opened the negotiation.
type Opening struct {
	Statement  statement.ID
	By         traffic.Address
	At         time.Time
	Title      wording.Texts
	Kind       string // treaty, exchange-of-notes, joint-statement, …
	Nature     string // legal or political
	Languages  []string
	Prevailing string // empty: none
	Parties    []traffic.Party
	Template   string
	Case       string
	Amends     [32]byte // hash of the manifest that it amends
	Remarks    string
}

// Legal tells whether the parties mean to be bound by law.
func (o *Opening) Legal() bool { return o.Nature == "legal" }

// Provision is what the parties say of one provision.
type Provision struct {
	ID string
	// Stands has the last word of each party that stands on some wording.
	Stands map[traffic.Party]Stand
	// Reopened counts how often it was agreed and then was not.
	Reopened int
	// Wordings are all that were tabled, by digest.
	Wordings map[[32]byte]Wording
	// Commitments to a wording that is not yet shown, those that were revealed too.
	Commitments []*Commitment

	whole  bool     // all stand on one wording, whatever packages say
	digest [32]byte // of that
	agreed bool
}

// Wording is what a provision might say: texts, or for the structure an order.
type Wording struct {
	Texts wording.Texts
	Order string // of the structure
	By    traffic.Party
	First statement.ID // that tabled it
}

// Stand is what a party wants a provision to say.
type Stand struct {
	Digest    [32]byte
	Texts     wording.Texts // nil for the structure
	Order     string        // of the structure
	Reserved  string        // code of its reservation; empty: none
	Words     string        // of the reservation
	Package   statement.ID  // that it is a part of; zero: none
	Kind      string        // position, acceptance, reservation or package
	Statement statement.ID
	At        time.Time
}

// Commitment binds a party to a wording that it shows when the others have committed themselves too.
type Commitment struct {
	Provision string
	By        traffic.Party
	With      []traffic.Party
	Digest    [32]byte
	Statement statement.ID
	Revealed  statement.ID // zero while it is not
	Passed    bool         // its author took another position instead
}

// Package is what a party agrees to only together.
type Package struct {
	Name      string
	By        traffic.Party
	Items     map[string][32]byte // digest by provision
	Statement statement.ID
	Withdrawn bool
}

// Comment is what a party says without a position, on a provision or on all.
type Comment struct {
	By        traffic.Address
	Provision string // empty: all
	Words     string
	Paper     bool // a non-paper
	Statement statement.ID
	At        time.Time
}

// Kind is the kind of a clause.
type Kind string

// The kinds of clauses. Texts of the first three are their heading.
const (
	Chapter   Kind = "chapter"
	Article   Kind = "article"
	Annex     Kind = "annex"
	Preamble  Kind = "preamble"  // an unnumbered paragraph before the first article
	Paragraph Kind = "paragraph" // numbered, unless it is the only one of its article
	Point     Kind = "point"     // (a)
	Subpoint  Kind = "subpoint"  // (i)
	Passage   Kind = "passage"   // unnumbered, goes on after points
	Closing   Kind = "closing"   // the unnumbered end: done at …
)

// Kinds lists the kinds of clauses.
func Kinds() []Kind {
	return []Kind{Preamble, Chapter, Article, Paragraph, Point, Subpoint, Passage, Annex, Closing}
}

// Heads tells whether the texts of such a clause are a heading, which may be missing.
func (k Kind) Heads() bool { return k == Chapter || k == Article || k == Annex }

// Clause is a provision in its place.
type Clause struct {
	ID     string
	Kind   Kind
	Number string // "1" of an article or paragraph, "II" of a chapter, "a" of a point, "i" of a subpoint; empty: none. Label has it for print
	Texts  wording.Texts
}

// Text is the canonical text of an instrument, in all its languages. Signed is this, never a print.
type Text struct {
	Title      wording.Texts
	Languages  []string // the authentic ones, in their order
	Prevailing string   // in case of divergence; empty: none
	Clauses    []Clause
	Names      wording.Texts // how the parties are called, where that was agreed: see Named
}

// Rolling is the text as it stands in negotiation: of each clause, who wants what.
type Rolling struct {
	Languages []string
	Structure bool // whether the structure shown is agreed; else it is that of Order
	Order     traffic.Party
	Clauses   []RollingClause
}

// RollingClause is a clause with its brackets.
type RollingClause struct {
	Clause          // Texts are those that all stand on, nil while they differ
	Outside  bool   // in no structure that is shown
	Agreed   bool   // by Negotiation.Agreed, or a heading that nobody wants
	Why      string // why it is not agreed
	Reopened int
	Reserved map[traffic.Party]string   // codes of reservations
	Silent   []traffic.Party            // those that stand nowhere
	Brackets map[string][]wording.Piece // by language
}
