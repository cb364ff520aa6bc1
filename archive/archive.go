// Package archive is what a node holds, to be read: find, list, fold.
// It must never write: whoever has an archive can harm nothing.
package archive

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"detente/blob"
	"detente/dossier"
	"detente/exchange"
	"detente/feed"
	"detente/party"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// Errors that a caller decides on.
var (
	ErrNotHeld   = errors.New("archive: no such statement is held here")
	ErrAmbiguous = errors.New("archive: several statements begin like that")
	ErrNoChannel = errors.New("archive: no such channel")
)

// Archive reads a node's database.
type Archive struct {
	DB       *store.DB
	RegimeOf dossier.Regimes                                // of the channels that are in being
	Charter  func(channel [32]byte) (*party.Channel, error) // of a channel that is in being
	Chain    func(traffic.Party) *party.Chain               // nil for a party that is not trusted
}

// Held is a statement as it is held here.
type Held struct {
	feed.Placed
	Statement *statement.Statement // nil for an entry that is not a statement
}

// Statement finds a statement. Error: ErrNotHeld.
func (a *Archive) Statement(ctx context.Context, id statement.ID) (Held, error) {
	return a.one(ctx, func(tx *store.Tx) ([]feed.Placed, error) { return feed.ByID(ctx, tx, id) })
}

// Find finds a statement by the beginning of its id in hex, at least four digits. Errors: ErrNotHeld, ErrAmbiguous.
func (a *Archive) Find(ctx context.Context, prefix string) (Held, error) {
	raw, err := hex.DecodeString(strings.ToLower(prefix[:len(prefix)/2*2]))
	if err != nil || len(raw) < 2 || len(raw) > 32 {
		return Held{}, fmt.Errorf("%w: %q is not the beginning of a statement id, four or more hexadecimal digits", ErrNotHeld, prefix)
	}
	return a.one(ctx, func(tx *store.Tx) ([]feed.Placed, error) {
		all, err := feed.ByPrefix(ctx, tx, raw, 16)
		var out []feed.Placed
		for _, p := range all {
			if strings.HasPrefix(p.ID.String(), strings.ToLower(prefix)) {
				out = append(out, p)
			}
		}
		return out, err
	})
}

func (a *Archive) one(ctx context.Context, find func(*store.Tx) ([]feed.Placed, error)) (h Held, err error) {
	var placed []feed.Placed
	err = a.DB.View(ctx, func(tx *store.Tx) (err error) {
		placed, err = find(tx)
		return err
	})
	if err != nil {
		return h, err
	}
	if len(placed) == 0 {
		return h, ErrNotHeld
	}
	for _, p := range placed {
		if p.ID != placed[0].ID {
			return h, fmt.Errorf("%w: give more digits", ErrAmbiguous)
		}
		if p.Reason == "" { // a copy that another party logged as its own is not the statement
			placed[0] = p
		}
	}
	h.Placed = placed[0]
	h.Statement, _ = statement.Decode(h.Bytes)
	return h, nil
}
func held(p feed.Placed) Held {
	s, _ := statement.Decode(p.Bytes)
	return Held{Placed: p, Statement: s}
}

// recent is how many entries List looks through at most.
const recent = 4096

// List gives the statements that match, newest first, at most limit of them. It looks through the newest 4096 entries, and no further back than it
// must.
func (a *Archive) List(ctx context.Context, limit int, match func(Held) bool) ([]Held, error) {
	var out []Held
	err := a.DB.View(ctx, func(tx *store.Tx) error {
		for look := min(4*max(limit, 1), recent); ; look = min(4*look, recent) {
			out = nil
			placed, err := feed.Latest(ctx, tx, time.Time{}, look)
			if err != nil {
				return err
			}
			for _, p := range placed {
				if len(out) == limit {
					return nil
				}
				if h := held(p); match(h) {
					out = append(out, h)
				}
			}
			if len(placed) < look || look == recent {
				return nil
			}
		}
	})
	return out, err
}

// OpenDossiers gives those in which an acknowledgement or an answer is due, the one that changed last first, at most limit of them.
func (a *Archive) OpenDossiers(ctx context.Context, limit int) ([]*dossier.State, error) {
	var out []*dossier.State
	err := a.DB.View(ctx, func(tx *store.Tx) error {
		out = nil
		open, err := dossier.Dossiers(ctx, tx, dossier.Filter{Open: true, Limit: limit}, a.RegimeOf)
		if err != nil {
			return err
		}
		for _, d := range open {
			regime, _ := a.RegimeOf(d.Channel)
			state, err := dossier.Read(ctx, tx, d.Name, regime)
			if err != nil {
				return err
			}
			out = append(out, state)
		}
		return nil
	})
	return out, err
}

// Dossier folds the dossier that a statement belongs to. Errors: ErrNotHeld for an entry that is no statement, ErrNoChannel.
func (a *Archive) Dossier(ctx context.Context, h Held) (state *dossier.State, err error) {
	name, ok := dossier.Of(h.Placed)
	if !ok {
		return nil, ErrNotHeld
	}
	regime, ok := a.RegimeOf(name.Channel)
	if !ok {
		return nil, ErrNoChannel
	}
	err = a.DB.View(ctx, func(tx *store.Tx) (err error) {
		state, err = dossier.Read(ctx, tx, name, regime)
		return err
	})
	return state, err
}

// ByNumber finds a statement by its author and its place in a feed. Errors: ErrNotHeld, ErrAmbiguous when several channels have one.
func (a *Archive) ByNumber(ctx context.Context, from traffic.Address, plane traffic.Plane, p traffic.Precedence, epoch int, index int64) (Held, error) {
	return a.one(ctx, func(tx *store.Tx) ([]feed.Placed, error) {
		heads, err := feed.Heads(ctx, tx, nil)
		if err != nil {
			return nil, err
		}
		var out []feed.Placed
		for _, h := range heads {
			f := h.Feed
			if f.Party != from.Party || f.Plane != plane || f.Precedence != p || f.Epoch != epoch || index < 0 || index >= h.Size {
				continue
			}
			e, err := h.Entry(ctx, tx, index)
			if err != nil {
				return nil, err
			}
			if e.Issuer == from.String() {
				out = append(out, feed.Placed{Feed: f, Entry: e})
			}
		}
		return out, nil
	})
}

// Alarms lists what a person must know, oldest first.
func (a *Archive) Alarms(ctx context.Context) (alarms []exchange.Alarm, err error) {
	err = a.DB.View(ctx, func(tx *store.Tx) (err error) {
		alarms, err = exchange.Alarms(ctx, tx)
		return err
	})
	return alarms, err
}

// Blob gives an attachment. Error: blob.ErrNotHeld when it has not come yet, or nobody named it.
func (a *Archive) Blob(ctx context.Context, hash [32]byte) ([]byte, error) {
	var out []byte
	err := a.DB.View(ctx, func(tx *store.Tx) error {
		size, complete, err := blob.Have(ctx, tx, hash)
		if err != nil {
			return err
		}
		if !complete {
			return fmt.Errorf("%w: %x", blob.ErrNotHeld, hash[:4])
		}
		out = make([]byte, 0, size)
		for int64(len(out)) < size {
			piece, err := blob.Read(ctx, tx, hash, int64(len(out)), blob.MaxPiece)
			if err != nil {
				return err
			}
			if len(piece) == 0 {
				return errors.New("archive: attachment is shorter than it was")
			}
			out = append(out, piece...)
		}
		return nil
	})
	return out, err
}

// BlobHeld tells how many bytes an attachment has, and whether all of them are here.
func (a *Archive) BlobHeld(ctx context.Context, hash [32]byte) (size int64, complete bool, err error) {
	err = a.DB.View(ctx, func(tx *store.Tx) (err error) {
		size, complete, err = blob.Have(ctx, tx, hash)
		return err
	})
	return size, complete, err
}

// Entries is how many entries of all feeds are held here.
func (a *Archive) Entries(ctx context.Context) (total int64, err error) {
	err = a.DB.View(ctx, func(tx *store.Tx) error {
		heads, err := feed.Heads(ctx, tx, nil)
		total = 0
		for _, h := range heads {
			total += h.Size
		}
		return err
	})
	return total, err
}

// Cosigned is how far a mirror has cosigned a feed. Error: ErrNotHeld.
func (a *Archive) Cosigned(ctx context.Context, f traffic.Feed, mirror traffic.Party) (size int64, err error) {
	err = a.DB.View(ctx, func(tx *store.Tx) error {
		h, err := feed.Find(ctx, tx, f)
		if errors.Is(err, feed.ErrNoFeed) {
			return ErrNotHeld
		}
		if err == nil {
			size, err = h.Cosigned(ctx, tx, mirror)
		}
		return err
	})
	return size, err
}
