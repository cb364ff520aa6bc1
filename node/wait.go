package node

import (
	"context"
	"fmt"

	"detente/exchange"
	"detente/traffic"
)

// WaitReceipt waits until the mirror's cosignature of the statement is verified and kept here. Error: that of ctx.
func (n *Node) WaitReceipt(ctx context.Context, s Sent, mirror traffic.Party) error {
	r := exchange.Receipt{Feed: s.Feed, Mirror: mirror, Size: s.Index + 1}
	done, drop := n.waiters.Add(r)
	defer drop()
	// Looked up after the waiter is in place, so that a receipt kept in between is not missed.
	size, err := n.Cosigned(ctx, r.Feed, r.Mirror)
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

// releaseKept lets go of the waiters whose receipts another process has taken in.
func (n *Node) releaseKept(ctx context.Context) error {
	for _, r := range n.waiters.Waited() {
		size, err := n.Cosigned(ctx, r.Feed, r.Mirror)
		if err != nil {
			return err
		}
		r.Size = size
		n.waiters.Release(r)
	}
	return nil
}
