package acts

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"detente/traffic"
)

// conditions tries every set of those who wait, and takes the largest in which all is well.
func (o *oracle) conditions() {
	var free, waiting []traffic.Party
	for _, p := range slices.Sorted(maps.Keys(o.seats)) {
		s := o.seats[p]
		if s.met == 0 && len(s.act.With) == 0 && s.act.AtLeast <= 1 {
			s.met = o.day
		}
		if s.met != 0 {
			free = append(free, p)
		} else {
			waiting = append(waiting, p)
		}
	}
	best, size := 0, 0
	for set := 1; set < 1<<len(waiting); set++ {
		in := map[traffic.Party]bool{}
		for _, p := range free {
			in[p] = true
		}
		n := 0
		for i, p := range waiting {
			if set>>i&1 == 1 {
				in[p] = true
				n++
			}
		}
		fine := true
		for i, p := range waiting {
			if set>>i&1 == 0 {
				continue
			}
			s := o.seats[p]
			fine = fine && len(in) >= s.act.AtLeast
			for _, w := range s.act.With {
				for o.gone[w] == Continued {
					w = o.heirs[w]
				}
				fine = fine && in[w]
			}
		}
		if fine && n > size {
			best, size = set, n
		}
	}
	for i, p := range waiting {
		if best>>i&1 == 1 {
			o.seats[p].met = o.day
		}
	}
}

func (o *oracle) threshold() {
	if o.met != 0 {
		return
	}
	n := 0
	in := make([]int, len(o.rules.Entry.Among))
	for p, s := range o.seats {
		if s.met == 0 {
			continue
		}
		n++
		for g, group := range o.rules.Entry.Among {
			if slices.Contains(group.Parties, p) || slices.Contains(group.Parties, s.root) {
				in[g]++
			}
		}
	}
	for g, group := range o.rules.Entry.Among {
		if in[g] < group.AtLeast {
			return
		}
	}
	if n >= max(1, o.rules.Entry.Threshold) {
		o.met = o.day
		o.ent = max(o.rules.Entry.Delay.After(o.day), o.rules.Entry.NotBefore)
	}
}

func (o *oracle) force(s *seat) Day {
	if s.met == 0 || o.met == 0 {
		return 0
	}
	if s.act.Kind == Succeed {
		return max(o.ent, cmp.Or(s.act.Effect, s.act.Date))
	}
	late := s.met > o.met
	if o.rules.Entry.LaterFrom == LaterEntry {
		late = s.met > o.ent
	}
	d := o.ent
	if late {
		l := o.rules.Entry.Delay
		if o.rules.Entry.Later != nil {
			l = *o.rules.Entry.Later
		}
		d = max(d, l.After(s.met))
	}
	return max(d, s.act.Effect)
}

// bound: by a seat that evening, or by one taken later that reaches back.
func (o *oracle) bound(p traffic.Party, d Day) bool {
	for _, s := range o.given {
		f := o.force(s)
		if f == 0 || f > d {
			continue
		}
		for i, span := range s.spans {
			from, to := span[1].(Day), span[2].(Day)
			if span[0] == p && (to == 0 || d < to) && (i == 0 || d >= from) && (to == 0 || to > from) {
				return true
			}
		}
	}
	return false
}

func (o *oracle) state(p traffic.Party, d Day) State {
	e := o.days[d]
	out := None
	bound := o.bound(p, d)
	seated := e.seats[p]
	if seated != nil {
		out = Waiting
		if seated.met != 0 && seated.met <= d {
			out = Consented
		}
	} else {
		for id := range e.said[p] {
			if a, _ := o.find(id); a.Kind == Sign && !o.dead[id] {
				out = Signatory
			}
		}
		if e.left[p] {
			out = Left
		}
	}
	for id := range e.said[p] {
		if a, _ := o.find(id); a.Kind == ApplyProvisional && !o.dead[id] && out != Left {
			out = Provisional
		}
	}
	if bound {
		out = InForce
	}
	if o.ended != 0 && o.ended <= d && out != None {
		out = Left
	}
	if e.gone[p] != "" {
		out = e.gone[p]
	}
	return out
}

// seatOf is the place of an act: that of its party on its day, or the next.
func (o *oracle) seatOf(a Act) *seat {
	var found *seat
	var at Day
	for _, s := range o.given {
		for _, span := range s.spans {
			from, to := span[1].(Day), span[2].(Day)
			if span[0] == a.Party && (to == 0 || to > a.Date) && (found == nil || from < at) {
				found, at = s, from
			}
		}
	}
	return found
}

func (o *oracle) deadline(a Act) Day {
	if o.rules.Reservations.TacitMonths == 0 {
		return 0
	}
	return Delay{Months: o.rules.Reservations.TacitMonths}.After(max(a.Date, DayOf(o.known[a.ID])))
}

func (o *oracle) acceptedBy(p traffic.Party, r Act) Day {
	var first Day
	for _, a := range o.acts {
		if a.Kind == AcceptReservation && !o.dead[a.ID] && a.Party == p && a.Regarding == r.ID && a.Date >= r.Date && p != r.Party && (first == 0 || a.Date < first) {
			first = a.Date
		}
	}
	return first
}

// objects tells whether an objection counts at all.
func (o *oracle) objects(b, r Act) bool {
	if b.Kind != Object || o.dead[b.ID] || b.Regarding != r.ID || b.Party == r.Party || b.Date < r.Date {
		return false
	}
	if d := o.acceptedBy(b.Party, r); d != 0 && d <= b.Date {
		return false
	}
	s := o.seatOf(b)
	return !(o.deadline(r) != 0 && b.Date > o.deadline(r) && s != nil && s.day < b.Date)
}

// stands tells whether an objection is upheld on a day, by a party that is what its author was.
func (o *oracle) stands(b, r Act, p traffic.Party, d Day) bool {
	if acc := o.acceptedBy(b.Party, r); acc != 0 && acc <= d && p == b.Party {
		return false
	}
	return o.days[min(d, finalDay)].said[p][b.ID]
}

func (o *oracle) refused(r Act) (from Day, refused bool) {
	if o.rules.Reservations.Late != LateTacit {
		return 0, true
	}
	limit := o.deadline(r)
	for _, b := range o.acts {
		if !o.objects(b, r) || b.Date > limit {
			continue
		}
		seated := false
		for _, s := range o.given {
			for _, span := range s.spans {
				from, to := span[1].(Day), span[2].(Day)
				seated = seated || span[0] == b.Party && from <= b.Date && (to == 0 || b.Date < to)
			}
		}
		for p := range o.days[min(limit, finalDay)].said {
			if seated && o.stands(b, r, p, limit) {
				return 0, true
			}
		}
	}
	return max(limit+1, cmp.Or(r.Effect, r.Date)), false
}

// works is the day from which a reservation has its effect; 0 for never.
func (o *oracle) works(r Act) Day {
	s := o.seatOf(r)
	switch {
	case s == nil:
		return 0
	case r.Date > s.day:
		from, refused := o.refused(r)
		if refused {
			return 0
		}
		return from
	}
	if o.rules.Reservations.Confirm && r.Date < s.day && !slices.ContainsFunc(o.acts, func(c Act) bool {
		return c.Kind == Confirm && !o.dead[c.ID] && c.Regarding == r.ID && c.Date >= r.Date && c.Date <= s.day
	}) {
		return 0
	}
	return max(r.Date, r.Effect)
}

func (o *oracle) relation(x, y traffic.Party, d Day) string {
	if x == y || o.ended != 0 && o.ended <= d || o.days[d].gone[x] != "" || o.days[d].gone[y] != "" || !o.bound(x, d) || !o.bound(y, d) {
		return "none"
	}
	var out []string
	excluded := false
	for _, pair := range [][2]traffic.Party{{x, y}, {y, x}} {
		for _, r := range o.acts {
			if r.Kind != Reserve || o.dead[r.ID] || !o.days[d].said[pair[0]][r.ID] {
				continue
			}
			if w := o.works(r); w == 0 || w > d {
				continue
			}
			what := "r"
			for _, b := range o.acts {
				if o.objects(b, r) && o.stands(b, r, pair[1], d) {
					if what == "r" {
						what = "objected"
					}
					if b.Opposing {
						what, excluded = "excluded", true
					}
				}
			}
			out = append(out, r.ID+" "+what)
		}
	}
	slices.Sort(out)
	if excluded {
		return fmt.Sprint("excluded ", out)
	}
	return fmt.Sprint("bound ", out)
}

func described(r Relation) string {
	if r.Bond == Unbound {
		return "none"
	}
	var out []string
	for _, m := range r.Modified {
		what := "r"
		if m.Objection != "" {
			what = "objected"
		}
		out = append(out, m.Reservation+" "+what)
	}
	for _, m := range r.Excluded {
		out = append(out, m.Reservation+" excluded")
	}
	slices.Sort(out)
	if r.Bond == Excluded {
		return fmt.Sprint("excluded ", out)
	}
	return fmt.Sprint("bound ", out)
}
