// Package routetest is what every route must do, as tests.
// It must never test what only one route does.
package routetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"detente/route"
)

// New makes a route, and a peer at whose end accept takes what comes. What it opens it closes with t.Cleanup.
type New func(t *testing.T, accept route.Accept) (route.Route, route.Peer)

// Test runs the suite. A route that is not twoWay gives no answers and may deliver after Carry returned nil, but before the test that
// made it looks, so its New delivers within Carry.
func Test(t *testing.T, twoWay bool, create New) {
	t.Run("what is carried arrives", func(t *testing.T) { arrives(t, create) })
	t.Run("a bundle over the limit is not carried", func(t *testing.T) { limit(t, create) })
	t.Run("the bytes are the receiver's own", func(t *testing.T) { owns(t, create) })
	t.Run("a context that has ended ends it", func(t *testing.T) { ended(t, create) })
	if !twoWay {
		return
	}
	t.Run("the answer comes back", func(t *testing.T) { answers(t, create) })
	t.Run("answers do not get mixed up", func(t *testing.T) { concurrent(t, create) })
	t.Run("a refusal comes back as its code", func(t *testing.T) { refusal(t, create) })
	t.Run("an internal error stays inside", func(t *testing.T) { internal(t, create) })
	t.Run("an answer may be held back", func(t *testing.T) { held(t, create) })
	t.Run("who gives up is not waited for", func(t *testing.T) { givesUp(t, create) })
}

// inbox is the receiving end: it keeps what came.
type inbox struct {
	mu   sync.Mutex
	came [][]byte
}

func (i *inbox) accept(_ context.Context, sealed []byte) ([]byte, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.came = append(i.came, sealed)
	return nil, nil
}

func (i *inbox) list() [][]byte {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.came
}

func arrives(t *testing.T, create New) {
	var in inbox
	r, peer := create(t, in.accept)
	if r.Name() == "" {
		t.Error("the route has no name")
	}
	for n, size := range []int{1, 1000, 70_000, r.Limit()} {
		sent := bytes.Repeat([]byte{byte(n + 1)}, size)
		answer, err := r.Carry(t.Context(), peer, sent)
		if err != nil || answer != nil {
			t.Fatalf("%d bytes: answer of %d bytes, %v", size, len(answer), err)
		}
		if came := in.list(); len(came) != n+1 || !bytes.Equal(came[n], sent) {
			t.Fatalf("%d bytes did not arrive as they were sent", size)
		}
	}
}

func limit(t *testing.T, create New) {
	var in inbox
	r, peer := create(t, in.accept)
	if _, err := r.Carry(t.Context(), peer, make([]byte, r.Limit()+1)); !errors.Is(err, route.ErrLimit) {
		t.Errorf("%v, want %v", err, route.ErrLimit)
	}
	if len(in.list()) != 0 {
		t.Error("it arrived all the same")
	}
}

func owns(t *testing.T, create New) {
	var in inbox
	r, peer := create(t, in.accept)
	sent := []byte("first")
	for _, s := range []string{"first", "later"} {
		copy(sent, s)
		if _, err := r.Carry(t.Context(), peer, sent); err != nil {
			t.Fatal(err)
		}
	}
	if came := in.list(); string(came[0]) != "first" || string(came[1]) != "later" {
		t.Errorf("came %q", came)
	}
}

func ended(t *testing.T, create New) {
	var in inbox
	r, peer := create(t, in.accept)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Carry(ctx, peer, []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}

func answers(t *testing.T, create New) {
	var answer []byte
	r, peer := create(t, func(context.Context, []byte) ([]byte, error) { return answer, nil })
	for _, size := range []int{1, 1000, 70_000, r.Limit()} {
		answer = bytes.Repeat([]byte{7}, size)
		got, err := r.Carry(t.Context(), peer, []byte("x"))
		if err != nil || !bytes.Equal(got, answer) {
			t.Errorf("answer of %d bytes: got %d bytes, %v", size, len(got), err)
		}
	}
}

func concurrent(t *testing.T, create New) {
	r, peer := create(t, func(_ context.Context, sealed []byte) ([]byte, error) { return append([]byte("re: "), sealed...), nil })
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			for i := range 20 {
				sent := fmt.Sprintf("%d of %d", i, n)
				got, err := r.Carry(t.Context(), peer, []byte(sent))
				if err != nil || string(got) != "re: "+sent {
					t.Errorf("sent %q, got %q, %v", sent, got, err)
				}
			}
		})
	}
	all.Wait()
}

func refusal(t *testing.T, create New) {
	r, peer := create(t, func(context.Context, []byte) ([]byte, error) {
		return nil, fmt.Errorf("with reasons that concern nobody: %w", route.Refusal("not-for-us"))
	})
	_, err := r.Carry(t.Context(), peer, []byte("x"))
	var got route.Refusal
	if !errors.As(err, &got) || got != "not-for-us" {
		t.Errorf("%v", err)
	}
}

func internal(t *testing.T, create New) {
	for _, inside := range []error{errors.New("disk /secret full"), route.Refusal("Not A Code"), route.Refusal("")} {
		r, peer := create(t, func(context.Context, []byte) ([]byte, error) { return []byte("secret"), inside })
		answer, err := r.Carry(t.Context(), peer, []byte("x"))
		if !errors.Is(err, route.ErrPeer) || answer != nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q, %v; want %v and no more", answer, err, route.ErrPeer)
		}
	}
}

func held(t *testing.T, create New) {
	news := make(chan []byte)
	r, peer := create(t, func(ctx context.Context, sealed []byte) ([]byte, error) {
		if string(sealed) == "flash" { // goes through beside the one that is held
			news <- []byte("there is news")
			return nil, nil
		}
		select {
		case n := <-news:
			return n, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	var all sync.WaitGroup
	all.Go(func() {
		if got, err := r.Carry(t.Context(), peer, []byte("hold")); err != nil || string(got) != "there is news" {
			t.Errorf("%q, %v", got, err)
		}
	})
	if _, err := r.Carry(t.Context(), peer, []byte("flash")); err != nil {
		t.Error(err)
	}
	all.Wait()
}

func givesUp(t *testing.T, create New) {
	left := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, peer := create(t, func(inside context.Context, _ []byte) ([]byte, error) {
		cancel()
		<-inside.Done()
		left <- inside.Err()
		return nil, inside.Err()
	})
	if _, err := r.Carry(ctx, peer, []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
	if err := <-left; err == nil {
		t.Error("the other end was not told")
	}
}
