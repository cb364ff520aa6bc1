//go:build js

package store

import (
	"context"
	"errors"
	"log/slog"
)

// In a browser there is no database: what reads evidence is compiled for it (cmd/verifier), and that opens none. Neither engine is linked.

func postgresDSN(dsn string) (string, bool) { return dsn, false }

func openPostgres(context.Context, string, *slog.Logger) (engine, error) {
	return nil, errors.ErrUnsupported
}

func openSQLite(string) (engine, error) { return nil, errors.ErrUnsupported }
