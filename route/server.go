package route

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"detente/key"
	"detente/traffic"
)

// Config is what a server needs.
type Config struct {
	Transport key.Signer                             // own node key "transport"
	Known     func(key.Public) (traffic.Party, bool) // whose transport key this is; asked at each handshake and each request, so it may change
	Accept    Accept                                 // takes what comes in
	PerPeer   int                                    // requests of one party at once, held ones included; 8 when 0
	Log       *slog.Logger                           // discards when nil
}

// Server is the receiving end of the https route. Strangers do not get past the handshake.
type Server struct {
	config Config
	http   *http.Server

	mu      sync.Mutex
	running map[traffic.Party]int // requests now inside, at most config.PerPeer each
	closed  bool                  // nobody enters any more
	inside  sync.WaitGroup
}

// NewServer makes a server. Error: key.ErrMalformed for a transport key that is not Ed25519.
func NewServer(c Config) (*Server, error) {
	if c.PerPeer == 0 {
		c.PerPeer = 8
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{config: c, running: make(map[traffic.Party]int)}
	config, err := identity(c.Transport, func(shown key.Public) bool {
		_, ok := c.Known(shown)
		return ok
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Path, s.bundle)
	s.http = &http.Server{
		Handler:           mux,
		TLSConfig:         config,
		Protocols:         http2Only(),
		ReadHeaderTimeout: handshakeTimeout, // the handshake's too
		ReadTimeout:       bodyTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    8 << 10,
		HTTP2:             http2Config(c.PerPeer),
		ErrorLog:          slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug), // strangers' handshakes: of interest to who looks for them
	}
	return s, nil
}

// Serve takes connections from l until ctx ends, then ends the requests inside, waits for them and closes l. It returns nil after
// ctx ended, else what went wrong with l.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	s.http.BaseContext = func(net.Listener) context.Context { return ctx }
	failed := make(chan error, 1)
	go func() { failed <- s.http.ServeTLS(l, "", "") }()
	var err error
	select {
	case err = <-failed:
		err = fmt.Errorf("route: serve: %w", err)
	case <-ctx.Done():
		// Accepts see ctx too and come back; what they do not finish in this time the peer sends again.
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), handshakeTimeout)
		s.http.Shutdown(grace)
		cancel()
		<-failed
	}
	s.http.Close()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.inside.Wait()
	return err
}

// bundle answers one POST.
func (s *Server) bundle(w http.ResponseWriter, r *http.Request) {
	shown, _ := shownKey(r.TLS)
	party, ok := s.config.Known(shown)
	if !ok { // no longer: the connection is older than the change
		refuse(w, http.StatusForbidden, "stranger")
		return
	}
	if !s.enter(party) {
		refuse(w, http.StatusTooManyRequests, "busy")
		return
	}
	defer s.leave(party)
	if r.ContentLength > MaxBundle {
		refuse(w, http.StatusRequestEntityTooLarge, "too-large")
		return
	}
	sealed, err := readBundle(r.Body, r.ContentLength)
	switch {
	case errors.Is(err, ErrLimit):
		refuse(w, http.StatusRequestEntityTooLarge, "too-large")
		return
	case err != nil:
		refuse(w, http.StatusBadRequest, "cut-off")
		return
	}
	answer, err := s.config.Accept(r.Context(), sealed)
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(bodyTimeout))
	var refusal Refusal
	switch {
	case errors.As(err, &refusal) && refusal.valid():
		refuse(w, http.StatusUnprocessableEntity, refusal)
	case err != nil:
		s.config.Log.Error("bundle was not taken", "party", party, "error", err)
		refuse(w, http.StatusInternalServerError, "internal")
	case len(answer) == 0:
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Content-Type", mediaType)
		w.Write(answer) // when it does not arrive, the peer asks again
	}
}

// enter takes one of the party's places. One party filling its own keeps no other out.
func (s *Server) enter(p traffic.Party) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.running[p] >= s.config.PerPeer {
		return false
	}
	s.running[p]++
	s.inside.Add(1)
	return true
}

func (s *Server) leave(p traffic.Party) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[p]--; s.running[p] == 0 {
		delete(s.running, p)
	}
	s.inside.Done()
}

// refuse is the one place where a failure is worded for the other party.
func refuse(w http.ResponseWriter, status int, code Refusal) {
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(status)
	io.WriteString(w, string(code))
}
