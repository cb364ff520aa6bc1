package programme

import (
	"time"

	"detente/floor"
	"detente/statement"
	"detente/traffic"
)

// Clock tells when statements count as stated.
type Clock struct{ d *Desk }

// NewClock has read nothing.
func NewClock() Clock {
	return Clock{&Desk{last: make(map[traffic.Feed]mark), moved: make(map[statement.ID]time.Time)}}
}

// Stated is when the statement at an index counts as stated, which says of itself that it was issued at a time.
func (c Clock) Stated(f traffic.Feed, index int64, issued time.Time) time.Time {
	return c.d.stated(&floor.Told{Feed: f, Index: index, Statement: &statement.Statement{Header: statement.Header{IssuedAt: issued}}})
}
