// Package acts computes who is bound by an instrument that is open to many, from the dated acts of its participants: on any day, as known at any time.
// It must never lose an act nor decide who is a state: what has no effect stays, with the reason, and who may take part is a rule of the instrument.
package acts

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"detente/form"
	"detente/traffic"
)

// Kind is what an act does.
type Kind string

// The kinds of acts, protocol.md#acts. Those of a way into the instrument are listed by Consents.
const (
	Open              Kind = "open"             // opened for signature; adoption before it is Adopt
	Adopt             Kind = "adopt"            // the text was adopted
	Sign              Kind = "sign"             // manner: simple, definitive, ad-referendum
	Confirm           Kind = "confirm"          // of a signature ad referendum, or of a reservation made at signature (regarding)
	Ratify            Kind = "ratify"           // consent to be bound
	Accept            Kind = "accept"           //
	Approve           Kind = "approve"          //
	Accede            Kind = "accede"           //
	FormallyConfirm   Kind = "formally-confirm" // what ratification is to an organisation
	Consent           Kind = "consent"          // by any other means agreed
	Succeed           Kind = "succeed"          // to the place of a predecessor (participant), from the effect day on
	Adhere            Kind = "adhere"           // to a political instrument
	ApplyProvisional  Kind = "apply-provisionally"
	Reserve           Kind = "reserve"            // to a provision, or to the whole
	Declare           Kind = "declare"            // any declaration that is no reservation
	Interpret         Kind = "interpret"          // an interpretative declaration
	Understand        Kind = "understand"         // how the declarant understands a political instrument
	Object            Kind = "object"             // to a reservation or its change (regarding), opposing or not
	AcceptReservation Kind = "accept-reservation" // (regarding)
	Modify            Kind = "modify"             // a reservation or declaration (regarding); manner: narrowing, widening
	Withdraw          Kind = "withdraw"           // a reservation, declaration, objection, territory, signature, provisional application (regarding)
	Extend            Kind = "extend"             // to a territory (participant)
	Denounce          Kind = "denounce"           // leaves the instrument
	Revoke            Kind = "revoke"             // takes back a denunciation (regarding) before it has effect
	Correct           Kind = "correct"            // the act as it should have been (regarding); manner annulled: it never was
	Communicate       Kind = "communicate"        // whatever a participant wishes to be known; manner participation: that it objects to somebody's taking part
	Notify            Kind = "notify"             // by the depositary
	Terminate         Kind = "terminate"          // the instrument ends, by its depositary
	Rename            Kind = "rename"             // the participant has another name
	Continue          Kind = "continue"           // the participant is what another (participant) was
	Dissolve          Kind = "dissolve"           // the participant is no more
)

// Kinds lists every kind, in the order of the constants.
func Kinds() []Kind {
	return []Kind{
		Open, Adopt, Sign, Confirm, Ratify, Accept, Approve, Accede, FormallyConfirm, Consent, Succeed, Adhere, ApplyProvisional, Reserve, Declare, Interpret,
		Understand, Object, AcceptReservation, Modify, Withdraw, Extend, Denounce, Revoke, Correct, Communicate, Notify, Terminate, Rename, Continue, Dissolve,
	}
}

// Valid tells whether k is one of the kinds.
func (k Kind) Valid() bool { return slices.Contains(Kinds(), k) }

// Consents lists the kinds by which a participant expresses consent to be bound. A signature does when it is definitive, or was confirmed.
func Consents() []Kind {
	return []Kind{Ratify, Accept, Approve, Accede, FormallyConfirm, Consent, Succeed, Adhere}
}

// Manners of acts, where a kind has any.
const (
	Simple        = "simple"
	Definitive    = "definitive"
	AdReferendum  = "ad-referendum"
	Narrowing     = "narrowing"
	Widening      = "widening"
	Annulled      = "annulled"
	Participation = "participation"
)

// Manners lists every manner.
func Manners() []string {
	return []string{Simple, Definitive, AdReferendum, Narrowing, Widening, Annulled, Participation}
}

// Act is one dated act about an instrument, whether it came as a signed statement or from a collection that was imported.
type Act struct {
	ID     string        `json:"id"`           // of the statement, in hex, or the collection's own: 1 to 128 printable characters
	Party  traffic.Party `json:"party"`        // whose act it is
	By     traffic.Party `json:"by,omitempty"` // who recorded it, where that is another: a depositary
	Kind   Kind          `json:"kind"`
	Manner string        `json:"manner,omitempty"`
	Date   Day           `json:"date"`             // of the act; in a correction, the right one of the act corrected
	Effect Day           `json:"effect,omitempty"` // stated by the act itself; otherwise the rules say
	Known  time.Time     `json:"known,omitzero"`   // since when the register has it; the beginning of Date if zero
	Clock  int64         `json:"clock,omitempty"`  // of the statement: which of two known since the same second was first; zero in a collection

	Provision   string            `json:"provision,omitempty"`
	Texts       map[string]string `json:"texts,omitempty"`     // the words, by language
	Regarding   string            `json:"regarding,omitempty"` // the act that this one is about
	With        []traffic.Party   `json:"with,omitempty"`      // consent: has effect only together with theirs
	AtLeast     int               `json:"at_least,omitempty"`  // consent: has effect once so many have consented, this one included
	Opposing    bool              `json:"opposing,omitempty"`  // objection: the instrument is not in force between the two
	Participant string            `json:"participant,omitempty"`

	// Void says why it changes no status, as its reader found; empty for one that counts. VoidFrom is since when that is known; zero is since ever.
	Void     Reason    `json:"void,omitempty"`
	VoidFrom time.Time `json:"void_from,omitzero"`
}

// known is since when the register has the act.
func (a *Act) known() time.Time {
	if a.Known.IsZero() {
		return a.Date.Time()
	}
	return a.Known
}

// works is the day by which acts follow one another: that of the act; of what happens to a participant, the day on which it happened.
func (a *Act) works() Day {
	switch a.Kind {
	case Rename, Continue, Dissolve:
		if a.Effect != 0 {
			return a.Effect
		}
	}
	return a.Date
}

// from is the day from which an act has effect where no rule delays it.
func (a *Act) from() Day {
	if a.Effect != 0 {
		return a.Effect
	}
	return a.Date
}

// compare is the order in which acts are folded. It depends on nothing but the acts, so the order in which they arrived is immaterial.
func (a *Act) compare(b *Act) int {
	if c := int(a.works()) - int(b.works()); c != 0 {
		return c
	}
	if c := a.known().Compare(b.known()); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Clock, b.Clock); c != 0 { // statements know no fractions of a second; what answers another has the later clock
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

// Reason says why an act changes no status. It is shown all the same, under the name of whoever made it.
type Reason string

// Reasons that a reader of statements finds, before any rule is asked.
const (
	Malformed       Reason = "malformed"        // what it says cannot be read as an act
	Invalid         Reason = "invalid"          // the judge's mark is on it: a bad signature, a revoked key, a post that may not
	Forked          Reason = "forked"           // its party has signed two histories of a feed
	NoPowers        Reason = "no-powers"        // the post has no full powers
	PowersScope     Reason = "powers-scope"     // its full powers are not for this act, instrument, post or time
	PowersRevoked   Reason = "powers-revoked"   // they were revoked before
	NotDepositary   Reason = "not-depositary"   // recorded for another, by who is not the depositary
	UnknownOpening  Reason = "unknown-opening"  // the instrument is not known here
	OtherInstrument Reason = "other-instrument" // regards an act of another instrument
)

// Reasons that the rules find.
const (
	NotEligible   Reason = "not-eligible"   // the instrument is not open to it
	NoWay         Reason = "no-way"         // the instrument knows no such act
	Repeated      Reason = "repeated"       // its participant had done so already
	NotParty      Reason = "not-party"      // only a participant that has consented can do so
	NotOwn        Reason = "not-own"        // regards an act of another
	UnknownAct    Reason = "unknown-act"    // regards an act that is not known, or has no effect
	WrongKind     Reason = "wrong-kind"     // regards an act of a kind that it cannot be about
	TooLate       Reason = "too-late"       // after the time that the rules allow
	Prohibited    Reason = "prohibited"     // a reservation that the instrument does not permit
	Unconfirmed   Reason = "unconfirmed"    // a reservation made at signature and not confirmed with the consent
	Objected      Reason = "objected"       // a late reservation, or its change, to which somebody has objected
	Gone          Reason = "gone"           // its participant is no more
	BackDated     Reason = "back-dated"     // dated longer before it was known than the rules allow
	Taken         Reason = "taken"          // by a correction: it stands as corrected
	Annul         Reason = "annulled"       // by a correction: it never was
	AlreadyAgreed Reason = "already-agreed" // objects to what its party has accepted
	Revoked       Reason = "revoked"        // a denunciation that was taken back in time
	NoEffect      Reason = "no-effect"      // is recorded, and no rule gives it an effect
)

// Reasons lists every reason, for whoever has words for each.
func Reasons() []Reason {
	return []Reason{
		Malformed, Invalid, Forked, NoPowers, PowersScope, PowersRevoked, NotDepositary, UnknownOpening, NotEligible, NoWay, Repeated, NotParty,
		NotOwn, UnknownAct, WrongKind, TooLate, Prohibited, Unconfirmed, Objected, Gone, BackDated, Taken, Annul, AlreadyAgreed, Revoked, NoEffect,
	}
}

// line tells whether s is one printable line of at most so many bytes.
func line(s string, most int) bool {
	return len(s) <= most && form.Clean(s, true, most) == s
}
