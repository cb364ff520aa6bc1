package ledger

import (
	"slices"
	"time"

	"detente/dossier"
	"detente/form"
	"detente/statement"
)

// Part is what the accounts of all periods need of one dossier: its requests with all that came of them, and its proposals to publish. It holds nothing
// of what the statements say, and is never changed once it is taken, so that it may be kept and shared.
type Part struct {
	dossier.Name
	requests  []asked
	proposals []Publication
}

// asked is a request with every reply to it, whenever it came.
type asked struct {
	Request
	clock   int64
	extends []bool // of the interim replies: whether each asks for more time
}

// Take reads a folded dossier. It goes over the entries, and never over all pairs of them.
func Take(s *dossier.State, regime *form.Regime) *Part {
	t := taking{state: s, regime: regime, place: make(map[statement.ID]int, len(s.Entries))}
	for i := range s.Entries {
		t.place[s.Entries[i].Statement.ID()] = i
	}
	p := &Part{Name: s.Name, proposals: proposals(s, regime)}
	by := make(map[statement.ID]int)
	for i := range s.Entries {
		if r, ok := t.request(i); ok {
			by[r.ID] = len(p.requests)
			p.requests = append(p.requests, r)
		}
	}
	if len(p.requests) > 0 {
		for i := range s.Entries {
			t.interim(p, by, &s.Entries[i])
		}
	}
	p.requests = slices.Clip(p.requests)
	return p
}

// Weight is how many requests, interim replies and words about publishing are in it. Each takes less than 1 kB of memory.
func (p *Part) Weight() int {
	n := len(p.requests) + len(p.proposals)
	for i := range p.requests {
		n += len(p.requests[i].Interims)
	}
	for i := range p.proposals {
		n += len(p.proposals[i].For) + len(p.proposals[i].Against)
	}
	return n
}

// taking is a dossier while its part is taken.
type taking struct {
	state  *dossier.State
	regime *form.Regime
	place  map[statement.ID]int
}

// request reads one entry, if it asks for an answer.
func (t *taking) request(at int) (r asked, ok bool) {
	e := &t.state.Entries[at]
	st := e.Statement
	fm, known := t.regime.Form(st.Form, st.Version)
	if !known || fm.MustAnswer == "" || e.Standing == dossier.Invalid || e.Standing == dossier.OutOfOrder {
		return r, false
	}
	r.clock = st.Clock
	r.Request = Request{
		ID: st.ID(), Dossier: t.state.ID, From: st.Issuer.Party, To: addressee(st), Form: fm.ID, Precedence: st.Precedence, Issued: st.IssuedAt.UTC(),
		Due: due(st, fm), feed: e.Feed, index: e.Index,
	}
	r.Acknowledged, _ = t.reply(e.AcknowledgedBy)
	r.Withdrawn, _ = t.reply(e.CancelledBy)
	if reply, by := t.reply(e.AnsweredBy); reply != nil {
		r.Answered, r.reply, r.by = reply, Place{reply.ID, by.Feed, by.Index}, by.Statement.Issuer.Party
	}
	return r, true
}

// reply is a statement that replied.
func (t *taking) reply(id statement.ID) (*Reply, *dossier.Entry) {
	at, ok := t.place[id]
	if !ok {
		return nil, nil
	}
	e := &t.state.Entries[at]
	return &Reply{id, e.Statement.IssuedAt.UTC()}, e
}

// interim counts an entry that says that an answer will take longer.
func (t *taking) interim(p *Part, by map[statement.ID]int, e *dossier.Entry) {
	st := e.Statement
	if st.Form != formInterim || e.Standing == dossier.Invalid || e.Standing == dossier.OutOfOrder || e.Standing == dossier.Cancelled {
		return
	}
	extends := false
	if fm, ok := t.regime.Form(st.Form, st.Version); ok {
		v, err := fm.Decode(st.Payload)
		extends = err == nil && v.Text("status") == "extension"
	}
	for _, ref := range st.Refs {
		at, ok := by[ref]
		if !ok || st.Issuer.Party == p.requests[at].From {
			continue
		}
		r := &p.requests[at]
		r.Interims, r.extends = append(r.Interims, Reply{st.ID(), st.IssuedAt.UTC()}), append(r.extends, extends)
	}
}

// until is the request as an account knows it that is closed at a time: without the replies that were made later.
func (r *asked) until(end time.Time) Request {
	out := r.Request
	out.Acknowledged, out.Answered, out.Withdrawn = made(r.Acknowledged, end), made(r.Answered, end), made(r.Withdrawn, end)
	if out.Answered == nil {
		out.reply, out.by = Place{}, ""
	}
	out.Interims = nil
	for i, in := range r.Interims {
		if in.At.After(end) {
			continue
		}
		out.Interims = append(out.Interims, in)
		if r.extends[i] {
			out.Extensions++
		}
	}
	switch {
	case out.Answered != nil && out.Answered.At.After(out.Due):
		out.Outcome = Late
	case out.Answered != nil:
		out.Outcome = InTime
	case out.Withdrawn != nil:
		out.Outcome = Withdrawn
	case out.Due.Before(end):
		out.Outcome = Unanswered
	default:
		out.Outcome = Pending
	}
	return out
}

// made is a copy of a reply, which is the account's own, if it was made before the account was closed.
func made(r *Reply, end time.Time) *Reply {
	if r == nil || r.At.After(end) {
		return nil
	}
	return new(*r)
}
