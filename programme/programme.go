// Package programme shows on one page how the six measures between two parties stand, on any date, from what both have stated and nothing else.
// It must never let anything into a board that was stated after its date, nor say that something happened without naming the statement that says so.
package programme

import (
	"embed"
	"time"

	"detente/form"
	"detente/statement"
	"detente/traffic"
)

// Stands is how a measure stands.
type Stands string

// The codes.
const (
	None      Stands = "none"      // nothing was stated of it
	Waiting   Stands = "waiting"   // it was begun, and is not in being yet
	Alive     Stands = "alive"     // it is in being, and nothing is late
	Overdue   Stands = "overdue"   // something is late that was promised, agreed or asked
	Suspended Stands = "suspended" // a party has stated that it is
	Ended     Stands = "ended"
	Unseen    Stands = "unseen" // this node is no member, and is told nothing of it
)

// All lists the codes.
func All() []Stands { return []Stands{None, Waiting, Alive, Overdue, Suspended, Ended, Unseen} }

// The six measures, in the order of the programme.
const (
	Dialogue   = 1 // rounds that take place
	Channels   = 2 // lines that are answered
	Agreement  = 3 // on incidents, and its cases
	Guarantees = 4 // and the windows that they protect
	Experts    = 5 // groups that go on
	Pledge     = 6 // open to all
)

// Measures is how many there are.
const Measures = 6

// Reach is to whom a fact may be shown.
type Reach int

// The reaches.
const (
	Anyone  Reach = iota
	Members       // what is dealt with between the parties
	Conduct       // a figure on how the other side has acted: members, and others once both sides have signed for it
)

// Evidence is a statement that a fact rests on, and the file in which it stands.
type Evidence struct {
	Statement statement.ID
	Number    string // empty where the statement is known by its id alone
	Feed      string // origin of the feed; likewise
	Index     int64
	Kind      string // of the file: statement, case, draft, talk, act
	File      string // id of the file, or its number; empty for the statement itself
}

// Fact is one thing that holds on the date of the board. Every fact but the absence of something has at least one piece of evidence.
type Fact struct {
	Key      string // of a phrase, behind "fact."
	Args     []any  // for its slots: string, int64, time.Time, wording.Texts or Word
	At       time.Time
	Reach    Reach
	Evidence []Evidence
}

// Word is a phrase in a slot of another.
type Word string

// Line is one measure.
type Line struct {
	Measure  int
	Stands   Stands
	Key      string // of the sentence, behind "line.<measure>."
	Args     []any
	Evidence []Evidence // what the sentence rests on, what decided it first
	Facts    []Fact
}

// Board is how the six measures stand between two parties on a date.
type Board struct {
	Of     [2]traffic.Party // sorted
	Plane  traffic.Plane
	On     time.Time // whole seconds
	Public bool      // it may be shown to others
	Lines  [Measures]Line
}

//go:embed phrases
var phraseFiles embed.FS

// Phrases loads the words of boards. Error: form.ErrRegime.
func Phrases() (*form.Phrasebook, error) {
	book, err := form.LoadPhrases(phraseFiles)
	if err != nil {
		return nil, err
	}
	return book, book.Complete()
}
