// Package storetest opens databases for the tests of packages that own tables.
// It must never be imported by anything but tests.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"detente/store"
)

// Open opens a new SQLite database in t.TempDir, closed when t ends.
func Open(t *testing.T, schemas ...store.Schema) *store.DB {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "node.db"), schemas)
}

// Each runs fn on SQLite and, when DETENTE_TEST_PG holds a DSN, on PostgreSQL too. Each call of open gives a
// new, empty database.
func Each(t *testing.T, fn func(t *testing.T, open func(schemas ...store.Schema) *store.DB)) {
	t.Run("sqlite", func(t *testing.T) {
		fn(t, func(schemas ...store.Schema) *store.DB { return Open(t, schemas...) })
	})
	t.Run("postgres", func(t *testing.T) {
		fn(t, func(schemas ...store.Schema) *store.DB { return open(t, Postgres(t), schemas) })
	})
}

// Postgres returns the DSN of a new, empty schema of the test server, dropped when t ends; it skips t
// when there is no server.
func Postgres(t testing.TB) string {
	t.Helper()
	dsn := os.Getenv("DETENTE_TEST_PG")
	if dsn == "" {
		t.Skip("DETENTE_TEST_PG is not set")
	}
	dsn = strings.TrimPrefix(dsn, "postgres ")
	server, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := "t" + strings.ToLower(rand.Text())
	if _, err := server.Exec("CREATE SCHEMA " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := server.Exec("DROP SCHEMA " + name + " CASCADE"); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	if u, err := url.Parse(dsn); err == nil && u.Scheme != "" {
		q := u.Query()
		q.Set("search_path", name)
		u.RawQuery = q.Encode()
		return u.String()
	}
	return "postgres " + dsn + " search_path=" + name
}

func open(t *testing.T, dsn string, schemas []store.Schema) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), store.Config{DSN: dsn, Schemas: schemas})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
