// Package blob keeps attachments by their hash, and fetches them in pieces that can be resumed after a cut.
// It must never take a piece that no statement named, nor give one to a party that was not shown its hash.
package blob

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding"
	"errors"
	"fmt"
	"hash"
	"time"

	"detente/store"
	"detente/traffic"
)

// Limits, protocol.md#blob.
const (
	MaxSize       = 64 << 20  // bytes of a blob
	MaxPiece      = 256 << 10 // bytes that travel, and are stored, together
	MinPiece      = 4 << 10   // of a piece that is not the last, so that a blob cannot come as millions of rows
	MaxUnfinished = 1 << 30   // bytes of all blobs that are begun and not complete; above, the one that has waited longest starts anew
	MaxBegun      = 1024      // how many these are, the same way
)

// Errors that a caller decides on.
var (
	ErrTooLarge  = errors.New("blob: not of a size that a blob may have") // 1 to MaxSize bytes
	ErrNotWanted = errors.New("blob: piece not asked for")
	ErrHash      = errors.New("blob: the bytes have another hash") // what came of it is dropped, and it is asked for again
	ErrNotHeld   = errors.New("blob: not held")
)

// Hash names a blob: the SHA-256 of its bytes.
type Hash = [sha256.Size]byte

// Schema is the tables of this package.
//
// A blob is in wanted until all of its bytes are there, then in blobs. Two statements may name one hash with two sizes, of which one at least
// is a lie; so what is wanted goes by both.
func Schema() store.Schema {
	return store.Schema{Package: "blob", Steps: []string{`
CREATE TABLE blobs (
	hash {bytes} PRIMARY KEY,
	size {bigint} NOT NULL
);
CREATE TABLE blob_wanted (
	hash    {bytes} NOT NULL,
	size    {bigint} NOT NULL,
	held    {bigint} NOT NULL, -- bytes that are here, from the first on
	touched {bigint} NOT NULL, -- when the last of them came, unix nanoseconds
	state   {bytes} NOT NULL,  -- of the hash over them, so that nobody has to read them again at the end
	PRIMARY KEY (hash, size)
);
CREATE INDEX blob_begun ON blob_wanted (touched, held) WHERE held > 0;
CREATE TABLE blob_pieces (
	hash  {bytes} NOT NULL,
	size  {bigint} NOT NULL,
	start {bigint} NOT NULL,
	data  {bytes} NOT NULL,
	PRIMARY KEY (hash, size, start)
);
CREATE TABLE blob_shares ( -- the parties with whom a statement that names the blob is shared
	hash  {bytes} NOT NULL,
	party TEXT NOT NULL,
	PRIMARY KEY (hash, party)
);
`, `
CREATE TABLE blob_asked ( -- what a party asked for in its last pouch, from which byte on
	party TEXT NOT NULL,
	hash  {bytes} NOT NULL,
	start {bigint} NOT NULL,
	PRIMARY KEY (party, hash)
);
`}}
}

// Put keeps a blob of our own, to be given to the parties that see the statement naming it. Error: ErrTooLarge.
func Put(ctx context.Context, tx *store.Tx, data []byte, with ...traffic.Party) (Hash, error) {
	h := Hash(sha256.Sum256(data))
	size := int64(len(data))
	if size < 1 || size > MaxSize {
		return h, fmt.Errorf("%w: %d bytes", ErrTooLarge, size)
	}
	if err := share(ctx, tx, h, with); err != nil {
		return h, err
	}
	if _, complete, err := Have(ctx, tx, h); err != nil || complete {
		return h, err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM blob_pieces WHERE hash = $1", h[:]); err != nil {
		return h, err
	}
	for start := int64(0); start < size; start += MaxPiece {
		if err := insert(ctx, tx, h, size, start, data[start:min(start+MaxPiece, size)]); err != nil {
			return h, err
		}
	}
	return h, finish(ctx, tx, h, size)
}

// Want notes a blob that a valid statement of a peer names; the parties are those that see the statement, and so the ones to ask. Naming it
// again changes nothing. Error: ErrTooLarge.
func Want(ctx context.Context, tx *store.Tx, h Hash, size int64, from ...traffic.Party) error {
	if size < 1 || size > MaxSize {
		return fmt.Errorf("%w: %d bytes", ErrTooLarge, size)
	}
	if err := share(ctx, tx, h, from); err != nil {
		return err
	}
	if _, complete, err := Have(ctx, tx, h); err != nil || complete {
		return err
	}
	state, err := save(sha256.New())
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO blob_wanted (hash, size, held, touched, state) VALUES ($1, $2, 0, 0, $3) ON CONFLICT DO NOTHING", h[:], size, state)
	return err
}

func share(ctx context.Context, tx *store.Tx, h Hash, with []traffic.Party) error {
	for _, p := range with {
		if _, err := tx.Exec(ctx, "INSERT INTO blob_shares (hash, party) VALUES ($1, $2) ON CONFLICT DO NOTHING", h[:], string(p)); err != nil {
			return err
		}
	}
	return nil
}

// Have tells how many bytes a blob has, and whether all of them are here. The size is 0 for a blob that nobody named.
func Have(ctx context.Context, tx *store.Tx, h Hash) (size int64, complete bool, err error) {
	err = tx.QueryRow(ctx, "SELECT size FROM blobs WHERE hash = $1", h[:]).Scan(&size)
	if !errors.Is(err, store.ErrNotFound) {
		return size, err == nil, err
	}
	err = tx.QueryRow(ctx, "SELECT size FROM blob_wanted WHERE hash = $1 ORDER BY held DESC, size LIMIT 1", h[:]).Scan(&size)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return size, false, err
}

// Piece is a blob, and the offset of the first byte that is not here.
type Piece struct {
	Hash   Hash
	Size   int64
	Offset int64
}

// Missing lists at most limit blobs to ask a party for: first those of which something came lately, so that they are completed, then others
// from a random place on, so that those that the party cannot give keep none back.
func Missing(ctx context.Context, tx *store.Tx, from traffic.Party, limit int) ([]Piece, error) {
	const wanted = "SELECT w.hash, w.size, w.held FROM blob_wanted w JOIN blob_shares s ON s.hash = w.hash AND s.party = $1 "
	fields := func(r *row) []any { return []any{&r.hash, &r.size, &r.held} }
	var place Hash
	rand.Read(place[:])
	var out []Piece
	seen := make(map[Piece]bool)
	for _, q := range []struct {
		where string
		limit int
		args  []any
	}{
		{"WHERE w.held > 0 ORDER BY w.touched DESC LIMIT $2", (limit + 1) / 2, nil},
		{"WHERE w.hash >= $3 ORDER BY w.hash LIMIT $2", limit, []any{place[:]}},
		{"WHERE w.hash < $3 ORDER BY w.hash LIMIT $2", limit, []any{place[:]}},
	} {
		rows, err := store.All(ctx, tx, fields, wanted+q.where, append([]any{string(from), q.limit}, q.args...)...)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if p := (Piece{Hash(r.hash), r.size, r.held}); !seen[p] && len(out) < limit {
				seen[p] = true
				out = append(out, p)
			}
		}
	}
	return out, nil
}

// row is a row of blob_wanted.
type row struct {
	hash       []byte
	size, held int64
	state      []byte
}

// Add takes a piece, and tells whether the blob is complete. A piece that was taken before, or that lies beyond the next byte, is ignored:
// bundles come twice, and in any order. Errors: ErrNotWanted for a blob that nobody named with that size, and a piece that cannot be of it; ErrHash,
// after which the transaction is to be committed all the same, for it has dropped the false bytes.
func Add(ctx context.Context, tx *store.Tx, h Hash, size, offset int64, data []byte) (complete bool, err error) {
	r, err := store.One(ctx, tx, func(r *row) []any { return []any{&r.held, &r.state} },
		"SELECT held, state FROM blob_wanted WHERE hash = $1 AND size = $2"+tx.ForUpdate(), h[:], size)
	if errors.Is(err, store.ErrNotFound) {
		have, complete, err := Have(ctx, tx, h)
		if err == nil && (!complete || have != size) {
			err = fmt.Errorf("%w: %x of %d bytes", ErrNotWanted, h[:4], size)
		}
		return err == nil, err
	}
	n := int64(len(data))
	switch {
	case err != nil:
		return false, err
	case offset < 0 || n > MaxPiece || n > size-offset || n < MinPiece && n < size-offset: // the last without overflow: offset is below size
		return false, fmt.Errorf("%w: %d bytes at %d of %d", ErrNotWanted, n, offset, size)
	case offset != r.held:
		return false, nil
	}
	sum, err := load(r.state)
	if err != nil { // written by a version of Go that keeps it otherwise: what came is dropped, not trusted
		return false, restart(ctx, tx, h, size)
	}
	sum.Write(data)
	if r.held += n; r.held == size && Hash(sum.Sum(nil)) != h {
		return false, errors.Join(fmt.Errorf("%w: not %x", ErrHash, h[:4]), restart(ctx, tx, h, size))
	}
	if err := insert(ctx, tx, h, size, offset, data); err != nil {
		return false, err
	}
	if r.held == size {
		return true, finish(ctx, tx, h, size)
	}
	state, err := save(sum)
	if err != nil {
		return false, err
	}
	_, err = tx.Exec(ctx, "UPDATE blob_wanted SET held = $3, touched = $4, state = $5 WHERE hash = $1 AND size = $2",
		h[:], size, r.held, time.Now().UnixNano(), state)
	if err != nil {
		return false, err
	}
	return false, makeRoom(ctx, tx)
}

// makeRoom keeps the blobs that are begun within their limits. The one whose last piece is longest ago goes first.
func makeRoom(ctx context.Context, tx *store.Tx) error {
	for {
		var begun, held int64
		err := tx.QueryRow(ctx, "SELECT COUNT(*), COALESCE(SUM(held), 0) FROM blob_wanted WHERE held > 0").Scan(&begun, &held)
		if err != nil || begun <= MaxBegun && held <= MaxUnfinished {
			return err
		}
		oldest, err := store.One(ctx, tx, func(r *row) []any { return []any{&r.hash, &r.size} },
			"SELECT hash, size FROM blob_wanted WHERE held > 0 ORDER BY touched LIMIT 1")
		if err != nil {
			return err
		}
		if err := restart(ctx, tx, Hash(oldest.hash), oldest.size); err != nil {
			return err
		}
	}
}

// restart drops what came of a blob.
func restart(ctx context.Context, tx *store.Tx, h Hash, size int64) error {
	state, err := save(sha256.New())
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM blob_pieces WHERE hash = $1 AND size = $2", h[:], size); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE blob_wanted SET held = 0, touched = 0, state = $3 WHERE hash = $1 AND size = $2", h[:], size, state)
	return err
}

// finish makes a blob of which all pieces are here complete; what came of it under a false size is dropped.
func finish(ctx context.Context, tx *store.Tx, h Hash, size int64) error {
	if _, err := tx.Exec(ctx, "DELETE FROM blob_pieces WHERE hash = $1 AND size <> $2", h[:], size); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM blob_wanted WHERE hash = $1", h[:]); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "INSERT INTO blobs (hash, size) VALUES ($1, $2)", h[:], size)
	return err
}

func insert(ctx context.Context, tx *store.Tx, h Hash, size, start int64, data []byte) error {
	_, err := tx.Exec(ctx, "INSERT INTO blob_pieces (hash, size, start, data) VALUES ($1, $2, $3, $4)", h[:], size, start, data)
	return err
}

// Read gives n bytes of a complete blob from offset on, fewer at its end, and never more than MaxPiece. Errors: ErrNotHeld.
func Read(ctx context.Context, tx *store.Tx, h Hash, offset int64, n int) ([]byte, error) {
	size, complete, err := Have(ctx, tx, h)
	if err != nil {
		return nil, err
	}
	if !complete || offset < 0 || offset > size {
		return nil, fmt.Errorf("%w: %x from %d", ErrNotHeld, h[:4], offset)
	}
	end := min(offset+int64(min(n, MaxPiece)), size)
	type piece struct {
		start int64
		data  []byte
	}
	pieces, err := store.All(ctx, tx, func(p *piece) []any { return []any{&p.start, &p.data} },
		"SELECT start, data FROM blob_pieces WHERE hash = $1 AND size = $2 AND start > $3 AND start < $4 ORDER BY start",
		h[:], size, offset-MaxPiece, end)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, max(0, end-offset))
	for _, p := range pieces {
		from, to := max(offset-p.start, 0), min(end-p.start, int64(len(p.data)))
		if from < to {
			out = append(out, p.data[from:to]...)
		}
	}
	return out, nil
}

// Give is Read for a party that asks: it gets what a statement that it sees names, and of all else not even that it is here. It also returns
// the size of the whole. Error: ErrNotHeld.
func Give(ctx context.Context, tx *store.Tx, to traffic.Party, h Hash, offset int64, n int) (data []byte, size int64, err error) {
	err = tx.QueryRow(ctx, "SELECT b.size FROM blobs b JOIN blob_shares s ON s.hash = b.hash AND s.party = $2 WHERE b.hash = $1", h[:], string(to)).Scan(&size)
	if errors.Is(err, store.ErrNotFound) {
		return nil, 0, fmt.Errorf("%w: %x", ErrNotHeld, h[:4])
	}
	if err != nil {
		return nil, 0, err
	}
	data, err = Read(ctx, tx, h, offset, n)
	return data, size, err
}

func save(h hash.Hash) ([]byte, error) {
	m, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return nil, errors.New("blob: the hash cannot be kept")
	}
	return m.MarshalBinary()
}

func load(state []byte) (hash.Hash, error) {
	h := sha256.New()
	u, ok := h.(encoding.BinaryUnmarshaler)
	if !ok {
		return nil, errors.New("blob: the hash cannot be kept")
	}
	return h, u.UnmarshalBinary(state)
}
