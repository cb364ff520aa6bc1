package party_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"detente/party"
	"detente/traffic"
)

// quick is a passphrase that takes no time to try.
var quick = party.Lock{Passphrase: "пароль for tests", WorkFactor: 2}

func keyFile(t *testing.T, dir, name string) party.Lock {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := party.NewKeyFile(path); err != nil {
		t.Fatal(err)
	}
	return party.Lock{KeyFile: path}
}

func TestKeysComeBackFromTheirFile(t *testing.T) {
	s := found(t, "xn")
	dir := t.TempDir()
	for name, lock := range map[string]party.Lock{"passphrase": quick, "key file": keyFile(t, dir, "unlock.key")} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "xn.keys")
			if err := party.SaveKeyring(path, s.ring, lock); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
			got, err := party.OpenKeyring(path, lock, s.charter)
			if err != nil {
				t.Fatal(err)
			}
			if got.MirrorPQ.ID() != s.ring.MirrorPQ.ID() || got.Unsealing(s.charter.Node.Sealing.ID()) == nil {
				t.Error("node keys are not those saved")
			}
			if _, err := got.Signers("council", traffic.Exercise); err != nil {
				t.Error(err)
			}
			if err := party.SaveKeyring(path, got, lock); err != nil {
				t.Errorf("saving the same keyring again: %v", err)
			}
			root := filepath.Join(t.TempDir(), "root-1.key")
			if err := party.SaveRoot(root, s.roots[0], lock); err != nil {
				t.Fatal(err)
			}
			r, err := party.OpenRoot(root, lock)
			if err != nil {
				t.Fatal(err)
			}
			for i, k := range r.Keys {
				if k.ID() != s.roots[0].Keys[i].ID() {
					t.Errorf("key %d of the root is another", i)
				}
			}
		})
	}
}

func TestAKeyFileDoesNotOpenForOthers(t *testing.T) {
	s, dir := found(t, "xn"), t.TempDir()
	mine, theirs := keyFile(t, dir, "mine.key"), keyFile(t, dir, "theirs.key")
	byWords, byFile := filepath.Join(dir, "words.keys"), filepath.Join(dir, "file.keys")
	if err := errors.Join(party.SaveKeyring(byWords, s.ring, quick), party.SaveKeyring(byFile, s.ring, mine)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path string
		lock party.Lock
		want error
		tell string
	}{
		"wrong passphrase":             {byWords, party.Lock{Passphrase: "gfhjkm for tests"}, party.ErrLocked, "keyboard layout"},
		"key file for a passphrase":    {byWords, mine, party.ErrLocked, "key file or the passphrase"},
		"another's key file":           {byFile, theirs, party.ErrLocked, "theirs.key"},
		"passphrase for a key file":    {byFile, quick, party.ErrLocked, "key file it was saved with"},
		"no lock":                      {byWords, party.Lock{}, party.ErrLock, "either"},
		"two locks":                    {byWords, party.Lock{Passphrase: "a", KeyFile: mine.KeyFile}, party.ErrLock, "either"},
		"key file that is none":        {byFile, party.Lock{KeyFile: byWords}, party.ErrLock, "words.keys"},
		"key file missing":             {byFile, party.Lock{KeyFile: filepath.Join(dir, "none")}, os.ErrNotExist, "none"},
		"keyring missing":              {filepath.Join(dir, "gone.keys"), quick, os.ErrNotExist, "gone.keys"},
		"something else":               {mine.KeyFile, quick, party.ErrKeyFile, "mine.key"},
		"passphrase that costs a year": {byWords, party.Lock{Passphrase: "x", WorkFactor: 23}, party.ErrLock, "work factor"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := party.OpenKeyring(c.path, c.lock, s.charter)
			if c.lock.WorkFactor > 22 {
				err = party.SaveKeyring(c.path, s.ring, c.lock)
			}
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.tell) {
				t.Errorf("got %v, want %v that tells %q", err, c.want, c.tell)
			}
		})
	}
	if _, err := party.OpenRoot(byWords, quick); !errors.Is(err, party.ErrKeyFile) {
		t.Errorf("a keyring opens as a root: %v", err)
	}
	if _, err := party.OpenKeyring(byWords, quick, found(t, "xs").charter); !errors.Is(err, party.ErrParty) {
		t.Errorf("under another party's charter: %v", err)
	}
	if _, err := party.OpenKeyring(byWords, quick, found(t, "xn").charter); !errors.Is(err, party.ErrNoKey) {
		t.Errorf("under the charter of another of that name: %v", err)
	}
	if err := party.NewKeyFile(mine.KeyFile); !errors.Is(err, party.ErrOtherKeys) {
		t.Errorf("a key file is written over: %v", err)
	}
}

func TestADamagedKeyFile(t *testing.T) {
	s := found(t, "xn")
	path := filepath.Join(t.TempDir(), "xn.keys")
	if err := party.SaveKeyring(path, s.ring, quick); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-1] ^= 1
	for name, b := range map[string][]byte{
		"cut short":            whole[:len(whole)-40],
		"a bit flipped":        flipped,
		"empty":                nil,
		"said to be another's": bytes.Replace(whole, []byte(" xn "), []byte(" xs "), 1),
	} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := party.OpenKeyring(path, quick, s.charter); !errors.Is(err, party.ErrKeyFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeysAreNotWrittenOverOtherKeys(t *testing.T) {
	s, other, dir := found(t, "xn"), found(t, "xs"), t.TempDir()
	path := filepath.Join(dir, "keys")
	if err := party.SaveKeyring(path, s.ring, quick); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"another party's":                 party.SaveKeyring(path, other.ring, quick),
		"the party founded a second time": party.SaveKeyring(path, found(t, "xn").ring, quick),
		"a root":                          party.SaveRoot(path, s.roots[0], quick),
	} {
		if !errors.Is(err, party.ErrOtherKeys) {
			t.Errorf("%s: %v", name, err)
		}
	}
	root := filepath.Join(dir, "root")
	if err := party.SaveRoot(root, s.roots[0], quick); err != nil {
		t.Fatal(err)
	}
	if err := party.SaveRoot(root, s.roots[1], quick); !errors.Is(err, party.ErrOtherKeys) {
		t.Errorf("one holder's root over another's: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file changed, %v", err)
	}
}

// The process can die between any two steps of a rotation: before the new keys are saved, after, and after the charter is approved.
func TestDyingInTheMiddleOfARotation(t *testing.T) {
	s := found(t, "xn")
	path := filepath.Join(t.TempDir(), "xn.keys")
	if err := party.SaveKeyring(path, s.ring, quick); err != nil {
		t.Fatal(err)
	}
	// It dies while the file is written: half of it stands beside.
	if err := os.WriteFile(path+".new", []byte("detente-keyring.v1 xn"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := party.OpenKeyring(path, quick, s.charter); err != nil {
		t.Fatalf("after dying in the write: %v", err)
	}
	d, ring, _, err := party.Rotate(s.charter, s.ring, party.Withdrawal{}, "node/checkpoint", "node/sealing", "post/nrrc/real")
	if err != nil {
		t.Fatal(err)
	}
	if err := party.SaveKeyring(path, ring, quick); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".new"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary file is still there: %v", err)
	}
	// It dies before the charter is approved: the keys in force are the old ones.
	reopened, err := party.OpenKeyring(path, quick, s.charter)
	if err != nil {
		t.Fatal(err)
	}
	if reopened.Checkpoint.ID() != s.ring.Checkpoint.ID() {
		t.Error("a key of a charter that nobody approved is in force")
	}
	next, err := party.SignCharter(d, s.roots...)
	if err != nil {
		t.Fatal(err)
	}
	// It dies before the approved charter is used: the file has its keys.
	if reopened, err = party.OpenKeyring(path, quick, next); err != nil {
		t.Fatal(err)
	}
	if reopened.Checkpoint.Public().ID() != next.Node.Checkpoint.ID() || reopened.Unsealing(s.charter.Node.Sealing.ID()) == nil {
		t.Error("the new keys are not in force, or the old sealing key is lost")
	}
}

func TestAPlaceWhereNothingCanBeWritten(t *testing.T) {
	s := found(t, "xn")
	if err := party.SaveKeyring(filepath.Join(t.TempDir(), "no", "such", "place"), s.ring, quick); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
