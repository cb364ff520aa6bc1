package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"detente/api"
	"detente/host"
	"detente/party"
	"detente/store"

	"github.com/alecthomas/kong"
)

// The exit codes.
const (
	exitDone        = 0
	exitRefused     = 1
	exitUse         = 2
	exitUnreachable = 3
	exitNotFound    = 4
	exitPerson      = 5
)

func meaning(code int) string {
	return [...]string{
		"done", "refused, not verified, or faults found", "wrong use", "the node or the peer cannot be reached, or has not answered yet", "not found",
		"a person must do something first",
	}[code]
}

// detail is the long help of a command: an example, and how it may end.
func detail(example string, codes ...int) string {
	var b strings.Builder
	b.WriteString("Example:\n\n")
	for line := range strings.Lines(strings.TrimSpace(example)) {
		b.WriteString("    " + strings.TrimSpace(line) + "\n")
	}
	b.WriteString("\nExit codes:\n\n")
	for _, c := range codes {
		fmt.Fprintf(&b, "    %d  %s\n", c, meaning(c))
	}
	return b.String()
}

// failure is why a command ends with a code, and what to do next.
type failure struct {
	code int
	hint string
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func fail(code int, hint, format string, args ...any) error {
	return &failure{code, hint, fmt.Errorf(format, args...)}
}

// session is one command being run.
type session struct {
	*grammar
	ctx      context.Context
	in       io.Reader
	out, err io.Writer
	parser   *kong.Kong

	host *host.Host // the node that this process runs because no other does
	stop func() error
}

// report tells what failed, then what to do next, and gives the exit code.
func (s *session) report(err error) int {
	if err == nil {
		return exitDone
	}
	if f, ok := errors.AsType[*failure](err); ok {
		return s.tell(f.code, f.err.Error(), f.hint)
	}
	if p, ok := errors.AsType[*api.Problem](err); ok {
		for _, field := range p.Fields {
			p.Detail += "\n  " + field
		}
		return s.tell(exitOf(p), p.Detail, p.Hint)
	}
	switch {
	case errors.Is(err, api.ErrUnreachable):
		return s.tell(exitUnreachable, err.Error(), "start it with: detente serve")
	case errors.Is(err, host.ErrNoParty):
		return s.tell(exitNotFound, err.Error(), "found one with: detente init, or name its directory with --home")
	case errors.Is(err, host.ErrThere):
		return s.tell(exitRefused, err.Error(), "choose another directory with --home")
	case errors.Is(err, host.ErrSettings):
		return s.tell(exitUse, err.Error(), "detente config show --default prints every key")
	case errors.Is(err, store.ErrInUse):
		return s.tell(exitUnreachable, err.Error(), "another process has the database open and does not answer on its socket: wait for it, or see to it")
	case errors.Is(err, party.ErrLocked):
		return s.tell(exitRefused, "the keys do not open: wrong passphrase, or wrong key file", "")
	case errors.Is(err, context.Canceled):
		return s.tell(exitRefused, "broken off", "")
	case errors.Is(err, fs.ErrNotExist):
		return s.tell(exitNotFound, err.Error(), "")
	}
	return s.tell(exitRefused, err.Error(), "")
}

func (s *session) tell(code int, what, next string) int {
	fmt.Fprintln(s.err, "detente:", safe(what))
	if next != "" {
		fmt.Fprintln(s.err, "  next:", next)
	}
	return code
}

// exitOf is the exit code of what the node refuses.
func exitOf(p *api.Problem) int {
	switch p.Code {
	case "no-releaser", "words-not-compared", "not-approved":
		return exitPerson
	case "not-yet", "stopped", "unknown":
		return exitUnreachable
	}
	switch p.Status {
	case 404:
		return exitNotFound
	case 400, 413, 415, 422:
		return exitUse
	}
	return exitRefused
}

// client asks the running node; where none runs, this process becomes one until the command ends. With exchange it also talks to the peers.
func (s *session) client(exchange bool) (*api.Client, error) {
	if s.API != "" {
		token := ""
		if s.TokenFile != "" {
			b, err := os.ReadFile(s.TokenFile)
			if err != nil {
				return nil, err
			}
			token = strings.TrimSpace(string(b))
		}
		c, err := api.NewClient(s.API, token)
		if err != nil {
			return nil, &failure{exitUse, "", err}
		}
		return c, nil
	}
	settings, err := host.ReadSettings(s.Home)
	if err != nil {
		return nil, err
	}
	if path := settings.Path(s.Home, settings.API.Socket); path != "" {
		if c, err := (&net.Dialer{Timeout: time.Second}).DialContext(s.ctx, "unix", path); err == nil {
			c.Close()
			return api.NewClient("unix:"+path, "")
		}
	}
	lock, err := s.lock(settings)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelError}))
	if s.host, err = host.New(s.ctx, host.Config{Version: version(), Home: s.Home, Settings: settings, Lock: lock, Log: log}); err != nil {
		return nil, err
	}
	if exchange {
		ctx, cancel := context.WithCancel(s.ctx)
		ended := make(chan error, 1)
		go func() { ended <- s.host.Run(ctx) }()
		s.stop = func() error { cancel(); return <-ended }
	}
	return s.host.Client(), nil
}

// close ends the node that the command ran.
func (s *session) close() error {
	var err error
	if s.stop != nil {
		err = s.stop()
	}
	if s.host != nil {
		err = errors.Join(err, s.host.Close())
	}
	return err
}

// json prints v for a script.
func (s *session) json(v any) error {
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func (s *session) printf(format string, args ...any) {
	io.WriteString(s.out, safe(fmt.Sprintf(format, args...)))
}

// writeNew writes a file that must not be there, or standard output for "-".
func (s *session) writeNew(path string, b []byte, mode fs.FileMode) error {
	if path == "-" {
		_, err := s.out.Write(b)
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return fail(exitRefused, "move it away, or choose another name with --output", "%s is there already", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// readFile reads a file that somebody else made, at most so many bytes, or standard input for "-".
func (s *session) readFile(path string, most int64) ([]byte, error) {
	var r io.Reader = s.in
	if path != "-" {
		f, err := os.Open(filepath.Clean(path))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(b)) > most {
		err = fail(exitRefused, "", "%s has more than %d bytes", path, most)
	}
	return b, err
}

// jsonFlag is embedded by every command whose result a script would read.
type jsonFlag struct {
	JSON bool `name:"json" help:"Print the result as JSON."`
}

// langFlag is embedded by every command that shows phrases.
type langFlag struct {
	Lang string `help:"Language of the reader." default:"en" env:"DETENTE_LANG" placeholder:"TAG"`
}
