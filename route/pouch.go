package route

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
)

// PouchSuffix ends the name of a pouch file, by convention.
const PouchSuffix = ".detente-pouch"

// A pouch file, protocol.md#pouch: the magic line; each bundle behind its length in 4 bytes, big-endian; a length of 0; the SHA-256 of
// all that.
const (
	pouchMagic = "detente-pouch.v1\n"
	lengthSize = 4

	// MaxPouch and MaxPouchBundles limit a pouch file.
	MaxPouch        = 4 << 30
	MaxPouchBundles = 1 << 16
)

// ErrPouch is returned for a file that is not a pouch, or was changed after it was written. A file that ends too early is ErrCut.
var ErrPouch = errors.New("route: not a pouch file")

// Pouch is the route by hand: each bundle becomes a file in a directory, such as a memory stick. There is no way back.
type Pouch struct {
	Dir string
}

// Name implements Route.
func (p Pouch) Name() string { return "pouch" }

// Limit implements Route.
func (p Pouch) Limit() int { return MaxBundle }

// Carry implements Route: after it returned nil the file is on the disk. The file is named after the peer and the bytes, so that the same
// bundle carried again is the same file. Addresses and keys of the peer are not used.
func (p Pouch) Carry(ctx context.Context, peer Peer, sealed []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(sealed)
	path := filepath.Join(p.Dir, string(peer.Party)+"-"+hex.EncodeToString(sum[:8])+PouchSuffix)
	err := WritePouch(path, sealed)
	if errors.Is(err, fs.ErrExist) && holds(path, sealed) {
		err = nil
	}
	return nil, err
}

func holds(path string, sealed []byte) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	n := 0
	for b, err := range ReadPouch(f) {
		if err != nil || string(b) != string(sealed) {
			return false
		}
		n++
	}
	return n == 1
}

// WritePouch writes bundles to a new file. It refuses to overwrite (fs.ErrExist), and after it returned nil the file is on the disk. If the
// process dies here, the path holds nothing or the whole; on a memory stick without hard links, an empty file at worst. Errors: fs.ErrExist,
// ErrLimit, ErrPouch for an empty bundle, those of the file system.
func WritePouch(path string, bundles ...[]byte) error {
	if err := checkPouch(bundles); err != nil {
		return err
	}
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, ".pouch-*")
	if err != nil {
		return fmt.Errorf("route: pouch: %w", err)
	}
	defer os.Remove(temp.Name())
	if err := errors.Join(writePouch(temp, bundles), temp.Sync(), temp.Close()); err != nil {
		return fmt.Errorf("route: pouch: %w", err)
	}
	if err := giveName(temp.Name(), path); err != nil {
		return fmt.Errorf("route: pouch: %w", err)
	}
	return syncDir(dir)
}

// giveName gives a finished file its name, unless the name is taken.
func giveName(temp, path string) error {
	err := os.Link(temp, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// Memory sticks have no hard links: there the name is taken first, with an empty file, and then replaced.
	claim, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	claim.Close()
	if err := os.Rename(temp, path); err != nil {
		os.Remove(path)
		return err
	}
	return nil
}

func checkPouch(bundles [][]byte) error {
	total := 0
	for _, b := range bundles {
		switch {
		case len(b) == 0:
			return fmt.Errorf("%w: an empty bundle", ErrPouch)
		case len(b) > MaxBundle:
			return fmt.Errorf("%w: bundle of %d bytes", ErrLimit, len(b))
		}
		total += len(b) + lengthSize
	}
	if len(bundles) > MaxPouchBundles || total > MaxPouch {
		return fmt.Errorf("%w: %d bundles of %d bytes", ErrLimit, len(bundles), total)
	}
	return nil
}

func writePouch(w io.Writer, bundles [][]byte) error {
	sum := sha256.New()
	out := bufio.NewWriter(io.MultiWriter(w, sum))
	out.WriteString(pouchMagic)
	for _, b := range bundles {
		out.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
		out.Write(b)
	}
	out.Write(make([]byte, lengthSize))
	if err := out.Flush(); err != nil { // a bufio.Writer keeps the first error
		return err
	}
	_, err := w.Write(sum.Sum(nil))
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("route: pouch: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("route: pouch: %w", err)
	}
	return nil
}

// ReadPouch gives the bundles of a pouch file one after another, and holds one of them in memory at a time. Bundles before a fault are
// given, since each proves itself and can be taken in any order; then comes the error, and nothing after it: ErrPouch, ErrLimit, ErrCut for a
// copy that is not complete, or that of the reader.
func ReadPouch(file io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		p := &pouchReader{in: bufio.NewReader(file), sum: sha256.New(), left: MaxPouch}
		if magic, err := p.take(len(pouchMagic)); err != nil || string(magic) != pouchMagic {
			if err == nil {
				err = ErrPouch
			}
			yield(nil, err)
			return
		}
		for n := 0; ; n++ {
			b, err := p.next(n)
			if err == io.EOF {
				return
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

type pouchReader struct {
	in   *bufio.Reader
	sum  hash.Hash // of everything read so far
	left int       // bytes that may still come
}

// next returns bundle n, or io.EOF behind the last when the file is whole.
func (p *pouchReader) next(n int) ([]byte, error) {
	head, err := p.take(lengthSize)
	if err != nil {
		return nil, err
	}
	size := int(binary.BigEndian.Uint32(head))
	if size == 0 {
		return nil, p.end()
	}
	p.left -= lengthSize + size
	if size > MaxBundle || n >= MaxPouchBundles || p.left < 0 {
		return nil, fmt.Errorf("%w: bundle %d of %d bytes", ErrLimit, n, size)
	}
	return p.take(size)
}

func (p *pouchReader) end() error {
	want := p.sum.Sum(nil)
	got, err := p.take(len(want))
	if err != nil {
		return err
	}
	if string(got) != string(want) {
		return fmt.Errorf("%w: changed after it was written", ErrPouch)
	}
	if _, err := p.in.ReadByte(); err != io.EOF {
		return fmt.Errorf("%w: bytes follow its end", ErrPouch)
	}
	return io.EOF
}

// take reads n bytes. It grows as they come, so that a length that lies costs little.
func (p *pouchReader) take(n int) ([]byte, error) {
	b, err := readBundle(io.LimitReader(p.in, int64(n)), int64(n))
	if err != nil {
		return nil, fmt.Errorf("route: pouch: %w", err)
	}
	if len(b) < n {
		return nil, fmt.Errorf("route: pouch: %w", ErrCut)
	}
	p.sum.Write(b)
	return b, nil
}
