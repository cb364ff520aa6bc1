// Package chancery is what officers do about instruments over the node: they open negotiations, table and accept wordings, build the manifest, initial, sign.
// It must never let into a statement what this party keeps to itself, nor initial a text that it does not itself render to the same digests.
package chancery

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"detente/dossier"
	"detente/floor"
	"detente/form"
	"detente/instrument"
	"detente/node"
	"detente/party"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// Errors that a caller decides on.
var (
	ErrNoDraft     = errors.New("chancery: no such instrument")
	ErrAmbiguous   = errors.New("chancery: several instruments begin like that")
	ErrRegime      = errors.New("chancery: the regime of the channel knows no instruments")
	ErrProvision   = errors.New("chancery: no such provision")
	ErrWording     = errors.New("chancery: not a wording of this instrument")
	ErrNothing     = errors.New("chancery: there is nothing there for that")
	ErrFrozen      = errors.New("chancery: all have authenticated the text, and it is moved no more")
	ErrOpen        = errors.New("chancery: it waits for agreement")
	ErrManifest    = errors.New("chancery: no such manifest")
	ErrTerms       = errors.New("chancery: terms that no manifest can have")
	ErrDifferent   = errors.New("chancery: the text as it is rendered here is not the text of the manifest")
	ErrPowers      = errors.New("chancery: no full powers for that")
	ErrChannel     = errors.New("chancery: not the charter of a channel between these parties")
	ErrTemplate    = errors.New("chancery: no such template")
	ErrNote        = errors.New("chancery: not a note")
	ErrFile        = errors.New("chancery: not a text of an instrument")
	ErrCommitment  = errors.New("chancery: no commitment can be made of that")
	ErrNoEffect    = errors.New("chancery: it would have no effect")
	ErrUnempowered = errors.New("chancery: it would have no effect for want of full powers")
)

// The forms of the regime instruments/1 that are spoken of by name, protocol.md#instruments.
const (
	FormNegotiation = "negotiation"
	FormPosition    = "position"
	FormCommitment  = "commitment"
	FormPowers      = "full-powers"
	FormRevocation  = "full-powers-revocation"
	FormCertificate = "certificate"
)

// Chancery follows what a floor reads. Its methods may be called at the same time.
type Chancery struct {
	floor *floor.Floor
	node  *node.Node
	self  traffic.Party
	log   *slog.Logger

	reading sync.Mutex // held by whoever folds, so that a negotiation is folded once for each change

	mu      sync.RWMutex              // guards what follows. The floor's own lock comes before it: nothing here asks the floor while it holds this one
	regimes map[[32]byte]*form.Regime // by channel; nil for one that knows no instruments
	drafts  map[dossier.Name]*Draft   // as folded last
	powers  map[place]map[dossier.Name]bool
	changed map[dossier.Name]bool // to be folded anew
	unready map[[32]byte]string   // channels that an instrument in force names, and why they do not come into being
	settled map[[32]byte]bool     // those that are in being
	waiting bool                  // some own commitment may be to be shown
}

// place is where full powers count: in every negotiation of the same channel and plane.
type place struct {
	channel [32]byte
	plane   traffic.Plane
}

// Draft is an instrument and its negotiation, as folded. It is not changed any more.
type Draft struct {
	*instrument.Negotiation
	Name    dossier.Name
	Regime  *form.Regime
	Members []traffic.Party        // of the channel
	Places  map[statement.ID]Place // of its statements

	heard    []instrument.Item             // what was folded
	dossiers map[statement.ID]statement.ID // to which each statement belongs
	order    map[statement.ID]int          // of the entries
	rolling  func() instrument.Rolling
	awaited  map[traffic.Party][]string // provisions on which the others wait for this party
}

// Rolling is the text as it stands, with its brackets. It is made when first asked for.
func (d *Draft) Rolling() instrument.Rolling { return d.rolling() }

// Place is what is known here of a statement beside what it says.
type Place struct {
	Number string
	Held   time.Time // when it came to be held here
}

// New joins a floor. It must be called before the floor runs, and before anything is asked of it. log may be nil.
func New(f *floor.Floor, log *slog.Logger) *Chancery {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Chancery{
		floor: f, node: f.Node(), self: f.Node().Self(), log: log, regimes: make(map[[32]byte]*form.Regime), drafts: make(map[dossier.Name]*Draft),
		powers: make(map[place]map[dossier.Name]bool), changed: make(map[dossier.Name]bool), unready: make(map[[32]byte]string), settled: make(map[[32]byte]bool), waiting: true,
	}
	f.Join(c)
	return c
}

// Self is the party whose chancery it is.
func (c *Chancery) Self() traffic.Party { return c.self }

// Add marks the dossier of a statement to be folded anew, if it is a negotiation. Full powers count in every negotiation of their channel.
func (c *Chancery) Add(t *floor.Told) {
	if t.Kind != party.Common {
		return
	}
	name := dossier.Name{ID: t.Statement.Case(), Channel: t.Feed.Channel, Plane: t.Feed.Plane}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.regimeOf(t.Feed.Channel) == nil {
		return
	}
	at := place{t.Feed.Channel, t.Feed.Plane}
	switch t.Statement.Form {
	case FormPowers, FormRevocation:
		if c.powers[at] == nil {
			c.powers[at] = make(map[dossier.Name]bool)
		}
		c.powers[at][name] = true
		for known := range c.drafts {
			if known.Channel == at.channel && known.Plane == at.plane {
				c.changed[known] = true
			}
		}
	case FormNegotiation:
		c.changed[name] = true
	default: // of a dossier whose opening has not come, all is read once it has
		if c.drafts[name] != nil || c.changed[name] {
			c.changed[name] = true
		}
	}
}

// regimeOf looks once whether the regime of a channel knows instruments. c.mu is held.
func (c *Chancery) regimeOf(channel [32]byte) *form.Regime {
	if r, known := c.regimes[channel]; known {
		return r
	}
	_, r, err := c.node.Channel(channel)
	if err != nil {
		return nil // it is not in being here yet
	}
	if _, ok := r.Latest(FormNegotiation); !ok {
		r = nil
	}
	c.regimes[channel] = r
	return r
}

// Regime is the regime of a channel on which instruments can be negotiated. Error: ErrRegime.
func (c *Chancery) Regime(channel [32]byte) (*form.Regime, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.regimeOf(channel); r != nil {
		return r, nil
	}
	return nil, ErrRegime
}

// Read brings every negotiation up to now.
func (c *Chancery) Read(ctx context.Context) error {
	if err := c.floor.CatchUp(ctx); err != nil {
		return err
	}
	folded, err := c.fold(ctx)
	if folded {
		c.floor.Kick()
	}
	return err
}

// retry is how long until something is tried again that has failed.
const retry = 15 * time.Second

// fold folds what has changed since. Where it fails, what is left is folded the next time.
func (c *Chancery) fold(ctx context.Context) (folded bool, err error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	for {
		c.mu.RLock()
		var name dossier.Name
		var regime *form.Regime
		var powers []dossier.Name
		for name = range c.changed { // any of them: the order does not matter
			regime = c.regimes[name.Channel]
			for p := range c.powers[place{name.Channel, name.Plane}] {
				if p != name {
					powers = append(powers, p)
				}
			}
			break
		}
		c.mu.RUnlock()
		if regime == nil {
			return folded, nil
		}
		d := &Draft{Name: name, Regime: regime, Places: make(map[statement.ID]Place)}
		var items []instrument.Item
		err := c.node.DB.View(ctx, func(tx *store.Tx) error {
			c.mu.Lock()
			delete(c.changed, name) // before it is read: what comes while it is read marks it again
			c.mu.Unlock()
			items, d.Places = nil, make(map[statement.ID]Place)
			for _, n := range append([]dossier.Name{name}, powers...) {
				state, err := dossier.Read(ctx, tx, n, regime)
				if err != nil {
					return err
				}
				items = append(items, d.items(state, n != name)...)
			}
			return nil
		})
		if err != nil {
			c.mu.Lock()
			c.changed[name] = true
			c.mu.Unlock()
			return folded, fmt.Errorf("chancery: %w", err)
		}
		if ch, _, err := c.node.Channel(name.Channel); err == nil {
			d.Members = ch.Members
		}
		d.folds(items)
		c.mu.Lock()
		if d.Negotiation.ID != (statement.ID{}) {
			c.drafts[name] = d
			c.waiting = true
		}
		c.mu.Unlock()
		folded = true
	}
}

// folds keeps what the items come to.
func (d *Draft) folds(items []instrument.Item) {
	d.heard, d.Negotiation, d.order = items, instrument.Fold(items), make(map[statement.ID]int, len(items))
	for i := range d.Entries {
		d.order[d.Entries[i].ID] = i
	}
	d.rolling = sync.OnceValue(d.Negotiation.Rolling)
	d.awaited = make(map[traffic.Party][]string)
	for _, p := range d.Opening.Parties {
		d.awaited[p] = d.waiting(p)
	}
}

// Errand folds what has changed, shows what is to be shown, and brings about what takes effect by itself.
func (c *Chancery) Errand(ctx context.Context, now time.Time) (again time.Time) {
	folded, err := c.fold(ctx)
	if folded {
		c.floor.Kick()
	}
	if err == nil {
		err = c.reveal(ctx)
	}
	if err == nil {
		again, err = c.effects(ctx, now)
	}
	if err != nil && ctx.Err() == nil {
		c.log.Error("instruments wait", "reason", err)
		again = sooner(again, now.Add(retry))
	}
	return again
}

// Work does now what Errand does in its time, for whoever looks at a node that does not run: with a pouch, nobody else would.
func (c *Chancery) Work(ctx context.Context) error {
	if err := c.floor.CatchUp(ctx); err != nil {
		return err
	}
	c.Errand(ctx, time.Now())
	return c.Read(ctx)
}

// sooner is the earlier of two moments, of which a zero one is never.
func sooner(a, b time.Time) time.Time {
	if b.IsZero() || !a.IsZero() && a.Before(b) {
		return a
	}
	return b
}

// items gives the statements of a dossier to the fold, and notes where they stand. Of a dossier of full powers only these are taken.
func (d *Draft) items(state *dossier.State, only bool) (out []instrument.Item) {
	if d.dossiers == nil {
		d.dossiers = make(map[statement.ID]statement.ID)
	}
	for i := range state.Entries {
		e := &state.Entries[i]
		h := &e.Statement.Header
		if only && h.Form != FormPowers && h.Form != FormRevocation {
			continue
		}
		it := instrument.Item{
			ID: e.Statement.ID(), Issuer: h.Issuer, Audience: h.Audience, At: h.IssuedAt, Channel: h.Channel, Plane: h.Plane, Form: h.Form, Refs: h.Refs,
			Clock: h.Clock, Cancelled: e.Standing == dossier.Cancelled,
		}
		if e.Standing == dossier.Invalid || e.Standing == dossier.OutOfOrder {
			it.Void = e.Why
		}
		if f, ok := d.Regime.Form(h.Form, h.Version); ok {
			v, err := f.Decode(e.Statement.Payload)
			if err != nil && it.Void == "" {
				it.Void = "bad-payload" // a judge would have said so: protocol.md#held
			}
			it.Values = v
		}
		d.dossiers[it.ID] = state.ID
		d.Places[it.ID] = Place{traffic.Number(e.Statement.Issuer, e.Feed, e.Index), e.Held}
		out = append(out, it)
	}
	return out
}

// Filter narrows a list of instruments; its zero value is all of them.
type Filter struct {
	Channel *[32]byte
	Plane   traffic.Plane
	Open    bool // only those that are neither ended nor lapsed
}

// Drafts lists the instruments, the one first in which something was said last.
func (c *Chancery) Drafts(ctx context.Context, only Filter) ([]*Draft, error) {
	if err := c.Read(ctx); err != nil {
		return nil, err
	}
	now := time.Now()
	c.mu.RLock()
	defer c.mu.RUnlock()
	var out []*Draft
	for name, d := range c.drafts {
		switch r := d.Status(now).Rung; {
		case only.Channel != nil && *only.Channel != name.Channel, only.Plane != "" && only.Plane != name.Plane:
		case only.Open && (r == instrument.Ended || r == instrument.Lapsed):
		default:
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b *Draft) int {
		return cmp.Or(b.Last().Compare(a.Last()), cmp.Compare(b.clock(), a.clock()), bytes.Compare(a.Name.ID[:], b.Name.ID[:]))
	})
	return out, nil
}

// clock is the latest in it, which tells apart what was said within one second.
func (d *Draft) clock() int64 {
	for i := range slices.Backward(d.Entries) {
		if e := &d.Entries[i]; e.Form != FormPowers {
			return e.Clock
		}
	}
	return 0
}

// Last is when something was said in it last.
func (d *Draft) Last() (last time.Time) {
	for i := range d.Entries {
		if at := d.Entries[i].At; at.After(last) && d.Entries[i].Form != FormPowers {
			last = at
		}
	}
	return last
}

// Number is that of the statement that opened it.
func (d *Draft) Number() string { return d.Places[d.ID].Number }

// Named is its title in a language, or in its first one.
func (d *Draft) Named(lang string) string {
	title := d.TitleTexts()
	if t := title[lang]; t != "" {
		return t
	}
	for _, l := range d.Opening.Languages {
		if t := title[l]; t != "" {
			return t
		}
	}
	return d.Number()
}

// TitleTexts is the title that all stand on, or else the one that the negotiation was opened with.
func (d *Draft) TitleTexts() map[string]string {
	if p := d.Provisions[instrument.Title]; p != nil {
		if agreed, _ := d.Agreed(instrument.Title); agreed {
			for _, s := range p.Stands {
				return s.Texts
			}
		}
	}
	return d.Opening.Title
}

// Draft finds an instrument by the number of one of its statements, or by four or more digits of an id. Errors: ErrNoDraft, ErrAmbiguous.
func (c *Chancery) Draft(ctx context.Context, notation string) (*Draft, error) {
	all, err := c.Drafts(ctx, Filter{})
	if err != nil {
		return nil, err
	}
	wanted := strings.ToLower(strings.TrimSpace(notation))
	var found []*Draft
	for _, d := range all {
		if d.known(wanted) {
			found = append(found, d)
		}
	}
	if len(found) > 1 { // the id of a negotiation goes before those of what was said in it
		if exact := slices.DeleteFunc(slices.Clone(found), func(d *Draft) bool {
			return !strings.HasPrefix(d.Name.ID.String(), wanted) && !strings.EqualFold(d.Number(), wanted)
		}); len(exact) == 1 {
			found = exact
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("%w: %q", ErrNoDraft, notation)
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("%w: %q", ErrAmbiguous, notation)
}

// known tells whether an instrument goes by a notation, in small letters.
func (d *Draft) known(wanted string) bool {
	for i := range d.Entries {
		e := &d.Entries[i]
		if strings.EqualFold(d.Places[e.ID].Number, wanted) || len(wanted) >= 4 && strings.HasPrefix(e.ID.String(), wanted) {
			return true
		}
	}
	return len(wanted) >= 4 && slices.ContainsFunc(d.Manifests, func(m *instrument.Manifest) bool {
		return strings.HasPrefix(fmt.Sprintf("%x", m.Hash), wanted)
	})
}
