package cases_test

import (
	"testing"

	"golang.org/x/text/language"

	"detente/api/server"
	"detente/form"
	"detente/incident"
	"detente/ledger"
	"detente/regimes"
	"detente/watch"
)

// Whatever the table of cases can bring about, people read it in words: each state, deadline, reason and remark has its phrase.
func TestEverythingInTheTableHasItsWords(t *testing.T) {
	book, err := server.Phrases()
	if err != nil {
		t.Fatal(err)
	}
	all, err := form.LoadAll(regimes.All()...)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, r := range all {
		table, err := incident.Load(r)
		if err != nil {
			continue // this one knows no cases
		}
		seen++
		for _, key := range keys(table, r) {
			if !book.Has(key) {
				t.Errorf("%s: no phrase for %s", r.ID, key)
			}
		}
	}
	if seen == 0 {
		t.Error("no regime has cases")
	}
	if got := book.Phrase(language.English, "case.state.signal.answered"); got == book.Phrase(language.English, "case.state.answered") {
		t.Errorf("a signal that has its response is said to be %q", got)
	}
}

// keys lists the phrases that a table asks for.
func keys(table *incident.Table, r *form.Regime) (out []string) {
	for _, m := range table.Machines {
		for _, state := range m.All() {
			out = append(out, "case.state."+state)
		}
		for _, outcome := range m.Closes {
			out = append(out, "case.outcome."+outcome)
		}
		for _, row := range m.Rows {
			for _, id := range row.Starts {
				d, _ := table.Deadline(id)
				f, _ := r.Latest(row.Form)
				// What the form asks for, the board of the floor has words for; for the rest the item says what it is.
				if d.By != incident.Nobody && !d.Soft && d.Limit != f.MustAcknowledge && d.Limit != f.MustAnswer {
					out = append(out, "item.case."+id)
				}
			}
		}
	}
	for _, d := range table.Deadlines {
		out = append(out, "case.deadline."+d.ID)
	}
	for _, why := range incident.Reasons() {
		out = append(out, "case.why."+why)
	}
	for _, remark := range incident.Remarks() {
		out = append(out, "case.remark."+remark)
	}
	for _, conclusion := range []string{incident.Matches, incident.InPart, incident.Differ, "declared"} {
		out = append(out, "case.match."+conclusion)
	}
	for _, o := range ledger.Outcomes() {
		out = append(out, "ledger.outcome."+string(o))
	}
	for _, say := range watch.Says() {
		out = append(out, "item."+say)
	}
	return append(out, "case.effect", "case.passed", "case.passed.confirmed")
}
