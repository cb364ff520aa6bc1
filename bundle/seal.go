package bundle

import (
	"bytes"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"detente/canonical"
	"detente/envelope"
	"detente/key"
	"detente/traffic"
)

// KEM is the number of MLKEM768-X25519, the only sealing algorithm of version 1; it stands for the algorithm in a sealing key's id.
const KEM key.Algorithm = 0x647a

const (
	version     = "detente-bundle.v1"
	contentType = "application/vnd.detente.bundle"
	infoPrefix  = "detente.v1 bundle\n"

	lengthSize = 4
	tagSize    = 16   // of AES-256-GCM
	encSize    = 1120 // of an encapsulated key of the KEM
	maxHead    = 4096 // of the signed head

	// What Seal adds to the content at most: the head, and the outer array beside the ciphertext.
	headRoom  = lengthSize + 320
	outerRoom = 1 + 2 + len(version) + 2 + 32 + 1 + 16 + 3 + encSize + 5
)

// outer is what a route sees.
type outer struct {
	_          struct{} `cbor:",toarray"`
	Version    string
	To         traffic.Party
	Key        key.ID
	Enc        []byte
	Ciphertext []byte
}

// head is what the sender signs. The content is signed by its hash, so that it is hashed once with the quick hash, and so
// that none of it is read before the signature is checked.
type head struct {
	From    traffic.Party `cbor:"from"`
	To      traffic.Party `cbor:"to"`
	At      int64         `cbor:"at"`
	Size    int64         `cbor:"size"`
	Content [32]byte      `cbor:"content"`
}

// Recipient is whom a bundle is sealed to.
type Recipient struct {
	Party traffic.Party
	Key   hpke.PublicKey // of the party's charter, MLKEM768-X25519
}

// Opener is who opens a bundle.
type Opener struct {
	Party traffic.Party
	Find  func(key.ID) hpke.PrivateKey // by [SealingID]; nil when it is not held. Two are held while the key is being changed
}

// SealingID is the id of a sealing key, protocol.md#bundle.
func SealingID(k hpke.PublicKey) key.ID {
	return key.Public{Algorithm: KEM, Bytes: k.Bytes()}.ID()
}

// Capacity is how many bytes of content fit a sealed bundle of the given limit, the route's; 0 when none do.
func Capacity(limit int) int {
	room := min(limit, MaxSealed) - outerRoom - tagSize
	if room <= headRoom {
		return 0
	}
	// The largest padded length within room is the room with its bits below the step cleared.
	return room&^(step(room)-1) - headRoom
}

// Seal signs b with the node key "bundle" of b.From and seals it to its receiver, who must be b.To. A bundle that its receiver would
// refuse is not sealed. Errors: ErrLimit, ErrShape, ErrNotForUs for another recipient, and those of the signer.
func Seal(b *Bundle, signer key.Signer, to Recipient) ([]byte, error) {
	sealed, _, err := SealAsking(b, signer, to)
	return sealed, err
}

// SealAsking is Seal over a route with a way back: the thread opens the answer.
func SealAsking(b *Bundle, signer key.Signer, to Recipient) ([]byte, Thread, error) {
	s, err := NewSealer(to)
	if err != nil {
		return nil, nil, err
	}
	return s.SealAsking(b, signer)
}

// Sealer is a key that was encapsulated to a recipient, for one bundle: it may be made before there is anything to say, since the encapsulation
// is most of what sealing costs.
type Sealer struct {
	to     Recipient
	enc    []byte
	sender *hpke.Sender // nil once it was used
}

// NewSealer encapsulates a key.
func NewSealer(to Recipient) (*Sealer, error) {
	enc, sender, err := hpke.NewSender(to.Key, hpke.HKDFSHA256(), hpke.AES256GCM(), info(to.Party))
	if err != nil {
		return nil, fmt.Errorf("bundle: seal: %w", err)
	}
	return &Sealer{to, enc, sender}, nil
}

// SealerFor is NewSealer to a party's sealing key as its charter has it. Errors: those of NewRecipient.
func SealerFor(p traffic.Party, public []byte) (*Sealer, error) {
	to, err := NewRecipient(p, public)
	if err != nil {
		return nil, err
	}
	return NewSealer(to)
}

// Fits tells whether the sealer is unused and its recipient's key is still this one.
func (s *Sealer) Fits(public []byte) bool {
	return s != nil && s.sender != nil && bytes.Equal(s.to.Key.Bytes(), public)
}

// SealAsking is [SealAsking] to the sealer's recipient, once.
func (s *Sealer) SealAsking(b *Bundle, signer key.Signer) ([]byte, Thread, error) {
	sender := s.sender
	s.sender = nil
	if sender == nil {
		return nil, nil, fmt.Errorf("%w: a key for one bundle, used again", ErrSeal)
	}
	if s.to.Party != b.To {
		return nil, nil, fmt.Errorf("%w: %s, not %s", ErrNotForUs, b.To, s.to.Party)
	}
	plain, err := signed(b, signer)
	if err != nil {
		return nil, nil, err
	}
	if len(plain)+tagSize+outerRoom > MaxSealed {
		return nil, nil, fmt.Errorf("%w: %d bytes before sealing", ErrLimit, len(plain))
	}
	ciphertext, err := sender.Seal(nil, plain)
	if err != nil {
		return nil, nil, fmt.Errorf("bundle: seal: %w", err)
	}
	thread, err := sender.Export(threadContext, threadSize)
	if err != nil {
		return nil, nil, fmt.Errorf("bundle: seal: %w", err)
	}
	sealed, err := canonical.Marshal(outer{Version: version, To: s.to.Party, Key: SealingID(s.to.Key), Enc: s.enc, Ciphertext: ciphertext})
	return sealed, thread, err
}

// signed makes the plaintext: the head's length, the head, the content, padding.
func signed(b *Bundle, signer key.Signer) ([]byte, error) {
	content, err := encode(b)
	if err != nil {
		return nil, refusal(err)
	}
	if err := decode(content, new(Bundle)); err != nil { // as the receiver will; it aliases, and costs little
		return nil, refusal(err)
	}
	payload, err := canonical.Marshal(head{b.From, b.To, b.At.Unix(), int64(len(content)), sha256.Sum256(content)})
	if err != nil {
		return nil, err
	}
	if _, err := readHead(payload); err != nil {
		return nil, err
	}
	env, err := envelope.Sign(envelope.Contents{ContentType: contentType, Payload: payload}, signer)
	if err != nil {
		return nil, fmt.Errorf("bundle: sign: %w", err)
	}
	n := lengthSize + len(env) + len(content)
	plain := make([]byte, lengthSize, padded(n))
	binary.BigEndian.PutUint32(plain, uint32(len(env)))
	plain = append(append(plain, env...), content...)
	return plain[:cap(plain)], nil
}

// Open opens a sealed bundle, and checks that it is signed by the party that it says it is from. sender gives that party's
// verifiers of the node key "bundle" by key id, and is nil for a party not known. Nothing of the content is read before its signature is
// checked, and no list is made before its count is. The bundle aliases what was decrypted, not raw. Errors: those of this package.
func Open(raw []byte, self Opener, sender func(traffic.Party) func(key.ID) key.Verifier) (*Bundle, error) {
	b, _, err := OpenAsked(raw, self, sender)
	return b, err
}

// OpenAsked is Open over a route with a way back: the thread seals the answer.
func OpenAsked(raw []byte, self Opener, sender func(traffic.Party) func(key.ID) key.Verifier) (*Bundle, Thread, error) {
	o, err := readOuter(raw)
	if err != nil {
		return nil, nil, err
	}
	if o.To != self.Party {
		return nil, nil, fmt.Errorf("%w: %s", ErrNotForUs, o.To)
	}
	private := self.Find(o.Key)
	if private == nil {
		return nil, nil, fmt.Errorf("%w: %v", ErrKey, o.Key)
	}
	recipient, err := hpke.NewRecipient(o.Enc, private, hpke.HKDFSHA256(), hpke.AES256GCM(), info(self.Party))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %v", ErrSeal, err)
	}
	plain, err := recipient.Open(nil, o.Ciphertext)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %v", ErrSeal, err)
	}
	b, err := openFor(plain, self.Party, sender)
	if err != nil {
		return nil, nil, err
	}
	thread, err := recipient.Export(threadContext, threadSize)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %v", ErrSeal, err)
	}
	return b, thread, nil
}

func openFor(plain []byte, self traffic.Party, sender func(traffic.Party) func(key.ID) key.Verifier) (*Bundle, error) {
	b, err := openSigned(plain, sender)
	if err != nil {
		return nil, refusal(err)
	}
	if b.To != self { // its author wrote it to another, who sealed it again to us
		return nil, fmt.Errorf("%w: %s", ErrNotForUs, b.To)
	}
	return b, nil
}

func openSigned(plain []byte, sender func(traffic.Party) func(key.ID) key.Verifier) (*Bundle, error) {
	if len(plain) < lengthSize {
		return nil, ErrShape
	}
	n := binary.BigEndian.Uint32(plain)
	rest := plain[lengthSize:]
	if n > maxHead || int(n) > len(rest) {
		return nil, fmt.Errorf("%w: head", ErrShape)
	}
	env, err := envelope.Decode(rest[:n], contentType, maxHead)
	if err != nil {
		return nil, err
	}
	h, err := readHead(env.Payload)
	if err != nil {
		return nil, err
	}
	find := sender(h.From)
	if find == nil {
		return nil, fmt.Errorf("%w: %s is not known", ErrSender, h.From)
	}
	if err := env.Verify(find); err != nil || len(env.Set) != 1 {
		return nil, fmt.Errorf("%w: %s", ErrSender, h.From)
	}
	rest = rest[n:]
	if h.Size > int64(len(rest)) || padded(len(plain)-len(rest)+int(h.Size)) != len(plain) {
		return nil, fmt.Errorf("%w: length", ErrShape)
	}
	content, padding := rest[:h.Size], rest[h.Size:]
	if sha256.Sum256(content) != h.Content {
		return nil, fmt.Errorf("%w: %s signed another content", ErrSender, h.From)
	}
	for _, c := range padding { // it is not signed, so it must not be able to carry anything
		if c != 0 {
			return nil, fmt.Errorf("%w: padding", ErrShape)
		}
	}
	b := &Bundle{From: h.From, To: h.To, At: time.Unix(h.At, 0).UTC()}
	return b, decode(content, b)
}

func readHead(payload []byte) (h head, err error) {
	if err := canonical.Check(payload, maxHead); err != nil {
		return h, err
	}
	r := &reader{b: payload}
	r.pairs(5, 5)
	r.key("at")
	h.At = r.number(1, maxTime)
	r.key("to")
	h.To = r.party()
	r.key("from")
	h.From = r.party()
	r.key("size")
	h.Size = r.number(1, MaxSealed)
	r.key("content")
	h.Content = r.hash()
	return h, r.err
}

func readOuter(raw []byte) (o outer, err error) {
	if len(raw) > MaxSealed {
		return o, fmt.Errorf("%w: %d bytes", ErrLimit, len(raw))
	}
	if err := canonical.Check(raw, MaxSealed); err != nil {
		return o, fmt.Errorf("%w: %v", ErrShape, err)
	}
	r := &reader{b: raw}
	r.array(5, 5)
	r.key(version)
	o.To = r.party()
	copy(o.Key[:], r.string(byteString, len(o.Key), len(o.Key)))
	o.Enc = r.string(byteString, encSize, encSize)
	o.Ciphertext = r.bytes(MaxSealed)
	return o, r.err
}

// refusal makes the errors of the layers below ours, so that a caller has one list to decide on.
func refusal(err error) error {
	for _, ours := range []error{ErrSender, ErrLimit, ErrShape} {
		if errors.Is(err, ours) {
			return err
		}
	}
	return fmt.Errorf("%w: %v", ErrShape, err)
}

// Describe says in a line for whom a sealed bundle is, to a person who has it in hand and perhaps not its key.
func Describe(raw []byte) string {
	o, err := readOuter(raw)
	if err != nil {
		return fmt.Sprintf("%d bytes that are not a bundle", len(raw))
	}
	return fmt.Sprintf("bundle of %d bytes for party %s, sealed to its key %v", len(raw), o.To, o.Key)
}

func info(to traffic.Party) []byte { return append([]byte(infoPrefix), to...) }

// step is the distance between the padded lengths near n (Padmé): they differ in their highest bits only, in as many as it takes to write
// how many bits n has.
func step(n int) int {
	e := bits.Len(uint(n)) - 1
	return 1 << (e - bits.Len(uint(e)))
}

func padded(n int) int { return (n + step(n) - 1) &^ (step(n) - 1) }
