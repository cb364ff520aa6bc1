// Package instruments makes what the console shows of agreements in negotiation: their list, the text of each in two columns with its brackets, the editor
// of one provision, the ladder. It must never show what its own side keeps to itself so that it could be taken for something that was said.
package instruments

import (
	"context"
	"embed"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"detente/api"
	"detente/api/drafting"
	"detente/console/cases"
)

//go:embed templates phrases
var files embed.FS

// Files are the templates and the phrases of these pages, for the console's paper.
func Files() fs.FS { return files }

// shown is how many negotiations a list shows at once.
const shown = 100

// List answers: which words are still open, who stands where?
type List struct {
	Ended  bool // those that are in force or have ended are shown too
	Search string
	Drafts []Row
	Open   int // provisions, over all of them
	Ours   int // of them, those on which the others wait for this party
	Left   int // that do not stand on the page
	New    string
	Relied *Relied // with which a complaint is made; nil where none can be
	Found  bool    // nothing was left out by a search
}

// Row is a negotiation in the list.
type Row struct {
	drafting.Draft
	Href string
	Open int
	With []string
}

// Titled is empty: the screen's own name does.
func (l *List) Titled() string { return "" }

// MakeList makes the list of what is negotiated.
func MakeList(ctx context.Context, d *cases.Desk) (*List, error) {
	l := &List{Ended: d.Query.Get("state") == "all", Search: strings.TrimSpace(d.Query.Get("q")), Found: true}
	if d.May("send") {
		l.New = d.To("/instruments/new")
	}
	var err error
	if l.Relied, err = relied(ctx, d); err != nil {
		return nil, err
	}
	all, err := drafting.Client{Node: d.Client}.List(ctx, drafting.Listing{Plane: string(d.Plane), Lang: d.Lang})
	if absent(err) {
		return l, nil // this node has no chancery
	}
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b drafting.Draft) int { return b.Last.Compare(a.Last) })
	for _, x := range all {
		r := Row{Draft: x, Href: d.To("/instrument", "n", x.ID), Open: max(x.Total-x.Agreed, 0)}
		for _, p := range x.Parties {
			if p != string(d.Party) {
				r.With = append(r.With, p)
			}
		}
		settled := settled(x.Stage)
		if !settled {
			l.Open += r.Open
			l.Ours += x.Ours
		}
		if settled && !l.Ended || !hit(l.Search, x.Title, x.KindWords, x.Stands, x.Number, strings.Join(x.Parties, " ")) {
			l.Found = l.Found && l.Search == ""
			continue
		}
		if len(l.Drafts) == shown {
			l.Left++
			continue
		}
		l.Drafts = append(l.Drafts, r)
	}
	return l, nil
}

// settled tells whether a stage is one in which nobody negotiates any more.
func settled(stage string) bool {
	return slices.Contains([]string{"in-force", "suspended", "ended", "lapsed"}, stage)
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

// Count is on how many provisions the others wait for this party: for the frame, which is there without it too.
func Count(ctx context.Context, d *cases.Desk) (n int) {
	if !d.May("read") {
		return 0
	}
	all, err := drafting.Client{Node: d.Client}.List(ctx, drafting.Listing{Plane: string(d.Plane), Lang: d.Lang})
	if err != nil {
		return 0
	}
	for _, x := range all {
		if !settled(x.Stage) {
			n += x.Ours
		}
	}
	return n
}

// absent tells whether an error means only that there is nothing to show: the node knows no such request, or this officer may not see it.
func absent(err error) bool {
	p, ok := cases.Problem(err)
	return ok && (p.Code == "no-such-request" || p.Status == 403)
}

// statement is the address of a statement's page.
func statement(d *cases.Desk, id string) string {
	if id == "" {
		return ""
	}
	return d.To("/statement/" + url.PathEscape(id))
}

func notFound(code string) error { return &api.Problem{Status: 404, Code: code} }
