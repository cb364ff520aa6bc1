package programme

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"detente/accord"
	"detente/acts"
	"detente/check"
	"detente/dossier"
	"detente/floor"
	"detente/form"
	"detente/incident"
	"detente/ledger"
	"detente/node"
	"detente/party"
	"detente/statement"
	"detente/store"
	"detente/traffic"
	"detente/watch"
)

// Errors that a caller decides on.
var (
	ErrParties = errors.New("programme: a relation is between two different parties")
	ErrUnknown = errors.New("programme: no such party is known here")
)

// Desk follows what a floor reads, and draws boards of it. Its methods may be called at the same time.
type Desk struct {
	floor *floor.Floor
	node  *node.Node
	cfg   Config

	drawing sync.Mutex               // held by whoever draws: what is kept of files serves one at a time
	kept    map[dossier.Name]*cached // files that were read; guarded by drawing
	weight  int                      // statements in kept

	mu      sync.RWMutex // guards what follows. The floor's own lock comes before it: nothing here asks the floor while it holds this one
	regimes map[[32]byte]*tables
	files   map[where]map[dossier.Name]*noted
	words   map[where][]Utterance
	checks  map[where][]*Check
	answers map[where][]Answer
	places  map[string]Evidence // of acts, by id in hex
	agreed  map[[32]byte][]agreement
	last    map[traffic.Feed]mark
	moved   map[statement.ID]time.Time // statements that count from later than they say
}

// Config is what others at the node read for boards. Acts is needed.
type Config struct {
	// Acts is what the public feeds say of open instruments.
	Acts func(context.Context) (*acts.Reading, error)
	// Account draws the figures of a channel, as its members sign for them. nil: no figures are shown to others.
	Account func(ctx context.Context, channel [32]byte, plane traffic.Plane, p ledger.Period) (*ledger.Account, []ledger.Publication, error)
}

// where is a channel on one plane.
type where struct {
	channel [32]byte
	plane   traffic.Plane
}

type tables struct {
	regime *form.Regime
	cases  *incident.Table
}

// noted is a dossier that boards read.
type noted struct {
	holds Kind
	told  int // how often a statement of it was told of
}

// cached is a file, as it was read when so much had been told of it.
type cached struct {
	told int
	file *File
}

// agreement is a word by which a channel came to be.
type agreement struct {
	link [32]byte
	Utterance
}

// mark is how far a feed was read, and the latest time in it.
type mark struct {
	index int64
	at    time.Time
}

// mostKept bounds the statements of the files that are kept, some 60 MB. What goes beyond is read anew for each board, and costs only time.
const mostKept = 20_000

// New joins a floor. It must be called before the floor runs.
func New(f *floor.Floor, cfg Config) *Desk {
	d := &Desk{
		floor: f, node: f.Node(), cfg: cfg, kept: make(map[dossier.Name]*cached), regimes: make(map[[32]byte]*tables), files: make(map[where]map[dossier.Name]*noted),
		words: make(map[where][]Utterance), checks: make(map[where][]*Check), answers: make(map[where][]Answer), places: make(map[string]Evidence),
		agreed: make(map[[32]byte][]agreement), last: make(map[traffic.Feed]mark), moved: make(map[statement.ID]time.Time),
	}
	f.Join(d)
	return d
}

// Items are none: what needs somebody, those say whose it is.
func (*Desk) Items(time.Time) ([]*watch.Item, time.Time) { return nil, time.Time{} }

// Errand does nothing.
func (*Desk) Errand(context.Context, time.Time) time.Time { return time.Time{} }

// Add notes what boards are drawn of.
func (d *Desk) Add(t *floor.Told) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := Utterance{
		Item: dossier.Item{Statement: t.Statement, Feed: t.Feed, Index: t.Index, Held: t.Held}, Values: t.Values, Within: t.Form.AnswerWithin(t.Statement.Precedence), Stated: d.stated(t),
	}
	at := where{t.Feed.Channel, t.Feed.Plane}
	switch t.Kind {
	case party.Link:
		if id, ok := channelOf(t); ok {
			d.agreed[id] = append(d.agreed[id], agreement{t.Feed.Channel, u})
		}
	case party.Public:
		if slices.Contains(acts.Forms(), t.Statement.Form) {
			d.places[t.Statement.ID().String()] = u.evidence("act", t.Statement.ID().String())
		}
	case party.Common:
		d.addCommon(at, t, u)
	}
}

// stated is when a statement counts as stated: at its time, or at that of the one before it in its feed, if that is later. Nobody says today what he said yesterday.
// What is heard behind later ones, because it waited for a charter, counts from its own time.
func (d *Desk) stated(t *floor.Told) time.Time {
	at, last := t.Statement.IssuedAt.UTC(), d.last[t.Feed]
	if t.Index < last.index {
		return at
	}
	if at.Before(last.at) {
		d.moved[t.Statement.ID()] = last.at
		at = last.at
	}
	d.last[t.Feed] = mark{t.Index, at}
	return at
}

// channelOf is the channel that a word on a link proposes or accepts.
func channelOf(t *floor.Told) (id [32]byte, ok bool) {
	switch t.Statement.Form {
	case accord.Proposal:
		c, err := party.DecodeChannel(t.Values.Bytes("channel"))
		if err != nil {
			return id, false
		}
		return c.ID(), true
	case accord.Acceptance:
		return id, copy(id[:], t.Values.Bytes("channel")) == len(id)
	}
	return id, false
}

func (d *Desk) addCommon(at where, t *floor.Told, u Utterance) {
	st := t.Statement
	switch st.Form {
	case "check":
		c := &Check{ID: st.ID(), From: st.Issuer, To: st.Audience, Level: int(t.Values.Int("level")), Sent: st.IssuedAt, Due: t.Values.Time("reply_by")}
		c.Stated, c.Feed, c.Index = u.Stated, t.Feed, t.Index
		if c.Due.IsZero() && u.Within > 0 {
			c.Due = c.Sent.Add(u.Within)
		}
		d.checks[at] = append(d.checks[at], c)
		return
	case "check-answer":
		if len(st.Refs) == 1 {
			d.answers[at] = append(d.answers[at], Answer{
				ID: st.ID(), To: st.Refs[0], From: st.Issuer, By: t.Values.Text("answered_by"), Clock: st.Clock, Feed: t.Feed, Index: t.Index, Said: st.IssuedAt, Stated: u.Stated,
			})
		}
		return
	case "status", "service", "protected-process", "process-cancellation", "cancellation", "complaint":
		d.words[at] = append(d.words[at], u)
	}
	name := dossier.Name{ID: st.Case(), Channel: at.channel, Plane: at.plane}
	known, holds := d.files[at][name], d.holds(at.channel, t)
	if known == nil {
		if holds == 0 {
			return // where what makes it a file comes later, all of it is read then
		}
		if d.files[at] == nil {
			d.files[at] = make(map[dossier.Name]*noted)
		}
		known = &noted{}
		d.files[at][name] = known
	}
	known.holds |= holds
	known.told++
}

// holds tells what a statement makes of its dossier.
func (d *Desk) holds(channel [32]byte, t *floor.Told) (k Kind) {
	switch t.Statement.Form {
	case "series", "group":
		k |= Talks
	case "negotiation":
		k |= Texts
	case "full-powers", "full-powers-revocation":
		k |= Powers
	case "publication":
		k |= Proposals
	}
	if _, bears := t.Form.Field("case"); bears && k&(Talks|Texts) == 0 {
		if tab := d.tablesOf(channel); tab != nil && tab.cases != nil {
			k |= Cases
		}
	}
	return k
}

// tablesOf reads the regime of a channel once. d.mu is held.
func (d *Desk) tablesOf(channel [32]byte) *tables {
	if t := d.regimes[channel]; t != nil {
		return t
	}
	_, r, err := d.node.Channel(channel)
	if err != nil {
		return nil // it is not in being here yet
	}
	t := &tables{regime: r}
	t.cases, _ = incident.Load(r) // one that cannot be read is of no use here; casework tells the log
	d.regimes[channel] = t
	return t
}

// Board draws the board of two parties on a plane as of a date; the zero time is now, and reads all that is held. public leaves out what is not for others. Errors:
// ErrParties, ErrUnknown.
func (d *Desk) Board(ctx context.Context, x, y traffic.Party, plane traffic.Plane, on time.Time, public bool) (b *Board, err error) {
	err = d.draw(ctx, x, y, plane, func(r *Record) { b = r.Board(on, public) })
	return b, err
}

// draw reads what is held of two parties and has a board drawn of it.
func (d *Desk) draw(ctx context.Context, x, y traffic.Party, plane traffic.Plane, fn func(*Record)) error {
	if x == y || x == "" || y == "" {
		return ErrParties
	}
	for _, p := range []traffic.Party{x, y} {
		if d.node.Chain(p) == nil {
			return fmt.Errorf("%w: %.64s", ErrUnknown, p)
		}
	}
	if err := d.floor.CatchUp(ctx); err != nil {
		return fmt.Errorf("programme: %w", err)
	}
	d.drawing.Lock()
	defer d.drawing.Unlock()
	r, err := d.record(ctx, min(x, y), max(x, y), plane)
	if err != nil {
		return fmt.Errorf("programme: %w", err)
	}
	fn(r)
	return nil
}

// record gathers what is held of two parties.
func (d *Desk) record(ctx context.Context, x, y traffic.Party, plane traffic.Plane) (*Record, error) {
	r := &Record{Of: [2]traffic.Party{x, y}, Plane: plane, Member: d.node.Self() == x || d.node.Self() == y}
	var err error
	if r.Acts, err = d.cfg.Acts(ctx); err != nil {
		return nil, err
	}
	channels, err := d.node.Channels(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range channels {
		if c.Kind != party.Common || !c.Established || !c.Member(x) || !c.Member(y) {
			continue
		}
		r.Member = true
		_, regime, err := d.node.Channel(c.ID())
		if err != nil {
			continue // it was agreed a moment ago
		}
		t := &Thread{Channel: c.Channel, Regime: regime}
		if err := d.fill(ctx, r, t); err != nil {
			return nil, err
		}
		r.Threads = append(r.Threads, t)
	}
	slices.SortFunc(r.Threads, func(a, b *Thread) int {
		idA, idB := a.ID(), b.ID()
		return cmp.Or(strings.Compare(a.Name, b.Name), slices.Compare(idA[:], idB[:]))
	})
	d.mu.RLock()
	defer d.mu.RUnlock()
	r.Places = make(map[string]Evidence, len(d.places))
	for id, e := range d.places {
		r.Places[id] = e
	}
	return r, nil
}

// fill reads a channel.
func (d *Desk) fill(ctx context.Context, r *Record, t *Thread) error {
	at := where{t.ID(), r.Plane}
	type wanted struct {
		name dossier.Name
		noted
	}
	var left []wanted
	d.mu.RLock()
	if tab := d.regimes[at.channel]; tab != nil {
		t.Cases = tab.cases
	}
	t.Words = slices.Clone(d.words[at])
	t.Checks = answered(d.checks[at], d.answers[at])
	t.Agreed = d.firsts(r, at.channel)
	for name, n := range d.files[at] {
		switch {
		case d.kept[name] != nil && d.kept[name].told == n.told:
			t.Files = append(t.Files, d.kept[name].file)
		default:
			left = append(left, wanted{name, *n})
		}
	}
	d.mu.RUnlock()
	sorted(t.Words)
	for some := range slices.Chunk(left, 64) { // so that no transaction is long
		files := make([]*File, len(some))
		err := d.node.DB.View(ctx, func(tx *store.Tx) error {
			for i, w := range some {
				items, err := dossier.Load(ctx, tx, w.name)
				if err != nil {
					return err
				}
				files[i] = d.file(w.name, w.holds, items)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for i, w := range some {
			d.keep(w.name, w.told, files[i])
		}
		t.Files = append(t.Files, files...)
	}
	slices.SortFunc(t.Files, func(a, b *File) int { return compareIDs(a.Name.ID, b.Name.ID) })
	return d.figures(ctx, t, r.Plane)
}

// figures draws the accounts that the members have agreed to publish, where what is held here still gives what they signed.
func (d *Desk) figures(ctx context.Context, t *Thread, plane traffic.Plane) error {
	if d.cfg.Account == nil {
		return nil
	}
	for _, p := range t.published(moment{all: true}) {
		if len(t.Figures) >= mostFigures || !p.Agreed {
			continue
		}
		account, _, err := d.cfg.Account(ctx, t.ID(), plane, p.Period)
		if err != nil {
			return err
		}
		if account.Digest() == p.Figures {
			t.Figures = append(t.Figures, Figures{p, account})
		}
	}
	return nil
}

// mostFigures bounds the accounts of a channel that are drawn for a board, the newest first.
const mostFigures = 24

// file puts the statements of a dossier into the order in which they were stated.
func (d *Desk) file(name dossier.Name, holds Kind, items []dossier.Item) *File {
	f := &File{Name: name, Holds: holds, Items: make([]Utterance, 0, len(items))}
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, it := range items {
		stated := it.Statement.IssuedAt.UTC()
		if at, late := d.moved[it.Statement.ID()]; late {
			stated = at
		}
		f.Items = append(f.Items, Utterance{Item: it, Stated: stated})
	}
	sorted(f.Items)
	return f
}

// keep has a file at hand for the next board. d.drawing is held.
func (d *Desk) keep(name dossier.Name, told int, f *File) {
	if old := d.kept[name]; old != nil {
		d.weight -= 1 + len(old.file.Items)
		delete(d.kept, name)
	}
	if w := 1 + len(f.Items); d.weight+w <= mostKept {
		d.weight += w
		d.kept[name] = &cached{told, f}
	}
}

// firsts are the first words of each of two parties by which a channel came to be: on the link between the two, or for a third party on its own. d.mu is held.
func (d *Desk) firsts(r *Record, channel [32]byte) (out []Utterance) {
	for _, p := range r.Of {
		var first *agreement
		between := false
		for i := range d.agreed[channel] {
			a := &d.agreed[channel][i]
			if a.Statement.Issuer.Party != p || !d.commits(a.Statement) {
				continue
			}
			link, err := d.node.Charter(a.link)
			both := err == nil && link.Member(r.Of[0]) && link.Member(r.Of[1])
			if first == nil || both && !between || both == between && a.Stated.Before(first.Stated) {
				first, between = a, both
			}
		}
		if first != nil {
			out = append(out, first.Utterance)
		}
	}
	return out
}

// commits tells whether the post of a statement may commit its party.
func (d *Desk) commits(s *statement.Statement) bool {
	chain := d.node.Chain(s.Issuer.Party)
	if chain == nil {
		return false
	}
	charter, ok := chain.At(s.Charter)
	return ok && charter.May(s.Issuer.Post, party.Commit)
}

// answered puts the answers to their checks, as package check lets them count.
func answered(checks []*Check, answers []Answer) []*Check {
	by := make(map[statement.ID]*Check, len(checks))
	out := make([]*Check, 0, len(checks))
	for _, c := range checks {
		fresh := *c
		if by[c.ID] == nil {
			by[c.ID] = &fresh
			out = append(out, &fresh)
		}
	}
	for _, a := range answers {
		c := by[a.To]
		if c == nil || a.From.Party == c.From.Party || !check.Counts(c.Level, a.By) || !asks(c.To, a.From.Party) {
			continue
		}
		c.Answers = append(c.Answers, a)
	}
	for _, c := range out {
		slices.SortFunc(c.Answers, func(a, b Answer) int {
			return cmp.Or(cmp.Compare(a.Clock, b.Clock), strings.Compare(a.From.String(), b.From.String()), compareIDs(a.ID, b.ID))
		})
	}
	slices.SortFunc(out, func(a, b *Check) int { return cmp.Or(a.Stated.Compare(b.Stated), compareIDs(a.ID, b.ID)) })
	return out
}

// asks tells whether an audience is, or has in it, a party.
func asks(audience string, p traffic.Party) bool {
	if audience == statement.Everyone {
		return true
	}
	a, err := traffic.ParseAddress(audience)
	return err == nil && a.Party == p
}

// Pair is two parties of whom a board can be drawn.
type Pair struct {
	Of  [2]traffic.Party
	Own bool // this party is one of the two
}

// Relations lists the pairs of parties that are known here, the own ones first. There is a board of every one: of others it shows what is public.
func (d *Desk) Relations(context.Context) (out []Pair) {
	self := d.node.Self()
	all := slices.Sorted(slices.Values(append(d.node.Peers(), self)))
	for i, x := range all {
		for _, y := range all[i+1:] {
			if x != y && len(out) < mostRelations {
				out = append(out, Pair{[2]traffic.Party{x, y}, x == self || y == self})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Pair) int {
		switch {
		case a.Own == b.Own:
			return 0
		case a.Own:
			return -1
		}
		return 1
	})
	return out
}

// mostRelations bounds the pairs of a party that is paired with very many.
const mostRelations = 64
