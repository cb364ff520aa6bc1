package acts

import (
	"slices"
	"time"

	"detente/traffic"
)

// entry is an act on its way through the fold: as it was made, and as the last correction has it.
type entry struct {
	Act
	at  int // in Record.Acts
	why Reason
}

// fold is the work of one Fold.
type fold struct {
	*Record
	list    []*entry // as corrected, in their order, without corrections
	byAct   map[string]*entry
	things  map[string]*thing
	agreed  map[[2]traffic.Party]bool // who says that another continues it, and who that is
	claimed map[[2]traffic.Party]bool // who says that it continues another
}

// Fold reads the acts that were known by a time under the rules of their instrument, protocol.md#acts. The order in which they are given is immaterial; an id that
// comes again is taken once. The zero time knows all.
func Fold(rules *Rules, acts []Act, known time.Time) *Record {
	f := &fold{
		Record: &Record{Rules: rules, Known: known, lives: map[traffic.Party]*life{}, byID: map[string]int{}},
		byAct:  map[string]*entry{}, things: map[string]*thing{}, agreed: map[[2]traffic.Party]bool{}, claimed: map[[2]traffic.Party]bool{},
	}
	for i := range acts {
		if known.IsZero() || !acts[i].known().After(known) {
			f.Acts = append(f.Acts, Noted{Act: acts[i]})
		}
	}
	slices.SortStableFunc(f.Acts, func(a, b Noted) int { return a.compare(&b.Act) })
	f.Acts = slices.CompactFunc(f.Acts, func(a, b Noted) bool { return a.ID == b.ID })
	for i := range f.Acts {
		f.byID[f.Acts[i].ID] = i
	}
	f.correct()
	f.admit()
	f.walk()
	f.clip()
	f.join()
	f.enter()
	f.reserve()
	f.finish()
	return f.Record
}

// void is why an act changes no status before any rule is asked, as known at the time of the fold.
func (r *Record) void(a *Act) Reason {
	if a.Void == "" || !r.Known.IsZero() && a.VoidFrom.After(r.Known) {
		return ""
	}
	return a.Void
}

// correct puts each act in the place that its last correction gives it. A correction of a correction is one of the act that this one corrects.
func (f *fold) correct() {
	last := map[int]int{} // by the act, the correction
	roots := make([]int, len(f.Acts))
	for i := range f.Acts {
		c := &f.Acts[i]
		if c.Kind != Correct {
			continue
		}
		if c.Why = f.void(&c.Act); c.Why != "" {
			continue
		}
		at, ok := f.root(i, roots)
		switch {
		case !ok || f.void(&f.Acts[at].Act) != "":
			c.Why = UnknownAct
			continue
		case f.Acts[at].Party != c.Party:
			c.Why = NotOwn
			continue
		case !f.recorder(&c.Act):
			c.Why = NotDepositary
			continue
		}
		if old, ok := last[at]; ok {
			o := &f.Acts[old]
			if d := o.known().Compare(c.known()); d > 0 || d == 0 && o.ID > c.ID {
				c.Why = Taken
				continue
			}
			o.Why = Taken
		}
		last[at] = i
	}
	for i := range f.Acts {
		n := &f.Acts[i]
		if n.Kind == Correct {
			continue
		}
		e := &entry{Act: n.Act, at: i}
		if at, ok := last[i]; ok {
			e.mend(&f.Acts[at].Act)
			n.As = &e.Act
		}
		f.list = append(f.list, e)
		f.byAct[e.ID] = e
	}
	slices.SortStableFunc(f.list, func(a, b *entry) int { return a.compare(&b.Act) })
}

// root follows corrections to the act that they correct. What it finds it keeps for all on its way, one more than the place, or -1, so that a long chain is gone
// through once.
func (f *fold) root(i int, found []int) (int, bool) {
	var way []int
	at := i
	for f.Acts[at].Kind == Correct && found[at] == 0 {
		way, found[at] = append(way, at), -1 // which a circle comes back to
		next, ok := f.byID[f.Acts[at].Regarding]
		if !ok {
			return 0, false
		}
		at = next
	}
	root := at + 1
	if f.Acts[at].Kind == Correct {
		root = found[at]
	}
	for _, w := range way {
		found[w] = root
	}
	return root - 1, root > 0
}

// mend takes over what a correction says. What it leaves empty stays, but for the day, which it always has, and for whether an objection opposes.
func (e *entry) mend(c *Act) {
	if c.Manner == Annulled {
		e.why = Annul
		return
	}
	e.Date, e.Opposing = c.Date, c.Opposing
	if c.Manner != "" {
		e.Manner = c.Manner
	}
	if c.Effect != 0 {
		e.Effect = c.Effect
	}
	if c.Provision != "" {
		e.Provision = c.Provision
	}
	if len(c.Texts) > 0 {
		e.Texts = c.Texts
	}
	if len(c.With) > 0 {
		e.With = c.With
	}
	if c.AtLeast != 0 {
		e.AtLeast = c.AtLeast
	}
	if c.Participant != "" {
		e.Participant = c.Participant
	}
}

// recorder tells whether an act was recorded by who may: its own party, or a depositary.
func (r *Record) recorder(a *Act) bool {
	return a.By == "" || a.By == a.Party || slices.Contains(r.Rules.Depositary, a.By)
}

// admit finds what no participant's history is needed for.
func (f *fold) admit() {
	for _, e := range f.list {
		if why := f.void(&e.Act); why != "" {
			e.why = why
		}
		if e.why == "" {
			e.why = f.admits(e)
		}
		if e.why != "" {
			continue
		}
		pair := [2]traffic.Party{e.Party, traffic.Party(e.Participant)}
		switch e.Kind {
		case Dissolve:
			f.agreed[pair] = true
		case Continue:
			f.claimed[pair] = true
		}
	}
	open := f.eligible()
	for _, e := range f.list {
		if e.why == "" && open != nil && !open[e.Party] && !aside(e.Kind) {
			e.why = NotEligible
		}
	}
}

// aside tells whether acts of a kind are not those of a participant: anybody may wish something to be known.
func aside(k Kind) bool {
	return k == Open || k == Adopt || k == Notify || k == Terminate || k == Communicate
}

func (f *fold) admits(e *entry) Reason {
	named := traffic.Party(e.Participant)
	switch {
	case !f.recorder(&e.Act):
		return NotDepositary
	case f.Rules.BackDate > 0 && e.Date.add(f.Rules.BackDate) < DayOf(e.known()):
		return BackDated
	case !e.Kind.Valid() || e.Date == 0:
		return Malformed
	}
	switch e.Kind {
	case Notify, Terminate:
		if e.By == "" && !slices.Contains(f.Rules.Depositary, e.Party) {
			return NotDepositary
		}
	case Ratify, Accept, Approve, Accede, FormallyConfirm, Consent, Succeed, Adhere:
		if !f.Rules.way(e.Kind) {
			return NoWay
		}
		if e.Kind == Succeed && (!named.Valid() || named == e.Party) || len(e.With) > maxWith || slices.Contains(e.With, e.Party) {
			return Malformed
		}
	case Reserve:
		if !f.Rules.Reservations.permits(e.Provision) {
			return Prohibited
		}
	case Continue:
		if !named.Valid() || named == e.Party {
			return Malformed
		}
	case Extend:
		if e.Participant == "" {
			return Malformed
		}
	}
	return ""
}

// recorded tells whether a depositary has recorded the act.
func (f *fold) recorded(e *entry) bool {
	return e.By != "" && e.By != e.Party
}

// continues tells whether a claim to continue another has effect: if the other has said so too, or a depositary has recorded it. A claim alone takes nobody's place.
func (f *fold) continues(e *entry) bool {
	return f.recorded(e) || f.agreed[[2]traffic.Party{traffic.Party(e.Participant), e.Party}]
}

// eligible is who may take part; nil for everybody.
func (f *fold) eligible() map[traffic.Party]bool {
	if f.Rules.Eligibility.Who != EligibleListed {
		return nil
	}
	after := map[traffic.Party][]traffic.Party{}
	for _, e := range f.list {
		if e.why == "" && (e.Kind == Continue && f.continues(e) || e.Kind == Succeed && f.recorded(e)) {
			after[traffic.Party(e.Participant)] = append(after[traffic.Party(e.Participant)], e.Party)
		}
	}
	open := map[traffic.Party]bool{}
	next := slices.Clone(f.Rules.Eligibility.Parties)
	for len(next) > 0 {
		p := next[len(next)-1]
		next = next[:len(next)-1]
		if !open[p] {
			open[p] = true
			next = append(next, after[p]...)
		}
	}
	return open
}

// finish gives each act what became of it.
func (f *fold) finish() {
	for _, e := range f.list {
		n := &f.Acts[e.at]
		n.Why = e.why
		switch {
		case e.why != "":
			n.Works = 0
		case n.Works != 0 || f.consents(e) || e.Kind == Reserve || e.Kind == Modify: // the rules say from when
		default:
			n.Works = max(e.works(), e.from())
		}
		l := f.life(e.Party)
		l.acts = append(l.acts, e.at)
	}
	for i := range f.Acts {
		if n := &f.Acts[i]; n.Kind == Correct {
			l := f.life(n.Party)
			l.acts = append(l.acts, i)
		}
	}
	for p, l := range f.lives {
		f.order = append(f.order, p)
		for _, period := range l.periods {
			if period.leaving != nil {
				f.Acts[period.leaving.at].Works = period.to
			}
		}
	}
	slices.Sort(f.order)
	f.mine = map[traffic.Party][]*reservation{}
	for _, v := range f.holds {
		for i, h := range v.thing.holds {
			if !slices.ContainsFunc(v.thing.holds[:i], func(o hold) bool { return o.party == h.party }) {
				f.mine[h.party] = append(f.mine[h.party], v)
			}
		}
	}
}

// consents tells whether an act that counts is one of consent to be bound.
func (f *fold) consents(e *entry) bool {
	return slices.Contains(Consents(), e.Kind) || e.Kind == Sign && e.Manner == Definitive && f.Rules.way(Sign) || e.Kind == Confirm && f.byAct[e.Regarding] == nil
}
