package objects

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"detente/store"
)

// Limits of a filter. Each id, type and version is a range of an index of its own, so the work of a page is bounded by these and by its limit.
const (
	MaxIDs      = 100
	MaxTypes    = 32
	MaxVersions = 8
	MaxPage     = 5000 // rows
)

// Filter says which versions a page holds. Its zero value is the newest version of every object.
type Filter struct {
	IDs, Types, Specs []string // each empty for any
	Versions          Versions
	After             time.Time // only what was added later; a position is one
	Limit             int       // at most MaxPage; 0 is MaxPage
	Bytes             int       // the page ends before its bodies are more than this, and holds one at least; 0 is no limit
	NoBodies          bool      // leave Bytes of the rows empty
}

// Versions says which versions of an object are meant. The zero value is the last.
type Versions struct {
	All, First, Last bool
	At               []time.Time
}

func (v Versions) normal() Versions {
	if !v.All && !v.First && !v.Last && len(v.At) == 0 {
		v.Last = true
	}
	return v
}

// holds tells whether a version is meant. An object without one goes by its stamp.
func (v Versions) holds(version, added int64, last, first bool) bool {
	v = v.normal()
	if version == 0 {
		version = added
	}
	return v.All || v.Last && last || v.First && first || slices.ContainsFunc(v.At, func(t time.Time) bool { return t.UnixMicro() == version })
}

// check refuses a filter over its limits.
func (f *Filter) check() error {
	switch {
	case len(f.IDs) > MaxIDs:
		return fmt.Errorf("%w: more than %d ids", ErrFilter, MaxIDs)
	case len(f.Types) > MaxTypes:
		return fmt.Errorf("%w: more than %d types", ErrFilter, MaxTypes)
	case len(f.Versions.At) > MaxVersions:
		return fmt.Errorf("%w: more than %d versions", ErrFilter, MaxVersions)
	case f.Limit < 0 || f.Bytes < 0:
		return fmt.Errorf("%w: a limit is not negative", ErrFilter)
	}
	return nil
}

// Page is where a page ends.
type Page struct {
	Rows  int
	First time.Time // stamps of the first and the last row
	Last  time.Time
	More  bool      // there is more behind Next
	Next  time.Time // the position behind which the next page begins; it may hold nothing and have more behind it
}

// Page calls fn for the versions of a collection that a filter means, in the order in which they were added. The row is fn's to keep. It costs
// the same wherever the page begins. fn is called within a transaction and must not wait for anybody.
func (s *Shelf) Page(ctx context.Context, collection int64, f Filter, fn func(*Row) error) (Page, error) {
	var p Page
	if err := f.check(); err != nil {
		return p, err
	}
	if f.Limit == 0 || f.Limit > MaxPage {
		f.Limit = MaxPage
	}
	f.Versions = f.Versions.normal()
	if len(f.Specs) > 0 && !slices.Contains(f.Specs, Spec) {
		return p, nil
	}
	err := s.db.View(ctx, func(tx *store.Tx) error {
		p = Page{}
		r := &reader{ctx: ctx, tx: tx, collection: collection, filter: &f, page: &p, fn: fn}
		streams := r.streams()
		if len(streams) == 1 && streams[0].keep == nil {
			return r.straight(streams[0])
		}
		return r.merged(streams)
	})
	if err != nil {
		return p, fmt.Errorf("objects: page: %w", err)
	}
	return p, nil
}

// stream is one range of one index, in the order of stamps.
type stream struct {
	where string
	args  []any
	keep  func(*key) bool // nil for all
}

// key is what is read of an object to choose it.
type key struct {
	place, added, version int64
	typ                   string
	first, last           int64
}

type reader struct {
	ctx        context.Context
	tx         *store.Tx
	collection int64
	filter     *Filter
	page       *Page
	fn         func(*Row) error
	bytes      int
}

// streams splits a filter into ranges that together hold what it means.
func (r *reader) streams() []stream {
	f, v := r.filter, r.filter.Versions
	after := unixMicro(f.After)
	lasts, keep := []int{1}, (func(*key) bool)(nil)
	switch {
	case v.All:
		lasts = []int{0, 1}
	case v.First:
		lasts = []int{0, 1}
		keep = func(k *key) bool { return k.first == 1 || v.Last && k.last == 1 }
	case !v.Last:
		lasts = nil
	}
	var out []stream
	add := func(keep func(*key) bool, where string, args ...any) {
		out = append(out, stream{"collection = $1 AND added > $2 AND " + where, append([]any{r.collection, after}, args...), keep})
	}
	at := v.At
	if v.All {
		at = nil
	}
	ofType := func(k *key) bool { return len(f.Types) == 0 || slices.Contains(f.Types, k.typ) }
	switch {
	case len(f.IDs) > 0:
		ids := slices.Compact(slices.Sorted(slices.Values(f.IDs)))
		for _, id := range ids {
			if typ, _, _ := strings.Cut(id, "--"); len(f.Types) > 0 && !slices.Contains(f.Types, typ) {
				continue
			}
			for _, l := range lasts {
				add(keep, "id = $3 AND last = $4", id, l)
			}
			for _, t := range at {
				add(nil, "id = $3 AND version = $4", id, t.UnixMicro())
				add(nil, "id = $3 AND version = 0 AND added = $4", id, t.UnixMicro())
			}
		}
		return out
	case len(f.Types) > 0:
		for _, typ := range slices.Compact(slices.Sorted(slices.Values(f.Types))) {
			for _, l := range lasts {
				add(keep, "type = $3 AND last = $4", typ, l)
			}
		}
	case v.All:
		from := placeOf(r.collection, after)
		return []stream{{"place > $1 AND place <= $2", []any{max(from, r.collection<<stampBits), r.collection<<stampBits | (1<<stampBits - 1)}, nil}}
	default:
		for _, l := range lasts {
			add(keep, "last = $3", l)
		}
	}
	for _, t := range at {
		add(ofType, "version = $3", t.UnixMicro())
		add(ofType, "version = 0 AND added = $3", t.UnixMicro())
	}
	return out
}

func (st *stream) order() string {
	if strings.HasPrefix(st.where, "place") {
		return " ORDER BY place"
	}
	return " ORDER BY added"
}

func (r *reader) columns() string {
	if r.filter.NoBodies {
		return "added, id, type, version, spec, statement, attachment"
	}
	return "added, id, type, version, spec, statement, attachment, body"
}

func (r *reader) fields(o *Row) []any {
	f := []any{instant{&o.Added}, &o.ID, &o.Type, instant{&o.Version}, &o.Spec, bytes32{&o.Source.Statement}, bytes32{&o.Source.Attachment}}
	if !r.filter.NoBodies {
		f = append(f, &o.Bytes)
	}
	return f
}

// give hands a row on, or tells that the page is full.
func (r *reader) give(o *Row) (full bool, err error) {
	f, p := r.filter, r.page
	if p.Rows == f.Limit || f.Bytes > 0 && p.Rows > 0 && r.bytes+len(o.Bytes) > f.Bytes {
		p.More, p.Next = true, p.Last
		return true, nil
	}
	if p.Rows++; p.Rows == 1 {
		p.First = o.Added
	}
	p.Last = o.Added
	r.bytes += len(o.Bytes)
	return false, r.fn(o)
}

// straight reads a page that is one range.
func (r *reader) straight(st stream) error {
	rows, err := r.tx.Query(r.ctx, fmt.Sprintf("SELECT %s FROM objects WHERE %s%s LIMIT $%d", r.columns(), st.where, st.order(), len(st.args)+1), append(st.args, r.filter.Limit+1)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var o Row
		if err := rows.Scan(r.fields(&o)...); err != nil {
			return err
		}
		if full, err := r.give(&o); full || err != nil {
			return err
		}
	}
	return rows.Err()
}

// merged reads a page that is made of several ranges, or of ranges of which not all is meant. Of each range a bounded part is looked at; where
// that ends before the page is full, the page ends there.
func (r *reader) merged(streams []stream) error {
	var keys []key
	edge := int64(math.MaxInt64)
	for i := range streams {
		st := &streams[i]
		most := r.filter.Limit + 1
		if st.keep != nil {
			most = max(4*most, 256)
		}
		list, err := store.All(r.ctx, r.tx, func(k *key) []any { return []any{&k.place, &k.added, &k.version, &k.typ, &k.first, &k.last} },
			fmt.Sprintf("SELECT place, added, version, type, first, last FROM objects WHERE %s%s LIMIT $%d", st.where, st.order(), len(st.args)+1), append(st.args, most)...)
		if err != nil {
			return err
		}
		if len(list) == most {
			edge = min(edge, list[most-1].added)
		}
		for j := range list {
			if st.keep == nil || st.keep(&list[j]) {
				keys = append(keys, list[j])
			}
		}
	}
	slices.SortFunc(keys, func(a, b key) int { return cmp.Compare(a.place, b.place) })
	keys = slices.CompactFunc(keys, func(a, b key) bool { return a.place == b.place })
	for _, k := range keys {
		if k.added > edge {
			break
		}
		o, err := store.One(r.ctx, r.tx, r.fields, "SELECT "+r.columns()+" FROM objects WHERE place = $1", k.place)
		if err != nil {
			return err
		}
		if full, err := r.give(&o); full || err != nil {
			return err
		}
	}
	if edge != math.MaxInt64 {
		r.page.More, r.page.Next = true, micro(edge)
	}
	return nil
}

// Get gives one version by its stamp. Error: ErrNoObject.
func (s *Shelf) Get(ctx context.Context, collection int64, added time.Time) (*Row, error) {
	var found *Row
	_, err := s.Page(ctx, collection, Filter{Versions: Versions{All: true}, After: added.Add(-time.Microsecond), Limit: 1}, func(o *Row) error {
		if o.Added.Equal(added) {
			found = o
		}
		return nil
	})
	if err == nil && found == nil {
		err = ErrNoObject
	}
	return found, err
}

// Has tells whether any version of an object is in a collection.
func (s *Shelf) Has(ctx context.Context, collection int64, id string) (bool, error) {
	p, err := s.Page(ctx, collection, Filter{IDs: []string{id}, Limit: 1, NoBodies: true}, func(*Row) error { return nil })
	return p.Rows > 0, err
}
