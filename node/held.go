package node

import (
	"context"
	"errors"
	"fmt"

	"detente/bundle"
	"detente/exchange"
	"detente/feed"
	"detente/judge"
	"detente/store"
	"detente/traffic"
)

// claim is what a peer says of how far it holds a feed, with the cosignatures that verify.
type claim struct {
	bundle.Held
	signed []feed.Signed
}

// openHeld verifies the cosignatures of a bundle, before the transaction.
func (n *Node) openHeld(b *bundle.Bundle) []claim {
	var out []claim
	shared := n.shared(b.From)
	var candidates []feed.Candidate
	for _, h := range b.Held {
		if !shared(h.Feed.Channel) {
			continue
		}
		c := claim{Held: h}
		if h.Feed.Party == n.self && h.Cosignatures != "" {
			if candidates == nil {
				candidates = append(judge.Mirrors(n.Chain(b.From)), judge.EverSigned(n.Chain(n.self))...)
			}
			_, signed, err := feed.OpenCheckpoint(feed.Checkpoint{Feed: h.Feed, Size: h.Size, Root: h.Root}.Note(h.Cosignatures), candidates...)
			if err != nil {
				n.log.Warn("cosignature refused", "peer", b.From, "feed", h.Feed.Origin(), "reason", err)
			}
			c.signed = signed
		}
		out = append(out, c)
	}
	return out
}

// storeHeld keeps the receipts, and notices a peer that holds less than it did, or something else than was sent.
func (n *Node) storeHeld(ctx context.Context, tx *store.Tx, l *exchange.Link, b *bundle.Bundle, held []claim, t *taken) error {
	listed := make(map[traffic.Feed]int64)
	for _, c := range held {
		listed[c.Feed] = c.Size
		if c.Feed.Party != n.self {
			if c.Feed.Party == b.From {
				tx.AfterCommit(func() { l.PeerHolds(c.Feed, c.Size) })
			}
			continue
		}
		if err := n.storeReceipts(ctx, tx, l, b, c, t); err != nil {
			return err
		}
	}
	if b.Know == nil {
		return nil
	}
	return n.storeHello(ctx, tx, l, b, listed, t)
}

// storeHello takes a complete listing at its word: of what is not in it the peer holds nothing.
func (n *Node) storeHello(ctx context.Context, tx *store.Tx, l *exchange.Link, b *bundle.Bundle, listed map[traffic.Feed]int64, t *taken) error {
	heads, err := feed.Heads(ctx, tx, nil)
	if err != nil {
		return err
	}
	shared := n.shared(b.From)
	var all []traffic.Feed
	for _, h := range heads {
		if shared(h.Feed.Channel) && (h.Feed.Party == n.self || h.Feed.Party == b.From) {
			all = append(all, h.Feed)
			if h.Feed.Party == b.From { // it may have lost the receipts of its own words
				t.owed = append(t.owed, owed{feed: h.Feed})
				lost, err := h.CosignedBefore(ctx, tx, n.self, listed[h.Feed], b.At)
				if err != nil {
					return err
				}
				t.lost = t.lost || lost
			}
			if _, ok := listed[h.Feed]; !ok && h.Feed.Party == n.self {
				if _, err := n.noticeRollback(ctx, tx, h, b, 0, t); err != nil {
					return err
				}
			}
		}
	}
	known := b.Know[n.self]
	tx.AfterCommit(func() { l.PeerHoldsOnly(listed, all); l.PeerKnows(known) })
	return nil
}

// noticeRollback raises the alarm when a hello claims less than its sender had cosigned by then. A hello that is older than the cosignature
// came late, by pouch perhaps, and says nothing.
func (n *Node) noticeRollback(ctx context.Context, tx *store.Tx, h *feed.Head, b *bundle.Bundle, size int64, t *taken) (rolledBack bool, err error) {
	lost, err := h.CosignedBefore(ctx, tx, b.From, size, b.At)
	if err != nil || !lost {
		return false, err
	}
	cosigned, err := h.Cosigned(ctx, tx, b.From)
	if err != nil {
		return false, err
	}
	t.lost = true
	return true, n.raise(ctx, tx, t, exchange.Alarm{
		Kind: exchange.AlarmRollback, Subject: h.Feed.Origin() + " at " + string(b.From),
		Detail: fmt.Sprintf("%s holds %d entries and has cosigned %d: it has lost what it had; the rest is being sent again", b.From, size, cosigned),
	})
}

func (n *Node) storeReceipts(ctx context.Context, tx *store.Tx, l *exchange.Link, b *bundle.Bundle, c claim, t *taken) error {
	mirror := b.From
	h, err := feed.Find(ctx, tx, c.Feed)
	if errors.Is(err, feed.ErrNoFeed) || err == nil && c.Size > h.Size {
		return n.peerHasMore(ctx, tx, mirror, c, t)
	}
	if err != nil {
		return err
	}
	tx.AfterCommit(func() { l.PeerHolds(c.Feed, c.Size) })
	if b.Know != nil {
		if rolledBack, err := n.noticeRollback(ctx, tx, h, b, c.Size, t); err != nil || rolledBack {
			return err
		}
	}
	if c.Size == 0 {
		return nil
	}
	own, err := n.signedAt(ctx, tx, h, c.Size)
	if err != nil {
		return err
	}
	if own.Root != c.Root {
		return n.raise(ctx, tx, t, exchange.Alarm{
			Kind: exchange.AlarmExtend, Subject: c.Feed.Origin() + " at " + string(mirror), Evidence: []byte(c.Cosignatures),
			Detail: fmt.Sprintf("%s holds another history of this feed than the one here at size %d", mirror, c.Size),
		})
	}
	chain := n.Chain(mirror)
	for _, s := range c.signed {
		if s.Mirror == "" {
			continue
		}
		if since, withdrawn := chain.WithdrawnAt(s.Key); withdrawn && !s.At.Before(since) {
			continue
		}
		if err := h.SaveReceipt(ctx, tx, c.Size, s); err != nil {
			return err
		}
		t.receipts = append(t.receipts, exchange.Receipt{Feed: c.Feed, Mirror: mirror, Size: c.Size})
	}
	return nil
}

// signedAt is the kept checkpoint of an own feed at a size that a member has cosigned. Where a long feed was cut on its way none is kept
// yet: without it the cosignature would be of no use to a judge, so it is signed again and kept.
func (n *Node) signedAt(ctx context.Context, tx *store.Tx, h *feed.Head, size int64) (feed.Checkpoint, error) {
	if c, _, err := h.SignedAt(ctx, tx, size); err == nil && c.Size == size {
		return c, nil
	}
	c, err := h.CheckpointAt(ctx, tx, size)
	if err != nil {
		return c, err
	}
	line, err := c.Sign(n.Keys().Checkpoint, n.now())
	if err != nil {
		return c, err
	}
	return c, h.SaveCheckpoint(ctx, tx, c, line)
}

// storeGossip compares what third members were told with what was told here, and keeps proofs of forks that others found.
func (n *Node) storeGossip(ctx context.Context, tx *store.Tx, b *bundle.Bundle, t *taken) error {
	shared := n.shared(b.From)
	for _, note := range b.Gossip {
		c, chain := exchange.OpenGossip(note, n.self, shared, n.Chain)
		if chain == nil {
			continue
		}
		h, err := feed.Find(ctx, tx, c.Feed)
		if err != nil || c.Size > h.Size {
			continue // whoever holds the larger tree convicts; ours goes to the sender as gossip
		}
		root, err := h.KnownRoot(ctx, tx, c.Size)
		if err != nil {
			return err
		}
		if root != c.Root {
			if err := n.convict(ctx, tx, h, c, note, t); err != nil {
				return err
			}
		}
	}
	for _, raw := range b.Forks {
		f, err := feed.DecodeFork(raw)
		if err != nil {
			continue
		}
		chain := n.Chain(f.Feed.Party)
		if chain == nil {
			continue
		}
		if _, _, err := f.Convicts(judge.EverSigned(chain)...); err != nil {
			continue
		}
		err = n.raise(ctx, tx, t, exchange.Alarm{
			Kind: exchange.AlarmFork, Subject: f.Feed.Origin(), Evidence: raw,
			Detail: fmt.Sprintf("%s has signed two histories of this feed; %s found the proof", f.Feed.Party, b.From),
		})
		if err != nil {
			return err
		}
	}
	return nil
}
