package instrument

import (
	"maps"
	"slices"
	"time"

	"detente/sealing"
	"detente/statement"
	"detente/traffic"
)

// Status tells how the instrument stands on a date, by all that is known now. It is computed from the times that statements give for themselves; whoever
// asks for now passes the time from outside.
func (n *Negotiation) Status(on time.Time) Status {
	s := n.drafted(on)
	if first, second := n.exchange(); second != nil {
		s.Manifest = [32]byte(first.Statement)
		for i := range s.Parties {
			p := &s.Parties[i]
			for _, note := range []*Note{first, second} {
				if note.By.Party == p.Party && !note.At.After(on) {
					p.Signed, p.Consented, p.By = note.At, note.At, "notes"
				}
			}
		}
		n.standing(&s, nil, second.At)
		return s
	}
	best := s
	for _, m := range n.Manifests {
		if m.Terms == nil || len(m.Text.Clauses) == 0 || n.Acts(m) {
			continue
		}
		t := s
		t.Parties = slices.Clone(s.Parties)
		n.under(&t, m)
		if height(t.Rung) >= height(best.Rung) {
			best = t
		}
	}
	return best
}

// height orders statuses under several manifests of one text: what is in force, or was, comes first; a round that lapsed hides no other.
func height(r Rung) int {
	switch r {
	case Suspended, Ended:
		r = InForce
	case Lapsed:
		r = Certified
	}
	return slices.Index(Rungs(), r)
}

// drafted is the status up to conformity.
func (n *Negotiation) drafted(on time.Time) Status {
	s := Status{On: on, Rung: Opened, Since: n.Opening.At, Legal: n.Opening.Legal()}
	for _, party := range n.Opening.Parties {
		s.Parties = append(s.Parties, PartyStatus{Party: party})
	}
	if at := n.tabled(); !at.IsZero() && !at.After(on) {
		s.Rung, s.Since = Tabled, at
	}
	clean := false
	for _, t := range n.turns {
		if t.at.After(on) {
			continue
		}
		if clean = t.clean; clean {
			s.Rung, s.Since = AgreedText, t.at
		}
	}
	if !clean {
		if s.Rung == AgreedText {
			s.Rung, s.Since = Tabled, n.tabled()
		}
		return s
	}
	for _, step := range n.Steps {
		if step.Form != "conformity" || !step.Full || !step.stands(on) {
			continue
		}
		for i := range s.Parties {
			if p := &s.Parties[i]; p.Party == step.By.Party && p.Certified.IsZero() {
				p.Certified = step.At
			}
		}
		if s.Rung == AgreedText {
			s.Rung, s.Since = Scrubbed, step.At
		}
	}
	if at, all := latest(s.Parties, func(p *PartyStatus) time.Time { return p.Certified }); all {
		s.Rung, s.Since = Certified, at
	}
	return s
}

// tabled is when the first position was taken.
func (n *Negotiation) tabled() (at time.Time) {
	for i := range n.Entries {
		e := &n.Entries[i]
		if e.Why == "" && (e.Form == "position" || e.Form == "note" || e.Form == "manifest") && (at.IsZero() || e.At.Before(at)) {
			at = e.At
		}
	}
	return at
}

// stands tells whether a step had its effect on a date.
func (s *Step) stands(on time.Time) bool {
	return !s.At.After(on) && (s.LapsedAt.IsZero() || s.LapsedAt.After(on))
}

// latest is when the last of all parties did something; false while one has not.
func latest(parties []PartyStatus, at func(*PartyStatus) time.Time) (last time.Time, all bool) {
	for i := range parties {
		t := at(&parties[i])
		if t.IsZero() {
			return time.Time{}, false
		}
		if t.After(last) {
			last = t
		}
	}
	return last, len(parties) > 0
}

// under climbs from certified on, by what was done with one manifest.
func (n *Negotiation) under(s *Status, m *Manifest) {
	for _, step := range n.Steps {
		if step.Manifest != m.Hash || !step.stands(s.On) {
			continue
		}
		i := slices.IndexFunc(s.Parties, func(p PartyStatus) bool { return p.Party == step.By.Party })
		if i < 0 {
			continue
		}
		p := &s.Parties[i]
		switch step.Form {
		case "initialling":
			p.Initialled = step.At
		case "signature":
			p.Signed, p.Manner = step.At, step.Manner
		case "confirmation":
			p.Confirmed = step.At
		case "consent":
			p.Consented, p.By = step.At, step.Manner
		}
	}
	climb := func(to Rung, at func(*PartyStatus) time.Time) {
		if t, all := latest(s.Parties, at); all {
			s.Rung, s.Since, s.Manifest = to, t, m.Hash
		}
	}
	climb(Initialled, func(p *PartyStatus) time.Time {
		if p.Initialled.IsZero() {
			return p.Signed
		}
		return p.Initialled
	})
	climb(Signed, full)
	for i := range s.Parties {
		p := &s.Parties[i]
		if p.Consented.IsZero() && m.Terms.Effect.Kind != sealing.AfterProcedures && p.Manner != ToRatify && len(m.Terms.Sealers) == 0 {
			if p.Consented = full(p); !p.Consented.IsZero() {
				p.By = "signature"
			}
		}
	}
	n.ratified(s, m)
	n.sealed(s, m)
	climb(Consented, func(p *PartyStatus) time.Time { return p.Consented })
	if m.Sealed == sealing.StateLapsed || m.Sealed == sealing.StateContested {
		if !m.Terms.Final().After(s.On) {
			s.Rung, s.Since, s.Manifest = Lapsed, m.Terms.Final(), m.Hash
		}
		return
	}
	n.standing(s, m, n.effect(s, m))
}

// full is when a party's signature became a full one: of one ad referendum, when it was confirmed.
func full(p *PartyStatus) time.Time {
	if p.Manner == AdReferend {
		return p.Confirmed
	}
	return p.Signed
}

// ratified takes in rounds in which all parties consent at one stroke to what they have signed.
func (n *Negotiation) ratified(s *Status, m *Manifest) {
	for _, act := range n.Manifests {
		if act.Terms.Kind != KindRatification || act.Terms.Regards == nil || *act.Terms.Regards != m.Hash || act.Sealed != sealing.StateInForce {
			continue
		}
		for i := range s.Parties {
			if p := &s.Parties[i]; p.Consented.IsZero() && !act.Terms.Final().After(s.On) {
				p.Consented, p.By = act.Terms.Final(), KindRatification
			}
		}
	}
}

// sealed takes in the verdict of the round about the manifest itself. Where procedures follow, it seals the signature and not the consent.
func (n *Negotiation) sealed(s *Status, m *Manifest) {
	if m.Sealed != sealing.StateInForce || m.Terms.Final().After(s.On) || m.Terms.Effect.Kind == sealing.AfterProcedures {
		return
	}
	for i := range s.Parties {
		s.Parties[i].Consented, s.Parties[i].By = m.Terms.Final(), "seal"
	}
}

// effect is when the instrument enters into force, zero while that is open. Without sealers the deadline of the manifest has no meaning.
func (n *Negotiation) effect(s *Status, m *Manifest) time.Time {
	consented, all := latest(s.Parties, func(p *PartyStatus) time.Time { return p.Consented })
	round := len(m.Terms.Sealers) > 0
	if !all || round && m.Sealed != sealing.StateInForce {
		return time.Time{}
	}
	switch m.Terms.Effect.Kind {
	case sealing.OnDate:
		return later(consented, m.Terms.Effect.Date)
	case sealing.AfterProcedures:
		at := m.Terms.Effect.After.From(consented)
		if round {
			at = later(at, m.Terms.Final())
		}
		return at
	}
	return consented
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// standing is the status from entry into force on. m is nil for an exchange of notes.
func (n *Negotiation) standing(s *Status, m *Manifest, effect time.Time) {
	if effect.IsZero() {
		return
	}
	s.InForce = effect
	if effect.After(s.On) {
		return
	}
	s.Rung, s.Since = InForce, effect
	s.Until = n.expires(s, m, effect)
	revoked := make(map[statement.ID]bool)
	for _, step := range n.Steps {
		if step.Form == "notice-revocation" && !step.At.After(s.On) {
			revoked[step.Regarding] = true
		}
	}
	var leaves []time.Time
	for i := range s.Parties {
		p := &s.Parties[i]
		for _, step := range n.Steps {
			if step.Form == "termination-notice" && step.Manifest == s.Manifest && step.By.Party == p.Party && !step.At.After(s.On) && !revoked[step.Statement] &&
				(p.Leaves.IsZero() || step.From.Before(p.Leaves)) {
				p.Leaves = later(step.From, effect)
			}
		}
		if !p.Leaves.IsZero() {
			leaves = append(leaves, p.Leaves)
		}
		if p.Leaves.IsZero() || p.Leaves.After(s.On) {
			s.Bound = append(s.Bound, p.Party)
		}
	}
	// It ends when fewer than two are bound: of two parties when the first leaves, and then for both at that instant.
	slices.SortFunc(leaves, time.Time.Compare)
	if i := len(s.Parties) - 2; i >= 0 && len(leaves) > i {
		s.Until = earlier(s.Until, leaves[i])
	}
	if !s.Until.IsZero() && !s.Until.After(s.On) {
		s.Rung, s.Since, s.Bound = Ended, s.Until, nil
		return
	}
	n.suspended(s, revoked)
}

// earlier of two times, of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// expires is when the duration ends, with what was renewed and extended by then, or when a round has released all; zero for no end.
func (n *Negotiation) expires(s *Status, m *Manifest, effect time.Time) time.Time {
	if m == nil {
		return time.Time{}
	}
	var end time.Time
	if d := m.Terms.Duration; !d.Zero() {
		end = d.From(effect)
		if r := m.Terms.Renewal; !r.Zero() && !end.After(s.On) {
			end = renewed(effect, d, r, s.On)
		}
	}
	end = n.extended(s, m, end)
	for _, act := range n.Manifests {
		if act.Terms.Kind == KindTermination && act.Terms.Regards != nil && *act.Terms.Regards == m.Hash {
			end = earlier(end, n.released(s, act))
		}
	}
	return end
}

// renewed is the first end after a date of a duration that grows by a period each time. Each end is counted from the entry into force, so that months of
// different length do not add up.
func renewed(effect time.Time, d, r sealing.Period, on time.Time) time.Time {
	at := func(k int) time.Time {
		return sealing.Period{Years: d.Years + k*r.Years, Months: d.Months + k*r.Months, Days: d.Days + k*r.Days}.From(effect)
	}
	low, high := 0, 1
	for !at(high).After(on) {
		low, high = high, 2*high
	}
	for high-low > 1 {
		if middle := (low + high) / 2; at(middle).After(on) {
			high = middle
		} else {
			low = middle
		}
	}
	return at(high)
}

// extended puts off the end to the time on which all have agreed, each in an extension before the end.
func (n *Negotiation) extended(s *Status, m *Manifest, end time.Time) time.Time {
	if end.IsZero() {
		return end
	}
	said := make(map[int64]map[traffic.Party]bool)
	for _, step := range n.Steps {
		if step.Form != "extension" || step.Manifest != m.Hash || step.At.After(s.On) || !step.At.Before(end) {
			continue
		}
		by := said[step.From.Unix()]
		if by == nil {
			by = make(map[traffic.Party]bool)
			said[step.From.Unix()] = by
		}
		if by[step.By.Party] = true; len(by) == len(s.Parties) {
			end = later(end, step.From)
		}
	}
	return end
}

// released is when a manifest of termination releases all: by its round, or without sealers by the consent of each.
func (n *Negotiation) released(s *Status, act *Manifest) time.Time {
	var at time.Time
	if len(act.Terms.Sealers) > 0 {
		if act.Sealed != sealing.StateInForce {
			return time.Time{}
		}
		at = act.Terms.Final()
	} else {
		consents := slices.Clone(s.Parties)
		for i := range consents {
			consents[i].Consented = time.Time{}
			for _, step := range n.Steps {
				if step.Manifest == act.Hash && step.By.Party == consents[i].Party && (step.Form == "consent" || step.Form == "signature" && step.Manner == Definitive) && step.stands(s.On) {
					consents[i].Consented = step.At
				}
			}
		}
		last, all := latest(consents, func(p *PartyStatus) time.Time { return p.Consented })
		if !all {
			return time.Time{}
		}
		at = last
	}
	switch act.Terms.Effect.Kind {
	case sealing.OnDate:
		return later(at, act.Terms.Effect.Date)
	case sealing.AfterProcedures:
		return act.Terms.Effect.After.From(at)
	}
	return at
}

// suspended says what is out of operation. Of two parties one suspends it for both; of more, between itself and the others.
func (n *Negotiation) suspended(s *Status, revoked map[statement.ID]bool) {
	whole := make(map[traffic.Party]time.Time)
	parts := make(map[string]map[traffic.Party]bool)
	for _, step := range n.Steps {
		if step.Manifest != s.Manifest || step.From.After(s.On) || step.At.After(s.On) || revoked[step.Statement] || !slices.Contains(s.Bound, step.By.Party) {
			continue
		}
		switch by := step.By.Party; {
		case step.Form == "suspension-notice" && len(step.Provs) == 0:
			whole[by] = step.From
		case step.Form == "suspension-notice":
			for _, id := range step.Provs {
				if parts[id] == nil {
					parts[id] = make(map[traffic.Party]bool)
				}
				parts[id][by] = true
			}
		case step.Form == "resumption" && len(step.Provs) == 0:
			delete(whole, by)
			for _, who := range parts {
				delete(who, by)
			}
		case step.Form == "resumption":
			for _, id := range step.Provs {
				delete(parts[id], by)
			}
		}
	}
	by := maps.Clone(whole)
	for _, id := range sortedKeys(parts) {
		if len(parts[id]) > 0 {
			s.Suspended = append(s.Suspended, id)
		}
		for p := range parts[id] {
			by[p] = time.Time{}
		}
	}
	s.Suspenders = slices.Sorted(maps.Keys(by))
	if len(s.Bound)-len(whole) < 2 {
		s.Rung = Suspended
		s.Since = time.Time{}
		for _, at := range whole {
			s.Since = earlier(s.Since, at)
		}
	}
}

// exchange gives the two notes of an exchange; nil while there are not both.
func (n *Negotiation) exchange() (first, second *Note) {
	second = n.Exchanged()
	if second == nil {
		return nil, nil
	}
	i := slices.IndexFunc(n.Notes, func(o *Note) bool { return o.Statement == second.Quotes })
	return n.Notes[i], second
}

// TextOn is the text as it reads on a date: the one all have authenticated, with the rectifications that count by then. Those are taken for what should have been
// written from the beginning. false while nothing is authentic.
func (n *Negotiation) TextOn(on time.Time) (Text, bool) {
	if n.Frozen == nil {
		return Text{}, false
	}
	t := n.Frozen.Text
	t.Clauses = slices.Clone(t.Clauses)
	for _, step := range n.Steps {
		if step.Form != "rectification" {
			continue
		}
		if at, ok := n.Rectified(step); ok && !at.After(on) {
			if c, found := t.Clause(step.Provision); found {
				c.Texts = step.Texts
			}
		}
	}
	return t, true
}

// Rectified tells from when a rectification counts; false if somebody has objected in time.
func (n *Negotiation) Rectified(r *Step) (time.Time, bool) {
	due := r.At.Add(tacit)
	accepted := make(map[traffic.Party]time.Time)
	for _, step := range n.Steps {
		if step.Form != "rectification-answer" || step.Regarding != r.Statement {
			continue
		}
		switch {
		case step.Decision == decideYes:
			accepted[step.By.Party] = step.At
		case !step.At.After(due):
			return time.Time{}, false
		}
	}
	at := r.At
	for _, party := range n.Opening.Parties {
		if party == r.By.Party {
			continue
		}
		t, ok := accepted[party]
		if !ok {
			return due, true
		}
		at = later(at, t)
	}
	return earlier(at, due), true
}

// Amendments are the negotiations that amend this one and are in force on a date, in the order in which they entered into force.
func (n *Negotiation) Amendments(others []*Negotiation, on time.Time) []*Negotiation {
	var out []*Negotiation
	at := make(map[*Negotiation]time.Time)
	for _, o := range others {
		s := o.Status(on)
		if o.Opening.Amends == [32]byte{} || n.ManifestOf(o.Opening.Amends) == nil || s.Rung != InForce && s.Rung != Suspended {
			continue
		}
		at[o] = s.InForce
		out = append(out, o)
	}
	slices.SortStableFunc(out, func(a, b *Negotiation) int { return at[a].Compare(at[b]) })
	return out
}
