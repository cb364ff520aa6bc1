package gateway

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"time"

	"detente/gateway/mint"
	"detente/gateway/misp"
	"detente/gateway/objects"
	"detente/gateway/taxii"
	"detente/label"
	"detente/store"
	"detente/traffic"
)

// MISP shows what the others have shared on a plane as events, and gives what a MISP pushes to the outbound collection into, as a local tool would: it is held
// against its marking, reviewed, and stated. org is who is named for objects that name nobody. What a key of it may see is for the key's path to say.
func (g *Gateway) MISP(plane traffic.Plane, into string, org misp.Org) *misp.Shelf {
	s := &misp.Shelf{Objects: g.shelf, Org: org, Default: g.cfg.Unmarked}
	s.Read = func(ctx context.Context) ([]objects.Collection, error) {
		all, err := g.inbounds(ctx)
		if err != nil {
			return nil, err
		}
		var of []objects.Collection
		for _, c := range all {
			if c.Plane == plane {
				of = append(of, c)
			}
		}
		return of, nil
	}
	if into == "" {
		return s
	}
	s.Accept = func(ctx context.Context, from string, raws [][]byte) error {
		return g.pushed(ctx, plane, into, from, raws)
	}
	return s
}

// pushed gives what a MISP pushed to a collection. Errors: misp.ErrClosed, misp.ErrKept.
func (g *Gateway) pushed(ctx context.Context, plane traffic.Plane, into, from string, raws [][]byte) error {
	c, err := g.shelf.Collection(ctx, into)
	if err != nil {
		return err
	}
	if c.Plane != plane || c.Flow == objects.In {
		return misp.ErrClosed
	}
	results, err := g.Post(ctx, "misp "+from, c, raws)
	if err != nil {
		return err
	}
	failed, why := 0, ""
	for _, r := range results {
		if r.Failed {
			failed, why = failed+1, r.Message
		}
	}
	if failed == len(results) && failed > 0 {
		return fmt.Errorf("%w: %s", misp.ErrKept, why)
	}
	if failed > 0 {
		g.log.WarnContext(ctx, "gateway: some objects of an event stay here", "from", from, "of", len(results), "stay", failed, "reason", why)
	}
	return nil
}

// MISPServer is the server that other MISPs pull from and push to, by the keys of [Gateway.MISPKeys]. It reads the collections through when it is first asked.
func (g *Gateway) MISPServer() *misp.Server { return g.mispServer() }

// newMISP makes the server; its catalogue is kept as long as the gateway.
func (g *Gateway) newMISP() *misp.Server {
	shelves := make(map[label.Plane]*misp.Shelf)
	for _, plane := range traffic.Planes() {
		s := g.MISP(plane, "", g.mispOrg())
		s.Accept = func(ctx context.Context, from string, raws [][]byte) error {
			k, err := g.mispKey(ctx, from)
			if err != nil {
				return err
			}
			if k.Collection == "" || k.Plane != plane {
				return misp.ErrClosed
			}
			return g.pushed(ctx, plane, k.Collection, from, raws)
		}
		shelves[label.Plane(plane)] = s
	}
	of := func(plane label.Plane) *misp.Shelf {
		if s := shelves[plane]; s != nil {
			return s
		}
		return shelves[label.Real]
	}
	return &misp.Server{
		UUID: mint.UUID("misp", string(g.node.Self())), Find: g.mispFind, Log: g.log,
		List: func(ctx context.Context, over label.Path) ([]misp.Entry, error) {
			return of(over.Plane).List(ctx, over)
		},
		Event: func(ctx context.Context, over label.Path, uuid string) (*misp.Event, error) {
			return of(over.Plane).Event(ctx, over, uuid)
		},
		Take: func(ctx context.Context, p misp.Pushed) error { return of(p.Path.Plane).Take(ctx, p) },
	}
}

// mispOrg is who makes events of objects that name nobody.
func (g *Gateway) mispOrg() misp.Org {
	self := string(g.node.Self())
	return misp.Org{Name: misp.Text(self), UUID: misp.Text(mint.UUID("organisation", self))}
}

// MISPKey is a MISP that may ask.
type MISPKey struct {
	Name       string
	Audience   label.Audience
	Plane      traffic.Plane
	Collection string // id of the one that takes what it pushes; empty: it may not push
	Created    time.Time
}

// Errors that a caller decides on.
var (
	ErrKeyName  = errors.New("gateway: a key's name is 1 to 64 letters, digits, dots and dashes")
	ErrKeyThere = errors.New("gateway: there is a key of that name")
	ErrNoKey    = errors.New("gateway: no such key of a MISP")
	ErrAudience = errors.New("gateway: behind a key is organisation, clients, community or everybody")
)

var keyName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

const mispKeyColumns = "name, audience, plane, collection, created"

func (k *MISPKey) fields() []any {
	return []any{&k.Name, (*int)(&k.Audience), (*string)(&k.Plane), &k.Collection, micros{&k.Created}}
}

// micros scans unix microseconds.
type micros struct{ to *time.Time }

// Scan takes what the database holds.
func (m micros) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("gateway: %T in a column of microseconds", v)
	}
	*m.to = time.UnixMicro(n).UTC()
	return nil
}

// AddMISPKey makes a key, and returns its 40 letters, which are kept nowhere. Errors: ErrKeyName, ErrKeyThere, ErrAudience, objects.ErrNoCollection; taxii.ErrReadOnly
// for a collection of others, or of another plane.
func (g *Gateway) AddMISPKey(ctx context.Context, k MISPKey) (letters string, err error) {
	switch {
	case !keyName.MatchString(k.Name):
		return "", ErrKeyName
	case k.Audience < label.Organisation || k.Audience > label.Everybody:
		return "", ErrAudience
	}
	if k.Collection != "" {
		c, err := g.shelf.Collection(ctx, k.Collection)
		if err != nil {
			return "", err
		}
		if c.Flow == objects.In || c.Plane != k.Plane {
			return "", taxii.ErrReadOnly
		}
	}
	raw := make([]byte, 20)
	rand.Read(raw)
	letters = hex.EncodeToString(raw)
	sum := sha256.Sum256([]byte(letters))
	err = g.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM gateway_misp_keys WHERE name = $1", k.Name).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return ErrKeyThere
		}
		_, err := tx.Exec(ctx, "INSERT INTO gateway_misp_keys (name, hash, audience, plane, collection, created) VALUES ($1, $2, $3, $4, $5, $6)",
			k.Name, sum[:], int(k.Audience), string(k.Plane), k.Collection, g.cfg.Now().UnixMicro())
		return err
	})
	return letters, err
}

// MISPKeys lists the keys, by name.
func (g *Gateway) MISPKeys(ctx context.Context) (out []MISPKey, err error) {
	err = g.db.View(ctx, func(tx *store.Tx) (err error) {
		out, err = store.All(ctx, tx, (*MISPKey).fields, "SELECT "+mispKeyColumns+" FROM gateway_misp_keys ORDER BY name")
		return err
	})
	return out, err
}

// RevokeMISPKey ends a key. Error: ErrNoKey.
func (g *Gateway) RevokeMISPKey(ctx context.Context, name string) error {
	return g.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, "DELETE FROM gateway_misp_keys WHERE name = $1", name)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrNoKey, err)
		}
		return nil
	})
}

// mispKey finds a key by its name. Error: ErrNoKey.
func (g *Gateway) mispKey(ctx context.Context, name string) (k MISPKey, err error) {
	err = g.db.View(ctx, func(tx *store.Tx) (err error) {
		k, err = store.One(ctx, tx, (*MISPKey).fields, "SELECT "+mispKeyColumns+" FROM gateway_misp_keys WHERE name = $1", name)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = ErrNoKey
	}
	return k, err
}

// mispFind finds a key by its sum.
func (g *Gateway) mispFind(ctx context.Context, sum [sha256.Size]byte) (misp.Key, bool, error) {
	var k MISPKey
	err := g.db.View(ctx, func(tx *store.Tx) (err error) {
		k, err = store.One(ctx, tx, (*MISPKey).fields, "SELECT "+mispKeyColumns+" FROM gateway_misp_keys WHERE hash = $1", sum[:])
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return misp.Key{}, false, nil
	}
	return misp.Key{Name: k.Name, Sum: sum, Path: label.Path{Audience: k.Audience, Plane: label.Plane(k.Plane)}, Push: k.Collection != ""}, err == nil, err
}
