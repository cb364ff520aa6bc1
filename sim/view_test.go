package sim_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"detente/bundle"
	"detente/dossier"
	"detente/exchange"
	"detente/feed"
	"detente/party"
	"detente/sim"
	"detente/store"
	"detente/traffic"
)

// What two capitals make of the same statements is compared without anybody's asking: a difference is an alarm at both, and ends with its cause.
func TestADifferenceOfViewIsAnAlarmAtBoth(t *testing.T) {
	cast := []sim.Founded{sim.Found(t, "xn", "en", true), sim.Found(t, "xs", "ru", true)}
	synctest.Test(t, func(t *testing.T) {
		w := sim.New(t, 5*time.Minute, 1)
		defer w.Close()
		for _, f := range cast {
			w.Add(f)
		}
		w.Pair("xn", "xs")
		channel := w.Channel("nrrc", "xn", "xs")
		var last string
		for i := range 3 {
			sent, err := w.Send(sim.Letter{From: "xn", To: "xs", Channel: channel, Precedence: traffic.Priority, Form: "inquiry", Text: fmt.Sprintf("Question %d.", i)})
			if err != nil {
				t.Fatal(err)
			}
			last = sent.ID.String()
		}
		alarms := func(at traffic.Party) (out []exchange.Alarm) {
			all, err := w.Capital(at).Node().Alarms(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range all {
				if a.Kind == exchange.AlarmView {
					out = append(out, a)
				}
			}
			return out
		}
		time.Sleep(20 * time.Minute)
		if a := append(alarms("xn"), alarms("xs")...); len(a) > 0 {
			t.Fatal("they agree, and yet:", a)
		}
		err := w.Capital("xs").Node().DB.Update(t.Context(), store.Calm, func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE dossiers SET digest = channel WHERE id IN (SELECT id FROM dossiers WHERE open > 0 ORDER BY id LIMIT 1)`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Minute)
		for at, other := range map[traffic.Party]string{"xn": "xs", "xs": "xn"} {
			all := alarms(at)
			if len(all) != 1 || !strings.HasSuffix(all[0].Subject, " at "+other) || !strings.Contains(all[0].Detail, fmt.Sprintf("%x", channel)) {
				t.Fatalf("%s: %v, of the last %s", at, all, last)
			}
			note := string(all[0].Evidence)
			body, _, _ := strings.Cut(note, "\n\n")
			if v, err := dossier.ParseView(body + "\n"); err != nil || string(v.Party) != other || v.Open != 3 {
				t.Errorf("%s: the evidence is %q (%v)", at, note, err)
			}
		}
		if _, differing, err := w.Capital("xs").Node().Rebuild(t.Context(), nil); err != nil || len(differing) != 1 {
			t.Fatal(differing, err)
		}
		time.Sleep(20 * time.Minute)
		if a := append(alarms("xn"), alarms("xs")...); len(a) > 0 {
			t.Fatal("rebuilt, and yet:", a)
		}
		if err := w.Check(); err != nil {
			t.Fatal(err)
		}
	})
}

// A peer that says nonsense of dossiers is one alarm, whatever it says and how often; what is not signed by it, or not of its channels, is nothing.
func TestNonsenseViewsAreOneAlarm(t *testing.T) {
	within(t, func(t *testing.T, f *forger, w *sim.World) {
		talk := f.join(party.Channel{Name: "talk"}, "xs")
		if _, err := w.Send(sim.Letter{From: "xs", To: "xf", Channel: talk.ID(), Precedence: traffic.Priority, Form: "inquiry", Text: "Is it yours?"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		var honest dossier.View
		err := f.node("xs").DB.View(t.Context(), func(tx *store.Tx) (err error) {
			var ok bool
			if honest, ok, err = dossier.Observe(t.Context(), tx, "xf", talk.ID(), traffic.Real); !ok {
				t.Fatal("nothing is observed")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		say := func(change func(*dossier.View)) string {
			v := honest
			change(&v)
			note, err := feed.SignText(v.Text(), f.Keys.Checkpoint)
			if err != nil {
				t.Fatal(err)
			}
			return note
		}
		invented := func(seed byte) func(*dossier.View) {
			return func(v *dossier.View) {
				v.Open, v.Root, v.Listed = 4000, [32]byte{seed}, nil
				for i := range 256 {
					v.Listed = append(v.Listed, dossier.Seen{ID: [32]byte{byte(i), seed}, Digest: [32]byte{seed}})
				}
			}
		}
		good := say(func(*dossier.View) {})
		forged := strings.Replace(good, "\n1\n", "\n0\n", 1)
		others := say(func(v *dossier.View) { v.Party = "xs" })
		elsewhere := say(func(v *dossier.View) { v.Channel = [32]byte{9} })
		ahead := say(func(v *dossier.View) { v.Basis = [32]byte{1} })
		for _, note := range []string{forged, others, elsewhere, ahead, "detente.v1/view/", good} {
			time.Sleep(10 * time.Minute)
			f.deliver("xs", &bundle.Bundle{Gossip: []string{note}})
			if a := f.alarms("xs", exchange.AlarmView, ""); len(a) > 0 {
				t.Fatalf("%.200q: %v", note, a)
			}
		}
		for seed := range byte(5) {
			time.Sleep(10 * time.Minute)
			var all []string
			for i := range byte(100) {
				all = append(all, say(invented(seed*100+i)))
			}
			f.deliver("xs", &bundle.Bundle{Gossip: all})
			if a := f.alarms("xs", exchange.AlarmView, ""); len(a) != 1 {
				t.Fatal(a)
			}
		}
		time.Sleep(10 * time.Minute)
		f.deliver("xs", &bundle.Bundle{Gossip: []string{good}})
		if a := f.alarms("xs", exchange.AlarmView, ""); len(a) > 0 {
			t.Fatal("it agrees again, and yet:", a)
		}
	}, "xs")
}
