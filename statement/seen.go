package statement

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"detente/canonical"
	"detente/traffic"

	"github.com/fxamacker/cbor/v2"
)

// Sight is how far the author held one feed of another member when writing.
type Sight struct {
	_          struct{} `cbor:",toarray"`
	Party      traffic.Party
	Precedence traffic.Precedence
	Epoch      int
	Size       int64
	Root       [32]byte
}

// Seen interlocks the feeds of a channel in time: what its author held of the other members' feeds, protocol.md#statement. The zero value
// is an author who had seen nothing.
type Seen struct {
	Sights []Sight  // on a channel of two
	Hash   [32]byte // on a channel of more: the hash of the list

	raw cbor.RawMessage
}

// NewSeen makes the field for a channel of that many members. Feeds of size 0 are left out; the order of sights is immaterial.
func NewSeen(sights []Sight, members int) (Seen, error) {
	type coded struct {
		Sight
		raw []byte
	}
	var list []coded
	for _, s := range sights {
		if s.Size == 0 {
			continue
		}
		b, err := canonical.Marshal(s)
		if err != nil {
			return Seen{}, err
		}
		list = append(list, coded{s, b})
	}
	if len(list) == 0 {
		return Seen{}, nil
	}
	slices.SortFunc(list, func(a, b coded) int { return bytes.Compare(a.raw, b.raw) })
	var out Seen
	for _, c := range list {
		out.Sights = append(out.Sights, c.Sight)
	}
	raw, err := canonical.Marshal(out.Sights)
	if err != nil {
		return Seen{}, err
	}
	if members > 2 {
		out = Seen{Hash: sha256.Sum256(raw)}
		if raw, err = canonical.Marshal(out.Hash[:]); err != nil {
			return Seen{}, err
		}
	}
	out.raw = raw
	return out, nil
}

func readSeen(raw cbor.RawMessage) (Seen, error) {
	s := Seen{raw: raw}
	if raw == nil {
		return s, nil
	}
	if raw[0]>>5 == 2 {
		var h []byte
		if err := canonical.Unmarshal(raw, &h, MaxSize); err != nil || len(h) != len(s.Hash) {
			return s, fmt.Errorf("%w: seen", ErrHeader)
		}
		copy(s.Hash[:], h)
		return s, nil
	}
	var list []cbor.RawMessage
	if err := canonical.Unmarshal(raw, &list, MaxSize); err != nil || len(list) == 0 {
		return s, fmt.Errorf("%w: seen", ErrHeader)
	}
	s.Sights = make([]Sight, len(list))
	for i, b := range list {
		if i > 0 && bytes.Compare(list[i-1], b) >= 0 {
			return s, fmt.Errorf("%w: seen is not sorted", ErrHeader)
		}
		x := &s.Sights[i]
		if err := canonical.Unmarshal(b, x, MaxSize); err != nil {
			return s, fmt.Errorf("%w: seen: %v", ErrHeader, err)
		}
		if !(traffic.Feed{Party: x.Party, Plane: traffic.Real, Precedence: x.Precedence, Epoch: x.Epoch}).Valid() || x.Size < 1 {
			return s, fmt.Errorf("%w: seen", ErrHeader)
		}
	}
	return s, nil
}
