package node

import (
	"context"
	"fmt"

	"detente/bundle"
	"detente/dossier"
	"detente/exchange"
	"detente/feed"
	"detente/form"
	"detente/judge"
	"detente/party"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// Keys is the keyring in use. It is for what an office signs beside statements; nothing of it may leave the process.
func (n *Node) Keys() *party.Keyring {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.keys
}

// Import takes in another party's charter file. Until its words are compared ([Node.Confirm]) nothing of it is trusted.
func (n *Node) Import(ctx context.Context, file []byte) (chain *party.Chain, trusted bool, err error) {
	n.charterMu.Lock()
	defer n.charterMu.Unlock()
	chain, trusted, err = n.cfg.Pins.Import(file)
	if err == nil && trusted {
		err = n.trust(ctx, chain)
	}
	return chain, trusted, err
}

// Confirm pairs with a party whose charter was imported, when the words that its officer spoke are those of that charter.
func (n *Node) Confirm(ctx context.Context, p traffic.Party, spoken string) (*party.Chain, error) {
	n.charterMu.Lock()
	defer n.charterMu.Unlock()
	chain, err := n.cfg.Pins.Confirm(p, spoken)
	if err != nil {
		return nil, err
	}
	return chain, n.trust(ctx, chain)
}

// Pending lists the parties whose charters were imported and whose words were not compared yet.
func (n *Node) Pending() []*party.Chain { return n.cfg.Pins.Pending() }

// trust puts a peer's charters into use, judges again what waited for them, and opens the link.
func (n *Node) trust(ctx context.Context, chain *party.Chain) error {
	p := chain.Party()
	n.mu.Lock()
	before := n.chains[p]
	n.chains[p] = chain
	n.addStandard()
	n.mu.Unlock()
	if err := n.judgeAgain(ctx, p); err != nil {
		if before != nil { // as if the charters had not come: the peer sends them again
			n.mu.Lock()
			n.chains[p] = before
			n.mu.Unlock()
		}
		return err
	}
	if err := n.establish(ctx); err != nil {
		return err
	}
	select {
	case n.paired <- struct{}{}:
	default: // adopt has not looked yet
	}
	n.Call()
	return nil
}

// takeCharters learns newer versions of the sender's charter. The chain proves them; the bundle need not be believed.
func (n *Node) takeCharters(ctx context.Context, b *bundle.Bundle) error {
	if len(b.Charters) == 0 {
		return nil
	}
	if l := n.link(b.From); l != nil {
		l.OweHello() // so that it hears that they are known
		l.Kick(exchange.Calm)
	}
	n.charterMu.Lock()
	defer n.charterMu.Unlock()
	before := n.Chain(b.From).Latest().Version
	chain, err := n.cfg.Pins.Learn(b.From, b.Charters...)
	if chain == nil || chain.Latest().Version == before {
		return err
	}
	n.log.Info("charter of peer", "peer", b.From, "version", chain.Latest().Version)
	return n.trust(ctx, chain)
}

// know is the newest charter version held of each party: what a hello says.
func (n *Node) know() map[traffic.Party]int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	out := make(map[traffic.Party]int, len(n.chains))
	for p, chain := range n.chains {
		out[p] = chain.Latest().Version
	}
	return out
}

// news are the versions of the own charter that the peer has not said it knows.
func (n *Node) news(peer traffic.Party) [][]byte {
	l := n.link(peer)
	var out [][]byte
	for _, c := range n.Chain(n.self).All() {
		if c.Version > l.Knows() {
			out = append(out, c.Bytes())
		}
	}
	return out
}

// Renew puts a new version of the own charter, approved by its roots, into force: it is announced on the public channel and stated with, and
// so in force, from the next statement of each feed on. keys holds the keys that it names, and is already saved.
func (n *Node) Renew(ctx context.Context, c *party.Charter, keys *party.Keyring, post traffic.Post, by string) error {
	n.charterMu.Lock()
	defer n.charterMu.Unlock()
	chain, err := n.Chain(n.self).Extend(c)
	if err != nil {
		return err
	}
	under, err := keys.Under(c)
	if err != nil {
		return err
	}
	if err := n.cfg.Pins.SetOwn(chain); err != nil {
		return err
	}
	n.mu.Lock()
	n.chains[n.self], n.keys = chain, under
	n.mu.Unlock()
	if err := n.announce(ctx, c, post, by); err != nil {
		return err
	}
	n.Call()
	return nil
}

// announce states the charter's version on the public channel and on each link channel, so that it is in force there at once.
func (n *Node) announce(ctx context.Context, c *party.Charter, post traffic.Post, by string) error {
	own := n.Chain(n.self)
	hash := c.Hash()
	channels := []*party.Channel{party.PublicChannel(own)}
	for _, p := range n.Peers() {
		channels = append(channels, party.LinkChannel(own, n.Chain(p)))
	}
	for _, ch := range channels {
		_, err := n.Send(ctx, Draft{
			Channel: ch.ID(), Plane: traffic.Real, Precedence: traffic.Priority, Post: post, Audience: statement.Everyone,
			Form: "charter", Values: form.Values{"version": int64(c.Version), "hash": hash[:]}, Language: "en", Drafter: by,
		})
		if err != nil {
			return fmt.Errorf("node: announce charter: %w", err)
		}
	}
	return nil
}

// judgeAgain judges anew the feeds of a party from the first entry that waited for a charter.
func (n *Node) judgeAgain(ctx context.Context, p traffic.Party) error {
	return n.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		heads, err := feed.Heads(ctx, tx, nil)
		if err != nil {
			return err
		}
		for _, h := range heads {
			if h.Feed.Party != p {
				continue
			}
			if err := n.rejudge(ctx, tx, h); err != nil {
				return err
			}
		}
		return nil
	})
}

func (n *Node) rejudge(ctx context.Context, tx *store.Tx, h *feed.Head) error {
	c, err := n.channel(h.Feed.Channel)
	if err != nil {
		return nil // judged when the channel comes into being, since nothing of it is stored before
	}
	waiting, err := h.FirstWith(ctx, tx, judge.CharterUnknown)
	if err != nil || waiting < 0 {
		return err
	}
	var prior judge.Prior
	var bodies [][]byte
	var old []feed.Entry
	err = h.Range(ctx, tx, 0, h.Size, func(e feed.Entry) bool {
		if e.Index >= waiting {
			bodies, old = append(bodies, e.Bytes), append(old, e)
		} else if s, err := statement.Decode(e.Bytes); err == nil && e.Reason == "" {
			prior = judge.Prior{Clock: s.Clock, Charter: s.Charter}
		}
		return true
	})
	if err != nil {
		return err
	}
	findings, err := n.judge(c, h.Feed).Examine(ctx, bodies)
	if err != nil {
		return err
	}
	var differ []feed.Entry
	for i, f := range findings {
		if e := f.Conclude(&prior); e.Reason != old[i].Reason {
			if err := h.SetReason(ctx, tx, old[i].Index, e.Reason); err != nil {
				return err
			}
			differ = append(differ, old[i])
		}
	}
	if err := dossier.Note(ctx, tx, h.Feed, differ); err != nil {
		return err
	}
	return h.SetPrior(ctx, tx, prior.Clock, prior.Charter)
}

// Charters gives a party's charter file, for a verifier to trust.
func (n *Node) Charters(p traffic.Party) ([]byte, error) {
	chain := n.Chain(p)
	if chain == nil {
		return nil, ErrNoPeer
	}
	return party.EncodeChain(chain)
}
