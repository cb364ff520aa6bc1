// Package lookup asks other parties about indicators without telling which, and answers their questions without showing the list: asking, over the node.
// It must never put into a feed, a log or the journal what was asked or found, nor answer a party with which that is not agreed.
package lookup

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"detente/asking"
	"detente/floor"
	"detente/node"
	"detente/party"
	"detente/statement"
	"detente/store"
	"detente/traffic"
	"detente/watch"
)

// Errors that a caller decides on.
var (
	ErrNoList  = errors.New("lookup: no such list is in force")
	ErrLimit   = errors.New("lookup: more than the list allows")
	ErrWindow  = errors.New("lookup: the list may not be asked at this time")
	ErrKind    = errors.New("lookup: the list holds no indicators of this kind")
	ErrOwnList = errors.New("lookup: it is a list of this party: its indicators are at hand")
	ErrNoKeys  = errors.New("lookup: this node has no place for the keys of lists")
)

// Config is what a desk is made of.
type Config struct {
	// KeysPath is the file with the keys of the own lists; empty where none can be published.
	KeysPath string
	Lock     party.Lock // of that file
	// Answer are the parties whose questions are answered. Others are refused: to answer is to tell, and is agreed beforehand.
	Answer []traffic.Party
	Log    *slog.Logger // nil discards
}

// Desk publishes lists, asks, and answers. Its methods may be called at the same time.
type Desk struct {
	cfg   Config
	floor *floor.Floor
	node  *node.Node
	self  traffic.Party
	log   *slog.Logger

	publishing sync.Mutex // one list is made at a time: two would write over each other's keys

	mu      sync.Mutex // guards what follows; the floor's own lock comes before it
	ledger  *asking.Ledger
	pending map[statement.ID]bool // questions that may want an answer from here
	ring    *ring
	open    bool // some own question may wait for its answer
}

// New joins a floor. It must be called before the floor runs. It opens the file of keys where there is one. Errors: party.ErrLocked, party.ErrKeyFile.
func New(f *floor.Floor, cfg Config) (*Desk, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	n := f.Node()
	d := &Desk{cfg: cfg, floor: f, node: n, self: n.Self(), log: cfg.Log, ledger: asking.NewLedger(), pending: make(map[statement.ID]bool), open: true}
	var err error
	if d.ring, err = openRing(cfg.KeysPath, d.self, cfg.Lock); err != nil {
		return nil, err
	}
	f.Join(d)
	return d, nil
}

// Self is the party whose desk it is.
func (d *Desk) Self() traffic.Party { return d.self }

// Add takes in what the floor has read.
func (d *Desk) Add(t *floor.Told) {
	if t.Kind != party.Common {
		return
	}
	switch t.Statement.Form {
	case asking.FormList, asking.FormQuestion, asking.FormAnswer:
	default:
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ledger.Add(t.Statement.ID(), &t.Statement.Header, t.Values)
	if t.Statement.Form == asking.FormQuestion && t.Statement.Issuer.Party != d.self {
		d.pending[t.Statement.ID()] = true
	}
}

// Items are none: a result is for whoever asked, not for the board.
func (d *Desk) Items(time.Time) ([]*watch.Item, time.Time) { return nil, time.Time{} }

// Errand answers what is to be answered, and takes in answers that have come.
func (d *Desk) Errand(ctx context.Context, now time.Time) (again time.Time) {
	failed := false
	for _, q := range d.unanswered() {
		if err := d.answer(ctx, q); err != nil {
			d.log.Error("a blinded question cannot be answered", "id", q.ID, "reason", err)
			failed = true
		}
	}
	// The list that an answer is looked up in may come long after the answer, and brings no statement.
	if err := d.finish(ctx); err != nil && ctx.Err() == nil {
		d.log.Error("an answer cannot be taken in", "reason", err)
		failed = true
	}
	if failed {
		return now.Add(time.Minute)
	}
	return time.Time{}
}

// Work does now what Errand does in its time, for whoever looks at a node that does not run: with a pouch, nobody else would.
func (d *Desk) Work(ctx context.Context) error {
	if err := d.floor.CatchUp(ctx); err != nil {
		return err
	}
	d.Errand(ctx, time.Now())
	return d.floor.CatchUp(ctx)
}

// State is a list and what was asked of it.
type State struct {
	asking.Published
	Own    bool
	Counts map[traffic.Party]asking.Count // by who asked; of another's list only this party
	Wanted []Refusal                      // own questions that the owner refused although both sides compute otherwise
}

// Refusal is a question that was refused against the agreement.
type Refusal struct {
	Question statement.ID
	Reason   asking.Reason
}

// Lists are the lists in force.
func (d *Desk) Lists(ctx context.Context) ([]State, error) {
	if err := d.floor.CatchUp(ctx); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []State
	for _, p := range d.ledger.InForce() {
		s := State{Published: *p, Own: p.Owner.Party == d.self, Counts: make(map[traffic.Party]asking.Count)}
		for _, q := range d.ledger.Questions(p.ID) {
			by := q.By.Party
			if !s.Own && by != d.self {
				continue
			}
			s.Counts[by] = d.ledger.Count(p.ID, by)
			if a := d.ledger.Answer(q); a != nil && by == d.self && q.Verdict == asking.Answerable && a.Refused != asking.Answerable {
				s.Wanted = append(s.Wanted, Refusal{q.ID, a.Refused})
			}
		}
		if !s.Own && s.Counts[d.self].PerDay == 0 {
			s.Counts[d.self] = d.ledger.Count(p.ID, d.self)
		}
		out = append(out, s)
	}
	return out, nil
}

// agreed tells whether the questions of a party are answered.
func (d *Desk) agreed(p traffic.Party) bool { return slices.Contains(d.cfg.Answer, p) }

// Schema is the table of this package: what an asker keeps until the answer has come, and what came of it. It never leaves the database.
func Schema() store.Schema {
	return store.Schema{Package: "lookup", Steps: []string{`
CREATE TABLE lookups (
	digest   {bytes} NOT NULL PRIMARY KEY, -- SHA-256 of the elements: known before the question has an id
	list     {bytes} NOT NULL,             -- id of its statement
	officer  TEXT NOT NULL,               -- who asked; empty for the terminal
	asked    {bigint} NOT NULL,           -- unix seconds
	secret   {bytes} NOT NULL,             -- values and blinds; empty once it is settled
	state    TEXT NOT NULL,               -- waiting, answered, refused or wrong
	outcome  TEXT NOT NULL                -- JSON: what was asked, and of each whether it is known; the reason
);
CREATE INDEX lookups_waiting ON lookups (asked) WHERE state = 'waiting';`}}
}
