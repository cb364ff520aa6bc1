package sealing

import (
	"errors"
	"fmt"
	"time"

	"detente/canonical"
	"detente/traffic"
)

// ErrRecord is returned for what is no record of this sealer and round.
var ErrRecord = errors.New("sealing: not the record of this sealer in this round")

// Sealer is what one sealer has to decide in one round, and nothing else: it holds no key and signs nothing. Whoever runs it keeps [Sealer.Record]
// after every change, and only then signs what the record says and lets it out. It is not safe for concurrent use.
type Sealer struct {
	round    *Round
	self     traffic.Address
	rule     rule
	consents map[traffic.Party]Consent
	seens    map[traffic.Address]Seen // of other sealers
	accepted bool
	decision Decision // empty until the end
}

// rule is when consents are accepted and what is passed on. There is one rule; tests break it, to see that it is needed.
type rule struct {
	credit func(j, f int) int // how many Δ after D are allowed to who has j seens of others
	relay  bool
}

// theRule is that of protocol.md#sealing-round. The cap is f+1, not f: the honest sealer that accepts last but in time, on the words of f faulty ones,
// must still be believed by the others one Δ later.
func theRule() rule {
	return rule{credit: func(j, f int) int { return min(j, f+1) }, relay: true}
}

// NewSealer is the sealer at the beginning of the round. Error: ErrStranger.
func NewSealer(r *Round, self traffic.Address) (*Sealer, error) {
	if r.sealers[self] == nil {
		return nil, fmt.Errorf("%w: %s", ErrStranger, self)
	}
	return &Sealer{round: r, self: self, rule: theRule(), consents: map[traffic.Party]Consent{}, seens: map[traffic.Address]Seen{}}, nil
}

// Receive takes a packet at a moment of this sealer's clock, and reports whether the record has changed. What is in it that is not good is passed over:
// a faulty sealer must not be able to spoil what comes with it.
func (s *Sealer) Receive(now time.Time, p Packet) (changed bool) {
	if s.decision != "" {
		return false
	}
	for _, c := range p.Consents {
		if _, held := s.consents[c.Party]; !held && s.round.CheckConsent(c) == nil {
			s.consents[c.Party] = c
			changed = true
		}
	}
	for _, seen := range p.Seens {
		if _, held := s.seens[seen.Sealer]; !held && seen.Sealer != s.self && s.round.CheckSeen(seen) == nil {
			s.seens[seen.Sealer] = seen
			changed = true
		}
	}
	return s.accept(now) || changed
}

// accept is step 2 of protocol.md#sealing-round. Only what is new can make it true, so it is asked when something came and never because time passed.
func (s *Sealer) accept(now time.Time) bool {
	m := s.round.manifest
	if s.accepted || len(s.consents) < len(m.Parties) {
		return false
	}
	until := m.Deadline.Add(time.Duration(s.rule.credit(len(s.seens), m.Faulty)) * m.Delta)
	s.accepted = !now.After(until)
	return s.accepted
}

// Tick decides when it is time, and reports whether it did.
func (s *Sealer) Tick(now time.Time) (changed bool) {
	if s.decision != "" || !now.After(s.round.manifest.Final()) {
		return false
	}
	s.decision = Lapsed
	if s.accepted {
		s.decision = InForce
	}
	return true
}

// Accepted tells whether this sealer has accepted, so that it is to sign its seen and pass on what it has.
func (s *Sealer) Accepted() bool { return s.accepted }

// Decision is what the final statement says, false before the end.
func (s *Sealer) Decision() (Decision, bool) { return s.decision, s.decision != "" }

// Consents is how many parties' consents are held. Which, is nobody's business before the end.
func (s *Sealer) Consents() int { return len(s.consents) }

// Relay is what is to be passed on, with the sealer's own seen, and to whom: nothing before it has accepted, and nothing after the end.
func (s *Sealer) Relay(own Seen) (Packet, []traffic.Address) {
	if !s.accepted || s.decision != "" || !s.rule.relay {
		return Packet{}, nil
	}
	p := Packet{Consents: s.all(), Seens: []Seen{own}}
	var to []traffic.Address
	for _, m := range s.round.manifest.Sealers {
		a := m.Address()
		if a != s.self {
			to = append(to, a)
		}
		if seen, ok := s.seens[a]; ok {
			p.Seens = append(p.Seens, seen)
		}
	}
	return p, to
}

// Has tells whether the other sealer's seen is held, so that it holds all consents itself.
func (s *Sealer) Has(other traffic.Address) bool {
	_, ok := s.seens[other]
	return ok
}

// Evidence is what goes with the final statement: the consents, where it says in force; nothing where it says lapsed.
func (s *Sealer) Evidence() Evidence {
	if s.decision != InForce {
		return Evidence{}
	}
	return Evidence{Consents: s.all()}
}

// all is the consents in the manifest's order.
func (s *Sealer) all() (list []Consent) {
	for _, m := range s.round.manifest.Parties {
		if c, ok := s.consents[m.Party]; ok {
			list = append(list, c)
		}
	}
	return list
}

type wireRecord struct {
	Type     string        `cbor:"type"`
	Round    [32]byte      `cbor:"round"`
	Sealer   string        `cbor:"sealer"`
	Consents []wireConsent `cbor:"consents,omitempty"`
	Seens    []wireSeen    `cbor:"seens,omitempty"`
	Accepted bool          `cbor:"accepted"`
	Decision string        `cbor:"decision"`
}

const recordType = "detente-sealer.v1"

// Record is what is kept of the round: whoever restores it goes on where it was.
func (s *Sealer) Record() ([]byte, error) {
	w := wireRecord{Type: recordType, Round: s.round.hash, Sealer: s.self.String(), Accepted: s.accepted, Decision: string(s.decision)}
	for _, c := range s.all() {
		w.Consents = append(w.Consents, c.wire())
	}
	for _, m := range s.round.manifest.Sealers {
		if seen, ok := s.seens[m.Address()]; ok {
			w.Seens = append(w.Seens, seen.wire())
		}
	}
	return canonical.Marshal(w)
}

// Restore is the sealer that a record is of. Errors: ErrStranger, ErrRecord.
func Restore(r *Round, self traffic.Address, record []byte) (*Sealer, error) {
	s, err := NewSealer(r, self)
	if err != nil {
		return nil, err
	}
	var w wireRecord
	if err := canonical.Unmarshal(record, &w, 2*MaxEvidence); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	d := Decision(w.Decision)
	if w.Type != recordType || w.Round != r.hash || w.Sealer != self.String() || d != "" && d != InForce && d != Lapsed || (d == InForce) != (w.Accepted && d != "") {
		return nil, ErrRecord
	}
	for _, c := range w.Consents {
		consent, err := c.read()
		if err == nil {
			err = r.CheckConsent(consent)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRecord, err)
		}
		s.consents[consent.Party] = consent
	}
	for _, c := range w.Seens {
		seen, err := c.read()
		if err == nil {
			err = r.CheckSeen(seen)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRecord, err)
		}
		s.seens[seen.Sealer] = seen
	}
	s.accepted, s.decision = w.Accepted, d
	if s.accepted && len(s.consents) < len(r.manifest.Parties) {
		return nil, fmt.Errorf("%w: accepted without consents", ErrRecord)
	}
	return s, nil
}
