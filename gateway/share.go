package gateway

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/form"
	"detente/gateway/objects"
	"detente/journal"
	"detente/label"
	"detente/node"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// machine is what stands as the drafter of what a rule has released.
const machine = journal.Machine

// Limits of a batch: one statement, one attachment.
const (
	batchObjects = 1000
	batchBytes   = 1 << 20
	stixType     = "application/stix+json"
)

// batch is objects that are stated together.
type batch struct {
	number     int64
	collection int64
	bundle     string
	hash       [32]byte
	due        int64 // when it is tried again, unix microseconds
}

func (b *batch) fields() []any {
	return []any{&b.number, &b.collection, &b.bundle, scan32{&b.hash}, &b.due}
}

// share says what was released. An object goes from released to drafted in one transaction, in which the batch reserves the hash of its attachment; it
// is drafted until a statement that names this hash is in the own feed, and then sent. Dying between the statement and that note, the feed tells
// when it is read (follow, which comes before this), and nothing is said twice. more tells that something has to wait.
func (g *Gateway) share(ctx context.Context) (more bool, err error) {
	open, more, err := g.open(ctx)
	if err != nil {
		return false, err
	}
	for i := range open {
		if open[i].due > g.cfg.Now().UnixMicro() {
			more = true
			break // so have the others time
		}
		left, err := g.send(ctx, &open[i])
		if err != nil {
			return more, err
		}
		more = more || left
	}
	for _, l := range g.allLines() {
		for _, c := range l.out {
			for {
				b, err := g.draft(ctx, &c)
				if err != nil {
					return more, err
				}
				if b == nil {
					break
				}
				left, err := g.send(ctx, b)
				if err != nil {
					return more, err
				}
				if more = more || left; left {
					break // what the channel does not let pass now need not be drafted now
				}
			}
		}
	}
	return more, nil
}

// open lists the batches that are drafted and not known to be said: this process's own, and those that another one has left. others tells that there are
// some that another one may still be saying.
func (g *Gateway) open(ctx context.Context) (out []batch, others bool, err error) {
	err = g.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		before := g.cfg.Now().Add(-g.cfg.Patience).UnixMicro()
		if !g.db.Multi() {
			before = g.cfg.Now().UnixMicro()
		}
		if _, err := tx.Exec(ctx, "UPDATE gateway_batches SET process = $1, claimed = $2 WHERE statement = $3 AND refused = 0 AND (process = $1 OR claimed <= $4)",
			g.process, g.cfg.Now().UnixMicro(), []byte{}, before); err != nil {
			return err
		}
		var err error
		out, err = store.All(ctx, tx, (*batch).fields, "SELECT number, collection, bundle, hash, due FROM gateway_batches WHERE statement = $1 AND process = $2 AND refused = 0 ORDER BY due, number LIMIT 64",
			[]byte{}, g.process)
		if err != nil {
			return err
		}
		var n int64
		err = tx.QueryRow(ctx, "SELECT COUNT(*) FROM gateway_batches WHERE statement = $1 AND process <> $2 AND refused = 0", []byte{}, g.process).Scan(&n)
		others = n > 0
		return err
	})
	return out, others, err
}

// draft makes a batch of what was released in a collection and goes together; nil when nothing was.
func (g *Gateway) draft(ctx context.Context, c *objects.Collection) (*batch, error) {
	rows, err := g.together(ctx, c)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	b := &batch{collection: c.Number, bundle: "bundle--" + uuid()}
	data, rows, err := g.bundle(ctx, b.bundle, rows)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	b.hash = sha256.Sum256(data)
	if err := g.cfg.Step("bundled"); err != nil {
		return nil, err
	}
	err = g.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		// The collection's row is what processes of one party wait for each other at.
		var n int64
		if err := tx.QueryRow(ctx, "SELECT number FROM collections WHERE number = $1"+tx.ForUpdate(), c.Number).Scan(&n); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, "SELECT COALESCE(MAX(number), 0) + 1 FROM gateway_batches").Scan(&b.number); err != nil {
			return err
		}
		f := rows[0]
		res, err := tx.Exec(ctx, `UPDATE gateway_out SET state = 'drafted', batch = $1 WHERE state = 'released' AND collection = $2 AND added >= $3 AND added <= $4
			AND form = $5 AND audience = $6 AND tlp = $7 AND pap = $8 AND drafter = $9`,
			b.number, c.Number, f.added, rows[len(rows)-1].added, f.form, f.audience, f.tlp, f.pap, f.drafter)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != int64(len(rows)) {
			return errors.Join(errMoved, err)
		}
		_, err = tx.Exec(ctx, "INSERT INTO gateway_batches (number, collection, bundle, hash, count, statement, process, claimed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			b.number, c.Number, b.bundle, b.hash[:], len(rows), []byte{}, g.process, g.cfg.Now().UnixMicro())
		return err
	})
	if errors.Is(err, errMoved) {
		return nil, nil // withdrawn, or drafted by another process: the next turn sees
	}
	if err != nil {
		return nil, fmt.Errorf("gateway: draft: %w", err)
	}
	return b, nil
}

var errUnsound = errors.New("gateway: a batch that cannot be made again")

var errMoved = errors.New("gateway: what was released is so no longer")

// together lists the oldest rows of a collection that were released and go the same way as the first.
func (g *Gateway) together(ctx context.Context, c *objects.Collection) ([]outRow, error) {
	var rows []outRow
	err := g.db.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = store.All(ctx, tx, (*outRow).fields, "SELECT "+outColumns+" FROM gateway_out WHERE state = 'released' AND collection = $1 ORDER BY added LIMIT $2", c.Number, batchObjects)
		return err
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	first := rows[0]
	return slices.DeleteFunc(rows, func(r outRow) bool {
		return r.form != first.form || r.audience != first.audience || r.tlp != first.tlp || r.pap != first.pap || r.drafter != first.drafter
	}), nil
}

// bundle puts the bytes of objects into a bundle, as many as go into a batch. The same rows under the same id give the same bytes, always.
func (g *Gateway) bundle(ctx context.Context, id string, rows []outRow) ([]byte, []outRow, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"type":"bundle","id":"%s","objects":[`, id)
	wanted := make(map[int64]bool, len(rows))
	for _, r := range rows {
		wanted[r.added] = true
	}
	last := rows[len(rows)-1].added
	f := objects.Filter{Versions: objects.Versions{All: true}, After: time.UnixMicro(rows[0].added - 1).UTC(), Limit: batchObjects, Bytes: batchBytes}
	n, full := 0, false
	for n < len(rows) && !full {
		p, err := g.shelf.Page(ctx, rows[0].collection, f, func(o *objects.Row) error {
			switch {
			case full || !wanted[o.Added.UnixMicro()]:
				return nil
			case n > 0 && b.Len()+len(o.Bytes) > batchBytes:
				full = true
				return nil
			case n > 0:
				b.WriteByte(',')
			}
			b.Write(o.Bytes)
			n++
			return nil
		})
		if err != nil {
			return nil, nil, fmt.Errorf("gateway: bundle: %w", err)
		}
		if !full && n < len(rows) && (!p.More || p.Last.UnixMicro() >= last) {
			return nil, nil, nil // some were withdrawn meanwhile: the next turn sees
		}
		f.After = p.Next
	}
	b.WriteString("]}")
	return b.Bytes(), rows[:n], nil
}

// send says a batch. left tells that it cannot be said now.
func (g *Gateway) send(ctx context.Context, b *batch) (left bool, err error) {
	d, err := g.draftOf(ctx, b)
	if errors.Is(err, errUnsound) {
		return true, g.fail(ctx, b, err)
	}
	if err != nil {
		return false, err
	}
	if d == nil {
		return true, nil
	}
	if err := g.cfg.Permit(ctx, d); err != nil {
		g.log.Info("a batch waits: the channel does not let it pass", "batch", b.number, "reason", err)
		return true, nil
	}
	if err := g.cfg.Step("drafted"); err != nil {
		return false, err
	}
	sent, err := g.node.Send(ctx, *d)
	if err != nil {
		if errors.Is(err, store.ErrUnknownOutcome) || ctx.Err() != nil {
			return true, err // the feed will tell
		}
		return true, g.fail(ctx, b, err)
	}
	if err := g.cfg.Step("said"); err != nil {
		return false, err
	}
	err = g.db.Update(ctx, store.Calm, func(tx *store.Tx) error { return markSaid(ctx, tx, b.hash, sent.ID) })
	return false, err
}

// tries is how often the node may refuse a batch: with the time between, a little over an hour.
const tries = 8

// fail notes that the node has refused a batch. What it refuses again and again, it refuses for good: its objects go back to a person.
func (g *Gateway) fail(ctx context.Context, b *batch, why error) error {
	return g.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		var n int64
		if err := tx.QueryRow(ctx, "SELECT tries FROM gateway_batches WHERE number = $1"+tx.ForUpdate(), b.number).Scan(&n); err != nil {
			return err
		}
		n++
		now, reason, refused := g.cfg.Now(), short(why.Error()), int64(0)
		if n >= tries {
			refused = now.UnixMicro()
			if _, err := tx.Exec(ctx, "UPDATE gateway_out SET state = 'failed', reason = $2 WHERE batch = $1 AND state = 'drafted'", b.number, reason); err != nil {
				return err
			}
		}
		g.log.Error("a batch cannot be said", "batch", b.number, "tries", n, "given-up", refused > 0, "reason", why)
		_, err := tx.Exec(ctx, "UPDATE gateway_batches SET tries = $2, due = $3, refused = $4, reason = $5 WHERE number = $1",
			b.number, n, now.Add(retry<<(n-1)).UnixMicro(), refused, reason)
		return err
	})
}

// markSaid notes the statement by which a batch was said. Noted twice it changes nothing.
func markSaid(ctx context.Context, tx *store.Tx, hash [32]byte, id statement.ID) error {
	var number int64
	err := tx.QueryRow(ctx, "SELECT number FROM gateway_batches WHERE hash = $1 AND statement = $2"+tx.ForUpdate(), hash[:], []byte{}).Scan(&number)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE gateway_batches SET statement = $2 WHERE number = $1", number, id[:]); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE gateway_out SET state = 'sent' WHERE batch = $1", number)
	return err
}

// draftOf is the statement that says a batch; nil where its channel is not in being.
func (g *Gateway) draftOf(ctx context.Context, b *batch) (*node.Draft, error) {
	var rows []outRow
	err := g.db.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = store.All(ctx, tx, (*outRow).fields, "SELECT "+outColumns+" FROM gateway_out WHERE batch = $1 ORDER BY added", b.number)
		return err
	})
	if err != nil {
		return nil, err
	}
	all, err := g.shelf.Collections(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(all, func(c objects.Collection) bool { return c.Number == b.collection })
	if at < 0 || len(rows) == 0 {
		return nil, fmt.Errorf("%w: it is of no collection, or empty", errUnsound)
	}
	c, l := all[at], g.line(all[at].Channel)
	if l == nil {
		return nil, nil
	}
	data, whole, err := g.bundle(ctx, b.bundle, rows)
	if err != nil {
		return nil, err
	}
	if len(whole) != len(rows) || sha256.Sum256(data) != b.hash {
		return nil, fmt.Errorf("%w: it is not what it was when it was drafted", errUnsound)
	}
	r := rows[0]
	own := g.node.Chain(g.node.Self()).Latest()
	v := form.Values{
		"attachments": []form.Blob{{Hash: b.hash, Size: int64(len(data)), Name: b.bundle + ".json", Type: stixType}},
		"count":       int64(len(rows)), "marking": codeOf(r.tlp, "tlp"),
	}
	if r.pap != "" {
		v["pap"] = codeOf(r.pap, "pap")
	}
	d := &node.Draft{
		Channel: l.id, Plane: c.Plane, Precedence: traffic.Routine, Post: g.cfg.Post, Audience: r.audience, Form: r.form, Values: v,
		Language: "en", Marking: label.TLP(r.tlp).String(), Drafter: cmp.Or(r.drafter, machine), Blobs: [][]byte{data},
	}
	if len(own.Languages) > 0 {
		d.Language = own.Languages[0]
	}
	for _, p := range own.Posts {
		if d.Post == "" && l.Speaks(p.Name) {
			d.Post = p.Name
		}
	}
	return d, nil
}

// codeOf writes a label as the forms have it: tlp-amber-strict.
func codeOf(text, kind string) string {
	return kind + "-" + strings.ToLower(strings.NewReplacer("+", "-", " ", "-").Replace(text))
}

func uuid() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
