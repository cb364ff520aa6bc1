package node

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"detente/archive"
	"detente/exchange"
	"detente/feed"
	"detente/form"
	"detente/judge"
	"detente/key"
	"detente/party"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// This file is what a face of the node reads. Nothing in it changes anything.

// Channel gives the charter of a channel that is in being, and its regime. Error: ErrNoChannel.
func (n *Node) Channel(id [32]byte) (*party.Channel, *form.Regime, error) {
	c, err := n.channel(id)
	if err != nil {
		return nil, nil, err
	}
	return c.Channel, c.regime, nil
}

// Form finds the form of a statement and the regime that has its phrases. Errors: ErrNoChannel, ErrNoForm.
func (n *Node) Form(s *statement.Statement) (*form.Form, *form.Regime, error) {
	_, regime, err := n.Channel(s.Channel)
	if err != nil {
		return nil, nil, err
	}
	if s.Form == judge.FormEpoch {
		regime = n.linkRegime()
	}
	if f, ok := regime.Form(s.Form, s.Version); ok {
		return f, regime, nil
	}
	return nil, nil, fmt.Errorf("%w: %s", ErrNoForm, s.Form)
}

// FeedState is how a feed stands here.
type FeedState struct {
	Feed     traffic.Feed
	Size     int64
	Root     [32]byte
	Silent   bool                    // an own feed that may not speak until recover has fetched what was signed
	Cosigned map[traffic.Party]int64 // how far each other member, this node included, has cosigned it
}

// Feeds lists every feed held here, and the own ones that should be, by channel, party and precedence.
func (n *Node) Feeds(ctx context.Context) ([]FeedState, error) {
	var out []FeedState
	err := n.db.View(ctx, func(tx *store.Tx) error {
		out = nil
		heads, err := feed.Heads(ctx, tx, nil)
		if err != nil {
			return err
		}
		for _, h := range heads {
			s := FeedState{Feed: h.Feed, Size: h.Size, Root: h.Root, Silent: n.isSilent(h.Feed), Cosigned: make(map[traffic.Party]int64)}
			for _, p := range n.mirrorsOf(h.Feed) {
				if s.Cosigned[p], err = h.Cosigned(ctx, tx, p); err != nil {
					return err
				}
			}
			out = append(out, s)
		}
		return nil
	})
	n.silentMu.Lock()
	for f := range n.silent {
		if !slices.ContainsFunc(out, func(s FeedState) bool { return s.Feed == f }) { // the database has lost all of it
			out = append(out, FeedState{Feed: f, Silent: true, Cosigned: make(map[traffic.Party]int64)})
		}
	}
	n.silentMu.Unlock()
	slices.SortStableFunc(out, func(a, b FeedState) int { return strings.Compare(a.Feed.Origin(), b.Feed.Origin()) })
	return out, err
}

// mirrorsOf lists who is to hold a copy of a feed: the other members, and every peer where the channel is public.
func (n *Node) mirrorsOf(f traffic.Feed) []traffic.Party {
	c, err := n.channel(f.Channel)
	switch {
	case err != nil:
		return nil
	case c.Kind != party.Public:
		return c.Others(f.Party)
	case f.Party == n.self:
		return n.Peers()
	}
	return []traffic.Party{n.self}
}

// Said gives how far a peer says that its own feeds of a channel go: it may be further than they are held here.
func (n *Node) Said(p traffic.Party, channel [32]byte) map[traffic.Feed]int64 {
	return n.link(p).Says(channel)
}

// Conditions tells how the link with each peer stands, by the peers' ids.
func (n *Node) Conditions() []exchange.Condition {
	var out []exchange.Condition
	for _, p := range n.Peers() {
		out = append(out, n.link(p).Condition())
	}
	return out
}

// Regimes lists the regimes that this program has.
func (n *Node) Regimes() []*form.Regime { return n.cfg.Regimes }

// Known tells whose transport key is shown, of the parties that this node is paired with: whom a server lets in. That of any charter version
// counts until it is withdrawn, since a peer that has just rotated calls with the old one until it is started anew.
func (n *Node) Known(shown key.Public) (traffic.Party, bool) {
	for _, p := range n.Peers() {
		for _, k := range n.Chain(p).TransportKeys() {
			if k.ID() == shown.ID() {
				return p, true
			}
		}
	}
	return "", false
}

// Case makes the case file of the dossier of a statement, sealed by this node, see [archive.Archive.Case].
func (n *Node) Case(ctx context.Context, h archive.Held, x archive.Export) ([]byte, error) {
	x.By, x.Signer = n.self, n.Keys().Checkpoint
	return n.Archive.Case(ctx, h, x)
}
