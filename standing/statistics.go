package standing

import (
	"cmp"
	"context"
	"slices"
	"time"

	"detente/floor"
	"detente/traffic"
)

// Traffic is what one post has sent on the real plane, by precedence.
type Traffic struct {
	traffic.Address
	Sent  map[traffic.Precedence]int // in the last 30 days
	Total map[traffic.Precedence]int
}

// counted is for how many days the statistics tell what was sent. Inflation of precedences is the known disease, and shows over weeks.
const counted = 30

// tally counts by post and precedence: the total, and the days since 1970.
type tally map[traffic.Address]map[traffic.Precedence]*count

type count struct {
	total int
	days  map[int64]int
}

func (t tally) add(told *floor.Told) {
	s := told.Statement
	if s.Plane != traffic.Real {
		return
	}
	by := t[s.Issuer]
	if by == nil {
		by = make(map[traffic.Precedence]*count)
		t[s.Issuer] = by
	}
	c := by[s.Precedence]
	if c == nil {
		c = &count{days: make(map[int64]int)}
		by[s.Precedence] = c
	}
	c.total++
	c.days[s.IssuedAt.Unix()/(24*60*60)]++
}

// Statistics counts what each post has sent on common channels, the own posts first.
func (s *Standing) Statistics(ctx context.Context) ([]Traffic, error) {
	if err := s.Read(ctx); err != nil {
		return nil, err
	}
	today := time.Now().Unix() / (24 * 60 * 60)
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]Traffic, 0, len(s.tally))
	for a, by := range s.tally {
		t := Traffic{Address: a, Sent: make(map[traffic.Precedence]int), Total: make(map[traffic.Precedence]int)}
		for p, c := range by {
			t.Total[p] = c.total
			for day, n := range c.days {
				if today-day < counted && day <= today {
					t.Sent[p] += n
				}
			}
		}
		out = append(out, t)
	}
	own := func(t *Traffic) int {
		if t.Party == s.self {
			return 0
		}
		return 1
	}
	slices.SortFunc(out, func(a, b Traffic) int {
		return cmp.Or(own(&a)-own(&b), cmp.Compare(a.Party, b.Party), cmp.Compare(a.Post, b.Post))
	})
	return out, nil
}
