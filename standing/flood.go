package standing

import (
	"slices"
	"strconv"
	"time"

	"detente/floor"
	"detente/statement"
	"detente/traffic"
	"detente/watch"
)

// The terminal answers each peer's checks of level 1 up to a number in a minute. What is beyond that stays unanswered, so that nobody makes this node fill its
// own feeds, and a person is told once. It goes by when each check came to be held: after a restart the answer is the same.

const (
	mostAnswered = 20          // checks of level 1, of one peer in a minute
	floodEnds    = time.Hour   // after the last that was left unanswered
	share        = time.Minute // in which mostAnswered are answered
)

// flood is what a peer has sent beyond its share.
type flood struct {
	recent      []time.Time // when those of the last minute came that are answered
	first, last time.Time   // of those left unanswered, until floodEnds
}

// admits tells whether a check of level 1 has its place in the peer's share. s.mu is held.
func (s *Standing) admits(t *floor.Told) bool {
	f := s.floods[t.Feed.Party]
	if f == nil {
		f = &flood{}
		s.floods[t.Feed.Party] = f
	}
	f.recent = slices.DeleteFunc(f.recent, func(at time.Time) bool { return t.Held.Sub(at) >= share })
	if len(f.recent) < mostAnswered {
		f.recent = append(f.recent, t.Held)
		return true
	}
	id := t.Statement.ID()
	s.ignored[id] = true
	if due := t.Values.Time("reply_by"); !due.IsZero() && !t.Held.Before(due) {
		return false // it waited on a line that was down, and nobody waits for it any more
	}
	if t.Held.Sub(f.last) > floodEnds {
		f.first = t.Held
	}
	f.last = t.Held
	return false
}

// Quiet tells whether a statement is a check that is left unanswered, of which one item tells for all.
func (s *Standing) Quiet(id statement.ID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.ignored[id]
}

// flooded is one item for each peer that sends more than is answered. s.mu is held.
func (s *Standing) flooded(now time.Time) (items []*watch.Item, again time.Time) {
	for peer, f := range s.floods {
		end := f.last.Add(floodEnds)
		if f.last.IsZero() || !now.Before(end) {
			continue
		}
		again = sooner(again, end)
		items = append(items, &watch.Item{
			Key: watch.Key(watch.Check, "flood", string(peer), strconv.FormatInt(f.first.Unix(), 10)), Kind: watch.Check, Plane: traffic.Real, Precedence: traffic.Priority,
			Say: "check.flood", Args: []any{string(peer), f.first}, Peer: peer, Since: f.first, Sticky: true,
		})
	}
	slices.SortFunc(items, watch.Compare)
	return items, again
}
