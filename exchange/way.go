package exchange

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// RightOfWay keeps calm work off the processors while urgent work is being done. The zero value is ready. It holds nothing up that urgent work
// could wait for: only loops over signatures give way, between one signature and the next.
type RightOfWay struct {
	urgent atomic.Int32

	mu   sync.Mutex
	free sync.Cond // urgent came to zero
}

// Take says that urgent work begins; the function returned says that it has ended.
func (r *RightOfWay) Take() (end func()) {
	r.urgent.Add(1)
	return func() {
		if r.urgent.Add(-1) == 0 {
			r.mu.Lock()
			if r.free.L != nil {
				r.free.Broadcast()
			}
			r.mu.Unlock()
		}
	}
}

// Give is called by calm work between two steps: it waits while urgent work is being done.
func (r *RightOfWay) Give() {
	if r.urgent.Load() == 0 {
		runtime.Gosched()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free.L = &r.mu
	for r.urgent.Load() > 0 {
		r.free.Wait()
	}
}
