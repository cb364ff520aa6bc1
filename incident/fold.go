package incident

import (
	"reflect"
	"slices"
	"time"

	"detente/form"
	"detente/statement"
	"detente/traffic"
)

// Forms that the fold must know by name. What moves a matter, the table says.
const (
	formAcknowledgement = "acknowledgement"
	formCancellation    = "cancellation"
	formDissemination   = "dissemination"
	formMatch           = "activity-match"
	formReply           = "reply"
	formActivity        = "planned-activity"
	formStatus          = "activity-status"
	formClosure         = "closure"
	formClosureAnswer   = "closure-answer"
	formSignal          = "signal"
	formSignalAnswer    = "signal-answer"
	formCodebook        = "codebook-change"
	formScale           = "severity-scale"
	formPublication     = "publication"
)

// Item is a statement of a dossier. The items of a dossier come in the canonical order, protocol.md#clock.
type Item struct {
	ID         statement.ID
	Issuer     traffic.Address
	Audience   string // an address, or statement.Everyone
	At         time.Time
	Channel    [32]byte
	Plane      traffic.Plane
	Precedence traffic.Precedence
	Form       string
	Refs       []statement.ID
	Clock      int64
	Values     form.Values // nil for what the regime cannot read
	// Void says why the dossier leaves it without effect (invalid, or out of its order); empty for a statement that counts.
	Void string
	// Cancelled by its own author: it has no effect, but a matter that it opened is shown as withdrawn.
	Cancelled bool
}

// Why a statement has no effect in a case. It is shown all the same.
const (
	Void      = "void"       // the dossier leaves it without effect: its standing there says why
	Cancelled = "cancelled"  // by its author
	NotParty  = "not-party"  // by a party that has no part in the matter
	WrongSide = "wrong-side" // what only the other side says
	NotNow    = "not-now"    // the matter's state does not permit it
	NotHere   = "not-here"   // its code has no meaning in a matter of this kind
	NoMatter  = "no-matter"  // it is about no matter of the case
	Closed    = "closed"     // the case was closed before it
	Differs   = "differs"    // it agrees to something else than was proposed
)

// Remarks on a statement that counts.
const (
	OtherCase   = "other-case"   // bears another number than its case
	NoNumber    = "no-number"    // bears what is no case number
	ShortNotice = "short-notice" // a notice given later than the regime asks for, with its reason
	NoReason    = "no-reason"    // likewise, without a reason
	Unread      = "unread"       // lists networks or numbers of which a part cannot be read
)

// Reasons lists why a statement may have no effect, for whoever has words for each.
func Reasons() []string {
	return []string{Void, Cancelled, NotParty, WrongSide, NotNow, NotHere, NoMatter, Closed, Differs}
}

// Remarks lists what may be remarked on one, likewise.
func Remarks() []string { return []string{OtherCase, NoNumber, ShortNotice, NoReason, Unread} }

// Entry is a statement and what it did.
type Entry struct {
	Item
	Matter   statement.ID // zero for what is about the case as a whole
	From, To string       // states of the matter before and after it; From is empty for the statement that opened it
	Why      string       // why it has no effect; empty for one that has, or that asks for none
	Remarks  []string
}

// Moved tells whether the statement moved its matter.
func (e *Entry) Moved() bool { return e.Why == "" && e.To != "" }

// Matter is one thing asked or announced within a case.
type Matter struct {
	ID      statement.ID // the statement that opened it
	Machine *Machine
	Asker   traffic.Party
	Asked   traffic.Party // empty where it was addressed to all members
	State   string        // what the words alone have brought it to; Case.At says what silence has made of it
	Since   time.Time     // of the statement that brought it there
	Dues    []Due         // in the order in which they were started

	opening *Item
	windows map[string][2]time.Time // stated last, by field
}

// Case is a dossier under a table of cases. It is the same on every side that holds the same statements.
type Case struct {
	ID      statement.ID // of the first statement
	Channel [32]byte
	Plane   traffic.Plane
	Number  Number // zero while no statement gives one
	Opener  traffic.Party
	Opened  time.Time
	Entries []Entry
	Matters []*Matter
	// Outcome with which both sides closed it, empty while it is open. Silence may close it too: Case.At.
	Outcome  string
	ClosedAt time.Time
	ClosedBy statement.ID
	Review   bool // a proposal to close, or the answer to it, carries the case to the yearly review
	Severity []Assessment
	Passings []Passing
	Links    []Link

	table *Table
}

// Assessment is how serious one side takes a case to be, in its last statement that says so.
type Assessment struct {
	By         traffic.Party
	Statement  statement.ID
	Common     string // a level of the common scale, or not-assessed
	Own        string // in the words of the party's own scale
	Confidence string
	Limits     string
}

// Passing is what one side says of passing something on within its state: by category, never by name.
type Passing struct {
	By        traffic.Party
	Statement statement.ID
	Of        []statement.ID
	To        []string
	Confirmed []string // those that have confirmed receipt
	At        time.Time
}

// Link ties a case to a declared notice, which may stand on another channel.
type Link struct {
	By         traffic.Party
	Statement  statement.ID
	Notice     statement.ID
	Conclusion string // matches, in-part, differs; declared where a reply says that it was that activity
	Criteria   []string
}

// Fold computes the case of a dossier. It drops nothing: what does not fit stands in its place, with the reason. Timeouts are not part of it, since a time
// that a statement gives for itself must not take effect on the other side's: see Case.At.
func (t *Table) Fold(items []Item) *Case {
	c := &Case{table: t, Entries: make([]Entry, 0, len(items))}
	f := fold{Case: c, matter: make(map[statement.ID]*Matter)}
	for i := range items {
		c.Entries = append(c.Entries, Entry{Item: items[i]})
	}
	for i := range c.Entries {
		e := &c.Entries[i]
		if i == 0 {
			c.ID, c.Channel, c.Plane, c.Opener, c.Opened = e.ID, e.Channel, e.Plane, e.Issuer.Party, e.At
		}
		f.take(e)
		if e.Why == "" && e.Values != nil {
			f.note(e)
		}
	}
	return c
}

type fold struct {
	*Case
	matter map[statement.ID]*Matter // of a statement that opened or moved one
}

// take lets an entry open or move a matter, or says why it does not.
func (f *fold) take(e *Entry) {
	machine, opens := f.table.Opens(e.Form)
	switch {
	case e.Void != "":
		e.Why = Void
		return
	case e.Cancelled && !opens:
		e.Why = Cancelled
		return
	case opens && f.Outcome != "":
		e.Why = Closed
		return
	case opens:
		f.open(e, machine)
		return
	}
	m, about := f.about(e)
	if m == nil {
		if f.table.moved[e.Form] && !about && e.Form != formCancellation {
			e.Why = NoMatter
		}
		return
	}
	e.Matter, e.From = m.ID, m.State
	row, why := f.permit(e, m)
	if row == nil {
		e.Why = why
		return
	}
	f.apply(e, m, row)
}

// open begins a matter.
func (f *fold) open(e *Entry, machine *Machine) {
	row := machine.Move("", e.Form, f.code(e), Asker)
	if row == nil {
		e.Why = NotHere // a code that only a later table knows
		return
	}
	m := &Matter{ID: e.ID, Machine: machine, Asker: e.Issuer.Party, Asked: partyOf(e.Audience), opening: &e.Item, windows: make(map[string][2]time.Time)}
	f.Matters = append(f.Matters, m)
	e.Matter = m.ID
	f.apply(e, m, row)
}

// partyOf is the party of an audience, empty for all members.
func partyOf(audience string) traffic.Party {
	a, err := traffic.ParseAddress(audience)
	if err != nil {
		return ""
	}
	return a.Party
}

// code is the code that decides what an entry does, empty where its form does one thing only.
func (f *fold) code(e *Entry) string { return e.Values.Text(f.table.codes[e.Form]) }

// about finds the matter that an entry is about: that of the first statement it refers to, else the last one of a kind that its form can move, one that is
// open before one that is not. known tells whether it refers to a statement of the case at all: what replies to a statement that opened no matter is
// none of the table's business.
func (f *fold) about(e *Entry) (m *Matter, known bool) {
	if !f.table.moved[e.Form] {
		return nil, false
	}
	for _, id := range e.Refs {
		if m := f.matter[id]; m != nil && m.knows(e.Form) {
			if (e.Form == formCancellation || e.Form == formAcknowledgement) && m.ID != id {
				return nil, true // of something else than what opened the matter: that is the dossier's, and moves nothing
			}
			return m, true
		}
	}
	if e.Form == formCancellation {
		return nil, true
	}
	if fm, _ := f.table.regime.Latest(e.Form); fm == nil || fm.Refs == form.RefsOne {
		return nil, true
	}
	for i := len(f.Matters) - 1; i >= 0; i-- {
		switch last := f.Matters[i]; {
		case !last.knows(e.Form):
		case last.Machine.Open(last.State):
			return last, true
		case m == nil:
			m = last
		}
	}
	return m, m != nil
}

// knows tells whether some row of the matter's machine is about the form.
func (m *Matter) knows(formID string) bool {
	return slices.ContainsFunc(m.Machine.Rows, func(r Row) bool { return r.Form == formID && len(r.From) > 0 })
}

// side tells on which side of the matter a party is, empty for neither.
func (m *Matter) side(p traffic.Party) Side {
	switch {
	case p == m.Asker:
		return Asker
	case m.Asked == "" || p == m.Asked:
		return Asked
	}
	return ""
}

// permit finds the row for an entry, or why there is none.
func (f *fold) permit(e *Entry, m *Matter) (*Row, string) {
	side, code := m.side(e.Issuer.Party), f.code(e)
	if side == "" {
		return nil, NotParty
	}
	row := m.Machine.Move(m.State, e.Form, code, side)
	switch {
	case f.Outcome != "" && (row == nil || !row.Late):
		return nil, Closed
	case row == nil:
		return nil, m.Machine.objection(e.Form, code, side)
	case row.Same != "" && !reflect.DeepEqual(e.Values[row.Same], m.opening.Values[row.Same]):
		return nil, Differs
	}
	return row, ""
}

// objection says why the machine has no row for a form and code by a side in its present state.
func (m *Machine) objection(formID, code string, side Side) string {
	here, mine := false, false
	for at := range m.moves {
		if at.form == formID && at.code == code && at.state != "" {
			here = true
			mine = mine || at.side == side
		}
	}
	switch {
	case !here:
		return NotHere
	case !mine:
		return WrongSide
	}
	return NotNow
}

// apply moves a matter along a row.
func (f *fold) apply(e *Entry, m *Matter, row *Row) {
	f.matter[e.ID] = m
	if row.To != "" {
		m.State, m.Since = row.To, e.At
	}
	e.To = m.State
	for _, name := range f.table.windows {
		if from, to := windowOf(e.Values, name); !to.IsZero() {
			m.windows[name] = [2]time.Time{from, to}
		}
	}
	m.stop(e, row.Stops)
	for _, other := range f.Matters {
		other.stop(e, row.Settles)
	}
	for _, id := range row.Starts {
		f.start(e, m, id)
	}
	if row.Moves != nil {
		m.shift(row.Moves.Deadline, e.Values.Time(row.Moves.Field))
	}
	if outcome := m.Machine.Closes[m.State]; outcome != "" && f.Outcome == "" {
		f.Outcome, f.ClosedAt, f.ClosedBy = outcome, e.At, e.ID
		for _, other := range f.Matters {
			other.end()
		}
	}
}

// note keeps what an entry says beside moving a matter.
func (f *fold) note(e *Entry) {
	f.number(e)
	f.assess(e)
	f.remark(e)
	switch e.Form {
	case formDissemination:
		f.Passings = append(f.Passings, Passing{
			By: e.Issuer.Party, Statement: e.ID, Of: e.Refs, To: codes(e.Values, "passed_to"), Confirmed: codes(e.Values, "confirmed_by"), At: timeOr(e.Values.Time("at"), e.At),
		})
	case formMatch:
		if id, ok := idOf(e.Values, "notice"); ok {
			f.Links = append(f.Links, Link{e.Issuer.Party, e.ID, id, e.Values.Text("conclusion"), codes(e.Values, "criteria")})
		}
	case formReply:
		if id, ok := idOf(e.Values, "notice"); ok {
			f.Links = append(f.Links, Link{By: e.Issuer.Party, Statement: e.ID, Notice: id, Conclusion: "declared"})
		}
	case formClosure, formClosureAnswer:
		if review, _ := e.Values["review"].(bool); review {
			f.Review = true
		}
	}
}

// number gives the case its number: the first in the canonical order.
func (f *fold) number(e *Entry) {
	s := e.Values.Text("case")
	if s == "" {
		return
	}
	n, err := ParseNumber(s)
	switch {
	case err != nil:
		e.Remarks = append(e.Remarks, NoNumber)
	case f.Number == (Number{}):
		f.Number = n
	case f.Number != n:
		e.Remarks = append(e.Remarks, OtherCase)
	}
}

// assess keeps the last assessment of each side.
func (f *fold) assess(e *Entry) {
	v := e.Values
	if v.Text("severity") == "" && v.Text("severity_own") == "" {
		return
	}
	a := Assessment{e.Issuer.Party, e.ID, v.Text("severity"), v.Text("severity_own"), v.Text("confidence"), v.Text("limits")}
	if i := slices.IndexFunc(f.Severity, func(o Assessment) bool { return o.By == a.By }); i >= 0 {
		f.Severity[i] = a
		return
	}
	f.Severity = append(f.Severity, a)
}

// remark says what an officer should notice in an entry that counts.
func (f *fold) remark(e *Entry) {
	if e.Form == formActivity {
		if from, _ := windowOf(e.Values, "window"); from.Sub(e.At) < f.table.regime.Limit("notice", e.Precedence) {
			if e.Values.Text("short_notice") == "" {
				e.Remarks = append(e.Remarks, NoReason)
			} else {
				e.Remarks = append(e.Remarks, ShortNotice)
			}
		}
	}
	if _, unread := ObservationOf(e.Values); unread > 0 {
		e.Remarks = append(e.Remarks, Unread)
	}
}

func timeOr(t, other time.Time) time.Time {
	if t.IsZero() {
		return other
	}
	return t
}

// codes gives the codes of a field.
func codes(v form.Values, name string) []string {
	list, _ := v[name].([]any)
	var out []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func idOf(v form.Values, name string) (id statement.ID, ok bool) {
	b := v.Bytes(name)
	if len(b) != len(id) {
		return id, false
	}
	return statement.ID(b), true
}

// windowOf gives the edges of a window, zero where there is none.
func windowOf(v form.Values, name string) (from, to time.Time) {
	w, _ := v[name].([]any)
	if len(w) != 2 {
		return from, to
	}
	a, _ := w[0].(int64)
	b, _ := w[1].(int64)
	return time.Unix(a, 0).UTC(), time.Unix(b, 0).UTC()
}
