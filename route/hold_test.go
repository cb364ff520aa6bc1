package route_test

import (
	"bytes"
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"detente/key"
	"detente/route"
	"detente/traffic"
)

// cable is a network of one node. When it is cut, connections stay up and nothing passes, as in real life.
type cable struct {
	connections chan net.Conn
	cut         chan struct{}
	closed      chan struct{}
	closing     sync.Once
}

func newCable() *cable {
	return &cable{connections: make(chan net.Conn), cut: make(chan struct{}), closed: make(chan struct{})}
}

func (c *cable) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case c.connections <- silenced{theirs, c.cut}:
		return silenced{ours, c.cut}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *cable) Accept() (net.Conn, error) {
	select {
	case conn := <-c.connections:
		return conn, nil
	case <-c.closed:
		return nil, net.ErrClosed
	}
}

func (c *cable) Close() error   { c.closing.Do(func() { close(c.closed) }); return nil }
func (c *cable) Addr() net.Addr { return &net.TCPAddr{} }

// silenced loses what is written after the cut.
type silenced struct {
	net.Conn
	cut chan struct{}
}

func (s silenced) Write(b []byte) (int, error) {
	select {
	case <-s.cut:
		return len(b), nil
	default:
		return s.Conn.Write(b)
	}
}

func overCable(t *testing.T, accept route.Accept, story func(t *testing.T, c *cable, carry func(context.Context) ([]byte, error))) {
	synctest.Test(t, func(t *testing.T) {
		c := newCable()
		xs, xn := transportKey(t), transportKey(t)
		server, err := route.NewServer(route.Config{
			Transport: xs, Accept: accept,
			Known: func(k key.Public) (traffic.Party, bool) { return "xn", bytes.Equal(k.Bytes, xn.Public().Bytes) },
		})
		if err != nil {
			t.Fatal(err)
		}
		h, err := route.NewHTTPS(xn, c.dial)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- server.Serve(ctx, c) }()
		peer := route.Peer{Party: "xs", Address: "xs.example:443", Transport: []key.Public{xs.Public()}}
		story(t, c, func(ctx context.Context) ([]byte, error) { return h.Carry(ctx, peer, []byte("anything new?")) })
		h.Close()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestAnAnswerIsHeldForFiveMinutes(t *testing.T) {
	accept := func(context.Context, []byte) ([]byte, error) {
		time.Sleep(5 * time.Minute)
		return []byte("nothing"), nil
	}
	overCable(t, accept, func(t *testing.T, _ *cable, carry func(context.Context) ([]byte, error)) {
		for range 3 { // over the same connection, which the pings keep
			if got, err := carry(t.Context()); err != nil || string(got) != "nothing" {
				t.Errorf("%q, %v", got, err)
			}
		}
	})
}

func TestACutIsNoticedWhileAnAnswerIsHeld(t *testing.T) {
	accept := func(ctx context.Context, _ []byte) ([]byte, error) {
		<-ctx.Done() // ends when the server notices the cut
		return nil, ctx.Err()
	}
	overCable(t, accept, func(t *testing.T, c *cable, carry func(context.Context) ([]byte, error)) {
		time.AfterFunc(time.Minute, func() { close(c.cut) })
		begun := time.Now()
		if _, err := carry(t.Context()); err == nil {
			t.Error("carried over a cut cable")
		}
		if took := time.Since(begun) - time.Minute; took > time.Minute {
			t.Errorf("noticed %v after the cut", took)
		}
	})
}

func TestStoppingDoesNotWaitForHeldAnswers(t *testing.T) {
	accept := func(ctx context.Context, _ []byte) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	overCable(t, accept, func(t *testing.T, _ *cable, carry func(context.Context) ([]byte, error)) {
		var stopped time.Time
		go func() { // synctest waits for it
			if _, err := carry(t.Context()); err == nil {
				t.Error("an answer from a node that stopped")
			}
			if took := time.Since(stopped); took > 15*time.Second {
				t.Errorf("stopped after %v", took)
			}
		}()
		synctest.Wait()
		stopped = time.Now()
	})
}
