package asset

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// An owner who cheats builds whatever tree he likes: here each node may state other sums than its children have, with hashes to match. Whatever he does, what he
// can prove weighs no more, all together, than the head that he published.
func TestNothingBeyondTheTotalsCanBeProved(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 26))
	var list []Entry
	for i := range 200 {
		e, err := ParseEntry(fmt.Sprintf("10.0.%d.0/24", i))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	cheated, proved := 0, 0
	for range 200 {
		l, err := Make("xn", 1, list, Limits{Totals: Totals{Entries: 200, Addresses: 1 << 20}})
		if err != nil {
			t.Fatal(err)
		}
		lies := rng.IntN(4)
		for range lies {
			level := rng.IntN(len(l.levels))
			n := &l.levels[level][rng.IntN(len(l.levels[level]))]
			n.Sums.Addresses, n.Sums.Entries = n.Sums.Addresses/2, n.Sums.Entries/2
			// What lies above is computed anew from the lie, as an owner would who wants it to hold.
			for above := level + 1; above < len(l.levels); above++ {
				for i := range l.levels[above] {
					l.levels[above][i], _ = join(l.levels[above-1][2*i], l.levels[above-1][2*i+1])
				}
			}
		}
		var sum Totals
		for _, e := range list {
			p, err := l.Prove(e)
			if err != nil {
				t.Fatal(err)
			}
			if p.Verify(l.Head()) != nil {
				cheated++
				continue
			}
			proved++
			w, _ := e.Weight()
			sum, _ = sum.plus(w)
		}
		for i, n := range sum.each() {
			if n > l.Head().Totals.each()[i] {
				t.Fatalf("%d lies: %+v was proved under a head of %+v", lies, sum, l.Head().Totals)
			}
		}
	}
	if cheated == 0 || proved == 0 {
		t.Errorf("%d proofs failed, %d held: the test tries nothing", cheated, proved)
	}
}

// Sums that would wrap around are refused, where a wrap could hide what is below.
func TestSumsDoNotWrap(t *testing.T) {
	most := node{Sums: Totals{Addresses: maxTotal}}
	if _, ok := join(most, node{Sums: Totals{Addresses: 1}}); ok {
		t.Error("a sum beyond the most")
	}
	if _, ok := join(most, node{}); !ok {
		t.Error("the most itself")
	}
}
