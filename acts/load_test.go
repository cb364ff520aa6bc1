package acts

import (
	"fmt"
	"testing"
	"time"

	"detente/traffic"
)

// many is the acts of 200 participants over seventy years: most consent, reserve, object, declare, correct; some wait for one another, leave and come back.
func many(n int) []Act {
	list := make([]Act, 0, n)
	first := NewDay(1956, time.January, 1)
	for i := range n {
		p := traffic.Party(fmt.Sprintf("p%03d", i%200))
		a := Act{ID: fmt.Sprintf("%064x", i), Party: p, Date: first + Day(i), Kind: Declare, Texts: map[string]string{"en": "We declare."}}
		switch round := i / 200; {
		case round == 0:
			a.Kind = Sign
		case round == 1:
			a.Kind = Ratify
			if i%3 == 0 {
				a.With, a.AtLeast = []traffic.Party{traffic.Party(fmt.Sprintf("p%03d", (i+1)%200))}, 2+i%100
			}
		case round == 2:
			a.Kind = Reserve
		case round%9 == 3 || round%9 == 4:
			a.Kind, a.Regarding, a.Opposing = Object, fmt.Sprintf("%064x", 400+i*7%200), i%2 == 0
		case round%9 == 5:
			a.Kind, a.Regarding = Correct, fmt.Sprintf("%064x", i-200)
		case round%9 == 6 && i%5 == 0:
			a.Kind = Denounce
		case round%9 == 8 && i%5 == 0:
			a.Kind, a.With = Accede, []traffic.Party{traffic.Party(fmt.Sprintf("p%03d", (i+5)%200))}
		}
		list = append(list, a)
	}
	return list
}

func large() *Rules {
	return &Rules{
		Version: 1, Nature: Legal, Eligibility: Eligibility{Who: EligibleAll}, Entry: Entry{Threshold: 50, Delay: Delay{Days: 90}}, Notice: Delay{Months: 12},
		Reservations: Reservations{Regime: ReservePermitted, TacitMonths: 12, Late: LateTacit},
	}
}

// The time is not looked at, which would fail on a busy machine; what it was is logged. docs/performance.md has figures.
func TestTwentyThousandActs(t *testing.T) {
	list := many(20_000)
	began := time.Now()
	r := Fold(large(), list, time.Time{})
	folded := time.Now()
	s := r.Status(NewDay(2011, time.January, 1))
	told := time.Now()
	n := 0
	for _, x := range s.Rows {
		for _, y := range s.Rows {
			if r.Relation(x.Party, y.Party, s.On).Bond != Unbound {
				n++
			}
		}
	}
	t.Logf("folded in %v, status in %v, 40,000 relations in %v: %d bonds, %v", folded.Sub(began), told.Sub(folded), time.Since(told), n, s.Counts)
	if len(r.Acts) != len(list) || len(s.Rows) != 200 || n < 1000 {
		t.Errorf("%d acts, %d rows, %d bonds", len(r.Acts), len(s.Rows), n)
	}
}

func BenchmarkFold(b *testing.B) {
	list, rules := many(20_000), large()
	for b.Loop() {
		Fold(rules, list, time.Time{})
	}
}

func BenchmarkStatus(b *testing.B) {
	r := Fold(large(), many(20_000), time.Time{})
	for b.Loop() {
		r.Status(NewDay(2011, time.January, 1))
	}
}
