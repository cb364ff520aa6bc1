package sim_test

import (
	"encoding/hex"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"detente/acts"
	"detente/bundle"
	"detente/exchange"
	"detente/form"
	"detente/node"
	"detente/party"
	"detente/register/docket"
	"detente/sim"
	"detente/statement"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

const openPledge = `{"version":1,"nature":"political","eligibility":{"who":"all"},"entry":{"threshold":2},"reservations":{"regime":"permitted"},"runs":"adherents","powers":{"required":true}}`

// Three hostile parties at once: one tells two histories, one signs with a key that was withdrawn, one has no full powers. Each is named with what it did, and no
// status is touched.
func TestHostilePartiesChangeNoStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sim.New(t, 5*time.Minute, 1)
		for _, p := range []traffic.Party{"xn", "xs"} {
			w.Add(sim.Found(t, p, "en", true))
		}
		w.Pair("xn", "xs")
		say := func(p traffic.Party, post traffic.Post, kind string, v form.Values) {
			t.Helper()
			if err := w.Speak(p, publicly(w.Capital(p).Node().Chain(p), post, kind, v)); err != nil {
				t.Fatal(err)
			}
		}
		say("xn", "mfa", acts.FormOpening, form.Values{
			"title": map[string]any{"en": "Not to strike first", "ru": "Не нападать первыми"}, "nature": "political", "languages": "en ru", "rules": openPledge,
		})
		time.Sleep(time.Minute)
		book := docket.New(w.Capital("xs").Node())
		read := func() (*acts.Reading, *acts.Opening) {
			t.Helper()
			r, err := book.Reading(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			o, ok := r.Opening("")
			if !ok {
				t.Fatalf("%d openings", len(r.Openings))
			}
			return r, o
		}
		_, o := read()
		opening, err := hex.DecodeString(o.ID)
		if err != nil {
			t.Fatal(err)
		}
		act := func(kind acts.Kind) form.Values {
			return form.Values{"instrument": opening, "kind": string(kind), "date": time.Now().Unix()}
		}
		powers := func(p, post string) form.Values {
			return form.Values{"representative": "Head of delegation", "post": p + "/" + post, "may": []any{"consent", "declare"}, "authority": "foreign-minister"}
		}
		for _, p := range []traffic.Party{"xn", "xs"} {
			say(p, "mfa", acts.FormPowers, powers(string(p), "council"))
			say(p, "council", acts.FormAct, act(acts.Adhere))
		}

		forked, revoked, powerless := newForgerNamed(t, w, "xf"), newForgerNamed(t, w, "xg"), newForgerNamed(t, w, "xh")
		public := func(f *forger) traffic.Feed {
			return traffic.Feed{Channel: party.PublicChannel(f.chain).ID(), Party: f.Charter.Party, Plane: traffic.Real, Precedence: traffic.Routine}
		}
		stated := func(f *forger, post traffic.Post, kind string, v form.Values, charter int) []byte {
			return f.sign(public(f), draft{Post: post, Form: kind, Values: v, Charter: charter, regime: "public"})
		}
		// xf tells two histories, is found out, and adheres then; it dates that before. What it declared before stands: a fork is no way out.
		log := public(forked)
		given := stated(forked, "mfa", acts.FormPowers, powers("xf", "council"), 1)
		one, other := stated(forked, "council", acts.FormAct, act(acts.Declare), 1), stated(forked, "council", acts.FormAct, act(acts.Understand), 1)
		yes := stated(forked, "council", acts.FormAct, act(acts.Adhere), 1)
		for _, history := range [][][]byte{{given, one}, {given, other}, {given, one, yes}} {
			for _, to := range []traffic.Party{"xn", "xs"} {
				forked.deliver(to, forked.bundle(bundle.FeedPart{Feed: log, Entries: history, Checkpoint: forked.note(log, history...)}))
			}
			time.Sleep(time.Minute)
		}
		// xg withdraws the council's key, and adheres under it.
		second, keys := revoked.rotate("post/council/real")
		old := revoked.Keys
		revoked.log(public(revoked), stated(revoked, "mfa", acts.FormPowers, powers("xg", "council"), 1))
		revoked.Keys = keys
		revoked.log(public(revoked), stated(revoked, "council", acts.FormAct, act(acts.Sign), 2))
		revoked.Keys = old
		revoked.log(public(revoked), stated(revoked, "council", acts.FormAct, act(acts.Adhere), 1), stated(revoked, "council", acts.FormAct, act(acts.Adhere), 2))
		// xh adheres by a post to which nobody gave powers, and then gives them to itself.
		powerless.log(public(powerless), stated(powerless, "council", acts.FormAct, act(acts.Adhere), 1),
			stated(powerless, "council", acts.FormPowers, powers("xh", "council"), 1), stated(powerless, "council", acts.FormAct, act(acts.Adhere), 1))
		for _, to := range []traffic.Party{"xn", "xs"} {
			b := revoked.bundle(revoked.section(public(revoked), 0))
			b.Charters = [][]byte{revoked.Charter.Bytes(), second.Bytes()}
			revoked.deliver(to, b)
			powerless.deliver(to, powerless.bundle(powerless.section(public(powerless), 0)))
		}
		time.Sleep(time.Minute)
		if n := len(forked.alarms("xs", exchange.AlarmFork, log.Origin())); n != 1 {
			t.Fatalf("%d convictions", n)
		}

		r, o := read()
		rec := r.Record(o, time.Time{})
		today := acts.DayOf(time.Now())
		states, named := map[traffic.Party]acts.State{}, map[traffic.Party][]acts.Reason{}
		for _, row := range rec.Status(today).Rows {
			states[row.Party] = row.State
			for _, id := range row.NoEffect {
				n, _ := rec.Act(id)
				named[row.Party] = append(named[row.Party], n.Why)
			}
		}
		if diff := cmp.Diff(map[traffic.Party]acts.State{"xn": acts.InForce, "xs": acts.InForce, "xf": acts.None, "xg": acts.None, "xh": acts.None}, states); diff != "" {
			t.Error(diff)
		}
		for _, p := range []traffic.Party{"xf", "xg", "xh"} {
			if rel := rec.Relation("xn", p, today); rel.Bond != acts.Unbound {
				t.Errorf("xn and %s: %s", p, rel.Bond)
			}
		}
		if len(rec.Pledge("xn", today).Toward) != 1 {
			t.Errorf("%+v", rec.Pledge("xn", today))
		}
		for p, why := range map[traffic.Party]acts.Reason{"xf": acts.Forked, "xg": acts.Invalid, "xh": acts.NoPowers} {
			if len(named[p]) == 0 || named[p][0] != why && named[p][len(named[p])-1] != why {
				t.Errorf("%s is named with %v, want %s", p, named[p], why)
			}
		}
		if err := errors.Join(w.Check(), w.Audit()); err != nil {
			t.Fatal(err)
		}
		w.Close()
	})
}

// publicly is a statement on the public channel.
func publicly(own *party.Chain, post traffic.Post, kind string, v form.Values) node.Draft {
	return node.Draft{
		Channel: party.PublicChannel(own).ID(), Plane: traffic.Real, Precedence: traffic.Routine, Post: post, Audience: statement.Everyone, Form: kind, Values: v, Language: "en",
		Drafter: "head",
	}
}
