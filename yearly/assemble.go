package yearly

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"detente/check"
	"detente/dialogue"
	"detente/directory"
	"detente/dossier"
	"detente/form"
	"detente/incident"
	"detente/ledger"
	"detente/party"
	"detente/statement"
	"detente/traffic"
)

// Source is a channel whose record is assembled.
type Source struct {
	ID      [32]byte
	Name    string
	Members []traffic.Party
	Regime  *form.Regime
	Cut     []Feed // set by whoever gathers
}

// Subject is what a pack is about.
type Subject struct {
	Series statement.ID
	Round  int
	Plane  traffic.Plane
	From   time.Time
	To     time.Time
}

// in tells whether a moment lies in the period.
func (s *Subject) in(t time.Time) bool { return !t.Before(s.From) && t.Before(s.To) }

// below tells whether a statement of that date is of the record: what was said at the very end still counts, as in the ledger.
func (s *Subject) below(t time.Time) bool { return !t.After(s.To) }

// Assembly makes a pack of what it is given, in any order. It reads no clock and no database.
type Assembly struct {
	about   Subject
	pack    *Pack
	works   map[[32]byte]*work
	version map[traffic.Party]int // of the charters, the newest that a statement of the record names
	numbers map[statement.ID]string
}

// work is a channel while it is assembled.
type work struct {
	*Source
	table  *incident.Table // nil where the regime knows no cases
	before *directory.Contacts
	after  *directory.Contacts
	checks *check.History
	sent   map[Sent]*Sent
	parts  []*ledger.Part
	cases  []*kept
	talks  []*talk
}

// kept is a case of the pack, and what else is asked of it.
type kept struct {
	*incident.Case
	state [32]byte
}

type talk struct {
	*dialogue.Dialogue
	number string
}

// Begin begins a pack. Error: incident.ErrTable for a regime of this program whose table of cases cannot be read.
func Begin(about Subject, sources []*Source) (*Assembly, error) {
	about.From, about.To = about.From.UTC().Truncate(time.Second), about.To.UTC().Truncate(time.Second)
	a := &Assembly{about: about, works: make(map[[32]byte]*work), version: make(map[traffic.Party]int), numbers: make(map[statement.ID]string)}
	a.pack = &Pack{
		Type: Type, Series: about.Series.String(), Round: about.Round, Plane: about.Plane, From: about.From, To: about.To, Name: map[string]string{}, Parties: []traffic.Party{}, Members: []Member{},
		Languages: []string{}, Channels: []Channel{}, Agreed: []Case{}, Disputed: []Case{}, Sent: []Sent{}, Accounts: []Account{}, Checks: []Checks{}, Contacts: []ContactChange{},
		Codes: []CodeChange{}, Charters: []CharterChange{}, Actions: []Action{},
	}
	for _, s := range sources {
		w := &work{Source: s, before: directory.NewContacts(), after: directory.NewContacts(), checks: check.NewHistory(), sent: make(map[Sent]*Sent)}
		if _, has := s.Regime.Table("cases"); has {
			var err error
			if w.table, err = incident.Load(s.Regime); err != nil {
				return nil, fmt.Errorf("yearly: %w", err)
			}
		}
		a.works[s.ID] = w
	}
	return a, nil
}

// Entry takes one statement of the record, valid or not.
func (a *Assembly) Entry(it dossier.Item) {
	s := it.Statement
	w := a.works[it.Feed.Channel]
	if w == nil || it.Feed.Plane != a.about.Plane || !a.about.below(s.IssuedAt) {
		return
	}
	if it.Reason == "" {
		a.version[s.Issuer.Party] = max(a.version[s.Issuer.Party], s.Charter)
	}
	if a.about.in(s.IssuedAt) {
		key := Sent{Channel: w.Name, Party: it.Feed.Party, Precedence: it.Feed.Precedence}
		if w.sent[key] == nil {
			w.sent[key] = new(key)
		}
		if it.Reason == "" {
			w.sent[key].Valid++
		} else {
			w.sent[key].Invalid++
		}
	}
	switch s.Form {
	case "check", "check-answer", "contact", "contact-status":
	default:
		return
	}
	fm, known := w.Regime.Form(s.Form, s.Version)
	if !known || it.Reason != "" {
		return
	}
	v, err := fm.Decode(s.Payload)
	if err != nil {
		return
	}
	switch s.Form {
	case "check", "check-answer":
		w.checks.Add(s.ID(), &s.Header, v, s.IssuedAt, fm.AnswerWithin(s.Precedence)) // when it came to be held, the other side does not know
	default:
		if s.IssuedAt.Before(a.about.From) {
			w.before.Add(s.ID(), &s.Header, v)
		}
		w.after.Add(s.ID(), &s.Header, v)
	}
}

// Dossier takes what is of the record of one dossier, and nothing else of it.
func (a *Assembly) Dossier(s *dossier.State) {
	w := a.works[s.Channel]
	if w == nil || s.Plane != a.about.Plane || len(s.Entries) == 0 {
		return
	}
	w.parts = append(w.parts, ledger.Take(s, w.Regime))
	opening := ""
	for i := range s.Entries {
		e := &s.Entries[i]
		if i == 0 || e.Statement.ID() == s.ID {
			opening = traffic.Number(e.Statement.Issuer, e.Feed, e.Index)
		}
	}
	a.numbers[s.ID] = opening
	if w.table != nil {
		items := s.Items(w.Regime)
		if c := w.table.Fold(items); len(c.Matters) > 0 {
			a.number(s)
			w.cases = append(w.cases, &kept{c, s.Digest})
		}
	}
	if _, speaks := w.Regime.Latest("series"); speaks {
		if d := dialogue.Fold(s.Talk(w.Regime), w.Members); d.ID != (statement.ID{}) {
			a.number(s)
			w.talks = append(w.talks, &talk{d, opening})
			if d.ID == a.about.Series && d.Series != nil {
				a.series(d, opening)
			}
		}
	}
}

// number keeps the numbers of a dossier's statements.
func (a *Assembly) number(s *dossier.State) {
	for i := range s.Entries {
		e := &s.Entries[i]
		a.numbers[e.Statement.ID()] = traffic.Number(e.Statement.Issuer, e.Feed, e.Index)
	}
}

func (a *Assembly) series(d *dialogue.Dialogue, number string) {
	p := a.pack
	p.Number, p.Name, p.Parties, p.Languages = number, d.Series.Name, d.Parties, slices.Clone(d.Series.Languages)
	if d.Series.Basis != [32]byte{} {
		p.Basis = hex.EncodeToString(d.Series.Basis[:])
	}
}

// Lack notes that something of the record is missing.
func (a *Assembly) Lack(l Lack) {
	if w := a.channel(l.Feed); w != nil {
		l.Channel = w.Name
	}
	a.pack.Lacks = append(a.pack.Lacks, l)
}

func (a *Assembly) channel(origin string) *work {
	f, err := traffic.ParseOrigin(origin)
	if err != nil {
		return nil
	}
	return a.works[f.Channel]
}

// Pack is what the assembly has come to. chain gives the charters of a member, nil where they are not held. Nothing may be given to the assembly after it.
func (a *Assembly) Pack(chain func(traffic.Party) *party.Chain) (*Pack, error) {
	p := a.pack
	if p.Number == "" {
		return nil, fmt.Errorf("%w: the series was not opened by then", ErrPeriod)
	}
	works := make([]*work, 0, len(a.works))
	for _, w := range a.works {
		works = append(works, w)
	}
	slices.SortFunc(works, func(x, y *work) int { return cmp.Or(cmp.Compare(x.Name, y.Name), bytes.Compare(x.ID[:], y.ID[:])) })
	for _, w := range works {
		if len(w.Cut) == 0 {
			continue // nothing had been said there
		}
		p.Channels = append(p.Channels, Channel{hex.EncodeToString(w.ID[:]), w.Name, fmt.Sprintf("%s/%d", w.Regime.ID, w.Regime.Version), w.Cut})
		a.tally(w)
		a.account(w)
		a.checked(w)
		a.contacts(w)
		a.codes(w)
		a.cases(w)
		a.actions(w)
	}
	a.judge()
	a.charters(chain)
	slices.SortStableFunc(p.Lacks, func(x, y Lack) int {
		return cmp.Or(cmp.Compare(x.Feed, y.Feed), cmp.Compare(x.Index, y.Index), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Party, y.Party), cmp.Compare(x.File, y.File))
	})
	digest, err := p.digest()
	if err != nil {
		return nil, err
	}
	p.Digest = digest
	return p, nil
}

func (a *Assembly) tally(w *work) {
	list := make([]Sent, 0, len(w.sent))
	for _, s := range w.sent {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(x, y Sent) int {
		return cmp.Or(cmp.Compare(x.Party, y.Party), y.Precedence.Rank()-x.Precedence.Rank())
	})
	a.pack.Sent = append(a.pack.Sent, list...)
}

// account is the ledger's own: nothing is counted here another time.
func (a *Assembly) account(w *work) {
	drawn := ledger.Sum(w.ID, a.about.Plane, ledger.Period{From: a.about.From, To: a.about.To, Until: a.about.To}, w.parts)
	digest := drawn.Digest()
	out := Account{Channel: w.Name, Digest: hex.EncodeToString(digest[:]), Figures: []Figure{}}
	for _, f := range drawn.Figures {
		out.Figures = append(out.Figures, Figure{Figure: f})
	}
	a.pack.Accounts = append(a.pack.Accounts, out)
}

// checked counts checks by what their level asks for. Whether one was answered in time goes by the dates that both sides have: those that the statements bear.
func (a *Assembly) checked(w *work) {
	type line struct {
		from  traffic.Party
		to    string
		level int
	}
	by := make(map[line]*Checks)
	for _, c := range w.checks.All() {
		if !a.about.in(c.Sent) {
			continue
		}
		to := c.To
		if at, err := traffic.ParseAddress(to); err == nil {
			to = string(at.Party)
		}
		k := line{c.From, to, c.Level}
		if by[k] == nil {
			by[k] = &Checks{Channel: w.Name, From: c.From, To: to, Level: c.Level}
		}
		n := by[k]
		n.Sent++
		switch c.State(false, a.about.To) {
		case check.Answered:
			n.Answered++
		case check.Late:
			n.Late++
		case check.Missed:
			n.Missed++
		default:
			n.Waiting++
		}
	}
	list := make([]Checks, 0, len(by))
	for _, c := range by {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(x, y Checks) int {
		return cmp.Or(cmp.Compare(x.From, y.From), cmp.Compare(x.To, y.To), cmp.Compare(x.Level, y.Level))
	})
	a.pack.Checks = append(a.pack.Checks, list...)
}

// actions are what is still to be done of all that was resolved on the channel, in series and groups.
func (a *Assembly) actions(w *work) {
	for _, t := range w.talks {
		name, all := map[string]string(nil), []*dialogue.Action(nil)
		if t.Series != nil {
			name, all = t.Series.Name, t.Series.Actions
		} else if t.Group != nil {
			name, all = t.Group.Name, t.Group.Actions
		}
		for _, x := range all {
			if x.Open() {
				a.pack.Actions = append(a.pack.Actions, Action{
					Talk: t.number, Name: name, Round: x.Number, Number: a.numbers[x.Statement], ID: x.Statement.String(), Owner: x.Owner, Due: x.Due.UTC(),
					Late: x.Due.Before(a.about.To), Words: x.Words, Note: x.Note,
				})
			}
		}
	}
	slices.SortFunc(a.pack.Actions, func(x, y Action) int { return cmp.Or(x.Due.Compare(y.Due), cmp.Compare(x.ID, y.ID)) })
}
