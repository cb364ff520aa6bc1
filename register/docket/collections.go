package docket

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/acts"
	"detente/statement"
	"detente/store"
)

// Errors that a caller decides on.
var (
	ErrUnknown   = errors.New("docket: no instrument that begins like that")
	ErrAmbiguous = errors.New("docket: several begin like that")
	ErrNoAct     = errors.New("docket: no act that begins like that")
	ErrOpensNone = errors.New("docket: that opening opens nothing: its rules cannot be read, or it was not permitted")
)

// Schema is the table of collections.
func Schema() store.Schema {
	return store.Schema{Package: "docket", Steps: []string{`
CREATE TABLE docket_collections (
	id    TEXT NOT NULL PRIMARY KEY, -- SHA-256 of the file, in hex
	added {bigint} NOT NULL,         -- unix seconds
	file  {bytes} NOT NULL           -- as it was imported
);`}}
}

// Import keeps a collection of acts, as the bytes that it came in. The same file is kept once.
func (d *Docket) Import(ctx context.Context, file []byte) (*acts.Collection, error) {
	c, err := acts.ReadCollection(file)
	if err != nil {
		return nil, err
	}
	err = d.node.DB.Update(ctx, store.Calm, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO docket_collections (id, added, file) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING`, c.ID(), time.Now().Unix(), file)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("docket: %w", err)
	}
	return c, nil
}

// Collections gives those that were imported, by id. They are not to be changed.
func (d *Docket) Collections(ctx context.Context) ([]*acts.Collection, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []*acts.Collection
	err := d.node.DB.View(ctx, func(tx *store.Tx) error {
		out = nil
		rows, err := store.All(ctx, tx, func(id *string) []any { return []any{id} }, `SELECT id FROM docket_collections ORDER BY id`)
		if err != nil {
			return err
		}
		for _, id := range rows {
			c := d.collections[id]
			if c == nil {
				var file []byte
				if err := tx.QueryRow(ctx, `SELECT file FROM docket_collections WHERE id = $1`, id).Scan(&file); err != nil {
					return err
				}
				if c, err = acts.ReadCollection(file); err != nil {
					return err // it was read before it was kept
				}
				d.collections[id] = c
			}
			out = append(out, c)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("docket: %w", err)
	}
	return out, nil
}

// Instrument is one that the docket knows: opened in a public feed, or imported as a collection.
type Instrument struct {
	ID         string
	Opening    *acts.Opening    // nil for a collection
	Collection *acts.Collection // nil for an opening

	acts []acts.Act
}

// Acts are all that are known about it; not to be changed.
func (i *Instrument) Acts() []acts.Act { return i.acts }

// Rules are those of the instrument; nil if they cannot be read.
func (i *Instrument) Rules() *acts.Rules {
	if i.Collection != nil {
		return &i.Collection.Rules
	}
	return i.Opening.Rules
}

// Title is the instrument's, by language.
func (i *Instrument) Title() map[string]string {
	if i.Collection != nil {
		return i.Collection.Title
	}
	return i.Opening.Title
}

// Record folds what is known about it by a time; the zero time knows all. Error: ErrOpensNone.
func (i *Instrument) Record(known time.Time) (*acts.Record, error) {
	if i.Opening != nil && (i.Opening.Why != "" || i.Opening.Rules == nil) {
		return nil, ErrOpensNone
	}
	return acts.Fold(i.Rules(), i.acts, known), nil
}

// Instruments lists what the docket knows, those of feeds first, by the time of their opening.
func (d *Docket) Instruments(ctx context.Context) ([]*Instrument, error) {
	r, err := d.Reading(ctx)
	if err != nil {
		return nil, err
	}
	collections, err := d.Collections(ctx)
	if err != nil {
		return nil, err
	}
	var out []*Instrument
	for _, o := range r.Openings {
		out = append(out, &Instrument{ID: o.ID, Opening: o, acts: r.Acts[o.ID]})
	}
	for _, c := range collections {
		out = append(out, &Instrument{ID: c.ID(), Collection: c, acts: c.Acts})
	}
	return out, nil
}

// Instrument finds one by the beginning of its id. Errors: ErrUnknown, ErrAmbiguous.
func (d *Docket) Instrument(ctx context.Context, prefix string) (*Instrument, error) {
	all, err := d.Instruments(ctx)
	if err != nil {
		return nil, err
	}
	prefix = strings.ToLower(prefix)
	all = slices.DeleteFunc(all, func(i *Instrument) bool { return prefix == "" || !strings.HasPrefix(i.ID, prefix) })
	switch len(all) {
	case 0:
		return nil, ErrUnknown
	case 1:
		return all[0], nil
	}
	return nil, ErrAmbiguous
}

// Act finds an act, and the instrument that it is about, by the beginning of its id. An opening is none. Errors: ErrNoAct, ErrAmbiguous.
func (d *Docket) Act(ctx context.Context, prefix string) (*Instrument, *acts.Act, error) {
	all, err := d.Instruments(ctx)
	if err != nil {
		return nil, nil, err
	}
	var of *Instrument
	var found *acts.Act
	for _, i := range all {
		for n := range i.acts {
			a := &i.acts[n]
			switch {
			case prefix == "" || a.ID == i.ID || !strings.HasPrefix(a.ID, prefix):
			case a.ID == prefix:
				return i, a, nil
			case found != nil:
				return nil, nil, ErrAmbiguous
			default:
				of, found = i, a
			}
		}
	}
	if found == nil {
		return nil, nil, ErrNoAct
	}
	return of, found, nil
}

// Files gives the collections as they were imported, by their SHA-256.
func (d *Docket) Files(ctx context.Context) (map[statement.ID][]byte, error) {
	type row struct {
		id   string
		file []byte
	}
	out := make(map[statement.ID][]byte)
	err := d.node.DB.View(ctx, func(tx *store.Tx) error {
		rows, err := store.All(ctx, tx, func(r *row) []any { return []any{&r.id, &r.file} }, `SELECT id, file FROM docket_collections ORDER BY id`)
		clear(out)
		for _, r := range rows {
			out[sha256.Sum256(r.file)] = r.file
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("docket: %w", err)
	}
	return out, nil
}
