package evidence

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"detente/acts"
	"detente/party"
	"detente/statement"
	"detente/traffic"
)

// Draft makes the list that the keeper of a register signs, from a bundle that has all but the list and the edition. It reads the bundle as every reader will, so
// that what it says of an act is what they find. Known gives since when another than its party has held a statement, zero for unknown, and why it is invalid where only its whole feed shows that; nil knows nothing. Forked are the parties that
// the forks of the bundle convict, and since when that is known. The reader must trust the charters of all whose feeds are in the bundle. Errors: a [*Refusal] as of [Reader.Register].
func (r *Reader) Draft(f *RegisterFile, until time.Time, known func(statement.ID) (held time.Time, mark string), forked map[traffic.Party]time.Time) (*EditionList, error) {
	g := &reading{RegisterFile: f, v: &RegisterVerdict{Known: until}, reader: r, channels: make(map[[32]byte]*party.Channel), at: make(map[spot]*place)}
	var err error
	if g.trust, err = r.trust(f.Charters); err != nil {
		return nil, err
	}
	l := &EditionList{Instrument: f.Instrument, Known: until.Unix()}
	for _, p := range slices.Sorted(maps.Keys(forked)) {
		l.Forked = append(l.Forked, Forked{Party: p, Since: forked[p].Unix()})
	}
	g.list = l
	for _, step := range []func() error{g.unpack, g.prove, g.load, g.doubt} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	pins := make(map[traffic.Party][32]byte)
	for i := range f.Feeds {
		origin := f.Feeds[i].Feed
		chain := g.trust.chains[origin.Party]
		if chain == nil {
			return nil, &Refusal{"untrusted", untrusted(origin.Party, g.trust.strange[origin.Party])}
		}
		pins[origin.Party] = chain.Genesis()
		l.Feeds = append(l.Feeds, origin.Origin())
	}
	for _, p := range slices.Sorted(maps.Keys(pins)) {
		l.Pins = append(l.Pins, Pin{Party: p, Genesis: pins[p]})
	}
	if err := g.number(l, known); err != nil {
		return nil, err
	}
	return l, g.settle(l)
}

// number gives each act a row.
func (g *reading) number(l *EditionList, known func(statement.ID) (held time.Time, mark string)) error {
	place := make(map[traffic.Feed]int)
	for i := range g.Feeds {
		place[g.Feeds[i].Feed] = i
	}
	for _, p := range g.places {
		if p.statement == nil || p.err != nil && !p.hearing.v.Logged || !g.concerns(p) {
			continue
		}
		id := p.statement.ID()
		row := EditionRow{Feed: place[p.feed], Index: p.index, ID: hexID(id), Digest: id, Party: string(p.feed.Party)}
		if known != nil {
			held, mark := known(id)
			if row.Mark = mark; !held.IsZero() {
				row.Known = held.Unix()
			}
		}
		p.row = &row
	}
	for n, id := range slices.Sorted(maps.Keys(g.loaded)) {
		a := g.loaded[id]
		digest, err := ActDigest(a.Act)
		if err != nil {
			return &Refusal{"register-shape", fmt.Errorf("%w: %w", ErrRegisterShape, err)}
		}
		a.row = &EditionRow{Feed: -1, Index: int64(n), ID: id, Digest: digest}
	}
	return nil
}

// concerns tells whether a statement is an act about the instrument, its opening among them.
func (g *reading) concerns(p *place) bool {
	if p.statement.Form == acts.FormOpening {
		return p.statement.ID() == g.Instrument
	}
	_, v := p.formOf()
	return p.statement.Form == acts.FormAct && v != nil && bytes.Equal(v.Bytes("instrument"), g.Instrument[:])
}

// settle folds the acts, and says in the rows what the rules make of each.
func (g *reading) settle(l *EditionList) error {
	record, err := g.record()
	if err != nil {
		return err
	}
	rows := make(map[string]*EditionRow)
	for _, p := range g.places {
		if p.row != nil {
			rows[p.row.ID] = p.row
		}
	}
	for id, a := range g.loaded {
		rows[id] = a.row
	}
	for i := range record.Acts {
		row := rows[record.Acts[i].ID]
		if row == nil {
			continue // unreachable: the record has what was given
		}
		a := &record.Acts[i]
		row.Party, row.Kind, row.Date, row.Why = string(a.Party), string(a.Kind), a.Date.String(), string(a.Why)
		if !a.Known.IsZero() {
			row.Known = a.Known.Unix()
		}
		b, err := row.Encode()
		if err != nil {
			return fmt.Errorf("evidence: row: %w", err)
		}
		l.Rows = append(l.Rows, b)
	}
	return nil
}

// record folds what was read under the rules of the opening.
func (g *reading) record() (*acts.Record, error) {
	o, all, err := g.read()
	if err != nil {
		return nil, err
	}
	g.v.Opening = o
	return acts.Fold(o.Rules, all, g.v.Known), nil
}
