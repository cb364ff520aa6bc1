//go:build !race

package lookup_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"detente/asking"
	"detente/form"
	"detente/lookup"
	"detente/node"
	"detente/party"
	"detente/statement"
)

// Group arithmetic takes twenty times as long under the race detector, which finds nothing in it: these stories run without.

func TestWhatIsNotAsked(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		list := xs.publishes(2, 3, "evil.example")
		pass(time.Minute)
		for name, c := range map[string]struct {
			err, want error
		}{
			"no list":   {xn.asks(statement.ID{1}, "a.example"), lookup.ErrNoList},
			"own list":  {xs.asks(list, "a.example"), lookup.ErrOwnList},
			"no kind":   {xn.asks(list, "192.0.2.7"), lookup.ErrKind},
			"too many":  {xn.asks(list, "a.example", "b.example", "c.example"), lookup.ErrLimit},
			"a number":  {xn.asks(list, "AS64500"), lookup.ErrKind},
			"nothing":   {xn.asks(list), asking.ErrCount},
			"two go":    {xn.asks(list, "a.example", "b.example"), nil},
			"forgotten": {nil, nil},
		} {
			if !errors.Is(c.err, c.want) {
				t.Errorf("%s: %v", name, c.err)
			}
		}
		pass(time.Minute)
		if err := xn.asks(list, "c.example"); !errors.Is(err, lookup.ErrLimit) {
			t.Errorf("a third in a day of two: %v", err)
		}
		pass(24 * time.Hour)
		must(t, xn.asks(list, "evil.example"))
		pass(time.Minute)
		same(t, xn.heard(), lookup.Answered, "evil.example")
		if err := xn.asks(list, "d.example"); !errors.Is(err, lookup.ErrLimit) {
			t.Errorf("a fourth of three: %v", err)
		}
		pass(2 * time.Hour)
		if err := xn.asks(list, "d.example"); !errors.Is(err, lookup.ErrWindow) {
			t.Errorf("after its time: %v", err)
		}
	})
}

// The next list ends the last: its key is gone, and a question that was under way is refused.
func TestTheNextList(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		first := xs.publishes(10, 10, "evil.example")
		pass(time.Minute)
		w.Sever(true)
		must(t, xn.asks(first, "evil.example"))
		second := xs.publishes(10, 10, "other.example")
		ring, err := party.OpenLookupKeys(filepath.Join(xs.Dir, "keys", "lookup.age"), party.Lock{Passphrase: "correct horse"})
		must(t, err)
		if len(ring.Keys) != 1 {
			t.Errorf("%d keys are kept", len(ring.Keys))
		}
		w.Sever(false)
		pass(15 * time.Minute)
		same(t, xn.heard(), lookup.Refused, "ended")
		must(t, xn.asks(second, "evil.example"))
		pass(time.Minute)
		same(t, xn.heard(), lookup.Answered)
		if err := xn.asks(first, "evil.example"); !errors.Is(err, lookup.ErrNoList) {
			t.Errorf("the first list: %v", err)
		}
		states, err := xn.Lists(t.Context())
		must(t, err)
		if len(states) != 1 || states[0].ID != second || states[0].Epoch != 2 {
			t.Errorf("lists %+v", states)
		}
	})
}

// To answer is to tell: nobody is answered with whom it was not agreed. The list still counts the question, alike on both sides.
func TestWithoutAgreement(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		xs.Stop()
		xs.answers = nil
		xs.Start()
		list := xs.publishes(10, 10, "evil.example")
		pass(time.Minute)
		must(t, xn.asks(list, "evil.example"))
		pass(time.Minute)
		same(t, xn.heard(), lookup.Refused, "not-agreed")
		states, err := xn.Lists(t.Context())
		must(t, err)
		if len(states[0].Wanted) != 1 {
			t.Errorf("nobody sees that what the list allows was refused: %+v", states[0])
		}
	})
}

// South answers with another key than its list's. North sees it, and South's own signed statements prove it.
func TestAnAnswerUnderAnotherKey(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		list := xs.publishes(10, 10, "evil.example")
		pass(time.Minute)
		xs.Stop()
		must(t, os.Remove(filepath.Join(xs.Dir, "keys", "lookup.age")))
		xs.Start()
		blinded, err := asking.Ask(xn.guess([]string{"evil.example"}))
		must(t, err)
		sent, err := xn.Ask(t.Context(), lookup.Question{List: list, Values: blinded.Values(), Post: "nrrc", Officer: "ivanova", Drafter: "duty-officer"})
		must(t, err)
		pass(time.Minute)
		same(t, xn.heard(), lookup.Waiting) // the key is lost: nothing can be said
		other, err := asking.NewKey()
		must(t, err)
		evaluated, proof, err := other.Answer(blinded.Elements)
		must(t, err)
		_, err = xs.Node.Reply(t.Context(), node.Reply{
			To: sent.ID, Post: "nrrc", Form: asking.FormAnswer, Language: "en", Drafter: "duty-officer",
			Values: form.Values{"outcome": "evaluated", "elements": evaluated, "proof": proof},
		})
		must(t, err)
		pass(time.Minute)
		same(t, xn.heard(), lookup.Wrong)
	})
}
