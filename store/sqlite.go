//go:build !js

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteEngine is one SQLite file, held by this process alone.
type sqliteEngine struct {
	path         string
	lock         *os.File
	r, w         *sql.DB
	checkpointer *checkpointer
}

func openSQLite(path string) (*sqliteEngine, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // one file, one lock
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	// Made here, so that nobody else can read it: SQLite gives its log the same mode.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("store: %w", err)
	}
	f.Close()
	e := &sqliteEngine{path: path, lock: lock}
	if e.w, err = sql.Open("sqlite", sqliteDSN(path, true)); err == nil {
		e.r, err = sql.Open("sqlite", sqliteDSN(path, false))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("store: %w", err), e.close())
	}
	e.checkpointer = startCheckpointer(e.w)
	return e, nil
}

// sqliteDSN names the file and the settings of a connection. There is no mmap_size: a bad sector shall be an error
// of one statement, not a SIGBUS that ends the process. The caches are half of what they take: the driver's allocator has slots of powers of two, and a page with
// what SQLite keeps beside it is just over 4 KiB, so each lies in one of 8. The writer has 32 MiB of memory, a reader 8.
func sqliteDSN(path string, write bool) string {
	q := url.Values{
		"_busy_timeout": {"5000"}, // another program looking at the file, a backup
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"}, // each commit is synced; NORMAL would lose the last ones with the power
		"_foreign_keys": {"on"},
		"_dqs":          {"0"}, // "x" is a name and nothing else, as on PostgreSQL
		"_pragma": {
			"page_size(4096)", // the disk's block: a changed row costs no more of the log than it must
			"cache_size(-16384)",
			"wal_autocheckpoint(0)",        // see checkpointer
			"journal_size_limit(67108864)", // after a burst the log's file shrinks to 64 MiB
		},
	}
	if !write {
		q["_query_only"] = []string{"on"}
		q["_pragma"] = []string{"cache_size(-4096)"}
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

func (e *sqliteEngine) multi() bool { return false }

func (e *sqliteEngine) size(context.Context, *Tx) (data, ahead int64, err error) {
	info, err := os.Stat(e.path)
	if err != nil {
		return 0, 0, fmt.Errorf("store: %w", err)
	}
	log, err := os.Stat(e.path + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		return info.Size(), 0, nil // nothing was written yet
	} else if err != nil {
		return 0, 0, fmt.Errorf("store: %w", err)
	}
	return info.Size(), log.Size(), nil
}

func (e *sqliteEngine) types() *strings.Replacer {
	return strings.NewReplacer("{bytes}", "BLOB", "{bigint}", "INTEGER", "{rowkey}", "INTEGER PRIMARY KEY")
}

func (e *sqliteEngine) connect(ctx context.Context, write bool) (session, error) {
	db, begin := e.r, "BEGIN"
	if write {
		db, begin = e.w, "BEGIN IMMEDIATE"
	}
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, sqliteError(err)
	}
	return &sqliteSession{engine: e, conn: c, beginText: begin, stmts: map[string]*sql.Stmt{}}, nil
}

func (e *sqliteEngine) close() error {
	if e.checkpointer != nil {
		e.checkpointer.close()
	}
	var errs []error
	for _, db := range []*sql.DB{e.r, e.w} { // the last to close empties the log
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(append(errs, e.lock.Close())...)
}

// maxStatements bounds the memory that a caller takes who builds SQL texts.
const maxStatements = 500

// sqliteSession is one connection and the statements prepared on it.
type sqliteSession struct {
	engine    *sqliteEngine
	conn      *sql.Conn
	beginText string
	stmts     map[string]*sql.Stmt

	due    int // pages in the log when upkeep acts next
	rounds int // of copying beside the writer since the log was last begun anew
}

func (s *sqliteSession) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := s.stmts[query]; ok {
		return st, nil
	}
	st, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, sqliteError(err)
	}
	s.stmts[query] = st
	return st, nil
}

func (s *sqliteSession) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	st, err := s.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	res, err := st.ExecContext(ctx, args...)
	return res, sqliteError(err)
}

func (s *sqliteSession) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	st, err := s.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := st.QueryContext(ctx, args...)
	return rows, sqliteError(err)
}

func (s *sqliteSession) run(text string) error {
	_, err := s.exec(context.Background(), text, nil)
	return err
}

func (s *sqliteSession) script(text string) error {
	_, err := s.conn.ExecContext(context.Background(), text)
	return sqliteError(err)
}

func (s *sqliteSession) begin() error {
	if len(s.stmts) > maxStatements {
		s.forget()
	}
	return s.run(s.beginText)
}

func (s *sqliteSession) beginSchema() error { return s.begin() }

// commit appends the transaction to the log and syncs it.
func (s *sqliteSession) commit() error {
	err := s.run("COMMIT")
	var e *sqlite.Error
	if err == nil || errors.Is(err, ErrFull) {
		return err
	}
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CONSTRAINT:
			return err
		}
	}
	// The log may end with a whole transaction that was not synced.
	return fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
}

func (s *sqliteSession) close() {
	s.forget()
	drop(s.conn)
}

// forget closes the prepared statements. No rows are open between transactions.
func (s *sqliteSession) forget() {
	for _, st := range s.stmts {
		st.Close()
	}
	clear(s.stmts)
}

// sqliteError wraps err in ErrFull where that is what it means.
func sqliteError(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_FULL {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
