package gateway_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"detente/floor"
	"detente/gateway"
	"detente/watch"

	"github.com/google/go-cmp/cmp"
)

// watched begins a life of the gateway beside a watch floor, which stands until the story ends.
func (m *team) watched(t *testing.T) {
	f, err := floor.New(m.Party.Node, floor.Config{})
	must(t, err)
	m.cfg.Floor = f
	m.reopen()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { f.Run(ctx) })
	stop := m.rest
	m.rest = func() {
		cancel()
		wg.Wait()
		stop()
	}
	pass(time.Second)
}

// board is what of the gateway stands on the watch board.
func (m *team) board(t *testing.T) []string {
	t.Helper()
	out := []string{}
	m.cfg.Floor.Stand(time.Now(), func(it *watch.Item) {
		if it.Kind == watch.Review {
			out = append(out, fmt.Sprintf("%s %v in %s", it.Say, it.Args, it.Plane))
		}
	})
	return out
}

// waiting lists the keys of what waits.
func (m *team) waiting(t *testing.T) (keys []string) {
	t.Helper()
	list, err := m.Pending(t.Context(), 1000)
	must(t, err)
	for _, r := range list {
		keys = append(keys, r.Key)
	}
	return keys
}

// Whatever a tool adds, one item says that something waits; it is gone when nothing does, and the next is another.
func TestWhatWaitsForReviewStandsOnTheWatchBoard(t *testing.T) {
	two(t, func(t *testing.T, xn, xs *team) {
		xn.watched(t)
		xn.posts("cert to members", indicator(1, 1, amber, ""), indicator(2, 1, amber, ""), indicator(3, 1, green, ""))
		xn.posts("cert to members EXERCISE", indicator(4, 1, amber, ""))
		pass(time.Minute)
		all := []string{"review [2 cert to members] in real", "review [1 cert to members EXERCISE] in exercise"}
		if diff := cmp.Diff(all, xn.board(t)); diff != "" {
			t.Fatal(diff)
		}
		var first string
		xn.cfg.Floor.Stand(time.Now(), func(it *watch.Item) {
			if it.Kind == watch.Review && first == "" {
				first = it.Key
			}
		})
		keys := xn.waiting(t)
		must(t, xn.Approve(t.Context(), keys[:1], "duty-officer"))
		pass(time.Second)
		same := false
		xn.cfg.Floor.Stand(time.Now(), func(it *watch.Item) { same = same || it.Key == first })
		if !same {
			t.Error("what is left of it is another item")
		}
		must(t, xn.Refuse(t.Context(), keys[1:2], "duty-officer", "names a victim"))
		pass(time.Second)
		if diff := cmp.Diff(all[1:], xn.board(t)); diff != "" {
			t.Error(diff)
		}
		xn.posts("cert to members", indicator(5, 1, amber, ""))
		pass(time.Minute)
		again := false
		xn.cfg.Floor.Stand(time.Now(), func(it *watch.Item) { again = again || it.Key == first })
		if again || len(xn.board(t)) != 2 {
			t.Errorf("the next is no item of its own: %v", xn.board(t))
		}
	})
}

// A batch that the node refuses is tried for an hour or so, and then a person is asked, once; what goes another way goes meanwhile. Once the cause is
// mended, whoever approves the objects again sends them.
func TestABatchThatTheNodeRefusesGoesBackToAPerson(t *testing.T) {
	two(t, func(t *testing.T, xn, xs *team) {
		xn.cfg.Post = "nobody"
		xn.watched(t)
		xn.posts("cert to members", indicator(1, 1, green, ""), indicator(2, 1, green, ""))
		pass(30 * time.Minute)
		if got := xn.board(t); len(got) != 0 {
			t.Errorf("given up at once: %v", got)
		}
		pass(50 * time.Minute)
		if diff := cmp.Diff([]string{"review.refused [2 cert to members] in real"}, xn.board(t)); diff != "" {
			t.Fatal(diff)
		}
		counts, err := xn.Counts(t.Context())
		if err != nil || len(counts) != 1 || counts[0].State != gateway.Failed || counts[0].Count != 2 {
			t.Errorf("%+v, %v", counts, err)
		}
		list, err := xn.Pending(t.Context(), 10)
		if err != nil || len(list) != 2 || !strings.Contains(list[0].Failure, "nobody") {
			t.Fatalf("%+v, %v", list, err)
		}
		xn.rest()
		xn.cfg.Post, xn.cfg.Floor = "", nil
		xn.open()
		must(t, xn.Approve(t.Context(), xn.waiting(t), "duty-officer"))
		pass(time.Minute)
		if got := xs.reads("cert from xn"); len(got) != 2 {
			t.Errorf("%d came", len(got))
		}
		if got := xn.waiting(t); len(got) != 0 {
			t.Errorf("it waits still: %v", got)
		}
	})
}
