package feed_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"detente/feed"
	"detente/traffic"
)

// marked is a directory of marks as a process after another opens it.
type marked struct {
	t   *testing.T
	dir string
	*feed.Marks
}

func openMarks(t *testing.T) *marked {
	m := &marked{t: t, dir: t.TempDir()}
	m.again()
	t.Cleanup(func() { m.Close() })
	return m
}

// again is the next process.
func (m *marked) again() {
	m.t.Helper()
	if m.Marks != nil {
		if err := m.Close(); err != nil {
			m.t.Fatal(err)
		}
	}
	var err error
	if m.Marks, err = feed.OpenMarks(m.dir); err != nil {
		m.t.Fatal(err)
	}
}

func (m *marked) set(c feed.Checkpoint) {
	m.t.Helper()
	if err := m.Set(c); err != nil {
		m.t.Fatal(err)
	}
}

// file is the one file of marks.
func (m *marked) file() string {
	m.t.Helper()
	names, err := filepath.Glob(filepath.Join(m.dir, "*.mark"))
	if err != nil || len(names) != 1 {
		m.t.Fatalf("files %q, %v", names, err)
	}
	return names[0]
}

// damage overwrites part of a slot, as a write that did not end would.
func (m *marked) damage(slot int) {
	m.t.Helper()
	b, err := os.ReadFile(m.file())
	if err != nil {
		m.t.Fatal(err)
	}
	copy(b[slot*512+20:], "torn")
	if err := os.WriteFile(m.file(), b, 0o600); err != nil {
		m.t.Fatal(err)
	}
}

func mark(size int64) feed.Checkpoint {
	f := traffic.Feed{Party: "xn", Plane: traffic.Real, Precedence: traffic.Flash}
	return feed.Checkpoint{Feed: f, Size: size, Root: [32]byte{byte(size)}}
}

func TestMarksOutliveTheProcess(t *testing.T) {
	m := openMarks(t)
	if c := m.Last(mark(1).Feed); c.Size != 0 || len(m.All()) != 0 {
		t.Errorf("a mark of nothing: %+v", c)
	}
	for size := int64(1); size <= 5; size++ {
		m.set(mark(size))
		m.again()
		if c := m.Last(mark(1).Feed); c != mark(size) {
			t.Fatalf("after %d: %+v", size, c)
		}
	}
	other := mark(3)
	other.Feed.Epoch = 1
	m.set(other)
	m.again()
	if len(m.All()) != 2 || m.Last(other.Feed) != other || m.Last(mark(1).Feed) != mark(5) {
		t.Errorf("marks %+v", m.All())
	}
}

// The database was restored from an old copy: what it would sign now was signed before, perhaps otherwise.
func TestBehindTheMark(t *testing.T) {
	m := openMarks(t)
	m.set(mark(7))
	forked := mark(7)
	forked.Root[1] = 1
	for _, c := range []feed.Checkpoint{mark(6), forked, mark(0)} {
		if err := m.Set(c); !errors.Is(err, feed.ErrBehind) {
			t.Errorf("size %d, root %x: %v", c.Size, c.Root[:2], err)
		}
	}
	m.set(mark(7)) // the same once more is no harm
	m.again()
	if c := m.Last(mark(1).Feed); c != mark(7) {
		t.Errorf("the mark moved: %+v", c)
	}
	m.set(mark(8))
}

// A write that did not end spoils one slot, and the other holds the mark before it.
func TestTornSlot(t *testing.T) {
	m := openMarks(t)
	m.set(mark(1)) // slot 0
	m.set(mark(2)) // slot 1
	m.set(mark(3)) // slot 0
	m.damage(0)
	m.again()
	if c := m.Last(mark(1).Feed); c != mark(2) {
		t.Fatalf("after the newest was torn: %+v", c)
	}
	m.set(mark(4)) // over the torn one
	m.again()
	if c := m.Last(mark(1).Feed); c != mark(4) {
		t.Fatalf("after the next: %+v", c)
	}
	m.damage(1) // the older one
	m.again()
	if c := m.Last(mark(1).Feed); c != mark(4) {
		t.Fatalf("after the older was torn: %+v", c)
	}
	m.damage(0)
	if _, err := feed.OpenMarks(m.dir); err == nil {
		t.Error("opened without one whole slot: nobody would know what was signed")
	}
}

// A file cut short is no mark of a smaller size.
func TestMarkCutShort(t *testing.T) {
	m := openMarks(t)
	m.set(mark(1))
	if err := os.Truncate(m.file(), 100); err != nil {
		t.Fatal(err)
	}
	if _, err := feed.OpenMarks(m.dir); err == nil {
		t.Error("opened")
	}
}
