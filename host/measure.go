package host

import (
	"context"
	"time"

	"detente/metrics"
	"detente/store"
	"detente/watch"
)

// measure is the watch floor in numbers, for a monitoring system. No name of an officer, and no word that anybody wrote, leaves here.
func (h *Host) measure(ctx context.Context) (out metrics.Watch, err error) {
	now := time.Now()
	out.Unmanned = h.floor.Stand(now, func(it *watch.Item) {
		out.Items = append(out.Items, metrics.Item{Precedence: it.Precedence, Taken: it.Taken != nil, Overdue: it.Overdue(now), Since: it.Since})
		switch it.Kind {
		case watch.Directory:
			out.Stale++
		case watch.Release:
			out.Releases++
		}
	})
	err = h.node.DB.View(ctx, func(tx *store.Tx) error {
		tallies, err := watch.Tallies(ctx, tx)
		out.Calls = nil
		for _, t := range tallies {
			out.Calls = append(out.Calls, metrics.Calls{Means: t.Means, Outcome: t.Outcome, N: int(t.N)})
		}
		return err
	})
	if err != nil {
		return out, err
	}
	sessions, err := h.officers.Sessions(ctx, "")
	out.Sessions = len(sessions)
	return out, err
}
