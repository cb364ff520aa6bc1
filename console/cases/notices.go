package cases

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"html"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/form"
)

// Notices answers: what was announced, by whom, for when and where?
type Notices struct {
	Past       bool // what has ended is shown too
	Picture    template.HTML
	From, To   time.Time // what the picture shows
	Activities []Activity
	Cautions   []Caution
	Protected  []Protected
	Complaints []Complaint
	Now        int    // activities under way
	Hidden     int    // that have ended
	All        string // address of the page with them
}

// Activity is a declared activity.
type Activity struct {
	api.Activity
	Href string
	Over bool
	Ours bool
}

// Caution is a window of special caution.
type Caution struct {
	api.Caution
	Href string
	Over bool
	Ours bool
}

// Protected is a process that a guarantee protects.
type Protected struct {
	api.ProtectedProcess
	Href string
	Over bool
	Ours bool
	Span string // between two checks of the line, in words
}

// Complaint is that a guarantee appears not to have been observed, with the case that it opens.
type Complaint struct {
	api.Complaint
	Href string
	To   string // the case
}

// Titled is empty: the screen's own name does.
func (n *Notices) Titled() string { return "" }

// MakeNotices makes the calendar of what was announced.
func MakeNotices(ctx context.Context, d *Desk) (*Notices, error) {
	c, err := d.Client.Calendar(ctx, d.Plane, d.Lang)
	if err != nil {
		return nil, err
	}
	n := &Notices{Past: d.Query.Get("state") == "all", All: d.To("/notices", "state", "all")}
	n.From = monday(d.Now).AddDate(0, 0, -14)
	n.To = n.From.AddDate(0, 0, 7*weeks)
	for _, a := range c.Activities {
		row := Activity{a, d.To("/statement/" + a.ID), over(a.State) || a.Until.Before(d.Now), a.Party == d.Party}
		if a.State == "activated" {
			n.Now++
		}
		if row.Over && !n.Past {
			n.Hidden++
			continue
		}
		n.Activities = append(n.Activities, row)
	}
	for _, w := range c.Windows {
		row := Caution{w, d.To("/statement/" + w.ID), over(w.State) || w.Until.Before(d.Now), w.Party == d.Party}
		if row.Over && !n.Past {
			n.Hidden++
			continue
		}
		n.Cautions = append(n.Cautions, row)
	}
	slices.SortStableFunc(n.Activities, func(a, b Activity) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Number, b.Number)) })
	slices.SortStableFunc(n.Cautions, func(a, b Caution) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Number, b.Number)) })
	if err := n.guaranteed(ctx, d); err != nil {
		return nil, err
	}
	if len(n.Activities)+len(n.Cautions)+len(n.Protected) > 0 {
		n.Picture = d.calendar(n)
	}
	return n, nil
}

// guaranteed adds the processes that guarantees protect, and what was complained of.
func (n *Notices) guaranteed(ctx context.Context, d *Desk) error {
	g, err := d.Client.Guarantees(ctx, d.Plane, d.Lang)
	if absent(err) {
		return nil
	}
	for _, p := range g.Processes {
		by, _, _ := strings.Cut(p.By, "/")
		row := Protected{p, d.To("/statement/" + url.PathEscape(p.ID)), p.State == "past" || p.State == "cancelled", by == string(d.Party), d.span(p.Every)}
		if row.Over && !n.Past {
			n.Hidden++
			continue
		}
		n.Protected = append(n.Protected, row)
	}
	for _, c := range g.Complaints {
		n.Complaints = append(n.Complaints, Complaint{c, d.To("/statement/" + url.PathEscape(c.ID)), d.To("/case", "n", c.Case)})
	}
	return err
}

// over tells whether what was announced has ended before its time, or at it.
func over(state string) bool {
	return slices.Contains([]string{"completed", "cancelled", "withdrawn", "ended", "declined", "lapsed"}, state)
}

func monday(t time.Time) time.Time {
	t = t.UTC().Truncate(24 * time.Hour)
	return t.AddDate(0, 0, -(int(t.Weekday())+6)%7)
}

// Measures of the calendar, in units of the picture.
const (
	weeks     = 13
	wide      = 900
	gutter    = 150 // where the numbers stand
	headHigh  = 34
	rowHigh   = 26
	mostBars  = 60
	barHigh   = 14
	titleHigh = 16
)

// bar is something that has a time, in the picture.
type bar struct {
	label, title, class string
	from, until         time.Time
}

// calendar draws the weeks around now, a row for each activity and window. What is planned is hollow, what is under way is solid, what has ended is dashed, a
// window of caution is hatched: no colour tells anything by itself. The table beneath says the same.
func (d *Desk) calendar(n *Notices) template.HTML {
	var bars []bar
	for _, a := range n.Activities {
		class := "planned"
		switch {
		case a.State == "activated":
			class = "active"
		case a.Over:
			class = "over"
		}
		bars = append(bars, bar{a.Number, d.Say("notices.bar", a.Number, a.What, a.Stands, form.DTG(a.From), form.DTG(a.Until)), class, a.From, a.Until})
	}
	for _, w := range n.Cautions {
		bars = append(bars, bar{w.Number, d.Say("notices.bar", w.Number, d.Say("notices.caution"), w.Stands, form.DTG(w.From), form.DTG(w.Until)), "caution", w.From, w.Until})
	}
	for _, p := range n.Protected {
		bars = append(bars, bar{p.Number, d.Say("notices.bar", p.Number, p.Name, d.Say("protected.state."+p.State), form.DTG(p.From), form.DTG(p.Until)), "caution", p.From, p.Until})
	}
	bars = slices.DeleteFunc(bars, func(b bar) bool { return !b.until.After(n.From) || !b.from.Before(n.To) })
	bars = bars[:min(len(bars), mostBars)]
	p := &picture{rtl: d.RTL, wide: wide}
	high := headHigh + rowHigh*len(bars) + 8
	p.open("calendar", high, d.Say("notices.picture"), d.Say("notices.picture.desc", len(bars)))
	fmt.Fprintf(&p.b, `<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>`)
	at := func(t time.Time) float64 {
		part := float64(t.Sub(n.From)) / float64(n.To.Sub(n.From))
		return gutter + (wide-gutter-8)*min(max(part, 0), 1)
	}
	for i := range weeks + 1 {
		week := n.From.AddDate(0, 0, 7*i)
		p.line("week", at(week), headHigh-6, at(week), float64(high-4))
		if i < weeks {
			p.text("label", at(week)+3, titleHigh, week.Format("02"))
			if i == 0 || week.Day() <= 7 {
				p.text("label", at(week)+3, titleHigh+11, d.Say("month."+fmt.Sprint(int(week.AddDate(0, 0, 6).Month()))))
			}
		}
	}
	for i, b := range bars {
		y := float64(headHigh + i*rowHigh)
		p.text("label code", 4, y+barHigh-2, b.label)
		from, until := at(b.from), at(b.until)
		p.b.WriteString(`<g class="bar ` + b.class + `"><title>` + html.EscapeString(form.Visible(b.title)) + `</title>`)
		p.rect("", from, y, max(until-from, 3), barHigh)
		p.b.WriteString("</g>\n")
	}
	p.line("today", at(d.Now), headHigh-8, at(d.Now), float64(high-4))
	return p.close()
}

// picture writes SVG that looks the same on every machine, turned round for a language that is written from right to left.
type picture struct {
	b    bytes.Buffer
	rtl  bool
	wide float64
	name string
}

func (p *picture) open(name string, high int, title, desc string) {
	dir := "ltr"
	if p.rtl {
		dir = "rtl"
	}
	p.name = name
	fmt.Fprintf(&p.b, `<svg xmlns="http://www.w3.org/2000/svg" class="drawn %s" viewBox="0 0 %.0f %d" role="img" aria-labelledby="%[1]s-t %[1]s-d" direction="%[4]s">`+"\n", name, p.wide, high, dir)
	fmt.Fprintf(&p.b, `<title id="%s-t">%s</title><desc id="%[1]s-d">%[3]s</desc>`+"\n", name, html.EscapeString(title), html.EscapeString(desc))
}

func (p *picture) close() template.HTML {
	p.b.WriteString("</svg>")
	return template.HTML(p.b.String()) // made of numbers, own words, and strangers' words that went through escape
}

// x is where something of a width stands that is so far from the beginning, in the direction of reading.
func (p *picture) x(from, long float64) float64 {
	if p.rtl {
		return p.wide - from - long
	}
	return from
}

func (p *picture) rect(class string, x, y, long, high float64) {
	fmt.Fprintf(&p.b, `<rect%s x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, classed(class), p.x(x, long), y, long, high)
}

func (p *picture) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(&p.b, `<line%s x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", classed(class), p.x(x1, 0), y1, p.x(x2, 0), y2)
}

// text begins at x and runs in the direction of the page.
func (p *picture) text(class string, x, y float64, text string) {
	fmt.Fprintf(&p.b, `<text%s x="%.1f" y="%.1f" text-anchor="start">%s</text>`+"\n", classed(class), p.x(x, 0), y, html.EscapeString(form.Visible(text)))
}

// middle stands around x.
func (p *picture) middle(class string, x, y float64, text string) {
	fmt.Fprintf(&p.b, `<text%s x="%.1f" y="%.1f" text-anchor="middle">%s</text>`+"\n", classed(class), p.x(x, 0), y, html.EscapeString(form.Visible(text)))
}

func classed(class string) string {
	if class == "" {
		return ""
	}
	return ` class="` + class + `"`
}
