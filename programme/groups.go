package programme

import (
	"slices"
	"time"

	"detente/acts"
	"detente/dialogue"
	"detente/directory"
	"detente/statement"
	"detente/wording"
)

// experts is measure 5: the groups in which both have members.
func (s *scene) experts() (l Line) {
	var best Stands
	var why []Evidence
	var name any
	var last time.Time
	groups := 0
	elsewhere := s.elsewhere()
	for _, t := range s.threads() {
		t.files(Talks, func(f *File) {
			d := t.asTalk(f, s.moment)
			if d == nil || d.Group == nil || !s.both(d.Group.Parties()) {
				return
			}
			groups++
			stands, e, at := s.group(&l, t, f, d, elsewhere)
			if r := rank(stands, Suspended, Overdue, Alive, Waiting); best == "" || r < rank(best, Suspended, Overdue, Alive, Waiting) || stands == best && at.After(last) {
				best, why, name, last = stands, e, d.Group.Name, at
			}
		})
	}
	l.order()
	switch n := int64(groups); best {
	case "":
		l.say(None, "none", nil)
	case Alive:
		key := "alive"
		if slices.ContainsFunc(l.Facts, func(f Fact) bool { return f.Key == "group.goes-on" }) {
			key = "goes-on"
		}
		l.say(best, key, why, n, last)
	default:
		l.say(best, string(best), why, name)
	}
	return l
}

// halt is a channel that a member has suspended, whole or in part.
type halt struct {
	thread *Thread
	stated *directory.Statement
}

// elsewhere are the channels that are suspended.
func (s *scene) elsewhere() (out []halt) {
	for _, t := range s.threads() {
		all := s.statuses(t)
		for _, p := range t.Members {
			if st := all.Of(directory.Where{Channel: t.ID(), Plane: s.Plane}, p, s.Time); st != nil && (st.State == directory.Suspended || st.State == directory.Restricted) {
				out = append(out, halt{t, st})
			}
		}
	}
	return out
}

// group tells of a group.
func (s *scene) group(l *Line, t *Thread, f *File, d *dialogue.Dialogue, elsewhere []halt) (Stands, []Evidence, time.Time) {
	g := d.Group
	opened := f.at(d.ID, "talk")
	l.add(fact("group", g.Opened, Anyone, opened, g.Name, int64(len(g.Members)), int64(len(g.Parties()))))
	why, last, silent := opened, g.Opened, true
	heard := func(id statement.ID, at time.Time) {
		if silent = false; !at.Before(last) { // within the second in which it was opened, too
			why, last = f.at(id, "talk"), at
		}
	}
	for _, c := range g.Thread {
		heard(c.Statement, c.At)
	}
	if n := len(g.Thread); n > 0 {
		var words []Evidence
		for _, c := range slices.Backward(g.Thread) {
			words = append(words, f.at(c.Statement, "talk")...)
		}
		l.add(fact("group.thread", g.Thread[n-1].At, Members, some(words), int64(n), g.Name, g.Thread[n-1].At))
	}
	s.sessions(l, f, g, heard)
	s.reports(l, f, g, heard)
	open, late := openActions(g.Actions, s.Time)
	s.actions(l, f, g.Name, open, late)
	stopped := s.suspended(t, directory.Technical)
	l.add(stopped...)
	switch {
	case len(stopped) > 0:
		return Suspended, stopped[0].Evidence, last
	case len(late) > 0 && !s.public:
		return Overdue, f.at(late[0].Statement, "talk"), last
	}
	for _, h := range elsewhere {
		if h.thread != t {
			l.add(fact("group.goes-on", h.stated.From, Anyone, slices.Concat(h.thread.word(h.stated.ID), opened), g.Name, h.thread.Name, string(h.stated.Party)))
		}
	}
	if silent {
		return Waiting, opened, last
	}
	return Alive, why, last
}

func openActions(all []*dialogue.Action, now time.Time) (open, late []*dialogue.Action) {
	for _, a := range all {
		if a.Open() {
			open = append(open, a)
			if a.Due.Before(now) {
				late = append(late, a)
			}
		}
	}
	return open, late
}

// sessions tells of those that were held, and of the one that is to come.
func (s *scene) sessions(l *Line, f *File, g *dialogue.Group, heard func(statement.ID, time.Time)) {
	var held, outputs []Evidence
	var last, lastSaid time.Time
	said := 0
	for _, x := range g.Sessions {
		e := f.at(x.Statement, "talk")
		heard(x.Statement, f.saidAt(x.Statement))
		for _, o := range x.Outputs {
			said, lastSaid = said+1, later(lastSaid, f.saidAt(o.Statement))
			outputs = append(outputs, f.at(o.Statement, "talk")...)
			heard(o.Statement, f.saidAt(o.Statement))
		}
		if x.To.After(s.Time) {
			l.add(fact("session.to-come", x.From, Members, e, g.Name, x.From, x.To))
			continue
		}
		held, last = append(held, e...), later(last, x.To)
	}
	if len(held) > 0 {
		l.add(fact("sessions", last, Anyone, some(held), int64(len(held)), g.Name, last))
	}
	if said > 0 {
		l.add(fact("outputs", lastSaid, Members, some(outputs), int64(said), g.Name))
	}
}

// reports tells of those that were adopted.
func (s *scene) reports(l *Line, f *File, g *dialogue.Group, heard func(statement.ID, time.Time)) {
	for _, x := range g.Reports {
		_, dissent, adopted := x.Adopted(g)
		var e []Evidence
		var at time.Time
		for _, p := range g.Parties() {
			if a, spoke := x.Words[p]; spoke {
				e, at = append(e, f.at(a.Statement, "talk")...), later(at, f.saidAt(a.Statement))
				heard(a.Statement, f.saidAt(a.Statement))
			}
		}
		switch {
		case !adopted:
			l.add(fact("report.open", at, Members, e, g.Name))
		case len(dissent) > 0:
			l.add(fact("report.dissent", at, Anyone, e, g.Name, at))
		default:
			l.add(fact("report", at, Anyone, e, g.Name, at))
		}
	}
}

// pledge is measure 6: the commitments open to all that one of the two has joined.
func (s *scene) pledge() (l Line) {
	day := acts.DayOf(s.Time)
	stands, key := None, "none"
	var why []Evidence
	var args []any
	better := func(st Stands, k string, e []Evidence, a ...any) {
		order := []Stands{Alive, Waiting, Ended}
		if stands == None || rank(st, order...) < rank(stands, order...) {
			stands, key, why, args = st, k, e, a
		}
	}
	if s.Acts == nil {
		l.say(None, "none", nil)
		return l
	}
	for _, o := range s.Acts.Openings {
		known := s.Time
		if s.all {
			known = time.Time{}
		}
		if o.Nature != "political" || o.At.After(s.Time) && !s.all {
			continue
		}
		r := s.Acts.Record(o, known)
		if r == nil {
			continue
		}
		opening := s.act(o.ID)
		var bound, signed, left []Evidence
		var since acts.Day
		n := 0
		for _, row := range r.Status(day).Rows {
			if row.Party != s.Of[0] && row.Party != s.Of[1] {
				continue
			}
			name, title := string(row.Party), wording.Texts(o.Title)
			switch row.State {
			case acts.InForce:
				n++
				e := s.act(row.Consent)
				bound, since = append(bound, e...), max(since, row.InForce)
				l.add(fact("pledge.in-force", row.InForce.Time(), Anyone, e, name, title, row.InForce.Time()))
				if runs := r.Pledge(row.Party, day); runs.Runs && runs.All {
					l.add(fact("pledge.all", row.InForce.Time(), Anyone, e, name, title, int64(len(runs.Except))))
				}
			case acts.Signatory, acts.Waiting, acts.Consented, acts.Provisional:
				id, at := row.Consent, row.Consented
				if id == "" {
					id, at = row.Signature, row.Signed
				}
				e := s.act(id)
				signed = append(signed, e...)
				l.add(fact("pledge.joined", at.Time(), Anyone, e, name, title, at.Time()))
			case acts.Left:
				e := s.act(row.Consent)
				for _, a := range r.Acts {
					if a.Party == row.Party && (a.Kind == acts.Denounce || a.Kind == acts.Withdraw) && a.Why == "" {
						e = append(e, s.act(a.ID)...)
					}
				}
				left = append(left, e...)
				l.add(fact("pledge.left", row.Ends.Time(), Anyone, e, name, title, row.Ends.Time()))
			}
		}
		title := wording.Texts(o.Title)
		switch {
		case n == 2:
			better(Alive, "alive", slices.Concat(bound, opening), title, since.Time())
		case n == 1:
			better(Waiting, "one", slices.Concat(bound, opening), title)
		case len(signed) > 0:
			better(Waiting, "waiting", slices.Concat(signed, opening), title)
		case len(left) > 0:
			better(Ended, "ended", left, title)
		default:
			l.add(fact("pledge.open", o.At, Anyone, opening, title, string(o.Party)))
		}
	}
	l.order()
	l.say(stands, key, why, args...)
	return l
}

// act is the evidence of an act.
func (r *Record) act(id string) []Evidence {
	e, ok := r.Places[id]
	if !ok {
		return nil
	}
	return []Evidence{e}
}
