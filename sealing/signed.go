package sealing

import (
	"errors"
	"fmt"

	"detente/canonical"
	"detente/key"
	"detente/traffic"
)

// What is refused of a signed object. protocol.md#sealing-objects
var (
	ErrObject    = errors.New("sealing: not a consent, seen or final in its one form")
	ErrRound     = errors.New("sealing: of another round")
	ErrStranger  = errors.New("sealing: by nobody whom the manifest names")
	ErrSignature = errors.New("sealing: signatures are not those of the member's keys")
	ErrSigner    = errors.New("sealing: these are not the member's keys")
)

const (
	maxKeys      = 4
	maxKey       = 8 << 10
	maxSignature = 16 << 10
	maxObject    = MaxEvidence

	consentType = "detente-consent.v1"
	seenType    = "detente-seen.v1"
	finalType   = "detente-final.v1"

	consentLabel = "detente/consent/v1\n"
	seenLabel    = "detente/seen/v1\n"
	finalLabel   = "detente/final/v1\n"
)

// Decision is what a final statement says.
type Decision string

// The decisions.
const (
	InForce Decision = "in-force"
	Lapsed  Decision = "lapsed"
)

// Consent is a party's consent to be bound by what the manifest says, if the verdict of the round is that it is in force. It cannot be taken back
// before the round has ended.
type Consent struct {
	Round      [32]byte // hash of the manifest
	Party      traffic.Party
	Signatures [][]byte // one by each of the member's keys, in their order
}

// Seen is a sealer's word that it held the consents of all parties in time.
type Seen struct {
	Round      [32]byte
	Sealer     traffic.Address
	Signatures [][]byte
}

// Final is the one decision that a sealer signs in a round.
type Final struct {
	Round      [32]byte
	Sealer     traffic.Address
	Decision   Decision
	Signatures [][]byte
}

type wireConsent struct {
	_          struct{} `cbor:",toarray"`
	Type       string
	Round      [32]byte
	Party      string
	Signatures [][]byte
}

type wireSeen struct {
	_          struct{} `cbor:",toarray"`
	Type       string
	Round      [32]byte
	Sealer     string
	Signatures [][]byte
}

type wireFinal struct {
	_          struct{} `cbor:",toarray"`
	Type       string
	Round      [32]byte
	Sealer     string
	Decision   string
	Signatures [][]byte
}

func (c Consent) wire() wireConsent {
	return wireConsent{Type: consentType, Round: c.Round, Party: string(c.Party), Signatures: c.Signatures}
}

func (s Seen) wire() wireSeen {
	return wireSeen{Type: seenType, Round: s.Round, Sealer: s.Sealer.String(), Signatures: s.Signatures}
}

func (f Final) wire() wireFinal {
	return wireFinal{Type: finalType, Round: f.Round, Sealer: f.Sealer.String(), Decision: string(f.Decision), Signatures: f.Signatures}
}

// Encode is the consent as it is kept and sent. It fails for signatures that are none.
func (c Consent) Encode() ([]byte, error) { return canonical.Marshal(c.wire()) }

// Encode is the statement as it is kept and sent.
func (s Seen) Encode() ([]byte, error) { return canonical.Marshal(s.wire()) }

// Encode is the statement as it is kept and sent.
func (f Final) Encode() ([]byte, error) { return canonical.Marshal(f.wire()) }

// DecodeConsent reads a consent strictly; whether its signatures are good only [Round.CheckConsent] tells. Error: ErrObject.
func DecodeConsent(b []byte) (Consent, error) {
	var w wireConsent
	if err := canonical.Unmarshal(b, &w, maxObject); err != nil {
		return Consent{}, fmt.Errorf("%w: %w", ErrObject, err)
	}
	return w.read()
}

// DecodeFinal reads a final statement strictly; whether its signatures are good only [Round.CheckFinal] tells. Error: ErrObject.
func DecodeFinal(b []byte) (Final, error) {
	var w wireFinal
	if err := canonical.Unmarshal(b, &w, maxObject); err != nil {
		return Final{}, fmt.Errorf("%w: %w", ErrObject, err)
	}
	return w.read()
}

func (w wireConsent) read() (Consent, error) {
	c := Consent{w.Round, traffic.Party(w.Party), w.Signatures}
	if w.Type != consentType || !c.Party.Valid() {
		return Consent{}, fmt.Errorf("%w: a consent of type %.40q by %.40q", ErrObject, w.Type, w.Party)
	}
	return c, checkSignatures(w.Signatures)
}

func (w wireSeen) read() (Seen, error) {
	a, err := sealerAddress(w.Sealer)
	if err != nil || w.Type != seenType {
		return Seen{}, fmt.Errorf("%w: a seen of type %.40q by %.70q", ErrObject, w.Type, w.Sealer)
	}
	return Seen{w.Round, a, w.Signatures}, checkSignatures(w.Signatures)
}

func (w wireFinal) read() (Final, error) {
	a, err := sealerAddress(w.Sealer)
	d := Decision(w.Decision)
	if err != nil || w.Type != finalType || d != InForce && d != Lapsed {
		return Final{}, fmt.Errorf("%w: a final of type %.40q by %.70q: %.40q", ErrObject, w.Type, w.Sealer, w.Decision)
	}
	return Final{w.Round, a, d, w.Signatures}, checkSignatures(w.Signatures)
}

func sealerAddress(s string) (traffic.Address, error) {
	a, err := traffic.ParseAddress(s)
	if err == nil && a.Post == "" {
		err = traffic.ErrName
	}
	return a, err
}

func checkSignatures(list [][]byte) error {
	if len(list) == 0 || len(list) > maxKeys {
		return fmt.Errorf("%w: %d signatures", ErrObject, len(list))
	}
	for _, s := range list {
		if len(s) == 0 || len(s) > maxSignature {
			return fmt.Errorf("%w: a signature of %d bytes", ErrObject, len(s))
		}
	}
	return nil
}

// message is what is signed: the label says of which kind it is, so that no signature counts for anything else.
func message(label string, parts ...any) ([]byte, error) {
	b, err := canonical.Marshal(parts)
	if err != nil {
		return nil, err
	}
	return append([]byte(label), b...), nil
}

// sign gives the signatures of a member's keys, in their order. Error: ErrSigner when the signers are not just those.
func sign(m Member, msg []byte, signers []key.Signer) ([][]byte, error) {
	if len(signers) != len(m.Keys) {
		return nil, fmt.Errorf("%w: %s has %d, not %d", ErrSigner, m.Address(), len(m.Keys), len(signers))
	}
	list := make([][]byte, len(signers))
	for i, s := range signers {
		if s.ID() != m.Keys[i].ID() {
			return nil, fmt.Errorf("%w: %s has no key %s there", ErrSigner, m.Address(), s.ID())
		}
		sig, err := s.Sign(msg)
		if err != nil {
			return nil, fmt.Errorf("sealing: sign: %w", err)
		}
		list[i] = sig
	}
	return list, nil
}
