package session

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"
	"testing"
)

func TestNamesOfAttachmentsStayInTheirDirectory(t *testing.T) {
	dir := t.TempDir()
	var s Session
	for _, name := range []string{"../../etc/passwd", "/etc/passwd", "..", ".bashrc", "a\x1b[2Jb.json", strings.Repeat("x", 300), "справка.json"} {
		hash := hashOf(name)
		if err := s.SaveAttachment(dir, name, hash, []byte(name)); err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		saved, err := filepath.Glob(filepath.Join(dir, hash[:8]+"-*"))
		if err != nil || len(saved) != 1 {
			t.Errorf("%q is saved as %q", name, saved)
		} else if strings.ContainsAny(filepath.Base(saved[0]), "/\x1b") {
			t.Errorf("%q is saved as %q", name, saved[0])
		}
	}
}

func TestStrangersDoNotSteerTheTerminal(t *testing.T) {
	var out bytes.Buffer
	s := &Session{Out: &out}
	s.Printf("%s\n", "duty\x1b[2J\u009b\u202eofficer\r")
	if err := s.Table([]string{"a\x1b", "b"}); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "duty\ufffd[2J\ufffd\ufffdofficer\ufffd\na\ufffd  b\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func hashOf(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}
