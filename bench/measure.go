package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"detente/dossier"
	"detente/node"
	"detente/traffic"
)

func (p *pair) single(ctx context.Context, c Config, m machine) (Figure, error) {
	d := make([]time.Duration, 0, c.Singles)
	for range c.Singles {
		t, err := p.receipted(ctx, traffic.Priority)
		if err != nil {
			return Figure{}, err
		}
		d = append(d, t)
	}
	f := Figure{
		Value: quantile(d, 0.5), Floor: 2*m.commit + m.sign + 2*m.verify + m.trip, Unit: "µs p50, submit to verified receipt",
		Goal: "ratio ≤ 3", Parts: map[string]float64{"p99_us": quantile(d, 0.99)},
	}
	f.Ratio = f.Value / f.Floor
	return f, nil
}

// flashes sends FLASH statements one after the other, and between them waits for pause, if there is one.
func (p *pair) flashes(ctx context.Context, n int, done <-chan struct{}) ([]time.Duration, error) {
	var d []time.Duration
	for range n {
		t, err := p.receipted(ctx, traffic.Flash)
		if err != nil {
			return d, err
		}
		d = append(d, t)
		select {
		case <-done:
			return d, nil
		case <-time.After(20 * time.Millisecond):
		}
	}
	return d, nil
}

// pour sends n ROUTINE statements from many callers and returns when the last one is receipted.
func (p *pair) pour(ctx context.Context, n int) (sent time.Duration, err error) {
	const callers = 512
	start := time.Now()
	work := make(chan struct{}, callers)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var last node.Sent
	var failed error
	for range callers {
		wg.Go(func() {
			for range work {
				s, err := p.a.Send(ctx, p.draft(traffic.Routine))
				mu.Lock()
				if err != nil && failed == nil {
					failed = err
				}
				if s.Index >= last.Index && err == nil {
					last = s
				}
				mu.Unlock()
			}
		})
	}
	for range n {
		work <- struct{}{}
	}
	close(work)
	wg.Wait()
	sent = time.Since(start)
	if failed != nil {
		return sent, failed
	}
	return sent, p.a.WaitReceipt(ctx, last, p.b.Self())
}

func (p *pair) flood(ctx context.Context, c Config, m machine, r *Report) error {
	size, err := p.size(ctx)
	if err != nil {
		return err
	}
	wire, disk := p.wire.Load(), p.disk()
	start := time.Now()
	sent, err := p.pour(ctx, c.Flood)
	if err != nil {
		return err
	}
	took := time.Since(start)
	n := float64(c.Flood)
	r.Throughput = Figure{
		Value: n / took.Seconds(), Floor: m.signVerify, Unit: "statements/s durable on both sides and receipted", Goal: "ratio ≥ 0.5",
		Parts: map[string]float64{"statements": n, "seconds": took.Seconds(), "durable_at_author_per_s": n / sent.Seconds()},
	}
	r.Throughput.Ratio = r.Throughput.Value / r.Throughput.Floor
	r.Bytes = Figure{
		Value: float64(p.wire.Load()-wire) / n, Floor: float64(size), Unit: "bytes on the wire per statement in a batch, receipts included",
		Goal:  "≤ 1000 for a statement of 500",
		Parts: map[string]float64{"statement_bytes": float64(size), "disk_bytes_per_statement_and_node": float64(p.disk()-disk) / n / 2},
	}
	r.Bytes.Ratio = r.Bytes.Value / r.Bytes.Floor
	return nil
}

// disk is the size of both databases, their logs included.
func (p *pair) disk() int64 {
	var total int64
	for _, e := range []*end{p.a, p.b} {
		names, _ := filepath.Glob(filepath.Join(e.dir, "detente.db*"))
		for _, name := range names {
			if s, err := os.Stat(name); err == nil {
				total += s.Size()
			}
		}
	}
	return total
}

func (p *pair) flashUnderLoad(ctx context.Context, c Config, quiet []time.Duration) (Figure, error) {
	done := make(chan struct{})
	var poured error
	go func() {
		defer close(done)
		_, poured = p.pour(ctx, c.Flood)
	}()
	busy, err := p.flashes(ctx, c.Flashes, done)
	<-done
	if err != nil || poured != nil {
		return Figure{}, fmt.Errorf("bench: flash under load: %w", firstOf(err, poured))
	}
	f := Figure{
		Value: quantile(busy, 0.99), Floor: quantile(quiet, 0.99), Unit: "µs p99 of FLASH, submit to verified receipt; floor: on an idle link",
		Goal: "ratio ≤ 3",
		Parts: map[string]float64{
			"p50_us": quantile(busy, 0.5), "idle_p50_us": quantile(quiet, 0.5), "flashes": float64(len(busy)), "routine_under_way": float64(c.Flood),
		},
	}
	f.Ratio = f.Value / f.Floor
	return f, nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *pair) audit(ctx context.Context, m machine) (Figure, error) {
	// Once before it counts, and nothing left to index: nodes that have just been flooded do that for a while, both on the same cores.
	for _, e := range []*end{p.a, p.b} {
		if err := dossier.Settle(ctx, e.DB, e.RegimeOf); err != nil {
			return Figure{}, err
		}
		if _, err := e.Audit(ctx, nil); err != nil {
			return Figure{}, err
		}
	}
	start := time.Now()
	a, err := p.b.Audit(ctx, nil)
	if err != nil {
		return Figure{}, err
	}
	if len(a.Faults) > 0 {
		return Figure{}, fmt.Errorf("bench: the audit found %d faults, the first: %s", len(a.Faults), a.Faults[0])
	}
	took := time.Since(start)
	// Every signature that was verified counts, since the floor is a verification: those of statements, checkpoints and receipts. The ML-DSA-44 beside
	// a checkpoint's Ed25519 is not counted, though it costs more.
	f := Figure{
		Value: float64(a.Signatures+a.Checkpoints+a.Cosignatures) / took.Seconds(), Floor: m.verifyAll, Unit: "signatures/s audited", Goal: "ratio ≥ 0.8",
		Parts: map[string]float64{"entries": float64(a.Entries), "checkpoints": float64(a.Checkpoints), "cosignatures": float64(a.Cosignatures)},
	}
	f.Ratio = f.Value / f.Floor
	return f, nil
}
