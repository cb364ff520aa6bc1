package cases

import (
	"context"
	"html/template"
	"slices"
	"time"

	"detente/api"
	"detente/ledger"
	"detente/traffic"
)

// Ledger answers: what was asked, what was answered, how fast, and have both sides signed for it?
type Ledger struct {
	api.Ledger
	Channels []Choice
	Periods  []Choice
	Of       string // the day in the period, as it is asked for
	Before   string // address of the period before
	After    string // of the one after; empty for the present one
	Figures  []Figure
	Asked    []Asked
	Left     int // requests that do not stand on the page
	Months   template.HTML
	Elapsed  template.HTML
	Signed   []Publication
	Propose  string // address at which publication is proposed
}

// Figure is a row of the table, its times in words.
type Figure struct {
	api.LedgerFigure
	Ours                       bool
	AckMedian, AckP90          string
	AnswerMedian, AnswerP90    string
	FromName, ToName, Standing string
}

// Asked is a request, with where it is shown.
type Asked struct {
	api.LedgerRequest
	Href string
}

// Publication is a proposal to publish, and whether it is of these figures.
type Publication struct {
	api.LedgerPublication
	Href string
	Same bool // of the figures on this page
}

// Titled is empty: the screen's own name does.
func (l *Ledger) Titled() string { return "" }

// mostAsked is how many requests stand on the page.
const mostAsked = 200

// MakeLedger makes the ledger of a channel and a period.
func MakeLedger(ctx context.Context, d *Desk) (*Ledger, error) {
	l := &Ledger{}
	channel, period := d.Query.Get("channel"), d.Query.Get("period")
	if !slices.Contains([]string{"month", "quarter", "year"}, period) {
		period = "year"
	}
	channels, err := d.Client.Channels(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range channels {
		if c.Kind != "common" || !c.Established {
			continue
		}
		if channel == "" {
			channel = c.ID
		}
		l.Channels = append(l.Channels, Choice{c.ID, c.Name, c.ID == channel || c.Name == channel})
	}
	for _, p := range []string{"month", "quarter", "year"} {
		l.Periods = append(l.Periods, Choice{p, d.Say("ledger.period." + p), p == period})
	}
	if channel == "" {
		return l, nil
	}
	of, err := time.Parse("2006-01-02", d.Query.Get("of"))
	if err != nil {
		of = d.Now
	}
	l.Of = of.Format("2006-01-02")
	if l.Ledger, err = d.Client.Ledger(ctx, api.LedgerQuery{Channel: channel, Plane: d.Plane, Period: period, Of: of, Lang: d.Lang}); err != nil {
		return nil, err
	}
	at := func(t time.Time) string {
		return d.To("/ledger", "channel", channel, "period", period, "of", t.UTC().Format("2006-01-02"))
	}
	l.Before = at(l.From.AddDate(0, 0, -1))
	if !l.Until.After(d.Now) {
		l.After = at(l.Until)
	}
	for _, f := range l.Ledger.Figures {
		l.Figures = append(l.Figures, Figure{LedgerFigure: f, Ours: f.From == d.Party, AckMedian: d.span(f.AcknowledgedMedian), AckP90: d.span(f.AcknowledgedP90), AnswerMedian: d.span(f.AnsweredMedian), AnswerP90: d.span(f.AnsweredP90)})
	}
	for i := len(l.Requests) - 1; i >= 0; i-- { // the newest first
		if len(l.Asked) == mostAsked {
			l.Left = i + 1
			break
		}
		l.Asked = append(l.Asked, Asked{l.Requests[i], d.To("/statement/" + l.Requests[i].ID)})
	}
	for _, p := range l.Publications {
		l.Signed = append(l.Signed, Publication{p, d.To("/statement/" + p.ID), p.Digest == l.Digest})
	}
	if d.May("send") {
		l.Propose = d.To("/compose", "channel", channel, "form", "publication", "f.figures", l.Digest)
	}
	l.charts(d)
	return l, nil
}

// charts draws the account that the node has drawn up.
func (l *Ledger) charts(d *Desk) {
	a := account(&l.Ledger)
	if len(a.Requests) == 0 {
		return
	}
	c := ledger.Chart{Name: "months", Say: d.Say, RTL: d.RTL, Span: func(t time.Duration) string { return d.span(int64(t / time.Second)) }}
	l.Months = template.HTML(c.Months(a.Months())) // package ledger escapes what it writes
	c.Name = "elapsed"
	l.Elapsed = template.HTML(c.Elapsed(a))
}

// account is what the charts need of the node's answer.
func account(l *api.Ledger) *ledger.Account {
	a := &ledger.Account{Plane: l.Plane, Period: ledger.Period{From: l.From, To: l.Until, Until: l.Closed}}
	for _, r := range l.Requests {
		p, err := traffic.ParsePrecedence(r.Precedence)
		if err != nil {
			continue // of a node that is newer
		}
		q := ledger.Request{From: r.From, To: r.To, Form: r.Form, Precedence: p, Issued: r.Issued, Due: r.Due, Extensions: r.Extensions, Outcome: ledger.Outcome(r.Outcome)}
		if !r.Acknowledged.IsZero() {
			q.Acknowledged = &ledger.Reply{At: r.Acknowledged}
		}
		if !r.Answered.IsZero() {
			q.Answered = &ledger.Reply{At: r.Answered}
		}
		a.Requests = append(a.Requests, q)
	}
	return a
}

// span is a number of seconds in words; a dash for -1, which is that nothing came.
func (d *Desk) span(seconds int64) string {
	switch {
	case seconds < 0:
		return "—"
	case seconds < 60:
		return d.Say("span.seconds", int(seconds))
	case seconds < 2*3600:
		return d.Say("span.minutes", int(seconds/60))
	case seconds < 48*3600:
		return d.Say("span.hours", int(seconds/3600), int(seconds%3600/60))
	}
	return d.Say("span.days", int(seconds/86400), int(seconds%86400/3600))
}
