package floor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/form"
	"detente/journal"
	"detente/roster"
	"detente/store"
	"detente/traffic"
	"detente/watch"
)

// Shown is an item with the calls that were made for it.
type Shown struct {
	*watch.Item
	Calls []watch.Call
	Next  *watch.Step // who is called next, if nobody takes it; nil when nobody is left
}

// MostShown is how many items of each kind a view has.
const MostShown = 500

// View is what needs somebody, and who is on duty.
type View struct {
	Now   time.Time
	Items []Shown // not taken, in the order of the board
	Taken []Shown // taken, and not done
	Done  []Shown // the newest first
	More  int     // not taken, behind those that are shown
	Duty  []roster.Duty
}

// Watch tells what needs somebody now. An empty post is every post, an empty plane every plane.
func (f *Floor) Watch(ctx context.Context, post traffic.Post, plane traffic.Plane) (View, error) {
	err := f.current(ctx)
	now := time.Now().UTC()
	f.mu.RLock()
	defer f.mu.RUnlock()
	more := 0
	pick := func(items []*watch.Item) (out []Shown) {
		more = 0
		for _, it := range items {
			switch {
			case post != "" && it.Post != post || plane != "" && it.Plane != plane:
			case len(out) < MostShown:
				out = append(out, f.shown(it, now))
			default:
				more++
			}
		}
		return out
	}
	v := View{Now: now, Taken: pick(f.board.taken), Done: pick(f.board.done), Items: pick(f.board.items)}
	v.More = more
	for _, p := range f.node.Chain(f.node.Self()).Latest().Posts {
		if d, ok := f.record.duty(p.Name, now); post == "" && ok || post == p.Name {
			v.Duty = append(v.Duty, d)
		}
	}
	return v, err
}

// shown is an item as it stands. f.mu is held.
func (f *Floor) shown(it *watch.Item, now time.Time) Shown {
	s := Shown{Item: it}
	for _, c := range f.calls[it.Key] {
		s.Calls = append(s.Calls, *c)
	}
	if it.Taken == nil {
		if _, next := watch.Next(f.ladder(it, f.onCall(it.Post, now)), now); next != nil {
			step := *next
			s.Next = &step
		}
	}
	return s
}

// Take has a person take an item: its alarm stops, and nobody more is called. Taken again by the same person it stays as it is. When the journal cannot be
// written the item is taken all the same, until this process ends, and an error says so. Errors: ErrNoItem, ErrTaken, ErrNoPerson.
func (f *Floor) Take(ctx context.Context, key string, by By, remark string) (Shown, error) {
	if by.Officer == "" || by.Officer == journal.Machine {
		return Shown{}, ErrNoPerson
	}
	if err := f.current(ctx); err != nil && ctx.Err() != nil {
		return Shown{}, err
	}
	now := time.Now().UTC()
	f.mu.Lock()
	it := f.board.byKey[key]
	if it == nil {
		f.mu.Unlock()
		return Shown{}, ErrNoItem
	}
	if t := it.Taken; t != nil {
		s := f.shown(it, now)
		f.mu.Unlock()
		if t.By == by.Officer {
			return s, nil
		}
		return s, fmt.Errorf("%w: %s, %s", ErrTaken, t.By, t.Role)
	}
	f.taken[key] = &watch.Taken{By: by.Officer, Role: by.Role, At: now}
	f.mu.Unlock()
	f.refresh(now)
	v := form.Values{"key": key, "post": string(it.Post), "state": taken, "by": by.Officer, "role": by.Role}
	told(v, it)
	if by.Role == "" {
		delete(v, "role")
	}
	if remark != "" {
		v["text"] = remark
	}
	l := &line{act: taken, key: key, post: it.Post, form: formItem, v: v, about: it.Statement, by: by.Drafter()}
	err := f.writePerson(ctx, l)
	f.kick()
	f.mu.RLock()
	defer f.mu.RUnlock()
	shown := *it
	shown.Taken = &watch.Taken{By: by.Officer, Role: by.Role, At: now}
	return f.shown(&shown, now), err
}

// ErrNotRecorded says that what a person did has its effect, and that the journal does not have it yet: it is written as soon as it can be.
var ErrNotRecorded = errors.New("floor: the watch journal cannot be written; it is done all the same, and will be recorded")

// writePerson records what a person did, now if it can be, else later.
func (f *Floor) writePerson(ctx context.Context, l *line) error {
	if err := f.writeLine(ctx, l); err != nil {
		if errors.Is(err, store.ErrUnknownOutcome) {
			f.scribe.doubt(l)
		} else {
			f.scribe.put(l)
		}
		f.kick()
		return fmt.Errorf("%w: %w", ErrNotRecorded, err)
	}
	return nil
}

// Duties lists in which duty roles an officer is on duty at a post now.
func (f *Floor) Duties(officer string, post traffic.Post) (out []roster.Role) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	d, _ := f.record.duty(post, time.Now())
	for _, role := range roster.Roles() {
		if d.Officers[role] == officer && !slices.Contains(out, role) {
			out = append(out, role)
		}
	}
	return out
}

// PostOf is the post that an item is for. Error: ErrNoItem.
func (f *Floor) PostOf(ctx context.Context, key string) (traffic.Post, error) {
	err := f.current(ctx)
	f.mu.RLock()
	defer f.mu.RUnlock()
	if it := f.board.byKey[key]; it != nil {
		return it.Post, nil
	}
	if err != nil {
		return "", err
	}
	return "", ErrNoItem
}
