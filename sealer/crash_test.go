package sealer_test

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/archive"
	"detente/sealer"
	"detente/sealing"
	"detente/traffic"
)

var errCrash = errors.New("the disk has failed")

// Each durable step of the depositary's machine in the course of a round, made to fail before it happens, or after it was kept; then the process is started anew.
// Every round ends all the same, with one final statement.
func TestEveryDurableStepMayFail(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		xn, xs := w.capitals["xn"], w.capitals["xs"]
		// play plays a round in which the step of that number fails, from 1, and returns the steps there were.
		play := func(failing int) (steps []string) {
			m := w.manifest(0)
			m.Deadline = time.Now().Add(4 * time.Minute).UTC().Truncate(time.Second)
			m.Delta = time.Minute
			name := w.declare(m)
			failed, ours := false, false
			xn.setFault(func(step string) error {
				switch {
				case step == "begin":
					return nil
				case step == "write": // nothing is kept before the commit, so this is no other case
					ours = ours || bySealer()
					return nil
				case (step == "commit" || step == "committed") && !ours:
					return nil
				}
				ours = ours && step != "committed"
				steps = append(steps, step)
				failed = failed || len(steps) == failing
				if failed { // and from then on, until it is started anew: what is broken does not mend itself
					return errCrash
				}
				return nil
			})
			restart := func() {
				xn.levers.Lock()
				died := failed
				if failed = false; died {
					failing = 0
				}
				xn.levers.Unlock()
				if died {
					xn.stop()
					xn.start()
				}
			}
			xs.deposit(name)
			for pass(0); ; pass(0) {
				_, err := xn.Desk.Deposit(t.Context(), sealer.Deposit{Round: name, Drafter: "head"})
				if err == nil {
					break
				}
				restart()
			}
			pass(30 * time.Second)
			restart()
			pass(time.Until(m.Final()) + 10*time.Second)
			restart()
			pass(20 * time.Minute)
			restart()
			xn.setFault(nil)
			for _, c := range []*capital{xn, xs} {
				if s := c.state(name); s.Outcome.State != sealing.StateInForce || s.Certified != sealing.StateInForce || len(s.Outcome.Double) != 0 {
					t.Errorf("step %d of %v failed; at %s: %s, certified %q", failing, steps, c.id, s.Outcome.State, s.Certified)
				}
			}
			finals, err := xs.node.List(t.Context(), 100, func(h archive.Held) bool {
				return h.Statement != nil && h.Statement.Form == sealer.FormFinal && h.Statement.Issuer == traffic.Address{Party: "xn", Post: "cert"} && !h.Statement.IssuedAt.Before(m.Final())
			})
			if err != nil || len(finals) != 1 {
				t.Errorf("step %d: %d finals, %v", failing, len(finals), err)
			}
			return steps
		}
		whole := play(0)
		for _, step := range []string{"commit", "committed", "mark", "marked"} {
			if !slices.Contains(whole, step) {
				t.Fatalf("no step %s among %v", step, whole)
			}
		}
		for i := 0; i < len(whole); i += every {
			play(i + 1)
		}
		t.Log(len(whole), "steps")
	})
}

// Four sealers of which two run on one node: what each of them says the other takes in from the own feed.
func TestTwoSealersOfOneParty(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		name := w.declare(w.manifest(1))
		w.capitals["xn"].deposit(name)
		w.capitals["xs"].deposit(name)
		pass(done)
		for _, c := range w.capitals {
			if s := c.state(name); s.Outcome.State != sealing.StateInForce || s.Certified != sealing.StateInForce || c.finals(name) != "4 in force, 0 lapsed" {
				t.Errorf("%s: %+v", c.id, s.Outcome)
			}
		}
	})
}

// bySealer tells whether package sealer has called for what happens now: whatever else a node writes is tested where it is written.
func bySealer() bool {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if strings.HasPrefix(f.Function, "detente/sealer.") {
			return true
		}
		if !more {
			return false
		}
	}
}
