package feed

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"detente/canonical"
	"detente/key"
	"detente/traffic"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrNoFork is returned for a fork object that does not convict.
var ErrNoFork = errors.New("feed: the two checkpoints do not contradict each other")

const maxFork = 1 << 20

// Fork convicts a party of two histories, protocol.md#fork: it needs nothing beside itself but the party's charter.
type Fork struct {
	Type     string       `cbor:"type"`
	Feed     traffic.Feed `cbor:"feed"`
	Smaller  string       `cbor:"smaller"`
	Larger   string       `cbor:"larger"`
	Path     [][32]byte   `cbor:"path"`
	Charters [][]byte     `cbor:"charters"`
}

const forkType = "detente-fork.v1"

// Encode gives the bytes of the fork object.
func (f *Fork) Encode() ([]byte, error) {
	f.Type = forkType
	return canonical.Marshal(f)
}

// DecodeFork reads a fork object, at most 1 MiB. Errors: those of package canonical, ErrNoFork for another type.
func DecodeFork(b []byte) (*Fork, error) {
	var f Fork
	if err := canonical.Unmarshal(b, &f, maxFork); err != nil {
		return nil, err
	}
	if f.Type != forkType || len(f.Path) > maxPath {
		return nil, fmt.Errorf("%w: type %.32q", ErrNoFork, f.Type)
	}
	return &f, nil
}

// Convicts checks the object against the keys with which the party may have signed: those of every version of its charter. It returns both
// checkpoints, the smaller first, when they contradict each other, else ErrNoFork, ErrOrigin, or the reason why a checkpoint is none.
func (f *Fork) Convicts(candidates ...Candidate) (small, large Checkpoint, err error) {
	open := func(text string) (Checkpoint, error) {
		c, by, err := OpenCheckpoint(text, candidates...)
		switch {
		case errors.Is(err, ErrNote):
			return c, err
		case c.Feed != f.Feed:
			return c, ErrOrigin
		case err == nil && !slices.ContainsFunc(by, func(s Signed) bool { return s.Mirror == "" && s.Algorithm == key.Ed25519 }):
			return c, ErrUnsigned
		}
		return c, err
	}
	if small, err = open(f.Smaller); err != nil {
		return small, large, err
	}
	if large, err = open(f.Larger); err != nil {
		return small, large, err
	}
	switch {
	case small.Size > large.Size || small.Size < 1:
		return small, large, ErrNoFork
	case small.Size == large.Size:
		if small.Root == large.Root || len(f.Path) > 0 {
			return small, large, ErrNoFork
		}
		return small, large, nil
	}
	older, newer, ok := foldConsistency(small.Size, large.Size, f.Path)
	if !ok || newer != large.Root || older == small.Root {
		return small, large, ErrNoFork
	}
	return small, large, nil
}

// foldConsistency computes both roots from a consistency path (RFC 9162 section 2.1.4.2) whose first hash is always there: the root of the
// largest perfect subtree that ends at size from.
func foldConsistency(from, to int64, path [][32]byte) (older, newer [32]byte, ok bool) {
	if len(path) == 0 || from < 1 || from >= to {
		return older, newer, false
	}
	a, b := from-1, to-1
	for a&1 == 1 {
		a, b = a>>1, b>>1
	}
	older, newer = path[0], path[0]
	for _, c := range path[1:] {
		if b == 0 {
			return older, newer, false
		}
		if a&1 == 1 || a == b {
			older, newer = tlog.NodeHash(c, older), tlog.NodeHash(c, newer)
			for a&1 == 0 && a != 0 {
				a, b = a>>1, b>>1
			}
		} else {
			newer = tlog.NodeHash(newer, c)
		}
		a, b = a>>1, b>>1
	}
	return older, newer, b == 0
}

// forkPath is the consistency path of a genuine tree with its first hash made explicit: RFC 6962 leaves it out when from is a power of
// two, because an honest verifier has it already. Whoever convicts must show the one of the larger tree.
func forkPath(from int64, root [32]byte, proof []tlog.Hash) [][32]byte {
	var path [][32]byte
	if bits.OnesCount64(uint64(from)) == 1 {
		path = append(path, root)
	}
	for _, h := range proof {
		path = append(path, h)
	}
	return path
}
