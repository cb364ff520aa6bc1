// Package key is the registry of signature algorithms, and keys by their ids.
// It must never choose an algorithm for a record: the record's signature set names them, and the registry knows them or does not.
package key

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"detente/canonical"

	"filippo.io/mldsa"
)

// Algorithm is a COSE algorithm number, protocol.md#keys.
type Algorithm int64

// The algorithms of version 1. Others take a number below -65536.
const (
	Ed25519 Algorithm = -19
	MLDSA44 Algorithm = -48
	MLDSA65 Algorithm = -49
)

// Errors that a caller decides on.
var (
	ErrUnknownAlgorithm = errors.New("key: unknown algorithm")
	ErrMalformed        = errors.New("key: malformed key")
)

// ID is the key id of protocol.md#keys.
type ID [16]byte

// String is the id in lower-case hex.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Public is a public key: on the wire the array [alg, bytes].
type Public struct {
	_         struct{} `cbor:",toarray"`
	Algorithm Algorithm
	Bytes     []byte
}

// ID computes the key id.
func (p Public) ID() ID {
	b, err := canonical.Marshal(p)
	if err != nil {
		return ID{} // unreachable: an integer and bytes always encode
	}
	h := sha256.New()
	h.Write([]byte("detente.v1 key\n"))
	h.Write(b)
	return ID(h.Sum(nil)[:16])
}

// Verifier checks signatures of one public key. It is prepared once, because expanding an ML-DSA key costs as much as a verification.
type Verifier interface {
	Public() Public
	ID() ID
	Verify(message, signature []byte) bool
}

// Signer signs with one private key, which may live in this process or in a token.
type Signer interface {
	Public() Public
	ID() ID
	Sign(message []byte) ([]byte, error)
}

// Registry maps algorithms to the function that prepares a verifier from the bytes of a public key; it returns ErrMalformed for bad bytes.
type Registry map[Algorithm]func(public []byte) (func(message, signature []byte) bool, error)

// Standard returns the registry of version 1. A deployment with a national algorithm adds to the copy that it hands around.
func Standard() Registry {
	return Registry{
		Ed25519: func(pub []byte) (func(m, s []byte) bool, error) {
			if len(pub) != ed25519.PublicKeySize || weak([32]byte(pub)) {
				return nil, ErrMalformed
			}
			return func(m, s []byte) bool { return ed25519.Verify(pub, m, s) }, nil
		},
		MLDSA44: latticeVerifier(mldsa.MLDSA44()),
		MLDSA65: latticeVerifier(mldsa.MLDSA65()),
	}
}

// weak tells whether an encoded Ed25519 point has small order, so that a signature under it binds nobody to one message, or is not the only
// encoding of its point, which would give one key two ids. RFC 8032 permits both; a record that its author must not be able to disown does
// not. protocol.md#keys
func weak(point [32]byte) bool {
	point[31] &= 0x7f // the sign of x
	switch hex.EncodeToString(point[:]) {
	case "0000000000000000000000000000000000000000000000000000000000000000", // order 4
		"0100000000000000000000000000000000000000000000000000000000000000", // order 1
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f": // order 2
		return true
	}
	// y at or above 2^255-19.
	if point[0] < 0xed || point[31] != 0x7f {
		return false
	}
	for _, b := range point[1:31] {
		if b != 0xff {
			return false
		}
	}
	return true
}

func latticeVerifier(params mldsa.Parameters) func([]byte) (func(m, s []byte) bool, error) {
	return func(pub []byte) (func(m, s []byte) bool, error) {
		k, err := mldsa.NewPublicKey(params, pub)
		if err != nil {
			return nil, ErrMalformed
		}
		return func(m, s []byte) bool { return mldsa.Verify(k, m, s, nil) == nil }, nil
	}
}

// Verifier prepares a verifier. Errors: ErrUnknownAlgorithm, ErrMalformed.
func (r Registry) Verifier(p Public) (Verifier, error) {
	prepare, ok := r[p.Algorithm]
	if !ok {
		return nil, fmt.Errorf("%w %d", ErrUnknownAlgorithm, p.Algorithm)
	}
	verify, err := prepare(p.Bytes)
	if err != nil {
		return nil, err
	}
	return verifier{p, p.ID(), verify}, nil
}

type verifier struct {
	public Public
	id     ID
	verify func(m, s []byte) bool
}

func (v verifier) Public() Public          { return v.public }
func (v verifier) ID() ID                  { return v.id }
func (v verifier) Verify(m, s []byte) bool { return v.verify(m, s) }

// Private is a private key held in this process, kept as its seed.
type Private struct {
	public Public
	id     ID
	seed   []byte
	sign   func(m []byte) ([]byte, error)
}

// SeedSize is the length in bytes of the seed of every algorithm of version 1.
const SeedSize = 32

// Generate makes a new private key. Error: ErrUnknownAlgorithm.
func Generate(a Algorithm) (*Private, error) {
	seed := make([]byte, SeedSize)
	rand.Read(seed)
	return FromSeed(a, seed)
}

// FromSeed makes the private key of a 32-byte seed. Errors: ErrUnknownAlgorithm, ErrMalformed.
func FromSeed(a Algorithm, seed []byte) (*Private, error) {
	if len(seed) != SeedSize {
		return nil, ErrMalformed
	}
	k := &Private{seed: append([]byte(nil), seed...)}
	switch a {
	case Ed25519:
		priv := ed25519.NewKeyFromSeed(seed)
		k.public = Public{Algorithm: a, Bytes: priv.Public().(ed25519.PublicKey)}
		k.sign = func(m []byte) ([]byte, error) { return ed25519.Sign(priv, m), nil }
	case MLDSA44, MLDSA65:
		params := mldsa.MLDSA44()
		if a == MLDSA65 {
			params = mldsa.MLDSA65()
		}
		priv, err := mldsa.NewPrivateKey(params, seed)
		if err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
		k.public = Public{Algorithm: a, Bytes: priv.PublicKey().Bytes()}
		k.sign = func(m []byte) ([]byte, error) { return priv.Sign(nil, m, nil) }
	default:
		return nil, fmt.Errorf("%w %d", ErrUnknownAlgorithm, a)
	}
	k.id = k.public.ID()
	return k, nil
}

// Public is the public half.
func (k *Private) Public() Public { return k.public }

// ID is the key id of the public half.
func (k *Private) ID() ID { return k.id }

// Seed is the secret, 32 bytes; it belongs in an encrypted key file and nowhere else.
func (k *Private) Seed() []byte { return append([]byte(nil), k.seed...) }

// Sign signs the message as it is; domain separation is the record's business.
func (k *Private) Sign(message []byte) ([]byte, error) { return k.sign(message) }
