package sealer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"detente/sealing"
	"detente/traffic"
)

// marks keeps, beside the keys and outside the database, how far each own sealer has gone in each round: a file for each, written before what it says is
// signed. A database restored from an old copy does not bring it back with it.
type marks struct {
	dir   string
	fault func(string) error
}

// stage is how far a sealer has gone.
type stage string

const (
	stageNone     stage = ""
	stageAccepted stage = "accepted"
	// The others are those of sealing.Decision.
)

const markHead = "detente-seal-mark.v1"

func openMarks(dir string, fault func(string) error) (*marks, error) {
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("sealer: marks: %w", err)
		}
	}
	return &marks{dir, fault}, nil
}

func (m *marks) path(round [32]byte, a traffic.Address) string {
	return filepath.Join(m.dir, hex.EncodeToString(round[:])+"."+string(a.Party)+"."+string(a.Post)+".seal")
}

func (m *marks) text(round [32]byte, a traffic.Address, s stage) []byte {
	body := fmt.Sprintf("%s\n%x\n%s\n%s\n", markHead, round, a, s)
	return fmt.Appendf([]byte(body), "%x\n", sha256.Sum256([]byte(body)))
}

// last reads a mark; stageNone where there is none. A file that is not whole is an error, and not no mark.
func (m *marks) last(round [32]byte, a traffic.Address) (stage, error) {
	b, err := os.ReadFile(m.path(round, a))
	if errors.Is(err, fs.ErrNotExist) {
		return stageNone, nil
	}
	if err != nil {
		return stageNone, fmt.Errorf("sealer: mark: %w", err)
	}
	lines := strings.Split(string(b), "\n")
	if len(lines) == 6 {
		s := stage(lines[3])
		if (s == stageAccepted || s == stage(sealing.InForce) || s == stage(sealing.Lapsed)) && bytes.Equal(b, m.text(round, a, s)) {
			return s, nil
		}
	}
	return stageNone, fmt.Errorf("sealer: the mark %s is damaged", m.path(round, a))
}

// raise writes a mark and returns when it is durable. If the process dies here, the file holds the old mark or the new one, whole.
func (m *marks) raise(round [32]byte, a traffic.Address, s stage) error {
	if err := m.fault("mark"); err != nil {
		return err
	}
	path := m.path(round, a)
	f, err := os.CreateTemp(m.dir, "*.new")
	if err != nil {
		return fmt.Errorf("sealer: mark: %w", err)
	}
	_, err = f.Write(m.text(round, a, s))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncDir(m.dir)
	}
	if err != nil {
		os.Remove(f.Name()) // it is there no more once it was renamed
		return fmt.Errorf("sealer: mark: %w", err)
	}
	return m.fault("marked")
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// stageOf is how far a record says that the sealer has gone.
func stageOf(s *sealing.Sealer) stage {
	if d, ok := s.Decision(); ok {
		return stage(d)
	}
	if s.Accepted() {
		return stageAccepted
	}
	return stageNone
}

// agrees tells whether a record knows all that the mark says. A mark that lies behind harms nothing: what it lacks was not signed yet.
func (s stage) agrees(record *sealing.Sealer) bool {
	d, final := record.Decision()
	switch s {
	case stageNone:
		return true
	case stageAccepted:
		return record.Accepted()
	}
	return final && stage(d) == s
}
