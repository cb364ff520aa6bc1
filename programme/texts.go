package programme

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"detente/guarantee"
	"detente/incident"
	"detente/instrument"
	"detente/party"
	"detente/sealing"
	"detente/statement"
	"detente/traffic"
	"detente/wording"
)

// text is an instrument on the date of the board.
type text struct {
	*instrument.Negotiation
	thread *Thread
	file   *File
	status instrument.Status
	title  wording.Texts
}

// subject is what an instrument is about.
type subject int

const (
	other     subject = iota
	incidents         // the agreement on incidents
	guards            // guarantees
	inside            // agendas, minutes, reports, mandates: they belong to a round or a group
)

// texts are the instruments between the two about a subject, the one that has come furthest first.
func (s *scene) texts(about subject) (out []*text) {
	relied := s.relied()
	for _, t := range s.threads() {
		t.files(Texts, func(f *File) {
			n := t.asText(f, s.moment)
			if n == nil || !s.both(n.Opening.Parties) || subjectOf(n, relied) != about {
				return
			}
			x := &text{Negotiation: n, thread: t, file: f, status: n.Status(s.Time), title: n.Opening.Title}
			if p := n.Provisions[instrument.Title]; p != nil {
				if agreed, _ := n.Agreed(instrument.Title); agreed {
					for _, stand := range p.Stands {
						x.title = stand.Texts // all stand on one
						break
					}
				}
			}
			out = append(out, x)
		})
	}
	slices.SortFunc(out, func(a, b *text) int {
		return cmp.Or(cmp.Compare(rungRank(a.status.Rung), rungRank(b.status.Rung)), b.status.Since.Compare(a.status.Since), compareIDs(a.ID, b.ID))
	})
	return out
}

// rungRank puts what is in force before what is to be, and that before what has ended.
func rungRank(r instrument.Rung) int {
	order := []instrument.Rung{instrument.InForce, instrument.Suspended, instrument.Consented, instrument.Signed, instrument.Initialled, instrument.Certified, instrument.Scrubbed,
		instrument.AgreedText, instrument.Tabled, instrument.Opened, instrument.Ended, instrument.Lapsed}
	return slices.Index(order, r)
}

// relied are the instruments that protected processes and complaints rely on.
func (s *scene) relied() map[[32]byte]bool {
	out := make(map[[32]byte]bool)
	for _, t := range s.Threads {
		for i := range t.Words[:s.upTo(t.Words)] {
			u := &t.Words[i]
			if id := u.Values.Bytes("basis"); len(id) == 32 && (u.Statement.Form == guarantee.FormProcess || u.Statement.Form == guarantee.FormComplaint) {
				out[[32]byte(id)] = true
			}
		}
	}
	return out
}

// subjectOf tells what an instrument is about: by the model text that it was begun from, by the channels that it brings into being, by what relies on it.
func subjectOf(n *instrument.Negotiation, relied map[[32]byte]bool) subject {
	switch n.Opening.Kind {
	case "minutes", "mandate", "agenda", "report":
		return inside
	}
	switch template := n.Opening.Template; {
	case strings.HasPrefix(template, "incidents-agreement"):
		return incidents
	case strings.HasPrefix(template, "guarantees-"):
		return guards
	}
	for _, m := range n.Manifests {
		if relied[m.Hash] {
			return guards
		}
		for _, raw := range m.Terms.Channels {
			if c, err := party.DecodeChannel(raw); err == nil && c.Regime.ID == "incidents" {
				return incidents
			}
		}
	}
	if relied[n.ID] {
		return guards
	}
	return other
}

// grounds are the statements by which an instrument stands where it does.
func (x *text) grounds() (out []Evidence) {
	st := &x.status
	take := func(forms ...string) {
		for _, step := range x.Steps {
			if slices.Contains(forms, step.Form) && step.Manifest == st.Manifest && !step.At.After(st.On) && (step.LapsedAt.IsZero() || step.LapsedAt.After(st.On)) {
				out = append(out, x.file.at(step.Statement, "draft")...)
			}
		}
	}
	switch st.Rung {
	case instrument.Suspended:
		take("suspension-notice")
	case instrument.Ended:
		take("termination-notice")
	}
	switch st.Rung {
	case instrument.Suspended, instrument.Ended, instrument.Lapsed, instrument.InForce, instrument.Consented:
		out = append(out, x.certificates()...)
		take("consent", "confirmation")
		if len(out) == 0 || st.Rung == instrument.Consented || st.Rung == instrument.InForce {
			take("signature")
		}
		for _, n := range x.Notes {
			if !n.At.After(st.On) {
				out = append(out, x.file.at(n.Statement, "draft")...)
			}
		}
	case instrument.Signed:
		take("signature")
	case instrument.Initialled:
		take("initialling", "signature")
	case instrument.Certified, instrument.Scrubbed:
		for _, step := range x.Steps {
			if step.Form == "conformity" && step.Full && !step.At.After(st.On) && step.LapsedAt.IsZero() {
				out = append(out, x.file.at(step.Statement, "draft")...)
			}
		}
	}
	if len(out) == 0 && st.Rung != instrument.Opened { // what was said last
		for i := len(x.Entries) - 1; i >= 0 && len(out) == 0; i-- {
			if e := &x.Entries[i]; e.Why == "" && slices.Contains([]string{"position", "acceptance", "manifest", "termination-notice", "extension"}, e.Form) {
				out = x.file.at(e.ID, "draft")
			}
		}
	}
	return append(out, x.file.at(x.ID, "draft")...)
}

// certificates are the statements with the verdict of a sealing round.
func (x *text) certificates() (out []Evidence) {
	for i := range x.Entries {
		if e := &x.Entries[i]; e.Form == "certificate" && e.Why == "" {
			out = append(out, x.file.at(e.ID, "draft")...)
		}
	}
	return out
}

// stands is how an instrument stands as a line says it.
func (x *text) stands() Stands {
	switch x.status.Rung {
	case instrument.InForce:
		return Alive
	case instrument.Suspended:
		return Suspended
	case instrument.Ended, instrument.Lapsed:
		return Ended
	}
	return Waiting
}

// rung tells how far an instrument has come. What is not initialled yet is between the parties.
func (x *text) rung() Fact {
	reach := Anyone
	if rungRank(x.status.Rung) > rungRank(instrument.Initialled) && x.stands() == Waiting {
		reach = Members
	}
	return fact("rung."+string(x.status.Rung), x.status.Since, reach, some(x.grounds()), x.title, x.status.Since)
}

// agreement is measure 3: the agreement on incidents, and its cases.
func (s *scene) agreement() (l Line) {
	all := s.texts(incidents)
	for _, x := range all {
		l.add(x.rung())
	}
	for _, x := range s.texts(other) {
		l.add(x.rung())
	}
	late := s.casesOf(&l)
	l.order()
	if len(all) == 0 {
		l.say(None, "none", nil)
		for _, f := range l.Facts {
			if strings.HasPrefix(f.Key, "case") { // they are worked on a channel, with no agreement
				l.say(Waiting, "cases", f.Evidence)
				break
			}
		}
		return l
	}
	x := all[0]
	switch stands := x.stands(); {
	case stands == Alive && len(late) > 0 && !s.public:
		l.say(Overdue, "overdue", late, x.title, int64(len(late)))
	case stands == Waiting:
		key := "waiting"
		if r := x.status.Rung; r == instrument.Initialled || r == instrument.Signed || r == instrument.Consented {
			key = string(r)
		}
		l.say(stands, key, x.grounds(), x.title, x.status.Since)
	default:
		l.say(stands, string(stands), x.grounds(), x.title, x.status.Since)
	}
	return l
}

// docket is a case over the channels of the two.
type docket struct {
	title  string
	first  []Evidence
	last   []Evidence // the statement that closed it, or the last one
	opened time.Time
	moved  time.Time
	closed bool
	late   []incident.Due
	lateOf [][]Evidence
}

// casesOf counts the cases, tells of those that are open, and gives what the overdue ones rest on.
func (s *scene) casesOf(l *Line) (late []Evidence) {
	var list []*incident.Case
	from := make(map[*incident.Case]*File)
	views := make(map[*incident.Case]*incident.View)
	for _, t := range s.threads() {
		t.files(Cases, func(f *File) {
			if c, v := t.asCase(f, s.moment); c != nil {
				list, from[c], views[c] = append(list, c), f, v
			}
		})
	}
	var open, closed []*docket
	for _, tied := range incident.Tie(list) {
		k := &docket{title: tied.Number.String(), closed: true}
		for _, c := range tied.Cases {
			k.take(c, from[c], views[c])
		}
		if k.closed {
			closed = append(closed, k)
		} else {
			open = append(open, k)
		}
	}
	newest := func(a, b *docket) int { return cmp.Or(b.moved.Compare(a.moved), cmp.Compare(a.title, b.title)) }
	slices.SortStableFunc(open, newest)
	slices.SortStableFunc(closed, newest)
	if n := len(open) + len(closed); n > 0 {
		var why []Evidence
		var at time.Time
		for _, k := range slices.Concat(open, closed) {
			why, at = append(why, k.first...), later(at, k.moved)
		}
		l.add(fact("cases", at, Members, some(why), int64(n), int64(len(open)), int64(len(closed))))
	}
	for i, k := range open {
		if i < most {
			l.add(fact("case.open", k.moved, Members, slices.Concat(k.first, k.last), k.title, k.opened))
		}
		if len(k.late) > 0 {
			late = append(late, k.lateOf[0]...)
			for j, d := range k.late[:min(len(k.late), 4)] {
				l.add(fact("case.late", d.At, Conduct, k.lateOf[j], k.title, cmp.Or(string(d.Owner), "*"), d.At))
			}
		}
	}
	for _, k := range closed[:min(len(closed), 4)] {
		l.add(fact("case.closed", k.moved, Members, slices.Concat(k.first, k.last), k.title, k.moved))
	}
	return late
}

// take adds the case as one channel has it.
func (k *docket) take(c *incident.Case, f *File, v *incident.View) {
	named := func(id statement.ID) []Evidence {
		out := f.at(id, "case")
		for i := range out {
			if k.title != "" {
				out[i].File = k.title
			}
		}
		return out
	}
	if k.title == "" {
		if at := f.at(c.Entries[0].ID, "case"); len(at) > 0 {
			k.title = at[0].Number
		}
	}
	if k.opened.IsZero() || c.Opened.Before(k.opened) {
		k.opened, k.first = c.Opened, named(c.Entries[0].ID)
	}
	end := &c.Entries[len(c.Entries)-1]
	if v.Open() {
		k.closed = false
	} else if c.ClosedBy != (statement.ID{}) {
		if i := slices.IndexFunc(c.Entries, func(e incident.Entry) bool { return e.ID == c.ClosedBy }); i >= 0 {
			end = &c.Entries[i]
		}
	}
	if at := later(end.At, v.ClosedAt); at.After(k.moved) {
		k.moved, k.last = at, named(end.ID)
	}
	for _, d := range v.Overdue() {
		k.late, k.lateOf = append(k.late, d), append(k.lateOf, named(d.Statement))
	}
}

// guarantees is measure 4: guarantees, sealing rounds under way, windows that are open or to come.
func (s *scene) guarantees() (l Line) {
	all := s.texts(guards)
	for _, x := range all {
		l.add(x.rung())
	}
	for _, about := range []subject{guards, incidents, other} {
		for _, x := range s.texts(about) {
			s.sealings(&l, x)
		}
	}
	open := s.windows(&l)
	open = append(open, s.cautions(&l)...)
	l.order()
	switch {
	case len(all) == 0 && len(l.Facts) == 0:
		l.say(None, "none", nil)
	case len(all) == 0:
		why := l.Facts[0].Evidence
		if len(open) > 0 {
			l.say(Alive, "window", open, int64(len(open)))
		} else {
			l.say(Waiting, "noticed", why)
		}
	default:
		x := all[0]
		inForce := 0
		for _, y := range all {
			if y.status.Rung == instrument.InForce {
				inForce++
			}
		}
		switch stands := x.stands(); {
		case stands == Alive && len(open) > 0:
			l.say(stands, "open", slices.Concat(x.grounds(), open), int64(inForce), int64(len(open)))
		case stands == Alive:
			l.say(stands, "alive", x.grounds(), int64(inForce), x.status.Since)
		default:
			l.say(stands, string(stands), x.grounds(), x.title, x.status.Since)
		}
	}
	return l
}

// sealings tells of the rounds of an instrument that are under way: of manifests with sealers, until the verdict is held or long due.
func (s *scene) sealings(l *Line, x *text) {
	for _, m := range x.Manifests {
		if len(m.Terms.Sealers) == 0 || m.At.After(s.Time) && !s.all {
			continue
		}
		for i := range x.Entries {
			if e := &x.Entries[i]; e.Form == "seal-round" && e.Why == "" && bytes.Equal(e.Values.Bytes("manifest"), m.Bytes) {
				why := slices.Concat(x.file.at(e.ID, "draft"), x.file.at(m.Statement, "draft"))
				switch {
				case m.Sealed == sealing.StateInForce:
					l.add(fact("seal.in-force", m.Terms.Final(), Anyone, slices.Concat(x.certificates(), why), x.title, m.Terms.Final()))
				case m.Sealed == sealing.StateLapsed || m.Sealed == sealing.StateContested:
					l.add(fact("seal.lapsed", m.Terms.Final(), Anyone, slices.Concat(x.certificates(), why), x.title, m.Terms.Final()))
				default:
					l.add(fact("seal.open", e.At, Members, why, x.title, m.Terms.Deadline, int64(len(m.Terms.Sealers))))
				}
				break
			}
		}
	}
}

// windows tells of protected processes and complaints, and gives what the windows that are open rest on.
func (s *scene) windows(l *Line) (open []Evidence) {
	for _, t := range s.threads() {
		c := guarantee.NewCalendar()
		for i := range t.Words[:s.upTo(t.Words)] {
			u := &t.Words[i]
			if s.between(u) {
				c.Add(u.Statement, u.Values, t.Kind, traffic.Number(u.Statement.Issuer, u.Feed, u.Index))
			}
		}
		for _, p := range c.Processes(s.Plane) {
			state := p.State(s.Time)
			if state == guarantee.Past && s.Sub(p.To) > year {
				continue
			}
			why := t.word(p.ID)
			l.add(fact("window."+state, p.From, Anyone, why, p.Name, string(p.By.Party), p.From, p.To))
			if state == guarantee.Open {
				open = append(open, why...)
			}
		}
		for _, k := range c.Complaints(s.Plane) {
			l.add(fact("complaint", k.At, Conduct, t.word(k.ID), string(k.By.Party), k.At, k.Case))
		}
	}
	return open
}

// between tells whether a statement is of one of the two, and addressed to the other or to all.
func (s *scene) between(u *Utterance) bool {
	a, b := s.Of[0], s.Of[1]
	switch u.Statement.Issuer.Party {
	case b:
		a, b = b, a
	case a:
	default:
		return false
	}
	return asks(u.Statement.Audience, b)
}

// cautions tells of caution windows, which are matters of cases, and gives what those that are in force rest on.
func (s *scene) cautions(l *Line) (open []Evidence) {
	for _, t := range s.threads() {
		t.files(Cases, func(f *File) {
			c, v := t.asCase(f, s.moment)
			if c == nil {
				return
			}
			for _, m := range v.Matters {
				if m.Machine.ID != "caution" || len(m.Dues) == 0 {
					continue
				}
				state := known(m.State, "proposed", "considered", "agreed", "agreed-in-part", "in-force", "in-force-in-part")
				if state != m.State { // declined, lapsed, ended, withdrawn: the case tells of it
					continue
				}
				var from, to time.Time
				for _, d := range m.Dues {
					switch d.ID {
					case "caution-begins":
						from = d.At
					case "caution-ends":
						to = d.At
					}
				}
				why := f.at(m.ID, "case")
				reach := Members
				if strings.HasPrefix(state, "in-force") {
					open = append(open, why...)
				}
				l.add(fact("caution."+state, from, reach, why, string(m.Asker), from, to, c.Number.String()))
			}
		})
	}
	return open
}
