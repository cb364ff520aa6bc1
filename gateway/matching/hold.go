package matching

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"detente/gateway/objects"
	"detente/match"
	"detente/statement"
	"detente/stix"
	"detente/store"
	"detente/traffic"
)

// Of a collection so many objects and bytes are held against the table at once, and of each so many hits are kept.
const (
	step      = 256
	stepBytes = 4 << 20
	perObject = 4
)

// hit is what of the own an object concerns.
type hit struct {
	object, title string
	value, kind   string
	own, asset    string
	how           match.How
	post          traffic.Post
	statement     statement.ID
}

// collection holds the next objects of a collection against a table. What matches and how far it has come are kept in one transaction: dying before it the
// same is found again, and nothing is told twice.
func (m *Matching) collection(ctx context.Context, c *objects.Collection, table *match.Table, digest [32]byte) (more bool, err error) {
	var after time.Time
	err = m.db.View(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(ctx, "SELECT after FROM matching_read WHERE collection = $1 AND digest = $2", c.Number, digest[:]).Scan(instant{&after})
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil || !c.Stamp.After(after) {
		return false, err
	}
	var rows []*objects.Row
	p, err := m.cfg.Shelf.Page(ctx, c.Number, objects.Filter{Versions: objects.Versions{All: true}, After: after, Limit: step, Bytes: stepBytes}, func(r *objects.Row) error {
		rows = append(rows, r)
		return nil
	})
	if err != nil || p.Rows == 0 {
		return false, err
	}
	var hits []hit
	for _, r := range rows {
		hits = append(hits, m.hold(r, table)...)
	}
	heads := make(map[statement.ID]*told)
	for _, h := range hits {
		if heads[h.statement] == nil {
			if heads[h.statement], err = m.head(ctx, h.statement); err != nil {
				return false, err
			}
		}
	}
	err = m.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		if err := m.keep(ctx, tx, c, hits, heads); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO matching_read (collection, digest, after) VALUES ($1, $2, $3)
			ON CONFLICT (collection, digest) DO UPDATE SET after = CASE WHEN excluded.after > matching_read.after THEN excluded.after ELSE matching_read.after END`,
			c.Number, digest[:], p.Last.UnixMicro())
		return err
	})
	if err == nil && len(hits) > 0 {
		err = m.load(ctx)
	}
	return p.More, err
}

// hold tells what of the own an object concerns. What was revoked concerns nobody any more.
func (m *Matching) hold(r *objects.Row, table *match.Table) []hit {
	switch r.Type {
	case "indicator", "observed-data", "ipv4-addr", "ipv6-addr", "domain-name", "url", "email-addr", "autonomous-system":
	default:
		return nil
	}
	o, err := stix.Read(r.Bytes, stix.Standard())
	if err != nil || o.Revoked {
		return nil
	}
	var out []hit
	for _, seen := range o.Observables() {
		for _, h := range table.Match(seen.Observable) {
			if len(out) == perObject {
				return out
			}
			post := h.Asset.Post
			if !slices.Contains(m.posts(), post) {
				post = ""
			}
			out = append(out, hit{
				object: r.ID, title: clean(o.Title()), value: clean(seen.Value), kind: string(seen.Kind), own: h.Own, asset: h.Asset.Name, how: h.How, post: post,
				statement: r.Source.Statement,
			})
		}
	}
	return out
}

// posts are those of the own charter: a table may name one that is no more.
func (m *Matching) posts() []traffic.Post {
	var out []traffic.Post
	for _, p := range m.node.Chain(m.node.Self()).Latest().Posts {
		out = append(out, p.Name)
	}
	return out
}

// clean is a text that a database takes, whatever a stranger put into it.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s[:min(len(s), 500)], "?"), "\x00", "?")
}

// head is what the board says of a statement.
func (m *Matching) head(ctx context.Context, id statement.ID) (*told, error) {
	h, err := m.node.Statement(ctx, id)
	if err != nil {
		return nil, err
	}
	s := h.Statement
	t := &told{
		statement: id, number: traffic.Number(s.Issuer, h.Feed, h.Index), peer: s.Issuer.Party, form: s.Form, channel: s.Channel, dossier: s.Dossier, plane: s.Plane,
	}
	if t.dossier == ([32]byte{}) {
		t.dossier = id
	}
	return t, nil
}

// keep writes down what is new among hits, and counts it for the board: in the round that is open, or in a new one.
func (m *Matching) keep(ctx context.Context, tx *store.Tx, c *objects.Collection, hits []hit, heads map[statement.ID]*told) error {
	type place struct {
		statement statement.ID
		post      traffic.Post
	}
	rounds, counted := make(map[place]int64), make(map[place]map[string]bool)
	for _, h := range hits {
		at := place{h.statement, h.post}
		if _, ok := rounds[at]; !ok {
			var last, seen int64
			err := tx.QueryRow(ctx, "SELECT round, seen FROM matching_told WHERE statement = $1 AND post = $2 ORDER BY round DESC LIMIT 1", h.statement[:], string(h.post)).Scan(&last, &seen)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if rounds[at] = last; err != nil || seen != 0 {
				rounds[at] = last + 1
			}
		}
		res, err := tx.Exec(ctx, `INSERT INTO matching_hits (collection, object, value, own, asset, how, kind, title, statement, post, round)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
			c.Number, h.object, h.value, h.own, h.asset, string(h.how), h.kind, h.title, h.statement[:], string(h.post), rounds[at])
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			if err != nil {
				return err
			}
			continue // it was told
		}
		if counted[at] == nil {
			counted[at] = make(map[string]bool)
		}
		counted[at][h.object] = true
	}
	for at, list := range counted {
		t := heads[at.statement]
		if _, err := tx.Exec(ctx, `INSERT INTO matching_told (`+toldColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, '', '')
			ON CONFLICT (statement, post, round) DO UPDATE SET count = matching_told.count + excluded.count`,
			at.statement[:], string(at.post), rounds[at], len(list), t.number, string(t.peer), t.form, t.channel[:], t.dossier[:], string(t.plane), m.cfg.Now().UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}
