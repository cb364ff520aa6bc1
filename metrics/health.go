package metrics

import (
	"context"
	"fmt"

	"detente/store"
)

// Readiness tells whether the node can do its work, and if not, why.
type Readiness struct {
	Ready  bool    `json:"ready"`
	Checks []Check `json:"checks"`
}

// Check is one of the things that must be right.
type Check struct {
	Name   string `json:"name"` // database, disk, feeds or watch
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"`
}

// Ready looks whether the database takes a transaction, whether there is room for more, whether every own feed may speak, and whether the watch floor runs. Links are no part of it:
// a node that nobody reaches is ready, and waits.
func (m *Meter) Ready(ctx context.Context) Readiness {
	out := Readiness{Ready: true}
	check := func(name string, err error) {
		c := Check{Name: name, OK: err == nil}
		if err != nil {
			out.Ready, c.Reason = false, err.Error()
		}
		out.Checks = append(out.Checks, c)
	}
	check("database", m.cfg.Node.DB.Update(ctx, store.Calm, func(*store.Tx) error { return nil }))
	if m.cfg.Free != nil {
		check("disk", m.room())
	}
	check("feeds", m.speaks(ctx))
	if m.cfg.Alive != nil {
		check("watch", m.cfg.Alive())
	}
	return out
}

// needed is how much room a node must have to be called ready: some bundles, and an attachment of the largest size.
const needed = 128 << 20

// room tells that the disk is full, or about to be: an empty transaction would not notice.
func (m *Meter) room() error {
	free, err := m.cfg.Free()
	if err != nil {
		return err
	}
	if free < needed {
		return fmt.Errorf("%d MiB are free where the database lies, and less than %d are too few: make room", free>>20, needed>>20)
	}
	return nil
}

// speaks tells which own feed may not speak until recover has fetched what was signed.
func (m *Meter) speaks(ctx context.Context) error {
	feeds, err := m.cfg.Node.Feeds(ctx)
	if err != nil {
		return err
	}
	for _, f := range feeds {
		if f.Silent {
			return fmt.Errorf("the feed %s is behind what was signed: run detente recover", f.Feed.Origin())
		}
	}
	return nil
}
