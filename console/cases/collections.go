package cases

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"detente/api"
	"detente/form"
	"detente/stix"
)

// Collections answers: what flows to and from the response team's own tools, and what waits for a person?
type Collections struct {
	Collections []Collection
	Reviews     []Review
	Waiting     int64 // of all collections
	Arrivals    []Arrival
	Pulls       []api.Pull
	Remotes     []api.Remote
	Concerns    []Concern // what came in, of own systems, that nobody has seen
	Mails       []Mail    // that came and that nobody has seen
	Seeing
	Tokens    []api.GatewayToken
	Decide    bool   // this officer may approve and refuse
	Decisions string // where a decision goes
}

// Titled is empty: the screen's own name does.
func (c *Collections) Titled() string { return "" }

// Collection is a collection, with the states of what goes out in their order.
type Collection struct {
	api.Collection
	Name   string // in the reader's language
	States []Stage
}

// Stage is how many objects are in a state.
type Stage struct {
	Name  string
	Count int64
}

// Review is an object that waits, with its name and its text so that neither leads anywhere.
type Review struct {
	api.Review
	Title string
	Text  string
	Into  string // title of its collection
}

// Arrival is what became of an attachment.
type Arrival struct {
	api.Arrival
	Into string
	Href string
}

const (
	mostReviews  = 50
	mostArrivals = 50
	mostText     = 8 << 10
)

// MakeCollections makes the page of the collections.
func MakeCollections(ctx context.Context, d *Desk) (*Collections, error) {
	c := &Collections{Seeing: d.seeing(""), Decide: d.May("send"), Decisions: d.To("/collections")}
	status, err := d.Client.Gateway(ctx)
	if absent(err) {
		return c, nil // this node has no gateway
	}
	if err != nil {
		return nil, err
	}
	titles := make(map[string]string)
	for _, x := range status.Collections {
		if x.Plane != "" && x.Plane != d.Plane {
			continue // a window never mixes planes
		}
		row := Collection{Collection: x, Name: d.collection(x)}
		titles[x.ID], titles[x.Title] = row.Name, row.Name // the node names a collection by either
		for _, name := range []string{"waiting", "released", "drafted", "sent", "refused"} {
			if n := x.States[name]; n > 0 {
				row.States = append(row.States, Stage{name, n})
			}
		}
		c.Waiting += x.States["waiting"]
		c.Collections = append(c.Collections, row)
	}
	slices.SortStableFunc(c.Collections, func(a, b Collection) int { return cmp.Or(cmp.Compare(a.Flow, b.Flow), cmp.Compare(a.Name, b.Name)) })
	for _, a := range status.Arrivals {
		if title, here := titles[a.Collection]; here && len(c.Arrivals) < mostArrivals {
			c.Arrivals = append(c.Arrivals, Arrival{a, title, d.To("/statement/" + a.Statement)})
		}
	}
	c.Pulls, c.Remotes = status.Pulls, status.Remotes
	for i := range c.Remotes {
		c.Remotes[i].Collection = cmp.Or(titles[c.Remotes[i].Collection], c.Remotes[i].Collection)
	}
	matches, err := d.Client.Matches(ctx, "", true)
	if err != nil && !absent(err) {
		return nil, err
	}
	c.Concerns = d.concerns(matches)
	mails, err := d.Client.Mails(ctx, "", true)
	if err != nil && !absent(err) {
		return nil, err
	}
	c.Mails = d.mails(mails)
	reviews, err := d.Client.Reviews(ctx, mostReviews)
	if err != nil && !absent(err) {
		return nil, err
	}
	for _, r := range reviews {
		if title, here := titles[r.Collection]; here {
			c.Reviews = append(c.Reviews, shownReview(r, title))
		}
	}
	if c.Tokens, err = d.Client.GatewayTokens(ctx); err != nil && !absent(err) {
		return nil, err
	}
	for _, t := range c.Tokens {
		for _, ids := range [][]string{t.Reads, t.Writes} {
			for i, id := range ids {
				ids[i] = cmp.Or(titles[id], id)
			}
		}
	}
	return c, nil
}

// collection names a collection in the reader's language: by what it is of, where a channel fills it, else as the administrator has called it.
func (d *Desk) collection(c api.Collection) string {
	switch {
	case c.Channel != "" && c.Flow == "in":
		return d.Say("collections.title.in", c.Channel, string(c.Party))
	case c.Channel != "" && c.Flow == "out":
		return d.Say("collections.title.out", c.Channel)
	}
	return form.Visible(c.Title)
}

func shownReview(r api.Review, into string) Review {
	out := Review{Review: r, Into: into, Title: r.ID}
	if o, err := stix.Read([]byte(r.Object), limits()); err == nil {
		out.Title = form.Visible(o.Title())
	}
	text := r.Object
	if len(text) > mostText {
		text = strings.ToValidUTF8(text[:mostText], "") + "…"
	}
	out.Text = form.Visible(stix.Defang(text))
	out.Object = ""
	return out
}

// DecideOn approves or refuses objects that wait. An empty choice decides nothing.
func DecideOn(ctx context.Context, client *api.Client, keys []string, decision, reason string) error {
	if len(keys) == 0 || len(keys) > mostReviews || decision != "approve" && decision != "refuse" {
		return &api.Problem{Status: http.StatusBadRequest, Code: "no-choice"}
	}
	return client.Review(ctx, api.ReviewRequest{Keys: keys, Refuse: decision == "refuse", Reason: strings.TrimSpace(reason)})
}
