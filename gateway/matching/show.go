package matching

import (
	"context"
	"errors"
	"fmt"
	"time"

	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// Match is what of one statement concerns what is the own.
type Match struct {
	Statement statement.ID
	Number    string
	Peer      traffic.Party
	Form      string
	Channel   [32]byte
	Dossier   [32]byte
	Plane     traffic.Plane
	Post      traffic.Post // whom it concerns; empty for the party as a whole
	Count     int          // objects that match
	Found     time.Time
	Seen      time.Time // zero while it is open
	Role      string    // of whoever has seen it
	Case      string    // number of the case that was opened from it
	Hits      []Hit     // at most MaxHits of them
}

// Hit is one of them.
type Hit struct {
	Object string // id
	Title  string
	Kind   string // of the value
	Value  string // what the indicator names
	Own    string // the network, name or range of numbers that is the own
	Asset  string
	How    string // within, contains or is
}

// The most that List gives.
const (
	MaxHits    = 100
	MaxMatches = 500
)

// Filter narrows a list; its zero value is all.
type Filter struct {
	Open     bool
	Dossiers [][32]byte // those whose statement is in one of these, or
	Case     string     // from which the case of this number was opened; both empty: any
}

func (f *Filter) holds(t *told) bool {
	if f.Open && !t.seen.IsZero() {
		return false
	}
	if f.Case == "" && f.Dossiers == nil {
		return true
	}
	for _, d := range f.Dossiers {
		if d == t.dossier {
			return true
		}
	}
	return f.Case != "" && f.Case == t.incident
}

// List gives the matches, those that are open first, then the newest.
func (m *Matching) List(ctx context.Context, f Filter) ([]Match, error) {
	out := []Match{}
	err := m.db.View(ctx, func(tx *store.Tx) error {
		out = out[:0]
		all, err := store.All(ctx, tx, (*told).fields, "SELECT "+toldColumns+" FROM matching_told ORDER BY CASE WHEN seen = 0 THEN 0 ELSE 1 END, found DESC, statement, post")
		if err != nil {
			return err
		}
		for i := range all {
			t := &all[i]
			if !f.holds(t) {
				continue
			}
			if len(out) == MaxMatches {
				break
			}
			x := Match{
				Statement: t.statement, Number: t.number, Peer: t.peer, Form: t.form, Channel: t.channel, Dossier: t.dossier, Plane: t.plane, Post: t.post, Count: int(t.count),
				Found: t.found, Seen: t.seen, Role: t.role, Case: t.incident,
			}
			x.Hits, err = store.All(ctx, tx, func(h *Hit) []any { return []any{&h.Object, &h.Title, &h.Kind, &h.Value, &h.Own, &h.Asset, &h.How} },
				"SELECT object, title, kind, value, own, asset, how FROM matching_hits WHERE statement = $1 AND post = $2 AND round = $3 ORDER BY asset, own, value, object LIMIT $4",
				t.statement[:], string(t.post), t.round, MaxHits)
			if err != nil {
				return err
			}
			out = append(out, x)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("matching: %w", err)
	}
	return out, nil
}

// Seen takes the matches of a statement off the board. role is the duty role of whoever has seen them, incident the number of the case that he has opened from
// them, if any. Error: ErrNoMatch.
func (m *Matching) Seen(ctx context.Context, id statement.ID, role, incident string) error {
	err := m.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, "UPDATE matching_told SET seen = $2, role = $3, incident = $4 WHERE statement = $1 AND seen = 0", id[:], m.cfg.Now().UnixMicro(), role, incident)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrNoMatch, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return m.load(ctx)
}

// State is the table in force.
type State struct {
	Path   string // empty: nothing is matched
	Assets int
	Read   time.Time // zero where none was
	Fault  error     // why the file is not the table in force
}

// State tells what is matched against.
func (m *Matching) State() State {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s := State{Path: m.cfg.Path, Read: m.read, Fault: m.fault}
	if m.table != nil {
		s.Assets = len(m.table.Assets)
	}
	return s
}

// Named finds a statement by its number or the beginning of its id. Errors: those of package archive.
func (m *Matching) Named(ctx context.Context, ref string) (statement.ID, error) {
	h, err := m.node.Named(ctx, ref)
	return h.ID, err
}
