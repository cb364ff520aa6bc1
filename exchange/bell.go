package exchange

import "sync"

// bell wakes what serves a link: a goroutine for each lane, and the requests that the peer holds open. It never blocks who rings.
type bell struct {
	lanes [2]chan struct{} // one slot each: there may be something to say

	heldMu sync.Mutex
	held   map[chan struct{}]bool // guarded by heldMu
}

func newBell() bell {
	return bell{lanes: [2]chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)}, held: make(map[chan struct{}]bool)}
}

// Kick says that there may be something to say: to the lane, and to the requests that the peer holds open.
func (b *bell) Kick(lane Lane) {
	b.KickLane(lane)
	b.KickHeld()
}

// KickLane is Kick for the lane alone.
func (b *bell) KickLane(lane Lane) { ring(b.lanes[lane]) }

// KickHeld is Kick for the requests that the peer holds open alone.
func (b *bell) KickHeld() {
	b.heldMu.Lock()
	defer b.heldMu.Unlock()
	for c := range b.held {
		ring(c)
	}
}

// Kicked has a value when there may be something to say on the lane.
func (b *bell) Kicked(lane Lane) <-chan struct{} { return b.lanes[lane] }

// Hold notes that a request of the peer is held open: kicked has a value when there may be something to say, until release is called.
func (b *bell) Hold() (kicked <-chan struct{}, release func()) {
	c := make(chan struct{}, 1)
	b.heldMu.Lock()
	defer b.heldMu.Unlock()
	b.held[c] = true
	return c, func() {
		b.heldMu.Lock()
		defer b.heldMu.Unlock()
		delete(b.held, c)
	}
}

func ring(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
