package casework

import (
	"context"
	"time"

	"detente/dossier"
	"detente/incident"
	"detente/traffic"
)

// seen is how a case stands, until something in it falls due or is said.
type seen struct {
	of    *incident.Case
	view  *incident.View
	until time.Time // zero where nothing falls due
}

// view is how a case stands at now. Thousands stand as they did when somebody last looked, so that is kept.
func (c *Casework) view(name dossier.Name, k *incident.Case, now time.Time) *incident.View {
	c.viewing.Lock()
	defer c.viewing.Unlock()
	s, known := c.views[name]
	if !known || s.of != k || now.Before(s.view.Now) || !s.until.IsZero() && !now.Before(s.until) {
		s = seen{of: k, view: k.At(now)}
		for _, m := range k.Matters {
			for _, d := range m.Dues {
				if d.Running() && d.At.After(now) {
					s.until = sooner(s.until, d.At)
				}
			}
		}
		if c.views == nil {
			c.views = make(map[dossier.Name]seen)
		}
		c.views[name] = s
	}
	v := *s.view // what it points to is only read
	v.Now = now
	return &v
}

// Tally is how many cases are open, in how many of them this party owes what falls due next, and in how many that is overdue.
type Tally struct{ Open, Ours, Overdue int }

// Tally counts the cases of a plane. It costs next to nothing: every page of the console shows it.
func (c *Casework) Tally(ctx context.Context, plane traffic.Plane) (Tally, error) {
	if err := c.Read(ctx); err != nil {
		return Tally{}, err
	}
	now := time.Now()
	c.mu.RLock()
	defer c.mu.RUnlock()
	type sum struct {
		next *incident.Due
		ours bool
	}
	numbered := make(map[incident.Number]*sum)
	var all []*sum
	for name, k := range c.cases {
		if name.Plane != plane {
			continue
		}
		v := c.view(name, k, now)
		if !v.Open() {
			continue
		}
		s := numbered[k.Number]
		if s == nil || k.Number == (incident.Number{}) {
			s = &sum{}
			numbered[k.Number] = s
			all = append(all, s)
		}
		for i := range v.Owed {
			if d := &v.Owed[i]; !d.Soft && d.By != incident.Nobody && (s.next == nil || d.At.Before(s.next.At)) {
				s.next, s.ours = d, c.owes(v, d)
			}
		}
	}
	t := Tally{Open: len(all)}
	for _, s := range all {
		switch {
		case s.next == nil:
			continue
		case s.ours:
			t.Ours++
		}
		if s.next.Late(now) {
			t.Overdue++
		}
	}
	return t, nil
}
