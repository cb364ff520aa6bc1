package standing_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"detente/archive"
	"detente/check"
	"detente/directory"
	"detente/exchange"
	"detente/floor"
	"detente/form"
	"detente/journal"
	"detente/node"
	"detente/standing"
	"detente/statement"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"
)

func (c *capital) checks(level int, question string) (node.Sent, error) {
	return c.RunCheck(c.World.T.Context(), standing.Ask{
		Channel: c.World.Channels["nrrc"], Audience: string(c.Other()) + "/nrrc", Post: "nrrc", Plane: traffic.Real, Level: level, Occasion: check.Demand, Question: question,
	}, "duty-officer")
}

func (c *capital) history() (out []string) {
	c.World.T.Helper()
	list, _, err := c.Checks(c.World.T.Context(), "", time.Time{}, 10000)
	must(c.World.T, err)
	for _, x := range list {
		by := ""
		if x.Answer != nil {
			by = " by " + x.Answer.By
		}
		out = append(out, fmt.Sprintf("%d %s%s", x.Level, x.State(x.From == c.ID, time.Now()), by))
	}
	return out
}

// The terminal answers what asks for no person, as a machine, once; it leaves to the watch what asks for one.
func TestTheTerminalAnswersForItselfOnly(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		one, err := xn.checks(check.Terminal, "")
		must(t, err)
		pass(time.Second)
		_, err = xn.checks(check.Officer, "")
		must(t, err)
		pass(time.Minute)
		if diff := cmp.Diff([]string{"2 waiting", "1 answered by terminal"}, xn.history()); diff != "" {
			t.Fatal(diff)
		}
		v, err := xs.Floor.Watch(t.Context(), "", "")
		must(t, err)
		if len(v.Items) != 1 || v.Items[0].Due.Sub(v.Items[0].Since) > 30*time.Minute {
			t.Errorf("what asks for a person is not on his board until it is to be answered: %+v", v.Items)
		}
		list, _, err := xn.Checks(t.Context(), "xs", time.Time{}, 1)
		must(t, err)
		if q := list[0].Question; !strings.ContainsFunc(q, func(r rune) bool { return r >= 'а' && r <= 'я' }) {
			t.Errorf("xs reads Russian, and is asked %q", q)
		}
		list, _, err = xn.Checks(t.Context(), "xs", time.Time{}, 2)
		must(t, err)
		held, err := xn.Node.Statement(t.Context(), list[1].Answer.ID)
		must(t, err)
		if held.Statement.Drafter != journal.Machine || list[1].ID != one.ID || list[1].Question != check.Scripts() {
			t.Errorf("drafted by %q", held.Statement.Drafter)
		}
		before, err := xs.Node.Entries(t.Context())
		must(t, err)
		xs.Stop()
		xs.Start()
		pass(time.Hour)
		after, err := xs.Node.Entries(t.Context())
		must(t, err)
		said := 0
		_, err = xs.Node.List(t.Context(), 1000, func(h archive.Held) bool {
			if h.Form == "check-answer" {
				said++
			}
			return false
		})
		must(t, err)
		if said != 1 {
			t.Errorf("%d answers; %d entries before the restart, %d after it", said, before, after)
		}
	})
}

// A day by the plan: hourly by the machines, once in a shift by persons, and nothing while a watch is being handed over.
func TestADayByThePlan(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		_, err := xn.Floor.SetRoster(t.Context(), "nrrc", `
post = "nrrc"
zone = "UTC"
duty-officer = "anna"
`, floor.By{Officer: "clara", Role: "head-of-post"})
		must(t, err)
		xs.says(traffic.Routine, "contact", form.Values{
			"name": "watch", "category": "risk-reduction", "organisation": "Centre", "around_clock": true, "speaks": "ru", "reads": "ru, en", "authority": []string{"receive"},
			"nominated_by": "Note 1", "handovers": "05:00 17:00",
		})
		must(t, xn.SetPlan(t.Context(), check.Example, floor.By{Officer: "clara", Role: "head-of-post"}))
		pass(24 * time.Hour)
		list, days, err := xn.Checks(t.Context(), "xs", time.Time{}, 1000)
		must(t, err)
		terminal, shift := 0, 0
		for _, c := range list {
			switch c.Occasion {
			case check.Scheduled:
				terminal++
				if c.State(true, time.Now()) != check.Answered {
					t.Errorf("%s of %s", c.State(true, time.Now()), c.Sent)
				}
			case check.Shift:
				shift++
			}
			since := c.Sent.Sub(c.Sent.Truncate(12 * time.Hour)) // hand-overs of xs at 5 and 17
			if since > 4*time.Hour+40*time.Minute && since < 5*time.Hour+20*time.Minute {
				t.Errorf("a check at %s, while xs hands over", c.Sent)
			}
			held, err := xs.Node.Statement(t.Context(), c.ID)
			must(t, err)
			if held.Statement.Drafter != journal.Machine {
				t.Errorf("a check of the plan is drafted by %s", held.Statement.Drafter)
			}
		}
		if terminal < 23 || terminal > 25 || shift < 2 || shift > 4 || len(days) == 0 {
			t.Errorf("%d of level 1, %d in shifts, %d days", terminal, shift, len(days))
		}
		// Nobody at xs has answered those of level 2: one item says so, however many they are.
		items := 0
		for _, line := range xn.board() {
			if strings.HasPrefix(line, "check ") {
				items++
			}
		}
		if items != 1 {
			t.Errorf("%d items: %q", items, xn.board())
		}
		next, err := xn.NextChecks(t.Context())
		must(t, err)
		for _, n := range next {
			if n.Occasion == check.Random {
				t.Error("a random check is told beforehand")
			}
		}
	})
}

func TestNoCheckAtHandOverUnlessBothShiftsAgree(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		xs.says(traffic.Routine, "contact", form.Values{
			"name": "watch", "category": "risk-reduction", "organisation": "Centre", "around_clock": true, "speaks": "ru", "reads": "ru, en", "authority": []string{"receive"},
			"nominated_by": "Note 1", "handovers": time.Now().UTC().Add(10 * time.Minute).Format("15:04"),
		})
		pass(time.Minute)
		if _, err := xn.checks(check.Officer, ""); !errors.Is(err, standing.ErrHandover) {
			t.Fatal(err)
		}
		_, err := xn.RunCheck(t.Context(), standing.Ask{
			Channel: w.Channels["nrrc"], Audience: "xs/nrrc", Post: "nrrc", Plane: traffic.Real, Level: check.Officer, Force: true,
		}, "duty-officer")
		must(t, err)
		pass(time.Hour)
		_, err = xn.checks(check.Officer, "")
		must(t, err)
		if _, err := xn.checks(check.Authority, ""); !errors.Is(err, standing.ErrQuestion) {
			t.Error(err)
		}
	})
}

// What is missed is one item until the other side has answered again.
func TestAnOverdueCheckIsOneItem(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		first, err := xn.checks(check.Officer, "Which day is it?")
		must(t, err)
		pass(40 * time.Minute)
		_, err = xn.checks(check.Officer, "Which day is it now?")
		must(t, err)
		pass(40 * time.Minute)
		if diff := cmp.Diff([]string{"check XN/NRRC-R-0001"}, xn.board()); diff != "" {
			t.Error(diff)
		}
		xs.replies(first.ID, "check-answer", form.Values{"answered_by": "duty-officer", "answer": "Monday."})
		pass(time.Minute)
		if diff := cmp.Diff([]string{"check XN/NRRC-R-0002"}, xn.board()); diff != "" {
			t.Error(diff)
		}
		third, err := xn.checks(check.Officer, "And now?")
		must(t, err)
		pass(time.Minute)
		xs.replies(third.ID, "check-answer", form.Values{"answered_by": "duty-officer", "answer": "Still Monday."})
		pass(time.Minute)
		if diff := cmp.Diff([]string{}, xn.board()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"2 answered by duty-officer", "2 missed", "2 late by duty-officer"}, xn.history()); diff != "" {
			t.Error(diff)
		}
	})
}

// A stale entry is found by both sides, a confirmation by its party ends it for both.
func TestStaleEntriesRaiseAnItem(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		now := time.Now()
		xs.says(traffic.Routine, "contact", form.Values{
			"name": "watch", "category": "technical", "organisation": "Centre", "around_clock": true, "speaks": "ru", "reads": "ru", "authority": []string{"receive"},
			"nominated_by": "Note 1", "valid": []any{now.Unix(), now.Add(48 * time.Hour).Unix()},
		})
		pass(47 * time.Hour)
		if len(xn.board())+len(xs.board()) > 0 {
			t.Error(xn.board(), xs.board())
		}
		pass(2 * time.Hour)
		for _, c := range []*capital{xn, xs} {
			if diff := cmp.Diff([]string{"directory XS/NRRC-R-0001"}, c.board()); diff != "" {
				t.Error(c.ID, diff)
			}
		}
		xs.says(traffic.Routine, "contact-status", form.Values{"name": "watch", "action": "withdrawn"})
		pass(time.Minute)
		for _, c := range []*capital{xn, xs} {
			if diff := cmp.Diff([]string{}, c.board()); diff != "" {
				t.Error(c.ID, diff)
			}
		}
		channel := w.Channels["nrrc"]
		list, err := xn.Directory(t.Context(), &channel)
		must(t, err)
		if len(list) != 1 || list[0].Stale(time.Now()) != directory.Withdrawn || list[0].Number != "XS/NRRC-R-0001" {
			t.Errorf("%+v", list)
		}
	})
}

// Silence has a name at each step of the way, and the name is the truth.
func TestSilenceHasItsName(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		expect := func(when string, want exchange.Silence) {
			t.Helper()
			if got := xn.silence(); got != want {
				t.Errorf("%s: %s, want %s", when, got, want)
			}
		}
		expect("nothing was said", exchange.SilenceNone)
		w.Sever(true)
		pass(time.Hour)
		n := xn.says(traffic.Immediate, "inquiry", form.Values{
			"observed": []any{time.Now().Unix(), time.Now().Unix()}, "observation": "x", "asked": []string{"explain"},
		})
		pass(time.Minute)
		expect("the line is cut", exchange.LinkDown)
		w.Sever(false)
		pass(10 * time.Minute)
		expect("it has arrived", exchange.DeliveredUnread)
		xs.says(traffic.Routine, "service", form.Values{"service": "unmanned"})
		pass(time.Second)
		expect("the post says that it is unmanned", exchange.PostUnmanned)
		xs.says(traffic.Routine, "service", form.Values{"service": "manned"})
		pass(time.Second)
		expect("it is manned again", exchange.DeliveredUnread)
		pass(time.Hour)
		expect("nobody has taken it in time", exchange.PostUnmanned)
		suspend := xs.says(traffic.Routine, "status", form.Values{"state": "suspended", "ground": "political", "functions": []string{"inquiries"}})
		pass(time.Second)
		expect("inquiries are suspended", exchange.Suspended)
		xs.acknowledges(n.ID, nil)
		xn.acknowledges(suspend.ID, nil)
		pass(time.Second)
		expect("a person has it all the same", exchange.BeingChecked)
		xs.replies(n.ID, "answer", form.Values{"finding": "refused", "refusal": "legal", "competent": "the ministry"})
		pass(time.Second)
		expect("it is answered", exchange.SilenceNone)
	})
}

func TestTrace(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		n := xn.says(traffic.Immediate, "inquiry", form.Values{
			"observed": []any{time.Now().Unix(), time.Now().Unix()}, "observation": "x", "asked": []string{"explain"},
		})
		trace := func() (out []string) {
			t.Helper()
			h, err := xn.Node.Statement(t.Context(), n.ID)
			must(t, err)
			stations, err := xn.Stations(t.Context(), h)
			must(t, err)
			for _, s := range stations {
				who := "machine"
				if s.Human {
					who = "person"
				}
				out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %v %s %s", s.Party, s.What, who, !s.At.IsZero(), s.By, s.To)))
				if !s.At.IsZero() && s.Statement == (statement.ID{}) && s.Receipt == "" {
					t.Errorf("%s without evidence", s.What)
				}
			}
			return out
		}
		pass(time.Minute)
		want := []string{
			"xn released person true head-of-post", "xn in-feed machine true", "xs held machine true", "xs accepted person false", "xs understood person false",
			"xs passed-on person false", "xs answered person false",
		}
		if diff := cmp.Diff(want, trace()); diff != "" {
			t.Error(diff)
		}
		xs.acknowledges(n.ID, form.Values{"forwarded_to": "cert"})
		pass(time.Minute)
		copy(want[3:], []string{"xs accepted person true duty-officer", "xs understood person true duty-officer", "xs passed-on person true duty-officer cert"})
		if diff := cmp.Diff(want, trace()); diff != "" {
			t.Error(diff)
		}
		// A check that a machine has answered was accepted by nobody.
		c, err := xn.checks(check.Terminal, "")
		must(t, err)
		pass(time.Minute)
		n = c
		want = []string{"xn released person true duty-officer", "xn in-feed machine true", "xs held machine true", "xs answered machine true node"}
		if diff := cmp.Diff(want, trace()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSuspensionIsMetWhenSending(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		xs.says(traffic.Routine, "status", form.Values{"state": "restricted", "ground": "technical", "functions": []string{"goodwill"}})
		pass(time.Second)
		d := node.Draft{Channel: w.Channels["nrrc"], Plane: traffic.Real, Precedence: traffic.Routine, Post: "nrrc", Audience: "xs", Form: "goodwill"}
		if err := xn.Permit(t.Context(), &d, false); !errors.Is(err, directory.ErrDeclined) {
			t.Error(err)
		}
		if err := xs.Permit(t.Context(), &d, true); !errors.Is(err, directory.ErrSuspended) {
			t.Error(err)
		}
		must(t, xn.Permit(t.Context(), &d, true))
		d.Plane = traffic.Exercise
		must(t, xn.Permit(t.Context(), &d, false))
		all, err := xn.Channels(t.Context(), traffic.Real)
		must(t, err)
		if len(all) != 1 || all[0].State != directory.Restricted || len(all[0].Members) != 2 || all[0].Members[1].Number != "XS/NRRC-R-0001" {
			t.Errorf("%+v", all)
		}
	})
}

func TestWhatIsFoundAndCounted(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		first := xn.says(traffic.Immediate, "notice", form.Values{"subject": "information", "text": "Maintenance of the relay."})
		pass(time.Hour)
		again := xn.says(traffic.Immediate, "notice", form.Values{"subject": "information", "text": "Maintenance of the relay."})
		other := xn.says(traffic.Routine, "goodwill", form.Values{"text": "С новым годом."})
		pass(time.Minute)
		xs.Stop()
		xn.Stop() // else it would try every few seconds for a day
		pass(25 * time.Hour)
		xn.Start()
		xs.Start()
		late := xn.says(traffic.Immediate, "notice", form.Values{"subject": "information", "text": "Maintenance of the relay."})
		for _, made := range []string{"machine", "person"} {
			_, err := xs.Node.Send(t.Context(), node.Draft{
				Channel: w.Channels["nrrc"], Plane: traffic.Real, Precedence: traffic.Routine, Post: "nrrc", Audience: "xn", Form: "translation", Dossier: first.ID,
				Values: form.Values{"language": "ru", "made_by": made, "text": "Обслуживание реле."}, Refs: []statement.ID{first.ID}, Language: "ru", Drafter: "translator",
			})
			must(t, err)
		}
		pass(time.Minute)
		_, err := xs.Statistics(t.Context())
		must(t, err)
		for id, of := range map[statement.ID]statement.ID{first.ID: {}, again.ID: first.ID, late.ID: {}, other.ID: {}} {
			if got, ok := xs.Duplicate(id); got != of || ok != (of != statement.ID{}) {
				t.Errorf("%s is thought a duplicate of %s", id.Short(), got.Short())
			}
		}
		versions := xs.Translations(first.ID)
		if len(versions) != 2 || versions[0].Machine() || !versions[1].Machine() {
			t.Errorf("%+v", versions)
		}
		search := func(text string, lang language.Tag) int {
			t.Helper()
			ids, err := xs.Search(t.Context(), standing.Query{Text: text, Lang: lang, Limit: 10})
			must(t, err)
			return len(ids)
		}
		for text, want := range map[string]int{
			"relay": 3, "RELAY maintenance": 3, "relay absent": 0, "новым": 1, "xn/nrrc-r-0001": 1, "xn/nrrc-o": 3, "": 0, "notice xn": 3,
		} {
			if got := search(text, language.English); got != want {
				t.Errorf("%q: %d found, want %d", text, got, want)
			}
		}
		stats, err := xs.Statistics(t.Context())
		must(t, err)
		if len(stats) != 2 || stats[1].Sent[traffic.Immediate] != 3 || stats[1].Sent[traffic.Routine] != 1 || stats[0].Party != "xs" || stats[0].Total[traffic.Routine] != 2 {
			t.Errorf("%+v", stats)
		}
		xn.Stop()
		xs.Stop()
		pass(31 * 24 * time.Hour)
		xs.Start()
		stats, err = xs.Statistics(t.Context())
		must(t, err)
		if stats[1].Sent[traffic.Immediate] != 0 || stats[1].Total[traffic.Immediate] != 3 {
			t.Errorf("%+v", stats)
		}
	})
}
