package dossier

import (
	"detente/form"
	"detente/incident"
)

// Items gives the dossier to the fold of cases, in its own order, under the regime of its channel. What the dossier leaves without effect is among them
// and marked: a case shows it.
func (s *State) Items(r *form.Regime) []incident.Item {
	items := make([]incident.Item, 0, len(s.Entries))
	for i := range s.Entries {
		e := &s.Entries[i]
		h := &e.Statement.Header
		it := incident.Item{
			ID: e.Statement.ID(), Issuer: h.Issuer, Audience: h.Audience, At: h.IssuedAt, Channel: h.Channel, Plane: h.Plane, Precedence: h.Precedence, Form: h.Form,
			Refs: h.Refs, Clock: h.Clock, Cancelled: e.Standing == Cancelled,
		}
		if e.Standing == Invalid || e.Standing == OutOfOrder {
			it.Void = e.Why
		}
		if f, ok := r.Form(h.Form, h.Version); ok {
			v, err := f.Decode(e.Statement.Payload)
			if err != nil && it.Void == "" {
				it.Void = "bad-payload" // a judge would have said so: protocol.md#held
			}
			it.Values = v
		}
		items = append(items, it)
	}
	return items
}
