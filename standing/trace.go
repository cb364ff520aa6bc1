package standing

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"detente/archive"
	"detente/dossier"
	"detente/form"
	"detente/journal"
	"detente/statement"
	"detente/traffic"
)

// What a station is.
const (
	StationReleased   = "released"
	StationInFeed     = "in-feed"
	StationHeld       = "held"
	StationAccepted   = "accepted"
	StationUnderstood = "understood"
	StationPassedOn   = "passed-on"
	StationAnswered   = "answered"
)

// Station is one point on the way of a statement. What a machine says and what a person says are never one: Human tells.
type Station struct {
	At        time.Time // zero where it has not come
	Party     traffic.Party
	What      string
	By        string // duty role of a person
	To        string // category, where it was passed on
	Human     bool
	Statement statement.ID // that proves it; zero where a receipt or the feed does
	Receipt   string       // of which feed, up to which size
}

// Stations tells where a statement was, since when, and who says so: first on its author's side, then at each addressee, in the order of the ladder. A
// station that is to come stands there without a time.
func (s *Standing) Stations(ctx context.Context, h archive.Held) ([]Station, error) {
	m := h.Statement
	if m == nil {
		return nil, nil
	}
	receipts, err := s.node.Receipts(ctx, h.Feed, h.Index)
	if err != nil {
		return nil, err
	}
	state, err := s.node.Dossier(ctx, h)
	if err != nil {
		return nil, err
	}
	fm, _, err := s.node.Form(m)
	if err != nil {
		fm = nil // an invalid statement: nothing is asked of anybody
	}
	return s.StationsOf(h, receipts, state, fm), nil
}

// StationsOf is [Standing.Stations] of what is known already. fm is nil where the form is not known.
func (s *Standing) StationsOf(h archive.Held, receipts []archive.Receipt, state *dossier.State, fm *form.Form) []Station {
	m := h.Statement
	by := cmp.Or(m.Releaser, m.Drafter)
	out := []Station{{At: m.IssuedAt, Party: m.Issuer.Party, What: StationReleased, By: by, Human: by != journal.Machine, Statement: m.ID()}}
	in := Station{Party: m.Issuer.Party, What: StationInFeed, Receipt: fmt.Sprintf("%s %d", h.Feed.Origin(), h.Index)}
	if h.Feed.Party == s.self {
		in.At = h.Held
	}
	out = append(out, in)
	e := state.Find(m.ID())
	for _, p := range s.floor.Addressees(m) {
		if p == m.Issuer.Party {
			continue
		}
		held := Station{Party: p, What: StationHeld}
		for _, r := range receipts {
			if at := time.Unix(r.At, 0).UTC(); r.Mirror == p && (held.At.IsZero() || at.Before(held.At)) {
				held.At, held.Receipt = at, fmt.Sprintf("%s %d", h.Feed.Origin(), r.Size)
			}
		}
		out = append(append(out, held), s.climbed(p, m, e, state, fm)...)
	}
	return out
}

// climbed is what the persons of one addressee have said of a statement. The first of each kind counts.
func (s *Standing) climbed(p traffic.Party, m *statement.Statement, e *dossier.Entry, state *dossier.State, fm *form.Form) []Station {
	rungs := map[string]Station{}
	first := func(what string, r Station) {
		if _, there := rungs[what]; !there {
			r.What = what
			rungs[what] = r
		}
	}
	for i := range state.Entries { // in the canonical order
		r := &state.Entries[i]
		reply := r.Statement
		if reply.Issuer.Party != p || p == m.Issuer.Party || !slices.Contains(reply.Refs, m.ID()) || r.Standing == dossier.Invalid || r.Standing == dossier.OutOfOrder || r.Standing == dossier.Cancelled {
			continue
		}
		rf, _, err := s.node.Form(reply)
		if err != nil {
			continue
		}
		v, err := rf.Decode(reply.Payload)
		if err != nil {
			continue
		}
		said := Station{At: reply.IssuedAt, Party: p, By: reply.Drafter, Human: reply.Drafter != journal.Machine, Statement: reply.ID()}
		if v.Text("answered_by") == "terminal" {
			said.Human = false
		}
		switch {
		case reply.Form == "acknowledgement":
			first(StationAccepted, said)
			if understood, _ := v["understood"].(bool); understood {
				first(StationUnderstood, said)
			}
			if to := v.Text("forwarded_to"); to != "" && to != "not-yet" {
				said.To = to
				first(StationPassedOn, said)
			}
		case reply.Form == "interim":
			first(StationAccepted, said)
			if v.Text("status") == "routed" {
				said.To = "other-channel"
				first(StationPassedOn, said)
			}
		case e != nil && e.AnsweredBy == reply.ID():
			if said.Human {
				first(StationAccepted, said) // who has answered has taken it
			}
			first(StationAnswered, said)
		}
	}
	var out []Station
	for _, what := range []string{StationAccepted, StationUnderstood, StationPassedOn, StationAnswered} {
		r, come := rungs[what]
		switch {
		case come:
			out = append(out, r)
		case fm == nil || e == nil || e.Standing == dossier.Cancelled:
		case what == StationAnswered && fm.MustAnswer != "", what != StationAnswered && fm.MustAcknowledge != "":
			out = append(out, Station{Party: p, What: what, Human: true})
		}
	}
	return out
}
