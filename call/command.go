package call

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Command reaches officers by a program of this machine: a pager, a telephone exchange.
type Command struct {
	// Args are the program and its arguments. No shell reads them. In an argument {officer}, {role}, {post}, {precedence}, {number}, {kind} and {id}
	// stand for words of the call.
	Args  []string
	Limit time.Duration // 0 is thirty seconds
}

// Place runs the program, with the call as JSON on its standard input. It is placed when the program ends with status 0. Error: ErrCall.
func (m *Command) Place(ctx context.Context, c Call) error {
	if len(m.Args) == 0 {
		return fmt.Errorf("%w: command: %w", ErrCall, ErrUnset)
	}
	limit := m.Limit
	if limit == 0 {
		limit = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	in, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("%w: command: %w", ErrCall, err)
	}
	// A replacer goes over an argument once: what stands in a word of the call is not replaced again.
	words := strings.NewReplacer("{officer}", c.Officer, "{role}", c.Role, "{post}", c.Post, "{precedence}", c.Precedence, "{number}", c.Number,
		"{kind}", c.Kind, "{id}", c.ID)
	args := make([]string, len(m.Args)-1)
	for i, a := range m.Args[1:] {
		args[i] = words.Replace(a)
	}
	cmd := exec.CommandContext(ctx, m.Args[0], args...)
	cmd.Stdin = bytes.NewReader(in)
	cmd.WaitDelay = time.Second // what it has started may hold its output open
	var said bytes.Buffer
	cmd.Stderr = &head{&said}
	if err := cmd.Run(); err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return fmt.Errorf("%w: command: it has not ended within %s: %w", ErrCall, limit, context.DeadlineExceeded)
		}
		if _, ended := errors.AsType[*exec.ExitError](err); ended {
			err = fmt.Errorf("%w: %w", ErrRefused, err)
		}
		return fmt.Errorf("%w: command: %w: %s", ErrCall, err, strings.TrimSpace(said.String()))
	}
	return nil
}

// head keeps the first bytes of what a program says, and takes the rest.
type head struct{ b *bytes.Buffer }

func (h *head) Write(p []byte) (int, error) {
	if room := 500 - h.b.Len(); room > 0 {
		h.b.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
