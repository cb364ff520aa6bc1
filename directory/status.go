package directory

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/form"
	"detente/statement"
	"detente/traffic"
)

// What a statement runs into on a channel that does not stand open.
var (
	ErrSuspended = errors.New("directory: this party has suspended it on the channel")
	ErrDeclined  = errors.New("directory: a member has suspended it on the channel")
	ErrMinimize  = errors.New("directory: MINIMIZE is in force")
)

// The states of a channel, the widest first.
const (
	Open       = "open"
	Degraded   = "degraded"
	Restricted = "restricted"
	Suspended  = "suspended"
)

// rank orders the states from the widest to the narrowest.
func rank(state string) int {
	return slices.Index([]string{Open, Degraded, Restricted, Suspended}, state)
}

// Functions that can be suspended, as the form status has them, and what never is, protocol.md#suspension.
const (
	All           = "all"
	Notices       = "notices"
	Inquiries     = "inquiries"
	Answers       = "answers"
	Technical     = "technical"
	Consultations = "consultations"
	Goodwill      = "goodwill"
	Checks        = "checks"
	Accidents     = "accidents"
	ResponseTeams = "response-teams"
	Service       = "service"
	Replies       = "replies"  // acknowledging, correcting, cancelling what was said
	Standing      = "standing" // of the channel and its directory
)

// responseTeam is the post of a party's response team.
const responseTeam traffic.Post = "cert"

// Floor tells whether a function always continues.
func Floor(function string) bool {
	return slices.Contains([]string{Checks, Accidents, ResponseTeams, Service, Replies, Standing}, function)
}

// Utterance is what decides of a statement whether it may be made while a channel does not stand open.
type Utterance struct {
	Form       string
	Subject    string // field of that name, of a notice
	Post       traffic.Post
	Audience   string
	Precedence traffic.Precedence
	Essential  bool // its author says that it cannot wait
}

// Function is the function that a statement belongs to. A form that is not known here is technical: what a party does not know it cannot have
// meant to leave open.
func Function(u Utterance) string {
	switch u.Form {
	case "check", "check-answer":
		return Checks
	case "loss-of-control", "control-status", "cease-request", "signal", "signal-answer":
		return Accidents
	case "service":
		return Service
	case "acknowledgement", "correction", "cancellation":
		return Replies
	case "status", "contact", "contact-status", "translation":
		return Standing
	case "notice":
		if u.Subject == "accident" {
			return Accidents
		}
	}
	to, _ := traffic.ParseAddress(u.Audience)
	if u.Post == responseTeam && (to.Post == responseTeam || to.Post == "") {
		return ResponseTeams
	}
	switch u.Form {
	case "notice", "planned-activity", "activity-status", "activity-match", "caution-window", "caution-answer":
		return Notices
	case "inquiry", "clarification", "assistance-request", "assistance-offer":
		return Inquiries
	case "answer", "interim", "reply", "particulars", "assistance-answer", "closure", "closure-answer", "dissemination":
		return Answers
	case "consultation-request", "consultation-answer", "consultation-record", "incident-report", "codebook-change", "codebook-answer",
		"publication", "publication-answer", "series", "round-proposal", "round-acceptance", "round-withdrawal", "round-refusal", "round-held", "delegation", "round-text",
		"minutes-signature":
		return Consultations
	case "goodwill":
		return Goodwill
	}
	return Technical
}

// Statement of a channel's standing by one member, as it stands.
type Statement struct {
	ID        statement.ID
	Party     traffic.Party
	State     string
	Functions []string
	Ground    string
	Text      string
	Condition string
	Continues []string // what the member says continues beside the floor
	Said      time.Time
	From      time.Time // when it takes effect
	Until     time.Time // when it ends by itself; zero when only another statement ends it
	at        Order
}

// Stops tells whether the statement stops a function. nil stops nothing.
func (s *Statement) Stops(function string) bool {
	if s == nil || rank(s.State) < rank(Restricted) || Floor(function) || slices.Contains(s.Continues, function) {
		return false
	}
	return len(s.Functions) == 0 && s.State == Suspended || slices.Contains(s.Functions, All) || slices.Contains(s.Functions, function)
}

// Minimized is a MINIMIZE in force.
type Minimized struct {
	ID    statement.ID
	By    traffic.Party
	Since time.Time
	Until time.Time // zero when only minimize-ends ends it
	at    Order
	ends  bool
}

// Where is a channel on one plane: an exercise suspends nothing that is real.
type Where struct {
	Channel [32]byte
	Plane   traffic.Plane
}

type whose struct {
	Where
	party traffic.Party
}

// Statuses is the fold of status and of the service messages MINIMIZE, MINIMIZE ENDS, UNMANNED and MANNED. It is a function of the set of
// statements. A statement counts on its own channel only, whatever other channels it names: a protected channel cannot be touched from elsewhere.
type Statuses struct {
	stated   map[whose][]Statement // in the canonical order
	minimize map[whose]Minimized   // the last word of each party
	manning  map[manned]Manning
}

// NewStatuses is a fold of nothing: every channel stands open.
func NewStatuses() *Statuses {
	return &Statuses{make(map[whose][]Statement), make(map[whose]Minimized), make(map[manned]Manning)}
}

// mostStated is how many statements of one member on one channel are kept, the newest: a status that begins later stands behind them.
const mostStated = 64

// Add takes in a valid statement of the form status or service; others it passes over. It tells whether the fold took it.
func (f *Statuses) Add(id statement.ID, s *statement.Header, v form.Values) bool {
	at, key := OrderOf(id, s), whose{Where{s.Channel, s.Plane}, s.Issuer.Party}
	switch s.Form {
	case "status":
		n := Statement{
			ID: id, Party: s.Issuer.Party, State: v.Text("state"), Functions: codes(v, "functions"), Ground: v.Text("ground"), Text: v.Text("text"),
			Condition: v.Text("condition"), Continues: codes(v, "continues"), Said: s.IssuedAt, From: v.Time("from"), Until: v.Time("until"), at: at,
		}
		if n.From.IsZero() {
			n.From = s.IssuedAt
		}
		list := append(f.stated[key], n)
		slices.SortFunc(list, func(a, b Statement) int { return a.at.Compare(b.at) })
		list = slices.CompactFunc(list, func(a, b Statement) bool { return a.at == b.at })
		f.stated[key] = list[max(0, len(list)-mostStated):]
		return true
	case "service":
		switch what := v.Text("service"); what {
		case "minimize", "minimize-ends":
			n := Minimized{ID: id, By: s.Issuer.Party, Since: s.IssuedAt, at: at, ends: what == "minimize-ends"}
			if from, until := window(v, "window"); !until.IsZero() {
				n.Since, n.Until = from, until
			}
			if old, ok := f.minimize[key]; ok && old.at.Compare(at) >= 0 {
				return false
			}
			f.minimize[key] = n
			return true
		case "unmanned", "manned":
			return f.man(at, s, what == "unmanned", v)
		}
	}
	return false
}

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

// Of gives what a member has stated of a channel and is in force, nil when nothing is. The last statement that has begun counts; when it ends by
// itself, the channel stands open again for that member, and not as it stood before.
func (f *Statuses) Of(w Where, p traffic.Party, now time.Time) *Statement {
	list := f.stated[whose{w, p}]
	for i := len(list) - 1; i >= 0; i-- {
		s := list[i] // a copy: the list is sorted in place
		if s.From.After(now) {
			continue
		}
		if !s.Until.IsZero() && now.After(s.Until) {
			return nil
		}
		return &s
	}
	return nil
}

// State is the narrowest that any member has stated of a channel.
func (f *Statuses) State(w Where, members []traffic.Party, now time.Time) string {
	state := Open
	for _, p := range members {
		if s := f.Of(w, p, now); s != nil && rank(s.State) > rank(state) {
			state = s.State
		}
	}
	return state
}

// Minimize gives the MINIMIZE in force on a channel, the first that began, nil when none is.
func (f *Statuses) Minimize(w Where, members []traffic.Party, now time.Time) *Minimized {
	var out *Minimized
	for _, p := range members {
		m, ok := f.minimize[whose{w, p}]
		if !ok || m.ends || m.Since.After(now) || !m.Until.IsZero() && now.After(m.Until) {
			continue
		}
		if out == nil || cmp.Or(m.Since.Compare(out.Since), m.at.Compare(out.at)) < 0 {
			out = &m
		}
	}
	return out
}

// Permit tells whether self may make a statement on a channel as it stands, protocol.md#suspension. A FLASH it never holds up. Errors: ErrSuspended
// where self has suspended the function; ErrDeclined where another member has, and ErrMinimize, unless the statement is essential.
func (f *Statuses) Permit(w Where, self traffic.Party, members []traffic.Party, u Utterance, now time.Time) error {
	function := Function(u)
	if u.Precedence == traffic.Flash || Floor(function) {
		return nil
	}
	if f.Of(w, self, now).Stops(function) {
		return fmt.Errorf("%w: %s", ErrSuspended, function)
	}
	if u.Essential {
		return nil
	}
	for _, p := range members {
		if p != self && f.Of(w, p, now).Stops(function) {
			return fmt.Errorf("%w: %s, %s", ErrDeclined, p, function)
		}
	}
	if m := f.Minimize(w, members, now); m != nil && u.Precedence.Rank() <= traffic.Priority.Rank() && function != Answers {
		return fmt.Errorf("%w: stated by %s", ErrMinimize, m.By)
	}
	return nil
}

// Manning is what a party has said of a post of its own: whether somebody is there.
type Manning struct {
	ID       statement.ID
	Unmanned bool
	Since    time.Time
	Until    time.Time // zero when it is not known
	at       Order
}

type manned struct {
	whose
	post traffic.Post
}

func (f *Statuses) man(at Order, s *statement.Header, unmanned bool, v form.Values) bool {
	key := manned{whose{Where{s.Channel, s.Plane}, s.Issuer.Party}, s.Issuer.Post}
	if old, ok := f.manning[key]; ok && old.at.Compare(at) >= 0 {
		return false
	}
	n := Manning{ID: at.ID, Unmanned: unmanned, Since: s.IssuedAt, at: at}
	if from, until := window(v, "window"); !until.IsZero() {
		n.Since, n.Until = from, until
	}
	f.manning[key] = n
	return true
}

// Unmanned tells whether a party has said that its post on a channel is unmanned now, and gives what it said.
func (f *Statuses) Unmanned(w Where, a traffic.Address, now time.Time) (Manning, bool) {
	m, ok := f.manning[manned{whose{w, a.Party}, a.Post}]
	return m, ok && m.Unmanned && !m.Since.After(now) && (m.Until.IsZero() || !now.After(m.Until))
}
