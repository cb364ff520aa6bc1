package dossier_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"detente/dossier"
	"detente/form"
	"detente/incident"
	"detente/key"
	"detente/regimes"
	"detente/statement"
	"detente/traffic"
)

// desk states what a case needs on one dossier.
type desk struct {
	t      *testing.T
	regime *form.Regime
	signer key.Signer
	name   dossier.Name
	items  []dossier.Item
}

func (d *desk) says(from traffic.Party, at time.Time, clock int64, formID string, v form.Values, refs ...statement.ID) statement.ID {
	d.t.Helper()
	f, _ := d.regime.Latest(formID)
	payload, err := f.Encode(v)
	if err != nil {
		d.t.Fatal(err)
	}
	h := statement.Header{
		Issuer: traffic.Address{Party: from, Post: "nrrc"}, Audience: map[traffic.Party]string{"xn": "xs", "xs": "xn"}[from], IssuedAt: at, Channel: [32]byte{7},
		Plane: traffic.Real, Precedence: traffic.Priority, Form: formID, Version: f.Version, Dossier: d.name.ID, Refs: refs, Clock: clock, Language: "en",
		Drafter: "duty-officer", Charter: 1,
	}
	s, err := statement.Sign(h, payload, d.signer)
	if err != nil {
		d.t.Fatal(err)
	}
	if d.name.ID == (statement.ID{}) {
		d.name = dossier.Name{ID: s.ID(), Channel: h.Channel, Plane: h.Plane}
	}
	d.items = append(d.items, dossier.Item{Statement: s, Feed: traffic.Feed{Channel: h.Channel, Party: from, Plane: h.Plane, Precedence: h.Precedence}, Index: int64(len(d.items)), Held: at})
	return s.ID()
}

func incidents(t *testing.T) (*form.Regime, *incident.Table) {
	t.Helper()
	r, err := form.Load(regimes.Incidents(), regimes.All()...)
	if err != nil {
		t.Fatal(err)
	}
	table, err := incident.Load(r)
	if err != nil {
		t.Fatal(err)
	}
	return r, table
}

// Signed statements through both folds: what crosses while the line is down comes to the same case on both sides, in whatever order it arrived, and what the
// dossier finds out of order stands in the case too.
func TestACaseOfSignedStatementsIsTheSameInAnyOrder(t *testing.T) {
	r, table := incidents(t)
	signer := utterer(t)
	rng := rand.New(rand.NewPCG(15, 4))
	asking := form.Values{"case": "xn/26-0001", "observed": [2]time.Time{noon, noon}, "observation": "traffic", "asked": []string{"check"}}
	for range 40 {
		d := &desk{t: t, regime: r, signer: signer}
		asked := d.says("xn", noon, 1, "clarification", asking)
		said := []statement.ID{asked}
		clocks := map[traffic.Party]int64{"xn": 1, "xs": 1}
		for i := range 14 {
			from := []traffic.Party{"xn", "xs"}[rng.IntN(2)]
			clocks[from]++
			at, ref := noon.Add(time.Duration(i)*time.Hour), said[rng.IntN(len(said))]
			var id statement.ID
			switch rng.IntN(7) {
			case 0:
				id = d.says(from, at, clocks[from], "acknowledgement", form.Values{"received": at, "understood": true}, ref)
			case 1:
				id = d.says(from, at, clocks[from], "interim", form.Values{"status": "checking"}, ref)
			case 2:
				id = d.says(from, at, clocks[from], "reply", form.Values{"finding": "not-ours"}, ref)
			case 3:
				id = d.says(from, at, clocks[from], "closure", form.Values{"outcome": "agreed"})
			case 4:
				id = d.says(from, at, clocks[from], "closure-answer", form.Values{"decision": "accepted"}, ref)
			case 5:
				id = d.says(from, at, clocks[from], "cancellation", form.Values{"reason": "sent in error"}, ref)
			case 6:
				id = d.says(from, at, clocks[from], "dissemination", form.Values{"passed_to": []string{"cert"}}, ref)
			}
			said = append(said, id)
		}
		told := func() string {
			state := dossier.Fold(d.name, d.items, r)
			c := table.Fold(state.Items(r))
			if len(c.Entries) != len(d.items) {
				t.Fatalf("%d of %d statements are shown", len(c.Entries), len(d.items))
			}
			out := ""
			for i, e := range c.Entries {
				if standing := state.Entries[i].Standing; standing == dossier.OutOfOrder && e.Why != incident.Void || standing == dossier.Cancelled && e.Moved() && e.From != "" {
					t.Fatalf("%s is %s in the dossier, and moved the case to %s", e.Form, standing, e.To)
				}
				out += fmt.Sprintln(e.ID.Short(), e.Form, e.From, e.To, e.Why)
			}
			v := c.At(noon.Add(100 * 24 * time.Hour))
			return out + fmt.Sprintln(v.Machine, v.State, v.Outcome, v.Owed)
		}
		want := told()
		for range 5 {
			rng.Shuffle(len(d.items), func(i, j int) { d.items[i], d.items[j] = d.items[j], d.items[i] })
			if got := told(); got != want {
				t.Fatalf("one order\n%s\nanother\n%s", want, got)
			}
		}
	}
}

func TestACaseThroughTheDossier(t *testing.T) {
	r, table := incidents(t)
	d := &desk{t: t, regime: r, signer: utterer(t)}
	asked := d.says("xn", noon, 1, "clarification", form.Values{"case": "xn/26-0001", "observed": [2]time.Time{noon, noon}, "observation": "traffic", "asked": []string{"check"}})
	d.says("xs", noon, 2, "acknowledgement", form.Values{"received": noon, "understood": true}, asked)
	d.says("xs", noon, 3, "reply", form.Values{"finding": "confirmed-stopped"}, asked)
	proposal := d.says("xs", noon, 4, "closure", form.Values{"outcome": "agreed"}, asked)
	d.says("xn", noon, 5, "closure-answer", form.Values{"decision": "accepted"}, proposal)
	state := dossier.Fold(d.name, d.items, r)
	c := table.Fold(state.Items(r))
	if c.Outcome != "agreed" || c.Number.String() != "xn/26-0001" || c.ID != asked {
		t.Errorf("%+v", c)
	}
	if open := state.Open; !slices.Equal(open, []statement.ID{d.items[2].Statement.ID()}) {
		t.Errorf("open in the dossier: %v", open) // the reply, which the asker has yet to acknowledge
	}
}
