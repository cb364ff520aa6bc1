package store

import (
	"testing"
	"testing/synctest"
	"time"
)

// A batch with urgent requests: it is committed soon, and no calm request goes with it unless calm ones have waited for many such batches.
func TestBatchUnderFlood(t *testing.T) {
	const eachTakes = 30 * time.Microsecond
	for name, c := range map[string]struct {
		urgent, calm, passed int
		wantUrgent, wantCalm int
	}{
		"calm alone":          {0, 1000, 0, 0, int(calmWork / eachTakes)},
		"flood":               {1000, 1000, 0, int(urgentWork / eachTakes), 0},
		"flood, almost long":  {1000, 1000, maxPassed - 1, int(urgentWork / eachTakes), 0},
		"flood, for long":     {1000, 1000, maxPassed, int(urgentWork / eachTakes), 1},
		"urgent alone":        {1000, 0, maxPassed, int(urgentWork / eachTakes), 0},
		"one urgent":          {1, 1000, 0, 1, 0},
		"one urgent, at last": {1, 1000, maxPassed, 1, 1},
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
				q.passed = c.passed
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

// A flood of urgent requests slows calm ones and cannot stop them.
func TestCalmGetsInUnderFlood(t *testing.T) {
	var q queue
	q.init()
	calm := &request{}
	q.add(calm, Calm)
	for n := range 2 * maxPassed {
		q.add(&request{}, Urgent)
		b := q.newBatch()
		for r := b.next(); r != nil; r = b.next() {
			if r == calm {
				if n != maxPassed {
					t.Errorf("calm work went with urgent batch %d", n)
				}
				return
			}
		}
	}
	t.Error("calm work waits for ever")
}
