package register

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// writer puts an edition beside the one that readers see.
type writer struct {
	out    string // what readers see
	staged string // what will be in its place
	group  errgroup.Group
	files  map[string]bool // written or kept, by their path with slashes
	fresh  chan struct{}   // one for each file that is new or has changed
	count  int
	done   chan struct{}
}

// begin makes the folder for the next edition. What a build that died has left there is removed: it was never seen.
func begin(out string) (*writer, error) {
	out, err := filepath.Abs(out)
	if err != nil {
		return nil, err
	}
	w := &writer{out: out, staged: out + ".next", files: make(map[string]bool), fresh: make(chan struct{}), done: make(chan struct{})}
	if err := os.RemoveAll(w.staged); err != nil {
		return nil, err
	}
	if err := os.Mkdir(w.staged, 0o755); err != nil {
		return nil, err
	}
	w.group.SetLimit(2 * runtime.GOMAXPROCS(0))
	go func() {
		defer close(w.done)
		for range w.fresh {
			w.count++
		}
	}()
	return w, nil
}

// put writes a file, or links the one of the edition before if it has the same bytes. Files are synced by nobody: an edition that a crash has damaged is built
// again.
func (w *writer) put(name string, b []byte) {
	w.make(name, func() ([]byte, error) { return b, nil })
}

// give is put, unless there was an error.
func (w *writer) give(name string, b []byte, err error) {
	w.make(name, func() ([]byte, error) { return b, err })
}

// make is put of what is made on one of several goroutines, while others are written.
func (w *writer) make(name string, contents func() ([]byte, error)) {
	w.files[name] = true
	w.group.Go(func() error {
		b, err := contents()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		to := filepath.Join(w.staged, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		from := filepath.Join(w.out, filepath.FromSlash(name))
		if info, err := os.Lstat(from); err == nil && info.Mode().IsRegular() && info.Size() == int64(len(b)) {
			if old, err := os.ReadFile(from); err == nil && bytes.Equal(old, b) && os.Link(from, to) == nil {
				return nil
			}
		}
		w.fresh <- struct{}{}
		return os.WriteFile(to, b, 0o644)
	})
}

// carry links a folder of the edition before into this one: for files that never change once they are there.
func (w *writer) carry(folder string) error {
	from := filepath.Join(w.out, folder)
	if _, err := os.Lstat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(w.out, p)
		if err != nil {
			return err
		}
		to := filepath.Join(w.staged, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(to, 0o755)
		case d.Type().IsRegular():
			return os.Link(p, to)
		}
		return nil
	})
}

// keep counts files that others have put into folders of the edition.
func (w *writer) keep(folders []string) error {
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(w.staged, filepath.FromSlash(folder)), func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, err := filepath.Rel(w.staged, p)
			w.files[filepath.ToSlash(rel)] = true
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) wait() error { return w.group.Wait() }

// abandon removes what was written; readers have seen nothing of it.
func (w *writer) abandon() error {
	_ = w.group.Wait()
	close(w.fresh)
	<-w.done
	return os.RemoveAll(w.staged)
}

// finish puts the edition in its place. If the process dies before, readers have the old one; between the two renames of a system that cannot exchange folders, for
// that moment, none, and the next build puts one there.
func (w *writer) finish() (Report, error) {
	close(w.fresh)
	<-w.done
	r := Report{Files: len(w.files), Written: w.count}
	_, err := os.Lstat(w.out)
	if errors.Is(err, fs.ErrNotExist) {
		return r, os.Rename(w.staged, w.out)
	}
	if err != nil {
		return r, err
	}
	if err := w.ours(); err != nil {
		return r, errors.Join(err, os.RemoveAll(w.staged))
	}
	if r.Removed, err = w.removed(); err != nil {
		return r, err
	}
	if err := exchange(w.staged, w.out); err != nil {
		return r, err
	}
	return r, os.RemoveAll(w.staged) // the edition before
}

// mark is a file that every edition has: a folder without it is none of ours, and is not replaced.
const mark = "data/register.json"

// ErrNotOurs is returned for a folder that holds something else than a register.
var ErrNotOurs = errors.New("register: the folder holds something else")

func (w *writer) ours() error {
	if _, err := os.Stat(filepath.Join(w.out, filepath.FromSlash(mark))); err == nil {
		return nil
	}
	list, err := os.ReadDir(w.out)
	if err != nil {
		return err
	}
	if len(list) > 0 {
		return fmt.Errorf("%w: %s", ErrNotOurs, w.out)
	}
	return nil
}

// removed counts the files that the edition before had and this one has not.
func (w *writer) removed() (n int, err error) {
	err = filepath.WalkDir(w.out, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(w.out, p)
		if err == nil && !w.files[filepath.ToSlash(rel)] {
			n++
		}
		return err
	})
	return n, err
}

// swap puts one folder in the place of another in two steps.
func swap(a, b string) error {
	old := b + ".old"
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	if err := os.Rename(b, old); err != nil {
		return err
	}
	if err := os.Rename(a, b); err != nil {
		return errors.Join(err, os.Rename(old, b))
	}
	return os.Rename(old, a)
}
