package dossier

import (
	"context"
	"fmt"
	"slices"

	"detente/feed"
	"detente/store"
)

// rebuildStep is how many entries, or dossiers, one transaction of a rebuild reads: so that nobody waits long behind it.
const rebuildStep = 500

// Rebuild folds every dossier that the feeds hold and compares the index with it. What differs it puts right and returns, in the order of
// the names; a line that merely lagged does not differ. It may run beside everything else, and may be broken off at any point. Progress is
// told how many dossiers are done, of how many.
func Rebuild(ctx context.Context, db *store.DB, regimes Regimes, progress func(done, of int)) (checked int, differing []Name, err error) {
	names, err := held(ctx, db)
	if err != nil {
		return 0, nil, err
	}
	for part := range slices.Chunk(names, rebuildStep) {
		var bad []Name
		err := db.Update(ctx, store.Calm, func(tx *store.Tx) error {
			bad = nil // Update may run this again
			for _, n := range part {
				same, err := restore(ctx, tx, n, regimes)
				if err != nil {
					return err
				}
				if !same {
					bad = append(bad, n)
				}
			}
			return nil
		})
		if err != nil {
			return checked, differing, err
		}
		checked += len(part)
		differing = append(differing, bad...)
		if progress != nil {
			progress(checked, len(names))
		}
	}
	return checked, differing, nil
}

// held lists every dossier that the feeds hold entries of, or the index has a line of, in the order of the names.
func held(ctx context.Context, db *store.DB) ([]Name, error) {
	seen := make(map[Name]bool)
	var heads []*feed.Head
	err := db.View(ctx, func(tx *store.Tx) (err error) {
		indexed, err := query(ctx, tx, `SELECT `+rowColumns+` FROM dossiers`)
		for _, r := range indexed {
			seen[r.Name] = true
		}
		if err == nil {
			heads, err = feed.Heads(ctx, tx, nil)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("dossier: rebuild: %w", err)
	}
	for _, h := range heads {
		for from := int64(0); from < h.Size; from += rebuildStep {
			err := db.View(ctx, func(tx *store.Tx) error {
				return h.Range(ctx, tx, from, min(from+rebuildStep, h.Size), func(e feed.Entry) bool {
					if n, ok := nameIn(h.Feed, e.Dossier); ok {
						seen[n] = true
					}
					return true
				})
			})
			if err != nil {
				return nil, fmt.Errorf("dossier: rebuild: %w", err)
			}
		}
	}
	names := make([]Name, 0, len(seen))
	for n := range seen {
		names = append(names, n)
	}
	slices.SortFunc(names, compareNames)
	return names, nil
}

// restore folds one dossier afresh, and writes its line of the index if that said otherwise or lagged.
func restore(ctx context.Context, tx *store.Tx, n Name, regimes Regimes) (same bool, err error) {
	regime, ok := regimes(n.Channel)
	if !ok {
		return true, nil
	}
	items, err := Load(ctx, tx, n)
	if err != nil {
		return false, err
	}
	if len(items) == 0 { // the index has a line for nothing
		_, err := tx.Exec(ctx, `DELETE FROM dossiers WHERE id = $1 AND channel = $2 AND plane = $3`, n.ID[:], n.Channel[:], string(n.Plane))
		return false, err
	}
	r, err := find(ctx, tx, n)
	if err != nil {
		return false, err
	}
	marks, err := readMarks(ctx, tx)
	if err != nil {
		return false, err
	}
	lagged := marks.lag(items)
	switch {
	case r != nil:
		lagged = lagged || r.folded < r.changes
	case lagged && !marks.seen(items):
		return true, nil // all of it is news
	default:
		for _, it := range items {
			if err := Note(ctx, tx, it.Feed, []feed.Entry{{Dossier: n.ID, Held: it.Held}}); err != nil {
				return false, err
			}
		}
		if r, err = find(ctx, tx, n); err != nil {
			return false, err
		}
		lagged = false
	}
	fresh := *r
	fresh.set(Fold(n, items, regime))
	fresh.folded = r.changes
	if !lagged && fresh == *r {
		return true, nil
	}
	return lagged, fresh.save(ctx, tx)
}
