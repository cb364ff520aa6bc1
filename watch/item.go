// Package watch is what needs somebody: items, their order, the ladder by which people are called, and which calls were made.
// It must never take an item for a person, nor call the same person twice for the same thing.
package watch

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"detente/roster"
	"detente/statement"
	"detente/traffic"
)

// Kind is what an item asks for.
type Kind string

// The kinds of items.
const (
	Acknowledge Kind = "acknowledge" // a statement waits for an acknowledgement from here
	Answer      Kind = "answer"      // a statement waits for an answer from here
	Info        Kind = "info"        // a post of this party is an information addressee, and is to read it
	Missed      Kind = "missed"      // a time limit has passed: another party's, or an own one although somebody had taken the item
	Alarm       Kind = "alarm"       // what packages below say a person must know
	Check       Kind = "check"       // a communication check is overdue
	Directory   Kind = "directory"   // an entry of the directory is stale
	Roster      Kind = "roster"      // nobody is on duty
	Release     Kind = "release"     // a draft waits for a second person
	Match       Kind = "match"       // indicators that another party shared concern own systems
	Review      Kind = "review"      // objects that a tool added wait for a person before they are stated
	Case        Kind = "case"        // a case asks for something beside acknowledgements and answers
	Instrument  Kind = "instrument"  // an instrument in negotiation or in force asks for something
	Dialogue    Kind = "dialogue"    // a series of consultations or a group asks for something
)

// Item is one thing that needs somebody.
type Item struct {
	Key        string // the same for one thing for ever, on every process of the party: made by [Key]
	Kind       Kind
	Post       traffic.Post
	Plane      traffic.Plane
	Precedence traffic.Precedence
	Say        string // phrase for its title; "item." stands before it
	Args       []any  // of the phrase: strings, numbers, times
	Statement  statement.ID
	Number     string
	Form       string
	Channel    [32]byte
	Peer       traffic.Party
	Since      time.Time     // from when the ladder runs
	Handling   time.Duration // over which the ladder is spread; 0 for that of the precedence
	Due        time.Time     // zero when nothing runs out
	First      roster.Role   // whom the ladder calls first; empty for the duty officer
	Sticky     bool          // it stays, though its cause has gone, until a person has taken it
	Taken      *Taken
	Ended      time.Time // when its cause went
}

// Taken is who took an item, and when.
type Taken struct {
	By   string // officer
	Role string // duty role
	At   time.Time
}

// Overdue tells whether the item has run out.
func (it *Item) Overdue(now time.Time) bool { return !it.Due.IsZero() && !now.Before(it.Due) }

// maxKey is what the journal takes.
const maxKey = 200

// Key makes the key of an item of its parts.
func Key(kind Kind, parts ...string) string {
	key := string(kind) + ":" + strings.Join(parts, ":")
	return key[:min(len(key), maxKey)]
}

// KindOf is the kind of the item with a key.
func KindOf(key string) Kind {
	kind, _, _ := strings.Cut(key, ":")
	return Kind(kind)
}

// Handling is how long a watch has by default to take something of a precedence in hand.
func Handling(p traffic.Precedence) time.Duration {
	switch p {
	case traffic.Flash:
		return 10 * time.Minute
	case traffic.Immediate:
		return 30 * time.Minute
	case traffic.Priority:
		return 3 * time.Hour
	}
	return 6 * time.Hour
}

// Within is the time over which the ladder of the item is spread.
func (it *Item) Within() time.Duration {
	if it.Handling > 0 {
		return it.Handling
	}
	return Handling(it.Precedence)
}

// Compare is the order of the board: the higher precedence first, of one precedence what runs out first, then what is oldest. What nobody
// has to do by a time stands behind what runs out.
func Compare(a, b *Item) int {
	runsOut := func(it *Item) int64 {
		if it.Due.IsZero() {
			return 1<<63 - 1
		}
		return it.Due.UnixNano()
	}
	return cmp.Or(
		cmp.Compare(b.Precedence.Rank(), a.Precedence.Rank()),
		cmp.Compare(planeRank(a.Plane), planeRank(b.Plane)),
		cmp.Compare(runsOut(a), runsOut(b)),
		a.Since.Compare(b.Since),
		cmp.Compare(a.Key, b.Key),
	)
}

// planeRank puts what is real before what is an exercise or a test of the same precedence.
func planeRank(p traffic.Plane) int { return slices.Index(traffic.Planes(), p) }

// Sort puts items into the order of the board.
func Sort(items []*Item) { slices.SortFunc(items, Compare) }
