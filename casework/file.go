package casework

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/dossier"
	"detente/form"
	"detente/incident"
	"detente/statement"
	"detente/traffic"
)

// Sheet is one case on one channel, as it stands now.
type Sheet struct {
	*incident.Case
	View    *incident.View
	Name    dossier.Name
	Entries []Entry // those of the case
}

// Entry is a statement of a case, and what is known of it here.
type Entry struct {
	*incident.Entry
	Number string
	Held   time.Time // when it came to be held here
}

// File is a case over all the channels on which it is dealt with.
type File struct {
	Plane  traffic.Plane
	Number incident.Number // zero for one that bears none
	Title  string          // its number, or that of its first statement
	Sheets []Sheet
}

// Open tells whether the file is open on some channel.
func (f *File) Open() bool {
	return slices.ContainsFunc(f.Sheets, func(s Sheet) bool { return s.View.Open() })
}

// Last is when something was said in it last.
func (f *File) Last() (last time.Time) {
	for _, s := range f.Sheets {
		for _, e := range s.Case.Entries {
			if e.At.After(last) {
				last = e.At
			}
		}
	}
	return last
}

// Next is the earliest deadline that somebody owes, nil where nobody owes anything.
func (f *File) Next() (next *incident.Due) {
	for _, s := range f.Sheets {
		for i := range s.View.Owed {
			if d := &s.View.Owed[i]; !d.Soft && d.By != incident.Nobody && (next == nil || d.At.Before(next.At)) {
				next = d
			}
		}
	}
	return next
}

// Filter narrows a list of files; its zero value is all of them.
type Filter struct {
	Channel *[32]byte
	Plane   traffic.Plane
	Open    bool // only those that are open
	Limit   int  // at most so many; 0 for all

	notation string // the number of a case, or a whole id: what cannot go by it is passed over
}

// Files lists the cases, those first from which something is due, the most urgent first; then the others, the newest first.
func (c *Casework) Files(ctx context.Context, only Filter) ([]File, error) {
	if err := c.Read(ctx); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.files(only, time.Now()), nil
}

// files lists the cases as they stand at now. c.mu is held.
func (c *Casework) files(only Filter, now time.Time) (out []File) {
	names := make(map[*incident.Case]dossier.Name)
	var list []*incident.Case
	for name, k := range c.cases {
		if only.notation != "" && !could(only.notation, name, k) {
			continue
		}
		if (only.Channel == nil || *only.Channel == name.Channel) && (only.Plane == "" || only.Plane == name.Plane) {
			names[k] = name
			list = append(list, k)
		}
	}
	for _, tied := range incident.Tie(list) {
		f := File{Plane: tied.Plane, Number: tied.Number}
		for _, k := range tied.Cases {
			f.Sheets = append(f.Sheets, c.sheet(names[k], k, now))
		}
		f.Title = c.title(names[tied.Cases[0]], tied.Cases[0])
		if !only.Open || f.Open() {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, compareFiles)
	if only.Limit > 0 {
		out = out[:min(len(out), only.Limit)]
	}
	for i := range out {
		for j := range out[i].Sheets {
			c.enter(&out[i].Sheets[j])
		}
	}
	return out
}

func compareFiles(a, b File) int {
	x, y := a.Next(), b.Next()
	switch {
	case x != nil && y != nil:
		return x.At.Compare(y.At)
	case x != nil:
		return -1
	case y != nil:
		return 1
	}
	return b.Last().Compare(a.Last())
}

// sheet is a case as it stands at now. c.mu is held; what it points to is not changed any more.
func (c *Casework) sheet(name dossier.Name, k *incident.Case, now time.Time) Sheet {
	return Sheet{Case: k, View: c.view(name, k, now), Name: name}
}

// enter lists the statements of a sheet. c.mu is held.
func (c *Casework) enter(s *Sheet) {
	s.Entries = make([]Entry, 0, len(s.Case.Entries))
	for i := range s.Case.Entries {
		s.Entries = append(s.Entries, Entry{&s.Case.Entries[i], c.places[s.Name][i].number, c.places[s.Name][i].held})
	}
}

// File finds a case by its number, by the number of one of its statements, or by four or more digits of an id. Errors: ErrNoCase, ErrAmbiguous.
func (c *Casework) File(ctx context.Context, notation string) (*File, error) {
	wanted := strings.TrimSpace(notation)
	files, err := c.Files(ctx, Filter{notation: wanted})
	if err != nil {
		return nil, err
	}
	var found []*File
	for i := range files {
		if files[i].known(wanted) {
			found = append(found, &files[i])
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("%w: %q", ErrNoCase, notation)
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("%w: %q", ErrAmbiguous, notation)
}

// could tells whether a case may go by a notation, without a look at the numbers of its statements where the notation is that of a case or a whole id.
func could(notation string, name dossier.Name, k *incident.Case) bool {
	if number, err := incident.ParseNumber(strings.ToLower(notation)); err == nil {
		return k.Number == number
	}
	var id statement.ID
	if len(notation) == 2*len(id) {
		if _, err := hex.Decode(id[:], []byte(notation)); err == nil {
			return name.ID == id || placeOf(k, id) >= 0
		}
	}
	return true
}

// known tells whether a file goes by a notation.
func (f *File) known(notation string) bool {
	if number, err := incident.ParseNumber(strings.ToLower(notation)); err == nil {
		return f.Number == number
	}
	for _, s := range f.Sheets {
		for _, e := range s.Entries {
			id := e.ID.String()
			if strings.EqualFold(e.Number, notation) || len(notation) >= 4 && strings.HasPrefix(id, strings.ToLower(notation)) {
				return true
			}
		}
	}
	return false
}

// Step is a statement that this party may make in a case as it stands.
type Step struct {
	Sheet   *Sheet
	Matter  *incident.Matter
	Form    string
	Codes   []string // of the field that decides; empty for a form that does one thing only
	Field   string   // that decides
	About   statement.ID
	To      string // audience: whom the matter is with
	Expects bool   // something runs that this would end
}

// Steps lists what this party may say in a case, the matters in which something is expected first.
func (c *Casework) Steps(f *File) (out []Step) {
	for i := range f.Sheets {
		s := &f.Sheets[i]
		c.mu.RLock()
		tab := c.regimes[s.Name.Channel]
		c.mu.RUnlock()
		for _, m := range s.View.Matters {
			side := incident.Asked
			if m.Asker == c.self {
				side = incident.Asker
			} else if m.Asked != "" && m.Asked != c.self {
				continue
			}
			ends := func(formID string, codes []string) bool {
				return slices.ContainsFunc(s.View.Owed, func(d incident.Due) bool {
					return d.Matter == m.ID && !d.Soft && d.By != incident.Nobody && c.owes(s.View, &d) && m.Ends(&d, formID, codes, side)
				})
			}
			for _, row := range m.Machine.Fits(m.Matter.State, side) { // as words have left it: a late word counts for as much as it would have
				out = append(out, Step{
					Sheet: s, Matter: m.Matter, Form: row.Form, Codes: row.Codes, Field: tab.cases.Decides(row.Form), About: m.ID, To: c.across(m),
					Expects: ends(row.Form, row.Codes),
				})
			}
		}
	}
	for i := range f.Sheets {
		out = append(out, c.closing(&f.Sheets[i])...)
	}
	slices.SortStableFunc(out, func(a, b Step) int { return cmp.Compare(rank(a.Expects), rank(b.Expects)) })
	return out
}

// closing lists the proposals to close a case that this party may make: as long as the case is open, and nothing that would close it waits.
func (c *Casework) closing(s *Sheet) (out []Step) {
	c.mu.RLock()
	tab := c.regimes[s.Name.Channel]
	c.mu.RUnlock()
	i := slices.IndexFunc(s.View.Matters, func(m incident.Standing) bool { return m.Asker == c.self || m.Asked == "" || m.Asked == c.self })
	if i < 0 || !s.View.Open() {
		return nil
	}
	about := s.View.Matters[i]
	for _, m := range tab.cases.Machines {
		if len(m.Closes) == 0 || slices.ContainsFunc(s.View.Matters, func(x incident.Standing) bool { return x.Machine == m && x.Open() }) {
			continue
		}
		step := Step{Sheet: s, Matter: about.Matter, Form: m.Opens, Field: tab.cases.Decides(m.Opens), About: about.ID, To: c.across(about)}
		for _, row := range m.Rows {
			if row.Form != m.Opens || len(row.From) > 0 {
				continue
			}
			step.Codes = append(step.Codes, row.Codes...)
			step.Expects = step.Expects || slices.ContainsFunc(s.View.Owed, func(d incident.Due) bool { return c.owes(s.View, &d) && !d.Soft && slices.Contains(row.Settles, d.ID) })
		}
		out = append(out, step)
	}
	return out
}

// across is the audience for what is said in a matter: the other side of it.
func (c *Casework) across(m incident.Standing) string {
	to := m.Asker
	if m.Asker == c.self {
		to = m.Asked
	}
	return cmp.Or(string(to), statement.Everyone)
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// Step finds what a statement of a form is about in a case: the matter in which it is expected, else the one that permits it. A form that moves nothing, such
// as a word on passing something on, is about what opened the case. code is that of the field that decides, empty where the form has none. Where several
// channels would do, the sheet on the channel named is taken. Error: ErrNothing.
func (c *Casework) Step(f *File, channel *[32]byte, formID, code string) (Step, error) {
	for _, s := range c.Steps(f) {
		if s.Form == formID && (channel == nil || *channel == s.Sheet.Name.Channel) && (len(s.Codes) == 0 || slices.Contains(s.Codes, code)) {
			return s, nil
		}
	}
	for i := range f.Sheets {
		s := &f.Sheets[i]
		c.mu.RLock()
		tab := c.regimes[s.Name.Channel]
		c.mu.RUnlock()
		machine, opens := tab.cases.Opens(formID)
		fm, known := tab.regime.Latest(formID)
		if channel != nil && *channel != s.Name.Channel || !known || fm.Refs == form.RefsNone || tab.cases.Moves(formID) || opens && len(machine.Closes) > 0 || len(s.View.Matters) == 0 {
			continue
		}
		about := s.View.Matters[0]
		return Step{Sheet: s, Matter: about.Matter, Form: formID, Field: tab.cases.Decides(formID), About: about.ID, To: c.across(about)}, nil
	}
	return Step{}, fmt.Errorf("%w: %s %s in %s", ErrNothing, formID, code, f.Title)
}

// Codebook lists the signals of a channel as its members have them: those of the regime, with what they have tried, adopted and retired since. Error:
// ErrNoTable.
func (c *Casework) Codebook(ctx context.Context, channel [32]byte, plane traffic.Plane) ([]incident.Signal, error) {
	if err := c.Read(ctx); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	tab := c.regimes[channel]
	if tab == nil || tab.book == nil {
		return nil, ErrNoTable
	}
	var cases []*incident.Case
	for name, k := range c.cases {
		if name.Channel == channel && name.Plane == plane {
			cases = append(cases, k)
		}
	}
	slices.SortFunc(cases, func(a, b *incident.Case) int {
		return cmp.Or(a.Opened.Compare(b.Opened), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return tab.book.With(incident.Changes(cases)), nil
}

// Regime is the regime of a channel whose regime knows cases. Error: ErrNoTable.
func (c *Casework) Regime(channel [32]byte) (*form.Regime, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if tab := c.tablesOf(channel); tab != nil {
		return tab.regime, nil
	}
	return nil, ErrNoTable
}
