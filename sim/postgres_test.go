//go:build !race

package sim_test

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"detente/host"
	"detente/store/storetest"
	"detente/traffic"
)

// Two processes of one party work on one PostgreSQL database at the same time, each with a copy of the keys. Either may be killed at any
// moment: the other goes on, nothing is lost, nothing appears twice, and the party never signs two histories. The race detector is left out,
// as of all that kills processes.
func TestTwoProcessesOfOneParty(t *testing.T) {
	dsn := storetest.Postgres(t)
	rounds := 6
	if long() {
		rounds = 100
	}
	first, second := address(t), address(t)
	xn, xs := found(t, "xn", dsn, first, second), found(t, "xs", "", address(t))
	introduce(t, xn, xs)
	twin := t.TempDir()
	if err := os.CopyFS(twin, os.DirFS(xn)); err != nil {
		t.Fatal(err)
	}
	settings, err := host.ReadSettings(twin)
	if err != nil {
		t.Fatal(err)
	}
	settings.Listen = second
	rewrite(t, twin, settings)

	l := newLedger()
	nodes := []*process{
		{t: t, party: "xn", home: xn, ledger: l}, {t: t, party: "xn", home: twin, ledger: l}, {t: t, party: "xs", home: xs, ledger: l},
	}
	for _, n := range nodes {
		n.start()
		defer n.kill()
	}
	for range rounds {
		victim := rand.IntN(2)
		survivor := nodes[1-victim]
		nodes[victim].hear(1 + rand.Int64N(100))
		<-time.After(time.Duration(rand.Int64N(int64(20 * time.Millisecond))))
		nodes[victim].kill()
		survivor.hear(20)
		nodes[victim].start()
	}
	settle(nodes...)
	l.verify(t, map[traffic.Party]string{"xn": twin, "xs": xs}, map[traffic.Party]string{"xn": dsn, "xs": database(xs)})
}
