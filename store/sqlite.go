package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteEngine is one SQLite file, held by this process alone.
type sqliteEngine struct {
	log  *slog.Logger
	lock *os.File
	r, w *sql.DB
}

func openSQLite(path string, log *slog.Logger) (*sqliteEngine, error) {
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
	e := &sqliteEngine{log: log, lock: lock}
	if e.w, err = sql.Open("sqlite", sqliteDSN(path, true)); err == nil {
		e.r, err = sql.Open("sqlite", sqliteDSN(path, false))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("store: %w", err), e.close())
	}
	return e, nil
}

// sqliteDSN names the file and the settings of a connection.
func sqliteDSN(path string, write bool) string {
	q := url.Values{
		"_busy_timeout": {"5000"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"on"},
		"_dqs":          {"0"}, // "x" is a name and nothing else, as on PostgreSQL
		"_pragma":       {"page_size(4096)", "wal_autocheckpoint(0)", "journal_size_limit(67108864)", "cache_size(-32768)"},
	}
	if !write {
		q["_query_only"] = []string{"on"}
		q["_pragma"] = []string{"cache_size(-8192)"}
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

func (e *sqliteEngine) multi() bool { return false }

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
	var errs []error
	for _, db := range []*sql.DB{e.r, e.w} { // the last to close empties the log
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(append(errs, e.lock.Close())...)
}

// sqliteSession is one connection and the statements prepared on it.
type sqliteSession struct {
	engine    *sqliteEngine
	conn      *sql.Conn
	beginText string
	stmts     map[string]*sql.Stmt
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
	_, err := s.conn.ExecContext(context.Background(), text)
	return sqliteError(err)
}

func (s *sqliteSession) begin() error       { return s.run(s.beginText) }
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

func (s *sqliteSession) upkeep() {}

func (s *sqliteSession) close() {
	for _, st := range s.stmts {
		st.Close()
	}
	drop(s.conn)
}

// sqliteError wraps err in ErrFull where that is what it means.
func sqliteError(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_FULL {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
