package node

import (
	"context"

	"detente/dossier"
)

// Rebuild folds every dossier anew from the feeds and puts right what is kept of them. It returns how many it checked and which differed,
// which none should.
func (n *Node) Rebuild(ctx context.Context, progress func(done, of int)) (checked int, differing []dossier.Name, err error) {
	if err := dossier.Follow(ctx, n.db); err != nil {
		return 0, nil, err
	}
	return dossier.Rebuild(ctx, n.db, n.regimeOf, progress)
}
