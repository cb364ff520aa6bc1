package secretariat_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"detente/dialogue"
	"detente/form"
	"detente/secretariat"
	"detente/statement"
	"detente/wording"

	"github.com/google/go-cmp/cmp"
)

// A series lapses at nobody: it is overdue at both ends, the lighter form is offered, a refusal has its ground, a round is agreed, missed, held, minuted and signed,
// and what was resolved is carried over until it is done.
func TestASeriesFromItsOpeningToItsActions(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		id := xn.opens()
		pass(time.Minute)
		both := func(want ...string) {
			t.Helper()
			if want == nil {
				want = []string{}
			}
			for _, c := range []*capital{xn, xs} {
				if diff := cmp.Diff(want, c.board()); diff != "" {
					t.Errorf("%s: %s", c.ID, diff)
				}
			}
		}
		both()
		xn.states(id, "round-proposal", "", form.Values{"mode": "in-person", "window": window(30 * 24 * time.Hour)})
		pass(time.Minute)
		if diff := cmp.Diff([]string{"answer round-proposal"}, xs.board()); diff != "" {
			t.Error(diff)
		}
		xs.states(id, "round-refusal", "", form.Values{"ground": "political", "instead": "virtual"})
		pass(time.Minute)
		both()
		r := xn.talk(id).Series.Rounds[1]
		if len(r.Refused()) != 1 || r.Refused()[0].Ground != "political" || r.Refused()[0].Instead != "virtual" {
			t.Error("the refusal:", r.Refused())
		}
		pass(every + 11*24*time.Hour)
		both("talks.overdue.virtual")
		xn.states(id, "round-proposal", "", form.Values{"mode": "virtual", "window": window(24 * time.Hour)})
		pass(time.Minute)
		xs.states(id, "round-acceptance", "", nil)
		pass(time.Minute)
		both()
		if at := xs.talk(id).Series.At(time.Now()); at.Next == nil || at.Next.Agreed.Mode != dialogue.Virtual {
			t.Fatal("agreed, and", at.Next)
		}
		pass(48 * time.Hour)
		both("talks.missed")
		xs.states(id, "round-held", "", nil)
		pass(time.Minute)
		both()

		sent := xn.says(xn.OpenText(xn.talk(id), 1, "minutes", nil))
		xn.says(xn.talk(id).NameText(1, "minutes", sent.ID), nil)
		xn.adds(id, 1, "minutes", "The sides met.", "Стороны встретились.")
		pass(time.Minute)
		if _, err := xs.Sign(t.Context(), xs.talk(id), 1, ""); !errors.Is(err, secretariat.ErrOpen) {
			t.Error("minutes that are not agreed are signed:", err)
		}
		xs.agrees(id, 1, "minutes")
		pass(time.Minute)
		both("talks.minutes")
		xs.says(xs.Sign(t.Context(), xs.talk(id), 0, ""))
		pass(time.Minute)
		if diff := cmp.Diff([]string{"talks.minutes"}, xn.board()); diff != "" {
			t.Error(diff)
		}
		xn.says(xn.Sign(t.Context(), xn.talk(id), 0, ""))
		pass(time.Minute)
		both()
		x := xn.talk(id)
		if !x.Series.Rounds[1].MinutesSigned(x.TextOf(1, "minutes").Digest, x.Parties) {
			t.Error("both have signed")
		}

		xn.states(id, "action", "", form.Values{"words": map[string]string{"en": "Exchange lists."}, "owner": "xs/council", "due": time.Now().Add(24 * time.Hour).Unix()})
		pass(25 * time.Hour)
		if diff := cmp.Diff([]string{"talks.action"}, xs.board()); diff != "" {
			t.Error(diff)
		}
		if len(xn.board()) != 0 {
			t.Error(xn.board())
		}
		xs.states(id, "action-status", "", form.Values{"state": "done"})
		pass(time.Minute)
		both()
		if at := xn.talk(id).Series.At(time.Now()); len(at.Open) != 0 || at.Number != 2 || at.Host != "xs" {
			t.Errorf("%+v", at)
		}
		d, err := xn.Say(xn.talk(id), "round-proposal", form.Values{"number": int64(1), "mode": "virtual", "window": window(time.Hour)}, "", time.Now())
		must(t, err)
		if err := xn.Rehearse(xn.talk(id), d); !errors.Is(err, secretariat.ErrNoEffect) {
			t.Error("a round that was held is proposed anew:", err)
		}
	})
}

// Two sides that are cut off for weeks propose, accept, decline, open the same agenda and add to it. When the line is back both see one state, and nothing is lost.
func TestWeeksApartBothSidesSpeakAndSeeOneState(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		id := xn.opens()
		pass(time.Minute)
		xn.states(id, "round-proposal", "", form.Values{"mode": "in-person", "window": window(60 * 24 * time.Hour)})
		pass(time.Minute)
		w.sever(true)
		for day := range 21 {
			switch day {
			case 2:
				xs.states(id, "round-acceptance", "", nil)
			case 4:
				xn.states(id, "round-withdrawal", "", nil)
				xn.states(id, "round-proposal", "", form.Values{"mode": "virtual", "window": window(20 * 24 * time.Hour)})
			case 6:
				xs.states(id, "round-proposal", "", form.Values{"mode": "third-venue", "window": window(90 * 24 * time.Hour), "place": "Geneva"})
			case 8, 9:
				c := map[int]*capital{8: xn, 9: xs}[day]
				sent := c.says(c.OpenText(c.talk(id), 1, "agenda", nil))
				c.says(c.talk(id).NameText(1, "agenda", sent.ID), nil)
				c.adds(id, 1, "agenda", "Item of "+string(c.ID), "Пункт "+string(c.ID))
			case 12:
				xn.states(id, "delegation", "", form.Values{"head": "Deputy foreign minister"})
				xs.states(id, "delegation", "", form.Values{"head": "Director"})
			}
			pass(24 * time.Hour)
		}
		w.sever(false)
		pass(3 * time.Hour)
		same(t, xn, xs, id)
		s := xn.talk(id).Series.Rounds[1]
		if s.Agreed != nil || len(s.Proposals) != 3 || len(s.Delegations) != 2 {
			t.Errorf("agreed %v, %d proposals, %d delegations", s.Agreed, len(s.Proposals), len(s.Delegations))
		}
		for range 3 { // both at once, without a word between them
			for _, c := range []*capital{xn, xs} {
				c.agrees(id, 1, "agenda")
			}
			pass(time.Minute)
		}
		same(t, xn, xs, id)
		text, err := xs.talk(id).Clean(1, "agenda")
		must(t, err)
		items := map[string]bool{}
		for _, c := range text.Clauses {
			items[c.Texts["en"]] = true
		}
		if diff := cmp.Diff(map[string]bool{"Item of xn": true, "Item of xs": true}, items); diff != "" {
			t.Error(diff)
		}
		// One accepts what the other has proposed last, and that is the round.
		p := xs.talk(id).Series.Rounds[1].Proposals[1]
		xs.states(id, "round-acceptance", p.Statement.String(), nil)
		pass(time.Minute)
		if r := xn.talk(id).Series.Rounds[1]; r.Agreed == nil || r.Agreed.Statement != p.Statement {
			t.Error("agreed:", r.Agreed)
		}
		same(t, xn, xs, id)
	})
}

// same holds that both sides see one dialogue, to the last word.
func same(t *testing.T, xn, xs *capital, id statement.ID) {
	t.Helper()
	told := func(c *capital) (out []string) {
		x := c.talk(id)
		for i := range x.Entries {
			out = append(out, x.Places[x.Entries[i].ID].Number+" "+x.Entries[i].Form+" "+x.Entries[i].Why)
		}
		for _, n := range x.Series.Numbers() {
			r := x.Series.Rounds[n]
			for _, p := range r.Proposals {
				out = append(out, fmt.Sprint(p.Statement, p.Standing, r.Agreed == p))
			}
			for _, what := range secretariat.Kinds() {
				if y := x.TextOf(n, what); y != nil {
					out = append(out, fmt.Sprint(what, y.ID, y.Agreed, y.Digest))
				}
			}
		}
		return out
	}
	if diff := cmp.Diff(told(xn), told(xs)); diff != "" {
		t.Error("xn and xs see the series differently:", diff)
	}
}

// adds tables an item of a text.
func (c *capital) adds(id statement.ID, number int, what, en, ru string) {
	c.World.T.Helper()
	x := c.talk(id)
	list, err := c.AddItem(x, x.TextOf(number, what), wording.Texts{"en": en, "ru": ru})
	must(c.World.T, err)
	for _, d := range list {
		c.says(d, nil)
	}
}

// agrees stands on what the other has tabled.
func (c *capital) agrees(id statement.ID, number int, what string) {
	c.World.T.Helper()
	x := c.talk(id)
	for _, d := range c.Agree(x, x.TextOf(number, what)) {
		c.says(d, nil)
	}
}
