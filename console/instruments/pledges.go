package instruments

import (
	"context"
	"maps"
	"slices"

	"detente/acts"
	"detente/api/registry"
	"detente/console/cases"

	"golang.org/x/text/language"
)

// Pledges answers: to what have states bound themselves before everybody, and who stands in it how? Of all instruments, or of one.
type Pledges struct {
	Instruments []OpenInstrument
	One         *registry.Whole // nil for the list
	Title       string
	Lang        string // of the title
	Words       []Side // the text, in the reader's language first
	On          string // the day that is asked for
	Status      *acts.Status
	Rows        []acts.Row
	Bound       int
	Acts        []Act
	Left        int    // acts that do not stand on the page
	New         string // address at which an act is stated
	Back        string
}

// OpenInstrument is an instrument that is open to all.
type OpenInstrument struct {
	registry.Instrument
	Name string
	Lang string
	Href string
}

// Act is an act in the reader's language.
type Act struct {
	acts.Noted
	Href  string // its statement; empty for one of a collection
	Words []Side
}

// Titled is the instrument's title; empty for the list.
func (p *Pledges) Titled() string { return bare(p.Title) }

const mostActs = 300

// MakePledges makes the page of the open register, as this node has folded it.
func MakePledges(ctx context.Context, d *cases.Desk) (*Pledges, error) {
	c := registry.Client{Node: d.Client}
	p := &Pledges{Back: d.To("/pledges")}
	id := d.Query.Get("i")
	if id == "" {
		all, err := c.Instruments(ctx)
		if absent(err) {
			return p, nil
		}
		for _, x := range all {
			o := OpenInstrument{Instrument: x, Href: d.To("/pledges", "i", x.ID)}
			o.Lang, o.Name = words(x.Title, d.Lang)
			p.Instruments = append(p.Instruments, o)
		}
		return p, err
	}
	one, err := c.Instrument(ctx, id)
	if err != nil {
		return nil, err
	}
	p.One, p.On = &one, d.Query.Get("on")
	p.Lang, p.Title = words(one.Title, d.Lang)
	p.Words = sides(one.Texts, d.Lang)
	when := registry.When{On: p.On}
	table, err := c.Status(ctx, one.ID, when)
	if err != nil {
		return nil, err
	}
	p.Status, p.Rows = &table.Status, table.Rows
	p.Bound = table.Counts[acts.InForce]
	list, err := c.Acts(ctx, one.ID, registry.When{})
	if err != nil {
		return nil, err
	}
	for i := len(list.Acts) - 1; i >= 0; i-- { // the newest first
		if len(p.Acts) == mostActs {
			p.Left = i + 1
			break
		}
		a := Act{Noted: list.Acts[i], Words: sides(list.Acts[i].Texts, d.Lang)}
		if one.Source == "feed" {
			a.Href = statement(d, a.ID)
		}
		p.Acts = append(p.Acts, a)
	}
	return p, nil
}

// words are a text in a reader's language, else in English, else in the first there is; with its language.
func words(texts map[string]string, reader string) (lang, text string) {
	all := slices.Sorted(maps.Keys(texts))
	for _, want := range []string{own(all, reader), own(all, "en")} {
		if want != "" {
			return want, texts[want]
		}
	}
	if len(all) > 0 {
		return all[0], texts[all[0]]
	}
	return "", ""
}

// sides are a text in its languages, the reader's own first.
func sides(texts map[string]string, reader string) (out []Side) {
	first := own(slices.Sorted(maps.Keys(texts)), reader)
	for _, l := range append([]string{first}, slices.Sorted(maps.Keys(texts))...) {
		if _, err := language.Parse(l); err != nil || texts[l] == "" || slices.ContainsFunc(out, func(s Side) bool { return s.Lang == l }) {
			continue
		}
		out = append(out, Side{Column: column(l, reader), Pieces: []Piece{{Text: texts[l]}}})
	}
	return out
}
