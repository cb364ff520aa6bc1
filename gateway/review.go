package gateway

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"detente/gateway/objects"
	"detente/label"
	"detente/statement"
	"detente/store"
)

// Review is an object that waits for a person.
type Review struct {
	Key        string // names it to Approve and Refuse
	Collection objects.Collection
	Row        *objects.Row
	Form       string
	Audience   string
	TLP        label.TLP
	PAP        label.PAP
	Token      string // who added it
	Failure    string // why the node has refused to state it, though it was released; empty where it was not
}

func keyOf(collection, added int64) string { return fmt.Sprintf("%d-%d", collection, added) }

func parseKey(key string) (collection, added int64, err error) {
	a, b, ok := strings.Cut(key, "-")
	collection, err1 := strconv.ParseInt(a, 10, 64)
	added, err2 := strconv.ParseInt(b, 10, 64)
	if !ok || err1 != nil || err2 != nil {
		return 0, 0, fmt.Errorf("%w: %.64q", ErrNoItem, key)
	}
	return collection, added, nil
}

// outRow is a row of gateway_out.
type outRow struct {
	collection, added        int64
	form, audience, tlp, pap string
	token, drafter, reason   string
}

func (r *outRow) fields() []any {
	return []any{&r.collection, &r.added, &r.form, &r.audience, &r.tlp, &r.pap, &r.token, &r.drafter, &r.reason}
}

const outColumns = "collection, added, form, audience, tlp, pap, token, drafter, reason"

// Pending lists what waits for a person, what the node has refused to state included, the oldest of each collection first, at most limit.
func (g *Gateway) Pending(ctx context.Context, limit int) ([]Review, error) {
	var rows []outRow
	err := g.db.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = store.All(ctx, tx, (*outRow).fields, "SELECT "+outColumns+" FROM gateway_out WHERE state IN ('waiting', 'failed') ORDER BY collection, added LIMIT $1", limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("gateway: pending: %w", err)
	}
	all, err := g.shelf.Collections(ctx)
	if err != nil {
		return nil, err
	}
	var out []Review
	for _, r := range rows {
		o, err := g.shelf.Get(ctx, r.collection, time.UnixMicro(r.added).UTC())
		if errors.Is(err, objects.ErrNoObject) {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, err
		}
		w := Review{Key: keyOf(r.collection, r.added), Row: o, Form: r.form, Audience: r.audience, TLP: label.TLP(r.tlp), PAP: label.PAP(r.pap), Token: r.token, Failure: r.reason}
		for _, c := range all {
			if c.Number == r.collection {
				w.Collection = c
			}
		}
		out = append(out, w)
	}
	return out, nil
}

// Approve releases what waits: all of the keys, or none. role is the duty role of whoever does it. Error: ErrNoItem.
func (g *Gateway) Approve(ctx context.Context, keys []string, role string) error {
	return g.decide(ctx, keys, "released", role, "")
}

// Refuse keeps here what waits. Error: ErrNoItem.
func (g *Gateway) Refuse(ctx context.Context, keys []string, role, reason string) error {
	return g.decide(ctx, keys, "refused", role, short(reason))
}

// MaxReview is how many objects are decided on at once.
const MaxReview = 1000

func (g *Gateway) decide(ctx context.Context, keys []string, state, role, reason string) error {
	if len(keys) > MaxReview {
		return fmt.Errorf("%w: more than %d at once", ErrNoItem, MaxReview)
	}
	err := g.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		for _, key := range keys {
			collection, added, err := parseKey(key)
			if err != nil {
				return err
			}
			res, err := tx.Exec(ctx, "UPDATE gateway_out SET state = $3, drafter = $4, reason = $5, batch = 0 WHERE collection = $1 AND added = $2 AND state IN ('waiting', 'failed')",
				collection, added, state, role, reason)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				return errors.Join(fmt.Errorf("%w: %s", ErrNoItem, key), err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("gateway: review: %w", err)
	}
	g.kick()
	return g.reload(ctx)
}

// Count is how many objects of a collection that is to be stated stand where.
type Count struct {
	Collection int64
	State      string
	Count      int64
}

// Counts tells how far what local tools have added has come.
func (g *Gateway) Counts(ctx context.Context) ([]Count, error) {
	var out []Count
	err := g.db.View(ctx, func(tx *store.Tx) (err error) {
		out, err = store.All(ctx, tx, func(c *Count) []any { return []any{&c.Collection, &c.State, &c.Count} },
			"SELECT collection, state, COUNT(*) FROM gateway_out GROUP BY state, collection ORDER BY collection, state")
		return err
	})
	return out, err
}

// Arrival is what became of an attachment that another party has stated.
type Arrival struct {
	Statement                             statement.ID
	Attachment                            [32]byte
	Collection                            int64
	Done                                  time.Time // zero while its bytes are on their way
	Added, Duplicates, Conflicts, Refused int
	Reason                                string // why the first was refused
}

// Arrivals lists what others have stated, what is on its way first, then the newest, at most limit of each.
func (g *Gateway) Arrivals(ctx context.Context, limit int) ([]Arrival, error) {
	var out []Arrival
	err := g.db.View(ctx, func(tx *store.Tx) error {
		out = nil
		for _, where := range []string{"done = 0 ORDER BY number", "done > 0 ORDER BY number DESC"} {
			list, err := store.All(ctx, tx, func(a *Arrival) []any {
				return []any{scan32{(*[32]byte)(&a.Statement)}, scan32{&a.Attachment}, &a.Collection, moment{&a.Done}, &a.Added, &a.Duplicates, &a.Conflicts, &a.Refused, &a.Reason}
			}, "SELECT statement, attachment, collection, done, added, duplicates, conflicts, refused, reason FROM gateway_received WHERE "+where+" LIMIT $1", limit)
			if err != nil {
				return err
			}
			out = append(out, list...)
		}
		return nil
	})
	return out, err
}

// moment scans unix microseconds, of which 0 is none.
type moment struct{ to *time.Time }

// Scan takes what the database holds.
func (m moment) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("gateway: %T in a column of microseconds", v)
	}
	if *m.to = (time.Time{}); n != 0 {
		*m.to = time.UnixMicro(n).UTC()
	}
	return nil
}
