package floor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"detente/call"
	"detente/roster"
	"detente/store"
	"detente/traffic"
	"detente/watch"

	"golang.org/x/text/language"
)

// console is the means that every officer has: what is on the board is on his screen.
const console = "console"

// placeWithin is how long a caller may take to place a call. It is shorter than any Config.Patience that makes sense, so that a call is not placed
// by two processes at once.
const placeWithin = time.Minute

// callsKept is how long back calls are read when the process starts.
const callsKept = 31 * 24 * time.Hour

// learnCalls reads the calls that other processes, or an earlier one, have made.
func (f *Floor) learnCalls(ctx context.Context) error {
	f.mu.RLock()
	first := len(f.calls) == 0
	f.mu.RUnlock()
	if !first && !f.node.DB.Multi() {
		return nil
	}
	since := time.Now().Add(-2 * f.cfg.Patience)
	if first {
		since = time.Now().Add(-callsKept)
	}
	var calls []watch.Call
	err := f.node.DB.View(ctx, func(tx *store.Tx) (err error) {
		calls, err = watch.Calls(ctx, tx, since)
		return err
	})
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range calls {
		if c := &calls[i]; c.Process != f.cfg.Process || f.find(c.Item, c.Officer, c.Means) == nil {
			f.keep(c)
		}
	}
	return nil
}

// find finds a call that is known. f.mu is held.
func (f *Floor) find(item, officer, means string) *watch.Call {
	i := slices.IndexFunc(f.calls[item], func(c *watch.Call) bool { return c.Officer == officer && c.Means == means })
	if i < 0 {
		return nil
	}
	return f.calls[item][i]
}

// keep remembers a call, in the place of what was known of it. f.mu is held.
func (f *Floor) keep(c *watch.Call) {
	if known := f.find(c.Item, c.Officer, c.Means); known != nil {
		*known = *c
		return
	}
	f.calls[c.Item] = append(f.calls[c.Item], c)
}

// dead tells whether whoever claimed a call is taken for dead. f.mu is held.
func (f *Floor) dead(c *watch.Call, now time.Time) bool {
	if c.Outcome != watch.UnderWay || f.flying[c.ID()] {
		return false
	}
	return c.Process == f.cfg.Process || !f.node.DB.Multi() || now.Sub(c.Claimed) >= f.cfg.Patience
}

// ladder is who is to be called for an item, by who is on duty at its post. f.mu is held.
func (f *Floor) ladder(it *watch.Item, duty roster.Duty) []watch.Step {
	return watch.Ladder(it, duty, func(officer string) bool {
		tried, reached := false, false
		for _, c := range f.calls[it.Key] {
			if c.Officer == officer && c.Means != console {
				tried, reached = true, reached || c.Outcome != watch.Failed
			}
		}
		return tried && !reached
	})
}

// onCall is who is called for a post: its watch, or that of the first post that has one, so that nothing waits where nobody looks. f.mu is held.
func (f *Floor) onCall(post traffic.Post, now time.Time) roster.Duty {
	d, ok := f.record.duty(post, now)
	if !ok {
		d, _ = f.record.duty(f.firstPost(), now)
	}
	return d
}

// group is calls to one officer by one means that are placed as one: whoever is called for a hundred things is called once.
type group struct {
	officer string
	means   Means
	role    roster.Role
	items   []*watch.Item // the most pressing first
}

// alone is from which precedence on an item has a call of its own.
func alone(p traffic.Precedence) bool { return p.Rank() >= traffic.Immediate.Rank() }

// callPeople calls everybody whom the ladder says is to have been called by now, and tells when the next is.
func (f *Floor) callPeople(ctx context.Context, now time.Time) (again time.Time) {
	f.mu.Lock()
	groups := make(map[string]*group)
	var order []*group
	duties := make(map[traffic.Post]roster.Duty)
	means := make(map[string][]Means)
	for _, it := range f.board.items {
		duty, known := duties[it.Post]
		if !known {
			duty = f.onCall(it.Post, now)
			duties[it.Post] = duty
		}
		due, next := watch.Next(f.ladder(it, duty), now)
		if next != nil {
			again = earlier(again, next.At)
		}
		for _, step := range due {
			if means[step.Officer] == nil {
				means[step.Officer] = []Means{{Name: console, Language: f.lang.String()}}
				if f.cfg.Means != nil {
					means[step.Officer] = append(means[step.Officer], f.cfg.Means(step.Officer)...)
				}
			}
			for _, m := range means[step.Officer] {
				if known := f.find(it.Key, step.Officer, m.Name); known != nil && !f.dead(known, now) {
					if known.Outcome == watch.UnderWay && !f.flying[known.ID()] {
						again = earlier(again, known.Claimed.Add(f.cfg.Patience+time.Second))
					}
					continue
				}
				name := step.Officer + "/" + m.Name
				if alone(it.Precedence) {
					name += "/" + it.Key
				}
				g := groups[name]
				if g == nil {
					g = &group{officer: step.Officer, means: m, role: step.Role}
					groups[name] = g
					order = append(order, g)
				}
				g.items = append(g.items, it)
				c := &watch.Call{
					Item: it.Key, Officer: step.Officer, Means: m.Name, Role: string(step.Role), Claimed: now.UTC(), Process: f.cfg.Process, Outcome: watch.UnderWay,
				}
				f.keep(c)
				f.flying[c.ID()] = true
			}
		}
	}
	f.mu.Unlock()
	for _, g := range order {
		f.work.Go(func() { f.call(ctx, g) })
	}
	return again
}

// call claims the calls of a group, places them as one, and keeps what came of it. Dying before the claim is durable, nobody was called, and the next
// process does it. Dying between the claim and its outcome, the next process places the call again, under the same id. When the database fails the
// call is placed all the same: better twice than never.
func (f *Floor) call(ctx context.Context, g *group) {
	defer f.kick()
	patience := f.cfg.Patience
	if !f.node.DB.Multi() {
		patience = 0
	}
	calls := make([]*watch.Call, len(g.items))
	f.mu.RLock()
	for i, it := range g.items {
		c := *f.find(it.Key, g.officer, g.means.Name)
		calls[i] = &c
	}
	f.mu.RUnlock()
	urgency := store.Calm
	if alone(g.items[0].Precedence) {
		urgency = store.Urgent
	}
	var mine []bool
	err := f.node.DB.Update(ctx, urgency, func(tx *store.Tx) error {
		mine = make([]bool, len(calls))
		for i, c := range calls {
			var err error
			if mine[i], err = watch.Claim(ctx, tx, c, patience); err != nil {
				return err
			}
		}
		return nil
	})
	if ctx.Err() != nil {
		f.land(calls)
		return
	}
	if err != nil {
		f.log.Error("a call could not be claimed, and is placed all the same", "officer", g.officer, "means", g.means.Name, "reason", err)
	}
	var placed, others []*watch.Call
	var items []*watch.Item
	for i, c := range calls {
		if err != nil || mine[i] {
			placed, items = append(placed, c), append(items, g.items[i])
			continue
		}
		c.Outcome, c.Process = watch.Placed, "" // by another process, which learnCalls knows more of
		others = append(others, c)
	}
	f.mu.Lock()
	for _, c := range others {
		f.keep(c)
	}
	f.mu.Unlock()
	f.land(others)
	if len(placed) == 0 {
		return
	}
	failure := f.place(ctx, g, items)
	if ctx.Err() != nil && failure != nil {
		f.land(placed) // the process ends: the next one places it again
		return
	}
	for i, c := range placed {
		c.Outcome, c.Ended = watch.Placed, time.Now().UTC()
		if i > 0 {
			c.Detail = withPrefix + placed[0].Item
		}
		if failure != nil {
			c.Outcome, c.Detail = watch.Failed, cut(call.Code(failure)+" "+failure.Error(), 1000)
		}
	}
	f.mu.Lock()
	for _, c := range placed {
		f.keep(c)
	}
	f.mu.Unlock()
	if err := f.settleCalls(ctx, urgency, placed); err != nil {
		f.log.Error("the outcome of a call could not be kept, and is tried again", "item", placed[0].Item, "reason", err)
		f.mu.Lock()
		f.unsaved = append(f.unsaved, placed...)
		f.mu.Unlock()
	}
	f.land(placed)
	f.mu.RLock()
	if c := placed[0]; !f.record.says(c.Item, actCall(c.Officer, c.Means)) { // it may have been noted with a turn meanwhile
		f.noteCall(items, c)
	}
	f.mu.RUnlock()
}

// settleCalls keeps the outcome of calls, and makes up for the claim where there was none. What cannot be kept is tried again with each turn: should
// the process end before, the call is made once more.
func (f *Floor) settleCalls(ctx context.Context, urgency store.Urgency, placed []*watch.Call) error {
	return f.node.DB.Update(context.WithoutCancel(ctx), urgency, func(tx *store.Tx) error {
		for _, c := range placed {
			again := *c
			if _, err := watch.Claim(ctx, tx, &again, 0); err != nil { // nothing, where the claim is there
				return err
			}
			if err := watch.Settle(ctx, tx, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// saveCalls keeps the outcomes that could not be kept when they were known, and tells when to try again.
func (f *Floor) saveCalls(ctx context.Context, now time.Time) (again time.Time) {
	f.mu.Lock()
	unsaved := f.unsaved
	f.unsaved = nil
	f.mu.Unlock()
	if len(unsaved) == 0 {
		return again
	}
	if err := f.settleCalls(ctx, store.Calm, unsaved); err != nil {
		f.mu.Lock()
		f.unsaved = append(unsaved, f.unsaved...)
		f.mu.Unlock()
		return now.Add(retry)
	}
	return again
}

// land says that calls are no longer being placed by this process.
func (f *Floor) land(calls []*watch.Call) {
	f.mu.Lock()
	for _, c := range calls {
		delete(f.flying, c.ID())
	}
	f.mu.Unlock()
}

// place reaches the officer. The console needs nothing: it shows the board.
func (f *Floor) place(ctx context.Context, g *group, items []*watch.Item) error {
	if g.means.Name == console {
		return nil
	}
	caller := f.cfg.Callers[g.means.Name]
	if caller == nil {
		return fmt.Errorf("floor: %s: %w", g.means.Name, call.ErrUnset)
	}
	ctx, cancel := context.WithTimeout(ctx, placeWithin)
	defer cancel()
	lang := language.Make(cmp.Or(g.means.Language, f.lang.String()))
	c := watch.Call{Item: items[0].Key, Officer: g.officer, Means: g.means.Name}
	return caller.Place(ctx, Call{
		ID: c.ID(), Officer: g.officer, Role: string(g.role), Means: g.means, Item: items[0], Title: f.Title(items[0], lang), More: len(items) - 1,
	})
}

// cut shortens a text to so many bytes, between characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xC0 == 0x80 {
		most--
	}
	return s[:most]
}
