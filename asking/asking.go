// Package asking is the question "do you know this indicator?", put so that the question stays with the asker and the list with its owner: a verifiable oblivious
// function, RFC 9497. It must never let a question out unblinded, take an answer without its proof, nor say more of a list than the agreed number of answers.
package asking

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"

	"detente/observable"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/oprf"
	"github.com/cloudflare/circl/zk/dleq"
)

// What is refused, protocol.md#asking.
var (
	ErrElement = errors.New("asking: not an element in its one encoding, or the identity")
	ErrCount   = errors.New("asking: not as many elements as were said or asked")
	ErrProof   = errors.New("asking: the answer was not made with the key of the list")
	ErrKey     = errors.New("asking: not a key")
	ErrKind    = errors.New("asking: nobody asks about this kind")
	ErrList    = errors.New("asking: not a list in its one form")
	ErrSecret  = errors.New("asking: not what was kept of a question")
)

// Sizes on the wire, protocol.md#asking.
const (
	ElementSize = 32
	ProofSize   = 64
	MaxBatch    = 256 // indicators in one question
)

// suite is ristretto255-SHA512; its verifiable mode.
func suite() oprf.Suite { return oprf.SuiteRistretto255 }

// Kinds are the kinds of indicators that one can ask about. An AS number is left out: there are so few that the list would be no secret.
func Kinds() []observable.Kind {
	return []observable.Kind{observable.IP, observable.Prefix, observable.Domain, observable.URL, observable.Hash, observable.Mail}
}

// label parts what is hashed here from whatever else is.
const label = "detente.v1 indicator\n"

// Input is what goes into the function for an indicator, protocol.md#asking. Error: ErrKind.
func Input(o observable.Observable) ([]byte, error) {
	for _, k := range Kinds() {
		if k == o.Kind {
			return []byte(label + string(o.Kind) + "\n" + o.Value), nil
		}
	}
	return nil, fmt.Errorf("%w: %q", ErrKind, o.Kind)
}

// Key is the secret of one list. Whoever has it and the list can try out every indicator: it is kept beside the node's keys, and destroyed with
// its list.
type Key struct{ private *oprf.PrivateKey }

// NewKey makes a key for one list.
func NewKey() (*Key, error) {
	k, err := oprf.GenerateKey(suite(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("asking: %w", err)
	}
	return &Key{k}, nil
}

// ParseKey reads what Bytes gave. Error: ErrKey.
func ParseKey(b []byte) (*Key, error) {
	k := new(oprf.PrivateKey)
	if len(b) != ElementSize {
		return nil, ErrKey
	}
	if err := k.UnmarshalBinary(suite(), b); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrKey, err)
	}
	if !reduced(b) {
		return nil, ErrKey
	}
	return &Key{k}, nil
}

// reduced tells whether 32 bytes are a scalar below the order of the group, little-endian: the library takes larger ones as well, each a second
// spelling of one scalar.
func reduced(b []byte) bool {
	order := [ElementSize]byte{
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 31: 0x10,
	}
	for i := ElementSize - 1; i >= 0; i-- {
		if b[i] != order[i] {
			return b[i] < order[i]
		}
	}
	return false
}

// Bytes is the key, 32 bytes, to be kept secret.
func (k *Key) Bytes() ([]byte, error) { return k.private.MarshalBinary() }

// Public is what stands in the statement of the list, 32 bytes.
func (k *Key) Public() ([]byte, error) { return k.private.Public().MarshalBinary() }

// Answer evaluates the blinded elements of a question, and proves that it did so with this key, once for all of them. It learns nothing of what was
// asked. Errors: ErrCount, ErrElement.
func (k *Key) Answer(elements []byte) (evaluated, proof []byte, err error) {
	list, err := parseElements(elements)
	if err != nil {
		return nil, nil, err
	}
	e, err := oprf.NewVerifiableServer(suite(), k.private).Evaluate(&oprf.EvaluationRequest{Elements: list})
	if err != nil {
		return nil, nil, fmt.Errorf("asking: evaluate: %w", err)
	}
	if evaluated, err = joinElements(e.Elements); err != nil {
		return nil, nil, err
	}
	if proof, err = e.Proof.MarshalBinary(); err != nil {
		return nil, nil, fmt.Errorf("asking: %w", err)
	}
	return evaluated, proof, nil
}

// CheckElements tells whether elements are 1 to MaxBatch group elements, each in its one encoding and none the identity. Errors: ErrCount, ErrElement.
func CheckElements(elements []byte) error {
	_, err := parseElements(elements)
	return err
}

func parseElements(b []byte) ([]group.Element, error) {
	if len(b) == 0 || len(b)%ElementSize != 0 || len(b) > MaxBatch*ElementSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrCount, len(b))
	}
	out := make([]group.Element, 0, len(b)/ElementSize)
	for ; len(b) > 0; b = b[ElementSize:] {
		e := suite().Group().NewElement()
		if err := e.UnmarshalBinary(b[:ElementSize]); err != nil || e.IsIdentity() {
			return nil, ErrElement
		}
		// The library may take several encodings of one point; a record has one.
		if again, err := e.MarshalBinaryCompress(); err != nil || !bytes.Equal(again, b[:ElementSize]) {
			return nil, ErrElement
		}
		out = append(out, e)
	}
	return out, nil
}

func joinElements(list []group.Element) ([]byte, error) {
	out := make([]byte, 0, len(list)*ElementSize)
	for _, e := range list {
		b, err := e.MarshalBinaryCompress()
		if err != nil {
			return nil, fmt.Errorf("asking: %w", err)
		}
		out = append(out, b...)
	}
	return out, nil
}

// parsePublic reads a public key. Error: ErrKey.
func parsePublic(b []byte) (*oprf.PublicKey, error) {
	if len(b) != ElementSize || CheckElements(b) != nil {
		return nil, ErrKey
	}
	p := new(oprf.PublicKey)
	if err := p.UnmarshalBinary(suite(), b); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrKey, err)
	}
	return p, nil
}

// CheckPublic tells whether b is a public key in its one encoding. Error: ErrKey.
func CheckPublic(b []byte) error {
	_, err := parsePublic(b)
	return err
}

// parseProof reads a proof, two scalars in their one encoding. Error: ErrProof.
func parseProof(b []byte) (*dleq.Proof, error) {
	p := new(dleq.Proof)
	if err := p.UnmarshalBinary(suite().Group(), b); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrProof, err)
	}
	if !reduced(b[:ProofSize/2]) || !reduced(b[ProofSize/2:]) {
		return nil, ErrProof
	}
	return p, nil
}
