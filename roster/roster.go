// Package roster is who is on duty: a post's roster as it was written, and who holds which duty role at a moment.
// It must never read a clock nor a file: the same text, the same overrides and the same moment give the same people, everywhere.
package roster

import (
	"slices"
	"time"

	"detente/traffic"
)

// Role is a duty role, in which an officer is called and acts.
type Role string

// The duty roles.
const (
	DutyOfficer    Role = "duty-officer"
	Deputy         Role = "deputy"
	HeadOfPost     Role = "head-of-post"
	SeniorOfficial Role = "senior-official"
)

// Roles lists the duty roles in the order in which they are called.
func Roles() []Role { return []Role{DutyOfficer, Deputy, HeadOfPost, SeniorOfficial} }

// Roster is one post's roster, as [Parse] read it. It is not to be changed.
type Roster struct {
	Post   traffic.Post
	Covers []traffic.Post // other posts whose watch this one keeps
	Zone   *time.Location
	Always bool // around the clock: the shifts leave no minute out

	standing map[Role]string
	shifts   []shift
	rotas    []rota
	holidays []holiday
}

// shift is a part of the day, in the wall clock of the zone: a night shift lasts an hour less, or more, when the clocks are changed.
type shift struct {
	name   string
	start  time.Duration // from midnight, by the wall clock
	length time.Duration // by the wall clock
	days   [7]bool       // by time.Weekday of its beginning
}

// rota is officers who take turns in a role.
type rota struct {
	role     Role
	shift    string // empty for every shift
	start    day    // when the first of them begins
	every    int    // days that each stays
	officers []string
}

// holiday is a day on which others are on duty, or nobody is. It is the day on which a shift begins.
type holiday struct {
	day      day
	shift    string // empty for every shift
	closed   bool
	officers map[Role]string
}

// day is a date of the calendar, counted from 1 January 1970.
type day int

func dayOf(y int, m time.Month, d int) day {
	return day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// at is the moment of a wall clock of that day. A wall clock that the zone leaves out, or has twice, is one moment, always the same, so that
// where one shift ends the next begins.
func (d day) at(wall time.Duration, zone *time.Location) time.Time {
	return time.Date(1970, 1, 1+int(d), 0, 0, int(wall/time.Second), 0, zone)
}

// Override puts an officer into a duty role for a time.
type Override struct {
	Post    traffic.Post
	Role    Role
	Officer string
	From    time.Time
	Until   time.Time // not included
	Reason  string
	By      string

	Handover bool // it came of a hand-over of the watch, and nobody wrote a reason
}

// Duty is who is on duty at a post.
type Duty struct {
	Post     traffic.Post
	Shift    string    // empty between shifts
	From     time.Time // since when these officers are; zero when nobody can tell
	Until    time.Time // until when, at the latest; zero when nobody can tell
	Officers map[Role]string
}

// Unmanned tells whether nobody is the duty officer.
func (d Duty) Unmanned() bool { return d.Officers[DutyOfficer] == "" }

// horizon is how far around a moment shifts are looked for: a shift lasts at most a day, and the days of a week differ.
const horizon = 9

// turn is one shift on one day.
type turn struct {
	shift       *shift
	day         day
	from, until time.Time
}

// turns lists the shifts that begin on the days from first to last, in their order.
func (r *Roster) turns(first, last day) (out []turn) {
	for d := first; d <= last; d++ {
		weekday := time.Weekday((int(d)%7 + 7 + 4) % 7) // 1 January 1970 was a Thursday
		for i := range r.shifts {
			s := &r.shifts[i]
			if !s.days[weekday] || r.closed(s, d) {
				continue
			}
			t := turn{s, d, d.at(s.start, r.Zone), d.at(s.start+s.length, r.Zone)}
			if t.from.Before(t.until) { // one that the change of the clocks has swallowed is none
				out = append(out, t)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b turn) int { return a.from.Compare(b.from) })
	return out
}

func (r *Roster) closed(s *shift, d day) bool {
	return slices.ContainsFunc(r.holidays, func(h holiday) bool { return h.closed && h.day == d && (h.shift == "" || h.shift == s.name) })
}

func (r *Roster) dayAt(t time.Time) day {
	return dayOf(t.In(r.Zone).Date())
}

// At tells who is on duty at a moment: the standing officers, in whose place stand those of the rota, in whose place stand those of a holiday,
// in whose place stand the overrides; of several overrides of a role the last one.
func (r *Roster) At(t time.Time, overrides []Override) Duty {
	d := Duty{Post: r.Post, Officers: make(map[Role]string)}
	for role, officer := range r.standing {
		d.Officers[role] = officer
	}
	today := r.dayAt(t)
	for _, u := range r.turns(today-horizon, today+horizon) {
		switch {
		case !u.until.After(t):
			d.From = u.until
		case u.from.After(t):
			if d.Until.IsZero() {
				d.Until = u.from
			}
		default:
			d.Shift, d.From, d.Until = u.shift.name, u.from, u.until
			r.man(&d, u)
		}
		if u.from.After(t) {
			break
		}
	}
	for _, o := range overrides {
		switch {
		case o.Post != r.Post:
			continue
		case !o.From.After(t) && t.Before(o.Until):
			d.Officers[o.Role] = o.Officer
			if o.Officer == "" {
				delete(d.Officers, o.Role)
			}
		}
		for _, edge := range []time.Time{o.From, o.Until} { // of whoever comes and goes meanwhile
			if edge.After(t) && (d.Until.IsZero() || edge.Before(d.Until)) {
				d.Until = edge
			}
			if !edge.After(t) && (d.From.IsZero() || edge.After(d.From)) {
				d.From = edge
			}
		}
	}
	return d
}

// man puts the officers of the rota and of holidays into their roles.
func (r *Roster) man(d *Duty, u turn) {
	for _, ro := range r.rotas {
		if ro.shift != "" && ro.shift != u.shift.name || u.day < ro.start {
			continue
		}
		d.Officers[ro.role] = ro.officers[(int(u.day-ro.start)/ro.every)%len(ro.officers)]
	}
	for _, h := range r.holidays {
		if h.day != u.day || h.shift != "" && h.shift != u.shift.name {
			continue
		}
		for role, officer := range h.officers {
			d.Officers[role] = officer
		}
	}
}

// Handovers lists the moments from from on and before until at which a shift begins. Where nobody is relieved, and nobody comes, is no hand-over.
func (r *Roster) Handovers(from, until time.Time) []time.Time {
	var out []time.Time
	for _, u := range r.turns(r.dayAt(from)-1, r.dayAt(until)+1) {
		if !u.from.Before(from) && u.from.Before(until) && (len(out) == 0 || !out[len(out)-1].Equal(u.from)) {
			out = append(out, u.from.UTC())
		}
	}
	return out
}

// Officers lists everybody whom the roster names, each once, by their ids.
func (r *Roster) Officers() []string {
	var out []string
	for _, officer := range r.standing {
		out = append(out, officer)
	}
	for _, ro := range r.rotas {
		out = append(out, ro.officers...)
	}
	for _, h := range r.holidays {
		for _, officer := range h.officers {
			out = append(out, officer)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
