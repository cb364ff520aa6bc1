//go:build !race

package casework

import (
	"fmt"
	"testing"
	"time"

	"detente/dossier"
	"detente/floor"
	"detente/form"
	"detente/incident"
	"detente/party"
	"detente/regimes"
	"detente/statement"
	"detente/traffic"
	"detente/watch"
)

// filled is casework that holds n cases, as folded, each with a question that waits; no node is behind it.
func filled(t testing.TB, n int) *Casework {
	t.Helper()
	all, err := form.LoadAll(regimes.All()...)
	if err != nil {
		t.Fatal(err)
	}
	c := &Casework{
		self: "xs", regimes: make(map[[32]byte]*tables), cases: make(map[dossier.Name]*incident.Case), places: make(map[dossier.Name][]place),
		changed: make(map[dossier.Name]bool), reserved: make(map[incident.Number]bool), counted: make(map[dossier.Name]*reckoned),
		heard: heard{asked: make(map[statement.ID]observed), found: make(map[statement.ID]string)},
	}
	channel := [32]byte{1}
	for _, r := range all {
		if table, err := incident.Load(r); err == nil {
			c.regimes[channel] = &tables{regime: r, cases: table}
		}
	}
	now := time.Now().UTC().Truncate(time.Second)
	for i := range n {
		id := statement.ID{byte(i), byte(i >> 8), byte(i >> 16), 7}
		formID := "clarification"
		if i%4 == 0 {
			formID = formActivity
		}
		it := incident.Item{
			ID: id, Issuer: traffic.Address{Party: "xn", Post: "nrrc"}, Audience: "xs/nrrc", At: now, Channel: channel, Plane: traffic.Real, Precedence: traffic.Routine,
			Form: formID, Clock: int64(i), Values: form.Values{
				"case": fmt.Sprintf("xn/26-%04d", i+1), "observed": []any{now.Unix(), now.Unix() + 60}, "window": []any{now.Unix(), now.Unix() + 60}, "sources": fmt.Sprintf("198.51.%d.%d", i>>8&255, i&255),
			},
		}
		name := dossier.Name{ID: id, Channel: channel, Plane: traffic.Real}
		k := c.regimes[channel].cases.Fold([]incident.Item{it})
		c.listen(nil, k)
		c.cases[name], c.places[name] = k, []place{{number: fmt.Sprintf("XN/NRRC-R-%04d", i+1)}}
	}
	return c
}

func BenchmarkFiles(b *testing.B) {
	c := filled(b, 2000)
	for b.Loop() {
		if len(c.files(Filter{}, time.Now())) != 2000 {
			b.Fatal("not all")
		}
	}
}

func BenchmarkItems(b *testing.B) {
	c := filled(b, 2000)
	for b.Loop() {
		c.Items(time.Now())
	}
}

func BenchmarkAdd(b *testing.B) {
	c := filled(b, 100000)
	fm, _ := c.regimes[[32]byte{1}].regime.Latest("reply")
	told := &floor.Told{
		Feed: traffic.Feed{Channel: [32]byte{1}, Plane: traffic.Real, Party: "xn"}, Statement: &statement.Statement{Header: statement.Header{Dossier: statement.ID{1, 1, 0, 7}}}, Form: fm, Kind: party.Common,
	}
	for b.Loop() {
		c.Add(told)
	}
}

func BenchmarkMatch(b *testing.B) {
	c := filled(b, 2000)
	for b.Loop() {
		c.heard.stale = true // as when a notice has come
		c.match(time.Now())
	}
}

// What casework has to say of two thousand cases, it says without a second glance: nothing in it looks at all pairs of them.
func TestTheBoardOfTwoThousandCases(t *testing.T) {
	c := filled(t, 2000)
	items, again := c.Items(time.Now())
	if len(items) != 1500 || again.IsZero() {
		t.Errorf("%d items, again %s", len(items), again)
	}
	for _, it := range items {
		if it.Kind != watch.Case || it.Say != "case.first-word" {
			t.Fatalf("%+v", it)
		}
	}
	c.match(time.Now())
	matched := 0
	for id := range c.heard.asked {
		if c.Announced(id) != "" {
			matched++
		}
	}
	if len(c.heard.asked) != 1500 || matched != 0 {
		t.Errorf("%d questions, %d said to be declared", len(c.heard.asked), matched)
	}
	files := c.files(Filter{Open: true}, time.Now())
	if len(files) != 2000 || files[0].Next() == nil {
		t.Errorf("%d files", len(files))
	}
}
