package talks

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"detente/api"
	"detente/api/talks"
	"detente/console/cases"
)

// Month answers: what is on which day? In UTC, as all times are.
type Month struct {
	Year, Number  int
	Weeks         [][]Day
	Events        int
	Before, After string
	List, File    string
	Left          int // series and groups that were not looked at
}

// Day is a day of the month, or of one beside it.
type Day struct {
	At     time.Time
	In     bool // it is of this month
	Today  bool
	Events []Event
}

// Event is something on a day. Kind is round-agreed, round-proposed, round-held, round-due or action.
type Event struct {
	Kind  string
	At    time.Time
	Name  string
	Round int
	Words string
	Href  string
	Late  bool
}

// Date is the day as programs read it.
func (d Day) Date() string { return d.At.Format(time.DateOnly) }

// Weekday is its day of the week by number, Monday first.
func (d Day) Weekday() int { return (int(d.At.Weekday())+6)%7 + 1 }

// Number is its number in the month.
func (d Day) Number() int { return d.At.Day() }

// Weekdays are the days of the week by number, Monday first.
func (m *Month) Weekdays() []int { return []int{1, 2, 3, 4, 5, 6, 7} }

// Titled is empty: the screen's own name does.
func (m *Month) Titled() string { return "" }

// Limits of what a month shows.
const (
	mostTalks = 64
	mostDays  = 31 // of one round
)

// MakeMonth makes a month of rounds, of days by which they are due, and of days of open actions. Of sessions nothing stands there.
func MakeMonth(ctx context.Context, d *cases.Desk) (*Month, error) {
	start, err := monthOf(d.Query.Get("m"), d.Now)
	if err != nil {
		return nil, err
	}
	to := func(t time.Time) string { return d.To("/talks/month", "m", t.Format("2006-01")) }
	m := &Month{
		Year: start.Year(), Number: int(start.Month()), Before: to(start.AddDate(0, -1, 0)), After: to(start.AddDate(0, 1, 0)), List: d.To("/talks"), File: d.To("/talks.ics"),
	}
	first := start.AddDate(0, 0, -(int(start.Weekday())+6)%7) // a week begins on Monday
	for day := first; day.Before(start.AddDate(0, 1, 0)); {
		var week []Day
		for range 7 {
			week = append(week, Day{At: day, In: day.Month() == start.Month(), Today: day.Equal(d.Now.Truncate(24 * time.Hour))})
			day = day.AddDate(0, 0, 1)
		}
		m.Weeks = append(m.Weeks, week)
	}
	series, groups, err := both(ctx, d)
	if err != nil {
		return nil, err
	}
	all := slices.Concat(series, groups)
	if m.Left = max(len(all)-mostTalks, 0); m.Left > 0 {
		all = all[:mostTalks]
	}
	for _, x := range all {
		whole, err := talks.Client{Node: d.Client}.Show(ctx, x.ID, d.Lang)
		if p, ok := cases.Problem(err); ok && p.Status == http.StatusNotFound {
			continue // the list is older than the node by a moment
		}
		if err != nil {
			return nil, err
		}
		m.note(d, &whole)
	}
	for _, w := range m.Weeks {
		for i := range w {
			slices.SortStableFunc(w[i].Events, func(a, b Event) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Name, b.Name)) })
		}
	}
	return m, nil
}

// monthOf reads a month such as 2027-02; empty is the one that is now.
func monthOf(s string, now time.Time) (time.Time, error) {
	if s == "" {
		s = now.Format("2006-01")
	}
	year, month, _ := strings.Cut(s, "-")
	y, errY := strconv.Atoi(year)
	n, errM := strconv.Atoi(month)
	if errY != nil || errM != nil || y < 1900 || y > 9998 || n < 1 || n > 12 {
		return time.Time{}, &api.Problem{Status: http.StatusBadRequest, Code: "form-broken", Fields: []string{fmt.Sprintf("%.10q", s)}}
	}
	return time.Date(y, time.Month(n), 1, 0, 0, 0, 0, time.UTC), nil
}

// put puts an event on each of its days.
func (m *Month) put(e Event, until time.Time) {
	day := e.At.UTC().Truncate(24 * time.Hour)
	for n := 0; n < mostDays && (n == 0 || day.Before(until)); n++ {
		for _, w := range m.Weeks {
			for i := range w {
				if w[i].At.Equal(day) {
					w[i].Events = append(w[i].Events, e)
					if w[i].In {
						m.Events++
					}
				}
			}
		}
		day = day.AddDate(0, 0, 1)
	}
}

// note puts what a series or a group has into the month.
func (m *Month) note(d *cases.Desk, x *talks.File) {
	href := at(d, x.ID)
	agreed := false
	for i := range x.Rounds {
		r := &x.Rounds[i]
		e := Event{Name: x.Name, Round: r.Number, Href: href + "#round-" + itoa(r.Number)}
		switch {
		case len(r.Held) > 0:
			h := r.Held[0]
			e.Kind, e.At, e.Words = "round-held", h.From, h.Place
			m.put(e, h.To)
		case r.Agreed != nil:
			e.Kind, e.At, e.Words, e.Late = "round-agreed", r.Agreed.From, r.Agreed.ModeIn, r.Agreed.To.Before(d.Now)
			m.put(e, r.Agreed.To)
			agreed = agreed || r.Number == x.Round
		default:
			for _, p := range r.Proposals {
				if len(p.Standing) > 0 {
					e.Kind, e.At, e.Words = "round-proposed", p.From, p.ModeIn
					m.put(e, p.To)
				}
			}
		}
	}
	if x.Kind == "series" && !agreed && !x.Due.IsZero() {
		m.put(Event{Kind: "round-due", At: x.Due, Name: x.Name, Round: x.Round, Href: href, Late: x.Overdue}, x.Due)
	}
	for _, a := range x.Actions {
		if a.State == "open" {
			m.put(Event{Kind: "action", At: a.Due, Name: x.Name, Words: a.Owner + ": " + first(words(a.Texts, d.Lang)), Href: href + "#actions", Late: a.Late}, a.Due)
		}
	}
}

// Calendar is rounds and actions as a file that other calendars read.
func Calendar(ctx context.Context, d *cases.Desk) (name, mediaType string, content []byte, err error) {
	b, err := talks.Client{Node: d.Client}.Calendar(ctx, "", string(d.Plane), d.Lang)
	return "consultations.ics", "text/calendar; charset=utf-8", b, err
}

// Save is a file about a series or a group: the invitation to a round, the papers of a review, what was said in a session for its members, or for the outside.
func Save(ctx context.Context, d *cases.Desk) (name, mediaType string, content []byte, err error) {
	c, session := talks.Client{Node: d.Client}, d.Query.Get("session")
	what := d.Query.Get("what")
	round, err := strconv.Atoi(d.Query.Get("round"))
	if (what == "invitation" || what == "papers") && (err != nil || round < 1) {
		return "", "", nil, notFound("no-page")
	}
	switch what {
	case "papers":
		as := d.Query.Get("as")
		mediaType, known := map[string]string{"pdf": "application/pdf", "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}[as]
		if !known {
			return "", "", nil, notFound("no-page")
		}
		b, err := c.Pack(ctx, d.ID, round, as, talks.Review{})
		return "review-" + itoa(round) + "." + as, mediaType, b, err
	case "invitation":
		b, err := c.Invitation(ctx, d.ID, round, "", "", d.Lang)
		return "round-" + itoa(round) + ".ics", "text/calendar; charset=utf-8", b, err
	case "session":
		b, err := c.Sealed(ctx, d.ID, session, false)
		return "for-members.session", "application/octet-stream", b, err
	case "outside":
		list, err := c.Outside(ctx, d.ID, session, d.Lang)
		var b strings.Builder
		for _, x := range list {
			fmt.Fprintf(&b, "%s  %s: %s\n", x.On.UTC().Format(time.DateOnly), x.By, x.Words)
		}
		return "said.txt", "text/plain; charset=utf-8", []byte(b.String()), err
	}
	return "", "", nil, notFound("no-page")
}
