package feed

import (
	"context"
	"fmt"

	"detente/store"

	"golang.org/x/mod/sumdb/tlog"
)

// fillTiles stores the tile that the last leaf has filled, and those above it that thereby are full too. fresh are the newest leaves; what
// is missing of the tile's 256 is computed from the entries before them.
func (h *Head) fillTiles(ctx context.Context, tx *store.Tx, fresh []tlog.Hash) error {
	leaves := make([]tlog.Hash, 0, tileWidth)
	if old := tileWidth - len(fresh); old > 0 {
		first := h.Size - tileWidth
		err := h.Bodies(ctx, tx, first, first+int64(old), func(b []byte) bool {
			leaves = append(leaves, tlog.RecordHash(b))
			return true
		})
		if err != nil {
			return err
		}
	}
	hashes := append(leaves, fresh[max(0, len(fresh)-tileWidth):]...)
	for level, n := int64(0), h.Size/tileWidth; ; level, n = level+1, n/tileWidth {
		if len(hashes) != tileWidth {
			return fmt.Errorf("feed: tile %d/%d has %d hashes; the database is damaged", level, n-1, len(hashes))
		}
		root := perfect(hashes)
		_, err := tx.Exec(ctx, `INSERT INTO tiles (feed, level, n, root, hashes) VALUES ($1, $2, $3, $4, $5)`,
			h.row, level, n-1, root[:], join(hashes))
		if err != nil {
			return fmt.Errorf("feed: tile: %w", err)
		}
		if n%tileWidth != 0 {
			return nil
		}
		if hashes, err = h.tileRoots(ctx, tx, level, n-tileWidth, n); err != nil {
			return err
		}
	}
}

// tileRoots gives the roots of the full tiles [from, to) of a level: the hashes of the level above.
func (h *Head) tileRoots(ctx context.Context, tx *store.Tx, level, from, to int64) ([]tlog.Hash, error) {
	rows, err := tx.Query(ctx, `SELECT root FROM tiles WHERE feed = $1 AND level = $2 AND n >= $3 AND n < $4 ORDER BY n`, h.row, level, from, to)
	if err != nil {
		return nil, fmt.Errorf("feed: tile: %w", err)
	}
	defer rows.Close()
	var out []tlog.Hash
	for rows.Next() {
		var root []byte
		if err := rows.Scan(&root); err != nil {
			return nil, fmt.Errorf("feed: tile: %w", err)
		}
		out = append(out, tlog.Hash(root))
	}
	return out, rows.Err()
}

// perfect is the root of a perfect subtree over the hashes, whose number is a power of two.
func perfect(hashes []tlog.Hash) tlog.Hash {
	level := append([]tlog.Hash(nil), hashes...)
	for ; len(level) > 1; level = level[:len(level)/2] {
		for i := range len(level) / 2 {
			level[i] = tlog.NodeHash(level[2*i], level[2*i+1])
		}
	}
	return level[0]
}

func join(hashes []tlog.Hash) []byte {
	b := make([]byte, 0, len(hashes)*tlog.HashSize)
	for _, x := range hashes {
		b = append(b, x[:]...)
	}
	return b
}

// tree reads the hashes of a feed for package tlog. It keeps the tiles it has loaded, so a proof reads each once.
type tree struct {
	ctx   context.Context
	tx    *store.Tx
	head  *Head
	tiles map[[2]int64][]tlog.Hash
}

func (h *Head) tree(ctx context.Context, tx *store.Tx) *tree {
	return &tree{ctx, tx, h, make(map[[2]int64][]tlog.Hash)}
}

// ReadHashes implements tlog.HashReader.
func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		level, n := tlog.SplitStoredHashIndex(x)
		base, up := int64(level/8), level%8
		first := n << up
		tile, err := t.tile(base, first/tileWidth)
		if err != nil {
			return nil, err
		}
		lo := first % tileWidth
		if lo+1<<up > int64(len(tile)) {
			return nil, fmt.Errorf("feed: hash %d of level %d lies beyond the tree", n, level)
		}
		out[i] = perfect(tile[lo : lo+1<<up])
	}
	return out, nil
}

// tile gives the hashes of tile n of a level: from its row when it is full, else from what lies beneath.
func (t *tree) tile(level, n int64) ([]tlog.Hash, error) {
	id := [2]int64{level, n}
	if have, ok := t.tiles[id]; ok {
		return have, nil
	}
	var out []tlog.Hash
	var err error
	switch whole := t.head.Size >> (8 * level); { // hashes of this level that exist
	case (n+1)*tileWidth <= whole:
		var b []byte
		err = t.tx.QueryRow(t.ctx, `SELECT hashes FROM tiles WHERE feed = $1 AND level = $2 AND n = $3`, t.head.row, level, n).Scan(&b)
		for ; len(b) >= tlog.HashSize; b = b[tlog.HashSize:] {
			out = append(out, tlog.Hash(b[:tlog.HashSize]))
		}
	case level == 0:
		err = t.head.Bodies(t.ctx, t.tx, n*tileWidth, t.head.Size, func(b []byte) bool {
			out = append(out, tlog.RecordHash(b))
			return true
		})
	default:
		out, err = t.head.tileRoots(t.ctx, t.tx, level-1, n*tileWidth, whole)
	}
	if err != nil {
		return nil, fmt.Errorf("feed: tile %d/%d: %w", level, n, err)
	}
	t.tiles[id] = out
	return out, nil
}

// Inclusion proves that the entry at index stands in the tree of that size, RFC 6962 section 2.1.1. Error: ErrNoEntry.
func (h *Head) Inclusion(ctx context.Context, tx *store.Tx, index, size int64) ([]tlog.Hash, error) {
	if index < 0 || index >= size || size > h.Size {
		return nil, ErrNoEntry
	}
	p, err := tlog.ProveRecord(size, index, h.tree(ctx, tx))
	if err != nil {
		return nil, fmt.Errorf("feed: inclusion: %w", err)
	}
	return p, nil
}

// Inclusions is Inclusion of many entries, each with its path in the place of its index. It reads a tile once for all of them.
func (h *Head) Inclusions(ctx context.Context, tx *store.Tx, indexes []int64, size int64) ([][]tlog.Hash, error) {
	if size > h.Size {
		return nil, ErrNoEntry
	}
	out, t := make([][]tlog.Hash, len(indexes)), h.tree(ctx, tx)
	for i, index := range indexes {
		if index < 0 || index >= size {
			return nil, ErrNoEntry
		}
		var err error
		if out[i], err = tlog.ProveRecord(size, index, t); err != nil {
			return nil, fmt.Errorf("feed: inclusion: %w", err)
		}
	}
	return out, nil
}

// Consistency proves that the tree of size from is a prefix of that of size to, RFC 6962 section 2.1.2. Error: ErrNoEntry.
func (h *Head) Consistency(ctx context.Context, tx *store.Tx, from, to int64) ([]tlog.Hash, error) {
	if from < 1 || from > to || to > h.Size {
		return nil, ErrNoEntry
	}
	p, err := tlog.ProveTree(to, from, h.tree(ctx, tx))
	if err != nil {
		return nil, fmt.Errorf("feed: consistency: %w", err)
	}
	return p, nil
}

// RootAt is the root of the feed's first size entries. Error: ErrNoEntry.
func (h *Head) RootAt(ctx context.Context, tx *store.Tx, size int64) ([32]byte, error) {
	switch {
	case size < 0 || size > h.Size:
		return [32]byte{}, ErrNoEntry
	case size == h.Size:
		return h.Root, nil
	case size == 0:
		return rootOf(0, nil), nil
	}
	root, err := tlog.TreeHash(size, h.tree(ctx, tx))
	if err != nil {
		return root, fmt.Errorf("feed: root: %w", err)
	}
	return root, nil
}
