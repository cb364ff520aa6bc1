package cases

import (
	"cmp"
	"context"
	"fmt"
	"html"
	"html/template"
	"path"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/form"
	"detente/stix"
)

// Annex is the technical part of a case: what the STIX attachments that are held here say.
type Annex struct {
	Indicators []Indicator
	Left       int // indicators that do not stand in the table
	Picture    template.HTML
	Ties       []Tie
	Beyond     int // objects that do not stand in the picture
	Files      []Annexed
}

// Indicator is one thing to look for, written so that it leads nowhere.
type Indicator struct {
	Kind   string
	Value  string
	Hash   string // of a hash, its algorithm
	Name   string // of the object that says it
	Until  time.Time
	Number string // of the statement
	Href   string
}

// Tie is that one object has to do with another, in words.
type Tie struct{ From, Verb, To string }

// Annexed is an attachment, and what came of reading it.
type Annexed struct {
	Name    string
	Number  string
	Href    string
	Objects int
	Broken  int
	State   string // empty for one that was read; coming, large, broken
}

// Limits of what is read for a page. The attachments are strangers', and a page is made within a twentieth of a second.
const (
	mostStatements = 12
	mostFiles      = 8
	mostBytes      = 512 << 10
	mostRows       = 200
	mostNodes      = 48
	mostTies       = 120
)

func limits() stix.Limits {
	return stix.Limits{Object: 256 << 10, Depth: 24, Members: 5000, String: 64 << 10, Objects: 2000}
}

// annex reads what is attached to a case's statements. nil if nothing is.
func (d *Desk) annex(ctx context.Context, sheets []Sheet) (*Annex, error) {
	var a Annex
	var objects []*stix.Object
	seen := make(map[string]bool) // attachments
	asked := 0
	for _, s := range sheets {
		for _, e := range s.Entries {
			if e.Files == 0 || asked == mostStatements {
				continue
			}
			asked++
			st, err := d.Client.Statement(ctx, e.ID, d.Lang)
			if err != nil {
				return nil, err
			}
			for _, f := range st.Attachments {
				if !likely(f) || seen[f.Hash] || len(a.Files) == mostFiles {
					continue
				}
				seen[f.Hash] = true
				got, list, err := d.attached(ctx, f)
				if err != nil {
					return nil, err
				}
				got.Number, got.Href = e.Number, e.Href
				a.Files = append(a.Files, got)
				objects = append(objects, list...)
				a.indicators(list, e)
			}
		}
	}
	if len(a.Files) == 0 {
		return nil, nil
	}
	a.draw(d, objects)
	return &a, nil
}

// likely tells whether an attachment calls itself STIX. It is read as such, and believed in nothing else.
func likely(f api.AttachedFile) bool {
	ext := strings.ToLower(path.Ext(f.Name))
	return strings.Contains(strings.ToLower(f.Type), "stix") || ext == ".json" || ext == ".stix"
}

func (d *Desk) attached(ctx context.Context, f api.AttachedFile) (Annexed, []*stix.Object, error) {
	out := Annexed{Name: f.Name}
	switch {
	case !f.Held:
		out.State = "coming"
		return out, nil, nil
	case f.Size > mostBytes:
		out.State = "large"
		return out, nil, nil
	}
	b, err := d.Client.Attachment(ctx, f.Hash)
	if p, ok := Problem(err); ok && p.Status == 404 {
		out.State = "coming"
		return out, nil, nil
	}
	if err != nil {
		return out, nil, err
	}
	bundle, err := stix.Split(b, limits())
	if err != nil {
		out.State = "broken"
		return out, nil, nil
	}
	var list []*stix.Object
	for _, item := range bundle.Items {
		if item.Object == nil {
			out.Broken++
			continue
		}
		list = append(list, item.Object)
	}
	out.Objects = len(list)
	return out, list, nil
}

func (a *Annex) indicators(list []*stix.Object, e Entry) {
	for _, o := range list {
		i, is := o.Indicator()
		for _, x := range o.Observables() {
			if len(a.Indicators) == mostRows {
				a.Left++
				continue
			}
			row := Indicator{Kind: string(x.Kind), Value: stix.DefangValue(x.Observable), Hash: x.Hash, Number: e.Number, Href: e.Href}
			if is {
				row.Name, row.Until = stix.Defang(i.Name), i.ValidUntil
			}
			a.Indicators = append(a.Indicators, row)
		}
	}
}

// node is an object in the picture.
type node struct {
	id, kind, title string
	column, row     int
}

// columns are what stands beside each other: what to look for, what it shows, on whom and where.
func column(kind string) int {
	switch kind {
	case "indicator", "observed-data", "sighting", "report", "grouping":
		return 0
	case "identity", "location", "vulnerability", "infrastructure", "course-of-action", "incident":
		return 2
	case "relationship", "marking-definition", "extension-definition", "language-content", "note", "opinion":
		return -1
	}
	if strings.HasPrefix(kind, "x-") {
		return 2
	}
	return 1
}

// draw makes the picture and its words. The same objects give the same picture, in whatever order they came.
func (a *Annex) draw(d *Desk, objects []*stix.Object) {
	objects = stix.Latest(objects)
	slices.SortFunc(objects, func(x, y *stix.Object) int { return cmp.Or(cmp.Compare(x.Type, y.Type), cmp.Compare(x.ID, y.ID)) })
	ties := joined(objects)
	tied := make(map[string]int)
	for _, t := range ties {
		tied[t.from]++
		tied[t.to]++
	}
	var all []*stix.Object
	for _, o := range objects {
		if column(o.Type) >= 0 {
			all = append(all, o)
		}
	}
	// What has to do with most stands first, so that what does not fit is what stands alone.
	slices.SortStableFunc(all, func(x, y *stix.Object) int { return cmp.Compare(tied[y.ID], tied[x.ID]) })
	var rows [3]int
	nodes := make(map[string]*node)
	var order []*node
	for _, o := range all {
		c := column(o.Type)
		if len(order) == mostNodes || rows[c] == mostNodes/2 {
			a.Beyond++
			continue
		}
		n := &node{o.ID, o.Type, form.Visible(o.Title()), c, rows[c]}
		rows[c]++
		nodes[o.ID] = n
		order = append(order, n)
	}
	var lines []tie
	for _, t := range ties {
		from, to := nodes[t.from], nodes[t.to]
		if from == nil || to == nil || len(lines) == mostTies {
			continue
		}
		lines = append(lines, t)
		a.Ties = append(a.Ties, Tie{from.title, form.Visible(t.verb), to.title})
	}
	if len(order) > 0 {
		a.Picture = graph(d, order, nodes, lines, max(rows[0], rows[1], rows[2]))
	}
}

// tie is that one object has to do with another.
type tie struct{ from, verb, to string }

// joined lists what the objects say of each other: as relationships, and as references.
func joined(objects []*stix.Object) (out []tie) {
	for _, o := range objects {
		if r, ok := o.Relationship(); ok {
			out = append(out, tie{r.Source, r.Kind, r.Target})
			continue
		}
		if s, ok := o.Sighting(); ok {
			out = append(out, tie{o.ID, "sighting-of", s.Of})
			continue
		}
		if column(o.Type) < 0 {
			continue
		}
		for _, ref := range o.Refs() {
			if ref != o.CreatedBy && !slices.Contains(o.Markings, ref) {
				out = append(out, tie{o.ID, "refers-to", ref})
			}
		}
		if len(out) > 20*mostTies {
			break
		}
	}
	return out
}

// Measures of the picture.
const (
	boxLong = 220
	boxHigh = 34
	stepY   = 46
	stepX   = 320
)

func graph(d *Desk, order []*node, nodes map[string]*node, lines []tie, rows int) template.HTML {
	p := &picture{rtl: d.RTL, wide: 2*stepX + boxLong + 16}
	p.open("graph", rows*stepY+16, d.Say("annex.picture"), d.Say("annex.picture.desc", len(order), len(lines)))
	x := func(n *node) float64 { return float64(8 + n.column*stepX) }
	y := func(n *node) float64 { return float64(8 + n.row*stepY) }
	for _, t := range lines {
		a, b := nodes[t.from], nodes[t.to]
		from, to := x(a)+boxLong, x(b)
		if a.column > b.column {
			from, to = x(a), x(b)+boxLong
		} else if a.column == b.column {
			from, to = x(a)+boxLong, x(b)+boxLong
		}
		y1, y2 := y(a)+boxHigh/2, y(b)+boxHigh/2
		p.b.WriteString(`<g class="tie"><title>` + html.EscapeString(a.title+" "+form.Visible(t.verb)+" "+b.title) + `</title>`)
		bend := (from + to) / 2
		if a.column == b.column {
			bend = from + 36
		}
		fmt.Fprintf(&p.b, `<path d="M%.1f %.1f C%.1f %.1f %.1f %.1f %.1f %.1f"/>`, p.x(from, 0), y1, p.x(bend, 0), y1, p.x(bend, 0), y2, p.x(to, 0), y2)
		fmt.Fprintf(&p.b, `<circle cx="%.1f" cy="%.1f" r="3"/></g>`+"\n", p.x(to, 0), y2)
	}
	for _, n := range order {
		p.b.WriteString(`<g class="node"><title>` + html.EscapeString(n.kind+": "+n.title) + `</title>`)
		p.rect("", x(n), y(n), boxLong, boxHigh)
		p.middle("kind", x(n)+boxLong/2, y(n)+12, n.kind)
		p.middle("name", x(n)+boxLong/2, y(n)+26, cut(n.title, 30))
		p.b.WriteString("</g>\n")
	}
	return p.close()
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
