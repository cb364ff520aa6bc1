package acts

import (
	"slices"

	"detente/traffic"
)

// accession is one consent to be bound.
type accession struct {
	by    *entry
	day   Day // of the consent: of a signature ad referendum, of its confirmation
	met   Day // its conditions were met; 0: they are not
	force Day // in force for whoever gave it; 0: not
}

// period is the time in which a participant has its place by one consent.
type period struct {
	c        *accession
	from, to Day // to 0: without end
	taken    bool
	other    traffic.Party // whom it continues or succeeds
	ended    State         // how
	notice   Day           // of the denunciation that ends it
	leaving  *entry        // that denunciation
}

// active tells whether the place is held on a day.
func (p *period) active(d Day) bool { return p.from <= d && (p.to == 0 || d < p.to) }

// open tells whether it is held at some time after the day before.
func (p *period) open(d Day) bool { return p.to == 0 || d < p.to }

// begins is the first day of force: a place that was taken over is in force for its taker from then.
func (p *period) begins() Day {
	switch {
	case p.c.force == 0:
		return 0
	case p.taken:
		return max(p.from, p.c.force)
	}
	return p.c.force
}

// inForce tells whether the holder is bound on a day.
func (p *period) inForce(d Day) bool {
	b := p.begins()
	return b != 0 && b <= d && (p.to == 0 || d < p.to)
}

// hold is for how long a participant has said something.
type hold struct {
	party    traffic.Party
	from, to Day
}

func (h *hold) on(d Day) bool { return h.from <= d && (h.to == 0 || d < h.to) }

// thing is what stays said until it is withdrawn: a signature, reservation, declaration, objection, territory, provisional application.
type thing struct {
	*entry
	holds     []hold
	confirmed Day // a signature ad referendum
	changes   []*entry
}

// held gives the last time for which a participant has it.
func (t *thing) held(p traffic.Party) *hold {
	for i := len(t.holds) - 1; i >= 0; i-- {
		if t.holds[i].party == p {
			return &t.holds[i]
		}
	}
	return nil
}

// on tells whether a participant has said it, on a day.
func (t *thing) on(p traffic.Party, d Day) bool {
	return slices.ContainsFunc(t.holds, func(h hold) bool { return h.party == p && h.on(d) })
}

// lapsed tells whether what was said ended by a day with the last place, in which it was said. What was said in those before was clipped when the last began.
func (l *life) lapsed(h *hold, d Day) bool {
	p := l.last()
	return p != nil && p.to != 0 && p.to <= d && p.ended != Continued && h.from < p.to
}

// add gives the participant something that it says.
func (l *life) add(t *thing) { l.things, l.live = append(l.things, t), append(l.live, t) }

// clip ends what was said in the last place with it: whoever comes back begins anew.
func (l *life) clip() {
	p := l.last()
	if p == nil || p.to == 0 || p.ended == Continued {
		return
	}
	l.live = slices.DeleteFunc(l.live, func(t *thing) bool {
		h := t.held(l.party)
		if h == nil {
			return true
		}
		if h.from >= p.to {
			return false
		}
		if h.to == 0 || h.to > p.to {
			h.to = p.to
		}
		return true
	})
}

// says tells whether the participant has said it, on a day that the walk has reached.
func (l *life) says(t *thing, d Day) bool {
	for i := range t.holds {
		if h := &t.holds[i]; h.party == l.party && h.on(d) && !l.lapsed(h, d) {
			return true
		}
	}
	return false
}

type name struct {
	from  Day
	one   string
	texts map[string]string
}

// life is all of one participant.
type life struct {
	party   traffic.Party
	acts    []int
	names   []name
	periods []*period
	things  []*thing
	live    []*thing // those of them that may still be said
	gone    Day
	as      State
	heir    traffic.Party

	succeeded bool // nobody succeeds twice
}

func (r *Record) life(p traffic.Party) *life {
	l := r.lives[p]
	if l == nil {
		l = &life{party: p}
		r.lives[p] = l
	}
	return l
}

// last is the latest place, nil for none.
func (l *life) last() *period {
	if len(l.periods) == 0 {
		return nil
	}
	return l.periods[len(l.periods)-1]
}

// keeps tells whether acts of a kind stay said until they are withdrawn.
func keeps(k Kind) bool {
	switch k {
	case Sign, Reserve, Declare, Interpret, Understand, Object, Extend, ApplyProvisional, Communicate:
		return true
	}
	return false
}

// walk goes through the acts by their days.
func (f *fold) walk() {
	for _, e := range f.list {
		if e.why == "" && keeps(e.Kind) {
			t := &thing{entry: e, holds: []hold{{e.Party, max(e.Date, e.from()), 0}}}
			f.things[e.ID] = t
			f.life(e.Party).add(t)
		}
	}
	for _, e := range f.list {
		if e.why != "" {
			continue
		}
		l := f.life(e.Party)
		if l.gone != 0 && e.works() >= l.gone && !aside(e.Kind) {
			e.why = Gone
			if t := f.things[e.ID]; t != nil {
				t.holds = nil
			}
			continue
		}
		e.why = f.step(l, e)
	}
}

func (f *fold) step(l *life, e *entry) Reason {
	switch e.Kind {
	case Sign:
		return f.sign(l, e)
	case Confirm:
		return f.confirm(l, e)
	case Ratify, Accept, Approve, Accede, FormallyConfirm, Consent, Succeed, Adhere:
		return f.consent(l, e, e.Date)
	case Denounce:
		return f.denounce(l, e)
	case Revoke:
		return f.revoke(l, e)
	case Withdraw:
		if e.Regarding == "" {
			return f.denounce(l, e)
		}
		return f.withdraw(e)
	case Modify:
		return f.modify(e)
	case Terminate:
		if f.Ended != 0 {
			return Repeated
		}
		f.Ended = e.from()
	case Rename:
		l.names = append(l.names, name{e.from(), e.Participant, e.Texts})
	case Continue:
		return f.succeedWholly(l, e)
	case Dissolve:
		if e.Participant != "" && f.claimed[[2]traffic.Party{traffic.Party(e.Participant), e.Party}] {
			return "" // the other's act says from when
		}
		l.end(e.works(), Dissolved)
	}
	return ""
}

// signature finds a signature of a participant that was not withdrawn by a day, the last one first.
func (l *life) signature(d Day, fits func(*thing) bool) *thing {
	for _, t := range slices.Backward(l.live) {
		if t.Kind == Sign && t.why == "" && t.Date <= d && l.says(t, d) && fits(t) {
			return t
		}
	}
	return nil
}

func (f *fold) sign(l *life, e *entry) Reason {
	if l.signature(e.Date, func(t *thing) bool { return t.ID != e.ID && (t.Date < e.Date || t.compare(&e.Act) < 0) }) != nil {
		f.things[e.ID].holds = nil
		return Repeated
	}
	if e.Manner == Definitive && f.Rules.way(Sign) {
		return f.consent(l, e, e.Date)
	}
	return ""
}

func (f *fold) confirm(l *life, e *entry) Reason {
	if e.Regarding != "" {
		about := f.byAct[e.Regarding]
		switch {
		case about == nil || about.why != "" || about.Date > e.Date:
			return UnknownAct
		case about.Party != e.Party:
			return NotOwn
		case about.Kind == Reserve:
			return "" // it is looked at where reservations are
		case about.Kind != Sign || about.Manner != AdReferendum:
			return WrongKind
		}
	}
	t := l.signature(e.Date, func(t *thing) bool { return t.Manner == AdReferendum && (e.Regarding == "" || t.ID == e.Regarding) })
	switch {
	case t == nil:
		return UnknownAct
	case t.confirmed != 0:
		return Repeated
	}
	t.confirmed = e.Date
	if !f.Rules.way(Sign) {
		return ""
	}
	return f.consent(l, e, e.Date)
}

func (f *fold) consent(l *life, e *entry, day Day) Reason {
	if p := l.last(); p != nil && p.open(day) || e.Kind == Succeed && l.succeeded {
		return Repeated
	}
	l.clip()
	p := &period{c: &accession{by: e, day: day}, from: day}
	l.periods = append(l.periods, p)
	if e.Kind != Succeed {
		return ""
	}
	p.other, l.succeeded = traffic.Party(e.Participant), true
	if before := f.lives[p.other]; before != nil && !f.Rules.Reservations.DropOnSuccession {
		for _, t := range before.things {
			if t.Kind == Reserve && t.why == "" && before.says(t, e.from()) {
				t.holds = append(t.holds, hold{l.party, e.from(), 0})
				l.add(t)
			}
		}
	}
	return ""
}

func (f *fold) denounce(l *life, e *entry) Reason {
	p := l.last()
	switch {
	case p == nil || !p.active(e.Date):
		return NotParty
	case p.leaving != nil:
		return Repeated
	}
	p.to, p.ended, p.notice, p.leaving = max(e.from(), f.Rules.Notice.After(e.Date)), Left, e.Date, e
	return ""
}

func (f *fold) revoke(l *life, e *entry) Reason {
	p := l.last()
	if e.Regarding != "" {
		about := f.byAct[e.Regarding]
		switch {
		case about == nil || about.why != "":
			return UnknownAct
		case about.Kind != Denounce && (about.Kind != Withdraw || about.Regarding != ""):
			return WrongKind
		case p == nil || p.leaving != about:
			if about.Party != e.Party {
				return NotOwn
			}
			return UnknownAct
		}
	}
	switch {
	case p == nil || p.leaving == nil:
		return UnknownAct
	case e.Date >= p.to:
		return TooLate
	}
	p.leaving.why = Revoked
	p.to, p.ended, p.notice, p.leaving = 0, "", 0, nil
	return ""
}

func (f *fold) withdraw(e *entry) Reason {
	about := f.byAct[e.Regarding]
	if about == nil {
		return UnknownAct
	}
	t := f.things[e.Regarding]
	switch {
	case !keeps(about.Kind):
		return WrongKind
	case t == nil || about.why != "" || about.Date > e.Date:
		return UnknownAct
	}
	h := t.held(e.Party)
	switch to := max(e.from(), e.Date); {
	case h == nil || f.life(e.Party).lapsed(h, e.Date):
		return NotOwn
	case h.to != 0:
		return Repeated
	default:
		h.to = max(to, h.from)
		return ""
	}
}

func (f *fold) modify(e *entry) Reason {
	about := f.byAct[e.Regarding]
	if about == nil {
		return UnknownAct
	}
	t := f.things[e.Regarding]
	switch {
	case !slices.Contains([]Kind{Reserve, Declare, Interpret, Understand}, about.Kind):
		return WrongKind
	case t == nil || about.why != "" || about.Date > e.Date:
		return UnknownAct
	case !f.life(e.Party).says(t, e.Date):
		return NotOwn
	}
	if about.Kind == Reserve && e.Provision != "" && !f.Rules.Reservations.permits(e.Provision) {
		return Prohibited
	}
	t.changes = append(t.changes, e)
	return ""
}

// end closes the place of a participant that is no more.
func (l *life) end(d Day, as State) {
	l.gone, l.as = d, as
	if p := l.last(); p != nil && p.open(d) {
		p.to, p.ended = max(d, p.from), as
	}
}

// succeedWholly puts one participant in the place of another, with all that the other has said, if it has no place of its own.
func (f *fold) succeedWholly(l *life, e *entry) Reason {
	if !f.continues(e) {
		return NotOwn
	}
	before := f.life(traffic.Party(e.Participant))
	if before.gone != 0 {
		return Repeated
	}
	d := e.works()
	own := l.last()
	was := before.last()
	if own == nil || !own.open(d) {
		if was != nil && was.open(d) {
			l.clip()
			l.periods = append(l.periods, &period{
				c: was.c, from: max(d, was.from), to: was.to, taken: true, other: before.party, ended: was.ended, notice: was.notice, leaving: was.leaving,
			})
		}
		for _, t := range before.things {
			if h := t.held(before.party); h != nil && (h.to == 0 || h.to > d) && !before.lapsed(h, d) {
				to := h.to
				h.to = max(d, h.from)
				t.holds = append(t.holds, hold{l.party, max(d, h.from), to})
				l.add(t)
			}
		}
	}
	before.end(d, Continued)
	before.heir = l.party
	return ""
}

// clip ends all that was said with the place, or the participant, that said it.
func (f *fold) clip() {
	for _, l := range f.lives {
		l.clip()
		if l.gone == 0 || l.as == Continued {
			continue
		}
		for _, t := range l.live {
			if h := t.held(l.party); h != nil && (h.to == 0 || h.to > l.gone) {
				h.to = max(l.gone, h.from)
			}
		}
	}
}
