package feed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"detente/statement"
	"detente/store"
	"detente/traffic"
)

const entryColumns = `place, id, dossier, clock, issuer, form, held, reason, body`

const indexMask = 1<<36 - 1

func scanEntry(scan func(...any) error) (row int64, e Entry, err error) {
	var place, held int64
	var id, dossier []byte
	if err := scan(&place, &id, &dossier, &e.Clock, &e.Issuer, &e.Form, &held, &e.Reason, &e.Bytes); err != nil {
		return 0, e, fmt.Errorf("feed: entry: %w", err)
	}
	copy(e.ID[:], id)
	copy(e.Dossier[:], dossier)
	e.Index, e.Held = place&indexMask, time.Unix(held, 0).UTC()
	return place >> 36, e, nil
}

// Entry gives one entry. Error: ErrNoEntry.
func (h *Head) Entry(ctx context.Context, tx *store.Tx, index int64) (Entry, error) {
	_, e, err := scanEntry(tx.QueryRow(ctx, `SELECT `+entryColumns+` FROM entries WHERE place = $1`, h.place(index)).Scan)
	if errors.Is(err, store.ErrNotFound) {
		return e, ErrNoEntry
	}
	return e, err
}

// Range calls fn for the entries [from, to) in order, until it returns false. The bytes are fn's to keep.
func (h *Head) Range(ctx context.Context, tx *store.Tx, from, to int64, fn func(Entry) bool) error {
	rows, err := tx.Query(ctx, `SELECT `+entryColumns+` FROM entries WHERE place >= $1 AND place < $2 ORDER BY place`, h.place(from), h.place(to))
	if err != nil {
		return fmt.Errorf("feed: range: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		_, e, err := scanEntry(rows.Scan)
		if err != nil {
			return err
		}
		if !fn(e) {
			break
		}
	}
	return rows.Err()
}

// SetReason replaces the cached judgement of an entry.
func (h *Head) SetReason(ctx context.Context, tx *store.Tx, index int64, reason string) error {
	if _, err := tx.Exec(ctx, `UPDATE entries SET reason = $1 WHERE place = $2`, reason, h.place(index)); err != nil {
		return fmt.Errorf("feed: judge: %w", err)
	}
	return nil
}

// FirstWith is the index of the first entry that is invalid for the reason, -1 when there is none.
func (h *Head) FirstWith(ctx context.Context, tx *store.Tx, reason string) (int64, error) {
	var place int64
	err := tx.QueryRow(ctx, `SELECT COALESCE(MIN(place), -1) FROM entries WHERE place >= $1 AND place < $2 AND reason = $3`,
		h.place(0), h.place(h.Size), reason).Scan(&place)
	if err != nil {
		return -1, fmt.Errorf("feed: judge: %w", err)
	}
	if place < 0 {
		return -1, nil
	}
	return place & indexMask, nil
}

// SetPrior replaces what the valid entries leave behind, after some were judged anew.
func (h *Head) SetPrior(ctx context.Context, tx *store.Tx, clock int64, charter int) error {
	h.Clock, h.Charter = clock, charter
	if _, err := tx.Exec(ctx, `UPDATE feeds SET clock = $1, charter = $2 WHERE row = $3`, clock, charter, h.row); err != nil {
		return fmt.Errorf("feed: judge: %w", err)
	}
	return nil
}

// Placed is an entry and where it stands.
type Placed struct {
	Feed traffic.Feed
	Entry
}

// ByID gives every place where a statement stands: one, unless a party has logged another's statement, or the same twice.
func ByID(ctx context.Context, tx *store.Tx, id statement.ID) ([]Placed, error) {
	return placed(ctx, tx, `WHERE e.id = $1 ORDER BY place`, id[:])
}

// ByDossier gives the entries of a dossier, in no particular order.
func ByDossier(ctx context.Context, tx *store.Tx, dossier statement.ID) ([]Placed, error) {
	return placed(ctx, tx, `WHERE e.dossier = $1 AND (e.id = $1 OR e.dossier <> e.id) ORDER BY place`, dossier[:])
}

// ByPrefix gives the statements whose id begins with those bytes, at most limit of them.
func ByPrefix(ctx context.Context, tx *store.Tx, prefix []byte, limit int) ([]Placed, error) {
	upper := append(append([]byte(nil), prefix...), make([]byte, 33-len(prefix))...)
	for i := len(prefix); i < len(upper); i++ {
		upper[i] = 0xff
	}
	return placed(ctx, tx, `WHERE e.id >= $1 AND e.id < $2 ORDER BY e.id LIMIT $3`, prefix, upper, limit)
}

// Latest gives the entries held since a time, newest first, at most limit of them.
func Latest(ctx context.Context, tx *store.Tx, since time.Time, limit int) ([]Placed, error) {
	return placed(ctx, tx, `WHERE e.held >= $1 ORDER BY e.held DESC, e.clock DESC, place DESC LIMIT $2`, since.Unix(), limit)
}

func placed(ctx context.Context, tx *store.Tx, where string, args ...any) ([]Placed, error) {
	rows, err := tx.Query(ctx, `SELECT f.channel, f.party, f.plane, f.precedence, f.epoch, e.place, e.id, e.dossier, e.clock, e.issuer, e.form,
		e.held, e.reason, e.body FROM entries e JOIN feeds f ON f.row = e.place >> 36 `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("feed: find: %w", err)
	}
	defer rows.Close()
	var out []Placed
	for rows.Next() {
		var p Placed
		var channel []byte
		_, e, err := scanEntry(func(to ...any) error {
			return rows.Scan(append([]any{&channel, &p.Feed.Party, &p.Feed.Plane, &p.Feed.Precedence, &p.Feed.Epoch}, to...)...)
		})
		if err != nil {
			return nil, err
		}
		copy(p.Feed.Channel[:], channel)
		p.Entry = e
		out = append(out, p)
	}
	return out, rows.Err()
}

// InChannel gives the valid statements of one form on a channel, each feed in its order.
func InChannel(ctx context.Context, tx *store.Tx, channel [32]byte, form string) ([]Placed, error) {
	heads, err := Heads(ctx, tx, &channel)
	if err != nil {
		return nil, err
	}
	var out []Placed
	for _, h := range heads {
		err := h.Range(ctx, tx, 0, h.Size, func(e Entry) bool {
			if e.Form == form && e.Reason == "" {
				out = append(out, Placed{h.Feed, e})
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
