package cases

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/form"
	"detente/statement"
)

// Bears tells whether a form bears the number of a case.
func Bears(f *api.Form) bool {
	return slices.ContainsFunc(f.Fields, func(x api.Field) bool { return x.Name == "case" })
}

// State says what an officer has written: in a case, as one that it opens, or by itself. number and about name the case and what it is about there,
// where the form was opened from a case.
func State(ctx context.Context, client *api.Client, f *api.Form, r api.SendRequest, number, about string) (api.Sent, error) {
	switch {
	case number != "":
		return client.StateInCase(ctx, number, api.CaseStatement{Channel: r.Channel, About: about, To: r.To, Post: r.Post, Precedence: r.Precedence, Words: r.Words})
	case Bears(f):
		return client.OpenCase(ctx, api.CaseRequest{SendRequest: r, Case: r.Text["case"]})
	}
	return client.Send(ctx, r)
}

// Lose says on a channel that something has got out of hand: to all of its members, and, where such a form bears the number of a case, as what opens one.
// number is that of the case that it has opened on another channel; empty takes a new one.
func Lose(ctx context.Context, client *api.Client, number string, r api.SendRequest) (api.Sent, error) {
	c, err := client.Channel(ctx, r.Channel, "")
	if err != nil {
		return api.Sent{}, err
	}
	if len(c.Members) > 2 {
		r.To = statement.Everyone // of two the node takes the other one
	}
	if i := slices.IndexFunc(c.Forms, func(f api.Form) bool { return f.ID == r.Form }); i >= 0 && Bears(&c.Forms[i]) {
		return client.OpenCase(ctx, api.CaseRequest{SendRequest: r, Case: number})
	}
	return client.Send(ctx, r)
}

// Again is the address at which an officer asks for a statement to be sent again: one of others of which something is not here or cannot be read.
// Empty where nothing is amiss.
func Again(d *Desk, s *api.Statement) string {
	lacks := s.Document == nil || slices.ContainsFunc(s.Attachments, func(f api.AttachedFile) bool { return !f.Held })
	if s.Own || !lacks {
		return ""
	}
	to, _, _ := strings.Cut(s.From, "/")
	return d.To("/compose", "channel", s.Channel, "form", "service", "f.service", "retransmit", "about", s.ID, "to", to)
}

// Number puts a number in the place of the one that the node will give a new case, so that a preview shows where it will stand, and tells
// whether it did.
func Number(f *api.Form, r *api.SendRequest, party string) bool {
	if !Bears(f) || r.Text["case"] != "" || len(r.Refs) > 0 {
		return false
	}
	r.Text["case"] = party + "/…"
	return true
}

// Prepared are the fields of a report on a case, as far as the case gives them, by their names on the screen; nothing for other forms.
func Prepared(ctx context.Context, client *api.Client, formID, number string) (map[string]string, error) {
	if formID != "incident-report" || number == "" {
		return nil, nil
	}
	r, err := client.CaseReport(ctx, number)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string)
	for name, text := range r.Text {
		if name == "observed" {
			from, until, _ := strings.Cut(text, "/")
			out["f.observed"], out["f.observed.until"] = from, until
			continue
		}
		out["f."+name] = text
	}
	return out, nil
}

// Match is a declared activity that what was observed may be.
type Match struct {
	api.CaseMatch
	Href string
}

// Matches are the declared activities that what is being written may be; none while too little is written, or where no number can be read yet.
func Matches(ctx context.Context, d *Desk, text map[string]string) ([]Match, error) {
	from, until, _ := strings.Cut(text["observed"], "/")
	a, err := moment(from)
	b, err2 := moment(until)
	if err != nil || err2 != nil || b.Before(a) {
		return nil, nil
	}
	list, err := d.Client.MatchObservation(ctx, api.ObservationRequest{
		Plane: d.Plane, Observed: a.Format(time.RFC3339) + "/" + b.Format(time.RFC3339), Sources: text["sources"], Networks: text["networks"], Numbers: text["as_numbers"],
		Sector: text["sector"],
	}, d.Lang)
	if p, ok := Problem(err); ok && p.Status < 500 {
		return nil, nil
	}
	return d.matches(list), err
}

func (d *Desk) matches(list []api.CaseMatch) (out []Match) {
	for _, m := range list {
		out = append(out, Match{m, d.To("/statement/" + m.Notice.ID)})
	}
	return out
}

func moment(s string) (time.Time, error) {
	s = strings.ToUpper(strings.TrimSpace(s))
	t, err := form.ParseDTG(s)
	if err != nil {
		t, err = time.Parse(time.RFC3339, s)
	}
	return t.UTC(), err
}

// Of is the case that a statement is in: its title and its address, empty where it is in none.
func Of(ctx context.Context, d *Desk, s *api.Statement) (title, href string, err error) {
	c, err := d.Client.Case(ctx, cmp.Or(s.Dossier, s.ID), d.Lang)
	if p, ok := Problem(err); ok && p.Status < 500 {
		return "", "", nil
	}
	if err != nil {
		return "", "", err
	}
	return c.Title, d.To("/case", "n", c.Title), nil
}
