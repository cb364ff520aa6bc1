package yearly

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"detente/blob"
	"detente/dialogue"
	"detente/dossier"
	"detente/feed"
	"detente/judge"
	"detente/node"
	"detente/party"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// Ask is what a pack is asked for.
type Ask struct {
	Subject
	Channel  [32]byte // of the series
	Channels []string // names; empty for every channel that has the same members
}

// Most that a period may be long, and how many things that are missing are noted.
const (
	maxPeriod = 10 * 366 * 24 * time.Hour
	maxLacks  = 1000
	step      = 512 // entries that are read in one transaction
)

// Period is that of a round where none is asked for: from the end of the round that was held last before it, or the opening of the series, to the beginning of the day, in
// UTC, on which the round is or was, or of today if that is earlier. Error: ErrPeriod.
func Period(s *dialogue.Series, round int, from, to, now time.Time) (time.Time, time.Time, error) {
	r := s.Rounds[round]
	if from.IsZero() {
		from = s.Opened
		for n, other := range s.Rounds {
			if end := other.End(); n < round && end.After(from) {
				from = end
			}
		}
	}
	if to.IsZero() {
		to = now
		if r != nil && r.Agreed != nil && r.Agreed.From.Before(to) {
			to = r.Agreed.From
		}
		to = to.UTC().Truncate(24 * time.Hour)
	}
	from, to = from.UTC().Truncate(time.Second), to.UTC().Truncate(time.Second)
	switch {
	case round < 1 || r == nil && round != s.At(now).Number:
		return from, to, fmt.Errorf("%w: there is no round %d", ErrPeriod, round)
	case !from.Before(to):
		return from, to, fmt.Errorf("%w: from %s to %s", ErrPeriod, from.Format(time.RFC3339), to.Format(time.RFC3339))
	case to.After(now):
		return from, to, fmt.Errorf("%w: it ends only on %s", ErrPeriod, to.Format(time.RFC3339))
	case to.Sub(from) > maxPeriod:
		return from, to, fmt.Errorf("%w: longer than ten years", ErrPeriod)
	}
	return from, to, nil
}

// Gather makes the pack from what a node holds. What is missing of the record is in its Lacks: see [Pack.Whole]. Errors: ErrPeriod, ErrTooMuch, node.ErrNoChannel.
func Gather(ctx context.Context, n *node.Node, ask Ask) (*Pack, error) {
	sources, err := sourcesOf(ctx, n, ask)
	if err != nil {
		return nil, err
	}
	a, err := Begin(ask.Subject, sources)
	if err != nil {
		return nil, err
	}
	g := &gathering{node: n, assembly: a, about: a.about}
	for _, s := range sources {
		if err := g.channel(ctx, s); err != nil {
			return nil, fmt.Errorf("yearly: %w", err)
		}
	}
	return a.Pack(n.Chain)
}

// sourcesOf are the common channels in being that have the members of the series.
func sourcesOf(ctx context.Context, n *node.Node, ask Ask) (out []*Source, err error) {
	own, _, err := n.Channel(ask.Channel)
	if err != nil {
		return nil, err
	}
	all, err := n.Channels(ctx)
	if err != nil {
		return nil, err
	}
	wanted := make(map[string]bool)
	for _, name := range ask.Channels {
		wanted[name] = true
	}
	for _, c := range all {
		if !c.Established || c.Kind != party.Common || !slices.Equal(c.Members, own.Members) || len(ask.Channels) > 0 && !wanted[c.Name] && c.ID() != ask.Channel {
			continue
		}
		delete(wanted, c.Name)
		charter, regime, err := n.Channel(c.ID())
		if err != nil {
			return nil, err
		}
		out = append(out, &Source{ID: c.ID(), Name: charter.Name, Members: charter.Members, Regime: regime})
	}
	for name := range wanted {
		return nil, fmt.Errorf("%w: %.64q, with the members of the series", node.ErrNoChannel, name)
	}
	return out, nil
}

// gathering is a pack while its record is read.
type gathering struct {
	node     *node.Node
	assembly *Assembly
	about    Subject
	listed   int
	lacks    int
}

func (g *gathering) lack(l Lack) {
	if g.lacks++; g.lacks <= maxLacks {
		g.assembly.Lack(l)
	}
}

// limit is how far a feed is in the record.
type limit struct {
	*feed.Head
	size int64
	last bool // the newest entry that is held is of the record: what follows it may be too
}

// channel reads the record of one channel: first every feed, then every dossier of which something is in it.
func (g *gathering) channel(ctx context.Context, s *Source) error {
	charter, _, err := g.node.Channel(s.ID)
	if err != nil {
		return err
	}
	limits := make(map[traffic.Feed]*limit)
	var order []*limit
	err = g.node.DB.View(ctx, func(tx *store.Tx) error {
		clear(limits)
		order = nil
		heads, err := feed.Heads(ctx, tx, &s.ID)
		if err != nil {
			return err
		}
		for _, h := range heads {
			if h.Feed.Plane != g.about.Plane {
				continue
			}
			l := &limit{Head: h}
			if l.size, l.last, err = g.cut(ctx, tx, h); err != nil {
				return err
			}
			limits[h.Feed] = l
			order = append(order, l)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(order, func(x, y *limit) int {
		return cmp.Or(cmp.Compare(x.Feed.Party, y.Feed.Party), y.Feed.Precedence.Rank()-x.Feed.Precedence.Rank(), cmp.Compare(x.Feed.Epoch, y.Feed.Epoch))
	})
	dossiers := make(map[statement.ID]bool)
	seen := make(map[traffic.Feed]int64) // of the peers' feeds, what an own statement says that was held here
	for _, l := range order {
		if l.size > 0 {
			if err := g.feed(ctx, s, l, dossiers, seen); err != nil {
				return err
			}
		}
	}
	if err := g.ahead(ctx, s, limits, seen); err != nil {
		return err
	}
	for _, l := range order {
		if l.Feed.Party == g.node.Self() {
			for _, peer := range charter.Others(g.node.Self()) {
				if err := g.cosigned(ctx, l, peer); err != nil {
					return err
				}
			}
		}
	}
	return g.dossiers(ctx, s, limits, dossiers)
}

// cut finds how far a feed is in the record: up to its last statement that is dated so.
func (g *gathering) cut(ctx context.Context, tx *store.Tx, h *feed.Head) (size int64, last bool, err error) {
	for to := h.Size; to > 0 && size == 0; to -= step {
		from := max(0, to-step)
		err := h.Range(ctx, tx, from, to, func(e feed.Entry) bool {
			if st, err := statement.Decode(e.Bytes); err == nil && g.about.below(st.IssuedAt) {
				size = e.Index + 1
			}
			return true
		})
		if err != nil {
			return 0, false, err
		}
	}
	return size, size == h.Size, nil
}

// feed gives the assembly each statement of a feed that is of the record, and adds the feed to the cut.
func (g *gathering) feed(ctx context.Context, s *Source, l *limit, dossiers map[statement.ID]bool, seen map[traffic.Feed]int64) error {
	out := Feed{Party: l.Feed.Party, Precedence: l.Feed.Precedence, Epoch: l.Feed.Epoch, Size: l.size, Statements: []string{}}
	for from := int64(0); from < l.size; from += step {
		var batch []dossier.Item
		err := g.node.DB.View(ctx, func(tx *store.Tx) error {
			batch = nil
			if from == 0 {
				root, err := l.RootAt(ctx, tx, l.size)
				if err != nil {
					return err
				}
				out.Root = hex.EncodeToString(root[:])
			}
			return l.Range(ctx, tx, from, min(from+step, l.size), func(e feed.Entry) bool {
				if st, err := statement.Decode(e.Bytes); err == nil && g.about.below(st.IssuedAt) {
					batch = append(batch, dossier.Item{Statement: st, Feed: l.Feed, Index: e.Index, Reason: e.Reason})
				}
				return true
			})
		})
		if err != nil {
			return err
		}
		for i := range batch {
			it := &batch[i]
			g.assembly.Entry(*it)
			dossiers[it.Statement.Case()] = true
			number := traffic.Number(it.Statement.Issuer, it.Feed, it.Index)
			if g.about.in(it.Statement.IssuedAt) {
				out.Statements = append(out.Statements, number+" "+it.Statement.ID().String())
				if g.listed++; g.listed > MaxStatements {
					return fmt.Errorf("%w: %d", ErrTooMuch, MaxStatements)
				}
			}
			if it.Reason == judge.CharterUnknown {
				g.lack(Lack{Kind: UnknownCharter, Feed: l.Feed.Origin(), Index: it.Index, Entries: 1, Number: number, Party: it.Feed.Party})
			}
			if it.Feed.Party == g.node.Self() {
				for _, x := range it.Statement.Seen.Sights {
					f := traffic.Feed{Channel: s.ID, Party: x.Party, Plane: l.Feed.Plane, Precedence: x.Precedence, Epoch: x.Epoch}
					seen[f] = max(seen[f], x.Size)
				}
			}
		}
		if err := g.attachments(ctx, s, batch); err != nil {
			return err
		}
	}
	s.Cut = append(s.Cut, out)
	return nil
}

// attachments looks whether the files are here that valid statements of the period name.
func (g *gathering) attachments(ctx context.Context, s *Source, batch []dossier.Item) error {
	return g.node.DB.View(ctx, func(tx *store.Tx) error {
		for i := range batch {
			it := &batch[i]
			fm, known := s.Regime.Form(it.Statement.Form, it.Statement.Version)
			if !known || it.Reason != "" || !g.about.in(it.Statement.IssuedAt) {
				continue
			}
			v, err := fm.Decode(it.Statement.Payload)
			if err != nil {
				continue
			}
			for _, b := range fm.Blobs(v) {
				_, whole, err := blob.Have(ctx, tx, b.Hash)
				if err != nil {
					return err
				}
				if !whole {
					g.lack(Lack{
						Kind: NoAttachment, Feed: it.Feed.Origin(), Index: it.Index, Entries: 1, Number: traffic.Number(it.Statement.Issuer, it.Feed, it.Index), Party: it.Feed.Party,
						File: hex.EncodeToString(b.Hash[:]),
					})
				}
			}
		}
		return nil
	})
}

// cosigned names the own statements of the record that a member has not cosigned.
func (g *gathering) cosigned(ctx context.Context, l *limit, peer traffic.Party) error {
	return g.node.DB.View(ctx, func(tx *store.Tx) error {
		held, err := l.Cosigned(ctx, tx, peer)
		if err != nil || held >= l.size {
			return err
		}
		return l.Range(ctx, tx, held, l.size, func(e feed.Entry) bool {
			if st, err := statement.Decode(e.Bytes); err == nil && g.about.below(st.IssuedAt) {
				g.lack(Lack{Kind: NotCosigned, Feed: l.Feed.Origin(), Index: e.Index, Entries: 1, Number: traffic.Number(st.Issuer, l.Feed, e.Index), Party: peer})
			}
			return g.lacks <= maxLacks
		})
	})
}

// ahead names what there is of a feed beyond what is held here, by the peer's own word, or by what an own statement had seen. Where the newest that is held was said
// after the period, what is missing was too, and is not needed. An own feed that is behind what was signed is always named.
func (g *gathering) ahead(ctx context.Context, s *Source, limits map[traffic.Feed]*limit, seen map[traffic.Feed]int64) error {
	for _, peer := range s.Members {
		if peer != g.node.Self() && g.node.Chain(peer) != nil {
			for f, size := range g.node.Said(peer, s.ID) {
				seen[f] = max(seen[f], size)
			}
		}
	}
	for f, size := range seen {
		l := limits[f]
		held := int64(0)
		if l != nil {
			held = l.Size
		}
		if f.Plane != g.about.Plane || f.Party == g.node.Self() || size <= held || l != nil && !l.last {
			continue
		}
		g.lack(Lack{Kind: NotHeld, Feed: f.Origin(), Index: held, Entries: size - held, Party: f.Party})
	}
	feeds, err := g.node.Feeds(ctx)
	if err != nil {
		return err
	}
	for _, f := range feeds {
		if f.Silent && f.Feed.Channel == s.ID && f.Feed.Plane == g.about.Plane {
			g.lack(Lack{Kind: Silent, Feed: f.Feed.Origin(), Index: f.Size, Party: f.Feed.Party})
		}
	}
	return nil
}

// dossiers folds each dossier as it is in the record.
func (g *gathering) dossiers(ctx context.Context, s *Source, limits map[traffic.Feed]*limit, ids map[statement.ID]bool) error {
	all := make([]statement.ID, 0, len(ids))
	for id := range ids {
		all = append(all, id)
	}
	slices.SortFunc(all, func(x, y statement.ID) int { return bytes.Compare(x[:], y[:]) })
	for some := range slices.Chunk(all, 64) { // so that no transaction is long
		var states []*dossier.State
		err := g.node.DB.View(ctx, func(tx *store.Tx) error {
			states = nil
			for _, id := range some {
				name := dossier.Name{ID: id, Channel: s.ID, Plane: g.about.Plane}
				items, err := dossier.Load(ctx, tx, name)
				if err != nil {
					return err
				}
				items = slices.DeleteFunc(items, func(it dossier.Item) bool {
					l := limits[it.Feed]
					return l == nil || it.Index >= l.size || !g.about.below(it.Statement.IssuedAt)
				})
				states = append(states, dossier.Fold(name, items, s.Regime))
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, state := range states {
			g.assembly.Dossier(state)
		}
	}
	return nil
}
