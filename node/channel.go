package node

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/accord"
	"detente/form"
	"detente/party"
	"detente/store"
	"detente/traffic"
)

// Channels lists every channel that this node knows of, those that follow from pairing first, then by name.
func (n *Node) Channels(ctx context.Context) ([]accord.Channel, error) {
	states, err := n.agreements(ctx)
	if err != nil {
		return nil, err
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	for i, c := range states {
		// The last agreement may be held for a moment before the channel is in use: whoever reads that it is in being speaks on it at once.
		states[i].Established = c.Established && n.channels[c.ID()] != nil
	}
	for _, c := range n.channels {
		if c.Kind != party.Common {
			states = append(states, accord.Channel{Channel: c.Channel, Established: true, Agreed: c.Members})
		}
	}
	slices.SortFunc(states, func(a, b accord.Channel) int {
		if c := strings.Compare(b.Kind, a.Kind); c != 0 && (a.Kind == party.Common) != (b.Kind == party.Common) {
			return c
		}
		return cmp.Or(strings.Compare(a.Name, b.Name), slices.Compare(a.Members, b.Members))
	})
	return states, nil
}

// agreements folds what was said of channels on the links.
func (n *Node) agreements(ctx context.Context) (out []accord.Channel, err error) {
	t := accord.Table{Self: n.self, Regime: n.linkRegime(), Chain: n.Chain}
	n.mu.RLock()
	for _, c := range n.channels {
		if c.Kind == party.Link {
			t.Links = append(t.Links, c.Channel)
		}
	}
	n.mu.RUnlock()
	slices.SortFunc(t.Links, func(a, b *party.Channel) int { return slices.Compare(a.Members, b.Members) })
	err = n.db.View(ctx, func(tx *store.Tx) error {
		out, err = t.Fold(ctx, tx)
		return err
	})
	return out, err
}

// establish puts into being every channel that all its members have agreed to.
func (n *Node) establish(ctx context.Context) error {
	states, err := n.agreements(ctx)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range states {
		if c.Established && !n.addChannel(c.Channel) {
			n.log.Error("channel's regime is not in this program", "channel", c.Name, "regime", c.Regime.ID, "version", c.Regime.Version)
		}
	}
	return nil
}

// Propose proposes a channel to the other members, on the link channel with each. from is a post with authority to commit.
func (n *Node) Propose(ctx context.Context, c party.Channel, members []traffic.Party, from traffic.Post, by string) (*party.Channel, error) {
	var chains []*party.Chain
	if !slices.Contains(members, n.self) {
		members = append(slices.Clone(members), n.self)
	}
	for _, m := range members {
		chain := n.Chain(m)
		if chain == nil {
			return nil, fmt.Errorf("%w: %s", ErrNoPeer, m)
		}
		chains = append(chains, chain)
	}
	regime, ok := n.regime(c.Regime)
	if !ok {
		return nil, ErrNoRegime
	}
	c.Regime.Hash = regime.Hash
	made, err := party.NewChannel(c, chains...)
	if err != nil {
		return nil, err
	}
	err = n.tellMembers(ctx, made, Draft{Post: from, Form: accord.Proposal, Values: form.Values{"channel": made.Bytes()}, Drafter: by})
	return made, err
}

// Accept agrees to a proposed channel. Errors: ErrNoChannel, ErrAuthority.
func (n *Node) Accept(ctx context.Context, id [32]byte, from traffic.Post, by string) error {
	return n.respond(ctx, id, Draft{Post: from, Form: accord.Acceptance, Values: form.Values{"channel": id[:]}, Drafter: by})
}

// Refuse declines a proposed channel, with a reason that the other members read.
func (n *Node) Refuse(ctx context.Context, id [32]byte, from traffic.Post, by, reason string) error {
	return n.respond(ctx, id, Draft{Post: from, Form: accord.Refusal, Values: form.Values{"channel": id[:], "reason": reason}, Drafter: by})
}

func (n *Node) respond(ctx context.Context, id [32]byte, d Draft) error {
	states, err := n.agreements(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(states, func(c accord.Channel) bool { return c.ID() == id })
	if i < 0 {
		return fmt.Errorf("%w: %x is not proposed", ErrNoChannel, id[:4])
	}
	return n.tellMembers(ctx, states[i].Channel, d)
}

// tellMembers states d on the link channel with each other member.
func (n *Node) tellMembers(ctx context.Context, c *party.Channel, d Draft) error {
	if !n.Chain(n.self).Latest().May(d.Post, party.Commit) {
		return fmt.Errorf("%w: %s may not commit %s", ErrAuthority, d.Post, n.self)
	}
	d.Plane, d.Precedence, d.Language = traffic.Real, traffic.Priority, "en"
	for _, m := range c.Members {
		if m == n.self {
			continue
		}
		link := party.LinkChannel(n.Chain(n.self), n.Chain(m))
		d.Channel, d.Audience = link.ID(), string(m)
		if _, err := n.Send(ctx, d); err != nil {
			return err
		}
	}
	return n.establish(ctx)
}

func (n *Node) regime(ref party.RegimeRef) (*form.Regime, bool) {
	for _, r := range n.cfg.Regimes {
		if r.ID == ref.ID && r.Version == ref.Version && (ref.Hash == [32]byte{} || ref.Hash == r.Hash) {
			return r, true
		}
	}
	return nil, false
}

func (n *Node) linkRegime() *form.Regime {
	r, _ := n.regime(party.RegimeRef{ID: "link", Version: 1})
	return r
}

// WaitChannel waits until every member's agreement to the channel is held here, for at most the time given.
func (n *Node) WaitChannel(ctx context.Context, id [32]byte, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for {
		changed := n.Changed()
		if _, err := n.channel(id); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("node: channel %x is not agreed by all yet: %w", id[:4], ctx.Err())
		case <-changed:
		}
	}
}
