package watch

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrStuck says that the loop of the watch does not run, or does not come to its next turn: nobody is called.
var ErrStuck = errors.New("watch: the watch stands still, and nobody is called")

// Pulse tells from outside whether the loop of the watch lives. The zero value is a loop that does not run.
type Pulse struct {
	mu      sync.Mutex
	running bool
	since   time.Time // when the turn under way began; zero while it sleeps
	until   time.Time // when it wakes at the latest
}

// late is how long a turn may take, or the loop sleep too long, before it is taken for stuck. Nobody is called meanwhile.
const late = 30 * time.Second

// Begin notes that a turn begins.
func (p *Pulse) Begin() {
	p.mu.Lock()
	p.running, p.since = true, time.Now()
	p.mu.Unlock()
}

// Sleep notes that a turn has ended, and when the next begins at the latest.
func (p *Pulse) Sleep(until time.Time) {
	p.mu.Lock()
	p.since, p.until = time.Time{}, until
	p.mu.Unlock()
}

// End notes that the loop has ended.
func (p *Pulse) End() {
	p.mu.Lock()
	p.running = false
	p.mu.Unlock()
}

// Alive tells whether the loop runs and comes to its turns. Error: ErrStuck.
func (p *Pulse) Alive() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	switch {
	case !p.running:
		return fmt.Errorf("%w: it is not running", ErrStuck)
	case !p.since.IsZero() && now.Sub(p.since) > late:
		return fmt.Errorf("%w: a turn has lasted since %s", ErrStuck, p.since.UTC().Format(time.RFC3339))
	case p.since.IsZero() && now.Sub(p.until) > late:
		return fmt.Errorf("%w: it should have woken at %s", ErrStuck, p.until.UTC().Format(time.RFC3339))
	}
	return nil
}
