package asking

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"maps"
	"slices"
	"time"

	"detente/form"
	"detente/observable"
	"detente/statement"
	"detente/traffic"
)

// The forms that are folded here, of the regime indicators.
const (
	FormList     = "lookup-list"
	FormQuestion = "lookup-question"
	FormAnswer   = "lookup-answer"
)

// Reason says why a question is not answered, in the words of the form lookup-answer. Empty is that it is.
type Reason string

// The reasons. Those down to Limit are computed from statements alone, so both sides reach the same; the others are the owner's word.
const (
	Answerable Reason = ""
	NoList     Reason = "no-list"    // it names no list of whom it is addressed to
	Malformed  Reason = "malformed"  // not as many elements as it says, or one of them is none
	Replayed   Reason = "replayed"   // an element was in an earlier question to the same list, or twice in this one
	Window     Reason = "window"     // it was made outside the time of the list
	Limit      Reason = "limit"      // more than the list allows, in a day or in all
	Ended      Reason = "ended"      // the list was replaced, and its key destroyed
	NotAgreed  Reason = "not-agreed" // no agreement with this party to answer
)

// Published is a list as its statement has it.
type Published struct {
	ID      statement.ID
	Owner   traffic.Address
	Channel [32]byte
	Plane   traffic.Plane
	Epoch   int64
	Public  []byte
	Bucket  int64
	Blob    form.Blob
	From    time.Time
	Until   time.Time
	PerDay  int64 // indicators that each party may ask about in a day, UTC
	Total   int64 // and in all
	Kinds   []observable.Kind
	About   string
	Ended   statement.ID // the list of the same owner that replaced it; zero while it is the last

	clock int64
	asked map[traffic.Party]*account
}

// In tells whether a time is within the list's window.
func (p *Published) In(t time.Time) bool { return !t.Before(p.From) && t.Before(p.Until) }

// Asked is a question as it stands.
type Asked struct {
	ID       statement.ID
	List     statement.ID
	By       traffic.Address
	At       time.Time
	Elements []byte
	Count    int64
	Verdict  Reason // as both sides compute it; until the list is known NoList
	Silent   bool   // so many were refused before it that nothing is said to it

	clock     int64
	channel   [32]byte
	plane     traffic.Plane
	malformed bool
}

// Answered is an answer as it stands.
type Answered struct {
	ID        statement.ID
	At        time.Time
	Refused   Reason
	Evaluated []byte
	Proof     []byte
}

// Count is what one party has asked of one list: the numbers that both sides agree on, since they are counted from the same statements.
type Count struct {
	Day     time.Time // the day, UTC, of the last question that counted
	Today   int64     // indicators asked about on that day
	Total   int64
	Refused int // questions that did not count
	PerDay  int64
	Limit   int64
}

// account is one party's questions to one list, in its own order.
type account struct {
	questions []*Asked
	judged    int // questions[:judged] have their verdict
	refused   int
	day       int64
	today     int64
	total     int64
	seen      map[[16]byte]bool // elements of questions that counted
}

// Ledger folds the statements of lists, questions and answers. Statements may be added in any order, each once; what comes of them is the same. It is not
// safe for concurrent use.
type Ledger struct {
	lists     map[statement.ID]*Published
	last      map[series]*Published
	questions map[statement.ID]*Asked
	early     map[statement.ID][]*Asked // questions whose list has not come
	waiting   int                       // how many those are
	answers   map[reply]*answered       // the first of each party to each question
}

// Bounds of what is remembered for whoever asks amiss: a party may state what it likes, and as often.
const (
	maxEarly   = 10000
	maxRefused = 256 // for each party and list; what it asks after that is passed over
)

type reply struct {
	question statement.ID
	by       traffic.Party
}

// series is the lists of one party on a channel and plane, of which the last is in force.
type series struct {
	owner   traffic.Party
	channel [32]byte
	plane   traffic.Plane
}

type answered struct {
	Answered
	clock int64
}

// NewLedger is one that has read nothing.
func NewLedger() *Ledger {
	return &Ledger{
		lists: make(map[statement.ID]*Published), last: make(map[series]*Published), questions: make(map[statement.ID]*Asked),
		early: make(map[statement.ID][]*Asked), answers: make(map[reply]*answered),
	}
}

// Add takes in a valid statement; those of other forms are passed over.
func (l *Ledger) Add(id statement.ID, h *statement.Header, v form.Values) {
	switch h.Form {
	case FormList:
		l.addList(id, h, v)
	case FormQuestion:
		l.addQuestion(id, h, v)
	case FormAnswer:
		l.addAnswer(id, h, v)
	}
}

func (l *Ledger) addList(id statement.ID, h *statement.Header, v form.Values) {
	p, err := ReadList(id, h, v)
	if err != nil || l.lists[id] != nil {
		return // one that nobody can ask: questions to it are as to none
	}
	l.lists[id] = p
	s := series{h.Issuer.Party, h.Channel, h.Plane}
	switch last := l.last[s]; {
	case last == nil:
		l.last[s] = p
	case p.Epoch > last.Epoch || p.Epoch == last.Epoch && before(last.clock, last.ID, p.clock, p.ID):
		last.Ended, l.last[s] = p.ID, p
	default:
		p.Ended = last.ID
	}
	for _, q := range l.early[id] {
		l.enter(p, q)
	}
	l.waiting -= len(l.early[id])
	delete(l.early, id)
}

// ReadList reads the statement of a list. Errors: ErrKey, ErrList.
func ReadList(id statement.ID, h *statement.Header, v form.Values) (*Published, error) {
	p := &Published{
		ID: id, Owner: h.Issuer, Channel: h.Channel, Plane: h.Plane, Epoch: v.Int("epoch"), Public: v.Bytes("key"), Bucket: v.Int("bucket"),
		PerDay: v.Int("per_day"), Total: v.Int("total"), About: v.Text("about"), clock: h.Clock, asked: make(map[traffic.Party]*account),
	}
	if err := CheckPublic(p.Public); err != nil {
		return nil, err
	}
	window, _ := v["window"].([]any)
	kinds, _ := v["kinds"].([]any)
	blob, ok := v.Blob("list")
	if !ok || len(window) != 2 || len(kinds) == 0 || p.PerDay < 1 || p.Total < 1 {
		return nil, ErrList
	}
	if p.Bucket < MinBucket || p.Bucket > MaxBucket || int64(Bucket(int(p.Bucket))) != p.Bucket || blob.Size != int64(len(listHead))+p.Bucket*EntrySize {
		return nil, ErrList
	}
	p.Blob = blob
	from, _ := window[0].(int64)
	until, _ := window[1].(int64)
	p.From, p.Until = time.Unix(from, 0).UTC(), time.Unix(until, 0).UTC()
	for _, k := range kinds {
		s, _ := k.(string)
		p.Kinds = append(p.Kinds, observable.Kind(s))
	}
	return p, nil
}

func (l *Ledger) addQuestion(id statement.ID, h *statement.Header, v form.Values) {
	if l.questions[id] != nil || len(h.Refs) != 1 {
		return
	}
	q := &Asked{
		ID: id, List: h.Refs[0], By: h.Issuer, At: h.IssuedAt, Elements: v.Bytes("elements"), Count: v.Int("count"), Verdict: NoList,
		clock: h.Clock, channel: h.Channel, plane: h.Plane,
	}
	q.malformed = q.Count*ElementSize != int64(len(q.Elements)) || CheckElements(q.Elements) != nil
	p := l.lists[q.List]
	switch {
	case p == nil && l.waiting == maxEarly:
		return
	case p == nil:
		l.early[q.List] = append(l.early[q.List], q)
		l.waiting++
	default:
		l.enter(p, q)
	}
	l.questions[id] = q
}

// enter puts a question into its asker's account. One that comes behind later ones has them judged anew.
func (l *Ledger) enter(p *Published, q *Asked) {
	if q.channel != p.Channel || q.plane != p.Plane || q.By.Party == p.Owner.Party {
		q.Elements = nil
		return // it stays NoList
	}
	a := p.asked[q.By.Party]
	if a == nil {
		a = &account{seen: make(map[[16]byte]bool)}
		p.asked[q.By.Party] = a
	}
	at, _ := slices.BinarySearchFunc(a.questions, q, func(x, y *Asked) int {
		return cmp.Or(cmp.Compare(x.clock, y.clock), bytes.Compare(x.ID[:], y.ID[:]))
	})
	a.questions = slices.Insert(a.questions, at, q)
	if at < a.judged {
		*a = account{questions: a.questions, seen: make(map[[16]byte]bool)}
	}
	for ; a.judged < len(a.questions); a.judged++ {
		a.judge(p, a.questions[a.judged])
	}
}

const daySeconds = 24 * 60 * 60

// judge gives a question its verdict, and counts it if it is to be answered, protocol.md#asking. A day never goes back, so dating questions back gains
// nothing; dating them ahead spends the days to come, and never more than the total.
func (a *account) judge(p *Published, q *Asked) {
	day := max(a.day, q.At.Unix()/daySeconds)
	today := a.today
	if day > a.day {
		today = 0
	}
	switch {
	case a.refused >= maxRefused:
		q.Verdict, q.Silent, q.Elements, q.malformed = Limit, true, nil, true
		return
	case q.malformed:
		q.Verdict, q.Elements = Malformed, nil
	case !p.In(q.At):
		q.Verdict = Window
	case !a.fresh(q.Elements):
		q.Verdict = Replayed
	case today+q.Count > p.PerDay || a.total+q.Count > p.Total:
		q.Verdict = Limit
	default:
		q.Verdict = Answerable
		a.day, a.today, a.total = day, today+q.Count, a.total+q.Count
		for e := q.Elements; len(e) > 0; e = e[ElementSize:] {
			a.seen[short(e)] = true
		}
		return
	}
	a.refused++
}

// fresh tells whether none of the elements was asked before, nor is there twice.
func (a *account) fresh(elements []byte) bool {
	own := make(map[[16]byte]bool, len(elements)/ElementSize)
	for ; len(elements) > 0; elements = elements[ElementSize:] {
		s := short(elements)
		if a.seen[s] || own[s] {
			return false
		}
		own[s] = true
	}
	return true
}

// short is what is remembered of an element.
func short(e []byte) [16]byte {
	h := sha256.Sum256(e[:ElementSize])
	return [16]byte(h[:16])
}

func (l *Ledger) addAnswer(id statement.ID, h *statement.Header, v form.Values) {
	if len(h.Refs) != 1 {
		return
	}
	a := &answered{Answered{ID: id, At: h.IssuedAt, Evaluated: v.Bytes("elements"), Proof: v.Bytes("proof")}, h.Clock}
	if v.Text("outcome") == "refused" {
		a.Refused = Reason(v.Text("reason"))
	}
	r := reply{h.Refs[0], h.Issuer.Party}
	if had := l.answers[r]; had == nil || before(a.clock, a.ID, had.clock, had.ID) { // the first one stands
		l.answers[r] = a
	}
}

func before(clock int64, id statement.ID, thanClock int64, thanID statement.ID) bool {
	return clock < thanClock || clock == thanClock && bytes.Compare(id[:], thanID[:]) < 0
}

// List is the list of that id.
func (l *Ledger) List(id statement.ID) (*Published, bool) {
	p, ok := l.lists[id]
	return p, ok
}

// InForce are the lists that were not replaced, in the order of their owners.
func (l *Ledger) InForce() []*Published {
	out := make([]*Published, 0, len(l.last))
	for _, p := range l.last {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *Published) int {
		return cmp.Or(cmp.Compare(a.Owner.Party, b.Owner.Party), bytes.Compare(a.Channel[:], b.Channel[:]), cmp.Compare(a.Plane, b.Plane))
	})
	return out
}

// Question is the question of that id.
func (l *Ledger) Question(id statement.ID) (*Asked, bool) {
	q, ok := l.questions[id]
	return q, ok
}

// Answer is what the owner of the list said to a question: what anybody else says to it is none. nil while there is none.
func (l *Ledger) Answer(q *Asked) *Answered {
	p := l.lists[q.List]
	if p == nil {
		return nil
	}
	if a := l.answers[reply{q.ID, p.Owner.Party}]; a != nil {
		return &a.Answered
	}
	return nil
}

// Questions are those to a list by all who asked, each party's in its order.
func (l *Ledger) Questions(list statement.ID) []*Asked {
	p := l.lists[list]
	if p == nil {
		return nil
	}
	var out []*Asked
	for _, by := range slices.Sorted(maps.Keys(p.asked)) {
		out = append(out, p.asked[by].questions...)
	}
	return out
}

// Count is what a party has asked of a list. Both sides count from the same statements, so both have the same numbers once each holds them.
func (l *Ledger) Count(list statement.ID, by traffic.Party) Count {
	p := l.lists[list]
	if p == nil {
		return Count{}
	}
	c := Count{PerDay: p.PerDay, Limit: p.Total}
	if a := p.asked[by]; a != nil {
		c.Day, c.Today, c.Total, c.Refused = time.Unix(a.day*daySeconds, 0).UTC(), a.today, a.total, a.refused
	}
	return c
}

// Left is how many indicators may still be asked about at a time.
func (c Count) Left(now time.Time) int64 {
	today := c.Today
	if now.Unix()/daySeconds > c.Day.Unix()/daySeconds {
		today = 0
	}
	return max(0, min(c.PerDay-today, c.Limit-c.Total))
}
