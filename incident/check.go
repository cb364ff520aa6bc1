package incident

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"detente/form"
	"detente/traffic"
)

var idPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// check holds the rules of a table and fills what the fold looks up.
func (t *Table) check() error {
	switch {
	case len(t.Machines) == 0 || len(t.Machines) > maxMachines:
		return fmt.Errorf("%d machines", len(t.Machines))
	case len(t.Deadlines) > maxDeadlines:
		return fmt.Errorf("%d deadlines", len(t.Deadlines))
	}
	for id, name := range t.codes {
		f, ok := t.regime.Latest(id)
		if !ok {
			return fmt.Errorf("codes: no form %q", id)
		}
		if field, ok := f.Field(name); !ok || field.Kind != form.KindCode || !field.Always {
			return fmt.Errorf("codes: %s has no code %q that is always there", id, name)
		}
	}
	for i, d := range t.Deadlines {
		if err := t.checkDeadline(d); err != nil {
			return fmt.Errorf("deadline %q: %w", d.ID, err)
		}
		if slices.ContainsFunc(t.Deadlines[:i], func(o Deadline) bool { return o.ID == d.ID }) {
			return fmt.Errorf("deadline %q stands twice", d.ID)
		}
		if d.Field != "" && !slices.Contains(t.windows, d.Field) {
			t.windows = append(t.windows, d.Field)
		}
	}
	ids := map[string]bool{}
	for _, m := range t.Machines {
		if m == nil || !idPattern.MatchString(m.ID) || ids[m.ID] {
			return errors.New("a machine without an id of its own")
		}
		ids[m.ID] = true
		if t.opens[m.Opens] != nil {
			return fmt.Errorf("machine %s: %s opens another machine too", m.ID, m.Opens)
		}
		if err := m.check(t); err != nil {
			return fmt.Errorf("machine %s: %w", m.ID, err)
		}
		t.opens[m.Opens] = m
	}
	if err := t.checkWords(); err != nil {
		return err
	}
	for _, m := range t.Machines {
		for i := range m.Rows {
			if f := m.Rows[i].Form; f != "" && f != m.Opens {
				if t.opens[f] != nil {
					return fmt.Errorf("machine %s: %s opens a matter of its own", m.ID, f)
				}
				t.moved[f] = true
			}
		}
	}
	return nil
}

// checkWords holds that each machine, state and deadline has its word, which then stands in every language.
func (t *Table) checkWords() error {
	var lack []string
	need := func(key string) {
		if !t.regime.Phrases.Has(key) {
			lack = append(lack, key)
		}
	}
	for _, d := range t.Deadlines {
		need(WordDeadline + d.ID)
	}
	for _, m := range t.Machines {
		need(WordMachine + m.ID)
		for _, s := range m.All() {
			need(WordState + s)
		}
	}
	if len(lack) > 0 {
		return fmt.Errorf("the regime has no phrase %v", lack[:min(len(lack), 8)])
	}
	return nil
}

func (t *Table) checkDeadline(d Deadline) error {
	switch {
	case !idPattern.MatchString(d.ID):
		return errors.New("not an id")
	case d.By != Asker && d.By != Asked && d.By != Nobody:
		return fmt.Errorf("by %q", d.By)
	case (d.Field == "") != (d.Edge == "") || d.Edge != "" && d.Edge != "from" && d.Edge != "to":
		return errors.New("field and edge, from or to, go together")
	case d.Field == "" && d.Limit == "":
		return errors.New("it has no time")
	case d.Limit == "":
		return nil
	}
	for _, p := range traffic.Precedences() {
		if t.regime.Limit(d.Limit, p) <= 0 {
			return fmt.Errorf("the regime has no time limit %q at %s", d.Limit, p)
		}
	}
	return nil
}

// check holds the rules of one machine.
func (m *Machine) check(t *Table) error {
	all := m.All()
	if len(all) > maxStates || len(m.Rows) > maxRows {
		return fmt.Errorf("%d states, %d transitions", len(all), len(m.Rows))
	}
	for i, s := range all {
		if !idPattern.MatchString(s) || slices.Contains(all[:i], s) {
			return fmt.Errorf("state %q is no id, or stands twice", s)
		}
	}
	for s := range m.Closes {
		if !slices.Contains(m.Ended, s) {
			return fmt.Errorf("it closes the case in %q, which is not ended", s)
		}
	}
	m.moves, m.after = map[move]*Row{}, map[timeout]*Row{}
	for i := range m.Rows {
		if err := m.checkRow(t, &m.Rows[i]); err != nil {
			return fmt.Errorf("transition %d: %w", i+1, err)
		}
	}
	for _, star := range []bool{false, true} { // a row that names its states goes before one that does not
		for i := range m.Rows {
			row := &m.Rows[i]
			if row.After == "" && len(row.From) > 0 && (row.From[0] == "*") == star {
				if err := m.spread(t, row, star); err != nil {
					return fmt.Errorf("transition %d: %w", i+1, err)
				}
			}
		}
	}
	return errors.Join(m.checkCodes(t), m.checkReach(), m.checkDeadlines(t))
}

// checkRow holds what can be said of one row alone, and puts in its place one that opens or times out.
func (m *Machine) checkRow(t *Table, row *Row) error {
	for _, s := range row.From {
		if !slices.Contains(m.All(), s) && (s != "*" || len(row.From) > 1 || row.After != "") {
			return fmt.Errorf("from %q, which is no state", s)
		}
	}
	if row.To != "" && !slices.Contains(m.All(), row.To) {
		return fmt.Errorf("to %q, which is no state", row.To)
	}
	for _, id := range slices.Concat(row.Starts, row.Settles, row.Stops) {
		if _, ok := t.Deadline(id); !ok && id != "*" {
			return fmt.Errorf("no deadline %q", id)
		}
	}
	if slices.Contains(row.Starts, "*") || slices.Contains(row.Settles, "*") {
		return errors.New("only stops may say *")
	}
	if row.After != "" {
		if _, ok := t.Deadline(row.After); !ok || row.To == "" || len(row.From) == 0 ||
			row.Form != "" || row.By != "" || len(row.Starts)+len(row.Stops)+len(row.Settles) > 0 || row.Moves != nil || row.Late || row.Same != "" {
			return errors.New("silence after a deadline leads from states to a state, and does nothing else")
		}
		for _, s := range row.From {
			if m.after[timeout{s, row.After}] != nil {
				return fmt.Errorf("a second row for %s after %s", s, row.After)
			}
			m.after[timeout{s, row.After}] = row
		}
		return nil
	}
	f, ok := t.regime.Latest(row.Form)
	if !ok {
		return fmt.Errorf("no form %q", row.Form)
	}
	codes, err := t.codesOf(f, row.Codes)
	if err != nil {
		return err
	}
	if row.Moves != nil {
		if field, ok := f.Field(row.Moves.Field); !ok || field.Kind != form.KindTime {
			return fmt.Errorf("%s has no time %q", f.ID, row.Moves.Field)
		}
		if _, ok := t.Deadline(row.Moves.Deadline); !ok {
			return fmt.Errorf("no deadline %q", row.Moves.Deadline)
		}
	}
	if len(row.From) > 0 {
		if row.Form == m.Opens || row.By != Asker && row.By != Asked && row.By != Either {
			return fmt.Errorf("%s by %q", row.Form, row.By)
		}
		if row.Same != "" {
			opening, _ := t.regime.Latest(m.Opens)
			if opening == nil {
				return fmt.Errorf("no form %q", m.Opens)
			}
			a, _ := f.Field(row.Same)
			b, _ := opening.Field(row.Same)
			if a == nil || b == nil || a.Kind != b.Kind {
				return fmt.Errorf("%s and %s have no field %q in common", f.ID, m.Opens, row.Same)
			}
		}
		return nil
	}
	if row.Form != m.Opens || row.To == "" || row.By != "" || len(row.Stops) > 0 || row.Moves != nil || row.Late || row.Same != "" {
		return errors.New("what opens is the machine's own form, leads to a state, and may start and settle deadlines")
	}
	for _, code := range codes {
		at := move{"", row.Form, code, Asker}
		if m.moves[at] != nil {
			return fmt.Errorf("a second row for %s %s", row.Form, code)
		}
		m.moves[at] = row
	}
	return nil
}

// codesOf lists the codes of a form's deciding field that a row names, all of them if it names none; one empty code where nothing decides.
func (t *Table) codesOf(f *form.Form, named []string) ([]string, error) {
	name := t.codes[f.ID]
	if name == "" {
		if len(named) > 0 {
			return nil, fmt.Errorf("no code decides for %s", f.ID)
		}
		return []string{""}, nil
	}
	field, _ := f.Field(name)
	for i, code := range named {
		if !slices.Contains(field.Codes, code) || slices.Contains(named[:i], code) {
			return nil, fmt.Errorf("%s has no code %q, or the row has it twice", f.ID, code)
		}
	}
	if len(named) == 0 {
		return field.Codes, nil
	}
	return named, nil
}

// spread writes a row into every place that it covers.
func (m *Machine) spread(t *Table, row *Row, star bool) error {
	f, _ := t.regime.Latest(row.Form)
	codes, err := t.codesOf(f, row.Codes)
	if err != nil {
		return err
	}
	from := row.From
	if star {
		from = slices.Concat(m.States, m.Settled)
		if row.To == "" { // what changes nothing fits where nothing changes
			from = m.All()
		}
	}
	sides := []Side{row.By}
	if row.By == Either {
		sides = []Side{Asker, Asked}
	}
	for _, s := range from {
		for _, code := range codes {
			for _, side := range sides {
				at := move{s, row.Form, code, side}
				old := m.moves[at]
				if old != nil && star && old.From[0] != "*" {
					continue
				}
				if old != nil {
					return fmt.Errorf("a second row for %s %s by the %s in %s", row.Form, code, side, s)
				}
				m.moves[at] = row
			}
		}
	}
	return nil
}

// checkCodes holds that each code of each form that the machine knows leads somewhere, or is named as unused.
func (m *Machine) checkCodes(t *Table) error {
	if f, ok := t.regime.Latest(m.Opens); !ok || len(f.Fields) == 0 {
		return fmt.Errorf("no form %q", m.Opens)
	}
	used := map[string]map[string]bool{}
	for at := range m.moves {
		if used[at.form] == nil {
			used[at.form] = map[string]bool{}
		}
		used[at.form][at.code] = true
	}
	if used[m.Opens] == nil {
		return errors.New("nothing opens it")
	}
	for id := range m.Unused {
		if used[id] == nil {
			return fmt.Errorf("unused: %s moves nothing here", id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(used)) {
		f, _ := t.regime.Latest(id)
		codes, err := t.codesOf(f, nil)
		if err != nil {
			return err
		}
		for _, code := range codes {
			if used[id][code] == slices.Contains(m.Unused[id], code) {
				return fmt.Errorf("the code %q of %s leads nowhere and is not named as unused, or both", code, id)
			}
		}
	}
	return nil
}

// checkReach holds that every state is reached, and that none is a trap: words or silence lead from each open state to one that is not.
func (m *Machine) checkReach() error {
	next := map[string][]string{}
	words := map[string][]string{}
	for at, row := range m.moves {
		if row.To != "" {
			next[at.state] = append(next[at.state], row.To)
			words[at.state] = append(words[at.state], row.To)
		}
	}
	silent := map[string]bool{} // states that only silence leads to: the next word is judged from the state before
	for at, row := range m.after {
		next[at.state] = append(next[at.state], row.To)
		silent[row.To] = true
	}
	reached := spreadFrom(next, "")
	spoken := spreadFrom(words, "")
	for _, s := range m.All() {
		if !reached[s] {
			return fmt.Errorf("nothing leads to the state %q", s)
		}
		if spoken[s] && m.Open(s) && !slices.ContainsFunc(m.All(), func(to string) bool { return !m.Open(to) && spreadFrom(next, s)[to] }) {
			return fmt.Errorf("nothing leads out of the state %q", s)
		}
		if !spoken[s] && !silent[s] {
			return fmt.Errorf("neither words nor silence lead to %q", s)
		}
	}
	return nil
}

func spreadFrom(next map[string][]string, from string) map[string]bool {
	seen, queue := map[string]bool{}, []string{from}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for _, to := range next[s] {
			if !seen[to] {
				seen[to] = true
				queue = append(queue, to)
			}
		}
	}
	return seen
}

// checkDeadlines holds that what is started here can end here: by a word, by silence, or by the time that it names.
func (m *Machine) checkDeadlines(t *Table) error {
	ends, started := map[string]bool{}, map[string]bool{}
	for i := range m.Rows {
		row := &m.Rows[i]
		for _, id := range row.Starts {
			started[id] = true
		}
		for _, id := range row.Stops {
			ends[id] = id != "*" || ends[id]
		}
		if row.After != "" {
			ends[row.After] = true
		}
	}
	for _, other := range t.Machines {
		if other == nil {
			continue
		}
		for i := range other.Rows {
			for _, id := range other.Rows[i].Settles {
				ends[id] = true
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(started)) {
		if !ends[id] {
			return fmt.Errorf("nothing ends the deadline %q", id)
		}
	}
	for i := range m.Rows {
		for _, id := range m.Rows[i].Stops {
			if id != "*" && !started[id] {
				return fmt.Errorf("nothing here starts the deadline %q", id)
			}
		}
		if id := m.Rows[i].After; id != "" && !started[id] {
			return fmt.Errorf("nothing here starts the deadline %q", id)
		}
		if s := m.Rows[i].Moves; s != nil && !started[s.Deadline] {
			return fmt.Errorf("nothing here starts the deadline %q", s.Deadline)
		}
	}
	return nil
}
