package party

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"detente/canonical"
	"detente/key"
	"detente/traffic"

	"github.com/fxamacker/cbor/v2"
)

// MaxChannel is the most bytes that the charter of a channel may have, protocol.md#channel.
const MaxChannel = 16 << 10

// The kinds of channel, protocol.md#channel.
const (
	Link     = "link"
	Public   = "public"
	Internal = "internal"
	Common   = "common"
)

// What the decoder of a channel's charter refuses beside the errors of package canonical.
var (
	ErrChannel    = errors.New("party: not the charter of a channel")
	ErrKind       = errors.New("party: channel is not what its kind prescribes")
	ErrMembers    = errors.New("party: members or their geneses are malformed")
	ErrRegime     = errors.New("party: regime of the channel is malformed")
	ErrAlgorithms = errors.New("party: signatures demanded are malformed, or Ed25519 is not among them")
)

const (
	maxMembers    = 64
	maxAlgorithms = 16
	maxAlso       = 64
	nonceSize     = 16
)

// Channel is the charter of a channel: who, under which regime, and how it is signed. One that was decoded or made by this package must
// not be changed.
type Channel struct {
	Kind       string
	Name       string
	Members    []traffic.Party // sorted
	Genesis    map[traffic.Party][32]byte
	Posts      []traffic.Post // that may speak; empty for all
	Regime     RegimeRef
	Open       bool
	Protected  bool
	Signatures []key.Algorithm // that every statement bears
	Also       map[string][]key.Algorithm
	Nonce      []byte

	raw []byte
}

// RegimeRef names a regime.
type RegimeRef struct {
	ID      string
	Version int
	Hash    [32]byte // zero where the regime is not pinned
}

type wireChannel struct {
	Kind       string                     `cbor:"kind"`
	Name       string                     `cbor:"name"`
	Members    []traffic.Party            `cbor:"members"`
	Genesis    map[traffic.Party][]byte   `cbor:"genesis"`
	Posts      []traffic.Post             `cbor:"posts"`
	Regime     []cbor.RawMessage          `cbor:"regime"`
	Open       bool                       `cbor:"open"`
	Protected  bool                       `cbor:"protected"`
	Signatures []key.Algorithm            `cbor:"signatures"`
	Also       map[string][]key.Algorithm `cbor:"also,omitempty"`
	Nonce      []byte                     `cbor:"nonce,omitempty"`
}

// LinkChannel is the channel that two parties have because they are paired, protocol.md#channel.
func LinkChannel(a, b *Chain) *Channel {
	c := standard(Link, a, b)
	slices.Sort(c.Members)
	return c.encoded()
}

// PublicChannel is the open channel that a party has because it exists, protocol.md#channel.
func PublicChannel(a *Chain) *Channel {
	c := standard(Public, a)
	c.Open = true
	return c.encoded()
}

// InternalChannel is the channel that a party keeps with itself alone: what its watch did and decided, protocol.md#channel. Its feed is sent
// to nobody.
func InternalChannel(a *Chain) *Channel { return standard(Internal, a).encoded() }

// standardRegime is the regime of the channels that nobody agrees on.
func standardRegime(kind string) RegimeRef {
	return RegimeRef{ID: kind, Version: 1} // each is named after its kind
}

func standard(kind string, members ...*Chain) *Channel {
	c := &Channel{
		Kind: kind, Name: kind, Genesis: map[traffic.Party][32]byte{}, Regime: standardRegime(kind),
		Protected: true, Signatures: []key.Algorithm{key.Ed25519},
	}
	for _, m := range members {
		c.Members = append(c.Members, m.Party())
		c.Genesis[m.Party()] = m.Genesis()
	}
	return c
}

// NewChannel makes a common channel of c's fields, with a fresh nonce, for its members to agree on. Kind, Members, Genesis and Nonce of c
// are set from the arguments. Errors: those of [DecodeChannel].
func NewChannel(c Channel, members ...*Chain) (*Channel, error) {
	c.Kind, c.Members, c.Genesis, c.Nonce = Common, nil, map[traffic.Party][32]byte{}, make([]byte, nonceSize)
	rand.Read(c.Nonce)
	for _, m := range members {
		c.Members = append(c.Members, m.Party())
		c.Genesis[m.Party()] = m.Genesis()
	}
	slices.Sort(c.Members)
	if c.Signatures == nil {
		c.Signatures = []key.Algorithm{key.Ed25519}
	}
	b, err := c.encode()
	if err != nil {
		return nil, err
	}
	return DecodeChannel(b)
}

// DecodeChannel reads the charter of a channel strictly. Errors: ErrChannel, ErrKind, ErrMembers, ErrRegime, ErrAlgorithms, ErrPost,
// ErrText, those of package canonical.
func DecodeChannel(b []byte) (*Channel, error) {
	var w wireChannel
	if err := canonical.Unmarshal(b, &w, MaxChannel); err != nil {
		if errors.Is(err, canonical.ErrShape) {
			err = fmt.Errorf("%w: %v", ErrChannel, err)
		}
		return nil, err
	}
	c := &Channel{
		Kind: w.Kind, Name: w.Name, Members: w.Members, Genesis: make(map[traffic.Party][32]byte, len(w.Genesis)), Posts: w.Posts,
		Open: w.Open, Protected: w.Protected, Signatures: w.Signatures, Also: w.Also, Nonce: w.Nonce, raw: bytes.Clone(b),
	}
	for p, h := range w.Genesis {
		if len(h) != sha256.Size {
			return nil, fmt.Errorf("%w: genesis of %s", ErrMembers, p)
		}
		c.Genesis[p] = [32]byte(h)
	}
	var err error
	if c.Regime, err = readRegime(w.Regime); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return c, nil
}

func readRegime(parts []cbor.RawMessage) (r RegimeRef, err error) {
	if len(parts) != 2 && len(parts) != 3 {
		return r, ErrRegime
	}
	if err := canonical.Unmarshal(parts[0], &r.ID, MaxChannel); err != nil {
		return r, fmt.Errorf("%w: %v", ErrRegime, err)
	}
	if err := canonical.Unmarshal(parts[1], &r.Version, MaxChannel); err != nil {
		return r, fmt.Errorf("%w: %v", ErrRegime, err)
	}
	if len(parts) == 3 {
		var h []byte
		if err := canonical.Unmarshal(parts[2], &h, MaxChannel); err != nil || len(h) != len(r.Hash) || [32]byte(h) == r.Hash {
			return r, fmt.Errorf("%w: hash", ErrRegime)
		}
		r.Hash = [32]byte(h)
	}
	return r, nil
}

func (c *Channel) check() error {
	if !text(c.Name, 128) {
		return fmt.Errorf("%w: name of the channel", ErrText)
	}
	if n := len(c.Members); n < 1 || n > maxMembers || len(c.Genesis) != n {
		return fmt.Errorf("%w: %d members, %d geneses", ErrMembers, n, len(c.Genesis))
	}
	for i, m := range c.Members {
		if _, known := c.Genesis[m]; !m.Valid() || !known || i > 0 && c.Members[i-1] >= m {
			return fmt.Errorf("%w: %q", ErrMembers, m)
		}
	}
	if len(c.Posts) > maxPosts || repeats(c.Posts) {
		return fmt.Errorf("%w: %d posts of the channel", ErrPost, len(c.Posts))
	}
	for _, p := range c.Posts {
		if !p.Valid() {
			return fmt.Errorf("%w: %q", ErrPost, p)
		}
	}
	if !text(c.Regime.ID, 128) || c.Regime.Version < 1 {
		return ErrRegime
	}
	if !algorithms(c.Signatures) || !slices.Contains(c.Signatures, key.Ed25519) || len(c.Also) > maxAlso {
		return ErrAlgorithms
	}
	for form, list := range c.Also {
		if !text(form, 128) || !algorithms(list) {
			return fmt.Errorf("%w: form %q", ErrAlgorithms, form)
		}
	}
	return c.checkKind()
}

func (c *Channel) checkKind() error {
	switch c.Kind {
	case Common:
		if len(c.Members) < 2 || c.Regime.Hash == [32]byte{} || len(c.Nonce) != nonceSize {
			return fmt.Errorf("%w: %s", ErrKind, c.Kind)
		}
		return nil
	case Link, Public, Internal:
		// These follow from pairing and founding, so there is one of each: every field but members and geneses is given.
		members := map[string]int{Link: 2, Public: 1, Internal: 1}[c.Kind]
		if len(c.Members) != members || c.Name != c.Kind || len(c.Posts) > 0 || c.Regime != standardRegime(c.Kind) ||
			c.Open != (c.Kind == Public) || !c.Protected || len(c.Signatures) > 1 || len(c.Also) > 0 || len(c.Nonce) > 0 {
			return fmt.Errorf("%w: %s", ErrKind, c.Kind)
		}
		return nil
	}
	return fmt.Errorf("%w: %q", ErrKind, c.Kind)
}

func algorithms(list []key.Algorithm) bool {
	return len(list) > 0 && len(list) <= maxAlgorithms && !repeats(list)
}

func (c *Channel) encode() ([]byte, error) {
	regime := []any{c.Regime.ID, c.Regime.Version}
	if c.Regime.Hash != [32]byte{} {
		regime = append(regime, c.Regime.Hash[:])
	}
	w := wireChannel{
		Kind: c.Kind, Name: c.Name, Members: c.Members, Genesis: make(map[traffic.Party][]byte, len(c.Genesis)),
		Posts: c.Posts, Open: c.Open, Protected: c.Protected, Signatures: c.Signatures, Also: c.Also, Nonce: c.Nonce,
	}
	for p, h := range c.Genesis {
		w.Genesis[p] = h[:]
	}
	for _, part := range regime {
		b, err := canonical.Marshal(part)
		if err != nil {
			return nil, err
		}
		w.Regime = append(w.Regime, b)
	}
	return canonical.Marshal(w)
}

// encoded sets the bytes of a channel whose fields this package chose, which always encode.
func (c *Channel) encoded() *Channel {
	c.raw, _ = c.encode()
	return c
}

// Bytes is the channel's charter as it was decoded or made.
func (c *Channel) Bytes() []byte { return bytes.Clone(c.raw) }

// ID is the channel id, the SHA-256 of the bytes.
func (c *Channel) ID() [32]byte { return sha256.Sum256(c.raw) }

// Member tells whether the party is a member.
func (c *Channel) Member(p traffic.Party) bool { return slices.Contains(c.Members, p) }

// Others is the members without p.
func (c *Channel) Others(p traffic.Party) []traffic.Party {
	return slices.DeleteFunc(slices.Clone(c.Members), func(m traffic.Party) bool { return m == p })
}

// Speaks tells whether the post may speak on the channel.
func (c *Channel) Speaks(p traffic.Post) bool {
	return len(c.Posts) == 0 || slices.Contains(c.Posts, p)
}

// Demands is the algorithms that the signature set of a statement of the form must hold.
func (c *Channel) Demands(form string) []key.Algorithm {
	out := slices.Clone(c.Signatures)
	for _, a := range c.Also[form] {
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// Matches tells whether the geneses of the channel are those of the chains held; a chain that chains does not give is no match.
func (c *Channel) Matches(chains func(traffic.Party) *Chain) bool {
	for p, h := range c.Genesis {
		if ch := chains(p); ch == nil || ch.Genesis() != h {
			return false
		}
	}
	return true
}
