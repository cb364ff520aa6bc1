package node

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"detente/feed"
	"detente/store"
	"detente/traffic"
)

// waiter waits for a mirror to hold a feed up to a size.
type waiter struct {
	mirror traffic.Party
	size   int64
	done   chan struct{}
}

// WaitReceipt waits until the mirror's cosignature of the statement is verified and kept here. Error: that of ctx.
func (n *Node) WaitReceipt(ctx context.Context, s Sent, mirror traffic.Party) error {
	w := waiter{mirror, s.Index + 1, make(chan struct{})}
	n.mu.Lock()
	n.waiters[s.Feed] = append(n.waiters[s.Feed], w)
	n.mu.Unlock()
	defer n.forget(s.Feed, w)
	// Looked up after the waiter is in place, so that a receipt kept in between is not missed.
	var size int64
	err := n.db.View(ctx, func(tx *store.Tx) error {
		h, err := feed.Find(ctx, tx, s.Feed)
		if errors.Is(err, feed.ErrNoFeed) {
			return ErrNotHeld
		}
		if err == nil {
			size, err = h.Cosigned(ctx, tx, mirror)
		}
		return err
	})
	if err != nil || size > s.Index {
		return err
	}
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("node: %s has not cosigned it yet: %w", mirror, ctx.Err())
	}
}

func (n *Node) forget(f traffic.Feed, w waiter) {
	n.mu.Lock()
	defer n.mu.Unlock()
	left := slices.DeleteFunc(n.waiters[f], func(x waiter) bool { return x.done == w.done })
	if len(left) == 0 {
		delete(n.waiters, f)
	} else {
		n.waiters[f] = left
	}
}

// release lets go of the waiters that the receipts satisfy.
func (n *Node) release(receipts []receipt) {
	if len(receipts) == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range receipts {
		n.waiters[r.feed] = slices.DeleteFunc(n.waiters[r.feed], func(w waiter) bool {
			met := w.mirror == r.mirror && w.size <= r.size
			if met {
				close(w.done)
			}
			return met
		})
	}
}

// releaseKept lets go of the waiters whose receipts another process has taken in.
func (n *Node) releaseKept(ctx context.Context) error {
	n.mu.RLock()
	var waited []receipt
	for f, ws := range n.waiters {
		for _, w := range ws {
			waited = append(waited, receipt{feed: f, mirror: w.mirror})
		}
	}
	n.mu.RUnlock()
	if len(waited) == 0 {
		return nil
	}
	err := n.db.View(ctx, func(tx *store.Tx) error {
		for i, r := range waited {
			h, err := feed.Find(ctx, tx, r.feed)
			if err != nil {
				return err
			}
			if waited[i].size, err = h.Cosigned(ctx, tx, r.mirror); err != nil {
				return err
			}
		}
		return nil
	})
	n.release(waited)
	return err
}
