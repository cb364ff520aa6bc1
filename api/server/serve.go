package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// drain is how long requests under way may take to end once the process is told to stop.
const drain = 10 * time.Second

// Serve answers on a listener until ctx ends, then lets the requests under way end. A token that is not empty is asked of every request, or else an officer's.
func (s *Server) Serve(ctx context.Context, l net.Listener, token string) error {
	handler := s.Handler()
	if token != "" {
		handler = s.admit(false, token)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("api: %w", err)
	case <-ctx.Done():
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := server.Shutdown(late); err != nil {
		err = errors.Join(err, server.Close())
		<-ended
		return fmt.Errorf("api: %w", err)
	}
	<-ended
	return nil
}

// ListenUnix listens on a socket that only its owner may use. A socket that a dead process has left is replaced; that of a living one is not.
func ListenUnix(path string) (net.Listener, error) {
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		c.Close()
		return nil, fmt.Errorf("api: a node is running already: %s answers", path)
	}
	if info, err := os.Lstat(path); err == nil {
		if info.Mode()&fs.ModeSocket == 0 {
			return nil, fmt.Errorf("api: %s is there and is no socket", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("api: %w", err)
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	// Until here the mode is the umask's, which as a rule lets nobody else write, and so nobody connect.
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("api: %w", err), l.Close())
	}
	return l, nil
}

// Token reads the token of a file that only its owner may read, and makes both when they are not there.
func Token(path string) (string, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		token := rand.Text()
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return "", fmt.Errorf("api: %w", err)
		}
		_, err = f.WriteString(token + "\n")
		if err := errors.Join(err, f.Close()); err != nil {
			return "", fmt.Errorf("api: %w", err)
		}
		return token, nil
	}
	if err != nil {
		return "", fmt.Errorf("api: %w", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("api: others can read %s: take their permission, or delete it to have a new one made", path)
	}
	token := strings.TrimSpace(string(b))
	if len(token) < 16 {
		return "", fmt.Errorf("api: %s holds no token: delete it to have a new one made", path)
	}
	return token, nil
}
