package floor_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"detente/floor"
	"detente/form"
	"detente/node"
	"detente/traffic"
	"detente/watch"
)

// An inquiry that says by when its author needs the answer is due then, at both ends; an interim reply moves it for both, and no further than as much
// again as the regime gives.
func TestBothEndsAgreeWhenAnAnswerIsDue(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		xs.roster(fourOfThem)
		xn.roster(fourOfThem)
		begun := time.Now().Truncate(time.Second)
		inquiry := xn.send(traffic.Priority, "inquiry", form.Values{
			"observed": []any{begun.Add(-time.Hour), begun}, "observation": "Traffic that we cannot explain.", "asked": []any{"explain"}, "reply_by": begun.Add(4 * time.Hour),
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		_, err := xs.node.Reply(t.Context(), node.Reply{
			To: inquiry.ID, Form: "acknowledgement", Values: form.Values{"received": time.Now(), "understood": true}, Language: "en", Drafter: "duty-officer",
		})
		must(t, err)
		time.Sleep(time.Minute)
		due := func(want time.Duration) {
			t.Helper()
			v := xs.watch()
			i := slices.IndexFunc(v.Taken, func(it floor.Shown) bool { return it.Kind == watch.Answer })
			if i < 0 || !v.Taken[i].Due.Equal(begun.Add(want)) {
				t.Fatalf("due there %v after it was said: %v", want, v.Taken)
			}
			time.Sleep(time.Until(begun.Add(want)) - time.Second)
			if v := xn.watch(); len(v.Items) != 0 {
				t.Errorf("missed here before it is due: %v", xn.names(v.Items))
			}
		}
		due(4 * time.Hour)
		// Just in time comes word that it takes longer: ten days, of which the regime's time once more counts.
		_, err = xs.node.Reply(t.Context(), node.Reply{
			To: inquiry.ID, Form: "interim", Values: form.Values{"status": "extension", "expected": begun.Add(240 * time.Hour)}, Language: "en", Drafter: "duty-officer",
		})
		must(t, err)
		time.Sleep(time.Minute)
		v := xs.watch()
		at := v.Taken[0].Due
		if most := begun.Add(48 * time.Hour); at.Before(most) || at.After(most.Add(time.Second)) {
			t.Errorf("due there at %v, want some 48 hours after %v", at, begun)
		}
		time.Sleep(time.Until(at) + time.Minute)
		if v := xn.watch(); len(v.Items) != 1 || v.Items[0].Say != "missed.answer" || !v.Items[0].Since.Equal(at) {
			t.Errorf("missed here: %v", xn.names(v.Items))
		}
	})
}
