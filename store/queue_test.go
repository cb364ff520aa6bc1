package store

import (
	"testing"
	"testing/synctest"
	"time"
)

// A batch under a flood of urgent requests: it is committed soon, and one calm request gets in all the same.
func TestBatchUnderFlood(t *testing.T) {
	const eachTakes = 30 * time.Microsecond
	for name, c := range map[string]struct {
		urgent, calm         int
		wantUrgent, wantCalm int
	}{
		"calm alone":   {0, 1000, 0, int(calmWork / eachTakes)},
		"flood":        {1000, 1000, int(urgentWork / eachTakes), 1},
		"urgent alone": {1000, 0, int(urgentWork / eachTakes), 0},
		"one urgent":   {1, 1000, 1, int(urgentWork / eachTakes)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var q queue
				q.init()
				urgent := map[*request]bool{}
				for range c.urgent {
					r := &request{}
					urgent[r] = true
					q.add(r, Urgent)
				}
				for range c.calm {
					q.add(&request{}, Calm)
				}
				gotUrgent, gotCalm := 0, 0
				b := q.newBatch()
				for r := b.next(); r != nil; r = b.next() {
					if urgent[r] {
						gotUrgent++
					} else {
						gotCalm++
					}
					time.Sleep(eachTakes)
				}
				near := func(got, want int) bool { return got == want || want > 1 && got == want+1 }
				if !near(gotUrgent, c.wantUrgent) || !near(gotCalm, c.wantCalm) {
					t.Errorf("took %d urgent and %d calm, want %d and %d", gotUrgent, gotCalm, c.wantUrgent, c.wantCalm)
				}
			})
		})
	}
}
