package guarantee

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"detente/form"
	"detente/party"
	"detente/sealing"
	"detente/statement"
	"detente/traffic"
	"detente/wording"
)

// Forms that are folded here, protocol.md#guarantees.
const (
	FormProcess      = "protected-process"
	FormCancellation = "process-cancellation"
	FormComplaint    = "complaint"

	formCancel      = "cancellation" // of any statement, by its author
	formNegotiation = "negotiation"
	formManifest    = "manifest"
	formNote        = "note"
	formOpening     = "instrument-opening"
	formQuestion    = "clarification"
)

// The states of a process at a time.
const (
	Upcoming  = "upcoming"
	Open      = "open"
	Past      = "past"
	Cancelled = "cancelled"
)

// usualRhythm is between two checks during a window that names no rhythm; longest is for how long a window raises it: a year is no special time.
const (
	usualRhythm = time.Hour
	longest     = 100 * 24 * time.Hour
)

// Instrument is one that processes and complaints may rely on: a manifest, an exchange of notes, or an opening to all.
type Instrument struct {
	ID      [32]byte // hash of the manifest; else the statement that opened the negotiation, or the instrument
	Title   wording.Texts
	Kind    string
	Channel [32]byte
	Plane   traffic.Plane
	Dossier statement.ID // of its negotiation; zero for one that is open to all
}

// Process is a protected process, as its party notified it.
type Process struct {
	ID                statement.ID
	Number            string
	By                traffic.Address
	Audience          string
	At                time.Time
	Channel           [32]byte
	Plane             traffic.Plane
	Basis             [32]byte // zero where it names none
	Name              wording.Texts
	Kind              string
	From, To          time.Time
	Scope, Restraints string
	Duty              []traffic.Address
	Every             time.Duration // between two checks of the line while it is open
	CancelledAt       time.Time     // zero while it is not
}

// State is how it stands at a time.
func (p *Process) State(now time.Time) string {
	switch {
	case !p.CancelledAt.IsZero() && !now.Before(p.CancelledAt):
		return Cancelled
	case now.Before(p.From):
		return Upcoming
	case now.Before(p.To):
		return Open
	}
	return Past
}

// next is when its state changes after a time; zero when no more.
func (p *Process) next(now time.Time) time.Time {
	for _, t := range []time.Time{p.From.Add(-Ahead), p.From, p.To} {
		if t.After(now) {
			return t
		}
	}
	return time.Time{}
}

// raises tells whether it raises the rhythm of checks at a time.
func (p *Process) raises(now time.Time) bool {
	return p.State(now) == Open && now.Sub(p.From) < longest
}

// Complaint is that a guarantee appears not to have been observed.
type Complaint struct {
	ID        statement.ID
	Number    string
	By        traffic.Address
	Audience  string
	At        time.Time
	Channel   [32]byte
	Plane     traffic.Plane
	Basis     [32]byte
	Provision string
	Case      string // number of the case that it opens
	From, To  time.Time
	Words     string
	Language  string
	Drafter   string       // duty role
	Opened    statement.ID // the question that opened the case; zero while none has, or none is known here
	Clock     int64        // which of two of one second was first
}

// Calendar folds what parties say of processes and guarantees. The order in which it is told does not matter.
type Calendar struct {
	processes  map[statement.ID]*Process
	cancelled  map[statement.ID]map[traffic.Party]time.Time // by whom, the first time
	complaints map[statement.ID]*Complaint
	questions  map[question]statement.ID
	opened     map[statement.ID]*Instrument // negotiations and openings, by the statement that opened them
	manifests  map[[32]byte]*Instrument
	noted      map[statement.ID]bool // negotiations in which notes were exchanged
}

// question is a case as a party has opened it.
type question struct {
	by     traffic.Party
	plane  traffic.Plane
	number string
}

// NewCalendar is an empty one.
func NewCalendar() *Calendar {
	return &Calendar{
		processes: make(map[statement.ID]*Process), cancelled: make(map[statement.ID]map[traffic.Party]time.Time), complaints: make(map[statement.ID]*Complaint),
		questions: make(map[question]statement.ID), opened: make(map[statement.ID]*Instrument), manifests: make(map[[32]byte]*Instrument), noted: make(map[statement.ID]bool),
	}
}

// Add takes in a statement that was judged valid, its values, the kind of its channel and its number.
func (c *Calendar) Add(st *statement.Statement, v form.Values, kind, number string) {
	id := st.ID()
	if kind == party.Public {
		if st.Form == formOpening {
			c.opened[id] = &Instrument{ID: id, Title: v.Texts("title"), Kind: v.Text("kind"), Channel: st.Channel, Plane: st.Plane}
		}
		return
	}
	if kind != party.Common {
		return
	}
	switch st.Form {
	case formNegotiation:
		c.opened[id] = &Instrument{ID: id, Title: v.Texts("title"), Kind: v.Text("kind"), Channel: st.Channel, Plane: st.Plane, Dossier: id}
	case formNote:
		c.noted[st.Case()] = true
	case formManifest:
		m, err := sealing.DecodeManifest(v.Bytes("manifest"))
		if err != nil {
			return
		}
		if hash, err := m.Hash(); err == nil && c.manifests[hash] == nil {
			c.manifests[hash] = &Instrument{ID: hash, Kind: m.Kind, Channel: st.Channel, Plane: st.Plane, Dossier: st.Case()}
		}
	case FormProcess:
		c.processes[id] = processOf(st, v, number)
	case FormCancellation, formCancel:
		for _, ref := range st.Refs {
			by := c.cancelled[ref]
			if by == nil {
				by = make(map[traffic.Party]time.Time)
				c.cancelled[ref] = by
			}
			if at, ok := by[st.Issuer.Party]; !ok || st.IssuedAt.Before(at) {
				by[st.Issuer.Party] = st.IssuedAt
			}
		}
	case FormComplaint:
		k := &Complaint{
			ID: id, Number: number, By: st.Issuer, Audience: st.Audience, At: st.IssuedAt, Channel: st.Channel, Plane: st.Plane, Provision: v.Text("provision"), Case: v.Text("case"),
			From: st.IssuedAt, To: st.IssuedAt, Words: v.Text("words"), Language: st.Language, Drafter: st.Drafter, Clock: st.Clock,
		}
		copy(k.Basis[:], v.Bytes("basis"))
		if from, to, ok := window(v["observed"]); ok {
			k.From, k.To = from, to
		}
		c.complaints[id] = k
	case formQuestion:
		q := question{st.Issuer.Party, st.Plane, v.Text("case")}
		if old, ok := c.questions[q]; !ok || bytes.Compare(id[:], old[:]) < 0 {
			c.questions[q] = id
		}
	}
}

func processOf(st *statement.Statement, v form.Values, number string) *Process {
	p := &Process{
		ID: st.ID(), Number: number, By: st.Issuer, Audience: st.Audience, At: st.IssuedAt, Channel: st.Channel, Plane: st.Plane, Name: v.Texts("name"), Kind: v.Text("process"),
		Scope: v.Text("scope"), Restraints: v.Text("restraints"), Every: usualRhythm,
	}
	copy(p.Basis[:], v.Bytes("basis"))
	p.From, p.To, _ = window(v["window"])
	if every := v.Int("rhythm"); every > 0 {
		p.Every = time.Duration(every) * time.Second
	}
	list, _ := v["duty"].([]any)
	for _, item := range list {
		s, _ := item.(string)
		if a, err := traffic.ParseAddress(s); err == nil {
			p.Duty = append(p.Duty, a)
		}
	}
	return p
}

// window reads a value of that kind.
func window(value any) (from, to time.Time, ok bool) {
	list, _ := value.([]any)
	if len(list) != 2 {
		return from, to, false
	}
	a, _ := list[0].(int64)
	b, _ := list[1].(int64)
	return time.Unix(a, 0).UTC(), time.Unix(b, 0).UTC(), true
}

// Processes lists those of a plane, by the beginning of their window; of every plane if it is empty.
func (c *Calendar) Processes(plane traffic.Plane) []Process {
	var out []Process
	for _, p := range c.processes {
		if plane == "" || p.Plane == plane {
			shown := *p
			shown.CancelledAt = c.cancelled[p.ID][p.By.Party] // another's word takes nothing back
			out = append(out, shown)
		}
	}
	slices.SortFunc(out, func(a, b Process) int { return cmp.Or(a.From.Compare(b.From), bytes.Compare(a.ID[:], b.ID[:])) })
	return out
}

// Complaints lists those of a plane, the newest first; of every plane if it is empty.
func (c *Calendar) Complaints(plane traffic.Plane) []Complaint {
	var out []Complaint
	for _, k := range c.complaints {
		if plane == "" || k.Plane == plane {
			shown := *k
			shown.Opened = c.questions[question{k.By.Party, k.Plane, k.Case}]
			out = append(out, shown)
		}
	}
	slices.SortFunc(out, func(a, b Complaint) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.Clock, a.Clock), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return out
}

// Instruments lists what can be relied on, on a plane or on every one, by their ids.
func (c *Calendar) Instruments(plane traffic.Plane) []Instrument {
	var out []Instrument
	for _, m := range c.manifests {
		shown := *m
		if o := c.opened[m.Dossier]; o != nil {
			shown.Title, shown.Kind = o.Title, o.Kind
		}
		out = append(out, shown)
	}
	for id, o := range c.opened {
		if o.Dossier == (statement.ID{}) || c.noted[id] {
			out = append(out, *o)
		}
	}
	out = slices.DeleteFunc(out, func(i Instrument) bool { return plane != "" && i.Plane != plane })
	slices.SortFunc(out, func(a, b Instrument) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return out
}

// Instrument is the one with an id, if it is known here.
func (c *Calendar) Instrument(id [32]byte) (Instrument, bool) {
	for _, i := range c.Instruments("") {
		if i.ID == id {
			return i, true
		}
	}
	return Instrument{}, false
}
