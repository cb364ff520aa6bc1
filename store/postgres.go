//go:build !js

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// One key for all: the schema is changed by one process at a time.
const schemaLock = "SELECT pg_advisory_xact_lock(7232391480301847917)"

// postgresDSN returns what pgx understands, and whether dsn means PostgreSQL at all.
func postgresDSN(dsn string) (string, bool) {
	if rest, ok := strings.CutPrefix(dsn, "postgres "); ok {
		return rest, true
	}
	return dsn, strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// pgEngine is one PostgreSQL database, shared with other processes of the party.
type pgEngine struct {
	db *sql.DB
}

func openPostgres(ctx context.Context, dsn string, log *slog.Logger) (*pgEngine, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	for name, value := range map[string]string{
		"application_name": "detente",
		// A process that hangs inside a transaction must not hold its rows against the others for ever.
		"idle_in_transaction_session_timeout": "30s",
	} {
		if _, set := config.RuntimeParams[name]; !set {
			config.RuntimeParams[name] = value
		}
	}
	config.RuntimeParams["client_min_messages"] = "warning" // commit needs them
	if config.ValidateConnect == nil {                      // of several hosts, the one that takes writes
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	// The committer waits for the server without a deadline, so a server that lost its power has to be noticed.
	config.DialFunc = (&net.Dialer{
		Timeout:         maxConnect,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3},
	}).DialContext
	// When the wait for a synchronous standby is cancelled, COMMIT succeeds, and a warning is all that tells.
	config.OnNotice = func(c *pgconn.PgConn, n *pgconn.Notice) {
		if w, ok := c.CustomData()[warningKey].(*warning); ok && n.SeverityUnlocalized == "WARNING" {
			w.text = n.Message
		}
	}
	e := &pgEngine{db: stdlib.OpenDB(*config)}
	var synchronous, fsync string
	err = e.db.QueryRowContext(ctx, "SELECT current_setting('synchronous_commit'), current_setting('fsync')").Scan(&synchronous, &fsync)
	if err == nil && synchronous == "off" {
		err = errors.New("PostgreSQL has synchronous_commit = off: it would acknowledge what it can still lose")
	}
	if err != nil {
		e.db.Close()
		return nil, fmt.Errorf("store: %w", err)
	}
	if fsync == "off" {
		log.Warn("store: PostgreSQL has fsync = off: a power cut can lose what it acknowledged")
	}
	return e, nil
}

func (e *pgEngine) multi() bool { return true }

func (e *pgEngine) size(ctx context.Context, tx *Tx) (data, ahead int64, err error) {
	err = tx.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&data)
	return data, 0, err
}

func (e *pgEngine) types() *strings.Replacer {
	return strings.NewReplacer("{bytes}", "BYTEA", "{bigint}", "BIGINT", "{rowkey}", "BIGINT PRIMARY KEY")
}

const warningKey = "detente.warning"

// warning is the last warning that the server sent on a connection.
type warning struct{ text string }

func (e *pgEngine) connect(ctx context.Context, write bool) (session, error) {
	c, err := e.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	s := &pgSession{conn: c, beginText: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}
	if write {
		s.beginText = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
	}
	err = c.Raw(func(dc any) error {
		s.pg = dc.(*stdlib.Conn).Conn().PgConn()
		s.pg.CustomData()[warningKey] = &s.warning
		return nil
	})
	if err != nil {
		drop(c)
		return nil, err
	}
	return s, nil
}

func (e *pgEngine) close() error { return e.db.Close() }

// pgSession is one connection; pgx keeps the statements prepared on it.
type pgSession struct {
	conn      *sql.Conn
	pg        *pgconn.PgConn
	beginText string
	warning   warning
}

func (s *pgSession) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	res, err := s.conn.ExecContext(ctx, query, args...)
	return res, s.wrap(err)
}

func (s *pgSession) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	rows, err := s.conn.QueryContext(ctx, query, args...)
	return rows, s.wrap(err)
}

func (s *pgSession) run(text string) error {
	_, err := s.pg.Exec(context.Background(), text).ReadAll()
	return s.wrap(err)
}

func (s *pgSession) script(text string) error { return s.run(text) }

func (s *pgSession) begin() error { return s.run(s.beginText) }

func (s *pgSession) beginSchema() error {
	if err := s.begin(); err != nil {
		return err
	}
	return s.run(schemaLock)
}

// commit commits. The server's ERROR means that nothing was kept; so does the answer ROLLBACK. Anything else but
// a clean answer (a lost connection, a server going down, the warning that the wait for a synchronous
// standby was cancelled) leaves it open. pgconn.SafeToRetry is of no use here: for a connection that breaks while
// the answer is read it says that nothing was sent.
func (s *pgSession) commit() error {
	if s.pg.IsClosed() {
		return s.wrap(errors.New("connection lost before COMMIT"))
	}
	s.warning.text = ""
	results, err := s.pg.Exec(context.Background(), "COMMIT").ReadAll()
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.SeverityUnlocalized == "ERROR" {
		return s.wrap(err)
	}
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
	case s.warning.text != "":
		return fmt.Errorf("%w: %s", ErrUnknownOutcome, s.warning.text)
	case len(results) != 1 || results[0].CommandTag.String() != "COMMIT":
		return errors.New("PostgreSQL rolled back")
	}
	return nil
}

func (s *pgSession) upkeep() error { return nil }

func (s *pgSession) close() { drop(s.conn) }

// wrap wraps err in ErrFull or errRetry where that is what it means.
func (s *pgSession) wrap(err error) error {
	if err == nil {
		return nil
	}
	var code string
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		code = e.Code
	}
	switch {
	case code == "53100":
		return fmt.Errorf("%w: %w", ErrFull, err)
	case code == "40001", code == "40P01", s.pg.IsClosed():
		return fmt.Errorf("%w: %w", errRetry, err)
	}
	return err
}
