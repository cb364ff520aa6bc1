// Package casework is what officers do about cases: it keeps the file of each, says who owes what next, finds declared activities, allots numbers.
// It must never decide how a case stands, which the fold of package incident does, nor let what only this side knows enter into it.
package casework

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"detente/dossier"
	"detente/floor"
	"detente/form"
	"detente/incident"
	"detente/node"
	"detente/party"
	"detente/statement"
	"detente/store"
	"detente/traffic"
	"detente/watch"
)

// Errors that a caller decides on.
var (
	ErrNoCase    = errors.New("casework: no such case")
	ErrAmbiguous = errors.New("casework: several cases begin like that")
	ErrNoTable   = errors.New("casework: the regime of the channel knows no cases")
	ErrNothing   = errors.New("casework: the case asks for no such statement from here")
)

// Casework follows what a floor reads. Its methods may be called at the same time.
type Casework struct {
	floor *floor.Floor
	node  *node.Node
	self  traffic.Party
	log   *slog.Logger

	reading sync.Mutex // held by whoever folds, so that a case is folded once for each change

	mu       sync.RWMutex                    // guards what follows. The floor's own lock comes before it: nothing here asks the floor while it holds this one
	regimes  map[[32]byte]*tables            // by channel; nil for one whose regime knows no cases
	cases    map[dossier.Name]*incident.Case // as folded last
	places   map[dossier.Name][]place        // of the statements of a case, in their order
	changed  map[dossier.Name]bool           // to be folded anew
	reserved map[incident.Number]bool        // allotted here, and not in a case yet
	counted  map[dossier.Name]*reckoned      // those that the ledger reads
	weight   int                             // of the parts that are kept in counted

	viewing sync.Mutex            // guards views; mu comes before it
	views   map[dossier.Name]seen // how they stood last
	heard   heard
}

// tables is what the regime of a channel says about cases.
type tables struct {
	regime *form.Regime
	cases  *incident.Table
	book   *incident.Codebook // nil where there is none
}

// place is what is known here of a statement beside what it says.
type place struct {
	number string
	held   time.Time    // when it came to be held here
	post   traffic.Post // own one that it concerns
	reason string       // why it is invalid
}

// New joins a floor. It must be called before the floor runs, and before anything is asked of it. log may be nil.
func New(f *floor.Floor, log *slog.Logger) *Casework {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Casework{
		floor: f, node: f.Node(), self: f.Node().Self(), log: log, regimes: make(map[[32]byte]*tables), cases: make(map[dossier.Name]*incident.Case),
		places: make(map[dossier.Name][]place), changed: make(map[dossier.Name]bool), reserved: make(map[incident.Number]bool),
		counted: make(map[dossier.Name]*reckoned), heard: heard{asked: make(map[statement.ID]observed), found: make(map[statement.ID]string)},
	}
	f.Join(c)
	return c
}

// Add marks the dossier of a statement to be folded anew, if it is a case. What it says is read from the database then, with all that belongs to it.
func (c *Casework) Add(t *floor.Told) {
	if t.Kind != party.Common {
		return
	}
	name := dossier.Name{ID: t.Statement.Dossier, Channel: t.Feed.Channel, Plane: t.Feed.Plane}
	if t.Statement.Dossier == [32]byte{} {
		name.ID = t.Statement.ID()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.counted[name]
	if known == nil && counts(t) {
		known = &reckoned{}
		c.counted[name] = known
	}
	if known != nil {
		known.told++
	}
	tab := c.tablesOf(t.Feed.Channel)
	if tab == nil {
		return
	}
	// Forms of cases bear a number. Others, such as acknowledgements, count in a case that is known; where they come first, the form that
	// makes it a case has everything read.
	if _, bears := t.Form.Field("case"); bears || c.cases[name] != nil {
		c.changed[name] = true
	}
}

// tablesOf reads the tables of a channel's regime once. c.mu is held.
func (c *Casework) tablesOf(channel [32]byte) *tables {
	if t, known := c.regimes[channel]; known {
		return t
	}
	_, regime, err := c.node.Channel(channel)
	if err != nil {
		return nil // it is not in being here yet
	}
	t := &tables{regime: regime}
	if t.cases, err = incident.Load(regime); err != nil {
		if !errors.Is(err, incident.ErrNone) {
			c.log.Error("the regime's table of cases cannot be read", "regime", regime.ID, "reason", err)
		}
		t = nil
	} else if t.book, err = incident.LoadCodebook(regime); err != nil && !errors.Is(err, incident.ErrNone) {
		c.log.Error("the regime's codebook cannot be read", "regime", regime.ID, "reason", err)
	}
	c.regimes[channel] = t
	return t
}

// Read brings every case up to now.
func (c *Casework) Read(ctx context.Context) error {
	if err := c.floor.CatchUp(ctx); err != nil {
		return err
	}
	folded, err := c.fold(ctx)
	if folded {
		c.floor.Kick()
	}
	return err
}

// Errand folds what has changed, so that the board shows it. The floor looks again at what it tells of then.
func (c *Casework) Errand(ctx context.Context, now time.Time) (again time.Time) {
	folded, err := c.fold(ctx)
	if err != nil {
		c.log.Error("cases could not be read", "reason", err)
		return now.Add(retry)
	}
	if folded {
		c.floor.Kick()
	}
	return time.Time{}
}

// retry is how long until cases are read again after the database has failed.
const retry = 15 * time.Second

// fold folds what has changed since. Where it fails, what is left is folded the next time.
func (c *Casework) fold(ctx context.Context) (folded bool, err error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	for {
		c.mu.RLock()
		var name dossier.Name
		var tab *tables
		for name = range c.changed { // any of them: the order does not matter
			tab = c.regimes[name.Channel]
			break
		}
		c.mu.RUnlock()
		if tab == nil {
			c.match(time.Now())
			return folded, nil
		}
		var state *dossier.State
		err := c.node.DB.View(ctx, func(tx *store.Tx) (err error) {
			c.mu.Lock()
			delete(c.changed, name) // before it is read: what comes while it is read marks it again
			c.mu.Unlock()
			state, err = dossier.Read(ctx, tx, name, tab.regime)
			return err
		})
		if err != nil {
			c.mu.Lock()
			c.changed[name] = true
			c.mu.Unlock()
			return folded, fmt.Errorf("casework: %w", err)
		}
		c.keep(name, tab, state)
		folded = true
	}
}

// keep folds a dossier into its case, and keeps that.
func (c *Casework) keep(name dossier.Name, tab *tables, state *dossier.State) {
	places := make([]place, 0, len(state.Entries))
	for i := range state.Entries {
		e := &state.Entries[i]
		p := place{traffic.Number(e.Statement.Issuer, e.Feed, e.Index), e.Held, e.Statement.Issuer.Post, e.Reason}
		if e.Statement.Issuer.Party != c.self {
			p.post = c.floor.PostFor(e.Statement)
		}
		places = append(places, p)
	}
	folded := tab.cases.Fold(state.Items(tab.regime))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listen(c.cases[name], folded)
	if len(folded.Matters) == 0 && folded.Number == (incident.Number{}) {
		delete(c.cases, name)
		delete(c.places, name)
		c.viewing.Lock()
		delete(c.views, name)
		c.viewing.Unlock()
		return
	}
	c.cases[name], c.places[name] = folded, places
	delete(c.reserved, folded.Number)
}

// Items are what cases need beside what every statement asks for: a deadline of the table that is this party's, or that another has missed.
func (c *Casework) Items(now time.Time) (items []*watch.Item, again time.Time) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for name, k := range c.cases {
		v := c.view(name, k, now)
		again = sooner(again, v.Next())
		for i := range v.Owed {
			if it := c.item(name, v, k, &v.Owed[i]); it != nil {
				items = append(items, it)
			}
		}
	}
	return items, again
}

// covered tells whether the board of the floor has a deadline already: the acknowledgement or the answer that the statement it runs from asks for by its form.
func (t *tables) covered(d *incident.Due, formID string) bool {
	fm, ok := t.regime.Latest(formID)
	return ok && d.Limit != "" && (d.Limit == fm.MustAcknowledge || d.Limit == fm.MustAnswer)
}

// owes tells whether a deadline is this party's: it is named, or among all whom the matter was addressed to.
func (c *Casework) owes(v *incident.View, d *incident.Due) bool {
	if d.Owner != "" {
		return d.Owner == c.self
	}
	i := slices.IndexFunc(v.Matters, func(m incident.Standing) bool { return m.ID == d.Matter })
	return i >= 0 && v.Matters[i].Asker != c.self
}

// item is what a deadline asks of somebody, nil where it asks nothing that others do not ask already. c.mu is held.
func (c *Casework) item(name dossier.Name, v *incident.View, k *incident.Case, d *incident.Due) *watch.Item {
	ours, late := c.owes(v, d), d.Late(v.Now)
	if d.By == incident.Nobody || d.Soft || !ours && !late {
		return nil
	}
	i := placeOf(k, d.Statement)
	if i < 0 || c.regimes[name.Channel].covered(d, k.Entries[i].Form) {
		return nil
	}
	e := &k.Entries[i]
	it := &watch.Item{
		Kind: watch.Case, Key: watch.Key(watch.Case, d.ID, d.Statement.String()), Plane: name.Plane, Precedence: e.Precedence, Say: "case." + d.ID,
		Args: []any{c.title(name, k), d.At}, Statement: d.Statement, Form: e.Form, Channel: name.Channel, Since: d.Since, Due: d.At, Handling: d.At.Sub(d.Since),
	}
	if !slices.Contains(watch.Says(), it.Say) { // of a regime that is newer than this program
		it.Say = "case.other"
	}
	it.Number, it.Post = c.places[name][i].number, c.places[name][i].post
	if !ours {
		it.Kind, it.Key = watch.Missed, watch.Key(watch.Missed, d.ID, d.Statement.String())
		it.Say, it.Args, it.Peer = "case.missed", []any{c.title(name, k), cmp.Or(string(d.Owner), statement.Everyone), d.At}, d.Owner
		it.Since, it.Due, it.Handling = d.At, time.Time{}, 0
	}
	return it
}

// placeOf is where a statement stands in its case, -1 if it is not there.
func placeOf(k *incident.Case, id statement.ID) int {
	return slices.IndexFunc(k.Entries, func(e incident.Entry) bool { return e.ID == id })
}

// title is by what an officer knows a case: its number, or that of the statement that opened it. c.mu is held.
func (c *Casework) title(name dossier.Name, k *incident.Case) string {
	if n := k.Number.String(); n != "" {
		return n
	}
	return c.places[name][0].number
}

// sooner is the earlier of two moments, of which a zero one is never.
func sooner(a, b time.Time) time.Time {
	if b.IsZero() || !a.IsZero() && a.Before(b) {
		return a
	}
	return b
}
