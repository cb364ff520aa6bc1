package store

import (
	"context"
	"errors"
	"fmt"
)

// Urgency is how long a transaction may stand behind others.
type Urgency int

const (
	// Calm work is gathered: it shares one commit with what else is waiting.
	Calm Urgency = iota
	// Urgent work runs before all Calm work, and its commit waits for little of it.
	Urgent
)

// errRetry marks failures that are nobody's fault: the losing side of a deadlock, a connection lost before
// COMMIT was sent. The function is run again.
var errRetry = errors.New("interrupted by another process or a lost connection")

// errGone says that the caller has left by a panic: nobody hears this error, nobody can run the function again.
var errGone = errors.New("store: the function did not return")

// request is one call of Update.
type request struct {
	fn   func(*Tx) error
	turn chan *Tx   // the committer hands the transaction over…
	ran  chan error // …and gets the result of fn back
	done chan error // the outcome; has room, the committer never waits for a caller here

	state state // guarded by queue.mu

	// Owned by the committer.
	tries int
	err   error    // of the last run
	after []func() // of the last run
	wrote bool     // of the last run
}

type state int

const (
	waiting state = iota
	taken
	withdrawn
)

// Update runs fn in a transaction and returns nil when what it wrote is durable, or fn's error when nothing
// of it is kept. Transactions that wait at the same time are made durable together; each still stands
// or falls alone, and each sees what those before it wrote. fn runs on the caller's goroutine and
//
//   - may be run more than once, so it must have no effect outside tx but through AfterCommit, and starts
//     anew each time;
//   - is short, a few milliseconds at most: all writers wait for it;
//   - never calls Update, and never ignores the error of a statement.
//
// When ctx ends before fn has begun nothing happens. Later it fails the next statement of fn; once fn has
// returned, the outcome is waited for. ErrUnknownOutcome, ErrFull, ErrStopped and ErrClosed are there for
// the caller to decide on.
//
// If the process dies before Update returned, the transaction is there as a whole or not at all.
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
			cancelled = nil // it has begun: what became of it?
		}
	}
}

// run runs fn and reports to the committer, also when fn panics or ends the goroutine (as t.Fatal does): then
// the transaction is undone, and the panic goes on in the caller, where it belongs.
func (r *request) run(tx *Tx) {
	var err error
	returned := false
	defer func() {
		failed := tx.end()
		switch {
		case !returned:
			err = errGone
		case failed != nil && err == nil:
			err = fmt.Errorf("store: the function went on after a statement that failed: %w", failed)
		case errors.Is(failed, errRetry) && !errors.Is(err, errRetry):
			err = fmt.Errorf("%w: %w", err, failed)
		}
		r.ran <- err
	}()
	err = r.fn(tx)
	returned = true
}
