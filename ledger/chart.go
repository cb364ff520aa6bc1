package ledger

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"time"

	"detente/traffic"
)

// Chart draws accounts. The colours are of the page, by the classes in-time, late, unanswered, pending and withdrawn; each has a sign of its own too, so that
// colour tells nothing that the sign does not, and every bar and the whole have a text for who does not see them. No script.
type Chart struct {
	// Name tells the chart from others on one page, for what refers to its title: letters, digits and hyphens.
	Name string
	// Say gives a phrase of the reader's language: the keys ledger.chart.…, ledger.outcome.… for each outcome, month.1 to month.12.
	Say func(key string, args ...any) string
	// Span writes a length of time in the reader's language.
	Span func(time.Duration) string
	RTL  bool // the language is written from right to left, and so runs the time
}

// Measures of the charts, in units of the picture.
const (
	wide    = 640
	margin  = 56
	barTop  = 16
	barRoom = 140
	rowHigh = 46
)

func look(o Outcome) (sign, opacity string) {
	switch o {
	case InTime:
		return "+", "0.2"
	case Late:
		return "~", "0.4"
	case Unanswered:
		return "×", "0.6"
	case Pending:
		return "…", "0.1"
	}
	return "–", "0.06"
}

// Months draws what became of the requests of each month, a column for each: what an account's [Account.Months] gives, the newest 24 of them.
func (c *Chart) Months(months []Account) []byte {
	months = months[max(0, len(months)-24):]
	most := 1
	sums := make([]map[Outcome]int, len(months))
	total, inTime := 0, 0
	for i, m := range months {
		sums[i] = make(map[Outcome]int)
		sum := 0
		for _, f := range m.Figures {
			for _, o := range Outcomes() {
				sums[i][o] += f.Count(o)
			}
			sum += f.Requests
		}
		most, total, inTime = max(most, sum), total+sum, inTime+sums[i][InTime]
	}
	var b bytes.Buffer
	c.open(&b, barTop+barRoom+72, "ledger.chart.months", "ledger.chart.months.desc", total, inTime)
	step := float64(wide-2*margin) / float64(max(1, len(months)))
	for i, m := range months {
		at, y := margin+step*float64(i), float64(barTop+barRoom)
		name := c.say(fmt.Sprintf("month.%d", int(m.Period.From.Month())))
		for _, o := range Outcomes() {
			n := sums[i][o]
			if n == 0 {
				continue
			}
			high := float64(barRoom) * float64(n) / float64(most)
			y -= high
			sign, opacity := look(o)
			text := c.say("ledger.chart.bar", name+" "+fmt.Sprint(m.Period.From.Year()), c.Say("ledger.outcome."+string(o)), n)
			fmt.Fprintf(&b, `<g class="bar %s"><title>%s</title><rect x="%s" y="%s" width="%s" height="%s" fill-opacity="%s"/>`,
				o, text, number(c.x(at, step*0.7)), number(y), number(step*0.7), number(high), opacity)
			if high >= 10 {
				fmt.Fprintf(&b, `<text x="%s" y="%s" text-anchor="middle">%s %d</text>`, number(c.x(at, step*0.7)+step*0.35), number(y+high/2+3), sign, n)
			}
			b.WriteString("</g>\n")
		}
		fmt.Fprintf(&b, `<text class="label" x="%s" y="%d" text-anchor="middle">%s</text>`+"\n", number(c.x(at, step*0.7)+step*0.35), barTop+barRoom+14, name)
	}
	for i, o := range Outcomes() {
		sign, opacity := look(o)
		at, y := float64(margin+i%3*(wide-2*margin)/3), barTop+barRoom+32+i/3*18 // three beside each other: in some languages they are long
		fmt.Fprintf(&b, `<g class="bar %s"><rect x="%s" y="%d" width="11" height="11" fill-opacity="%s"/></g><text class="label" x="%s" y="%d" text-anchor="start">%s %s</text>`+"\n",
			o, number(c.x(at, 11)), y, opacity, number(c.x(at+15, 0)), y+9, sign, c.say("ledger.outcome."+string(o)))
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// Elapsed draws how long answers took, by precedence, over all the figures: half of them, and nine of ten. The scale is logarithmic, from a minute on.
func (c *Chart) Elapsed(a *Account) []byte {
	all := make(map[traffic.Precedence][]int64)
	for i := range a.Requests {
		if r := &a.Requests[i]; r.Answered != nil {
			all[r.Precedence] = append(all[r.Precedence], elapsed(r, r.Answered))
		}
	}
	var b bytes.Buffer
	c.open(&b, barTop+rowHigh*len(traffic.Precedences())+8, "ledger.chart.elapsed", "ledger.chart.elapsed.desc")
	longest := int64(3600)
	for _, list := range all {
		longest = max(longest, rank(list, 90))
	}
	room := float64(wide - 3*margin)
	for i, p := range traffic.Precedences() {
		y := barTop + i*rowHigh
		fmt.Fprintf(&b, `<text class="label" x="%s" y="%d" text-anchor="start">%s</text>`+"\n", number(c.x(4, 0)), y+18, p)
		if len(all[p]) == 0 {
			fmt.Fprintf(&b, `<text class="label" x="%s" y="%d" text-anchor="start">%s</text>`+"\n", number(c.x(1.5*margin, 0)), y+18, c.say("ledger.chart.none"))
			continue
		}
		for j, percent := range []int{50, 90} {
			seconds := rank(all[p], percent)
			long := max(2, room*math.Log(float64(max(seconds, 60))/60)/math.Log(float64(longest)/60))
			span := c.Span(time.Duration(seconds) * time.Second)
			text := c.say("ledger.chart.span", p.String(), percent, span, len(all[p]))
			fmt.Fprintf(&b, `<g class="bar p%d"><title>%s</title><rect x="%s" y="%d" width="%s" height="14" fill-opacity="%s"/><text x="%s" y="%d" text-anchor="start">%s</text></g>`+"\n",
				percent, text, number(c.x(1.5*margin, long)), y+4+j*17, number(long), []string{"0.4", "0.15"}[j],
				number(c.x(1.5*margin+long+5, 0)), y+15+j*17, html.EscapeString(span))
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (c *Chart) open(b *bytes.Buffer, high int, title, desc string, args ...any) {
	direction := "ltr"
	if c.RTL {
		direction = "rtl"
	}
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" class="ledger" viewBox="0 0 %d %d" role="img" aria-labelledby="%[3]s-title %[3]s-desc" direction="%[4]s" font-family="sans-serif" font-size="10" fill="currentColor">`+"\n",
		wide, high, c.Name, direction)
	fmt.Fprintf(b, "<title id=\"%s-title\">%s</title>\n<desc id=\"%[1]s-desc\">%[3]s</desc>\n", c.Name, c.say(title), c.say(desc, args...))
}

// x is where something of a width stands that is so far from the beginning, in the direction of reading.
func (c *Chart) x(from, long float64) float64 {
	if c.RTL {
		return wide - from - long
	}
	return from
}

// number writes a coordinate the same on every machine.
func number(f float64) string { return fmt.Sprintf("%.1f", math.Round(f*10)/10) }

func (c *Chart) say(key string, args ...any) string { return html.EscapeString(c.Say(key, args...)) }
