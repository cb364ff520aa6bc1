package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"detente/store"
)

func TestSQLiteOneProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node.db")
	n := open(t, store.Config{DSN: path})
	link := filepath.Join(t.TempDir(), "other.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, link} {
		_, err := store.Open(n.ctx, store.Config{DSN: name})
		if !errors.Is(err, store.ErrInUse) || !strings.Contains(err.Error(), fmt.Sprintf("%s by process %d", path, os.Getpid())) {
			t.Errorf("opened a second time: %v", err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read it: %v, %v", info.Mode(), err)
	}
	n.reopen()
}

func TestSQLiteSettings(t *testing.T) {
	n := open(t, store.Config{DSN: filepath.Join(t.TempDir(), "node.db")})
	check := func(tx *store.Tx, want map[string]string) error {
		for name, want := range want {
			var got string
			if err := tx.QueryRow(n.ctx, "PRAGMA "+name).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %q, %v; want %q", name, got, err, want)
			}
		}
		return nil
	}
	n.update(func(tx *store.Tx) error {
		return check(tx, map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "wal_autocheckpoint": "0"})
	})
	n.view(func(tx *store.Tx) error { return check(tx, map[string]string{"query_only": "1"}) })
}

// The log does not grow with what is written, only for a while behind a View that stays.
func TestSQLiteLogStaysShort(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node.db")
	n := open(t, store.Config{DSN: path})
	letter := make([]byte, 100<<10)
	write := func() {
		for range 300 { // 30 MB
			n.update(func(tx *store.Tx) error {
				return n.exec(tx, "INSERT INTO letter (id, body) SELECT COALESCE(MAX(id), 0) + 1, $1 FROM letter", letter)
			})
		}
	}
	logSize := func() int64 {
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size() >> 20
	}
	write()
	write()
	if before := logSize(); before > 40 {
		t.Errorf("after 60 MB the log has %d MB", before)
	}
	n.view(func(tx *store.Tx) error {
		n.ids(tx)
		write()
		return nil
	})
	behind := logSize()
	if behind < 25 {
		t.Errorf("a View cannot have held the log: it has %d MB", behind)
	}
	write()
	if after := logSize(); after > behind+20 {
		t.Errorf("the log went on growing from %d to %d MB", behind, after)
	}
}

// A disk that fails under a commit: the caller is told that the outcome is unknown, nobody writes any more, and what had
// been acknowledged before is there. The kernel's limit on the size of a file stands in for the broken disk.
func TestSQLiteDiskError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node.db")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=disk:"+path)
	out, err := cmd.CombinedOutput()
	if got := string(out); err != nil || got != "unknown\nstopped\nstopped\n" {
		t.Fatalf("the child says %q, %v", got, err)
	}
	n := open(t, store.Config{DSN: path})
	n.view(func(tx *store.Tx) error {
		if got := n.ids(tx); len(got) < 2 || got[0] != 1 || got[1] != 2 {
			t.Errorf("letters %v", got)
		}
		return nil
	})
}

// failDisk runs in the child of TestSQLiteDiskError.
func failDisk(path string) {
	ctx := context.Background()
	db, err := store.Open(ctx, store.Config{DSN: path, Schemas: []store.Schema{letters}})
	if err != nil {
		log.Fatal(err)
	}
	insert := func(id int) error {
		return db.Update(ctx, store.Calm, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO letter (id) VALUES ($1)", id)
			return err
		})
	}
	if err := errors.Join(insert(1), insert(2)); err != nil {
		log.Fatal(err)
	}
	written, err := os.Stat(path + "-wal")
	if err != nil {
		log.Fatal(err)
	}
	limit := syscall.Rlimit{Cur: uint64(written.Size()), Max: uint64(written.Size())}
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		log.Fatal(err)
	}
	for id := range 3 {
		switch err := insert(10 + id); {
		case errors.Is(err, store.ErrStopped):
			fmt.Println("stopped")
		case errors.Is(err, store.ErrUnknownOutcome):
			fmt.Println("unknown")
		default:
			fmt.Println(err)
		}
	}
}
