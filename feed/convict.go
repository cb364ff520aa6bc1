package feed

import (
	"context"

	"detente/store"
)

// Convict makes the fork object out of a copy held here and a contradicting note signed by the same party, whose signature the caller has
// verified. It returns nil when they do not contradict each other, or when the note's tree is larger than every signed size held here: then
// only somebody who holds that larger tree can convict.
func (h *Head) Convict(ctx context.Context, tx *store.Tx, other Checkpoint, note string, charters [][]byte) (*Fork, error) {
	if other.Size < 1 || other.Size > h.Size {
		return nil, nil
	}
	ours, err := h.RootAt(ctx, tx, other.Size)
	if err != nil || ours == other.Root {
		return nil, err
	}
	mine, lines, err := h.SignedAt(ctx, tx, other.Size)
	if err != nil {
		return nil, err
	}
	f := &Fork{Feed: h.Feed, Smaller: note, Larger: mine.Note(lines), Path: [][32]byte{}, Charters: charters}
	if mine.Size > other.Size {
		proof, err := h.Consistency(ctx, tx, other.Size, mine.Size)
		if err != nil {
			return nil, err
		}
		f.Path = forkPath(other.Size, ours, proof)
	}
	return f, nil
}
