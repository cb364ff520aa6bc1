package sealing

import (
	"fmt"
	"slices"

	"detente/canonical"
	"detente/key"
	"detente/traffic"
)

// State is what a round has come to.
type State string

// The states. Only Plain and Pending can become another with more evidence, as long as no more sealers are faulty than the manifest allows for.
const (
	StatePending   State = "pending"   // the evidence does not decide
	StateInForce   State = "in-force"  // all parties are bound
	StateLapsed    State = "lapsed"    // no party is bound
	StateContested State = "contested" // no party is bound; sealers named in Outcome.Double have signed both
	StatePlain     State = "plain"     // there are no sealers: no round decides
)

// Evidence is a pile of signatures, in any order; what is not good or there twice counts for nothing.
type Evidence struct {
	Consents []Consent
	Finals   []Final
}

// Outcome is the verdict, and what it rests on.
type Outcome struct {
	State    State
	Consents []traffic.Party   // that have consented, in the manifest's order
	InForce  []traffic.Address // sealers that say so, in the manifest's order
	Lapsed   []traffic.Address // likewise
	Double   []traffic.Address // that have signed both, which none may
	Need     int               // how many finals decide
}

// Verdict is [Round.Verdict] for whoever has the manifest as bytes. Errors: those of Open.
func Verdict(manifest []byte, r key.Registry, e Evidence) (Outcome, error) {
	round, err := Open(manifest, r)
	if err != nil {
		return Outcome{}, err
	}
	return round.Verdict(e), nil
}

// Verdict is the pure function of the manifest and signatures that everyone applies: no clock, no network, no log. It has no argument that is a party, so
// either every party is bound or none is. protocol.md#verdict
func (r *Round) Verdict(e Evidence) Outcome {
	m := r.manifest
	consents := map[traffic.Party]bool{}
	for _, c := range e.Consents {
		if !consents[c.Party] && r.CheckConsent(c) == nil {
			consents[c.Party] = true
		}
	}
	finals := map[Decision]map[traffic.Address]bool{InForce: {}, Lapsed: {}}
	for _, f := range e.Finals {
		if by := finals[f.Decision]; by != nil && !by[f.Sealer] && r.CheckFinal(f) == nil {
			by[f.Sealer] = true
		}
	}
	o := Outcome{Need: m.Quorum()}
	for _, p := range m.Parties {
		if consents[p.Party] {
			o.Consents = append(o.Consents, p.Party)
		}
	}
	for _, s := range m.Sealers {
		a := s.Address()
		if finals[InForce][a] {
			o.InForce = append(o.InForce, a)
		}
		if finals[Lapsed][a] {
			o.Lapsed = append(o.Lapsed, a)
		}
		if finals[InForce][a] && finals[Lapsed][a] {
			o.Double = append(o.Double, a)
		}
	}
	inForce := len(o.InForce) >= o.Need && len(o.Consents) == len(m.Parties)
	lapsed := len(o.Lapsed) >= o.Need
	switch {
	case len(m.Sealers) == 0:
		o.State = StatePlain
	case inForce && lapsed:
		o.State = StateContested
	case inForce:
		o.State = StateInForce
	case lapsed:
		o.State = StateLapsed
	default:
		o.State = StatePending
	}
	return o
}

type wireEvidence struct {
	Type     string        `cbor:"type"`
	Consents []wireConsent `cbor:"consents,omitempty"`
	Finals   []wireFinal   `cbor:"finals,omitempty"`
}

const evidenceType = "detente-evidence.v1"

// Encode is the evidence as a certificate carries it. Error: canonical.ErrTooLarge.
func (e Evidence) Encode() ([]byte, error) {
	w := wireEvidence{Type: evidenceType}
	for _, c := range e.Consents {
		w.Consents = append(w.Consents, c.wire())
	}
	for _, f := range e.Finals {
		w.Finals = append(w.Finals, f.wire())
	}
	b, err := canonical.Marshal(w)
	if err == nil && len(b) > MaxEvidence {
		err = canonical.ErrTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("sealing: evidence: %w", err)
	}
	return b, nil
}

// DecodeEvidence reads evidence strictly. Error: ErrObject.
func DecodeEvidence(b []byte) (Evidence, error) {
	var w wireEvidence
	if err := canonical.Unmarshal(b, &w, MaxEvidence); err != nil {
		return Evidence{}, fmt.Errorf("%w: %w", ErrObject, err)
	}
	if w.Type != evidenceType || len(w.Consents) > MaxParties || len(w.Finals) > 2*MaxSealers {
		return Evidence{}, fmt.Errorf("%w: evidence of type %.40q, %d consents, %d finals", ErrObject, w.Type, len(w.Consents), len(w.Finals))
	}
	var e Evidence
	for _, c := range w.Consents {
		consent, err := c.read()
		if err != nil {
			return Evidence{}, err
		}
		e.Consents = append(e.Consents, consent)
	}
	for _, f := range w.Finals {
		final, err := f.read()
		if err != nil {
			return Evidence{}, err
		}
		e.Finals = append(e.Finals, final)
	}
	return e, nil
}

// Deciding is the least of the evidence that gives the verdict: nothing that is not good, nothing twice, and of a lapse no consent, so that whoever is
// shown the certificate does not learn who had consented. What is pending is cut to what is good.
func (r *Round) Deciding(e Evidence) Evidence {
	o := r.Verdict(e)
	var out Evidence
	if o.State != StateLapsed {
		for _, p := range o.Consents {
			i := slices.IndexFunc(e.Consents, func(c Consent) bool { return c.Party == p && r.CheckConsent(c) == nil })
			out.Consents = append(out.Consents, e.Consents[i])
		}
	}
	take := func(d Decision, by []traffic.Address, most int) {
		for _, a := range by[:min(len(by), most)] {
			i := slices.IndexFunc(e.Finals, func(f Final) bool { return f.Sealer == a && f.Decision == d && r.CheckFinal(f) == nil })
			out.Finals = append(out.Finals, e.Finals[i])
		}
	}
	most := len(r.manifest.Sealers)
	switch o.State {
	case StateInForce:
		take(InForce, o.InForce, o.Need)
	case StateLapsed:
		take(Lapsed, o.Lapsed, o.Need)
	default:
		take(InForce, o.InForce, most)
		take(Lapsed, o.Lapsed, most)
	}
	return out
}
