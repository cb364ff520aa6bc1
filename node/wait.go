package node

import (
	"context"
	"errors"
	"fmt"

	"detente/archive"
	"detente/exchange"
	"detente/feed"
	"detente/store"
	"detente/traffic"
)

// WaitReceipt waits until the mirror's cosignature of the statement is verified and kept here. Error: that of ctx.
func (n *Node) WaitReceipt(ctx context.Context, s Sent, mirror traffic.Party) error {
	r := exchange.Receipt{Feed: s.Feed, Mirror: mirror, Size: s.Index + 1}
	done, drop := n.waiters.Add(r)
	defer drop()
	// Looked up after the waiter is in place, so that a receipt kept in between is not missed.
	size, err := n.cosigned(ctx, r)
	if err != nil || size > s.Index {
		return err
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("node: %s has not cosigned it yet: %w", mirror, ctx.Err())
	}
}

func (n *Node) cosigned(ctx context.Context, r exchange.Receipt) (size int64, err error) {
	err = n.db.View(ctx, func(tx *store.Tx) error {
		h, err := feed.Find(ctx, tx, r.Feed)
		if errors.Is(err, feed.ErrNoFeed) {
			return archive.ErrNotHeld
		}
		if err == nil {
			size, err = h.Cosigned(ctx, tx, r.Mirror)
		}
		return err
	})
	return size, err
}

// releaseKept lets go of the waiters whose receipts another process has taken in.
func (n *Node) releaseKept(ctx context.Context) error {
	for _, r := range n.waiters.Waited() {
		size, err := n.cosigned(ctx, r)
		if err != nil {
			return err
		}
		r.Size = size
		n.waiters.Release(r)
	}
	return nil
}
