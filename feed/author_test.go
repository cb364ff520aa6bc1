package feed_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"detente/feed"
	"detente/key"
	"detente/statement"
	"detente/store"
	"detente/store/storetest"
	"detente/traffic"

	"golang.org/x/mod/sumdb/tlog"
)

// noon is when everything here happens; no test asks a clock.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// author is a party that writes a feed, and beside it the same tree in memory, kept by package tlog alone.
type author struct {
	t      testing.TB
	db     *store.DB
	feed   traffic.Feed
	hashes []tlog.Hash // in the order of tlog's stored hashes
	size   int64
	quick  *key.Private
	slow   *key.Private // ML-DSA-44
}

func newAuthor(t *testing.T) *author {
	return &author{
		t: t, db: storetest.Open(t, feed.Schema()),
		feed:  traffic.Feed{Channel: sha256.Sum256([]byte("channel")), Party: "xn", Plane: traffic.Real, Precedence: traffic.Routine},
		quick: secret(t, key.Ed25519, "checkpoint"), slow: secret(t, key.MLDSA44, "checkpoint-pq"),
	}
}

// secret is the key of a name.
func secret(t testing.TB, a key.Algorithm, name string) *key.Private {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	k, err := key.FromSeed(a, seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func verifier(t testing.TB, k *key.Private) key.Verifier {
	t.Helper()
	v, err := key.Standard().Verifier(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// ReadHashes implements tlog.HashReader for the tree in memory.
func (a *author) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = a.hashes[x]
	}
	return out, nil
}

func entry(i int64) []byte { return fmt.Appendf(nil, "entry %d", i) }

// grow appends entries until the feed has that size, in one transaction.
func (a *author) grow(size int64) {
	a.t.Helper()
	var entries []feed.Entry
	for ; a.size < size; a.size++ {
		b := entry(a.size)
		entries = append(entries, feed.Entry{ID: statement.Hash(b), Bytes: b})
		hashes, err := tlog.StoredHashes(a.size, b, a)
		if err != nil {
			a.t.Fatal(err)
		}
		a.hashes = append(a.hashes, hashes...)
	}
	a.update(func(ctx context.Context, tx *store.Tx) error {
		h, err := feed.Open(ctx, tx, a.feed)
		if err != nil {
			return err
		}
		return h.Extend(ctx, tx, entries)
	})
}

func (a *author) update(fn func(ctx context.Context, tx *store.Tx) error) {
	a.t.Helper()
	ctx := context.Background()
	if err := a.db.Update(ctx, store.Calm, func(tx *store.Tx) error { return fn(ctx, tx) }); err != nil {
		a.t.Fatal(err)
	}
}

// view shows the feed as it is held.
func (a *author) view(fn func(ctx context.Context, tx *store.Tx, h *feed.Head)) {
	a.t.Helper()
	ctx := context.Background()
	err := a.db.View(ctx, func(tx *store.Tx) error {
		h, err := feed.Find(ctx, tx, a.feed)
		if err != nil {
			return err
		}
		fn(ctx, tx, h)
		return nil
	})
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *author) head() (c feed.Checkpoint) {
	a.t.Helper()
	a.view(func(_ context.Context, _ *store.Tx, h *feed.Head) { c = h.Checkpoint() })
	return c
}

// sign signs the head with both keys and keeps the lines.
func (a *author) sign() {
	a.t.Helper()
	c := a.head()
	lines := line(a.t)(c.Sign(a.quick, noon)) + line(a.t)(c.Sign(a.slow, noon))
	a.update(func(ctx context.Context, tx *store.Tx) error {
		h, err := feed.Find(ctx, tx, a.feed)
		if err != nil {
			return err
		}
		return h.SaveCheckpoint(ctx, tx, c, lines)
	})
}

// root is the root of a size, by package tlog.
func (a *author) root(size int64) tlog.Hash {
	a.t.Helper()
	root, err := tlog.TreeHash(size, a)
	if err != nil {
		a.t.Fatal(err)
	}
	return root
}

func line(t testing.TB) func(string, error) string {
	return func(line string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
}

// sum is the hash of the parts, one after the other.
func sum(parts ...[]byte) [32]byte { return sha256.Sum256(bytes.Join(parts, nil)) }
