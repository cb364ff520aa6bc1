package sealing

import (
	"fmt"

	"detente/key"
	"detente/traffic"
)

// Round is a manifest whose keys are ready to verify. It is immutable and safe for concurrent use.
type Round struct {
	manifest *Manifest
	bytes    []byte
	hash     [32]byte
	parties  map[traffic.Party]*voice
	sealers  map[traffic.Address]*voice
	check    func(keys []key.Verifier, msg []byte, signatures [][]byte) bool
}

// voice is what a member may sign, and with which keys. What is signed is the same for everybody, so it is made once.
type voice struct {
	keys     []key.Verifier
	consent  []byte
	seen     []byte
	decision map[Decision][]byte
}

// Open reads a manifest and prepares its keys with the registry. Errors: those of DecodeManifest, and ErrKeys for keys that the registry cannot use:
// what nobody here can verify must not count, and must not be thought a round either.
func Open(manifest []byte, r key.Registry) (*Round, error) {
	m, err := DecodeManifest(manifest)
	if err != nil {
		return nil, err
	}
	round := &Round{
		manifest: m, bytes: manifest, hash: HashOf(manifest), check: verify,
		parties: map[traffic.Party]*voice{}, sealers: map[traffic.Address]*voice{},
	}
	prepare := func(member Member) (*voice, error) {
		v := &voice{keys: make([]key.Verifier, len(member.Keys)), decision: map[Decision][]byte{}}
		for i, k := range member.Keys {
			if v.keys[i], err = r.Verifier(k); err != nil {
				return nil, fmt.Errorf("%w: %s: %w", ErrKeys, member.Address(), err)
			}
		}
		return v, nil
	}
	for _, p := range m.Parties {
		v, err := prepare(p)
		if err != nil {
			return nil, err
		}
		if v.consent, err = message(consentLabel, round.hash[:], string(p.Party)); err != nil {
			return nil, err
		}
		round.parties[p.Party] = v
	}
	for _, s := range m.Sealers {
		v, err := prepare(s)
		if err != nil {
			return nil, err
		}
		name := s.Address().String()
		if v.seen, err = message(seenLabel, round.hash[:], name); err != nil {
			return nil, err
		}
		for _, d := range []Decision{InForce, Lapsed} {
			if v.decision[d], err = message(finalLabel, round.hash[:], name, string(d)); err != nil {
				return nil, err
			}
		}
		round.sealers[s.Address()] = v
	}
	return round, nil
}

func verify(keys []key.Verifier, msg []byte, signatures [][]byte) bool {
	if msg == nil || len(signatures) != len(keys) {
		return false
	}
	for i, k := range keys {
		if !k.Verify(msg, signatures[i]) {
			return false
		}
	}
	return true
}

// Manifest is what the round is about; it must not be changed.
func (r *Round) Manifest() *Manifest { return r.manifest }

// Bytes is the manifest as it was read.
func (r *Round) Bytes() []byte { return r.bytes }

// Hash is H.
func (r *Round) Hash() [32]byte { return r.hash }

// SignConsent makes a party's consent with all its keys of the manifest, in their order. Errors: ErrStranger, ErrSigner.
func (r *Round) SignConsent(p traffic.Party, signers ...key.Signer) (Consent, error) {
	m, ok := r.manifest.Party(p)
	if !ok {
		return Consent{}, fmt.Errorf("%w: %s", ErrStranger, p)
	}
	sigs, err := sign(m, r.parties[p].consent, signers)
	return Consent{r.hash, p, sigs}, err
}

// SignSeen makes a sealer's word that it has accepted. Whether it has, and has kept that, is for [Sealer] to say. Errors: ErrStranger, ErrSigner.
func (r *Round) SignSeen(a traffic.Address, signers ...key.Signer) (Seen, error) {
	m, ok := r.manifest.Sealer(a)
	if !ok {
		return Seen{}, fmt.Errorf("%w: %s", ErrStranger, a)
	}
	sigs, err := sign(m, r.sealers[a].seen, signers)
	return Seen{r.hash, a, sigs}, err
}

// SignFinal makes a sealer's final statement. That it makes one only, and which, is for [Sealer] to say. Errors: ErrStranger, ErrSigner.
func (r *Round) SignFinal(a traffic.Address, d Decision, signers ...key.Signer) (Final, error) {
	m, ok := r.manifest.Sealer(a)
	if !ok {
		return Final{}, fmt.Errorf("%w: %s", ErrStranger, a)
	}
	if d != InForce && d != Lapsed {
		return Final{}, fmt.Errorf("%w: decision %.40q", ErrObject, string(d))
	}
	sigs, err := sign(m, r.sealers[a].decision[d], signers)
	return Final{r.hash, a, d, sigs}, err
}

// CheckConsent tells whether a consent is good. Errors: ErrRound, ErrStranger, ErrSignature.
func (r *Round) CheckConsent(c Consent) error {
	if c.Round != r.hash {
		return ErrRound
	}
	v := r.parties[c.Party]
	if v == nil {
		return fmt.Errorf("%w: %.40q", ErrStranger, string(c.Party))
	}
	if !r.check(v.keys, v.consent, c.Signatures) {
		return fmt.Errorf("%w: consent of %s", ErrSignature, c.Party)
	}
	return nil
}

// CheckSeen tells whether a sealer's word is good. Errors: ErrRound, ErrStranger, ErrSignature.
func (r *Round) CheckSeen(s Seen) error {
	if s.Round != r.hash {
		return ErrRound
	}
	v := r.sealers[s.Sealer]
	if v == nil {
		return fmt.Errorf("%w: %.70q", ErrStranger, s.Sealer.String())
	}
	if !r.check(v.keys, v.seen, s.Signatures) {
		return fmt.Errorf("%w: seen of %s", ErrSignature, s.Sealer)
	}
	return nil
}

// CheckFinal tells whether a final statement is good. Errors: ErrRound, ErrStranger, ErrSignature.
func (r *Round) CheckFinal(f Final) error {
	if f.Round != r.hash {
		return ErrRound
	}
	v := r.sealers[f.Sealer]
	if v == nil {
		return fmt.Errorf("%w: %.70q", ErrStranger, f.Sealer.String())
	}
	if !r.check(v.keys, v.decision[f.Decision], f.Signatures) {
		return fmt.Errorf("%w: final of %s", ErrSignature, f.Sealer)
	}
	return nil
}
