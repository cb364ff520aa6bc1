package sealing

import (
	"fmt"

	"detente/key"
	"detente/traffic"
)

// Round is a manifest whose keys are ready to verify. It is immutable and safe for concurrent use.
type Round struct {
	manifest  *Manifest
	bytes     []byte
	hash      [32]byte
	verifiers map[traffic.Address][]key.Verifier // of sealers
	parties   map[traffic.Party][]key.Verifier
	check     func(keys []key.Verifier, msg []byte, signatures [][]byte) bool
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
		verifiers: map[traffic.Address][]key.Verifier{}, parties: map[traffic.Party][]key.Verifier{},
	}
	prepare := func(member Member) ([]key.Verifier, error) {
		list := make([]key.Verifier, len(member.Keys))
		for i, k := range member.Keys {
			if list[i], err = r.Verifier(k); err != nil {
				return nil, fmt.Errorf("%w: %s: %w", ErrKeys, member.Address(), err)
			}
		}
		return list, nil
	}
	for _, p := range m.Parties {
		if round.parties[p.Party], err = prepare(p); err != nil {
			return nil, err
		}
	}
	for _, s := range m.Sealers {
		if round.verifiers[s.Address()], err = prepare(s); err != nil {
			return nil, err
		}
	}
	return round, nil
}

func verify(keys []key.Verifier, msg []byte, signatures [][]byte) bool {
	if len(signatures) != len(keys) || len(keys) == 0 {
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
	msg, err := consentMessage(r.hash, p)
	if err != nil {
		return Consent{}, err
	}
	sigs, err := sign(m, msg, signers)
	return Consent{r.hash, p, sigs}, err
}

// CheckConsent tells whether a consent is good. Errors: ErrRound, ErrStranger, ErrSignature.
func (r *Round) CheckConsent(c Consent) error {
	if c.Round != r.hash {
		return ErrRound
	}
	keys, ok := r.parties[c.Party]
	if !ok {
		return fmt.Errorf("%w: %.40q", ErrStranger, string(c.Party))
	}
	msg, err := consentMessage(r.hash, c.Party)
	if err != nil || !r.check(keys, msg, c.Signatures) {
		return fmt.Errorf("%w: consent of %s", ErrSignature, c.Party)
	}
	return nil
}

// CheckSeen tells whether a sealer's word is good. Errors: ErrRound, ErrStranger, ErrSignature.
func (r *Round) CheckSeen(s Seen) error {
	if s.Round != r.hash {
		return ErrRound
	}
	keys, ok := r.verifiers[s.Sealer]
	if !ok {
		return fmt.Errorf("%w: %.70q", ErrStranger, s.Sealer.String())
	}
	msg, err := seenMessage(r.hash, s.Sealer)
	if err != nil || !r.check(keys, msg, s.Signatures) {
		return fmt.Errorf("%w: seen of %s", ErrSignature, s.Sealer)
	}
	return nil
}

// CheckFinal tells whether a final statement is good. Errors: ErrRound, ErrStranger, ErrSignature.
func (r *Round) CheckFinal(f Final) error {
	if f.Round != r.hash {
		return ErrRound
	}
	keys, ok := r.verifiers[f.Sealer]
	if !ok {
		return fmt.Errorf("%w: %.70q", ErrStranger, f.Sealer.String())
	}
	msg, err := finalMessage(r.hash, f.Sealer, f.Decision)
	if err != nil || !r.check(keys, msg, f.Signatures) {
		return fmt.Errorf("%w: final of %s", ErrSignature, f.Sealer)
	}
	return nil
}
