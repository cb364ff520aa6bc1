package session

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"detente/host"
	"detente/party"
)

// Lock is what opens the keys: a key file, or the passphrase of a file, or one that is asked for on the terminal.
func (s *Session) Lock(settings host.Settings) (party.Lock, error) {
	if s.KeyFile != "" {
		return party.Lock{KeyFile: s.KeyFile}, nil
	}
	if s.PassphraseFile != "" {
		return PassphraseFile(s.PassphraseFile)
	}
	if settings.KeyFile != "" {
		return party.Lock{KeyFile: settings.Path(s.Home, settings.KeyFile)}, nil
	}
	phrase, err := s.Secret("passphrase of " + string(settings.Party) + ": ")
	return party.Lock{Passphrase: phrase, WorkFactor: WorkFactor()}, err
}

// PassphraseFile is the passphrase in the first line of a file.
func PassphraseFile(path string) (party.Lock, error) {
	f, err := os.Open(path)
	if err != nil {
		return party.Lock{}, err
	}
	defer f.Close()
	line, err := bufio.NewReader(io.LimitReader(f, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return party.Lock{}, err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return party.Lock{}, Fail(ExitUse, "", "%s has no passphrase in its first line", path)
	}
	return party.Lock{Passphrase: line, WorkFactor: WorkFactor()}, nil
}

// WorkFactor makes new key files cheap to open, for tests; 0 is what keys deserve.
func WorkFactor() int {
	n, _ := strconv.Atoi(os.Getenv("DETENTE_TEST_SCRYPT"))
	return n
}

// Terminal tells whether a person sits at standard input.
func (s *Session) Terminal() bool { return IsTerminal(s.In) }

// IsTerminal tells whether v is a file that is a terminal.
func IsTerminal(v any) bool {
	f, ok := v.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// Secret asks for a line on the terminal, without showing what is typed.
func (s *Session) Secret(prompt string) (string, error) {
	const hint = "give --passphrase-file FILE, or --key-file FILE"
	if !s.Terminal() {
		return "", Fail(ExitUse, hint, "the keys are locked, and there is no terminal to ask for the passphrase")
	}
	if err := s.stty("-echo"); err != nil {
		return "", Fail(ExitUse, hint, "this terminal cannot hide what is typed: %w", err)
	}
	line, err := s.Ask(prompt)
	fmt.Fprintln(s.Err)
	return line, errors.Join(err, s.stty("echo"))
}

// NewSecret asks twice.
func (s *Session) NewSecret(what string) (string, error) {
	first, err := s.Secret("new passphrase for " + what + ": ")
	if err != nil {
		return "", err
	}
	if len(first) < 12 {
		return "", Fail(ExitUse, "take four words or more, at random", "a passphrase of %d characters is too short", len(first))
	}
	second, err := s.Secret("once more: ")
	if err == nil && second != first {
		err = Fail(ExitUse, "", "the two passphrases are not the same; nothing was made")
	}
	return first, err
}

func (s *Session) stty(mode string) error {
	c := exec.CommandContext(context.WithoutCancel(s.Ctx), "stty", mode) // also after Ctrl-C, which must not leave the terminal dumb
	c.Stdin = s.In
	return c.Run()
}

// Ask asks for a line. When the command is broken off it returns at once; the reader is left to the end of the process.
func (s *Session) Ask(prompt string) (string, error) {
	fmt.Fprint(s.Err, prompt)
	type typed struct {
		line string
		err  error
	}
	done := make(chan typed, 1)
	go func() {
		line, err := s.readLine()
		done <- typed{line, err}
	}()
	select {
	case t := <-done:
		return t.line, t.err
	case <-s.Ctx.Done():
		return "", s.Ctx.Err()
	}
}

// readLine reads a byte at a time: what follows the line is the next question's.
func (s *Session) readLine() (string, error) {
	var line []byte
	for one := make([]byte, 1); len(line) < 4096; {
		n, err := s.In.Read(one)
		if n == 1 && one[0] == '\n' || errors.Is(err, io.EOF) && len(line) > 0 {
			break
		}
		if err != nil {
			return "", err
		}
		line = append(line, one[:n]...)
	}
	return strings.TrimRight(string(line), "\r"), nil
}
