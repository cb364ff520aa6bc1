package node

import (
	"context"

	"detente/audit"
	"detente/dossier"
	"detente/form"
	"detente/judge"
	"detente/traffic"
)

// Audit verifies everything that is held here, see [audit.Auditor].
func (n *Node) Audit(ctx context.Context, progress func(done, of int64)) (audit.Report, error) {
	if err := dossier.IndexIDs(ctx, n.db); err != nil { // the folds look statements up by their ids
		return audit.Report{}, err
	}
	a := audit.Auditor{DB: n.db, Chain: n.Chain, Regimes: n.regimeOf, Judge: func(f traffic.Feed) (*judge.Judge, bool) {
		c, err := n.channel(f.Channel)
		if err != nil {
			return nil, false
		}
		return n.judge(c, f), true
	}}
	return a.Run(ctx, progress)
}

// regimeOf is a dossier.Regimes.
func (n *Node) regimeOf(channel [32]byte) (*form.Regime, bool) {
	c, err := n.channel(channel)
	if err != nil {
		return nil, false
	}
	return c.regime, true
}
