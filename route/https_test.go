package route_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"detente/key"
	"detente/route"
	"detente/route/routetest"
	"detente/traffic"
)

func transportKey(t testing.TB) *key.Private {
	t.Helper()
	k, err := key.Generate(key.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// southland is a receiving node: it knows some transport keys, and counts the connections made to it.
type southland struct {
	transport   *key.Private
	address     string
	connections atomic.Int32
	log         bytes.Buffer
	logMu       sync.Mutex

	mu    sync.Mutex
	known map[string]traffic.Party
}

func (s *southland) Write(b []byte) (int, error) {
	s.logMu.Lock()
	defer s.logMu.Unlock()
	return s.log.Write(b)
}

type counting struct {
	net.Listener
	n *atomic.Int32
}

func (c counting) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.n.Add(1)
	}
	return conn, err
}

func (s *southland) pin(k key.Public, p traffic.Party) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[string(k.Bytes)] = p
}

func (s *southland) unpin(k key.Public) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, string(k.Bytes))
}

func (s *southland) who(k key.Public) (traffic.Party, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.known[string(k.Bytes)]
	return p, ok
}

func (s *southland) peer() route.Peer {
	return route.Peer{Party: "xs", Address: s.address, Transport: []key.Public{s.transport.Public()}}
}

func serve(t testing.TB, accept route.Accept) *southland {
	t.Helper()
	s := &southland{transport: transportKey(t), known: make(map[string]traffic.Party)}
	server, err := route.NewServer(route.Config{
		Transport: s.transport, Known: s.who, Accept: accept, PerPeer: 4,
		Log: slog.New(slog.NewTextHandler(s, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, counting{l, &s.connections}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

// northland is a sending node that southland knows as xn.
func northland(t testing.TB, s *southland) (*route.HTTPS, *key.Private) {
	t.Helper()
	k := transportKey(t)
	s.pin(k.Public(), "xn")
	return newHTTPS(t, k), k
}

func newHTTPS(t testing.TB, k *key.Private) *route.HTTPS {
	t.Helper()
	h, err := route.NewHTTPS(k, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

func echo(_ context.Context, sealed []byte) ([]byte, error) { return sealed, nil }

func TestHTTPSIsARoute(t *testing.T) {
	routetest.Test(t, true, func(t *testing.T, accept route.Accept) (route.Route, route.Peer) {
		s := serve(t, accept)
		h, _ := northland(t, s)
		return h, s.peer()
	})
}

func TestOneConnectionCarriesAll(t *testing.T) {
	s := serve(t, echo)
	h, _ := northland(t, s)
	for range 10 {
		if _, err := h.Carry(t.Context(), s.peer(), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestOnlyThePinnedKeyIsTalkedTo(t *testing.T) {
	var came atomic.Int32
	s := serve(t, func(_ context.Context, sealed []byte) ([]byte, error) {
		came.Add(1)
		return sealed, nil
	})
	h, _ := northland(t, s)
	impostor := s.peer()
	impostor.Transport = []key.Public{transportKey(t).Public()}
	if _, err := h.Carry(t.Context(), impostor, []byte("secret")); !errors.Is(err, route.ErrPin) {
		t.Errorf("another key: %v, want %v", err, route.ErrPin)
	}
	impostor.Transport = nil
	if _, err := h.Carry(t.Context(), impostor, []byte("secret")); !errors.Is(err, route.ErrPin) {
		t.Errorf("no key: %v, want %v", err, route.ErrPin)
	}
	if came.Load() != 0 {
		t.Error("it was told something")
	}

	// While the key is being changed, both hold; afterwards a connection under the old one is not used again.
	changing := s.peer()
	changing.Transport = []key.Public{transportKey(t).Public(), s.transport.Public()}
	if _, err := h.Carry(t.Context(), changing, []byte("x")); err != nil {
		t.Errorf("one of two keys: %v", err)
	}
	changing.Transport = changing.Transport[:1]
	if _, err := h.Carry(t.Context(), changing, []byte("x")); !errors.Is(err, route.ErrPin) {
		t.Errorf("after the change: %v, want %v", err, route.ErrPin)
	}
}

func TestStrangersStayOutside(t *testing.T) {
	s := serve(t, func(context.Context, []byte) ([]byte, error) {
		t.Error("a stranger came in")
		return nil, nil
	})
	stranger := newHTTPS(t, transportKey(t))
	if _, err := stranger.Carry(t.Context(), s.peer(), []byte("x")); err == nil {
		t.Error("a stranger's key: carried")
	}

	// Without a certificate, with HTTP/1.1, and with a key of another kind: nothing gets past the handshake.
	for name, config := range map[string]*tls.Config{
		"no certificate": {InsecureSkipVerify: true, NextProtos: []string{"h2"}},
		"HTTP/1.1":       {InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}},
		"TLS 1.2":        {InsecureSkipVerify: true, NextProtos: []string{"h2"}, MaxVersion: tls.VersionTLS12},
	} {
		conn, err := tls.Dial("tcp", s.address, config)
		if err == nil {
			_, err = io.ReadAll(conn) // in TLS 1.3 a client hears of the refusal when it reads
			conn.Close()
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAPartyThatIsNoLongerKnownIsTurnedAway(t *testing.T) {
	s := serve(t, echo)
	h, k := northland(t, s)
	if _, err := h.Carry(t.Context(), s.peer(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	s.unpin(k.Public())
	if _, err := h.Carry(t.Context(), s.peer(), []byte("x")); !errors.Is(err, route.ErrPeer) {
		t.Errorf("on the connection it had: %v, want %v", err, route.ErrPeer)
	}
	s.pin(k.Public(), "xn")
	if _, err := h.Carry(t.Context(), s.peer(), []byte("x")); err != nil {
		t.Errorf("known again: %v", err)
	}
}

// raw is a client of southland that says over HTTP/2 whatever a hostile party wants.
func raw(t *testing.T, s *southland) *http.Client {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.pin(key.Public{Algorithm: key.Ed25519, Bytes: public}, "xn")
	// The dates are long past: no date is judged, only the key.
	template := &x509.Certificate{SerialNumber: big.NewInt(9), NotBefore: time.Unix(1, 0), NotAfter: time.Unix(2, 0)}
	der, err := x509.CreateCertificate(nil, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true,
		Certificates:       []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}},
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// endless is a body that never ends.
type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// cut is a body that ends in the middle.
type cut struct{ left int }

func (c *cut) Read(b []byte) (int, error) {
	if c.left == 0 {
		return 0, errors.New("cable cut")
	}
	n := min(c.left, len(b))
	c.left -= n
	return n, nil
}

func TestAHostilePartyGetsCodesOnly(t *testing.T) {
	var came atomic.Int32
	s := serve(t, func(context.Context, []byte) ([]byte, error) {
		came.Add(1)
		return nil, errors.New("disk /secret is full")
	})
	client := raw(t, s)
	post := func(method, path string, body io.Reader, length int64) string {
		t.Helper()
		request, err := http.NewRequest(method, "https://"+s.address+path, body)
		if err != nil {
			t.Fatal(err)
		}
		request.ContentLength = length
		response, err := client.Do(request)
		if err != nil {
			return ""
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		return strings.TrimSpace(fmt.Sprintf("%d %s", response.StatusCode, text))
	}
	for name, c := range map[string]struct {
		body   io.Reader
		length int64
		code   string
	}{
		"says it sends 1 TB":      {endless{}, 1 << 40, "413 too-large"},
		"sends without end":       {endless{}, -1, "413 too-large"},
		"is cut in the middle":    {&cut{1000}, 2000, "400 cut-off"},
		"sends less than it said": {strings.NewReader("x"), 2000, "400 cut-off"},
	} {
		// A sender that cannot finish may not stay for the answer.
		if got := post("POST", route.Path, c.body, c.length); got != c.code && (c.length != 2000 || got != "") {
			t.Errorf("%s: %q, want %q", name, got, c.code)
		}
	}
	if came.Load() != 0 {
		t.Error("something of it was taken")
	}
	if got := post("POST", route.Path, strings.NewReader("x"), 1); got != "500 internal" {
		t.Errorf("an internal error shows as %q", got)
	}
	s.logMu.Lock()
	defer s.logMu.Unlock()
	if !strings.Contains(s.log.String(), "disk /secret is full") {
		t.Error("the log does not say what the other party is not told")
	}
	if got := post("GET", route.Path, nil, 0); !strings.HasPrefix(got, "405 ") {
		t.Errorf("GET: %q", got)
	}
	if got := post("POST", "/", nil, 0); !strings.HasPrefix(got, "404 ") {
		t.Errorf("another path: %q", got)
	}
}

func TestOnePartyFillsItsOwnPlacesOnly(t *testing.T) {
	inside, open := make(chan struct{}), make(chan struct{})
	s := serve(t, func(_ context.Context, sealed []byte) ([]byte, error) {
		if string(sealed) == "hold" {
			inside <- struct{}{}
			<-open
		}
		return sealed, nil
	})
	greedy, k := northland(t, s)
	second := newHTTPS(t, k) // more connections do not help: places are counted by party
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := greedy.Carry(t.Context(), s.peer(), []byte("hold")); err != nil {
				t.Error(err)
			}
		})
		<-inside
	}
	if _, err := second.Carry(t.Context(), s.peer(), []byte("x")); !errors.Is(err, route.ErrBusy) {
		t.Errorf("a fifth at once: %v, want %v", err, route.ErrBusy)
	}
	lakeland := transportKey(t)
	s.pin(lakeland.Public(), "xl")
	if _, err := newHTTPS(t, lakeland).Carry(t.Context(), s.peer(), []byte("x")); err != nil {
		t.Errorf("another party meanwhile: %v", err)
	}
	close(open)
	all.Wait()
	if _, err := second.Carry(t.Context(), s.peer(), []byte("x")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// A peer answers with more than a bundle may have, or stops in the middle.
func TestAnswersAreLimitedToo(t *testing.T) {
	size := route.MaxBundle + 1
	s := serve(t, func(context.Context, []byte) ([]byte, error) { return make([]byte, size), nil })
	h, _ := northland(t, s)
	if _, err := h.Carry(t.Context(), s.peer(), []byte("x")); !errors.Is(err, route.ErrLimit) {
		t.Errorf("%v, want %v", err, route.ErrLimit)
	}
}

// The network forgets a connection: what is carried at that moment may fail, the next gets a new one.
func TestAConnectionThatDiedIsReplaced(t *testing.T) {
	s := serve(t, echo)
	k := transportKey(t)
	s.pin(k.Public(), "xn")
	var last net.Conn
	h, err := route.NewHTTPS(k, func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		last = conn
		return conn, err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	if _, err := h.Carry(t.Context(), s.peer(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	last.(*net.TCPConn).CloseWrite()
	h.Carry(t.Context(), s.peer(), []byte("x"))
	if _, err := h.Carry(t.Context(), s.peer(), []byte("x")); err != nil {
		t.Errorf("still dead: %v", err)
	}
	if n := s.connections.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

func TestTheTransportKeyMustBeEd25519(t *testing.T) {
	k, err := key.Generate(key.MLDSA44)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := route.NewHTTPS(k, nil); !errors.Is(err, key.ErrMalformed) {
		t.Errorf("client: %v", err)
	}
	if _, err := route.NewServer(route.Config{Transport: k}); !errors.Is(err, key.ErrMalformed) {
		t.Errorf("server: %v", err)
	}
}

// BenchmarkHTTPS is the round trip of 1 kB over loopback, on a kept connection.
func BenchmarkHTTPS(b *testing.B) {
	s := serve(b, echo)
	h, _ := northland(b, s)
	sealed := make([]byte, 1024)
	for b.Loop() {
		if _, err := h.Carry(b.Context(), s.peer(), sealed); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHTTPSBundle carries a full batch one way: 512 statements of 500 bytes, sealed.
func BenchmarkHTTPSBundle(b *testing.B) {
	s := serve(b, func(context.Context, []byte) ([]byte, error) { return nil, nil })
	h, _ := northland(b, s)
	sealed := make([]byte, 260<<10)
	b.SetBytes(int64(len(sealed)))
	for b.Loop() {
		if _, err := h.Carry(b.Context(), s.peer(), sealed); err != nil {
			b.Fatal(err)
		}
	}
}
