// Package yearly is the pack for a round that reviews an agreement: from the record of a period the cases, the figures, what changed and what is still to be done.
// It must never let anything but the entries below the pack's cut decide, nor name a list complete while something of the record is missing here.
package yearly

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"detente/ledger"
	"detente/statement"
	"detente/traffic"
)

// Errors that a caller decides on.
var (
	ErrIncomplete = errors.New("yearly: the record is not complete here") // what is missing: see Incomplete
	ErrPeriod     = errors.New("yearly: not a period that a pack can be made of")
	ErrTooMuch    = errors.New("yearly: the period has more statements than a pack holds")
	ErrPack       = errors.New("yearly: not a pack, or not as it was made")
)

// Type is the first member of a pack, protocol.md#pack.
const Type = "detente-pack.v1"

// Pack is what a round is given. It is the same at every end that holds the same entries below the cut, to the byte. It names no author: which party reads it
// first is for the paper.
type Pack struct {
	Type      string            `json:"type"`
	Series    string            `json:"series"` // id of the statement that opened it
	Number    string            `json:"number"` // of the statement that opened the series
	Round     int               `json:"round"`
	Name      map[string]string `json:"name"`
	Basis     string            `json:"basis,omitempty"` // manifest of the agreement, in hex
	Plane     traffic.Plane     `json:"plane"`
	Parties   []traffic.Party   `json:"parties"`
	Members   []Member          `json:"members"`
	Languages []string          `json:"languages"`
	From      time.Time         `json:"from"`
	To        time.Time         `json:"to"` // not in it
	Channels  []Channel         `json:"channels"`
	Agreed    []Case            `json:"agreed"`
	Disputed  []Case            `json:"disputed"`
	Sent      []Sent            `json:"sent"`
	Accounts  []Account         `json:"accounts"`
	Checks    []Checks          `json:"checks"`
	Contacts  []ContactChange   `json:"contacts"`
	Codes     []CodeChange      `json:"codes"`
	Charters  []CharterChange   `json:"charters"`
	Actions   []Action          `json:"actions"`
	// Lacks is empty in a pack that may be given to anybody. One that has some is good for comparing only.
	Lacks  []Lack `json:"lacks,omitempty"`
	Digest string `json:"digest"` // SHA-256 of the pack without this member, protocol.md#pack
}

// Member is a party as its charter has it, in the newest version that the record names.
type Member struct {
	Party     traffic.Party     `json:"party"`
	Charter   int               `json:"charter"`
	Names     map[string]string `json:"names"`
	Languages []string          `json:"languages"`
}

// Channel is one whose record is in the pack.
type Channel struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Regime string `json:"regime"`
	Feeds  []Feed `json:"feeds"` // the cut
}

// Feed is how far the record of one feed goes.
type Feed struct {
	Party      traffic.Party      `json:"party"`
	Precedence traffic.Precedence `json:"precedence"`
	Epoch      int                `json:"epoch"`
	Size       int64              `json:"size"` // entries below the cut
	Root       string             `json:"root"` // of the tree of that size
	// Statements of the period, each as its number, a space and its id, in the order of the feed.
	Statements []string `json:"statements"`
}

// Case is one case on one channel, as it stood at the end of the period.
type Case struct {
	Case     string        `json:"case"`   // its number, or that of its first statement where it bears none
	Number   string        `json:"number"` // of its first statement
	Dossier  string        `json:"dossier"`
	Channel  string        `json:"channel"` // name
	Opener   traffic.Party `json:"opener"`
	Opened   time.Time     `json:"opened"`
	Form     string        `json:"form"`  // that opened it
	State    string        `json:"state"` // of the matter that leads
	Leads    string        `json:"leads"` // the kind of that matter
	Outcome  string        `json:"outcome,omitempty"`
	Closed   *time.Time    `json:"closed,omitempty"`
	Review   bool          `json:"review"` // a side has carried it to the review
	Overdue  int           `json:"overdue"`
	Severity []Severity    `json:"severity"`
	Said     int           `json:"said"`   // statements in it
	Digest   string        `json:"digest"` // of the dossier's state
	Contests []Contest     `json:"contests"`
}

// Severity is how serious a side takes a case to be.
type Severity struct {
	By    traffic.Party `json:"by"`
	Level string        `json:"level"`
}

// Contest is what one side does not grant the other.
type Contest struct {
	By     traffic.Party `json:"by"`
	What   string        `json:"what"` // see Contests
	Number string        `json:"number"`
	ID     string        `json:"id"`
	At     time.Time     `json:"at"`
}

// Sent is how many statements of the period a party made on a channel.
type Sent struct {
	Channel    string             `json:"channel"`
	Party      traffic.Party      `json:"party"`
	Precedence traffic.Precedence `json:"precedence"`
	Valid      int                `json:"valid"`
	Invalid    int                `json:"invalid"`
}

// Account is the ledger of a channel, as package ledger draws it, closed at the end of the period.
type Account struct {
	Channel string   `json:"channel"`
	Digest  string   `json:"digest"` // of the account, protocol.md#ledger
	Figures []Figure `json:"figures"`
}

// Figure is one of the ledger. The ids of the requests behind it are in the account's digest, and not here.
type Figure struct {
	ledger.Figure
	Behind []statement.ID `json:"behind,omitempty"` // in place of the ledger's own: always empty
}

// Checks counts the checks from one party to another, by what their level asks for: from level 2 on, a person.
type Checks struct {
	Channel  string        `json:"channel"`
	From     traffic.Party `json:"from"`
	To       string        `json:"to"`
	Level    int           `json:"level"`
	Sent     int           `json:"sent"`
	Answered int           `json:"answered"` // in time
	Late     int           `json:"late"`
	Missed   int           `json:"missed"`
	Waiting  int           `json:"waiting"`
}

// ContactChange is a point of contact that is another at the end of the period than at its beginning.
type ContactChange struct {
	Channel string        `json:"channel"`
	Party   traffic.Party `json:"party"`
	Name    string        `json:"name"`
	Change  string        `json:"change"` // added, changed or withdrawn
	Fields  []FieldChange `json:"fields"`
	ID      string        `json:"id"` // that said so last
}

// FieldChange is what a field said before and says now.
type FieldChange struct {
	Field string `json:"field"`
	Was   string `json:"was"`
	Is    string `json:"is"`
}

// CodeChange is a signal of the codebook that the sides agreed on in the period.
type CodeChange struct {
	Channel string        `json:"channel"`
	By      traffic.Party `json:"by"`
	Action  string        `json:"action"` // try, adopt or retire
	Signal  int64         `json:"signal"`
	Meaning string        `json:"meaning"`
	ID      string        `json:"id"`
	Agreed  time.Time     `json:"agreed"`
}

// CharterChange is a new version of a party's charter.
type CharterChange struct {
	Party   traffic.Party  `json:"party"`
	Version int            `json:"version"`
	Issued  time.Time      `json:"issued"`
	Hash    string         `json:"hash"`
	Added   []traffic.Post `json:"added"`
	Gone    []traffic.Post `json:"gone"`
	Rekeyed []traffic.Post `json:"rekeyed"` // posts that were there and have other keys
}

// Action is what is still to be done.
type Action struct {
	Talk   string            `json:"talk"` // number of the statement that opened the series or group
	Name   map[string]string `json:"name"`
	Round  int               `json:"round"` // that resolved it, 0 in a group
	Number string            `json:"number"`
	ID     string            `json:"id"`
	Owner  string            `json:"owner"`
	Due    time.Time         `json:"due"`
	Late   bool              `json:"late"`
	Words  map[string]string `json:"words"`
	Note   string            `json:"note,omitempty"`
}

// The kinds of what is missing.
const (
	NotCosigned    = "not-cosigned"    // an own statement of which the other side has not said that it holds it
	NotHeld        = "not-held"        // an entry that its party has, and this node has not
	Silent         = "silent"          // an own feed of which entries that were signed are missing here
	NoAttachment   = "attachment"      // a file that a statement names
	UnknownCharter = "charter-unknown" // an entry that cannot be judged before a charter comes
)

// Lack is one thing of the record that is missing, here or at the other side.
type Lack struct {
	Kind    string        `json:"kind"`
	Channel string        `json:"channel"`
	Feed    string        `json:"feed"`             // its origin
	Index   int64         `json:"index"`            // of the entry; of several, the first
	Entries int64         `json:"entries"`          // how many; 0 where it is not known
	Number  string        `json:"number,omitempty"` // of the statement, where it is known
	Party   traffic.Party `json:"party"`            // who lacks it, or whose it is
	File    string        `json:"file,omitempty"`   // of an attachment, its SHA-256
}

// String says it for a person.
func (l Lack) String() string {
	at := fmt.Sprintf("%s, entry %d", l.Feed, l.Index)
	switch {
	case l.Entries == 0:
		at = fmt.Sprintf("%s, from entry %d on", l.Feed, l.Index)
	case l.Entries > 1:
		at = fmt.Sprintf("%s, entries %d to %d", l.Feed, l.Index, l.Index+l.Entries-1)
	}
	if l.Number != "" {
		at = l.Number + " (" + at + ")"
	}
	switch l.Kind {
	case NotCosigned:
		return fmt.Sprintf("%s: %s has not said that it holds it", at, l.Party)
	case NotHeld:
		return fmt.Sprintf("%s: %s has it, and it is not held here", at, l.Party)
	case Silent:
		return fmt.Sprintf("%s: it was signed here, and is not held here any more", at)
	case NoAttachment:
		return fmt.Sprintf("%s: the file %s has not come", at, l.File)
	}
	return fmt.Sprintf("%s: a charter of %s has not come", at, l.Party)
}

// Incomplete is why there is no pack. It wraps ErrIncomplete.
type Incomplete struct{ Lacks []Lack }

// mostNamed is how many are named to a person at once.
const mostNamed = 40

func (e *Incomplete) Error() string {
	var b strings.Builder
	b.WriteString(ErrIncomplete.Error())
	for i, l := range e.Lacks {
		if i == mostNamed {
			fmt.Fprintf(&b, "\n  and %d more", len(e.Lacks)-i)
			break
		}
		b.WriteString("\n  " + l.String())
	}
	return b.String()
}

// Unwrap gives ErrIncomplete.
func (e *Incomplete) Unwrap() error { return ErrIncomplete }

// Whole gives the pack if nothing of its record is missing. Error: *Incomplete.
func (p *Pack) Whole() (*Pack, error) {
	if len(p.Lacks) > 0 {
		return nil, &Incomplete{p.Lacks}
	}
	return p, nil
}
