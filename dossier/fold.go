package dossier

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"detente/form"
	"detente/statement"
	"detente/traffic"
)

// Standing is how a statement stands in its dossier.
type Standing string

// The standings. The first that applies, read from the bottom up, is the one shown.
const (
	Noted        Standing = "noted"        // asks for nothing
	Open         Standing = "open"         // asks for an acknowledgement or an answer, and has had no reply
	Acknowledged Standing = "acknowledged" // a reply has come; an answer may still be due
	Answered     Standing = "answered"
	Corrected    Standing = "corrected"    // by a later statement of its own party; what it asks for it still asks for
	Cancelled    Standing = "cancelled"    // likewise; it asks for nothing any more, and what it replied to has no reply by it
	OutOfOrder   Standing = "out-of-order" // valid, but the dossier does not permit it: shown, without effect
	Invalid      Standing = "invalid"      // its entry is invalid, protocol.md#held: shown, without effect
)

// Why a statement is out of order.
const (
	RefUnknown   = "ref-unknown"   // refers to a statement that the dossier does not hold
	RefLater     = "ref-later"     // refers to a statement that comes after it in the canonical order
	RefVoid      = "ref-void"      // refers to a statement that is itself invalid or out of order
	NoReply      = "no-reply"      // its form does not reply to the form it refers to
	OwnStatement = "own-statement" // replies to a statement of its own party
	OtherParty   = "other-party"   // corrects or cancels a statement of another party
	NotAddressed = "not-addressed" // replies to a statement that was addressed to another party
)

// Objections lists why a statement may be out of order.
func Objections() []string {
	return []string{RefUnknown, RefLater, RefVoid, NoReply, OwnStatement, OtherParty, NotAddressed}
}

// Forms that a fold must know by name. Which form replies to which, and what asks for a reply, the regime says.
const (
	formAcknowledgement = "acknowledgement"
	formInterim         = "interim"
	formCorrection      = "correction"
	formCancellation    = "cancellation"
	formTranslation     = "translation"
)

// Entry is one statement with its standing. The ids are zero where there is none.
type Entry struct {
	Item
	Standing       Standing
	Why            string       // the reason, when the standing is Invalid or OutOfOrder
	AcknowledgedBy statement.ID // the first reply of any kind
	AnsweredBy     statement.ID // the first reply that settles what was asked
	CorrectedBy    statement.ID // the last correction
	CancelledBy    statement.ID
	// What is still due from the addressee.
	AwaitsAcknowledgement bool
	AwaitsAnswer          bool
	ReplyBy               time.Time // by when its author needs the answer; zero where it does not say
	ExtendedTo            time.Time // until when the first interim reply that asks for more time asks for it
}

// State is a dossier folded: the same on every side that holds the same statements.
type State struct {
	Name
	Opened  bool           // the statement that opened it is held; a false one says "opening statement not held"
	Entries []Entry        // in the canonical order, protocol.md#clock
	Open    []statement.ID // those from which an acknowledgement or an answer is still due
	Digest  [32]byte       // of all of the above, for the sides to compare
}

// Fold computes the state of a dossier under the regime of its channel. It is a function of the set of statements and their reasons: the
// order of items, and what of them is only local (Held), do not enter it. Items of other dossiers are left out.
//
// It goes over the entries twice. Forwards, each is permitted or found out of order by what precedes it. Backwards, each that has not been
// cancelled by a later one takes effect on those it refers to; since effects only ever point back, what is known of an entry when it is
// reached is final.
func Fold(n Name, items []Item, r *form.Regime) *State {
	s := &State{Name: n}
	f := fold{regime: r, place: make(map[statement.ID]int)}
	for _, it := range items {
		if of, ok := nameIn(it.Feed, it.Statement.Case()); ok && of == n {
			f.entries = append(f.entries, Entry{Item: it})
		}
	}
	f.arrange()
	for i := range f.entries {
		f.permit(i)
	}
	for i := len(f.entries) - 1; i >= 0; i-- {
		f.settle(i)
	}
	s.Entries = f.entries
	_, s.Opened = f.place[n.ID]
	for i := range s.Entries {
		if e := &s.Entries[i]; e.AwaitsAcknowledgement || e.AwaitsAnswer {
			s.Open = append(s.Open, e.Statement.ID())
		}
	}
	s.Digest = s.digest()
	return s
}

// Find gives the entry of a statement, nil when the dossier does not hold it.
func (s *State) Find(id statement.ID) *Entry {
	i := slices.IndexFunc(s.Entries, func(e Entry) bool { return e.Statement.ID() == id })
	if i < 0 {
		return nil
	}
	return &s.Entries[i]
}

type fold struct {
	regime  *form.Regime
	entries []Entry
	place   map[statement.ID]int // where each stands in entries
}

// arrange brings the entries into the canonical order (clock, issuer, id), each statement once. Of several copies a valid one stands, so
// that a party cannot void another's statement by logging it as its own; among equals the one in the lowest feed.
func (f *fold) arrange() {
	slices.SortFunc(f.entries, func(a, b Entry) int {
		idA, idB := a.Statement.ID(), b.Statement.ID()
		return cmp.Or(
			cmp.Compare(a.Statement.Clock, b.Statement.Clock),
			cmp.Compare(a.Statement.Issuer.String(), b.Statement.Issuer.String()),
			bytes.Compare(idA[:], idB[:]),
			compareBool(a.Reason != "", b.Reason != ""),
			compareFeeds(a.Feed, b.Feed),
			cmp.Compare(a.Index, b.Index),
		)
	})
	f.entries = slices.CompactFunc(f.entries, func(a, b Entry) bool { return a.Statement.ID() == b.Statement.ID() })
	for i, e := range f.entries {
		f.place[e.Statement.ID()] = i
	}
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// compareFeeds orders the feeds of one channel and plane.
func compareFeeds(a, b traffic.Feed) int {
	return cmp.Or(cmp.Compare(a.Party, b.Party), cmp.Compare(a.Precedence, b.Precedence), cmp.Compare(a.Epoch, b.Epoch))
}

// form is the form of an entry, nil when the regime does not know it; then the entry asks for nothing and replies to nothing.
func (f *fold) form(e *Entry) *form.Form {
	fm, _ := f.regime.Form(e.Statement.Form, e.Statement.Version)
	return fm
}

// permit finds the entry invalid, out of order, or in order (Noted until it is settled).
func (f *fold) permit(i int) {
	e := &f.entries[i]
	if e.Reason != "" {
		e.Standing, e.Why = Invalid, e.Reason
		return
	}
	e.Standing = Noted
	// A form that refers to exactly one statement is about that statement; where a form refers to any number it cites, and may cite another
	// dossier.
	if fm := f.form(e); fm != nil && fm.Refs == form.RefsOne {
		if e.Why = f.objection(i, fm); e.Why != "" {
			e.Standing = OutOfOrder
		}
	}
}

// objection tells what is wrong with an entry that is about one other, "" when nothing is.
func (f *fold) objection(i int, fm *form.Form) string {
	e := &f.entries[i]
	if len(e.Statement.Refs) != 1 {
		return RefUnknown // a judge has seen to it that there is one; the fold does not depend on that
	}
	at, ok := f.place[e.Statement.Refs[0]]
	switch {
	case !ok:
		return RefUnknown
	case at >= i:
		return RefLater
	}
	about := &f.entries[at]
	own := about.Statement.Issuer.Party == e.Statement.Issuer.Party
	switch {
	case about.Standing == Invalid || about.Standing == OutOfOrder:
		return RefVoid
	case fm.ID == formCorrection || fm.ID == formCancellation:
		if !own {
			return OtherParty
		}
	case fm.ID == formTranslation: // of anybody's words by anybody: it replies to nothing, and has no effect
	case !f.replies(fm, about):
		return NoReply
	case own:
		return OwnStatement
	case !addressed(about.Statement, e.Statement.Issuer.Party):
		return NotAddressed
	}
	return ""
}

// replies tells whether the form replies to the entry: the regime lists it, or it acknowledges what asks for an acknowledgement.
func (f *fold) replies(fm *form.Form, to *Entry) bool {
	other := f.form(to)
	if other == nil {
		return false
	}
	return slices.Contains(other.AnswersWith, fm.ID) || fm.ID == formAcknowledgement && other.MustAcknowledge != ""
}

func addressed(s *statement.Statement, p traffic.Party) bool {
	if s.Audience == statement.Everyone {
		return true
	}
	a, err := traffic.ParseAddress(s.Audience)
	return err == nil && a.Party == p
}

// settle gives an entry its final standing and, unless it is void, its effect on the entries before it.
func (f *fold) settle(i int) {
	e := &f.entries[i]
	if e.Standing == Invalid || e.Standing == OutOfOrder {
		return
	}
	fm := f.form(e)
	if fm == nil {
		return
	}
	var none statement.ID
	acknowledged, answered := e.AcknowledgedBy != none, e.AnsweredBy != none
	switch asks := fm.MustAcknowledge != "" || fm.MustAnswer != ""; {
	case e.CancelledBy != none:
		e.Standing = Cancelled
		return // without effect
	case e.CorrectedBy != none:
		e.Standing = Corrected
	case answered:
		e.Standing = Answered
	case acknowledged:
		e.Standing = Acknowledged
	case asks:
		e.Standing = Open
	}
	e.AwaitsAcknowledgement = fm.MustAcknowledge != "" && !acknowledged
	if e.AwaitsAnswer = fm.MustAnswer != "" && !answered; e.AwaitsAnswer {
		e.ReplyBy = moment(e, fm, fieldReplyBy)
	}
	for _, id := range e.Statement.Refs {
		if at, ok := f.place[id]; ok && at < i {
			f.affect(e, fm, &f.entries[at])
		}
	}
}

// affect applies a live entry to one that it refers to. It is called from the last entry to the first, so a later call comes from an
// earlier entry: the first reply stands, and the last correction.
func (f *fold) affect(e *Entry, fm *form.Form, about *Entry) {
	id, own := e.Statement.ID(), about.Statement.Issuer.Party == e.Statement.Issuer.Party
	switch {
	case about.Standing == Invalid || about.Standing == OutOfOrder:
	case own && fm.ID == formCancellation:
		about.CancelledBy = id
	case own && fm.ID == formCorrection:
		if about.CorrectedBy == (statement.ID{}) {
			about.CorrectedBy = id
		}
	case !own && f.replies(fm, about) && addressed(about.Statement, e.Statement.Issuer.Party):
		about.AcknowledgedBy = id
		if fm.ID == formInterim {
			if until := moment(e, fm, fieldExtended, fieldExpected); !until.IsZero() {
				about.ExtendedTo = until
			}
		}
		if fm.ID != formAcknowledgement && fm.ID != formInterim && f.settles(about) {
			about.AnsweredBy = id
		}
	}
}

// settles tells whether a reply can answer the entry: it asks for an answer, or asks for nothing and yet has forms that reply to it.
func (f *fold) settles(about *Entry) bool {
	fm := f.form(about)
	return fm != nil && (fm.MustAnswer != "" || fm.MustAcknowledge == "")
}
