package feed

import (
	"context"
	"fmt"
	"time"

	"detente/store"

	"golang.org/x/mod/sumdb/tlog"
)

// Kept is a size of a feed at which signatures are kept: of its party, of mirrors, or of both.
type Kept struct {
	Checkpoint
	Signed   bool   // the party's own signatures are among the lines
	Lines    string // all signature lines
	Receipts []Receipt
}

// Kept lists the sizes from least to most at which signatures are kept, ascending. A receipt without a kept checkpoint has the root of
// none: Root is then zero unless the party signed that size.
func (h *Head) Kept(ctx context.Context, tx *store.Tx, least, most int64) ([]Kept, error) {
	type row struct {
		size, at int64
		root     []byte
		lines    string
		r        Receipt
	}
	signed, err := store.All(ctx, tx, func(r *row) []any { return []any{&r.size, &r.root, &r.lines} },
		`SELECT size, root, lines FROM checkpoints WHERE feed = $1 AND size >= $2 AND size <= $3 ORDER BY size`, h.row, least, most)
	if err != nil {
		return nil, fmt.Errorf("feed: kept: %w", err)
	}
	cosigned, err := store.All(ctx, tx, func(r *row) []any { return []any{&r.r.Size, &r.r.Mirror, &r.r.Algorithm, &r.at, &r.r.Line} },
		`SELECT size, mirror, algorithm, at, line FROM receipts WHERE feed = $1 AND size >= $2 AND size <= $3 ORDER BY size, mirror`, h.row, least, most)
	if err != nil {
		return nil, fmt.Errorf("feed: kept: %w", err)
	}
	var out []Kept
	for len(signed) > 0 || len(cosigned) > 0 {
		k := Kept{Checkpoint: Checkpoint{Feed: h.Feed}}
		if len(cosigned) == 0 || len(signed) > 0 && signed[0].size <= cosigned[0].r.Size {
			k.Size, k.Signed, k.Lines = signed[0].size, true, signed[0].lines
			copy(k.Root[:], signed[0].root)
			signed = signed[1:]
		} else {
			k.Size = cosigned[0].r.Size
		}
		for ; len(cosigned) > 0 && cosigned[0].r.Size == k.Size; cosigned = cosigned[1:] {
			cosigned[0].r.At = time.Unix(cosigned[0].at, 0).UTC()
			k.Receipts = append(k.Receipts, cosigned[0].r)
			k.Lines += cosigned[0].r.Line
		}
		out = append(out, k)
	}
	return out, nil
}

// Tree is a Merkle tree of which only the right edge is kept: for computing roots over entries as they are read.
type Tree struct{ head Head }

// NewTree is the empty tree.
func NewTree() *Tree { return &Tree{} }

// Append adds an entry.
func (t *Tree) Append(entry []byte) { t.head.push(tlog.RecordHash(entry)) }

// Size is the number of entries.
func (t *Tree) Size() int64 { return t.head.Size }

// Root is the root over the entries so far.
func (t *Tree) Root() [32]byte { return rootOf(t.head.Size, t.head.frontier) }
