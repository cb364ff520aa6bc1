package cases

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"detente/api"
	"detente/form"
	"detente/stix"
)

// Own is what stands beside a case for the own side alone: what of it concerns own systems, the mail about it, the advisories that name its
// vulnerabilities. Nothing of it enters into the case.
type Own struct {
	Concerns   []Concern
	Mails      []Mail
	Advisories []api.Advisory
	Seeing
}

// Seeing is whether the officer may take what waits off the watch, and where a button for it leads.
type Seeing struct {
	May    bool
	Action string
	Case   string // from which it is done; empty on the page of the collections
}

// Concern is what of one statement concerns own systems.
type Concern struct {
	api.Match
	Waits bool // nobody has seen it
	Href  string
	Left  int // objects that match and do not stand on the page
}

// Mail is a mail about the case, with a text that leads nowhere.
type Mail struct {
	api.Mail
	Waits  bool   // it came, and nobody has seen it
	Proved string // what is proved of who wrote it: ours, signed, answers or nothing
}

const (
	mostHits  = 50 // of one statement
	mostMails = 50
)

// own makes what stands beside a case; nil where nothing does.
func (d *Desk) own(ctx context.Context, number string) (*Own, error) {
	o := &Own{Seeing: d.seeing(number)}
	matches, err := d.Client.Matches(ctx, number, false)
	if err != nil && !absent(err) {
		return nil, err
	}
	o.Concerns = d.concerns(matches)
	mails, err := d.Client.Mails(ctx, number, false)
	if err != nil && !absent(err) {
		return nil, err
	}
	o.Mails = d.mails(mails)
	if o.Advisories, err = d.Client.Advisories(ctx, number); err != nil && !absent(err) {
		return nil, err
	}
	if len(o.Concerns)+len(o.Mails)+len(o.Advisories) == 0 {
		return nil, nil
	}
	return o, nil
}

func (d *Desk) seeing(number string) Seeing {
	return Seeing{May: d.May("take"), Action: d.To("/collections/seen"), Case: number}
}

func (d *Desk) concerns(all api.Matches) (out []Concern) {
	for _, m := range all.Matches {
		if m.Plane != d.Plane {
			continue
		}
		c := Concern{Match: m, Waits: m.Seen.IsZero(), Href: d.To("/statement/" + url.PathEscape(m.Statement))}
		c.Hits = c.Hits[:min(len(c.Hits), mostHits)]
		c.Left = max(m.Count-len(c.Hits), 0)
		out = append(out, c)
	}
	return out
}

func (d *Desk) mails(all []api.Mail) (out []Mail) {
	for _, m := range all {
		if m.Plane == d.Plane && len(out) < mostMails {
			out = append(out, shownMail(m))
		}
	}
	return out
}

func shownMail(m api.Mail) Mail {
	out := Mail{Mail: m, Waits: m.In && m.State == "new", Proved: m.Proof}
	switch {
	case !m.In:
		out.Proved = "ours"
	case m.Proof == "":
		out.Proved = "nothing"
	}
	if len(m.Text) > mostText {
		m.Text = strings.ToValidUTF8(m.Text[:mostText], "") + "…"
	}
	out.Text, out.Subject = form.Visible(stix.Defang(m.Text)), stix.Defang(m.Subject)
	return out
}

// See takes what concerns own systems, or a mail, off the watch.
func See(ctx context.Context, client *api.Client, given url.Values) error {
	if number, err := strconv.ParseInt(given.Get("mail"), 10, 64); err == nil {
		return client.SeeMail(ctx, number)
	}
	if given.Get("match") == "" {
		return &api.Problem{Status: http.StatusBadRequest, Code: "no-choice"}
	}
	return client.SeeMatch(ctx, given.Get("match"), api.MatchSeen{})
}

// Leads is the page at which an officer does what an item asks for, beside that of its statement, and the name of the way there; empty where there is none.
func (d *Desk) Leads(item *api.Item) (name, href string) {
	switch {
	case item.Kind == "release":
		return "releases", d.To("/releases")
	case item.Kind == "review":
		return "review", d.To("/collections")
	case item.Kind == "match":
		return "match", d.To("/collections") + "#concerns"
	case item.Kind == "case" && item.Number != "" && item.Statement == "": // a mail about it
		return "case", d.To("/case", "n", item.Number)
	case item.Kind == "dialogue" && item.Statement != "":
		return "talk", d.To("/talks/" + item.Statement)
	case slices.Contains([]string{"series", "group", "round-proposal", "round-refusal", "round-held", "action"}, item.Form) && item.Statement != "":
		return "talk", d.To("/talks/" + item.Statement)
	}
	return "", ""
}
