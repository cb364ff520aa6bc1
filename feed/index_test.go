package feed_test

import (
	"fmt"
	"testing"

	"detente/feed"
	"detente/statement"
	"detente/store"
	"detente/store/storetest"
	"detente/traffic"
)

// A statement is found by its id before the index has reached it, while it does, and after; and the index does reach everything.
func TestStatementsAreFoundHoweverFarTheIndexIs(t *testing.T) {
	db := storetest.Open(t, feed.Schema())
	const count = 600
	var entries []feed.Entry
	for i := range count {
		b := fmt.Appendf(nil, "entry %d", i)
		entries = append(entries, feed.Entry{ID: statement.Hash(b), Bytes: b})
	}
	update := func(fn func(tx *store.Tx) error) {
		t.Helper()
		if err := db.Update(t.Context(), store.Calm, fn); err != nil {
			t.Fatal(err)
		}
	}
	update(func(tx *store.Tx) error {
		h, err := feed.Open(t.Context(), tx, traffic.Feed{Party: "xn", Plane: traffic.Real, Precedence: traffic.Routine})
		if err != nil {
			return err
		}
		return h.Extend(t.Context(), tx, entries)
	})
	for calls, more := 0, true; more; calls++ {
		for _, i := range []int{0, 99, 100, 101, 250, count - 1} {
			var found []feed.Placed
			err := db.View(t.Context(), func(tx *store.Tx) (err error) {
				found, err = feed.ByID(t.Context(), tx, entries[i].ID)
				return err
			})
			if err != nil || len(found) != 1 || found[0].Index != int64(i) {
				t.Fatalf("after %d calls of Index: entry %d: %v %v", calls, i, found, err)
			}
		}
		if calls > count/100 {
			t.Fatalf("after %d calls of 100 there is still more", calls)
		}
		update(func(tx *store.Tx) (err error) {
			more, err = feed.Index(t.Context(), tx, 100)
			return err
		})
		if calls < count/100-1 && !more {
			t.Fatalf("Index stops after %d of %d entries", (calls+1)*100, count)
		}
	}
}
