package sealing

import (
	"crypto/hpke"
	"encoding/binary"
	"errors"
	"fmt"

	"detente/canonical"
	"detente/key"
	"detente/traffic"
)

// ErrSealed is returned for a packet that is not for this round and sealer, or was changed.
var ErrSealed = errors.New("sealing: packet does not open")

// MaxPacket is the most bytes that an encrypted packet may have.
const MaxPacket = 44 << 10

const kem key.Algorithm = 0x647a // MLKEM768-X25519, as bundles have it

const (
	receiveSize = 1216
	encSize     = 1120
	tagSize     = 16

	packetType = "detente-packet.v1"
	sealedType = "detente-sealed-packet.v1"
	packetInfo = "detente/packet/v1\n"
)

// Packet is what one deposits with a sealer, or a sealer passes on to another. A packet of nothing is as long as any other of its round:
// a party that does not consent can send one, and who sees only that it was sent learns nothing.
type Packet struct {
	Consents []Consent
	Seens    []Seen
}

type wirePacket struct {
	Type     string        `cbor:"type"`
	Consents []wireConsent `cbor:"consents,omitempty"`
	Seens    []wireSeen    `cbor:"seens,omitempty"`
}

type wireSealed struct {
	_          struct{} `cbor:",toarray"`
	Type       string
	Round      [32]byte
	To         string
	Key        key.ID
	Enc        []byte
	Ciphertext []byte
}

// signatureSize is how long a signature of the algorithm is; of one not known, the longest there may be.
func signatureSize(a key.Algorithm) int {
	switch a {
	case key.Ed25519:
		return 64
	case key.MLDSA44:
		return 2420
	case key.MLDSA65:
		return 3309
	}
	return maxSignature
}

// packetSize is more than the longest packet or evidence of the round: all consents, and of each sealer two statements.
func (m *Manifest) packetSize() int {
	const object = 160 // type, hash, address and heads
	n := 128
	for _, list := range [][]Member{m.Parties, m.Sealers, m.Sealers} {
		for _, member := range list {
			n += object
			for _, k := range member.Keys {
				n += 4 + signatureSize(k.Algorithm)
			}
		}
	}
	return n
}

// Encode is the packet before it is encrypted. Error: canonical.ErrTooLarge.
func (p Packet) Encode() ([]byte, error) {
	w := wirePacket{Type: packetType}
	for _, c := range p.Consents {
		w.Consents = append(w.Consents, c.wire())
	}
	for _, s := range p.Seens {
		w.Seens = append(w.Seens, s.wire())
	}
	b, err := canonical.Marshal(w)
	if err == nil && len(b) > MaxEvidence {
		err = canonical.ErrTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("sealing: packet: %w", err)
	}
	return b, nil
}

// DecodePacket reads a packet strictly. Error: ErrObject.
func DecodePacket(b []byte) (Packet, error) {
	var w wirePacket
	if err := canonical.Unmarshal(b, &w, MaxEvidence); err != nil {
		return Packet{}, fmt.Errorf("%w: %w", ErrObject, err)
	}
	if w.Type != packetType || len(w.Consents) > MaxParties || len(w.Seens) > MaxSealers {
		return Packet{}, fmt.Errorf("%w: packet of type %.40q, %d consents, %d seens", ErrObject, w.Type, len(w.Consents), len(w.Seens))
	}
	var p Packet
	for _, c := range w.Consents {
		consent, err := c.read()
		if err != nil {
			return Packet{}, err
		}
		p.Consents = append(p.Consents, consent)
	}
	for _, s := range w.Seens {
		seen, err := s.read()
		if err != nil {
			return Packet{}, err
		}
		p.Seens = append(p.Seens, seen)
	}
	return p, nil
}

// ReceiveID is the id of a key to receive.
func ReceiveID(public []byte) key.ID { return key.Public{Algorithm: kem, Bytes: public}.ID() }

func packetContext(round [32]byte, to traffic.Address) []byte {
	return append(append([]byte(packetInfo), round[:]...), to.String()...)
}

// SealPacket encrypts a packet to one sealer's key, padded to the one length that the packets of the round have. public may be nil where the manifest
// names the sealer's key. Errors: ErrStranger, ErrKeys.
func (r *Round) SealPacket(p Packet, to traffic.Address, public []byte) ([]byte, error) {
	m, ok := r.manifest.Sealer(to)
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrStranger, to)
	}
	if m.Receive != nil {
		public = m.Receive
	}
	recipient, err := hpke.MLKEM768X25519().NewPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("%w: to receive, of %s: %w", ErrKeys, to, err)
	}
	b, err := p.Encode()
	if err != nil {
		return nil, err
	}
	plain := make([]byte, 4+r.manifest.packetSize())
	if len(b) > len(plain)-4 {
		return nil, fmt.Errorf("sealing: packet: %w", canonical.ErrTooLarge)
	}
	binary.BigEndian.PutUint32(plain, uint32(len(b)))
	copy(plain[4:], b)
	enc, sender, err := hpke.NewSender(recipient, hpke.HKDFSHA256(), hpke.AES256GCM(), packetContext(r.hash, to))
	if err != nil {
		return nil, fmt.Errorf("sealing: packet: %w", err)
	}
	ciphertext, err := sender.Seal(nil, plain)
	if err != nil {
		return nil, fmt.Errorf("sealing: packet: %w", err)
	}
	return canonical.Marshal(wireSealed{Type: sealedType, Round: r.hash, To: to.String(), Key: ReceiveID(public), Enc: enc, Ciphertext: ciphertext})
}

// OpenPacket decrypts a packet that is for the sealer; find gives its private keys by their ids, nil for one that is not held.
// Errors: ErrSealed, ErrRound, ErrObject.
func (r *Round) OpenPacket(sealed []byte, self traffic.Address, find func(key.ID) hpke.PrivateKey) (Packet, error) {
	var w wireSealed
	if err := canonical.Unmarshal(sealed, &w, MaxPacket); err != nil {
		return Packet{}, fmt.Errorf("%w: %w", ErrSealed, err)
	}
	if w.Type != sealedType || w.To != self.String() || len(w.Enc) != encSize || len(w.Ciphertext) != 4+r.manifest.packetSize()+tagSize {
		return Packet{}, fmt.Errorf("%w: it is for %.70q", ErrSealed, w.To)
	}
	if w.Round != r.hash {
		return Packet{}, ErrRound
	}
	private := find(w.Key)
	if private == nil {
		return Packet{}, fmt.Errorf("%w: key %s is not held", ErrSealed, w.Key)
	}
	recipient, err := hpke.NewRecipient(w.Enc, private, hpke.HKDFSHA256(), hpke.AES256GCM(), packetContext(r.hash, self))
	if err != nil {
		return Packet{}, fmt.Errorf("%w: %w", ErrSealed, err)
	}
	plain, err := recipient.Open(nil, w.Ciphertext)
	if err != nil {
		return Packet{}, fmt.Errorf("%w: %w", ErrSealed, err)
	}
	n := binary.BigEndian.Uint32(plain)
	if int64(n) > int64(len(plain)-4) {
		return Packet{}, fmt.Errorf("%w: length", ErrSealed)
	}
	for _, c := range plain[4+n:] {
		if c != 0 {
			return Packet{}, fmt.Errorf("%w: padding", ErrSealed)
		}
	}
	return DecodePacket(plain[4 : 4+n])
}
