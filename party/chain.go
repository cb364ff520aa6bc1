package party

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"detente/canonical"
	"detente/envelope"
	"detente/key"
	"detente/traffic"
)

// MaxChainFile is the most bytes that a file of charters may have, protocol.md#charter.
const MaxChainFile = 4 << 20

const chainType = "detente-charters.v1"

// Chain is the versions 1…n of one party's charter, each approved by the one before. It is immutable and safe for concurrent use.
type Chain struct {
	versions  []*Charter
	withdrawn map[key.ID]time.Time
	holds     map[key.ID]bool
}

// NewChain starts a chain. Error: ErrChain when first is not version 1.
func NewChain(first *Charter) (*Chain, error) {
	if first.Version != 1 {
		return nil, fmt.Errorf("%w: starts at version %d", ErrChain, first.Version)
	}
	ch := &Chain{withdrawn: map[key.ID]time.Time{}, holds: map[key.ID]bool{}}
	ch.add(first)
	return ch, nil
}

// Extend is the chain with the next version. Errors: ErrParty, ErrChain, ErrNotApproved, ErrRevoked, envelope.ErrUnknownKey,
// envelope.ErrBadSignature.
func (ch *Chain) Extend(next *Charter) (*Chain, error) {
	if err := ch.admits(next); err != nil {
		return nil, err
	}
	longer := &Chain{slices.Clone(ch.versions), maps.Clone(ch.withdrawn), maps.Clone(ch.holds)}
	longer.add(next)
	return longer, nil
}

// admits applies protocol.md#charter to the version after the latest.
func (ch *Chain) admits(next *Charter) error {
	last := ch.Latest()
	if next.Party != last.Party {
		return fmt.Errorf("%w: %s after %s", ErrParty, next.Party, last.Party)
	}
	if next.Version != last.Version+1 {
		return fmt.Errorf("%w: version %d after %d", ErrChain, next.Version, last.Version)
	}
	if next.Previous != last.Hash() {
		return fmt.Errorf("%w: version %d names another version %d", ErrChain, next.Version, last.Version)
	}
	signed, err := next.env.Approved(func(id key.ID) key.Verifier {
		if next.signed[id] {
			return nil // verified when next was decoded
		}
		return last.root(id)
	})
	if err != nil {
		return fmt.Errorf("party: charter: %w", err)
	}
	maps.Copy(signed, next.signed)
	if n := approvals(last.Roots, signed); n < last.Need {
		return fmt.Errorf("%w: version %d has %d of the %d needed of version %d", ErrNotApproved, next.Version, n, last.Need, last.Version)
	}
	if len(signed) < len(next.env.Set) {
		return fmt.Errorf("party: charter: %w", envelope.ErrUnknownKey)
	}
	for id := range next.keys {
		if _, gone := ch.withdrawn[id]; gone {
			return fmt.Errorf("%w: %v in version %d", ErrRevoked, id, next.Version)
		}
	}
	return nil
}

func (ch *Chain) add(c *Charter) {
	ch.versions = append(ch.versions, c)
	for id := range c.keys {
		ch.holds[id] = true
	}
	for _, r := range c.Revoked {
		if t, ok := ch.withdrawn[r.Key]; !ok || r.Since.Before(t) {
			ch.withdrawn[r.Key] = r.Since
		}
	}
}

// Party is whose chain it is.
func (ch *Chain) Party() traffic.Party { return ch.versions[0].Party }

// At is one version, false when the chain does not reach it.
func (ch *Chain) At(version int) (*Charter, bool) {
	if version < 1 || version > len(ch.versions) {
		return nil, false
	}
	return ch.versions[version-1], true
}

// Latest is the newest version.
func (ch *Chain) Latest() *Charter { return ch.versions[len(ch.versions)-1] }

// Genesis is the hash of version 1, by which channels name the party.
func (ch *Chain) Genesis() [32]byte { return ch.versions[0].Hash() }

// All is every version, oldest first.
func (ch *Chain) All() []*Charter { return slices.Clone(ch.versions) }

// Holds tells whether any version holds the key.
func (ch *Chain) Holds(id key.ID) bool { return ch.holds[id] }

// WithdrawnAt is the time from which the key's signatures do not count, false when it was never withdrawn. The earliest one stands, when
// several versions name one.
func (ch *Chain) WithdrawnAt(id key.ID) (time.Time, bool) {
	t, ok := ch.withdrawn[id]
	return t, ok
}

// MirrorKeys is every key that cosigned for the party in any version, newest first, Ed25519 or with pq ML-DSA-44. A cosignature by one of
// them counts when its time is before [Chain.WithdrawnAt].
func (ch *Chain) MirrorKeys(pq bool) []key.Verifier {
	var out []key.Verifier
	seen := map[key.ID]bool{}
	for _, c := range slices.Backward(ch.versions) {
		k := c.Node.Mirror
		if pq {
			k = c.Node.MirrorPQ
		}
		if v := c.Verifier(k); v != nil && !seen[v.ID()] {
			seen[v.ID()] = true
			out = append(out, v)
		}
	}
	return out
}

// TransportKeys is every transport key of any version that was not withdrawn, newest first: a server that has just been given a new charter
// answers with the one or the other.
func (ch *Chain) TransportKeys() []key.Public {
	var out []key.Public
	seen := map[key.ID]bool{}
	for _, c := range slices.Backward(ch.versions) {
		k := c.Node.Transport
		if _, withdrawn := ch.WithdrawnAt(k.ID()); !withdrawn && !seen[k.ID()] {
			seen[k.ID()] = true
			out = append(out, k)
		}
	}
	return out
}

// Extends tells whether ch begins with all of the shorter chain.
func (ch *Chain) Extends(shorter *Chain) bool {
	n := len(shorter.versions)
	return n <= len(ch.versions) && ch.versions[n-1].Hash() == shorter.Latest().Hash()
}

type chainFile struct {
	_        struct{} `cbor:",toarray"`
	Type     string
	Charters [][]byte
}

// EncodeChain is the file that a party hands to another. Error: canonical.ErrTooLarge.
func EncodeChain(ch *Chain) ([]byte, error) {
	f := chainFile{Type: chainType}
	for _, c := range ch.versions {
		f.Charters = append(f.Charters, c.Bytes())
	}
	b, err := canonical.Marshal(f)
	if err == nil && len(b) > MaxChainFile {
		err = fmt.Errorf("party: %d charters: %w", len(ch.versions), canonical.ErrTooLarge)
	}
	return b, err
}

// DecodeChain reads a file of charters and verifies all of it; whose it is in truth nobody knows until the words are compared. Errors:
// ErrShape, those of [DecodeCharter] and [Chain.Extend].
func DecodeChain(b []byte, r key.Registry) (*Chain, error) {
	var f chainFile
	if err := canonical.Unmarshal(b, &f, MaxChainFile); err != nil {
		if errors.Is(err, canonical.ErrShape) {
			err = fmt.Errorf("%w: %v", ErrShape, err)
		}
		return nil, err
	}
	if f.Type != chainType || len(f.Charters) == 0 {
		return nil, fmt.Errorf("%w: not a file of charters", ErrShape)
	}
	var ch *Chain
	for _, raw := range f.Charters {
		c, err := DecodeCharter(raw, r)
		if err != nil {
			return nil, err
		}
		if ch == nil {
			if ch, err = NewChain(c); err != nil {
				return nil, err
			}
			continue
		}
		if err := ch.admits(c); err != nil { // grown in place: nobody else holds it yet
			return nil, err
		}
		ch.add(c)
	}
	return ch, nil
}
