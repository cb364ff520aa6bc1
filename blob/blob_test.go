package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"testing"

	"detente/blob"
	"detente/store"
	"detente/store/storetest"

	"github.com/google/go-cmp/cmp"
)

// shelf is one node's blobs. Its verbs fail the test when they fail.
type shelf struct {
	*testing.T
	db *store.DB
}

// each runs a story on every database.
func each(t *testing.T, story func(s shelf)) {
	storetest.Each(t, func(t *testing.T, open func(...store.Schema) *store.DB) { story(shelf{t, open(blob.Schema())}) })
}

func (s shelf) update(fn func(context.Context, *store.Tx) error) {
	s.Helper()
	if err := s.db.Update(s.Context(), store.Calm, func(tx *store.Tx) error { return fn(s.Context(), tx) }); err != nil {
		s.Fatal(err)
	}
}

func (s shelf) put(data []byte) (h blob.Hash) {
	s.Helper()
	s.update(func(ctx context.Context, tx *store.Tx) (err error) {
		h, err = blob.Put(ctx, tx, data, "xs")
		return err
	})
	return h
}

// want notes a blob that a statement of xs names.
func (s shelf) want(h blob.Hash, size int) {
	s.Helper()
	s.update(func(ctx context.Context, tx *store.Tx) error { return blob.Want(ctx, tx, h, int64(size), "xs") })
}

// add takes a piece; the error is what Add returned, and the transaction is committed all the same.
func (s shelf) add(h blob.Hash, size, offset int, data []byte) (complete bool, err error) {
	s.Helper()
	s.update(func(ctx context.Context, tx *store.Tx) error {
		complete, err = blob.Add(ctx, tx, h, int64(size), int64(offset), data)
		return nil
	})
	return complete, err
}

func (s shelf) missing() (list []blob.Piece) {
	s.Helper()
	s.update(func(ctx context.Context, tx *store.Tx) (err error) {
		list, err = blob.Missing(ctx, tx, "xs", 100)
		return err
	})
	return list
}

func (s shelf) read(h blob.Hash, offset, n int) (data []byte, err error) {
	s.Helper()
	s.update(func(ctx context.Context, tx *store.Tx) error {
		data, err = blob.Read(ctx, tx, h, int64(offset), n)
		return nil
	})
	return data, err
}

// whole reads a blob to its end.
func (s shelf) whole(h blob.Hash) (all []byte) {
	s.Helper()
	for {
		data, err := s.read(h, len(all), blob.MaxPiece)
		if err != nil {
			s.Fatal(err)
		}
		if len(data) == 0 {
			return all
		}
		all = append(all, data...)
	}
}

func noise(size int) []byte {
	b := make([]byte, size)
	r := rand.NewChaCha8([32]byte{byte(size)})
	r.Read(b)
	return b
}

func TestOwnBlobsAreRead(t *testing.T) {
	each(t, func(s shelf) {
		data := noise(2*blob.MaxPiece + 100)
		h := s.put(data)
		if h != sha256.Sum256(data) {
			s.Fatal("named by another hash")
		}
		if s.put(data) != h || !bytes.Equal(s.whole(h), data) {
			s.Error("read otherwise than it was put, twice")
		}
		for _, c := range []struct{ offset, n int }{
			{0, 1}, {blob.MaxPiece - 1, 2}, {blob.MaxPiece, 5}, {1, blob.MaxPiece}, {2*blob.MaxPiece - 3, 50}, {len(data) - 1, 100}, {len(data), 1},
		} {
			got, err := s.read(h, c.offset, c.n)
			if want := data[c.offset:min(c.offset+c.n, len(data))]; err != nil || !bytes.Equal(got, want) {
				s.Errorf("%d bytes at %d: %d bytes that differ, %v", c.n, c.offset, len(got), err)
			}
		}
		if got, err := s.read(h, 0, 1<<30); err != nil || len(got) != blob.MaxPiece {
			s.Errorf("a gigabyte at once: %d bytes, %v", len(got), err)
		}
		for _, offset := range []int{-1, len(data) + 1} {
			if _, err := s.read(h, offset, 1); !errors.Is(err, blob.ErrNotHeld) {
				s.Errorf("at %d: %v", offset, err)
			}
		}
	})
}

func TestABlobComesInPiecesOverCuts(t *testing.T) {
	each(t, func(s shelf) {
		data := noise(100_000)
		h := blob.Hash(sha256.Sum256(data))
		s.want(h, len(data))
		s.want(h, len(data)) // named by a second statement
		if d := cmp.Diff([]blob.Piece{{Hash: h, Size: 100_000}}, s.missing()); d != "" {
			s.Fatal(d)
		}
		for _, p := range []struct{ offset, end, held int }{
			{50_000, 60_000, 0}, // a bundle that overtook another
			{0, 30_000, 30_000}, // the first
			{0, 30_000, 30_000}, // the same over a second route
			{0, 50_000, 30_000}, // the same, cut otherwise
			{40_000, 50_000, 30_000},
			{30_000, 50_000, 50_000},
			{50_000, 60_000, 60_000},
		} {
			if complete, err := s.add(h, len(data), p.offset, data[p.offset:p.end]); err != nil || complete {
				s.Fatalf("piece at %d: %v, %v", p.offset, complete, err)
			}
			if d := cmp.Diff([]blob.Piece{{Hash: h, Size: 100_000, Offset: int64(p.held)}}, s.missing()); d != "" {
				s.Fatalf("after the piece at %d: %s", p.offset, d)
			}
		}
		if _, err := s.read(h, 0, 1); !errors.Is(err, blob.ErrNotHeld) {
			s.Errorf("read before it was complete: %v", err)
		}

		// The process dies before the last piece is durable.
		err := s.db.Update(s.Context(), store.Calm, func(tx *store.Tx) error {
			if complete, err := blob.Add(s.Context(), tx, h, 100_000, 60_000, data[60_000:]); err != nil || !complete {
				s.Errorf("the last piece: %v, %v", complete, err)
			}
			return errors.New("power cut")
		})
		if err == nil {
			s.Fatal("not cut")
		}
		if complete, err := s.add(h, len(data), 60_000, data[60_000:]); err != nil || !complete {
			s.Errorf("the last piece again: %v, %v", complete, err)
		}
		if list := s.missing(); len(list) != 0 {
			s.Errorf("still missing: %v", list)
		}
		if !bytes.Equal(s.whole(h), data) {
			s.Error("read otherwise than it came")
		}
		if complete, err := s.add(h, len(data), 60_000, data[60_000:]); err != nil || !complete {
			s.Errorf("the last piece once more: %v, %v", complete, err)
		}
		s.want(h, len(data))
		if list := s.missing(); len(list) != 0 {
			s.Errorf("asked for although it is here: %v", list)
		}
	})
}

func TestWhatWasNotAskedForIsNotTaken(t *testing.T) {
	each(t, func(s shelf) {
		data := noise(50_000)
		h := blob.Hash(sha256.Sum256(data))
		if _, err := s.add(h, len(data), 0, data); !errors.Is(err, blob.ErrNotWanted) {
			s.Errorf("a blob that nobody named: %v", err)
		}
		s.want(h, len(data))
		for name, p := range map[string]struct {
			size, offset int
			data         []byte
		}{
			"another size":         {len(data) + 1, 0, data},
			"more than the blob":   {len(data), 0, append(bytes.Clone(data), 1)},
			"beyond its end":       {len(data), 60_000, data[:10]},
			"before its beginning": {len(data), -1, data},
			"a crumb":              {len(data), 0, data[:blob.MinPiece-1]},
			"nothing":              {len(data), 0, nil},
			"a lump":               {len(data), 0, make([]byte, blob.MaxPiece+1)},
		} {
			if _, err := s.add(h, p.size, p.offset, p.data); !errors.Is(err, blob.ErrNotWanted) {
				s.Errorf("%s: %v", name, err)
			}
		}
		if d := cmp.Diff([]blob.Piece{{Hash: h, Size: 50_000}}, s.missing()); d != "" {
			s.Error(d)
		}
		for _, size := range []int64{-1, 0, blob.MaxSize + 1} {
			s.update(func(ctx context.Context, tx *store.Tx) error {
				if err := blob.Want(ctx, tx, h, size); !errors.Is(err, blob.ErrTooLarge) {
					s.Errorf("a blob of %d bytes: %v", size, err)
				}
				return nil
			})
		}
		s.update(func(ctx context.Context, tx *store.Tx) error {
			for _, data := range [][]byte{nil, make([]byte, blob.MaxSize+1)} {
				if _, err := blob.Put(ctx, tx, data); !errors.Is(err, blob.ErrTooLarge) {
					s.Errorf("our own of %d bytes: %v", len(data), err)
				}
			}
			return nil
		})
	})
}

func TestFalseBytesAreDroppedAndAskedForAgain(t *testing.T) {
	each(t, func(s shelf) {
		data := noise(50_000)
		h := blob.Hash(sha256.Sum256(data))
		s.want(h, len(data))
		if _, err := s.add(h, len(data), 0, make([]byte, 30_000)); err != nil {
			s.Fatal(err)
		}
		if _, err := s.add(h, len(data), 30_000, data[30_000:]); !errors.Is(err, blob.ErrHash) {
			s.Fatalf("%v, want %v", err, blob.ErrHash)
		}
		if d := cmp.Diff([]blob.Piece{{Hash: h, Size: 50_000}}, s.missing()); d != "" {
			s.Fatal(d)
		}
		if complete, err := s.add(h, len(data), 0, data); err != nil || !complete || !bytes.Equal(s.whole(h), data) {
			s.Errorf("the true bytes: %v, %v", complete, err)
		}
	})
}

// A statement that lies about a size cannot keep the blob from whom another statement told the truth.
func TestALieAboutTheSizeKeepsNothingBack(t *testing.T) {
	each(t, func(s shelf) {
		data := noise(50_000)
		h := blob.Hash(sha256.Sum256(data))
		s.want(h, 40_000)
		s.want(h, 50_000)
		if _, err := s.add(h, 40_000, 0, data[:20_000]); err != nil {
			s.Fatal(err)
		}
		if _, err := s.add(h, 40_000, 20_000, data[20_000:40_000]); !errors.Is(err, blob.ErrHash) {
			s.Errorf("%v, want %v", err, blob.ErrHash)
		}
		if _, err := s.add(h, 40_000, 0, data[:20_000]); err != nil {
			s.Fatal(err)
		}
		if complete, err := s.add(h, 50_000, 0, data); err != nil || !complete || !bytes.Equal(s.whole(h), data) {
			s.Errorf("%v, %v", complete, err)
		}
		if list := s.missing(); len(list) != 0 {
			s.Errorf("still missing: %v", list)
		}

		// Our own copy ends the asking too.
		other := noise(60_000)
		s.want(sha256.Sum256(other), len(other))
		if _, err := s.add(sha256.Sum256(other), len(other), 0, other[:10_000]); err != nil {
			s.Fatal(err)
		}
		if h := s.put(other); len(s.missing()) != 0 || !bytes.Equal(s.whole(h), other) {
			s.Error("put while it was coming")
		}
	})
}

func TestOnlyWhoSeesTheStatementHearsOfTheBlob(t *testing.T) {
	each(t, func(s shelf) {
		data := noise(50_000)
		h := s.put(data) // shared with xs
		wanted := blob.Hash{1}
		s.want(wanted, 10)
		s.update(func(ctx context.Context, tx *store.Tx) error {
			got, size, err := blob.Give(ctx, tx, "xs", h, 40_000, blob.MaxPiece)
			if err != nil || size != 50_000 || !bytes.Equal(got, data[40_000:]) {
				s.Errorf("given to xs: %d of %d bytes, %v", len(got), size, err)
			}
			if _, _, err := blob.Give(ctx, tx, "xl", h, 0, 1); !errors.Is(err, blob.ErrNotHeld) {
				s.Errorf("given to xl: %v", err)
			}
			if _, _, err := blob.Give(ctx, tx, "xs", wanted, 0, 1); !errors.Is(err, blob.ErrNotHeld) {
				s.Errorf("given before it was here: %v", err)
			}
			if list, err := blob.Missing(ctx, tx, "xl", 10); err != nil || len(list) != 0 {
				s.Errorf("xl is asked for %v, %v", list, err)
			}
			return nil
		})
	})
}

func TestWhatIsUnderWayIsAskedForFirst(t *testing.T) {
	each(t, func(s shelf) {
		s.update(func(ctx context.Context, tx *store.Tx) error {
			for i := range 200 {
				if err := blob.Want(ctx, tx, blob.Hash{byte(i)}, 100_000, "xs"); err != nil {
					return err
				}
			}
			return nil
		})
		for _, i := range []byte{7, 150} {
			if _, err := s.add(blob.Hash{i}, 100_000, 0, make([]byte, 5000)); err != nil {
				s.Fatal(err)
			}
		}
		asked := make(map[blob.Hash]bool)
		for range 200 {
			s.update(func(ctx context.Context, tx *store.Tx) error {
				list, err := blob.Missing(ctx, tx, "xs", 8)
				if err != nil {
					return err
				}
				if len(list) != 8 || list[0].Hash[0] != 150 || list[1].Hash[0] != 7 {
					s.Fatalf("asked for %v", list)
				}
				for _, p := range list {
					asked[p.Hash] = true
				}
				return nil
			})
		}
		if len(asked) < 150 {
			s.Errorf("in 200 rounds only %d of 200 were asked for", len(asked))
		}
	})
}

func TestBeginningsDoNotFillTheDisk(t *testing.T) {
	each(t, func(s shelf) {
		begin := func(i int) blob.Hash { return blob.Hash{byte(i >> 8), byte(i)} }
		s.update(func(ctx context.Context, tx *store.Tx) error {
			for i := range blob.MaxBegun + 1 {
				if err := blob.Want(ctx, tx, begin(i), 100_000, "xs"); err != nil {
					return err
				}
				if _, err := blob.Add(ctx, tx, begin(i), 100_000, 0, make([]byte, blob.MinPiece)); err != nil {
					return err
				}
			}
			return nil
		})
		begun := func() (n int, first bool) {
			s.update(func(ctx context.Context, tx *store.Tx) error {
				if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM blob_wanted WHERE held > 0").Scan(&n); err != nil {
					return err
				}
				list, err := blob.Missing(ctx, tx, "xs", blob.MaxBegun+1)
				for _, p := range list {
					first = first || p.Hash == begin(0) && p.Offset > 0
				}
				return err
			})
			return n, first
		}
		if n, first := begun(); n != blob.MaxBegun || first {
			s.Errorf("%d are begun, the oldest among them: %v", n, first)
		}

		// The limit in bytes, without writing a gigabyte: the rows say that there is one.
		s.update(func(ctx context.Context, tx *store.Tx) error {
			if _, err := tx.Exec(ctx, "UPDATE blob_wanted SET held = $1 WHERE held > 0", blob.MaxUnfinished/512); err != nil {
				return err
			}
			_, err := blob.Add(ctx, tx, begin(0), 100_000, 0, make([]byte, blob.MinPiece))
			return err
		})
		if n, _ := begun(); n != 512 {
			s.Errorf("%d are begun, want 512", n)
		}
	})
}

func TestAHashStateOfAnotherGoStartsAnew(t *testing.T) {
	each(t, func(s shelf) {
		data := noise(50_000)
		h := blob.Hash(sha256.Sum256(data))
		s.want(h, len(data))
		if _, err := s.add(h, len(data), 0, data[:10_000]); err != nil {
			s.Fatal(err)
		}
		s.update(func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE blob_wanted SET state = $1", []byte("not any more"))
			return err
		})
		if complete, err := s.add(h, len(data), 10_000, data[10_000:]); err != nil || complete {
			s.Errorf("%v, %v", complete, err)
		}
		if complete, err := s.add(h, len(data), 0, data); err != nil || !complete {
			s.Errorf("from the beginning: %v, %v", complete, err)
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	db, err := store.Open(b.Context(), store.Config{DSN: b.TempDir() + "/node.db", Schemas: []store.Schema{blob.Schema()}})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	piece := make([]byte, blob.MaxPiece)
	b.SetBytes(blob.MaxPiece)
	held := int64(0)
	for i := 0; b.Loop(); i++ {
		h := blob.Hash{byte(i / 200), byte(i / 200 >> 8), 1}
		err := db.Update(b.Context(), store.Calm, func(tx *store.Tx) error {
			if i%200 == 0 {
				held = 0
				if err := blob.Want(b.Context(), tx, h, blob.MaxSize, "xs"); err != nil {
					return err
				}
			}
			_, err := blob.Add(b.Context(), tx, h, blob.MaxSize, held, piece)
			held += blob.MaxPiece
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
