// Package docket is what a node's register knows about instruments: the acts in the public feeds that it holds, and those of collections that were imported.
// It must never state anything itself, nor leave out what it holds: an invalid statement, and one of a party that has signed two histories, is read and named.
package docket

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"detente/acts"
	"detente/exchange"
	"detente/feed"
	"detente/form"
	"detente/judge"
	"detente/node"
	"detente/party"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// step is how many entries of a feed are looked at in one transaction.
const step = 1024

// Docket reads the public feeds of a node. What it has read it keeps, and goes on from there; it is safe for concurrent use.
type Docket struct {
	node *node.Node

	mu      sync.Mutex
	read    map[string]int64 // by the feed's origin
	items   []acts.Item
	held    []time.Time // of each, since when it is here
	forked  map[traffic.Party]time.Time
	reading *acts.Reading
	stale   bool

	collections map[string]*acts.Collection // those of the table, as far as they were read
}

// New makes the docket of a node.
func New(n *node.Node) *Docket {
	return &Docket{node: n, read: map[string]int64{}, stale: true, collections: map[string]*acts.Collection{}}
}

// Reading is what the public feeds say, as far as this node holds them. It is not to be changed.
func (d *Docket) Reading(ctx context.Context) (*acts.Reading, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.follow(ctx); err != nil {
		return nil, fmt.Errorf("docket: %w", err)
	}
	if d.stale {
		// Who has signed two histories dates as it likes, too: what it says is known since it is here.
		for i := range d.items {
			d.items[i].Held = time.Time{}
			if _, forked := d.forked[d.items[i].Party]; forked {
				d.items[i].Held = d.held[i]
			}
		}
		d.reading, d.stale = acts.Read(d.items, d.forked), false
	}
	return d.reading, nil
}

// follow reads what has come since. Whoever is convicted of a fork in a public feed is so from when this node knew it.
func (d *Docket) follow(ctx context.Context) error {
	channels, err := d.node.Channels(ctx)
	if err != nil {
		return err
	}
	public := map[[32]byte]*party.Channel{}
	for _, c := range channels {
		if c.Kind == party.Public {
			public[c.ID()] = c.Channel
		}
	}
	alarms, err := d.node.Alarms(ctx)
	if err != nil {
		return err
	}
	forked := map[traffic.Party]time.Time{}
	for _, a := range alarms {
		f, err := traffic.ParseOrigin(a.Subject)
		if a.Kind != exchange.AlarmFork || err != nil || public[f.Channel] == nil || f.Plane != traffic.Real {
			continue
		}
		if since, ok := forked[f.Party]; !ok || a.Raised.Before(since) {
			forked[f.Party] = a.Raised
		}
	}
	if !maps.Equal(forked, d.forked) {
		d.forked, d.stale = forked, true
	}
	for id := range public {
		for more := true; more; {
			if more, err = d.channel(ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// channel reads some entries of each feed of a channel. A feed whose charter has not come yet waits for it.
func (d *Docket) channel(ctx context.Context, id [32]byte) (more bool, err error) {
	var fresh []acts.Item
	var held []time.Time
	read := map[string]int64{}
	err = d.node.DB.View(ctx, func(tx *store.Tx) error {
		fresh, held, more = nil, nil, false
		clear(read)
		heads, err := feed.Heads(ctx, tx, &id)
		if err != nil {
			return err
		}
		for _, h := range heads {
			origin := h.Feed.Origin()
			from := d.read[origin]
			if h.Feed.Plane != traffic.Real || from >= h.Size {
				continue
			}
			to, waits := from, false
			if err := h.Range(ctx, tx, from, min(h.Size, from+step), func(e feed.Entry) bool {
				if waits = e.Reason == judge.CharterUnknown; waits {
					return false
				}
				to = e.Index + 1
				if it, ok := d.item(h.Feed, &e); ok {
					fresh, held = append(fresh, it), append(held, e.Held)
				}
				return true
			}); err != nil {
				return err
			}
			read[origin] = to
			more = more || to < h.Size && !waits
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	maps.Copy(d.read, read)
	if len(fresh) > 0 {
		d.items, d.held, d.stale = append(d.items, fresh...), append(d.held, held...), true
	}
	return more, nil
}

// item reads an entry; false for one that does not concern instruments.
func (d *Docket) item(f traffic.Feed, e *feed.Entry) (acts.Item, bool) {
	s, err := statement.Decode(e.Bytes)
	if err != nil {
		return acts.Item{}, false // the feed's alarm tells of it: it says nothing about any instrument
	}
	if !slices.Contains(acts.Forms(), s.Form) {
		return acts.Item{}, false
	}
	it := acts.Item{ID: s.ID(), Party: f.Party, Issuer: s.Issuer, At: s.IssuedAt, Clock: s.Clock, Form: s.Form, Refs: s.Refs, Invalid: e.Reason, Values: d.values(s)}
	if chain := d.node.Chain(f.Party); chain != nil {
		charter, ok := chain.At(s.Charter)
		it.Commits = ok && charter.May(s.Issuer.Post, party.Commit)
	}
	return it, true
}

func (d *Docket) values(s *statement.Statement) form.Values {
	fm, _, err := d.node.Form(s)
	if err != nil {
		return nil
	}
	v, err := fm.Decode(s.Payload)
	if err != nil {
		return nil
	}
	return v
}
