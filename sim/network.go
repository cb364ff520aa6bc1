package sim

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"detente/route"
	"detente/traffic"
)

const (
	routeName = "https" // as charters name it
	lapse     = 30 * time.Second
)

// Fault is how the network treats what one party sends another.
type Fault struct {
	Cut       bool          // nothing arrives
	Delay     time.Duration // of everything
	Reorder   time.Duration // a random time up to this, for each bundle its own
	Duplicate float64       // how many of the bundles arrive a second time, up to an hour later
	LoseBack  float64       // how many of the answers do not arrive
	Corrupt   float64       // how many of the bundles arrive with a bit turned
}

type direction struct{ from, to traffic.Party }

// Network is the only way between the parties of a world, beside pouches.
type Network struct {
	world *World
	work  sync.WaitGroup // bundles that arrive once more

	mu      sync.Mutex // guards what follows
	rnd     *rand.Rand
	faults  map[direction]Fault
	watched [][]byte
	carried int64 // bundles
	leak    string
}

func newNetwork(w *World, rnd *rand.Rand) *Network {
	return &Network{world: w, rnd: rnd, faults: make(map[direction]Fault)}
}

// Set says how what from sends to is treated from now on.
func (n *Network) Set(from, to traffic.Party, f Fault) {
	n.mu.Lock()
	n.faults[direction{from, to}] = f
	n.mu.Unlock()
}

// Fault is how what from sends to is treated.
func (n *Network) Fault(from, to traffic.Party) Fault {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.faults[direction{from, to}]
}

// Cut ends all traffic between two parties; Mend of one party, or of both, lets it through again, without any fault.
func (n *Network) Cut(a, b traffic.Party) {
	n.Set(a, b, Fault{Cut: true})
	n.Set(b, a, Fault{Cut: true})
}

// Mend takes every fault away.
func (n *Network) Mend() {
	n.mu.Lock()
	clear(n.faults)
	n.mu.Unlock()
}

// Watch has the network look out for a text, which must never cross it readable.
func (n *Network) Watch(text string) {
	const telling = 8 // a shorter one occurs by chance
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, have := range n.watched {
		if bytes.Contains([]byte(text), have) {
			return // as good a sign
		}
	}
	if len(text) >= telling {
		n.watched = append(n.watched, []byte(text))
	}
}

// Leak is the first readable text that crossed the network, or was taken along in a pouch; empty when none did.
func (n *Network) Leak() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.leak
}

// inspect looks at bytes that leave a capital.
func (n *Network) inspect(d direction, b []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.carried++
	for _, text := range n.watched {
		if bytes.Contains(b, text) && n.leak == "" {
			n.leak = fmt.Sprintf("%q on its way from %s to %s", text, d.from, d.to)
		}
	}
}

// toss decides something with a probability.
func (n *Network) toss(p float64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return p > 0 && n.rnd.Float64() < p
}

func (n *Network) upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Duration(n.rnd.Int64N(int64(d)))
}

// wire is the network as one node, in one life, sees it: a route.Route.
type wire struct {
	net  *Network
	from traffic.Party
	life *life
}

// Name is the route's name in charters.
func (w wire) Name() string { return routeName }

// Limit is that of https.
func (w wire) Limit() int { return route.MaxBundle }

// Carry takes a bundle to a party and brings its answer back, if the network lets them through.
func (w wire) Carry(ctx context.Context, p route.Peer, sealed []byte) ([]byte, error) {
	if w.life.dead.Load() {
		return nil, ErrCrashed
	}
	there, back := direction{w.from, p.Party}, direction{p.Party, w.from}
	if w.net.toss(w.net.Fault(there.from, there.to).Duplicate) {
		later := w.net.upTo(time.Hour)
		w.net.work.Go(func() {
			select {
			case <-time.After(later):
				w.net.pass(w.life.ctx, there, sealed)
			case <-w.life.ctx.Done():
			}
		})
	}
	answer, err := w.net.pass(ctx, there, sealed)
	if err != nil {
		return nil, err
	}
	if answer == nil {
		return nil, w.net.travel(ctx, back, nil)
	}
	f := w.net.Fault(back.from, back.to)
	if w.net.toss(f.LoseBack) {
		f.Cut = true
	}
	if err := w.net.under(ctx, back, f, answer); err != nil {
		return nil, err
	}
	return w.net.damage(f, answer), nil
}

// pass takes a bundle to the node of the party, if there is one at the end of the way, and returns what it answers.
func (n *Network) pass(ctx context.Context, d direction, sealed []byte) ([]byte, error) {
	if err := n.travel(ctx, d, sealed); err != nil {
		return nil, err
	}
	c := n.world.capitals[d.to]
	l := c.life.Load()
	if l == nil || !l.enter() {
		return nil, route.ErrCut
	}
	defer l.inside.Done()
	inner, cancel := context.WithCancel(l.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	answer, err := l.node.Answer(inner, n.damage(n.Fault(d.from, d.to), sealed))
	if l.dead.Load() {
		return nil, route.ErrCut
	}
	return answer, err
}

func (n *Network) travel(ctx context.Context, d direction, b []byte) error {
	return n.under(ctx, d, n.Fault(d.from, d.to), b)
}

// under is the way of some bytes under a fault. What is cut off is noticed when nothing comes back in time.
func (n *Network) under(ctx context.Context, d direction, f Fault, b []byte) error {
	n.inspect(d, b)
	wait := f.Delay + n.upTo(f.Reorder) + time.Millisecond
	if f.Cut {
		wait = lapse
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
	}
	if f.Cut || n.Fault(d.from, d.to).Cut {
		return route.ErrCut
	}
	return nil
}

// damage turns a bit of some bundles.
func (n *Network) damage(f Fault, b []byte) []byte {
	if len(b) == 0 || !n.toss(f.Corrupt) {
		return b
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	out := bytes.Clone(b)
	out[n.rnd.IntN(len(out))] ^= 1 << n.rnd.IntN(8)
	return out
}

// Carried is how many bundles have set out so far, answers included.
func (n *Network) Carried() int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.carried
}
