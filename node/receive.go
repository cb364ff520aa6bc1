package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"detente/blob"
	"detente/bundle"
	"detente/exchange"
	"detente/feed"
	"detente/form"
	"detente/judge"
	"detente/key"
	"detente/party"
	"detente/store"
	"detente/traffic"
)

// ErrRefused is what a peer is told of a bundle that was not taken: nothing more.
var ErrRefused = errors.New("node: bundle refused")

// taken is what a bundle has changed, once it is durable.
type taken struct {
	stored   []traffic.Feed // feeds with new entries here
	owed     []owed         // feeds of which the sender is to be told how far they are held
	notes    []traffic.Feed // feeds of third members whose checkpoint is news to others
	receipts []exchange.Receipt
	alarms   []exchange.Alarm
	system   bool // a feed of a link or public channel grew: there may be new channels
	gap      bool // the sender believes that more is held here than is
	back     bool // entries of own feeds came back
	lost     bool // the sender holds less than it once did
	chunks   bool
	up       bool // the sender was not heard before, or not for too long
}

// owed is a feed of which the sender is to be told how far it is held, with the cosignature if one was just made.
type owed struct {
	feed  traffic.Feed
	fresh exchange.Fresh
}

// Receive takes a sealed bundle that came over a route, in any order and as often as it comes, and returns when all that it brought is
// durable. from is the sender. Error: ErrRefused, with the reason for the own log only.
func (n *Node) Receive(ctx context.Context, way string, sealed []byte) (from traffic.Party, err error) {
	b, _, err := n.open(sealed)
	if err != nil {
		n.log.Warn("bundle refused", "route", way, "reason", err)
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return b.From, n.take(ctx, way, b)
}

func (n *Node) open(sealed []byte) (*bundle.Bundle, bundle.Thread, error) {
	return bundle.OpenAsked(sealed, bundle.Opener{Party: n.self, Find: n.Keys().Unsealing}, n.sender)
}

// receiveAnswer takes what a peer answered over the route on which it was asked.
func (n *Node) receiveAnswer(ctx context.Context, lane exchange.Lane, way string, peer traffic.Party, thread bundle.Thread, sealed []byte) error {
	if lane == exchange.Urgent {
		defer n.way.Take()()
	}
	b, err := bundle.OpenAnswer(sealed, thread, peer, n.self)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return n.take(ctx, way, b)
}

// sender gives the keys with which a peer may sign bundles; nil for a party that is not paired.
func (n *Node) sender(p traffic.Party) func(key.ID) key.Verifier {
	chain := n.Chain(p)
	if chain == nil || p == n.self {
		return nil
	}
	return func(id key.ID) key.Verifier {
		// A bundle sealed before a rotation may arrive after it, by pouch; what it carries proves itself. A withdrawn key does not open.
		for _, c := range slices.Backward(chain.All()) {
			if v := c.Verifier(c.Node.Bundle); v != nil && v.ID() == id {
				if _, withdrawn := chain.WithdrawnAt(id); !withdrawn {
					return v
				}
			}
		}
		return nil
	}
}

func (n *Node) take(ctx context.Context, way string, b *bundle.Bundle) error {
	l := n.link(b.From)
	if l == nil {
		return fmt.Errorf("%w: %w", ErrRefused, ErrNoPeer)
	}
	if err := n.takeCharters(ctx, b); err != nil {
		n.log.Warn("charters refused", "peer", b.From, "reason", err)
	}
	if err := l.KeepWants(ctx, n.db, way, b); err != nil {
		return err
	}
	// System channels first: what they carry may bring the channels of the rest into being.
	system, stray := n.plan(b, true)
	n.examine(ctx, system)
	t := taken{up: l.Heard(way)}
	if len(system) > 0 {
		if err := n.store(ctx, system, &t); err != nil {
			return err
		}
		if t.system {
			if err := n.establish(ctx); err != nil {
				return err
			}
		}
	}
	rest, other := n.plan(b, false)
	last := max(0, len(rest)-1)
	examined := n.examineAhead(ctx, rest)
	for i := range last {
		<-examined[i]
		if err := n.store(ctx, rest[i:i+1], &t); err != nil {
			return err
		}
	}
	for _, done := range examined[last:] {
		<-done
	}
	if err := n.takeRest(ctx, l, b, rest[last:], cmp.Or(stray, other), &t); err != nil {
		return err
	}
	n.settle(l, b, way, &t)
	return nil
}

// settle makes known what has become durable: to waiters, to the links, to the log.
func (n *Node) settle(l *exchange.Link, b *bundle.Bundle, way string, t *taken) {
	if t.up {
		n.log.Info("link up", "peer", b.From, "route", way)
	}
	for _, o := range t.owed {
		l.Owe(o.feed, o.fresh)
	}
	for _, f := range t.notes {
		n.gossip(f, b.From)
	}
	if len(b.Wants) > 0 {
		l.PeerWants(b.Wants)
		l.Kick(exchange.Calm)
	}
	if b.Know != nil {
		l.Kick(exchange.Urgent) // it may lack what it had: on each lane its own
		l.Kick(exchange.Calm)
	}
	if t.gap || t.back || t.lost { // who was restored waits to be told what is held here, and would ask until the heartbeat
		l.OweHello()
		l.Kick(exchange.Calm)
	}
	if t.chunks {
		l.Kick(exchange.Calm) // for the next piece
	}
	for _, a := range t.alarms {
		n.log.Error("alarm", "kind", a.Kind, "subject", a.Subject, "detail", a.Detail)
	}
	for _, r := range t.receipts {
		n.waiters.Release(r)
	}
	if t.up || len(t.stored) > 0 || len(t.receipts) > 0 || t.chunks || len(t.alarms) > 0 {
		n.bump()
	}
}

// section is a part of a bundle on its way into the database: examined outside the transaction, since that is what costs.
type section struct {
	bundle.FeedPart
	judge    *judge.Judge
	findings []judge.Finding
	note     judge.Note
	own      bool // entries of an own feed, given back: it is our signature that admits them
}

// plan picks the sections on system channels, or those on the others. A section that the sender has no business to send is left out, and one
// of them named: the sender is the subject of an alarm.
func (n *Node) plan(b *bundle.Bundle, system bool) (out []*section, stray string) {
	shared := n.shared(b.From)
	for _, p := range b.Feeds {
		c, err := n.channel(p.Feed.Channel)
		if err != nil || (c.Kind != party.Common) != system {
			continue // an unknown channel is not an offence: its charter may be on its way
		}
		if !shared(c.id) || !c.Member(p.Feed.Party) || p.Feed.Party != b.From && p.Feed.Party != n.self {
			stray = p.Feed.Origin()
			continue
		}
		j := n.judge(c, p.Feed)
		if exchange.LaneOf(p.Feed.Precedence) == exchange.Calm {
			j.Yield = n.way.Give
		}
		out = append(out, &section{FeedPart: p, judge: j, own: p.Feed.Party == n.self})
	}
	return out, stray
}

// examine verifies the signatures of sections, one section after the other, and beside the statements of each its checkpoint: by the keys of the
// newest version, which mostly turns out to be the right one. If ctx ends, the findings are incomplete.
func (n *Node) examine(ctx context.Context, sections []*section) {
	for _, s := range sections {
		var note sync.WaitGroup
		note.Go(func() { s.note.Open(s.Checkpoint, s.judge.Issuer, s.judge.Issuer.Latest().Version) })
		s.findings, _ = s.judge.Examine(ctx, s.Entries)
		note.Wait()
	}
}

// examineAhead is examine beside the storing of the sections before: each channel is closed when its section is done.
func (n *Node) examineAhead(ctx context.Context, sections []*section) []chan struct{} {
	done := make([]chan struct{}, len(sections))
	for i := range done {
		done[i] = make(chan struct{})
	}
	all := func() {
		for i := range sections {
			n.examine(ctx, sections[i:i+1])
			close(done[i])
		}
	}
	if len(sections) > 1 {
		n.work.Go(all)
	} else {
		all()
	}
	return done
}

func (n *Node) judge(c *channel, f traffic.Feed) *judge.Judge {
	return &judge.Judge{Feed: f, Channel: c.Channel, Issuer: n.Chain(f.Party), Regime: c.regime, Link: n.linkRegime()}
}

// store brings sections into the database in one transaction. If the process dies before the commit, the sender sees nothing cosigned and
// sends again; after it, everything is there and the cosignature with it.
func (n *Node) store(ctx context.Context, sections []*section, t *taken) error {
	before := *t
	return n.update(ctx, sections, func(tx *store.Tx) error {
		*t = before.clone() // the transaction may run again
		return n.storeSections(ctx, tx, sections, t)
	})
}

func (n *Node) update(ctx context.Context, sections []*section, fn func(*store.Tx) error) error {
	u := store.Calm
	for _, s := range sections {
		u = max(u, urgency(s.Feed.Precedence))
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("node: receive: %w", err) // what was examined may be incomplete
	}
	if err := n.db.Update(ctx, u, fn); err != nil {
		return fmt.Errorf("node: receive: %w", err)
	}
	return nil
}

func (n *Node) storeSections(ctx context.Context, tx *store.Tx, sections []*section, t *taken) error {
	for _, s := range sections {
		err := n.storeSection(ctx, tx, s, t)
		if why := (*refusal)(nil); errors.As(err, &why) {
			if err := n.raise(ctx, tx, t, why.alarm); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// takeRest stores the sections of agreed channels, the receipts, the gossip, the blobs.
func (n *Node) takeRest(ctx context.Context, l *exchange.Link, b *bundle.Bundle, sections []*section, stray string, t *taken) error {
	held, views := n.openHeld(b), l.OpenViews(b.Gossip, n.viewed(b.From), n.cfg.Heartbeat/4, n.Chain(b.From))
	if stray == "" && len(sections) == 0 && len(held) == 0 && len(b.Gossip) == 0 && len(b.Forks) == 0 && len(b.Blobs) == 0 && b.Know == nil && !t.up {
		return nil
	}
	before := *t
	return n.update(ctx, sections, func(tx *store.Tx) error {
		*t = before.clone()        // the transaction may run again
		if t.up || b.Know != nil { // it is silent no more: nobody shall see what it brings beside the alarm that nothing comes
			if err := exchange.Clear(ctx, tx, exchange.AlarmSilent, string(b.From)); err != nil {
				return err
			}
		}
		if stray != "" {
			err := n.raise(ctx, tx, t, exchange.Alarm{
				Kind: exchange.AlarmHostile, Subject: string(b.From), Detail: fmt.Sprintf("%s sends a feed that is not its to send: %s", b.From, stray),
			})
			if err != nil {
				return err
			}
		}
		if err := n.storeSections(ctx, tx, sections, t); err != nil {
			return err
		}
		if err := n.storeHeld(ctx, tx, l, b, held, t); err != nil {
			return err
		}
		if err := n.storeGossip(ctx, tx, b, t); err != nil {
			return err
		}
		news, err := l.CompareViews(ctx, tx, views)
		if err != nil {
			return err
		}
		t.alarms = append(t.alarms, news...)
		for _, c := range b.Blobs {
			if _, err := blob.Add(ctx, tx, c.Hash, c.Size, c.Offset, c.Data); err != nil && !errors.Is(err, blob.ErrHash) && !errors.Is(err, blob.ErrNotWanted) {
				return err
			}
			t.chunks = true
		}
		return nil
	})
}

func (t taken) clone() taken {
	t.stored, t.owed, t.notes = slices.Clone(t.stored), slices.Clone(t.owed), slices.Clone(t.notes)
	t.receipts, t.alarms = slices.Clone(t.receipts), slices.Clone(t.alarms)
	return t
}

func (n *Node) raise(ctx context.Context, tx *store.Tx, t *taken, a exchange.Alarm) error {
	fresh, err := exchange.Raise(ctx, tx, a)
	if fresh {
		t.alarms = append(t.alarms, a)
	}
	return err
}

// refusal is why a section was not stored.
type refusal struct{ alarm exchange.Alarm }

func (r *refusal) Error() string { return "node: section refused: " + r.alarm.Detail }

// storeSection appends what is new of a section to the copy held here. Everything is checked before anything is written.
func (n *Node) storeSection(ctx context.Context, tx *store.Tx, s *section, t *taken) error {
	h, err := feed.Lock(ctx, tx, s.Feed) // a feed of which nothing is stored leaves no trace
	if err != nil {
		return err
	}
	t.owed = append(t.owed, owed{feed: s.Feed}) // whatever comes of it, the sender shall know how far the copy goes
	if s.Start > h.Size {
		t.gap = t.gap || len(s.Entries) > 0
		return nil
	}
	if chain := n.Chain(s.Feed.Party); chain != s.judge.Issuer { // a charter came while the section was examined
		s.judge.Issuer = chain
		if s.findings, err = s.judge.Examine(ctx, s.Entries); err != nil {
			return err
		}
	}
	fresh := s.Entries[min(h.Size-s.Start, int64(len(s.Entries))):]
	findings := s.findings[len(s.findings)-len(fresh):]
	prior := judge.Prior{Clock: h.Clock, Charter: h.Charter}
	entries := make([]feed.Entry, len(fresh))
	for i, f := range findings {
		entries[i] = f.Conclude(&prior)
		if entries[i].Reason == judge.CharterUnknown && i == len(findings)-1 {
			return nil // the key that signs this checkpoint is in a charter that is not here yet: it will come, and the section again
		}
	}
	c, signed, err := s.note.Open(s.Checkpoint, s.judge.Issuer, prior.Charter)
	if err == nil && !slices.ContainsFunc(signed, func(g feed.Signed) bool { return g.Algorithm == key.Ed25519 }) {
		err = feed.ErrUnsigned
	}
	if err == nil && (c.Feed != s.Feed || len(s.Entries) > 0 && c.Size != s.Start+int64(len(s.Entries))) {
		err = feed.ErrOrigin
	}
	if err != nil {
		return &refusal{exchange.Alarm{Kind: exchange.AlarmHostile, Subject: s.Feed.Origin(), Detail: err.Error(), Evidence: []byte(s.Checkpoint)}}
	}
	if c.Size < 1 || c.Size > h.Size && len(fresh) == 0 {
		return nil // of nothing, or a checkpoint ahead of its entries
	}
	if len(fresh) == 0 {
		return n.storeNote(ctx, tx, h, c, s.Checkpoint, signed, t)
	}
	if h.Foresee(fresh) != c.Root {
		return &refusal{exchange.Alarm{
			Kind: exchange.AlarmExtend, Subject: s.Feed.Origin(), Evidence: []byte(s.Checkpoint),
			Detail: fmt.Sprintf("the signed checkpoint of size %d does not extend the %d entries held here", c.Size, h.Size),
		}}
	}
	h.Clock, h.Charter = prior.Clock, prior.Charter
	if err := h.Extend(ctx, tx, entries); err != nil {
		return err
	}
	for _, g := range signed {
		if err := h.SaveCheckpoint(ctx, tx, c, g.Line); err != nil {
			return err
		}
	}
	if s.own {
		t.back = true // with the words come the receipts for them, which are asked for next
		tx.AfterCommit(func() { n.caughtUp(h) })
		if h.Size >= n.marks.Last(h.Feed).Size {
			if err := exchange.Clear(ctx, tx, exchange.AlarmBehind, h.Feed.Origin()); err != nil {
				return err
			}
		}
	} else if t.owed[len(t.owed)-1].fresh, err = n.cosign(ctx, tx, h); err != nil {
		return err
	}
	t.stored = append(t.stored, s.Feed)
	t.notes = append(t.notes, s.Feed)
	t.system = t.system || s.judge.Channel.Kind != party.Common
	return n.afterEntries(ctx, tx, s, entries, findings, t)
}

// cosign keeps the receipt for a head with the entries it is about: both durable, or neither.
func (n *Node) cosign(ctx context.Context, tx *store.Tx, h *feed.Head) (exchange.Fresh, error) {
	signer, at := n.Keys().Mirror, n.now()
	line, err := h.Checkpoint().Cosign(n.self, signer, at)
	if err != nil {
		return exchange.Fresh{}, err
	}
	s := feed.Signed{Mirror: n.self, Algorithm: key.Ed25519, Key: signer.ID(), At: at, Line: line}
	return exchange.Fresh{Size: h.Size, Line: line}, h.SaveReceipt(ctx, tx, h.Size, s)
}

// afterEntries notes the attachments that valid statements name, and that a party logs what is invalid.
func (n *Node) afterEntries(ctx context.Context, tx *store.Tx, s *section, entries []feed.Entry, findings []judge.Finding, t *taken) error {
	for i, e := range entries {
		if e.Reason != "" {
			err := n.raise(ctx, tx, t, exchange.Alarm{
				Kind: exchange.AlarmInvalid, Subject: s.Feed.Origin() + " " + e.Reason,
				Detail: fmt.Sprintf("%s logged an invalid statement (%s) as number %d", s.Feed.Party, e.Reason, e.Index+1),
			})
			if err != nil {
				return err
			}
			continue
		}
		st := findings[i].Statement
		f, ok := s.judge.Regime.Form(st.Form, st.Version)
		if !ok || !slices.ContainsFunc(f.Fields, func(f form.Field) bool { return f.Kind == form.KindBlob || f.Kind == form.KindBlobs }) {
			continue
		}
		v, err := f.Decode(st.Payload)
		if err != nil {
			return err
		}
		for _, b := range f.Blobs(v) {
			if err := blob.Want(ctx, tx, b.Hash, b.Size, n.others(s.Feed.Channel)...); err != nil && !errors.Is(err, blob.ErrTooLarge) {
				return err
			}
		}
	}
	return nil
}

// storeNote adds signatures of a checkpoint whose entries are here, unless it contradicts them.
func (n *Node) storeNote(ctx context.Context, tx *store.Tx, h *feed.Head, c feed.Checkpoint, note string, signed []feed.Signed, t *taken) error {
	root, err := h.RootAt(ctx, tx, c.Size)
	if err != nil {
		return err
	}
	if root != c.Root {
		return n.convict(ctx, tx, h, c, note, t)
	}
	for _, g := range signed {
		if err := h.SaveCheckpoint(ctx, tx, c, g.Line); err != nil {
			return err
		}
	}
	return nil
}

// convict keeps the proof that a party has signed two histories.
func (n *Node) convict(ctx context.Context, tx *store.Tx, h *feed.Head, other feed.Checkpoint, note string, t *taken) error {
	var charters [][]byte
	for _, c := range n.Chain(h.Feed.Party).All() {
		charters = append(charters, c.Bytes())
	}
	fork, err := h.Convict(ctx, tx, other, note, charters)
	if err != nil || fork == nil {
		return err
	}
	proof, err := fork.Encode()
	if err != nil {
		return err
	}
	return n.raise(ctx, tx, t, exchange.Alarm{
		Kind: exchange.AlarmFork, Subject: h.Feed.Origin(), Evidence: proof,
		Detail: fmt.Sprintf("%s has signed two histories of this feed; the proof convicts it", h.Feed.Party),
	})
}
