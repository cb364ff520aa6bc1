package programme

import (
	"context"
	"time"

	"detente/form"
	"detente/traffic"
	"detente/wording"

	"golang.org/x/text/language"
)

// Change is a measure that came to stand otherwise in the course of a day.
type Change struct {
	Day  time.Time // midnight, UTC, at which the day began
	From Stands    // how it stood at the end of the day before
	Line Line      // as it stood at the end of the day, without its facts: the sentence, and the statement that decided it
}

// Timeline is how a relation stood over some time.
type Timeline struct {
	Of      [2]traffic.Party
	Plane   traffic.Plane
	From    time.Time // midnight, UTC
	To      time.Time
	Begins  [Measures]Stands // at From
	Changes []Change         // by day, then measure
}

// MaxDays bounds a time line: a board is drawn for each day.
const MaxDays = 5 * 366

// Timeline draws the board for the end of each day from one time to another, and keeps what changed. What stands at the end of it is what the board of To shows.
func (r *Record) Timeline(from, to time.Time, public bool) *Timeline {
	to = to.UTC().Truncate(time.Second)
	from = from.UTC().Truncate(24 * time.Hour)
	if least := to.Truncate(24*time.Hour).AddDate(0, 0, -MaxDays); from.Before(least) {
		from = least
	}
	out := &Timeline{Of: r.Of, Plane: r.Plane, From: from, To: to}
	stands := r.Board(from, public)
	for i := range stands.Lines {
		out.Begins[i] = stands.Lines[i].Stands
	}
	last := out.Begins
	for day := from; day.Before(to); day = day.AddDate(0, 0, 1) {
		at := day.AddDate(0, 0, 1).Add(-time.Second)
		if at.After(to) {
			at = to
		}
		b := r.Board(at, public)
		for i, l := range b.Lines {
			if l.Stands != last[i] {
				l.Facts = nil
				out.Changes = append(out.Changes, Change{day, last[i], l})
				last[i] = l.Stands
			}
		}
	}
	return out
}

// Timeline draws the time line of two parties. Errors: as of Board.
func (d *Desk) Timeline(ctx context.Context, x, y traffic.Party, plane traffic.Plane, from, to time.Time, public bool) (t *Timeline, err error) {
	err = d.draw(ctx, x, y, plane, func(r *Record) { t = r.Timeline(from, to, public) })
	return t, err
}

// Speaker says boards in a language.
type Speaker struct {
	Book *form.Phrasebook
	Lang language.Tag
}

// Sentence is the sentence of a line.
func (s Speaker) Sentence(l *Line) string {
	if l.Stands == Unseen {
		return s.phrase("line.unseen", nil)
	}
	return s.phrase("line."+string(rune('0'+l.Measure))+"."+l.Key, l.Args)
}

// Fact is a fact in words.
func (s Speaker) Fact(f *Fact) string { return s.phrase("fact."+f.Key, f.Args) }

// Measure is the name of a measure.
func (s Speaker) Measure(n int) string { return s.phrase("measure."+string(rune('0'+n)), nil) }

// Stands is a code in words.
func (s Speaker) Stands(c Stands) string { return s.phrase("stands."+string(c), nil) }

func (s Speaker) phrase(key string, args []any) string {
	said := make([]any, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case wording.Texts:
			said[i] = s.in(a)
		case Word:
			said[i] = s.Book.Phrase(s.Lang, string(a))
		default:
			said[i] = a
		}
	}
	return s.Book.Phrase(s.Lang, key, said...)
}

// in is a text in the language, in English, or in the first that it has, without what would steer a terminal.
func (s Speaker) in(t wording.Texts) string {
	base, _ := s.Lang.Base()
	return form.Clean(wording.In(t, s.Lang.String(), base.String()), true, 120)
}
