package dialogue

import (
	"maps"
	"slices"
	"strings"
	"time"

	"detente/statement"
	"detente/traffic"
	"detente/wording"
)

// Series is a standing series of consultations.
type Series struct {
	Name      wording.Texts
	Level     string
	Every     time.Duration // how often it is due
	Hosts     []string      // in their order
	Languages []string
	Basis     [32]byte // manifest of the agreement that it reviews; zero for none
	Case      string
	Opened    time.Time
	By        traffic.Address
	Rounds    map[int]*Round
	Actions   []*Action // in their order
}

// Round is one round, from the first word about it to what became of its resolutions.
type Round struct {
	Number      int
	Proposals   []*Proposal // in their order, those that were withdrawn too
	Agreed      *Proposal   // on which every party stands; nil for none
	Refusals    []Refusal   // all that were said, in their order
	Held        map[traffic.Party]Held
	Delegations map[traffic.Party]Delegation
	Texts       map[string]statement.ID               // the negotiation of the agenda, the minutes, the report
	Signed      map[traffic.Party]map[[32]byte]string // clean text of the minutes, and the statement's id in hex
}

// Proposal is a time and a form for a round.
type Proposal struct {
	Statement statement.ID
	By        traffic.Address
	At        time.Time
	Number    int
	Mode      Mode
	Host      string
	Place     string
	From, To  time.Time
	Words     string
	Standing  []traffic.Party // who stands on it now, sorted
}

// Refusal is a party's word that it will not take part in a round, for the ground that it gives. It is no silence, and ends nothing: the party may propose or accept
// again.
type Refusal struct {
	Statement statement.ID
	By        traffic.Party
	At        time.Time
	Ground    string
	Words     string
	Instead   string // the form that it offers instead; empty for none
	InForce   bool   // it has not stood on a proposal for this round since
}

// Held is a party's word that a round has taken place.
type Held struct {
	Statement statement.ID
	From, To  time.Time
	Mode      Mode
	Place     string
}

// Delegation is who comes for a party.
type Delegation struct {
	Statement   statement.ID
	Head        string
	Members     []string
	Powers      statement.ID
	Credentials string
}

// Action is something that a party has to do.
type Action struct {
	Statement statement.ID
	Number    int // of the round that resolved it; 0 in a group
	Words     wording.Texts
	Owner     string // an address
	Due       time.Time
	By        traffic.Address
	State     string // open, done, dropped, transferred
	Note      string // what was said last
	said      map[traffic.Party]string
}

// Open tells whether it is still to be done: it is carried over from round to round until it is closed.
func (a *Action) Open() bool { return a.State == "open" }

func (f *fold) series(e *Entry) string {
	v := e.Values
	hosts := addresses(v, "hosts")
	every, _ := v["every"].(int64)
	if len(hosts) == 0 || every <= 0 {
		return Malformed
	}
	f.ID = e.ID
	f.Series = &Series{
		Name: texts(v, "name"), Level: v.Text("level"), Every: time.Duration(every) * time.Second, Hosts: hosts, Languages: strings.Fields(v.Text("languages")),
		Basis: digest(v, "basis"), Case: v.Text("case"), Opened: e.At.UTC(), By: e.Issuer, Rounds: make(map[int]*Round),
	}
	return ""
}

// round is the round of that number, made if there is room for it.
func (f *fold) round(n int64) *Round {
	r := f.Series.Rounds[int(n)]
	if r == nil && len(f.Series.Rounds) < maxRounds {
		r = &Round{
			Number: int(n), Held: make(map[traffic.Party]Held), Delegations: make(map[traffic.Party]Delegation), Texts: make(map[string]statement.ID),
			Signed: make(map[traffic.Party]map[[32]byte]string),
		}
		f.Series.Rounds[int(n)] = r
	}
	return r
}

func (f *fold) propose(e *Entry) string {
	r := f.round(e.Values.Int("number"))
	from, to := window(e.Values, "window")
	switch {
	case r == nil || len(r.Proposals) >= maxProposals:
		return Limit
	case len(r.Held) > 0:
		return Over
	case to.Before(from):
		return Malformed
	}
	p := &Proposal{
		Statement: e.ID, By: e.Issuer, At: e.At.UTC(), Number: r.Number, Mode: Mode(e.Values.Text("mode")), Host: e.Values.Text("host"), Place: e.Values.Text("place"),
		From: from, To: to, Words: e.Values.Text("words"),
	}
	r.Proposals = append(r.Proposals, p)
	f.proposals[e.ID] = p
	f.stand(r, p, e.Issuer.Party)
	return ""
}

// stand has a party stand on a proposal. A round that is agreed stays so while nobody leaves it, whatever else is accepted meanwhile.
func (f *fold) stand(r *Round, p *Proposal, who traffic.Party) {
	if at, stands := slices.BinarySearch(p.Standing, who); !stands {
		p.Standing = slices.Insert(p.Standing, at, who)
	}
	for i := range r.Refusals {
		if r.Refusals[i].By == who {
			r.Refusals[i].InForce = false
		}
	}
	f.agree(r)
}

// leave has a party stand on a proposal no longer.
func (f *fold) leave(r *Round, p *Proposal, who traffic.Party) {
	p.Standing = slices.DeleteFunc(p.Standing, func(x traffic.Party) bool { return x == who })
	f.agree(r)
}

// agree finds the proposal on which all stand.
func (f *fold) agree(r *Round) {
	all := func(p *Proposal) bool { return len(f.Parties) > 0 && slices.Equal(p.Standing, f.Parties) }
	if r.Agreed != nil && all(r.Agreed) {
		return
	}
	r.Agreed = nil
	if i := slices.IndexFunc(r.Proposals, all); i >= 0 {
		r.Agreed = r.Proposals[i]
	}
}

func (f *fold) accept(e *Entry) string {
	if len(e.Refs) != 1 || f.proposals[e.Refs[0]] == nil {
		return Unknown
	}
	p := f.proposals[e.Refs[0]]
	r := f.Series.Rounds[p.Number]
	if len(r.Held) > 0 {
		return Over
	}
	f.acceptances[e.ID] = p
	f.stand(r, p, e.Issuer.Party)
	return ""
}

func (f *fold) withdraw(e *Entry) string {
	if len(e.Refs) != 1 {
		return Unknown
	}
	p := f.proposals[e.Refs[0]]
	if p == nil {
		p = f.acceptances[e.Refs[0]]
	}
	if p == nil {
		return Unknown
	}
	if !slices.Contains(p.Standing, e.Issuer.Party) {
		return NotYours
	}
	r := f.Series.Rounds[p.Number]
	if len(r.Held) > 0 {
		return Over
	}
	f.leave(r, p, e.Issuer.Party)
	return ""
}

func (f *fold) refuse(e *Entry) string {
	r := f.round(e.Values.Int("number"))
	switch {
	case r == nil || len(r.Refusals) >= maxProposals:
		return Limit
	case len(r.Held) > 0:
		return Over
	}
	for _, p := range r.Proposals {
		f.leave(r, p, e.Issuer.Party)
	}
	for i := range r.Refusals {
		if r.Refusals[i].By == e.Issuer.Party {
			r.Refusals[i].InForce = false
		}
	}
	instead := e.Values.Text("instead")
	if instead == "none" {
		instead = ""
	}
	r.Refusals = append(r.Refusals, Refusal{
		Statement: e.ID, By: e.Issuer.Party, At: e.At.UTC(), Ground: e.Values.Text("ground"), Words: e.Values.Text("words"), Instead: instead, InForce: true,
	})
	return ""
}

func (f *fold) held(e *Entry) string {
	r := f.round(e.Values.Int("number"))
	if r == nil {
		return Limit
	}
	from, to := window(e.Values, "window")
	if to.Before(from) {
		return Malformed
	}
	r.Held[e.Issuer.Party] = Held{e.ID, from, to, Mode(e.Values.Text("mode")), e.Values.Text("place")}
	return ""
}

func (f *fold) delegation(e *Entry) string {
	r := f.round(e.Values.Int("number"))
	if r == nil {
		return Limit
	}
	d := Delegation{Statement: e.ID, Head: e.Values.Text("head"), Credentials: e.Values.Text("credentials"), Powers: digest(e.Values, "powers")}
	for line := range strings.SplitSeq(e.Values.Text("members"), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			d.Members = append(d.Members, line)
		}
	}
	r.Delegations[e.Issuer.Party] = d
	return ""
}

func (f *fold) text(e *Entry) string {
	r := f.round(e.Values.Int("number"))
	if r == nil {
		return Limit
	}
	r.Texts[e.Values.Text("what")] = digest(e.Values, "negotiation")
	return ""
}

func (f *fold) sign(e *Entry) string {
	r := f.round(e.Values.Int("number"))
	if r == nil {
		return Limit
	}
	if r.Signed[e.Issuer.Party] == nil {
		r.Signed[e.Issuer.Party] = make(map[[32]byte]string)
	}
	if len(r.Signed[e.Issuer.Party]) >= maxProposals {
		return Limit
	}
	r.Signed[e.Issuer.Party][digest(e.Values, "text")] = e.ID.String()
	return ""
}

// MinutesSigned tells whether every party has signed for that clean text of the minutes.
func (r *Round) MinutesSigned(text [32]byte, parties []traffic.Party) bool {
	return len(parties) > 0 && !slices.ContainsFunc(parties, func(p traffic.Party) bool { return r.Signed[p][text] == "" })
}

func (f *fold) action(e *Entry) string {
	if len(f.actions) >= maxThings {
		return Limit
	}
	a := &Action{
		Statement: e.ID, Number: int(e.Values.Int("number")), Words: texts(e.Values, "words"), Owner: e.Values.Text("owner"), Due: e.Values.Time("due"), By: e.Issuer, State: "open",
		said: make(map[traffic.Party]string),
	}
	f.actions[e.ID] = a
	if f.Series != nil {
		f.Series.Actions = append(f.Series.Actions, a)
	} else {
		f.Group.Actions = append(f.Group.Actions, a)
	}
	return ""
}

// status says how an action stands. That it is done or passed on is the owner's word; any party may open it again; it is dropped when the owner and whoever stated
// it have said so.
func (f *fold) status(e *Entry) string {
	if len(e.Refs) != 1 || f.actions[e.Refs[0]] == nil {
		return Unknown
	}
	a, who, state := f.actions[e.Refs[0]], e.Issuer.Party, e.Values.Text("state")
	owner := partyOf(a.Owner)
	switch state {
	case "done", "transferred":
		if who != owner {
			return NotYours
		}
		a.State = state
	case "dropped":
		if who != owner && who != a.By.Party {
			return NotYours
		}
		a.said[who] = state
		if a.said[owner] == state && a.said[a.By.Party] == state {
			a.State = state
		}
	default:
		a.State = "open"
		clear(a.said)
	}
	a.Note = e.Values.Text("words")
	if due := e.Values.Time("due"); !due.IsZero() && who == owner {
		a.Due = due
	}
	return ""
}

// Host is whose turn it is to receive a round.
func (s *Series) Host(number int) string {
	if number < 1 {
		number = 1
	}
	return s.Hosts[(number-1)%len(s.Hosts)]
}

// Numbers lists the rounds that something was said of, in their order.
func (s *Series) Numbers() []int { return slices.Sorted(maps.Keys(s.Rounds)) }

// End is when a round was over, by the earliest word; zero for one that was not held.
func (r *Round) End() (end time.Time) {
	for _, h := range r.Held {
		if end.IsZero() || h.To.Before(end) {
			end = h.To
		}
	}
	return end
}

// Refused tells who declines the round now.
func (r *Round) Refused() (out []Refusal) {
	for _, x := range r.Refusals {
		if x.InForce {
			out = append(out, x)
		}
	}
	return out
}

// SeriesView is how a series stands at a moment.
type SeriesView struct {
	Last    *Round    // that was held last; nil for none
	Next    *Round    // agreed, and not held yet; nil for none
	Number  int       // of the round that is to come
	Host    string    // whose turn it is
	Due     time.Time // by when it is to take place
	Overdue bool      // that is past, no round is agreed for a time to come, and the next was not held
	Missed  *Round    // agreed for a time that is past, and nobody has said that it was held
	Lighter Mode      // the form to offer in place of the one that was last spoken of
	Open    []*Action // carried over
	Late    []*Action // of those, past their day
}

// At is how the series stands at a moment.
func (s *Series) At(now time.Time) SeriesView {
	v := SeriesView{Number: 1, Due: s.Opened.Add(s.Every), Lighter: Virtual}
	var last time.Time
	for _, n := range s.Numbers() {
		if r := s.Rounds[n]; !r.End().IsZero() && (v.Last == nil || r.End().After(last)) {
			v.Last, last = r, r.End()
			v.Due, v.Number = last.Add(s.Every), n+1
		}
	}
	for _, n := range s.Numbers() {
		r := s.Rounds[n]
		if !r.End().IsZero() {
			continue
		}
		if len(r.Proposals) > 0 && n >= v.Number {
			v.Lighter = r.Proposals[len(r.Proposals)-1].Mode.Lighter()
		}
		switch {
		case r.Agreed == nil:
		case r.Agreed.To.Before(now):
			v.Missed = r
		case v.Next == nil || r.Agreed.From.Before(v.Next.Agreed.From):
			v.Next = r
		}
	}
	v.Host = s.Host(v.Number)
	v.Overdue = now.After(v.Due) && v.Next == nil
	v.Open, v.Late = openOf(s.Actions, now)
	return v
}

func openOf(all []*Action, now time.Time) (open, late []*Action) {
	for _, a := range all {
		if !a.Open() {
			continue
		}
		open = append(open, a)
		if a.Due.Before(now) {
			late = append(late, a)
		}
	}
	return open, late
}
