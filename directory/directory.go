// Package directory is what standing statements say: points of contact, how a channel stands, which terms both sides use.
// It must never let one party speak of another's entries, nor of another channel: each statement counts for its author, where it was made.
package directory

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"detente/form"
	"detente/statement"
	"detente/traffic"
)

// Order is the canonical order of a channel, protocol.md#clock. What comes last in it stands, whatever came here last.
type Order struct {
	Clock  int64
	Issuer string
	ID     statement.ID
}

// OrderOf is the place of a statement.
func OrderOf(id statement.ID, s *statement.Header) Order {
	return Order{s.Clock, s.Issuer.String(), id}
}

// Compare is negative where a comes before b.
func (a Order) Compare(b Order) int {
	return cmp.Or(cmp.Compare(a.Clock, b.Clock), cmp.Compare(a.Issuer, b.Issuer), bytes.Compare(a.ID[:], b.ID[:]))
}

// Key is what an entry is known by: whose it is, and what that party calls it, on one channel and plane.
type Key struct {
	Channel [32]byte
	Plane   traffic.Plane
	Party   traffic.Party
	Name    string
}

// Contact is an entry of the directory as it stands.
type Contact struct {
	Key
	ID        statement.ID // of the statement that says so
	Values    form.Values  // of the form contact
	Stated    time.Time
	Confirmed time.Time // the last confirmation, or the statement itself
	Withdrawn time.Time // zero while it stands
	at        Order
}

// Why an entry cannot be relied on.
const (
	Unconfirmed = "unconfirmed"
	Expired     = "expired"
	Withdrawn   = "withdrawn"
)

// Unconfirmed entries are stale after a year and a day, and a change is told within thirty days, protocol.md#directory.
const (
	ConfirmWithin = 366 * 24 * time.Hour
	TellWithin    = 30 * 24 * time.Hour
)

// Stale tells why the entry cannot be relied on at a time; "" when it can.
func (c *Contact) Stale(now time.Time) string {
	_, until := window(c.Values, "valid")
	switch {
	case !c.Withdrawn.IsZero():
		return Withdrawn
	case !until.IsZero() && now.After(until):
		return Expired
	case now.Sub(c.Confirmed) > ConfirmWithin:
		return Unconfirmed
	}
	return ""
}

// StaleAt is when the entry will become stale, if nothing is stated; zero for one that was withdrawn.
func (c *Contact) StaleAt() time.Time {
	if !c.Withdrawn.IsZero() {
		return time.Time{}
	}
	at := c.Confirmed.Add(ConfirmWithin)
	if _, until := window(c.Values, "valid"); !until.IsZero() && until.Before(at) {
		at = until
	}
	return at
}

// ToldLate tells whether a change was told more than thirty days after it.
func (c *Contact) ToldLate() bool {
	changed := c.Values.Time("changed")
	return !changed.IsZero() && c.Stated.Sub(changed) > TellWithin
}

// Valid is the window in which the entry is valid; zero times where it does not say.
func (c *Contact) Valid() (from, until time.Time) { return window(c.Values, "valid") }

func window(v form.Values, name string) (from, until time.Time) {
	list, _ := v[name].([]any)
	if len(list) != 2 {
		return
	}
	a, _ := list[0].(int64)
	b, _ := list[1].(int64)
	return time.Unix(a, 0).UTC(), time.Unix(b, 0).UTC()
}

// Contacts is the fold of contact and contact-status. It is a function of the set of statements: the order of Add does not matter.
type Contacts struct {
	entries  map[Key]*Contact
	statuses map[Key][]confirmation // in the canonical order
}

type confirmation struct {
	at     Order
	said   time.Time
	action string
}

// mostStatuses is how many confirmations and withdrawals of one entry are kept, the newest.
const mostStatuses = 64

// NewContacts is an empty directory.
func NewContacts() *Contacts {
	return &Contacts{make(map[Key]*Contact), make(map[Key][]confirmation)}
}

// Add takes in a valid statement of the form contact or contact-status; others it passes over. It tells whether the directory took it.
func (d *Contacts) Add(id statement.ID, s *statement.Header, v form.Values) bool {
	key := Key{s.Channel, s.Plane, s.Issuer.Party, v.Text("name")} // its author's own: of others he has no say
	at := OrderOf(id, s)
	switch s.Form {
	case "contact":
		if old := d.entries[key]; old != nil && old.at.Compare(at) >= 0 {
			return false
		}
		d.entries[key] = &Contact{Key: key, ID: id, Values: v, Stated: s.IssuedAt, at: at}
	case "contact-status":
		list := append(d.statuses[key], confirmation{at, s.IssuedAt, v.Text("action")})
		slices.SortFunc(list, func(a, b confirmation) int { return a.at.Compare(b.at) })
		list = slices.CompactFunc(list, func(a, b confirmation) bool { return a.at == b.at })
		d.statuses[key] = list[max(0, len(list)-mostStatuses):]
	default:
		return false
	}
	d.settle(key)
	return true
}

// settle applies to an entry what was said of it after it: a new statement of it begins anew.
func (d *Contacts) settle(key Key) {
	c := d.entries[key]
	if c == nil {
		return
	}
	c.Confirmed, c.Withdrawn = c.Stated, time.Time{}
	for _, s := range d.statuses[key] {
		switch {
		case s.at.Compare(c.at) < 0:
		case s.action == "withdrawn":
			c.Withdrawn = s.said
		default:
			c.Confirmed, c.Withdrawn = s.said, time.Time{}
		}
	}
}

// Find gives an entry, nil when there is none.
func (d *Contacts) Find(k Key) *Contact { return d.entries[k] }

// All gives every entry of a plane, by channel, party and name. What is given is not to be changed.
func (d *Contacts) All(plane traffic.Plane) []*Contact {
	var out []*Contact
	for _, c := range d.entries {
		if c.Plane == plane {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b *Contact) int {
		return cmp.Or(bytes.Compare(a.Channel[:], b.Channel[:]), cmp.Compare(a.Party, b.Party), cmp.Compare(a.Name, b.Name))
	})
	return out
}
