package standing_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"detente/check"
)

// A peer that sends many checks in a minute has some answered by the terminal; of the rest one item tells, also after a restart.
func TestTheTerminalAnswersSoManyChecksAndNoMore(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		for range 25 {
			_, err := xn.checks(check.Terminal, "")
			must(t, err)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		look := func() {
			t.Helper()
			answered := 0
			for _, line := range xs.history() {
				if strings.Contains(line, " by terminal") {
					answered++
				}
			}
			if answered != 20 {
				t.Errorf("%d of 25 were answered, want 20", answered)
			}
			floods := 0
			for _, it := range xs.board() {
				if strings.HasPrefix(it, "check ") || it == "check" {
					floods++
				}
			}
			if floods != 1 || slices.ContainsFunc(xs.board(), func(it string) bool { return strings.HasPrefix(it, "answer") }) {
				t.Errorf("on the board: %v", xs.board())
			}
		}
		look()
		xs.Stop()
		xs.Start()
		time.Sleep(10 * time.Minute)
		look()
	})
}
