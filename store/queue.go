package store

import (
	"errors"
	"sync"
	"time"
)

const (
	calmWork   = 2 * time.Millisecond   // of work before a batch is committed: ten times what a sync takes
	urgentWork = 100 * time.Microsecond // the same once something urgent is in it
	maxBatch   = 4096                   // requests in a batch, whatever the clock says
	maxPassed  = 8                      // urgent batches in a row that go before calm work which waits
)

// queue is the requests that wait for the committer.
type queue struct {
	mu     sync.Mutex
	some   *sync.Cond
	lanes  [2][]*request // by Urgency
	retry  []*request    // have been run before, to no avail
	passed int           // urgent batches in a row that calm work has waited for
	closed error         // why nothing more is taken
}

func (q *queue) init() { q.some = sync.NewCond(&q.mu) }

// add queues r, or returns why it cannot be.
func (q *queue) add(r *request, u Urgency) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed != nil {
		return q.closed
	}
	q.lanes[u] = append(q.lanes[u], r)
	q.some.Signal()
	return nil
}

// again queues r once more, or returns why it cannot be.
func (q *queue) again(r *request) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed != nil {
		return q.closed
	}
	q.retry = append(q.retry, r)
	return nil
}

// withdraw takes r back; it returns false when the committer has had it.
func (q *queue) withdraw(r *request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if r.state != waiting {
		return false
	}
	r.state = withdrawn // left in its lane, pop drops it
	return true
}

// wait blocks until there is a request; it returns false when the database is closed.
func (q *queue) wait() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.retry)+len(q.lanes[Urgent])+len(q.lanes[Calm]) == 0 {
		if errors.Is(q.closed, ErrClosed) {
			return false
		}
		q.some.Wait()
	}
	return true
}

// stop refuses what waits and what comes later.
func (q *queue) stop(why error) {
	q.mu.Lock()
	q.closed = why
	q.some.Signal()
	q.mu.Unlock()
	q.refuse(why)
}

// refuse gives all that waits the same error.
func (q *queue) refuse(why error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, lane := range []*[]*request{&q.retry, &q.lanes[Urgent], &q.lanes[Calm]} {
		for r := pop(lane); r != nil; r = pop(lane) {
			r.done <- why
		}
	}
}

// pop takes the first request that was not withdrawn. Called with mu held.
func pop(lane *[]*request) *request {
	for len(*lane) > 0 {
		r := (*lane)[0]
		(*lane)[0] = nil
		*lane = (*lane)[1:]
		if r.state != withdrawn {
			r.state = taken
			return r
		}
	}
	*lane = nil
	return nil
}

// batch decides which requests share a commit.
type batch struct {
	q       *queue
	until   time.Time // it closes
	n       int       // times next was called
	calm    bool      // some Calm work is in it
	urgent  bool      // some Urgent work is in it
	guarded bool      // of requests that are run again, each behind a savepoint
	alone   bool      // of one request
}

func (q *queue) newBatch() *batch { return &batch{q: q, until: time.Now().Add(calmWork)} }

// next takes the next request, or returns nil when it is time to commit.
func (b *batch) next() *request {
	b.q.mu.Lock()
	defer b.q.mu.Unlock()
	if b.n == 0 {
		b.guarded = len(b.q.retry) > 0
	}
	now := time.Now()
	open := b.n == 0 || now.Before(b.until) && b.n < maxBatch && !b.alone
	b.n++
	if b.guarded {
		return b.nextAgain(open)
	}
	if open {
		if r := pop(&b.q.lanes[Urgent]); r != nil {
			if near := now.Add(urgentWork); near.Before(b.until) {
				b.until = near
			}
			b.urgent = true
			return r
		}
	}
	// One Calm request may take as long as a whole batch, so none goes with Urgent ones, except each ninth time: a flood of them slows the
	// rest and cannot stop it.
	if b.urgent && (b.calm || b.q.passed < maxPassed) {
		if !b.calm && len(b.q.lanes[Calm]) > 0 {
			b.q.passed++
		}
		return nil
	}
	if open || !b.calm {
		b.calm, b.q.passed = true, 0
		return pop(&b.q.lanes[Calm])
	}
	return nil
}

// nextAgain takes the next request to be run again. From its third run on a request is alone.
func (b *batch) nextAgain(open bool) *request {
	retry := &b.q.retry
	if !open || len(*retry) == 0 || b.n > 1 && (*retry)[0].tries > 1 {
		return nil
	}
	r := pop(retry)
	b.alone = r.tries > 1
	return r
}
