package evidence

import (
	"fmt"
	"maps"
	"slices"

	"detente/feed"
	"detente/key"
	"detente/party"
	"detente/traffic"
)

// trust is what the reader's trust reaches in one file.
type trust struct {
	given   map[traffic.Party]*party.Chain   // the reader's
	chains  map[traffic.Party]*party.Chain   // the reader's, continued by charters of the file
	strange map[traffic.Party]*party.Charter // the newest charter of the file that continues none
	offered map[traffic.Party]map[int][]*party.Charter
}

// trust links the charters of a file to those that the reader trusts.
func (r *Reader) trust(raw [][]byte) (*trust, error) {
	t := &trust{given: r.Trusted, chains: make(map[traffic.Party]*party.Chain), strange: make(map[traffic.Party]*party.Charter)}
	maps.Copy(t.chains, r.Trusted)
	offered := make(map[traffic.Party]map[int][]*party.Charter)
	seen := make(map[[32]byte]bool)
	for _, b := range raw {
		c, err := party.DecodeCharter(b, r.Registry)
		if err != nil {
			return nil, decoding("charter", err)
		}
		if seen[c.Hash()] {
			continue
		}
		seen[c.Hash()] = true
		if offered[c.Party] == nil {
			offered[c.Party] = make(map[int][]*party.Charter)
		}
		offered[c.Party][c.Version] = append(offered[c.Party][c.Version], c)
	}
	t.offered = offered
	for p, versions := range offered {
		if err := t.link(p, versions); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// link continues the chain of a party as far as the charters offered go on from it.
func (t *trust) link(p traffic.Party, offered map[int][]*party.Charter) error {
	for ch := t.chains[p]; ch != nil; {
		var next *party.Chain
		for _, c := range offered[ch.Latest().Version+1] {
			longer, err := ch.Extend(c)
			if err != nil {
				continue // it continues another chain, or none
			}
			if next != nil {
				return &Refusal{"chain", fmt.Errorf("%w: %s, version %d", ErrChain, p, c.Version)}
			}
			next = longer
		}
		if next != nil {
			t.chains[p] = next
		}
		ch = next
	}
	for version, list := range offered {
		for _, c := range list {
			if ch := t.chains[p]; ch != nil {
				if mine, ok := ch.At(version); ok && mine.Hash() == c.Hash() {
					continue
				}
			}
			if other := t.strange[p]; other == nil || other.Version < version {
				t.strange[p] = c
			}
		}
	}
	return nil
}

// vouch begins the chain of a party that the reader does not know with the charter of the file that has this hash, and goes on from there. It tells whether
// there is one.
func (t *trust) vouch(p traffic.Party, genesis [32]byte) bool {
	for _, c := range t.offered[p][1] {
		if c.Hash() != genesis {
			continue
		}
		chain, err := party.NewChain(c)
		if err != nil {
			return false
		}
		t.chains[p] = chain
		delete(t.strange, p)
		return t.link(p, t.offered[p]) == nil
	}
	return false
}

// of gives the chain of a party. On a channel, it is the chain of the member that the channel's charter means: its genesis stands there.
func (t *trust) of(p traffic.Party, c *party.Channel) (*party.Chain, error) {
	ch := t.chains[p]
	if ch == nil {
		return nil, &Refusal{"untrusted", untrusted(p, t.strange[p])}
	}
	if c != nil && c.Genesis[p] != ch.Genesis() {
		return nil, &Refusal{"untrusted", fmt.Errorf("%w: the channel's member %s began with another charter than the one you trust", ErrUntrusted, p)}
	}
	return ch, nil
}

// basis says how far the charters of a party reach, and which of them the reader gave.
func (t *trust) basis(p traffic.Party) Basis {
	b := Basis{Party: p, Known: t.chains[p].Latest().Version}
	if given := t.given[p]; given != nil { // else another has vouched for it
		b.Given, b.Words = given.Latest().Version, fingerprint(given.Latest())
	}
	return b
}

// authors gives the keys with which a party may have signed a checkpoint under versions from…to of its charter.
func authors(ch *party.Chain, from, to int) []feed.Candidate {
	var out []feed.Candidate
	for n := from; n <= to; n++ {
		c, ok := ch.At(n)
		if !ok {
			continue
		}
		for _, k := range []key.Public{c.Node.Checkpoint, c.Node.CheckpointPQ} {
			if v := c.Verifier(k); v != nil && !slices.ContainsFunc(out, func(o feed.Candidate) bool { return o.Key.ID() == v.ID() }) {
				out = append(out, feed.Candidate{Key: v})
			}
		}
	}
	return out
}

// mirrors gives the keys with which a member may have cosigned.
func mirrors(ch *party.Chain) []feed.Candidate {
	var out []feed.Candidate
	for _, v := range append(ch.MirrorKeys(false), ch.MirrorKeys(true)...) {
		out = append(out, feed.Candidate{Mirror: ch.Party(), Key: v})
	}
	return out
}

// key says which key has signed what, and whether it was withdrawn.
func (t *trust) key(what string, p traffic.Party, g feed.Signed) Key {
	k := Key{Signed: what, Holder: string(p), Algorithm: algorithm(g.Algorithm), ID: g.Key.String()}
	k.Withdrawn, _ = t.chains[p].WithdrawnAt(g.Key)
	return k
}
