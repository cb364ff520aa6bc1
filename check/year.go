package check

import (
	"bytes"
	"fmt"
	"html"
	"time"

	"detente/traffic"
)

// Picture is what a year of checks is drawn from.
type Picture struct {
	Peer traffic.Party
	Days []Day     // of that peer
	Last time.Time // the last day shown
	// Say gives a phrase of the reader's language: the keys check.year.…, weekday.1 (Monday) to weekday.7, month.1 to month.12.
	Say func(key string, args ...any) string
	RTL bool // the language is written from right to left, and so runs the year
}

const (
	cell   = 13 // side of a cell with the gap after it
	side   = 11
	weeks  = 53
	top    = 34
	margin = 40
	width  = margin + weeks*cell + 8
	height = top + 7*cell + 30
)

// SVG draws a calendar of the year that ends with Last: a column for each week, Monday on top. What a day was like stands in it as a sign, so that
// colour tells nothing that the sign does not; each day and the whole have a text for who does not see it. The colours are of the page: the classes
// day, none, all, late, missed and waiting; without a style sheet it is drawn in the colour of the text, for light and dark alike. No script.
func (p *Picture) SVG() []byte {
	last := p.Last.UTC().Truncate(24 * time.Hour)
	first := last.AddDate(0, 0, -(weeks-1)*7)
	first = first.AddDate(0, 0, -weekday(first)) // a Monday
	by := make(map[int64]Day, len(p.Days))
	var total Day
	for _, d := range p.Days {
		if d.Day.Before(first) || d.Day.After(last) {
			continue
		}
		by[d.Day.Unix()] = d
		total.Sent, total.Answered, total.Late, total.Missed = total.Sent+d.Sent, total.Answered+d.Answered, total.Late+d.Late, total.Missed+d.Missed
	}
	var b bytes.Buffer
	direction := "ltr"
	if p.RTL {
		direction = "rtl"
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" class="year" viewBox="0 0 %[1]d %[2]d" role="img" aria-labelledby="year-%[3]s-title year-%[3]s-desc" direction="%[4]s" font-family="sans-serif" font-size="9" fill="currentColor">`+"\n",
		width, height, p.Peer, direction)
	fmt.Fprintf(&b, "<title id=\"year-%s-title\">%s</title>\n", p.Peer, p.say("check.year.title", string(p.Peer), first.Format(time.DateOnly), last.Format(time.DateOnly)))
	fmt.Fprintf(&b, "<desc id=\"year-%s-desc\">%s</desc>\n", p.Peer, p.say("check.year.desc", total.Sent, total.Answered, total.Late, total.Missed))
	for d := range 7 {
		fmt.Fprintf(&b, `<text class="label" x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", p.x(-margin/2, 0), top+d*cell+9, p.say(fmt.Sprintf("weekday.%d", d+1)))
	}
	month := time.Month(0)
	for w := range weeks {
		monday := first.AddDate(0, 0, 7*w)
		if m := monday.Month(); m != month && monday.Day() <= 7 {
			month = m
			fmt.Fprintf(&b, `<text class="label" x="%d" y="%d" text-anchor="start">%s</text>`+"\n", p.edge(w), top-6, p.say(fmt.Sprintf("month.%d", int(m))))
		}
		for d := range 7 {
			day := monday.AddDate(0, 0, d)
			if day.After(last) {
				break
			}
			p.cell(&b, p.x(w*cell, side), top+d*cell, day, by[day.Unix()])
		}
	}
	p.legend(&b)
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// look is how a day is drawn: class, sign, and how strongly it is filled where no style sheet says otherwise.
func (d *Day) look() (class, sign, opacity string) {
	switch {
	case d.Sent == 0:
		return "none", "", "0.06"
	case d.Missed > 0:
		return "missed", "×", "0.45"
	case d.Late > 0:
		return "late", "~", "0.3"
	case d.Answered < d.Sent:
		return "waiting", "…", "0.1"
	}
	return "all", "+", "0.15"
}

func (p *Picture) cell(b *bytes.Buffer, x, y int, day time.Time, d Day) {
	text := p.say("check.year.none", day.Format(time.DateOnly))
	if d.Sent > 0 {
		text = p.say("check.year.day", day.Format(time.DateOnly), d.Sent, d.Answered, d.Late, d.Missed)
	}
	d.draw(b, x, y, text)
}

func (d *Day) draw(b *bytes.Buffer, x, y int, text string) {
	class, sign, opacity := d.look()
	fmt.Fprintf(b, `<g class="day %s"><title>%s</title><rect x="%d" y="%d" width="%d" height="%d" rx="2" fill-opacity="%s"/>`, class, text, x, y, side, side, opacity)
	if sign != "" {
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`, x+side/2, y+9, sign)
	}
	b.WriteString("</g>\n")
}

func (p *Picture) legend(b *bytes.Buffer) {
	y := top + 7*cell + 12
	for i, l := range []struct {
		key string
		day Day
	}{
		{"check.year.all", Day{Sent: 1, Answered: 1}}, {"check.year.late", Day{Sent: 1, Late: 1}}, {"check.year.missed", Day{Sent: 1, Missed: 1}},
		{"check.year.waiting", Day{Sent: 1}}, {"check.year.empty", Day{}},
	} {
		at := i * 9 * cell
		text := p.say(l.key)
		l.day.draw(b, p.x(at, side), y, text)
		fmt.Fprintf(b, `<text class="label" x="%d" y="%d" text-anchor="start">%s</text>`+"\n", p.x(at+side+4, 0), y+9, text)
	}
}

// x is where something of a width stands that is so far from the beginning of the first week, in the direction of reading.
func (p *Picture) x(from, wide int) int {
	if p.RTL {
		return width - margin - from - wide
	}
	return margin + from
}

// edge is where the words above a week begin.
func (p *Picture) edge(w int) int { return p.x(w*cell, 0) }

func (p *Picture) say(key string, args ...any) string { return html.EscapeString(p.Say(key, args...)) }

// weekday counts from 0 for Monday.
func weekday(t time.Time) int { return (int(t.Weekday()) + 6) % 7 }
