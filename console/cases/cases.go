// Package cases makes what the console shows of cases: their list, the file of each, what was declared, the ledger, the collections of the response team.
// It must never show an indicator so that it leads anywhere, nor draw what others wrote without its limits.
package cases

import (
	"context"
	"embed"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/traffic"
)

//go:embed templates phrases
var files embed.FS

// Files are the templates and the phrases of these pages, for the console's paper.
func Files() fs.FS { return files }

// Desk is whoever asks for a page: as whom, in which window, in which language.
type Desk struct {
	Client *api.Client
	Party  traffic.Party
	Plane  traffic.Plane
	Lang   string
	RTL    bool
	Now    time.Time
	Query  url.Values
	ID     string // of what the page's address names, such as that of a series; empty where it names nothing
	May    func(action string) bool
	Say    func(key string, args ...any) string
	To     func(path string, pairs ...string) string // address of a page in the window's plane
	// Posts are the own posts that may speak on a channel, in the name of which the officer may act.
	Posts func(api.Channel) ([]Choice, error)
	// Refused says on a page why something was not done. What is no answer of the node is passed on.
	Refused func(error) (*Refusal, error)
}

// Choice is one of several values.
type Choice struct {
	Value, Label string
	Chosen       bool
}

// Refusal is why something was not done, on the page on which it was tried: what was written stays.
type Refusal struct {
	What, Do string
	Details  []string
}

// shown is how many cases a list shows at once.
const shown = 100

// List answers: who owes whom what by when?
type List struct {
	Closed   bool // those that are closed are shown too
	Search   string
	Channels []Choice
	Cases    []Row
	Open     int
	Ours     int // open ones in which this party owes what comes next
	Overdue  int
	Left     int    // cases that do not stand on the page
	More     string // address of the page that has more
	Filtered bool
	New      string // address at which a case is opened
}

// Row is a case in the list.
type Row struct {
	api.Case
	Href string
	Owes string // ours, theirs, or nothing
}

// Titled is empty: the screen's own name does.
func (l *List) Titled() string { return "" }

// MakeList makes the list of cases.
func MakeList(ctx context.Context, d *Desk) (*List, error) {
	l := &List{Closed: d.Query.Get("state") == "all", Search: strings.TrimSpace(d.Query.Get("q"))}
	channel := d.Query.Get("channel")
	limit := shown
	if d.Query.Has("every") {
		limit = 10 * shown
	}
	listing := api.CaseListing{Plane: d.Plane, Open: !l.Closed, Lang: d.Lang}
	if l.Search == "" && !l.Closed && channel == "" {
		listing.Limit = limit
	}
	all, err := d.Client.Cases(ctx, listing)
	if err != nil {
		return nil, err
	}
	tally, err := d.Client.TallyCases(ctx, d.Plane)
	if err != nil {
		return nil, err
	}
	l.Open, l.Ours, l.Overdue = tally.Open, tally.Ours, tally.Overdue
	channels, err := d.Client.Channels(ctx)
	if err != nil {
		return nil, err
	}
	l.Channels = []Choice{{"", d.Say("filter.channel.all"), channel == ""}}
	for _, c := range channels {
		if c.Kind == "common" && c.Established {
			l.Channels = append(l.Channels, Choice{c.Name, c.Name, c.Name == channel})
		}
	}
	l.Filtered = l.Closed || l.Search != "" || channel != ""
	slices.SortStableFunc(all, func(a, b api.Case) int {
		switch {
		case a.Open == b.Open:
			return 0
		case a.Open:
			return -1
		}
		return 1
	})
	for _, c := range all {
		r := d.row(c)
		if channel != "" && !slices.Contains(c.Channels, channel) || !hit(l.Search, c.Title, c.What, c.Stands, strings.Join(c.Peers, " ")) {
			continue
		}
		if len(l.Cases) == limit {
			l.Left++
			continue
		}
		l.Cases = append(l.Cases, r)
	}
	if listing.Limit > 0 {
		l.Left = l.Open - len(l.Cases)
	}
	if l.Left > 0 && limit == shown {
		q := url.Values{}
		for k, v := range d.Query {
			q[k] = v
		}
		q.Set("every", "1")
		l.More = d.To("/cases") + "?" + q.Encode()
	}
	if d.May("send") {
		l.New = d.To("/compose")
	}
	return l, nil
}

// Count is how many cases are open: for the frame, which is there without it too.
func Count(ctx context.Context, d *Desk) int {
	if !d.May("read") {
		return 0
	}
	t, err := d.Client.TallyCases(ctx, d.Plane)
	if err != nil {
		return 0
	}
	return t.Open
}

func (d *Desk) row(c api.Case) Row {
	r := Row{Case: c, Href: d.To("/case", "n", c.Title)}
	if c.Next != nil {
		r.Owes = d.owes(c.Next, c.Opener)
	}
	return r
}

// owes tells who owes something: ours, theirs, or nobody who can be named.
func (d *Desk) owes(due *api.Deadline, opener traffic.Party) string {
	if due.Kind == "caution-begins" || due.Kind == "caution-ends" { // the window itself does it
		return ""
	}
	switch due.Party {
	case d.Party:
		return "ours"
	case "":
		if opener != d.Party { // it was addressed to all of us
			return "ours"
		}
	}
	return "theirs"
}

// hit tells whether every word of a query stands in one of the texts.
func hit(query string, texts ...string) bool {
	all := strings.ToLower(strings.Join(texts, " "))
	for word := range strings.FieldsSeq(strings.ToLower(query)) {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}

// absent tells whether an error means only that there is nothing to show: the node knows no such request, or this officer may not see it.
func absent(err error) bool {
	p, ok := Problem(err)
	return ok && (p.Code == "no-such-request" || p.Status == 403)
}
