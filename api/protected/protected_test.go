package protected

import (
	"testing"
	"time"
)

// Each list holds from its day until that of the next; one that a later list overtakes never does.
func TestOneListIsInForceAtATime(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2027, 1, n, 0, 0, 0, 0, time.UTC) }
	var all []Head
	for i, n := range []int{1, 20, 10, 25} {
		h := Head{Effective: day(n), Issued: day(1).AddDate(-1, 0, 0), First: day(n - 8)}
		h.Version = uint64(i + 1)
		all = append(all, h)
	}
	for n, want := range map[int]uint64{1: 1, 9: 1, 10: 3, 20: 3, 24: 3, 25: 4} {
		if h, ok := InForce(all, day(n)); !ok || h.Version != want {
			t.Errorf("day %d: list %d, want %d", n, h.Version, want)
		}
	}
	if _, ok := InForce(all, day(1).Add(-time.Second)); ok {
		t.Error("a list holds before its day")
	}
	for i, want := range []time.Time{day(10), day(10), day(25), {}} {
		if got := Until(all, i); !got.Equal(want) {
			t.Errorf("list %d until %v, want %v", i+1, got, want)
		}
	}
	h := all[0]
	if h.Short() {
		t.Error("eight days are short")
	}
	if h.First = day(0); !h.Short() { // whatever its author dates it
		t.Error("a day is not short")
	}
	if h.First = (time.Time{}); h.Short() {
		t.Error("its author's clock counts where there is no other")
	}
}
