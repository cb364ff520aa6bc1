package report

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Maildir is a folder into which a mail server delivers, with new, cur and tmp below.
type Maildir struct{ Folder string }

// Each hands every new mail to take, oldest name first, and puts it among those that were seen when take has returned nil. If the process dies in between,
// or take returns an error, it is handed over again: whoever takes knows a mail by its Message-ID. A mail that take cannot read (ErrMail) is put away
// as well, flagged, so that it stops nothing. A mail over MaxMail is cut, so that it cannot be read.
func (m Maildir) Each(take func(raw []byte) error) error {
	fresh := filepath.Join(m.Folder, "new")
	files, err := os.ReadDir(fresh)
	if err != nil {
		return fmt.Errorf("report: maildir: %w", err)
	}
	var failed error
	for _, f := range files {
		if !f.Type().IsRegular() || strings.HasPrefix(f.Name(), ".") {
			continue
		}
		raw, err := read(filepath.Join(fresh, f.Name()))
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("report: maildir: %w", err))
			continue
		}
		flags := ":2,S"
		switch err := take(raw); {
		case errors.Is(err, ErrMail):
			flags = ":2,FS"
		case err != nil:
			failed = errors.Join(failed, err)
			continue
		}
		name, _, _ := strings.Cut(f.Name(), ":")
		if err := os.Rename(filepath.Join(fresh, f.Name()), filepath.Join(m.Folder, "cur", name+flags)); err != nil {
			failed = errors.Join(failed, fmt.Errorf("report: maildir: %w", err))
		}
	}
	return failed
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxMail+1))
}

// Watch looks into the folder until ctx ends, as often as every says: a mail is no alarm, and there is no way of being told that all systems have.
// failed is told what went wrong.
func (m Maildir) Watch(ctx context.Context, every time.Duration, take func(raw []byte) error, failed func(error)) {
	for {
		if err := m.Each(take); err != nil {
			failed(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
	}
}

// Create makes the folders, as a mail server would.
func (m Maildir) Create() error {
	for _, name := range []string{"tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(m.Folder, name), 0o700); err != nil {
			return fmt.Errorf("report: maildir: %w", err)
		}
	}
	return nil
}
