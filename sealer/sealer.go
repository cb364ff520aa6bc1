// Package sealer runs sealing rounds over the node: it opens them, deposits consents, decides for the own sealers, and collects what makes a certificate.
// It must never sign before what it signs is durable, here and beside the keys, nor sign in a round of which it may have forgotten something.
package sealer

import (
	"context"
	"crypto/hpke"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"detente/floor"
	"detente/form"
	"detente/key"
	"detente/node"
	"detente/party"
	"detente/sealing"
	"detente/statement"
	"detente/store"
	"detente/traffic"
	"detente/watch"
)

// Errors that a caller decides on.
var (
	ErrNoRound   = errors.New("sealer: no such round or manifest")
	ErrAmbiguous = errors.New("sealer: several begin like that")
	ErrPlain     = errors.New("sealer: the manifest names no sealers")
	ErrNotOurs   = errors.New("sealer: this party does not take part in the round")
	ErrNoKeys    = errors.New("sealer: the keys that the manifest names are not here")
	ErrLate      = errors.New("sealer: the deadline has passed")
	ErrPending   = errors.New("sealer: the round is not decided")
	ErrRestored  = errors.New("sealer: this sealer has said more than its database knows: it was restored from an old copy, and says nothing more in this round")
	ErrClosed    = errors.New("sealer: what was said before may not all be back yet")
)

// The forms of a round.
const (
	FormManifest    = "manifest"
	FormRound       = "seal-round"
	FormPacket      = "seal-packet"
	FormFinal       = "seal-final"
	FormCertificate = "certificate"
)

// Config is what a desk is made of.
type Config struct {
	// MarksDir is where it is kept, beside the keys and outside the database, what the own sealers have signed. It must not be restored together with the
	// database. Empty: this node seals nothing.
	MarksDir string
	// Fault is the tests' lever: it is called before a mark is written ("mark") and after ("marked"), and makes that step fail, or fail after it was kept.
	Fault func(step string) error
	Log   *slog.Logger // nil discards
}

// Desk is the sealing rounds of a node. Its methods may be called at the same time.
type Desk struct {
	cfg     Config
	floor   *floor.Floor
	node    *node.Node
	self    traffic.Party
	log     *slog.Logger
	marks   *marks
	started time.Time

	working sync.Mutex // held by whoever acts, so that a process does each thing once

	mu        sync.Mutex // guards what follows; the floor's own lock comes before it
	rounds    map[[32]byte]*round
	manifests map[[32]byte]statement.ID // that were declared
	waiting   map[traffic.Party]*queue  // what came before its round, by who sent it
}

// round is what is held of one round.
type round struct {
	*sealing.Round
	channel   [32]byte
	plane     traffic.Plane
	dossier   statement.ID
	opened    statement.ID
	by        traffic.Address
	at        time.Time
	evidence  sealing.Evidence // good, none twice
	outcome   sealing.Outcome  // of it
	since     time.Time        // when this process first saw it decided
	certified sealing.State    // by the certificates that are held
	deposited bool             // this party has sent packets to sealers, whatever is in them
	papers    map[traffic.Party]int
	own       map[traffic.Address]*duty // of this party's sealers
}

// duty is what one own sealer has to do in a round.
type duty struct {
	packets map[traffic.Party][][]byte // not taken in yet, by who sent them
	relayed map[traffic.Address]time.Time
	said    bool  // its final statement stands in the own feed
	refused error // why it says nothing
}

// mostPackets is how many packets of one sender wait for one sealer at a time. An honest one sends few; what is more is dropped, to nobody else's loss.
const mostPackets = 16

// New joins a floor. It must be called before the floor runs. Errors: those of reading the marks.
func New(f *floor.Floor, cfg Config) (*Desk, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Fault == nil {
		cfg.Fault = func(string) error { return nil }
	}
	m, err := openMarks(cfg.MarksDir, cfg.Fault)
	if err != nil {
		return nil, err
	}
	d := &Desk{
		cfg: cfg, floor: f, node: f.Node(), self: f.Node().Self(), log: cfg.Log, marks: m, started: time.Now(),
		rounds: make(map[[32]byte]*round), manifests: make(map[[32]byte]statement.ID), waiting: make(map[traffic.Party]*queue),
	}
	f.Join(d)
	return d, nil
}

// Self is the party whose desk it is.
func (d *Desk) Self() traffic.Party { return d.self }

// Schema is the tables of this package: what each own sealer holds and has decided, and which deposits were sent. None of it leaves the database.
func Schema() store.Schema {
	return store.Schema{Package: "sealer", Steps: []string{`
CREATE TABLE sealing_rounds (
	round  {bytes} NOT NULL, -- hash of the manifest
	sealer TEXT NOT NULL,    -- party/post
	record {bytes} NOT NULL, -- sealing.Sealer.Record
	PRIMARY KEY (round, sealer)
);
CREATE TABLE sealing_deposits (
	round  {bytes} NOT NULL,
	sealer TEXT NOT NULL,
	blank  {bigint} NOT NULL, -- 1 for a packet of nothing
	sent   {bigint} NOT NULL, -- unix seconds
	PRIMARY KEY (round, sealer, blank)
);`}}
}

// Add takes in what the floor has read.
func (d *Desk) Add(t *floor.Told) {
	if t.Kind != party.Common {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch t.Statement.Form {
	case FormManifest:
		h := sealing.HashOf(t.Values.Bytes("manifest"))
		if _, known := d.manifests[h]; !known {
			d.manifests[h] = t.Statement.ID()
		}
	case FormRound:
		d.open(t)
	case FormPacket, FormFinal, FormCertificate:
		hash := [32]byte(t.Values.Bytes("round"))
		if r := d.rounds[hash]; r != nil {
			d.take(r, t)
			return
		}
		from := t.Statement.Issuer.Party
		if d.waiting[from] == nil {
			d.waiting[from] = new(queue)
		}
		d.waiting[from].push(hash, t)
	}
}

// open begins a round, if it is one: stated by a party to it, on the plane and in the dossier that the manifest names. d.mu is held.
func (d *Desk) open(t *floor.Told) {
	s := t.Statement
	b := t.Values.Bytes("manifest")
	hash := sealing.HashOf(b)
	if d.rounds[hash] != nil {
		return // the first one counts; the same round twice is one round
	}
	if live, all := d.opened(s.Issuer.Party, time.Now()); live >= mostLive || all >= mostRounds {
		d.log.Warn("a member opens more sealing rounds than are looked at", "party", s.Issuer.Party, "statement", s.ID())
		return
	}
	opened, err := sealing.Open(b, key.Standard())
	if err != nil {
		d.log.Warn("a sealing round that is none", "statement", s.ID(), "reason", err)
		return
	}
	m := opened.Manifest()
	_, takes := m.Party(s.Issuer.Party)
	if !takes || len(m.Sealers) == 0 || s.IssuedAt.After(m.Deadline) || m.Plane != t.Feed.Plane || statement.ID(m.Instrument) != s.Dossier {
		d.log.Warn("a sealing round is not opened: by another than its parties, without sealers, too late, or in another place than its manifest says", "statement", s.ID())
		return
	}
	r := &round{
		Round: opened, channel: t.Feed.Channel, plane: t.Feed.Plane, dossier: s.Dossier, opened: s.ID(), by: s.Issuer, at: s.IssuedAt,
		papers: make(map[traffic.Party]int), own: make(map[traffic.Address]*duty),
	}
	r.outcome = r.Verdict(r.evidence)
	for _, member := range m.Sealers {
		if member.Party == d.self {
			r.own[member.Address()] = &duty{packets: make(map[traffic.Party][][]byte), relayed: make(map[traffic.Address]time.Time)}
		}
	}
	d.rounds[hash] = r
	for _, q := range d.waiting {
		for _, early := range q.pull(hash) {
			d.take(r, early)
		}
	}
}

// How many rounds of one member are kept, of those that have not ended and in all: each costs memory here, and nothing its author.
const (
	mostLive   = 64
	mostRounds = 1024
)

// opened counts the rounds that a member has opened. d.mu is held.
func (d *Desk) opened(p traffic.Party, now time.Time) (live, all int) {
	for _, r := range d.rounds {
		if r.by.Party == p {
			if all++; now.Before(r.Manifest().Final()) {
				live++
			}
		}
	}
	return live, all
}

// take takes in what came in a round. Only what is in the round's own place counts. d.mu is held.
func (d *Desk) take(r *round, t *floor.Told) {
	if t.Feed.Channel != r.channel || t.Feed.Plane != r.plane {
		return
	}
	from := t.Statement.Issuer
	switch t.Statement.Form {
	case FormPacket:
		to, err := traffic.ParseAddress(t.Values.Text("to"))
		if err != nil {
			return
		}
		if from.Party == d.self {
			own, takes := r.Manifest().Party(d.self)
			r.deposited = r.deposited || takes && own.Post == from.Post
		}
		if w := r.own[from]; w != nil {
			w.relayed[to] = t.Statement.IssuedAt
		}
		if w := r.own[to]; w != nil && !w.said && w.refused == nil && len(w.packets[from.Party]) < mostPackets {
			w.packets[from.Party] = append(w.packets[from.Party], t.Values.Bytes("packet"))
		}
	case FormFinal:
		final, err := sealing.DecodeFinal(t.Values.Bytes("final"))
		if err != nil || final.Sealer.Party != from.Party {
			return // what a sealer signed may be carried by others in a certificate, which is limited
		}
		if r.holds(final) {
			return // and what comes with it the second time is not looked at
		}
		e := sealing.Evidence{}
		if b := t.Values.Bytes("evidence"); b != nil {
			if e, err = sealing.DecodeEvidence(b); err != nil {
				e = sealing.Evidence{}
			}
		}
		e.Finals = []sealing.Final{final}
		r.merge(e)
	case FormCertificate:
		if r.papers[from.Party]++; r.papers[from.Party] > mostPapers {
			return
		}
		e, err := sealing.DecodeEvidence(t.Values.Bytes("evidence"))
		if err != nil {
			return
		}
		if state := r.Verdict(e).State; decided(state) {
			r.certified = worse(r.certified, state)
		}
		r.merge(e)
	}
	if decided(r.outcome.State) && r.since.IsZero() {
		r.since = time.Now()
	}
}

// mostPapers is how many certificates of one member are looked at in a round: each costs the verification of all that is in it.
const mostPapers = 4

func decided(s sealing.State) bool { return s != sealing.StatePending && s != sealing.StatePlain }

// worse is the state that two certificates show together: two that differ are a contradiction.
func worse(a, b sealing.State) sealing.State {
	if a == "" || a == b {
		return b
	}
	return sealing.StateContested
}

// holds tells whether a good final of that sealer and decision is there.
func (r *round) holds(f sealing.Final) bool {
	return slices.ContainsFunc(r.evidence.Finals, func(old sealing.Final) bool { return old.Sealer == f.Sealer && old.Decision == f.Decision })
}

// merge adds what is good and new. Consents that come with a final that is not good are not looked at.
func (r *round) merge(e sealing.Evidence) {
	good := true
	for _, f := range e.Finals {
		switch {
		case r.holds(f):
		case r.CheckFinal(f) == nil:
			r.evidence.Finals = append(r.evidence.Finals, f)
			if w := r.own[f.Sealer]; w != nil { // whoever brings it: it has signed
				w.said, w.packets = true, make(map[traffic.Party][][]byte)
			}
		default:
			good = false
		}
	}
	if !good {
		e.Consents = nil
	}
	for _, c := range e.Consents {
		held := slices.ContainsFunc(r.evidence.Consents, func(old sealing.Consent) bool { return old.Party == c.Party })
		if !held && r.CheckConsent(c) == nil {
			r.evidence.Consents = append(r.evidence.Consents, c)
		}
	}
	r.outcome = r.Verdict(r.evidence)
}

// Items tell of a consent that is not deposited, an own sealer that takes no part, and a contradiction.
func (d *Desk) Items(now time.Time) (items []*watch.Item, again time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for hash, r := range d.rounds {
		m := r.Manifest()
		item := func(say, part string, post traffic.Post, args ...any) *watch.Item {
			it := &watch.Item{
				Kind: watch.Instrument, Key: watch.Key(watch.Instrument, say, Name(hash), part), Post: post, Plane: r.plane, Precedence: traffic.Priority, Say: say,
				Args: append([]any{Name(hash)[:shown]}, args...), Statement: r.opened, Form: FormRound, Channel: r.channel, Since: r.at,
			}
			items = append(items, it)
			return it
		}
		if own, takes := m.Party(d.self); takes && !r.deposited && !now.After(m.Deadline) {
			it := item("seal.deposit", "", own.Post, m.Deadline)
			it.Due, it.Handling = m.Deadline, m.Deadline.Sub(r.at)
			if t := m.Deadline.Add(time.Second); again.IsZero() || t.Before(again) {
				again = t
			}
		}
		for a, w := range r.own {
			if w.refused != nil && !w.said && r.outcome.State == sealing.StatePending {
				item("seal.refused", a.String(), a.Post, a.String()).Sticky = true
			}
		}
		if r.outcome.State == sealing.StateContested {
			item("seal.contested", "", "").Sticky = true
		}
	}
	return items, again
}

// shown is how much of a round's name people read.
const shown = 12

// Errand does what is due in every round.
func (d *Desk) Errand(ctx context.Context, now time.Time) (again time.Time) {
	d.working.Lock()
	defer d.working.Unlock()
	d.mu.Lock()
	var list []*round
	for _, r := range d.rounds {
		list = append(list, r)
	}
	d.mu.Unlock()
	sooner := func(t time.Time) {
		if !t.IsZero() && (again.IsZero() || t.Before(again)) {
			again = t
		}
	}
	for _, r := range list {
		for a := range r.own {
			next, err := d.seal(ctx, r, a)
			if err != nil && ctx.Err() == nil {
				d.log.Error("a sealer cannot go on", "round", Name(r.Hash()), "sealer", a, "reason", err)
				next = now.Add(retry)
			}
			sooner(next)
		}
		next, err := d.certify(ctx, r)
		if err != nil && ctx.Err() == nil {
			d.log.Error("a certificate cannot be stated", "round", Name(r.Hash()), "reason", err)
			next = now.Add(retry)
		}
		sooner(next)
	}
	return again
}

// retry is how long until a thing is tried again after it has failed.
const retry = 30 * time.Second

// Work does now what Errand does in its time, for whoever looks at a node that does not run: with a pouch, nobody else would.
func (d *Desk) Work(ctx context.Context) error {
	if err := d.floor.CatchUp(ctx); err != nil {
		return err
	}
	d.Errand(ctx, time.Now())
	return d.floor.CatchUp(ctx)
}

// signers are the private keys that the manifest names for a member, in its order. Error: ErrNoKeys.
func (d *Desk) signers(m sealing.Member) ([]key.Signer, error) {
	ring := d.node.Keys()
	var list []key.Signer
	for _, k := range m.Keys {
		private := ring.Private(k.ID())
		if private == nil {
			return nil, ErrNoKeys
		}
		list = append(list, private)
	}
	return list, nil
}

func (d *Desk) unsealing(id key.ID) hpke.PrivateKey { return d.node.Keys().Unsealing(id) }

// receiving is the key that packets to a sealer are encrypted to, nil for one whose charter is not here.
func (d *Desk) receiving(a traffic.Address) []byte {
	chain := d.node.Chain(a.Party)
	if chain == nil {
		return nil
	}
	return chain.Latest().Node.Sealing.Public
}

func (d *Desk) language() string {
	if l := d.node.Chain(d.self).Latest().Languages; len(l) > 0 {
		return l[0]
	}
	return "en"
}

// draft is a statement in a round.
func (d *Desk) draft(r *round, from traffic.Post, to, formID, drafter string, v form.Values) node.Draft {
	return node.Draft{
		Channel: r.channel, Plane: r.plane, Precedence: traffic.Priority, Post: from, Audience: to, Form: formID, Values: v,
		Dossier: r.dossier, Refs: []statement.ID{r.opened}, Language: d.language(), Drafter: drafter,
	}
}
