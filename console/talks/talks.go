// Package talks makes what the console shows of consultations and groups of experts: their list, each with its rounds, texts, actions and sessions, the month.
// It must never show what was said in a session to anybody but its members, nor where it would be printed or come back.
package talks

import (
	"context"
	"embed"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/api/talks"
	"detente/console/cases"
)

//go:embed templates phrases
var files embed.FS

// Files are the templates and the phrases of these pages, for the console's paper.
func Files() fs.FS { return files }

// shown is how many series, and how many groups, a list shows at once.
const shown = 100

// List answers: when do we meet, what is agreed?
type List struct {
	Series  []Row
	Groups  []Row
	Overdue int  // series of which a round is due and not agreed, or agreed and past without a word
	Agreed  int  // series of which the next round is agreed
	Next    *Row // the first that meets; nil where no round is agreed for a time to come
	Left    int  // that do not stand on the page
	Going   *Going
	New     []cases.Choice // where a series or a group is opened
	Month   string
	File    string // what other programs put into their calendars
}

// Row is a series or a group in the list.
type Row struct {
	talks.Line
	Href  string
	Offer string   // where the lighter form is proposed; empty where nothing is to be offered
	While []string // channels that are suspended, while this goes on; of groups
}

// Titled is empty: the screen's own name does.
func (l *List) Titled() string { return "" }

// both asks for the series and the groups of the window's plane.
func both(ctx context.Context, d *cases.Desk) (series, groups []talks.Line, err error) {
	c := talks.Client{Node: d.Client}
	if series, err = c.List(ctx, "series", "", string(d.Plane), d.Lang); err == nil {
		groups, err = c.List(ctx, "group", "", string(d.Plane), d.Lang)
	}
	if absent(err) {
		return nil, nil, nil // this node has no secretariat
	}
	return series, groups, err
}

// MakeList makes the list of series and groups: those first that need somebody, then by the day of the next round.
func MakeList(ctx context.Context, d *cases.Desk) (*List, error) {
	l := &List{Month: d.To("/talks/month"), File: d.To("/talks.ics")}
	series, groups, err := both(ctx, d)
	if err != nil {
		return nil, err
	}
	for _, x := range series {
		l.Series = append(l.Series, row(d, x))
		switch x.Stands {
		case "overdue", "missed":
			l.Overdue++
		case "agreed":
			l.Agreed++
		}
	}
	slices.SortStableFunc(l.Series, func(a, b Row) int { return when(&a.Line).Compare(when(&b.Line)) })
	if i := slices.IndexFunc(l.Series, func(r Row) bool { return r.Next != nil && r.Next.To.After(d.Now) }); i >= 0 {
		next := l.Series[i]
		l.Next = &next
	}
	if l.Going, err = going(ctx, d, series, groups); err != nil {
		return nil, err
	}
	for _, x := range groups {
		r := row(d, x)
		r.While = l.Going.while(&x)
		l.Groups = append(l.Groups, r)
	}
	for _, list := range []*[]Row{&l.Series, &l.Groups} {
		if len(*list) > shown {
			l.Left += len(*list) - shown
			*list = (*list)[:shown]
		}
	}
	if d.May("send") {
		l.New, err = openings(ctx, d)
	}
	return l, err
}

// when is the day by which a series is put in its place: that of the next round, or by which it is due.
func when(x *talks.Line) time.Time {
	if x.Next != nil {
		return x.Next.From
	}
	return x.Due
}

func row(d *cases.Desk, x talks.Line) Row {
	r := Row{Line: x, Href: at(d, x.ID)}
	if d.May("send") && x.Goes && (x.Stands == "overdue" || x.Stands == "refused") {
		r.Offer = d.To("/talks/"+url.PathEscape(x.ID), "offer", x.Lighter) + "#propose"
	}
	return r
}

// at is the address of a series or a group.
func at(d *cases.Desk, id string, pairs ...string) string {
	return d.To("/talks/"+url.PathEscape(id), pairs...)
}

// openings are the channels on which a series or a group can be opened. A group lives on a protected channel only.
func openings(ctx context.Context, d *cases.Desk) (out []cases.Choice, err error) {
	channels, err := d.Client.Channels(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range channels {
		if c.Kind != "common" || !c.Established || !strings.HasPrefix(c.Regime, "dialogue/") { // asking each channel for its forms would make a slow page
			continue
		}
		for _, form := range []string{"series", "group"} {
			if form == "series" || c.Protected {
				out = append(out, cases.Choice{Value: d.To("/talks/new", "channel", c.ID, "form", form), Label: d.Say("talks.open."+form, c.Name)})
			}
		}
	}
	return out, nil
}

// Count is how many series are overdue, or were to be held and nobody has said that they were: for the frame, which is there without it too.
func Count(ctx context.Context, d *cases.Desk) (n int) {
	if !d.May("read") {
		return 0
	}
	series, err := talks.Client{Node: d.Client}.List(ctx, "series", "", string(d.Plane), d.Lang)
	if err != nil {
		return 0
	}
	for _, x := range series {
		if x.Stands == "overdue" || x.Stands == "missed" {
			n++
		}
	}
	return n
}

// Going says, while something is suspended, what stands still with it and what goes on all the same.
type Going struct {
	Suspended []string // channels
	Stopped   []Row
	On        []Row
}

// while are the channels that are suspended while a series or a group goes on. g may be nil.
func (g *Going) while(x *talks.Line) []string {
	if g == nil || !x.Goes || !x.Protected {
		return nil
	}
	return g.Suspended
}

// MakeGoing makes it for another page, which is there without it too. nil while nothing is suspended.
func MakeGoing(ctx context.Context, d *cases.Desk) *Going {
	series, groups, err := both(ctx, d)
	if err != nil {
		return nil
	}
	g, err := going(ctx, d, series, groups)
	if err != nil {
		return nil
	}
	return g
}

func going(ctx context.Context, d *cases.Desk, series, groups []talks.Line) (*Going, error) {
	if len(series)+len(groups) == 0 {
		return nil, nil
	}
	g := &Going{}
	statuses, err := d.Client.Statuses(ctx)
	if err != nil && !absent(err) {
		return nil, err
	}
	for _, s := range statuses {
		if s.State == "suspended" {
			g.Suspended = append(g.Suspended, s.Channel)
		}
	}
	for _, x := range slices.Concat(series, groups) {
		switch {
		case !x.Goes:
			g.Stopped = append(g.Stopped, row(d, x))
			if !slices.Contains(g.Suspended, x.Channel) {
				g.Suspended = append(g.Suspended, x.Channel)
			}
		case x.Protected:
			g.On = append(g.On, row(d, x))
		}
	}
	if len(g.Suspended) == 0 {
		return nil, nil
	}
	return g, nil
}

// absent tells whether an error means only that there is nothing to show: the node knows no such request, or this officer may not see it.
func absent(err error) bool {
	p, ok := cases.Problem(err)
	return ok && (p.Code == "no-such-request" || p.Status == 403)
}

// statement is the address of a statement's page.
func statement(d *cases.Desk, id string) string { return d.To("/statement/" + url.PathEscape(id)) }

func notFound(code string) error { return &api.Problem{Status: 404, Code: code} }
