package sim

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing/synctest"

	"detente/archive"
	"detente/dossier"
	"detente/node"
	"detente/statement"
	"detente/traffic"

	"golang.org/x/mod/sumdb/tlog"
)

// record is what the world remembers of what was said and seen: what the nodes show is held against it.
type record struct {
	mu    sync.Mutex // guards what follows
	truth map[traffic.Feed][]statement.ID
	place map[statement.ID]node.Sent
	told  []said                 // what a node has taken on itself to say
	size  map[copyOf]int64       // how far a copy had come when it was last looked at
	gone  map[traffic.Party]bool // whose disk was lost, or put back, and has not recovered
}

type said struct {
	node.Sent
	plane traffic.Plane
}

type copyOf struct {
	holder traffic.Party
	feed   traffic.Feed
}

func newRecord() *record {
	return &record{
		truth: make(map[traffic.Feed][]statement.ID), place: make(map[statement.ID]node.Sent), size: make(map[copyOf]int64),
		gone: make(map[traffic.Party]bool),
	}
}

func (r *record) said(s node.Sent, plane traffic.Plane) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if plane == "" {
		plane = s.Feed.Plane
	}
	r.told = append(r.told, said{s, plane})
}

// lost notes that a party's disk is not what it was.
func (r *record) lost(p traffic.Party) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone[p] = true
	maps.DeleteFunc(r.size, func(c copyOf, _ int64) bool { return c.holder == p })
}

// found notes that a party has recovered what it lost.
func (r *record) found(p traffic.Party) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.gone, p)
}

// left notes that a feed was left for its next epoch: what was said on it beyond a size is lost.
func (r *record) left(f traffic.Feed, size int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = slices.DeleteFunc(r.told, func(s said) bool { return s.Feed == f && s.Index >= size })
}

// view is what one node shows.
type view struct {
	holder *Capital
	feeds  map[traffic.Feed]node.FeedState
	held   map[traffic.Feed][]archive.Held
}

// Check holds everything that can be seen in the world against the invariants of the design: feeds only grow and their roots are those of
// their entries; whoever has cosigned holds; nothing that was said is lost, or appears twice, or on another plane; who holds the same
// statements of a dossier folds them to the same state; nothing readable has crossed the network.
func (w *World) Check() error {
	synctest.Wait() // nothing moves: all nodes are seen at one instant
	if leak := w.Net.Leak(); leak != "" {
		return fmt.Errorf("readable on the network: %s", leak)
	}
	views := make(map[traffic.Party]*view)
	for _, c := range w.Parties() {
		if !c.Up() {
			continue
		}
		v, err := w.look(c)
		if err == nil {
			err = w.record.compare(v)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.ID, err)
		}
		views[c.ID] = v
	}
	if err := w.record.receipts(views); err != nil {
		return err
	}
	if err := w.record.kept(views); err != nil {
		return err
	}
	return w.sameFolds(views)
}

// look reads everything that a node holds, and computes the roots anew.
func (w *World) look(c *Capital) (*view, error) {
	ctx := w.t.Context()
	states, err := c.Node().Feeds(ctx)
	if err != nil {
		return nil, err
	}
	const all = 1 << 30
	held, err := c.Node().List(ctx, all, func(archive.Held) bool { return true })
	if err != nil {
		return nil, err
	}
	v := &view{c, make(map[traffic.Feed]node.FeedState), make(map[traffic.Feed][]archive.Held)}
	for _, h := range held {
		v.held[h.Feed] = append(v.held[h.Feed], h)
	}
	for _, s := range states {
		v.feeds[s.Feed] = s
		entries := v.held[s.Feed]
		slices.SortFunc(entries, func(a, b archive.Held) int { return int(a.Index - b.Index) })
		if err := rightly(s, entries); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Feed.Origin(), err)
		}
	}
	return v, nil
}

// rightly checks a copy of a feed by itself.
func rightly(s node.FeedState, entries []archive.Held) error {
	if int64(len(entries)) != s.Size {
		return fmt.Errorf("the head says %d entries, there are %d", s.Size, len(entries))
	}
	var hashes []tlog.Hash
	stored := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
		for _, i := range at {
			out = append(out, hashes[i])
		}
		return out, nil
	})
	for i, e := range entries {
		if e.Index != int64(i) {
			return fmt.Errorf("entry %d stands where entry %d should", e.Index, i)
		}
		if e.ID != statement.Hash(e.Bytes) {
			return fmt.Errorf("entry %d has another id than its bytes", i)
		}
		if e.Reason == "" && (e.Statement == nil || e.Statement.Plane != s.Feed.Plane || e.Statement.Precedence != s.Feed.Precedence ||
			e.Statement.Channel != s.Feed.Channel || e.Statement.Issuer.Party != s.Feed.Party) {
			return fmt.Errorf("entry %d is another feed's and passes as valid", i)
		}
		more, err := tlog.StoredHashes(int64(i), e.Bytes, stored)
		if err != nil {
			return err
		}
		hashes = append(hashes, more...)
	}
	if s.Size == 0 {
		return nil
	}
	root, err := tlog.TreeHash(s.Size, stored)
	if err != nil {
		return err
	}
	if root != s.Root {
		return errors.New("the head's root is not that of the entries")
	}
	return nil
}

// compare holds a node's copies against what was seen of the feeds before, at any node: one history, that only grows.
func (r *record) compare(v *view) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for f, entries := range v.held {
		truth := r.truth[f]
		for i, e := range entries {
			switch {
			case i < len(truth) && truth[i] != e.ID:
				return fmt.Errorf("%s: entry %d is %s here and was %s", f.Origin(), i, e.ID.Short(), truth[i].Short())
			case i < len(truth):
			default:
				truth = append(truth, e.ID)
				if e.Reason != "" {
					break // an invalid one may be anything, also a copy of a good one
				}
				if at, twice := r.place[e.ID]; twice {
					return fmt.Errorf("%s stands at %s %d and at %s %d", e.ID.Short(), at.Feed.Origin(), at.Index, f.Origin(), i)
				}
				r.place[e.ID] = node.Sent{ID: e.ID, Feed: f, Index: int64(i)}
			}
		}
		r.truth[f] = truth
	}
	for c, size := range r.size {
		if c.holder == v.holder.ID && v.feeds[c.feed].Size < size {
			return fmt.Errorf("%s: had %d entries and now has %d", c.feed.Origin(), size, v.feeds[c.feed].Size)
		}
	}
	for f, s := range v.feeds {
		r.size[copyOf{v.holder.ID, f}] = s.Size
	}
	return nil
}

// receipts checks that sent = cosigned + waiting for each feed and peer, that whoever has cosigned holds, and that nobody holds more than was
// said.
func (r *record) receipts(views map[traffic.Party]*view) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range views {
		for f, s := range v.feeds {
			for mirror, cosigned := range s.Cosigned {
				if cosigned > s.Size && !r.gone[v.holder.ID] {
					return fmt.Errorf("%s has %d entries of %s, and %s has cosigned %d", v.holder.ID, s.Size, f.Origin(), mirror, cosigned)
				}
				if other := views[mirror]; other != nil && !r.gone[mirror] && other.feeds[f].Size < cosigned {
					return fmt.Errorf("%s has cosigned %d entries of %s and holds %d", mirror, cosigned, f.Origin(), other.feeds[f].Size)
				}
			}
			if author := views[f.Party]; author != nil && !r.gone[f.Party] && author.feeds[f].Size < s.Size {
				return fmt.Errorf("%s holds %d entries of %s, of which its party holds %d", v.holder.ID, s.Size, f.Origin(), author.feeds[f].Size)
			}
		}
	}
	return nil
}

// kept checks that everything that a node has taken on itself to say stands where it was told, on the plane it was said on.
func (r *record) kept(views map[traffic.Party]*view) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.told {
		v := views[s.Feed.Party]
		if v == nil || r.gone[s.Feed.Party] {
			continue
		}
		entries := v.held[s.Feed]
		if s.Index >= int64(len(entries)) || entries[s.Index].ID != s.ID {
			return fmt.Errorf("%s was said as entry %d of %s and is not there", s.ID.Short(), s.Index, s.Feed.Origin())
		}
		if e := entries[s.Index]; e.Statement == nil || e.Statement.Plane != s.plane || e.Reason != "" {
			return fmt.Errorf("%s, said on the plane %s, is held as %v %q", s.ID.Short(), s.plane, e.Feed.Plane, e.Reason)
		}
	}
	return nil
}

// sameFolds folds every dossier at every node, and compares those of which the same statements are held.
func (w *World) sameFolds(views map[traffic.Party]*view) error {
	type fold struct {
		by     traffic.Party
		digest [32]byte
	}
	folds := make(map[string]fold) // by dossier and what is held of it
	for _, v := range views {
		states, err := w.dossiers(v)
		if err != nil {
			return err
		}
		for _, s := range states {
			var ids []string
			for _, e := range s.Entries {
				ids = append(ids, e.Statement.ID().String()+e.Reason)
			}
			slices.Sort(ids)
			what := fmt.Sprintf("%x %x %s %s", s.ID, s.Channel, s.Plane, ids)
			other, known := folds[what]
			if known && other.digest != s.Digest {
				return fmt.Errorf("%s and %s hold the same of dossier %s and fold it differently", other.by, v.holder.ID, s.ID.Short())
			}
			folds[what] = fold{v.holder.ID, s.Digest}
		}
	}
	return nil
}

// dossiers folds every dossier that a node holds, in the order of their names.
func (w *World) dossiers(v *view) ([]*dossier.State, error) {
	states := make(map[dossier.Name]*dossier.State)
	for _, entries := range v.held {
		for _, e := range entries {
			name, ok := dossier.Of(e.Placed)
			if !ok || states[name] != nil {
				continue
			}
			s, err := v.holder.Node().Dossier(w.t.Context(), e)
			if err != nil {
				return nil, fmt.Errorf("%s: dossier of %s: %w", v.holder.ID, e.ID.Short(), err)
			}
			states[name] = s
		}
	}
	return slices.SortedFunc(maps.Values(states), func(a, b *dossier.State) int {
		return cmp.Or(bytes.Compare(a.ID[:], b.ID[:]), bytes.Compare(a.Channel[:], b.Channel[:]), strings.Compare(string(a.Plane), string(b.Plane)))
	}), nil
}

// Same holds the dossiers of every channel against each other, at all its members: everybody holds the same and folds it to the same.
func (w *World) Same() error {
	for _, c := range w.Parties() {
		channels, err := c.Node().Channels(w.t.Context())
		if err != nil {
			return err
		}
		for _, ch := range channels {
			var members []*Capital
			for _, m := range ch.Members {
				members = append(members, w.Capital(m))
			}
			if _, err := w.same(ch.ID(), members...); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *World) same(channel [32]byte, parties ...*Capital) (n int, err error) {
	var first []*dossier.State
	for i, p := range parties {
		v, err := w.look(p)
		if err != nil {
			return 0, err
		}
		states, err := w.dossiers(v)
		if err != nil {
			return 0, err
		}
		states = slices.DeleteFunc(states, func(d *dossier.State) bool { return d.Channel != channel })
		if i == 0 {
			first = states
		}
		if !slices.EqualFunc(first, states, func(x, y *dossier.State) bool { return x.Name == y.Name && x.Digest == y.Digest }) {
			return 0, fmt.Errorf("%s and %s differ", parties[0].ID, p.ID)
		}
	}
	return len(first), nil
}

// Audit has every node that is up verify all that it holds.
func (w *World) Audit() error {
	for _, c := range w.Parties() {
		if !c.Up() {
			continue
		}
		r, err := c.Node().Audit(w.t.Context(), nil)
		if err != nil {
			return fmt.Errorf("%s: %w", c.ID, err)
		}
		if len(r.Faults) > 0 {
			return fmt.Errorf("%s: audit: %d faults, the first: %s", c.ID, len(r.Faults), r.Faults[0])
		}
	}
	return nil
}

// Behind says what is still on its way: a feed that some mirror has not cosigned as far as it goes, or does not hold, having lost it; empty when
// everybody holds everything.
func (w *World) Behind() (string, error) {
	all := make(map[traffic.Party]map[traffic.Feed]node.FeedState)
	for _, c := range w.Parties() {
		states, err := c.Node().Feeds(w.t.Context())
		if err != nil {
			return "", err
		}
		all[c.ID] = make(map[traffic.Feed]node.FeedState)
		for _, s := range states {
			all[c.ID][s.Feed] = s
		}
	}
	for author, feeds := range all {
		for f, s := range feeds {
			if f.Party != author {
				continue
			}
			for mirror, cosigned := range s.Cosigned {
				if held := all[mirror][f].Size; min(cosigned, held) < s.Size {
					return fmt.Sprintf("%s: %d entries, %s has cosigned %d and holds %d", f.Origin(), s.Size, mirror, cosigned, held), nil
				}
			}
		}
	}
	return "", nil
}
