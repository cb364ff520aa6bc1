package gateway

import (
	"context"
	"fmt"
	"slices"
	"time"

	"detente/floor"
	"detente/gateway/objects"
	"detente/store"
	"detente/traffic"
	"detente/watch"
)

// desk is what of one collection needs a person: one item for all that waits, however much a tool adds, and one for each batch that was refused.
type desk struct {
	collection objects.Collection
	count      int64
	since      time.Time // when the first of them came
	batch      int64     // 0: they wait for review
}

// board is the gateway's part of the watch board: a companion of the floor.
type board struct{ *Gateway }

// Add does nothing: what the gateway reads, it reads of the feeds itself.
func (b board) Add(*floor.Told) {}

// Errand does nothing: Run does.
func (b board) Errand(context.Context, time.Time) time.Time { return time.Time{} }

// Items are what waits for review and what could not be said. An item says how many objects, and not what is in them: it is called out.
func (b board) Items(time.Time) (items []*watch.Item, again time.Time) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, d := range b.desks {
		c := d.collection
		it := &watch.Item{
			Key: watch.Key(watch.Review, c.ID, fmt.Sprint(d.since.UnixMicro())), Kind: watch.Review, Post: b.cfg.Post, Plane: c.Plane, Precedence: traffic.Routine,
			Say: "review", Args: []any{d.count, c.Title}, Form: formIndicators, Channel: c.Channel, Since: d.since,
		}
		if d.batch > 0 {
			it.Key, it.Say = watch.Key(watch.Review, c.ID, "batch", fmt.Sprint(d.batch)), "review.refused"
		}
		items = append(items, it)
	}
	return items, time.Time{}
}

// reload brings the board up to date. What waits in a collection is one thing from the first object that comes until none is left, and has one key for
// that time, in every process: when it began is in the database.
func (g *Gateway) reload(ctx context.Context) error {
	var desks []desk
	var numbers []int64
	err := g.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		desks, numbers = nil, nil
		if _, err := tx.Exec(ctx, "DELETE FROM gateway_reviews WHERE NOT EXISTS (SELECT 1 FROM gateway_out o WHERE o.collection = gateway_reviews.collection AND o.state = 'waiting')"); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO gateway_reviews (collection, since)
			SELECT collection, MIN(added) FROM gateway_out WHERE state = 'waiting' GROUP BY collection ON CONFLICT (collection) DO NOTHING`); err != nil {
			return err
		}
		for _, q := range []string{
			"SELECT o.collection, r.since, COUNT(*), 0 FROM gateway_out o JOIN gateway_reviews r ON r.collection = o.collection WHERE o.state = 'waiting' GROUP BY o.collection, r.since ORDER BY o.collection",
			"SELECT o.collection, b.refused, COUNT(*), o.batch FROM gateway_out o JOIN gateway_batches b ON b.number = o.batch WHERE o.state = 'failed' GROUP BY o.collection, b.refused, o.batch ORDER BY o.batch LIMIT 100",
		} {
			type row struct{ collection, since, count, batch int64 }
			rows, err := store.All(ctx, tx, func(r *row) []any { return []any{&r.collection, &r.since, &r.count, &r.batch} }, q)
			if err != nil {
				return err
			}
			for _, r := range rows {
				desks, numbers = append(desks, desk{count: r.count, since: time.UnixMicro(r.since).UTC(), batch: r.batch}), append(numbers, r.collection)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("gateway: board: %w", err)
	}
	if len(desks) > 0 {
		all, err := g.shelf.Collections(ctx)
		if err != nil {
			return err
		}
		for i := range desks {
			if at := slices.IndexFunc(all, func(c objects.Collection) bool { return c.Number == numbers[i] }); at >= 0 {
				desks[i].collection = objects.Collection{ID: all[at].ID, Title: all[at].Title, Channel: all[at].Channel, Plane: all[at].Plane}
			}
		}
	}
	g.mu.Lock()
	same := slices.Equal(desks, g.desks)
	g.desks = desks
	g.mu.Unlock()
	if !same && g.cfg.Floor != nil {
		g.cfg.Floor.Kick()
	}
	return nil
}
