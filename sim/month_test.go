//go:build !race

// Under the race detector a month take minutes; ./test runs this file without it. What it runs is run under the detector by the other tests.

package sim_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"detente/dossier"
	"detente/exchange"
	"detente/floor"
	"detente/form"
	"detente/journal"
	"detente/node"
	"detente/sim"
	"detente/statement"
	"detente/traffic"
	"detente/watch"
)

const rosterNorth = `
post = "nrrc"
zone = "America/New_York"
deputy = "dora"
head-of-post = "edgar"
senior-official = "fiona"
[[shift]]
name = "day"
start = "07:00"
length = "12h"
[[shift]]
name = "night"
start = "19:00"
length = "12h"
[[rota]]
shift = "day"
start = 2000-03-01
officers = ["anna", "boris"]
[[rota]]
shift = "night"
start = 2000-03-01
every = "week"
officers = ["clara", "anton"]
`

const rosterSouth = `
post = "nrrc"
zone = "Europe/Moscow"
deputy = "oleg"
head-of-post = "pavel"
senior-official = "raisa"
[[shift]]
name = "early"
start = "06:00"
length = "8h"
[[shift]]
name = "late"
start = "14:00"
length = "8h"
[[shift]]
name = "night"
start = "22:00"
length = "8h"
[[rota]]
start = 2000-03-01
officers = ["ivan", "kira", "lev", "maria"]
[[holiday]]
day = 2000-04-08
name = "Spring holiday"
duty-officer = "holly"
`

const planNorth = `
[[check]]
channel = "nrrc"
peer = "xs"
post = "nrrc"
terminal = "24h"
random = { per_week = 5, level = 2 }
`

// days is how long the month is.
const days = 30

// letter is a statement of the month, and what became of it in truth.
type letter struct {
	id   statement.ID
	from traffic.Party
	at   time.Time
}

// month is the truth of the simulation.
type month struct {
	t       *testing.T
	w       *sim.World
	channel [32]byte
	rnd     *rand.Rand
	staff   map[traffic.Party]*sim.Staff
	letters []letter

	cut       bool
	suspended bool      // xs has said so
	unmanned  bool      // xs has said so
	upset     time.Time // when a cut, a crash or a wrong clock last began or ended
	samples   map[exchange.Silence]int
}

// A month of two watches: rosters in two zones, on both sides of the days on which their clocks are changed; a holiday; an officer who answers no call;
// a clock that is six hours slow; nodes that fall in the middle of an escalation; cut links; a suspension; a post that is not manned. No alarm is lost,
// nobody is called twice for one thing, and every silence is told for what it is.
func TestAMonthOfTheWatch(t *testing.T) {
	cast := []sim.Founded{sim.Found(t, "xn", "en", true), sim.Found(t, "xs", "ru", true)}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2000, 3, 20, 0, 0, 0, 0, time.UTC)))
		w := sim.New(t, 6*time.Hour, 1)
		defer w.Close()
		m := &month{t: t, w: w, rnd: rand.New(rand.NewPCG(7, 7)), staff: map[traffic.Party]*sim.Staff{}, samples: map[exchange.Silence]int{}}
		for _, f := range cast {
			c := w.Add(f)
			c.Crash()
			m.staff[c.ID] = c.Man()
			c.Start()
		}
		w.Pair("xn", "xs")
		m.channel = w.Channel("nrrc", "xn", "xs")
		head := floor.By{Officer: "edgar", Role: "head-of-post"}
		for id, text := range map[traffic.Party]string{"xn": rosterNorth, "xs": rosterSouth} {
			if _, err := w.Capital(id).Floor().SetRoster(t.Context(), "nrrc", text, head); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Capital("xn").Standing().SetPlan(t.Context(), planNorth, head); err != nil {
			t.Fatal(err)
		}
		m.upset = time.Now()
		for day := range days {
			m.day(day)
		}
		m.end()
	})
}

// day is one day of the month, hour by hour.
func (m *month) day(day int) {
	xn, xs := m.w.Capital("xn"), m.w.Capital("xs")
	upset := func() { m.upset = time.Now() }
	m.staff["xs"].Away("kira", day >= 2) // she answers no call any more
	for hour := range 24 {
		switch at := [2]int{day, hour}; at {
		case [2]int{5, 9}, [2]int{13, 9}: // nobody but the head of the post is there, and the node falls in the middle of the escalation
			for _, officer := range []string{"ivan", "lev", "maria", "oleg"} {
				m.staff["xs"].Away(officer, true)
			}
			m.send("xn", traffic.Flash, "notice")
			for range 3 {
				time.Sleep(100 * time.Second)
				xs.Crash()
				time.Sleep(30 * time.Second)
				xs.Start()
			}
			upset()
		case [2]int{5, 11}, [2]int{13, 11}:
			for _, officer := range []string{"ivan", "lev", "maria", "oleg"} {
				m.staff["xs"].Away(officer, false)
			}
		case [2]int{8, 3}:
			xn.SetClock(-6 * time.Hour)
			upset()
		case [2]int{10, 3}:
			xn.SetClock(0)
			upset()
		case [2]int{11, 0}:
			m.send("xs", traffic.Priority, "inquiry")
			m.w.Net.Cut("xn", "xs")
			m.cut = true
			upset()
		case [2]int{12, 0}:
			m.w.Net.Mend()
			m.cut = false
			upset()
		case [2]int{17, 0}: // nobody is there, and nobody says so
			m.staff["xs"].Away("", true)
			m.send("xn", traffic.Flash, "notice")
		case [2]int{17, 10}:
			m.staff["xs"].Away("", false)
			m.send("xn", traffic.Routine, "notice")
		case [2]int{20, 6}:
			m.unmanned = true
			m.staff["xs"].Away("", true)
			m.state("service", traffic.Priority, form.Values{"service": "unmanned"})
			m.send("xn", traffic.Routine, "inquiry")
		case [2]int{20, 12}:
			m.unmanned = false
			m.staff["xs"].Away("", false)
			m.state("service", traffic.Priority, form.Values{"service": "manned"})
		case [2]int{23, 6}:
			m.suspended = true
			m.staff["xs"].Away("", true)
			m.state("status", traffic.Priority, form.Values{"state": "suspended", "functions": []string{"all"}, "ground": "political"})
			m.send("xn", traffic.Routine, "inquiry")
		case [2]int{23, 18}:
			m.suspended = false
			m.staff["xs"].Away("", false)
			m.state("status", traffic.Priority, form.Values{"state": "open", "ground": "resumed"})
		}
		if m.rnd.IntN(8) == 0 && !m.suspended && !m.unmanned {
			from := []traffic.Party{"xn", "xs"}[m.rnd.IntN(2)]
			m.send(from, traffic.Precedences()[m.rnd.IntN(4)], []string{"notice", "inquiry", "notice"}[m.rnd.IntN(3)])
		}
		if m.rnd.IntN(40) == 0 {
			c := []*sim.Capital{xn, xs}[m.rnd.IntN(2)]
			c.Crash()
			time.Sleep(time.Minute)
			c.Start()
			upset()
		}
		next := time.Now().Truncate(time.Hour).Add(time.Hour + 17*time.Minute)
		time.Sleep(time.Until(next))
		if hour%2 == 0 {
			m.silences()
		}
	}
}

func (m *month) send(from traffic.Party, p traffic.Precedence, formID string) {
	m.t.Helper()
	to := traffic.Party("xs")
	if from == to {
		to = "xn"
	}
	sent, err := m.w.Send(sim.Letter{
		From: from, To: to, Channel: m.channel, Precedence: p, Form: formID, Text: fmt.Sprintf("Letter %d of the month.", len(m.letters)),
	})
	if err != nil {
		m.t.Fatal(err)
	}
	m.letters = append(m.letters, letter{id: sent.ID, from: from, at: time.Now()})
}

// state has xs say something of its watch or of the channel.
func (m *month) state(formID string, p traffic.Precedence, v form.Values) {
	m.t.Helper()
	err := m.w.Speak("xs", node.Draft{
		Channel: m.channel, Plane: traffic.Real, Precedence: p, Post: "nrrc", Audience: "xn/nrrc", Form: formID, Values: v, Language: "ru",
		Drafter: "duty-officer", Releaser: "head-of-post",
	})
	if err != nil {
		m.t.Fatal(err)
	}
}

// truth tells why xs says nothing about a statement of xn: what the simulation knows, not what a node believes.
func (m *month) truth(e *dossier.Entry) exchange.Silence {
	there := m.has(m.w.Capital("xs"), e.Statement.ID())
	switch {
	case e.AcknowledgedBy != (statement.ID{}):
		return exchange.BeingChecked
	case m.suspended:
		return exchange.Suspended
	case there && m.unmanned:
		return exchange.PostUnmanned
	case there && !m.cut && time.Since(e.Held) > watch.Handling(e.Statement.Precedence):
		return exchange.PostUnmanned
	case there:
		return exchange.DeliveredUnread
	case m.cut:
		return exchange.LinkDown
	}
	return exchange.UnderWay
}

func (m *month) has(c *sim.Capital, id statement.ID) bool {
	_, err := c.Node().Statement(m.t.Context(), id)
	return err == nil
}

// silences compares how xn classifies the silence of xs with the truth. Shortly after a cut, a crash or a change of a clock nobody can know yet.
func (m *month) silences() {
	settled := time.Since(m.upset)
	if settled < 10*time.Minute || !m.w.Capital("xn").Right() {
		return
	}
	synctest.Wait()
	want := map[exchange.Silence]bool{}
	open, err := m.w.Capital("xn").Node().OpenDossiers(m.t.Context(), 1000)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, d := range open {
		for i := range d.Entries {
			if e := &d.Entries[i]; e.Feed.Party == "xn" && (e.AwaitsAcknowledgement || e.AwaitsAnswer) {
				why := m.truth(e)
				want[why] = true
				m.samples[why]++
			}
		}
	}
	list, err := m.w.Capital("xn").Standing().Silences(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	heard := settled > 7*time.Hour // after a heartbeat
	for _, s := range list {
		switch {
		case s.Post == "":
			if down := s.Why == exchange.LinkDown; heard && down != m.cut {
				m.t.Errorf("%s: the link is said to be %s, and cut is %v", time.Now().UTC().Format(time.DateTime), s.Why, m.cut)
			}
			m.samples[s.Why]++
		case !want[s.Why] && !(s.Why == exchange.UnderWay && m.cut && !heard):
			m.t.Errorf("%s: xs/%s is said to be %s since %s, and in truth it is %v; %v", time.Now().UTC().Format(time.DateTime), s.Post, s.Why, s.Since.Format(time.DateTime), want, s.Evidence)
		}
	}
}

// end looks back on the month.
func (m *month) end() {
	t := m.t
	time.Sleep(24 * time.Hour)
	for _, id := range []traffic.Party{"xn", "xs"} {
		m.staff[id].End()
		if twice := m.staff[id].Twice(); twice != "" {
			t.Errorf("%s: called twice: %s", id, twice)
		}
		m.nothingLost(m.w.Capital(id))
	}
	if err := m.w.Settle(24 * time.Hour); err != nil {
		t.Error(err)
	}
	for _, why := range []exchange.Silence{
		exchange.SilenceNone, exchange.LinkDown, exchange.DeliveredUnread, exchange.BeingChecked, exchange.PostUnmanned, exchange.Suspended,
	} {
		if m.samples[why] == 0 {
			t.Errorf("no silence was %s in all the month", why)
		}
	}
	t.Logf("%d letters; %d and %d calls; silences %v", len(m.letters), len(m.staff["xn"].Rings()), len(m.staff["xs"].Rings()), m.samples)
}

// nothingLost holds that everything that ever needed somebody was on the board, that somebody was called for it, and that it was taken or has gone.
func (m *month) nothingLost(c *sim.Capital) {
	t := m.t
	v, err := c.Floor().Watch(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	board := map[string]bool{}
	for _, it := range v.Items {
		board[it.Key] = true
		if time.Since(it.Since) < time.Hour {
			continue // of a check that has just come
		}
		t.Errorf("%s: still untaken after a day: %s since %s", c.ID, it.Key, it.Since)
	}
	for _, it := range v.Taken {
		board[it.Key] = true
	}
	states := map[string][]string{}
	called := map[string]bool{}
	_, err = c.Floor().Journal().Each(context.Background(), 0, func(e journal.Entry) bool {
		key := e.Values.Text("key")
		switch e.Statement.Form {
		case "item":
			states[key] = append(states[key], e.Values.Text("state"))
			if machine := e.Statement.Drafter == journal.Machine; machine == (e.Values.Text("state") == "taken") {
				t.Errorf("%s: %s %s is drafted by %s", c.ID, key, e.Values.Text("state"), e.Statement.Drafter)
			}
		case "call":
			called[key] = true
			for also := range strings.FieldsSeq(e.Values.Text("also")) {
				called[also] = true
			}
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	for key, list := range states {
		for _, state := range []string{"raised", "taken", "missed", "ended"} {
			if n := len(slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s != state })); n > 1 {
				t.Errorf("%s: %s was %s %d times", c.ID, key, state, n)
			}
		}
		if !slices.Contains(list, "ended") && !board[key] {
			t.Errorf("%s: %s has not ended and is not on the board: %v", c.ID, key, list)
		}
		kind := watch.KindOf(key)
		if !called[key] && kind != watch.Answer && slices.Contains(list, "taken") {
			t.Errorf("%s: nobody was called for %s: %v", c.ID, key, list)
		}
		if kind == watch.Alarm && !slices.Contains(list, "taken") && !board[key] {
			t.Errorf("%s: the alarm %s was taken by nobody and is gone", c.ID, key)
		}
	}
	for _, l := range m.letters {
		if key := watch.Key(watch.Acknowledge, l.id.String()); l.from != c.ID && !slices.Contains(states[key], "raised") {
			t.Errorf("%s: a letter of %s was never on the board", c.ID, l.at)
		}
	}
}
