package dossier

import (
	"detente/dialogue"
	"detente/form"
	"detente/instrument"
)

// Talk gives the dossier to the fold of consultations and groups, as Items gives it to that of cases.
func (s *State) Talk(r *form.Regime) []dialogue.Item {
	items := make([]dialogue.Item, 0, len(s.Entries))
	for i := range s.Entries {
		e := &s.Entries[i]
		h := &e.Statement.Header
		it := dialogue.Item{ID: e.Statement.ID(), Issuer: h.Issuer, At: h.IssuedAt, Form: h.Form, Refs: h.Refs, Clock: h.Clock, Cancelled: e.Standing == Cancelled}
		it.Values, it.Void = e.values(r)
		items = append(items, it)
	}
	return items
}

// Text gives the dossier to the fold of instruments, as Items gives it to that of cases. Full powers that stand in other dossiers are not among them.
func (s *State) Text(r *form.Regime) []instrument.Item {
	items := make([]instrument.Item, 0, len(s.Entries))
	for i := range s.Entries {
		e := &s.Entries[i]
		h := &e.Statement.Header
		it := instrument.Item{
			ID: e.Statement.ID(), Issuer: h.Issuer, Audience: h.Audience, At: h.IssuedAt, Channel: h.Channel, Plane: h.Plane, Form: h.Form, Refs: h.Refs, Clock: h.Clock,
			Cancelled: e.Standing == Cancelled,
		}
		it.Values, it.Void = e.values(r)
		items = append(items, it)
	}
	return items
}

// values are the fields of an entry, and why it is without effect.
func (e *Entry) values(r *form.Regime) (v form.Values, void string) {
	if e.Standing == Invalid || e.Standing == OutOfOrder {
		void = e.Why
	}
	h := &e.Statement.Header
	f, ok := r.Form(h.Form, h.Version)
	if !ok {
		return nil, void
	}
	v, err := f.Decode(e.Statement.Payload)
	if err != nil && void == "" {
		void = "bad-payload" // a judge would have said so: protocol.md#held
	}
	return v, void
}
