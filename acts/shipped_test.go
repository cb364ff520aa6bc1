package acts_test

import (
	"slices"
	"testing"

	"detente/acts"
	"detente/form"
	"detente/regimes"
	"detente/regimes/instruments/templates"
)

// The regime in which acts are stated knows the acts that are folded, and no others.
func TestTheRegimeKnowsTheActs(t *testing.T) {
	r, err := form.Load(regimes.Public(), regimes.All()...)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := r.Latest("act")
	kind, _ := f.Field("kind")
	var kinds []string
	for _, k := range acts.Kinds() {
		kinds = append(kinds, string(k))
	}
	if !slices.Equal(slices.Sorted(slices.Values(kinds)), slices.Sorted(slices.Values(kind.Codes))) {
		t.Errorf("the form has %v, the fold %v", kind.Codes, kinds)
	}
	manner, _ := f.Field("manner")
	if !slices.Equal(slices.Sorted(slices.Values(acts.Manners())), slices.Sorted(slices.Values(manner.Codes))) {
		t.Errorf("the form has the manners %v, the fold %v", manner.Codes, acts.Manners())
	}
}

// The commitment that ships is open to all, runs towards all, and is left after a year.
func TestTheRulesThatShip(t *testing.T) {
	m, err := templates.Load("no-first-strike")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := acts.ParseRules(m.Rules)
	if err != nil {
		t.Fatal(err)
	}
	if rules.Nature != m.Nature || rules.Eligibility.Who != acts.EligibleAll || rules.Runs != acts.RunsAll || rules.Notice.Months != 12 {
		t.Errorf("%+v", rules)
	}
}
