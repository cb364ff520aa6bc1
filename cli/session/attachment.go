package session

import (
	"path/filepath"
	"strings"
	"unicode"
)

// SaveAttachment saves a file that another party has named. Its name is the other's: nothing of it but letters, digits, dots and dashes
// reaches the file system, and it cannot leave the directory.
func (s *Session) SaveAttachment(dir, name, hash string, b []byte) error {
	safe := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(".-_", r) {
			return r
		}
		return '_'
	}, filepath.Base(filepath.Clean("/"+name)))
	safe = strings.TrimLeft(safe, ".")
	if len(safe) > 100 {
		safe = safe[len(safe)-100:]
	}
	return s.WriteNew(filepath.Join(dir, hash[:8]+"-"+safe), b, 0o600)
}
