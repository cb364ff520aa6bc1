package watch

import (
	"context"
	"time"

	"detente/store"
)

// Claimant is a process of a party that claims what only one of them is to do.
type Claimant struct {
	Process  string
	Patience time.Duration // after which a claim without an outcome is taken over
}

// Once does something that all processes of a party together are to do once, by the names of the thing and of what becomes of it. It claims before it
// does. Dying in between, the next process claims it anew after the patience, and do must find out itself whether it was done.
func Once(ctx context.Context, db *store.DB, by Claimant, thing, state string, do func() error) error {
	claimed := false
	err := db.Update(ctx, store.Calm, func(tx *store.Tx) (err error) {
		claimed, err = Act(ctx, tx, thing, state, by.Process, time.Now(), by.Patience)
		return err
	})
	if err != nil || !claimed {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return db.Update(ctx, store.Calm, func(tx *store.Tx) error { return Acted(ctx, tx, thing, state) })
}
