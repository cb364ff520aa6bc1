package watch_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"detente/store"
	"detente/store/storetest"
	"detente/watch"
)

// A call is claimed by one process, taken over when that one is dead, and never again once its outcome is known.
func TestClaims(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(...store.Schema) *store.DB) { claims(t, open(watch.Schema())) })
}

func claims(t *testing.T, db *store.DB) {
	begun := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	claim := func(process string, after time.Duration) bool {
		t.Helper()
		c := &watch.Call{Item: "acknowledge:1", Officer: "anna", Means: "mail", Role: "duty-officer", Process: process, Claimed: begun.Add(after)}
		mine := false
		err := db.Update(t.Context(), store.Urgent, func(tx *store.Tx) (err error) {
			mine, err = watch.Claim(t.Context(), tx, c, 2*time.Minute)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return mine
	}
	if !claim("a", 0) {
		t.Error("the first claim")
	}
	if claim("b", time.Minute) {
		t.Error("taken over from a process that may be alive")
	}
	if !claim("a", time.Minute) {
		t.Error("a process does not know its own claim again")
	}
	if claim("b", 2*time.Minute) {
		t.Error("taken over although it was claimed anew")
	}
	if !claim("b", 4*time.Minute) {
		t.Error("not taken over from a dead process")
	}
	err := db.Update(t.Context(), store.Urgent, func(tx *store.Tx) error {
		return watch.Settle(t.Context(), tx, &watch.Call{
			Item: "acknowledge:1", Officer: "anna", Means: "mail", Outcome: watch.Failed, Ended: begun.Add(5 * time.Minute), Detail: "no such mailbox",
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if claim("a", time.Hour) || claim("b", time.Hour) {
		t.Error("claimed again after its outcome was known")
	}
	var calls []watch.Call
	if err := db.View(t.Context(), func(tx *store.Tx) (err error) {
		calls, err = watch.Calls(t.Context(), tx, begun)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if len(calls) != 1 || calls[0].Tries != 3 || calls[0].Process != "b" || calls[0].Outcome != watch.Failed || calls[0].Detail != "no such mailbox" {
		t.Errorf("%+v", calls)
	}
}

// What the journal is to say once is said by one process, unless that one died.
func TestActs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(...store.Schema) *store.DB) { acts(t, open(watch.Schema())) })
}

func acts(t *testing.T, db *store.DB) {
	begun := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	act := func(process string, after time.Duration) (mine bool) {
		t.Helper()
		if err := db.Update(t.Context(), store.Calm, func(tx *store.Tx) (err error) {
			mine, err = watch.Act(t.Context(), tx, "acknowledge:1", "raised", process, begun.Add(after), 2*time.Minute)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return mine
	}
	if !act("a", 0) || act("b", time.Minute) || !act("b", 3*time.Minute) {
		t.Error("claims of what is to be written")
	}
	if err := db.Update(t.Context(), store.Calm, func(tx *store.Tx) error { return watch.Acted(t.Context(), tx, "acknowledge:1", "raised") }); err != nil {
		t.Fatal(err)
	}
	if act("a", time.Hour) || act("b", time.Hour) {
		t.Error("to be written again")
	}
}

// A claim of which the outcome was lost is there, or is not: asked again, the same process has it.
func TestClaimWithUnknownOutcome(t *testing.T) {
	fail := ""
	db, err := store.Open(t.Context(), store.Config{
		DSN: t.TempDir() + "/watch.db", Schemas: []store.Schema{watch.Schema()},
		Fault: func(step string) error {
			if step == fail {
				fail = ""
				return errors.New("the disk failed")
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, step := range []string{"begin", "write", "commit", "committed"} {
		fail = step
		c := &watch.Call{Item: step, Officer: "anna", Means: "mail", Process: "a", Claimed: time.Unix(1e9, 0)}
		claim := func(ctx context.Context) (mine bool, err error) {
			err = db.Update(ctx, store.Urgent, func(tx *store.Tx) (err error) {
				mine, err = watch.Claim(ctx, tx, c, time.Hour)
				return err
			})
			return mine, err
		}
		if _, err := claim(t.Context()); err == nil {
			t.Fatalf("%s did not fail", step)
		}
		if mine, err := claim(t.Context()); err != nil || !mine {
			t.Errorf("after a failed %s: %v, %v", step, mine, err)
		}
	}
}
