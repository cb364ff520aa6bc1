// Package envelope signs bytes: COSE_Sign (RFC 9052 section 4.1) with a signed list of the signatures that must be there.
// It must never accept an envelope from which a signature was taken or to which one was added, nor a header that it does not know.
package envelope

import (
	"errors"
	"fmt"
	"slices"

	"detente/canonical"
	"detente/key"

	"github.com/fxamacker/cbor/v2"
)

// What a decoder refuses beside the errors of package canonical, protocol.md#envelope.
var (
	ErrUnknownHeader = errors.New("envelope: header not known")
	ErrContentType   = errors.New("envelope: another content type")
	ErrSignatureSet  = errors.New("envelope: signatures are not those of the signed set")
	ErrUnknownKey    = errors.New("envelope: signed by a key that is not the signer's")
	ErrBadSignature  = errors.New("envelope: signature does not verify")
	ErrShape         = errors.New("envelope: not an envelope")
)

// The labels of the body's protected header.
const (
	labelHeader = -70001
	labelSet    = -70002

	maxSignatures = 16
)

// withClaims is the one content type that has the labels 15 and -70001; in any other they are labels not known.
const withClaims = "application/vnd.detente.statement"

// tag is tag 98, COSE_Sign, in its one canonical encoding.
const tag = "\xd8\x62"

// Ref names one signature of the set.
type Ref struct {
	_         struct{} `cbor:",toarray"`
	Algorithm key.Algorithm
	Key       key.ID
}

// Contents is what an envelope carries.
type Contents struct {
	ContentType string
	Claims      []byte // canonical CBOR of label 15, or nil
	Header      []byte // canonical CBOR of label -70001, or nil
	Payload     []byte
}

// Envelope is a decoded envelope. Its parts alias the bytes it was decoded from.
type Envelope struct {
	Contents
	Set []Ref // which keys signed, in order

	raw        []byte
	protected  []byte
	signatures []wireSignature
}

type body struct {
	Critical    []int64         `cbor:"2,keyasint"`
	ContentType string          `cbor:"3,keyasint"`
	Claims      cbor.RawMessage `cbor:"15,keyasint,omitempty"`
	Header      cbor.RawMessage `cbor:"-70001,keyasint,omitempty"`
	Set         []Ref           `cbor:"-70002,keyasint"`
}

type wire struct {
	_           struct{} `cbor:",toarray"`
	Protected   []byte
	Unprotected struct{}
	Payload     []byte
	Signatures  []wireSignature
}

type wireSignature struct {
	_           struct{} `cbor:",toarray"`
	Protected   []byte
	Unprotected struct{}
	Signature   []byte
}

// read is the reverse of encoding a body.
func (h *body) read(r *canonical.Reader) {
	r.Map()
	r.Key(2)
	for n := r.Array(); len(h.Critical) < n; {
		h.Critical = append(h.Critical, r.Int())
	}
	r.Key(3)
	h.ContentType = r.Text()
	if r.Has(15) {
		h.Claims = r.Raw()
	}
	if r.Has(labelHeader) {
		h.Header = r.Raw()
	}
	r.Key(labelSet)
	for n := r.Array(); len(h.Set) < n; {
		var ref Ref
		r.Tuple(2)
		ref.Algorithm = key.Algorithm(r.Int())
		r.Fill(ref.Key[:])
		h.Set = append(h.Set, ref)
	}
}

// read is the reverse of encoding a wire.
func (w *wire) read(r *canonical.Reader) {
	r.Tuple(4)
	w.Protected = r.Bytes()
	r.Empty()
	w.Payload = r.Bytes()
	for n := r.Array(); len(w.Signatures) < n; {
		var s wireSignature
		r.Tuple(3)
		s.Protected = r.Bytes()
		r.Empty()
		s.Signature = r.Bytes()
		w.Signatures = append(w.Signatures, s)
	}
}

type signatureHeader struct {
	Algorithm key.Algorithm `cbor:"1,keyasint"`
	Key       key.ID        `cbor:"4,keyasint"`
}

// read is the reverse of encoding the header of a signature.
func (h *signatureHeader) read(r *canonical.Reader) {
	r.Map()
	r.Key(1)
	h.Algorithm = key.Algorithm(r.Int())
	r.Key(4)
	r.Fill(h.Key[:])
}

// Sign makes the bytes of an envelope, signed by each signer in the order given.
func Sign(c Contents, signers ...key.Signer) ([]byte, error) {
	e, err := Make(c, signers...)
	if err != nil {
		return nil, err
	}
	return e.raw, nil
}

// Make is Sign for whoever goes on working with the envelope.
func Make(c Contents, signers ...key.Signer) (*Envelope, error) {
	set := make([]Ref, len(signers))
	for i, s := range signers {
		set[i] = Ref{Algorithm: s.Public().Algorithm, Key: s.ID()}
	}
	if err := checkSet(set); err != nil {
		return nil, err
	}
	protected, err := canonical.Marshal(body{critical(c.Header != nil), c.ContentType, c.Claims, c.Header, set})
	if err != nil {
		return nil, err
	}
	w := wire{Protected: protected, Payload: c.Payload, Signatures: make([]wireSignature, len(signers))}
	if w.Payload == nil {
		w.Payload = []byte{}
	}
	e := &Envelope{Contents: c, Set: set, protected: protected, signatures: w.Signatures}
	for i, s := range signers {
		head, err := canonical.Marshal(signatureHeader{set[i].Algorithm, set[i].Key})
		if err != nil {
			return nil, err
		}
		sig, err := s.Sign(toBeSigned(protected, head, w.Payload))
		if err != nil {
			return nil, fmt.Errorf("envelope: sign: %w", err)
		}
		w.Signatures[i] = wireSignature{Protected: head, Signature: sig}
	}
	b, err := canonical.Marshal(w)
	if err != nil {
		return nil, err
	}
	e.raw = append([]byte(tag), b...)
	return e, nil
}

// Decode reads an envelope of at most limit bytes with the given content type. It checks everything but the signatures themselves,
// which [Envelope.Verify] does. Errors: those of this package and of package canonical.
func Decode(b []byte, contentType string, limit int) (*Envelope, error) {
	if len(b) > limit {
		return nil, canonical.ErrTooLarge
	}
	if len(b) < len(tag) || string(b[:len(tag)]) != tag {
		return nil, fmt.Errorf("%w: tag 98 is missing", ErrShape)
	}
	var w wire
	if err := canonical.Read(b[len(tag):], limit, w.read); err != nil {
		return nil, shape(err)
	}
	var h body
	if err := canonical.Read(w.Protected, limit, h.read); err != nil {
		if errors.Is(err, canonical.ErrShape) {
			return nil, fmt.Errorf("%w: %v", ErrUnknownHeader, err)
		}
		return nil, err
	}
	if !slices.Equal(h.Critical, critical(h.Header != nil)) {
		return nil, fmt.Errorf("%w: critical labels %v", ErrUnknownHeader, h.Critical)
	}
	if h.ContentType != contentType {
		return nil, fmt.Errorf("%w: %q", ErrContentType, h.ContentType)
	}
	if contentType != withClaims && (h.Claims != nil || h.Header != nil) {
		return nil, fmt.Errorf("%w: claims or header in %s", ErrUnknownHeader, contentType)
	}
	if err := checkSet(h.Set); err != nil {
		return nil, err
	}
	if len(w.Signatures) != len(h.Set) {
		return nil, ErrSignatureSet
	}
	e := &Envelope{
		Contents:   Contents{h.ContentType, h.Claims, h.Header, w.Payload},
		Set:        h.Set,
		raw:        b,
		protected:  w.Protected,
		signatures: w.Signatures,
	}
	for i, s := range w.Signatures {
		var of signatureHeader
		if canonical.Read(s.Protected, limit, of.read) != nil || of != (signatureHeader{h.Set[i].Algorithm, h.Set[i].Key}) {
			return nil, ErrSignatureSet
		}
	}
	return e, nil
}

// Bytes is the envelope as it was decoded.
func (e *Envelope) Bytes() []byte { return e.raw }

// Verify checks every signature with the verifier that find gives for its key id; find returns nil for a key that is not the signer's.
// Errors: ErrUnknownKey, ErrBadSignature.
func (e *Envelope) Verify(find func(key.ID) key.Verifier) error {
	for i, ref := range e.Set {
		v := find(ref.Key)
		if v == nil || v.Public().Algorithm != ref.Algorithm {
			return fmt.Errorf("%w: %v", ErrUnknownKey, ref.Key)
		}
		if err := e.verifyOne(i, v); err != nil {
			return err
		}
	}
	return nil
}

// Approved reports which keys of the set both belong to find's owner and verify. A charter uses it, whose
// signatures come from holders of whom only some are needed.
func (e *Envelope) Approved(find func(key.ID) key.Verifier) (map[key.ID]bool, error) {
	ok := make(map[key.ID]bool, len(e.Set))
	for i, ref := range e.Set {
		v := find(ref.Key)
		if v == nil || v.Public().Algorithm != ref.Algorithm {
			continue
		}
		if err := e.verifyOne(i, v); err != nil {
			return nil, err
		}
		ok[ref.Key] = true
	}
	return ok, nil
}

func (e *Envelope) verifyOne(i int, v key.Verifier) error {
	s := &e.signatures[i]
	if !v.Verify(toBeSigned(e.protected, s.Protected, e.Payload), s.Signature) {
		return fmt.Errorf("%w: key %v", ErrBadSignature, e.Set[i].Key)
	}
	return nil
}

// toBeSigned is the Sig_structure of RFC 9052 section 4.4, without external data.
func toBeSigned(protected, head, payload []byte) []byte {
	const start = "\x85\x69Signature" // five elements, the first a text of nine bytes
	b := make([]byte, 0, len(start)+len(protected)+len(head)+len(payload)+4*9)
	b = append(b, start...)
	for _, part := range [][]byte{protected, head, {}, payload} {
		b = canonical.AppendBytes(b, part)
	}
	return b
}

func critical(header bool) []int64 {
	if header {
		return []int64{labelHeader, labelSet}
	}
	return []int64{labelSet}
}

func checkSet(set []Ref) error {
	if len(set) == 0 || len(set) > maxSignatures {
		return fmt.Errorf("%w: %d signatures", ErrSignatureSet, len(set))
	}
	for i, r := range set {
		if slices.Contains(set[:i], r) {
			return fmt.Errorf("%w: key %v twice", ErrSignatureSet, r.Key)
		}
	}
	return nil
}

func shape(err error) error {
	if errors.Is(err, canonical.ErrShape) {
		return fmt.Errorf("%w: %v", ErrShape, err)
	}
	return err
}
