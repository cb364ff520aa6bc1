package yearly_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"testing"
	"time"

	"detente/form"
	"detente/ledger"
	"detente/statement"
	"detente/traffic"
	"detente/yearly"

	"github.com/google/go-cmp/cmp"
)

// year plays what a review is about: a case that both close as agreed, one that one side contests, checks, a point of contact that changes, a code that is agreed, an action
// that is left. It gives the series.
func year(w *world, xn, xs *capital) statement.ID {
	w.T.Helper()
	series := xn.says("council", traffic.Routine, "series", nil, toAll(form.Values{
		"name": map[string]string{"en": "Review", "ru": "Обзор"}, "level": "review", "every": int64(365 * 24 * 3600), "hosts": []any{"xn", "xs"}, "languages": "en ru",
	})).ID
	pass(time.Hour)

	_, stopped := xn.opens("nrrc", "clarification", fields{
		"asked": "check,stop", "observed": span(-2*time.Hour, -time.Hour), "observation": "Sign-ins to a control room.", "sources": "203.0.113.9", "severity": "major",
	})
	pass(time.Hour)
	xs.replies(stopped, "acknowledgement", fields{"received": time.Now().UTC().Format(time.RFC3339), "understood": "true"})
	pass(time.Hour)
	xs.replies(stopped, "reply", fields{"finding": "confirmed-stopped", "measures": "The host was taken off the network."})
	pass(time.Hour)
	closing := xn.about(stopped, "closure", fields{"outcome": "agreed"})
	pass(time.Hour)
	xs.replies(closing, "closure-answer", fields{"decision": "accepted"})
	pass(time.Hour)

	_, contested := xs.opens("nrrc", "clarification", fields{
		"asked": "check", "observed": span(-2*time.Hour, -time.Hour), "observation": "Terminals of a bank are controlled.", "sources": "198.51.100.7", "severity": "moderate",
	})
	pass(time.Hour)
	xn.replies(contested, "reply", fields{"finding": "not-ours"})
	pass(time.Hour)
	closing = xs.about(contested, "closure", fields{"outcome": "disagreed", "review": "true"})
	pass(time.Hour)
	xn.replies(closing, "closure-answer", fields{"decision": "accepted"})
	pass(time.Hour)

	asked := xn.says("cert", traffic.Routine, "check", fields{"level": "2", "question": "Which word comes after morning?"}, nil)
	pass(time.Hour)
	xs.replies(asked, "check-answer", fields{"answered_by": "duty-officer", "answer": "Noon."})
	pass(time.Hour)
	contact := fields{"name": "watch", "category": "risk-reduction", "organisation": "Centre", "around_clock": "true", "speaks": "en", "reads": "en", "authority": "receive,acknowledge", "nominated_by": "Ministry"}
	xs.says("nrrc", traffic.Routine, "contact", contact, nil)
	pass(time.Hour)
	change := xn.says("nrrc", traffic.Routine, "codebook-change", fields{"action": "try", "number": "901", "meaning": "The line is being moved.", "response": "Wait."}, nil)
	pass(time.Hour)
	xs.replies(change, "codebook-answer", fields{"decision": "accepted"})
	pass(time.Hour)
	xn.states(series, "action", form.Values{"number": int64(1), "owner": "xs/cert", "due": time.Now().Add(48 * time.Hour).Unix(), "words": map[string]string{"en": "Exchange lists.", "ru": "Обменяться списками."}})
	pass(time.Hour)
	return series
}

// Both ends compute the same pack, to the byte; what is said after its end changes nothing, nor that a node stands still meanwhile and starts anew.
func TestBothEndsComputeTheSamePack(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		from := time.Now().UTC()
		series := year(w, xn, xs)
		to := time.Now().UTC().Truncate(time.Second)
		p, north := xn.whole(series, 1, from, to)
		_, south := xs.whole(series, 1, from, to)
		if diff := cmp.Diff(north, south); diff != "" {
			t.Fatal("the two ends differ:", diff)
		}

		if len(p.Agreed) != 1 || len(p.Agreed[0].Contests) != 0 || p.Agreed[0].Outcome != "agreed" || p.Agreed[0].Opener != "xn" {
			t.Errorf("agreed: %+v", p.Agreed)
		}
		if len(p.Disputed) != 1 || p.Disputed[0].Opener != "xs" || p.Disputed[0].Outcome != "disagreed" || !p.Disputed[0].Review {
			t.Fatalf("disputed: %+v", p.Disputed)
		}
		var said []string
		for _, c := range p.Disputed[0].Contests {
			said = append(said, fmt.Sprint(c.By, " ", c.What, " ", c.Number))
		}
		if diff := cmp.Diff([]string{"xn not-ours XN/NRRC-P-0002", "xs closed-disagreed XS/NRRC-R-0002"}, said); diff != "" {
			t.Error(diff)
		}
		if len(p.Checks) != 1 || p.Checks[0].Answered != 1 || p.Checks[0].Level != 2 {
			t.Errorf("checks: %+v", p.Checks)
		}
		if len(p.Contacts) != 1 || p.Contacts[0].Change != "added" || p.Contacts[0].Party != "xs" {
			t.Errorf("contacts: %+v", p.Contacts)
		}
		if len(p.Codes) != 1 || p.Codes[0].Signal != 901 {
			t.Errorf("codes: %+v", p.Codes)
		}
		if len(p.Actions) != 1 || p.Actions[0].Owner != "xs/cert" || p.Actions[0].Late {
			t.Errorf("actions: %+v", p.Actions)
		}

		// The figures are those of the ledger that each side sees by itself.
		for _, x := range p.Accounts {
			for _, c := range []*capital{xn, xs} {
				drawn, _, err := c.work.Account(t.Context(), w.Channels[x.Channel], traffic.Real, ledger.Period{From: p.From, To: p.To, Until: p.To})
				must(t, err)
				if x.Digest != fmt.Sprintf("%x", drawn.Digest()) || len(x.Figures) != len(drawn.Figures) {
					t.Errorf("%s: %s has other figures than the ledger: %+v", c.ID, x.Channel, x.Figures)
				}
			}
		}

		if backwards := xs.assembled(p); backwards != north {
			t.Error("in another order it is another pack:", cmp.Diff(north, backwards))
		}

		// What comes later is not in it.
		pass(time.Minute)
		xs.states(series, "action-status", form.Values{"state": "done"})
		w.sever(true)
		xn.opens("nrrc", "clarification", fields{"asked": "check", "observed": span(-2*time.Hour, -time.Hour), "observation": "Another thing."})
		pass(time.Hour)
		xs.Stop()
		xs.Start()
		_, again := xn.whole(series, 1, from, to)
		_, there := xs.whole(series, 1, from, to)
		if again != north || there != north {
			t.Error("the pack of the same period is another one later")
		}
	})
}

// assembled makes the pack once more, of what the party holds of the same channels, given in the reverse of its order.
func (c *capital) assembled(p *yearly.Pack) string {
	t := c.World.T
	t.Helper()
	series, err := hex.DecodeString(p.Series)
	must(t, err)
	var sources []*yearly.Source
	for _, ch := range p.Channels {
		charter, regime, err := c.Node.Channel(c.World.Channels[ch.Name])
		must(t, err)
		sources = append(sources, &yearly.Source{ID: charter.ID(), Name: ch.Name, Members: charter.Members, Regime: regime, Cut: ch.Feeds})
	}
	slices.Reverse(sources)
	a, err := yearly.Begin(yearly.Subject{Series: statement.ID(series), Round: p.Round, Plane: p.Plane, From: p.From, To: p.To}, sources)
	must(t, err)
	for _, s := range sources {
		states, err := c.Node.States(t.Context(), s.ID, p.Plane)
		must(t, err)
		slices.Reverse(states)
		for _, state := range states {
			a.Dossier(state)
			for i := len(state.Entries) - 1; i >= 0; i-- {
				a.Entry(state.Entries[i].Item)
			}
		}
	}
	again, err := a.Pack(c.Node.Chain)
	must(t, err)
	b, err := again.Encode()
	must(t, err)
	return string(b)
}
