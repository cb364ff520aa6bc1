// Package store is the database of one node: it opens it, brings its tables up to date and runs transactions, on SQLite or PostgreSQL with the same SQL.
// It must never acknowledge what is not durable, nor know what the tables mean.
//
// # SQL for both engines
//
// Placeholders are $1, $2…; ON CONFLICT and RETURNING are there. What one engine would forgive and the
// other not is refused on both: a statement that fails fails its transaction (use ON CONFLICT, not the
// error), and the rows of one Query are read to their end or closed before the next statement. Arguments
// are int64 and smaller integers, float64, string (valid UTF-8 without NUL, which PostgreSQL refuses),
// []byte (nil is NULL) and nil; times and booleans are stored as integers. No deferred constraints.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"
)

var (
	// ErrUnknownOutcome says that the transaction may be durable or not: the answer to COMMIT was lost,
	// or a synchronous standby did not confirm it. The caller looks at what is there before it goes on.
	ErrUnknownOutcome = errors.New("store: outcome of the commit is unknown")
	// ErrStopped says that an earlier commit failed on the disk itself; nothing is written any more
	// until the process has opened the database anew and so read what the disk really holds.
	ErrStopped = errors.New("store: stopped after a disk error, open it again")
	// ErrClosed says that the database was closed; nothing of the transaction was kept.
	ErrClosed = errors.New("store: closed")
	// ErrFull says that the disk is full; nothing of the transaction was kept.
	ErrFull = errors.New("store: disk full")
	// ErrInUse says that another process, which the text names, has the SQLite file open.
	ErrInUse = errors.New("store: in use")
	// ErrNewerSchema says that a newer program has changed the tables; this one must not touch them.
	ErrNewerSchema = errors.New("store: the database belongs to a newer version of this program")
	// ErrNotFound says that One found no row.
	ErrNotFound = errors.New("store: not found")
)

// Schema is the tables of one package. Steps are SQL texts (several statements each, if need be), applied
// in order, each once, and never edited after release: a change is a new step. In a step {bytes},
// {bigint} and {rowkey} stand for the engine's type: BLOB or BYTEA, INTEGER or BIGINT, and INTEGER or
// BIGINT PRIMARY KEY.
type Schema struct {
	Package string
	Steps   []string
}

// Config says which database to open.
type Config struct {
	// DSN is a file path (SQLite; the directory must exist), a postgres:// URL, or "postgres " and
	// key=value pairs as libpq takes them.
	DSN string
	// Schemas are the tables of every package that has its tables in the database: one that is there and not
	// named here can only come from a newer program.
	Schemas []Schema
	// Log takes what no caller can be told; nil discards it.
	Log *slog.Logger
	// Fault is the tests' lever. It is called with the step that is about to happen: "begin", "write"
	// (an Exec inside Update) or "commit"; and with "committed" after the commit is durable. An error
	// makes that step fail; after "committed" the data is there and the callers get ErrUnknownOutcome. It is
	// not called twice at the same time.
	Fault func(step string) error
	// Committed is told how long the database took for each commit that wrote something and was confirmed; nil is nobody. It must return at once.
	Committed func(took time.Duration)
}

// DB is an open database. Its methods may be called at the same time.
type DB struct {
	engine  engine
	log     *slog.Logger
	fault   func(step string) error
	timed   func(took time.Duration)
	readers chan session // idle ones; nil stands for one not connected yet
	queue   queue
	closed  chan struct{}
	done    sync.WaitGroup // the committer
	closing sync.Once

	writer session // owned by the committer; nil when it must be connected again
}

// engine is what differs between the two databases.
type engine interface {
	// connect opens a connection that writes, or one that only reads.
	connect(ctx context.Context, write bool) (session, error)
	// multi says whether other processes may share the database.
	multi() bool
	// types fills the words in braces of a Schema's steps.
	types() *strings.Replacer
	// size is the bytes of the database, and of what is written ahead of it where that is a file of its own.
	size(ctx context.Context, tx *Tx) (data, ahead int64, err error)
	close() error
}

// Open opens the database, creates what is missing and applies the new steps of each schema. It returns
// ErrInUse or ErrNewerSchema when it must not be opened by this process or program.
func Open(ctx context.Context, c Config) (*DB, error) {
	db := &DB{log: c.Log, fault: c.Fault, timed: c.Committed, closed: make(chan struct{})}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	if db.fault == nil {
		db.fault = func(string) error { return nil }
	}
	if db.timed == nil {
		db.timed = func(time.Duration) {}
	}
	db.queue.init()

	var err error
	var readers int
	if dsn, ok := postgresDSN(c.DSN); ok {
		readers = 8
		db.engine, err = openPostgres(ctx, dsn, db.log)
	} else {
		readers = max(4, runtime.GOMAXPROCS(0))
		db.engine, err = openSQLite(c.DSN)
	}
	if err != nil {
		return nil, err
	}
	db.readers = make(chan session, readers)
	for range readers {
		db.readers <- nil
	}
	if db.writer, err = db.engine.connect(ctx, true); err == nil {
		err = migrate(ctx, db, c.Schemas)
	}
	if err != nil {
		if db.writer != nil {
			db.writer.close()
		}
		return nil, errors.Join(err, db.engine.close())
	}
	db.done.Go(db.commitLoop)
	return db, nil
}

// Close waits for the transactions under way, refuses those that have not begun, and closes the database.
func (db *DB) Close() error {
	var err error
	db.closing.Do(func() {
		close(db.closed)
		db.queue.stop(ErrClosed)
		db.done.Wait()
		for range cap(db.readers) {
			if s := <-db.readers; s != nil {
				s.close()
			}
		}
		if db.writer != nil {
			db.writer.close()
		}
		err = db.engine.close()
	})
	return err
}

// Multi says whether other processes may share this database, so that what was read may change
// between two transactions.
func (db *DB) Multi() bool { return db.engine.multi() }

// Size is how many bytes the database takes, and on SQLite how many the log takes that is written ahead of it.
func (db *DB) Size(ctx context.Context) (data, ahead int64, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		data, ahead, err = db.engine.size(ctx, tx)
		return err
	})
	return data, ahead, err
}

// View runs fn over one snapshot of the database, while others write, and returns fn's error. Nothing in it
// writes. When ctx ends the statement under way fails. A View is short (on SQLite the log cannot be
// emptied under it) and has no other View inside: there is a small number of connections for them.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	var s session
	select {
	case <-db.closed:
		return ErrClosed
	default:
	}
	select {
	case s = <-db.readers:
	case <-db.closed:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { db.readers <- s }()

	s, err := db.begin(ctx, s, false)
	if err != nil {
		return fmt.Errorf("store: begin: %w", err)
	}
	tx := &Tx{db: db, s: s}
	defer func() {
		tx.end()
		if s.run(rollbackText) != nil {
			s.close()
			s = nil
		}
	}()
	return fn(tx)
}

// begin begins a transaction on s, or on a new connection when s is nil or turns out to have died idle.
// It returns the session to use from now on, nil with an error.
func (db *DB) begin(ctx context.Context, s session, write bool) (session, error) {
	if s != nil {
		if s.begin() == nil {
			return s, nil
		}
		s.close()
	}
	s, err := db.engine.connect(ctx, write)
	if err != nil {
		return nil, err
	}
	if err := s.begin(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}
