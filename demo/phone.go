package demo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"detente/call"
)

// phones are the telephones of the story's officers: each is an address on this machine that a node calls by webhook.
type phones struct {
	secret string // with which every call must be signed
	server *http.Server
	at     string
	ended  chan error

	mu    sync.Mutex
	rings map[string][]call.Call // by officer
}

// install makes the telephones ring from now on.
func install() (*phones, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	p := &phones{secret: rand.Text(), at: "http://" + l.Addr().String(), ended: make(chan error, 1), rings: make(map[string][]call.Call)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{officer}", p.ring)
	p.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { p.ended <- p.server.Serve(l) }()
	return p, nil
}

// of is the number of an officer's telephone.
func (p *phones) of(officer string) string { return p.at + "/" + officer }

// ring takes a call, if it is signed by who knows the secret. The same call rings once, however often it is placed.
func (p *phones) ring(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	var c call.Call
	if err != nil || call.Verify([]byte(p.secret), time.Now(), r.Header.Get(call.SignatureHeader), body) != nil || json.Unmarshal(body, &c) != nil {
		http.Error(w, "nobody knows who calls", http.StatusForbidden)
		return
	}
	c.ID = r.Header.Get("Idempotency-Key")
	officer := r.PathValue("officer")
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, before := range p.rings[officer] {
		if before.ID == c.ID {
			return
		}
	}
	p.rings[officer] = append(p.rings[officer], c)
}

// heard is the last call that an officer's telephone has had about a statement, by its number.
func (p *phones) heard(officer, number string) (call.Call, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rings := p.rings[officer]
	for i := len(rings) - 1; i >= 0; i-- {
		if rings[i].Number == number {
			return rings[i], nil
		}
	}
	return call.Call{}, fmt.Errorf("demo: the telephone of %s has not rung for %s", officer, number)
}

func (p *phones) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := p.server.Shutdown(ctx)
	if ended := <-p.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
