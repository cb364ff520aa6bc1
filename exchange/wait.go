package exchange

import (
	"slices"
	"sync"

	"detente/traffic"
)

// Receipt is that a mirror now holds a feed up to a size.
type Receipt struct {
	Feed   traffic.Feed
	Mirror traffic.Party
	Size   int64
}

// Waiters are those who wait for receipts. The zero value is ready.
type Waiters struct {
	mu   sync.Mutex
	feed map[traffic.Feed][]waiter // guarded by mu
}

type waiter struct {
	Receipt
	done chan struct{}
}

// Add has a caller wait for a receipt: done is closed when one of that size or more is released. drop ends the wait.
func (w *Waiters) Add(r Receipt) (done <-chan struct{}, drop func()) {
	x := waiter{r, make(chan struct{})}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.feed == nil {
		w.feed = make(map[traffic.Feed][]waiter)
	}
	w.feed[r.Feed] = append(w.feed[r.Feed], x)
	return x.done, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.keep(r.Feed, func(o waiter) bool { return o.done != x.done })
	}
}

// Release lets go of those whom a receipt satisfies.
func (w *Waiters) Release(r Receipt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keep(r.Feed, func(o waiter) bool {
		met := o.Mirror == r.Mirror && o.Size <= r.Size
		if met {
			close(o.done)
		}
		return !met
	})
}

// Waited lists what is waited for.
func (w *Waiters) Waited() []Receipt {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Receipt
	for _, ws := range w.feed {
		for _, x := range ws {
			out = append(out, x.Receipt)
		}
	}
	return out
}

// keep drops the waiters of a feed that are not kept. w.mu is held.
func (w *Waiters) keep(f traffic.Feed, kept func(waiter) bool) {
	left := slices.DeleteFunc(w.feed[f], func(x waiter) bool { return !kept(x) })
	if len(left) == 0 {
		delete(w.feed, f)
	} else {
		w.feed[f] = left
	}
}
