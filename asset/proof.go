package asset

import (
	"fmt"

	"detente/canonical"
	"detente/traffic"
)

// MaxProof is the most bytes of a proof.
const MaxProof = 8 << 10

const proofType = "detente-asset-proof.v1"

// Proof says that an entry is on a list. What it does not say is which head is meant to be right: that is a statement of the party, with a time.
type Proof struct {
	Party   traffic.Party
	Version uint64
	Index   uint64
	Entry   Entry
	salt    []byte
	path    []node // from the leaf's sibling up
}

type proofShape struct {
	Type    string   `cbor:"type"`
	Party   string   `cbor:"party"`
	Version uint64   `cbor:"version"`
	Index   uint64   `cbor:"index"`
	Salt    []byte   `cbor:"salt"`
	Entry   string   `cbor:"entry"`
	Path    [][]byte `cbor:"path"`
}

// Prove shows an entry of the list. Error: ErrAbsent.
func (l *List) Prove(e Entry) (*Proof, error) {
	for i, own := range l.slots {
		if own != e {
			continue
		}
		p := &Proof{Party: l.party, Version: l.version, Index: i, Entry: e, salt: salt(l.key, l.version, i)}
		for _, level := range l.levels[:len(l.levels)-1] {
			p.path = append(p.path, level[i^1])
			i /= 2
		}
		return p, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrAbsent, e)
}

// Bytes is the proof as it is handed over.
func (p *Proof) Bytes() ([]byte, error) {
	s := proofShape{Type: proofType, Party: string(p.Party), Version: p.Version, Index: p.Index, Salt: p.salt, Entry: p.Entry.String()}
	for _, n := range p.path {
		s.Path = append(s.Path, append(n.Hash[:], n.Sums.bytes()...))
	}
	return canonical.Marshal(s)
}

// ParseProof reads a proof strictly. That it leads to a head is not yet said: [Proof.Verify] tells. Error: ErrProof.
func ParseProof(b []byte) (*Proof, error) {
	var s proofShape
	if err := canonical.Unmarshal(b, &s, MaxProof); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	e, err := parseLeaf(s.Entry)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	p := &Proof{Party: traffic.Party(s.Party), Version: s.Version, Index: s.Index, Entry: e, salt: s.Salt}
	if s.Type != proofType || !p.Party.Valid() || len(s.Salt) != saltSize || len(s.Path) == 0 || len(s.Path) > maxDepth || s.Index >= 1<<len(s.Path) {
		return nil, ErrProof
	}
	for _, raw := range s.Path {
		n, ok := parseNode(raw)
		if !ok {
			return nil, ErrProof
		}
		p.path = append(p.path, n)
	}
	return p, nil
}

// Verify tells whether the entry is on the list of that head: whether the path from its leaf leads to the root, and its sums to the totals. What the entry weighs
// is computed here. Errors: ErrHead, ErrRoot.
func (p *Proof) Verify(h Head) error {
	if err := h.Check(); err != nil {
		return err
	}
	depth, _ := depthOf(h.Leaves)
	if p.Party != h.Party || p.Version != h.Version || len(p.path) != depth || p.Index >= h.Leaves {
		return fmt.Errorf("%w: it is of list %d of %s with %d levels", ErrRoot, p.Version, p.Party, len(p.path))
	}
	weight, err := p.Entry.Weight()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRoot, err)
	}
	at, i := leaf(p.Party, p.Version, p.salt, weight, p.Entry.String()), p.Index
	for _, beside := range p.path {
		l, r := at, beside
		if i&1 == 1 {
			l, r = beside, at
		}
		var ok bool
		if at, ok = join(l, r); !ok {
			return fmt.Errorf("%w: its sums go beyond what a total may be", ErrRoot)
		}
		i /= 2
	}
	if at.Hash != h.Root || at.Sums != h.Totals {
		return ErrRoot
	}
	return nil
}
