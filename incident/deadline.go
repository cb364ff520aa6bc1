package incident

import (
	"cmp"
	"slices"
	"time"

	"detente/statement"
	"detente/traffic"
)

// Due is one deadline of a matter, from the statement that started it.
type Due struct {
	Deadline
	Matter    statement.ID
	Statement statement.ID  // that started it
	Owner     traffic.Party // who owes; empty for all whom the matter was addressed to, and where nobody owes
	Since     time.Time
	At        time.Time // by when
	Moved     int       // how often it was put off
	// How it ended: met by a statement of its owner, or dropped because nothing is owed any more. Neither while it runs.
	Met     statement.ID
	MetAt   time.Time
	Dropped bool
}

// Running tells whether it has not ended.
func (d *Due) Running() bool { return d.Met == (statement.ID{}) && !d.Dropped }

// Late tells whether it was met too late, or runs and is over at now.
func (d *Due) Late(now time.Time) bool {
	if d.Met != (statement.ID{}) {
		return d.MetAt.After(d.At)
	}
	return d.Running() && now.After(d.At)
}

// Ends tells whether a statement of a form, with some of the codes, by a side would end a deadline of the matter as words have left it.
func (m *Matter) Ends(d *Due, formID string, codes []string, by Side) bool {
	if len(codes) == 0 {
		codes = []string{""}
	}
	return slices.ContainsFunc(codes, func(code string) bool {
		row := m.Machine.Move(m.State, formID, code, by)
		return row != nil && slices.Contains(row.Stops, d.ID)
	})
}

// start begins a deadline. Its window is the last that was stated in the matter. Where none was, its limit runs from the statement; without a limit
// it does not run.
func (f *fold) start(e *Entry, m *Matter, id string) {
	kind, _ := f.table.Deadline(id)
	d := Due{Deadline: kind, Matter: m.ID, Statement: e.ID, Since: e.At, At: e.At}
	switch kind.By {
	case Asker:
		d.Owner = m.Asker
	case Asked:
		d.Owner = m.Asked
	}
	if kind.Field != "" {
		window, ok := m.windows[kind.Field]
		switch {
		case ok && kind.Edge == "to":
			d.At = window[1]
		case ok:
			d.At = window[0]
		case kind.Limit == "":
			return
		}
	}
	if kind.Limit != "" {
		d.At = d.At.Add(f.table.regime.Limit(kind.Limit, e.Precedence))
	}
	m.Dues = append(m.Dues, d)
}

// stop ends the running deadlines of some kinds: met if the statement is by who owes, dropped otherwise.
func (m *Matter) stop(e *Entry, ids []string) {
	if len(ids) == 0 {
		return
	}
	for i := range m.Dues {
		d := &m.Dues[i]
		if !d.Running() || ids[0] != "*" && !slices.Contains(ids, d.ID) {
			continue
		}
		owes := d.By != Nobody && (d.Owner == e.Issuer.Party || d.Owner == "" && m.side(e.Issuer.Party) == d.By)
		switch {
		case owes && e.Form != formCancellation:
			d.Met, d.MetAt = e.ID, e.At
		case !d.Soft || ids[0] == "*":
			d.Dropped = true
		}
	}
}

// shift puts the running deadline of a kind off. A time that is earlier promises something and excuses nothing, so it changes nothing.
func (m *Matter) shift(id string, to time.Time) {
	for i := range m.Dues {
		if d := &m.Dues[i]; d.Running() && d.ID == id && to.After(d.At) {
			d.At = to
			d.Moved++
		}
	}
}

// end drops what is owed when the case closes. What is only proposed goes on.
func (m *Matter) end() {
	for i := range m.Dues {
		if d := &m.Dues[i]; d.Running() && !d.Soft {
			d.Dropped = true
		}
	}
}

// Standing is how a matter stands at a time.
type Standing struct {
	*Matter
	State string
	Since time.Time // when it came to stand so; for what silence did, the deadline
}

// Open tells whether something is still expected in it.
func (s Standing) Open() bool { return s.Machine.Open(s.State) }

// View is a case at a time.
type View struct {
	Now      time.Time
	Machine  string // of the matter that leads, such as cease
	State    string // of that matter
	Since    time.Time
	Outcome  string // with which the case is closed: by both sides, or by silence; empty while it is open
	ClosedAt time.Time
	Matters  []Standing // beside Case.Matters
	Owed     []Due      // what runs, the earliest first
}

// Open tells whether the case is not closed.
func (v *View) Open() bool { return v.Outcome == "" }

// Overdue lists what is owed, and not only proposed, and late.
func (v *View) Overdue() (late []Due) {
	for _, d := range v.Owed {
		if !d.Soft && d.By != Nobody && d.Late(v.Now) {
			late = append(late, d)
		}
	}
	return late
}

// Next is the next moment after Now at which the view changes by itself, zero if only words change it.
func (v *View) Next() (next time.Time) {
	for _, d := range v.Owed {
		if d.At.After(v.Now) && (next.IsZero() || d.At.Before(next)) {
			next = d.At
		}
	}
	return next
}

// At is the case at a time: the state that words have brought about, and what silence has made of it. It forgets the silence when somebody speaks
// again, so that a late word counts for as much as it would have.
func (c *Case) At(now time.Time) *View {
	v := &View{Now: now, Outcome: c.Outcome, ClosedAt: c.ClosedAt}
	for _, m := range c.Matters {
		s := m.at(now)
		v.Matters = append(v.Matters, s)
		if outcome := m.Machine.Closes[s.State]; outcome != "" && v.Outcome == "" {
			v.Outcome, v.ClosedAt = outcome, s.Since
		}
	}
	for _, s := range v.Matters {
		for _, d := range s.Dues {
			if d.Running() && (v.Outcome == "" || d.Soft) {
				v.Owed = append(v.Owed, d)
			}
		}
	}
	slices.SortStableFunc(v.Owed, func(a, b Due) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	if lead, ok := c.lead(v); ok {
		v.Machine, v.State, v.Since = lead.Machine.ID, lead.State, lead.Since
	}
	return v
}

// at applies to a matter what silence does: the deadlines that have passed, in the order of their times.
func (m *Matter) at(now time.Time) Standing {
	s := Standing{m, m.State, m.Since}
	passed := slices.DeleteFunc(slices.Clone(m.Dues), func(d Due) bool { return !d.Running() || d.At.After(now) })
	slices.SortStableFunc(passed, func(a, b Due) int { return a.At.Compare(b.At) })
	for _, d := range passed {
		if row := m.Machine.after[timeout{s.State, d.ID}]; row != nil {
			s.State, s.Since = row.To, d.At
		}
	}
	return s
}

// lead finds the matter by which a case is known: what closed it; else a proposal to close that waits; else what is open and most urgent, the last of its
// kind; else the last that was opened.
func (c *Case) lead(v *View) (lead Standing, ok bool) {
	best := -1
	for _, s := range v.Matters {
		rank := 0
		switch i := slices.Index(c.table.Machines, s.Machine); {
		case s.Machine.Closes[s.State] != "":
			rank = 3 * maxMachines
		case s.Open() && len(s.Machine.Closes) > 0:
			rank = 2 * maxMachines
		case s.Open():
			rank = 2*maxMachines - 1 - i
		case len(s.Machine.Closes) > 0:
			rank = -1 // a proposal that was declined says nothing of the case
		}
		if rank >= best || !ok {
			lead, best, ok = s, rank, true
		}
	}
	return lead, ok
}
