package evidence

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"detente/acts"
	"detente/feed"
	"detente/party"
	"detente/statement"
	"detente/traffic"
)

// seals remembers which signatures of a checkpoint are good: many statements of a bundle stand under one.
type seals struct {
	note  *feed.Note
	mu    sync.Mutex
	found map[[2]int]seenBy
}

type seenBy struct {
	good []feed.Signed
	ok   bool
}

func (s *seals) author(issuer *party.Chain, from, to int) ([]feed.Signed, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := [2]int{from, to}
	f, known := s.found[k]
	if !known {
		f.good, f.ok = author(s.note, issuer, from, to)
		if s.found == nil {
			s.found = make(map[[2]int]seenBy)
		}
		s.found[k] = f
	}
	return f.good, f.ok
}

// ActsRoot is the root of a Merkle tree over the rows of a list, RFC 6962 section 2.1: what an edition signs, so that one act can be shown to be in it
// without the others.
func ActsRoot(rows [][]byte) [32]byte {
	if len(rows) == 0 {
		return sha256.Sum256(nil)
	}
	level := make([]tlog.Hash, len(rows))
	for i, r := range rows {
		level[i] = tlog.RecordHash(r)
	}
	// Pairs are joined from the left; a hash without a partner goes up as it is, which gives the same tree as splitting at powers of two.
	for len(level) > 1 {
		next := level[:0]
		for i := 0; i < len(level); i += 2 {
			if i+1 == len(level) {
				next = append(next, level[i])
				break
			}
			next = append(next, tlog.NodeHash(level[i], level[i+1]))
		}
		level = next
	}
	return level[0]
}

// loaded is an act of a collection.
type loaded struct {
	*acts.Act
	row *EditionRow
}

// ActDigest is the digest of an act of a collection, by which a list names it.
func ActDigest(a *acts.Act) ([32]byte, error) {
	b, err := json.Marshal(a)
	return sha256.Sum256(b), err
}

// load reads the acts that bear no signature of their own. They rest on the keeper's word alone.
func (g *reading) load() error {
	g.loaded = make(map[string]*loaded)
	if len(g.Collection) == 0 {
		return nil
	}
	c, err := acts.ReadCollection(g.Collection)
	if err != nil {
		return &Refusal{"register-shape", fmt.Errorf("%w: %w", ErrRegisterShape, err)}
	}
	all := c.Acts
	if len(all) > MaxRegisterActs {
		return &Refusal{"register-shape", fmt.Errorf("%w: over %d acts in the collection", ErrRegisterShape, MaxRegisterActs)}
	}
	for i := range all {
		g.loaded[all[i].ID] = &loaded{Act: &all[i]}
	}
	g.collection, g.v.Names = c, make(map[traffic.Party]map[string]string, len(c.Names))
	for p, names := range c.Names {
		g.v.Names[p] = names
	}
	g.v.note("Acts that were loaded from a collection, and rest on the word of %s alone: %d.", g.v.Keeper, len(all))
	return nil
}

func (g *reading) compareLoaded(row *EditionRow) {
	l := g.loaded[row.ID]
	if l == nil {
		g.differs(Difference{What: Removed}, row, "")
		return
	}
	l.row = row
	digest, err := ActDigest(l.Act)
	switch {
	case err == nil && digest == row.Digest:
	case l.Date.String() != row.Date && string(l.Kind) == row.Kind:
		g.differs(Difference{What: ReDated, Found: l.Date.String()}, row, "")
	default:
		g.differs(Difference{What: Changed}, row, "")
	}
}

// fold computes what the acts come to, and holds it against what the keeper says of each.
func (g *reading) fold() error {
	record, err := g.record()
	if err != nil {
		return err
	}
	g.v.Record, g.v.Nature, g.v.Title = record, g.v.Opening.Nature, g.v.Opening.Title
	status := g.v.Record.Status(acts.DayOf(g.v.Known))
	g.v.Status = &status
	rows := make(map[string]*EditionRow, len(g.rows))
	for i := range g.rows {
		rows[g.rows[i].ID] = &g.rows[i]
	}
	for i := range g.v.Record.Acts {
		n := &g.v.Record.Acts[i]
		a := RegisterAct{ID: n.ID, Party: n.Party, Kind: n.Kind, Date: n.Date, Why: n.Why}
		row := rows[n.ID]
		if row != nil && row.Feed >= 0 {
			a.Signed = true
		}
		g.v.Acts = append(g.v.Acts, a)
		if row == nil || row.Why != string(n.Why) {
			d := Difference{What: Restated, Act: n.ID, Party: n.Party, Kind: string(n.Kind), Date: n.Date.String(), Why: "by the rules: " + string(n.Why)}
			g.v.Differences = append(g.v.Differences, d)
		}
	}
	return g.tampered()
}

// read makes acts of what was proved, and of the collection. Since when a statement is known is the keeper's word: it takes the whole of a party's feeds, and
// who held it when, to tell.
func (g *reading) read() (*acts.Opening, []acts.Act, error) {
	var items []acts.Item
	for _, p := range g.places {
		if p.statement == nil || !slices.Contains(acts.Forms(), p.statement.Form) {
			continue
		}
		if it, ok := p.item(); ok {
			items = append(items, it)
		}
	}
	if g.opening == nil && g.collection != nil {
		return g.collected()
	}
	said := acts.Read(items, g.forked)
	o, ok := said.Opening(g.Instrument.String())
	if !ok || o.Why != "" || o.Rules == nil {
		return nil, nil, &Refusal{"edition", fmt.Errorf("%w: nor the opening of the instrument, proved", ErrEdition)}
	}
	all := said.Acts[o.ID]
	for _, id := range slices.Sorted(maps.Keys(g.loaded)) {
		all = append(all, *g.loaded[id].Act)
	}
	return o, all, nil
}

// collected is an instrument that nobody opened here: a collection of dated acts, with its own rules, which its digest names.
func (g *reading) collected() (*acts.Opening, []acts.Act, error) {
	c := g.collection
	if c.ID() != g.Instrument.String() {
		return nil, nil, &Refusal{"list", fmt.Errorf("%w: the collection is another", ErrList)}
	}
	return &acts.Opening{
		ID: c.ID(), Party: g.v.Keeper, At: g.v.Known, Title: c.Title, Nature: c.Rules.Nature, Languages: slices.Sorted(maps.Keys(c.Title)), Rules: &c.Rules,
	}, c.Acts, nil
}

// item is a statement as package acts reads it. One that is not proved to stand in its party's feed is nothing.
func (p *place) item() (acts.Item, bool) {
	s := p.statement
	it := acts.Item{ID: s.ID(), Party: p.feed.Party, Issuer: s.Issuer, At: s.IssuedAt, Clock: s.Clock, Form: s.Form, Refs: s.Refs}
	if p.err != nil && !p.older() {
		if !p.hearing.v.Logged {
			return it, false
		}
		it.Invalid = p.hearing.v.Reason
		if r := (*Refusal)(nil); errors.As(p.err, &r) {
			it.Invalid = r.Code()
		}
	}
	if _, v := p.formOf(); v != nil {
		it.Values = v
	}
	if c, ok := p.hearing.issuer.At(s.Charter); ok {
		it.Commits = c.May(s.Issuer.Post, party.Commit)
	}
	if p.row != nil {
		it.Invalid = cmp.Or(it.Invalid, p.row.Mark)
		if p.row.Known != 0 {
			it.Held = time.Unix(p.row.Known, 0).UTC()
		}
	}
	return it, true
}

// doubt takes the forks that the keeper names, each with the object that convicts its party.
func (g *reading) doubt() error {
	g.forked = make(map[traffic.Party]time.Time)
	reader := &Reader{Registry: g.reader.Registry, Trusted: g.trust.chains}
	convicted := make(map[traffic.Party]bool)
	for _, b := range g.Forks {
		c, err := reader.Fork(b)
		if err != nil {
			return err
		}
		convicted[c.Party] = true
	}
	for _, f := range g.list.Forked {
		if !convicted[f.Party] {
			return &Refusal{"no-fork", fmt.Errorf("%w: nothing in the bundle convicts %s", ErrNoFork, f.Party)}
		}
		g.forked[f.Party] = time.Unix(f.Since, 0).UTC()
		g.v.Forked = append(g.v.Forked, f.Party)
	}
	return nil
}

func hexID(id statement.ID) string { return hex.EncodeToString(id[:]) }
