package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// session is one connection, used by one goroutine at a time. Its errors are wrapped in ErrFull and errRetry
// where they apply.
type session interface {
	// begin begins a transaction: of a writer, or the snapshot of a reader.
	begin() error
	// beginSchema begins the transaction that changes the tables, and keeps other processes out of it.
	beginSchema() error
	exec(ctx context.Context, query string, args []any) (sql.Result, error)
	query(ctx context.Context, query string, args []any) (*sql.Rows, error)
	// run runs one statement without arguments, script perhaps several.
	run(text string) error
	script(text string) error
	// commit returns nil when the transaction is durable, ErrUnknownOutcome when that cannot be
	// known, and any other error when nothing was kept.
	commit() error
	// upkeep does what has to be done between transactions. After an error nothing more may be written.
	upkeep() error
	close()
}

// drop closes the connection itself instead of giving it back to database/sql's pool: whatever was under way is undone.
func drop(c *sql.Conn) {
	_ = c.Raw(func(any) error { return driver.ErrBadConn })
	_ = c.Close()
}
