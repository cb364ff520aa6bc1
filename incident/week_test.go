package incident_test

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"detente/form"
	"detente/incident"
	"detente/statement"
	"detente/traffic"
)

// capital is one side that works on a case while it is cut off: it knows what it has said itself and what came before the line broke.
type capital struct {
	id    traffic.Party
	other string
	knows []incident.Item
	clock int64
}

// week makes statements as officers on two sides would, each by its own view of the case.
type week struct {
	rng    *rand.Rand
	table  *incident.Table
	steps  map[string][]step
	cached map[step]form.Values
	t      *testing.T
	regime *form.Regime
	made   int
}

func (w *week) say(c *capital, at time.Time, s step, refs ...statement.ID) {
	v, ok := w.cached[s]
	if !ok {
		v = values(w.t, w.regime, w.table, s.form, s.code, nil)
		w.cached[s] = v
	}
	w.made++
	c.clock++
	it := incident.Item{
		Issuer: traffic.Address{Party: c.id, Post: "nrrc"}, Audience: c.other, At: at, Plane: traffic.Real,
		Precedence: traffic.Precedences()[w.rng.IntN(4)], Form: s.form, Refs: refs, Clock: c.clock, Values: v,
	}
	it.ID = sha256.Sum256(binary.AppendUvarint([]byte(c.id), uint64(w.made)))
	if w.rng.IntN(40) == 0 {
		it.Void = "bad-payload"
	}
	c.knows = append(c.knows, it)
}

// works lets an officer do something: open a matter, or say something in one, mostly what fits in his own view.
func (w *week) works(c *capital, at time.Time) {
	view := w.table.Fold(canonical(c.knows))
	if w.rng.IntN(8) == 0 || len(view.Matters) == 0 {
		m := w.table.Machines[w.rng.IntN(len(w.table.Machines))]
		if w.rng.IntN(4) == 0 {
			m = w.table.Machine("closure")
		}
		opens := slices.DeleteFunc(slices.Clone(w.steps[m.ID]), func(s step) bool { return s.form != m.Opens || s.side != incident.Asker })
		w.say(c, at, opens[w.rng.IntN(len(opens))])
		return
	}
	matter := view.Matters[w.rng.IntN(len(view.Matters))]
	side := incident.Asked
	if matter.Asker == c.id {
		side = incident.Asker
	}
	may := slices.DeleteFunc(slices.Clone(w.steps[matter.Machine.ID]), func(s step) bool {
		if s.form == matter.Machine.Opens {
			return true
		}
		return w.rng.IntN(20) > 0 && (s.side != side || matter.Machine.Move(matter.State, s.form, s.code, side) == nil)
	})
	if len(may) > 0 {
		w.say(c, at, may[w.rng.IntN(len(may))], matter.ID)
	}
}

// hears hands over the first n of what one side has said and the other lacks, in any order.
func (w *week) hears(to, from *capital, n int) {
	for _, it := range from.knows {
		if n > 0 && it.Issuer.Party == from.id && !slices.ContainsFunc(to.knows, func(o incident.Item) bool { return o.ID == it.ID }) {
			at := w.rng.IntN(len(to.knows) + 1)
			to.knows = slices.Insert(to.knows, at, it)
			to.clock = max(to.clock, it.Clock)
			n--
		}
	}
}

// Two sides are offline from each other for a week and both work the same case. After healing both see the same, whatever came when; no statement is
// dropped, and those that do not fit are shown and have no part in what holds.
func TestTenThousandWeeksApart(t *testing.T) {
	r, table := table(t)
	weeks := 10_000
	if raceEnabled {
		weeks = 600
	}
	w := &week{rng: rand.New(rand.NewPCG(4, 15)), table: table, steps: map[string][]step{}, cached: map[step]form.Values{}, t: t, regime: r}
	for _, m := range table.Machines {
		w.steps[m.ID] = everyStep(r, table, m)
	}
	apart, closed, statements := 0, 0, 0
	for range weeks {
		xn, xs := &capital{id: "xn", other: "xs"}, &capital{id: "xs", other: "xn"}
		w.say(xn, day0, step{"clarification", "", incident.Asker})
		w.hears(xs, xn, 1)
		for at := day0; at.Before(day0.Add(7 * 24 * time.Hour)); at = at.Add(time.Duration(1+w.rng.IntN(23)) * time.Hour) {
			switch w.rng.IntN(12) {
			case 0:
				w.hears(xn, xs, 1) // a pouch, with a part of it
			case 1:
				w.hears(xs, xn, 1)
			case 2, 3, 4, 5, 6:
				w.works(xn, at)
			default:
				w.works(xs, at)
			}
		}
		all := len(xn.knows)
		for _, it := range xs.knows {
			if it.Issuer.Party == "xs" && !slices.ContainsFunc(xn.knows, func(o incident.Item) bool { return o.ID == it.ID }) {
				all++
			}
		}
		w.hears(xn, xs, all)
		w.hears(xs, xn, all)
		a, b := table.Fold(canonical(xn.knows)), table.Fold(canonical(xs.knows))
		if len(a.Entries) != all || len(b.Entries) != all {
			t.Fatalf("%d and %d of %d statements are shown", len(a.Entries), len(b.Entries), all)
		}
		now := day0.Add(8 * 24 * time.Hour)
		if sa, sb := story(a, now), story(b, now); sa != sb {
			t.Fatalf("xn sees\n%s\nxs sees\n%s", sa, sb)
		}
		if !sameMatters(a, b) {
			t.Fatalf("matters differ: %s", cmp.Diff(a.Matters, b.Matters, cmpopts.IgnoreUnexported(incident.Matter{}, incident.Machine{})))
		}
		// What does not fit has no part in what holds: without it all the rest stays.
		fits := make([]incident.Item, 0, all)
		for i := range a.Entries {
			if a.Entries[i].Why == "" {
				fits = append(fits, a.Entries[i].Item)
			} else {
				apart++
			}
		}
		if alone := table.Fold(fits); !sameMatters(a, alone) || alone.Outcome != a.Outcome {
			t.Fatalf("with what does not fit\n%s\nwithout it\n%s", story(a, now), story(alone, now))
		}
		statements += all
		if a.Outcome != "" {
			closed++
		}
	}
	t.Logf("%d weeks, %d statements, %d of them out of place, %d cases closed by both", weeks, statements, apart, closed)
	if apart < weeks || closed == 0 {
		t.Error("the weeks were too quiet to show anything")
	}
}

func sameMatters(a, b *incident.Case) bool {
	return slices.EqualFunc(a.Matters, b.Matters, func(m, n *incident.Matter) bool {
		return m.ID == n.ID && m.State == n.State && m.Since.Equal(n.Since) && slices.Equal(m.Dues, n.Dues)
	})
}
