// Package chatham is a session under the Chatham House rule: what is said there is known to come from a member, and proves nothing to anybody outside.
// It must never sign a contribution, nor let one that is exported say whose it was.
//
// A signature would make every leak a proof. So contributions are authenticated by a code under the one key that all members of the session hold: each member
// knows that it was none but a member, and can himself make any contribution of any other, to the byte. What somebody shows to the outside, with all his keys,
// he could have made up. protocol.md#session
package chatham

import (
	"bytes"
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"detente/canonical"
	"detente/traffic"
)

// What is refused.
var (
	ErrKey          = errors.New("chatham: the key of the session does not open")
	ErrContribution = errors.New("chatham: not a contribution to this session")
	ErrAttribution  = errors.New("chatham: this does not open the contribution")
	ErrOver         = errors.New("chatham: the session is over, and what was said is no longer kept")
)

// The bounds.
const (
	MaxWords  = 16 << 10
	MaxSealed = 20 << 10
	MaxKeep   = 366 * 24 * time.Hour

	size      = 32
	padding   = 512 // lengths tell who speaks at length; they are filled up to a multiple of this
	keyLabel  = "detente.v1 session key\n"
	encLabel  = "detente.v1 session encryption"
	macLabel  = "detente.v1 session authentication"
	saltLabel = "detente.v1 attribution\n"
)

// Key is the secret that the members of a session share. Whoever has it can read, and make, all that is said there.
type Key struct{ secret [size]byte }

// NewKey draws the key of a new session.
func NewKey() Key {
	var k Key
	rand.Read(k.secret[:])
	return k
}

// Wrap seals the key to a member's receiving key (HPKE, RFC 9180, base mode: it is signed by nobody). name is of the session and known to all, such as
// the number of its place in the group; it is bound to the key.
func (k Key) Wrap(name string, member traffic.Party, receiving hpke.PublicKey) ([]byte, error) {
	enc, sender, err := hpke.NewSender(receiving, hpke.HKDFSHA256(), hpke.AES256GCM(), wrapInfo(name, member))
	if err != nil {
		return nil, fmt.Errorf("chatham: %w", err)
	}
	sealed, err := sender.Seal(nil, k.secret[:])
	if err != nil {
		return nil, fmt.Errorf("chatham: %w", err)
	}
	return append(enc, sealed...), nil
}

// Unwrap opens what Wrap sealed. Error: ErrKey.
func Unwrap(wrapped []byte, name string, member traffic.Party, receiving hpke.PrivateKey) (Key, error) {
	n := len(wrapped) - size - 16 // what the cipher adds
	if n <= 0 {
		return Key{}, ErrKey
	}
	r, err := hpke.NewRecipient(wrapped[:n], receiving, hpke.HKDFSHA256(), hpke.AES256GCM(), wrapInfo(name, member))
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	b, err := r.Open(nil, wrapped[n:])
	if err != nil || len(b) != size {
		return Key{}, ErrKey
	}
	return Key{[size]byte(b)}, nil
}

func wrapInfo(name string, member traffic.Party) []byte {
	return []byte(keyLabel + name + "\n" + string(member))
}

// Session is one session as a member holds it.
type Session struct {
	id    [size]byte
	until time.Time
	mac   []byte
	aead  cipher.AEAD
}

// Open makes a session of its key. id is that of the statement that opened it; until is when what was said is to be gone.
func Open(k Key, id [size]byte, until time.Time) (*Session, error) {
	enc, err := hkdf.Key(sha256.New, k.secret[:], id[:], encLabel, size)
	if err != nil {
		return nil, fmt.Errorf("chatham: %w", err)
	}
	mac, err := hkdf.Key(sha256.New, k.secret[:], id[:], macLabel, size)
	if err != nil {
		return nil, fmt.Errorf("chatham: %w", err)
	}
	block, err := aes.NewCipher(enc)
	if err != nil {
		return nil, fmt.Errorf("chatham: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("chatham: %w", err)
	}
	return &Session{id, until, mac, aead}, nil
}

// Until is when what was said is to be gone.
func (s *Session) Until() time.Time { return s.until }

// Contribution is what somebody said in a session, as its members see it.
type Contribution struct {
	At      time.Time // to the minute, by the speaker's word
	Speaker traffic.Party
	Words   string
	// Commitment lets the speaker, and nobody else, say later that it was he: see [Session.Attribute].
	Commitment [size]byte

	mac []byte
}

type shape struct {
	_          struct{} `cbor:",toarray"`
	At         int64
	Speaker    string
	Words      string
	Commitment []byte
	MAC        []byte
}

// Say makes a contribution. The opening is the speaker's own: with it he can later say that it was he, without it nobody can.
// Error: ErrContribution for words that are too long or none, ErrOver.
func (s *Session) Say(speaker traffic.Party, words string, now time.Time) (c *Contribution, opening []byte, err error) {
	if !now.Before(s.until) {
		return nil, nil, ErrOver
	}
	opening = make([]byte, size)
	rand.Read(opening)
	c, err = s.Forge(speaker, words, now, s.commitment(opening, speaker, words))
	return c, opening, err
}

// commitment binds a speaker to words, and hides him from whoever has not the opening.
func (s *Session) commitment(opening []byte, speaker traffic.Party, words string) [size]byte {
	said := sha256.Sum256([]byte(words))
	h := sha256.New()
	h.Write([]byte(saltLabel))
	h.Write(s.id[:])
	h.Write(opening)
	h.Write(said[:])
	h.Write([]byte(speaker))
	return [size]byte(h.Sum(nil))
}

// code authenticates a contribution to the session, and to nobody else.
func (s *Session) code(c *Contribution) ([]byte, error) {
	b, err := canonical.Marshal(shape{At: c.At.Unix(), Speaker: string(c.Speaker), Words: c.Words, Commitment: c.Commitment[:]})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrContribution, err)
	}
	h := hmac.New(sha256.New, s.mac)
	h.Write(s.id[:])
	h.Write(b)
	return h.Sum(nil), nil
}

func (c *Contribution) check() error {
	if c.Words == "" || len(c.Words) > MaxWords || !utf8.ValidString(c.Words) || !c.Speaker.Valid() || c.At.Unix()%60 != 0 {
		return fmt.Errorf("%w: %d bytes of words by %.40q", ErrContribution, len(c.Words), c.Speaker)
	}
	return nil
}

// ID names a contribution within its session.
func (c *Contribution) ID() [size]byte { return sha256.Sum256(c.mac) }

// Seal is a contribution as it goes to the other members: encrypted, and filled up so that its length tells little.
func (s *Session) Seal(c *Contribution) ([]byte, error) {
	b, err := canonical.Marshal(shape{At: c.At.Unix(), Speaker: string(c.Speaker), Words: c.Words, Commitment: c.Commitment[:], MAC: c.mac})
	if err != nil {
		return nil, fmt.Errorf("chatham: %w", err)
	}
	b = append(b, 1) // where the padding begins
	b = append(b, make([]byte, (padding-len(b)%padding)%padding)...)
	return s.aead.Seal(nil, nil, b, s.id[:]), nil
}

// Hear opens what a member sealed. That it comes from a member is sure; from which is his word. Errors: ErrContribution, ErrOver.
func (s *Session) Hear(sealed []byte, now time.Time) (*Contribution, error) {
	if !now.Before(s.until) {
		return nil, ErrOver
	}
	if len(sealed) > MaxSealed {
		return nil, fmt.Errorf("%w: %d bytes", ErrContribution, len(sealed))
	}
	b, err := s.aead.Open(nil, nil, sealed, s.id[:])
	if err != nil {
		return nil, fmt.Errorf("%w: it does not open", ErrContribution)
	}
	b = bytes.TrimRight(b, "\x00")
	if len(b) == 0 || b[len(b)-1] != 1 {
		return nil, fmt.Errorf("%w: its padding", ErrContribution)
	}
	var w shape
	if err := canonical.Unmarshal(b[:len(b)-1], &w, MaxSealed); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrContribution, err)
	}
	if len(w.Commitment) != size || w.At < 0 || w.At > 253402300799 {
		return nil, ErrContribution
	}
	c := &Contribution{At: time.Unix(w.At, 0).UTC(), Speaker: traffic.Party(w.Speaker), Words: w.Words, Commitment: [size]byte(w.Commitment), mac: w.MAC}
	if err := c.check(); err != nil {
		return nil, err
	}
	if own, err := s.code(c); err != nil || !hmac.Equal(c.mac, own) {
		return nil, fmt.Errorf("%w: its code is another", ErrContribution)
	}
	return c, nil
}

// Attribute tells whether the opening shows that a speaker made the contribution. It counts only beside a statement that the speaker himself signed: the opening
// alone says that whoever made the contribution named him. Error: ErrAttribution.
func (s *Session) Attribute(c *Contribution, speaker traffic.Party, opening []byte) error {
	if len(opening) != size || s.commitment(opening, speaker, c.Words) != c.Commitment {
		return ErrAttribution
	}
	return nil
}

// Forge makes any contribution, by any speaker, at any time: what every member can do, and the reason why none can prove what another said.
// Error: ErrContribution.
func (s *Session) Forge(speaker traffic.Party, words string, at time.Time, commitment [size]byte) (*Contribution, error) {
	c := &Contribution{At: at.UTC().Truncate(time.Minute), Speaker: speaker, Words: words, Commitment: commitment}
	if err := c.check(); err != nil {
		return nil, err
	}
	var err error
	c.mac, err = s.code(c)
	return c, err
}

// Transcript puts contributions in the order that all members have: by their time, then by their ids.
func Transcript(list []*Contribution) []*Contribution {
	out := slices.Clone(list)
	slices.SortFunc(out, func(a, b *Contribution) int {
		ai, bi := a.ID(), b.ID()
		return cmp.Or(a.At.Compare(b.At), bytes.Compare(ai[:], bi[:]))
	})
	return slices.CompactFunc(out, func(a, b *Contribution) bool { return a.ID() == b.ID() })
}

// Anonymous is a contribution as it may leave the session: the words and the day, and not whose they were. Codes and commitments stay behind, for by them a
// member could tell which contribution it was.
type Anonymous struct {
	On    time.Time // the day
	Words string
}

// Export strips a transcript for the outside. The order is that of the words, not of the session: who spoke after whom tells who spoke.
func Export(list []*Contribution) []Anonymous {
	var out []Anonymous
	for _, c := range Transcript(list) {
		out = append(out, Anonymous{c.At.Truncate(24 * time.Hour), c.Words})
	}
	slices.SortFunc(out, func(a, b Anonymous) int { return cmp.Or(a.On.Compare(b.On), cmp.Compare(a.Words, b.Words)) })
	return out
}
