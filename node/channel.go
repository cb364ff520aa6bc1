package node

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/feed"
	"detente/form"
	"detente/party"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// The forms of the link regime by which channels come to be, protocol.md#channel.
const (
	formProposal   = "channel-proposal"
	formAcceptance = "channel-acceptance"
	formRefusal    = "channel-refusal"
)

// ChannelState is a channel and who has agreed to it.
type ChannelState struct {
	*party.Channel
	Established bool
	Proposer    traffic.Party            // empty for the channels that follow from pairing
	Agreed      []traffic.Party          // sorted, those whose agreement is held here
	Refused     map[traffic.Party]string // with the reason given
}

// Channels lists every channel that this node knows of, those that follow from pairing first, then by name.
func (n *Node) Channels(ctx context.Context) ([]ChannelState, error) {
	states, err := n.agreements(ctx)
	if err != nil {
		return nil, err
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	for _, c := range n.channels {
		if c.Kind != party.Common {
			states = append(states, ChannelState{Channel: c.Channel, Established: true, Agreed: c.Members})
		}
	}
	slices.SortFunc(states, func(a, b ChannelState) int {
		if c := strings.Compare(b.Kind, a.Kind); c != 0 && (a.Kind == party.Common) != (b.Kind == party.Common) {
			return c
		}
		return strings.Compare(a.Name+a.members(), b.Name+b.members())
	})
	return states, nil
}

func (c ChannelState) members() string { return fmt.Sprint(c.Members) }

// agreements folds the proposals, acceptances and refusals on the link channels: whoever holds them computes the same.
func (n *Node) agreements(ctx context.Context) ([]ChannelState, error) {
	type voice struct {
		party traffic.Party
		v     form.Values
	}
	said := make(map[string][]voice)
	n.mu.RLock()
	var links []*channel
	for _, c := range n.channels {
		if c.Kind == party.Link {
			links = append(links, c)
		}
	}
	n.mu.RUnlock()
	slices.SortFunc(links, func(a, b *channel) int { return strings.Compare(string(a.id[:]), string(b.id[:])) })
	err := n.db.View(ctx, func(tx *store.Tx) error {
		for _, c := range links {
			for _, id := range []string{formProposal, formAcceptance, formRefusal} {
				placed, err := feed.InChannel(ctx, tx, c.id, id)
				if err != nil {
					return err
				}
				for _, p := range placed {
					s, err := statement.Decode(p.Bytes)
					if err != nil {
						return err
					}
					f, _ := c.regime.Form(s.Form, s.Version)
					v, err := f.Decode(s.Payload)
					if err != nil {
						return err
					}
					chain := n.Chain(s.Issuer.Party)
					charter, ok := chain.At(s.Charter)
					if !ok || !charter.May(s.Issuer.Post, party.Commit) {
						continue // a post without authority to commit its party agrees to nothing
					}
					said[id] = append(said[id], voice{s.Issuer.Party, v})
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []ChannelState
	at := make(map[[32]byte]int)
	for _, p := range said[formProposal] {
		c, err := party.DecodeChannel(p.v.Bytes("channel"))
		if err != nil || c.Kind != party.Common || !c.Member(p.party) || !c.Member(n.self) || !n.known(c) {
			continue
		}
		id := c.ID()
		if _, ok := at[id]; !ok {
			at[id] = len(out)
			out = append(out, ChannelState{Channel: c, Proposer: p.party, Refused: make(map[traffic.Party]string)})
		}
		out[at[id]].agree(p.party)
	}
	for _, kind := range []string{formAcceptance, formRefusal} {
		for _, a := range said[kind] {
			id := [32]byte{}
			copy(id[:], a.v.Bytes("channel"))
			i, ok := at[id]
			switch {
			case !ok || !out[i].Member(a.party):
			case kind == formAcceptance:
				out[i].agree(a.party)
			default:
				out[i].Refused[a.party] = a.v.Text("reason")
			}
		}
	}
	for i := range out {
		out[i].Established = len(out[i].Agreed) == len(out[i].Members)
	}
	return out, nil
}

func (c *ChannelState) agree(p traffic.Party) {
	if i, found := slices.BinarySearch(c.Agreed, p); !found {
		c.Agreed = slices.Insert(c.Agreed, i, p)
	}
}

// known tells whether the geneses that the channel names are those of the parties that this node trusts.
func (n *Node) known(c *party.Channel) bool {
	for p, genesis := range c.Genesis {
		if chain := n.Chain(p); chain == nil || chain.Genesis() != genesis {
			return false
		}
	}
	return true
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
	err = n.tellMembers(ctx, made, Draft{Post: from, Form: formProposal, Values: form.Values{"channel": made.Bytes()}, Drafter: by})
	return made, err
}

// Accept agrees to a proposed channel. Errors: ErrNoChannel, ErrAuthority.
func (n *Node) Accept(ctx context.Context, id [32]byte, from traffic.Post, by string) error {
	return n.respond(ctx, id, Draft{Post: from, Form: formAcceptance, Values: form.Values{"channel": id[:]}, Drafter: by})
}

// Refuse declines a proposed channel, with a reason that the other members read.
func (n *Node) Refuse(ctx context.Context, id [32]byte, from traffic.Post, by, reason string) error {
	return n.respond(ctx, id, Draft{Post: from, Form: formRefusal, Values: form.Values{"channel": id[:], "reason": reason}, Drafter: by})
}

func (n *Node) respond(ctx context.Context, id [32]byte, d Draft) error {
	states, err := n.agreements(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(states, func(c ChannelState) bool { return c.ID() == id })
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

// waitChannel waits until a channel is in being. It is for callers that have just accepted one.
func (n *Node) waitChannel(ctx context.Context, id [32]byte) error {
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

// WaitChannel waits until every member's agreement to the channel is held here, for at most the time given.
func (n *Node) WaitChannel(ctx context.Context, id [32]byte, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return n.waitChannel(ctx, id)
}
