package store

import (
	"context"
	"database/sql"
	"errors"
)

var (
	errEnded = errors.New("store: the transaction is over")
	errRows  = errors.New("store: the rows of the last Query are still open")
	errView  = errors.New("store: Exec inside a View")
)

// Tx is a transaction. It is used by one goroutine, and not after the function it was given to.
type Tx struct {
	db    *DB
	s     session
	write bool
	rows  *sql.Rows // of the last Query
	err   error     // of the first statement that failed: no other runs after it
	after []func()  // released by commit
	wrote bool      // a statement was run that may have written
}

// Exec runs a statement that returns no rows.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	ctx, err := tx.ready(ctx)
	if err != nil {
		return nil, err
	}
	if !tx.write {
		return nil, tx.failed(errView)
	}
	if err := tx.db.fault("write"); err != nil {
		return nil, tx.failed(err)
	}
	tx.wrote = true
	res, err := tx.s.exec(ctx, query, args)
	return res, tx.failed(err)
}

// Query runs a statement that returns rows. They are read to their end or closed before the next statement.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	ctx, err := tx.ready(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := tx.s.query(ctx, query, args)
	if err != nil {
		return nil, tx.failed(err)
	}
	tx.rows = rows
	return rows, nil
}

// QueryRow runs a statement of which the first row is wanted.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) *Row {
	rows, err := tx.Query(ctx, query, args...)
	return &Row{tx, rows, err}
}

// AfterCommit has fn called once the transaction is durable, in the order of the commits and, within one
// transaction, of the calls. It is not called when the transaction failed or its outcome is unknown.
// All writers wait for fn: it hands something on (to a channel with room, a map) and returns; above all
// it does not call Update.
func (tx *Tx) AfterCommit(fn func()) { tx.after = append(tx.after, fn) }

// ForUpdate is what a SELECT ends with to hold its rows against other processes until commit:
// " FOR UPDATE" on PostgreSQL, nothing on SQLite, where there is one writer at a time.
func (tx *Tx) ForUpdate() string {
	if tx.db.Multi() {
		return " FOR UPDATE"
	}
	return ""
}

// ready returns the context for the next statement, or why there can be none.
func (tx *Tx) ready(ctx context.Context) (context.Context, error) {
	if tx.err != nil {
		return nil, tx.err
	}
	if err := ctx.Err(); err != nil {
		return nil, tx.failed(err)
	}
	if tx.rows != nil {
		if _, err := tx.rows.Columns(); err == nil { // Columns fails on closed rows only
			return nil, tx.failed(errRows)
		}
		tx.rows = nil
	}
	if tx.write {
		// An interrupted statement would take with it the other transactions of the batch.
		return context.Background(), nil
	}
	return ctx, nil
}

// failed notes the first error of the transaction.
func (tx *Tx) failed(err error) error {
	if err != nil && tx.err == nil {
		tx.err = err
	}
	return err
}

// end makes the transaction unusable and returns the error of the statement that failed in it, if any.
func (tx *Tx) end() error {
	if tx.rows != nil {
		tx.rows.Close()
		tx.failed(tx.rows.Err())
	}
	err := tx.err
	tx.err = errEnded
	return err
}

// Row is the result of QueryRow.
type Row struct {
	tx   *Tx
	rows *sql.Rows
	err  error
}

// Scan copies the columns of the row into dest as [sql.Rows.Scan] does. It returns ErrNotFound when there is none.
func (r *Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.tx.failed(r.rows.Err()); err != nil {
			return err
		}
		return ErrNotFound
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	return r.tx.failed(r.rows.Close())
}

// All returns every row of a query as a T; fields names the places that the columns of one row go to:
//
//	store.All(ctx, tx, func(e *entry) []any { return []any{&e.Number, &e.Bytes} }, "SELECT number, bytes FROM …")
func All[T any](ctx context.Context, tx *Tx, fields func(*T) []any, query string, args ...any) ([]T, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var t T
		if err := rows.Scan(fields(&t)...); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, tx.failed(rows.Err())
}

// One returns the first row of a query as a T, or ErrNotFound.
func One[T any](ctx context.Context, tx *Tx, fields func(*T) []any, query string, args ...any) (T, error) {
	var t T
	err := tx.QueryRow(ctx, query, args...).Scan(fields(&t)...)
	return t, err
}
