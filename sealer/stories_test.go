package sealer_test

import (
	"testing"
	"time"

	"detente/key"
	"detente/sealing"
)

// Both parties deposit in time: all four say so, the first party states the certificate, and anybody can verify it from a file.
func TestBothConsentAndAllAreBound(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		name := w.declare(w.manifest(1))
		xn, xs, xa := w.capitals["xn"], w.capitals["xs"], w.capitals["xa"]
		xn.deposit(name)
		pass(20 * time.Hour)
		xs.deposit(name)
		xs.deposit(name) // nothing is sent twice
		pass(3*time.Hour + 2*delta)
		if got := xs.finals(name); got != "0 in force, 0 lapsed" {
			t.Errorf("before the end: %s", got)
		}
		pass(2 * time.Hour)
		for _, c := range w.capitals {
			if s := c.state(name); s.Outcome.State != sealing.StateInForce || s.Certified != sealing.StateInForce {
				t.Errorf("%s: %s, certified %q: %s", c.id, s.Outcome.State, s.Certified, c.finals(name))
			}
		}
		b, err := xa.File(t.Context(), name)
		must(t, err)
		manifest, evidence, err := sealing.DecodeFile(b)
		must(t, err)
		if o, err := sealing.Verdict(manifest, key.Standard(), evidence); err != nil || o.State != sealing.StateInForce {
			t.Error(o, err)
		}
	})
}
