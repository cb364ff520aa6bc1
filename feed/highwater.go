package feed

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"detente/traffic"
)

// ErrBehind means that the database holds less of an own feed than was signed: it was restored from an old copy. Nothing may be appended
// until the missing entries have been fetched from the other members, else the feed would fork.
var ErrBehind = errors.New("feed: the database is behind what was signed; run recover before anything is said")

// Marks keeps, beside the keys and outside the database, the size and root last signed of each own feed. A database restored from an old
// copy does not bring them back with it.
//
// A mark is written before the checkpoint leaves the process (Raise), so it outlives the process; it reaches the disk within a second (Sync), so a
// power cut loses at most marks that lie behind a database which itself lost nothing: such marks raise no false alarm and miss only a copy
// younger than a second.
type Marks struct {
	dir string

	mu    sync.Mutex
	files map[traffic.Feed]*markFile // guarded by mu
}

type markFile struct {
	f     *os.File
	mark  Checkpoint
	slot  int64
	dirty bool
}

// slotSize is one disk sector: a slot is written whole or not at all, and the older of the two slots stays whole in any case.
const slotSize = 512

// OpenMarks reads the marks of a directory, making it if need be.
func OpenMarks(dir string) (*Marks, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("feed: marks: %w", err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.mark"))
	if err != nil {
		return nil, fmt.Errorf("feed: marks: %w", err)
	}
	m := &Marks{dir: dir, files: make(map[traffic.Feed]*markFile)}
	for _, name := range names {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			m.Close()
			return nil, fmt.Errorf("feed: marks: %w", err)
		}
		mf := &markFile{f: f}
		if err := mf.read(); err != nil {
			f.Close()
			m.Close()
			return nil, fmt.Errorf("feed: mark %s: %w", filepath.Base(name), err)
		}
		m.files[mf.mark.Feed] = mf
	}
	return m, nil
}

func (mf *markFile) read() error {
	b := make([]byte, 2*slotSize)
	n, _ := mf.f.ReadAt(b, 0)
	b = b[:n]
	found := false
	for slot := int64(0); int(slot+1)*slotSize <= len(b); slot++ {
		text, _, _ := strings.Cut(string(b[slot*slotSize:(slot+1)*slotSize]), "\x00")
		body, sum, ok := strings.Cut(text, "\n\n")
		h := sha256.Sum256([]byte(body + "\n"))
		if !ok || sum != hex.EncodeToString(h[:]) {
			continue
		}
		c, err := ParseCheckpoint(body + "\n")
		if err == nil && (!found || c.Size > mf.mark.Size) {
			mf.mark, mf.slot, found = c, slot, true
		}
	}
	if !found {
		return errors.New("neither slot is whole; restore the file, or remove it if every member's copy was fetched")
	}
	return nil
}

// Last is the mark of a feed; Size 0 when there is none.
func (m *Marks) Last(f traffic.Feed) Checkpoint {
	m.mu.Lock()
	defer m.mu.Unlock()
	if mf := m.files[f]; mf != nil {
		return mf.mark
	}
	return Checkpoint{Feed: f}
}

// All lists every mark.
func (m *Marks) All() []Checkpoint {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Checkpoint
	for _, mf := range m.files {
		out = append(out, mf.mark)
	}
	return out
}

// Raise is Set for a checkpoint about to leave the process, which may be smaller than one that has left already.
func (m *Marks) Raise(c Checkpoint) error {
	if m.Last(c.Feed).Size >= c.Size {
		return nil
	}
	return m.Set(c)
}

// Set records that the checkpoint was signed. A smaller size than the mark's is ErrBehind, and the mark stays.
func (m *Marks) Set(c Checkpoint) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	mf := m.files[c.Feed]
	if mf == nil {
		h := sha256.Sum256([]byte(c.Feed.Origin()))
		f, err := os.OpenFile(filepath.Join(m.dir, hex.EncodeToString(h[:16])+".mark"), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return fmt.Errorf("feed: mark: %w", err)
		}
		mf = &markFile{f: f, slot: 1}
		m.files[c.Feed] = mf
	}
	if c.Size < mf.mark.Size || c.Size == mf.mark.Size && c.Size > 0 && c.Root != mf.mark.Root {
		return fmt.Errorf("%w (%s: signed %s, now %d)", ErrBehind, c.Feed.Origin(), strconv.FormatInt(mf.mark.Size, 10), c.Size)
	}
	sum := sha256.Sum256([]byte(c.Text()))
	b := make([]byte, slotSize)
	if copy(b, c.Text()+"\n"+hex.EncodeToString(sum[:])) == slotSize {
		return fmt.Errorf("feed: mark: %w", ErrOrigin)
	}
	slot := 1 - mf.slot
	if _, err := mf.f.WriteAt(b, slot*slotSize); err != nil {
		return fmt.Errorf("feed: mark: %w", err)
	}
	mf.mark, mf.slot, mf.dirty = c, slot, true
	return nil
}

// Sync brings every mark that has changed to the disk.
func (m *Marks) Sync() error {
	m.mu.Lock()
	var dirty []*markFile
	for _, mf := range m.files {
		if mf.dirty {
			mf.dirty = false
			dirty = append(dirty, mf)
		}
	}
	m.mu.Unlock()
	for _, mf := range dirty {
		if err := mf.f.Sync(); err != nil {
			return fmt.Errorf("feed: marks: %w", err)
		}
	}
	return nil
}

// Close syncs and closes the files.
func (m *Marks) Close() error {
	err := m.Sync()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, mf := range m.files {
		err = errors.Join(err, mf.f.Close())
	}
	m.files = nil
	return err
}
