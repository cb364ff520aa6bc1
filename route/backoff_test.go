package route_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"detente/route"
)

func TestBackoff(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2)).Int64N
	for _, c := range []struct {
		attempt int
		urgent  bool
		most    time.Duration
	}{
		{0, false, time.Second}, {1, false, time.Second}, {2, false, 2 * time.Second}, {6, false, 32 * time.Second},
		{10, false, 5 * time.Minute}, {1 << 40, false, 5 * time.Minute},
		{1, true, time.Second}, {5, true, 15 * time.Second}, {1 << 40, true, 15 * time.Second},
	} {
		var longest time.Duration
		for range 1000 {
			got := route.Backoff(c.attempt, c.urgent, rnd)
			if got <= 0 || got > c.most {
				t.Fatalf("attempt %d, urgent %v: %v, want at most %v", c.attempt, c.urgent, got, c.most)
			}
			longest = max(longest, got)
		}
		if longest < c.most*9/10 {
			t.Errorf("attempt %d, urgent %v: never over %v, want up to %v", c.attempt, c.urgent, longest, c.most)
		}
	}
}
