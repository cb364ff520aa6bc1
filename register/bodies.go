package register

import (
	"fmt"
	"slices"
	"strings"

	"detente/acts"
	"detente/traffic"
)

type pictureBody struct {
	On, Days string
	Last, At int
	Keys     []key
	Regions  []region
	Rows     []statusRow
}

type key struct {
	State acts.State
	Count int
}

type region struct {
	Name, key string
	Tiles     []tile
}

type tile struct {
	File       traffic.Party
	Name, Code string
	Steps      string
	State      acts.State
}

type statusRow struct {
	tile
	Signed, Consented, InForce, Ends string
	Way                              acts.Kind
	Words                            []wordLink
}

type wordLink struct {
	Href string
	Kind acts.Kind
}

// picture is the default page: who stands how, on the day of the edition; its script shows other days.
func (p *speaker) picture(v *view) pictureBody {
	b := pictureBody{On: day(v.on), Last: len(v.days) - 1}
	var days []string
	for i, d := range v.days {
		if d == v.on {
			b.At = i
		}
		days = append(days, fmt.Sprint(int(d)-unixEpochDay))
	}
	b.Days = strings.Join(days, " ")
	for _, s := range acts.States() {
		if n := v.status.Counts[s]; n > 0 || slices.ContainsFunc(v.changes, func(c change) bool { return c.after == s }) || s == acts.None {
			b.Keys = append(b.Keys, key{s, n})
		}
	}
	for _, x := range p.byName(v) {
		l := v.lives[x]
		t := tile{File: x, Name: p.called(v, x), Code: p.code(x), Steps: l.script(), State: l.row.State}
		name, k := p.region(x)
		i := slices.IndexFunc(b.Regions, func(r region) bool { return r.key == k })
		if i < 0 {
			i, b.Regions = len(b.Regions), append(b.Regions, region{Name: name, key: k})
		}
		b.Regions[i].Tiles = append(b.Regions[i].Tiles, t)
		b.Rows = append(b.Rows, p.row(v, l, t))
	}
	for _, r := range b.Regions { // in a region by code, which is the same in all languages
		slices.SortFunc(r.Tiles, func(a, b tile) int { return strings.Compare(a.Code, b.Code) })
	}
	slices.SortFunc(b.Regions, func(a, b region) int {
		if (a.key == "") != (b.key == "") { // those without a region last
			return strings.Compare(b.key, a.key)
		}
		return strings.Compare(a.key, b.key)
	})
	return b
}

func (p *speaker) row(v *view, l *life, t tile) statusRow {
	r := statusRow{tile: t, Signed: day(l.row.Signed), Consented: day(l.row.Consented), InForce: day(l.row.InForce), Ends: day(l.row.Ends), Way: l.row.Way}
	said := func(id string) {
		if n, ok := v.byID[id]; ok && len(r.Words) < 8 {
			r.Words = append(r.Words, wordLink{v.actHref(n), v.Verdict.Record.Acts[n].Kind})
		}
	}
	for _, h := range l.row.Held {
		said(h.ID)
	}
	for _, id := range l.row.Statements {
		said(id)
	}
	return r
}

type actsBody struct {
	Count int
	Pages []link
	Acts  []actRow
}

type actRow struct {
	Anchor, ID, Name                       string
	File                                   traffic.Party
	Kind                                   acts.Kind
	Manner, Date, Effect, Known, By        string
	Provision, With, Participant, Corrects string
	AtLeast                                int
	Opposing, Signed                       bool
	Regarding                              *wordLink
	Why                                    acts.Reason
	Corrected                              string
	Texts                                  []worded
}

func (p *speaker) acts(v *view, show func(name, template, at string, body any)) {
	all := v.Verdict.Record.Acts
	pages := max(1, (len(all)+actsPerPage-1)/actsPerPage)
	for n := 1; n <= pages; n++ {
		b := actsBody{Count: len(all), Pages: links(pages, n, func(i int) string { return fmt.Sprintf("acts-%d.html", i) })}
		for i := (n - 1) * actsPerPage; i < min(n*actsPerPage, len(all)); i++ {
			b.Acts = append(b.Acts, p.act(v, &all[i]))
		}
		show(fmt.Sprintf("acts-%d.html", n), "acts", "acts", b)
	}
}

func (p *speaker) act(v *view, a *acts.Noted) actRow {
	r := actRow{Anchor: anchor(a.ID), ID: a.ID, Name: p.called(v, a.Party), File: a.Party, Kind: a.Kind, Manner: a.Manner, Date: day(a.Date), Effect: day(a.Effect),
		Provision: a.Provision, Participant: a.Participant, AtLeast: a.AtLeast, Opposing: a.Opposing, Signed: v.signed[a.ID], Why: a.Why}
	if !a.Known.IsZero() {
		r.Known = moment(a.Known)
	}
	if a.By != "" && a.By != a.Party {
		r.By = p.name(a.By, p.lang, nil)
	}
	var with []string
	for _, x := range a.With {
		with = append(with, p.called(v, x))
	}
	r.With = strings.Join(with, ", ")
	if n, ok := v.byID[a.Regarding]; ok && a.Regarding != "" {
		r.Regarding = &wordLink{v.actHref(n), v.Verdict.Record.Acts[n].Kind}
	}
	if a.As != nil {
		r.Corrected = day(a.As.Date)
	}
	r.Texts = list(a.Texts)
	return r
}

type relationsBody struct {
	On      string
	Keys    []acts.Bond
	Pages   []link
	Columns []tile
	Rows    []relationRow
}

type relationRow struct {
	tile
	Cells []string
}

func (p *speaker) relations(v *view, show func(name, template, at string, body any)) {
	n := len(v.order)
	blocks := max(1, (n+matrixBlock-1)/matrixBlock)
	span := func(b int) string {
		return fmt.Sprintf("%s–%s", p.code(v.order[b*matrixBlock]), p.code(v.order[min(n, (b+1)*matrixBlock)-1]))
	}
	name := func(r, c int) string { return fmt.Sprintf("relations-%d-%d.html", r+1, c+1) }
	for r := range blocks {
		for c := range blocks {
			b := relationsBody{On: day(v.on), Keys: []acts.Bond{acts.Bound, acts.Modified, acts.Excluded, acts.Unbound}}
			if n < 2 {
				show(name(r, c), "relations", "relations", b)
				continue
			}
			for r2 := 0; blocks > 1 && r2 < blocks; r2++ {
				for c2 := range blocks {
					if r2 == r || c2 == c {
						b.Pages = append(b.Pages, link{p.T("relations.block", span(r2), span(c2)), name(r2, c2), r2 == r && c2 == c})
					}
				}
			}
			for j := c * matrixBlock; j < min(n, (c+1)*matrixBlock); j++ {
				b.Columns = append(b.Columns, tile{File: v.order[j], Name: p.called(v, v.order[j]), Code: p.code(v.order[j])})
			}
			for i := r * matrixBlock; i < min(n, (r+1)*matrixBlock); i++ {
				row := relationRow{tile: tile{File: v.order[i], Name: p.called(v, v.order[i])}}
				for j := c * matrixBlock; j < min(n, (c+1)*matrixBlock); j++ {
					cell := "self"
					if i != j {
						cell = string(v.relation(i, j).Bond)
					}
					row.Cells = append(row.Cells, cell)
				}
				b.Rows = append(b.Rows, row)
			}
			show(name(r, c), "relations", "relations", b)
		}
	}
}

type historyBody struct {
	Pages   []link
	Changes []changeRow
}

type changeRow struct {
	Day, Name     string
	File          traffic.Party
	Before, After acts.State
}

func (p *speaker) history(v *view, show func(name, template, at string, body any)) {
	pages := max(1, (len(v.changes)+changePages-1)/changePages)
	for n := 1; n <= pages; n++ {
		b := historyBody{Pages: links(pages, n, func(i int) string { return fmt.Sprintf("history-%d.html", i) })}
		for _, c := range v.changes[(n-1)*changePages : min(n*changePages, len(v.changes))] {
			b.Changes = append(b.Changes, changeRow{day(c.day), p.called(v, c.party), c.party, c.before, c.after})
		}
		show(fmt.Sprintf("history-%d.html", n), "history", "history", b)
	}
}

type partyBody struct {
	Name, Code, Region string
	Names              []worded
	Instruments        []partyInstrument
}

type partyInstrument struct {
	Slug          string
	Title         worded
	State         acts.State
	InForce, Ends string
	Changes       []changeRow
	With          int
	Exceptions    []exception
	Acts          []partyAct
}

type exception struct {
	File traffic.Party
	Name string
	Bond acts.Bond
	Acts []wordLink
}

type partyAct struct {
	Day, Href string
	Kind      acts.Kind
	Why       acts.Reason
}

func (p *speaker) party(x traffic.Party, views []*view) {
	b := partyBody{Name: p.called(views[len(views)-1], x), Code: p.code(x), Names: list(p.Parties[x].Name)}
	b.Region, _ = p.region(x)
	for _, v := range views {
		b.Instruments = append(b.Instruments, p.within(x, v))
	}
	p.write("p/"+string(x)+".html", "party", page{Title: b.Name, Body: b})
}

// within is a participant's part in one instrument.
func (p *speaker) within(x traffic.Party, v *view) partyInstrument {
	l, base := v.lives[x], "../i/"+v.slug+"/"
	out := partyInstrument{Slug: v.slug, Title: pick(p.lang, v.Verdict.Opening.Title), State: l.row.State, InForce: day(l.row.InForce), Ends: day(l.row.Ends)}
	for _, c := range l.steps {
		out.Changes = append(out.Changes, changeRow{Day: day(c.day), After: c.after})
	}
	i := slices.Index(v.order, x)
	for j, y := range v.order {
		if i == j {
			continue
		}
		r := v.relation(i, j)
		switch r.Bond {
		case acts.Bound:
			out.With++
		case acts.Modified, acts.Excluded:
			out.Exceptions = append(out.Exceptions, exception{y, p.called(v, y), r.Bond, v.causes(r, base)})
		}
	}
	for _, n := range l.acts {
		a := &v.Verdict.Record.Acts[n]
		out.Acts = append(out.Acts, partyAct{day(a.Date), base + v.actHref(n), a.Kind, a.Why})
	}
	return out
}

// causes are the acts that make a relation other than plainly in force.
func (v *view) causes(r *acts.Relation, base string) []wordLink {
	var out []wordLink
	for _, m := range slices.Concat(r.Modified, r.Excluded) {
		for _, id := range []string{m.Reservation, m.Objection} {
			if n, ok := v.byID[id]; ok && id != "" {
				w := wordLink{base + v.actHref(n), v.Verdict.Record.Acts[n].Kind}
				if !slices.Contains(out, w) {
					out = append(out, w)
				}
			}
		}
	}
	return out
}
