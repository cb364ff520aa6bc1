package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/blob"
	"detente/dossier"
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

// recent is how many entries List looks through at most.
const recent = 4096

// List gives the statements that match, newest first, at most limit of them. It looks through the newest 4096 entries.
func (n *Node) List(ctx context.Context, limit int, match func(Held) bool) ([]Held, error) {
	var out []Held
	err := n.db.View(ctx, func(tx *store.Tx) error {
		out = nil
		placed, err := feed.Latest(ctx, tx, time.Time{}, recent)
		for _, p := range placed {
			if h := held(p); len(out) < limit && match(h) {
				out = append(out, h)
			}
		}
		return err
	})
	return out, err
}

// OpenDossiers gives those in which an acknowledgement or an answer is due, the one that changed last first, at most limit of them.
func (n *Node) OpenDossiers(ctx context.Context, limit int) ([]*dossier.State, error) {
	var out []*dossier.State
	err := n.db.View(ctx, func(tx *store.Tx) error {
		out = nil
		open, err := dossier.Dossiers(ctx, tx, dossier.Filter{Open: true, Limit: limit}, n.regimeOf)
		if err != nil {
			return err
		}
		for _, d := range open {
			regime, _ := n.regimeOf(d.Channel)
			state, err := dossier.Read(ctx, tx, d.Name, regime)
			if err != nil {
				return err
			}
			out = append(out, state)
		}
		return nil
	})
	return out, err
}

// Dossier folds the dossier that a statement belongs to. Errors: ErrNotHeld for an entry that is no statement, ErrNoChannel.
func (n *Node) Dossier(ctx context.Context, h Held) (state *dossier.State, err error) {
	name, ok := dossier.Of(h.Placed)
	if !ok {
		return nil, ErrNotHeld
	}
	regime, ok := n.regimeOf(name.Channel)
	if !ok {
		return nil, ErrNoChannel
	}
	err = n.db.View(ctx, func(tx *store.Tx) (err error) {
		state, err = dossier.Read(ctx, tx, name, regime)
		return err
	})
	return state, err
}

// ByNumber finds a statement by its author and its place in a feed. Errors: ErrNotHeld, ErrAmbiguous when several channels have one.
func (n *Node) ByNumber(ctx context.Context, from traffic.Address, plane traffic.Plane, p traffic.Precedence, epoch int, index int64) (Held, error) {
	return n.one(ctx, func(tx *store.Tx) ([]feed.Placed, error) {
		heads, err := feed.Heads(ctx, tx, nil)
		if err != nil {
			return nil, err
		}
		var out []feed.Placed
		for _, h := range heads {
			f := h.Feed
			if f.Party != from.Party || f.Plane != plane || f.Precedence != p || f.Epoch != epoch || index < 0 || index >= h.Size {
				continue
			}
			e, err := h.Entry(ctx, tx, index)
			if err != nil {
				return nil, err
			}
			if e.Issuer == from.String() {
				out = append(out, feed.Placed{Feed: f, Entry: e})
			}
		}
		return out, nil
	})
}

// FeedState is how a feed stands here.
type FeedState struct {
	Feed     traffic.Feed
	Size     int64
	Root     [32]byte
	Silent   bool                    // an own feed that may not speak until recover has fetched what was signed
	Cosigned map[traffic.Party]int64 // how far each other member, this node included, has cosigned it
}

// Feeds lists every feed held here, by channel, party and precedence.
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

// Conditions tells how the link with each peer stands, by the peers' ids.
func (n *Node) Conditions() []exchange.Condition {
	var out []exchange.Condition
	for _, p := range n.Peers() {
		out = append(out, n.line(p).link.Condition())
	}
	return out
}

// Alarms lists what a person must know, oldest first.
func (n *Node) Alarms(ctx context.Context) (alarms []exchange.Alarm, err error) {
	err = n.db.View(ctx, func(tx *store.Tx) (err error) {
		alarms, err = exchange.Alarms(ctx, tx)
		return err
	})
	return alarms, err
}

// Blob gives an attachment. Error: blob.ErrNotHeld when it has not come yet, or nobody named it.
func (n *Node) Blob(ctx context.Context, hash [32]byte) ([]byte, error) {
	var out []byte
	err := n.db.View(ctx, func(tx *store.Tx) error {
		size, complete, err := blob.Have(ctx, tx, hash)
		if err != nil {
			return err
		}
		if !complete {
			return fmt.Errorf("%w: %x", blob.ErrNotHeld, hash[:4])
		}
		out = make([]byte, 0, size)
		for int64(len(out)) < size {
			piece, err := blob.Read(ctx, tx, hash, int64(len(out)), blob.MaxPiece)
			if err != nil {
				return err
			}
			if len(piece) == 0 {
				return errors.New("node: attachment is shorter than it was")
			}
			out = append(out, piece...)
		}
		return nil
	})
	return out, err
}

// BlobHeld tells how many bytes an attachment has, and whether all of them are here.
func (n *Node) BlobHeld(ctx context.Context, hash [32]byte) (size int64, complete bool, err error) {
	err = n.db.View(ctx, func(tx *store.Tx) (err error) {
		size, complete, err = blob.Have(ctx, tx, hash)
		return err
	})
	return size, complete, err
}

// Entries is how many entries of all feeds are held here.
func (n *Node) Entries(ctx context.Context) (int64, error) { return n.entries(ctx) }

// Regimes lists the regimes that this program has.
func (n *Node) Regimes() []*form.Regime { return n.cfg.Regimes }

// TransportKey tells whose transport key this is: that of a trusted peer, in any version of its charter, unless it was withdrawn.
func (n *Node) TransportKey(id key.ID) (traffic.Party, bool) {
	for _, p := range n.Peers() {
		chain := n.Chain(p)
		if _, withdrawn := chain.WithdrawnAt(id); withdrawn {
			continue
		}
		for _, c := range chain.All() {
			if c.Node.Transport.ID() == id {
				return p, true
			}
		}
	}
	return "", false
}

func held(p feed.Placed) Held {
	s, _ := statement.Decode(p.Bytes)
	return Held{Placed: p, Statement: s}
}
