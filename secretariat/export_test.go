package secretariat

import (
	"context"
	"log/slog"

	"detente/canonical"
	"detente/statement"
	"detente/store"
)

// FileOf writes a file of a session, of whatever stands in it.
func FileOf(session statement.ID, sealed ...[]byte) []byte {
	if sealed == nil {
		sealed = [][]byte{}
	}
	b, err := canonical.Marshal(file{Kind: fileKind, Session: session[:], Sealed: sealed})
	if err != nil {
		panic(err)
	}
	return b
}

// Count counts what is kept of sessions.
func Count(ctx context.Context, db *store.DB, n *int) error {
	return db.View(ctx, func(tx *store.Tx) error { return tx.QueryRow(ctx, `SELECT count(*) FROM secretariat_said`).Scan(n) })
}

// Silent is a secretariat that only sends letters.
func Silent(log *slog.Logger) *Secretariat { return &Secretariat{log: log} }
