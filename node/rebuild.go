package node

import (
	"context"

	"detente/dossier"
	"detente/feed"
	"detente/store"
)

// indexIDs brings the table of ids up to what is held, in steps that keep nobody waiting for long.
func (n *Node) indexIDs(ctx context.Context) error {
	for more := true; more && ctx.Err() == nil; {
		err := n.db.Update(ctx, store.Calm, func(tx *store.Tx) (err error) {
			more, err = feed.Index(ctx, tx, 250)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// index brings the index of dossiers forward by at most limit entries; with limit 0, until it has seen everything.
func (n *Node) index(ctx context.Context, limit int) error {
	part := limit
	if part == 0 {
		part = 1000
	}
	for {
		more := false
		err := n.db.Update(ctx, store.Calm, func(tx *store.Tx) (err error) {
			more, err = dossier.CatchUp(ctx, tx, part)
			if err == nil && !more { // folding ahead of the lists is for quiet times
				_, err = dossier.Refresh(ctx, tx, max(1, part/4), n.regimeOf)
			}
			return err
		})
		if err != nil || !more || limit > 0 {
			return err
		}
	}
}

// Rebuild folds every dossier anew from the feeds and puts right what is kept of them. It returns how many it checked and which differed,
// which none should.
func (n *Node) Rebuild(ctx context.Context, progress func(done, of int)) (checked int, differing []dossier.Name, err error) {
	if err := n.index(ctx, 0); err != nil {
		return 0, nil, err
	}
	return dossier.Rebuild(ctx, n.db, n.regimeOf, progress)
}
