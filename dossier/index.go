package dossier

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/feed"
	"detente/form"
	"detente/store"
	"detente/traffic"
)

// Schema is the tables of this package: the index of dossiers, by which open ones are found without folding all. It holds nothing that the
// feeds do not say.
//
// The column changes counts what has come to a dossier, in the transactions in which it came; folded is what it was when the columns after
// it were computed. They are believed only if the two are equal, so an index that lags is noticed wherever it is used.
func Schema() store.Schema {
	return store.Schema{Package: "dossier", Steps: []string{`
CREATE TABLE dossiers (
	id      {bytes} NOT NULL,
	channel {bytes} NOT NULL,
	plane   TEXT NOT NULL,
	held    {bigint} NOT NULL, -- when its newest entry came to be stored here, unix seconds
	changes {bigint} NOT NULL,
	folded  {bigint} NOT NULL,
	entries {bigint} NOT NULL,
	open    {bigint} NOT NULL,
	digest  {bytes} NOT NULL,
	PRIMARY KEY (id, channel, plane)
);
CREATE INDEX dossiers_by_held ON dossiers (held);
CREATE INDEX dossiers_open ON dossiers (held) WHERE open > 0;
CREATE INDEX dossiers_stale ON dossiers (held) WHERE folded < changes;
CREATE TABLE dossier_seen (
	feed TEXT PRIMARY KEY, -- origin
	size {bigint} NOT NULL -- how much of it is noted in the index
);`}}
}

// Regimes gives the regime of a channel, false for a channel that is not known here.
type Regimes func(channel [32]byte) (*form.Regime, bool)

// Note records that entries came, or were judged anew. For those judged anew it is called in the transaction that did so; those that came
// [CatchUp] finds by itself. It costs one row for each dossier concerned, however long that is.
func Note(ctx context.Context, tx *store.Tx, f traffic.Feed, entries []feed.Entry) error {
	type news struct{ changes, held int64 }
	by := make(map[Name]news, len(entries))
	var names []Name
	for _, e := range entries {
		n, ok := nameIn(f, e.Dossier)
		if !ok {
			continue
		}
		was, seen := by[n]
		if !seen {
			names = append(names, n)
		}
		by[n] = news{was.changes + 1, max(was.held, e.Held.Unix())}
	}
	slices.SortFunc(names, compareNames) // processes that share a database lock the rows in one order
	for _, n := range names {
		_, err := tx.Exec(ctx, `INSERT INTO dossiers (id, channel, plane, held, changes, folded, entries, open, digest)
			VALUES ($1, $2, $3, $4, $5, 0, 0, 0, $6)
			ON CONFLICT (id, channel, plane) DO UPDATE SET changes = dossiers.changes + excluded.changes,
			held = CASE WHEN excluded.held > dossiers.held THEN excluded.held ELSE dossiers.held END`,
			n.ID[:], n.Channel[:], string(n.Plane), by[n].held, by[n].changes, []byte{})
		if err != nil {
			return fmt.Errorf("dossier: note: %w", err)
		}
	}
	return nil
}

func compareNames(a, b Name) int {
	return cmp.Or(bytes.Compare(a.ID[:], b.ID[:]), bytes.Compare(a.Channel[:], b.Channel[:]), cmp.Compare(a.Plane, b.Plane))
}

// Read folds one dossier from what is held of it. A dossier of which nothing is held has no entries.
func Read(ctx context.Context, tx *store.Tx, n Name, r *form.Regime) (*State, error) {
	items, err := Load(ctx, tx, n)
	if err != nil {
		return nil, err
	}
	return Fold(n, items, r), nil
}

// Summary is a line of the list of dossiers.
type Summary struct {
	Name
	Entries int       // statements held, invalid ones included
	Open    int       // of them, those from which an acknowledgement or an answer is due
	Held    time.Time // when the newest came to be held here
	Digest  [32]byte  // of the state
}

// Filter narrows a list of dossiers; its zero value is all of them.
type Filter struct {
	Channel *[32]byte
	Plane   traffic.Plane
	Open    bool     // only those from which something is due
	After   *Summary // only those behind this one in the list
	Limit   int      // at most so many; 0 for 100
}

// Dossiers lists dossiers, the one that changed last first. What the index has not seen yet, or not folded, is folded here and now: the list
// is right however far the index lags, only slower. A dossier of a channel that regimes does not know is left out.
func Dossiers(ctx context.Context, tx *store.Tx, f Filter, regimes Regimes) ([]Summary, error) {
	ahead, err := unseen(ctx, tx) // of these the index has no line, or one that is out of date and does not know it
	if err != nil {
		return nil, err
	}
	var news []row
	for n, at := range ahead {
		if s := (Summary{Name: n, Held: at}); f.passes(s) {
			news = append(news, row{Summary: s, changes: 1}) // never folded
		}
	}
	slices.SortFunc(news, func(a, b row) int { return compareListed(a.Summary, b.Summary) })
	limit := cmp.Or(f.Limit, 100)
	var page []row
	last := false
	var out []Summary
	for len(out) < limit {
		if len(page) == 0 && !last {
			if page, err = rows(ctx, tx, f, limit); err != nil {
				return nil, err
			}
			if last = len(page) < limit; len(page) > 0 {
				f.After = &page[len(page)-1].Summary
			}
		}
		var r row
		switch {
		case len(news) > 0 && (len(page) == 0 || compareListed(news[0].Summary, page[0].Summary) < 0):
			r, news = news[0], news[1:]
		case len(page) > 0:
			r, page = page[0], page[1:]
			if _, out := ahead[r.Name]; out {
				continue
			}
		default:
			return out, nil
		}
		regime, ok := regimes(r.Channel)
		if !ok {
			continue
		}
		if err := r.freshen(ctx, tx, regime); err != nil {
			return nil, err
		}
		if r.Open > 0 || !f.Open {
			out = append(out, r.Summary)
		}
	}
	return out, nil
}

// compareListed is the order of the list.
func compareListed(a, b Summary) int {
	return cmp.Or(cmp.Compare(b.Held.Unix(), a.Held.Unix()), compareNames(a.Name, b.Name))
}

// passes tells whether the filter, but for Open, lets a line into the list.
func (f *Filter) passes(s Summary) bool {
	return (f.Channel == nil || *f.Channel == s.Channel) && (f.Plane == "" || f.Plane == s.Plane) && (f.After == nil || compareListed(*f.After, s) < 0)
}

// row is a dossier as the index has it.
type row struct {
	Summary
	changes, folded int64
}

const rowColumns = `id, channel, plane, held, changes, folded, entries, open, digest`

func (r *row) scan(scan func(...any) error) error {
	var id, channel, digest []byte
	var held int64
	if err := scan(&id, &channel, &r.Plane, &held, &r.changes, &r.folded, &r.Entries, &r.Open, &digest); err != nil {
		return err
	}
	copy(r.ID[:], id)
	copy(r.Channel[:], channel)
	copy(r.Digest[:], digest)
	r.Held = time.Unix(held, 0).UTC()
	return nil
}

// rows reads one page of the index. With Open set it gives those that may be open: the stale ones too.
func rows(ctx context.Context, tx *store.Tx, f Filter, limit int) ([]row, error) {
	where, args := []string{"1 = 1"}, []any(nil)
	add := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where = append(where, condition)
	}
	if f.Channel != nil {
		add("channel = ?", f.Channel[:])
	}
	if f.Plane != "" {
		add("plane = ?", string(f.Plane))
	}
	if f.Open {
		add("(open > 0 OR folded < changes)")
	}
	if a := f.After; a != nil {
		held := a.Held.Unix()
		add("(held < ? OR held = ? AND (id, channel, plane) > (?, ?, ?))", held, held, a.ID[:], a.Channel[:], string(a.Plane))
	}
	return query(ctx, tx, `SELECT `+rowColumns+` FROM dossiers WHERE `+strings.Join(where, " AND ")+
		fmt.Sprintf(` ORDER BY held DESC, id, channel, plane LIMIT %d`, limit), args...)
}

func query(ctx context.Context, tx *store.Tx, sql string, args ...any) ([]row, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("dossier: list: %w", err)
	}
	defer rows.Close()
	var out []row
	for rows.Next() {
		var r row
		if err := r.scan(rows.Scan); err != nil {
			return nil, fmt.Errorf("dossier: list: %w", err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// freshen folds the dossier if the index lags behind what is held of it.
func (r *row) freshen(ctx context.Context, tx *store.Tx, regime *form.Regime) error {
	if r.folded == r.changes {
		return nil
	}
	s, err := Read(ctx, tx, r.Name, regime)
	if err != nil {
		return err
	}
	r.set(s)
	r.folded = r.changes
	return nil
}

func (r *row) set(s *State) { r.Entries, r.Open, r.Digest = len(s.Entries), len(s.Open), s.Digest }

// save writes what was folded. What has been noted since r was read stays noted: the row is then stale still.
func (r *row) save(ctx context.Context, tx *store.Tx) error {
	_, err := tx.Exec(ctx, `UPDATE dossiers SET folded = $1, entries = $2, open = $3, digest = $4 WHERE id = $5 AND channel = $6 AND plane = $7`,
		r.folded, r.Entries, r.Open, r.Digest[:], r.ID[:], r.Channel[:], string(r.Plane))
	if err != nil {
		return fmt.Errorf("dossier: refresh: %w", err)
	}
	return nil
}

// Refresh brings at most limit lagging dossiers of the index up to date, the newest first, and tells how many it has: fewer than limit when
// none lags any more. Calling it makes lists quicker, never different.
func Refresh(ctx context.Context, tx *store.Tx, limit int, regimes Regimes) (int, error) {
	stale, err := query(ctx, tx, `SELECT `+rowColumns+` FROM dossiers WHERE folded < changes ORDER BY held DESC LIMIT $1`, limit)
	if err != nil {
		return 0, err
	}
	n := 0
	for i := range stale {
		r := &stale[i]
		regime, ok := regimes(r.Channel)
		if !ok {
			continue
		}
		if err := r.freshen(ctx, tx, regime); err != nil {
			return n, err
		}
		if err := r.save(ctx, tx); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// find gives the row of a dossier, nil when the index has none.
func find(ctx context.Context, tx *store.Tx, n Name) (*row, error) {
	var r row
	err := r.scan(tx.QueryRow(ctx, `SELECT `+rowColumns+` FROM dossiers WHERE id = $1 AND channel = $2 AND plane = $3`,
		n.ID[:], n.Channel[:], string(n.Plane)).Scan)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("dossier: find: %w", err)
	}
	return &r, nil
}
