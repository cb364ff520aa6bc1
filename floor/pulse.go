package floor

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"detente/watch"
)

// pulse tells from outside whether the loop of the watch lives. The zero value is a loop that does not run.
type pulse struct {
	mu      sync.Mutex
	running bool
	since   time.Time // when the turn under way began; zero while it sleeps
	until   time.Time // when it wakes at the latest
}

// late is how long a turn may take, or the loop sleep too long, before it is taken for stuck. Nobody is called meanwhile.
const late = 30 * time.Second

func (p *pulse) begin() {
	p.mu.Lock()
	p.running, p.since = true, time.Now()
	p.mu.Unlock()
}

func (p *pulse) sleep(until time.Time) {
	p.mu.Lock()
	p.since, p.until = time.Time{}, until
	p.mu.Unlock()
}

func (p *pulse) end() {
	p.mu.Lock()
	p.running = false
	p.mu.Unlock()
}

// ErrStuck says that the loop of the watch does not run, or does not come to its next turn: nobody is called.
var ErrStuck = errors.New("floor: the watch stands still, and nobody is called")

// Alive tells whether the loop runs and comes to its turns. Error: ErrStuck.
func (f *Floor) Alive() error {
	f.pulse.mu.Lock()
	defer f.pulse.mu.Unlock()
	now := time.Now()
	switch p := &f.pulse; {
	case !p.running:
		return fmt.Errorf("%w: it is not running", ErrStuck)
	case !p.since.IsZero() && now.Sub(p.since) > late:
		return fmt.Errorf("%w: a turn has lasted since %s", ErrStuck, p.since.UTC().Format(time.RFC3339))
	case p.since.IsZero() && now.Sub(p.until) > late:
		return fmt.Errorf("%w: it should have woken at %s", ErrStuck, p.until.UTC().Format(time.RFC3339))
	}
	return nil
}

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
