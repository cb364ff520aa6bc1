package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"detente/store"
)

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
