package dossier

import (
	"context"
	"errors"
	"fmt"

	"detente/feed"
	"detente/store"
)

// CatchUp notes entries of the feeds that the index has not seen, at most limit of them, and tells whether there are more. It keeps the
// index out of the way of whoever receives: a list calls it until nothing is left, and the node does so now and then.
func CatchUp(ctx context.Context, tx *store.Tx, limit int) (more bool, err error) {
	heads, err := feed.Heads(ctx, tx, nil)
	if err != nil {
		return false, fmt.Errorf("dossier: catch up: %w", err)
	}
	for _, h := range heads {
		origin := h.Feed.Origin()
		var from int64
		err := tx.QueryRow(ctx, `SELECT size FROM dossier_seen WHERE feed = $1`, origin).Scan(&from)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return false, fmt.Errorf("dossier: catch up: %w", err)
		}
		if from >= h.Size {
			continue
		}
		if limit <= 0 {
			return true, nil
		}
		to := min(h.Size, from+int64(limit))
		var entries []feed.Entry
		err = h.Range(ctx, tx, from, to, func(e feed.Entry) bool {
			e.Bytes = nil
			entries = append(entries, e)
			return true
		})
		if err != nil {
			return false, err
		}
		if err := Note(ctx, tx, h.Feed, entries); err != nil {
			return false, err
		}
		_, err = tx.Exec(ctx, `INSERT INTO dossier_seen (feed, size) VALUES ($1, $2) ON CONFLICT (feed) DO UPDATE SET size = excluded.size`, origin, to)
		if err != nil {
			return false, fmt.Errorf("dossier: catch up: %w", err)
		}
		limit -= len(entries)
		if to < h.Size {
			return true, nil
		}
	}
	return false, nil
}

// Compare folds every dossier of the index afresh and returns those whose kept state says otherwise. It changes nothing; a line that merely
// lags does not differ.
func Compare(ctx context.Context, tx *store.Tx, regimes Regimes) (checked int, differing []Name, err error) {
	lines, err := query(ctx, tx, `SELECT `+rowColumns+` FROM dossiers WHERE folded = changes ORDER BY id, channel, plane`)
	if err != nil {
		return 0, nil, err
	}
	for i := range lines {
		fresh := lines[i]
		regime, ok := regimes(fresh.Channel)
		if !ok {
			continue
		}
		s, err := Read(ctx, tx, fresh.Name, regime)
		if err != nil {
			return checked, differing, err
		}
		fresh.set(s)
		if checked++; fresh.Summary != lines[i].Summary {
			differing = append(differing, fresh.Name)
		}
	}
	return checked, differing, nil
}
