// Package incident folds the statements of a dossier into a case: how each matter in it stands, who owes what by when, what was declared beforehand.
// It must never look at a clock, a database or anything that only one side knows: both sides compute the same from the same statements.
package incident

import (
	"errors"
	"fmt"
	"slices"

	"detente/form"
)

// What loading refuses.
var (
	ErrNone  = errors.New("incident: the regime has no table of cases")
	ErrTable = errors.New("incident: not a valid table of cases")
)

// Limits of a table, which comes with a regime that strangers may have written.
const (
	maxMachines  = 32
	maxStates    = 32
	maxRows      = 128
	maxDeadlines = 64
)

// Table is what a regime says about cases, in its table "cases", protocol.md#incidents. It is not changed after loading.
type Table struct {
	// Machines in their order of urgency: of two matters that stand open the one of the earlier machine leads the case.
	Machines  []*Machine
	Deadlines []Deadline

	codes map[string]string   // the field whose code decides, by form
	opens map[string]*Machine // by the form that opens a matter
	moved map[string]bool     // forms that move some machine
	// windows are the fields from which deadlines run.
	windows []string
	regime  *form.Regime
}

// Machine is the state machine of one kind of matter.
type Machine struct {
	ID    string `json:"id"`
	Opens string `json:"opens"` // the form that opens a matter of this kind; its author is the asker
	// States in which something is still expected; those in which the matter has its answer, and may yet have another; those that nothing leaves.
	States  []string `json:"states"`
	Settled []string `json:"settled,omitempty"`
	Ended   []string `json:"ended,omitempty"`
	// Closes gives the outcome with which a state closes the whole case.
	Closes map[string]string `json:"closes,omitempty"`
	// Unused are codes of a form that mean nothing to this machine, so that none is forgotten by accident.
	Unused map[string][]string `json:"unused,omitempty"`
	Rows   []Row               `json:"transitions"`

	moves map[move]*Row
	after map[timeout]*Row
}

// Row is one line of the table. A row without From opens; one with After is what silence does.
type Row struct {
	// From are states; "*" is every state for which no row of the same form, code and side names its state, and that is not ended.
	From  []string `json:"from,omitempty"`
	Form  string   `json:"form,omitempty"`
	Codes []string `json:"codes,omitempty"` // of the form's deciding field; none is any
	By    Side     `json:"by,omitempty"`
	After string   `json:"after,omitempty"` // the deadline that has passed
	To    string   `json:"to,omitempty"`    // none leaves the matter where it stands

	Stops   []string `json:"stops,omitempty"`   // deadlines of the matter; "*" is all of them
	Starts  []string `json:"starts,omitempty"`  // deadlines, from this statement on
	Settles []string `json:"settles,omitempty"` // deadlines of every matter of the case
	Moves   *Shift   `json:"moves,omitempty"`
	Same    string   `json:"same,omitempty"` // a field that must be what it is in the opening statement
	Late    bool     `json:"late,omitempty"` // fits after the case is closed too
}

// Shift puts off a deadline to the time in a field, where that is later.
type Shift struct {
	Deadline string `json:"deadline"`
	Field    string `json:"field"`
}

// Keys of the regime's phrases for what the table names, each with an id behind it: Regime().Phrases.Phrase(lang, WordState+view.State).
const (
	WordMachine  = "cases.machine."
	WordState    = "cases.state."
	WordDeadline = "cases.deadline."
)

// Side is who says or owes something in a matter.
type Side string

// The sides of a matter.
const (
	Asker  Side = "asker" // whose statement opened it
	Asked  Side = "asked" // to whom that was addressed
	Either Side = "either"
	Nobody Side = "nobody" // of a deadline that only time meets
)

// Deadline is a kind of deadline. It runs from the statement that starts it, or from an edge of a window that it names, for the regime's
// time limit at the precedence of that statement.
type Deadline struct {
	ID    string `json:"id"`
	By    Side   `json:"by"`
	Limit string `json:"limit,omitempty"`
	Field string `json:"field,omitempty"`
	Edge  string `json:"edge,omitempty"` // from or to
	// Soft is proposed and not owed: nobody is called for it, and it outlives the closing of the case.
	Soft bool `json:"soft,omitempty"`
}

type move struct {
	state, form, code string
	side              Side
}

type timeout struct{ state, deadline string }

// tableFile is the shape of cases.json.
type tableFile struct {
	Codes     map[string]string `json:"codes"`
	Deadlines []Deadline        `json:"deadlines"`
	Machines  []*Machine        `json:"machines"`
}

// Load reads the table of a regime. It returns ErrNone where there is none, and ErrTable, wrapped, for one that has a hole: a state that nothing
// reaches, a finding that leads nowhere, a deadline that nothing stops, two rows for one thing.
func Load(r *form.Regime) (*Table, error) {
	b, ok := r.Table("cases")
	if !ok {
		return nil, ErrNone
	}
	return parse(b, r)
}

// parse reads a table against the forms and limits of a regime. It refuses with ErrTable, wrapped.
func parse(b []byte, r *form.Regime) (*Table, error) {
	var file tableFile
	if err := form.DecodeStrict(b, &file); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTable, err)
	}
	t := &Table{Machines: file.Machines, Deadlines: file.Deadlines, codes: file.Codes, regime: r, opens: map[string]*Machine{}, moved: map[string]bool{}}
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTable, err)
	}
	return t, nil
}

// Regime is the regime that the table belongs to.
func (t *Table) Regime() *form.Regime { return t.regime }

// All lists the states of a machine.
func (m *Machine) All() []string { return slices.Concat(m.States, m.Settled, m.Ended) }

// Open tells whether something is still expected in a state.
func (m *Machine) Open(state string) bool { return slices.Contains(m.States, state) }

// Machine gives a machine by its id, nil if there is none.
func (t *Table) Machine(id string) *Machine {
	if i := slices.IndexFunc(t.Machines, func(m *Machine) bool { return m.ID == id }); i >= 0 {
		return t.Machines[i]
	}
	return nil
}

// Deadline gives a kind of deadline by its id.
func (t *Table) Deadline(id string) (Deadline, bool) {
	if i := slices.IndexFunc(t.Deadlines, func(d Deadline) bool { return d.ID == id }); i >= 0 {
		return t.Deadlines[i], true
	}
	return Deadline{}, false
}

// Opens tells whether a form opens a matter, and of which machine.
func (t *Table) Opens(formID string) (*Machine, bool) {
	m, ok := t.opens[formID]
	return m, ok
}

// Decides gives the field of a form whose code decides what it does, "" for a form that does one thing only.
func (t *Table) Decides(formID string) string { return t.codes[formID] }

// Moves tells whether a form moves a matter of some kind, once that is open.
func (t *Table) Moves(formID string) bool { return t.moved[formID] }

// Move gives the row for a statement of a form and code by a side in a state, nil where the table has none.
func (m *Machine) Move(state, formID, code string, by Side) *Row {
	return m.moves[move{state, formID, code, by}]
}

// Fits lists the forms, with their codes, that a side may state in a state, as the table has them in its order. What only asks for data or adds to
// it is among them.
func (m *Machine) Fits(state string, by Side) (fits []Row) {
	for i := range m.Rows {
		row := &m.Rows[i]
		if row.Form == "" || len(row.From) == 0 || row.Form == formCancellation {
			continue
		}
		var codes []string
		some := false
		for at, r := range m.moves {
			if r == row && at.state == state && at.side == by {
				some = true
				if at.code != "" {
					codes = append(codes, at.code)
				}
			}
		}
		if some {
			slices.Sort(codes)
			fits = append(fits, Row{From: []string{state}, Form: row.Form, Codes: codes, By: by, To: row.To})
		}
	}
	return fits
}
