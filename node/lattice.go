package node

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"detente/dossier"
	"detente/exchange"
	"detente/feed"
	"detente/key"
	"detente/store"
	"detente/traffic"
)

// runLattice gives each head that has changed its ML-DSA-44 signature, as the feed's party or as its mirror, within a second: one signature
// for all the statements below it. Losing it costs nothing, since the next one covers more.
func (n *Node) runLattice(ctx context.Context) {
	done := make(map[traffic.Feed]int64)
	for {
		changed := n.Changed()
		came, err := n.signLattice(ctx, done)
		if err != nil && ctx.Err() == nil {
			n.log.Error("ML-DSA signatures", "reason", err)
		}
		quiet := came < flood
		if quiet { // what a flood brings is indexed after it: until then it is found by looking through
			if err := n.index(ctx, changed); err != nil && ctx.Err() == nil {
				n.log.Error("index", "reason", err)
			}
		}
		if err := n.marks.Sync(); err != nil {
			n.log.Error("marks", "reason", err)
		}
		if quiet {
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second / 2): // what changes meanwhile shares the signature
		}
	}
}

// index brings the indexes forward by a step, and then until they have followed or something changes.
func (n *Node) index(ctx context.Context, changed <-chan struct{}) error {
	if err := dossier.IndexIDs(ctx, n.db); err != nil {
		return err
	}
	for {
		more, err := dossier.Index(ctx, n.db, n.regimeOf, 100)
		if err != nil || !more {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
			return nil
		case <-time.After(breath):
		}
	}
}

// breath is between two steps of an index that is behind: it follows by itself, and leaves most of a core to others.
const breath = 20 * time.Millisecond

// flood is how many statements in half a second leave no time for anything else.
const flood = 1000

// signLattice signs the heads that have grown since the sizes in done, and tells by how many entries they have.
func (n *Node) signLattice(ctx context.Context, done map[traffic.Feed]int64) (came int64, err error) {
	var heads []*feed.Head
	err = n.db.View(ctx, func(tx *store.Tx) (err error) {
		if heads, err = feed.Heads(ctx, tx, nil); err != nil {
			return err
		}
		for _, h := range heads {
			if _, looked := done[h.Feed]; looked || h.Size == 0 {
				continue
			}
			if done[h.Feed], err = n.hasLattice(ctx, tx, h); err != nil { // signed before this process began
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	keys, at := n.Keys(), n.now()
	lines := make(map[traffic.Feed]string)
	var grown []*feed.Head
	for _, h := range heads {
		if h.Size == 0 || done[h.Feed] == h.Size || n.isSilent(h.Feed) {
			continue
		}
		c := h.Checkpoint()
		if h.Feed.Party == n.self {
			lines[h.Feed], err = c.Sign(keys.CheckpointPQ, at)
		} else {
			lines[h.Feed], err = c.Cosign(n.self, keys.MirrorPQ, at)
		}
		if err != nil {
			return 0, err
		}
		came += h.Size - done[h.Feed]
		grown = append(grown, h)
	}
	if len(grown) == 0 {
		return 0, nil
	}
	err = n.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		for _, h := range grown {
			var err error
			if h.Feed.Party == n.self {
				err = h.SaveCheckpoint(ctx, tx, h.Checkpoint(), lines[h.Feed])
			} else {
				err = h.SaveReceipt(ctx, tx, h.Size, feed.Signed{
					Mirror: n.self, Algorithm: key.MLDSA44, Key: keys.MirrorPQ.ID(), At: at, Line: lines[h.Feed],
				})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, h := range grown {
		done[h.Feed] = h.Size
		n.tellLattice(h.Feed)
	}
	return came, nil
}

// hasLattice is the head's size if it has its ML-DSA signature of this party already, else 0.
func (n *Node) hasLattice(ctx context.Context, tx *store.Tx, h *feed.Head) (int64, error) {
	if h.Feed.Party == n.self {
		c, lines, err := h.SignedAt(ctx, tx, h.Size)
		if errors.Is(err, feed.ErrNoEntry) || err == nil && (c.Size != h.Size || strings.Count(lines, "\n") < 2) {
			return 0, nil
		}
		return h.Size, err
	}
	receipts, err := h.ReceiptsAt(ctx, tx, h.Size)
	if !slices.ContainsFunc(receipts, func(r feed.Receipt) bool { return r.Mirror == n.self && r.Algorithm == key.MLDSA44 }) {
		return 0, err
	}
	return h.Size, err
}

// tellLattice owes the new signature to those whom it concerns: the other members for an own feed, its party for a mirrored one.
func (n *Node) tellLattice(f traffic.Feed) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	c := n.channels[f.Channel]
	if c == nil {
		return
	}
	for p, l := range n.links {
		switch {
		case f.Party == p:
			l.Owe(f, exchange.Fresh{})
		case f.Party == n.self && (c.Kind == "public" || c.Member(p)):
			l.OweNote(f)
		default:
			continue
		}
		l.Kick(exchange.Calm)
	}
}
