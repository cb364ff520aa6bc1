// Package ceremony is a sealing round with one sealer that no network reaches: a box on the table, and messages as lines that are scanned or pasted.
// It must never decide twice, let a clock that was turned back reopen a round, or take a message of which a part is missing.
package ceremony

import (
	"crypto/hpke"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"detente/canonical"
	"detente/key"
	"detente/sealing"
	"detente/traffic"
)

// What a box refuses.
var (
	ErrBox    = errors.New("ceremony: not the state of a box")
	ErrRound  = errors.New("ceremony: the box has begun another round; make another box for this one")
	ErrNone   = errors.New("ceremony: the box has begun no round")
	ErrOther  = errors.New("ceremony: the manifest names another sealer, or more than this box")
	ErrClock  = errors.New("ceremony: the clock has been turned back")
	ErrEarly  = errors.New("ceremony: the time to decide has not come")
	ErrEnded  = errors.New("ceremony: the round has ended")
	ErrPacket = errors.New("ceremony: no consent of a party to this round that the box can read")
)

// MaxState is the most bytes that the state of a box may have.
const MaxState = sealing.MaxFile + 2*sealing.MaxEvidence

// Box is a sealer with keys of its own, for one round. Whoever runs it keeps [Box.Encode] after every change before anything of it is shown: with the state
// restored from an older copy, it must not be run.
type Box struct {
	self    traffic.Address
	seed    []byte
	receive hpke.PrivateKey
	round   *sealing.Round
	sealer  *sealing.Sealer
	last    time.Time // the latest that its clock has shown
}

// Card is what others must know of a box to name it in a manifest.
type Card struct {
	Sealer  traffic.Address
	Key     key.Public
	Receive []byte
}

type wireBox struct {
	Type     string `cbor:"type"`
	Sealer   string `cbor:"sealer"`
	Seed     []byte `cbor:"seed"`
	Receive  []byte `cbor:"receive"`
	Manifest []byte `cbor:"manifest,omitempty"`
	Record   []byte `cbor:"record,omitempty"`
	Last     int64  `cbor:"last"`
}

type wireCard struct {
	Type    string     `cbor:"type"`
	Sealer  string     `cbor:"sealer"`
	Key     key.Public `cbor:"key"`
	Receive []byte     `cbor:"receive"`
}

const (
	boxType  = "detente-box.v1"
	cardType = "detente-box-card.v1"
)

// NewBox makes a box with fresh keys. Error: traffic.ErrName.
func NewBox(self traffic.Address) (*Box, error) {
	if !self.Party.Valid() || !self.Post.Valid() {
		return nil, fmt.Errorf("%w: %.70q: a box has a name like an office, party/post", traffic.ErrName, self.String())
	}
	receive, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("ceremony: %w", err)
	}
	b := &Box{self: self, seed: make([]byte, key.SeedSize), receive: receive}
	rand.Read(b.seed)
	return b, nil
}

func (b *Box) signer() (*key.Private, error) { return key.FromSeed(key.Ed25519, b.seed) }

// Card is the box as others see it.
func (b *Box) Card() (Card, error) {
	k, err := b.signer()
	if err != nil {
		return Card{}, err
	}
	return Card{b.self, k.Public(), b.receive.PublicKey().Bytes()}, nil
}

// Encode is the card as it travels.
func (c Card) Encode() ([]byte, error) {
	return canonical.Marshal(wireCard{cardType, c.Sealer.String(), c.Key, c.Receive})
}

// DecodeCard reads a card. Error: ErrBox.
func DecodeCard(raw []byte) (Card, error) {
	var w wireCard
	if err := canonical.Unmarshal(raw, &w, 4096); err != nil {
		return Card{}, fmt.Errorf("%w: %w", ErrBox, err)
	}
	a, err := traffic.ParseAddress(w.Sealer)
	if err != nil || w.Type != cardType {
		return Card{}, fmt.Errorf("%w: card of type %.40q", ErrBox, w.Type)
	}
	return Card{a, w.Key, w.Receive}, nil
}

// Member is the box as a manifest names it.
func (c Card) Member() sealing.Member {
	return sealing.Member{Party: c.Sealer.Party, Post: c.Sealer.Post, Keys: []key.Public{c.Key}, Receive: c.Receive}
}

// tick has the box know a time. Error: ErrClock.
func (b *Box) tick(now time.Time) error {
	if now.Before(b.last) {
		return fmt.Errorf("%w: it has shown %s", ErrClock, b.last.UTC().Format(time.RFC3339))
	}
	b.last = now
	return nil
}

// Begin has the box seal by a manifest that names it as the one sealer. Errors: those of sealing.Open, ErrOther, ErrRound.
func (b *Box) Begin(manifest []byte) (*sealing.Round, error) {
	r, err := sealing.Open(manifest, key.Standard())
	if err != nil {
		return nil, err
	}
	card, err := b.Card()
	if err != nil {
		return nil, err
	}
	m, ok := r.Manifest().Sealer(b.self)
	if !ok || len(r.Manifest().Sealers) != 1 || len(m.Keys) != 1 || m.Keys[0].ID() != card.Key.ID() || string(m.Receive) != string(card.Receive) {
		return nil, ErrOther
	}
	if b.round != nil && b.round.Hash() != r.Hash() {
		return nil, ErrRound
	}
	if b.round == nil {
		if b.sealer, err = sealing.NewSealer(r, b.self); err != nil {
			return nil, err
		}
		b.round = r
	}
	return b.round, nil
}

// Take takes in an encrypted packet at a time. It does not tell whose consent it was, nor whether there was one: those at the table would see who has brought
// it. Errors: ErrNone, ErrClock, ErrEnded, ErrPacket.
func (b *Box) Take(now time.Time, sealed []byte) error {
	if b.round == nil {
		return ErrNone
	}
	if err := b.tick(now); err != nil {
		return err
	}
	if _, ended := b.sealer.Decision(); ended || now.After(b.round.Manifest().Deadline) {
		return ErrEnded
	}
	p, err := b.round.OpenPacket(sealed, b.self, func(id key.ID) hpke.PrivateKey {
		if id == sealing.ReceiveID(b.receive.PublicKey().Bytes()) {
			return b.receive
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPacket, err)
	}
	b.sealer.Receive(now, p)
	return nil
}

// Decide decides when it is time, once. The state is to be kept before [Box.Verdict] is asked. Errors: ErrNone, ErrClock, ErrEarly.
func (b *Box) Decide(now time.Time) error {
	if b.round == nil {
		return ErrNone
	}
	if _, decided := b.sealer.Decision(); decided {
		return nil
	}
	if err := b.tick(now); err != nil {
		return err
	}
	if !b.sealer.Tick(now) {
		return fmt.Errorf("%w: not before %s", ErrEarly, b.round.Manifest().Final().Add(time.Second).Format(time.RFC3339))
	}
	return nil
}

// Verdict is the file from which anybody computes the verdict. Errors: ErrNone, ErrEarly.
func (b *Box) Verdict() (file []byte, d sealing.Decision, err error) {
	if b.round == nil {
		return nil, "", ErrNone
	}
	d, decided := b.sealer.Decision()
	if !decided {
		return nil, "", ErrEarly
	}
	k, err := b.signer()
	if err != nil {
		return nil, "", err
	}
	final, err := b.round.SignFinal(b.self, d, k)
	if err != nil {
		return nil, "", err
	}
	e := b.sealer.Evidence()
	e.Finals = []sealing.Final{final}
	file, err = sealing.EncodeFile(b.round.Bytes(), e)
	return file, d, err
}

// Encode is all that the box is, its private keys too.
func (b *Box) Encode() ([]byte, error) {
	receive, err := b.receive.Bytes()
	if err != nil {
		return nil, fmt.Errorf("ceremony: %w", err)
	}
	w := wireBox{Type: boxType, Sealer: b.self.String(), Seed: b.seed, Receive: receive}
	if !b.last.IsZero() {
		w.Last = b.last.Unix()
	}
	if b.round != nil {
		w.Manifest = b.round.Bytes()
		if w.Record, err = b.sealer.Record(); err != nil {
			return nil, err
		}
	}
	return canonical.Marshal(w)
}

// DecodeBox reads the state of a box. Error: ErrBox.
func DecodeBox(state []byte) (*Box, error) {
	var w wireBox
	if err := canonical.Unmarshal(state, &w, MaxState); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBox, err)
	}
	a, err := traffic.ParseAddress(w.Sealer)
	if err != nil || w.Type != boxType || len(w.Seed) != key.SeedSize || w.Last < 0 || (w.Manifest == nil) != (w.Record == nil) {
		return nil, ErrBox
	}
	b := &Box{self: a, seed: w.Seed}
	if w.Last > 0 {
		b.last = time.Unix(w.Last, 0).UTC()
	}
	if b.receive, err = hpke.MLKEM768X25519().NewPrivateKey(w.Receive); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBox, err)
	}
	if w.Manifest != nil {
		if b.round, err = sealing.Open(w.Manifest, key.Standard()); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBox, err)
		}
		if b.sealer, err = sealing.Restore(b.round, a, w.Record); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBox, err)
		}
	}
	return b, nil
}
