package chancery

import (
	"slices"
	"strings"
	"time"

	"detente/instrument"
	"detente/statement"
	"detente/traffic"
	"detente/watch"
)

// What instruments need somebody for. None is urgent: a negotiation takes months, and its board items are those of a desk.
const (
	handling = 7 * 24 * time.Hour   // over which the ladder is spread where nothing runs out
	objects  = 90 * 24 * time.Hour  // within which a correction may be objected to, protocol.md#ladder
	ahead    = 60 * 24 * time.Hour  // how long before the last day of notice, or the end, a term stands on the board
	ending   = 180 * 24 * time.Hour // at most so long before its effect does a notice of termination
)

// Items are what instruments need somebody for.
func (c *Chancery) Items(now time.Time) (items []*watch.Item, again time.Time) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, d := range c.drafts {
		list, next := c.itemsOf(d, now)
		items, again = append(items, list...), sooner(again, next)
	}
	return items, again
}

// item is one about an instrument; c.mu is held.
func (c *Chancery) item(d *Draft, what string, about statement.ID, since time.Time, args ...any) *watch.Item {
	e := &d.Entries[d.order[about]]
	it := &watch.Item{
		Kind: watch.Instrument, Key: watch.Key(watch.Instrument, what, about.String()), Plane: d.Name.Plane, Precedence: traffic.Routine, Say: "draft." + what,
		Args: append([]any{d.Named(c.language())}, args...), Statement: about, Number: d.Places[about].Number, Form: e.Form, Channel: d.Name.Channel, Since: since, Handling: handling,
	}
	if e.Issuer.Party != c.self {
		it.Peer = e.Issuer.Party
	}
	it.Post = c.Speaks(d, nil)
	return it
}

func (c *Chancery) itemsOf(d *Draft, now time.Time) (items []*watch.Item, again time.Time) {
	if !slices.Contains(d.Opening.Parties, c.self) {
		return nil, time.Time{}
	}
	st := d.Status(now)
	if st.Rung == instrument.Ended || st.Rung == instrument.Lapsed {
		return nil, time.Time{}
	}
	it, again := c.turn(d, now)
	if it != nil {
		items = append(items, it)
	}
	items = append(items, c.commitments(d)...)
	if it := c.owed(d, &st); it != nil {
		items = append(items, it)
	}
	for _, s := range d.Steps {
		it, next := c.running(d, s, now)
		again = sooner(again, next)
		if it != nil {
			items = append(items, it)
		}
	}
	it, next := c.term(d, &st, now)
	again = sooner(again, next)
	if it != nil {
		items = append(items, it)
	}
	return append(items, c.late(d, &st)...), again
}

// atTable is how long a side is taken to sit at the table after it has spoken: nobody is called to where he is, provision by provision.
const atTable = 10 * time.Minute

// turn is that the others wait for positions of this side: one item for each time that it is this side's turn, however many provisions that are.
func (c *Chancery) turn(d *Draft, now time.Time) (it *watch.Item, again time.Time) {
	waiting := d.awaited[c.self]
	if len(waiting) == 0 {
		return nil, time.Time{}
	}
	spoke := time.Time{}
	about, since := d.ID, time.Time{} // what this side has said last: until it speaks, it is one turn
	for i := range d.Entries {
		if e := &d.Entries[i]; e.Issuer.Party == c.self && e.Form != FormPowers && e.Form != FormRevocation {
			about, spoke = e.ID, e.At
		}
	}
	if leaves := spoke.Add(atTable); !spoke.IsZero() && now.Before(leaves) {
		return nil, leaves
	}
	for _, id := range waiting {
		for q, s := range d.Provisions[id].Stands {
			if q != c.self && (since.IsZero() || s.At.Before(since)) && d.later(s.Statement, about) {
				since = s.At
			}
		}
	}
	if since.IsZero() {
		since = d.Opening.At
	}
	return c.item(d, "positions", about, since, len(waiting)), time.Time{}
}

// commitments are those of others that wait for one of this side.
func (c *Chancery) commitments(d *Draft) (items []*watch.Item) {
	if d.Frozen != nil {
		return nil
	}
	for _, p := range d.Provisions {
		for _, k := range p.Commitments {
			if k.By != c.self && k.Revealed == (statement.ID{}) && !k.Passed && slices.Contains(d.Waits(k), c.self) {
				items = append(items, c.item(d, "commitment", k.Statement, d.Entries[d.order[k.Statement]].At, string(k.By), k.Provision))
			}
		}
	}
	return items
}

// owed is the next step of this side on the ladder, where another has taken it: initials, or the signature of what all have initialled.
func (c *Chancery) owed(d *Draft, st *instrument.Status) *watch.Item {
	if st.Rung == instrument.InForce || st.Rung == instrument.Suspended {
		return nil
	}
	own, initialled, all := instrument.PartyStatus{}, 0, true
	for _, p := range st.Parties {
		if p.Party == c.self {
			own = p
		} else if !p.Initialled.IsZero() {
			initialled++
		}
		all = all && (!p.Initialled.IsZero() || !p.Signed.IsZero())
	}
	var last *instrument.Step // by which it came to this
	for _, s := range d.Steps {
		if (s.Form == "initialling" || s.Form == "signature") && s.LapsedAt.IsZero() {
			last = s
		}
	}
	switch {
	case last == nil:
		return nil
	case all && own.Signed.IsZero():
		if d.sealed(last.Manifest) {
			return nil // the round asks for its consents itself
		}
		return c.item(d, "sign", last.Statement, last.At)
	case initialled > 0 && own.Initialled.IsZero() && own.Signed.IsZero():
		return c.item(d, "initial", last.Statement, last.At, string(last.By.Party))
	}
	return nil
}

// sealed tells whether a manifest is brought into force by a round of sealers.
func (d *Draft) sealed(hash [32]byte) bool {
	m := d.ManifestOf(hash)
	return m != nil && len(m.Terms.Sealers) > 0
}

// running is a step after which time runs: a correction that may be objected to, a notice of termination that may be revoked.
func (c *Chancery) running(d *Draft, s *instrument.Step, now time.Time) (*watch.Item, time.Time) {
	switch s.Form {
	case "rectification":
		if !d.asks(s, c.self, now) {
			return nil, time.Time{}
		}
		end := s.At.Add(objects)
		it := c.item(d, "correction", s.Statement, s.At, string(s.By.Party), end)
		it.Due, it.Handling = end, objects
		return it, end
	case "termination-notice":
		if d.revoked(s) || s.From.IsZero() || !now.Before(s.From) {
			return nil, time.Time{}
		}
		if shows := s.From.Add(-ending); now.Before(shows) {
			return nil, shows
		}
		it := c.item(d, "notice", s.Statement, s.At, string(s.By.Party), s.From)
		it.Handling = max(handling, s.From.Sub(s.At))
		return it, s.From
	}
	return nil, time.Time{}
}

// asks tells whether a step is a correction that a party may still answer: by another, not objected to yet, and within its time.
func (d *Draft) asks(s *instrument.Step, p traffic.Party, now time.Time) bool {
	return s.Form == "rectification" && s.By.Party != p && s.LapsedAt.IsZero() && now.Before(s.At.Add(objects)) &&
		!slices.ContainsFunc(d.Steps, func(a *instrument.Step) bool {
			return a.Form == "rectification-answer" && a.Regarding == s.Statement && (a.By.Party == p || a.Decision == "object")
		})
}

// pending tells whether a step is a correction that does not count yet, and that nobody has objected to.
func (d *Draft) pending(s *instrument.Step, now time.Time) bool {
	counts, ok := d.Rectified(s)
	return s.Form == "rectification" && ok && counts.After(now) && s.LapsedAt.IsZero()
}

// Answers tells whether a correction waits for the answer of a party.
func (d *Draft) Answers(p traffic.Party, now time.Time) bool {
	return slices.ContainsFunc(d.Steps, func(s *instrument.Step) bool { return d.asks(s, p, now) })
}

// term is that a term is about to end: notice against its renewal is to be given in time, or else nothing.
func (c *Chancery) term(d *Draft, st *instrument.Status, now time.Time) (*watch.Item, time.Time) {
	if st.Rung != instrument.InForce && st.Rung != instrument.Suspended {
		return nil, time.Time{}
	}
	end, last := d.Term(st, now)
	if end.IsZero() {
		return nil, time.Time{}
	}
	m := d.ManifestOf(st.Manifest)
	shows := last.Add(-ahead)
	if now.Before(shows) {
		return nil, shows
	}
	if !now.Before(last) { // too late for notice: it ends, or is renewed
		return nil, end
	}
	it := c.item(d, "term", m.Statement, shows, end, last)
	it.Key = watch.Key(watch.Instrument, "term", m.Statement.String(), end.UTC().Format(time.DateOnly))
	it.Due, it.Handling = last, ahead
	return it, last
}

// Term is when the term of an instrument in force ends or is renewed, and the last moment at which notice can be given before that; zero where it has no term,
// or ends by a notice.
func (d *Draft) Term(st *instrument.Status, now time.Time) (end, last time.Time) {
	m := d.ManifestOf(st.Manifest)
	leaves := slices.ContainsFunc(st.Parties, func(p instrument.PartyStatus) bool { return !p.Leaves.IsZero() })
	if m == nil || m.Terms.Duration.Zero() || leaves || !st.Until.After(now) {
		return time.Time{}, time.Time{}
	}
	n := m.Terms.Notice
	return st.Until, st.Until.AddDate(-n.Years, -n.Months, -n.Days)
}

// Due is what runs out.
type Due struct {
	ID    string // correction, notice, term or notice-by
	Party traffic.Party
	At    time.Time
}

// Dues are what runs out about an instrument, the soonest first.
func (d *Draft) Dues(st *instrument.Status, now time.Time) (out []Due) {
	for _, s := range d.Steps {
		switch {
		case d.pending(s, now):
			out = append(out, Due{"correction", s.By.Party, s.At.Add(objects)})
		case s.Form == "termination-notice" && now.Before(s.From) && !d.revoked(s):
			out = append(out, Due{"notice", s.By.Party, s.From})
		}
	}
	if end, last := d.Term(st, now); !end.IsZero() {
		out = append(out, Due{"term", "", end})
		if now.Before(last) && last.Before(end) {
			out = append(out, Due{"notice-by", "", last})
		}
	}
	slices.SortStableFunc(out, func(a, b Due) int { return a.At.Compare(b.At) })
	return out
}

// revoked tells whether a notice was taken back.
func (d *Draft) revoked(s *instrument.Step) bool {
	return slices.ContainsFunc(d.Steps, func(a *instrument.Step) bool { return a.Form == "notice-revocation" && a.Regarding == s.Statement })
}

// late are the channels that an instrument in force names and that do not come into being here. c.mu is held.
func (c *Chancery) late(d *Draft, st *instrument.Status) (items []*watch.Item) {
	if st.Rung != instrument.InForce || len(c.unready) == 0 {
		return nil
	}
	m := d.ManifestOf(st.Manifest)
	if m == nil {
		return nil
	}
	for _, b := range m.Terms.Channels {
		why, waits := c.unready[channelID(b)]
		if !waits {
			continue
		}
		it := c.item(d, "channel", m.Statement, st.Since, strings.TrimPrefix(why, "chancery: "))
		it.Precedence, it.Handling = traffic.Priority, 0
		items = append(items, it)
	}
	return items
}
