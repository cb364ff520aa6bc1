package dossier

import (
	"context"

	"detente/feed"
	"detente/store"
)

// Gather tells in what parts of so many bytes a comparison reads the dossiers of the index, and how many entries it reads of each.
func Gather(ctx context.Context, tx *store.Tx, most int) (parts [][]Name, entries map[Name]int, err error) {
	lines, err := query(ctx, tx, `SELECT `+rowColumns+` FROM dossiers ORDER BY id, channel, plane`)
	if err != nil {
		return nil, nil, err
	}
	entries = make(map[Name]int)
	return parts, entries, gather(ctx, tx, lines, most, func(part []row, held map[Name][]feed.Placed) {
		var names []Name
		for _, r := range part {
			names = append(names, r.Name)
			entries[r.Name] = len(held[r.Name])
		}
		parts = append(parts, names)
	})
}
