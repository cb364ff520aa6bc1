package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"detente/blob"
	"detente/feed"
	"detente/gateway/objects"
	"detente/judge"
	"detente/statement"
	"detente/stix"
	"detente/store"
	"detente/traffic"
)

// step is how many entries of a feed are looked at in one transaction.
const step = 256

// received is an attachment that a statement names.
type received struct {
	number     int64
	statement  statement.ID
	attachment [32]byte
	collection int64
	media      string
}

// follow looks at what the feeds have that was not looked at. What is looked at, and what is to be taken in of it, is noted in one transaction: dying
// before it the same is found again.
func (g *Gateway) follow(ctx context.Context) error {
	for _, l := range g.allLines() {
		for {
			more, err := g.followLine(ctx, l)
			if err != nil {
				return fmt.Errorf("gateway: follow %s: %w", l.Name, err)
			}
			if !more {
				break
			}
		}
	}
	return nil
}

// news is what some entries of one feed bring.
type news struct {
	origin   string
	feed     traffic.Feed
	from, to int64
	list     []received
	said     map[[32]byte]statement.ID // attachments of own statements
}

func (g *Gateway) followLine(ctx context.Context, l *line) (more bool, err error) {
	var all []news
	err = g.db.View(ctx, func(tx *store.Tx) error {
		all, more = nil, false
		heads, err := feed.Heads(ctx, tx, &l.id)
		if err != nil {
			return err
		}
		for _, h := range heads {
			n := news{origin: h.Feed.Origin(), feed: h.Feed, said: make(map[[32]byte]statement.ID)}
			err := tx.QueryRow(ctx, "SELECT size FROM gateway_feeds WHERE origin = $1", n.origin).Scan(&n.from)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			n.to = min(h.Size, n.from+step)
			if n.from >= n.to {
				continue
			}
			more = more || n.to < h.Size
			to := n.from
			if err := h.Range(ctx, tx, n.from, n.to, func(e feed.Entry) bool {
				if e.Reason == judge.CharterUnknown {
					more = false
					return false // its charter will come; the feed waits for it
				}
				to = e.Index + 1
				g.readEntry(&n, &e)
				return true
			}); err != nil {
				return err
			}
			if n.to = to; n.to > n.from {
				all = append(all, n)
			}
		}
		return nil
	})
	for i := range all {
		if err == nil {
			err = g.note(ctx, l, &all[i])
		}
	}
	return more, err
}

// readEntry reads what an entry brings, if it is of a form that brings objects.
func (g *Gateway) readEntry(n *news, e *feed.Entry) {
	if e.Reason != "" || e.Form != formIndicators && e.Form != formSighting && e.Form != formRevocation {
		return
	}
	s, err := statement.Decode(e.Bytes)
	if err != nil {
		return
	}
	fm, _, err := g.node.Form(s)
	if err != nil {
		return
	}
	v, err := fm.Decode(s.Payload)
	if err != nil {
		return
	}
	a, err := traffic.ParseAddress(s.Audience)
	if n.feed.Party != g.node.Self() && s.Audience != statement.Everyone && (err != nil || a.Party != g.node.Self()) {
		return // every member holds it, and it is for another
	}
	for _, b := range fm.Blobs(v) {
		if n.feed.Party == g.node.Self() {
			n.said[b.Hash] = e.ID
			continue
		}
		n.list = append(n.list, received{statement: e.ID, attachment: b.Hash, media: b.Type})
	}
}

func (g *Gateway) note(ctx context.Context, l *line, n *news) error {
	if len(n.list) > 0 {
		c, err := g.inbound(ctx, l, n.feed.Party, n.feed.Plane)
		if err != nil {
			return err
		}
		for i := range n.list {
			n.list[i].collection = c.Number
		}
	}
	if err := g.cfg.Step("followed"); err != nil {
		return err
	}
	return g.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		var number int64
		if err := tx.QueryRow(ctx, "SELECT COALESCE(MAX(number), 0) FROM gateway_received").Scan(&number); err != nil {
			return err
		}
		for _, r := range n.list {
			number++
			if _, err := tx.Exec(ctx, `INSERT INTO gateway_received (number, statement, attachment, collection, media, done, added, duplicates, conflicts, refused, reason)
				VALUES ($1, $2, $3, $4, $5, 0, 0, 0, 0, 0, '') ON CONFLICT DO NOTHING`, number, r.statement[:], r.attachment[:], r.collection, r.media); err != nil {
				return err
			}
		}
		for hash, id := range n.said {
			if err := markSaid(ctx, tx, hash, id); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO gateway_feeds (origin, size) VALUES ($1, $2)
			ON CONFLICT (origin) DO UPDATE SET size = CASE WHEN excluded.size > gateway_feeds.size THEN excluded.size ELSE gateway_feeds.size END`, n.origin, n.to)
		return err
	})
}

// takes is how many attachments are looked for in one turn.
const takes = 256

// takeIn puts into their collections the objects of attachments that are here. more tells that others are still on their way, or wait for their turn.
func (g *Gateway) takeIn(ctx context.Context) (more bool, err error) {
	var list []received
	err = g.db.View(ctx, func(tx *store.Tx) (err error) {
		fields := func(r *received) []any {
			return []any{&r.number, scan32{(*[32]byte)(&r.statement)}, scan32{&r.attachment}, &r.collection, &r.media}
		}
		list, err = store.All(ctx, tx, fields, "SELECT number, statement, attachment, collection, media FROM gateway_received WHERE done = 0 AND number > $1 ORDER BY number LIMIT $2", g.cursor, takes)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("gateway: %w", err)
	}
	if g.cursor = 0; len(list) == takes {
		g.cursor, more = list[takes-1].number, true
	}
	for i := range list {
		r := &list[i]
		size, complete, err := g.node.BlobHeld(ctx, r.attachment)
		if err != nil {
			return more, err
		}
		if !complete {
			more = true
			continue
		}
		if err := g.takeOne(ctx, r, size); err != nil {
			return more, fmt.Errorf("gateway: attachment of %s: %w", r.statement, err)
		}
	}
	return more, nil
}

// tally is what became of the objects of an attachment.
type tally struct {
	added, duplicates, conflicts, refused int
	reason                                string
}

func (t *tally) refuse(why error) {
	if t.refused++; t.reason == "" {
		t.reason = short(why.Error())
	}
}

// short is a text that a database takes, whatever a stranger put into it.
func short(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s[:min(len(s), 500)], "?"), "\x00", "?")
}

func (t *tally) count(out []objects.Outcome) {
	for _, o := range out {
		switch o.Fate {
		case objects.Added:
			t.added++
		case objects.Duplicate:
			t.duplicates++
		case objects.Conflict:
			t.conflicts++
		default:
			t.refuse(o.Err)
		}
	}
}

// takeOne takes an attachment in. It goes from one end to the other in small transactions; dying in between, it is gone through again, and what was
// there is a duplicate.
func (g *Gateway) takeOne(ctx context.Context, r *received, size int64) error {
	var t tally
	in := &blobReader{ctx: ctx, db: g.db, hash: r.attachment, size: size}
	from := objects.Source{Statement: r.statement, Attachment: r.attachment}
	if err := g.read(ctx, in, r.collection, from, &t); err != nil {
		return err
	}
	if err := g.cfg.Step("taken in"); err != nil {
		return err
	}
	return g.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE gateway_received SET done = $3, added = $4, duplicates = $5, conflicts = $6, refused = $7, reason = $8 WHERE statement = $1 AND attachment = $2",
			r.statement[:], r.attachment[:], g.cfg.Now().UnixMicro(), t.added, t.duplicates, t.conflicts, t.refused, t.reason)
		return err
	})
}

// together is how many objects are validated before they are put away.
const together = 64

// read takes in a bundle, a list, or objects one after the other, a few at a time. What cannot be read ends it with what was before it; only
// an error of the database is returned.
func (g *Gateway) read(ctx context.Context, in io.Reader, collection int64, from objects.Source, t *tally) error {
	v, err := g.validator()
	if err != nil {
		return err
	}
	var batch []objects.Object
	flush := func() error {
		out, err := g.shelf.Add(ctx, collection, batch, from)
		t.count(out)
		batch = batch[:0]
		return err
	}
	for stream := stix.NewStream(in, v.Limits); ; {
		item, err := stream.Next()
		switch {
		case errors.Is(err, io.EOF):
			return flush()
		case errors.Is(err, errRead):
			return err
		case err != nil:
			t.refuse(err)
			return flush()
		case item.Err == nil:
			item.Err = v.Validate(item.Object)
		}
		if item.Err != nil {
			t.refuse(item.Err)
			continue
		}
		if batch = append(batch, asObject(item.Object)); len(batch) == together {
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

func asObject(o *stix.Object) objects.Object {
	return objects.Object{ID: o.ID, Type: o.Type, Version: o.Modified, Spec: o.SpecVersion, Bytes: o.Raw}
}

var errRead = errors.New("gateway: the attachment cannot be read")

// blobReader reads a blob that is held, piece by piece.
type blobReader struct {
	ctx      context.Context
	db       *store.DB
	hash     [32]byte
	at, size int64
	piece    []byte
}

// Read gives the next bytes.
func (b *blobReader) Read(p []byte) (int, error) {
	if len(b.piece) == 0 {
		if b.at >= b.size {
			return 0, io.EOF
		}
		err := b.db.View(b.ctx, func(tx *store.Tx) (err error) {
			b.piece, err = blob.Read(b.ctx, tx, b.hash, b.at, blob.MaxPiece)
			return err
		})
		if err != nil || len(b.piece) == 0 {
			return 0, fmt.Errorf("%w: %w", errRead, errors.Join(err, io.ErrUnexpectedEOF))
		}
		b.at += int64(len(b.piece))
	}
	n := copy(p, b.piece)
	b.piece = b.piece[n:]
	return n, nil
}

// scan32 scans 32 bytes.
type scan32 struct{ to *[32]byte }

// Scan takes what the database holds.
func (s scan32) Scan(v any) error {
	raw, ok := v.([]byte)
	if !ok || len(raw) != 0 && len(raw) != 32 {
		return fmt.Errorf("gateway: %T of %d bytes in a column of 32", v, len(raw))
	}
	*s.to = [32]byte{}
	copy(s.to[:], raw)
	return nil
}
