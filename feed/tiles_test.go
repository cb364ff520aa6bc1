package feed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"detente/feed"
	"detente/key"
	"detente/store"

	"filippo.io/torchwood"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// What a feed of an open channel exports is read by the tools of others, none of which knows anything of Detente.

func (a *author) export(dir string) (err error) {
	a.view(func(ctx context.Context, tx *store.Tx, h *feed.Head) { err = feed.ExportTiles(ctx, tx, h, dir) })
	return err
}

// log is a verifier of the author's Ed25519 signature as any reader of signed notes has it.
func (a *author) log() note.Verifier {
	a.t.Helper()
	encoded, err := note.NewEd25519VerifierKey(a.feed.Origin(), a.quick.Public().Bytes)
	if err != nil {
		a.t.Fatal(err)
	}
	v, err := note.NewVerifier(encoded)
	if err != nil {
		a.t.Fatal(err)
	}
	return v
}

// policy accepts checkpoints of the feed that its author signed.
func (a *author) policy() torchwood.Policy {
	return torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(a.feed.Origin()), torchwood.SingleVerifierPolicy(a.log()))
}

func TestExportIsReadByOthers(t *testing.T) {
	a := newAuthor(t)
	dir := filepath.Join(t.TempDir(), "feed")
	for _, size := range []int64{1, 255, 256, 257, 700} { // in one directory, as the feed grows
		a.grow(size)
		a.sign()
		if err := a.export(dir); err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprintf("%d entries", size), func(t *testing.T) {
			t.Run("tessera fsck", func(t *testing.T) { fscked(t, a, dir) })
			t.Run("torchwood", func(t *testing.T) { read(t, a, dir, size) })
		})
	}
}

// fscked has Tessera rebuild the whole tree from the entries and compare every tile. A worker of fsck that fails leaves the others waiting,
// hence the deadline.
func fscked(t *testing.T, a *author, dir string) {
	hash := func(bundle []byte) ([][]byte, error) {
		var b api.EntryBundle
		if err := b.UnmarshalText(bundle); err != nil {
			return nil, err
		}
		var out [][]byte
		for _, e := range b.Entries {
			h := tlog.RecordHash(e)
			out = append(out, h[:])
		}
		return out, nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- fsck.New(a.feed.Origin(), a.log(), client.FileFetcher{Root: dir}, hash, fsck.Opts{N: 8}).Check(ctx)
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-ctx.Done():
		t.Error("no answer within a minute")
	}
}

// read has torchwood verify the checkpoint, read every entry against its tree, and verify a proof of one.
func read(t *testing.T, a *author, dir string, size int64) {
	tiles, err := torchwood.NewTileFS(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := tiles.ReadEndpoint(t.Context(), "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	policy := a.policy()
	c, _, err := torchwood.VerifyCheckpoint(signed, policy)
	if err != nil || c.N != size || c.Hash != a.root(size) {
		t.Fatalf("checkpoint %+v, %v", c, err)
	}
	reader, err := torchwood.NewClient(tiles)
	if err != nil {
		t.Fatal(err)
	}
	next := int64(0)
	for i, b := range reader.AllEntries(t.Context(), c.Tree, 0) {
		if i != next || !bytes.Equal(b, entry(i)) {
			t.Fatalf("entry %d is %q, after %d", i, b, next-1)
		}
		next++
	}
	if err := reader.Err(); err != nil || next != size {
		t.Fatalf("%d of %d entries read: %v", next, size, err)
	}
	for _, index := range []int64{0, size / 2, size - 1} {
		b, proof, err := reader.Entry(t.Context(), c.Tree, index)
		if err != nil || !bytes.Equal(b, entry(index)) {
			t.Fatalf("entry %d: %q, %v", index, b, err)
		}
		var ours []tlog.Hash
		a.view(func(ctx context.Context, tx *store.Tx, h *feed.Head) { ours, err = h.Inclusion(ctx, tx, index, size) })
		if err != nil || !slices.Equal(ours, []tlog.Hash(proof)) {
			t.Errorf("proof of %d: %v, %v; torchwood has %v", index, ours, err, proof)
		}
		text := torchwood.FormatProof(index, ours, signed)
		if err := torchwood.VerifyProof(policy, tlog.RecordHash(b), text); err != nil {
			t.Errorf("proof of %d: %v", index, err)
		}
		if err := torchwood.VerifyProof(policy, tlog.RecordHash(entry(index+1)), text); err == nil {
			t.Errorf("entry %d is proved at %d", index+1, index)
		}
	}
}

// The checkers above would see a file that is wrong.
func TestDamagedExportIsNoticed(t *testing.T) {
	a := newAuthor(t)
	dir := t.TempDir()
	a.grow(300)
	a.sign()
	if err := a.export(dir); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "tile", "entries", "001.p", "44")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
	tiles, err := torchwood.NewTileFS(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	reader, err := torchwood.NewClient(tiles)
	if err != nil {
		t.Fatal(err)
	}
	for range reader.AllEntries(t.Context(), tlog.Tree{N: 300, Hash: a.root(300)}, 0) {
	}
	if reader.Err() == nil {
		t.Error("a changed entry was read")
	}
}

// An export shows what is signed: not what came after, and all who cosigned it.
func TestExportShowsWhatIsSigned(t *testing.T) {
	a := newAuthor(t)
	dir := t.TempDir()
	a.grow(10)
	if err := a.export(dir); !errors.Is(err, feed.ErrNoEntry) {
		t.Errorf("exported unsigned: %v", err)
	}
	a.sign()
	mirror := secret(t, key.Ed25519, "mirror")
	c := a.head()
	receipt := feed.Signed{Mirror: "xs", Algorithm: key.Ed25519, Key: mirror.ID(), At: noon, Line: line(t)(c.Cosign("xs", mirror, noon))}
	a.update(func(ctx context.Context, tx *store.Tx) error {
		h, err := feed.Find(ctx, tx, a.feed)
		if err != nil {
			return err
		}
		return h.SaveReceipt(ctx, tx, c.Size, receipt)
	})
	a.grow(300)
	if err := a.export(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	shown, signed, err := feed.OpenCheckpoint(string(text), feed.Candidate{Key: verifier(t, a.quick)}, feed.Candidate{Key: verifier(t, a.slow)},
		feed.Candidate{Mirror: "xs", Key: verifier(t, mirror)})
	if err != nil || shown != c || len(signed) != 3 {
		t.Errorf("%+v, %d signatures, %v", shown, len(signed), err)
	}
	var files []string
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			path, err = filepath.Rel(dir, path)
			files = append(files, filepath.ToSlash(path))
		}
		return err
	})
	if want := []string{"checkpoint", "tile/0/000.p/10", "tile/entries/000.p/10"}; err != nil || !slices.Equal(files, want) {
		t.Errorf("files %q, %v", files, err)
	}
	a.feed.Epoch++ // another feed does not mix with it
	a.hashes, a.size = nil, 0
	a.grow(1)
	a.sign()
	if err := a.export(dir); !errors.Is(err, feed.ErrOrigin) {
		t.Errorf("two feeds in one directory: %v", err)
	}
}
