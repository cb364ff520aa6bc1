package exchange

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"detente/bundle"
	"detente/feed"
	"detente/key"
	"detente/store"
	"detente/traffic"
)

// Lane is a part of the traffic with a peer that goes its own way, so that FLASH never stands behind a backlog.
type Lane int

// The lanes.
const (
	Urgent Lane = iota // FLASH and IMMEDIATE
	Calm               // PRIORITY and ROUTINE, and everything that is not statements
)

// LaneOf gives the lane of a precedence.
func LaneOf(p traffic.Precedence) Lane {
	if p.Rank() >= traffic.Immediate.Rank() {
		return Urgent
	}
	return Calm
}

// Packing is what a bundle for a peer is made of.
type Packing struct {
	Lanes    []Lane
	Shared   func(channel [32]byte) bool // channels of which both are members
	Capacity int                         // bytes of payload that the route takes
	Entries  int                         // most entries in one bundle; 0 is bundle.MaxEntries
	Part     int                         // most entries under one checkpoint; 0 is Entries. The receiver stores one part while it verifies the next
	Receipts bool                        // no statements, only what is owed: they go by a call of our own
	// Pouch is how far the bundles before went, of the same pouch: a pouch is packed without regard to what is believed to be on its way. nil for
	// other routes.
	Pouch map[traffic.Feed]int64
	// Flashes packs a FLASH that is not in a pouch yet even if it is on its way: this bundle goes into one too.
	Flashes bool
	Know    map[traffic.Party]int   // newest charter versions held here, for a hello
	Silent  func(traffic.Feed) bool // own feeds that may not speak: their database is behind what was signed
	// Sign gives the own signature lines of a checkpoint at which a long feed is cut.
	Sign func(feed.Checkpoint) (lines string, err error)
	// Mark notes beside the keys that an own checkpoint is about to leave.
	Mark func(feed.Checkpoint) error
	// Cosign gives a fresh cosignature of a head held here: the heartbeat.
	Cosign func(feed.Checkpoint) (line string, err error)
}

// Manifest is what a packed bundle takes on, to be settled when its fate is known.
type Manifest struct {
	owed, notes []traffic.Feed
	hello       bool
	offered     []offered
	given       bool // pieces of blobs that the peer asked for
	Pieces      int  // of blobs, in a pouch
	Entries     int  // statements of own feeds and those given back
	More        bool // there was more than fitted
	Flash       bool // it carries a FLASH, which goes out on all routes at once
}

type offered struct {
	feed traffic.Feed
	to   int64
}

// Empty tells whether the bundle says nothing.
func (m *Manifest) Empty() bool {
	return m.Entries == 0 && !m.hello && len(m.owed) == 0 && len(m.notes) == 0
}

func (m *Manifest) offers(f traffic.Feed) bool {
	return slices.ContainsFunc(m.offered, func(o offered) bool { return o.feed == f })
}

// Pack fills b with what the peer lacks, highest precedence first. What to send is derived from the cosignatures and the peer's own last
// word: there is no outbox that could be lost. The manifest is to be settled after an error too.
func (l *Link) Pack(ctx context.Context, tx *store.Tx, b *bundle.Bundle, p Packing) (*Manifest, error) {
	heads, err := feed.Heads(ctx, tx, nil)
	if err != nil {
		return nil, err
	}
	heads = slices.DeleteFunc(heads, func(h *feed.Head) bool { return !p.Shared(h.Feed.Channel) })
	slices.SortStableFunc(heads, func(x, y *feed.Head) int { return y.Feed.Precedence.Rank() - x.Feed.Precedence.Rank() })
	if p.Entries == 0 {
		p.Entries = bundle.MaxEntries
	}
	if p.Part == 0 {
		p.Part = p.Entries
	}
	room := p.Capacity - b.Size()

	l.mu.Lock()
	defer l.mu.Unlock()
	m := &Manifest{hello: l.hello && slices.Contains(p.Lanes, Calm)}
	for _, h := range heads {
		if !slices.Contains(p.Lanes, Calm) && LaneOf(h.Feed.Precedence) == Calm {
			continue // it can wait, and retries of the urgent lane are many
		}
		if err := l.packHeld(ctx, tx, b, h, p, m, &room); err != nil {
			return m, err
		}
		if err := l.packNote(ctx, tx, b, h, p, m, &room); err != nil {
			return m, err
		}
	}
	if m.hello && !m.More {
		b.Know = p.Know
		l.hello = false
	}
	for _, h := range heads {
		if p.Receipts {
			break
		}
		if h.Feed.Party != l.Self && h.Feed.Party != l.Peer {
			continue // a third member's statements are its own to send
		}
		if !slices.Contains(p.Lanes, LaneOf(h.Feed.Precedence)) {
			continue
		}
		if h.Feed.Party == l.Self && p.Silent(h.Feed) {
			continue
		}
		for more := true; more; {
			if more, err = l.packEntries(ctx, tx, b, h, p, m, &room); err != nil {
				return m, err
			}
		}
	}
	return m, nil
}

// packHeld tells the peer how far a feed is held here: with cosignatures when the feed is the peer's.
func (l *Link) packHeld(ctx context.Context, tx *store.Tx, b *bundle.Bundle, h *feed.Head, p Packing, m *Manifest, room *int) error {
	fresh, owed := l.owed[h.Feed]
	if !m.hello && !owed {
		return nil
	}
	held := bundle.Held{Feed: h.Feed, Size: h.Size, Root: h.Root}
	if !m.hello && fresh.Size == h.Size && fresh.Line != "" {
		held.Cosignatures = fresh.Line
	} else if h.Feed.Party != l.Self && h.Size > 0 {
		kept, err := h.ReceiptsAt(ctx, tx, h.Size)
		if err != nil {
			return err
		}
		for _, r := range kept {
			if r.Mirror == l.Self && (!m.hello || r.Algorithm != key.Ed25519) {
				held.Cosignatures += r.Line
			}
		}
		if m.hello {
			line, err := p.Cosign(h.Checkpoint())
			if err != nil {
				return err
			}
			held.Cosignatures = line + held.Cosignatures
			if holds, known := l.holds[h.Feed]; h.Feed.Party == l.Peer && (!known || holds < h.Size) {
				// It may have lost what it signed. Only its own signature makes it believe that, and fall silent until it has it back.
				if c, lines, err := h.SignedAt(ctx, tx, h.Size); err == nil && c.Size == h.Size {
					first, _, _ := strings.Cut(lines, "\n")
					held.Cosignatures += first + "\n"
				}
			}
		}
	}
	if *room -= bundle.PartOverhead + len(held.Cosignatures); *room < 0 {
		m.More = true
		return nil
	}
	b.Held = append(b.Held, held)
	delete(l.owed, h.Feed)
	m.owed = append(m.owed, h.Feed)
	return nil
}

// packNote sends the newest checkpoint of an own feed for its further signatures, and of a third member's as gossip against split views.
func (l *Link) packNote(ctx context.Context, tx *store.Tx, b *bundle.Bundle, h *feed.Head, p Packing, m *Manifest, room *int) error {
	if h.Feed.Party == l.Peer || h.Size == 0 || !m.hello && !l.notes[h.Feed] {
		return nil
	}
	c, lines, err := h.LastSigned(ctx, tx)
	if err != nil {
		return nil // a copy given back in a recovery may have no checkpoint yet
	}
	note := c.Note(lines)
	if *room -= bundle.PartOverhead + len(note); *room < 0 {
		m.More = true
		return nil
	}
	switch {
	case h.Feed.Party != l.Self:
		b.Gossip = append(b.Gossip, note)
	case p.Mark(c) != nil:
		return nil // it must not leave
	case strings.Count(lines, "\n") > 1: // without a second signature the entries' own note says it all
		b.Feeds = append(b.Feeds, bundle.FeedPart{Feed: h.Feed, Start: c.Size, Checkpoint: note})
	}
	delete(l.notes, h.Feed)
	m.notes = append(m.notes, h.Feed)
	return nil
}

// packEntries sends entries of an own feed that the peer has not cosigned, or gives back entries of the peer's own feed that it lost.
func (l *Link) packEntries(ctx context.Context, tx *store.Tx, b *bundle.Bundle, h *feed.Head, p Packing, m *Manifest, room *int) (more bool, err error) {
	now := time.Now()
	var from int64
	if h.Feed.Party == l.Self {
		var cosigned int64
		if _, known := l.holds[h.Feed]; p.Pouch != nil || !known { // the peer's last word is in memory, its cosignatures are on the disk
			if cosigned, err = h.Cosigned(ctx, tx, l.Peer); err != nil {
				return false, err
			}
		}
		from = cosigned
		if p.Pouch == nil {
			from = l.start(h, cosigned, now)
		}
		if p.Flashes && h.Feed.Precedence == traffic.Flash && !m.offers(h.Feed) {
			from = min(from, max(l.begin(h, cosigned), l.pouched[h.Feed]))
		}
	} else {
		holds, known := l.holds[h.Feed]
		if !known {
			return false, nil // nothing says that the peer lacks of its own feed
		}
		from = l.start(h, holds, now)
	}
	from = max(from, p.Pouch[h.Feed])
	if from >= h.Size {
		return false, nil
	}
	const noteRoom = 8 << 10
	part := bundle.FeedPart{Feed: h.Feed, Start: from}
	left := min(p.Part, p.Entries-m.Entries, bundle.MaxEntries)
	space := *room - bundle.PartOverhead - noteRoom
	err = h.Bodies(ctx, tx, from, min(h.Size, from+int64(max(left, 0))), func(entry []byte) bool {
		if space -= len(entry) + bundle.EntryOverhead; space < 0 {
			return false
		}
		part.Entries = append(part.Entries, entry)
		return true
	})
	if err != nil {
		return false, err
	}
	to := from + int64(len(part.Entries))
	if to == from {
		m.More = true // neither room nor entries are left in this bundle
		return false, nil
	}
	c, lines, err := h.SignedAt(ctx, tx, to)
	switch {
	case err == nil && c.Size == to:
	case h.Feed.Party == l.Self:
		if c, err = h.CheckpointAt(ctx, tx, to); err != nil {
			return false, err
		}
		if lines, err = p.Sign(c); err != nil {
			return false, err
		}
	default: // only its author can sign a cut of the peer's feed: give back whole up to a size that it signed
		if c, lines, part.Entries, err = backTo(ctx, tx, h, from, to, part.Entries); err != nil || len(part.Entries) == 0 {
			return false, err
		}
		to = c.Size
	}
	if h.Feed.Party == l.Self {
		if err := p.Mark(c); err != nil {
			return false, err
		}
	}
	part.Checkpoint = c.Note(lines)
	b.Feeds = append(b.Feeds, part)
	*room -= part.Size()
	l.offered[h.Feed] = offer{to, now}
	m.offered = append(m.offered, offered{h.Feed, to})
	m.Entries += len(part.Entries)
	m.Flash = m.Flash || h.Feed.Precedence == traffic.Flash
	if p.Pouch != nil {
		p.Pouch[h.Feed] = to
	}
	return to < h.Size, nil
}

// backTo cuts entries [from, to) of the peer's own feed at the last size that the peer has signed.
func backTo(ctx context.Context, tx *store.Tx, h *feed.Head, from, to int64, entries [][]byte) (feed.Checkpoint, string, [][]byte, error) {
	c, lines, err := h.SignedUpTo(ctx, tx, to)
	if errors.Is(err, feed.ErrNoEntry) || err == nil && c.Size <= from {
		return c, "", nil, nil
	}
	if err != nil {
		return c, "", nil, err
	}
	return c, lines, entries[:c.Size-from], nil
}

// Settle tells the link what became of a packed bundle. What did not arrive is owed again.
func (l *Link) Settle(m *Manifest, arrived bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m.given && l.given { // the peer has not asked again meanwhile
		l.given = false
		if arrived {
			l.wanted = nil
		}
	}
	if arrived {
		return
	}
	l.lost++
	l.hello = l.hello || m.hello
	for _, f := range m.owed {
		l.owed[f] = Fresh{}
	}
	for _, f := range m.notes {
		l.notes[f] = true
	}
	for _, o := range m.offered {
		delete(l.offered, o.feed)
	}
}

// IsUrgent tells whether a bundle carries statements of the urgent lane.
func IsUrgent(b *bundle.Bundle) bool {
	for _, f := range b.Feeds {
		if LaneOf(f.Feed.Precedence) == Urgent && len(f.Entries) > 0 {
			return true
		}
	}
	return false
}
