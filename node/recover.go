package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/exchange"
	"detente/feed"
	"detente/form"
	"detente/store"
	"detente/traffic"
)

// compareMarks finds own feeds of which the database holds less than was signed.
func (n *Node) compareMarks(ctx context.Context) error {
	return n.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		for _, m := range n.marks.All() {
			h, err := feed.Find(ctx, tx, m.Feed)
			if err != nil && !errors.Is(err, feed.ErrNoFeed) {
				return err
			}
			if err == nil && h.Size >= m.Size {
				continue
			}
			if left, err := feed.Abandoned(ctx, tx, m.Feed); err != nil || left {
				if err != nil {
					return err
				}
				continue
			}
			n.hush(m.Feed)
			var size int64
			if h != nil {
				size = h.Size
			}
			if err := n.raiseBehind(ctx, tx, m.Feed, size, m.Size, "the mark beside the keys"); err != nil {
				return err
			}
		}
		return nil
	})
}

func (n *Node) raiseBehind(ctx context.Context, tx *store.Tx, f traffic.Feed, size, signed int64, says string) error {
	fresh, err := exchange.Raise(ctx, tx, exchange.Alarm{
		Kind: exchange.AlarmBehind, Subject: f.Origin(),
		Detail: fmt.Sprintf("this database holds %d entries, %s says %d were signed: nothing is said on this feed until recover has fetched them", size, says, signed),
	})
	if fresh {
		n.log.Error("alarm", "kind", exchange.AlarmBehind, "subject", f.Origin(), "held", size, "signed", signed)
	}
	return err
}

// hush forbids a feed to speak; caughtUp lifts it.
func (n *Node) hush(f traffic.Feed) {
	n.silentMu.Lock()
	n.silent[f] = true
	n.silentMu.Unlock()
}

func (n *Node) isSilent(f traffic.Feed) bool {
	n.silentMu.Lock()
	defer n.silentMu.Unlock()
	return n.silent[f]
}

// peerHasMore is a member that holds more of an own feed than this database: it was restored from an old copy, marks and all.
func (n *Node) peerHasMore(ctx context.Context, tx *store.Tx, mirror traffic.Party, c claim, t *taken) error {
	if !slices.ContainsFunc(c.signed, func(s feed.Signed) bool { return s.Mirror == "" }) {
		return nil // a peer that cannot show our own signature forbids us nothing
	}
	if left, err := feed.Abandoned(ctx, tx, c.Feed); err != nil || left {
		return err // what comes back of it is welcome, and nothing waits for it
	}
	if err := n.marks.Set(feed.Checkpoint{Feed: c.Feed, Size: c.Size, Root: c.Root}); err != nil {
		return err
	}
	var size int64
	if h, err := feed.Find(ctx, tx, c.Feed); err == nil {
		size = h.Size
	}
	n.hush(c.Feed)
	t.alarms = append(t.alarms, exchange.Alarm{Kind: exchange.AlarmBehind, Subject: c.Feed.Origin(), Detail: "a member has cosigned more than is held here"})
	return n.raiseBehind(ctx, tx, c.Feed, size, c.Size, string(mirror))
}

// caughtUp lets a feed speak again once everything that was signed is back.
func (n *Node) caughtUp(h *feed.Head) {
	if h.Size < n.marks.Last(h.Feed).Size {
		return
	}
	n.silentMu.Lock()
	delete(n.silent, h.Feed)
	n.silentMu.Unlock()
}

// Recovery is how far a recovery has come.
type Recovery struct {
	Behind   []Missing       `json:"behind"`   // own feeds that may not speak yet
	Unheard  []traffic.Party `json:"unheard"`  // peers that have not said yet, since this node started, what they hold
	Restored int64           `json:"restored"` // entries of own feeds and copies that have come back
}

// Missing is an own feed of which entries are missing.
type Missing struct {
	Feed   string `json:"feed"`
	Held   int64  `json:"held"`
	Signed int64  `json:"signed"`
}

// mostUnheard is how long a recovery waits before it says once more what is held here; then twice as long, and so on up to a heartbeat.
const mostUnheard = 15 * time.Second

// Recover asks every peer for what this node has lost: entries of its own feeds, and the peers' own. It returns when nothing is missing and every peer that can be reached has been heard, or
// when ctx ends, with how far it came. Run must be going, because it is what exchanges.
func (n *Node) Recover(ctx context.Context, progress func(Recovery)) (Recovery, error) {
	start, err := n.Entries(ctx)
	if err != nil {
		return Recovery{}, err
	}
	n.Call()
	wait := min(n.cfg.Heartbeat, mostUnheard)
	again := time.NewTimer(wait)
	defer again.Stop()
	var r Recovery
	for {
		changed := n.Changed()
		now, err := n.recovery(ctx, start)
		if err != nil {
			return r, err
		}
		r = now
		if progress != nil {
			progress(r)
		}
		if len(r.Behind) == 0 && !n.hopeful(r.Unheard) {
			return r, n.clearBehind(ctx)
		}
		select {
		case <-ctx.Done():
			return r, fmt.Errorf("node: recover: %w", ctx.Err())
		case <-changed:
		case <-again.C:
			n.Call()
			wait = min(n.cfg.Heartbeat, 2*wait)
			again.Reset(wait)
		}
	}
}

// hopeful tells whether a peer that was not heard may still be: there is a way to it that has not failed.
func (n *Node) hopeful(unheard []traffic.Party) bool {
	return slices.ContainsFunc(unheard, func(p traffic.Party) bool {
		return len(n.ways(p)) > 0 && n.link(p).Condition().Failure == ""
	})
}

// Unheard lists the peers that have not said yet, since this node started, what they hold: what they have of its own feeds, it does not know.
func (n *Node) Unheard() []traffic.Party {
	return slices.DeleteFunc(append([]traffic.Party{}, n.Peers()...), func(p traffic.Party) bool { return n.link(p).Greeted() })
}

func (n *Node) recovery(ctx context.Context, start int64) (Recovery, error) {
	r := Recovery{Behind: []Missing{}, Unheard: n.Unheard()}
	err := n.db.View(ctx, func(tx *store.Tx) error {
		r.Behind, r.Restored = []Missing{}, -start
		heads, err := feed.Heads(ctx, tx, nil)
		if err != nil {
			return err
		}
		size := make(map[traffic.Feed]int64)
		for _, h := range heads {
			size[h.Feed] = h.Size
			r.Restored += h.Size
		}
		n.silentMu.Lock()
		defer n.silentMu.Unlock()
		for f := range n.silent {
			r.Behind = append(r.Behind, Missing{f.Origin(), size[f], n.marks.Last(f).Size})
		}
		slices.SortFunc(r.Behind, func(a, b Missing) int { return strings.Compare(a.Feed, b.Feed) })
		return nil
	})
	return r, err
}

func (n *Node) clearBehind(ctx context.Context) error {
	return n.db.Update(ctx, store.Calm, func(tx *store.Tx) error { return exchange.ClearAll(ctx, tx, exchange.AlarmBehind) })
}

// Call tells every peer at once what is held here, and has it give back what is not, without waiting for a retry or a heartbeat.
func (n *Node) Call() {
	n.mu.RLock()
	defer n.mu.RUnlock()
	for _, l := range n.links {
		l.OweHello()
		l.Kick(exchange.Calm)
	}
}

// NewEpoch leaves an own feed whose lost entries no member can give back, and opens its next epoch, whose first statement says so. by is the
// duty role that decides. Error: feed.ErrBehind is what it cures; any other feed has no reason to be left.
func (n *Node) NewEpoch(ctx context.Context, f traffic.Feed, post traffic.Post, by, reason string) (Sent, error) {
	if !n.isSilent(f) {
		return Sent{}, fmt.Errorf("node: %s lacks nothing that was signed; an epoch is opened only for a feed that cannot be recovered", f.Origin())
	}
	mark := n.marks.Last(f)
	next := f
	next.Epoch++
	err := n.db.Update(ctx, store.Urgent, func(tx *store.Tx) error {
		_, err := feed.Open(ctx, tx, next)
		return err
	})
	if err != nil {
		return Sent{}, err
	}
	root := mark.Root
	sent, err := n.Send(ctx, Draft{
		Channel: f.Channel, Plane: f.Plane, Precedence: f.Precedence, Post: post, Audience: "*", Form: "epoch", Language: "en", Drafter: by,
		Values: form.Values{
			"epoch": int64(next.Epoch), "previous_size": mark.Size, "previous_root": root[:], "reason": reason, "authorised_by": by,
		},
	})
	if err != nil {
		return sent, err
	}
	n.silentMu.Lock()
	delete(n.silent, f) // it is left for good: nothing waits for it any more
	n.silentMu.Unlock()
	return sent, n.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		return exchange.Clear(ctx, tx, exchange.AlarmBehind, f.Origin())
	})
}
