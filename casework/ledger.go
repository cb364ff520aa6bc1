package casework

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"detente/dossier"
	"detente/feed"
	"detente/floor"
	"detente/form"
	"detente/judge"
	"detente/ledger"
	"detente/party"
	"detente/store"
	"detente/traffic"
)

// ErrNotAgreed is returned for figures that not every member has signed for.
var ErrNotAgreed = errors.New("casework: the members have not all agreed to publish these figures")

// counts tells whether a statement makes its dossier one that the ledger reads: it asks for something, or is about publishing figures.
func counts(t *floor.Told) bool {
	return t.Form.MustAcknowledge != "" || t.Form.MustAnswer != "" || t.Form.ID == formConsent
}

const formConsent = "publication-answer"

// reckoned is a dossier that the ledger reads, and what it needs of it as long as nothing changes.
type reckoned struct {
	told int          // how often a statement of it was told of
	part *ledger.Part // nil where it is not kept
	as   reading      // what part was read by
}

// reading is what a part depends on. Where any of it has changed, the part is read anew.
type reading struct {
	told     int
	charters int // the sum of the versions of the members' charters: a new one may have what was said before judged otherwise
	regime   *form.Regime
}

// mostKept bounds the parts that are kept, by their weight: some 50 MB. What goes beyond is read anew for each account, and costs only time.
const mostKept = 50_000

// Account draws the ledger of a channel's plane for a period, and lists the proposals to publish figures of that channel. Both sides that hold the same
// statements draw the same, to the byte.
func (c *Casework) Account(ctx context.Context, channel [32]byte, plane traffic.Plane, p ledger.Period) (*ledger.Account, []ledger.Publication, error) {
	if err := c.Read(ctx); err != nil {
		return nil, nil, err
	}
	charter, regime, err := c.node.Channel(channel)
	if err != nil {
		return nil, nil, err
	}
	parts, left := c.kept(channel, plane, reading{charters: c.charters(charter), regime: regime})
	for some := range slices.Chunk(left, 64) { // so that no transaction is long
		read, err := c.take(ctx, some, regime)
		if err != nil {
			return nil, nil, fmt.Errorf("casework: account: %w", err)
		}
		parts = append(parts, read...)
	}
	return ledger.Sum(channel, plane, p, parts), ledger.Proposed(parts, charter.Members), nil
}

// charters is the sum of the versions of the members' charters that are known here. None goes back, so that it never comes to the same again.
func (c *Casework) charters(channel *party.Channel) (sum int) {
	for _, m := range channel.Members {
		if chain := c.node.Chain(m); chain != nil {
			sum += chain.Latest().Version
		}
	}
	return sum
}

// unread is a dossier that is to be read, and what it is read by.
type unread struct {
	name dossier.Name
	as   reading
}

// kept gives the parts of a channel's plane that still hold, and lists the dossiers that are to be read.
func (c *Casework) kept(channel [32]byte, plane traffic.Plane, as reading) (parts []*ledger.Part, left []unread) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for name, r := range c.counted {
		if name.Channel != channel || name.Plane != plane {
			continue
		}
		if as.told = r.told; r.part != nil && r.as == as {
			parts = append(parts, r.part)
		} else {
			left = append(left, unread{name, as})
		}
	}
	return parts, left
}

// take reads dossiers of one channel, and keeps what the ledger needs of them. What came after they were listed may be in what is read, or not: it was
// told of, or will be, and the part does not hold then.
func (c *Casework) take(ctx context.Context, some []unread, regime *form.Regime) (parts []*ledger.Part, err error) {
	final := false
	err = c.node.DB.View(ctx, func(tx *store.Tx) error {
		if final, err = judged(ctx, tx, some[0].name.Channel); err != nil {
			return err
		}
		for _, u := range some {
			s, err := dossier.Read(ctx, tx, u.name, regime)
			if err != nil {
				return err
			}
			parts = append(parts, ledger.Take(s, regime))
		}
		return nil
	})
	if err != nil || !final {
		return parts, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, u := range some {
		r := c.counted[u.name]
		if r.part != nil {
			c.weight -= weight(r.part)
			r.part = nil
		}
		if w := weight(parts[i]); c.weight+w <= mostKept {
			c.weight += w
			r.part, r.as = parts[i], u.as
		}
	}
	return parts, nil
}

// weight counts a dossier without requests too.
func weight(p *ledger.Part) int { return 1 + p.Weight() }

// judged tells whether no entry of a channel waits for a charter. One that does, and those behind it in its feed, are judged anew when it comes, and
// not all of that is told of: what is read meanwhile is not kept.
func judged(ctx context.Context, tx *store.Tx, channel [32]byte) (bool, error) {
	heads, err := feed.Heads(ctx, tx, &channel)
	if err != nil {
		return false, err
	}
	for _, h := range heads {
		if at, err := h.FirstWith(ctx, tx, judge.CharterUnknown); err != nil || at >= 0 {
			return false, err
		}
	}
	return true, nil
}
