//go:build !race

package sim_test

import "testing"

// A week of a line that is cut is thousands of attempts that do the same as the first, which the race detector need not see.
func TestScenariosOfAWeek(t *testing.T) { playAll(t, "testdata/week") }
