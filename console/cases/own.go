package cases

import (
	"context"
	"net/url"
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
}

// Concern is what of one statement concerns own systems.
type Concern struct {
	api.Match
	Href string
	Left int // objects that match and do not stand on the page
}

// Mail is a mail about the case, with a text that leads nowhere.
type Mail struct {
	api.Mail
	Proved string // what is proved of who wrote it: ours, signed, answers or nothing
}

const (
	mostHits  = 50 // of one statement
	mostMails = 50
)

// own makes what stands beside a case; nil where nothing does.
func (d *Desk) own(ctx context.Context, number string) (*Own, error) {
	o := &Own{}
	matches, err := d.Client.Matches(ctx, number, false)
	if err != nil && !absent(err) {
		return nil, err
	}
	o.Concerns = d.concerns(matches)
	mails, err := d.Client.Mails(ctx, number, false)
	if err != nil && !absent(err) {
		return nil, err
	}
	for _, m := range mails[:min(len(mails), mostMails)] {
		if m.Plane == d.Plane {
			o.Mails = append(o.Mails, shownMail(m))
		}
	}
	if o.Advisories, err = d.Client.Advisories(ctx, number); err != nil && !absent(err) {
		return nil, err
	}
	if len(o.Concerns)+len(o.Mails)+len(o.Advisories) == 0 {
		return nil, nil
	}
	return o, nil
}

func (d *Desk) concerns(all api.Matches) (out []Concern) {
	for _, m := range all.Matches {
		if m.Plane != d.Plane {
			continue
		}
		c := Concern{Match: m, Href: d.To("/statement/" + url.PathEscape(m.Statement))}
		c.Hits = c.Hits[:min(len(c.Hits), mostHits)]
		c.Left = max(m.Count-len(c.Hits), 0)
		out = append(out, c)
	}
	return out
}

func shownMail(m api.Mail) Mail {
	out := Mail{Mail: m, Proved: m.Proof}
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
	}
	return "", ""
}
