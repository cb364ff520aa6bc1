package sim_test

import (
	"testing"
	"testing/synctest"
	"time"

	"detente/sim"
)

// Whoever restored an old copy is told by each peer at once what that holds: it does not ask until their heartbeats come.
func TestARecoveryEndsBeforeTheNextHeartbeat(t *testing.T) {
	const heartbeat = time.Hour
	synctest.Test(t, func(t *testing.T) {
		s := &sim.Script{World: sim.New(t, heartbeat, 1)}
		plays := func(commands ...string) {
			t.Helper()
			if out, err := s.Play(commands); err != nil {
				t.Fatal(out, err)
			}
		}
		plays("parties xn xs:ru xl", "channel nrrc xn xs xl", `send xn xs routine goodwill "First."`, "wait 1m", "backup xn",
			`send xn xs routine goodwill "Second."`, `send xn xs flash check "Third."`, `send xs xn routine goodwill "Noted."`, "wait 1m", "crash xn", "wait 1m", "restore xn", "restart xn")
		begun := time.Now()
		r, err := s.World.Recover("xn", 2*heartbeat)
		if took := time.Since(begun); err != nil || len(r.Behind)+len(r.Unheard) > 0 || took > time.Minute {
			t.Errorf("it took %v: %+v, %v", took, r, err)
		}
		if err := s.World.Check(); err != nil {
			t.Error(err)
		}
	})
}
