package acts

import (
	"slices"

	"detente/traffic"
)

// change is a place that is taken or given up on a day.
type change struct {
	day   Day
	l     *life
	p     *period
	begin bool
}

// changes lists them by day; on one day those that end come first, so that who continues another is not counted twice.
func (f *fold) changes() []change {
	var list []change
	for _, l := range f.lives {
		if l.as == Continued {
			list = append(list, change{day: l.gone}) // who waits for it waits for its heir
		}
		for _, p := range l.periods {
			if p.to != 0 && p.to <= p.from {
				continue
			}
			list = append(list, change{p.from, l, p, true})
			if p.to != 0 {
				list = append(list, change{p.to, l, p, false})
			}
		}
	}
	slices.SortFunc(list, func(a, b change) int {
		if a.day != b.day {
			return int(a.day) - int(b.day)
		}
		if a.begin != b.begin {
			if b.begin {
				return -1
			}
			return 1
		}
		return 0
	})
	return list
}

// join finds the day on which the conditions of each consent are met, protocol.md#acts-joint: of all sets of those who have consented, the largest in which everybody's
// conditions are. Who has got in stays, whoever leaves afterwards.
func (f *fold) join() {
	here := map[traffic.Party]*period{}
	waiting := map[*period]traffic.Party{}
	list := f.changes()
	for i := 0; i < len(list); {
		day, began := list[i].day, false
		for ; i < len(list) && list[i].day == day; i++ {
			c := list[i]
			if c.p == nil {
				began = true
				continue
			}
			if !c.begin {
				delete(here, c.l.party)
				delete(waiting, c.p)
				continue
			}
			here[c.l.party], began = c.p, true
			if by := c.p.c.by; len(by.With) == 0 && by.AtLeast <= 1 {
				c.p.c.met = c.p.from
				if c.p.taken {
					c.p.c.met = c.p.c.day
				}
			} else if c.p.c.met == 0 {
				waiting[c.p] = c.l.party
			}
		}
		if began && len(waiting) > 0 {
			for _, p := range f.together(here, waiting, day) {
				p.c.met = day
				delete(waiting, p)
			}
		}
	}
}

// together gives those who wait and need wait no longer. It takes out who cannot get in, then who wanted to get in with those, until nobody is left to take out.
func (f *fold) together(here map[traffic.Party]*period, waiting map[*period]traffic.Party, day Day) []*period {
	wanted := map[traffic.Party][]*period{} // by whom they wait for
	var out []*period
	gone := map[*period]bool{}
	drop := func(p *period) {
		if !gone[p] {
			gone[p] = true
			out = append(out, p)
		}
	}
	most := make([]*period, 0, len(waiting))
	for p := range waiting {
		most = append(most, p)
		for _, w := range p.c.by.With {
			w = f.heir(w, day)
			wanted[w] = append(wanted[w], p)
			if here[w] == nil {
				drop(p)
			}
		}
	}
	slices.SortFunc(most, func(a, b *period) int { return b.c.by.AtLeast - a.c.by.AtLeast })
	count := len(here)
	for next := 0; ; {
		for ; len(out) > 0; count-- {
			p := out[len(out)-1]
			out = out[:len(out)-1]
			for _, q := range wanted[waiting[p]] {
				drop(q)
			}
		}
		for next < len(most) && gone[most[next]] {
			next++
		}
		if next == len(most) || most[next].c.by.AtLeast <= count {
			break
		}
		drop(most[next])
	}
	return slices.DeleteFunc(most, func(p *period) bool { return gone[p] })
}

// heir is who on a day is what a participant was.
func (r *Record) heir(p traffic.Party, day Day) traffic.Party {
	for range len(r.lives) {
		l := r.lives[p]
		if l == nil || l.as != Continued || l.gone == 0 || l.gone > day {
			break
		}
		p = l.heir
	}
	return p
}

// enter finds when the conditions of the instrument were met, and from when it is in force for whom.
func (f *fold) enter() {
	var list []change
	for _, c := range f.changes() {
		if c.p == nil {
			continue
		}
		met := c.p.c.met
		if met == 0 || c.p.to != 0 && c.p.to <= met {
			continue
		}
		if c.begin {
			c.day = max(c.day, met)
		}
		list = append(list, c)
	}
	slices.SortStableFunc(list, func(a, b change) int { return int(a.day) - int(b.day) })
	groups := make([]int, len(f.Rules.Entry.Among))
	member := make([]map[traffic.Party]bool, len(groups))
	for g, group := range f.Rules.Entry.Among {
		member[g] = map[traffic.Party]bool{}
		for _, p := range group.Parties {
			member[g][p] = true
		}
	}
	count := 0
	for i := 0; i < len(list) && f.Met == 0; {
		day := list[i].day
		for ; i < len(list) && list[i].day == day; i++ {
			c, step := list[i], -1
			if c.begin {
				step = 1
			}
			count += step
			for g := range groups {
				if member[g][c.l.party] || member[g][c.p.c.by.Party] {
					groups[g] += step
				}
			}
		}
		enough := count >= max(f.Rules.Entry.Threshold, 1)
		for g, group := range f.Rules.Entry.Among {
			enough = enough && groups[g] >= group.AtLeast
		}
		if enough {
			f.Met = day
		}
	}
	if f.Met == 0 {
		return
	}
	e := &f.Rules.Entry
	f.Entry = max(e.Delay.After(f.Met), e.NotBefore)
	for _, l := range f.lives {
		for _, p := range l.periods {
			p.c.force = f.force(p.c)
			f.Acts[p.c.by.at].Works = p.c.force
		}
	}
}

// force is the day from which the instrument is in force for whoever gave a consent.
func (f *fold) force(c *accession) Day {
	if c.met == 0 {
		return 0
	}
	e, day := &f.Rules.Entry, f.Entry
	if c.by.Kind == Succeed {
		return max(day, c.by.from())
	}
	from := f.Met
	if e.LaterFrom == LaterEntry {
		from = f.Entry
	}
	if c.met > from {
		later := e.Delay
		if e.Later != nil {
			later = *e.Later
		}
		day = max(day, later.After(c.met))
	}
	return max(day, c.by.Effect)
}
