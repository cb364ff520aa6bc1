package bundle

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"detente/canonical"
	"detente/traffic"
)

const (
	answerVersion = "detente-answer.v1"
	threadContext = "detente.v1 answer"
	threadSize    = 32
	saltSize      = 32
)

// Thread is the secret that a sealed bundle leaves with the two who have it (RFC 9180 section 9.8), for answers over the route that brought
// it: an answer needs no encapsulation of its own, which would cost each side as much as a dozen signatures. nil is no thread.
type Thread []byte

type answer struct {
	_          struct{} `cbor:",toarray"`
	Version    string
	Salt       []byte
	Ciphertext []byte
}

// aead derives the key of one answer; the salt is fresh for each, so no nonce is ever used twice.
func (t Thread) aead(salt []byte) (cipher.AEAD, []byte, error) {
	secret, err := hkdf.Key(sha256.New, t, salt, threadContext, 32+12)
	if err != nil {
		return nil, nil, fmt.Errorf("bundle: answer: %w", err)
	}
	block, err := aes.NewCipher(secret[:32])
	if err != nil {
		return nil, nil, fmt.Errorf("bundle: answer: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	return gcm, secret[32:], err
}

// SealAnswer seals b on the thread of the bundle that it answers, protocol.md#answer. It bears no signature: only who can open what was asked
// has the thread, and what an answer carries proves itself.
func SealAnswer(b *Bundle, t Thread) ([]byte, error) {
	content, err := encode(b)
	if err == nil {
		err = decode(content, new(Bundle)) // as the receiver will
	}
	if err != nil {
		return nil, refusal(err)
	}
	n := lengthSize + len(content)
	plain := make([]byte, lengthSize, padded(n))
	binary.BigEndian.PutUint32(plain, uint32(len(content)))
	plain = append(plain, content...)
	plain = plain[:cap(plain)]
	if len(plain)+tagSize+outerRoom > MaxSealed {
		return nil, fmt.Errorf("%w: %d bytes before sealing", ErrLimit, len(plain))
	}
	salt := make([]byte, saltSize)
	rand.Read(salt)
	gcm, nonce, err := t.aead(salt)
	if err != nil {
		return nil, err
	}
	return canonical.Marshal(answer{Version: answerVersion, Salt: salt, Ciphertext: gcm.Seal(nil, nonce, plain, nil)})
}

// OpenAnswer opens what self got back from the party that it asked with SealAsking. Errors: those of Open.
func OpenAnswer(raw []byte, t Thread, from, self traffic.Party) (*Bundle, error) {
	if len(raw) > MaxSealed {
		return nil, fmt.Errorf("%w: %d bytes", ErrLimit, len(raw))
	}
	if err := canonical.Check(raw, MaxSealed); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrShape, err)
	}
	r := &reader{b: raw}
	r.array(3, 3)
	r.key(answerVersion)
	salt := r.string(byteString, saltSize, saltSize)
	ciphertext := r.bytes(MaxSealed)
	if r.err != nil {
		return nil, refusal(r.err)
	}
	gcm, nonce, err := t.aead(salt)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, nonce, ciphertext, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrSeal, err)
	}
	if len(plain) < lengthSize {
		return nil, ErrShape
	}
	rest := plain[lengthSize:]
	n := binary.BigEndian.Uint32(plain)
	if int64(n) > int64(len(rest)) || padded(lengthSize+int(n)) != len(plain) {
		return nil, fmt.Errorf("%w: length", ErrShape)
	}
	b := &Bundle{From: from, To: self, At: time.Now().UTC().Truncate(time.Second)}
	return b, refusalOrNil(decode(rest[:n], b))
}

func refusalOrNil(err error) error {
	if err == nil {
		return nil
	}
	return refusal(err)
}
