package acts

import (
	"slices"

	"detente/traffic"
)

// Act finds an act that is known, by its id.
func (r *Record) Act(id string) (Noted, bool) {
	i, ok := r.byID[id]
	if !ok {
		return Noted{}, false
	}
	return r.Acts[i], true
}

// Parties lists everybody of whom an act is known, whether it has an effect or not.
func (r *Record) Parties() []traffic.Party { return slices.Clone(r.order) }

// Days lists the days on which the table changes, ascending: a picture over time needs no others.
func (r *Record) Days() []Day {
	seen := map[Day]bool{r.Met: true, r.Entry: true, r.Ended: true}
	for i := range r.Acts {
		n := &r.Acts[i]
		a := &n.Act
		if n.As != nil {
			a = n.As
		}
		seen[a.works()], seen[n.Works] = true, true
	}
	for _, l := range r.lives {
		for _, p := range l.periods {
			seen[p.from], seen[p.to], seen[p.begins()], seen[p.c.met] = true, true, true, true
		}
		for _, t := range l.things {
			for _, h := range t.holds {
				seen[h.from], seen[h.to] = true, true
			}
		}
	}
	delete(seen, 0)
	days := make([]Day, 0, len(seen))
	for d := range seen {
		days = append(days, d)
	}
	slices.Sort(days)
	return days
}

// upTo is a day if it has come by another, or no day.
func upTo(d, on Day) Day {
	if d > on {
		return 0
	}
	return d
}

// Status is the table on a day. What lies ahead of that day is in it only so far as acts dated by then bring it about.
func (r *Record) Status(on Day) Status {
	s := Status{On: on, Known: r.Known, Nature: r.Rules.Nature, Met: upTo(r.Met, on), Ended: upTo(r.Ended, on), Counts: map[State]int{}, Rows: []Row{}}
	if s.Met != 0 {
		s.Entry = r.Entry
	}
	s.InForce = s.Entry != 0 && s.Entry <= on && s.Ended == 0
	for i := range r.Acts {
		n := &r.Acts[i]
		a := &n.Act
		if n.As != nil {
			a = n.As
		}
		switch {
		case n.Why != "" || a.Date > on:
		case a.Kind == Open && s.Opened == 0:
			s.Opened = a.Date
		case a.Kind == Adopt && s.Adopted == 0:
			s.Adopted = a.Date
		}
	}
	for _, p := range r.order {
		if row, ok := r.row(r.lives[p], on); ok {
			s.Counts[row.State]++
			s.Rows = append(s.Rows, row)
		}
	}
	return s
}

// at is the place of a participant on a day; nil for none.
func (l *life) at(on Day) *period {
	for _, p := range slices.Backward(l.periods) {
		if p.active(on) || p.inForce(on) {
			return p
		}
	}
	return nil
}

func (r *Record) row(l *life, on Day) (Row, bool) {
	row := Row{Party: l.party, State: None}
	any := false
	for _, i := range l.acts {
		n := &r.Acts[i]
		a := &n.Act
		if n.As != nil {
			a = n.As
		}
		if a.works() > on || aside(a.Kind) && n.Why == "" {
			continue
		}
		any = true
		if n.Why != "" {
			row.NoEffect = append(row.NoEffect, n.ID)
		}
	}
	slices.Sort(row.NoEffect)
	var named Day
	for _, n := range l.names {
		if n.from <= on && n.from >= named {
			named, row.Name, row.Names = n.from, n.one, n.texts
		}
	}
	provisional := r.say(l, on, &row)
	p := l.at(on)
	any = any || p != nil || l.gone != 0 && l.gone <= on
	if p != nil {
		row.State = Waiting
		row.Consented, row.Way, row.Consent, row.Other = p.c.day, p.c.by.Kind, p.c.by.ID, p.other
		if p.c.met != 0 && p.c.met <= on {
			row.State = Consented
			if r.Met != 0 && r.Met <= on {
				row.InForce = p.begins()
			}
		}
		if p.notice != 0 && p.notice <= on {
			row.Notice, row.Ends = p.notice, p.to
		}
		if p.inForce(on) {
			row.State, row.InForce = InForce, p.begins()
		}
	} else if row.Signed != 0 {
		row.State = Signatory
	}
	for _, past := range l.periods {
		if p == nil && past.to != 0 && past.to <= on {
			row.State = Left
			row.Consented, row.Way, row.Consent, row.Notice, row.Ends, row.Other = past.c.day, past.c.by.Kind, past.c.by.ID, past.notice, past.to, past.other
			if b := past.begins(); b != 0 && b < past.to {
				row.InForce = b
			} else {
				row.InForce = 0
			}
		}
	}
	if provisional && row.State != InForce && row.State != Left {
		row.State = Provisional
	}
	if r.Ended != 0 && r.Ended <= on && row.State != None {
		row.State = Left
		if row.Ends == 0 || row.Ends > r.Ended {
			row.Ends = r.Ended
		}
	}
	if l.gone != 0 && l.gone <= on {
		row.State = l.as
		if l.heir != "" {
			row.Other = l.heir
		}
		if row.Ends == 0 && row.Consented != 0 {
			row.Ends = l.gone
		}
	}
	return row, any
}

// say puts into a row what its participant says on a day, and tells whether it applies the instrument provisionally.
func (r *Record) say(l *life, on Day, row *Row) (provisional bool) {
	seen := map[string]bool{}
	for _, t := range l.things {
		if t.why != "" || seen[t.ID] || !t.on(l.party, on) {
			continue
		}
		seen[t.ID] = true
		switch t.Kind {
		case Sign:
			row.Signed, row.Signature, row.Manner = t.Date, t.ID, t.Manner
		case Declare, Interpret, Understand:
			row.Statements = append(row.Statements, t.ID)
		case Extend:
			row.Territory = append(row.Territory, t.Participant)
		case ApplyProvisional:
			provisional = true
		}
	}
	for _, v := range r.mine[l.party] {
		if v.on(l.party, on) {
			row.Held = append(row.Held, r.held(v, l.party, on))
		}
	}
	slices.Sort(row.Statements)
	slices.Sort(row.Territory)
	row.Territory = slices.Compact(row.Territory)
	slices.SortFunc(row.Held, func(a, b Held) int { return r.byID[a.ID] - r.byID[b.ID] })
	return provisional
}

func (r *Record) held(v *reservation, by traffic.Party, on Day) Held {
	h := Held{ID: v.ID, From: v.works, Pending: v.works == 0 || v.works > on}
	h.Provision, h.As = r.now(v, on)
	for p := range v.objects {
		if o := v.objection(p, on); o != nil && p != by {
			h.Objections = append(h.Objections, o.ID)
		}
	}
	slices.Sort(h.Objections)
	for _, d := range v.acceptances {
		if d.Date <= on {
			h.Accepted = append(h.Accepted, d.ID)
		}
	}
	slices.Sort(h.Accepted)
	return h
}

// bound is the place of a participant that is bound on a day; nil for one that is not.
func (r *Record) bound(p traffic.Party, on Day) *period {
	l := r.lives[p]
	if l == nil || r.Ended != 0 && r.Ended <= on || l.gone != 0 && l.gone <= on {
		return nil
	}
	for _, period := range slices.Backward(l.periods) {
		if period.inForce(on) {
			return period
		}
	}
	return nil
}

// Relation is what the instrument is between two participants on a day, protocol.md#acts-relations. It is the same both ways.
func (r *Record) Relation(x, y traffic.Party, on Day) Relation {
	out := Relation{X: x, Y: y, On: on, Bond: Unbound}
	px, py := r.bound(x, on), r.bound(y, on)
	if px == nil || py == nil || x == y {
		return out
	}
	out.Bond, out.Since = Bound, max(px.begins(), py.begins())
	out.collect(r, x, y)
	out.collect(r, y, x)
	switch {
	case len(out.Excluded) > 0:
		out.Bond = Excluded
	case len(out.Modified) > 0:
		out.Bond = Modified
	}
	return out
}

// collect adds the reservations of one to what there is between the two.
func (out *Relation) collect(r *Record, by, other traffic.Party) {
	for _, v := range r.mine[by] {
		if v.works == 0 || v.works > out.On || !v.on(by, out.On) {
			continue
		}
		m := Modification{Reservation: v.ID, By: by}
		m.Provision, _ = r.now(v, out.On)
		o := v.objection(other, out.On)
		switch d := v.accepted[other]; {
		case o != nil:
			m.Objection = o.ID
		case v.deadline != 0 && out.On <= v.deadline:
			m.Open = d == 0 || d > out.On
		}
		if o != nil && o.Opposing {
			out.Excluded = append(out.Excluded, m)
		} else {
			out.Modified = append(out.Modified, m)
		}
	}
}

// Pledge is against whom the commitment of a participant runs on a day. A legal instrument binds towards those whom it binds.
func (r *Record) Pledge(x traffic.Party, on Day) Pledge {
	out := Pledge{Party: x, On: on}
	if r.bound(x, on) == nil {
		return out
	}
	out.Runs, out.All = true, r.Rules.Runs == RunsAll
	for _, y := range r.order {
		switch r.Relation(x, y, on).Bond {
		case Excluded:
			out.Except = append(out.Except, y)
		case Modified:
			out.Modified = append(out.Modified, y)
			out.Toward = append(out.Toward, y)
		case Bound:
			out.Toward = append(out.Toward, y)
		}
	}
	if !out.All {
		out.Except = nil
	}
	return out
}
