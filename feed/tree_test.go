package feed_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"detente/feed"
	"detente/store"

	"golang.org/x/mod/sumdb/tlog"
)

// A feed grows over the borders of tiles of every level, by one entry and by many; at each size it is the tree that package tlog has, and at
// the end others read its export, in which there are three levels of tiles.
func TestGrowingOverTileBorders(t *testing.T) {
	a := newAuthor(t)
	for _, size := range []int64{1, 2, 254, 255, 256, 257, 511, 512, 513, 1 << 15, 1<<16 - 1, 1 << 16, 1<<16 + 1, 1<<16 + 255, 1<<16 + 256, 1<<16 + 257} {
		a.grow(size)
		c := a.head()
		if c.Size != size || c.Root != a.root(size) {
			t.Fatalf("size %d, root %x; want %d, %x", c.Size, c.Root, size, a.root(size))
		}
		a.view(func(ctx context.Context, tx *store.Tx, h *feed.Head) {
			for _, index := range []int64{0, size / 2, size - 1} {
				proves(ctx, t, a, tx, h, index, size)
			}
			for _, from := range []int64{1, size/2 + 1, size} {
				extends(ctx, t, a, tx, h, from, size)
			}
			for _, at := range []int64{1, 255, 256, 257, size / 2, size - 1} {
				if at < 1 || at > size {
					continue
				}
				if root, err := h.RootAt(ctx, tx, at); err != nil || root != a.root(at) {
					t.Errorf("root at %d of %d: %x, %v", at, size, root, err)
				}
			}
		})
	}
	dir := t.TempDir()
	a.sign()
	if err := a.export(dir); err != nil {
		t.Fatal(err)
	}
	fscked(t, a, dir)
	read(t, a, dir, a.size)
}

// Every size up to 600 of a larger feed has its root and its proofs, the same as those of package tlog, hash by hash.
func TestProofsAtEverySize(t *testing.T) {
	const most = 600
	a := newAuthor(t)
	a.grow(most)
	a.view(func(ctx context.Context, tx *store.Tx, h *feed.Head) {
		for size := int64(1); size <= most; size++ {
			if root, err := h.RootAt(ctx, tx, size); err != nil || root != a.root(size) {
				t.Fatalf("root at %d: %x, %v", size, root, err)
			}
			for _, index := range []int64{0, size / 3, size * 2 / 3, size - 1} {
				proves(ctx, t, a, tx, h, index, size)
			}
			for _, from := range []int64{1, size/3 + 1, size*2/3 + 1, size} {
				extends(ctx, t, a, tx, h, min(from, size), size)
			}
		}
		for _, size := range []int64{7, 256, 300} { // and every index, every smaller size
			for index := range size {
				proves(ctx, t, a, tx, h, index, size)
				extends(ctx, t, a, tx, h, index+1, size)
			}
		}
	})
}

// proves compares an inclusion proof with that of package tlog, which also checks it.
func proves(ctx context.Context, t testing.TB, a *author, tx *store.Tx, h *feed.Head, index, size int64) {
	t.Helper()
	p, err := h.Inclusion(ctx, tx, index, size)
	want, _ := tlog.ProveRecord(size, index, a)
	if err != nil || !slices.Equal(p, want) {
		t.Fatalf("inclusion of %d in %d: %v, %v; want %v", index, size, p, err, want)
	}
	if err := tlog.CheckRecord(p, size, a.root(size), index, tlog.RecordHash(entry(index))); err != nil {
		t.Fatalf("inclusion of %d in %d: %v", index, size, err)
	}
	c := feed.Checkpoint{Feed: a.feed, Size: size, Root: a.root(size)}
	if err := c.Included(index, entry(index), feed.Path[[32]byte](p)); err != nil {
		t.Fatalf("inclusion of %d in %d: %v", index, size, err)
	}
	if err := c.Included(index, entry(index+1), feed.Path[[32]byte](p)); !errors.Is(err, feed.ErrNotIncluded) {
		t.Fatalf("entry %d proved at %d of %d: %v", index+1, index, size, err)
	}
}

func extends(ctx context.Context, t testing.TB, a *author, tx *store.Tx, h *feed.Head, from, to int64) {
	t.Helper()
	p, err := h.Consistency(ctx, tx, from, to)
	want, _ := tlog.ProveTree(to, from, a)
	if err != nil || !slices.Equal(p, want) {
		t.Fatalf("consistency of %d with %d: %v, %v; want %v", from, to, p, err, want)
	}
	if err := tlog.CheckTree(p, to, a.root(to), from, a.root(from)); err != nil {
		t.Fatalf("consistency of %d with %d: %v", from, to, err)
	}
}

// Nothing is proved of what is not there.
func TestProofsBeyondTheFeed(t *testing.T) {
	a := newAuthor(t)
	a.grow(5)
	a.view(func(ctx context.Context, tx *store.Tx, h *feed.Head) {
		for _, x := range [][2]int64{{-1, 5}, {5, 5}, {0, 6}, {0, 0}} {
			if _, err := h.Inclusion(ctx, tx, x[0], x[1]); !errors.Is(err, feed.ErrNoEntry) {
				t.Errorf("inclusion of %d in %d: %v", x[0], x[1], err)
			}
		}
		for _, x := range [][2]int64{{0, 5}, {4, 3}, {1, 6}} {
			if _, err := h.Consistency(ctx, tx, x[0], x[1]); !errors.Is(err, feed.ErrNoEntry) {
				t.Errorf("consistency of %d with %d: %v", x[0], x[1], err)
			}
		}
		for _, size := range []int64{-1, 6} {
			if _, err := h.RootAt(ctx, tx, size); !errors.Is(err, feed.ErrNoEntry) {
				t.Errorf("root at %d: %v", size, err)
			}
		}
		if root, err := h.RootAt(ctx, tx, 0); err != nil || root != a.root(0) {
			t.Errorf("root of the empty feed: %x, %v", root, err)
		}
	})
}

// A transaction that fails leaves the feed as it was, and what it was about to hold can be foreseen.
func TestExtendIsAllOrNothing(t *testing.T) {
	a := newAuthor(t)
	a.grow(300)
	before := a.head()
	ctx, failed := context.Background(), errors.New("power cut")
	err := a.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		h, err := feed.Open(ctx, tx, a.feed)
		if err != nil {
			return err
		}
		var entries []feed.Entry
		for i := range int64(300) {
			entries = append(entries, feed.Entry{Bytes: entry(1000 + i)})
		}
		return errors.Join(h.Extend(ctx, tx, entries), failed)
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if after := a.head(); after != before {
		t.Errorf("the head moved: %+v, was %+v", after, before)
	}
	var foreseen [32]byte
	a.view(func(_ context.Context, _ *store.Tx, h *feed.Head) {
		foreseen = h.Foresee([][]byte{entry(300), entry(301)})
	})
	a.grow(302)
	if c := a.head(); c.Root != foreseen || c.Root != a.root(302) {
		t.Errorf("root %x, foreseen %x, want %x", c.Root, foreseen, a.root(302))
	}
	for _, size := range []int{0, 48<<10 + 1} {
		err := a.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
			h, err := feed.Open(ctx, tx, a.feed)
			if err != nil {
				return err
			}
			return h.Extend(ctx, tx, []feed.Entry{{Bytes: make([]byte, size)}})
		})
		if !errors.Is(err, feed.ErrOversize) {
			t.Errorf("an entry of %d bytes: %v", size, err)
		}
	}
}
