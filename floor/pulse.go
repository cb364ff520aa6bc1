package floor

import (
	"time"

	"detente/watch"
)

// Alive tells whether the loop runs and comes to its turns. Error: watch.ErrStuck.
func (f *Floor) Alive() error { return f.pulse.Alive() }

// Stand calls fn for each item of the board that is not done, as the loop has seen it last, and counts the posts for which a roster names nobody
// now. It costs little, however much stands there.
func (f *Floor) Stand(now time.Time, fn func(*watch.Item)) (unmanned int) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, list := range [][]*watch.Item{f.board.items, f.board.taken} {
		for _, it := range list {
			fn(it)
		}
	}
	for _, p := range f.node.Chain(f.node.Self()).Latest().Posts {
		if d, ok := f.record.duty(p.Name, now); ok && d.Unmanned() {
			unmanned++
		}
	}
	return unmanned
}
