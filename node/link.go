package node

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"detente/bundle"
	"detente/exchange"
	"detente/feed"
	"detente/key"
	"detente/party"
	"detente/route"
	"detente/store"
	"detente/traffic"
)

func (n *Node) link(p traffic.Party) *exchange.Link {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.links[p]
}

// kickMembers wakes the links with everybody who holds a channel's feeds.
func (n *Node) kickMembers(channel [32]byte, lane exchange.Lane) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	c := n.channels[channel]
	for p, l := range n.links {
		if c.Kind == party.Public || c.Member(p) {
			l.Kick(lane)
		}
	}
}

// gossip has the checkpoint of a feed told to the other members.
func (n *Node) gossip(f traffic.Feed, but traffic.Party) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	c := n.channels[f.Channel]
	if c == nil || len(c.Members) < 3 {
		return
	}
	for p, l := range n.links {
		if p != but && p != f.Party && c.Member(p) {
			l.OweNote(f) // with the next bundle; it is not worth one of its own
		}
	}
}

// urgentPatience is how long an urgent bundle may take to be answered before it is tried again.
const urgentPatience = 15 * time.Second

// holdTime is how long a node that cannot be called leaves a request open with its peer.
const holdTime = time.Minute

// runLane sends what one lane of a link has, sleeping until there is something to say, a heartbeat is due, or a retry.
func (n *Node) runLane(ctx context.Context, l *exchange.Link, lane exchange.Lane) {
	failures := 0
	beat := time.Now()
	var next *bundle.Sealer // for the next bundle
	for ctx.Err() == nil {
		if lane == exchange.Calm && time.Since(beat) >= n.cfg.Heartbeat { // however busy the lane is
			beat = time.Now()
			l.OweHello() // the heartbeat: a fresh cosignature of every head
			n.watchSilence(ctx, l)
		}
		more, err := n.exchange(ctx, l, lane, &next)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			failures = 0
			if more {
				continue
			}
		case !errors.Is(err, exchange.ErrNoRoute):
			failures++
			if l.Lost(err.Error()) {
				n.log.Warn("link down", "peer", l.Peer, "reason", err)
			}
		}
		wait := n.cfg.Heartbeat
		if failures > 0 {
			wait = min(wait, route.Backoff(failures, lane == exchange.Urgent, rand.Int64N))
		}
		if again, yes := l.Outstanding(lane); yes && failures == 0 {
			wait = min(wait, max(time.Second, time.Until(again))) // never at once: what may not be said now stays outstanding
		}
		if lane == exchange.Calm {
			wait = min(wait, time.Until(beat.Add(n.cfg.Heartbeat)))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-l.Kicked(lane):
		case <-timer.C:
		}
		timer.Stop()
	}
}

// exchange sends one bundle, if there is anything to say, sealed by next if that fits, and takes the answer. more tells that there is more to say at once.
func (n *Node) exchange(ctx context.Context, l *exchange.Link, lane exchange.Lane, next **bundle.Sealer) (more bool, err error) {
	ways := n.ways(l.Peer)
	if len(ways) == 0 && (n.cfg.PouchDir == "" || lane != exchange.Urgent) {
		return false, exchange.ErrNoRoute
	}
	hold := time.Duration(0)
	if !n.cfg.Callable && lane == exchange.Calm {
		hold = holdTime
	}
	end := func() {}
	if lane == exchange.Urgent {
		end = n.way.Take()
	}
	sealed, thread, m, err := n.pack(ctx, l, packing{
		lanes: []exchange.Lane{lane}, hold: hold, limit: exchange.Limit(ways), sealer: *next,
		flashes: n.cfg.PouchDir != "" && lane == exchange.Urgent,
	})
	end()
	if err != nil || sealed == nil {
		return false, err
	}
	if m.Flash {
		n.pouchFlash(ctx, l, m, sealed)
	}
	answered := false
	if lane == exchange.Urgent { // a peer that accepts and hangs must not hold up the next FLASH, nor its pouch
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, urgentPatience)
		defer cancel()
	}
	err = l.Carry(ctx, ways, sealed, m.Flash, func(w exchange.Way, answer []byte) {
		if err := n.receiveAnswer(ctx, lane, w.Route.Name(), l.Peer, thread, answer); err != nil {
			n.log.Warn("answer refused", "peer", l.Peer, "reason", err)
			return
		}
		answered = true
	})
	l.Settle(m, err == nil)
	if err != nil {
		l.KickHeld() // what this call had taken on is theirs to bring
		return false, err
	}
	// Now, while nobody waits for it; without one, the next bundle makes its own.
	*next, _ = bundle.SealerFor(l.Peer, n.Chain(l.Peer).Latest().Node.Sealing.Public)
	again := l.Reached()
	if !answered && l.Heard("") {
		again = true
		n.watchSilence(ctx, l) // it is silent no more
	}
	if again {
		n.bump()
	}
	if lane == exchange.Urgent && l.Owes() {
		l.KickLane(exchange.Calm)
	}
	return m.More || hold > 0 || lane == exchange.Calm && l.Owes(), nil
}

// packing is what a caller wants in a bundle.
type packing struct {
	lanes []exchange.Lane
	hold  time.Duration
	limit int
	only  bool // receipts only
	force bool // seal even when there is nothing to say

	flashes bool                   // see exchange.Packing
	pouch   map[traffic.Feed]int64 // not nil: for a pouch, see exchange.Packing
	thread  bundle.Thread          // of the bundle that this one answers
	sealer  *bundle.Sealer         // made beforehand; nil, or one that does not fit any more, is as good as none
}

// pack makes a sealed bundle for a peer; nil when there is nothing to say.
func (n *Node) pack(ctx context.Context, l *exchange.Link, p packing) ([]byte, bundle.Thread, *exchange.Manifest, error) {
	peer := l.Peer
	chain := n.Chain(peer)
	keys := n.Keys()
	b := &bundle.Bundle{From: n.self, To: peer, At: n.now(), Hold: p.hold}
	b.Charters = n.news(peer)
	var m *exchange.Manifest
	err := n.db.View(ctx, func(tx *store.Tx) (err error) {
		b.Feeds, b.Held, b.Gossip, b.Forks, b.Wants, b.Blobs = nil, nil, nil, nil, nil, nil
		m, err = l.Pack(ctx, tx, b, exchange.Packing{
			Lanes: p.lanes, Shared: n.shared(peer), Capacity: bundle.Capacity(p.limit), Entries: 4 * batch, Part: batch, Pouch: p.pouch,
			Flashes: p.flashes, Receipts: p.only, Know: n.know(), Silent: n.isSilent,
			Mark:   n.marks.Raise,
			Sign:   func(c feed.Checkpoint) (string, error) { return c.Sign(keys.Checkpoint, n.now()) },
			Cosign: func(c feed.Checkpoint) (string, error) { return c.Cosign(n.self, keys.Mirror, n.now()) },
		})
		if err != nil || p.lanes[len(p.lanes)-1] != exchange.Calm {
			return err
		}
		if b.Know != nil {
			if err = l.PackForks(ctx, tx, b, n.shared(peer), bundle.Capacity(p.limit)-b.Size()); err != nil {
				return err
			}
			if err = l.PackViews(ctx, tx, b, n.viewed(peer), keys.Checkpoint, bundle.Capacity(p.limit)-b.Size()); err != nil {
				return err
			}
		}
		return l.PackBlobs(ctx, tx, b, m, bundle.Capacity(p.limit)-b.Size())
	})
	if err != nil {
		if m != nil {
			l.Settle(m, false)
		}
		return nil, nil, nil, fmt.Errorf("node: pack: %w", err)
	}
	if m.Empty() && len(b.Wants)+len(b.Blobs) == 0 && (len(b.Charters) == 0 || !l.Announce()) && p.hold == 0 && !p.force {
		return nil, nil, m, nil
	}
	var sealed []byte
	thread, signer := p.thread, n.bundleKey(l)
	if thread != nil {
		sealed, err = bundle.SealAnswer(b, thread)
	} else {
		sealer, public := p.sealer, chain.Latest().Node.Sealing.Public
		if !sealer.Fits(public) {
			sealer, err = bundle.SealerFor(peer, public)
		}
		if err == nil {
			sealed, thread, err = sealer.SealAsking(b, signer)
		}
	}
	switch {
	case err != nil:
		l.Settle(m, false)
	case p.thread != nil: // nobody tells whether an answer arrived: who lacks something of it asks again
		l.Settle(m, true)
	}
	return sealed, thread, m, err
}

// bundleKey is the key that signs a bundle for a peer: the newest that it knows.
func (n *Node) bundleKey(l *exchange.Link) key.Signer {
	keys, chain := n.Keys(), n.Chain(n.self)
	newest := chain.Latest().Version
	if version := l.SignAs(newest); version != newest {
		if c, ok := chain.At(version); ok {
			if under, err := keys.Under(c); err == nil {
				return under.Bundle
			}
		}
	}
	return keys.Bundle
}

// Answer takes a bundle that came over a route with a way back, and gives the bundle to answer with, nil when there is nothing to say. It is
// a route.Accept.
func (n *Node) Answer(ctx context.Context, sealed []byte) ([]byte, error) {
	b, thread, err := n.open(sealed)
	if err != nil {
		n.log.Warn("bundle refused", "reason", err)
		return nil, exchange.Public(err)
	}
	lanes, end := []exchange.Lane{exchange.Urgent, exchange.Calm}, func() {}
	if exchange.IsUrgent(b) {
		lanes = lanes[:1] // what waits behind must not delay the receipt of a FLASH
		end = n.way.Take()
		defer end()
	}
	l := n.link(b.From)
	if err := n.take(ctx, "https", b); err != nil {
		return nil, err
	}
	// Where this node can call the peer, statements go by its own calls, one after another; by two ways at once they would overtake each other.
	calls := len(n.ways(b.From)) > 0 && l.Condition().Failure == ""
	answer, _, _, err := n.pack(ctx, l, packing{lanes: lanes, limit: bundle.MaxSealed, only: calls, thread: thread})
	if err != nil || answer != nil || b.Hold == 0 {
		return answer, err
	}
	end() // a request that is held open is not urgent work, whatever it brought
	return n.hold(ctx, l, b.Hold, thread)
}

// hold keeps a peer's request open until there is something to say.
func (n *Node) hold(ctx context.Context, l *exchange.Link, most time.Duration, thread bundle.Thread) ([]byte, error) {
	kicked, release := l.Hold()
	defer release()
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		answer, _, _, err := n.pack(ctx, l, packing{
			lanes: []exchange.Lane{exchange.Urgent, exchange.Calm}, limit: bundle.MaxSealed, thread: thread,
		})
		if answer != nil || err != nil {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timer.C:
			return nil, nil
		case <-kicked:
		}
	}
}

// ways lists the routes to a peer that its charter names and this node has.
func (n *Node) ways(p traffic.Party) []exchange.Way {
	chain := n.Chain(p)
	var out []exchange.Way
	for _, r := range chain.Latest().Routes {
		if have := n.cfg.Routes[r.Name]; have != nil {
			out = append(out, exchange.Way{Route: have, Peer: route.Peer{Party: p, Address: r.Address, Transport: chain.TransportKeys()}})
		}
	}
	return out
}

// watchSilence raises the alarm of a peer that has not been heard for too long, and clears it when it is. The transaction decides which, since a
// bundle of the peer may come at any moment: the one that takes it in clears the alarm as well.
func (n *Node) watchSilence(ctx context.Context, l *exchange.Link) {
	var since time.Time
	var silent, news bool
	err := n.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		var first bool
		since, silent, first = l.Silent(n.cfg.Silence)
		news = news || first // the transaction may run again
		if !silent {
			return exchange.Clear(ctx, tx, exchange.AlarmSilent, string(l.Peer))
		}
		_, err := exchange.Raise(ctx, tx, exchange.Alarm{
			Kind: exchange.AlarmSilent, Subject: string(l.Peer), Detail: "nothing heard since " + since.Format(time.RFC3339),
		})
		return err
	})
	if silent && news {
		n.log.Warn("link down", "peer", l.Peer, "reason", "nothing heard", "since", since)
	}
	if err != nil && ctx.Err() == nil {
		n.log.Error("alarm", "reason", err)
	}
}
