package feed_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"detente/feed"
	"detente/key"
	"detente/store"

	"golang.org/x/mod/sumdb/tlog"
)

// A party that has signed another root of any smaller size is convicted by whoever holds the larger tree; one that has not never is.
func TestEverySizeConvicts(t *testing.T) {
	const most = 20
	a := newAuthor(t)
	candidates := []feed.Candidate{{Key: verifier(t, a.quick)}, {Key: verifier(t, a.slow)}}
	for large := int64(1); large <= most; large++ {
		a.grow(large)
		a.sign()
		a.view(func(ctx context.Context, tx *store.Tx, h *feed.Head) {
			for small := int64(1); small <= large; small++ {
				honest := feed.Checkpoint{Feed: a.feed, Size: small, Root: a.root(small)}
				if f, err := h.Convict(ctx, tx, honest, honest.Note(line(t)(honest.Sign(a.quick, noon))), nil); f != nil || err != nil {
					t.Fatalf("%d and %d agree, and yet: %v, %v", small, large, f, err)
				}
				other := honest
				other.Root[0] ^= 1
				f, err := h.Convict(ctx, tx, other, other.Note(line(t)(other.Sign(a.quick, noon))), nil)
				if err != nil || f == nil {
					t.Fatalf("%d and %d: %v", small, large, err)
				}
				// The object travels, and convicts anywhere.
				b, err := f.Encode()
				if err != nil {
					t.Fatal(err)
				}
				if f, err = feed.DecodeFork(b); err != nil {
					t.Fatal(err)
				}
				one, two, err := f.Convicts(candidates...)
				if err != nil || one != other || two.Size < small || two.Root != a.root(two.Size) {
					t.Fatalf("%d and %d: %+v, %+v, %v", small, large, one, two, err)
				}
				// With the honest note in its place, the same path shows that nothing is wrong.
				f.Smaller = honest.Note(line(t)(honest.Sign(a.quick, noon)))
				if _, _, err := f.Convicts(candidates...); !errors.Is(err, feed.ErrNoFork) {
					t.Fatalf("%d and %d: an honest party: %v", small, large, err)
				}
				if two.Size > small {
					f.Path = append(f.Path, [32]byte{})
					if _, _, err := f.Convicts(candidates...); !errors.Is(err, feed.ErrNoFork) {
						t.Fatalf("%d and %d: a hash too many: %v", small, large, err)
					}
				}
			}
			beyond := feed.Checkpoint{Feed: a.feed, Size: large + 1}
			if f, err := h.Convict(ctx, tx, beyond, "", nil); f != nil || err != nil {
				t.Fatalf("of more than is held nothing can be said: %v, %v", f, err)
			}
		})
	}
}

// FuzzForkPath holds that no path convicts an honest party: whatever it is, it does not fold to the larger root and to another smaller one.
func FuzzForkPath(f *testing.F) {
	quick := secret(f, key.Ed25519, "checkpoint")
	b := newBench(f)
	const most = 40
	var hashes memory
	for i := range int64(most) {
		fresh, err := tlog.StoredHashes(i, entry(i), hashes)
		if err != nil {
			f.Fatal(err)
		}
		hashes = append(hashes, fresh...)
	}
	var notes [most + 1]string
	for size := int64(1); size <= most; size++ {
		root, err := tlog.TreeHash(size, hashes)
		if err != nil {
			f.Fatal(err)
		}
		c := feed.Checkpoint{Feed: b.Feed, Size: size, Root: root}
		notes[size] = c.Note(line(f)(c.Sign(quick, noon)))
	}
	proof, err := tlog.ProveTree(13, 7, hashes)
	if err != nil {
		f.Fatal(err)
	}
	var path []byte
	for _, h := range proof {
		path = append(path, h[:]...)
	}
	f.Add(uint8(6), uint8(12), path)
	f.Add(uint8(7), uint8(7), []byte{})
	candidate := feed.Candidate{Key: verifier(f, quick)}
	f.Fuzz(func(t *testing.T, small, large uint8, path []byte) {
		object := feed.Fork{Feed: b.Feed, Smaller: notes[small%most+1], Larger: notes[large%most+1]}
		for p := range slices.Chunk(path[:len(path)/32*32], 32) {
			object.Path = append(object.Path, [32]byte(p))
		}
		if _, _, err := object.Convicts(candidate); !errors.Is(err, feed.ErrNoFork) {
			t.Fatalf("%d and %d: %v", small%most+1, large%most+1, err)
		}
	})
}

// memory is the hashes of a tree, in the order of package tlog.
type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = m[x]
	}
	return out, nil
}

// FuzzProof holds that a proof file or fork object that is read has one spelling, and that whatever it says can be checked without harm.
func FuzzProof(f *testing.F) {
	b := newBench(f)
	note := b.Note(b.own(f, b.quick))
	p := feed.Proof{Feed: b.Feed, Index: 3, Statement: entry(3), Path: [][32]byte{{1}}, Checkpoint: note, Charters: [][]byte{{2}}}
	p.Adoptions = []feed.Adoption{{Index: 4, Statement: entry(4), Path: [][32]byte{{3}}}}
	k := feed.Fork{Feed: b.Feed, Smaller: note, Larger: note, Path: [][32]byte{{1}}}
	for _, seed := range []interface{ Encode() ([]byte, error) }{&p, &k} {
		raw, err := seed.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		same := func(again []byte, err error) {
			if err != nil || string(again) != string(raw) {
				t.Fatalf("%x is written again as %x, %v", raw, again, err)
			}
		}
		if p, err := feed.DecodeProof(raw); err == nil {
			same(p.Encode())
			if b.Included(p.Index, p.Statement, p.Path) == nil {
				t.Fatal("included in a tree that nobody made")
			}
		}
		if k, err := feed.DecodeFork(raw); err == nil {
			same(k.Encode())
			if _, _, err := k.Convicts(b.candidates...); err == nil && k.Feed == b.Feed {
				t.Fatal("convicts a party that signed once")
			}
		}
	})
}
