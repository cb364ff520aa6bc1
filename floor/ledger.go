package floor

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"detente/dossier"
	"detente/feed"
	"detente/form"
	"detente/judge"
	"detente/party"
	"detente/statement"
	"detente/store"
	"detente/traffic"
	"detente/watch"
)

// Told is an entry of any feed that this node holds, read, as folds take it: a valid statement with its fields.
type Told struct {
	Feed      traffic.Feed
	Index     int64
	Held      time.Time // when it came to be held here, by the clock of this machine
	Kind      string    // of its channel: party.Common, party.Link, party.Public or party.Internal
	Statement *statement.Statement
	Form      *form.Form
	Values    form.Values
}

// fold takes every valid statement that is held, once, as it comes: each feed in its order, feeds in any order, those of higher precedence first. What
// depends on the order between feeds goes by Statement.Clock. It is called with Floor.mu held, so that whoever reads a fold under Floor.mu sees all
// of it. What an entry means that waited for a charter, it hears when the charter has come, behind later ones of its feed. A fold is made
// anew when the process starts, from the first entry on.
type fold interface {
	add(t *Told)
}

// ledger is how far the feeds were read.
type ledger struct {
	seen     map[traffic.Feed]int64
	waiting  map[traffic.Feed][]int64 // entries that wait for a charter of their party
	charters map[traffic.Party]int    // the newest version when those were looked at last
	warm     bool                     // everything was read once
	opened   map[dossier.Name]bool    // until warm: dossiers of which the opening statement was seen
	orphans  map[dossier.Name]bool    // dossiers that are spoken of, and whose opening is not held
}

func newLedger() ledger {
	return ledger{
		seen: make(map[traffic.Feed]int64), waiting: make(map[traffic.Feed][]int64), charters: make(map[traffic.Party]int),
		opened: make(map[dossier.Name]bool), orphans: make(map[dossier.Name]bool),
	}
}

// chunk is how many entries are read at once: a transaction is short, and what is urgent and comes meanwhile is read next.
const chunk = 1024

// part is some entries of one feed.
type part struct {
	feed    traffic.Feed
	entries []feed.Entry
	again   bool // they were read before, and waited for a charter
}

// catchUp reads what was stored since it was last called, at most a chunk, and gives it to the folds. more tells that there is more.
func (f *Floor) catchUp(ctx context.Context) (more bool, err error) {
	var parts []part
	err = f.node.DB.View(ctx, func(tx *store.Tx) (err error) {
		parts, more, err = f.read(ctx, tx)
		return err
	})
	if err != nil {
		return false, err
	}
	var news []*Told
	for _, p := range parts {
		news = append(news, f.readPart(&p)...)
	}
	f.mu.Lock()
	for _, p := range parts {
		f.ledger.note(&p)
	}
	for _, t := range news {
		for _, fold := range f.folds {
			fold.add(t)
		}
	}
	f.mu.Unlock()
	if err := f.follow(ctx, news); err != nil {
		return more, err
	}
	if more || f.ledger.warm {
		return more, nil
	}
	return false, f.warmUp(ctx)
}

// read reads the next entries of every feed that has grown, the most urgent first.
func (f *Floor) read(ctx context.Context, tx *store.Tx) (parts []part, more bool, err error) {
	heads, err := feed.Heads(ctx, tx, nil)
	if err != nil {
		return nil, false, err
	}
	slices.SortStableFunc(heads, func(a, b *feed.Head) int {
		return cmp.Or(cmp.Compare(b.Feed.Precedence.Rank(), a.Feed.Precedence.Rank()), cmp.Compare(a.Feed.Epoch, b.Feed.Epoch))
	})
	room := int64(chunk)
	for _, h := range heads {
		if _, err := f.node.Charter(h.Feed.Channel); err != nil {
			continue // the channel is not in being here yet; its feeds wait
		}
		from := f.ledger.seen[h.Feed]
		to := min(h.Size, from+room)
		more = more || to < h.Size
		if from < to {
			p := part{feed: h.Feed}
			if err := h.Range(ctx, tx, from, to, func(e feed.Entry) bool { p.entries = append(p.entries, e); return true }); err != nil {
				return nil, false, err
			}
			parts = append(parts, p)
			room -= to - from
		}
		if waiting := f.ledger.waiting[h.Feed]; len(waiting) > 0 && f.ledger.charters[h.Feed.Party] != f.version(h.Feed.Party) {
			p := part{feed: h.Feed, again: true}
			for _, index := range waiting {
				e, err := h.Entry(ctx, tx, index)
				if err != nil {
					return nil, false, err
				}
				p.entries = append(p.entries, e)
			}
			parts = append(parts, p)
		}
	}
	return parts, more, nil
}

func (f *Floor) version(p traffic.Party) int {
	if c := f.node.Chain(p); c != nil {
		return c.Latest().Version
	}
	return 0
}

// readPart reads the valid statements of a part.
func (f *Floor) readPart(p *part) []*Told {
	c, err := f.node.Charter(p.feed.Channel)
	if err != nil {
		return nil
	}
	var out []*Told
	for _, e := range p.entries {
		if e.Reason != "" {
			continue
		}
		s, err := statement.Decode(e.Bytes)
		if err != nil {
			continue
		}
		fm, _, err := f.node.Form(s)
		if err != nil {
			continue
		}
		v, err := fm.Decode(s.Payload)
		if err != nil {
			continue
		}
		out = append(out, &Told{Feed: p.feed, Index: e.Index, Held: e.Held, Kind: c.Kind, Statement: s, Form: fm, Values: v})
	}
	return out
}

// note keeps how far a part goes, and which of its entries wait for a charter.
func (l *ledger) note(p *part) {
	var waits []int64
	for _, e := range p.entries {
		if e.Reason == judge.CharterUnknown {
			waits = append(waits, e.Index)
		}
		if !p.again {
			l.seen[p.feed] = e.Index + 1
		}
	}
	if !p.again {
		waits = append(l.waiting[p.feed], waits...)
	}
	if l.waiting[p.feed] = waits; len(waits) == 0 {
		delete(l.waiting, p.feed)
	}
}

// follow brings the dossiers that are open up to what has come. Until all was read once it only notes which there are: those that are open
// then are read in warmUp, and of the others nothing is needed.
func (f *Floor) follow(ctx context.Context, news []*Told) error {
	for p := range f.ledger.partiesWaiting() {
		f.ledger.charters[p] = f.version(p)
	}
	by := make(map[dossier.Name][]dossier.Item)
	var names []dossier.Name
	for _, t := range news {
		if t.Kind != party.Common {
			continue
		}
		n := dossier.Name{ID: t.Statement.Case(), Channel: t.Feed.Channel, Plane: t.Feed.Plane}
		opens := n.ID == t.Statement.ID()
		switch l := &f.ledger; {
		case opens && !l.warm:
			l.opened[n] = true
			delete(l.orphans, n)
		case !opens && !l.warm && !l.opened[n]:
			l.orphans[n] = true
		}
		if by[n] == nil {
			names = append(names, n)
		}
		by[n] = append(by[n], dossier.Item{Statement: t.Statement, Feed: t.Feed, Index: t.Index, Held: t.Held})
	}
	if !f.ledger.warm {
		return nil
	}
	for _, n := range names {
		items := by[n]
		opened := slices.ContainsFunc(items, func(it dossier.Item) bool { return it.Statement.ID() == n.ID })
		f.mu.RLock()
		m := f.matters[n]
		f.mu.RUnlock()
		switch {
		case m != nil:
			items = append(slices.Clip(m.items), items...)
		case !opened || f.ledger.orphans[n]:
			err := f.node.DB.View(ctx, func(tx *store.Tx) (err error) {
				items, err = dossier.Load(ctx, tx, n)
				return err
			})
			if err != nil {
				return err
			}
			if f.ledger.orphans[n] = !opened && !slices.ContainsFunc(items, func(it dossier.Item) bool { return it.Statement.ID() == n.ID }); !f.ledger.orphans[n] {
				delete(f.ledger.orphans, n)
			}
		}
		f.settle(n, items)
	}
	return nil
}

func (l *ledger) partiesWaiting() map[traffic.Party]bool {
	out := make(map[traffic.Party]bool)
	for feed := range l.waiting {
		out[feed.Party] = true
	}
	return out
}

// most open dossiers that are read when the process starts.
const mostOpen = 1 << 20

// warmUp reads the dossiers that are open, once everything else was read.
func (f *Floor) warmUp(ctx context.Context) error {
	states, err := f.node.OpenDossiers(ctx, mostOpen)
	if err != nil {
		return err
	}
	for _, s := range states {
		var items []dossier.Item
		for _, e := range s.Entries {
			items = append(items, e.Item)
		}
		f.settle(s.Name, items)
	}
	f.mu.Lock()
	f.ledger.warm, f.ledger.opened = true, nil
	f.mu.Unlock()
	return nil
}

// matter is a dossier from which something is due.
type matter struct {
	items []dossier.Item
	open  []*due
}

// due is a statement from which an acknowledgement or an answer is due.
type due struct {
	entry dossier.Entry
	form  *form.Form
	own   bool      // stated by this party
	held  time.Time // when the addressee held it; zero when he is not known to
	taken time.Time // when it was acknowledged here, zero when it was not
	role  string    // of whoever acknowledged it
	item  *watch.Item
}

// settle folds a dossier. What is open is kept; of what is not nothing is remembered.
func (f *Floor) settle(n dossier.Name, items []dossier.Item) {
	regime, ok := f.node.RegimeOf(n.Channel)
	if !ok {
		return
	}
	state := dossier.Fold(n, items, regime)
	m := &matter{items: items}
	for _, id := range state.Open {
		e := state.Find(id)
		fm, ok := regime.Form(e.Statement.Form, e.Statement.Version)
		if !ok {
			continue
		}
		d := &due{entry: *e, form: fm, own: e.Feed.Party == f.node.Self()}
		if by := state.Find(e.AcknowledgedBy); by != nil && !d.own {
			d.taken, d.role = by.Held, by.Statement.Drafter
		}
		m.open = append(m.open, d)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.matters[n]
	if len(m.open) == 0 {
		delete(f.matters, n)
		return
	}
	if before != nil { // what is known of receipts stays known
		for _, d := range m.open {
			for _, b := range before.open {
				if b.entry.Statement.ID() == d.entry.Statement.ID() {
					d.held = b.held
				}
			}
		}
	}
	f.matters[n] = m
}

// learnReceipts finds out since when the addressees of own statements hold them: from when on they can be late.
func (f *Floor) learnReceipts(ctx context.Context) error {
	by := make(map[traffic.Feed][]*due)
	f.mu.RLock()
	for _, m := range f.matters {
		for _, d := range m.open {
			if d.own && d.held.IsZero() {
				by[d.entry.Feed] = append(by[d.entry.Feed], d)
			}
		}
	}
	f.mu.RUnlock()
	var errs []error
	for fd, list := range by {
		reached := int64(0)
		for _, p := range f.others(fd.Channel) {
			size, err := f.node.Cosigned(ctx, fd, p)
			if err != nil {
				errs = append(errs, err)
			}
			reached = max(reached, size)
		}
		for _, d := range list {
			if d.entry.Index >= reached {
				continue
			}
			held, err := f.heldThere(ctx, d)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			f.mu.Lock()
			d.held = held
			f.mu.Unlock()
		}
	}
	return errors.Join(errs...)
}

// heldThere is when the first of the addressees held an own statement. His clock says so, and may be wrong: it cannot have been before the statement
// was made, nor after now.
func (f *Floor) heldThere(ctx context.Context, d *due) (time.Time, error) {
	receipts, err := f.node.Receipts(ctx, d.entry.Feed, d.entry.Index)
	var first time.Time
	to := f.addressees(d.entry.Statement)
	for _, r := range receipts {
		if at := time.Unix(r.At, 0).UTC(); slices.Contains(to, r.Mirror) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if first.IsZero() || err != nil {
		return first, err
	}
	if made := d.entry.Held; first.Before(made) {
		first = made
	}
	if now := time.Now().UTC(); first.After(now) {
		first = now
	}
	return first, nil
}

// addressees are the parties that a statement is addressed to.
func (f *Floor) addressees(s *statement.Statement) []traffic.Party {
	if a, err := traffic.ParseAddress(s.Audience); err == nil {
		return []traffic.Party{a.Party}
	}
	if c, err := f.node.Charter(s.Channel); err == nil {
		return c.Others(s.Issuer.Party)
	}
	return nil
}

// others are the members of a channel beside this party.
func (f *Floor) others(channel [32]byte) []traffic.Party {
	c, err := f.node.Charter(channel)
	if err != nil {
		return nil
	}
	return c.Others(f.node.Self())
}

// compareIDs orders statements of one time.
func compareIDs(a, b statement.ID) int { return bytes.Compare(a[:], b[:]) }
