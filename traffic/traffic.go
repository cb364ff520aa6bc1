// Package traffic holds the names that every piece of traffic bears: party, post, plane, precedence.
// It must never hold behaviour: it is the vocabulary that statement, party, form and feed share.
package traffic

import (
	"errors"
	"fmt"
	"strings"
)

// ErrName is returned for a name that protocol.md#charter does not allow.
var ErrName = errors.New("traffic: not a valid name")

// Party is the id of an organisation that takes part, such as "xa": [a-z0-9-]{2,32}.
type Party string

// Post is an office of a party, such as "nrrc": [a-z0-9-]{1,32}. An office, never a named person.
type Post string

// Address is a party, or a post of a party.
type Address struct {
	Party Party
	Post  Post // empty for the party as a whole
}

// Plane keeps real traffic apart from exercises and tests: own feeds, own keys.
type Plane string

// The planes, protocol.md#statement.
const (
	Real     Plane = "real"
	Exercise Plane = "exercise"
	Test     Plane = "test"
)

// Planes lists every plane.
func Planes() []Plane { return []Plane{Real, Exercise, Test} }

// Precedence is the urgency of delivery, by its prosign.
type Precedence string

// The precedences, protocol.md#statement.
const (
	Flash     Precedence = "Z"
	Immediate Precedence = "O"
	Priority  Precedence = "P"
	Routine   Precedence = "R"
)

// Precedences lists every precedence, highest first.
func Precedences() []Precedence { return []Precedence{Flash, Immediate, Priority, Routine} }

// Valid tells whether p is one of the planes.
func (p Plane) Valid() bool { return p == Real || p == Exercise || p == Test }

// Valid tells whether p is one of the precedences.
func (p Precedence) Valid() bool { return p.Rank() >= 0 }

// Rank is 3 for FLASH down to 0 for ROUTINE, -1 for anything else.
func (p Precedence) Rank() int {
	if len(p) != 1 {
		return -1
	}
	return strings.Index("RPOZ", string(p))
}

// String is the word for p, such as "FLASH".
func (p Precedence) String() string {
	switch p {
	case Flash:
		return "FLASH"
	case Immediate:
		return "IMMEDIATE"
	case Priority:
		return "PRIORITY"
	case Routine:
		return "ROUTINE"
	}
	return "precedence " + string(p)
}

// ParsePrecedence reads a prosign or a word in any case.
func ParsePrecedence(s string) (Precedence, error) {
	for _, p := range Precedences() {
		if strings.EqualFold(s, string(p)) || strings.EqualFold(s, p.String()) {
			return p, nil
		}
	}
	return "", fmt.Errorf("%w: precedence %q; use flash, immediate, priority or routine", ErrName, s)
}

// Valid tells whether p is a well-formed party id.
func (p Party) Valid() bool { return len(p) >= 2 && name(string(p)) }

// Valid tells whether p is a well-formed post name.
func (p Post) Valid() bool { return len(p) >= 1 && name(string(p)) }

func name(s string) bool {
	if len(s) > 32 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// String is "party" or "party/post".
func (a Address) String() string {
	if a.Post == "" {
		return string(a.Party)
	}
	return string(a.Party) + "/" + string(a.Post)
}

// ParseAddress reads "party" or "party/post".
func ParseAddress(s string) (Address, error) {
	p, post, has := strings.Cut(s, "/")
	a := Address{Party(p), Post(post)}
	if !a.Party.Valid() || has && !a.Post.Valid() {
		return Address{}, fmt.Errorf("%w: address %q; use party or party/post", ErrName, s)
	}
	return a, nil
}
