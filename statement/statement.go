// Package statement is the signed record: one utterance of one post, on one channel, in one form.
// It must never judge what a statement says; it tells only whether the bytes are a statement, and who signed them.
package statement

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"detente/canonical"
	"detente/envelope"
	"detente/key"
	"detente/traffic"

	"github.com/fxamacker/cbor/v2"
)

// MaxSize is the most bytes that a statement may have, protocol.md#statement. Anything larger is a blob, named by its hash.
const MaxSize = 48 << 10

const contentType = "application/vnd.detente.statement"

// Errors beside those of packages envelope and canonical.
var (
	ErrClaims = errors.New("statement: issuer, audience or time is malformed")
	ErrHeader = errors.New("statement: header is malformed")
)

// ID is the SHA-256 of a statement's bytes, signatures included.
type ID [32]byte

// String is the id in lower-case hex.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Short is the first eight digits, for a person's eye.
func (id ID) Short() string { return hex.EncodeToString(id[:4]) }

// Hash is the id that bytes have as a statement, whether they are one or not.
func Hash(b []byte) ID { return sha256.Sum256(b) }

// Everyone is the audience of a statement addressed to all members of its channel.
const Everyone = "*"

// Header is what every statement says of itself, protocol.md#statement.
type Header struct {
	Issuer   traffic.Address
	Audience string    // an address, or Everyone
	IssuedAt time.Time // whole seconds, UTC

	Channel    [32]byte
	Plane      traffic.Plane
	Precedence traffic.Precedence
	Form       string
	Version    int
	Dossier    ID   // zero in the statement that opens a dossier
	Refs       []ID // what this one answers, corrects or cancels
	Seen       Seen
	Clock      int64
	Language   string // BCP 47, of the original
	Marking    string
	Drafter    string // a duty role
	Releaser   string // a duty role, another than the drafter's; empty where one person suffices
	Charter    int    // version of the issuer's charter that judges this statement
}

// Statement is a decoded statement.
type Statement struct {
	Header
	Payload []byte // the form's fields in canonical CBOR

	id  ID
	env *envelope.Envelope
}

type claims struct {
	Issuer   string `cbor:"1,keyasint"`
	Audience string `cbor:"3,keyasint"`
	IssuedAt int64  `cbor:"6,keyasint"`
}

type header struct {
	Channel    [32]byte        `cbor:"1,keyasint"`
	Plane      string          `cbor:"2,keyasint"`
	Precedence string          `cbor:"3,keyasint"`
	Form       string          `cbor:"4,keyasint"`
	Version    int             `cbor:"5,keyasint"`
	Dossier    []byte          `cbor:"6,keyasint,omitempty"`
	Refs       []ID            `cbor:"7,keyasint,omitempty"`
	Seen       cbor.RawMessage `cbor:"8,keyasint,omitempty"`
	Clock      int64           `cbor:"9,keyasint"`
	Language   string          `cbor:"10,keyasint"`
	Marking    string          `cbor:"11,keyasint,omitempty"`
	Drafter    string          `cbor:"12,keyasint"`
	Releaser   string          `cbor:"13,keyasint,omitempty"`
	Charter    int             `cbor:"14,keyasint"`
}

// read is the reverse of encoding claims.
func (c *claims) read(r *canonical.Reader) {
	r.Map()
	r.Key(1)
	c.Issuer = r.Text()
	r.Key(3)
	c.Audience = r.Text()
	r.Key(6)
	c.IssuedAt = r.Int()
}

// read is the reverse of encoding a header.
func (h *header) read(r *canonical.Reader) {
	r.Map()
	r.Key(1)
	r.Fill(h.Channel[:])
	r.Key(2)
	h.Plane = r.Text()
	r.Key(3)
	h.Precedence = r.Text()
	r.Key(4)
	h.Form = r.Text()
	r.Key(5)
	h.Version = r.Count()
	if r.Has(6) {
		h.Dossier = r.Bytes()
	}
	if r.Has(7) {
		for n := r.NotEmpty(r.Array()); len(h.Refs) < n; {
			var id ID
			r.Fill(id[:])
			h.Refs = append(h.Refs, id)
		}
	}
	if r.Has(8) {
		h.Seen = r.Raw()
	}
	r.Key(9)
	h.Clock = r.Int()
	r.Key(10)
	h.Language = r.Text()
	if r.Has(11) {
		h.Marking = r.Text()
		r.NotEmpty(len(h.Marking))
	}
	r.Key(12)
	h.Drafter = r.Text()
	if r.Has(13) {
		h.Releaser = r.Text()
		r.NotEmpty(len(h.Releaser))
	}
	r.Key(14)
	h.Charter = r.Count()
}

// Sign makes a statement. The header must be complete; it is checked as a receiver would.
func Sign(h Header, payload []byte, signers ...key.Signer) (*Statement, error) {
	c := claims{h.Issuer.String(), h.Audience, h.IssuedAt.Unix()}
	cl, err := canonical.Marshal(c)
	if err != nil {
		return nil, err
	}
	w := header{
		h.Channel, string(h.Plane), string(h.Precedence), h.Form, h.Version, nil, h.Refs, h.Seen.raw,
		h.Clock, h.Language, h.Marking, h.Drafter, h.Releaser, h.Charter,
	}
	if h.Dossier != (ID{}) {
		w.Dossier = h.Dossier[:]
	}
	hd, err := canonical.Marshal(w)
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(c.check(), w.check()); err != nil {
		return nil, err
	}
	env, err := envelope.Make(envelope.Contents{ContentType: contentType, Claims: cl, Header: hd, Payload: payload}, signers...)
	if err != nil {
		return nil, err
	}
	if len(env.Bytes()) > MaxSize {
		return nil, canonical.ErrTooLarge
	}
	if err := canonical.Check(payload, MaxSize); err != nil {
		return nil, err
	}
	h.IssuedAt = h.IssuedAt.UTC().Truncate(time.Second)
	return &Statement{Header: h, Payload: payload, env: env, id: Hash(env.Bytes())}, nil
}

// Decode reads a statement strictly. It aliases b. Errors: ErrClaims, ErrHeader, those of packages envelope and canonical.
func Decode(b []byte) (*Statement, error) {
	env, err := envelope.Decode(b, contentType, MaxSize)
	if err != nil {
		return nil, err
	}
	s := &Statement{Payload: env.Payload, env: env, id: sha256.Sum256(b)}
	if err := s.readClaims(env.Claims); err != nil {
		return nil, err
	}
	if err := s.readHeader(env.Header); err != nil {
		return nil, err
	}
	// The fields are the form's to judge, but that they are one canonical item is the statement's promise.
	if err := canonical.Check(s.Payload, MaxSize); err != nil {
		return nil, err
	}
	return s, nil
}

// ID is the hash of the statement's bytes.
func (s *Statement) ID() ID { return s.id }

// Bytes is the whole statement.
func (s *Statement) Bytes() []byte { return s.env.Bytes() }

// Signatures names the keys that signed, in order.
func (s *Statement) Signatures() []envelope.Ref { return s.env.Set }

// Verify checks every signature; find gives the keys of the issuing post, nil for any other. Errors: envelope.ErrUnknownKey,
// envelope.ErrBadSignature.
func (s *Statement) Verify(find func(key.ID) key.Verifier) error { return s.env.Verify(find) }

// Case is the dossier that the statement belongs to: the one it names, or the one it opens.
func (s *Statement) Case() ID {
	if s.Dossier == (ID{}) {
		return s.id
	}
	return s.Dossier
}

func (s *Statement) readClaims(b []byte) error {
	var c claims
	if err := canonical.Read(b, MaxSize, c.read); err != nil {
		return fmt.Errorf("%w: %v", ErrClaims, err)
	}
	if err := c.check(); err != nil {
		return err
	}
	s.Issuer, _ = traffic.ParseAddress(c.Issuer) // it was checked
	s.Audience, s.IssuedAt = c.Audience, time.Unix(c.IssuedAt, 0).UTC()
	return nil
}

// check is what author and receiver demand of the claims alike.
func (c *claims) check() error {
	if a, err := traffic.ParseAddress(c.Issuer); err != nil || a.Post == "" {
		return fmt.Errorf("%w: issuer %q", ErrClaims, c.Issuer)
	}
	if c.Audience != Everyone {
		if _, err := traffic.ParseAddress(c.Audience); err != nil {
			return fmt.Errorf("%w: audience %q", ErrClaims, c.Audience)
		}
	}
	if c.IssuedAt < 0 || c.IssuedAt > maxTime {
		return fmt.Errorf("%w: time %d", ErrClaims, c.IssuedAt)
	}
	return nil
}

// maxTime is the end of the year 9999, beyond which a date-time group cannot be printed.
const maxTime = 253402300799

func (s *Statement) readHeader(b []byte) error {
	var h header
	if err := canonical.Read(b, MaxSize, h.read); err != nil {
		return fmt.Errorf("%w: %v", ErrHeader, err)
	}
	s.Channel, s.Plane, s.Precedence = h.Channel, traffic.Plane(h.Plane), traffic.Precedence(h.Precedence)
	s.Form, s.Version, s.Refs, s.Clock = h.Form, h.Version, h.Refs, h.Clock
	s.Language, s.Marking, s.Drafter, s.Releaser, s.Charter = h.Language, h.Marking, h.Drafter, h.Releaser, h.Charter
	if err := h.check(); err != nil {
		return err
	}
	if h.Dossier != nil {
		if copy(s.Dossier[:], h.Dossier); len(h.Dossier) != len(s.Dossier) || s.Dossier == (ID{}) { // zeros would read as "opens one"
			return fmt.Errorf("%w: dossier %x", ErrHeader, h.Dossier)
		}
	}
	var err error
	s.Seen, err = readSeen(h.Seen)
	return err
}

// check is what author and receiver demand of a header alike.
func (h *header) check() error {
	switch {
	case !traffic.Plane(h.Plane).Valid():
		return fmt.Errorf("%w: plane %q", ErrHeader, h.Plane)
	case !traffic.Precedence(h.Precedence).Valid():
		return fmt.Errorf("%w: precedence %q", ErrHeader, h.Precedence)
	case h.Version < 1 || h.Charter < 1 || h.Clock < 1:
		return fmt.Errorf("%w: form version, charter and clock count from 1", ErrHeader)
	case len(h.Refs) > 64:
		return fmt.Errorf("%w: %d refs", ErrHeader, len(h.Refs))
	case !word(h.Form, true) || !word(h.Language, true) || !word(h.Drafter, true) || !word(h.Marking, false) || !word(h.Releaser, false):
		return fmt.Errorf("%w: a text is empty or over 128 bytes", ErrHeader)
	}
	return nil
}

func word(s string, needed bool) bool { return len(s) <= 128 && (len(s) > 0 || !needed) }
