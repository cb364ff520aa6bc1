// Package gateway lets the tools of a party's response team share over its channels: what others state appears in collections, what tools add is stated.
// It must never send what its marking forbids, nor say twice, or lose, what was released.
package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"detente/floor"
	"detente/gateway/csaf"
	"detente/gateway/misp"
	"detente/gateway/objects"
	"detente/gateway/taxii"
	"detente/label"
	"detente/node"
	"detente/party"
	"detente/stix"
	"detente/store"
	"detente/traffic"
)

// The forms of the regime indicators by which objects travel.
const (
	formIndicators = "indicators"
	formSighting   = "sighting"
	formRevocation = "revocation"
)

// Errors that a caller decides on.
var (
	ErrNoItem = errors.New("gateway: no such object waits for review")
	ErrSaid   = errors.New("gateway: it was said, and cannot be unsaid: send a version of it that is revoked")
)

// Config is what a gateway is made of.
type Config struct {
	Node *node.Node
	// Floor is the watch floor on which stands what needs a person. The gateway is to be opened before it runs. nil: nothing is told.
	Floor *floor.Floor
	// Permit tells whether a channel, as it stands, lets a statement pass. nil lets all.
	Permit func(context.Context, *node.Draft) error
	// Rule says what is released without a person.
	Rule Rule
	// Unmarked is the label of objects that bear none. Empty: they are refused.
	Unmarked label.TLP
	// Post is who speaks for the tools; empty: the first post of this party that speaks on the channel.
	Post traffic.Post
	// Patience is after which time a batch that another process began to send is taken over. 0 is two minutes. On SQLite there is no other.
	Patience time.Duration
	Log      *slog.Logger     // nil discards
	Now      func() time.Time // of the stamps; nil is time.Now
	// Validator makes what objects are held against; several gateways of one process may share it. nil makes one when it is first needed.
	Validator func() (*stix.Validator, error)
	Remotes   []Scheduled // what is pulled and pushed by itself

	// Turned is called after each turn of Run, in which objects may have come. It does not wait. nil is nothing.
	Turned func()
	// Step is the tests' lever: it is called between two durable steps, and its error ends the turn there. nil is nothing.
	Step func(name string) error
}

// Rule releases objects without a person: those that may be shown as widely as UpTo or more, of the types named, or of any where none is. The empty
// UpTo releases nothing.
type Rule struct {
	UpTo  label.TLP
	Types []string
}

func (r Rule) releases(t label.TLP, typ string) bool {
	return r.UpTo != label.Unmarked && t.Valid() && !t.Widens(r.UpTo) && (len(r.Types) == 0 || slices.Contains(r.Types, typ))
}

// Schemas are the tables of this package and of those below it.
func Schemas() []store.Schema {
	return []store.Schema{objects.Schema(), taxii.Schema(), {Package: "gateway", Steps: []string{`
CREATE TABLE gateway_feeds (
	origin TEXT PRIMARY KEY,
	size   {bigint} NOT NULL -- entries that were looked at
);
CREATE TABLE gateway_received (
	number     {bigint} NOT NULL, -- in the order in which they were stated
	statement  {bytes} NOT NULL,
	attachment {bytes} NOT NULL,
	collection {bigint} NOT NULL,
	media      TEXT NOT NULL,
	done       {bigint} NOT NULL, -- unix microseconds; 0 while it waits for its bytes
	added      {bigint} NOT NULL,
	duplicates {bigint} NOT NULL,
	conflicts  {bigint} NOT NULL,
	refused    {bigint} NOT NULL,
	reason     TEXT NOT NULL,     -- the first
	PRIMARY KEY (statement, attachment)
);
CREATE INDEX gateway_received_waiting ON gateway_received (done, number);
CREATE INDEX gateway_received_number ON gateway_received (number);
CREATE TABLE gateway_out (
	collection {bigint} NOT NULL,
	added      {bigint} NOT NULL, -- the object's stamp
	state      TEXT NOT NULL,     -- waiting, released, refused, drafted, failed or sent
	form       TEXT NOT NULL,
	audience   TEXT NOT NULL,
	tlp        TEXT NOT NULL,
	pap        TEXT NOT NULL,
	token      TEXT NOT NULL,     -- who added it
	drafter    TEXT NOT NULL,     -- duty role of whoever released it
	reason     TEXT NOT NULL,     -- why it was refused
	batch      {bigint} NOT NULL, -- 0 before it is drafted
	PRIMARY KEY (collection, added)
);
CREATE INDEX gateway_out_state ON gateway_out (state, collection, added);
CREATE INDEX gateway_out_batch ON gateway_out (batch, added);
CREATE TABLE gateway_batches (
	number     {rowkey},
	collection {bigint} NOT NULL,
	bundle     TEXT NOT NULL,     -- id of the bundle: it makes the hash one of this batch alone
	hash       {bytes} NOT NULL UNIQUE,
	count      {bigint} NOT NULL,
	statement  {bytes} NOT NULL,  -- empty until it is said
	process    TEXT NOT NULL,     -- that drafted it, or took it over
	claimed    {bigint} NOT NULL
);
CREATE INDEX gateway_batches_open ON gateway_batches (statement, number);
`, `
ALTER TABLE gateway_batches ADD COLUMN tries {bigint} NOT NULL DEFAULT 0;   -- that the node refused
ALTER TABLE gateway_batches ADD COLUMN due {bigint} NOT NULL DEFAULT 0;     -- when it is tried again, unix microseconds
ALTER TABLE gateway_batches ADD COLUMN refused {bigint} NOT NULL DEFAULT 0; -- when it was given up
ALTER TABLE gateway_batches ADD COLUMN reason TEXT NOT NULL DEFAULT '';     -- of the last refusal
CREATE TABLE gateway_reviews ( -- the collections in which something waits for a person
	collection {bigint} PRIMARY KEY,
	since      {bigint} NOT NULL -- stamp of the first that came
);
`, `
CREATE TABLE gateway_misp_keys (
	name       TEXT PRIMARY KEY,
	hash       {bytes} NOT NULL UNIQUE, -- SHA-256 of the 40 letters, which are random
	audience   {bigint} NOT NULL,       -- class of who is behind it
	plane      TEXT NOT NULL,
	collection TEXT NOT NULL,          -- that takes what it pushes; empty: it may not push
	created    {bigint} NOT NULL        -- unix microseconds
);
CREATE TABLE gateway_advisories (
	hash      {bytes} NOT NULL PRIMARY KEY, -- SHA-256 of the bytes
	id        TEXT NOT NULL,
	namespace TEXT NOT NULL,
	title     TEXT NOT NULL,
	publisher TEXT NOT NULL,
	tlp       TEXT NOT NULL,
	severity  TEXT NOT NULL,
	cves      TEXT NOT NULL,               -- a space between
	current   {bigint} NOT NULL,            -- unix microseconds
	added     {bigint} NOT NULL,
	raw       {bytes} NOT NULL
);
CREATE INDEX gateway_advisories_added ON gateway_advisories (added);
`, `
CREATE TABLE gateway_remotes ( -- what is pulled and pushed on schedule; times are unix microseconds
	name    TEXT PRIMARY KEY,
	last    {bigint} NOT NULL, -- when it went well
	next    {bigint} NOT NULL,
	failure TEXT NOT NULL,     -- of the last try; empty if it went well
	failed  {bigint} NOT NULL, -- tries in a row
	added   {bigint} NOT NULL, -- when it went well
	refused {bigint} NOT NULL
);
`}}}
}

// line is a channel over which objects travel, and its collections.
type line struct {
	*party.Channel
	id  [32]byte
	out map[traffic.Plane]objects.Collection
}

// Gateway is the collections of a node and what flows through them. Its methods may be called at the same time.
type Gateway struct {
	cfg        Config
	node       *node.Node
	db         *store.DB
	shelf      *objects.Shelf
	tokens     *taxii.Tokens
	log        *slog.Logger
	validator  func() (*stix.Validator, error) // made when it is first asked for
	csaf       func() (*csaf.Reader, error)    // the same
	mispServer func() *misp.Server             // the same
	process    string
	kicked     chan struct{} // one slot: there is something to do

	turning sync.Mutex // one turn at a time; guards cursor
	cursor  int64      // number of the received row last looked at

	mu    sync.RWMutex
	lines map[[32]byte]*line
	desks []desk // what stands on the watch board
}

// Open makes the gateway of a node, whose database has the tables of [Schemas]. It starts nothing.
func Open(cfg Config) *Gateway {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Patience == 0 {
		cfg.Patience = 2 * time.Minute
	}
	if cfg.Permit == nil {
		cfg.Permit = func(context.Context, *node.Draft) error { return nil }
	}
	if cfg.Step == nil {
		cfg.Step = func(string) error { return nil }
	}
	if cfg.Turned == nil {
		cfg.Turned = func() {}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Validator == nil {
		cfg.Validator = sync.OnceValues(stix.NewValidator)
	}
	cfg.Remotes = slices.Clone(cfg.Remotes)
	g := &Gateway{
		cfg: cfg, node: cfg.Node, db: cfg.Node.DB, shelf: objects.Open(cfg.Node.DB, cfg.Now), tokens: taxii.OpenTokens(cfg.Node.DB), log: cfg.Log,
		validator: cfg.Validator, csaf: sync.OnceValues(csaf.NewReader), process: rand.Text(), kicked: make(chan struct{}, 1), lines: make(map[[32]byte]*line),
	}
	if cfg.Floor != nil {
		cfg.Floor.Join(board{g})
	}
	g.mispServer = sync.OnceValue(g.newMISP)
	return g
}

// Shelf is the collections.
func (g *Gateway) Shelf() *objects.Shelf { return g.shelf }

// Tokens is who may ask for them.
func (g *Gateway) Tokens() *taxii.Tokens { return g.tokens }

// Node is the node that the gateway belongs to.
func (g *Gateway) Node() *node.Node { return g.node }

// Server makes a TAXII server of the gateway. What c says of shelf, database and what is done with objects is replaced.
func (g *Gateway) Server(c taxii.Config) *taxii.Server {
	c.Shelf, c.DB, c.Accept, c.Delete, c.Tokens = g.shelf, g.db, g.Accept, g.Delete, g.tokens
	return taxii.New(c)
}

func (g *Gateway) kick() {
	select {
	case g.kicked <- struct{}{}:
	default:
	}
}

const (
	idle  = 10 * time.Minute
	retry = 30 * time.Second
)

// Run follows the feeds, says what was released, and keeps up with the local servers of the schedule, until ctx ends.
func (g *Gateway) Run(ctx context.Context) error {
	var remotes sync.WaitGroup
	defer remotes.Wait()
	for i := range g.cfg.Remotes {
		remotes.Go(func() { g.keepUp(ctx, &g.cfg.Remotes[i]) })
	}
	for ctx.Err() == nil {
		changed := g.node.Changed()
		wait := idle
		more, err := g.Turn(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			g.log.Error("gateway", "reason", err)
			wait = retry
		case more:
			wait = retry
		}
		g.cfg.Turned()
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-g.kicked:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// Turn does all that there is to do now: it makes the collections of new channels, reads what was stated, takes in what has come, and says what was
// released. more tells that something is left that has to wait. What dies in it is taken up by the next.
func (g *Gateway) Turn(ctx context.Context) (more bool, err error) {
	g.turning.Lock()
	defer g.turning.Unlock()
	if err := g.learn(ctx); err != nil {
		return false, err
	}
	if err := g.follow(ctx); err != nil {
		return false, err
	}
	waits, err := g.takeIn(ctx)
	if err != nil {
		return false, err
	}
	left, err := g.share(ctx)
	if err == nil {
		err = g.reload(ctx)
	}
	return waits || left, err
}

// learn finds the channels whose regime has the forms, and makes their collections.
func (g *Gateway) learn(ctx context.Context) error {
	all, err := g.node.Channels(ctx)
	if err != nil {
		return fmt.Errorf("gateway: channels: %w", err)
	}
	for _, c := range all {
		id := c.ID()
		g.mu.RLock()
		known := g.lines[id] != nil
		g.mu.RUnlock()
		if known || !c.Established {
			continue
		}
		charter, regime, err := g.node.Channel(id)
		if err != nil || !charter.Member(g.node.Self()) {
			continue
		}
		if _, ok := regime.Latest(formIndicators); !ok {
			continue
		}
		l := &line{Channel: charter, id: id, out: make(map[traffic.Plane]objects.Collection)}
		for _, plane := range []traffic.Plane{traffic.Real, traffic.Exercise, traffic.Test} {
			if l.out[plane], err = g.shelf.Create(ctx, objects.Collection{
				Title: charter.Name + " to members" + planeSuffix(plane), Description: "What is added here is stated to the members of the channel, once its marking and its review permit it.",
				Flow: objects.Out, Channel: id, Party: g.node.Self(), Plane: plane,
			}); err != nil {
				return err
			}
		}
		for _, other := range charter.Others(g.node.Self()) {
			if _, err := g.inbound(ctx, l, other, traffic.Real); err != nil {
				return err
			}
		}
		g.mu.Lock()
		g.lines[id] = l
		g.mu.Unlock()
	}
	return nil
}

// inbound is the collection of what a member states on a channel.
func (g *Gateway) inbound(ctx context.Context, l *line, from traffic.Party, plane traffic.Plane) (objects.Collection, error) {
	return g.shelf.Create(ctx, objects.Collection{
		Title: l.Name + " from " + string(from) + planeSuffix(plane), Description: "What this member has stated on the channel. Nothing can be added to it here.",
		Flow: objects.In, Channel: l.id, Party: from, Plane: plane,
	})
}

// planeSuffix makes a title say, to everybody who sees it, what is not real.
func planeSuffix(p traffic.Plane) string {
	if p == traffic.Real {
		return ""
	}
	return " " + label.Plane(p).Flag()
}

// Channel is the name of the channel that a collection is of; empty for a local one.
func (g *Gateway) Channel(c objects.Collection) string {
	if l := g.line(c.Channel); l != nil {
		return l.Name
	}
	return ""
}

func (g *Gateway) line(channel [32]byte) *line {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.lines[channel]
}

func (g *Gateway) allLines() []*line {
	g.mu.RLock()
	defer g.mu.RUnlock()
	out := make([]*line, 0, len(g.lines))
	for _, l := range g.lines {
		out = append(out, l)
	}
	return out
}
