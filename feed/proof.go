package feed

import (
	"errors"
	"fmt"

	"detente/canonical"
	"detente/traffic"

	"golang.org/x/mod/sumdb/tlog"
)

// Errors of proof files.
var (
	ErrProofShape  = errors.New("feed: not a proof file")
	ErrNotIncluded = errors.New("feed: the statement is not in the checkpoint's tree")
)

const (
	proofType = "detente-proof.v1"
	maxProof  = 4 << 20
	maxPath   = 64
)

// Proof is everything by which anyone can tell who said what to whom and who held it when, protocol.md#proof. It holds no opinion: package
// evidence reads it against the charters that the reader trusts.
type Proof struct {
	Type       string       `cbor:"type"`
	Channel    []byte       `cbor:"channel"`
	Feed       traffic.Feed `cbor:"feed"`
	Index      int64        `cbor:"index"`
	Statement  []byte       `cbor:"statement"`
	Path       [][32]byte   `cbor:"path"`
	Checkpoint string       `cbor:"checkpoint"`
	Charters   [][]byte     `cbor:"charters"`
	Adoptions  []Adoption   `cbor:"adoptions,omitempty"`
}

// Adoption is a later entry of the feed that names a charter version in which a key that signed the statement is no longer its post's.
type Adoption struct {
	Index     int64      `cbor:"index"`
	Statement []byte     `cbor:"statement"`
	Path      [][32]byte `cbor:"path"`
}

// Encode gives the bytes of the proof file.
func (p *Proof) Encode() ([]byte, error) {
	p.Type = proofType
	return canonical.Marshal(p)
}

// DecodeProof reads a proof file, at most 4 MiB. Errors: those of package canonical, ErrProofShape.
func DecodeProof(b []byte) (*Proof, error) {
	var p Proof
	if err := canonical.Unmarshal(b, &p, maxProof); err != nil {
		if errors.Is(err, canonical.ErrShape) {
			return nil, fmt.Errorf("%w: %v", ErrProofShape, err)
		}
		return nil, err
	}
	if p.Type != proofType {
		return nil, fmt.Errorf("%w: type %.32q", ErrProofShape, p.Type)
	}
	if !p.Feed.Valid() || p.Index < 0 || len(p.Path) > maxPath || len(p.Adoptions) > 1 {
		return nil, fmt.Errorf("%w: feed, index, path or adoptions", ErrProofShape)
	}
	for _, a := range p.Adoptions {
		if a.Index < 0 || len(a.Path) > maxPath {
			return nil, fmt.Errorf("%w: adoption", ErrProofShape)
		}
	}
	return &p, nil
}

// Included checks an inclusion path, RFC 6962 section 2.1.1. Error: ErrNotIncluded.
func (c Checkpoint) Included(index int64, entry []byte, path [][32]byte) error {
	if index < 0 || index >= c.Size || len(path) > maxPath {
		return ErrNotIncluded
	}
	if err := tlog.CheckRecord(Path[tlog.Hash](path), c.Size, tlog.Hash(c.Root), index, tlog.RecordHash(entry)); err != nil {
		return ErrNotIncluded
	}
	return nil
}

// Path turns the hashes of a proof into those of package tlog, or back.
func Path[To, From ~[32]byte](path []From) []To {
	out := make([]To, len(path))
	for i, h := range path {
		out[i] = To(h)
	}
	return out
}
