package programme

import (
	"cmp"
	"slices"
	"time"

	"detente/acts"
	"detente/dialogue"
	"detente/dossier"
	"detente/form"
	"detente/incident"
	"detente/instrument"
	"detente/ledger"
	"detente/party"
	"detente/statement"
	"detente/traffic"
)

// Record is what a node holds of the relation between two parties on one plane. Boards are a function of it and a date. It is used by one goroutine at a time.
type Record struct {
	Of      [2]traffic.Party // sorted
	Plane   traffic.Plane
	Member  bool // this node is one of the two, or on a channel with both
	Acts    *acts.Reading
	Places  map[string]Evidence // of acts, by id in hex
	Threads []*Thread           // the channels of both, by name and id
}

// Thread is what was said on one channel of the two.
type Thread struct {
	*party.Channel
	Regime  *form.Regime
	Cases   *incident.Table // nil for a regime that knows none
	Agreed  []Utterance     // by which the channel came to be, the first of each of the two
	Files   []*File
	Words   []Utterance // of forms that are read one by one, by the time they were stated
	Checks  []*Check    // by the time they were stated
	Figures []Figures   // that all members have signed for

	heard map[statement.ID]*Utterance // of Words, made when first asked for
}

// Figures are an account that the members have agreed to publish.
type Figures struct {
	ledger.Publication
	Account *ledger.Account
}

// Check is a communication check, and the answers that count.
type Check struct {
	Utterance // without what it says
	ID        statement.ID
	From      traffic.Address
	To        string // its audience
	Level     int
	Sent, Due time.Time
	Answers   []Answer // in the canonical order
}

// Answer is a reply to a check that its level asks for.
type Answer struct {
	ID     statement.ID
	To     statement.ID
	From   traffic.Address
	By     string // as the form has it
	Clock  int64
	Feed   traffic.Feed
	Index  int64
	Said   time.Time
	Stated time.Time
}

func (a *Answer) evidence() Evidence {
	return Evidence{a.ID, traffic.Number(a.From, a.Feed, a.Index), a.Feed.Origin(), a.Index, "statement", ""}
}

func (c *Check) evidence() Evidence {
	return Evidence{c.ID, traffic.Number(c.From, c.Feed, c.Index), c.Feed.Origin(), c.Index, "statement", ""}
}

// Utterance is a statement, and when it counts as stated.
type Utterance struct {
	dossier.Item
	Values form.Values
	Within time.Duration // that its form gives for an answer
	Stated time.Time
}

// File is a dossier.
type File struct {
	Name  dossier.Name
	Holds Kind
	Items []Utterance // by the time they were stated

	said  map[statement.ID]*Utterance // of Items, made when first asked for
	talk  memo[*dialogue.Dialogue]
	text  memo[*instrument.Negotiation]
	cases memo[*incident.Case]
	state memo[*dossier.State]
	view  *incident.View
	until time.Time // for how long view holds; zero where nothing falls due
}

// Kind is what a dossier holds.
type Kind int

// The kinds. A dossier may be of several.
const (
	Talks Kind = 1 << iota
	Texts
	Cases
	Powers
	Proposals // to publish figures
)

// memo keeps what was made of the first so many statements of a file.
type memo[T any] struct {
	of    int
	made  bool
	value T
}

func (m *memo[T]) get(n int, make func() T) T {
	if !m.made || m.of != n {
		m.of, m.made, m.value = n, true, make()
	}
	return m.value
}

// moment is the date of a board: what was stated after it is not read.
type moment struct {
	time.Time
	all bool // what is held counts, whatever date it bears: the board of now
}

// upTo is how many of some utterances had been stated.
func (m moment) upTo(list []Utterance) int {
	if m.all {
		return len(list)
	}
	n, _ := slices.BinarySearchFunc(list, m.Time, func(u Utterance, t time.Time) int {
		if u.Stated.After(t) {
			return 1
		}
		return -1
	})
	return n
}

// sorted puts utterances into the order in which they were stated.
func sorted(list []Utterance) {
	slices.SortFunc(list, func(a, b Utterance) int {
		return cmp.Or(a.Stated.Compare(b.Stated), cmp.Compare(a.Statement.Clock, b.Statement.Clock), compareIDs(a.Statement.ID(), b.Statement.ID()))
	})
}

func compareIDs(a, b statement.ID) int { return slices.Compare(a[:], b[:]) }

// evidence names a statement.
func (u *Utterance) evidence(kind, file string) Evidence {
	return Evidence{u.Statement.ID(), traffic.Number(u.Statement.Issuer, u.Feed, u.Index), u.Feed.Origin(), u.Index, kind, file}
}

// folded is the state of the dossier as it was.
func (f *File) folded(r *form.Regime, m moment) (*dossier.State, int) {
	n := m.upTo(f.Items)
	return f.state.get(n, func() *dossier.State {
		items := make([]dossier.Item, n)
		for i := range items {
			items[i] = f.Items[i].Item
		}
		return dossier.Fold(f.Name, items, r)
	}), n
}

// find gives a statement of the file, of several copies the valid one; nil for none.
func (f *File) find(id statement.ID) *Utterance {
	if f.said == nil {
		f.said = make(map[statement.ID]*Utterance, len(f.Items))
		for i := range f.Items {
			it := &f.Items[i]
			if f.said[it.Statement.ID()] == nil || it.Reason == "" {
				f.said[it.Statement.ID()] = it
			}
		}
	}
	return f.said[id]
}

// at is the evidence of a statement of the file.
func (f *File) at(id statement.ID, kind string) []Evidence {
	it := f.find(id)
	if it == nil {
		return nil
	}
	return []Evidence{it.evidence(kind, f.Name.ID.String())}
}

// saidAt is when a statement of the file was stated.
func (f *File) saidAt(id statement.ID) time.Time {
	if it := f.find(id); it != nil {
		return it.Stated
	}
	return time.Time{}
}

// asTalk folds a series or a group; nil for what is none, or was not opened yet.
func (t *Thread) asTalk(f *File, m moment) *dialogue.Dialogue {
	state, n := f.folded(t.Regime, m)
	d := f.talk.get(n, func() *dialogue.Dialogue { return dialogue.Fold(state.Talk(t.Regime), t.Members) })
	if d.ID == (statement.ID{}) {
		return nil
	}
	return d
}

// asText folds a negotiation; nil likewise. Full powers of the channel count in it.
func (t *Thread) asText(f *File, m moment) *instrument.Negotiation {
	state, n := f.folded(t.Regime, m)
	total := n
	var powers []*File
	for _, p := range t.Files {
		if p.Holds&Powers != 0 && p != f {
			powers = append(powers, p)
			total += m.upTo(p.Items)
		}
	}
	x := f.text.get(total, func() *instrument.Negotiation {
		items := state.Text(t.Regime)
		for _, p := range powers {
			granted, _ := p.folded(t.Regime, m)
			for _, it := range granted.Text(t.Regime) {
				if it.Form == "full-powers" || it.Form == "full-powers-revocation" {
					items = append(items, it)
				}
			}
		}
		return instrument.Fold(items)
	})
	if x.ID == (statement.ID{}) || len(x.Opening.Parties) == 0 {
		return nil
	}
	return x
}

// asCase folds a case and tells how it stood; nil likewise.
func (t *Thread) asCase(f *File, m moment) (*incident.Case, *incident.View) {
	if t.Cases == nil {
		return nil, nil
	}
	n := m.upTo(f.Items)
	fresh := !f.cases.made || f.cases.of != n
	c := f.cases.get(n, func() *incident.Case {
		state, _ := f.folded(t.Regime, m)
		f.state = memo[*dossier.State]{} // there may be thousands of cases, and each is folded once
		return t.Cases.Fold(state.Items(t.Regime))
	})
	if len(c.Matters) == 0 && c.Number == (incident.Number{}) || len(c.Entries) == 0 {
		return nil, nil
	}
	if fresh || f.view == nil || m.Before(f.view.Now) || !f.until.IsZero() && !m.Time.Before(f.until) {
		f.view, f.until = c.At(m.Time), time.Time{}
		for _, x := range c.Matters {
			for _, d := range x.Dues {
				if d.Running() && d.At.After(m.Time) && (f.until.IsZero() || d.At.Before(f.until)) {
					f.until = d.At
				}
			}
		}
	}
	v := *f.view
	v.Now = m.Time
	return c, &v
}
