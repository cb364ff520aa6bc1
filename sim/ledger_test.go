package sim_test

import (
	"testing"
	"testing/synctest"
	"time"

	"detente/form"
	account "detente/ledger"
	"detente/node"
	"detente/sim"
	"detente/traffic"
)

// Two capitals that held what the other said at other times, and lost the line in between, draw one account, to the byte.
func TestTwoCapitalsDrawOneAccount(t *testing.T) {
	cast := []sim.Founded{sim.Found(t, "xn", "en", true), sim.Found(t, "xs", "ru", true)}
	synctest.Test(t, func(t *testing.T) {
		w := sim.New(t, time.Hour, 1)
		defer w.Close()
		for _, f := range cast {
			w.Add(f)
		}
		w.Pair("xn", "xs")
		channel := w.Channel("nrrc", "xn", "xs")
		ask := func(from, to traffic.Party) node.Sent {
			sent, err := w.Send(sim.Letter{From: from, To: to, Channel: channel, Precedence: traffic.Priority, Form: "inquiry", Text: "What is it?"})
			if err != nil {
				t.Fatal(err)
			}
			return sent
		}
		reply := func(by traffic.Party, to node.Sent, id string, v form.Values) {
			_, err := w.Capital(by).Node().Reply(t.Context(), node.Reply{To: to.ID, Form: id, Values: v, Language: "en", Drafter: "duty-officer"})
			if err != nil {
				t.Fatal(err)
			}
		}
		begun := time.Now()
		first := ask("xn", "xs")
		time.Sleep(time.Hour)
		reply("xs", first, "acknowledgement", form.Values{"received": time.Now().Unix(), "understood": true})
		second := ask("xs", "xn")
		time.Sleep(time.Minute)
		w.Net.Cut("xn", "xs")
		third := ask("xn", "xs") // it comes when the line is mended
		time.Sleep(30 * time.Hour)
		reply("xs", first, "answer", form.Values{"finding": "not-ours"})
		reply("xn", second, "answer", form.Values{"finding": "not-ours"})
		w.Net.Mend()
		time.Sleep(3 * time.Hour)
		reply("xs", third, "answer", form.Values{"finding": "not-ours"})
		time.Sleep(3 * time.Hour)
		period := account.Year(begun).ClosedAt(time.Now())
		period.To = period.Until
		digests := map[[32]byte]bool{}
		for _, c := range w.Parties() {
			a, err := c.Node().Ledger(t.Context(), channel, traffic.Real, period)
			if err != nil {
				t.Fatal(err)
			}
			digests[a.Digest()] = true
			late := 0
			for _, f := range a.Figures {
				late += f.Late
			}
			if len(a.Requests) != 3 || late != 3 {
				t.Errorf("%s: %+v", c.ID, a.Figures)
			}
			seen, err := c.Node().Witness(t.Context(), a)
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range seen { // the third came 30 hours late, and was answered within three: the receipts show it, at both
				if differs := a.Requests[i].ID == third.ID; s.Differs != differs || s.Elapsed < 0 {
					t.Errorf("%s: %+v", c.ID, s)
				}
			}
		}
		if len(digests) != 1 {
			t.Error("two accounts of one channel")
		}
	})
}
