package casework_test

import (
	"maps"
	"slices"
	"sync"
	"testing"

	"detente/casework"
	"detente/floor"
)

// Many officers open cases at once, by two processes of one party on one database, and one of the processes is started anew: no number is given twice.
func TestNoNumberIsGivenTwice(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, _ *capital) {
		second, err := floor.New(xn.Node, floor.Config{Process: "second"})
		must(t, err)
		defer second.Close()
		var mu sync.Mutex
		given := map[string]int{}
		take := func(from *casework.Casework, n int) {
			for range n {
				number, err := from.Allot(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				given[number.String()]++
				mu.Unlock()
			}
		}
		other := casework.New(second, nil)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { take(xn.Casework, 5) })
			wg.Go(func() { take(other, 5) })
		}
		wg.Wait()
		xn.Stop()
		xn.Start()
		take(xn.Casework, 3)
		if len(given) != 43 {
			t.Errorf("43 times a number was asked for, and %d were given: %v", len(given), slices.Sorted(maps.Keys(given)))
		}
	})
}
