// Package ledger is the account of what was asked on a channel and what was answered when, which every member computes alike, protocol.md#ledger.
// It must never count by a clock, an order of arrival or a receipt that only one side has: a figure names the statements that it is made of.
package ledger

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"slices"
	"time"

	"detente/canonical"
	"detente/dossier"
	"detente/form"
	"detente/statement"
	"detente/traffic"
)

// Outcome is what became of a request, as an account's end knows it.
type Outcome string

// The outcomes, protocol.md#ledger.
const (
	InTime     Outcome = "in-time"
	Late       Outcome = "late"
	Unanswered Outcome = "unanswered" // and its time is over
	Pending    Outcome = "pending"    // and its time is not over
	Withdrawn  Outcome = "withdrawn"  // by its author, before it was answered
)

// Outcomes lists them in the order in which they are shown.
func Outcomes() []Outcome { return []Outcome{InTime, Late, Unanswered, Pending, Withdrawn} }

// Forms that are counted by name; which forms ask for an answer, the regime says.
const (
	formInterim = "interim"
	formCheck   = "check"
)

// Period is a span of time, its end not in it. Until is when the account was closed: what was said later is not in it.
type Period struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Until time.Time `json:"until"`
}

// Month is the calendar month, in UTC, that a moment lies in, with the account closed at its end.
func Month(t time.Time) Period {
	t = t.UTC()
	return span(time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC), 1)
}

// Quarter is the quarter of the year, likewise.
func Quarter(t time.Time) Period {
	t = t.UTC()
	return span(time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC), 3)
}

// Year is the calendar year, likewise.
func Year(t time.Time) Period {
	return span(time.Date(t.UTC().Year(), 1, 1, 0, 0, 0, 0, time.UTC), 12)
}

func span(from time.Time, months int) Period {
	to := from.AddDate(0, months, 0)
	return Period{from, to, to}
}

// ClosedAt is the period with its account closed at another moment.
func (p Period) ClosedAt(until time.Time) Period {
	p.Until = until.UTC().Truncate(time.Second)
	return p
}

// holds tells whether a moment lies in the period.
func (p Period) holds(t time.Time) bool { return !t.Before(p.From) && t.Before(p.To) }

// Reply is a statement that replied to a request, dated by its own author.
type Reply struct {
	ID statement.ID `json:"id"`
	At time.Time    `json:"at"`
}

// Request is a statement that asks for an answer, with what came of it. Its times are those that the statements bear.
type Request struct {
	ID         statement.ID       `json:"id"`
	Dossier    statement.ID       `json:"dossier"`
	From       traffic.Party      `json:"from"`
	To         string             `json:"to"` // a party, or "*"
	Form       string             `json:"form"`
	Precedence traffic.Precedence `json:"precedence"`
	Issued     time.Time          `json:"issued"`
	Due        time.Time          `json:"due"`

	Acknowledged *Reply  `json:"acknowledged,omitempty"`
	Answered     *Reply  `json:"answered,omitempty"`
	Withdrawn    *Reply  `json:"withdrawn,omitempty"`
	Interims     []Reply `json:"interims,omitempty"`
	Extensions   int     `json:"extensions"` // of the interim replies, those that ask for more time
	Outcome      Outcome `json:"outcome"`

	feed  traffic.Feed
	index int64
	reply Place         // of the answer
	by    traffic.Party // who answered
}

// Account is the ledger of a channel's plane for a period: every request in it, in the canonical order, and the figures made of them.
type Account struct {
	Channel  [32]byte      `json:"-"`
	Plane    traffic.Plane `json:"plane"`
	Period   Period        `json:"period"`
	Requests []Request     `json:"requests"`
	Figures  []Figure      `json:"figures"`
}

// Figure is what one party has had from another: for each form and precedence.
type Figure struct {
	From       traffic.Party      `json:"from"` // who asked
	To         string             `json:"to"`
	Form       string             `json:"form"`
	Precedence traffic.Precedence `json:"precedence"`

	Requests     int `json:"requests"`
	Acknowledged int `json:"acknowledged"`
	InTime       int `json:"in_time"`
	Late         int `json:"late"`
	Unanswered   int `json:"unanswered"`
	Pending      int `json:"pending"`
	Withdrawn    int `json:"withdrawn"`
	Interims     int `json:"interims"`
	Extensions   int `json:"extensions"`
	// Seconds from the request to the first acknowledgement and to the answer, of those that came: half, and nine of ten, came within so many.
	// -1 when none came.
	AcknowledgedMedian int64 `json:"acknowledged_median"`
	AcknowledgedP90    int64 `json:"acknowledged_p90"`
	AnsweredMedian     int64 `json:"answered_median"`
	AnsweredP90        int64 `json:"answered_p90"`

	Behind []statement.ID `json:"behind"` // the requests that it is made of
}

// Draw makes the account of a channel's plane from the folded dossiers of it, in any order. States of other channels and planes are left out.
func Draw(channel [32]byte, plane traffic.Plane, p Period, states []*dossier.State, regime *form.Regime) *Account {
	var parts []*Part
	for _, s := range states {
		if s.Channel == channel && s.Plane == plane {
			parts = append(parts, Take(s, regime))
		}
	}
	return Sum(channel, plane, p, parts)
}

// Sum is Draw from what was taken of the dossiers before, of each once.
func Sum(channel [32]byte, plane traffic.Plane, p Period, parts []*Part) *Account {
	a := &Account{Channel: channel, Plane: plane, Period: p}
	var all []*asked
	for _, part := range parts {
		if part.Channel != channel || part.Plane != plane {
			continue
		}
		for i := range part.requests {
			if r := &part.requests[i]; p.holds(r.Issued) {
				all = append(all, r)
			}
		}
	}
	slices.SortFunc(all, func(x, y *asked) int {
		return cmp.Or(cmp.Compare(x.clock, y.clock), cmp.Compare(x.From, y.From), bytes.Compare(x.ID[:], y.ID[:]))
	})
	if len(all) > 0 {
		a.Requests = make([]Request, 0, len(all))
	}
	for _, r := range all {
		a.Requests = append(a.Requests, r.until(p.Until))
	}
	a.Figures = figures(a.Requests)
	return a
}

func addressee(s *statement.Statement) string {
	if a, err := traffic.ParseAddress(s.Audience); err == nil {
		return string(a.Party)
	}
	return s.Audience
}

// due is when the answer is to have been made: within the form's time limit, or for a check by the time that it names.
func due(s *statement.Statement, fm *form.Form) time.Time {
	if s.Form == formCheck {
		if v, err := fm.Decode(s.Payload); err == nil && v.Time("reply_by").After(s.IssuedAt) {
			return v.Time("reply_by").UTC()
		}
	}
	return s.IssuedAt.Add(fm.AnswerWithin(s.Precedence)).UTC()
}

// figures groups the requests.
func figures(all []Request) []Figure {
	var out []Figure
	var taken, answered [][]int64
	place := make(map[[4]string]int)
	for i := range all {
		r := &all[i]
		group := [4]string{string(r.From), r.To, r.Form, string(r.Precedence)}
		at, ok := place[group]
		if !ok {
			at, out = len(out), append(out, Figure{From: r.From, To: r.To, Form: r.Form, Precedence: r.Precedence})
			taken, answered = append(taken, nil), append(answered, nil)
			place[group] = at
		}
		f := &out[at]
		f.add(r)
		if r.Acknowledged != nil {
			taken[at] = append(taken[at], elapsed(r, r.Acknowledged))
		}
		if r.Answered != nil {
			answered[at] = append(answered[at], elapsed(r, r.Answered))
		}
	}
	for i := range out {
		out[i].AcknowledgedMedian, out[i].AcknowledgedP90 = rank(taken[i], 50), rank(taken[i], 90)
		out[i].AnsweredMedian, out[i].AnsweredP90 = rank(answered[i], 50), rank(answered[i], 90)
	}
	slices.SortFunc(out, func(a, b Figure) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Form, b.Form), b.Precedence.Rank()-a.Precedence.Rank())
	})
	return out
}

func (f *Figure) add(r *Request) {
	f.Requests++
	f.Behind = append(f.Behind, r.ID)
	f.Interims, f.Extensions = f.Interims+len(r.Interims), f.Extensions+r.Extensions
	if r.Acknowledged != nil {
		f.Acknowledged++
	}
	switch r.Outcome {
	case InTime:
		f.InTime++
	case Late:
		f.Late++
	case Unanswered:
		f.Unanswered++
	case Pending:
		f.Pending++
	case Withdrawn:
		f.Withdrawn++
	}
}

// Count is how many of the requests had an outcome.
func (f *Figure) Count(o Outcome) int {
	switch o {
	case InTime:
		return f.InTime
	case Late:
		return f.Late
	case Unanswered:
		return f.Unanswered
	case Pending:
		return f.Pending
	}
	return f.Withdrawn
}

// elapsed is the seconds from a request to a reply; 0 where the two clocks say that the reply came first.
func elapsed(r *Request, to *Reply) int64 { return max(0, to.At.Unix()-r.Issued.Unix()) }

// rank is the nearest-rank percentile, -1 of nothing.
func rank(all []int64, percent int) int64 {
	if len(all) == 0 {
		return -1
	}
	slices.Sort(all)
	return all[(len(all)*percent+99)/100-1]
}

// Months parts the requests of an account by the calendar month in which they were made, in order: the figures of each, without empty months
// before the first and after the last.
func (a *Account) Months() []Account {
	var out []Account
	for at := Month(a.Period.From); at.From.Before(a.Period.To); at = Month(at.To) {
		m := Account{Channel: a.Channel, Plane: a.Plane, Period: at.ClosedAt(a.Period.Until)}
		for _, r := range a.Requests {
			if at.holds(r.Issued) {
				m.Requests = append(m.Requests, r)
			}
		}
		if m.Figures = figures(m.Requests); len(out) > 0 || len(m.Requests) > 0 {
			out = append(out, m)
		}
		if len(out) > mostMonths {
			break
		}
	}
	for len(out) > 0 && len(out[len(out)-1].Requests) == 0 {
		out = out[:len(out)-1]
	}
	return out
}

// mostMonths is how many months an account is parted into at most.
const mostMonths = 120

// Digest is the SHA-256 of the account in canonical CBOR, protocol.md#ledger: what the members sign when they agree to publish it.
func (a *Account) Digest() [32]byte {
	b, err := canonical.Marshal(a.wire())
	if err != nil {
		return [32]byte{} // unreachable: names, numbers and hashes always encode
	}
	return sha256.Sum256(b)
}

// wire is the account as it is hashed.
func (a *Account) wire() any {
	requests, all := []any{}, []any{}
	for _, r := range a.Requests {
		interims := []any{}
		for i := range r.Interims {
			interims = append(interims, r.Interims[i].wire())
		}
		requests = append(requests, []any{
			r.ID, r.Dossier, string(r.From), r.To, r.Form, string(r.Precedence), r.Issued.Unix(), r.Due.Unix(),
			r.Acknowledged.wire(), r.Answered.wire(), r.Withdrawn.wire(), interims, r.Extensions, string(r.Outcome),
		})
	}
	for _, f := range a.Figures {
		all = append(all, []any{
			string(f.From), f.To, f.Form, string(f.Precedence), f.Requests, f.Acknowledged, f.InTime, f.Late, f.Unanswered, f.Pending, f.Withdrawn,
			f.Interims, f.Extensions, f.AcknowledgedMedian, f.AcknowledgedP90, f.AnsweredMedian, f.AnsweredP90,
		})
	}
	return []any{
		"detente-ledger.v1", a.Channel, string(a.Plane), []any{a.Period.From.Unix(), a.Period.To.Unix(), a.Period.Until.Unix()}, requests, all,
	}
}

func (r *Reply) wire() any {
	if r == nil {
		return []any{}
	}
	return []any{r.ID, r.At.Unix()}
}

// Between leaves in the account only what two parties asked of each other, for a picture of that pair; its digest is another.
func (a *Account) Between(x, y traffic.Party) *Account {
	out := &Account{Channel: a.Channel, Plane: a.Plane, Period: a.Period}
	for _, r := range a.Requests {
		if r.From == x && r.To == string(y) || r.From == y && r.To == string(x) {
			out.Requests = append(out.Requests, r)
		}
	}
	out.Figures = figures(out.Requests)
	return out
}
