package acts

import (
	"slices"

	"detente/traffic"
)

// reservation is one that has, or may come to have, effect.
type reservation struct {
	*thing
	deadline Day // the last day for an objection; 0: none is too late
	works    Day // 0: not yet
	objects  map[traffic.Party][]*thing
	accepted map[traffic.Party]Day

	acceptances []*entry
}

// reserve finds which reservations, objections and changes have effect, and from when.
func (f *fold) reserve() {
	accepted := map[string]map[traffic.Party]Day{}
	acceptances := map[string][]*entry{}
	confirmed := map[string][]Day{}
	about := map[string][]*thing{} // objections
	for _, e := range f.list {
		if e.why != "" {
			continue
		}
		switch e.Kind {
		case Object, AcceptReservation:
			e.why = f.regards(e)
			if e.why != "" {
				continue
			}
			if e.Kind == Object {
				about[e.Regarding] = append(about[e.Regarding], f.things[e.ID])
				continue
			}
			acceptances[e.Regarding] = append(acceptances[e.Regarding], e)
			if accepted[e.Regarding] == nil {
				accepted[e.Regarding] = map[traffic.Party]Day{}
			}
			if accepted[e.Regarding][e.Party] == 0 {
				accepted[e.Regarding][e.Party] = e.Date
			}
		case Confirm:
			confirmed[e.Regarding] = append(confirmed[e.Regarding], e.Date)
		}
	}
	for _, e := range f.list {
		if e.why != "" || e.Kind != Reserve {
			continue
		}
		v := &reservation{thing: f.things[e.ID], accepted: accepted[e.ID], acceptances: acceptances[e.ID], objects: map[traffic.Party][]*thing{}}
		v.deadline = f.deadline(e)
		objections := f.timely(v.deadline, v.accepted, about[e.ID])
		p := f.place(e)
		switch {
		case p == nil: // made at signature, or before
		case e.Date > p.c.day:
			v.works, e.why = f.late(e, v.deadline, objections)
		case f.Rules.Reservations.Confirm && e.Date < p.c.day &&
			!slices.ContainsFunc(confirmed[e.ID], func(d Day) bool { return d >= e.Date && d <= p.c.day }):
			e.why = Unconfirmed
		default:
			v.works = max(e.Date, e.from())
		}
		for _, m := range v.changes {
			f.change(v, m, accepted[m.ID], about[m.ID])
		}
		v.changes = slices.DeleteFunc(v.changes, func(m *entry) bool { return m.why != "" })
		slices.SortStableFunc(v.changes, func(a, b *entry) int { return int(f.Acts[a.at].Works) - int(f.Acts[b.at].Works) })
		switch e.why {
		case "":
		case Objected:
			continue
		default:
			for _, o := range objections {
				o.why = NoEffect
			}
			continue
		}
		f.Acts[e.at].Works = v.works
		for _, o := range objections {
			for _, h := range o.holds {
				if list := v.objects[h.party]; len(list) == 0 || list[len(list)-1] != o {
					v.objects[h.party] = append(list, o)
				}
			}
		}
		f.holds = append(f.holds, v)
	}
}

// regards tells whether an objection or acceptance is about something that it can be about.
func (f *fold) regards(e *entry) Reason {
	about := f.byAct[e.Regarding]
	switch {
	case about == nil || about.Date > e.Date:
		return UnknownAct
	case about.Kind == Reserve, about.Kind == Modify && f.byAct[about.Regarding] != nil && f.byAct[about.Regarding].Kind == Reserve:
	case e.Kind == Object:
		return NoEffect // a communication, such as one against somebody's taking part
	default:
		return WrongKind
	}
	if about.why != "" || about.Party == e.Party {
		return NoEffect
	}
	return ""
}

// notified is the day on which the others learned of a reservation.
func notified(e *entry) Day { return max(e.Date, DayOf(e.known())) }

func (f *fold) deadline(e *entry) Day {
	if f.Rules.Reservations.TacitMonths == 0 {
		return 0
	}
	return notified(e).months(f.Rules.Reservations.TacitMonths)
}

// timely gives the objections made in time: by the deadline, or by the objector's own consent if that is later.
func (f *fold) timely(deadline Day, accepted map[traffic.Party]Day, list []*thing) []*thing {
	var out []*thing
	for _, o := range list {
		if d := accepted[o.Party]; d != 0 && d <= o.Date {
			o.why = AlreadyAgreed
			continue
		}
		if p := f.place(o.entry); deadline != 0 && o.Date > deadline && p != nil && p.c.day < o.Date {
			o.why = TooLate
			continue
		}
		if d := accepted[o.Party]; d != 0 {
			if h := o.held(o.Party); h != nil && (h.to == 0 || h.to > d) {
				h.to = max(d, h.from)
			}
		}
		out = append(out, o)
	}
	return out
}

// place is the participant's place at an act, or the next one; nil for none.
func (f *fold) place(e *entry) *period {
	list := f.lives[e.Party].periods
	i, _ := slices.BinarySearchFunc(list, e.Date, func(p *period, d Day) int {
		if p.open(d) {
			return 1
		}
		return -1
	})
	if i == len(list) {
		return nil
	}
	return list[i]
}

// blocked tells whether a party objects on the last day on which it can.
func (f *fold) blocked(deadline Day, objections []*thing) bool {
	return slices.ContainsFunc(objections, func(o *thing) bool {
		p := f.place(o.entry)
		return o.Date <= deadline && p != nil && p.active(o.Date) && slices.ContainsFunc(o.holds, func(h hold) bool { return h.from <= deadline && (h.to == 0 || h.to > deadline) })
	})
}

// late is from when a reservation works that came after consent.
func (f *fold) late(e *entry, deadline Day, objections []*thing) (Day, Reason) {
	switch {
	case f.Rules.Reservations.Late != LateTacit:
		return 0, TooLate
	case f.blocked(deadline, objections):
		return 0, Objected
	}
	return max(deadline.add(1), e.from()), ""
}

// change finds whether a change of a reservation works: one that narrows it, or comes before consent, at once, any other as a late reservation would.
func (f *fold) change(v *reservation, m *entry, accepted map[traffic.Party]Day, about []*thing) {
	deadline := f.deadline(m)
	objections := f.timely(deadline, accepted, about)
	works := max(m.Date, m.from())
	if p := f.place(m); m.Manner != Narrowing && p != nil && m.Date > p.c.day {
		works, m.why = f.late(m, deadline, objections)
	}
	if m.why == TooLate {
		for _, o := range objections {
			o.why = NoEffect
		}
	}
	if m.why == "" {
		f.Acts[m.at].Works = max(works, v.works)
	}
}

// now is the provision of a reservation on a day, and the act that changed it last.
func (r *Record) now(v *reservation, on Day) (provision, as string) {
	provision = v.Provision
	for _, m := range v.changes {
		if r.Acts[m.at].Works > on {
			break
		}
		as = m.ID
		if m.Provision != "" {
			provision = m.Provision
		}
	}
	return provision, as
}

// objection is what a participant objects on a day: what opposes entry into force first. nil for nothing.
func (v *reservation) objection(by traffic.Party, on Day) *thing {
	var found *thing
	for _, o := range v.objects[by] {
		if o.why == "" && o.on(by, on) && (found == nil || o.Opposing && !found.Opposing) {
			found = o
		}
	}
	return found
}
