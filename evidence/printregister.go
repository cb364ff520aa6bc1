package evidence

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"detente/acts"
)

// shownActs is how many acts a printed verdict lists; the JSON has all of them.
const shownActs = 200

// Print shows the verdict to a person: the result, every act that is not as its keeper signed it, how the instrument stands, and what all of it rests on.
func (v *RegisterVerdict) Print(w io.Writer) error {
	p := printer{w: w}
	if v.Result != Proved {
		p.f("REFUSED  %s\n  %s\n", v.Reason, v.Detail)
		p.compare(v.Compare)
		p.differences(v.Differences)
		return p.err
	}
	p.f("PROVED  an instrument of the open register, %d acts\n\n", len(v.Acts))
	for _, lang := range slices.Sorted(maps.Keys(v.Title)) {
		p.row("title", safe(v.Title[lang])+" ("+safe(lang)+")")
	}
	p.row("instrument", v.Instrument)
	p.row("nature", safe(v.Nature))
	p.row("kept by", string(v.Keeper))
	p.row("edition", v.Edition)
	p.row("known until", clock(v.Known))
	if s := v.Status; s != nil {
		p.heading("On " + s.On.String())
		switch {
		case s.Entry != 0:
			p.row("in force", "since "+s.Entry.String())
		default:
			p.row("in force", "no")
		}
		for _, st := range acts.States() {
			if n := s.Counts[st]; n > 0 {
				p.row(string(st), fmt.Sprint(n))
			}
		}
	}
	p.heading("The acts, each as its keeper signed it")
	for i := range v.Acts {
		if i == shownActs {
			p.f("  … and %d more\n", len(v.Acts)-i)
			break
		}
		a := &v.Acts[i]
		text := fmt.Sprintf("%s  %s  %s", a.Date, a.Party, a.Kind)
		if a.Signed {
			text += "  signed by " + string(a.Party) + " and in its feed"
		}
		if a.Why != "" {
			text += "  (changes no status: " + string(a.Why) + ")"
		}
		p.f("  %s\n", safe(text))
	}
	p.notes(v.Notes)
	return p.err
}

func (p *printer) differences(all []Difference) {
	if len(all) == 0 {
		return
	}
	p.heading(fmt.Sprintf("Acts that are not as the keeper signed them: %d", len(all)))
	for i, d := range all {
		if i == shownActs {
			p.f("  … and %d more\n", len(all)-i)
			break
		}
		p.f("  – %s\n", d.String())
	}
}
