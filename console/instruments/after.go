package instruments

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"detente/api"
	"detente/api/drafting"
	"detente/console/cases"
	"detente/form"
)

// After is what the form of a step asks for that corrects an instrument, suspends it, extends it or ends it.
type After struct {
	Decisions  []cases.Choice // how a correction is answered
	Provision  []cases.Choice // the one that is corrected
	Texts      []Column       // its words; a language that is left empty stays as it is
	Provisions []cases.Choice // those that are suspended or resumed; all if none is chosen
	Moment     string         // phrase: what the time is; empty where none is asked for
	Words      string         // phrase: what the words are; empty where none are asked for
	Needs      bool           // the words, or else the time, are needed
}

// after is a step that an instrument in force may take.
func (f *File) after(d *cases.Desk, next string) Rise {
	r := Rise{Step: next, Name: "step." + next, After: &After{}}
	clauses := func(in func(*drafting.Provision) bool) (out []cases.Choice) {
		for i := range f.Provisions {
			if p := &f.Provisions[i]; in(p) {
				out = append(out, cases.Choice{Value: p.ID, Label: f.name(d, p)})
			}
		}
		return out
	}
	clause := func(p *drafting.Provision) bool {
		return !slices.Contains([]string{"title", "names", "structure"}, p.Kind)
	}
	switch a := r.After; next {
	case "correct":
		a.Provision = clauses(func(p *drafting.Provision) bool { return len(p.Texts) > 0 })
		for i := range a.Provision {
			a.Provision[i].Label = bare(a.Provision[i].Label)
		}
		for _, l := range f.Languages {
			a.Texts = append(a.Texts, column(l, d.Lang))
		}
		a.Words, a.Needs = "step.error", true
	case "accept-correction":
		r.Name = "step.answer"
		for _, x := range []string{"accept-correction", "object-to-correction"} {
			a.Decisions = append(a.Decisions, cases.Choice{Value: x, Label: d.Say("step." + x)})
		}
		a.Words = "step.words"
	case "suspend":
		a.Provisions, a.Moment, a.Words, a.Needs = clauses(clause), "step.from", "step.ground", true
	case "resume":
		a.Provisions = clauses(func(p *drafting.Provision) bool { return f.Status != nil && slices.Contains(f.Status.Suspended, p.ID) })
		a.Moment, a.Words, a.Needs = "step.from", "step.ground", true
	case "terminate":
		a.Moment, a.Words = "step.effect", "step.ground"
	case "revoke-notice":
		a.Words = "step.words"
	case "extend":
		a.Moment, a.Needs = "step.until", true
	}
	return r
}

// step is a step on the ladder, as it was chosen. Error: a problem, for a time that cannot be read.
func step(x *drafting.File, given url.Values, v drafting.Voice) (drafting.Step, error) {
	s := drafting.Step{
		Voice: v, Step: given.Get("step"), Manifest: given.Get("manifest"), Manner: given.Get("manner"), Place: given.Get("place"), Languages: given["language"],
		Officer: given.Get("officer"), Words: clean(given.Get("words")), Provision: given.Get("provision"), Provisions: given["in"],
	}
	if at := strings.ToUpper(strings.TrimSpace(given.Get("moment"))); at != "" {
		var err error
		if s.At, err = form.ParseDTG(at); err != nil {
			return s, &api.Problem{Status: http.StatusUnprocessableEntity, Code: "form-broken", Fields: []string{form.Visible(given.Get("moment"))}}
		}
	}
	if s.Step == "correct" {
		s.Texts = texts(given, x.Languages)
	}
	return s, nil
}
