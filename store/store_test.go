package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"detente/store"
	"detente/store/storetest"
)

var letters = store.Schema{Package: "letter", Steps: []string{
	`CREATE TABLE letter (id {rowkey}, body {bytes}, note TEXT, weight DOUBLE PRECISION);
	 CREATE TABLE reply (id {rowkey}, letter {bigint} NOT NULL REFERENCES letter (id) DEFERRABLE INITIALLY DEFERRED);`,
}}

func TestSQLite(t *testing.T) {
	testStore(t, func(t *testing.T) string { return filepath.Join(t.TempDir(), "it's a node?#%41.db") })
}

func TestPostgres(t *testing.T) {
	storetest.Postgres(t)
	testStore(t, func(t *testing.T) string { return storetest.Postgres(t) })
}

// testStore is what both engines must do alike. newDSN names a new, empty database. Each test runs in a bubble of fake
// time, as the simulation of whole nodes does: there nothing may poll, and nothing may stay behind after Close.
func testStore(t *testing.T, newDSN func(t *testing.T) string) {
	for name, test := range map[string]func(t *testing.T, dsn string){
		"Values":               testValues,
		"View":                 testView,
		"Refused":              testRefused,
		"FailsAlone":           testFailsAlone,
		"FailsAtCommit":        testFailsAtCommit,
		"OneCommit":            testOneCommit,
		"UrgentFirst":          testUrgentFirst,
		"AfterCommit":          testAfterCommit,
		"CancelledWhileQueued": testCancelledWhileQueued,
		"CancelledWhileRuns":   testCancelledWhileRuns,
		"Panic":                testPanic,
		"CrashTable":           testCrashTable,
		"DiskFull":             testDiskFull,
		"Schema":               testSchema,
		"Close":                testClose,
	} {
		t.Run(name, func(t *testing.T) {
			dsn := newDSN(t)
			synctest.Test(t, func(t *testing.T) { test(t, dsn) })
		})
	}
	t.Run("Kill", func(t *testing.T) { testKill(t, newDSN(t)) })
}

func testValues(t *testing.T, dsn string) {
	n := open(t, store.Config{DSN: dsn})
	type row struct {
		ID     int64
		Body   []byte
		Note   string
		Weight float64
	}
	want := []row{
		{-1 << 63, []byte{0, 255, 0}, "Россия – 中国 – العربية", 0.1},
		{0, []byte{}, "", -1e300},
		{1<<63 - 1, nil, "it's \"quoted\" $1 ? {bytes}", 0},
	}
	n.update(func(tx *store.Tx) error {
		for _, r := range want {
			// The order of the placeholders is not the order of the arguments.
			_, err := tx.Exec(n.ctx, "INSERT INTO letter (weight, note, body, id) VALUES ($4, $3, $2, $1)", r.ID, r.Body, r.Note, r.Weight)
			if err != nil {
				return err
			}
		}
		return nil
	})
	n.view(func(tx *store.Tx) error {
		got, err := store.All(n.ctx, tx, func(r *row) []any { return []any{&r.ID, &r.Body, &r.Note, &r.Weight} },
			"SELECT id, body, note, weight FROM letter ORDER BY id")
		if err != nil {
			return err
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
		null, err := store.One(n.ctx, tx, func(id *int64) []any { return []any{id} }, "SELECT id FROM letter WHERE body IS NULL")
		if err != nil || null != 1<<63-1 {
			t.Errorf("a nil []byte is NULL: got %d, %v", null, err)
		}
		return nil
	})

	n.update(func(tx *store.Tx) error {
		var r row
		err := tx.QueryRow(n.ctx, `INSERT INTO letter (id, weight) VALUES ($1, 1)
			ON CONFLICT (id) DO UPDATE SET weight = excluded.weight + 6 RETURNING id, weight`, 0).Scan(&r.ID, &r.Weight)
		if err != nil || r.ID != 0 || r.Weight != 7 {
			t.Errorf("upsert returned %d, %g, %v", r.ID, r.Weight, err)
		}
		res, err := tx.Exec(n.ctx, "INSERT INTO letter (id) VALUES ($1), ($2) ON CONFLICT DO NOTHING", 0, 5)
		if err != nil {
			return err
		}
		if rows, err := res.RowsAffected(); rows != 1 || err != nil {
			t.Errorf("one of two rows was new, got %d, %v", rows, err)
		}
		_, err = tx.Query(n.ctx, "SELECT id FROM letter WHERE id = $1"+tx.ForUpdate(), 5)
		return err // the rows left open are closed for us
	})
}

func testView(t *testing.T, dsn string) {
	n := open(t, store.Config{DSN: dsn})
	n.insert(1)
	n.view(func(tx *store.Tx) error {
		if got := n.ids(tx); !slices.Equal(got, []int64{1}) {
			t.Errorf("before: %v", got)
		}
		n.insert(2) // beside the View
		if got := n.ids(tx); !slices.Equal(got, []int64{1}) {
			t.Errorf("the snapshot has changed: %v", got)
		}
		return nil
	})
	n.has(1, 2)

	want := errors.New("mine")
	if err := n.db.View(n.ctx, func(*store.Tx) error { return want }); err != want {
		t.Errorf("View returned %v", err)
	}
	err := n.db.View(n.ctx, func(tx *store.Tx) error {
		_, err := store.All(n.ctx, tx, func(id *int64) []any { return []any{id} }, "INSERT INTO letter (id) VALUES (3) RETURNING id")
		return err
	})
	if err == nil {
		t.Error("a View has written")
	}
	n.has(1, 2)

	// A View whose reader gave up does not spoil the connection for the next.
	for range 10 {
		ctx, cancel := context.WithCancel(n.ctx)
		err = n.db.View(ctx, func(tx *store.Tx) error {
			rows, err := tx.Query(ctx, "WITH RECURSIVE endless (x) AS (SELECT 1 UNION ALL SELECT 1 FROM endless) SELECT x FROM endless")
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				cancel()
			}
			return rows.Err()
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled View: %v", err)
		}
	}
	n.has(1, 2)
}

// What one engine would forgive and the other not is refused on both.
func testRefused(t *testing.T, dsn string) {
	n := open(t, store.Config{DSN: dsn})
	n.insert(1)
	for name, c := range map[string]struct {
		fn   func(tx *store.Tx) error
		want string
	}{
		"error ignored": {func(tx *store.Tx) error {
			n.exec(tx, "INSERT INTO letter (id) VALUES (1)")
			return nil
		}, "went on after a statement that failed"},
		"next statement after an error": {func(tx *store.Tx) error {
			n.exec(tx, "INSERT INTO nowhere (id) VALUES (1)")
			return n.exec(tx, "INSERT INTO letter (id) VALUES (2)")
		}, "nowhere"},
		"rows still open": {func(tx *store.Tx) error {
			rows, err := tx.Query(n.ctx, "SELECT id FROM letter")
			if err != nil {
				return err
			}
			defer rows.Close()
			return n.exec(tx, "INSERT INTO letter (id) VALUES (2)")
		}, "still open"},
		"a name taken for a text": {func(tx *store.Tx) error {
			return n.exec(tx, `INSERT INTO letter (id, note) VALUES (2, "text")`)
		}, "text"},
	} {
		err := n.db.Update(n.ctx, store.Calm, c.fn)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var kept *store.Tx
	n.update(func(tx *store.Tx) error { kept = tx; return nil })
	if err := n.exec(kept, "SELECT 1"); err == nil || !strings.Contains(err.Error(), "over") {
		t.Errorf("used after its end: %v", err)
	}
	err := n.db.View(n.ctx, func(tx *store.Tx) error { return n.exec(tx, "DELETE FROM letter") })
	if err == nil || !strings.Contains(err.Error(), "Exec inside a View") {
		t.Errorf("Exec inside a View: %v", err)
	}
	n.has(1)
}

func testSchema(t *testing.T, dsn string) {
	ctx := t.Context()
	step := func(n int, text string) store.Schema {
		return store.Schema{Package: "case", Steps: slices.Repeat([]string{text}, n)}
	}
	const count = "CREATE TABLE IF NOT EXISTS tally (n {bigint}); INSERT INTO tally VALUES (1)"
	try := func(schemas ...store.Schema) (int, error) {
		db, err := store.Open(ctx, store.Config{DSN: dsn, Schemas: schemas})
		if err != nil {
			return 0, err
		}
		defer db.Close()
		var n int
		err = db.View(ctx, func(tx *store.Tx) error { return tx.QueryRow(ctx, "SELECT COUNT(*) FROM tally").Scan(&n) })
		return n, err
	}
	for _, want := range []int{1, 1, 3, 3, 4} { // each step once
		if n, err := try(step(want, count)); n != want || err != nil {
			t.Errorf("%d steps: applied %d, %v", want, n, err)
		}
	}
	if _, err := try(step(3, count)); !errors.Is(err, store.ErrNewerSchema) {
		t.Errorf("one step is unknown: %v", err)
	}
	if _, err := try(); !errors.Is(err, store.ErrNewerSchema) {
		t.Errorf("the package is unknown: %v", err)
	}
	if _, err := try(step(4, count+" ")); err == nil || !strings.Contains(err.Error(), "edited") {
		t.Errorf("an edited step: %v", err)
	}
	bad := step(6, count)
	bad.Steps[5] = "CREATE TABLE tally (n {bigint})"
	if _, err := try(bad); err == nil {
		t.Error("a step that failed went unnoticed")
	}
	if n, err := try(step(4, count)); n != 4 || err != nil {
		t.Errorf("after a step that failed: %d applied, %v", n, err)
	}
	if _, err := try(step(4, count), step(4, count)); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a package named twice: %v", err)
	}
}

func testClose(t *testing.T, dsn string) {
	n := open(t, store.Config{DSN: dsn})
	closed := make(chan error)
	var crowd sync.WaitGroup
	n.together(func() {
		crowd.Go(func() {
			if err := n.db.Update(n.ctx, store.Calm, func(*store.Tx) error { return nil }); err != store.ErrClosed {
				t.Errorf("queued: %v", err)
			}
		})
		synctest.Wait()
		go func() { closed <- n.db.Close() }()
	})
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := n.db.Update(n.ctx, store.Calm, func(*store.Tx) error { return nil }); err != store.ErrClosed {
		t.Errorf("Update after Close: %v", err)
	}
	if err := n.db.View(n.ctx, func(*store.Tx) error { return nil }); err != store.ErrClosed {
		t.Errorf("View after Close: %v", err)
	}
	if err := n.db.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	n.reopen()
	n.has()
}

// Time passes while a node sleeps; its database neither minds nor wakes up.
func TestFakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := open(t, store.Config{DSN: filepath.Join(t.TempDir(), "node.db")})
		for id := range int64(3) {
			n.insert(id)
			time.Sleep(24 * time.Hour)
		}
		n.has(0, 1, 2)
	})
}

// node is an open database and the words that the tests use for it.
type node struct {
	t      *testing.T
	ctx    context.Context
	config store.Config
	db     *store.DB
}

func open(t *testing.T, c store.Config) *node {
	t.Helper()
	if c.Schemas == nil {
		c.Schemas = []store.Schema{letters}
	}
	n := &node{t: t, ctx: t.Context(), config: c}
	n.reopen()
	t.Cleanup(func() {
		if err := n.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func (n *node) reopen() {
	n.t.Helper()
	if n.db != nil {
		if err := n.db.Close(); err != nil {
			n.t.Fatal(err)
		}
	}
	db, err := store.Open(n.ctx, n.config)
	if err != nil {
		n.t.Fatal(err)
	}
	n.db = db
}

func (n *node) exec(tx *store.Tx, query string, args ...any) error {
	_, err := tx.Exec(n.ctx, query, args...)
	return err
}

func (n *node) update(fn func(tx *store.Tx) error) {
	n.t.Helper()
	if err := n.db.Update(n.ctx, store.Calm, fn); err != nil {
		n.t.Errorf("Update: %v", err)
	}
}

func (n *node) view(fn func(tx *store.Tx) error) {
	n.t.Helper()
	if err := n.db.View(n.ctx, fn); err != nil {
		n.t.Errorf("View: %v", err)
	}
}

func (n *node) insert(id int64) {
	n.t.Helper()
	n.update(func(tx *store.Tx) error { return n.exec(tx, "INSERT INTO letter (id) VALUES ($1)", id) })
}

func (n *node) ids(tx *store.Tx) []int64 {
	n.t.Helper()
	ids, err := store.All(n.ctx, tx, func(id *int64) []any { return []any{id} }, "SELECT id FROM letter ORDER BY id")
	if err != nil {
		n.t.Error(err)
	}
	return ids
}

// has checks which letters there are.
func (n *node) has(want ...int64) {
	n.t.Helper()
	n.view(func(tx *store.Tx) error {
		if got := n.ids(tx); !slices.Equal(got, want) {
			n.t.Errorf("letters %v, want %v", got, want)
		}
		return nil
	})
}

// together keeps the committer busy until all that start has begun is queued.
func (n *node) together(start func()) {
	var begun sync.Once
	running, release := make(chan struct{}), make(chan struct{})
	go n.db.Update(n.ctx, store.Calm, func(*store.Tx) error {
		begun.Do(func() { close(running) })
		<-release
		return nil
	})
	<-running
	start()
	synctest.Wait()
	close(release)
}
