package chancery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/accord"
	"detente/form"
	"detente/instrument"
	"detente/journal"
	"detente/node"
	"detente/party"
	"detente/traffic"
)

// This file is where an agreement takes effect by itself: the channels that its manifest names come into being once it is in force. No person proposes or
// accepts them, because the persons have agreed to them already, with the manifest.

// effects brings into being what instruments in force name, and tells when it is to be looked at again: on the day on which one enters into force.
func (c *Chancery) effects(ctx context.Context, now time.Time) (again time.Time, err error) {
	c.mu.RLock()
	var drafts []*Draft
	for _, d := range c.drafts {
		drafts = append(drafts, d)
	}
	c.mu.RUnlock()
	for _, d := range drafts {
		if d.Name.Plane != traffic.Real || len(d.Manifests) == 0 {
			continue // what is agreed in an exercise brings nothing about
		}
		st := d.Status(now)
		if st.InForce.After(now) {
			again = sooner(again, st.InForce)
		}
		m := d.ManifestOf(st.Manifest)
		if st.Rung != instrument.InForce || m == nil { // an exchange of notes names no channels
			continue
		}
		for _, b := range m.Terms.Channels {
			if fault := c.bring(ctx, b, d.Opening.Parties); fault != nil {
				err = errors.Join(err, fault)
			}
		}
	}
	return again, err
}

// channelID is the id of the channel with this charter, whether or not it is one.
func channelID(charter []byte) [32]byte { return sha256.Sum256(charter) }

// bring brings about one channel, and keeps why it does not come.
func (c *Chancery) bring(ctx context.Context, b []byte, parties []traffic.Party) error {
	id := channelID(b)
	c.mu.RLock()
	done := c.settled[id]
	c.mu.RUnlock()
	if done {
		return nil
	}
	charter, err := c.namedChannel(b, parties)
	if err == nil {
		done, err = c.settle(ctx, charter)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled[id] = done
	delete(c.unready, id)
	if err != nil {
		c.unready[id] = err.Error()
	}
	return err
}

// settle brings a channel that an instrument in force names one step further into being, and tells whether nothing is left to do here. It looks at what the
// feeds hold, and says only what is missing there: it may be called at any time, by any process, after any death.
//
//	the channel is not spoken of     propose it, with the very charter of the manifest
//	others have proposed it          accept it
//	all have agreed, it is not used  accept it once more: of two who proposed at once each has agreed, and neither was told last
func (c *Chancery) settle(ctx context.Context, charter *party.Channel) (done bool, err error) {
	states, err := c.node.Channels(ctx)
	if err != nil {
		return false, err
	}
	id := charter.ID()
	i := slices.IndexFunc(states, func(s accord.Channel) bool { return s.ID() == id })
	if i >= 0 && states[i].Established {
		return true, nil
	}
	post, may := c.commits()
	if !may {
		return false, fmt.Errorf("%w: no post of %s may commit it", node.ErrAuthority, c.self)
	}
	once := func(state string, do func() error) error {
		return c.floor.Once(ctx, "chancery-channel:"+hex.EncodeToString(id[:]), state, do)
	}
	if i >= 0 && len(states[i].Agreed) == len(charter.Members) {
		return false, once("established", func() error { return c.node.Accept(ctx, id, post, journal.Machine) })
	}
	// Dying among several members, some have heard it: the next process, which finds the claim without an outcome, tells all of them again.
	return false, once("agreed", func() error {
		if i < 0 {
			return c.propose(ctx, charter, post)
		}
		return c.node.Accept(ctx, id, post, journal.Machine)
	})
}

// commits is the first own post that may commit the party.
func (c *Chancery) commits() (traffic.Post, bool) {
	own := c.node.Chain(c.self).Latest()
	for _, p := range own.Posts {
		if own.May(p.Name, party.Commit) {
			return p.Name, true
		}
	}
	return "", false
}

// propose states the charter on the link with each other member. It is the charter that was agreed on: node.Propose would make another, with a nonce of its own.
func (c *Chancery) propose(ctx context.Context, charter *party.Channel, post traffic.Post) error {
	for _, m := range charter.Others(c.self) {
		chain := c.node.Chain(m)
		if chain == nil {
			return fmt.Errorf("%w: %s", node.ErrNoPeer, m)
		}
		link := party.LinkChannel(c.node.Chain(c.self), chain)
		_, err := c.node.Send(ctx, node.Draft{
			Channel: link.ID(), Plane: traffic.Real, Precedence: traffic.Priority, Post: post, Audience: string(m), Form: accord.Proposal,
			Values: form.Values{"channel": charter.Bytes()}, Language: "en", Drafter: journal.Machine,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// namedChannel reads a charter out of a manifest. It must be one that these parties could agree on; a regime that this program lacks would be refused later, when
// it is too late, so it is refused before anybody initials.
func (c *Chancery) namedChannel(b []byte, parties []traffic.Party) (*party.Channel, error) {
	ch, err := party.DecodeChannel(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrChannel, err)
	}
	members := slices.Sorted(slices.Values(parties))
	known := slices.ContainsFunc(c.node.Regimes(), func(r *form.Regime) bool {
		return r.ID == ch.Regime.ID && r.Version == ch.Regime.Version && r.Hash == ch.Regime.Hash
	})
	switch {
	case ch.Kind != party.Common || !slices.Equal(ch.Members, members):
		return nil, fmt.Errorf("%w: its members are not the parties to the instrument", ErrChannel)
	case !known:
		return nil, fmt.Errorf("%w: this program has no regime %s/%d with the hash %s", ErrChannel, ch.Regime.ID, ch.Regime.Version, hex.EncodeToString(ch.Regime.Hash[:4]))
	case !ch.Matches(c.node.Chain):
		return nil, fmt.Errorf("%w: it does not name its members by the charters that were compared", ErrChannel)
	}
	return ch, nil
}
