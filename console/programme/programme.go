// Package programme makes what the console shows of the programme: the relations, and for each the six measures as of any date, with the time line below.
// It must never say of a measure what the board of the node does not, nor need a script to go to another date.
package programme

import (
	"cmp"
	"context"
	"embed"
	"io/fs"
	"net/url"
	"strconv"
	"strings"
	"time"

	"detente/api"
	"detente/api/programme"
	"detente/console/cases"
	"detente/traffic"
)

//go:embed templates phrases
var files embed.FS

// Files are the templates and the phrases of these pages, for the console's paper.
func Files() fs.FS { return files }

// List answers: with whom does the programme stand how?
type List struct {
	Own    []Relation
	Others []Relation
}

// Relation is one in the list.
type Relation struct {
	programme.Relation
	Href     string
	Measures []Stood
}

// Stood is how one measure stands.
type Stood struct {
	Number int
	Stands string
}

// Titled is empty: the screen's own name does.
func (l *List) Titled() string { return "" }

// MakeList makes the list of relations.
func MakeList(ctx context.Context, d *cases.Desk) (*List, error) {
	all, err := programme.Client{Node: d.Client}.Relations(ctx, programme.Ask{Plane: d.Plane})
	if err != nil {
		if p, ok := cases.Problem(err); ok && p.Code == "no-such-request" {
			return &List{}, nil
		}
		return nil, err
	}
	l := &List{}
	for _, r := range all {
		x := Relation{Relation: r, Href: at(d, r.X, r.Y)}
		for i, s := range r.Stands {
			x.Measures = append(x.Measures, Stood{i + 1, s})
		}
		if r.Own {
			l.Own = append(l.Own, x)
		} else {
			l.Others = append(l.Others, x)
		}
	}
	return l, nil
}

// between parts the two names in an address.
const between = ".."

func at(d *cases.Desk, x, y traffic.Party, pairs ...string) string {
	return d.To("/programme/"+url.PathEscape(string(x)+between+string(y)), pairs...)
}

// Board answers: how does each of the six measures stand, and by what?
type Board struct {
	programme.Board
	Measures []Measure
	Now      bool   // the board is of now
	Day      string // as the field for a date has it
	Today    string
	Back     int // days from that date to today
	Most     int // days that the slider goes back
	Ticks    []int
	Action   string // where the slider goes
	Present  string // the board of now
	Before   string // the day before
	After    string // the day after; empty for today
	Other    string // the board as it may be shown to others, or back
	Changes  []Change
	Strip    *Strip
	Legend   []string
	Runs     string // direction of the slider: today is where the reader's line ends
}

// Measure is one of the six.
type Measure struct {
	programme.Line
	Evidence []Link
	Facts    []Fact
}

// Fact is one thing that holds, and where that stands.
type Fact struct {
	programme.Fact
	Evidence []Link
	File     string // the case, text, series or instrument in which it stands
	Kind     string
}

// Link is a statement, by its number.
type Link struct {
	Number string
	Href   string
}

// Change is a day on which a measure came to stand otherwise.
type Change struct {
	programme.Change
	Date     string
	Href     string // the board of that day
	Evidence []Link
	Here     bool
}

// Titled names the two.
func (b *Board) Titled() string {
	return strings.ToUpper(string(b.X)) + " – " + strings.ToUpper(string(b.Y))
}

const (
	months    = 12
	mostBack  = 366
	mostLinks = 4 // statements beside one fact; the count says how many there are
)

// MakeBoard makes the board of two parties, of the day that was chosen.
func MakeBoard(ctx context.Context, d *cases.Desk) (*Board, error) {
	x, y, ok := strings.Cut(d.ID, between)
	if !ok {
		return nil, &api.Problem{Status: 404, Code: "no-page"}
	}
	today := d.Now.UTC().Truncate(24 * time.Hour)
	day := chosen(d.Query, today)
	ask := programme.Ask{Plane: d.Plane, Lang: d.Lang, Public: d.Query.Get("public") != "", Months: months}
	if day.Before(today) {
		ask.On = day.Format(time.DateOnly)
	}
	client := programme.Client{Node: d.Client}
	b := &Board{Now: ask.On == "", Day: day.Format(time.DateOnly), Today: today.Format(time.DateOnly), Most: mostBack, Runs: "rtl", Legend: []string{"none", "waiting", "alive", "overdue", "suspended", "ended"}}
	if d.RTL {
		b.Runs = "ltr"
	}
	var err error
	if b.Board, err = client.Board(ctx, traffic.Party(x), traffic.Party(y), ask); err != nil {
		return nil, err
	}
	ask.On = ""
	line, err := client.Timeline(ctx, traffic.Party(x), traffic.Party(y), ask)
	if err != nil {
		return nil, err
	}
	b.Back = min(int(today.Sub(day)/(24*time.Hour)), mostBack)
	public := ""
	if b.Public {
		public = "1"
	}
	to := func(on time.Time) string {
		return at(d, b.X, b.Y, "on", on.Format(time.DateOnly), "public", public)
	}
	b.Action, b.Present, b.Before = at(d, b.X, b.Y), at(d, b.X, b.Y, "public", public), to(day.AddDate(0, 0, -1))
	if day.Before(today) {
		b.After = to(day.AddDate(0, 0, 1))
	}
	b.Other = at(d, b.X, b.Y, "on", onDay(b), "public", map[string]string{"": "1"}[public])
	for _, l := range b.Lines {
		m := Measure{Line: l, Evidence: links(d, l.Evidence)}
		for _, f := range l.Facts {
			x := Fact{Fact: f, Evidence: links(d, f.Evidence)}
			x.Kind, x.File = file(d, f.Evidence)
			m.Facts = append(m.Facts, x)
		}
		b.Measures = append(b.Measures, m)
	}
	for _, c := range line.Changes {
		b.Changes = append(b.Changes, Change{Change: c, Date: c.Day.Format(time.DateOnly), Href: to(c.Day), Evidence: links(d, c.Evidence), Here: c.Day.Equal(day)})
		b.Ticks = append(b.Ticks, int(today.Sub(c.Day)/(24*time.Hour)))
	}
	b.Strip = strip(d, &line, day)
	return b, nil
}

func onDay(b *Board) string {
	if b.Now {
		return ""
	}
	return b.Day
}

// chosen is the day that a reader has chosen: by its date, or by the days that the slider goes back; today for none, and for what has not come.
func chosen(q url.Values, today time.Time) time.Time {
	day := today
	if back, err := strconv.Atoi(q.Get("back")); err == nil && back > 0 {
		day = today.AddDate(0, 0, -min(back, mostBack))
	} else if on, err := time.Parse(time.DateOnly, q.Get("on")); err == nil && on.Year() > 1900 {
		day = on
	}
	if day.After(today) {
		return today
	}
	return day
}

func links(d *cases.Desk, list []programme.Evidence) (out []Link) {
	for _, e := range list[:min(len(list), mostLinks)] {
		out = append(out, Link{cmp.Or(e.Number, e.Statement[:min(12, len(e.Statement))]), d.To("/statement/" + url.PathEscape(e.Statement))})
	}
	return out
}

// file is where the first of some statements stands: its kind, and the address.
func file(d *cases.Desk, list []programme.Evidence) (kind, href string) {
	for _, e := range list {
		switch e.Kind {
		case "case":
			return e.Kind, d.To("/case", "n", e.File)
		case "draft":
			return e.Kind, d.To("/instrument", "n", e.File)
		case "talk":
			return e.Kind, d.To("/talks/" + url.PathEscape(e.File))
		}
	}
	return "", ""
}
