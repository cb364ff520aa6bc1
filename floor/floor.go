// Package floor is the watch floor around a node: what people do with statements, and what is done when they do nothing. One file per verb.
// It must never speak for a person: what a machine did is recorded as a machine's, and nothing here waits for the network.
package floor

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"time"

	"detente/dossier"
	"detente/exchange"
	"detente/form"
	"detente/journal"
	"detente/node"
	"detente/watch"

	"golang.org/x/text/language"
)

// Errors that a caller decides on.
var (
	ErrNoItem   = errors.New("floor: no such item is open")
	ErrTaken    = errors.New("floor: somebody else has taken it")
	ErrNoRoster = errors.New("floor: the post has no roster")
	ErrNoPost   = errors.New("floor: this party has no such post")
	ErrNoPerson = errors.New("floor: no person is named who does it")
)

// Config is what a floor is made of. The zero value calls people on the console alone.
type Config struct {
	// Means lists by which means, beside the console, an officer is called. nil is none.
	Means func(officer string) []Means
	// Callers place calls, by the name of the means: mail, webhook, command.
	Callers map[string]Caller
	// Phrases are the words of items, for calls and for the journal. nil prints their keys.
	Phrases *form.Phrasebook
	// Patience is after which time another process of this party takes over a call that was begun and of which nothing more was heard. 0 is two
	// minutes. On SQLite there is no other process, and what the one before left is taken over at once.
	Patience time.Duration
	// Process names this process among those of the party. Empty for a random name.
	Process string
	// Approvals is where a hand-over waits until both officers have approved it. nil: nothing can be handed over.
	Approvals Approvals
	Log       *slog.Logger // nil discards
}

// Means is one way to reach an officer.
type Means struct {
	Name     string // mail, webhook or command
	Address  string
	Language string // of the officer
}

// Caller reaches a person. It returns nil when the call is placed: when it is on its way to the person, not when he has heard it. It may be asked to
// place the same call, with the same id, twice: after a process has died in between.
type Caller interface {
	Place(ctx context.Context, c Call) error
}

// Call is what a person is called for.
type Call struct {
	ID      string // the same however often it is placed
	Officer string
	Role    string // duty role in which he is called
	Means   Means
	Item    *watch.Item
	Title   string // in the officer's language
	Detail  string
	More    int // other items for which he is called with this same call
}

// By is a person who acts.
type By struct {
	Officer string // "terminal" for whoever may open the socket
	Role    string // duty role in which he acts
}

// Drafter is what stands as the drafter of what a person did: never the machine's.
func (b By) Drafter() string {
	if b.Role == "" || b.Role == journal.Machine {
		return b.Officer
	}
	return b.Role
}

// source tells of what needs somebody and is no statement: a check that is overdue, an entry that is stale, a draft that waits for its release. It
// lists the items of a moment, and when to ask again if nothing comes meanwhile, zero for never. An item has the same key for as long as it is one
// thing, and another key when its cause comes anew. It is called with Floor.mu held for reading, and does not wait.
type source interface {
	items(now time.Time) (items []*watch.Item, again time.Time)
}

// Floor is the watch floor of a node. Its methods may be called at the same time.
type Floor struct {
	node    *node.Node
	cfg     Config
	log     *slog.Logger
	journal *journal.Journal
	lang    language.Tag // of the party
	folds   []fold
	sources []source
	errands []func(ctx context.Context, now time.Time) (again time.Time)
	heralds []Herald
	scribe  scribe
	kicked  chan struct{} // one slot: look again
	work    sync.WaitGroup
	pulse   watch.Pulse

	turning sync.Mutex // one reader of the feeds at a time; guards ledger
	ledger  ledger

	mu      sync.RWMutex // guards what follows, and the folds
	record  *record
	matters map[dossier.Name]*matter
	infos   map[string]*watch.Item // by key: to be read by information addressees
	alarms  []exchange.Alarm
	board   *board
	calls   map[string][]*watch.Call // by item; those this process knows of
	unsaved []*watch.Call            // of which the database does not have the outcome yet
	flying  map[string]bool          // ids of calls that this process is placing
	taken   map[string]*watch.Taken  // by key: taken, and not in the journal yet
	changed chan struct{}            // closed and replaced when the board has changed
}

// New opens the floor of a node. It starts nothing. Error: journal.ErrNone.
func New(n *node.Node, cfg Config) (*Floor, error) {
	journal, err := journal.Open(n)
	if err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Patience == 0 {
		cfg.Patience = 2 * time.Minute
	}
	if cfg.Process == "" {
		cfg.Process = rand.Text()
	}
	f := &Floor{
		node: n, cfg: cfg, log: cfg.Log, journal: journal, lang: language.English, ledger: newLedger(), kicked: make(chan struct{}, 1),
		record: newRecord(n.Self()), matters: make(map[dossier.Name]*matter), infos: make(map[string]*watch.Item),
		board: &board{}, calls: make(map[string][]*watch.Call), flying: make(map[string]bool), taken: make(map[string]*watch.Taken),
		changed: make(chan struct{}),
	}
	if own := n.Chain(n.Self()).Latest(); len(own.Languages) > 0 {
		f.lang = language.Make(own.Languages[0])
	}
	f.scribe.init()
	f.record.heard = f.scribe.heard
	f.folds = f.allFolds()
	f.sources = f.allSources()
	return f, nil
}

// allFolds is the table of contents of what is folded from the feeds.
func (f *Floor) allFolds() []fold {
	return []fold{f.record, &infos{f}}
}

// allSources is the table of contents of what needs somebody beside statements.
func (f *Floor) allSources() []source {
	return nil
}

// Journal is the party's watch journal.
func (f *Floor) Journal() *journal.Journal { return f.journal }

// Node is the node that the floor is around.
func (f *Floor) Node() *node.Node { return f.node }

// Run keeps the watch until ctx ends: it reads what comes, calls people, and writes the journal. It sleeps until something comes or runs out.
func (f *Floor) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { f.write(ctx) })
	wg.Go(func() { f.errand(ctx) })
	defer wg.Wait()
	defer f.work.Wait()
	defer f.pulse.End()
	for ctx.Err() == nil {
		changed := f.node.Changed()
		f.pulse.Begin()
		again := f.turn(ctx)
		f.pulse.Sleep(again)
		wait := time.NewTimer(time.Until(again))
		select {
		case <-ctx.Done():
		case <-changed:
			f.gather(ctx)
		case <-f.kicked:
		case <-wait.C:
		}
		wait.Stop()
	}
	return ctx.Err()
}

// pace is how long the floor lets what comes gather before it looks: of ten thousand statements in a minute it looks at many at once.
const pace = 50 * time.Millisecond

func (f *Floor) gather(ctx context.Context) {
	timer := time.NewTimer(pace)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// Close waits for calls under way. Run must have returned.
func (f *Floor) Close() error {
	f.work.Wait()
	return nil
}

// retry is after which time the floor looks again when the database could not be read.
const retry = 5 * time.Second

// idle is how long the floor sleeps when nothing runs out.
const idle = 24 * time.Hour

// turn reads a part of what has come, calls whoever is to be called, and tells when to look again.
func (f *Floor) turn(ctx context.Context) (again time.Time) {
	f.turning.Lock()
	doubts := f.scribe.doubts()
	more, err := f.catchUp(ctx)
	if err == nil && !more {
		f.mu.RLock()
		f.scribe.resolve(doubts, f.record.says)
		f.mu.RUnlock()
		doubts = nil
		err = f.observe(ctx)
	}
	for _, l := range doubts {
		f.scribe.doubt(l)
	}
	warm := f.ledger.warm
	f.turning.Unlock()
	now := time.Now()
	if err != nil && ctx.Err() == nil {
		f.log.Error("the watch cannot read what is held", "reason", err) // it goes on with what it knows: people are called all the same
	}
	again = now.Add(idle)
	if warm {
		next := f.refresh(now)
		due := f.callPeople(ctx, now)
		f.writeDown(now)
		again = earlier(again, f.saveCalls(ctx, now))
		again = earlier(again, earlier(next, due))
	}
	if err != nil {
		again = earlier(again, now.Add(retry))
	}
	if more {
		again = now
	}
	return again
}

// observe learns what the feeds do not tell: receipts, alarms, and the calls of other processes.
func (f *Floor) observe(ctx context.Context) error {
	errReceipts := f.learnReceipts(ctx)
	alarms, err := f.node.Alarms(ctx)
	if err == nil {
		f.mu.Lock()
		f.alarms = alarms
		f.mu.Unlock()
	}
	return errors.Join(errReceipts, err, f.learnCalls(ctx))
}

// kick has the floor look again.
func (f *Floor) kick() {
	select {
	case f.kicked <- struct{}{}:
	default:
	}
}

// earlier is the earlier of two moments, of which a zero one is never.
func earlier(a, b time.Time) time.Time {
	if b.IsZero() || !a.IsZero() && a.Before(b) {
		return a
	}
	return b
}

// mostChunks is how many parts of a backlog a request waits for, so that it sees what it has done itself.
const mostChunks = 4

// current brings the board up to now for whoever asks, also where Run does not run.
func (f *Floor) current(ctx context.Context) error {
	f.turning.Lock()
	defer f.turning.Unlock()
	for i := 0; i < mostChunks || !f.ledger.warm; i++ {
		more, err := f.catchUp(ctx)
		if err != nil {
			return err
		}
		if !more && f.ledger.warm {
			break
		}
	}
	if err := f.observe(ctx); err != nil {
		return err
	}
	f.refresh(time.Now())
	return nil
}

// Changed is closed when the board has changed after the call.
func (f *Floor) Changed() <-chan struct{} {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.changed
}

// say prints a phrase in a language; without phrases its key.
func (f *Floor) say(lang language.Tag, key string, args ...any) string {
	if f.cfg.Phrases == nil {
		return key
	}
	return f.cfg.Phrases.Phrase(lang, key, args...)
}

// Title tells what an item is, in a reader's language.
func (f *Floor) Title(it *watch.Item, lang language.Tag) string {
	return it.Words().In(func(key string, args ...any) string { return f.say(lang, key, args...) })
}
