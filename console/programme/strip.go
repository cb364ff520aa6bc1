package programme

import (
	"time"

	"detente/api/programme"
	"detente/console/cases"
)

// Strip is the time line as a picture: a row for each measure, a bar for each time in which it stood alike. What a bar means stands in it as a pattern and as a text, so that
// colour tells nothing that they do not.
type Strip struct {
	Width, Height int
	Rows          []Row
	Chosen        int // where the chosen day stands; -1 outside of the picture
}

// Row is one measure.
type Row struct {
	Number, Y int
	X         int // of its number
	Anchor    string
	Bars      []Bar
}

// Bar is a time in which a measure stood alike.
type Bar struct {
	X, Y, Width int
	Stands      string
	From, Until string // days
}

const (
	side  = 24  // for the number of a measure
	wide  = 732 // two units for each day of a year
	high  = 22
	thick = 16
)

// strip draws the time line. In a language that is written from right to left it runs from there.
func strip(d *cases.Desk, t *programme.Timeline, chosen time.Time) *Strip {
	s := &Strip{Width: side + wide, Height: len(t.Begins)*high + 4, Chosen: -1}
	span := t.To.Sub(t.From)
	if span <= 0 {
		return s
	}
	x := func(at time.Time) int {
		return min(max(int(int64(wide)*int64(at.Sub(t.From)/time.Second)/int64(span/time.Second)), 0), wide)
	}
	place := func(from, width int) int {
		if d.RTL {
			return wide - from - width
		}
		return side + from
	}
	for i, begins := range t.Begins {
		r := Row{Number: i + 1, Y: i*high + thick - 2, Anchor: "start"}
		if d.RTL {
			r.X = wide + side
		}
		stands, since := begins, t.From
		bar := func(until time.Time) {
			if from, to := x(since), x(until); to > from {
				r.Bars = append(r.Bars, Bar{place(from, to-from), i*high + 2, to - from, stands, since.Format(time.DateOnly), until.Format(time.DateOnly)})
			}
		}
		for _, c := range t.Changes {
			if c.Measure == i+1 {
				bar(c.Day)
				stands, since = c.To, c.Day
			}
		}
		bar(t.To)
		s.Rows = append(s.Rows, r)
	}
	if !chosen.Before(t.From.Truncate(24 * time.Hour)) {
		s.Chosen = place(x(chosen.Add(24*time.Hour)), 0)
	}
	return s
}
