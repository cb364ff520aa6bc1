package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"detente/store"
)

// What monitoring is told: how long commits took that wrote something, and how much room the database takes.
func TestCommitsAreTimedAndTheDatabaseMeasured(t *testing.T) {
	ctx := t.Context()
	told := 0
	db, err := store.Open(ctx, store.Config{
		DSN: filepath.Join(t.TempDir(), "test.db"), Committed: func(time.Duration) { told++ },
		Schemas: []store.Schema{{Package: "test", Steps: []string{"CREATE TABLE things (n {bigint} NOT NULL)"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	before := told
	if err := db.Update(ctx, store.Calm, func(*store.Tx) error { return nil }); err != nil || told != before {
		t.Errorf("%v; an empty transaction is timed", err)
	}
	err = db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO things (n) VALUES ($1)", int64(1))
		return err
	})
	if err != nil || told != before+1 {
		t.Errorf("%v; told %d times of one commit", err, told-before)
	}
	data, ahead, err := db.Size(ctx)
	if err != nil || data == 0 || ahead == 0 {
		t.Errorf("size %d and %d, %v", data, ahead, err)
	}
}
