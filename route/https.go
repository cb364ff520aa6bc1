package route

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"detente/key"
	"detente/traffic"
)

// Path is where a node takes bundles, protocol.md#https.
const Path = "/detente/v1/bundle"

const mediaType = "application/vnd.detente.bundle"

const (
	handshakeTimeout = 10 * time.Second
	bodyTimeout      = 10 * time.Minute // a full bundle at 112 kbit/s
	holdTimeout      = 5 * time.Minute  // the longest that an answer may be held back
	idleTimeout      = 10 * time.Minute
	pingAfter        = 30 * time.Second // so that a dead connection is noticed while an answer is held back
	pingTimeout      = 15 * time.Second
)

// HTTPS is the route over HTTP/2 and mutual TLS 1.3 with pinned keys. One connection to each party is kept and shared.
type HTTPS struct {
	transport key.Signer
	dial      func(ctx context.Context, network, address string) (net.Conn, error)

	mu    sync.Mutex
	links map[traffic.Party]*link
}

type link struct {
	pins   []key.Public
	client *http.Transport
}

// NewHTTPS makes the route. transport is the own node key "transport". dial opens connections; nil means the network of this machine.
func NewHTTPS(transport key.Signer, dial func(ctx context.Context, network, address string) (net.Conn, error)) (*HTTPS, error) {
	if _, err := newTLSSigner(transport); err != nil {
		return nil, err
	}
	if dial == nil {
		dial = (&net.Dialer{Timeout: handshakeTimeout}).DialContext
	}
	return &HTTPS{transport: transport, dial: dial, links: make(map[traffic.Party]*link)}, nil
}

// Name implements Route.
func (h *HTTPS) Name() string { return "https" }

// Limit implements Route.
func (h *HTTPS) Limit() int { return MaxBundle }

// Close closes the connections that carry nothing at the moment.
func (h *HTTPS) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.links {
		l.client.CloseIdleConnections()
	}
	clear(h.links)
}

// Carry implements Route.
func (h *HTTPS) Carry(ctx context.Context, peer Peer, sealed []byte) ([]byte, error) {
	if len(sealed) > MaxBundle {
		return nil, fmt.Errorf("%w: %d bytes", ErrLimit, len(sealed))
	}
	client, err := h.client(peer)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+peer.Address+Path, bytes.NewReader(sealed))
	if err != nil {
		return nil, fmt.Errorf("route: address %q: %w", peer.Address, err)
	}
	request.Header.Set("Content-Type", mediaType)
	response, err := client.RoundTrip(request)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("route: %s: %w", peer.Party, err)
	}
	defer response.Body.Close()
	return answer(response)
}

func answer(response *http.Response) ([]byte, error) {
	switch response.StatusCode {
	case http.StatusNoContent:
		return nil, nil
	case http.StatusOK:
		b, err := readBundle(response.Body, response.ContentLength)
		if err != nil && !errors.Is(err, ErrLimit) {
			err = fmt.Errorf("%w: answer: %w", ErrCut, err)
		}
		return b, err
	case http.StatusTooManyRequests:
		return nil, ErrBusy
	case http.StatusRequestEntityTooLarge:
		return nil, ErrLimit
	case http.StatusUnprocessableEntity:
		code, err := io.ReadAll(io.LimitReader(response.Body, 33))
		if r := Refusal(code); err == nil && r.valid() { // what a stranger says goes no further unless it is a code
			return nil, r
		}
	}
	return nil, fmt.Errorf("%w: status %d", ErrPeer, response.StatusCode)
}

// client gives the connections to a peer. Those made under other pins are not used again.
func (h *HTTPS) client(peer Peer) (*http.Transport, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.links[peer.Party]
	if l != nil && slices.EqualFunc(l.pins, peer.Transport, same) {
		return l.client, nil
	}
	if l != nil {
		l.client.CloseIdleConnections()
	}
	pins := slices.Clone(peer.Transport)
	config, err := identity(h.transport, func(shown key.Public) bool {
		return slices.ContainsFunc(pins, func(pin key.Public) bool { return same(pin, shown) })
	})
	if err != nil {
		return nil, err
	}
	l = &link{pins, &http.Transport{
		DialContext:           h.dial,
		TLSClientConfig:       config,
		TLSHandshakeTimeout:   handshakeTimeout,
		ResponseHeaderTimeout: holdTimeout + time.Minute,
		IdleConnTimeout:       idleTimeout,
		DisableCompression:    true, // sealed bytes do not compress
		Protocols:             http2Only(),
		HTTP2:                 http2Config(0),
	}}
	h.links[peer.Party] = l
	return l.client, nil
}

func same(a, b key.Public) bool { return a.Algorithm == b.Algorithm && bytes.Equal(a.Bytes, b.Bytes) }

func http2Only() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP2(true)
	return p
}

// http2Config is for both ends. Frames and windows are such that a batch of some hundred statements passes without waiting for the other
// end to make room: it takes half the time that it takes with the defaults.
func http2Config(streams int) *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams:          streams,
		MaxReadFrameSize:              256 << 10,
		MaxReceiveBufferPerStream:     1 << 20,
		MaxReceiveBufferPerConnection: 4 << 20,
		SendPingTimeout:               pingAfter,
		PingTimeout:                   pingTimeout,
		WriteByteTimeout:              pingAfter,
	}
}
