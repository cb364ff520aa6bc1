package acts

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"detente/traffic"
)

// oracle is a second reading of the rules, which shares no code with the fold but the calendar: it lives through every day, one after another, and writes down
// how each ended. It is slow, and knows nothing of intervals.
type oracle struct {
	rules *Rules
	acts  []Act // as corrected, in their order
	known map[string]time.Time
	dead  map[string]bool // acts without effect

	seats    map[traffic.Party]*seat
	given    []*seat // every consent
	gone     map[traffic.Party]State
	heirs    map[traffic.Party]traffic.Party
	goneOn   map[traffic.Party]Day
	left     map[traffic.Party]bool
	said     map[traffic.Party]map[string]Day // act, since
	falls    map[traffic.Party]map[string]Day // act, when it is withdrawn
	ended    Day
	met, ent Day
	accepted map[[2]string]Day
	changed  map[string][]Act

	days map[Day]*evening
	day  Day
}

type seat struct {
	act     Act
	root    traffic.Party
	day     Day
	met     Day
	leaves  Day
	leaving string
	spans   [][3]any // holder, from, to
}

type evening struct {
	seats map[traffic.Party]*seat
	said  map[traffic.Party]map[string]bool
	gone  map[traffic.Party]State
	left  map[traffic.Party]bool
}

const firstDay, finalDay = Day(1000), Day(1500)

func consult(rules *Rules, all []Act, T time.Time) *oracle {
	o := &oracle{
		rules: rules, known: map[string]time.Time{}, dead: map[string]bool{}, seats: map[traffic.Party]*seat{}, gone: map[traffic.Party]State{},
		heirs: map[traffic.Party]traffic.Party{}, goneOn: map[traffic.Party]Day{}, left: map[traffic.Party]bool{}, said: map[traffic.Party]map[string]Day{},
		falls: map[traffic.Party]map[string]Day{}, accepted: map[[2]string]Day{}, changed: map[string][]Act{}, days: map[Day]*evening{},
	}
	byID := map[string]Act{}
	for _, a := range all {
		if !a.Known.After(T) {
			byID[a.ID] = a
		}
	}
	void := func(a Act) bool { return a.Void != "" && !a.VoidFrom.After(T) }
	recorded := func(a Act) bool { return a.By == "" || a.By == a.Party || slices.Contains(rules.Depositary, a.By) }
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		a := byID[id]
		o.known[a.ID] = a.Known
		if a.Kind == Correct {
			continue
		}
		var best *Act
		for _, c := range byID {
			if c.Kind != Correct || void(c) || c.Party != a.Party || !recorded(c) {
				continue
			}
			target := c
			for steps := 0; target.Kind == Correct && steps < 100; steps++ {
				target = byID[target.Regarding]
			}
			if target.ID == a.ID && (best == nil || c.Known.After(best.Known) || c.Known.Equal(best.Known) && c.ID > best.ID) {
				best = &c
			}
		}
		dead := void(a) || !recorded(a)
		if best != nil && !void(a) {
			if best.Manner == Annulled {
				dead = true
			}
			a.Date, a.Opposing = best.Date, best.Opposing
			a.Effect, a.Provision = cmp.Or(best.Effect, a.Effect), cmp.Or(best.Provision, a.Provision)
		}
		o.dead[a.ID] = dead
		o.acts = append(o.acts, a)
	}
	slices.SortFunc(o.acts, func(a, b Act) int {
		w := func(x Act) Day {
			if x.Kind == Rename || x.Kind == Continue || x.Kind == Dissolve {
				return cmp.Or(x.Effect, x.Date)
			}
			return x.Date
		}
		return cmp.Or(cmp.Compare(w(a), w(b)), a.Known.Compare(b.Known), cmp.Compare(a.ID, b.ID))
	})
	for i, a := range o.acts {
		ok := !o.dead[a.ID]
		switch a.Kind {
		case Notify, Terminate:
			ok = ok && (slices.Contains(rules.Depositary, a.Party) || a.By != "")
		case Ratify, Accept, Approve, Accede, FormallyConfirm, Consent, Succeed, Adhere:
			ok = ok && rules.way(a.Kind)
			if a.Kind == Succeed {
				ok = ok && a.Participant != string(a.Party)
			}
		case Reserve:
			ok = ok && rules.Reservations.Regime != ReserveProhibited
		case Continue:
			ok = ok && a.Participant != string(a.Party)
		case Extend:
			ok = ok && a.Participant != ""
		}
		if rules.BackDate > 0 && int(DayOf(a.Known)-a.Date) > rules.BackDate {
			ok = false
		}
		o.dead[o.acts[i].ID] = !ok
	}
	o.eligible()
	for o.day = firstDay - 30; o.day <= finalDay; o.day++ {
		o.live()
	}
	return o
}

// consented: the predecessor said so itself, or the depositary recorded it.
func (o *oracle) agreed(c Act) bool {
	if c.By != "" && c.By != c.Party {
		return true
	}
	return slices.ContainsFunc(o.acts, func(d Act) bool {
		return d.Kind == Dissolve && !o.dead[d.ID] && string(d.Party) == c.Participant && d.Participant == string(c.Party)
	})
}

func (o *oracle) eligible() {
	if o.rules.Eligibility.Who == EligibleAll {
		return
	}
	open := map[traffic.Party]bool{}
	for _, p := range o.rules.Eligibility.Parties {
		open[p] = true
	}
	for range 10 {
		for _, a := range o.acts {
			if !o.dead[a.ID] && open[traffic.Party(a.Participant)] && (a.Kind == Continue && o.agreed(a) || a.Kind == Succeed && a.By != "" && a.By != a.Party) {
				open[a.Party] = true
			}
		}
	}
	for _, a := range o.acts {
		switch a.Kind {
		case Open, Adopt, Notify, Terminate, Communicate:
		default:
			o.dead[a.ID] = o.dead[a.ID] || !open[a.Party]
		}
	}
}

func (o *oracle) leave(p traffic.Party, how State) {
	s := o.seats[p]
	if s == nil {
		return
	}
	delete(o.seats, p)
	s.close(p, o.day)
	o.left[p] = true
	if how != Continued {
		for id, since := range o.said[p] {
			if since < o.day {
				delete(o.said[p], id)
			}
		}
	}
}

func (s *seat) close(p traffic.Party, d Day) {
	last := len(s.spans) - 1
	s.spans[last][2] = d
}

func (o *oracle) find(id string) (Act, bool) {
	i := slices.IndexFunc(o.acts, func(a Act) bool { return a.ID == id })
	if i < 0 {
		return Act{}, false
	}
	return o.acts[i], true
}

func (o *oracle) says(p traffic.Party, id string, since Day) {
	if o.said[p] == nil {
		o.said[p], o.falls[p] = map[string]Day{}, map[string]Day{}
	}
	o.said[p][id] = since
	delete(o.falls[p], id)
}

func (o *oracle) live() {
	for p, s := range o.seats {
		if s.leaves != 0 && s.leaves <= o.day {
			o.leave(p, Left)
		}
	}
	for p, list := range o.falls {
		for id, when := range list {
			if when <= o.day {
				delete(o.said[p], id)
				delete(list, id)
			}
		}
	}
	for _, a := range o.acts {
		on := a.Date
		if a.Kind == Rename || a.Kind == Continue || a.Kind == Dissolve {
			on = cmp.Or(a.Effect, a.Date)
		}
		if on == o.day && !o.dead[a.ID] {
			if o.gone[a.Party] != "" && a.Kind != Communicate && a.Kind != Notify && a.Kind != Terminate && a.Kind != Open && a.Kind != Adopt {
				o.dead[a.ID] = true
				continue
			}
			o.dead[a.ID] = !o.do(a)
		}
	}
	o.conditions()
	o.threshold()
	e := &evening{maps.Clone(o.seats), map[traffic.Party]map[string]bool{}, maps.Clone(o.gone), maps.Clone(o.left)}
	for p, list := range o.said {
		e.said[p] = map[string]bool{}
		for id, since := range list {
			if since <= o.day {
				e.said[p][id] = true
			}
		}
	}
	o.days[o.day] = e
}

func (o *oracle) sit(a Act, p traffic.Party) bool {
	if o.seats[p] != nil {
		return false
	}
	s := &seat{act: a, root: p, day: o.day}
	s.spans = [][3]any{{p, o.day, Day(0)}}
	o.seats[p] = s
	o.given = append(o.given, s)
	return true
}

func (o *oracle) do(a Act) bool {
	p := a.Party
	named := traffic.Party(a.Participant)
	start := max(a.Date, a.Effect)
	switch a.Kind {
	case Sign:
		for id := range o.said[p] {
			if b, _ := o.find(id); b.Kind == Sign {
				return false
			}
		}
		o.says(p, a.ID, start)
		if a.Manner == Definitive && o.rules.way(Sign) {
			ok := o.sit(a, p)
			if !ok {
				delete(o.said[p], a.ID)
			}
			return ok
		}
	case Confirm:
		if b, ok := o.find(a.Regarding); ok && b.Kind == Reserve {
			return b.Party == p && !o.dead[b.ID] && b.Date <= a.Date
		}
		for id, since := range o.said[p] {
			if b, _ := o.find(id); b.Kind == Sign && b.Manner == AdReferendum && since <= o.day && (a.Regarding == "" || a.Regarding == id) && b.Date <= o.day {
				if o.accepted[[2]string{"confirmed", id}] != 0 || a.Regarding != "" && b.Party != p {
					return false
				}
				o.accepted[[2]string{"confirmed", id}] = o.day
				return !o.rules.way(Sign) || o.sit(a, p)
			}
		}
		return false
	case Ratify, Accept, Approve, Accede, FormallyConfirm, Consent, Adhere, Succeed:
		once := [2]string{"succeeded", string(p)}
		if a.Kind == Succeed && o.accepted[once] != 0 || !o.sit(a, p) {
			return false
		}
		if a.Kind == Succeed {
			o.accepted[once] = o.day
		}
		if a.Kind == Succeed && !o.rules.Reservations.DropOnSuccession {
			from := cmp.Or(a.Effect, a.Date)
			for id, since := range o.said[named] {
				if b, _ := o.find(id); b.Kind == Reserve && since <= from {
					o.says(p, id, from)
				}
			}
		}
	case Denounce, Withdraw:
		if a.Kind == Withdraw && a.Regarding != "" {
			b, ok := o.find(a.Regarding)
			since, said := o.said[p][a.Regarding]
			if !ok || !said || o.dead[b.ID] || b.Date > a.Date || o.falls[p][b.ID] != 0 {
				return false
			}
			if to := max(start, since); to <= o.day {
				delete(o.said[p], b.ID)
			} else {
				o.falls[p][b.ID] = to
			}
			return true
		}
		s := o.seats[p]
		if s == nil || s.leaves != 0 {
			return false
		}
		s.leaves, s.leaving = max(cmp.Or(a.Effect, a.Date), o.rules.Notice.After(a.Date)), a.ID
		if s.leaves <= o.day {
			o.leave(p, Left)
		}
	case Revoke:
		s := o.seats[p]
		if s == nil || s.leaves == 0 || a.Regarding != "" && s.leaving != a.Regarding {
			return false
		}
		s.leaves, s.leaving = 0, ""
	case Modify:
		b, ok := o.find(a.Regarding)
		since, said := o.said[p][b.ID]
		if !ok || !said || since > o.day || o.dead[b.ID] || b.Date > a.Date || b.Kind == Object || b.Kind == Sign || b.Kind == Extend || b.Kind == ApplyProvisional || b.Kind == Communicate {
			return false
		}
		o.changed[b.ID] = append(o.changed[b.ID], a)
	case Terminate:
		if o.ended != 0 {
			return false
		}
		o.ended = cmp.Or(a.Effect, a.Date)
	case Continue:
		if !o.agreed(a) || o.gone[named] != "" {
			return false
		}
		if o.seats[p] == nil {
			if s := o.seats[named]; s != nil {
				s.close(named, o.day)
				s.spans = append(s.spans, [3]any{p, o.day, Day(0)})
				o.seats[p] = s
				delete(o.seats, named)
				o.left[named] = true
			}
			for id, since := range o.said[named] {
				falls := o.falls[named][id]
				o.says(p, id, max(since, o.day))
				if falls != 0 {
					o.falls[p][id] = falls
				}
			}
			o.said[named] = nil
		} else if s := o.seats[named]; s != nil {
			o.leave(named, Continued)
		}
		o.gone[named], o.heirs[named], o.goneOn[named] = Continued, p, o.day
	case Dissolve:
		claimed := slices.ContainsFunc(o.acts, func(c Act) bool {
			return c.Kind == Continue && !o.claimDead(c) && c.Party == named && c.Participant == string(p)
		})
		if a.Participant != "" && claimed {
			return true
		}
		o.leave(p, Dissolved)
		o.said[p] = nil
		o.gone[p], o.goneOn[p] = Dissolved, o.day
	default:
		if keeps(a.Kind) {
			o.says(p, a.ID, start)
		}
	}
	return true
}

// claimDead: a claim that fails only when its day comes was a claim all the same. The generator makes none that fail before and are looked at.
func (o *oracle) claimDead(c Act) bool {
	return o.dead[c.ID] && o.accepted[[2]string{"claim", c.ID}] == 0
}
