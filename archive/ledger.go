package archive

import (
	"context"

	"detente/dossier"
	"detente/feed"
	"detente/ledger"
	"detente/store"
	"detente/traffic"
)

// States folds every dossier of a channel's plane, in the order of the list. Error: ErrNoChannel.
func (a *Archive) States(ctx context.Context, channel [32]byte, plane traffic.Plane) ([]*dossier.State, error) {
	regime, ok := a.RegimeOf(channel)
	if !ok {
		return nil, ErrNoChannel
	}
	var out []*dossier.State
	filter := dossier.Filter{Channel: &channel, Plane: plane, Limit: 200}
	for {
		var page []dossier.Summary
		err := a.DB.View(ctx, func(tx *store.Tx) (err error) { // a transaction for each page: nobody waits behind the whole
			if page, err = dossier.Dossiers(ctx, tx, filter, a.RegimeOf); err != nil {
				return err
			}
			for _, s := range page {
				state, err := dossier.Read(ctx, tx, s.Name, regime)
				if err != nil {
					return err
				}
				out = append(out, state)
			}
			return nil
		})
		if err != nil || len(page) < filter.Limit {
			return distinct(out), err
		}
		filter.After = &page[len(page)-1]
	}
}

// distinct leaves of each dossier the state that was read last: one that changed between two pages stands in both.
func distinct(all []*dossier.State) []*dossier.State {
	last := make(map[dossier.Name]int, len(all))
	for i, s := range all {
		last[s.Name] = i
	}
	out := all[:0]
	for i, s := range all {
		if last[s.Name] == i {
			out = append(out, s)
		}
	}
	return out
}

// Ledger draws the account of a channel's plane from what is held here, protocol.md#ledger. Error: ErrNoChannel.
func (a *Archive) Ledger(ctx context.Context, channel [32]byte, plane traffic.Plane, p ledger.Period) (*ledger.Account, error) {
	states, err := a.States(ctx, channel, plane)
	if err != nil {
		return nil, err
	}
	regime, ok := a.RegimeOf(channel)
	if !ok {
		return nil, ErrNoChannel
	}
	return ledger.Draw(channel, plane, p, states, regime), nil
}

// Witness sets beside the requests of an account what the receipts say that are held here.
func (a *Archive) Witness(ctx context.Context, account *ledger.Account) (out []ledger.Witnessed, err error) {
	err = a.DB.View(ctx, func(tx *store.Tx) error {
		heads := make(map[traffic.Feed]*feed.Head)
		out, err = account.Witness(func(p ledger.Place) ([]ledger.Receipt, error) {
			h := heads[p.Feed]
			if h == nil {
				var err error
				if h, err = feed.Find(ctx, tx, p.Feed); err != nil {
					return nil, err
				}
				heads[p.Feed] = h
			}
			first, err := h.FirstReceipts(ctx, tx, p.Index+1)
			all := make([]ledger.Receipt, 0, len(first))
			for _, r := range first {
				all = append(all, ledger.Receipt{Party: r.Mirror, At: r.At})
			}
			return all, err
		})
		return err
	})
	return out, err
}

// Publications reads which figures of a channel the members have agreed to publish, over all that is held of its plane. Error: ErrNoChannel.
func (a *Archive) Publications(ctx context.Context, channel [32]byte, plane traffic.Plane) ([]ledger.Publication, error) {
	states, err := a.States(ctx, channel, plane)
	if err != nil {
		return nil, err
	}
	c, err := a.Charter(channel)
	if err != nil {
		return nil, err
	}
	regime, _ := a.RegimeOf(channel)
	return ledger.Publications(states, regime, c.Members), nil
}
