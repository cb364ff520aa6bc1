package casework

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"detente/incident"
	"detente/statement"
	"detente/traffic"
)

// heard is what others have asked about, held against what was declared: so that an officer sees with the question that its subject was announced.
type heard struct {
	asked map[statement.ID]observed
	found map[statement.ID]string // number of the best match; none where nothing matches
	fresh []statement.ID          // of asked, not compared yet
	stale bool                    // a notice has changed: everything is compared anew
}

// observed is what a statement of another party says was observed.
type observed struct {
	plane traffic.Plane
	what  incident.Observation
}

// mostHeld bounds the notices, those that were given last, that one question is held against by itself: a peer that declares without end keeps the
// machine no busier than that.
const mostHeld = 512

// listen keeps what the statements that opened the matters of a case ask about. c.mu is held.
func (c *Casework) listen(before, after *incident.Case) {
	declares := func(k *incident.Case) bool {
		return k != nil && slices.ContainsFunc(k.Matters, func(m *incident.Matter) bool { return m.Machine.Opens == formActivity })
	}
	c.heard.stale = c.heard.stale || declares(before) || declares(after)
	for _, m := range after.Matters {
		if _, known := c.heard.asked[m.ID]; known || m.Asker == c.self || m.Machine.Opens == formActivity {
			continue
		}
		e := &after.Entries[placeOf(after, m.ID)]
		if o, _ := incident.ObservationOf(e.Values); !o.To.IsZero() {
			c.heard.asked[m.ID] = observed{after.Plane, o}
			c.heard.fresh = append(c.heard.fresh, m.ID)
		}
	}
}

// match holds against each other what has come since the last time. c.reading is held; what takes long is done without c.mu, for which the board waits.
func (c *Casework) match(now time.Time) {
	c.mu.Lock()
	ask := make(map[statement.ID]observed)
	for _, id := range c.heard.fresh {
		ask[id] = c.heard.asked[id]
	}
	if c.heard.stale {
		ask = maps.Clone(c.heard.asked)
	}
	c.heard.fresh, c.heard.stale = nil, false
	declared := make(map[traffic.Plane][]Notice)
	for _, o := range ask {
		if _, have := declared[o.plane]; have {
			continue
		}
		list := c.notices(o.plane, now)
		slices.SortStableFunc(list, func(a, b Notice) int { return b.Given.Compare(a.Given) })
		declared[o.plane] = list[:min(len(list), mostHeld)]
	}
	c.mu.Unlock()
	found := make(map[statement.ID]string, len(ask))
	for id, o := range ask {
		found[id] = bestOf(o.what, declared[o.plane])
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, number := range found {
		if delete(c.heard.found, id); number != "" {
			c.heard.found[id] = number
		}
	}
}

// bestOf is the number of the notice that an observation matches best, empty where it matches none.
func bestOf(o incident.Observation, notices []Notice) (number string) {
	var best incident.Match
	for _, n := range notices {
		m := incident.Compare(o, n.Notice)
		if m.Conclusion != incident.Differ && (number == "" || better(m, best)) {
			best, number = m, n.Number
		}
	}
	return number
}

func better(a, b incident.Match) bool {
	order := []string{incident.Matches, incident.InPart}
	return cmp.Or(cmp.Compare(slices.Index(order, a.Conclusion), slices.Index(order, b.Conclusion)), cmp.Compare(len(b.Hit), len(a.Hit))) < 0
}

// Announced is the number of the declared activity that a statement of another party matches best, empty where none does. What comes of the comparison
// is shown here, and goes nowhere else.
func (c *Casework) Announced(id statement.ID) string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.heard.found[id]
}
