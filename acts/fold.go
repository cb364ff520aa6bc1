package acts

import (
	"slices"
	"time"

	"detente/traffic"
)

type life struct{ party traffic.Party }

type reservation struct{}

// Fold reads the acts that were known by a time under the rules of their instrument. The order in which they are given is immaterial, and acts with an id that
// was already there are taken once. The zero time knows all.
func Fold(rules *Rules, acts []Act, known time.Time) *Record {
	r := &Record{Rules: rules, Known: known, lives: map[traffic.Party]*life{}}
	for _, a := range acts {
		r.Acts = append(r.Acts, Noted{Act: a})
	}
	slices.SortFunc(r.Acts, func(a, b Noted) int { return a.compare(&b.Act) })
	return r
}

// Status is the table on a day.
func (r *Record) Status(on Day) Status { return Status{On: on, Known: r.Known, Nature: r.Rules.Nature} }

// Relation is what the instrument is between two participants on a day.
func (r *Record) Relation(x, y traffic.Party, on Day) Relation { return Relation{X: x, Y: y, On: on} }

// Pledge is against whom the commitment of a participant runs on a day.
func (r *Record) Pledge(x traffic.Party, on Day) Pledge { return Pledge{Party: x, On: on} }
