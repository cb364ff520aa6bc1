package feed

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"detente/store"
	"detente/traffic"

	"golang.org/x/mod/sumdb/tlog"
	"golang.org/x/sync/errgroup"
)

// tileHeight is the levels of a tile, so that it is tileWidth wide.
const tileHeight = 8

// ExportTiles writes a feed into a directory as C2SP tlog-tiles lays it out, protocol.md#tiles: hash tiles, entry bundles, partial ones
// included, and the newest checkpoint that its party signed, with all cosignatures of it. What it writes is public: whether the channel is open is
// for the caller to know. Errors: ErrNoEntry when nothing is signed yet, ErrOrigin when the directory holds another feed.
//
// It can be called again as the feed grows; a file that is there is not written again, because none but the checkpoint ever changes. The
// checkpoint comes last: if the process dies before, the directory shows the tree that it showed, and what was written of the next one stays whole.
func ExportTiles(ctx context.Context, tx *store.Tx, h *Head, dir string) error {
	c, lines, err := h.LastSigned(ctx, tx)
	if err != nil {
		return err
	}
	if err := claim(dir, h.Feed); err != nil {
		return err
	}
	receipts, err := h.ReceiptsAt(ctx, tx, c.Size)
	if err != nil {
		return err
	}
	for _, r := range receipts {
		lines += r.Line
	}
	w := writer{dir: dir}
	w.group.SetLimit(8)
	for _, t := range tlog.NewTiles(tileHeight, 0, c.Size) {
		err = w.once(tilePath(t), func() ([]byte, error) { return tlog.ReadTileData(t, h.tree(ctx, tx)) })
		if err == nil && t.L == 0 {
			t.L = -1
			err = w.once(tilePath(t), func() ([]byte, error) { return h.entryBundle(ctx, tx, t) })
		}
		if err != nil {
			break
		}
	}
	if err = errors.Join(err, w.group.Wait()); err == nil {
		err = replace(filepath.Join(dir, "checkpoint"), []byte(c.Note(lines)))
	}
	if err != nil {
		return fmt.Errorf("feed: export: %w", err)
	}
	return nil
}

// claim makes the directory, or sees that it is this feed's: files that are there would else be taken for its own.
func claim(dir string, f traffic.Feed) error {
	b, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if errors.Is(err, fs.ErrNotExist) {
		err = os.MkdirAll(dir, 0o755)
	} else if err == nil {
		if n, bad := ReadNote(string(b)); bad != nil || n.Feed != f {
			err = fmt.Errorf("%w: %s", ErrOrigin, dir)
		}
	}
	if err != nil {
		return fmt.Errorf("feed: export: %w", err)
	}
	return nil
}

// tilePath is where a tile stands; level -1 is the entries.
func tilePath(t tlog.Tile) string {
	path := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", tileHeight))
	if rest, ok := strings.CutPrefix(path, "data/"); ok {
		path = "entries/" + rest
	}
	return "tile/" + path
}

// entryBundle is the entries under a tile of level 0, each after its length in two bytes: no entry is longer than they can say.
func (h *Head) entryBundle(ctx context.Context, tx *store.Tx, t tlog.Tile) ([]byte, error) {
	var b []byte
	first := t.N * tileWidth
	err := h.Range(ctx, tx, first, first+int64(t.W), func(e Entry) bool {
		b = binary.BigEndian.AppendUint16(b, uint16(len(e.Bytes)))
		b = append(b, e.Bytes...)
		return true
	})
	return b, err
}

// writer writes files, several at a time: each waits for the disk, which serves them together.
type writer struct {
	dir   string
	group errgroup.Group
}

// once writes a file unless it is there.
func (w *writer) once(path string, contents func() ([]byte, error)) error {
	name := filepath.Join(w.dir, filepath.FromSlash(path))
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	b, err := contents()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	w.group.Go(func() error { return replace(name, b) })
	return nil
}

// replace puts a whole file in place at once: under its name stands the old file or the new one, whenever the process or the machine dies.
func replace(name string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // in vain when it was renamed
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
