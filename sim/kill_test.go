//go:build !race

package sim_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"detente/statement"
	"detente/traffic"
)

// Two nodes in processes of their own, over the real https route, on real databases and under load, are killed at random moments. Nothing
// receipted is lost, nothing appears twice, both audits pass. What the race detector could see of it, it sees in the other tests: here it would
// only make the processes slower.
func TestKill(t *testing.T) {
	rounds := 20
	if long() {
		rounds = 200
	}
	homes := map[traffic.Party]string{"xn": found(t, "xn", "", address(t)), "xs": found(t, "xs", "", address(t))}
	introduce(t, homes["xn"], homes["xs"])
	l := newLedger()
	var nodes []*process
	for _, p := range []traffic.Party{"xn", "xs"} {
		node := &process{t: t, party: p, home: homes[p], ledger: l}
		node.start()
		defer node.kill()
		nodes = append(nodes, node)
	}
	for round := range rounds {
		victim := nodes[rand.IntN(2)]
		victim.hear(1 + rand.Int64N(100))
		<-time.After(time.Duration(rand.Int64N(int64(20 * time.Millisecond)))) // in the midst of what it does then
		victim.kill()
		victim.start()
		if long() && round%10 == 9 {
			t.Logf("%d kills", round+1)
		}
	}
	settle(nodes...)
	l.verify(t, homes, map[traffic.Party]string{"xn": database(homes["xn"]), "xs": database(homes["xs"])})
}

func newLedger() *ledger {
	return &ledger{said: make(map[statement.ID]traffic.Party), held: make(map[statement.ID]traffic.Party)}
}

// settle lets all that was said be receipted, and ends the processes.
func settle(nodes ...*process) {
	for _, n := range nodes {
		n.quiet()
	}
	for _, n := range nodes {
		n.await(n.settled, "settle")
	}
	for _, n := range nodes {
		n.end()
	}
}
