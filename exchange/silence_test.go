package exchange

import (
	"slices"
	"testing"
)

func TestSilenceIsNeverOneThing(t *testing.T) {
	for _, x := range []struct {
		name string
		s    Signs
		want Silence
	}{
		{"nothing is known", Signs{}, LinkDown},
		{"the peer is heard", Signs{Up: true}, UnderWay},
		{"it said that nobody is there, and the statement is not there either", Signs{Unmanned: true}, LinkDown},
		{"held", Signs{Up: true, Held: true}, DeliveredUnread},
		{"held, then the link broke", Signs{Held: true, Overdue: true}, DeliveredUnread},
		{"held, and not taken in time", Signs{Up: true, Held: true, Overdue: true}, PostUnmanned},
		{"held, and nobody is there by its own word", Signs{Held: true, Unmanned: true}, PostUnmanned},
		{"suspended", Signs{Up: true, Held: true, Overdue: true, Suspended: true, Unmanned: true}, Suspended},
		{"suspended, and the link is down", Signs{Suspended: true}, Suspended},
		{"taken, whatever was suspended", Signs{Up: true, Held: true, Acknowledged: true, Suspended: true}, BeingChecked},
		{"answered", Signs{Held: true, Acknowledged: true, Answered: true, Overdue: true}, SilenceNone},
		{"refused", Signs{Held: true, Answered: true, Declined: true}, Declined},
	} {
		if got := Silent(x.s); got != x.want {
			t.Errorf("%s: %s, want %s", x.name, got, x.want)
		}
	}
}

// Whatever is known, there is one answer, and every answer can be had.
func TestSilenceIsTotal(t *testing.T) {
	seen := make(map[Silence]bool)
	for n := range 1 << 8 {
		bit := func(i int) bool { return n>>i&1 == 1 }
		s := Silent(Signs{bit(0), bit(1), bit(2), bit(3), bit(4), bit(5), bit(6), bit(7)})
		if !slices.Contains(Silences(), s) {
			t.Fatalf("%q", s)
		}
		seen[s] = true
	}
	if len(seen) != len(Silences()) {
		t.Errorf("%d of %d kinds are ever given", len(seen), len(Silences()))
	}
}
