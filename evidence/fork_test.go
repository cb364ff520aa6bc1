package evidence_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"detente/evidence"
	"detente/feed"
	"detente/party"
	"detente/store"
	"detente/store/storetest"
	"detente/traffic"
)

// other is the same world with another history of the same feed: what xn shows to somebody else.
func (w *world) other(t *testing.T) *world {
	o := *w
	o.db = storetest.Open(t, feed.Schema())
	return &o
}

// history logs so many entries, the first common of which are the same in every history.
func (w *world) history(name string, common, size int) {
	for i := range size {
		if i < common {
			w.logs(fmt.Appendf(nil, "entry %d", i))
		} else {
			w.logs(fmt.Appendf(nil, "entry %d of %s", i, name))
		}
	}
}

// convict compares the history held with a checkpoint that somebody else was shown; nil when they agree.
func (w *world) convict(shown feed.Checkpoint) *feed.Fork {
	w.t.Helper()
	ctx := context.Background()
	c := w.checkpoint()
	err := w.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		h, err := feed.Find(ctx, tx, w.feed)
		if err != nil {
			return err
		}
		return h.SaveCheckpoint(ctx, tx, c, feed.Lines(w.signed(c)))
	})
	if err != nil {
		w.t.Fatal(err)
	}
	var f *feed.Fork
	w.view(func(ctx context.Context, tx *store.Tx, h *feed.Head) (err error) {
		f, err = h.Convict(ctx, tx, shown, w.signed(shown), w.xn.charters())
		return err
	})
	return f
}

// Northland shows two histories of one feed. Whoever holds one of them and was shown a checkpoint of the other convicts it.
func TestForkConvicts(t *testing.T) {
	for _, test := range []struct{ common, small, large int }{{0, 1, 1}, {0, 1, 2}, {2, 3, 3}, {2, 4, 7}, {0, 8, 9}, {5, 6, 13}, {12, 13, 20}} {
		t.Run(fmt.Sprintf("%d of %d and %d in common", test.common, test.small, test.large), func(t *testing.T) {
			w := newWorld(t)
			shown := w.other(t)
			w.history("one", test.common, test.large)
			shown.history("another", test.common, test.small)
			f := w.convict(shown.checkpoint())
			if f == nil {
				t.Fatal("no fork was found")
			}
			c, err := w.reader("xn").Fork(encoded(t, f))
			if err != nil {
				t.Fatal(err)
			}
			if c.Result != evidence.Proved || c.Party != "xn" || c.Smaller.Size != int64(test.small) || c.Larger.Size != int64(test.large) ||
				c.Feed != w.feed.Origin() || len(c.Keys) != 2 || len(c.RestsOn) != 1 {
				t.Errorf("conviction %+v", c)
			}
		})
	}
}

// An honest party cannot be convicted, whatever is put into the object.
func TestNoFork(t *testing.T) {
	honest := func(t *testing.T) (w *world, f *feed.Fork) {
		w = newWorld(t)
		w.history("one", 0, 5)
		c := w.checkpoint()
		w.history("one more", 0, 4)
		f = &feed.Fork{Feed: w.feed, Smaller: w.signed(c), Larger: w.signed(w.checkpoint()), Charters: w.xn.charters()}
		w.view(func(ctx context.Context, tx *store.Tx, h *feed.Head) error {
			path, err := h.Consistency(ctx, tx, 5, 9)
			f.Path = feed.Path[[32]byte](path)
			return err
		})
		return w, f
	}
	forked := func(t *testing.T) (w *world, f *feed.Fork) {
		w = newWorld(t)
		shown := w.other(t)
		w.history("one", 2, 9)
		shown.history("another", 2, 5)
		return w, w.convict(shown.checkpoint())
	}
	for _, test := range []struct {
		name  string
		story func(t *testing.T) (*world, *feed.Fork)
		alter func(t *testing.T, w *world, f *feed.Fork)
		code  string
		is    error
	}{
		{"a tree and its continuation", honest, func(*testing.T, *world, *feed.Fork) {}, "no-fork", evidence.ErrNoFork},
		{"the same checkpoint twice", honest, func(_ *testing.T, _ *world, f *feed.Fork) { f.Larger, f.Path = f.Smaller, nil }, "no-fork", evidence.ErrNoFork},
		{"the larger before the smaller", honest, func(_ *testing.T, _ *world, f *feed.Fork) {
			f.Larger, f.Smaller = f.Smaller, f.Larger
		}, "no-fork", evidence.ErrNoFork},
		{"a path where the sizes are equal", func(t *testing.T) (*world, *feed.Fork) {
			w := newWorld(t)
			shown := w.other(t)
			w.history("one", 2, 5)
			shown.history("another", 2, 5)
			return w, w.convict(shown.checkpoint())
		}, func(_ *testing.T, _ *world, f *feed.Fork) { f.Path = [][32]byte{{}} }, "no-fork", evidence.ErrNoFork},
		{"a checkpoint with ML-DSA-44 alone", forked, func(_ *testing.T, w *world, f *feed.Fork) {
			f.Larger = w.checkpoint().Note(w.line(w.checkpoint().Sign(w.xn.ring.CheckpointPQ, noon)))
		}, "checkpoint-signature", evidence.ErrCheckpoint},
		{"an invented path", honest, func(_ *testing.T, _ *world, f *feed.Fork) { f.Path[0][0] ^= 1 }, "no-fork", evidence.ErrNoFork},
		{"no path", forked, func(_ *testing.T, _ *world, f *feed.Fork) { f.Path = nil }, "no-fork", evidence.ErrNoFork},
		{"a path of the smaller tree's own continuation", forked, func(t *testing.T, w *world, f *feed.Fork) {
			// It folds to the smaller signed root and to some larger one, which the party never signed: anyone can invent that.
			shown := w.other(t)
			shown.history("another", 2, 5)
			shown.history("an invention", 0, 4)
			shown.view(func(ctx context.Context, tx *store.Tx, h *feed.Head) error {
				path, err := h.Consistency(ctx, tx, 5, 9)
				f.Path = feed.Path[[32]byte](path)
				return err
			})
		}, "no-fork", evidence.ErrNoFork},
		{"a checkpoint that the party did not sign", forked, func(_ *testing.T, w *world, f *feed.Fork) {
			c := w.checkpoint()
			c.Root[0] ^= 1
			f.Smaller = c.Note(w.line(c.Sign(stranger(w.t, -19), noon)))
		}, "checkpoint-signature", evidence.ErrCheckpoint},
		{"a checkpoint of another feed", forked, func(_ *testing.T, w *world, f *feed.Fork) {
			c := w.checkpoint()
			c.Feed.Precedence = traffic.Flash
			f.Smaller = w.signed(c)
		}, "origin", evidence.ErrOrigin},
		{"a checkpoint that is no note", forked, func(_ *testing.T, _ *world, f *feed.Fork) { f.Larger = "" }, "note", nil},
		{"a feed that cannot be", forked, func(_ *testing.T, _ *world, f *feed.Fork) { f.Feed.Party = "\x1b[2J" }, "proof-shape", evidence.ErrShape},
		{"a party that nobody knows", forked, func(_ *testing.T, w *world, _ *feed.Fork) { w.xn = found(w.t, "xn") }, "checkpoint-signature", evidence.ErrCheckpoint},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, f := test.story(t)
			test.alter(t, w, f)
			c, err := w.reader("xn").Fork(encoded(t, f))
			var refusal *evidence.Refusal
			if !errors.As(err, &refusal) || refusal.Code() != test.code || test.is != nil && !errors.Is(err, test.is) {
				t.Fatalf("refused with %v, want %s", err, test.code)
			}
			if c.Result != evidence.Refused || c.Reason != test.code {
				t.Errorf("conviction %+v", c)
			}
		})
	}
	t.Run("nobody is trusted", func(t *testing.T) {
		w, f := forked(t)
		c, err := w.reader().Fork(encoded(t, f))
		if !errors.Is(err, evidence.ErrUntrusted) || c.Compare == nil || c.Compare.Party != "xn" {
			t.Errorf("%v, %+v", err, c)
		}
	})
	t.Run("no object at all", func(t *testing.T) {
		if _, err := newWorld(t).reader("xn").Fork([]byte{0xa0}); !errors.Is(err, evidence.ErrShape) {
			t.Error(err)
		}
	})
}

// A party cannot leave its fork behind by taking new keys. The verdict names the withdrawn key; when that key alone has signed a side, it
// says that a thief may have.
func TestForkBeforeRotation(t *testing.T) {
	w := newWorld(t)
	shown := w.other(t)
	w.history("one", 1, 4)
	shown.history("another", 1, 3)
	at := shown.checkpoint()
	both, alone := w.signed(at), at.Note(w.line(at.Sign(w.xn.ring.Checkpoint, noon)))
	stolen := w.xn.ring.Checkpoint.ID().String()
	w.xn.rotate(party.Withdrawal{Since: noon, Reason: "stolen"}, "node/checkpoint")
	f := w.convict(at)
	for _, test := range []struct {
		name, note, says string
		keys             int
		doubtful         bool
	}{
		{"signed by a key that nobody stole too", both, "xn has signed two histories", 3, false},
		{"signed by the stolen key alone", alone, "withdrawn keys of xn have signed one of two histories", 3, true},
	} {
		f.Smaller = test.note
		c, err := w.reader("xn").Fork(encoded(t, f))
		if err != nil {
			t.Fatal(err)
		}
		var withdrawn []string
		for _, k := range c.Keys {
			if k.Withdrawn.Equal(noon) {
				withdrawn = append(withdrawn, k.ID)
			}
		}
		if len(c.Keys) != test.keys || !slices.Equal(withdrawn, []string{stolen}) || c.Doubtful != test.doubtful || hasNote(c.Notes, "or a thief") != test.doubtful {
			t.Errorf("%s: keys %+v, doubtful %t, notes %q", test.name, c.Keys, c.Doubtful, c.Notes)
		}
		var out strings.Builder
		if err := c.Print(&out); err != nil || !strings.HasPrefix(out.String(), "PROVED  "+test.says) || !strings.Contains(out.String(), stolen+", withdrawn since") {
			t.Errorf("%s: %v\n%s", test.name, err, out.String())
		}
	}
}

func FuzzFork(f *testing.F) {
	var w *world
	seed := func(t *testing.T) []byte {
		w = newWorld(t)
		shown := w.other(t)
		w.history("one", 2, 7)
		shown.history("another", 2, 5)
		return encoded(t, w.convict(shown.checkpoint()))
	}
	fuzzFile(f, seed, func(t *testing.T, b []byte) {
		c, err := w.reader("xn").Fork(b)
		if c == nil || (err == nil) != (c.Result == evidence.Proved) {
			t.Fatalf("%+v, %v", c, err)
		}
		if err == nil && (c.Party != "xn" || c.Smaller.Size != 5 || c.Larger.Size != 7) {
			t.Fatalf("convicted of what never happened: %+v", c)
		}
		if err := c.Print(discard{t}); err != nil {
			t.Fatal(err)
		}
	})
}
