package sim

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"detente/floor"
	"detente/form"
	"detente/node"
	"detente/standing"
	"detente/watch"
)

// Staff are the officers of a party: how they are called, and what they do when they are.
type Staff struct {
	capital *Capital

	mu    sync.Mutex // guards what follows
	away  map[string]bool
	all   bool // all of them are away
	rings []Ring
	work  sync.WaitGroup
	over  chan struct{} // closed when the story ends: nobody does anything more
}

// Ring is a call that was placed.
type Ring struct {
	At   time.Time
	Call floor.Call
}

// Man gives a party a watch floor and officers, from its next start on.
func (c *Capital) Man() *Staff {
	c.staff = &Staff{capital: c, away: make(map[string]bool), over: make(chan struct{})}
	return c.staff
}

// manned puts the watch floor around a node that is about to run.
func (c *Capital) manned(l *life, n *node.Node, log *slog.Logger) error {
	if c.staff == nil {
		return nil
	}
	f, err := floor.New(n, floor.Config{
		Means:   func(officer string) []floor.Means { return []floor.Means{{Name: "mail", Address: officer}} },
		Callers: map[string]floor.Caller{"mail": c.staff}, Log: log,
	})
	if err != nil {
		return err
	}
	l.floor, l.standing = f, standing.New(f, log)
	return nil
}

// Floor is the party's watch floor, which must be up.
func (c *Capital) Floor() *floor.Floor { c.Node(); return c.life.Load().floor }

// Standing is what stands between the parties, as the party sees it. It must be up.
func (c *Capital) Standing() *standing.Standing { c.Node(); return c.life.Load().standing }

// Away has an officer answer no call, or answer again. An empty officer is all of them.
func (s *Staff) Away(officer string, yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if officer == "" {
		s.all = yes
		return
	}
	s.away[officer] = yes
}

// Rings are the calls so far.
func (s *Staff) Rings() []Ring {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rings)
}

// End has the officers do nothing more, and waits for them.
func (s *Staff) End() {
	close(s.over)
	s.work.Wait()
}

func (s *Staff) there(officer string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.all && !s.away[officer]
}

// Place is the telephone of the party's officers.
func (s *Staff) Place(_ context.Context, c floor.Call) error {
	s.mu.Lock()
	s.rings = append(s.rings, Ring{time.Now(), c})
	s.mu.Unlock()
	s.work.Go(func() { s.comes(c) })
	return nil
}

// Reaction is how long an officer takes to get to his desk, and Work how long he then takes to answer what he has taken in hand.
const (
	Reaction = 100 * time.Second
	Work     = 130 * time.Minute
)

// comes has an officer come to his desk, take what nobody has taken, and do what it asks for. When the node is down he tries again.
func (s *Staff) comes(c floor.Call) {
	for range 30 {
		if !s.waits(Reaction) || !s.there(c.Officer) {
			return
		}
		l := s.capital.life.Load()
		if l == nil {
			continue
		}
		v, err := l.floor.Watch(l.ctx, "", "")
		if err != nil || l.dead.Load() {
			continue
		}
		done := true
		var later []watch.Item
		for _, it := range v.Items {
			if it.Precedence == c.Item.Precedence || it.Key == c.Item.Key || c.More > 0 {
				_, err := l.floor.Take(l.ctx, it.Key, floor.By{Officer: c.Officer, Role: c.Role}, "")
				if err == nil && s.acts(l, it.Item, c.Role, true) {
					later = append(later, *it.Item)
				}
				done = done && (err == nil || !l.dead.Load())
			}
		}
		if len(later) > 0 {
			s.work.Go(func() { s.answers(later, c) })
		}
		if done {
			return
		}
	}
}

func (s *Staff) waits(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-s.over:
		return false
	}
}

// answers has the officer answer, in his own time, what he has acknowledged.
func (s *Staff) answers(items []watch.Item, c floor.Call) {
	for range 30 {
		if !s.waits(Work) {
			return
		}
		if l := s.capital.life.Load(); l != nil {
			items = slices.DeleteFunc(items, func(it watch.Item) bool { return s.acts(l, &it, c.Role, false) })
		}
		if len(items) == 0 {
			return
		}
	}
}

// acts states what an item asks for, first an acknowledgement, and tells whether there is more to do; or, of an answer, whether it is done.
func (s *Staff) acts(l *life, it *watch.Item, role string, first bool) bool {
	reply := func(formID string, v form.Values) error {
		_, err := l.node.Reply(l.ctx, node.Reply{
			To: it.Statement, Form: formID, Values: v, Language: s.capital.Charter.Languages[0], Drafter: role, Releaser: "head-of-watch",
		})
		return err
	}
	switch {
	case it.Kind == watch.Acknowledge && first:
		return reply("acknowledgement", form.Values{"received": it.Since, "understood": true}) == nil && it.Form == "inquiry"
	case it.Kind == watch.Acknowledge:
		return reply("answer", form.Values{"finding": "not-ours", "text": "Not ours."}) == nil
	case it.Kind == watch.Answer && it.Form == "check" && first:
		return reply("check-answer", form.Values{"answered_by": "duty-officer", "answer": "It rains."}) != nil
	}
	return false
}

// Twice tells of the first person who was called twice for one thing; empty when nobody was.
func (s *Staff) Twice() string {
	seen := make(map[string]time.Time)
	for _, r := range s.Rings() {
		if at, again := seen[r.Call.ID]; again {
			return fmt.Sprintf("%s at %s and at %s", r.Call.ID, at.UTC().Format(time.RFC3339), r.At.UTC().Format(time.RFC3339))
		}
		seen[r.Call.ID] = r.At
	}
	return ""
}
