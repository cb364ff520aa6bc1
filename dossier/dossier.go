// Package dossier puts the statements that belong together in their order and folds them into a state: what stands open, what was answered.
// It must never let anything but the statements decide: no clock, no order of arrival, nothing that only this side knows.
package dossier

import (
	"context"
	"fmt"
	"time"

	"detente/feed"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// Name is the name of a dossier: the statement that opened it, on one channel and one plane. A statement on another channel or plane that
// names the same opening is of another dossier, so nothing crosses over.
type Name struct {
	ID      statement.ID
	Channel [32]byte
	Plane   traffic.Plane
}

// Of is the dossier that an entry belongs to; false for an entry that is no statement.
func Of(p feed.Placed) (Name, bool) {
	return nameIn(p.Feed, p.Dossier)
}

func nameIn(f traffic.Feed, id statement.ID) (Name, bool) {
	return Name{id, f.Channel, f.Plane}, id != statement.ID{}
}

// Item is a statement of a dossier as it is held here.
type Item struct {
	Statement *statement.Statement
	Feed      traffic.Feed
	Index     int64
	Held      time.Time // when it came to be held here: never part of the fold
	Reason    string    // why it is invalid, protocol.md#held; empty for a valid statement
}

// Load reads what is held of a dossier, in no particular order.
func Load(ctx context.Context, tx *store.Tx, n Name) ([]Item, error) {
	entries, err := feed.ByDossier(ctx, tx, n.ID)
	if err != nil {
		return nil, fmt.Errorf("dossier: %w", err)
	}
	return n.items(entries)
}

// items reads those of the entries that are of the dossier.
func (n Name) items(entries []feed.Placed) ([]Item, error) {
	var items []Item
	for _, e := range entries {
		if of, ok := Of(e); !ok || of != n {
			continue
		}
		s, err := statement.Decode(e.Bytes)
		if err != nil {
			return nil, fmt.Errorf("dossier: entry %d of %s was a statement when it was stored: %w", e.Index, e.Feed.Origin(), err)
		}
		items = append(items, Item{s, e.Feed, e.Index, e.Held, e.Reason})
	}
	return items, nil
}
