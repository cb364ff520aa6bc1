package register

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"detente/acts"
	"detente/evidence"
	"detente/traffic"
)

const (
	actsPerPage  = 100
	changePages  = 500
	matrixBlock  = 30
	maxPictured  = 2000 // days on which the picture can be seen
	unixEpochDay = 719163
)

// view is an instrument as the pages of all languages show it: everything that needs computing, and nothing in words.
type view struct {
	*Instrument
	slug    string
	on      acts.Day // of the edition
	status  acts.Status
	order   []traffic.Party // of the participants
	lives   map[traffic.Party]*life
	days    []acts.Day // on which somebody's state changed, and the day of the edition
	changes []change
	byID    map[string]int // where an act stands in the record
	signed  map[string]bool
	bonds   [][]acts.Relation // above the diagonal: bonds[i][j-i-1]
}

// life is a participant over time.
type life struct {
	party traffic.Party
	row   acts.Row
	steps []change
	acts  []int // in the record
}

// change is a day on which a participant began to stand otherwise.
type change struct {
	party  traffic.Party
	day    acts.Day
	before acts.State // empty for its first
	after  acts.State
}

func (s *site) see(i *Instrument) (*view, error) {
	r := i.Verdict.Record
	if r == nil || i.Verdict.Result != evidence.Proved {
		return nil, fmt.Errorf("%w: %s", ErrUnproved, i.Verdict.Instrument)
	}
	v := &view{Instrument: i, slug: i.Slug(), on: acts.DayOf(i.Verdict.Known), lives: make(map[traffic.Party]*life), byID: make(map[string]int), signed: make(map[string]bool)}
	v.status = r.Status(v.on)
	for _, row := range v.status.Rows {
		v.order = append(v.order, row.Party)
		v.lives[row.Party] = &life{party: row.Party, row: row}
	}
	for n := range r.Acts {
		a := &r.Acts[n]
		v.byID[a.ID] = n
		if l := v.lives[a.Party]; l != nil {
			l.acts = append(l.acts, n)
		}
	}
	for _, a := range i.Verdict.Acts {
		v.signed[a.ID] = a.Signed
	}
	v.watch(r)
	for x := range v.order {
		bonds := make([]acts.Relation, 0, len(v.order)-x-1)
		for _, y := range v.order[x+1:] {
			bonds = append(bonds, r.Relation(v.order[x], y, v.on))
		}
		v.bonds = append(v.bonds, bonds)
	}
	return v, nil
}

// relation is what the instrument is between two participants, by their places in the order.
func (v *view) relation(x, y int) *acts.Relation {
	if x > y {
		x, y = y, x
	}
	return &v.bonds[x][y-x-1]
}

// watch finds the days on which somebody's state changed. It looks at each day on which an act was made, or has an effect of its own, and at those that the
// tables of these days speak of; where they are more than can be pictured, at the first of their months.
func (v *view) watch(r *acts.Record) {
	days := map[acts.Day]bool{v.on: true}
	note := func(d acts.Day) {
		if d > 0 {
			days[d] = true
		}
	}
	note(r.Entry)
	note(r.Met)
	note(r.Ended)
	for i := range r.Acts {
		a := &r.Acts[i]
		if !moves(a.Kind) {
			continue
		}
		note(a.Date)
		note(a.Effect)
		note(a.Works)
		if a.As != nil {
			note(a.As.Date)
			note(a.As.Effect)
		}
	}
	for _, row := range v.status.Rows {
		for _, d := range []acts.Day{row.Signed, row.Consented, row.InForce, row.Notice, row.Ends} {
			note(d)
		}
	}
	seen := make(map[acts.Day]bool)
	last := make(map[traffic.Party]acts.State)
	look := sorted(days)
	if len(look) > maxPictured {
		look = firsts(look)
	}
	// The tables name days that no act bears, such as the end of a time of notice. Each is looked at in its turn.
	for len(look) > 0 {
		d := look[0]
		look = look[1:]
		if seen[d] {
			continue
		}
		seen[d] = true
		table := r.Status(d)
		var more []acts.Day
		changed := false
		for i := range table.Rows {
			row := &table.Rows[i]
			if d >= row.InForce && row.State != last[row.Party] || row.State != last[row.Party] {
				if before, known := last[row.Party]; known || row.State != acts.None {
					c := change{row.Party, d, before, row.State}
					v.changes = append(v.changes, c)
					if l := v.lives[row.Party]; l != nil {
						l.steps = append(l.steps, c)
					}
					changed = true
				}
				last[row.Party] = row.State
			}
			for _, next := range []acts.Day{row.InForce, row.Ends} {
				if next > d && !seen[next] {
					more = append(more, next)
				}
			}
		}
		if changed || d == v.on {
			v.days = append(v.days, d)
		}
		if len(more) > 0 && len(seen) < maxPictured {
			look = append(look, more...)
			slices.Sort(look)
			look = slices.Compact(look)
		}
	}
}

// moves tells whether acts of a kind can change how somebody stands.
func moves(k acts.Kind) bool {
	switch k {
	case acts.Reserve, acts.Declare, acts.Interpret, acts.Understand, acts.Object, acts.AcceptReservation, acts.Modify, acts.Communicate, acts.Notify, acts.Rename:
		return false
	}
	return true
}

func sorted(days map[acts.Day]bool) []acts.Day {
	out := make([]acts.Day, 0, len(days))
	for d := range days {
		out = append(out, d)
	}
	slices.Sort(out)
	return out
}

// firsts is the first day of each month in which one of the days lies, and the last of them.
func firsts(days []acts.Day) []acts.Day {
	var out []acts.Day
	for _, d := range days {
		t := d.Time()
		if f := acts.NewDay(t.Year(), t.Month(), 1); len(out) == 0 || out[len(out)-1] != f {
			out = append(out, f)
		}
	}
	out = append(out, days[len(days)-1])
	slices.Sort(out)
	return slices.Compact(out)
}

// steps is a participant's states as the picture's script reads them: day since 1970, colon, state.
func (l *life) script() string {
	var b strings.Builder
	for i, c := range l.steps {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%d:%s", int(c.day)-unixEpochDay, c.after)
	}
	if b.Len() == 0 {
		fmt.Fprintf(&b, "0:%s", acts.None)
	}
	return b.String()
}

// anchor is the place of an act in its page.
func anchor(id string) string {
	sum := sha256.Sum256([]byte(id))
	return "a" + hex.EncodeToString(sum[:6])
}

// actPage is the page on which an act of the record stands, with its anchor.
func (v *view) actHref(n int) string {
	return fmt.Sprintf("acts-%d.html#%s", 1+n/actsPerPage, anchor(v.Verdict.Record.Acts[n].ID))
}
