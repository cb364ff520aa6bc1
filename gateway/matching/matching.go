// Package matching holds what other parties share against what is the party's own, and puts what matches onto the watch.
// It must never send anything, nor tell a log or the journal what matched: the author of a list would like to know which of our machines is in it.
package matching

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"detente/floor"
	"detente/gateway/objects"
	"detente/match"
	"detente/node"
	"detente/statement"
	"detente/store"
	"detente/traffic"
	"detente/watch"
)

// ErrNoMatch says that nothing of the statement is open.
var ErrNoMatch = errors.New("matching: no open match of this statement")

// Config is what a matching is made of.
type Config struct {
	Floor *floor.Floor
	Shelf *objects.Shelf
	Path  string           // of the table of what is the own, as package match reads it; empty: nothing is matched
	Log   *slog.Logger     // nil discards
	Now   func() time.Time // nil is time.Now
}

// Matching follows the collections that others fill. Its methods may be called at the same time.
type Matching struct {
	cfg    Config
	node   *node.Node
	db     *store.DB
	log    *slog.Logger
	kicked chan struct{} // one slot: something came

	turning sync.Mutex // one turn at a time; guards seen
	seen    fs.FileInfo

	mu     sync.RWMutex // guards what follows; the floor's own lock comes before it
	table  *match.Table // nil where there is none
	digest [32]byte     // of the text that table was read from
	read   time.Time
	fault  error // why the file is not the table in force
	open   []told
}

// New joins a floor. It must be called before the floor runs.
func New(cfg Config) *Matching {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	n := cfg.Floor.Node()
	m := &Matching{cfg: cfg, node: n, db: n.DB, log: cfg.Log, kicked: make(chan struct{}, 1)}
	cfg.Floor.Join(m)
	return m
}

// Schema is the tables of this package. They never leave the database.
func Schema() store.Schema {
	return store.Schema{Package: "matching", Steps: []string{`
CREATE TABLE matching_read ( -- how far each collection was held against a table
	collection {bigint} NOT NULL,
	digest     {bytes} NOT NULL, -- of the table
	after      {bigint} NOT NULL, -- stamp of the last object, unix microseconds
	PRIMARY KEY (collection, digest)
);
CREATE TABLE matching_hits ( -- once for each object and each thing of the own, whatever versions and tables come
	collection {bigint} NOT NULL,
	object     TEXT NOT NULL,
	value      TEXT NOT NULL,
	own        TEXT NOT NULL,
	asset      TEXT NOT NULL,
	how        TEXT NOT NULL,
	kind       TEXT NOT NULL,    -- of the value
	title      TEXT NOT NULL,    -- of the object
	statement  {bytes} NOT NULL,
	post       TEXT NOT NULL,
	round      {bigint} NOT NULL,
	PRIMARY KEY (collection, object, value, own, asset)
);
CREATE INDEX matching_hits_statement ON matching_hits (statement, post, round);
CREATE TABLE matching_told ( -- what stands on the watch, or stood: a round ends when it is seen, and what comes later of the statement begins another
	statement  {bytes} NOT NULL,
	post       TEXT NOT NULL,    -- whom it concerns; empty for the party as a whole
	round      {bigint} NOT NULL,
	count      {bigint} NOT NULL, -- objects that match
	number     TEXT NOT NULL,
	peer       TEXT NOT NULL,
	form       TEXT NOT NULL,
	channel    {bytes} NOT NULL,
	dossier    {bytes} NOT NULL,
	plane      TEXT NOT NULL,
	found      {bigint} NOT NULL, -- unix microseconds
	seen       {bigint} NOT NULL, -- 0 while it is open
	role       TEXT NOT NULL,    -- of whoever has seen it
	incident   TEXT NOT NULL,    -- number of the case that was opened from it
	PRIMARY KEY (statement, post, round)
);
CREATE INDEX matching_told_open ON matching_told (seen, found);`}}
}

const (
	look  = time.Minute // between two looks at the file
	retry = 30 * time.Second
)

// Kick says that something may have come.
func (m *Matching) Kick() {
	select {
	case m.kicked <- struct{}{}:
	default:
	}
}

// Run matches what comes, until ctx ends.
func (m *Matching) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		wait := look
		if err := m.Turn(ctx); err != nil && ctx.Err() == nil {
			m.log.Error("what arrives cannot be held against what is the own", "reason", err)
			wait = retry
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-m.kicked:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// Turn does all that there is to do now.
func (m *Matching) Turn(ctx context.Context) error {
	m.turning.Lock()
	defer m.turning.Unlock()
	m.reread()
	if err := m.load(ctx); err != nil {
		return err
	}
	m.mu.RLock()
	table, digest := m.table, m.digest
	m.mu.RUnlock()
	if table == nil {
		return nil
	}
	all, err := m.cfg.Shelf.Collections(ctx)
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].Flow != objects.In || all[i].Size == 0 {
			continue
		}
		for more := true; more; {
			if more, err = m.collection(ctx, &all[i], table, digest); err != nil {
				return fmt.Errorf("matching: %s: %w", all[i].Title, err)
			}
		}
	}
	return nil
}

// reread takes the table from its file where that has changed. What cannot be read leaves the table in force: networks that were watched stay watched.
func (m *Matching) reread() {
	if m.cfg.Path == "" {
		return
	}
	info, err := os.Stat(m.cfg.Path)
	if err == nil && m.seen != nil && info.ModTime().Equal(m.seen.ModTime()) && info.Size() == m.seen.Size() {
		return
	}
	var text []byte
	var table *match.Table
	if err == nil {
		text, err = readFile(m.cfg.Path)
	}
	if err == nil {
		table, err = match.Parse(string(text))
	}
	m.mu.Lock()
	known := m.fault != nil && err != nil && m.fault.Error() == err.Error()
	if m.fault = err; err == nil {
		m.table, m.digest, m.read = table, sha256.Sum256(text), m.cfg.Now().UTC()
	}
	m.mu.Unlock()
	switch {
	case err == nil:
		m.seen = info
		m.log.Info("what is the own was read", "assets", len(table.Assets))
	case !known:
		m.log.Error("what is the own cannot be read: the table that was read last stays in force", "path", m.cfg.Path, "reason", err)
	}
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, match.MaxText+1)) // Parse refuses what is longer
}

// Add does nothing: what is matched are objects, not statements.
func (m *Matching) Add(*floor.Told) {}

// Errand does nothing: Run does.
func (m *Matching) Errand(context.Context, time.Time) time.Time { return time.Time{} }

// Items are the matches that nobody has seen. An item says how many indicators of which statement match, and not what they match: it is called out, and
// written into the journal.
func (m *Matching) Items(time.Time) (items []*watch.Item, again time.Time) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for i := range m.open {
		t := &m.open[i]
		items = append(items, &watch.Item{
			Key: watch.Key(watch.Match, t.statement.String(), string(t.post), fmt.Sprint(t.round)), Kind: watch.Match, Post: t.post, Plane: t.plane,
			Precedence: traffic.Priority, Say: "match", Args: []any{t.count, t.number, string(t.peer)}, Statement: t.statement, Number: t.number, Form: t.form,
			Channel: t.channel, Peer: t.peer, Since: t.found,
		})
	}
	return items, time.Time{}
}

// load reads what is open from the database, where it may have been put or seen by another process.
func (m *Matching) load(ctx context.Context) error {
	var open []told
	err := m.db.View(ctx, func(tx *store.Tx) (err error) {
		open, err = store.All(ctx, tx, (*told).fields, "SELECT "+toldColumns+" FROM matching_told WHERE seen = 0 ORDER BY found LIMIT $1", mostOpen)
		return err
	})
	if err != nil {
		return fmt.Errorf("matching: %w", err)
	}
	m.mu.Lock()
	same := len(open) == len(m.open)
	for i := range open {
		same = same && open[i].same(&m.open[i])
	}
	m.open = open
	m.mu.Unlock()
	if !same {
		m.cfg.Floor.Kick()
	}
	return nil
}

const mostOpen = 1000 // on the board

// told is a row of matching_told.
type told struct {
	statement statement.ID
	post      traffic.Post
	round     int64
	count     int64
	number    string
	peer      traffic.Party
	form      string
	channel   [32]byte
	dossier   [32]byte
	plane     traffic.Plane
	found     time.Time
	seen      time.Time
	role      string
	incident  string
}

const toldColumns = "statement, post, round, count, number, peer, form, channel, dossier, plane, found, seen, role, incident"

func (t *told) fields() []any {
	return []any{
		bytes32{(*[32]byte)(&t.statement)}, (*string)(&t.post), &t.round, &t.count, &t.number, (*string)(&t.peer), &t.form, bytes32{&t.channel}, bytes32{&t.dossier},
		(*string)(&t.plane), instant{&t.found}, instant{&t.seen}, &t.role, &t.incident,
	}
}

func (t *told) same(u *told) bool {
	return t.statement == u.statement && t.post == u.post && t.round == u.round && t.count == u.count
}

// bytes32 scans 32 bytes.
type bytes32 struct{ to *[32]byte }

// Scan takes what the database holds.
func (b bytes32) Scan(v any) error {
	raw, ok := v.([]byte)
	if !ok || len(raw) != 32 {
		return fmt.Errorf("matching: %T of %d bytes in a column of 32", v, len(raw))
	}
	copy(b.to[:], raw)
	return nil
}

// instant scans unix microseconds, of which 0 is none.
type instant struct{ to *time.Time }

// Scan takes what the database holds.
func (i instant) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("matching: %T in a column of microseconds", v)
	}
	if *i.to = (time.Time{}); n != 0 {
		*i.to = time.UnixMicro(n).UTC()
	}
	return nil
}
