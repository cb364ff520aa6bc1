// Package accord is how channels come to be: the fold of the proposals, acceptances and refusals that the members have stated to each other.
// It must never hold an agreement that is not in the feeds: whoever holds the same statements computes the same channels.
package accord

import (
	"context"
	"slices"

	"detente/feed"
	"detente/form"
	"detente/party"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// The forms of the link regime by which channels come to be, protocol.md#channel.
const (
	Proposal   = "channel-proposal"
	Acceptance = "channel-acceptance"
	Refusal    = "channel-refusal"
)

// Channel is a channel and who has agreed to it.
type Channel struct {
	*party.Channel
	Established bool
	Proposer    traffic.Party            // empty for the channels that follow from pairing
	Agreed      []traffic.Party          // sorted, those whose agreement is held here
	Refused     map[traffic.Party]string // with the reason given
}

// Table is where the members speak of channels: the link channels that one party has, and what it takes to judge what is said there.
type Table struct {
	Self   traffic.Party
	Links  []*party.Channel
	Regime *form.Regime                     // of the link channels
	Chain  func(traffic.Party) *party.Chain // nil for a party that is not trusted
}

type voice struct {
	party traffic.Party
	v     form.Values
}

// Fold reads the link channels, and gives the channels that were proposed on them, in the order of the proposals.
func (t Table) Fold(ctx context.Context, tx *store.Tx) ([]Channel, error) {
	said := make(map[string][]voice)
	for _, c := range t.Links {
		for _, id := range []string{Proposal, Acceptance, Refusal} {
			heard, err := t.voices(ctx, tx, c, id)
			if err != nil {
				return nil, err
			}
			said[id] = append(said[id], heard...)
		}
	}
	var out []Channel
	at := make(map[[32]byte]int)
	for _, p := range said[Proposal] {
		c, err := party.DecodeChannel(p.v.Bytes("channel"))
		if err != nil || c.Kind != party.Common || !c.Member(p.party) || !c.Member(t.Self) || !t.known(c) {
			continue
		}
		id := c.ID()
		if _, ok := at[id]; !ok {
			at[id] = len(out)
			out = append(out, Channel{Channel: c, Proposer: p.party, Refused: make(map[traffic.Party]string)})
		}
		out[at[id]].agree(p.party)
	}
	for _, kind := range []string{Acceptance, Refusal} {
		for _, a := range said[kind] {
			id := [32]byte{}
			copy(id[:], a.v.Bytes("channel"))
			i, ok := at[id]
			switch {
			case !ok || !out[i].Member(a.party):
			case kind == Acceptance:
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

// voices are the valid statements of one form on a link channel, of posts that may commit their party: any other agrees to nothing.
func (t Table) voices(ctx context.Context, tx *store.Tx, c *party.Channel, id string) ([]voice, error) {
	placed, err := feed.InChannel(ctx, tx, c.ID(), id)
	if err != nil {
		return nil, err
	}
	var out []voice
	for _, p := range placed {
		s, err := statement.Decode(p.Bytes)
		if err != nil {
			return nil, err
		}
		f, ok := t.Regime.Form(s.Form, s.Version)
		chain := t.Chain(s.Issuer.Party)
		if !ok || chain == nil {
			continue
		}
		if charter, ok := chain.At(s.Charter); !ok || !charter.May(s.Issuer.Post, party.Commit) {
			continue
		}
		v, err := f.Decode(s.Payload)
		if err != nil {
			return nil, err
		}
		out = append(out, voice{s.Issuer.Party, v})
	}
	return out, nil
}

func (c *Channel) agree(p traffic.Party) {
	if i, found := slices.BinarySearch(c.Agreed, p); !found {
		c.Agreed = slices.Insert(c.Agreed, i, p)
	}
}

// known tells whether the geneses that the channel names are those of the parties that are trusted.
func (t Table) known(c *party.Channel) bool {
	for p, genesis := range c.Genesis {
		if chain := t.Chain(p); chain == nil || chain.Genesis() != genesis {
			return false
		}
	}
	return true
}
