// Package objects keeps collections of STIX objects as the bytes received, each version with a stamp of its own in one order per collection.
// It must never change a byte of an object, nor let a stamp become visible after a later one.
package objects

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"detente/store"
	"detente/traffic"
)

// Errors that a caller decides on.
var (
	ErrNoCollection = errors.New("objects: no such collection")
	ErrNoObject     = errors.New("objects: no such object")
	ErrFilter       = errors.New("objects: filter is not right")
	ErrNext         = errors.New("objects: next is not one that was given here")
	ErrObject       = errors.New("objects: object cannot be kept")
	ErrTooMany      = errors.New("objects: more collections than there can be")
)

// Limits.
const (
	MaxObject      = 1 << 20 // bytes of one object
	MaxCollections = 1<<collectionBits - 1
	maxName        = 256 // bytes of an id, a type or a title
	maxConflicts   = 8   // other bytes that are kept of one version
	chunk          = 64  // objects that share a transaction: it is short, and a FLASH of the node waits for nothing longer
)

// Spec is the one version of the specification that is kept. So a filter by it needs no index.
const Spec = "2.1"

// An object's place is the collection's number × 2^51 + the microseconds since 2020 of its stamp: one integer key, so that adding is sequential
// and a page is one range of it. It lasts until 2091.
const (
	collectionBits = 12
	stampBits      = 51
	origin         = 1577836800_000000 // 2020-01-01T00:00:00Z in unix microseconds
)

// Schema is the tables of this package.
//
// Of each index the last column is added, which orders as place does: so the position in a collection is a key of every filter, and the planner
// cannot take the table's own order for it.
func Schema() store.Schema {
	return store.Schema{Package: "objects", Steps: []string{`
CREATE TABLE collections (
	number      {rowkey},
	id          TEXT NOT NULL UNIQUE,
	title       TEXT NOT NULL,
	description TEXT NOT NULL,
	alias       TEXT NOT NULL,
	flow        TEXT NOT NULL,    -- in, out or local
	channel     {bytes} NOT NULL, -- empty for a local one
	party       TEXT NOT NULL,    -- who speaks in it
	plane       TEXT NOT NULL,
	stamp       {bigint} NOT NULL, -- of the newest object; whoever adds holds this row
	size        {bigint} NOT NULL, -- versions in it
	UNIQUE (flow, channel, party, plane, title)
);
CREATE TABLE objects (
	place      {rowkey},
	collection {bigint} NOT NULL,
	added      {bigint} NOT NULL,
	id         TEXT NOT NULL,
	type       TEXT NOT NULL,
	version    {bigint} NOT NULL, -- unix microseconds of modified, else created; 0 where the object has neither
	spec       TEXT NOT NULL,
	last       {bigint} NOT NULL, -- 1 for the newest version that is here
	first      {bigint} NOT NULL, -- 1 for the oldest
	hash       {bytes} NOT NULL,
	statement  {bytes} NOT NULL, -- that brought it; empty for what a local tool brought
	attachment {bytes} NOT NULL, -- of that statement, by its hash
	body       {bytes} NOT NULL
);
CREATE UNIQUE INDEX objects_version ON objects (collection, id, version);
CREATE INDEX objects_id ON objects (collection, id, last, added);
CREATE INDEX objects_last ON objects (collection, last, added);
CREATE INDEX objects_type ON objects (collection, type, last, added);
CREATE INDEX objects_modified ON objects (collection, version, added);
CREATE TABLE object_conflicts ( -- other bytes that claim to be a version that is here
	collection {bigint} NOT NULL,
	id         TEXT NOT NULL,
	version    {bigint} NOT NULL,
	hash       {bytes} NOT NULL,
	seen       {bigint} NOT NULL, -- unix microseconds
	statement  {bytes} NOT NULL,
	attachment {bytes} NOT NULL,
	body       {bytes} NOT NULL,
	PRIMARY KEY (collection, id, version, hash)
);`}}
}

// Flow says whose objects a collection holds.
type Flow string

// In is what another party has shared, Out what local tools give to be shared, Local what stays here.
const (
	In    Flow = "in"
	Out   Flow = "out"
	Local Flow = "local"
)

// Collection is a list of object versions in the order in which they came.
type Collection struct {
	Number      int64  // within this database
	ID          string // UUID, as TAXII names it
	Title       string
	Description string
	Alias       string
	Flow        Flow
	Channel     [32]byte // zero for a local one
	Party       traffic.Party
	Plane       traffic.Plane
	Stamp       time.Time // of the newest object; zero where there was none
	Size        int64     // versions in it
}

// Object is one version of a STIX object, as it came.
type Object struct {
	ID      string
	Type    string
	Version time.Time // modified, else created; zero where the object has neither
	Spec    string    // "2.1"
	Bytes   []byte
}

// Source is what brought an object: zero for a local tool.
type Source struct {
	Statement  [32]byte
	Attachment [32]byte
}

// Row is an object as it is kept.
type Row struct {
	Object
	Added  time.Time // its stamp
	Source Source
}

// Shelf is the collections of a database. Its methods may be called at the same time, also by other processes that share it.
type Shelf struct {
	db  *store.DB
	now func() time.Time
}

// Open gives the collections of a database that has the tables. now is the clock of the stamps; nil is time.Now.
func Open(db *store.DB, now func() time.Time) *Shelf {
	if now == nil {
		now = time.Now
	}
	return &Shelf{db: db, now: now}
}

// Create makes a collection, or finds the one of the same flow, channel, party, plane and title. The id is the caller's, or comes of those.
func (s *Shelf) Create(ctx context.Context, c Collection) (Collection, error) {
	if len(c.Title) > maxName || len(c.Alias) > maxName {
		return c, fmt.Errorf("%w: its name is over %d bytes", ErrObject, maxName)
	}
	if c.ID == "" {
		c.ID = nameUUID(c)
	}
	err := s.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		was, err := store.One(ctx, tx, (*Collection).fields, "SELECT "+collectionColumns+" FROM collections WHERE flow = $1 AND channel = $2 AND party = $3 AND plane = $4 AND title = $5",
			string(c.Flow), channelBytes(c.Channel), string(c.Party), string(c.Plane), c.Title)
		if !errors.Is(err, store.ErrNotFound) {
			c = was
			return err
		}
		if err := tx.QueryRow(ctx, "SELECT COALESCE(MAX(number), 0) + 1 FROM collections").Scan(&c.Number); err != nil {
			return err
		}
		if c.Number > MaxCollections {
			return ErrTooMany
		}
		_, err = tx.Exec(ctx, "INSERT INTO collections (number, id, title, description, alias, flow, channel, party, plane, stamp, size) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0)",
			c.Number, c.ID, c.Title, c.Description, c.Alias, string(c.Flow), channelBytes(c.Channel), string(c.Party), string(c.Plane))
		return err
	})
	if err != nil {
		return c, fmt.Errorf("objects: create: %w", err)
	}
	return c, nil
}

// nameUUID derives a UUID, version 8, so that every process, and a database that was lost and rebuilt, calls a collection the same.
func nameUUID(c Collection) string {
	h := sha256.Sum256(fmt.Appendf(nil, "detente collection\n%s\n%x\n%s\n%s\n%s\n", c.Flow, c.Channel, c.Party, c.Plane, c.Title))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

func channelBytes(c [32]byte) []byte {
	if c == ([32]byte{}) {
		return []byte{}
	}
	return c[:]
}

const collectionColumns = "number, id, title, description, alias, flow, channel, party, plane, stamp, size"

// fields names the places of a row of collections.
func (c *Collection) fields() []any {
	return []any{&c.Number, &c.ID, &c.Title, &c.Description, &c.Alias, (*string)(&c.Flow), bytes32{&c.Channel}, (*string)(&c.Party), (*string)(&c.Plane), instant{&c.Stamp}, &c.Size}
}

// Collections lists them all, by number.
func (s *Shelf) Collections(ctx context.Context) ([]Collection, error) {
	var out []Collection
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		out, err = store.All(ctx, tx, (*Collection).fields, "SELECT "+collectionColumns+" FROM collections ORDER BY number")
		return err
	})
	return out, err
}

// Collection finds one by its id or its alias. Error: ErrNoCollection.
func (s *Shelf) Collection(ctx context.Context, name string) (Collection, error) {
	var c Collection
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		c, err = store.One(ctx, tx, (*Collection).fields, "SELECT "+collectionColumns+" FROM collections WHERE id = $1 OR alias = $1 AND alias <> '' ORDER BY number", name)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return c, fmt.Errorf("%w: %.64q", ErrNoCollection, name)
	}
	return c, err
}

// bytes32 scans an array of 32 bytes, or none.
type bytes32 struct{ to *[32]byte }

// Scan takes what the database holds.
func (b bytes32) Scan(v any) error {
	raw, ok := v.([]byte)
	if !ok && v != nil || len(raw) != 0 && len(raw) != 32 {
		return fmt.Errorf("objects: %T of %d bytes in a column of 32", v, len(raw))
	}
	*b.to = [32]byte{}
	copy(b.to[:], raw)
	return nil
}

// instant scans unix microseconds, of which 0 is none.
type instant struct{ to *time.Time }

// Scan takes what the database holds.
func (i instant) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("objects: %T in a column of microseconds", v)
	}
	*i.to = micro(n)
	return nil
}

func micro(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

func unixMicro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
