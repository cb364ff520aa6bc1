package objects

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/store"
)

// Fate is what became of an object that was given.
type Fate int

const (
	// Added says that it is a version that was not here.
	Added Fate = iota
	// Duplicate says that the same bytes, or the same version in the same bytes, were here.
	Duplicate
	// Conflict says that this version is here with other bytes; these were kept beside them, and are not served.
	Conflict
	// Refused says that it is no object that can be kept.
	Refused
)

// Outcome is what became of one object. Added is the stamp of the version that is served, whoever brought it.
type Outcome struct {
	Fate  Fate
	Added time.Time
	Err   error // why it was refused
}

// Add puts objects into a collection, in their order, and returns what became of each. When it returns without error all of it is durable;
// with an error the first ones may be, and adding all again changes nothing of them.
//
// A stamp is given while the collection's row is held, which no other writer can take before this one's commit is visible: so stamps become
// visible in their order, and whoever asks for what is after the last one he saw misses none.
func (s *Shelf) Add(ctx context.Context, collection int64, list []Object, from Source) ([]Outcome, error) {
	return s.AddWith(ctx, collection, list, from, nil)
}

// AddWith is Add with something to be done for each version that is new, within the transaction in which it becomes visible.
func (s *Shelf) AddWith(ctx context.Context, collection int64, list []Object, from Source, with func(tx *store.Tx, o *Object, added time.Time) error) ([]Outcome, error) {
	out := make([]Outcome, 0, len(list))
	for part := range slices.Chunk(list, chunk) {
		var done []Outcome
		err := s.db.Update(ctx, store.Calm, func(tx *store.Tx) (err error) {
			done, err = s.add(ctx, tx, collection, part, from, with)
			return err
		})
		if err != nil {
			return out, fmt.Errorf("objects: add: %w", err)
		}
		out = append(out, done...)
	}
	return out, nil
}

func (s *Shelf) add(ctx context.Context, tx *store.Tx, collection int64, list []Object, from Source, with func(*store.Tx, *Object, time.Time) error) ([]Outcome, error) {
	var stamp, size int64
	err := tx.QueryRow(ctx, "SELECT stamp, size FROM collections WHERE number = $1"+tx.ForUpdate(), collection).Scan(&stamp, &size)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNoCollection
	}
	if err != nil {
		return nil, err
	}
	out := make([]Outcome, len(list))
	var fresh []int
	for i := range list {
		o := &list[i]
		if err := check(o); err != nil {
			out[i] = Outcome{Fate: Refused, Err: err}
			continue
		}
		stamp = max(s.now().UnixMicro(), stamp+1, origin+1)
		if out[i], err = put(ctx, tx, collection, o, stamp, from); err != nil {
			return nil, err
		}
		if out[i].Fate == Added {
			fresh = append(fresh, i)
		}
	}
	for _, i := range fresh {
		if with != nil {
			if err := with(tx, &list[i], out[i].Added); err != nil {
				return nil, err
			}
		}
	}
	if len(fresh) == 0 {
		return out, nil
	}
	_, err = tx.Exec(ctx, "UPDATE collections SET stamp = $2, size = $3 WHERE number = $1", collection, stamp, size+int64(len(fresh)))
	return out, err
}

func check(o *Object) error {
	switch {
	case o.ID == "" || o.Type == "" || o.Spec == "":
		return fmt.Errorf("%w: it has no id, type or version of the specification", ErrObject)
	case len(o.ID) > maxName || len(o.Type) > maxName || len(o.Spec) > maxName:
		return fmt.Errorf("%w: its id or type is over %d bytes", ErrObject, maxName)
	case o.Spec != Spec:
		return fmt.Errorf("%w: it is of STIX %.16q, and only %s is kept", ErrObject, o.Spec, Spec)
	case len(o.Bytes) == 0 || len(o.Bytes) > MaxObject:
		return fmt.Errorf("%w: %d bytes, and an object has 1 to %d", ErrObject, len(o.Bytes), MaxObject)
	case !o.Version.IsZero() && (o.Version.Year() < 1 || o.Version.Year() > 9999):
		return fmt.Errorf("%w: its version is in the year %d", ErrObject, o.Version.Year())
	}
	return nil
}

// version is a row of objects, as far as adding needs it.
type version struct {
	place, added, version int64
	hash                  []byte
}

func (v *version) fields() []any { return []any{&v.place, &v.added, &v.version, &v.hash} }

const versionColumns = "place, added, version, hash"

// put stores one object under a stamp.
func put(ctx context.Context, tx *store.Tx, collection int64, o *Object, stamp int64, from Source) (Outcome, error) {
	hash := sha256.Sum256(o.Bytes)
	v := unixMicro(o.Version)
	newest, err := store.One(ctx, tx, (*version).fields, "SELECT "+versionColumns+" FROM objects WHERE collection = $1 AND id = $2 AND last = 1", collection, o.ID)
	known := !errors.Is(err, store.ErrNotFound)
	if known && err != nil {
		return Outcome{}, err
	}
	last, first := int64(1), int64(1)
	if known {
		there := newest
		if newest.version != v {
			there, err = store.One(ctx, tx, (*version).fields, "SELECT "+versionColumns+" FROM objects WHERE collection = $1 AND id = $2 AND version = $3", collection, o.ID, v)
		}
		switch {
		case err == nil && bytes.Equal(there.hash, hash[:]):
			return Outcome{Fate: Duplicate, Added: micro(there.added)}, nil
		case err == nil:
			return Outcome{Fate: Conflict, Added: micro(there.added)}, conflict(ctx, tx, collection, o, v, hash, stamp, from)
		case !errors.Is(err, store.ErrNotFound):
			return Outcome{}, err
		}
		if last, first, err = rank(ctx, tx, collection, o.ID, v, newest); err != nil {
			return Outcome{}, err
		}
	}
	_, err = tx.Exec(ctx, "INSERT INTO objects (place, collection, added, id, type, version, spec, last, first, hash, statement, attachment, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
		placeOf(collection, stamp), collection, stamp, o.ID, o.Type, v, o.Spec, last, first, hash[:], channelBytes(from.Statement), channelBytes(from.Attachment), o.Bytes)
	return Outcome{Fate: Added, Added: micro(stamp)}, err
}

// rank tells whether a further version is the newest or the oldest one, and takes that from the one that was.
func rank(ctx context.Context, tx *store.Tx, collection int64, id string, v int64, newest version) (last, first int64, err error) {
	if v > newest.version {
		_, err = tx.Exec(ctx, "UPDATE objects SET last = 0 WHERE place = $1", newest.place)
		return 1, 0, err
	}
	oldest, err := store.One(ctx, tx, (*version).fields, "SELECT "+versionColumns+" FROM objects WHERE collection = $1 AND id = $2 ORDER BY version LIMIT 1", collection, id)
	if err != nil || v > oldest.version {
		return 0, 0, err
	}
	_, err = tx.Exec(ctx, "UPDATE objects SET first = 0 WHERE place = $1", oldest.place)
	return 0, 1, err
}

// conflict keeps other bytes of a version. After the first few nothing more is: nobody is to fill the disk with one id.
func conflict(ctx context.Context, tx *store.Tx, collection int64, o *Object, v int64, hash [32]byte, seen int64, from Source) error {
	var n int
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM object_conflicts WHERE collection = $1 AND id = $2 AND version = $3", collection, o.ID, v).Scan(&n); err != nil || n >= maxConflicts {
		return err
	}
	_, err := tx.Exec(ctx, "INSERT INTO object_conflicts (collection, id, version, hash, seen, statement, attachment, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
		collection, o.ID, v, hash[:], seen, channelBytes(from.Statement), channelBytes(from.Attachment), o.Bytes)
	return err
}

func placeOf(collection, stamp int64) int64 {
	at := min(max(stamp-origin, 0), 1<<stampBits-1)
	return collection<<stampBits | at
}

// Delete takes versions of an object out of a collection and returns how many there were. What waits to be said is withdrawn so; of what was
// said nothing is unsaid. may is asked for each version within the transaction, and its error ends it; nil is no question. Error: ErrNoObject.
func (s *Shelf) Delete(ctx context.Context, collection int64, id string, which Versions, may func(tx *store.Tx, added time.Time) error) (int, error) {
	var n int
	err := s.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		n = 0
		var size int64
		if err := tx.QueryRow(ctx, "SELECT size FROM collections WHERE number = $1"+tx.ForUpdate(), collection).Scan(&size); err != nil {
			return err
		}
		type row struct{ place, added, version, last, first int64 }
		list, err := store.All(ctx, tx, func(r *row) []any { return []any{&r.place, &r.added, &r.version, &r.last, &r.first} },
			"SELECT place, added, version, last, first FROM objects WHERE collection = $1 AND id = $2 ORDER BY version", collection, id)
		if err != nil {
			return err
		}
		var left []row
		for _, r := range list {
			if !which.holds(r.version, r.added, r.last == 1, r.first == 1) {
				left = append(left, r)
				continue
			}
			if may != nil {
				if err := may(tx, micro(r.added)); err != nil {
					return err
				}
			}
			if _, err := tx.Exec(ctx, "DELETE FROM objects WHERE place = $1", r.place); err != nil {
				return err
			}
			n++
		}
		if n == 0 {
			return ErrNoObject
		}
		for i, r := range left {
			last, first := int64(0), int64(0)
			if i == len(left)-1 {
				last = 1
			}
			if i == 0 {
				first = 1
			}
			if r.last == last && r.first == first {
				continue
			}
			if _, err := tx.Exec(ctx, "UPDATE objects SET last = $2, first = $3 WHERE place = $1", r.place, last, first); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, "UPDATE collections SET size = $2 WHERE number = $1", collection, size-int64(n))
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = ErrNoCollection
	}
	if err != nil {
		return 0, fmt.Errorf("objects: delete: %w", err)
	}
	return n, nil
}

// Rival is other bytes that claim to be a version which is kept otherwise.
type Rival struct {
	ID      string
	Version time.Time
	Seen    time.Time
	Source  Source
	Bytes   []byte
}

// Conflicts lists what claims to be a version of a collection with other bytes, at most limit of them, by id.
func (s *Shelf) Conflicts(ctx context.Context, collection int64, limit int) ([]Rival, error) {
	var out []Rival
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		out, err = store.All(ctx, tx, func(r *Rival) []any {
			return []any{&r.ID, instant{&r.Version}, instant{&r.Seen}, bytes32{&r.Source.Statement}, bytes32{&r.Source.Attachment}, &r.Bytes}
		}, "SELECT id, version, seen, statement, attachment, body FROM object_conflicts WHERE collection = $1 ORDER BY id, version, seen LIMIT $2", collection, limit)
		return err
	})
	return out, err
}
