package secretariat

import (
	"context"
	"fmt"

	"detente/dossier"
	"detente/statement"
	"detente/store"
)

// Negotiation folds a negotiation on the channel of a talk, named or not. Error: ErrNothing.
func (s *Secretariat) Negotiation(ctx context.Context, t *Talk, id statement.ID) (x *Text, err error) {
	err = s.node.DB.View(ctx, func(tx *store.Tx) error {
		state, err := dossier.Read(ctx, tx, dossier.Name{ID: id, Channel: t.Name.Channel, Plane: t.Name.Plane}, t.Regime)
		if err == nil {
			x = textOf(state, t.Regime)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("secretariat: %w", err)
	case x == nil:
		return nil, fmt.Errorf("%w: %s is no negotiation on this channel", ErrNothing, id)
	}
	return x, nil
}
