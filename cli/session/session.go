// Package session is a command while it runs: which node it asks, what it prints for a person or a script, how it ends.
// It must never decide what a command does, nor let the words of strangers steer the terminal.
package session

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
	"detente/officer"
	"detente/party"
	"detente/store"
)

// The exit codes.
const (
	ExitDone        = 0
	ExitRefused     = 1
	ExitUse         = 2
	ExitUnreachable = 3
	ExitNotFound    = 4
	ExitPerson      = 5
)

func meaning(code int) string {
	return [...]string{
		"done", "refused, not verified, or faults found", "wrong use", "the node or the peer cannot be reached, or has not answered yet", "not found",
		"a person must do something first",
	}[code]
}

// Detail is the long help of a command: an example, and how it may end.
func Detail(example string, codes ...int) string {
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

// Fail is an error that ends a command with a code; the hint says what to do next, empty for nothing.
func Fail(code int, hint, format string, args ...any) error {
	return &failure{code, hint, fmt.Errorf(format, args...)}
}

// Where is which node a command asks, and what opens its keys: flags that every command has.
type Where struct {
	Home           string `group:"where" help:"Directory of the party: settings, keys, data." env:"DETENTE_HOME" default:"~/.detente" type:"path"`
	API            string `group:"where" name:"api" help:"Ask the node at unix:PATH or http://HOST:PORT, in place of the one of the home directory." env:"DETENTE_API" placeholder:"ADDRESS"`
	TokenFile      string `group:"where" help:"File with the token for --api, or with that of an officer, who then acts." env:"DETENTE_TOKEN_FILE" placeholder:"FILE"`
	PassphraseFile string `group:"where" help:"File whose first line is the passphrase of the keys." env:"DETENTE_PASSPHRASE_FILE" placeholder:"FILE"`
	KeyFile        string `group:"where" help:"Key file that opens the keys, in place of a passphrase." env:"DETENTE_KEY_FILE" placeholder:"FILE"`
}

// Session is one command being run.
type Session struct {
	*Where
	Ctx      context.Context
	In       io.Reader
	Out, Err io.Writer
	Version  string // of the program

	host *host.Host // the node that this process runs because no other does
	stop func() error
}

// Report tells what failed, then what to do next, and gives the exit code.
func (s *Session) Report(err error) int {
	if err == nil {
		return ExitDone
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
		return s.tell(ExitUnreachable, err.Error(), "start it with: detente serve")
	case errors.Is(err, host.ErrNoParty):
		return s.tell(ExitNotFound, err.Error(), "found one with: detente init, or name its directory with --home")
	case errors.Is(err, host.ErrThere):
		return s.tell(ExitRefused, err.Error(), "choose another directory with --home")
	case errors.Is(err, host.ErrSettings):
		return s.tell(ExitUse, err.Error(), "detente config show --default prints every key")
	case errors.Is(err, store.ErrInUse):
		return s.tell(ExitUnreachable, err.Error(), "another process has the database open and does not answer on its socket: wait for it, or see to it")
	case errors.Is(err, party.ErrLocked):
		return s.tell(ExitRefused, "the keys do not open: wrong passphrase, or wrong key file", "")
	case errors.Is(err, context.Canceled):
		return s.tell(ExitRefused, "broken off", "")
	case errors.Is(err, fs.ErrNotExist):
		return s.tell(ExitNotFound, err.Error(), "")
	}
	return s.tell(ExitRefused, err.Error(), "")
}

func (s *Session) tell(code int, what, next string) int {
	fmt.Fprintln(s.Err, "detente:", Safe(what))
	if next != "" {
		fmt.Fprintln(s.Err, "  next:", next)
	}
	return code
}

// exitOf is the exit code of what the node refuses.
func exitOf(p *api.Problem) int {
	switch p.Code {
	case "no-releaser", "release-needed", "words-not-compared", "not-approved":
		return ExitPerson
	case "not-yet", "stopped", "unknown", "remote":
		return ExitUnreachable
	}
	switch p.Status {
	case 404:
		return ExitNotFound
	case 400, 413, 415, 422:
		return ExitUse
	}
	return ExitRefused
}

// Client asks the running node; where none runs, this process becomes one until the command ends. With exchange it also talks to the peers.
func (s *Session) Client(exchange bool) (*api.Client, error) {
	token := ""
	if s.TokenFile != "" {
		b, err := os.ReadFile(s.TokenFile)
		if err != nil {
			return nil, err
		}
		token = strings.TrimSpace(string(b))
	}
	c, err := s.reach(exchange, token)
	if err == nil && officer.IsToken(token) {
		c = c.As(token) // also on the socket, where the node's own token is not asked
	}
	return c, err
}

// reach asks the node at --api with the token, else that of the home directory.
func (s *Session) reach(exchange bool, token string) (*api.Client, error) {
	if s.API != "" {
		c, err := api.NewClient(s.API, token)
		if err != nil {
			return nil, &failure{ExitUse, "", err}
		}
		return c, nil
	}
	settings, err := host.ReadSettings(s.Home)
	if err != nil {
		return nil, err
	}
	if path := settings.Path(s.Home, settings.API.Socket); path != "" {
		if c, err := (&net.Dialer{Timeout: time.Second}).DialContext(s.Ctx, "unix", path); err == nil {
			c.Close()
			return api.NewClient("unix:"+path, "")
		}
	}
	lock, err := s.Lock(settings)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: slog.LevelError}))
	if s.host, err = host.New(s.Ctx, host.Config{Version: s.Version, Home: s.Home, Settings: settings, Lock: lock, Log: log}); err != nil {
		return nil, err
	}
	if exchange {
		ctx, cancel := context.WithCancel(s.Ctx)
		ended := make(chan error, 1)
		go func() { ended <- s.host.Run(ctx) }()
		s.stop = func() error { cancel(); return <-ended }
	}
	return s.host.Client(), nil
}

// Close ends the node that the command ran.
func (s *Session) Close() error {
	var err error
	if s.stop != nil {
		err = s.stop()
	}
	if s.host != nil {
		err = errors.Join(err, s.host.Close())
	}
	return err
}

// JSON prints v for a script.
func (s *Session) JSON(v any) error {
	e := json.NewEncoder(s.Out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// Printf prints for a person; words of strangers in it cannot steer the terminal.
func (s *Session) Printf(format string, args ...any) {
	io.WriteString(s.Out, Safe(fmt.Sprintf(format, args...)))
}

// WriteNew writes a file that must not be there, or standard output for "-".
func (s *Session) WriteNew(path string, b []byte, mode fs.FileMode) error {
	if path == "-" {
		_, err := s.Out.Write(b)
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return Fail(ExitRefused, "move it away, or choose another name with --output", "%s is there already", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// ReadFile reads a file that somebody else made, at most so many bytes, or standard input for "-".
func (s *Session) ReadFile(path string, most int64) ([]byte, error) {
	var r io.Reader = s.In
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
		err = Fail(ExitRefused, "", "%s has more than %d bytes", path, most)
	}
	return b, err
}

// JSONFlag is embedded by every command whose result a script would read.
type JSONFlag struct {
	JSON bool `name:"json" help:"Print the result as JSON."`
}

// LangFlag is embedded by every command that shows phrases.
type LangFlag struct {
	Lang string `help:"Language of the reader." default:"en" env:"DETENTE_LANG" placeholder:"TAG"`
}
