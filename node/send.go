package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"detente/blob"
	"detente/exchange"
	"detente/feed"
	"detente/form"
	"detente/judge"
	"detente/key"
	"detente/statement"
	"detente/store"
	"detente/traffic"

	"golang.org/x/sync/errgroup"
)

// Draft is a statement before it is signed.
type Draft struct {
	Channel    [32]byte
	Plane      traffic.Plane
	Precedence traffic.Precedence
	Post       traffic.Post // that speaks
	Audience   string       // party, party/post, or statement.Everyone
	Form       string
	Version    int // 0 for the newest of the regime
	Values     form.Values
	Dossier    statement.ID // zero to open one
	Refs       []statement.ID
	Language   string
	Marking    string
	Drafter    string   // duty role
	Releaser   string   // duty role
	Blobs      [][]byte // attachments that Values names by their hash
}

// Sent is where a statement now stands.
type Sent struct {
	ID    statement.ID
	Feed  traffic.Feed
	Index int64
}

// batch is the most statements that one commit takes of a feed; a larger one would keep a FLASH of another feed waiting for the writer.
const batch = 256

// desk is one own feed, whatever its epoch.
type desk struct {
	channel    [32]byte
	plane      traffic.Plane
	precedence traffic.Precedence
}

// speaker gathers what is to be said on one feed, so that many callers share one commit, and one clock.
type speaker struct {
	pending []*utterance // guarded by Node.mu
	busy    bool         // guarded by Node.mu: a goroutine is speaking
}

type utterance struct {
	header  statement.Header
	payload []byte
	blobs   [][]byte
	signers []key.Signer
	signed  *statement.Statement
	sent    Sent
	done    chan error
}

// Send signs a statement and appends it to the own feed. When it returns without error the statement is durable here; it is on its way to the
// other members, and [Node.Receipt] tells when they hold it. Errors: ErrNoChannel, ErrNotMember, ErrNoForm, feed.ErrBehind, those of package
// form for fields that the form refuses, party.ErrNoKey for a post that has no key.
func (n *Node) Send(ctx context.Context, d Draft) (Sent, error) {
	if exchange.LaneOf(d.Precedence) == exchange.Urgent {
		defer n.way.Take()()
	}
	u, err := n.prepare(d)
	if err != nil {
		return Sent{}, err
	}
	at := desk{d.Channel, d.Plane, d.Precedence}
	n.mu.Lock()
	s := n.desks[at]
	if s == nil {
		s = &speaker{}
		n.desks[at] = s
	}
	s.pending = append(s.pending, u)
	if !s.busy {
		s.busy = true
		n.work.Go(func() { n.speak(at, s) })
	}
	n.mu.Unlock()
	// Once queued it will be said; a caller that goes away does not unsay it.
	select {
	case err := <-u.done:
		return u.sent, err
	case <-ctx.Done():
		return Sent{}, fmt.Errorf("node: send: the outcome was not waited for: %w", ctx.Err())
	}
}

// Rehearse tells what Send would say, without saying it: the header but for clock and what was seen, and the payload. Its errors are those of Send.
func (n *Node) Rehearse(d Draft) (statement.Header, []byte, error) {
	u, err := n.prepare(d)
	if err != nil {
		return statement.Header{}, nil, err
	}
	return u.header, u.payload, nil
}

// prepare checks a draft as every receiver will, so that nothing invalid is ever signed.
func (n *Node) prepare(d Draft) (*utterance, error) {
	c, err := n.channel(d.Channel)
	if err != nil {
		return nil, err
	}
	if !c.Member(n.self) {
		return nil, ErrNotMember
	}
	if len(c.Posts) > 0 && !slices.Contains(c.Posts, d.Post) {
		return nil, fmt.Errorf("%w: %s does not speak on channel %s", ErrAuthority, d.Post, c.Name)
	}
	f, ok := c.regime.Form(d.Form, d.Version)
	if d.Version == 0 {
		f, ok = c.regime.Latest(d.Form)
	}
	if d.Form == judge.FormEpoch {
		f, ok = n.linkRegime().Latest(d.Form)
	}
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrNoForm, d.Form)
	}
	payload, err := f.Encode(d.Values)
	if err != nil {
		return nil, err
	}
	err = f.Permit(form.Use{Post: d.Post, Precedence: d.Precedence, Refs: len(d.Refs), Drafter: d.Drafter, Releaser: d.Releaser}, d.Values)
	if err != nil {
		return nil, err
	}
	if err := n.checkAudience(c, d.Audience); err != nil {
		return nil, err
	}
	for _, b := range f.Blobs(d.Values) {
		if !slices.ContainsFunc(d.Blobs, func(data []byte) bool { return sha256.Sum256(data) == b.Hash }) {
			return nil, fmt.Errorf("node: attachment %q is named but not given", b.Name)
		}
	}
	n.mu.RLock()
	keys, charter := n.keys, n.chains[n.self].Latest()
	n.mu.RUnlock()
	signers, err := keys.Signers(d.Post, d.Plane, judge.Demanded(c.Channel, d.Form)...)
	if err != nil {
		return nil, err
	}
	return &utterance{
		header: statement.Header{
			Issuer: traffic.Address{Party: n.self, Post: d.Post}, Audience: d.Audience, IssuedAt: n.now(),
			Channel: d.Channel, Plane: d.Plane, Precedence: d.Precedence, Form: f.ID, Version: f.Version,
			Dossier: d.Dossier, Refs: d.Refs, Language: d.Language, Marking: d.Marking,
			Drafter: d.Drafter, Releaser: d.Releaser, Charter: charter.Version,
		},
		payload: payload, blobs: d.Blobs, signers: signers, done: make(chan error, 1),
	}, nil
}

func (n *Node) checkAudience(c *channel, audience string) error {
	if audience == statement.Everyone {
		return nil
	}
	a, err := traffic.ParseAddress(audience)
	if err != nil {
		return err
	}
	if !c.Member(a.Party) {
		return fmt.Errorf("%w: %s", ErrNotMember, a.Party)
	}
	return nil
}

// speak says what is pending on one feed, batch after batch, and ends when nothing is.
func (n *Node) speak(at desk, s *speaker) {
	for {
		n.mu.Lock()
		us := s.pending
		if len(us) > batch {
			us = us[:batch]
		}
		s.pending = s.pending[len(us):]
		if len(us) == 0 {
			s.busy, s.pending = false, nil
			n.mu.Unlock()
			return
		}
		n.mu.Unlock()
		err := n.say(at, us)
		for _, u := range us {
			u.done <- err
		}
	}
}

// say signs a batch and appends it. The signatures are made before the transaction, which is short; if the feed moved meanwhile, because
// another process of this party spoke, the batch is drafted anew.
func (n *Node) say(at desk, us []*utterance) error {
	ctx := context.Background() // what is queued is said, whoever still waits
	for range 100 {
		f, err := n.draft(ctx, at, us)
		if err != nil {
			return err
		}
		err = n.append(ctx, f, us)
		if errors.Is(err, feed.ErrClockBehind) {
			continue
		}
		if err == nil {
			n.kickMembers(f.Channel, exchange.LaneOf(f.Precedence))
		}
		return err
	}
	return feed.ErrClockBehind
}

// draft gives the batch its clocks and what was seen, and signs it on all cores.
func (n *Node) draft(ctx context.Context, at desk, us []*utterance) (traffic.Feed, error) {
	f := traffic.Feed{Channel: at.channel, Party: n.self, Plane: at.plane, Precedence: at.precedence}
	c, err := n.channel(at.channel)
	if err != nil {
		return f, err
	}
	var clock int64
	var sights []statement.Sight
	err = n.db.View(ctx, func(tx *store.Tx) error {
		clock, sights = 0, nil
		heads, err := feed.Heads(ctx, tx, &at.channel)
		for _, h := range heads {
			clock = max(clock, h.Clock)
			if h.Feed.Plane != at.plane {
				continue
			}
			if h.Feed.Party != n.self {
				sights = append(sights, statement.Sight{
					Party: h.Feed.Party, Precedence: h.Feed.Precedence, Epoch: h.Feed.Epoch, Size: h.Size, Root: h.Root,
				})
			} else if h.Feed.Precedence == at.precedence {
				f.Epoch = max(f.Epoch, h.Feed.Epoch)
			}
		}
		return err
	})
	if err != nil {
		return f, err
	}
	if n.isSilent(f) {
		return f, feed.ErrBehind
	}
	seen, err := statement.NewSeen(sights, len(c.Members))
	if err != nil {
		return f, err
	}
	if err := n.renew(c, us); err != nil {
		return f, err
	}
	for i, u := range us {
		u.header.Clock, u.header.Seen = clock+1+int64(i), seen
	}
	yield := runtime.Gosched
	if exchange.LaneOf(at.precedence) == exchange.Calm {
		yield = n.way.Give
	}
	return f, signAll(us, yield)
}

// signAll signs on all cores, giving way after each signature to whatever is more urgent.
func signAll(us []*utterance, yield func()) error {
	workers := min(runtime.GOMAXPROCS(0), (len(us)+7)/8)
	var g errgroup.Group
	for w := range workers {
		g.Go(func() (err error) {
			for i := w; i < len(us) && err == nil; i += workers {
				u := us[i]
				u.signed, err = statement.Sign(u.header, u.payload, u.signers...)
				yield()
			}
			return err
		})
	}
	return g.Wait()
}

// renew gives the newest charter and its keys to what was prepared under an older one.
func (n *Node) renew(c *channel, us []*utterance) (err error) {
	n.mu.RLock()
	keys, version := n.keys, n.chains[n.self].Latest().Version
	n.mu.RUnlock()
	for _, u := range us {
		if u.header.Charter == version {
			continue
		}
		u.header.Charter = version
		if u.signers, err = keys.Signers(u.header.Issuer.Post, u.header.Plane, judge.Demanded(c.Channel, u.header.Form)...); err != nil {
			return err
		}
	}
	return nil
}

// append stores the signed batch with the new head and its checkpoint in one transaction. Dying before the commit, nothing was said; after
// it, all was, and the checkpoint is there to be sent. The mark is written before the checkpoint leaves: here, or at the latest where it is packed.
func (n *Node) append(ctx context.Context, f traffic.Feed, us []*utterance) error {
	var c feed.Checkpoint
	err := n.db.Update(ctx, urgency(f.Precedence), func(tx *store.Tx) error {
		h, err := feed.Open(ctx, tx, f)
		if err != nil {
			return err
		}
		if h.Size < n.marks.Last(f).Size {
			n.hush(f)
			return feed.ErrBehind
		}
		entries := make([]feed.Entry, len(us))
		prior := judge.Prior{Clock: h.Clock, Charter: h.Charter}
		for i, u := range us {
			if u.signed.Clock <= prior.Clock && prior.Clock > 0 || u.signed.Charter < prior.Charter {
				return feed.ErrClockBehind
			}
			entries[i] = judge.Finding{Statement: u.signed}.Conclude(&prior)
			entries[i].Bytes = u.signed.Bytes()
			for _, b := range u.blobs {
				if _, err := blob.Put(ctx, tx, b, n.others(f.Channel)...); err != nil {
					return err
				}
			}
		}
		h.Clock, h.Charter = prior.Clock, prior.Charter
		if err := h.Extend(ctx, tx, entries); err != nil {
			return err
		}
		for i, e := range entries {
			us[i].sent = Sent{e.ID, f, e.Index}
		}
		c = h.Checkpoint()
		line, err := c.Sign(n.Keys().Checkpoint, n.now())
		if err != nil {
			return err
		}
		return h.SaveCheckpoint(ctx, tx, c, line)
	})
	if err != nil {
		return err
	}
	if err := n.marks.Raise(c); err != nil {
		n.log.Error("the mark beside the keys cannot be written: nothing more of this feed leaves", "feed", f.Origin(), "reason", err)
	}
	n.bump()
	return nil
}

func urgency(p traffic.Precedence) store.Urgency {
	if exchange.LaneOf(p) == exchange.Urgent {
		return store.Urgent
	}
	return store.Calm
}
