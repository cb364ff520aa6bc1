package sealer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/form"
	"detente/journal"
	"detente/key"
	"detente/sealing"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// seal does what one own sealer has to do now, and tells when it is to be asked again.
//
// The steps are: take in packets and decide, in one transaction; write the mark; sign and state. Dying before the commit, nothing was decided and the packets are
// still in the feeds. Dying after it, the next turn finds the record, writes the mark and says what is not in the own feed yet. Nothing is signed that is
// not in both.
func (d *Desk) seal(ctx context.Context, r *round, a traffic.Address) (again time.Time, err error) {
	d.mu.Lock()
	w := r.own[a]
	idle := w.said || w.refused != nil
	d.mu.Unlock()
	if idle {
		return time.Time{}, nil
	}
	member, _ := r.Manifest().Sealer(a)
	signers, err := d.signers(member)
	if err == nil && d.cfg.MarksDir == "" {
		err = ErrNoKeys
	}
	if err != nil {
		return time.Time{}, d.refuse(r, w, a, err)
	}
	mark, err := d.marks.last(r.Hash(), a)
	if err != nil {
		return time.Time{}, d.refuse(r, w, a, err)
	}
	if silent, err := d.silent(ctx, r); err != nil || silent {
		return time.Now().Add(retry), err // until what was said here before is back, nothing more is
	}
	packets := d.taken(w)
	opened := d.unpack(r, a, packets)
	mayDecide := d.remembers(r)
	var machine *sealing.Sealer
	err = d.node.DB.Update(ctx, store.Urgent, func(tx *store.Tx) error {
		var err error
		if machine, err = load(ctx, tx, r, a); err != nil {
			return err
		}
		if !mark.agrees(machine) {
			return ErrRestored
		}
		changed, now := false, time.Now()
		for _, p := range opened {
			changed = machine.Receive(now, p) || changed
		}
		changed = mayDecide && machine.Tick(now) || changed
		if !changed {
			return nil
		}
		return save(ctx, tx, r, a, machine)
	})
	if errors.Is(err, ErrRestored) || errors.Is(err, sealing.ErrRecord) {
		return time.Time{}, d.refuse(r, w, a, err)
	}
	if err != nil {
		d.putBack(w, packets)
		return time.Time{}, fmt.Errorf("sealer: %w", err)
	}
	if now := stageOf(machine); now != mark {
		if err := d.marks.raise(r.Hash(), a, now); err != nil {
			return time.Time{}, err
		}
	}
	if _, final := machine.Decision(); final {
		return time.Time{}, d.conclude(ctx, r, w, a, machine, signers)
	}
	next, err := d.relay(ctx, r, w, a, machine, signers)
	if end := r.Manifest().Final().Add(time.Second); next.IsZero() || end.Before(next) {
		next = end
	}
	if now := time.Now(); !next.After(now) {
		next = now.Add(retry) // the end has come, and what was said before is not known for certain yet
	}
	return next, err
}

// refuse has a sealer say nothing more in the round, as if its key were lost. A person is told; the round goes on without it.
func (d *Desk) refuse(r *round, w *duty, a traffic.Address, err error) error {
	d.mu.Lock()
	w.refused, w.packets = err, make(map[traffic.Party][][]byte)
	d.mu.Unlock()
	d.log.Error("a sealer takes no part in a round", "round", Name(r.Hash()), "sealer", a, "reason", err)
	d.floor.Kick()
	return nil
}

// silent tells whether an own feed of the channel is behind what was signed.
func (d *Desk) silent(ctx context.Context, r *round) (bool, error) {
	feeds, err := d.node.Feeds(ctx)
	if err != nil {
		return false, err
	}
	for _, f := range feeds {
		if f.Silent && f.Feed.Party == d.self && f.Feed.Channel == r.channel {
			return true, nil
		}
	}
	return false, nil
}

// remembers tells whether this process can know that no final statement was signed here: it has run since before one could be, or has heard from every
// member of the channel that can have it. A home that was restored whole, marks and all, knows of its statements from the others alone.
func (d *Desk) remembers(r *round) bool {
	if d.started.Before(r.Manifest().Final()) {
		return true
	}
	c, _, err := d.node.Channel(r.channel)
	if err != nil {
		return false
	}
	unheard := d.node.Unheard()
	return !slices.ContainsFunc(c.Others(d.self), func(p traffic.Party) bool { return slices.Contains(unheard, p) })
}

func (d *Desk) taken(w *duty) map[traffic.Party][][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	packets := w.packets
	w.packets = make(map[traffic.Party][][]byte)
	return packets
}

func (d *Desk) putBack(w *duty, packets map[traffic.Party][][]byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for p, list := range packets {
		list = append(list, w.packets[p]...)
		w.packets[p] = list[:min(len(list), mostPackets)]
	}
}

// unpack decrypts packets; those that do not open are noted and dropped.
func (d *Desk) unpack(r *round, a traffic.Address, packets map[traffic.Party][][]byte) (opened []sealing.Packet) {
	for from, list := range packets {
		for _, b := range list {
			p, err := r.OpenPacket(b, a, d.unsealing)
			if err != nil {
				d.log.Warn("a packet to a sealer does not open", "round", Name(r.Hash()), "from", from, "reason", err)
				continue
			}
			opened = append(opened, p)
		}
	}
	return opened
}

func load(ctx context.Context, tx *store.Tx, r *round, a traffic.Address) (*sealing.Sealer, error) {
	hash := r.Hash()
	var b []byte
	err := tx.QueryRow(ctx, `SELECT record FROM sealing_rounds WHERE round = $1 AND sealer = $2`+tx.ForUpdate(), hash[:], a.String()).Scan(&b)
	if errors.Is(err, store.ErrNotFound) {
		return sealing.NewSealer(r.Round, a)
	}
	if err != nil {
		return nil, err
	}
	return sealing.Restore(r.Round, a, b)
}

func save(ctx context.Context, tx *store.Tx, r *round, a traffic.Address, s *sealing.Sealer) error {
	hash := r.Hash()
	b, err := s.Record()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO sealing_rounds (round, sealer, record) VALUES ($1, $2, $3) ON CONFLICT (round, sealer) DO UPDATE SET record = $3`, hash[:], a.String(), b)
	return err
}

// relay passes on what an accepting sealer holds, to each that has not shown that it holds it too, and again each half of Δ.
func (d *Desk) relay(ctx context.Context, r *round, w *duty, a traffic.Address, machine *sealing.Sealer, signers []key.Signer) (again time.Time, err error) {
	if !machine.Accepted() {
		return time.Time{}, nil
	}
	seen, err := r.SignSeen(a, signers...)
	if err != nil {
		return time.Time{}, err
	}
	packet, to := machine.Relay(seen)
	every := r.Manifest().Delta / 2
	for _, b := range to {
		if machine.Has(b) {
			continue
		}
		d.mu.Lock()
		last := w.relayed[b]
		d.mu.Unlock()
		if now := time.Now(); last.IsZero() || !now.Before(last.Add(every)) {
			if sendErr := d.pass(ctx, r, a, b, packet); sendErr != nil {
				err = errors.Join(err, fmt.Errorf("to %s: %w", b, sendErr)) // the others are told all the same
				continue
			}
			last = now
			d.mu.Lock()
			w.relayed[b] = now
			d.mu.Unlock()
		}
		if t := last.Add(every); again.IsZero() || t.Before(again) {
			again = t
		}
	}
	return again, err
}

// pass sends one packet to a sealer.
func (d *Desk) pass(ctx context.Context, r *round, from, to traffic.Address, p sealing.Packet) error {
	b, err := r.SealPacket(p, to, d.receiving(to))
	if err != nil {
		return err
	}
	hash := r.Hash()
	_, err = d.node.Send(ctx, d.draft(r, from.Post, to.String(), FormPacket, journal.Machine, form.Values{"round": hash[:], "to": to.String(), "packet": b}))
	return err
}

// conclude states the final statement, once: whichever process of this party claims it does it. Dying after it was stored, the next finds it in the own feed.
func (d *Desk) conclude(ctx context.Context, r *round, w *duty, a traffic.Address, machine *sealing.Sealer, signers []key.Signer) error {
	decision, _ := machine.Decision()
	return d.floor.Once(ctx, "seal-final:"+Name(r.Hash())+":"+a.String(), "said", func() error {
		d.mu.Lock()
		said := w.said
		d.mu.Unlock()
		if said {
			return nil
		}
		final, err := r.SignFinal(a, decision, signers...)
		if err != nil {
			return err
		}
		b, err := final.Encode()
		if err != nil {
			return err
		}
		hash := r.Hash()
		v := form.Values{"round": hash[:], "final": b}
		if e := machine.Evidence(); len(e.Consents) > 0 {
			if v["evidence"], err = e.Encode(); err != nil {
				return err
			}
		}
		_, err = d.node.Send(ctx, d.draft(r, a.Post, statement.Everyone, FormFinal, journal.Machine, v))
		return err
	})
}
