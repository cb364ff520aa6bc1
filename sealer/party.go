package sealer

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/form"
	"detente/journal"
	"detente/node"
	"detente/sealing"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// Name is a round as it is shown and asked for: its hash in hex, of which a beginning is enough.
func Name(round [32]byte) string { return hex.EncodeToString(round[:]) }

// Proposal is a round to be opened.
type Proposal struct {
	Manifest string // beginning of its hash: a manifest that was declared
	Post     traffic.Post
	Drafter  string
	Releaser string
}

// Propose opens the round of a manifest that was declared on a channel, in its dossier. Errors: ErrNoRound, ErrAmbiguous, ErrPlain, ErrNotOurs, ErrLate,
// those of [node.Node.Send].
func (d *Desk) Propose(ctx context.Context, p Proposal) (node.Sent, error) {
	if err := d.floor.CatchUp(ctx); err != nil {
		return node.Sent{}, err
	}
	s, b, m, err := d.declared(ctx, p.Manifest)
	if err != nil {
		return node.Sent{}, err
	}
	switch _, takes := m.Party(d.self); {
	case len(m.Sealers) == 0:
		return node.Sent{}, ErrPlain
	case !takes:
		return node.Sent{}, ErrNotOurs
	case time.Now().After(m.Deadline):
		return node.Sent{}, ErrLate
	}
	return d.node.Send(ctx, node.Draft{
		Channel: s.Channel, Plane: s.Plane, Precedence: traffic.Priority, Post: p.Post, Audience: statement.Everyone, Form: FormRound,
		Values: form.Values{"manifest": b}, Dossier: s.Case(), Refs: []statement.ID{s.ID()}, Language: d.language(), Drafter: p.Drafter, Releaser: p.Releaser,
	})
}

// Declared is a manifest that was declared on a channel, by a beginning of its hash. Errors: ErrNoRound, ErrAmbiguous, those of sealing.DecodeManifest.
func (d *Desk) Declared(ctx context.Context, prefix string) (*sealing.Manifest, error) {
	if err := d.floor.CatchUp(ctx); err != nil {
		return nil, err
	}
	_, _, m, err := d.declared(ctx, prefix)
	return m, err
}

func (d *Desk) declared(ctx context.Context, prefix string) (*statement.Statement, []byte, *sealing.Manifest, error) {
	d.mu.Lock()
	_, id, err := find(d.manifests, prefix)
	d.mu.Unlock()
	if err != nil {
		return nil, nil, nil, err
	}
	held, err := d.node.Statement(ctx, id)
	if err != nil {
		return nil, nil, nil, err
	}
	f, _, err := d.node.Form(held.Statement)
	if err != nil {
		return nil, nil, nil, err
	}
	v, err := f.Decode(held.Statement.Payload)
	if err != nil {
		return nil, nil, nil, err
	}
	m, err := sealing.DecodeManifest(v.Bytes("manifest"))
	return held.Statement, v.Bytes("manifest"), m, err
}

// find is what a beginning of a hash names. Errors: ErrNoRound, ErrAmbiguous.
func find[V any](all map[[32]byte]V, prefix string) (hash [32]byte, found V, err error) {
	n := 0
	for h, v := range all {
		if strings.HasPrefix(Name(h), strings.ToLower(prefix)) {
			hash, found, n = h, v, n+1
		}
	}
	switch {
	case prefix == "" || n == 0:
		return hash, found, ErrNoRound
	case n > 1:
		return hash, found, ErrAmbiguous
	}
	return hash, found, nil
}

// Deposit is a party's consent, or nothing that looks like it.
type Deposit struct {
	Round   string // beginning of its hash
	Drafter string
	// Blank sends packets of nothing: whoever does not consent, or not yet, looks like whoever does.
	Blank bool
}

// Deposit signs this party's consent and sends it to every sealer, each copy encrypted to that one. It cannot be taken back before the round has ended.
// Sent again, it goes only to those to whom it was not sent: dying in between, or failing, leaves some without it, and a packet that was sent and not noted
// is sent twice, which changes nothing. Errors: ErrNoRound, ErrAmbiguous, ErrNotOurs, ErrNoKeys, ErrLate.
func (d *Desk) Deposit(ctx context.Context, p Deposit) (sent int, err error) {
	d.working.Lock()
	defer d.working.Unlock()
	if err := d.floor.CatchUp(ctx); err != nil {
		return 0, err
	}
	d.mu.Lock()
	hash, r, err := find(d.rounds, p.Round)
	d.mu.Unlock()
	if err != nil {
		return 0, err
	}
	m := r.Manifest()
	member, takes := m.Party(d.self)
	if !takes {
		return 0, ErrNotOurs
	}
	if time.Now().After(m.Deadline) {
		return 0, ErrLate
	}
	var packet sealing.Packet
	if !p.Blank {
		signers, err := d.signers(member)
		if err != nil {
			return 0, err
		}
		consent, err := r.SignConsent(d.self, signers...)
		if err != nil {
			return 0, err
		}
		packet.Consents = []sealing.Consent{consent}
	}
	done, err := d.deposits(ctx, hash)
	if err != nil {
		return 0, err
	}
	blank := int64(0)
	if p.Blank {
		blank = 1
	}
	for _, s := range m.Sealers {
		a := s.Address()
		if slices.ContainsFunc(done, func(o deposited) bool { return o.Sealer == a.String() && o.blank == blank }) {
			continue
		}
		b, packErr := r.SealPacket(packet, a, d.receiving(a))
		if packErr == nil {
			_, packErr = d.node.Send(ctx, d.draft(r, member.Post, a.String(), FormPacket, p.Drafter, form.Values{"round": hash[:], "to": a.String(), "packet": b}))
		}
		if packErr != nil {
			err = errors.Join(err, fmt.Errorf("to %s: %w", a, packErr)) // the others get it all the same: a round is decided by most of them
			continue
		}
		sent++
		if noteErr := d.node.DB.Update(ctx, store.Calm, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO sealing_deposits (round, sealer, blank, sent) VALUES ($1, $2, $3, $4) ON CONFLICT (round, sealer, blank) DO NOTHING`,
				hash[:], a.String(), blank, time.Now().Unix())
			return err
		}); noteErr != nil {
			err = errors.Join(err, fmt.Errorf("sealer: %w", noteErr))
		}
	}
	return sent, err
}

// deposited is one packet that this party has sent.
type deposited struct {
	Sealer string
	blank  int64
	sent   int64
}

func (d *Desk) deposits(ctx context.Context, round [32]byte) (list []deposited, err error) {
	err = d.node.DB.View(ctx, func(tx *store.Tx) error {
		list, err = store.All(ctx, tx, func(o *deposited) []any { return []any{&o.Sealer, &o.blank, &o.sent} },
			`SELECT sealer, blank, sent FROM sealing_deposits WHERE round = $1 ORDER BY sealer, blank`, round[:])
		return err
	})
	if err != nil {
		err = fmt.Errorf("sealer: %w", err)
	}
	return list, err
}

// turn is how long the next party waits before it states the certificate that the one before it should have.
const turn = 10 * time.Minute

// certify states the certificate of a round that is decided, once for all parties if they are there: the first party in the manifest at once, each
// other one a turn later if there is none by then.
func (d *Desk) certify(ctx context.Context, r *round) (again time.Time, err error) {
	m := r.Manifest()
	place := slices.IndexFunc(m.Parties, func(p sealing.Member) bool { return p.Party == d.self })
	d.mu.Lock()
	state, since, certified := r.outcome.State, r.since, r.certified
	d.mu.Unlock()
	if place < 0 || !decided(state) || certified == state {
		return time.Time{}, nil
	}
	if due := since.Add(time.Duration(place) * turn); time.Now().Before(due) {
		return due, nil
	}
	return time.Time{}, d.floor.Once(ctx, "certificate:"+Name(r.Hash())+":"+string(state), "said", func() error {
		d.mu.Lock()
		certified := r.certified
		d.mu.Unlock()
		if certified == state {
			return nil
		}
		_, err := d.publish(ctx, r, m.Parties[place].Post, journal.Machine)
		return err
	})
}

func (d *Desk) publish(ctx context.Context, r *round, post traffic.Post, drafter string) (node.Sent, error) {
	d.mu.Lock()
	e, state := r.Deciding(r.evidence), r.outcome.State
	d.mu.Unlock()
	if !decided(state) {
		return node.Sent{}, ErrPending
	}
	b, err := e.Encode()
	if err != nil {
		return node.Sent{}, err
	}
	hash := r.Hash()
	return d.node.Send(ctx, d.draft(r, post, statement.Everyone, FormCertificate, drafter, form.Values{"round": hash[:], "evidence": b}))
}

// Certify states the certificate of a decided round now. Errors: ErrNoRound, ErrAmbiguous, ErrPending.
func (d *Desk) Certify(ctx context.Context, round string, post traffic.Post, drafter string) (node.Sent, error) {
	r, err := d.named(ctx, round)
	if err != nil {
		return node.Sent{}, err
	}
	return d.publish(ctx, r, post, drafter)
}

// File is what anybody needs to verify the verdict: the manifest and the evidence. Errors: ErrNoRound, ErrAmbiguous.
func (d *Desk) File(ctx context.Context, round string) ([]byte, error) {
	r, err := d.named(ctx, round)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	e := r.Deciding(r.evidence)
	d.mu.Unlock()
	return sealing.EncodeFile(r.Bytes(), e)
}

// Manifest is that of a round. Errors: ErrNoRound, ErrAmbiguous.
func (d *Desk) Manifest(ctx context.Context, round string) (*sealing.Manifest, error) {
	r, err := d.named(ctx, round)
	if err != nil {
		return nil, err
	}
	return r.Round.Manifest(), nil
}

func (d *Desk) named(ctx context.Context, round string) (*round, error) {
	if err := d.floor.CatchUp(ctx); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	_, r, err := find(d.rounds, round)
	return r, err
}

// State is how a round stands, as this party may know it.
type State struct {
	Hash      [32]byte
	Manifest  *sealing.Manifest
	Channel   [32]byte
	Plane     traffic.Plane
	Dossier   statement.ID
	Opened    statement.ID
	By        traffic.Address
	At        time.Time
	Outcome   sealing.Outcome
	Certified sealing.State // what the certificates that were stated show; empty for none
	Deposits  []Deposited   // by this party
	Own       []Own         // this party's sealers
}

// Deposited is a packet that this party has sent to a sealer.
type Deposited struct {
	Sealer string
	Blank  bool
	Sent   time.Time
}

// Own is one of this party's sealers. What it holds before the end is not told, not to its own people either.
type Own struct {
	Sealer  traffic.Address
	Said    bool  // its final statement is out
	Refused error // why it takes no part
}

// Rounds lists every round that is known here, the latest deadline first.
func (d *Desk) Rounds(ctx context.Context) ([]State, error) {
	if err := d.floor.CatchUp(ctx); err != nil {
		return nil, err
	}
	d.mu.Lock()
	var list []State
	for hash, r := range d.rounds {
		s := State{
			Hash: hash, Manifest: r.Manifest(), Channel: r.channel, Plane: r.plane, Dossier: r.dossier, Opened: r.opened, By: r.by, At: r.at,
			Outcome: r.outcome, Certified: r.certified,
		}
		for _, m := range s.Manifest.Sealers {
			if w := r.own[m.Address()]; w != nil {
				s.Own = append(s.Own, Own{m.Address(), w.said, w.refused})
			}
		}
		list = append(list, s)
	}
	d.mu.Unlock()
	for i := range list {
		done, err := d.deposits(ctx, list[i].Hash)
		if err != nil {
			return nil, err
		}
		for _, o := range done {
			list[i].Deposits = append(list[i].Deposits, Deposited{o.Sealer, o.blank == 1, time.Unix(o.sent, 0).UTC()})
		}
	}
	slices.SortFunc(list, func(a, b State) int {
		if c := b.Manifest.Deadline.Compare(a.Manifest.Deadline); c != 0 {
			return c
		}
		return strings.Compare(Name(a.Hash), Name(b.Hash))
	})
	return list, nil
}
