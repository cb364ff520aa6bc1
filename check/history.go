package check

import (
	"bytes"
	"cmp"
	"slices"
	"sync"
	"time"

	"detente/form"
	"detente/statement"
	"detente/traffic"
)

// The states of a check.
const (
	Waiting  = "waiting"
	Answered = "answered" // in time
	Late     = "late"
	Missed   = "missed" // the time is over, and no answer that the level asks for has come
)

// Who answered, as the form has it.
const (
	ByTerminal  = "terminal"
	ByOfficer   = "duty-officer"
	ByAuthority = "authority"
)

// Check is one check, and the answer that counts.
type Check struct {
	ID       statement.ID
	Channel  [32]byte
	Plane    traffic.Plane
	From     traffic.Party
	To       string // its audience
	Level    int
	Occasion string
	Question string
	Sent     time.Time // by its author's clock
	Held     time.Time // here
	Due      time.Time
	Answer   *Answer // nil while there is none that counts

	clock int64
}

// Answer is a reply to a check.
type Answer struct {
	ID   statement.ID
	From traffic.Party
	By   string // ByTerminal, ByOfficer, ByAuthority
	Text string
	Said time.Time // by its author's clock
	Held time.Time // here
	at   order
}

// order is the canonical order of a channel, protocol.md#clock.
type order struct {
	clock  int64
	issuer string
	id     statement.ID
}

func (a order) compare(b order) int {
	return cmp.Or(cmp.Compare(a.clock, b.clock), cmp.Compare(a.issuer, b.issuer), bytes.Compare(a.id[:], b.id[:]))
}

// Counts tells whether an answer by someone is one that the level asks for, protocol.md#checks: a machine proves the line, not the watch.
func Counts(level int, by string) bool {
	switch level {
	case Terminal:
		return true
	case Authority:
		return by == ByAuthority
	}
	return by == ByOfficer || by == ByAuthority
}

// State is how the check stands at a time, by the own clock: an own check is answered when the answer is held here, a peer's when it was said
// here. own tells whose check it is.
func (c *Check) State(own bool, now time.Time) string {
	switch {
	case c.Answer == nil && (c.Due.IsZero() || !now.After(c.Due)):
		return Waiting
	case c.Answer == nil:
		return Missed
	case !c.Due.IsZero() && c.Answered(own).After(c.Due):
		return Late
	}
	return Answered
}

// Answered is when the answer came, by the own clock; zero when it has not.
func (c *Check) Answered(own bool) time.Time {
	switch {
	case c.Answer == nil:
		return time.Time{}
	case own:
		return c.Answer.Held
	}
	return c.Answer.Said
}

// Elapsed is how long the answer took, by the own clock on both ends; 0 while there is none.
func (c *Check) Elapsed(own bool) time.Duration {
	from := c.Sent
	if !own {
		from = c.Held
	}
	if c.Answer == nil {
		return 0
	}
	return max(0, c.Answered(own).Sub(from))
}

// History is the fold of checks and answers. It is a function of the set of statements: the order in which they are added does not matter. Several
// may read it at once while nobody adds.
type History struct {
	checks  map[statement.ID]*Check
	answers map[statement.ID][]Answer // by the check, those that have come before it

	mu     sync.Mutex // guards sorted, so that several may read at once
	sorted []*Check   // nil when it must be sorted anew
}

// NewHistory is a history of nothing.
func NewHistory() *History {
	return &History{checks: make(map[statement.ID]*Check), answers: make(map[statement.ID][]Answer)}
}

// Add takes in a valid statement of the form check or check-answer; others it passes over. within is the time that the form gives for an answer.
func (h *History) Add(id statement.ID, s *statement.Header, v form.Values, held time.Time, within time.Duration) {
	switch s.Form {
	case "check":
		if h.checks[id] != nil {
			return
		}
		c := &Check{
			ID: id, Channel: s.Channel, Plane: s.Plane, From: s.Issuer.Party, To: s.Audience, Level: int(v.Int("level")), Occasion: v.Text("occasion"),
			Question: v.Text("question"), Sent: s.IssuedAt, Held: held, Due: v.Time("reply_by"), clock: s.Clock,
		}
		if c.Due.IsZero() && within > 0 {
			c.Due = s.IssuedAt.Add(within)
		}
		h.mu.Lock()
		h.checks[id], h.sorted = c, nil
		h.mu.Unlock()
		for _, a := range h.answers[id] {
			c.take(a)
		}
		delete(h.answers, id)
	case "check-answer":
		if len(s.Refs) != 1 {
			return
		}
		a := Answer{
			ID: id, From: s.Issuer.Party, By: v.Text("answered_by"), Text: v.Text("answer"), Said: s.IssuedAt, Held: held,
			at: order{s.Clock, s.Issuer.String(), id},
		}
		if c := h.checks[s.Refs[0]]; c != nil {
			c.take(a)
		} else {
			h.answers[s.Refs[0]] = append(h.answers[s.Refs[0]], a)
		}
	}
}

// take takes an answer if it counts and none came before it in the canonical order.
func (c *Check) take(a Answer) {
	if a.From == c.From || !Counts(c.Level, a.By) || !c.asks(a.From) || c.Answer != nil && c.Answer.at.compare(a.at) <= 0 {
		return
	}
	c.Answer = &a
}

// asks tells whether the check is addressed to a party.
func (c *Check) asks(p traffic.Party) bool {
	if c.To == statement.Everyone {
		return true
	}
	a, err := traffic.ParseAddress(c.To)
	return err == nil && a.Party == p
}

// Find gives a check, nil when there is none.
func (h *History) Find(id statement.ID) *Check { return h.checks[id] }

// All gives every check, the newest first. The slice and what it points to are not to be changed.
func (h *History) All() []*Check {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sorted == nil {
		h.sorted = make([]*Check, 0, len(h.checks))
		for _, c := range h.checks {
			h.sorted = append(h.sorted, c)
		}
		slices.SortFunc(h.sorted, func(a, b *Check) int {
			return cmp.Or(b.Sent.Compare(a.Sent), cmp.Compare(b.clock, a.clock), bytes.Compare(a.ID[:], b.ID[:])) // many may be sent within one second
		})
	}
	return h.sorted
}

// Peer is the other side of a check: whom it asks, or who asks. Of a check to everybody it is whoever answered, or nobody.
func (c *Check) Peer(self traffic.Party) traffic.Party {
	if c.From != self {
		return c.From
	}
	if a, err := traffic.ParseAddress(c.To); err == nil {
		return a.Party
	}
	if c.Answer != nil {
		return c.Answer.From
	}
	return ""
}

// Day is the own checks of one day with one peer.
type Day struct {
	Peer     traffic.Party
	Day      time.Time // midnight UTC
	Sent     int
	Answered int // in time
	Late     int
	Missed   int
}

// Days counts the checks that self sent on a plane since a time, by peer and day, in that order.
func (h *History) Days(self traffic.Party, plane traffic.Plane, since, now time.Time) []Day {
	type key struct {
		peer traffic.Party
		day  int64
	}
	days := make(map[key]*Day)
	for _, c := range h.All() {
		if c.Sent.Before(since) {
			break
		}
		peer := c.Peer(self)
		if c.From != self || c.Plane != plane || peer == "" {
			continue
		}
		at := c.Sent.UTC().Truncate(24 * time.Hour)
		d := days[key{peer, at.Unix()}]
		if d == nil {
			d = &Day{Peer: peer, Day: at}
			days[key{peer, at.Unix()}] = d
		}
		d.Sent++
		switch c.State(true, now) {
		case Answered:
			d.Answered++
		case Late:
			d.Late++
		case Missed:
			d.Missed++
		}
	}
	out := make([]Day, 0, len(days))
	for _, d := range days {
		out = append(out, *d)
	}
	slices.SortFunc(out, func(a, b Day) int { return cmp.Or(cmp.Compare(a.Peer, b.Peer), a.Day.Compare(b.Day)) })
	return out
}
