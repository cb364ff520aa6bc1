package acts

import (
	"time"

	"detente/traffic"
)

// Noted is an act as the register has it: nothing that was ever known leaves the list.
type Noted struct {
	Act
	As    *Act   `json:"as,omitempty"`    // as corrected, where it was
	Why   Reason `json:"why,omitempty"`   // why it changes no status
	Works Day    `json:"works,omitempty"` // since when it has an effect, as far as the rules give it one of its own
}

// Record is what acts come to under the rules of their instrument, as known at one time. It is immutable, and safe for concurrent use.
type Record struct {
	Rules *Rules
	Known time.Time
	Acts  []Noted // every act known by then, in the order of their days
	Met   Day     // the conditions of entry into force were met
	Entry Day     // the instrument entered, or will enter, into force; 0: not as far as is known
	Ended Day     // it ended

	lives map[traffic.Party]*life
	order []traffic.Party
	holds []*reservation
	mine  map[traffic.Party][]*reservation
	byID  map[string]int
}

// State is how a participant stands on a day.
type State string

// The states, from the least.
const (
	None        State = "none"        // made acts, none of which gives it a place
	Signatory   State = "signatory"   // signed, without consent to be bound
	Waiting     State = "waiting"     // consented on a condition that is not met yet
	Consented   State = "consented"   // consented; not in force for it yet
	Provisional State = "provisional" // applies it provisionally
	InForce     State = "in-force"    // bound
	Left        State = "left"        // was bound, or had consented, and is so no more
	Continued   State = "continued"   // another participant is what it was
	Dissolved   State = "dissolved"   // is no more
)

// States lists every state.
func States() []State {
	return []State{None, Signatory, Waiting, Consented, Provisional, InForce, Left, Continued, Dissolved}
}

// Status is the table of an instrument on a day, as known at a time.
type Status struct {
	On      Day           `json:"on"`
	Known   time.Time     `json:"known,omitzero"`
	Nature  string        `json:"nature"`
	Adopted Day           `json:"adopted,omitempty"`
	Opened  Day           `json:"opened,omitempty"`
	Met     Day           `json:"met,omitempty"`   // the conditions of entry into force were met, by that day
	Entry   Day           `json:"entry,omitempty"` // of the instrument into force; it may lie ahead
	Ended   Day           `json:"ended,omitempty"`
	InForce bool          `json:"in_force"`
	Counts  map[State]int `json:"counts"`
	Rows    []Row         `json:"rows"` // by participant
}

// Row is one participant in the table.
type Row struct {
	Party      traffic.Party     `json:"party"`
	Name       string            `json:"name,omitempty"`  // as it last renamed itself
	Names      map[string]string `json:"names,omitempty"` // likewise, by language
	State      State             `json:"state"`
	Signed     Day               `json:"signed,omitempty"`
	Signature  string            `json:"signature,omitempty"` // act
	Manner     string            `json:"manner,omitempty"`    // of the signature
	Consented  Day               `json:"consented,omitempty"` // of the participant, or of the one that it continues
	Way        Kind              `json:"way,omitempty"`       // of the consent
	Consent    string            `json:"consent,omitempty"`   // act
	InForce    Day               `json:"in_force,omitempty"`  // for it; it may lie ahead
	Notice     Day               `json:"notice,omitempty"`    // of denunciation
	Ends       Day               `json:"ends,omitempty"`      // no longer bound from that day; it may lie ahead
	Other      traffic.Party     `json:"other,omitempty"`     // who continues it, or whom it continues or succeeds
	Territory  []string          `json:"territories,omitempty"`
	Held       []Held            `json:"reservations,omitempty"`
	Statements []string          `json:"declarations,omitempty"` // acts
	NoEffect   []string          `json:"no_effect,omitempty"`    // acts by that day that change no status: the record says why
}

// Held is a reservation of a participant on a day.
type Held struct {
	ID         string   `json:"id"` // act
	Provision  string   `json:"provision,omitempty"`
	From       Day      `json:"from,omitempty"`
	Pending    bool     `json:"pending,omitempty"` // may still be objected to with the effect that it never works
	As         string   `json:"as,omitempty"`      // the act that changed it last
	Objections []string `json:"objections,omitempty"`
	Accepted   []string `json:"accepted,omitempty"` // acts of express acceptance
}

// Bond is the relation between two participants on a day.
type Bond string

// The bonds.
const (
	Unbound  Bond = "none"
	Bound    Bond = "in-force"
	Modified Bond = "modified" // by reservations
	Excluded Bond = "excluded" // by an objection that opposes entry into force between the two
)

// Relation is what an instrument is between two participants on a day.
type Relation struct {
	X        traffic.Party  `json:"x"`
	Y        traffic.Party  `json:"y"`
	On       Day            `json:"on"`
	Bond     Bond           `json:"bond"`
	Since    Day            `json:"since,omitempty"` // in force for both
	Modified []Modification `json:"modified,omitempty"`
	Excluded []Modification `json:"excluded,omitempty"`
}

// Modification is one reservation between two participants, with the objection to it, if there is one.
type Modification struct {
	Reservation string        `json:"reservation"`
	By          traffic.Party `json:"by"`
	Provision   string        `json:"provision,omitempty"`
	Objection   string        `json:"objection,omitempty"`
	// Open: the other may still object in time.
	Open bool `json:"open,omitempty"`
}

// Pledge is against whom the commitment of a participant runs on a day.
type Pledge struct {
	Party    traffic.Party   `json:"party"`
	On       Day             `json:"on"`
	Runs     bool            `json:"runs"`
	All      bool            `json:"all,omitempty"` // against everybody, but for Except
	Toward   []traffic.Party `json:"toward,omitempty"`
	Except   []traffic.Party `json:"except,omitempty"`
	Modified []traffic.Party `json:"modified,omitempty"` // of Toward: those towards whom a reservation modifies it
}
