// Package route carries sealed bundles to other parties: over a network, or in a file that somebody takes along.
// It must never know what the bytes mean, nor trust anything but the keys it is given.
package route

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"detente/key"
	"detente/traffic"
)

// MaxBundle is the most bytes that a sealed bundle may have on any route, protocol.md#bundle.
const MaxBundle = 8 << 20

// Errors that a caller decides on.
var (
	ErrLimit = errors.New("route: larger than the route carries")
	ErrPin   = errors.New("route: the key at the other end is not the party's") // another machine answers: an alarm, not a delay
	ErrBusy  = errors.New("route: the other party takes no more at once")
	ErrPeer  = errors.New("route: the other party's node failed") // and says no more about it
	ErrCut   = errors.New("route: cut off")
)

// Refusal is a reason for which a node does not take a bundle, as the other party may see it: a short code of [a-z-]{1,32}. An [Accept]
// returns it, and at the other end [Route].Carry does.
type Refusal string

// Error is the code, with the package's name.
func (r Refusal) Error() string { return "route: refused: " + string(r) }

func (r Refusal) valid() bool {
	for _, c := range []byte(r) {
		if (c < 'a' || c > 'z') && c != '-' {
			return false
		}
	}
	return 1 <= len(r) && len(r) <= 32
}

// Peer is where a party is reached.
type Peer struct {
	Party     traffic.Party
	Address   string       // what the route makes of it: "host:port" for https
	Transport []key.Public // keys of which the other end must show one; two while the party changes its key
}

// Route carries a sealed bundle to a peer. It is safe for concurrent use.
type Route interface {
	// Name is the name in charters and logs, such as "https".
	Name() string

	// Carry delivers sealed, or returns an error; after an error it may have been delivered all the same, which harms nothing, since a
	// bundle is idempotent. The answer is nil when the other end has nothing to say or the route has no way back. Errors: ErrLimit, ErrPin,
	// ErrBusy, ErrPeer, a [Refusal], those of ctx, and those of the network.
	Carry(ctx context.Context, peer Peer, sealed []byte) (answer []byte, err error)

	// Limit is the most bytes that Carry takes.
	Limit() int
}

// Accept is what a node does with a bundle that came in. It may take its time, up to ctx, before it answers; the answer is nil when there
// is nothing to say. Of its errors the other party sees a [Refusal]'s code, and of all others only that there was one.
type Accept func(ctx context.Context, sealed []byte) (answer []byte, err error)

const (
	backoffLeast = 100 * time.Millisecond
	backoffFirst = time.Second
	backoffMost  = 5 * time.Minute
	backoffFlash = 15 * time.Second
)

// Backoff is how long to wait after attempt failures in a row, 1 or more: a random time below a bound that doubles up to five minutes, or for
// urgent traffic to fifteen seconds. The randomness keeps two nodes, or many, from trying in step. rnd returns a number below its argument,
// as rand.Int64N does.
func Backoff(attempt int, urgent bool, rnd func(int64) int64) time.Duration {
	most := backoffMost
	if urgent {
		most = backoffFlash
	}
	bound := backoffFirst
	for i := 1; i < attempt && bound < most; i++ {
		bound *= 2
	}
	return backoffLeast + time.Duration(rnd(int64(min(bound, most)-backoffLeast)))
}

// readBundle reads to the end, at most MaxBundle bytes. The expected length, -1 when it is not known, is a hint and no more: what is
// allocated ahead of the bytes is little. Error: ErrLimit.
func readBundle(r io.Reader, expected int64) ([]byte, error) {
	buf := make([]byte, 0, min(max(expected, 0), 512<<10)+1)
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case len(buf) > MaxBundle:
			return nil, fmt.Errorf("%w: over %d bytes", ErrLimit, MaxBundle)
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return nil, err
		case len(buf) == cap(buf):
			buf = append(buf, 0)[:len(buf)]
		}
	}
}
