package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	maxTries     = 10               // of one request
	maxConnect   = 10 * time.Second // for a new connection
	savepoint    = "SAVEPOINT one"
	toSavepoint  = "ROLLBACK TO one"
	rollbackText = "ROLLBACK"
)

// commitLoop is the committer: the only goroutine that begins and ends transactions that write.
func (db *DB) commitLoop() {
	for db.queue.wait() {
		db.batch()
		if db.writer == nil {
			continue
		}
		if err := db.writer.upkeep(); err != nil {
			db.stop(err)
		}
	}
}

// stop ends all writing after the disk itself failed: the kernel may have dropped what it could not write and
// call the next sync a success.
func (db *DB) stop(err error) {
	db.log.Error("store: stopped", "err", err)
	db.queue.stop(fmt.Errorf("%w: %w", ErrStopped, err))
}

// batch runs as many requests in one transaction as are waiting and the time allows, and commits it.
//
// Savepoints cost PostgreSQL two round trips for each request, and few requests fail. So a batch is first run
// without: if one fails behind others, all is undone and they are run again, now with savepoints (guarded). A
// request for which even that went wrong is run alone. All results are held until the commit, for each
// request has seen what those before it wrote.
func (db *DB) batch() {
	b := db.queue.newBatch()
	r := b.next()
	if r == nil {
		return // withdrawn meanwhile
	}
	if err := db.beginBatch(); err != nil {
		err = fmt.Errorf("store: begin: %w", err)
		db.queue.refuse(err) // not one timeout after the other; first, for who hears of it may come again at once
		r.done <- err
		return
	}
	var ran []*request
	kept := 0
	for ; r != nil; r = b.next() {
		ran = append(ran, r)
		if b.guarded && kept > 0 {
			if err := db.writer.run(savepoint); err != nil {
				db.undo(ran, err)
				return
			}
		}
		db.give(r)
		switch {
		case r.err == nil:
			kept++
		case kept == 0:
			db.rollback()
			db.settle(r)
			return
		case !b.guarded || db.writer.run(toSavepoint) != nil: // SQLite undoes all when the disk is full
			db.undo(ran, r.err)
			return
		}
	}
	db.commit(ran, kept)
}

// beginBatch begins a transaction on the writer's connection, or on a new one.
func (db *DB) beginBatch() error {
	if err := db.fault("begin"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), maxConnect)
	defer cancel()
	var err error
	db.writer, err = db.begin(ctx, db.writer, true)
	return err
}

// give lets the caller of Update have the transaction and waits for the result.
func (db *DB) give(r *request) {
	tx := &Tx{db: db, s: db.writer, write: true}
	r.tries++
	r.turn <- tx
	r.err = <-r.ran
	r.after, r.wrote = tx.after, tx.wrote
}

// commit makes the batch durable and tells everyone.
//
// If the process dies before COMMIT has returned, nobody has been told anything; after it, the transactions
// are there, whether or not their callers have heard of it.
func (db *DB) commit(ran []*request, kept int) {
	err := db.fault("commit")
	began := time.Now()
	if err != nil {
		err = fmt.Errorf("store: commit: %w", err)
		db.rollback()
	} else if err = db.writer.commit(); err == nil {
		if slices.ContainsFunc(ran, func(r *request) bool { return r.wrote }) { // an empty one costs the disk nothing, and would flatter it
			db.timed(time.Since(began))
		}
		if err = db.fault("committed"); err != nil {
			err = fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
		}
	} else if errors.Is(err, ErrUnknownOutcome) {
		db.dropWriter()
		if db.Multi() {
			db.log.Error("store: commit", "err", err, "transactions", kept)
		} else {
			db.stop(err)
		}
	} else if kept > 1 {
		db.undo(ran, err) // the fault of one, perhaps
		return
	} else {
		err = fmt.Errorf("store: commit: %w", err)
		db.rollback()
	}

	for _, r := range ran {
		if r.err == nil && err == nil {
			for _, fn := range r.after {
				fn()
			}
		}
	}
	for _, r := range ran {
		if r.err == nil {
			r.err = err
		}
		db.settle(r)
	}
}

// settle gives the caller the result of the last run, or has the request run again if that may help.
func (db *DB) settle(r *request) {
	if errors.Is(r.err, errRetry) {
		db.again(r, r.err)
		return
	}
	r.done <- r.err
}

// undo undoes the transaction and has all that ran in it run again.
func (db *DB) undo(ran []*request, err error) {
	db.rollback()
	for _, r := range ran {
		db.again(r, err)
	}
}

func (db *DB) again(r *request, err error) {
	if r.err == errGone {
		return
	}
	if r.tries >= maxTries {
		err = fmt.Errorf("store: gave up after %d tries: %w", r.tries, err)
	} else if err = db.queue.again(r); err == nil {
		return
	}
	r.done <- err
}

// rollback undoes the transaction. A connection that cannot even do that is dropped, which undoes it too.
func (db *DB) rollback() {
	if db.writer.run(rollbackText) != nil {
		db.dropWriter()
	}
}

func (db *DB) dropWriter() {
	db.writer.close()
	db.writer = nil
}
