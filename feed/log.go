// Package feed is one party's append-only log of statements on one channel, plane and precedence, and everybody's copies of it.
// It must never sign or store a tree that does not extend the one it has, nor judge what the statements mean.
package feed

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/key"
	"detente/statement"
	"detente/store"
	"detente/traffic"

	"golang.org/x/mod/sumdb/tlog"
)

// Errors that a caller decides on.
var (
	ErrNoFeed      = errors.New("feed: not held here")
	ErrGap         = errors.New("feed: entries do not begin where the copy ends")
	ErrRoot        = errors.New("feed: entries do not give the checkpoint's root")
	ErrOversize    = errors.New("feed: entry over the limit")
	ErrClockBehind = errors.New("feed: clock or charter behind the feed's head; draft again")
	ErrNoEntry     = errors.New("feed: no such entry")
)

// tileWidth is the 256 hashes of a tile of C2SP tlog-tiles.
const tileWidth = 256

// Schema is the tables of this package. An entry's place is the feed's row × 2^36 + index, one integer key so that appending is sequential.
func Schema() store.Schema {
	return store.Schema{Package: "feed", Steps: []string{`
CREATE TABLE feeds (
	row        {rowkey},
	channel    {bytes} NOT NULL,
	party      TEXT NOT NULL,
	plane      TEXT NOT NULL,
	precedence TEXT NOT NULL,
	epoch      {bigint} NOT NULL,
	size       {bigint} NOT NULL,
	root       {bytes} NOT NULL,
	frontier   {bytes} NOT NULL, -- roots of the perfect subtrees, left to right: what an append needs of the past
	clock      {bigint} NOT NULL,
	charter    {bigint} NOT NULL,
	indexed    {bigint} NOT NULL DEFAULT 0, -- how many of the entries are in ids
	UNIQUE (channel, party, plane, precedence, epoch)
);
CREATE TABLE ids (
	id    {bytes} NOT NULL,
	place {bigint} NOT NULL,
	PRIMARY KEY (id, place)
);
CREATE TABLE entries (
	place   {rowkey},
	id      {bytes} NOT NULL,
	dossier {bytes} NOT NULL,
	clock   {bigint} NOT NULL,
	issuer  TEXT NOT NULL,
	form    TEXT NOT NULL,
	held    {bigint} NOT NULL, -- when it came to be stored here, unix seconds
	reason  TEXT NOT NULL,     -- why it is invalid, or empty; a cache of the judgement
	body    {bytes} NOT NULL
);
CREATE INDEX entries_by_dossier ON entries (dossier) WHERE dossier <> id; -- the statement that opens a dossier is found by its id
CREATE INDEX entries_invalid ON entries (reason, place) WHERE reason <> '';
CREATE TABLE tiles (
	feed   {bigint} NOT NULL,
	level  {bigint} NOT NULL,
	n      {bigint} NOT NULL,
	root   {bytes} NOT NULL,
	hashes {bytes} NOT NULL,
	PRIMARY KEY (feed, level, n)
);
CREATE TABLE checkpoints (
	feed  {bigint} NOT NULL,
	size  {bigint} NOT NULL,
	root  {bytes} NOT NULL,
	lines TEXT NOT NULL, -- signature lines of the feed's party
	PRIMARY KEY (feed, size)
);
CREATE TABLE receipts (
	feed      {bigint} NOT NULL,
	mirror    TEXT NOT NULL,
	size      {bigint} NOT NULL,
	algorithm {bigint} NOT NULL,
	key       {bytes} NOT NULL,
	at        {bigint} NOT NULL,
	line      TEXT NOT NULL,
	PRIMARY KEY (feed, mirror, size, algorithm)
);`}}
}

// Head is how far a feed is held here.
type Head struct {
	Feed    traffic.Feed
	Size    int64
	Root    [32]byte
	Clock   int64 // of the last valid statement
	Charter int   // version named by the last statement that named one

	row      int64
	frontier []tlog.Hash
	indexed  int64
}

// Checkpoint is the head as a checkpoint to be signed.
func (h *Head) Checkpoint() Checkpoint { return Checkpoint{h.Feed, h.Size, h.Root} }

// Entry is one leaf as it is stored: the bytes, and what was read from them once so that nobody must again.
type Entry struct {
	Index   int64
	ID      statement.ID
	Dossier statement.ID // zero for an entry that is not a statement
	Clock   int64
	Issuer  string
	Form    string
	Held    time.Time
	Reason  string // why it is invalid; empty for a valid statement
	Bytes   []byte
}

const headColumns = `row, channel, party, plane, precedence, epoch, size, root, frontier, clock, charter, indexed`

func scanHead(scan func(...any) error) (*Head, error) {
	h := &Head{}
	var channel, root, frontier []byte
	err := scan(&h.row, &channel, &h.Feed.Party, &h.Feed.Plane, &h.Feed.Precedence, &h.Feed.Epoch, &h.Size, &root, &frontier, &h.Clock, &h.Charter, &h.indexed)
	if err != nil {
		return nil, err
	}
	copy(h.Feed.Channel[:], channel)
	copy(h.Root[:], root)
	for ; len(frontier) >= tlog.HashSize; frontier = frontier[tlog.HashSize:] {
		h.frontier = append(h.frontier, tlog.Hash(frontier[:tlog.HashSize]))
	}
	return h, nil
}

// Find gives the head of a feed. Error: ErrNoFeed.
func Find(ctx context.Context, tx *store.Tx, f traffic.Feed) (*Head, error) {
	return find(ctx, tx, f, "")
}

func find(ctx context.Context, tx *store.Tx, f traffic.Feed, lock string) (*Head, error) {
	h, err := scanHead(tx.QueryRow(ctx, `SELECT `+headColumns+` FROM feeds
		WHERE channel = $1 AND party = $2 AND plane = $3 AND precedence = $4 AND epoch = $5`+lock,
		f.Channel[:], string(f.Party), string(f.Plane), string(f.Precedence), f.Epoch).Scan)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNoFeed
	}
	if err != nil {
		return nil, fmt.Errorf("feed: head: %w", err)
	}
	return h, nil
}

// Heads lists the heads of every feed held here, of one channel, or of all when channel is nil, in the order they came to be.
func Heads(ctx context.Context, tx *store.Tx, channel *[32]byte) ([]*Head, error) {
	if channel != nil {
		return heads(ctx, tx, `WHERE channel = $1`, channel[:])
	}
	return heads(ctx, tx, ``)
}

// heads lists those that a condition leaves, in the order they came to be.
func heads(ctx context.Context, tx *store.Tx, where string, args ...any) ([]*Head, error) {
	rows, err := tx.Query(ctx, `SELECT `+headColumns+` FROM feeds `+where+` ORDER BY row`, args...)
	if err != nil {
		return nil, fmt.Errorf("feed: heads: %w", err)
	}
	defer rows.Close()
	var out []*Head
	for rows.Next() {
		h, err := scanHead(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("feed: heads: %w", err)
		}
		out = append(out, h)
	}
	return out, rows.Err()
}

// Lock locks the head of a feed for writing as Open does, but does not make a feed that is new: its head is empty, and stands nowhere until
// the first Extend.
func Lock(ctx context.Context, tx *store.Tx, f traffic.Feed) (*Head, error) {
	h, err := find(ctx, tx, f, tx.ForUpdate())
	if errors.Is(err, ErrNoFeed) && f.Valid() {
		return &Head{Feed: f, Root: rootOf(0, nil)}, nil
	}
	return h, err
}

// Open locks the head of a feed for writing, making the feed if it is new. Whoever holds the lock is the feed's one writer until the
// transaction ends; on SQLite every writer is.
func Open(ctx context.Context, tx *store.Tx, f traffic.Feed) (*Head, error) {
	if !f.Valid() {
		return nil, fmt.Errorf("%w: %v", ErrOrigin, f.Origin())
	}
	h, err := find(ctx, tx, f, tx.ForUpdate())
	if !errors.Is(err, ErrNoFeed) {
		return h, err
	}
	empty := sha256.Sum256(nil) // the root of the empty tree, RFC 6962 section 2.1
	for range 10 {              // on PostgreSQL another process may take the same row for another feed
		_, err = tx.Exec(ctx, `INSERT INTO feeds (row, channel, party, plane, precedence, epoch, size, root, frontier, clock, charter)
			VALUES ((SELECT COALESCE(MAX(row), 0) + 1 FROM feeds), $1, $2, $3, $4, $5, 0, $6, $7, 0, 0) ON CONFLICT DO NOTHING`,
			f.Channel[:], string(f.Party), string(f.Plane), string(f.Precedence), f.Epoch, empty[:], []byte{})
		if err != nil {
			return nil, fmt.Errorf("feed: new: %w", err)
		}
		if h, err = find(ctx, tx, f, tx.ForUpdate()); !errors.Is(err, ErrNoFeed) {
			break
		}
	}
	return h, err
}

// Extend stores entries after the head, with the tree hashes and the new head, in the caller's transaction: all or none. Index and Held
// are set here. If the process dies before the commit, nothing happened; after it, everything did.
func (h *Head) Extend(ctx context.Context, tx *store.Tx, entries []Entry) error {
	if h.row == 0 {
		made, err := Open(ctx, tx, h.Feed)
		if err != nil {
			return err
		}
		if made.Size > 0 {
			return ErrGap // another process was first
		}
		h.row = made.row
	}
	held := time.Now().Unix()
	var fresh []tlog.Hash // leaves of this call, for tiles that fill up
	for i := range entries {
		e := &entries[i]
		if len(e.Bytes) == 0 || len(e.Bytes) > statement.MaxSize {
			return ErrOversize
		}
		e.Index, e.Held = h.Size, time.Unix(held, 0).UTC()
		_, err := tx.Exec(ctx, `INSERT INTO entries (place, id, dossier, clock, issuer, form, held, reason, body)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			h.place(h.Size), e.ID[:], e.Dossier[:], e.Clock, e.Issuer, e.Form, held, e.Reason, e.Bytes)
		if err != nil {
			return fmt.Errorf("feed: entry: %w", err)
		}
		leaf := tlog.RecordHash(e.Bytes)
		fresh = append(fresh, leaf)
		h.push(leaf)
		if h.Size%tileWidth == 0 {
			if err := h.fillTiles(ctx, tx, fresh); err != nil {
				return err
			}
			fresh = fresh[:0]
		}
	}
	h.Root = rootOf(h.Size, h.frontier)
	frontier := make([]byte, 0, len(h.frontier)*tlog.HashSize)
	for _, f := range h.frontier {
		frontier = append(frontier, f[:]...)
	}
	_, err := tx.Exec(ctx, `UPDATE feeds SET size = $1, root = $2, frontier = $3, clock = $4, charter = $5 WHERE row = $6`,
		h.Size, h.Root[:], frontier, h.Clock, h.Charter, h.row)
	if err != nil {
		return fmt.Errorf("feed: head: %w", err)
	}
	return nil
}

// push adds a leaf to the frontier, joining perfect subtrees of equal size as a binary counter carries.
func (h *Head) push(leaf tlog.Hash) {
	h.frontier = append(h.frontier, leaf)
	for n := h.Size; n&1 == 1; n >>= 1 {
		last := len(h.frontier) - 1
		h.frontier[last-1] = tlog.NodeHash(h.frontier[last-1], h.frontier[last])
		h.frontier = h.frontier[:last]
	}
	h.Size++
}

// rootOf folds a frontier, right to left, into the root of the tree.
func rootOf(size int64, frontier []tlog.Hash) [32]byte {
	if size == 0 {
		return sha256.Sum256(nil)
	}
	root := frontier[len(frontier)-1]
	for i := len(frontier) - 2; i >= 0; i-- {
		root = tlog.NodeHash(frontier[i], root)
	}
	return root
}

// Foresee gives the root that the feed would have after the entries, without storing anything.
func (h *Head) Foresee(entries [][]byte) [32]byte {
	next := Head{Size: h.Size, frontier: append([]tlog.Hash(nil), h.frontier...)}
	for _, b := range entries {
		next.push(tlog.RecordHash(b))
	}
	return rootOf(next.Size, next.frontier)
}

func (h *Head) place(index int64) int64 { return h.row<<36 | index }

// SaveCheckpoint keeps a signature line of the feed's party for a size that the feed has here, beside those of its other keys. The first line
// of a key stays: an ML-DSA signature is another one each time, and a note of them all would grow without end.
func (h *Head) SaveCheckpoint(ctx context.Context, tx *store.Tx, c Checkpoint, line string) error {
	const keyHash = 5 // base64 digits of the key's hash, which stands before the signature
	sameKey := line[:min(strings.LastIndexByte(line, ' ')+1+keyHash, len(line))]
	_, err := tx.Exec(ctx, `INSERT INTO checkpoints (feed, size, root, lines) VALUES ($1, $2, $3, $4)
		ON CONFLICT (feed, size) DO UPDATE SET lines = checkpoints.lines || excluded.lines
		WHERE checkpoints.lines NOT LIKE '%' || $5 || '%'`, h.row, c.Size, c.Root[:], line, sameKey)
	if err != nil {
		return fmt.Errorf("feed: checkpoint: %w", err)
	}
	return nil
}

// SignedAt gives the smallest kept checkpoint of at least that size, with the lines of the feed's party. Error: ErrNoEntry.
func (h *Head) SignedAt(ctx context.Context, tx *store.Tx, least int64) (Checkpoint, string, error) {
	return h.checkpoint(ctx, tx, `size >= $2 ORDER BY size LIMIT 1`, least)
}

// SignedUpTo gives the largest kept checkpoint of at most that size. Error: ErrNoEntry.
func (h *Head) SignedUpTo(ctx context.Context, tx *store.Tx, most int64) (Checkpoint, string, error) {
	return h.checkpoint(ctx, tx, `size <= $2 ORDER BY size DESC LIMIT 1`, most)
}

// CheckpointAt is the unsigned checkpoint of the feed's first size entries. Error: ErrNoEntry.
func (h *Head) CheckpointAt(ctx context.Context, tx *store.Tx, size int64) (Checkpoint, error) {
	root, err := h.RootAt(ctx, tx, size)
	return Checkpoint{h.Feed, size, root}, err
}

// KnownRoot is the root of the feed at a size: mostly one that was signed, which is a row, else computed.
func (h *Head) KnownRoot(ctx context.Context, tx *store.Tx, size int64) ([32]byte, error) {
	if c, _, err := h.SignedAt(ctx, tx, size); err == nil && c.Size == size {
		return c.Root, nil
	}
	return h.RootAt(ctx, tx, size)
}

// LastSigned gives the largest kept checkpoint. Error: ErrNoEntry.
func (h *Head) LastSigned(ctx context.Context, tx *store.Tx) (Checkpoint, string, error) {
	return h.checkpoint(ctx, tx, `size >= $2 ORDER BY size DESC LIMIT 1`, 0)
}

func (h *Head) checkpoint(ctx context.Context, tx *store.Tx, where string, size int64) (Checkpoint, string, error) {
	c := Checkpoint{Feed: h.Feed}
	var root []byte
	var lines string
	err := tx.QueryRow(ctx, `SELECT size, root, lines FROM checkpoints WHERE feed = $1 AND `+where, h.row, size).Scan(&c.Size, &root, &lines)
	if errors.Is(err, store.ErrNotFound) {
		return c, "", ErrNoEntry
	}
	if err != nil {
		return c, "", fmt.Errorf("feed: checkpoint: %w", err)
	}
	copy(c.Root[:], root)
	return c, lines, nil
}

// Receipt is a mirror's cosignature as it is kept.
type Receipt struct {
	Size      int64
	Mirror    traffic.Party
	Algorithm key.Algorithm
	At        time.Time
	Line      string
}

// SaveReceipt keeps a verified cosignature of a checkpoint of that size. The first of a mirror, size and algorithm stays: it is the earliest proof.
func (h *Head) SaveReceipt(ctx context.Context, tx *store.Tx, size int64, s Signed) error {
	_, err := tx.Exec(ctx, `INSERT INTO receipts (feed, mirror, size, algorithm, key, at, line) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT DO NOTHING`, h.row, string(s.Mirror), size, int64(s.Algorithm), s.Key[:], s.At.Unix(), s.Line)
	if err != nil {
		return fmt.Errorf("feed: receipt: %w", err)
	}
	return nil
}

// ReceiptsAt lists the cosignatures of one size, by mirror and algorithm.
func (h *Head) ReceiptsAt(ctx context.Context, tx *store.Tx, size int64) ([]Receipt, error) {
	return receipts(ctx, tx, `SELECT size, mirror, algorithm, at, line FROM receipts WHERE feed = $1 AND size = $2
		ORDER BY mirror, algorithm DESC`, h.row, size)
}

// CosignedBefore tells whether a mirror had cosigned more of the feed than a size before a time.
func (h *Head) CosignedBefore(ctx context.Context, tx *store.Tx, mirror traffic.Party, size int64, at time.Time) (bool, error) {
	if size >= h.Size {
		return false, nil
	}
	more, err := h.FirstReceipts(ctx, tx, size+1)
	return slices.ContainsFunc(more, func(r Receipt) bool { return r.Mirror == mirror && r.At.Before(at) }), err
}

// FirstReceipts lists, for each mirror and algorithm, the cosignature of the smallest size from least on: the earliest proof.
func (h *Head) FirstReceipts(ctx context.Context, tx *store.Tx, least int64) ([]Receipt, error) {
	mirrors, err := store.All(ctx, tx, func(r *Receipt) []any { return []any{&r.Mirror, &r.Algorithm} },
		`SELECT DISTINCT mirror, algorithm FROM receipts WHERE feed = $1 ORDER BY mirror, algorithm DESC`, h.row)
	if err != nil {
		return nil, fmt.Errorf("feed: receipts: %w", err)
	}
	var out []Receipt
	for _, m := range mirrors {
		first, err := receipts(ctx, tx, `SELECT size, mirror, algorithm, at, line FROM receipts
			WHERE feed = $1 AND mirror = $2 AND algorithm = $3 AND size >= $4 ORDER BY size LIMIT 1`, h.row, string(m.Mirror), int64(m.Algorithm), least)
		if err != nil {
			return nil, err
		}
		out = append(out, first...)
	}
	return out, nil
}

// ReceiptsAbove lists the cosignatures of one mirror for sizes above one that it had cosigned before, the smallest first and at most so many: with both
// algorithms a size is there twice.
func (h *Head) ReceiptsAbove(ctx context.Context, tx *store.Tx, mirror traffic.Party, size int64, limit int) ([]Receipt, error) {
	return receipts(ctx, tx, `SELECT size, mirror, algorithm, at, line FROM receipts WHERE feed = $1 AND mirror = $2 AND size > $3
		ORDER BY size, algorithm LIMIT $4`, h.row, string(mirror), size, int64(limit))
}

func receipts(ctx context.Context, tx *store.Tx, query string, args ...any) ([]Receipt, error) {
	type row struct {
		Receipt
		at int64
	}
	rows, err := store.All(ctx, tx, func(r *row) []any { return []any{&r.Size, &r.Mirror, &r.Algorithm, &r.at, &r.Line} }, query, args...)
	if err != nil {
		return nil, fmt.Errorf("feed: receipts: %w", err)
	}
	var out []Receipt
	for _, r := range rows {
		r.At = time.Unix(r.at, 0).UTC()
		out = append(out, r.Receipt)
	}
	return out, nil
}

// Cosigned is the largest size that a mirror has cosigned; 0 when none.
func (h *Head) Cosigned(ctx context.Context, tx *store.Tx, mirror traffic.Party) (int64, error) {
	var size int64
	err := tx.QueryRow(ctx, `SELECT COALESCE(MAX(size), 0) FROM receipts WHERE feed = $1 AND mirror = $2`, h.row, string(mirror)).Scan(&size)
	if err != nil {
		return 0, fmt.Errorf("feed: cosigned: %w", err)
	}
	return size, nil
}
