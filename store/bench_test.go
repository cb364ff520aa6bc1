package store_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"detente/store"
	"detente/store/storetest"
)

var benchSchema = store.Schema{Package: "bench", Steps: []string{
	"CREATE TABLE entry (id {rowkey}, body {bytes} NOT NULL)",
}}

const benchInsert = "INSERT INTO entry (id, body) VALUES ($1, $2)"

// Two floors: what the disk takes for one sync, and what SQLite takes for one commit with nothing of ours around it.

func BenchmarkFloorFsync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	each(b, func(int64) error {
		if _, err := f.Write(page); err != nil {
			return err
		}
		return f.Sync()
	})
}

func BenchmarkFloorCommit(b *testing.B) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "bare.db")+"?_journal_mode=WAL&_synchronous=FULL")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE entry (id INTEGER PRIMARY KEY, body BLOB NOT NULL)"); err != nil {
		b.Fatal(err)
	}
	insert, err := db.Prepare(benchInsert)
	if err != nil {
		b.Fatal(err)
	}
	body := make([]byte, 500)
	each(b, func(n int64) error {
		_, err := insert.Exec(n, body)
		return err
	})
}

func BenchmarkUpdate1(b *testing.B) {
	engines(b, func(b *testing.B, db *store.DB) {
		body := make([]byte, 500)
		each(b, func(n int64) error { return insertOne(db, store.Calm, n, body) })
	})
}

func BenchmarkUpdate64(b *testing.B) {
	engines(b, func(b *testing.B, db *store.DB) {
		body := make([]byte, 500)
		var n atomic.Int64
		var callers sync.WaitGroup
		b.ResetTimer()
		for range 64 {
			callers.Go(func() {
				for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
					if err := insertOne(db, store.Calm, i, body); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		callers.Wait()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
	})
}

// BenchmarkUrgent measures one urgent Update at a time while 64 callers keep the committer busy.
func BenchmarkUrgent(b *testing.B) {
	engines(b, func(b *testing.B, db *store.DB) {
		body := make([]byte, 500)
		ctx, stop := context.WithCancel(context.Background())
		var n atomic.Int64
		var callers sync.WaitGroup
		for range 64 {
			callers.Go(func() {
				for ctx.Err() == nil {
					if err := insertOne(db, store.Calm, n.Add(1), body); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		each(b, func(int64) error { return insertOne(db, store.Urgent, n.Add(1), body) })
		stop()
		callers.Wait()
	})
}

func BenchmarkBulkInsert(b *testing.B) {
	engines(b, func(b *testing.B, db *store.DB) {
		body := make([]byte, 500)
		ctx := context.Background()
		b.ResetTimer()
		for n := 0; n < b.N; {
			start := n
			err := db.Update(ctx, store.Calm, func(tx *store.Tx) error {
				n = start
				for ; n < min(start+10_000, b.N); n++ {
					if _, err := tx.Exec(ctx, benchInsert, n, body); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

func BenchmarkView(b *testing.B) {
	engines(b, func(b *testing.B, db *store.DB) {
		if err := insertOne(db, store.Calm, 1, make([]byte, 500)); err != nil {
			b.Fatal(err)
		}
		ctx := context.Background()
		each(b, func(int64) error {
			return db.View(ctx, func(tx *store.Tx) error {
				_, err := store.One(ctx, tx, func(p *[]byte) []any { return []any{p} }, "SELECT body FROM entry WHERE id = $1", 1)
				return err
			})
		})
	})
}

func insertOne(db *store.DB, u store.Urgency, n int64, body []byte) error {
	ctx := context.Background()
	return db.Update(ctx, u, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, benchInsert, n, body)
		return err
	})
}

// each runs op b.N times, one after the other, and reports the median and the 99th of 100.
func each(b *testing.B, op func(n int64) error) {
	took := make([]time.Duration, b.N)
	b.ResetTimer()
	for n := range took {
		start := time.Now()
		if err := op(int64(n) + 1); err != nil {
			b.Fatal(err)
		}
		took[n] = time.Since(start)
	}
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

func engines(b *testing.B, bench func(b *testing.B, db *store.DB)) {
	open := func(b *testing.B, dsn string) {
		db, err := store.Open(context.Background(), store.Config{DSN: dsn, Schemas: []store.Schema{benchSchema}})
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		bench(b, db)
	}
	b.Run("sqlite", func(b *testing.B) { open(b, filepath.Join(b.TempDir(), "node.db")) })
	b.Run("postgres", func(b *testing.B) { open(b, storetest.Postgres(b)) })
}
