package route_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"detente/route"
)

func TestBackoff(t *testing.T) {
	longest := func(n int64) int64 { return n - 1 }
	shortest := func(int64) int64 { return 0 }
	for _, c := range []struct {
		attempt int
		urgent  bool
		most    time.Duration
	}{
		{0, false, time.Second}, {1, false, time.Second}, {2, false, 2 * time.Second}, {6, false, 32 * time.Second},
		{10, false, 5 * time.Minute}, {1 << 40, false, 5 * time.Minute},
		{1, true, time.Second}, {5, true, 15 * time.Second}, {1 << 40, true, 15 * time.Second},
	} {
		if got := route.Backoff(c.attempt, c.urgent, longest) + 1; got != c.most {
			t.Errorf("attempt %d, urgent %v: up to %v, want %v", c.attempt, c.urgent, got, c.most)
		}
		if got := route.Backoff(c.attempt, c.urgent, shortest); got <= 0 || got > time.Second {
			t.Errorf("attempt %d, urgent %v: at least %v", c.attempt, c.urgent, got)
		}
	}
	seen := map[time.Duration]bool{}
	for range 20 {
		seen[route.Backoff(5, false, rand.Int64N)] = true
	}
	if len(seen) < 2 {
		t.Error("two nodes would try in step")
	}
}
