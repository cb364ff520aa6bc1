// Package journal is the feed in which a party keeps what its own watch did: statements like all others, on a channel without other members.
// It must never be changed or shortened, nor be waited for before a person is called.
package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/feed"
	"detente/form"
	"detente/node"
	"detente/party"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// ErrNone is returned where the program lacks the internal regime.
var ErrNone = errors.New("journal: this node keeps none")

// Journal is the feed in which a party keeps what its watch did: the internal channel, protocol.md#channel. It leaves the node never.
type Journal struct {
	node   *node.Node
	feed   traffic.Feed // of epoch 0
	regime *form.Regime
}

// Open finds the journal of a node. Error: ErrNone.
func Open(n *node.Node) (*Journal, error) {
	id := party.InternalChannel(n.Chain(n.Self())).ID()
	_, regime, err := n.Channel(id)
	if err != nil {
		return nil, ErrNone
	}
	// One plane, whatever plane the matter is on: a watch has one floor.
	return &Journal{n, traffic.Feed{Channel: id, Party: n.Self(), Plane: traffic.Real, Precedence: traffic.Routine}, regime}, nil
}

// Record appends to the journal. When it returns without error the entry is durable and in its order. post is the post that the matter concerns,
// empty for the party as a whole; by is the duty role that acts, or "node" for the machine. refs are statements that the entry is about.
// Errors: feed.ErrBehind when the journal has lost entries, those of package form.
func (j *Journal) Record(ctx context.Context, post traffic.Post, by, form string, v form.Values, refs ...statement.ID) (node.Sent, error) {
	own := j.node.Chain(j.node.Self()).Latest()
	if !slices.ContainsFunc(own.Posts, func(p party.Post) bool { return p.Name == post }) {
		post = own.Posts[0].Name
	}
	language := "en"
	if len(own.Languages) > 0 {
		language = own.Languages[0]
	}
	return j.node.Send(ctx, node.Draft{
		Channel: j.feed.Channel, Plane: j.feed.Plane, Precedence: j.feed.Precedence, Post: post, Audience: statement.Everyone, Form: form, Values: v,
		Refs: refs, Language: language, Drafter: by,
	})
}

// Reopen begins the journal's next epoch when the database has lost entries: no other party holds them, so nobody could give them back, and to wait
// for it would keep the watch from writing down what it does. The epoch's first entry says how many were lost.
func (j *Journal) Reopen(ctx context.Context) error {
	feeds, err := j.node.Feeds(ctx)
	if err != nil {
		return err
	}
	post := j.node.Chain(j.node.Self()).Latest().Posts[0].Name
	for _, f := range feeds {
		if f.Silent && f.Feed.Channel == j.feed.Channel {
			if _, err := j.node.NewEpoch(ctx, f.Feed, post, Machine, "the database was lost, and nobody else holds this feed"); err != nil {
				return err
			}
		}
	}
	return nil
}

// Machine is the role under which the node itself records what it did.
const Machine = "node"

// Entry is an entry of the journal, read.
type Entry struct {
	Index     int64     // over all epochs, from 0
	Held      time.Time // when it was made, by the clock of this machine
	Statement *statement.Statement
	Form      *form.Form
	Values    form.Values
}

// Each calls fn for each entry from index on, in its order, until fn returns false, and returns the index behind the last one it looked at. What is
// invalid is passed over; it keeps its index.
func (j *Journal) Each(ctx context.Context, from int64, fn func(Entry) bool) (next int64, err error) {
	err = j.node.DB.View(ctx, func(tx *store.Tx) error {
		next = from
		heads, err := feed.Heads(ctx, tx, &j.feed.Channel)
		if err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		slices.SortFunc(heads, func(a, b *feed.Head) int { return int(a.Feed.Epoch) - int(b.Feed.Epoch) })
		var below int64
		for _, h := range heads {
			if h.Feed.Precedence != j.feed.Precedence || h.Feed.Plane != j.feed.Plane {
				continue
			}
			more := true
			err := h.Range(ctx, tx, min(max(0, from-below), h.Size), h.Size, func(e feed.Entry) bool {
				next = below + e.Index + 1
				entry, ok := j.read(e)
				if !ok {
					return true
				}
				entry.Index = below + e.Index
				more = fn(entry)
				return more
			})
			if err != nil || !more {
				return err
			}
			below += h.Size
		}
		return nil
	})
	return next, err
}

// Size is how many entries the journal has, over all its epochs.
func (j *Journal) Size(ctx context.Context) (size int64, err error) {
	err = j.node.DB.View(ctx, func(tx *store.Tx) error {
		size = 0
		heads, err := feed.Heads(ctx, tx, &j.feed.Channel)
		for _, h := range heads {
			if h.Feed.Precedence == j.feed.Precedence && h.Feed.Plane == j.feed.Plane {
				size += h.Size
			}
		}
		return err
	})
	return size, err
}

// read gives false for what is no valid entry, and for the first of an epoch, which is of the link regime.
func (j *Journal) read(e feed.Entry) (Entry, bool) {
	s, err := statement.Decode(e.Bytes)
	if err != nil || e.Reason != "" {
		return Entry{}, false
	}
	f, ok := j.regime.Form(s.Form, s.Version)
	if !ok {
		return Entry{}, false
	}
	v, err := f.Decode(s.Payload)
	return Entry{Held: e.Held, Statement: s, Form: f, Values: v}, err == nil
}
