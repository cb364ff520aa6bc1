package route_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"detente/route"
	"detente/route/routetest"
)

// courier takes along each file that a pouch leaves in its directory and hands it in at the other end.
type courier struct {
	route.Pouch
	t      *testing.T
	accept route.Accept
}

func (c courier) Carry(ctx context.Context, peer route.Peer, sealed []byte) ([]byte, error) {
	answer, err := c.Pouch.Carry(ctx, peer, sealed)
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(c.Dir, string(peer.Party)+"-*"+route.PouchSuffix))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, name := range files {
		for _, b := range readFile(c.t, name) {
			if _, err := c.accept(ctx, b); err != nil {
				c.t.Fatal(err)
			}
		}
		if err := os.Remove(name); err != nil {
			c.t.Fatal(err)
		}
	}
	return answer, nil
}

func readFile(t *testing.T, name string) (bundles [][]byte) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	bundles, err = read(f)
	if err != nil {
		t.Fatal(err)
	}
	return bundles
}

func read(r io.Reader) (bundles [][]byte, err error) {
	for b, err := range route.ReadPouch(r) {
		if err != nil {
			return bundles, err
		}
		bundles = append(bundles, b)
	}
	return bundles, nil
}

func TestPouchIsARoute(t *testing.T) {
	routetest.Test(t, false, func(t *testing.T, accept route.Accept) (route.Route, route.Peer) {
		return courier{route.Pouch{Dir: t.TempDir()}, t, accept}, route.Peer{Party: "xs"}
	})
}

func write(t testing.TB, bundles ...string) (name string, content []byte) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "a"+route.PouchSuffix)
	var list [][]byte
	for _, b := range bundles {
		list = append(list, []byte(b))
	}
	if err := route.WritePouch(name, list...); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return name, content
}

func TestAPouchHoldsSeveralBundles(t *testing.T) {
	name, _ := write(t, "one", "two", strings.Repeat("3", 100_000))
	got := readFile(t, name)
	if len(got) != 3 || string(got[0]) != "one" || string(got[1]) != "two" || len(got[2]) != 100_000 {
		t.Errorf("%d bundles, first %q", len(got), got[0])
	}
}

func TestAPouchIsNeverOverwritten(t *testing.T) {
	name, before := write(t, "one")
	if err := route.WritePouch(name, []byte("two")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v, want %v", err, fs.ErrExist)
	}
	after, err := os.ReadFile(name)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed: %v", err)
	}
	files, err := os.ReadDir(filepath.Dir(name))
	if err != nil || len(files) != 1 {
		t.Errorf("files left behind: %v, %v", files, err)
	}

	// Carrying the same again is the same file; but a file of that name with something else in it is not taken for it.
	p := route.Pouch{Dir: t.TempDir()}
	for range 2 {
		if _, err := p.Carry(t.Context(), route.Peer{Party: "xs"}, []byte("one")); err != nil {
			t.Error(err)
		}
	}
	files, err = os.ReadDir(p.Dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	if err := os.Truncate(filepath.Join(p.Dir, files[0].Name()), 0); err != nil { // as a crash may leave it
		t.Fatal(err)
	}
	if _, err := p.Carry(t.Context(), route.Peer{Party: "xs"}, []byte("one")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v, want %v", err, fs.ErrExist)
	}
	if _, err := (route.Pouch{Dir: filepath.Join(p.Dir, "no such stick")}).Carry(t.Context(), route.Peer{Party: "xs"}, []byte("x")); err == nil {
		t.Error("carried to a directory that is not there")
	}
}

func TestACopyThatIsNotCompleteIsRecognised(t *testing.T) {
	_, whole := write(t, "one", "two")
	for n := range whole {
		bundles, err := read(bytes.NewReader(whole[:n]))
		if !errors.Is(err, route.ErrCut) {
			t.Fatalf("cut at %d of %d: %v", n, len(whole), err)
		}
		for i, b := range bundles { // what arrived whole is given
			if string(b) != []string{"one", "two"}[i] {
				t.Errorf("cut at %d: bundle %d is %q", n, i, b)
			}
		}
	}
	for n := range whole {
		changed := bytes.Clone(whole)
		changed[n] ^= 1
		if _, err := read(bytes.NewReader(changed)); err == nil {
			t.Fatalf("a bit changed at %d is not noticed", n)
		}
	}
	if _, err := read(bytes.NewReader(append(whole, 0))); !errors.Is(err, route.ErrPouch) {
		t.Errorf("bytes behind the end: %v", err)
	}
	if _, err := read(strings.NewReader("From: somebody@example\n\nhello")); !errors.Is(err, route.ErrPouch) {
		t.Errorf("a letter: %v", err)
	}
}

// hugeFile counts how much of an endless file is looked at.
type hugeFile struct {
	begin string
	read  int
}

func (h *hugeFile) Read(b []byte) (int, error) {
	n := copy(b, h.begin)
	h.begin = h.begin[n:]
	if n == 0 {
		n = len(b)
		clear(b)
	}
	h.read += n
	return n, nil
}

func TestAHugeFileCostsNothing(t *testing.T) {
	length := func(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }
	for name, begin := range map[string]string{
		"zeros":                "",
		"a pouch, then zeros":  "detente-pouch.v1\n",
		"a bundle of 4 GB":     "detente-pouch.v1\n" + length(1<<32-1),
		"a bundle over 8 MiB":  "detente-pouch.v1\n" + length(route.MaxBundle+1),
		"the end without end":  "detente-pouch.v1\n" + length(0),
		"one bundle, no order": "detente-pouch.v1\n" + length(3) + "one" + length(1<<31),
	} {
		f := &hugeFile{begin: begin}
		if _, err := read(f); !errors.Is(err, route.ErrPouch) && !errors.Is(err, route.ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
		if f.read > 64<<10 {
			t.Errorf("%s: %d bytes read", name, f.read)
		}
	}

	// A million bundles of a byte each.
	f := &hugeFile{begin: "detente-pouch.v1\n" + strings.Repeat(length(1)+"x", 1<<20)}
	bundles, err := read(f)
	if !errors.Is(err, route.ErrLimit) || len(bundles) != route.MaxPouchBundles {
		t.Errorf("a million bundles: %d given, %v", len(bundles), err)
	}
}

func TestWhatNobodyCouldReadIsNotWritten(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a")
	if err := route.WritePouch(name, []byte("one"), nil); !errors.Is(err, route.ErrPouch) {
		t.Errorf("an empty bundle: %v", err)
	}
	if err := route.WritePouch(name, make([]byte, route.MaxBundle+1)); !errors.Is(err, route.ErrLimit) {
		t.Errorf("over the limit: %v", err)
	}
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file is there: %v", err)
	}
}

func FuzzPouch(f *testing.F) {
	for _, bundles := range [][]string{{}, {"one"}, {"one", "two"}} {
		_, content := write(f, bundles...)
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		bundles, err := read(bytes.NewReader(content))
		if err != nil {
			return
		}
		name := filepath.Join(t.TempDir(), "again")
		if err := route.WritePouch(name, bundles...); err != nil {
			t.Fatal(err)
		}
		again, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(content, again) {
			t.Fatalf("read  %x\nwrote %x, %v", content, again, err)
		}
	})
}
