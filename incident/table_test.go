package incident_test

import (
	"slices"
	"testing"
	"time"

	"detente/form"
	"detente/incident"
	"detente/statement"
	"detente/traffic"
)

// step is one statement on the way to a state.
type step struct {
	form, code string
	side       incident.Side
}

// paths finds, for each state that words lead to, a shortest way there.
func paths(r *form.Regime, table *incident.Table, m *incident.Machine) map[string][]step {
	ways := map[string][]step{}
	queue := []string{""}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, s := range everyStep(r, table, m) {
			if row := m.Move(at, s.form, s.code, s.side); row != nil && row.To != "" && ways[row.To] == nil && row.Same == "" {
				ways[row.To] = append(slices.Clone(ways[at]), s)
				queue = append(queue, row.To)
			}
		}
	}
	return ways
}

// everyStep lists every form, code and side that could move a matter of the machine, if its state permits.
func everyStep(r *form.Regime, table *incident.Table, m *incident.Machine) (steps []step) {
	seen := map[string]bool{}
	for _, row := range m.Rows {
		if row.Form == "" || seen[row.Form] {
			continue
		}
		seen[row.Form] = true
		codes := []string{""}
		if name := table.Decides(row.Form); name != "" {
			f, _ := r.Latest(row.Form)
			field, _ := f.Field(name)
			codes = field.Codes
		}
		for _, code := range codes {
			for _, side := range []incident.Side{incident.Asker, incident.Asked} {
				steps = append(steps, step{row.Form, code, side})
			}
		}
	}
	return steps
}

// walk states a way: xn asks, xs is asked. It gives the statement that opened the matter.
func (d *dossier) walk(way []step) (opening statement.ID) {
	d.t.Helper()
	for i, s := range way {
		if i == 0 {
			opening = d.says("xn", s.form, s.code, nil)
			continue
		}
		d.take(opening, s)
	}
	return opening
}

func (d *dossier) take(opening statement.ID, s step) statement.ID {
	d.t.Helper()
	from := "xn"
	if s.side == incident.Asked {
		from = "xs"
	}
	return d.says(from, s.form, s.code, nil, opening)
}

// Every transition of the table, and everything that is none, from every state, by each side: the matter goes where the table says, and what does not fit
// is shown and changes nothing.
func TestEveryTransition(t *testing.T) {
	r, table := table(t)
	moved, refused := 0, 0
	for _, m := range table.Machines {
		ways := paths(r, table, m)
		for _, state := range m.All() {
			way := ways[state]
			if way == nil {
				continue // only silence leads there
			}
			for _, s := range everyStep(r, table, m) {
				if s.form == m.Opens {
					continue
				}
				d := newDossier(t, r, table)
				opening := d.walk(way)
				before := d.fold()
				if got := before.Matters[0].State; got != state {
					t.Fatalf("%s: the way to %s ends in %s", m.ID, state, got)
				}
				id := d.take(opening, s)
				after := d.fold()
				e, matter := after.Entries[len(after.Entries)-1], after.Matters[0]
				if len(after.Entries) != len(way)+1 || e.ID != id {
					t.Fatal("a statement was dropped")
				}
				row := m.Move(state, s.form, s.code, s.side)
				switch {
				case row == nil || before.Outcome != "" && !row.Late:
					refused++
					if e.Why == "" || e.From != state || e.To != "" || matter.State != state || len(matter.Dues) != len(before.Matters[0].Dues) {
						t.Errorf("%s, %s: %v has no row, and led to %s (%q)", m.ID, state, s, matter.State, e.Why)
					}
				default:
					moved++
					want := row.To
					if want == "" {
						want = state
					}
					if e.Why != "" || matter.State != want || e.From != state || e.To != want {
						t.Errorf("%s, %s: %v leads to %s, not %s (%q)", m.ID, state, s, matter.State, want, e.Why)
					}
					if want, outcome := m.Closes[want], after.Outcome; want != outcome {
						t.Errorf("%s, %s: %v closes the case with %q, not %q", m.ID, state, s, outcome, want)
					}
					checkDues(t, r, table, row, &e, before.Matters[0], matter)
				}
			}
		}
	}
	t.Logf("%d transitions, %d that are none", moved, refused)
	if moved < 300 || refused < 300 {
		t.Errorf("%d transitions and %d that are none: the table has shrunk", moved, refused)
	}
}

// checkDues holds that a row stops and starts what it says, to the second.
func checkDues(t *testing.T, r *form.Regime, table *incident.Table, row *incident.Row, e *incident.Entry, before, after *incident.Matter) {
	t.Helper()
	for i, was := range before.Dues {
		is := after.Dues[i]
		stops := was.Running() && (slices.Contains(row.Stops, "*") || slices.Contains(slices.Concat(row.Stops, row.Settles), was.ID))
		closed := was.Running() && after.Machine.Closes[after.State] != "" && !was.Soft
		if was.Running() && is.Running() == (stops || closed) {
			t.Errorf("%s by %s: deadline %s runs: %v", after.Machine.ID, e.Form, was.ID, is.Running())
		}
		if met := is.Met == e.ID; met && (is.Owner != e.Issuer.Party || !is.MetAt.Equal(e.At)) || stops && !met && is.Owner == e.Issuer.Party && e.Form != "cancellation" {
			t.Errorf("%s by %s: deadline %s of %s met by %s", after.Machine.ID, e.Form, was.ID, is.Owner, e.Issuer.Party)
		}
	}
	started := after.Dues[len(before.Dues):]
	if len(started) != len(row.Starts) {
		t.Errorf("%s by %s: %d deadlines started, not %v", after.Machine.ID, e.Form, len(started), row.Starts)
		return
	}
	for i, d := range started {
		kind, _ := table.Deadline(row.Starts[i])
		want := e.At
		if opening, _ := r.Latest(after.Machine.Opens); kind.Field != "" && requires(opening, kind.Field) {
			want = day0.Add(100 * time.Hour)
			if kind.Edge == "to" {
				want = day0.Add(200 * time.Hour)
			}
		}
		if kind.Limit != "" {
			want = want.Add(r.Limit(kind.Limit, e.Precedence))
		}
		owner := map[incident.Side]traffic.Party{incident.Asker: "xn", incident.Asked: "xs"}[kind.By]
		if d.ID != kind.ID || !d.At.Equal(want) || d.Owner != owner || d.Statement != e.ID {
			t.Errorf("%s by %s: deadline %s of %s until %s, should be %s of %s until %s", after.Machine.ID, e.Form, d.ID, d.Owner, d.At, kind.ID, owner, want)
		}
	}
}

// requires tells whether the opening form always has the window; otherwise the limit runs from the statement.
func requires(f *form.Form, name string) bool {
	field, ok := f.Field(name)
	return ok && field.Required
}

// Every opening, at every precedence: which state it leads to, and by when everything is due.
func TestEveryOpeningAtEveryPrecedence(t *testing.T) {
	r, table := table(t)
	for _, m := range table.Machines {
		f, _ := r.Latest(m.Opens)
		for _, s := range everyStep(r, table, m) {
			if s.form != m.Opens || s.side != incident.Asker {
				continue
			}
			for _, p := range traffic.Precedences() {
				if p.Rank() > f.Ceiling.Rank() {
					continue
				}
				d := newDossier(t, r, table)
				d.says("xn", s.form, s.code, nil)
				d.items[0].Precedence = p
				c := d.fold()
				row := m.Move("", s.form, s.code, incident.Asker)
				if got := c.Matters[0]; got.State != row.To || got.Asker != "xn" || got.Asked != "xs" {
					t.Errorf("%s: %+v", m.ID, got)
				}
				checkDues(t, r, table, row, &c.Entries[0], &incident.Matter{Machine: m}, c.Matters[0])
			}
		}
	}
}

// Every row about silence: nothing until the deadline, the state after it, and the next word takes the silence back.
func TestEverySilence(t *testing.T) {
	r, table := table(t)
	rows := 0
	for _, m := range table.Machines {
		ways := paths(r, table, m)
		for _, row := range m.Rows {
			if row.After == "" {
				continue
			}
			rows++
			for _, state := range row.From {
				if ways[state] == nil {
					continue // silence after silence: below
				}
				d := newDossier(t, r, table)
				d.walk(ways[state])
				c := d.fold()
				var at time.Time
				for _, due := range c.Matters[0].Dues {
					if due.ID == row.After && due.Running() {
						at = due.At
					}
				}
				if at.IsZero() {
					continue // from this state the way starts no such deadline
				}
				if s := c.At(at).Matters[0]; s.State != row.To || !s.Since.Equal(at) {
					t.Errorf("%s: %s after %s is %s, not %s", m.ID, state, row.After, s.State, row.To)
				}
				if c.Matters[0].State != state {
					t.Errorf("%s: silence has changed the fold itself", m.ID)
				}
			}
		}
	}
	if rows < 8 {
		t.Errorf("%d rows about silence", rows)
	}
}

func TestEveryFindingHasItsOwnPlace(t *testing.T) {
	r, table := table(t)
	f, _ := r.Latest("reply")
	finding, _ := f.Field("finding")
	for _, m := range []string{"clarification", "cease"} {
		machine := table.Machine(m)
		for _, code := range finding.Codes {
			for _, state := range machine.States {
				row := machine.Move(state, "reply", code, incident.Asked)
				if needless := code == "need-data" && (state == "awaiting-data" || state == "under-way"); (row == nil) != needless {
					t.Errorf("%s, %s: the finding %s leads to %v", m, state, code, row)
				}
				if machine.Move(state, "reply", code, incident.Asker) != nil {
					t.Errorf("%s: whoever asks could answer", m)
				}
			}
		}
	}
}
