package chancery

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/instrument"
	"detente/journal"
	"detente/node"
	"detente/store"
	"detente/traffic"
	"detente/wording"
)

// shown is what a commitment is of, until it is shown.
type shown struct {
	Provision string        `json:"provision"`
	Texts     wording.Texts `json:"texts,omitempty"`
	Order     string        `json:"order,omitempty"`
	Note      string        `json:"note,omitempty"`
	Salt      []byte        `json:"salt"`
}

const saltSize = 32

// digest names the wording that is wished. Error: ErrWording.
func (w *Wish) digest() ([32]byte, error) {
	if w.Provision != instrument.Structure {
		return w.Texts.Digest(), nil
	}
	d, err := instrument.OrderDigest(w.Order)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrWording, err)
	}
	return d, err
}

// Commit commits this party to a wording that it shows when the others have committed themselves too. Salt and wording are durable here before the commitment can
// go out; one that is never stated leaves a row that nobody asks for. Errors: ErrProvision, ErrWording, ErrFrozen, ErrCommitment.
func (c *Chancery) Commit(ctx context.Context, d *Draft, w Wish, with []traffic.Party, post traffic.Post) (node.Draft, error) {
	if err := d.check(&w); err != nil {
		return node.Draft{}, err
	}
	if len(with) == 0 {
		with = slices.DeleteFunc(slices.Clone(d.Opening.Parties), func(p traffic.Party) bool { return p == c.self })
	}
	for _, p := range with {
		if p == c.self || !slices.Contains(d.Opening.Parties, p) {
			return node.Draft{}, fmt.Errorf("%w: %s is no other party to it", ErrCommitment, p)
		}
	}
	s := shown{Provision: w.Provision, Texts: w.Texts, Order: w.Order, Note: w.Note, Salt: make([]byte, saltSize)}
	rand.Read(s.Salt)
	of, err := w.digest()
	if err != nil {
		return node.Draft{}, err
	}
	digest := instrument.CommitmentDigest(s.Salt, of)
	b, err := json.Marshal(s)
	if err != nil {
		return node.Draft{}, fmt.Errorf("chancery: %w", err)
	}
	if err := c.node.DB.Update(ctx, store.Calm, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO chancery_commitments (digest, dossier, provision, position, post, made, shown) VALUES ($1, $2, $3, $4, $5, $6, 0)`,
			digest[:], d.Name.ID[:], w.Provision, string(b), string(post), time.Now().Unix())
		return err
	}); err != nil {
		return node.Draft{}, fmt.Errorf("chancery: %w", err)
	}
	list := make([]any, len(with))
	for i, p := range with {
		list[i] = string(p)
	}
	v := map[string]any{"provision": w.Provision, "digest": digest[:], "with": list}
	return d.draft(FormCommitment, v), nil
}

// Waits lists who has not yet committed itself on a provision, of those with whom a commitment is to be shown.
func (d *Draft) Waits(k *instrument.Commitment) (out []traffic.Party) {
	for _, p := range k.With {
		if p != k.By && !slices.ContainsFunc(d.Provisions[k.Provision].Commitments, func(o *instrument.Commitment) bool { return o.By == p }) {
			out = append(out, p)
		}
	}
	return out
}

// ripe lists the own commitments that can be shown.
func (c *Chancery) ripe(d *Draft) (out []*instrument.Commitment) {
	if d.Frozen != nil {
		return nil
	}
	for _, p := range d.Provisions {
		for _, k := range p.Commitments {
			if k.By == c.self && k.Revealed == [32]byte{} && !k.Passed && len(d.Waits(k)) == 0 {
				out = append(out, k)
			}
		}
	}
	return out
}

// reveal shows the wordings to which this party has committed itself, where all the others have too. Once: whichever process of the party claims it does it, and
// finds by the fold whether one that died has done it.
func (c *Chancery) reveal(ctx context.Context) error {
	c.mu.RLock()
	waiting := c.waiting
	var drafts []*Draft
	if waiting {
		for _, d := range c.drafts {
			drafts = append(drafts, d)
		}
	}
	c.mu.RUnlock()
	for _, d := range drafts {
		for _, k := range c.ripe(d) {
			if err := c.floor.Once(ctx, "chancery-reveal:"+k.Statement.String(), "shown", func() error { return c.show(ctx, d, k) }); err != nil {
				return err
			}
		}
	}
	if waiting {
		c.mu.Lock()
		c.waiting = false // what is folded from now on sets it again
		c.mu.Unlock()
	}
	return nil
}

// show states the position of a commitment. It asks nobody: who committed the party to it has decided it.
func (c *Chancery) show(ctx context.Context, d *Draft, k *instrument.Commitment) error {
	var text, post string
	err := c.node.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT position, post FROM chancery_commitments WHERE digest = $1`, k.Digest[:]).Scan(&text, &post)
	})
	if errors.Is(err, store.ErrNotFound) {
		c.log.Error("a commitment cannot be shown: its salt is not in this database", "commitment", k.Statement, "provision", k.Provision)
		return nil
	}
	if err != nil {
		return fmt.Errorf("chancery: %w", err)
	}
	var s shown
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return fmt.Errorf("chancery: %w", err)
	}
	w := Wish{Provision: s.Provision, Texts: s.Texts, Order: s.Order, Note: s.Note}
	v := w.values()
	v["reveals"], v["salt"] = k.Statement[:], s.Salt
	said := d.draft(FormPosition, v)
	said.Post, said.Drafter, said.Language = traffic.Post(post), journal.Machine, c.language()
	if _, err := c.node.Send(ctx, said); err != nil {
		return err
	}
	return c.node.DB.Update(ctx, store.Calm, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE chancery_commitments SET shown = 1 WHERE digest = $1`, k.Digest[:])
		return err
	})
}

func (c *Chancery) language() string {
	if l := c.node.Chain(c.self).Latest().Languages; len(l) > 0 {
		return l[0]
	}
	return "en"
}
