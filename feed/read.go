package feed

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
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

// Bodies calls fn for the bytes of the entries [from, to) in order, until it returns false. It costs half of what Range does.
func (h *Head) Bodies(ctx context.Context, tx *store.Tx, from, to int64, fn func([]byte) bool) error {
	rows, err := tx.Query(ctx, `SELECT body FROM entries WHERE place >= $1 AND place < $2 ORDER BY place`, h.place(from), h.place(to))
	if err != nil {
		return fmt.Errorf("feed: bodies: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return fmt.Errorf("feed: bodies: %w", err)
		}
		if !fn(body) {
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
	err := tx.QueryRow(ctx, `SELECT COALESCE(MIN(place), -1) FROM entries WHERE place >= $1 AND place < $2 AND reason = $3 AND reason <> ''`, // as the index has it
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

// Statements are found by their ids through the table ids. Ids are hashes, so that each insert would touch a page of its own; therefore
// [Index] fills the table behind the writers, sorted, and what it has not reached is looked through here.

// ByID gives every place where a statement stands: one, unless a party has logged another's statement, or the same twice.
func ByID(ctx context.Context, tx *store.Tx, id statement.ID) ([]Placed, error) {
	return byRange(ctx, tx, id[:], id[:], maxPlaces)
}

// ByDossier gives the entries of a dossier, in no particular order.
func ByDossier(ctx context.Context, tx *store.Tx, dossier statement.ID) ([]Placed, error) {
	opening, err := ByID(ctx, tx, dossier)
	if err != nil {
		return nil, err
	}
	later, err := placed(ctx, tx, `WHERE e.dossier = $1 AND e.dossier <> e.id ORDER BY place`, dossier[:])
	return append(opening, later...), err
}

// ByDossiers calls fn for the entries of all dossiers whose ids lie between two, both included, until it returns false: for each those that ByDossier
// gives, in no particular order. For many dossiers it is far less work than to ask for one after the other.
func ByDossiers(ctx context.Context, tx *store.Tx, low, high statement.ID, fn func(Placed) bool) error {
	all, err := Heads(ctx, tx, nil)
	if err != nil {
		return err
	}
	feeds := make(map[int64]traffic.Feed, len(all))
	for _, h := range all {
		feeds[h.row] = h.Feed
	}
	given := make(map[statement.ID]int) // at how many places an opening was found
	const columns = `SELECT e.place, e.id, e.dossier, e.clock, e.issuer, e.form, e.held, e.reason, e.body FROM `
	ask := func(query string, args ...any) (more bool, err error) {
		rows, err := tx.Query(ctx, columns+query, args...)
		if err != nil {
			return false, fmt.Errorf("feed: find: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			row, e, err := scanEntry(rows.Scan)
			if err != nil {
				return false, err
			}
			if e.ID == e.Dossier {
				if given[e.ID]++; given[e.ID] > maxPlaces {
					continue
				}
			}
			if !fn(Placed{feeds[row], e}) {
				return false, nil
			}
		}
		return true, rows.Err()
	}
	more, err := ask(`ids i JOIN entries e ON e.place = i.place WHERE i.id >= $1 AND i.id <= $2 AND e.dossier = e.id ORDER BY i.id, i.place`, low[:], high[:])
	for _, h := range all {
		if err != nil || !more {
			return err
		}
		if h.indexed < h.Size {
			more, err = ask(`entries e WHERE e.place >= $1 AND e.place < $2 AND e.id >= $3 AND e.id <= $4 AND e.dossier = e.id ORDER BY e.place`,
				h.place(h.indexed), h.place(h.Size), low[:], high[:])
		}
	}
	if err == nil && more {
		_, err = ask(`entries e WHERE e.dossier >= $1 AND e.dossier <= $2 AND e.dossier <> e.id`, low[:], high[:])
	}
	return err
}

// maxPlaces is at how many places a statement is looked for: a party that logs one more often is not followed further.
const maxPlaces = 1000

// ByPrefix gives the statements whose id begins with those bytes, at most limit of them.
func ByPrefix(ctx context.Context, tx *store.Tx, prefix []byte, limit int) ([]Placed, error) {
	low, high := [32]byte{}, [32]byte(bytes.Repeat([]byte{0xff}, 32))
	copy(low[:], prefix)
	copy(high[:], prefix)
	return byRange(ctx, tx, low[:], high[:], limit)
}

// byRange gives the entries whose id lies between two, both included, by id and place.
func byRange(ctx context.Context, tx *store.Tx, low, high []byte, limit int) ([]Placed, error) {
	places, err := store.All(ctx, tx, func(place *int64) []any { return []any{place} },
		`SELECT place FROM ids WHERE id >= $1 AND id <= $2 ORDER BY id, place LIMIT $3`, low, high, limit)
	if err != nil {
		return nil, fmt.Errorf("feed: find: %w", err)
	}
	var out []Placed
	for _, place := range places {
		p, err := placed(ctx, tx, `WHERE e.place = $1`, place)
		if err != nil {
			return nil, err
		}
		out = append(out, p...)
	}
	tails, err := heads(ctx, tx, `WHERE indexed < size`) // as a rule none; it is asked for each id
	if err != nil {
		return nil, err
	}
	for _, h := range tails {
		news, err := placed(ctx, tx, `WHERE e.place >= $1 AND e.place < $2 AND e.id >= $3 AND e.id <= $4 ORDER BY e.id, e.place LIMIT $5`,
			h.place(h.indexed), h.place(h.Size), low, high, limit)
		if err != nil {
			return nil, err
		}
		out = append(out, news...)
	}
	return out[:min(len(out), limit)], nil
}

// Index enters the ids of at most limit entries that are not in the table yet, and tells whether there are more.
func Index(ctx context.Context, tx *store.Tx, limit int) (more bool, err error) {
	heads, err := Heads(ctx, tx, nil)
	if err != nil {
		return false, err
	}
	type entry struct {
		id    []byte
		place int64
	}
	for _, h := range heads {
		if h.indexed >= h.Size {
			continue
		}
		if limit <= 0 {
			return true, nil
		}
		to := min(h.Size, h.indexed+int64(limit))
		list, err := store.All(ctx, tx, func(e *entry) []any { return []any{&e.id, &e.place} },
			`SELECT id, place FROM entries WHERE place >= $1 AND place < $2`, h.place(h.indexed), h.place(to))
		if err != nil {
			return false, fmt.Errorf("feed: index: %w", err)
		}
		slices.SortFunc(list, func(a, b entry) int { return bytes.Compare(a.id, b.id) })
		for _, e := range list {
			if _, err := tx.Exec(ctx, `INSERT INTO ids (id, place) VALUES ($1, $2) ON CONFLICT DO NOTHING`, e.id, e.place); err != nil {
				return false, fmt.Errorf("feed: index: %w", err)
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE feeds SET indexed = $1 WHERE row = $2`, to, h.row); err != nil {
			return false, fmt.Errorf("feed: index: %w", err)
		}
		limit -= len(list)
		more = more || to < h.Size
	}
	return more, nil
}

// Latest gives the entries held since a time, newest first, at most limit of them.
func Latest(ctx context.Context, tx *store.Tx, since time.Time, limit int) ([]Placed, error) {
	heads, err := Heads(ctx, tx, nil)
	if err != nil {
		return nil, err
	}
	var out []Placed
	for _, h := range heads {
		err := h.Range(ctx, tx, max(0, h.Size-int64(limit)), h.Size, func(e Entry) bool {
			if !e.Held.Before(since) {
				out = append(out, Placed{h.Feed, e})
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(out, func(a, b Placed) int {
		return cmp.Or(b.Held.Compare(a.Held), cmp.Compare(b.Clock, a.Clock), cmp.Compare(b.Index, a.Index))
	})
	return out[:min(len(out), limit)], nil
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

// Abandoned tells whether the party has opened a later epoch of a feed, protocol.md#epoch.
func Abandoned(ctx context.Context, tx *store.Tx, f traffic.Feed) (bool, error) {
	f.Epoch++
	h, err := Find(ctx, tx, f)
	if errors.Is(err, ErrNoFeed) {
		return false, nil
	}
	return err == nil && h.Size > 0, err
}
