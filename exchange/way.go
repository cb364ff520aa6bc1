package exchange

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// patience is the most that calm work waits between two steps: a peer that floods with urgent bundles slows calm work, and cannot stop it.
const patience = 10 * time.Millisecond

// RightOfWay keeps calm work off the processors while urgent work is being done. The zero value is ready. It holds nothing up that urgent work
// could wait for: only loops over signatures give way, between one signature and the next.
type RightOfWay struct {
	urgent atomic.Int32

	mu   sync.Mutex
	free chan struct{} // guarded by mu: closed when urgent comes to zero; nil when nobody waits
}

// Take says that urgent work begins; the function returned says that it has ended, and may be called again without effect.
func (r *RightOfWay) Take() (end func()) {
	r.urgent.Add(1)
	return sync.OnceFunc(func() {
		if r.urgent.Add(-1) > 0 {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.free != nil {
			close(r.free)
			r.free = nil
		}
	})
}

// Give is called by calm work between two steps: it waits while urgent work is being done, but not for long.
func (r *RightOfWay) Give() {
	if r.urgent.Load() == 0 {
		runtime.Gosched()
		return
	}
	r.mu.Lock()
	if r.urgent.Load() == 0 { // it ended meanwhile, and has closed the channel before this one
		r.mu.Unlock()
		return
	}
	if r.free == nil {
		r.free = make(chan struct{})
	}
	free := r.free
	r.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-free:
	case <-timer.C:
	}
}
