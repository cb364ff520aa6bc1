package dossier_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"detente/dossier"
	"detente/feed"
	"detente/store"
	"detente/store/storetest"
	"detente/traffic"
)

// fills logs so many dossiers, of which each fourth has a reply and each fifth goes on in an exercise, indexed and folded.
func (r *registry) fills(t testing.TB, n int) {
	t.Helper()
	var items []dossier.Item
	for i := range n {
		s := tell(t, fmt.Sprintf("q%d xn inquiry", i))
		if i%4 == 0 {
			s.line(fmt.Sprintf("a%d xs answer q%d", i, i))
		}
		if i%5 == 0 {
			s.line(fmt.Sprintf("e%d xs answer q%d plane=exercise", i, i))
		}
		items = append(items, s.items...)
	}
	r.holds(items...)
	for r.catchesUp(10000) {
	}
	r.update(func(ctx context.Context, tx *store.Tx) error {
		_, err := feed.Index(ctx, tx, n/2) // of the rest the ids are looked for in the feeds
		return err
	})
	r.refreshes(10000)
}

// Each line that is wrong is found, wherever it stands, and no other.
func TestCompareFindsEachLineThatIsWrong(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(...store.Schema) *store.DB) {
		r := newRegistry(t, open)
		r.fills(t, 60)
		if bad := r.compares(); bad != nil {
			t.Fatalf("differing %v", bad)
		}
		all := r.list(dossier.Filter{})
		slices.SortFunc(all, func(a, b dossier.Summary) int { return slices.Compare(a.ID[:], b.ID[:]) })
		var want []dossier.Name
		for i, s := range all {
			if i%7 == 0 && s.Plane == traffic.Real {
				want = append(want, s.Name)
				r.update(func(ctx context.Context, tx *store.Tx) error {
					_, err := tx.Exec(ctx, `UPDATE dossiers SET open = open + 1 WHERE id = $1 AND plane = $2`, s.ID[:], string(s.Plane))
					return err
				})
			}
		}
		if bad := r.compares(); !slices.Equal(bad, want) {
			t.Errorf("found %v, want %v", bad, want)
		}
	})
}

// What a part would have too much of is read in halves; one dossier is never cut, nor are those that share an opening.
func TestPartsOfAComparisonAreBounded(t *testing.T) {
	r := newRegistry(t, func(s ...store.Schema) *store.DB { return storetest.Open(t, s...) })
	r.fills(t, 20)
	r.view(func(ctx context.Context, tx *store.Tx) error {
		for _, most := range []int{1, 2000, 1 << 20} {
			parts, entries, err := dossier.Gather(ctx, tx, most)
			if err != nil {
				return err
			}
			sum := 0
			for n, have := range entries {
				items, err := dossier.Load(ctx, tx, n)
				if err != nil || have != len(items) {
					t.Errorf("at most %d bytes: %d entries of %v, want %d; %v", most, have, n.ID.Short(), len(items), err)
				}
				sum += have
			}
			if len(entries) != 24 || sum != 29 {
				t.Errorf("at most %d bytes: %d dossiers of %d entries", most, len(entries), sum)
			}
			for i, part := range parts {
				if i > 0 && part[0].ID == parts[i-1][len(parts[i-1])-1].ID {
					t.Errorf("at most %d bytes: those of one id are apart", most)
				}
			}
			if alone := most == 1; alone && len(parts) != 20 || most == 1<<20 && len(parts) != 1 {
				t.Errorf("at most %d bytes: %d parts", most, len(parts))
			}
		}
		return nil
	})
}

// What an audit does about dossiers, beside folding each of them by itself.
func BenchmarkCompare(b *testing.B) {
	const dossiers = 4000
	db, err := store.Open(context.Background(), store.Config{DSN: b.TempDir() + "/node.db", Schemas: []store.Schema{feed.Schema(), dossier.Schema()}})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	r := &registry{b, db, communications(b)}
	r.fills(b, dossiers)
	r.update(func(ctx context.Context, tx *store.Tx) error { _, err := feed.Index(ctx, tx, 4*dossiers); return err })
	all := r.list(dossier.Filter{Limit: 2 * dossiers})
	each := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(all))/1000, "µs/dossier")
	}
	b.Run("one by one", func(b *testing.B) {
		for b.Loop() {
			r.view(func(ctx context.Context, tx *store.Tx) error {
				for _, s := range all {
					if _, err := dossier.Read(ctx, tx, s.Name, r.regime); err != nil {
						return err
					}
				}
				return nil
			})
		}
		each(b)
	})
	b.Run("together", func(b *testing.B) {
		for b.Loop() {
			if bad := r.compares(); bad != nil {
				b.Fatal(bad)
			}
		}
		each(b)
	})
}
