// Package audit verifies everything that a database of feeds holds, from the bytes: signatures, judgements, trees, cosignatures, folds.
// It must never change anything, nor believe a column that the bytes can tell.
package audit

import (
	"context"
	"fmt"

	"detente/dossier"
	"detente/feed"
	"detente/judge"
	"detente/key"
	"detente/party"
	"detente/store"
	"detente/traffic"

	"golang.org/x/sync/errgroup"
)

// Auditor is what an audit needs beside the database: who the parties are, and what the channels are.
type Auditor struct {
	DB      *store.DB
	Judge   func(traffic.Feed) (*judge.Judge, bool) // false for a feed whose channel is not known
	Chain   func(traffic.Party) *party.Chain        // nil for a party that is not trusted
	Regimes dossier.Regimes
}

// Report is what an audit looked at and what it found wrong.
type Report struct {
	Feeds        int      `json:"feeds"`
	Entries      int64    `json:"entries"`
	Signatures   int64    `json:"signatures"`
	Invalid      int64    `json:"invalid"` // entries that are held and marked invalid, rightly
	Checkpoints  int64    `json:"checkpoints"`
	Cosignatures int64    `json:"cosignatures"`
	Dossiers     int      `json:"dossiers"`
	Faults       []string `json:"faults"`
}

// step is how many entries are read at a time. Three such parts are in memory: one that is read, two that are examined, so that no core waits for
// the last signature of one part before it begins the next.
const step = 512

// Run verifies everything that is held: signatures and judgements of every entry, trees against heads and checkpoints, every cosignature,
// every fold. progress, unless nil, is told how many entries are done, of how many.
func (a *Auditor) Run(ctx context.Context, progress func(done, of int64)) (Report, error) {
	r := Report{Faults: []string{}}
	var heads []*feed.Head
	err := a.DB.View(ctx, func(tx *store.Tx) (err error) {
		heads, err = feed.Heads(ctx, tx, nil)
		return err
	})
	if err != nil {
		return r, err
	}
	var total int64
	for _, h := range heads {
		total += h.Size
	}
	for _, h := range heads {
		if err := a.feed(ctx, h, &r, func() {
			if progress != nil {
				progress(r.Entries, max(total, r.Entries))
			}
		}); err != nil {
			return r, fmt.Errorf("audit: %w", err)
		}
	}
	err = a.DB.View(ctx, func(tx *store.Tx) (err error) {
		checked, differing, err := dossier.Compare(ctx, tx, a.Regimes)
		r.Dossiers = checked
		for _, d := range differing {
			r.fault("dossier %s: the kept state is not the fold of its statements; run rebuild", d.ID.Short())
		}
		return err
	})
	return r, err
}

func (r *Report) fault(format string, args ...any) {
	const most = 1000
	if len(r.Faults) < most {
		r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
	}
}

func (a *Auditor) feed(ctx context.Context, h *feed.Head, r *Report, done func()) error {
	r.Feeds++
	j, ok := a.Judge(h.Feed)
	if !ok {
		r.fault("%s: the feed's channel is not known", h.Feed.Origin())
		return nil
	}
	f := feedAudit{Auditor: a, head: h, report: r, judge: j, tree: feed.NewTree()}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parts := make(chan *part, 1)
	var g errgroup.Group
	g.Go(func() error {
		defer close(parts)
		return a.read(ctx, h, func(p *part) error {
			p.examined = make(chan struct{})
			g.Go(func() error {
				defer close(p.examined)
				p.findings, p.err = j.Examine(ctx, p.bodies)
				return p.err
			})
			select {
			case parts <- p:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	for p := range parts {
		if <-p.examined; p.err != nil {
			cancel()
			break
		}
		f.entries(p)
		done()
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if f.tree.Size() == h.Size && f.tree.Root() != h.Root {
		r.fault("%s: the head's root is not that of its %d entries", h.Feed.Origin(), h.Size)
	}
	return nil
}

// part is consecutive entries of a feed as they are stored.
type part struct {
	from    int64
	entries []feed.Entry
	bodies  [][]byte
	signed  []feed.Kept // the checkpoints at the sizes within

	examined chan struct{} // closed when the two below are there
	findings []judge.Finding
	err      error
}

// read gives the parts of a feed in their order.
func (a *Auditor) read(ctx context.Context, h *feed.Head, give func(*part) error) error {
	for from := int64(0); from < h.Size; from += step {
		to := min(from+step, h.Size)
		var p *part
		err := a.DB.View(ctx, func(tx *store.Tx) (err error) {
			p = &part{from: from, entries: make([]feed.Entry, 0, to-from), bodies: make([][]byte, 0, to-from)}
			err = h.Range(ctx, tx, from, to, func(e feed.Entry) bool {
				p.entries, p.bodies = append(p.entries, e), append(p.bodies, e.Bytes)
				return true
			})
			if err == nil {
				p.signed, err = h.Kept(ctx, tx, from+1, to)
			}
			return err
		})
		if err == nil {
			err = give(p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// feedAudit goes through one feed from its first entry.
type feedAudit struct {
	*Auditor
	head   *feed.Head
	report *Report
	judge  *judge.Judge
	prior  judge.Prior
	tree   *feed.Tree
}

func (a *feedAudit) entries(p *part) {
	r, origin, signed := a.report, a.head.Feed.Origin(), p.signed
	for i, e := range p.entries {
		r.Entries++
		if e.Index != p.from+int64(i) {
			r.fault("%s: entry %d is missing", origin, p.from+int64(i))
			return
		}
		if s := p.findings[i].Statement; s != nil {
			r.Signatures += int64(len(s.Signatures()))
		}
		was := p.findings[i].Conclude(&a.prior)
		if was.ID != e.ID || was.Dossier != e.Dossier || was.Form != e.Form || was.Issuer != e.Issuer || was.Clock != e.Clock {
			r.fault("%s: entry %d is not indexed as what it is", origin, e.Index)
		}
		if was.Reason != e.Reason {
			r.fault("%s: entry %d is marked %q and is %q", origin, e.Index, e.Reason, was.Reason)
		}
		if e.Reason != "" {
			r.Invalid++
		}
		a.tree.Append(e.Bytes)
		for len(signed) > 0 && signed[0].Size == a.tree.Size() {
			a.checkpoint(signed[0])
			signed = signed[1:]
		}
	}
}

// checkpoint verifies one kept checkpoint and all its cosignatures against the entries that were just read.
func (a *feedAudit) checkpoint(k feed.Kept) {
	r, origin := a.report, a.head.Feed.Origin()
	if !k.Signed {
		r.fault("%s: size %d is cosigned, and the checkpoint of its party is not kept", origin, k.Size)
		return
	}
	if k.Checkpoint.Root != a.tree.Root() {
		r.fault("%s: the checkpoint of size %d is not of these entries", origin, k.Size)
		return
	}
	candidates := judge.Signers(a.judge.Issuer, a.prior.Charter)
	mirrored := make(map[traffic.Party]bool)
	for _, receipt := range k.Receipts {
		if chain := a.Chain(receipt.Mirror); chain != nil && !mirrored[receipt.Mirror] {
			mirrored[receipt.Mirror] = true
			candidates = append(candidates, judge.Mirrors(chain)...)
		}
	}
	_, signed, err := feed.OpenCheckpoint(k.Checkpoint.Note(k.Lines), candidates...)
	if err != nil {
		r.fault("%s: size %d: %v", origin, k.Size, err)
		return
	}
	own, cosigned := 0, 0
	for _, s := range signed {
		if s.Mirror != "" {
			cosigned++
		} else if s.Algorithm == key.Ed25519 {
			own++
		}
	}
	if own == 0 {
		r.fault("%s: the checkpoint of size %d is not signed by its party", origin, k.Size)
	}
	if cosigned != len(k.Receipts) {
		r.fault("%s: size %d: %d of %d cosignatures verify", origin, k.Size, cosigned, len(k.Receipts))
	}
	r.Checkpoints++
	r.Cosignatures += int64(cosigned)
}
