// Package node is what a party's node does, one file per verb: in which order things happen, and nothing else.
// It must never acknowledge what is not durable, nor let anything leave the process inside a transaction.
package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"detente/archive"
	"detente/blob"
	"detente/dossier"
	"detente/exchange"
	"detente/feed"
	"detente/form"
	"detente/key"
	"detente/officer"
	"detente/party"
	"detente/route"
	"detente/store"
	"detente/traffic"
	"detente/watch"
)

// Errors that a caller decides on.
var (
	ErrNoChannel = errors.New("node: no such channel")
	ErrNotMember = errors.New("node: not a member of the channel")
	ErrNoPeer    = errors.New("node: not paired with that party")
	ErrNoForm    = errors.New("node: the channel's regime has no such form")
	ErrNoRegime  = errors.New("node: this program does not have the channel's regime")
	ErrAuthority = errors.New("node: the post has no authority for this")
)

// Config is what a node is made of. The zero value of each optional field is right for a single node with everything embedded.
type Config struct {
	DSN      string // store.Config.DSN: a file for SQLite, postgres://… for PostgreSQL
	Keys     *party.Keyring
	Pins     *party.Pins    // own charters and those of the trusted peers
	MarksDir string         // where the sizes last signed are kept, beside the keys
	Regimes  []*form.Regime // every regime that this program has; the link regime among them

	Registry key.Registry           // nil: key.Standard()
	Routes   map[string]route.Route // by the name that charters use, such as "https"
	PouchDir string                 // a FLASH that no other route takes is put here as a pouch file; empty: nowhere
	Callable bool                   // peers can reach this node; otherwise it holds a request open with each

	Heartbeat time.Duration // between two signs of life on a quiet link; 0 is a minute
	Silence   time.Duration // after which a peer that was not heard is an alarm; 0 is three heartbeats
	MaxBundle int           // most bytes of a sealed bundle; 0 is bundle.MaxSealed

	Now   func() time.Time        // the wall clock that statements and cosignatures bear; nil is time.Now
	Log   *slog.Logger            // nil discards
	Fault func(step string) error // store.Config.Fault: a lever for tests

	Committed func(took time.Duration) // store.Config.Committed; nil is nobody
	Schemas   []store.Schema           // tables of what stands above the node and shares its database
}

// Node is one party's node. What it holds is read through its archive.
type Node struct {
	*archive.Archive

	cfg   Config
	log   *slog.Logger
	db    *store.DB
	marks *feed.Marks
	reg   key.Registry
	self  traffic.Party

	mu       sync.RWMutex // guards what follows; never held while the database or a route is waited for
	keys     *party.Keyring
	chains   map[traffic.Party]*party.Chain // the own one among them
	channels map[[32]byte]*channel
	links    map[traffic.Party]*exchange.Link
	desks    map[desk]*speaker
	changed  chan struct{} // closed and replaced when anything was stored

	silentMu sync.Mutex            // a lock of its own, because a link asks while it holds its own, which others take under mu
	silent   map[traffic.Feed]bool // own feeds behind their mark: they may not speak

	paired chan struct{} // one slot: there is a line to start

	waiters   exchange.Waiters
	way       exchange.RightOfWay
	charterMu sync.Mutex     // one change of the own charter, or import of a peer's, at a time
	work      sync.WaitGroup // goroutines of speakers
}

// channel is a channel that is in being.
type channel struct {
	*party.Channel
	id     [32]byte
	regime *form.Regime
}

// Schemas are the tables of the packages below the node that have theirs in its database.
func Schemas() []store.Schema {
	return []store.Schema{feed.Schema(), blob.Schema(), dossier.Schema(), exchange.Schema(), watch.Schema(), officer.Schema()}
}

// Open opens the database, checks it against the marks, and learns peers and channels from what is kept. It starts nothing.
func Open(ctx context.Context, cfg Config) (*Node, error) {
	if cfg.Registry == nil {
		cfg.Registry = key.Standard()
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Heartbeat == 0 {
		cfg.Heartbeat = time.Minute
	}
	if cfg.Silence == 0 {
		cfg.Silence = 3 * cfg.Heartbeat
	}
	own := cfg.Pins.Own()
	if own == nil {
		return nil, fmt.Errorf("node: no charter of this party beside its keys; run init")
	}
	marks, err := feed.OpenMarks(cfg.MarksDir)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Config{
		DSN: cfg.DSN, Log: cfg.Log, Fault: cfg.Fault, Committed: cfg.Committed, Schemas: append(Schemas(), cfg.Schemas...),
	})
	if err != nil {
		marks.Close()
		return nil, err
	}
	n := &Node{
		cfg: cfg, log: cfg.Log.With("party", own.Party()), db: db, marks: marks, reg: cfg.Registry, self: own.Party(), keys: cfg.Keys,
		chains:   map[traffic.Party]*party.Chain{own.Party(): own},
		channels: make(map[[32]byte]*channel), links: make(map[traffic.Party]*exchange.Link), silent: make(map[traffic.Feed]bool),
		desks: make(map[desk]*speaker), changed: make(chan struct{}),
		paired: make(chan struct{}, 1),
	}
	n.Archive = &archive.Archive{DB: db, RegimeOf: n.regimeOf, Chain: n.Chain, Charter: func(id [32]byte) (*party.Channel, error) {
		c, _, err := n.Channel(id)
		return c, err
	}}
	for _, p := range cfg.Pins.Peers() {
		n.chains[p] = cfg.Pins.Trusted(p)
	}
	if err := n.learn(ctx); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// learn derives channels and links from the charters and the feeds, and finds own feeds that are behind their marks.
func (n *Node) learn(ctx context.Context) error {
	n.mu.Lock()
	n.addStandard()
	n.mu.Unlock()
	if err := n.establish(ctx); err != nil {
		return err
	}
	for p := range n.links { // the process may have died between a charter and what waited for it
		if err := n.judgeAgain(ctx, p); err != nil {
			return err
		}
	}
	return n.compareMarks(ctx)
}

// addStandard adds the internal channel, the link and public channels that follow from pairing, and a line for each peer. n.mu is held.
func (n *Node) addStandard() {
	own := n.chains[n.self]
	n.addChannel(party.InternalChannel(own))
	for id, chain := range n.chains {
		n.addChannel(party.PublicChannel(chain))
		if id == n.self {
			continue
		}
		n.addChannel(party.LinkChannel(own, chain))
		if n.links[id] == nil {
			n.links[id] = exchange.NewLink(n.self, id)
		}
	}
}

// addChannel adds a channel whose regime this program has. n.mu is held.
func (n *Node) addChannel(c *party.Channel) bool {
	id := c.ID()
	if n.channels[id] != nil {
		return true
	}
	for _, r := range n.cfg.Regimes {
		if r.ID == c.Regime.ID && r.Version == c.Regime.Version && (c.Regime.Hash == [32]byte{} || c.Regime.Hash == r.Hash) {
			n.channels[id] = &channel{c, id, r}
			return true
		}
	}
	return false
}

// Run exchanges with every peer until ctx ends, and returns when everything that it started has ended.
func (n *Node) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { n.runLattice(ctx) })
	wg.Go(func() { n.adopt(ctx, &wg) })
	if n.db.Multi() {
		wg.Go(func() { n.follow(ctx) })
	}
	wg.Wait()
	if err := ctx.Err(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// adopt starts the line of each peer, also of those that are paired while the node runs.
func (n *Node) adopt(ctx context.Context, wg *sync.WaitGroup) {
	started := make(map[traffic.Party]bool)
	for {
		n.mu.RLock()
		for p, l := range n.links {
			if !started[p] {
				started[p] = true
				wg.Go(func() { n.runLane(ctx, l, exchange.Urgent) })
				wg.Go(func() { n.runLane(ctx, l, exchange.Calm) })
			}
		}
		n.mu.RUnlock()
		select {
		case <-ctx.Done():
			return
		case <-n.paired:
		}
	}
}

// follow notices, once a second, what other processes of this party have done on the shared database.
func (n *Node) follow(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
		if err := n.establish(ctx); err != nil {
			if ctx.Err() == nil {
				n.log.Error("following the other processes", "reason", err)
			}
			continue
		}
		if err := n.releaseKept(ctx); err != nil && ctx.Err() == nil {
			n.log.Error("following the other processes", "reason", err)
		}
		n.mu.RLock()
		for _, l := range n.links {
			l.Kick(exchange.Urgent)
			l.Kick(exchange.Calm)
		}
		n.mu.RUnlock()
		n.bump()
	}
}

// Close waits for work under way and closes the database. Run must have returned.
func (n *Node) Close() error {
	n.work.Wait()
	return errors.Join(n.marks.Close(), n.db.Close())
}

// Self is the node's party.
func (n *Node) Self() traffic.Party { return n.self }

// Chain gives a trusted party's charters, the own ones included; nil when not paired.
func (n *Node) Chain(p traffic.Party) *party.Chain {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.chains[p]
}

// Peers lists the trusted peers in the order of their ids.
func (n *Node) Peers() []traffic.Party {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return slices.Sorted(maps.Keys(n.links))
}

func (n *Node) channel(id [32]byte) (*channel, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if c := n.channels[id]; c != nil {
		return c, nil
	}
	return nil, ErrNoChannel
}

// others are the members of a channel without this node.
func (n *Node) others(channel [32]byte) []traffic.Party {
	n.mu.RLock()
	defer n.mu.RUnlock()
	c := n.channels[channel]
	if c == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(c.Members), func(p traffic.Party) bool { return p == n.self })
}

// shared tells whether the node and the peer both hold the feeds of a channel.
func (n *Node) shared(peer traffic.Party) func([32]byte) bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	yes := make(map[[32]byte]bool)
	for id, c := range n.channels {
		switch {
		case c.Kind == party.Public:
			yes[id] = c.Member(peer) || c.Member(n.self)
		default:
			yes[id] = c.Member(peer) && c.Member(n.self)
		}
	}
	return func(id [32]byte) bool { return yes[id] }
}

// bump wakes whoever waits for a change.
func (n *Node) bump() {
	n.mu.Lock()
	close(n.changed)
	n.changed = make(chan struct{})
	n.mu.Unlock()
}

// Changed is closed when something was stored after the call.
func (n *Node) Changed() <-chan struct{} {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.changed
}

func (n *Node) now() time.Time { return n.cfg.Now().UTC().Truncate(time.Second) }
