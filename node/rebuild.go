package node

import (
	"context"

	"detente/dossier"
	"detente/store"
)

// index brings the index of dossiers forward by at most limit entries; with limit 0, until it has seen everything.
func (n *Node) index(ctx context.Context, limit int) error {
	part := limit
	if part == 0 {
		part = 1000
	}
	for {
		more := false
		err := n.db.Update(ctx, store.Calm, func(tx *store.Tx) (err error) {
			if more, err = dossier.CatchUp(ctx, tx, part); err == nil {
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
