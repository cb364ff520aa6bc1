package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
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

// In a crowd each stands or falls alone, and hears its own error.
func testFailsAlone(t *testing.T, dsn string) {
	n := open(t, store.Config{DSN: dsn})
	var crowd sync.WaitGroup
	var want []int64
	for id := range int64(60) {
		if id%3 != 0 {
			want = append(want, id)
		}
		crowd.Go(func() {
			mine := fmt.Errorf("%d changed its mind", id)
			err := n.db.Update(n.ctx, store.Urgency(id%2), func(tx *store.Tx) error {
				if err := n.exec(tx, "INSERT INTO letter (id) VALUES ($1)", id); err != nil {
					return err
				}
				switch {
				case id%6 == 0:
					return mine
				case id%3 == 0:
					return n.exec(tx, "INSERT INTO letter (id) VALUES ($1)", id)
				}
				return nil
			})
			switch {
			case id%6 == 0 && err != mine, id%6 == 3 && err == nil, id%3 != 0 && err != nil:
				t.Errorf("%d got %v", id, err)
			}
		})
	}
	crowd.Wait()
	n.has(want...)
}

// A constraint that only COMMIT checks fails the one at fault, not those who share the commit.
func testFailsAtCommit(t *testing.T, dsn string) {
	n := open(t, store.Config{DSN: dsn})
	var crowd sync.WaitGroup
	n.together(func() {
		for id := range int64(5) {
			crowd.Go(func() {
				err := n.db.Update(n.ctx, store.Calm, func(tx *store.Tx) error {
					if id == 3 {
						return n.exec(tx, "INSERT INTO reply (id, letter) VALUES (1, 99)")
					}
					return n.exec(tx, "INSERT INTO letter (id) VALUES ($1)", id)
				})
				if (err != nil) != (id == 3) {
					t.Errorf("%d got %v", id, err)
				}
			})
		}
	})
	crowd.Wait()
	n.has(0, 1, 2, 4)
}

func testOneCommit(t *testing.T, dsn string) {
	commits := 0
	n := open(t, store.Config{DSN: dsn, Fault: func(step string) error {
		if step == "commit" {
			commits++
		}
		return nil
	}})
	var crowd sync.WaitGroup
	n.together(func() {
		for id := range int64(5) {
			crowd.Go(func() { n.insert(id) })
		}
	})
	crowd.Wait()
	n.has(0, 1, 2, 3, 4)
	if commits != 1 {
		t.Errorf("%d commits for six transactions that waited together", commits)
	}
}

func testUrgentFirst(t *testing.T, dsn string) {
	n := open(t, store.Config{DSN: dsn})
	var order []store.Urgency
	var crowd sync.WaitGroup
	n.together(func() {
		for i := range 8 {
			u := store.Urgency(i % 2)
			crowd.Go(func() {
				err := n.db.Update(n.ctx, u, func(tx *store.Tx) error {
					tx.AfterCommit(func() { order = append(order, u) })
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
	})
	crowd.Wait()
	const c, u = store.Calm, store.Urgent
	if want := []store.Urgency{u, u, u, u, c, c, c, c}; !slices.Equal(order, want) {
		t.Errorf("order of commit: %v", order)
	}
}

func testAfterCommit(t *testing.T, dsn string) {
	n := open(t, store.Config{DSN: dsn})
	var released []int64 // by one goroutine, the committer
	var crowd sync.WaitGroup
	for id := range int64(40) {
		crowd.Go(func() {
			n.db.Update(n.ctx, store.Calm, func(tx *store.Tx) error {
				var seen int64
				if err := tx.QueryRow(n.ctx, "SELECT COUNT(*) FROM letter").Scan(&seen); err != nil {
					return err
				}
				if err := n.exec(tx, "INSERT INTO letter (id) VALUES ($1)", id); err != nil {
					return err
				}
				tx.AfterCommit(func() { released = append(released, 2*seen) })
				tx.AfterCommit(func() { released = append(released, 2*seen+1) })
				if id%4 == 0 {
					return errors.New("no")
				}
				return nil
			})
		})
	}
	crowd.Wait()
	var want []int64
	for i := range int64(60) {
		want = append(want, i)
	}
	if !slices.Equal(released, want) {
		t.Errorf("released: %v", released)
	}
}

func testCancelledWhileQueued(t *testing.T, dsn string) {
	n := open(t, store.Config{DSN: dsn})
	ctx, cancel := context.WithCancel(n.ctx)
	n.together(func() {
		cancelled := make(chan error)
		go func() {
			cancelled <- n.db.Update(ctx, store.Calm, func(*store.Tx) error {
				t.Error("it began")
				return nil
			})
		}()
		synctest.Wait()
		cancel()
		if err := <-cancelled; err != context.Canceled {
			t.Errorf("Update returned %v", err)
		}
	})
	n.insert(1)
	n.has(1)
}

func testCancelledWhileRuns(t *testing.T, dsn string) {
	n := open(t, store.Config{DSN: dsn})
	ctx, cancel := context.WithCancel(n.ctx)
	err := n.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO letter (id) VALUES (1)"); err != nil {
			return err
		}
		cancel()
		_, err := tx.Exec(ctx, "INSERT INTO letter (id) VALUES (2)")
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a statement after the end: %v", err)
	}
	ctx, cancel = context.WithCancel(n.ctx)
	err = n.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		defer cancel()
		_, err := tx.Exec(ctx, "INSERT INTO letter (id) VALUES (3)")
		return err
	})
	if err != nil {
		t.Errorf("cancelled when all was done: %v", err)
	}
	n.has(3)
}

// A function that panics, or ends its goroutine, does so in its caller and harms nobody else.
func testPanic(t *testing.T, dsn string) {
	n := open(t, store.Config{DSN: dsn})
	leave := func(id int64, how func()) {
		n.db.Update(n.ctx, store.Calm, func(tx *store.Tx) error {
			if err := n.exec(tx, "INSERT INTO letter (id) VALUES ($1)", id); err != nil {
				t.Error(err)
			}
			how()
			return nil
		})
		t.Error("Update returned")
	}
	var crowd sync.WaitGroup
	n.together(func() {
		crowd.Go(func() { n.insert(1) })
		crowd.Go(func() {
			defer func() {
				if got := recover(); got != "ouch" {
					t.Errorf("recovered %v", got)
				}
			}()
			leave(2, func() { panic("ouch") })
		})
		crowd.Go(func() { leave(3, runtime.Goexit) })
		crowd.Go(func() { n.insert(4) })
	})
	crowd.Wait()
	n.has(1, 4)
}

// Each step of an Update failed, and failed although it had been done.
func testCrashTable(t *testing.T, dsn string) {
	broken := errors.New("broken")
	var fail string
	n := open(t, store.Config{DSN: dsn, Fault: func(step string) error {
		if step == fail {
			return broken
		}
		return nil
	}})
	for i, c := range []struct {
		step    string
		unknown bool
	}{{"begin", false}, {"write", false}, {"commit", false}, {"committed", true}} {
		fail = c.step
		var crowd sync.WaitGroup
		for id := int64(10 * i); id < int64(10*i+3); id++ {
			crowd.Go(func() {
				err := n.db.Update(n.ctx, store.Calm, func(tx *store.Tx) error {
					tx.AfterCommit(func() { t.Errorf("%s failed: but released", c.step) })
					return n.exec(tx, "INSERT INTO letter (id) VALUES ($1)", id)
				})
				if !errors.Is(err, broken) || errors.Is(err, store.ErrUnknownOutcome) != c.unknown {
					t.Errorf("%s failed: Update %d returned %v", c.step, id, err)
				}
			})
		}
		crowd.Wait()
		fail = ""
	}
	n.reopen()
	n.has(30, 31, 32)
	n.insert(1)
	n.has(1, 30, 31, 32)
}

// A full disk fails the one who wants more room, and the others go on.
func testDiskFull(t *testing.T, dsn string) {
	n := open(t, store.Config{DSN: dsn})
	n.insert(1)
	fill := func(tx *store.Tx) error {
		// The server cannot be filled up in a test; it can say that it is.
		return n.exec(tx, "DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$")
	}
	if !n.db.Multi() {
		fill = func(tx *store.Tx) error {
			if err := tx.QueryRow(n.ctx, "PRAGMA max_page_count = 40").Scan(new(int)); err != nil {
				return err
			}
			return n.exec(tx, "INSERT INTO letter (id, body) VALUES (2, $1)", make([]byte, 1<<20))
		}
	}
	var crowd sync.WaitGroup
	n.together(func() {
		crowd.Go(func() { n.insert(3) })
		crowd.Go(func() {
			if err := n.db.Update(n.ctx, store.Calm, fill); !errors.Is(err, store.ErrFull) {
				t.Errorf("full: %v", err)
			}
		})
		crowd.Go(func() { n.insert(4) })
	})
	crowd.Wait()
	n.has(1, 3, 4)
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
