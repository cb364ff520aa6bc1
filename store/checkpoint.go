//go:build !js

package store

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// SQLite's log grows with each commit until all its pages have been copied into the database file and no reader
// needs them; then the next commit starts it anew, over blocks that the disk already has, which makes a sync
// markedly cheaper. Left to itself SQLite copies inside a commit, and everybody waits. Here a goroutine
// copies beside the writer; since under load it never reaches the end, the committer copies the last few
// pages between two commits.
const (
	logPages  = 2048         // 8 MiB: when copying begins
	logRest   = logPages / 4 // what the committer copies itself
	logRounds = 2            // of copying beside it; then it copies whatever is left
)

// checkpointer copies pages beside the writer.
type checkpointer struct {
	db   *sql.DB
	kick chan struct{} // closed at the end
	done chan struct{}
	busy atomic.Bool
	err  error // guarded by busy: read after it is false
}

func startCheckpointer(db *sql.DB) *checkpointer {
	c := &checkpointer{db: db, kick: make(chan struct{}, 1), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		for range c.kick {
			_, _, c.err = checkpoint(c.db.QueryRowContext, "PASSIVE")
			c.busy.Store(false)
		}
	}()
	return c
}

func (c *checkpointer) start() {
	c.busy.Store(true)
	c.kick <- struct{}{}
}

func (c *checkpointer) close() {
	close(c.kick)
	<-c.done
}

// upkeep keeps the log short. Its error is one of the disk.
func (s *sqliteSession) upkeep() error {
	c := s.engine.checkpointer
	if c.busy.Load() {
		return nil
	}
	if err := c.err; err != nil {
		c.err = nil
		return diskError(err)
	}
	pages, copied, err := checkpoint(s.row, "NOOP")
	if err != nil {
		return diskError(err)
	}
	switch {
	case pages < logPages:
		s.due, s.rounds = logPages, 0
	case pages < s.due:
	case pages-copied > logRest && s.rounds < logRounds:
		s.rounds++
		c.start()
	default:
		// A reader may hold on to the pages; not again before there is more to copy.
		s.due, s.rounds = pages+logRest, 0
		_, _, err = checkpoint(s.row, "PASSIVE")
	}
	return diskError(err)
}

// row runs a prepared statement that answers with one row.
func (s *sqliteSession) row(ctx context.Context, query string, args ...any) *sql.Row {
	st, err := s.stmt(ctx, query)
	if err != nil {
		return s.conn.QueryRowContext(ctx, query, args...)
	}
	return st.QueryRowContext(ctx, args...)
}

// checkpoint runs PRAGMA wal_checkpoint in a mode; it returns the pages in the log and how many of them have been copied.
func checkpoint(row func(context.Context, string, ...any) *sql.Row, mode string) (pages, copied int, err error) {
	var busy int
	err = row(context.Background(), "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &pages, &copied)
	return pages, copied, err
}

// diskError returns err if the disk failed: a database file that did not take its pages cannot be trusted to take
// them at the next try. A full disk or a lock passes.
func diskError(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_IOERR {
		return err
	}
	return nil
}
