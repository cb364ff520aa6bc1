package sealing

import (
	"fmt"
	"time"
)

// Period is a stretch of the calendar, as treaties count: "three years", "six months".
type Period struct{ Years, Months, Days int }

// The longest period.
const (
	maxYears  = 999
	maxMonths = 11999
	maxDays   = 366 * 999
)

// Zero tells whether it is none.
func (p Period) Zero() bool { return p == Period{} }

func (p Period) valid() bool {
	return within(int64(p.Years), 0, maxYears) && within(int64(p.Months), 0, maxMonths) && within(int64(p.Days), 0, maxDays)
}

// String is the period as ISO 8601 writes it, such as "P5Y" or "P0D".
func (p Period) String() string {
	s := "P"
	for _, part := range []struct {
		n    int
		unit string
	}{{p.Years, "Y"}, {p.Months, "M"}, {p.Days, "D"}} {
		if part.n != 0 {
			s += fmt.Sprint(part.n) + part.unit
		}
	}
	if s == "P" {
		return "P0D"
	}
	return s
}

// From is the moment a period after t, in UTC: on the day of the same number, or on the last one of a month that has no such day; then the days.
func (p Period) From(t time.Time) time.Time {
	t = t.UTC()
	first := time.Date(t.Year()+p.Years, t.Month()+time.Month(p.Months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1+p.Days)
}

func (p Period) wire() []int64 {
	if p.Zero() {
		return nil
	}
	return []int64{int64(p.Years), int64(p.Months), int64(p.Days)}
}

func (p *Period) read(list []int64) error {
	if list == nil {
		return nil
	}
	if len(list) != 3 || !within(list[0], 0, maxYears) || !within(list[1], 0, maxMonths) || !within(list[2], 0, maxDays) || list[0]+list[1]+list[2] == 0 {
		return fmt.Errorf("%w: a period is not three numbers", ErrTerms)
	}
	*p = Period{int(list[0]), int(list[1]), int(list[2])}
	return nil
}
