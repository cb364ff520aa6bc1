package host

import (
	"context"
	"time"

	"detente/metrics"
	"detente/store"
	"detente/traffic"
	"detente/watch"
)

const (
	checksOf   = 30 * 24 * time.Hour // of which time checks are counted
	mostChecks = 10000
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
	checks, _, err := h.standing.Checks(ctx, "", now.Add(-checksOf), mostChecks)
	if err != nil {
		return out, err
	}
	count := make(map[[2]string]int)
	for _, c := range checks {
		if c.From == h.node.Self() {
			count[[2]string{string(c.Peer(h.node.Self())), c.State(true, now)}]++
		}
	}
	for k, n := range count {
		out.Checks = append(out.Checks, metrics.Checks{Peer: traffic.Party(k[0]), State: k[1], N: n})
	}
	sessions, err := h.officers.Sessions(ctx, "")
	out.Sessions = len(sessions)
	return out, err
}
