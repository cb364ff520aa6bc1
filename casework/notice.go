package casework

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"detente/dossier"
	"detente/incident"
	"detente/statement"
	"detente/traffic"
)

// Notice is a declared activity, and the number of the statement that declared it.
type Notice struct {
	incident.Notice
	Number string
}

// Match is what comes of holding an observation against a notice.
type Match struct {
	incident.Match
	Number string // of the notice
}

// Notices lists the activities that were declared on a plane, by window.
func (c *Casework) Notices(ctx context.Context, plane traffic.Plane) ([]Notice, error) {
	if err := c.Read(ctx); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.notices(plane, time.Now()), nil
}

// notices lists what was declared, by window. c.mu is held.
func (c *Casework) notices(plane traffic.Plane, now time.Time) (out []Notice) {
	for name, k := range c.cases {
		if name.Plane == plane {
			for _, n := range k.Notices(now) {
				out = append(out, Notice{n, c.places[name][placeOf(k, n.ID)].number})
			}
		}
	}
	slices.SortFunc(out, func(a, b Notice) int {
		return cmp.Or(a.Declared.From.Compare(b.Declared.From), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return out
}

// Matches holds what was observed against every activity that was declared on a plane, the best first: before anybody panics, and before anybody asks.
func (c *Casework) Matches(ctx context.Context, plane traffic.Plane, o incident.Observation) (out []Match, err error) {
	list, err := c.Notices(ctx, plane)
	if err != nil {
		return nil, err
	}
	var notices []incident.Notice
	numbers := make(map[statement.ID]string)
	for _, n := range list {
		notices = append(notices, n.Notice)
		numbers[n.ID] = n.Number
	}
	for _, m := range incident.CompareAll(o, notices) {
		out = append(out, Match{m, numbers[m.Notice.ID]})
	}
	return out, nil
}

// Observed is what the sides of a case have said was observed, in all that they have said of it.
func (f *File) Observed() (out []incident.Observation) {
	for _, s := range f.Sheets {
		for _, e := range s.Case.Entries {
			if e.Why != "" || e.Values == nil || e.Form == formActivity {
				continue
			}
			if o, _ := incident.ObservationOf(e.Values); !o.To.IsZero() {
				out = append(out, o)
			}
		}
	}
	return out
}

const formActivity = "planned-activity"

// Declared gives the notices that what was observed in a case matches, each once, with its best match.
func (c *Casework) Declared(ctx context.Context, f *File) ([]Match, error) {
	best := make(map[statement.ID]Match)
	var order []statement.ID
	for _, o := range f.Observed() {
		list, err := c.Matches(ctx, f.Plane, o)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			was, seen := best[m.Notice.ID]
			if !seen {
				order = append(order, m.Notice.ID)
			}
			if !seen || len(m.Hit) > len(was.Hit) {
				best[m.Notice.ID] = m
			}
		}
	}
	var out []Match
	for _, id := range order {
		out = append(out, best[id])
	}
	return out, nil
}

// Windows lists the cases on a plane that ask for special caution, as they stand: each with the matter of its window.
func (c *Casework) Windows(ctx context.Context, plane traffic.Plane) (out []Window, err error) {
	if err := c.Read(ctx); err != nil {
		return nil, err
	}
	now := time.Now()
	c.mu.RLock()
	defer c.mu.RUnlock()
	for name, k := range c.cases {
		if name.Plane != plane {
			continue
		}
		for i, m := range k.At(now).Matters {
			if m.Machine.Opens == formWindow {
				out = append(out, c.window(name, k, i, now))
			}
		}
	}
	slices.SortFunc(out, func(a, b Window) int { return cmp.Or(a.From.Compare(b.From), bytes.Compare(a.ID[:], b.ID[:])) })
	return out, nil
}

const formWindow = "caution-window"

// Window is a time of special caution that a party has asked for.
type Window struct {
	ID       statement.ID
	Number   string
	By       traffic.Party
	From, To time.Time
	State    string // of its matter
	Ground   string
	Scope    string
	Channel  [32]byte
}

// window reads a window of special caution. c.mu is held.
func (c *Casework) window(name dossier.Name, k *incident.Case, i int, now time.Time) Window {
	m := k.At(now).Matters[i]
	w := Window{ID: m.ID, By: m.Asker, State: m.State, Channel: name.Channel}
	if at := placeOf(k, m.ID); at >= 0 {
		e := &k.Entries[at]
		w.Number, w.Ground, w.Scope = c.places[name][at].number, e.Values.Text("ground"), e.Values.Text("scope")
		o, _ := incident.ObservationOf(e.Values)
		w.From, w.To = o.From, o.To
	}
	return w
}
