package acts

import (
	"errors"
	"fmt"
	"time"
)

// ErrDay is returned for what is no day from 0001-01-01 to 9999-12-31.
var ErrDay = errors.New("acts: not a day, such as 2026-11-23")

// Day is a day of the calendar, counted from 0001-01-01, which is 1. The zero value is no day. Acts have days and no hours: a treaty enters into force on a
// day, wherever on earth it is read.
type Day int32

const (
	layout  = "2006-01-02"
	lastDay = Day(3652059) // 9999-12-31
)

// DayOf is the day of a moment in UTC; no day for a moment outside the years that a Day can name.
func DayOf(t time.Time) Day {
	t = t.UTC()
	if t.IsZero() || t.Year() < 1 || t.Year() > 9999 {
		return 0
	}
	const epoch = 719163 // 1970-01-01
	s := t.Unix()
	d := s / 86400
	if s%86400 < 0 {
		d--
	}
	return Day(d + epoch)
}

// NewDay is a day by its date.
func NewDay(year int, month time.Month, day int) Day {
	return DayOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// ParseDay reads a day as String writes it; the empty text is no day. Error: ErrDay.
func ParseDay(s string) (Day, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse(layout, s)
	if err != nil || t.Format(layout) != s {
		return 0, fmt.Errorf("%w: %.20q", ErrDay, s)
	}
	d := DayOf(t)
	if d == 0 && s != "0001-01-01" {
		return 0, fmt.Errorf("%w: %.20q", ErrDay, s)
	}
	return max(d, 1), nil
}

// Time is midnight UTC at the beginning of the day; the zero time for no day.
func (d Day) Time() time.Time {
	if d == 0 {
		return time.Time{}
	}
	return time.Date(1, 1, int(d), 0, 0, 0, 0, time.UTC)
}

// String is the day as 2026-11-23, empty for no day.
func (d Day) String() string {
	if d == 0 {
		return ""
	}
	return d.Time().Format(layout)
}

// MarshalText writes the day as String.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is ParseDay.
func (d *Day) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDay(string(b))
	return err
}

// add moves a day; it stays within the calendar.
func (d Day) add(days int) Day { return Day(min(max(int64(d)+int64(days), 1), int64(lastDay))) }

// months moves a day by months. Where the month is too short it is that month's last day, as depositaries reckon.
func (d Day) months(n int) Day {
	if d == 0 || n == 0 {
		return d
	}
	t := d.Time()
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	if first.Year() > 9999 {
		return lastDay
	}
	last := first.AddDate(0, 1, -1).Day()
	return NewDay(first.Year(), first.Month(), min(t.Day(), last))
}

// nextMonth is the first day of the month after d's.
func (d Day) nextMonth() Day {
	t := d.Time()
	if t.Year() == 9999 && t.Month() == time.December {
		return lastDay
	}
	return NewDay(t.Year(), t.Month()+1, 1)
}
