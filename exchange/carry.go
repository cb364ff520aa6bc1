package exchange

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"detente/bundle"
	"detente/route"
)

// ErrNoRoute means that the peer's charter names no route that this node has: it must call us, or a pouch must go.
var ErrNoRoute = errors.New("exchange: no route to the peer")

// Way is one route to one address of the peer.
type Way struct {
	Route route.Route
	Peer  route.Peer
}

func (w Way) name() string { return w.Route.Name() + " " + w.Peer.Address }

// Carry takes a sealed bundle to the peer. A FLASH goes by every way at once and has arrived when one of them says so; anything else goes by
// the way that failed least, then by the next. answer is called, one call at a time, with each answer that a way brings back.
func (l *Link) Carry(ctx context.Context, ways []Way, sealed []byte, flash bool, answer func(w Way, sealed []byte)) error {
	if len(ways) == 0 {
		return ErrNoRoute
	}
	l.Tried()
	if flash {
		return l.carryAll(ctx, ways, sealed, answer)
	}
	var errs []error
	for _, w := range l.healthiest(ways) {
		back, err := w.Route.Carry(ctx, w.Peer, sealed)
		l.note(w, err)
		if err == nil {
			if back != nil {
				answer(w, back)
			}
			return nil
		}
		errs = append(errs, fmt.Errorf("exchange: %s: %w", w.name(), err))
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

func (l *Link) carryAll(ctx context.Context, ways []Way, sealed []byte, answer func(Way, []byte)) error {
	errs := make([]error, len(ways))
	var mu sync.Mutex // serialises answer
	var wg sync.WaitGroup
	for i, w := range ways {
		wg.Go(func() {
			back, err := w.Route.Carry(ctx, w.Peer, sealed)
			l.note(w, err)
			if err != nil {
				errs[i] = fmt.Errorf("exchange: %s: %w", w.name(), err)
			} else if back != nil {
				mu.Lock()
				defer mu.Unlock()
				answer(w, back)
			}
		})
	}
	wg.Wait()
	if slices.Contains(errs, nil) {
		return nil
	}
	return errors.Join(errs...)
}

func (l *Link) note(w Way, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.misses[w.name()] = 0
	} else {
		l.misses[w.name()]++
	}
}

func (l *Link) healthiest(ways []Way) []Way {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := slices.Clone(ways)
	slices.SortStableFunc(out, func(a, b Way) int { return l.misses[a.name()] - l.misses[b.name()] })
	return out
}

// Limit is how many bytes a sealed bundle may have to go by any of the ways.
func Limit(ways []Way) int {
	least := bundle.MaxSealed
	for _, w := range ways {
		least = min(least, w.Route.Limit())
	}
	return least
}

// Public is what a peer is told of a refusal: enough to mend an honest mistake, and no more.
func Public(err error) error {
	for _, r := range []struct {
		err  error
		code route.Refusal
	}{
		{bundle.ErrNotForUs, "not-for-us"}, {bundle.ErrKey, "old-key"}, {bundle.ErrSender, "sender"}, {bundle.ErrLimit, "too-large"},
	} {
		if errors.Is(err, r.err) {
			return r.code
		}
	}
	return route.Refusal("refused")
}
