package dossier

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"detente/feed"
	"detente/form"
	"detente/store"

	"golang.org/x/sync/errgroup"
)

const (
	compareStep  = 512     // entries that a part of a comparison is to have, by what the index says of them
	compareBytes = 4 << 20 // and the most, unless one dossier alone has more
)

// Compare folds every dossier of the index afresh and returns those whose kept state says otherwise, in the order of their ids. It changes nothing; a
// line that merely lags does not differ. Parts are read one after the other, and folded on all cores.
func Compare(ctx context.Context, tx *store.Tx, regimes Regimes) (checked int, differing []Name, err error) {
	known, err := readMarks(ctx, tx)
	if err != nil {
		return 0, nil, err
	}
	lines, err := query(ctx, tx, `SELECT `+rowColumns+` FROM dossiers WHERE folded = changes ORDER BY id, channel, plane`)
	if err != nil {
		return 0, nil, err
	}
	of := make(map[[32]byte]*form.Regime)
	for _, r := range lines {
		if _, asked := of[r.Channel]; !asked {
			of[r.Channel], _ = regimes(r.Channel)
		}
	}
	var mu sync.Mutex
	different := make(map[Name]bool)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0)) // what waits to be folded is read and kept
	err = parts(lines, func(part []row) error {
		return gather(ctx, tx, part, compareBytes, func(part []row, held map[Name][]feed.Placed) {
			g.Go(func() error {
				for _, r := range part {
					regime := of[r.Channel]
					if regime == nil {
						continue
					}
					items, err := r.Name.items(held[r.Name])
					if err != nil {
						return err
					}
					fresh := r
					fresh.set(Fold(r.Name, items, regime))
					differs := fresh != r && !known.lag(items)
					mu.Lock()
					if checked++; differs {
						different[r.Name] = true
					}
					mu.Unlock()
				}
				return nil
			})
		})
	})
	if folding := g.Wait(); folding != nil { // which is why the reading was broken off
		err = folding
	}
	for _, r := range lines {
		if different[r.Name] {
			differing = append(differing, r.Name)
		}
	}
	return checked, differing, err
}

// parts cuts lines, which are in the order of their ids, so that those of one id stay together.
func parts(lines []row, fn func([]row) error) error {
	for len(lines) > 0 {
		n, entries := 0, 0
		for n < len(lines) && (entries < compareStep || lines[n].ID == lines[n-1].ID) {
			entries += max(1, lines[n].Entries)
			n++
		}
		if err := fn(lines[:n]); err != nil {
			return err
		}
		lines = lines[n:]
	}
	return nil
}

// gather reads what is held of the dossiers of a part. What would be too much at a time it gives in halves: what the index says of a part may be wrong.
func gather(ctx context.Context, tx *store.Tx, part []row, most int, give func([]row, map[Name][]feed.Placed)) error {
	held := make(map[Name][]feed.Placed, len(part))
	for _, r := range part {
		held[r.Name] = nil
	}
	low, high := part[0].ID, part[len(part)-1].ID
	size := 0
	fits := func() bool { return size <= most || low == high }
	err := feed.ByDossiers(ctx, tx, low, high, func(p feed.Placed) bool {
		if n, ok := Of(p); ok {
			if list, asked := held[n]; asked {
				held[n], size = append(list, p), size+len(p.Bytes)
			}
		}
		return fits()
	})
	if err != nil {
		return fmt.Errorf("dossier: compare: %w", err)
	}
	if fits() {
		give(part, held)
		return nil
	}
	half := len(part) / 2
	for half < len(part)-1 && part[half].ID == part[half-1].ID {
		half++
	}
	for half > 1 && part[half].ID == part[half-1].ID {
		half--
	}
	if err := gather(ctx, tx, part[:half], most, give); err != nil {
		return err
	}
	return gather(ctx, tx, part[half:], most, give)
}
