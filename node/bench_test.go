package node_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"detente/form"
	"detente/node"
	"detente/party"
	"detente/traffic"
)

func talking(b testing.TB) (a, c *node.Node, channel [32]byte) {
	w := &wires{make(map[traffic.Party]*node.Node)}
	a, c = open(b, w, "xn"), open(b, w, "xs")
	pair(b, a, c)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, n := range []*node.Node{a, c} {
		wg.Go(func() { n.Run(ctx) })
	}
	b.Cleanup(func() { cancel(); wg.Wait(); a.Close(); c.Close() })
	made, err := a.Propose(ctx, party.Channel{Name: "nrrc", Regime: party.RegimeRef{ID: "communications", Version: 1}}, []traffic.Party{"xs"}, "council", "head")
	if err != nil {
		b.Fatal(err)
	}
	for {
		changed := c.Changed()
		if err := c.Accept(ctx, made.ID(), "council", "head"); err == nil {
			break
		}
		<-changed
	}
	if err := a.WaitChannel(ctx, made.ID(), 10*time.Second); err != nil {
		b.Fatal(err)
	}
	return a, c, made.ID()
}

func draft(channel [32]byte, p traffic.Precedence) node.Draft {
	return node.Draft{
		Channel: channel, Plane: traffic.Real, Precedence: p, Post: "nrrc", Audience: "xs/nrrc", Form: "check",
		Values: form.Values{"level": int64(2), "question": "What is the weather, and who is on duty at this hour of the night?"}, Language: "en", Drafter: "duty-officer",
	}
}

func BenchmarkSingle(b *testing.B) {
	a, _, ch := talking(b)
	for b.Loop() {
		s, err := a.Send(b.Context(), draft(ch, traffic.Flash))
		if err != nil {
			b.Fatal(err)
		}
		if err := a.WaitReceipt(b.Context(), s, "xs"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkThroughput(b *testing.B) {
	a, _, ch := talking(b)
	var wg sync.WaitGroup
	var last node.Sent
	var mu sync.Mutex
	work := make(chan struct{}, 1024)
	b.ResetTimer()
	for range 512 {
		wg.Go(func() {
			for range work {
				s, err := a.Send(context.Background(), draft(ch, traffic.Routine))
				if err != nil {
					b.Error(err)
				}
				mu.Lock()
				if s.Index >= last.Index {
					last = s
				}
				mu.Unlock()
			}
		})
	}
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sent/s")
	if err := a.WaitReceipt(context.Background(), last, "xs"); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "receipted/s")
}

func BenchmarkAudit(b *testing.B) {
	a, _, ch := talking(b)
	var wg sync.WaitGroup
	work := make(chan struct{}, 512)
	for range 256 {
		wg.Go(func() {
			for range work {
				if _, err := a.Send(context.Background(), draft(ch, traffic.Routine)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for range 40000 {
		work <- struct{}{}
	}
	close(work)
	wg.Wait()
	for b.Loop() {
		r, err := a.Audit(b.Context(), nil)
		if err != nil || len(r.Faults) > 0 {
			b.Fatal(err, r.Faults)
		}
		b.ReportMetric(float64(r.Entries*int64(b.N))/b.Elapsed().Seconds(), "entries/s")
	}
}
