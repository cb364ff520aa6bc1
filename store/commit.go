package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Urgency is how long a transaction may stand behind others.
type Urgency int

const (
	// Calm work is gathered: it shares one commit with what else is waiting.
	Calm Urgency = iota
	// Urgent work runs before all Calm work, and its commit waits for little of it.
	Urgent
)

const (
	calmWork   = 4 * time.Millisecond   // of work before a batch is committed
	urgentWork = 500 * time.Microsecond // the same after something urgent ran in it
	maxBatch   = 4096                   // transactions in a batch, whatever the clock says
	maxTries   = 10                     // of a transaction that another process is in the way of
)

// errRetry marks failures that are nobody's fault: the other side of a deadlock, a connection lost before
// COMMIT was sent. The function is run again.
var errRetry = errors.New("run it again")

// request is one call of Update.
type request struct {
	fn    func(*Tx) error
	turn  chan *Tx   // the committer hands the transaction over…
	ran   chan error // …and gets it back with the result of fn
	done  chan error // the outcome
	state state      // guarded by queue.mu

	// owned by the committer
	tries int
	after []func()
}

type state int

const (
	waiting state = iota
	taken
	withdrawn
)

// Update runs fn in a transaction and returns when what it wrote is durable, or with fn's error when
// nothing of it is kept. Transactions that wait at the same time are made durable together; each still
// stands or falls alone. fn runs on the caller's goroutine and
//
//   - may be run more than once, so it must have no effect outside tx but through AfterCommit;
//   - is short (all writers wait for it) and never calls Update or View.
//
// When ctx ends before fn has begun nothing happens. Later it fails the next statement of fn; once fn has
// returned, the outcome is waited for. ErrUnknownOutcome, ErrFull, ErrStopped and ErrClosed are for the caller to
// decide on.
//
// If the process dies before Update returned nil, the transaction is there as a whole or not at all.
func (db *DB) Update(ctx context.Context, u Urgency, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := &request{fn: fn, turn: make(chan *Tx), ran: make(chan error), done: make(chan error, 1)}
	if err := db.queue.add(r, u); err != nil {
		return err
	}
	cancelled := ctx.Done()
	for {
		select {
		case tx := <-r.turn:
			r.run(tx)
		case err := <-r.done:
			return err
		case <-cancelled:
			if db.queue.withdraw(r) {
				return ctx.Err()
			}
			cancelled = nil
		}
	}
}

// run runs fn and reports to the committer even if fn panics or ends the goroutine (as t.Fatal does):
// then the transaction is undone and the panic goes on in the caller, where it belongs.
func (r *request) run(tx *Tx) {
	err := errors.New("store: the function did not return")
	defer func() {
		if failed := tx.end(); err == nil && failed != nil {
			err = fmt.Errorf("store: the function went on after a statement that failed: %w", failed)
		} else if errors.Is(failed, errRetry) && !errors.Is(err, errRetry) {
			err = fmt.Errorf("%w (%w)", err, failed)
		}
		r.ran <- err
	}()
	err = r.fn(tx)
}

// commitLoop is the committer: the only goroutine that begins and ends transactions that write.
func (db *DB) commitLoop() {
	for db.queue.wait() {
		db.batch()
		if db.writer != nil {
			db.writer.upkeep()
		}
	}
}

// batch runs one transaction with as many requests as are waiting and the time allows.
//
// The first request needs no savepoint: if it fails there is nothing else to keep. A request that
// has to be run again runs in a batch of its own, so that it cannot spoil another twice.
func (db *DB) batch() {
	b := db.queue.newBatch()
	first := b.next()
	if first == nil {
		return // withdrawn meanwhile
	}
	err := db.fault("begin")
	if err == nil {
		db.writer, err = db.begin(context.Background(), db.writer, true)
	}
	if err != nil {
		first.done <- fmt.Errorf("store: begin: %w", err)
		return
	}
	var kept []*request
	for r := first; r != nil; r = b.next() {
		if len(kept) > 0 {
			if err := db.writer.run("SAVEPOINT one"); err != nil {
				db.rollback()
				db.again(err, append(kept, r)...)
				return
			}
		}
		err := db.give(r)
		switch {
		case err == nil && len(kept) > 0:
			err = db.writer.run("RELEASE one")
			if err != nil {
				db.rollback()
				db.again(err, append(kept, r)...)
				return
			}
			kept = append(kept, r)
		case err == nil:
			kept = append(kept, r)
		case len(kept) == 0:
			db.rollback()
			db.fail(r, err)
			return
		default:
			// SQLite may have undone the whole transaction (a full disk), PostgreSQL may be gone.
			lost := db.writer.run("ROLLBACK TO one; RELEASE one")
			db.fail(r, err)
			if lost != nil {
				db.rollback()
				db.again(err, kept...)
				return
			}
		}
	}
	db.commit(kept)
}

// give hands the transaction to the caller of Update and waits for the result.
func (db *DB) give(r *request) error {
	tx := &Tx{db: db, s: db.writer, write: true}
	r.tries++
	r.turn <- tx
	err := <-r.ran
	r.after = tx.after
	return err
}

// commit makes the batch durable and tells everyone.
//
// If the process dies before COMMIT returned, nobody has been told anything; after it, the
// transactions are there whether or not their callers have heard of it.
func (db *DB) commit(batch []*request) {
	if err := db.fault("commit"); err != nil {
		db.rollback()
		tell(batch, fmt.Errorf("store: commit: %w", err))
		return
	}
	err := db.writer.commit()
	switch {
	case err == nil:
		err = db.fault("committed")
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
		}
	case errors.Is(err, ErrUnknownOutcome):
		db.log.Error("store: commit", "err", err, "transactions", len(batch))
		db.writer.close()
		db.writer = nil
		if !db.Multi() {
			// The kernel may have dropped what it could not write and call the next sync a success.
			db.queue.stop(fmt.Errorf("%w: %w", ErrStopped, err))
		}
	case len(batch) > 1:
		// Not committed, by the fault of one perhaps: each again, alone.
		db.rollback()
		db.again(err, batch...)
		return
	default:
		db.rollback()
		db.fail(batch[0], fmt.Errorf("store: commit: %w", err))
		return
	}
	if err == nil {
		for _, r := range batch {
			for _, fn := range r.after {
				fn()
			}
		}
	}
	tell(batch, err)
}

// rollback undoes the transaction. A connection that cannot even do that is dropped: closing it undoes all.
func (db *DB) rollback() {
	if db.writer.run("ROLLBACK") != nil {
		db.writer.close()
		db.writer = nil
	}
}

// fail gives the caller the error, or runs the request again if another process was in its way.
func (db *DB) fail(r *request, err error) {
	if errors.Is(err, errRetry) {
		db.again(err, r)
		return
	}
	r.done <- err
}

// again queues requests to be run once more, each alone.
func (db *DB) again(err error, rs ...*request) {
	for _, r := range rs {
		if r.tries < maxTries {
			db.queue.again(r)
		} else {
			r.done <- fmt.Errorf("store: gave up after %d tries: %w", r.tries, err)
		}
	}
}

func tell(batch []*request, err error) {
	for _, r := range batch {
		r.done <- err
	}
}

// queue is the requests that wait for the committer.
type queue struct {
	mu     sync.Mutex
	cond   *sync.Cond
	retry  []*request
	lanes  [2][]*request // by Urgency
	closed error         // why nothing more is taken
}

func (q *queue) init() { q.cond = sync.NewCond(&q.mu) }

// add queues r, or returns why it cannot be.
func (q *queue) add(r *request, u Urgency) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed != nil {
		return q.closed
	}
	q.lanes[u] = append(q.lanes[u], r)
	q.cond.Signal()
	return nil
}

func (q *queue) again(r *request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.retry = append(q.retry, r)
}

// withdraw takes r back; it returns false when the committer has it.
func (q *queue) withdraw(r *request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if r.state != waiting {
		return false
	}
	r.state = withdrawn
	return true
}

// wait blocks until there is a request; it returns false when there will be no more.
func (q *queue) wait() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.retry)+len(q.lanes[Urgent])+len(q.lanes[Calm]) == 0 {
		if q.closed == ErrClosed {
			return false
		}
		q.cond.Wait()
	}
	return true
}

// close refuses what has not begun; what has been run once is still brought to its end.
func (q *queue) close() { q.stop(ErrClosed) }

func (q *queue) stop(why error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = why
	for u := range q.lanes {
		for r := q.pop(&q.lanes[u]); r != nil; r = q.pop(&q.lanes[u]) {
			r.done <- why
		}
	}
	q.cond.Signal()
}

// pop takes the first request that was not withdrawn. Called with mu held.
func (q *queue) pop(lane *[]*request) *request {
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
	q     *queue
	until time.Time
	n     int
	calm  bool // it has some Calm work
	alone bool
}

func (q *queue) newBatch() *batch { return &batch{q: q, until: time.Now().Add(calmWork)} }

// next takes the next request, or nil when it is time to commit. Urgent work goes first and draws the end of
// the batch near; one Calm request gets in all the same, so that a flood of Urgent ones cannot stop the rest.
func (b *batch) next() *request {
	b.q.mu.Lock()
	defer b.q.mu.Unlock()
	if b.alone || b.n == maxBatch {
		return nil
	}
	b.n++
	if b.n == 1 {
		if r := b.q.pop(&b.q.retry); r != nil {
			b.alone = true
			return r
		}
	}
	now := time.Now()
	late := b.n > 1 && !now.Before(b.until)
	if !late {
		if r := b.q.pop(&b.q.lanes[Urgent]); r != nil {
			if near := now.Add(urgentWork); near.Before(b.until) {
				b.until = near
			}
			return r
		}
	}
	if late && b.calm {
		return nil
	}
	if r := b.q.pop(&b.q.lanes[Calm]); r != nil {
		b.calm = true
		return r
	}
	return nil
}
