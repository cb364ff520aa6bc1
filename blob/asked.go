package blob

import (
	"context"

	"detente/store"
	"detente/traffic"
)

// Asked is what a party asked for by pouch: where there is no line, the pouch that asks and the one that gives may be days and several processes apart.
// Sizes are 0: the party names none.
func Asked(ctx context.Context, tx *store.Tx, by traffic.Party) ([]Piece, error) {
	rows, err := store.All(ctx, tx, func(r *row) []any { return []any{&r.hash, &r.held} }, "SELECT hash, start FROM blob_asked WHERE party = $1 ORDER BY hash", string(by))
	var out []Piece
	for _, r := range rows {
		out = append(out, Piece{Hash: Hash(r.hash), Offset: r.held})
	}
	return out, err
}

// KeepAsked notes what a party asked for by pouch, in place of what it asked for before.
func KeepAsked(ctx context.Context, tx *store.Tx, by traffic.Party, pieces []Piece) error {
	if _, err := tx.Exec(ctx, "DELETE FROM blob_asked WHERE party = $1", string(by)); err != nil {
		return err
	}
	for _, p := range pieces {
		if _, err := tx.Exec(ctx, "INSERT INTO blob_asked (party, hash, start) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", string(by), p.Hash[:], p.Offset); err != nil {
			return err
		}
	}
	return nil
}
