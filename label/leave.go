package label

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Audience is a class of recipients. A wider one is a larger number.
type Audience int

// The classes, as TLP 2.0 has them.
const (
	Nobody       Audience = iota
	Named                 // the recipients whom the source has named, one by one
	Organisation          // the own organisation
	Clients               // the own organisation and its clients
	Community             // peers and partners; nothing that anybody can read
	Everybody             // the public
)

// Key is the name of the class in the phrases, such as "audience.community".
func (a Audience) Key() string {
	names := []string{"nobody", "named", "organisation", "clients", "community", "everybody"}
	if a < 0 || int(a) >= len(names) {
		return "audience.nobody"
	}
	return "audience." + names[a]
}

// Plane is what traffic is for. Its values are those of traffic.Plane.
type Plane string

// The planes.
const (
	Real     Plane = "real"
	Exercise Plane = "exercise"
	Test     Plane = "test"
)

// Flag is what stands in front of a subject so that nobody is frightened, or lulled: REAL, EXERCISE or TEST. A plane that is unknown reads as REAL,
// which at worst wakes somebody in vain.
func (p Plane) Flag() string {
	switch p {
	case Exercise, Test:
		return strings.ToUpper(string(p))
	}
	return "REAL"
}

// ErrRefused is wrapped by every [Refusal].
var ErrRefused = errors.New("label: may not leave")

// Reason is why something may not leave, and its key in the phrases is "refusal." and this.
type Reason string

// The reasons.
const (
	ReasonUnmarked   Reason = "unmarked"   // nobody has said who may see it
	ReasonAudience   Reason = "audience"   // the path leads to more people than the label permits
	ReasonRecipients Reason = "recipients" // somebody at the end is not among the named recipients
	ReasonWidened    Reason = "widened"    // the label was made wider on the way
	ReasonPlane      Reason = "plane"      // an exercise or a test among what is real, or the reverse
	ReasonUnknown    Reason = "unknown"    // a marking that this program does not know might forbid it
)

// Refusal says why something may not leave. Slots are for the phrase of its reason: {1} the label, {2} what it met. For ReasonAudience the second is
// itself the key of a phrase; for ReasonPlane both are flags.
type Refusal struct {
	Reason Reason
	Slots  [2]string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%v: %s (%s, %s)", ErrRefused, r.Reason, r.Slots[0], r.Slots[1])
}

func (r *Refusal) Unwrap() error { return ErrRefused }

// Key is the key of the reason in the phrases.
func (r *Refusal) Key() string { return "refusal." + string(r.Reason) }

// Parcel is something that is to leave, with its labels.
type Parcel struct {
	TLP    TLP
	PAP    PAP
	Plane  Plane
	Own    bool     // this party is its source, and chooses whom it tells
	Named  []string // whom the source has named, if it did: parties, posts or mailboxes, as the caller compares them
	Source TLP      // the label that it came with, if another; the narrower of both counts, and a wider one is refused
}

// Path is a way out and who is at its end: a channel, a collection, a mailbox, a feed of files.
type Path struct {
	Audience   Audience
	Recipients []string // for [Named]: who they are
	Plane      Plane
}

// Leave decides whether a parcel may take a path. Every outgoing path asks it, for each object. Error: a *[Refusal].
func Leave(x Parcel, over Path) error {
	switch {
	case x.Plane != over.Plane:
		return &Refusal{ReasonPlane, [2]string{x.Plane.Flag(), over.Plane.Flag()}}
	case x.Source != Unmarked && x.Source.Widens(x.TLP):
		return &Refusal{ReasonWidened, [2]string{x.Source.String(), x.TLP.String()}}
	case x.TLP == Unmarked:
		return &Refusal{ReasonUnmarked, [2]string{"", over.Audience.Key()}}
	case !x.TLP.Valid():
		return &Refusal{ReasonUnknown, [2]string{fmt.Sprintf("%.64q", string(x.TLP)), over.Audience.Key()}}
	case over.Audience == Named:
		return named(x, over)
	case over.Audience <= Nobody || over.Audience > x.TLP.Audience():
		return &Refusal{ReasonAudience, [2]string{x.TLP.String(), over.Audience.Key()}}
	}
	return nil
}

// named decides for recipients one by one. A source names them by sending. Anybody else may pass on to those the source has named, and what
// may go to the community, to any of its members.
func named(x Parcel, over Path) error {
	if len(over.Recipients) == 0 {
		return &Refusal{ReasonRecipients, [2]string{x.TLP.String(), ""}}
	}
	if x.Own || x.TLP.Audience() >= Community {
		return nil
	}
	for _, r := range over.Recipients {
		if !slices.Contains(x.Named, r) {
			return &Refusal{ReasonRecipients, [2]string{x.TLP.String(), r}}
		}
	}
	return nil
}
