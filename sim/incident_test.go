//go:build !race

package sim_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"detente/form"
	"detente/incident"
	"detente/node"
	"detente/party"
	"detente/sim"
	"detente/statement"
	"detente/traffic"
)

// clerk works cases at one capital, by what its own node holds.
type clerk struct {
	t       *testing.T
	at      *sim.Capital
	other   traffic.Party
	channel [32]byte
	regime  *form.Regime
	table   *incident.Table
	rng     *rand.Rand
	said    int
}

func (c *clerk) cases() (cases []*incident.Case) {
	c.t.Helper()
	states, err := c.at.Node().States(c.t.Context(), c.channel, traffic.Real)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, s := range states {
		cases = append(cases, c.table.Fold(s.Items(c.regime)))
	}
	return cases
}

// fields gives what a form requires, with the code that decides.
func (c *clerk) fields(formID, code string) form.Values {
	f, _ := c.regime.Latest(formID)
	now := time.Now()
	v := form.Values{}
	for _, field := range f.Fields {
		switch needed := field.Required && (field.When == nil || slices.Contains(field.When.Codes, v.Text(field.When.Field))); {
		case field.Name == c.table.Decides(formID):
			v[field.Name] = code
		case !needed:
		case field.Name == "case":
			v[field.Name] = "xn/26-0001"
		case field.Kind == form.KindText || field.Kind == form.KindLine:
			v[field.Name] = "words"
		case field.Kind == form.KindCode:
			v[field.Name] = field.Codes[0]
		case field.Kind == form.KindCodes:
			v[field.Name] = field.Codes[:1]
		case field.Kind == form.KindTime:
			v[field.Name] = now
		case field.Kind == form.KindWindow:
			v[field.Name] = [2]time.Time{now, now.Add(time.Hour)}
		case field.Kind == form.KindBool:
			v[field.Name] = true
		}
	}
	return v
}

func (c *clerk) opens(formID string) {
	c.t.Helper()
	_, err := c.at.Node().Send(c.t.Context(), node.Draft{
		Channel: c.channel, Plane: traffic.Real, Precedence: traffic.Priority, Post: "nrrc", Audience: string(c.other) + "/nrrc", Form: formID,
		Values: c.fields(formID, ""), Language: "en", Drafter: "duty-officer", Releaser: "head-of-watch",
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.said++
}

// works says one thing that fits in a case as this side sees it: mostly in a matter, now and then to close the case.
func (c *clerk) works() {
	c.t.Helper()
	all := c.cases()
	k := all[c.rng.IntN(len(all))]
	m := k.Matters[c.rng.IntN(len(k.Matters))]
	side := incident.Asked
	if m.Asker == c.at.ID {
		side = incident.Asker
	}
	fits := m.Machine.Fits(m.State, side)
	formID, code, to := "closure", []string{"agreed", "disagreed", "lapsed"}[c.rng.IntN(3)], m.ID
	if c.rng.IntN(6) > 0 && len(fits) > 0 {
		row := fits[c.rng.IntN(len(fits))]
		formID, code = row.Form, ""
		if len(row.Codes) > 0 {
			code = row.Codes[c.rng.IntN(len(row.Codes))]
		}
	}
	c.says(to, formID, c.fields(formID, code))
}

func (c *clerk) says(to statement.ID, formID string, v form.Values) {
	c.t.Helper()
	_, err := c.at.Node().Reply(c.t.Context(), node.Reply{To: to, Form: formID, Values: v, Language: "en", Drafter: "duty-officer", Releaser: "head-of-watch"})
	if err != nil {
		c.t.Fatalf("%s: %v", formID, err)
	}
	c.said++
}

// Two capitals are cut off from each other for most of a day, and the officers of both go on with the same cases. When the line is mended both nodes hold the
// same cases, with every statement in them. Package incident has ten thousand weeks of this without the nodes.
func TestTwoCapitalsWorkTheSameCasesApart(t *testing.T) {
	cast := []sim.Founded{sim.Found(t, "xn", "en", true), sim.Found(t, "xs", "ru", true)}
	synctest.Test(t, func(t *testing.T) {
		w := sim.New(t, time.Hour, 1)
		defer w.Close()
		for _, f := range cast {
			w.Add(f)
		}
		w.Pair("xn", "xs")
		channel := w.ChannelUnder(party.RegimeRef{ID: "incidents", Version: 1}, "nrrc", "xn", "xs")
		i := slices.IndexFunc(w.Regimes(), func(r *form.Regime) bool { return r.ID == "incidents" })
		table, err := incident.Load(w.Regimes()[i])
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(7, 15))
		xn := &clerk{t, w.Capital("xn"), "xs", channel, w.Regimes()[i], table, rng, 0}
		xs := &clerk{t, w.Capital("xs"), "xn", channel, w.Regimes()[i], table, rng, 0}
		xn.opens("clarification")
		xs.opens("cease-request")
		time.Sleep(3 * time.Hour)
		w.Net.Cut("xn", "xs")
		for _, k := range xn.cases() {
			if k.Opener == "xn" { // one side withdraws what the other goes on answering
				xn.says(k.ID, "cancellation", form.Values{"reason": "sent in error"})
			}
		}
		for range 40 {
			[]*clerk{xn, xs}[rng.IntN(2)].works()
			time.Sleep(20 * time.Minute)
		}
		w.Net.Mend()
		if err := w.Settle(24 * time.Hour); err != nil {
			t.Fatal(err)
		}
		told := func(c *clerk) string {
			var b strings.Builder
			shown := 0
			for _, k := range c.cases() {
				shown += len(k.Entries)
				v := k.At(time.Now())
				fmt.Fprintln(&b, k.ID.Short(), k.Number, v.Machine, v.State, v.Outcome)
				for _, e := range k.Entries {
					fmt.Fprintln(&b, " ", e.ID.Short(), e.Issuer, e.Form, e.From, e.To, e.Why)
				}
				for _, d := range v.Owed {
					fmt.Fprintln(&b, " owed:", d.ID, d.Owner, d.At)
				}
			}
			if want := xn.said + xs.said; shown != want {
				t.Errorf("%s shows %d of %d statements", c.at.ID, shown, want)
			}
			return b.String()
		}
		a, b := told(xn), told(xs)
		if a != b {
			t.Errorf("xn sees\n%s\nxs sees\n%s", a, b)
		}
		apart := 0
		for _, k := range xn.cases() {
			apart += len(slices.DeleteFunc(slices.Clone(k.Entries), func(e incident.Entry) bool { return e.Why == "" }))
		}
		t.Logf("%d statements, %d of them out of place", xn.said+xs.said, apart)
		if apart == 0 {
			t.Error("nothing crossed: the day was too quiet")
		}
		if err := w.Check(); err != nil {
			t.Error(err)
		}
	})
}
