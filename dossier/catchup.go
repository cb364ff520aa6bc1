package dossier

import (
	"context"
	"fmt"
	"slices"
	"time"

	"detente/feed"
	"detente/store"
	"detente/traffic"
)

// marks says how much of each feed the index has seen. It follows the feeds at its own pace, so that whoever receives need not wait for it.
type marks map[traffic.Feed]int64

func readMarks(ctx context.Context, tx *store.Tx) (marks, error) {
	type mark struct {
		origin string
		size   int64
	}
	all, err := store.All(ctx, tx, func(m *mark) []any { return []any{&m.origin, &m.size} }, `SELECT feed, size FROM dossier_seen`)
	if err != nil {
		return nil, fmt.Errorf("dossier: marks: %w", err)
	}
	out := make(marks, len(all))
	for _, m := range all {
		f, err := traffic.ParseOrigin(m.origin)
		if err != nil {
			return nil, fmt.Errorf("dossier: marks: %w", err)
		}
		out[f] = m.size
	}
	return out, nil
}

// lag tells whether the index has yet to see one of the items.
func (m marks) lag(items []Item) bool {
	return slices.ContainsFunc(items, func(it Item) bool { return it.Index >= m[it.Feed] })
}

// seen tells whether the index has seen one of the items.
func (m marks) seen(items []Item) bool {
	return slices.ContainsFunc(items, func(it Item) bool { return it.Index < m[it.Feed] })
}

// CatchUp notes entries of the feeds that the index has not seen, at most limit of them, and tells whether there are more. The node calls it
// now and then, with [Refresh] after it: that makes lists quicker, never different.
func CatchUp(ctx context.Context, tx *store.Tx, limit int) (more bool, err error) {
	known, heads, err := behind(ctx, tx)
	if err != nil {
		return false, err
	}
	for _, h := range heads {
		if limit <= 0 {
			return true, nil
		}
		from := known[h.Feed]
		to := min(h.Size, from+int64(limit))
		limit -= int(to - from)
		var entries []feed.Entry
		err = h.Range(ctx, tx, from, to, func(e feed.Entry) bool {
			e.Bytes = nil
			entries = append(entries, e)
			return true
		})
		if err != nil {
			return false, fmt.Errorf("dossier: catch up: %w", err)
		}
		if err := Note(ctx, tx, h.Feed, entries); err != nil {
			return false, err
		}
		_, err = tx.Exec(ctx, `INSERT INTO dossier_seen (feed, size) VALUES ($1, $2) ON CONFLICT (feed) DO UPDATE SET size = excluded.size`,
			h.Feed.Origin(), to)
		if err != nil {
			return false, fmt.Errorf("dossier: catch up: %w", err)
		}
		if to < h.Size {
			return true, nil
		}
	}
	return false, nil
}

// behind gives the marks, and the heads of the feeds that go beyond theirs.
func behind(ctx context.Context, tx *store.Tx) (marks, []*feed.Head, error) {
	known, err := readMarks(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	heads, err := feed.Heads(ctx, tx, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("dossier: catch up: %w", err)
	}
	return known, slices.DeleteFunc(heads, func(h *feed.Head) bool { return h.Size <= known[h.Feed] }), nil
}

// unseen gives the dossiers that have entries which the index has not seen, with the time when the newest of those came to be held.
func unseen(ctx context.Context, tx *store.Tx) (map[Name]time.Time, error) {
	known, heads, err := behind(ctx, tx)
	if err != nil {
		return nil, err
	}
	held := make(map[Name]time.Time)
	for _, h := range heads {
		err := h.Range(ctx, tx, known[h.Feed], h.Size, func(e feed.Entry) bool {
			if n, ok := nameIn(h.Feed, e.Dossier); ok && e.Held.After(held[n]) {
				held[n] = e.Held
			}
			return true
		})
		if err != nil {
			return nil, fmt.Errorf("dossier: list: %w", err)
		}
	}
	return held, nil
}

// IndexIDs brings the table of ids up to what is held, in steps that keep nobody waiting for long.
func IndexIDs(ctx context.Context, db *store.DB) error {
	for more := true; more && ctx.Err() == nil; {
		err := db.Update(ctx, store.Calm, func(tx *store.Tx) (err error) {
			more, err = feed.Index(ctx, tx, 250)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Index brings the index of dossiers forward by one step: at most limit entries that it has not seen; when there are none, ids; then half as many folds. It
// tells whether there is more to do.
func Index(ctx context.Context, db *store.DB, regimes Regimes, limit int) (more bool, err error) {
	err = db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		if more, err = CatchUp(ctx, tx, limit); err != nil || more { // folding ahead of the lists is for quiet times
			return err
		}
		// A fold looks its opening up by id. Before the ids are in their table each look would read the whole tail of every feed.
		if more, err = feed.Index(ctx, tx, limit); err != nil || more {
			return err
		}
		fold := max(1, limit/2)
		folded, err := Refresh(ctx, tx, fold, regimes)
		more = folded == fold
		return err
	})
	return more, err
}

// Follow has the index see everything that is held. What it folds is for [Settle].
func Follow(ctx context.Context, db *store.DB) error {
	for more := true; more; {
		err := db.Update(ctx, store.Calm, func(tx *store.Tx) (err error) {
			more, err = CatchUp(ctx, tx, 1000)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Settle brings the index forward until nothing is left to do.
func Settle(ctx context.Context, db *store.DB, regimes Regimes) error {
	for {
		if more, err := Index(ctx, db, regimes, 1000); err != nil || !more {
			return err
		}
	}
}
