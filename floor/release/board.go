package release

import (
	"context"
	"encoding/json"
	"time"

	"detente/floor"
	"detente/officer"
	"detente/roster"
	"detente/traffic"
	"detente/watch"
)

// The desk is a companion of the floor: what waits for a second person stands on the board, and whoever may release it is called, a deputy first.
// What was asked and answered in this process is seen at once, what another process did when the floor looks next.

// Add does nothing: a release is no statement yet.
func (r *Desk) Add(*floor.Told) {}

// Items lists what waits for a second person.
func (r *Desk) Items(now time.Time) (items []*watch.Item, again time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.waiting {
		if !now.Before(p.Until) {
			continue
		}
		again = soonest(again, p.Until)
		items = append(items, item(p))
	}
	return items, again
}

// Errand looks what waits, also by the doing of another process.
func (r *Desk) Errand(ctx context.Context, _ time.Time) time.Time {
	r.look(ctx)
	return time.Time{}
}

// look keeps what waits, for Items, which may not ask the database.
func (r *Desk) look(ctx context.Context) {
	all, err := r.officers.Releases(ctx, officer.Waiting)
	if err != nil {
		if ctx.Err() == nil {
			r.log.Error("releases cannot be read", "reason", err)
		}
		return
	}
	r.mu.Lock()
	r.waiting = all
	r.mu.Unlock()
}

// item is a release on the board.
func item(p officer.Pending) *watch.Item {
	it := &watch.Item{
		Key: watch.Key(watch.Release, p.ID), Kind: watch.Release, Post: p.Post, Plane: traffic.Real, Precedence: traffic.Routine, Say: "release",
		Args: []any{p.Officer}, Since: p.Asked, Due: p.Until, First: roster.Deputy,
	}
	if p.Kind == officer.KindHandover {
		it.Say, it.First = "handover", roster.DutyOfficer
		return it
	}
	var d draft
	if json.Unmarshal(p.Draft, &d) == nil {
		it.Plane, it.Precedence, it.Form, it.Channel = d.Plane, d.Precedence, d.Form, d.Channel
	}
	return it
}
