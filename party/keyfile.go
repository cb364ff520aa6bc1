package party

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"detente/canonical"
	"detente/key"
	"detente/traffic"

	"filippo.io/age"
)

// What opening or saving a key file may refuse.
var (
	ErrLocked    = errors.New("party: key file does not open")
	ErrKeyFile   = errors.New("party: not a key file of this kind, or damaged")
	ErrOtherKeys = errors.New("party: the file holds other keys, which would be lost")
	ErrLock      = errors.New("party: a lock needs either a passphrase or a key file")
)

const (
	ringType    = "detente-keyring.v1"
	rootType    = "detente-root.v1"
	maxKeyFile  = 1 << 20
	maxHeadLine = 128
)

// Lock protects a key file, by a passphrase or by a key file in the format of age (native or hybrid keys), never both.
type Lock struct {
	Passphrase string
	KeyFile    string // a path; made by NewKeyFile or age-keygen
	WorkFactor int    // of scrypt, as a power of two, for new files; 0 for about a second of work
}

// NewKeyFile writes a new hybrid post-quantum key for a [Lock] to path, which must not exist.
func NewKeyFile(path string) error {
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		return fmt.Errorf("party: %w", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %s", ErrOtherKeys, path)
	}
	return writeFile(path, []byte(id.String()+"\n"), 0o600)
}

func (l Lock) identities() ([]age.Identity, error) {
	switch {
	case (l.Passphrase == "") == (l.KeyFile == ""):
		return nil, ErrLock
	case l.KeyFile != "":
		b, err := readFile(l.KeyFile, maxKeyFile)
		if err != nil {
			return nil, err
		}
		ids, err := age.ParseIdentities(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %v", ErrLock, l.KeyFile, err)
		}
		return ids, nil
	}
	id, err := age.NewScryptIdentity(l.Passphrase)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrLock, err)
	}
	return []age.Identity{id}, nil
}

func (l Lock) recipients() ([]age.Recipient, error) {
	if l.Passphrase != "" && l.KeyFile == "" {
		r, err := age.NewScryptRecipient(l.Passphrase)
		if err != nil {
			return nil, fmt.Errorf("%w: %v", ErrLock, err)
		}
		if l.WorkFactor != 0 {
			if l.WorkFactor < 1 || l.WorkFactor > 22 { // above 22 age would not open the file again
				return nil, fmt.Errorf("%w: work factor %d is not within 1 and 22", ErrLock, l.WorkFactor)
			}
			r.SetWorkFactor(l.WorkFactor)
		}
		return []age.Recipient{r}, nil
	}
	ids, err := l.identities()
	if err != nil {
		return nil, err
	}
	var out []age.Recipient
	for _, id := range ids {
		switch id := id.(type) {
		case *age.HybridIdentity:
			out = append(out, id.Recipient())
		case *age.X25519Identity:
			out = append(out, id.Recipient())
		default:
			return nil, fmt.Errorf("%w: %s holds a key of another kind", ErrLock, l.KeyFile)
		}
	}
	return out, nil
}

// secrets is the plaintext of a key file. Its first three fields stand before it in clear too, on a line that tells a person what the file
// is and tells Save what it would overwrite.
type secrets struct {
	Type    string        `cbor:"type"`
	Party   traffic.Party `cbor:"party"`
	ID      []byte        `cbor:"id"`
	Keys    []secret      `cbor:"keys"`
	Sealing []secret      `cbor:"sealing"`
}

type secret struct {
	_     struct{} `cbor:",toarray"`
	Kind  int64    // COSE algorithm or HPKE KEM
	Bytes []byte
}

func (s *secrets) head() string {
	return s.Type + " " + string(s.Party) + " " + hex.EncodeToString(s.ID) + "\n"
}

// SaveKeyring writes the keyring to path, over an older state of the same keyring only. If the process dies here, path holds the old state
// or the new one, whole. Errors: ErrOtherKeys, ErrLock.
func SaveKeyring(path string, k *Keyring, l Lock) error {
	s := secrets{Type: ringType, Party: k.Party, ID: k.id[:]}
	for _, p := range k.keys {
		s.Keys = append(s.Keys, secret{Kind: int64(p.Public().Algorithm), Bytes: p.Seed()})
	}
	for _, p := range k.sealing {
		b, err := p.Bytes()
		if err != nil {
			return fmt.Errorf("party: sealing key: %w", err)
		}
		s.Sealing = append(s.Sealing, secret{Kind: int64(p.KEM().ID()), Bytes: b})
	}
	return s.save(path, l)
}

// OpenKeyring reads a keyring and puts its keys in the places that the charter in force gives them. Errors: ErrLocked, ErrKeyFile,
// ErrLock, those of [Keyring.Under].
func OpenKeyring(path string, l Lock, inForce *Charter) (*Keyring, error) {
	s, err := open(path, l, ringType)
	if err != nil {
		return nil, err
	}
	k := newKeyring(s.Party)
	if len(s.ID) != len(k.id) {
		return nil, ErrKeyFile
	}
	copy(k.id[:], s.ID)
	for _, x := range s.Keys {
		p, err := key.FromSeed(key.Algorithm(x.Kind), x.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: %v", ErrKeyFile, err)
		}
		k.keys[p.ID()] = p
	}
	for _, x := range s.Sealing {
		if x.Kind != int64(SealingKEM) {
			return nil, fmt.Errorf("%w: sealing key of KEM %d", ErrKeyFile, x.Kind)
		}
		p, err := sealingKEM().NewPrivateKey(x.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: %v", ErrKeyFile, err)
		}
		k.addSealing(p)
	}
	return k.Under(inForce)
}

// SaveRoot writes one holder's root key to a file of its own. Errors: ErrOtherKeys, ErrLock.
func SaveRoot(path string, r *RootKey, l Lock) error {
	if len(r.Keys) == 0 {
		return ErrKeyFile
	}
	id := r.Keys[0].ID()
	s := secrets{Type: rootType, Party: r.Party, ID: id[:]}
	for _, k := range r.Keys {
		s.Keys = append(s.Keys, secret{Kind: int64(k.Public().Algorithm), Bytes: k.Seed()})
	}
	return s.save(path, l)
}

// OpenRoot reads a root key. Errors: ErrLocked, ErrKeyFile, ErrLock.
func OpenRoot(path string, l Lock) (*RootKey, error) {
	s, err := open(path, l, rootType)
	if err != nil {
		return nil, err
	}
	r := &RootKey{Party: s.Party}
	for _, x := range s.Keys {
		k, err := key.FromSeed(key.Algorithm(x.Kind), x.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: %v", ErrKeyFile, err)
		}
		r.Keys = append(r.Keys, k)
	}
	if len(r.Keys) == 0 {
		return nil, ErrKeyFile
	}
	return r, nil
}

func (s *secrets) save(path string, l Lock) error {
	head := s.head()
	switch old, err := readFile(path, maxKeyFile); {
	case err == nil && !bytes.HasPrefix(old, []byte(head)):
		return fmt.Errorf("%w: %s; choose another path or move that file away", ErrOtherKeys, path)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return err
	}
	recipients, err := l.recipients()
	if err != nil {
		return err
	}
	for _, list := range [][]secret{s.Keys, s.Sealing} {
		slices.SortFunc(list, func(a, b secret) int { return bytes.Compare(a.Bytes, b.Bytes) })
	}
	if s.Type == rootType { // the order of a root's keys is part of it
		slices.SortFunc(s.Keys, func(a, b secret) int { return int(b.Kind - a.Kind) })
	}
	plain, err := canonical.Marshal(s)
	if err != nil {
		return err
	}
	out := bytes.NewBufferString(head)
	w, err := age.Encrypt(out, recipients...)
	if err != nil {
		return fmt.Errorf("%w: %v", ErrLock, err)
	}
	if _, err := w.Write(plain); err != nil {
		return fmt.Errorf("party: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("party: %w", err)
	}
	return writeFile(path, out.Bytes(), 0o600)
}

func open(path string, l Lock, kind string) (*secrets, error) {
	b, err := readFile(path, maxKeyFile)
	if err != nil {
		return nil, err
	}
	head, sealed, found := bytes.Cut(b, []byte("\n"))
	if !found || len(head) > maxHeadLine || !strings.HasPrefix(string(head), kind+" ") {
		return nil, fmt.Errorf("%w: %s", ErrKeyFile, path)
	}
	ids, err := l.identities()
	if err != nil {
		return nil, err
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), ids...)
	if _, wrong := errors.AsType[*age.NoIdentityMatchError](err); wrong {
		if l.KeyFile != "" {
			return nil, fmt.Errorf("%w: %s is not locked with the key in %s; use the key file or the passphrase it was saved with", ErrLocked, path, l.KeyFile)
		}
		return nil, fmt.Errorf("%w: %s is not locked with this passphrase; check the keyboard layout and caps lock, or use the key file it was saved with", ErrLocked, path)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %v", ErrKeyFile, path, err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %v", ErrKeyFile, path, err)
	}
	var s secrets
	if err := canonical.Unmarshal(plain, &s, maxKeyFile); err != nil {
		return nil, fmt.Errorf("%w: %s: %v", ErrKeyFile, path, err)
	}
	if s.head() != string(head)+"\n" {
		return nil, fmt.Errorf("%w: %s: its first line was changed", ErrKeyFile, path)
	}
	return &s, nil
}

// readFile reads a file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("party: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("party: %w", err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("party: %s: %w", path, canonical.ErrTooLarge)
	}
	return b, nil
}

// writeFile replaces path durably: after it returns, the new bytes survive a loss of power; if the process dies within, path is as it was
// or as it should be, and at most path.new is left behind, which the next write removes.
func writeFile(path string, b []byte, mode os.FileMode) error {
	if err := replace(path, b, mode); err != nil {
		return fmt.Errorf("party: write %s: %w", path, err)
	}
	return nil
}

func replace(path string, b []byte, mode os.FileMode) error {
	temporary := path + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	// Dying here leaves the old file and the temporary one.
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// syncDirectory makes a rename or removal in dir durable.
func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// LookupKeys are the secrets of the lists that this party answers blinded questions about, protocol.md#asking: made and destroyed while the node runs, and so
// in a file of their own beside the keyring, locked as that is.
type LookupKeys struct {
	Party traffic.Party
	ID    [16]byte // of the file: it is only ever written over an older state of itself
	Keys  [][]byte // 32 bytes each
}

const (
	lookupType = "detente-lookup.v1"
	lookupKind = 1 // the scalar of a key for ristretto255-SHA512
)

// SaveLookupKeys writes them to path, as [SaveKeyring] does. What is no longer among them is gone from the file; from the disk, only as far as the disk forgets
// what is overwritten. Errors: ErrOtherKeys, ErrLock.
func SaveLookupKeys(path string, k *LookupKeys, l Lock) error {
	s := secrets{Type: lookupType, Party: k.Party, ID: k.ID[:]}
	for _, b := range k.Keys {
		s.Keys = append(s.Keys, secret{Kind: lookupKind, Bytes: b})
	}
	return s.save(path, l)
}

// OpenLookupKeys reads them. Errors: ErrLocked, ErrKeyFile, ErrLock, fs.ErrNotExist.
func OpenLookupKeys(path string, l Lock) (*LookupKeys, error) {
	s, err := open(path, l, lookupType)
	if err != nil {
		return nil, err
	}
	k := &LookupKeys{Party: s.Party}
	if len(s.ID) != len(k.ID) {
		return nil, ErrKeyFile
	}
	copy(k.ID[:], s.ID)
	for _, x := range s.Keys {
		if x.Kind != lookupKind || len(x.Bytes) != 32 {
			return nil, fmt.Errorf("%w: a key of kind %d", ErrKeyFile, x.Kind)
		}
		k.Keys = append(k.Keys, x.Bytes)
	}
	return k, nil
}
