package server

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"detente/node"
)

// What nobody foresaw is told to the log, and to the caller only that it is there.
func TestWhatIsInsideStaysInside(t *testing.T) {
	var log strings.Builder
	s := &Server{log: slog.New(slog.NewTextHandler(&log, nil))}
	p := s.problem("send", errors.New("store: constraint failed in table entries of /var/lib/detente"))
	if p.Status != 500 || p.Code != "internal" || strings.Contains(p.Detail+p.Hint, "table") {
		t.Errorf("problem %+v", p)
	}
	if !strings.Contains(log.String(), "table entries") {
		t.Errorf("log %q", log.String())
	}
}

func TestCodesAreWords(t *testing.T) {
	word := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	for _, r := range rules() {
		if !word.MatchString(r.Code) || r.Status < 400 || r.Status > 599 {
			t.Errorf("%v: %d %q", r.Is, r.Status, r.Code)
		}
		if errors.Is(r.Is, node.ErrNoPeer) {
			continue // it takes a node to tell it
		}
		if p := (&Server{rules: rules()}).problem("x", fmt.Errorf("node: do it: %w", r.Is)); p.Code != r.Code {
			t.Errorf("%v is told as %q, not as %q: another rule stands before it", r.Is, p.Code, r.Code)
		}
	}
}
