package casework

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"detente/dossier"
	"detente/floor"
	"detente/ledger"
	"detente/store"
	"detente/traffic"
)

// ErrNotAgreed is returned for figures that not every member has signed for.
var ErrNotAgreed = errors.New("casework: the members have not all agreed to publish these figures")

// counts tells whether a statement makes its dossier one that the ledger reads: it asks for something, or is about publishing figures.
func counts(t *floor.Told) bool {
	return t.Form.MustAcknowledge != "" || t.Form.MustAnswer != "" || t.Form.ID == formConsent
}

const formConsent = "publication-answer"

// Account draws the ledger of a channel's plane for a period, and lists the proposals to publish figures of that channel. Both sides that hold the same
// statements draw the same, to the byte.
func (c *Casework) Account(ctx context.Context, channel [32]byte, plane traffic.Plane, p ledger.Period) (*ledger.Account, []ledger.Publication, error) {
	if err := c.Read(ctx); err != nil {
		return nil, nil, err
	}
	charter, regime, err := c.node.Channel(channel)
	if err != nil {
		return nil, nil, err
	}
	c.mu.RLock()
	var names []dossier.Name
	for name := range c.counted {
		if name.Channel == channel && name.Plane == plane {
			names = append(names, name)
		}
	}
	c.mu.RUnlock()
	var states []*dossier.State
	for part := range slices.Chunk(names, 64) { // so that no transaction is long
		err := c.node.DB.View(ctx, func(tx *store.Tx) error {
			for _, name := range part {
				s, err := dossier.Read(ctx, tx, name, regime)
				if err != nil {
					return err
				}
				states = append(states, s)
			}
			return nil
		})
		if err != nil {
			return nil, nil, fmt.Errorf("casework: account: %w", err)
		}
	}
	return ledger.Draw(channel, plane, p, states, regime), ledger.Publications(states, regime, charter.Members), nil
}
