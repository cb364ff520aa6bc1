package api

import (
	"time"

	"detente/traffic"
)

// Case is a case over all its channels, as a list shows it.
type Case struct {
	Number   string        `json:"number,omitempty" doc:"the same on every channel" example:"xn/26-0007"`
	Title    string        `json:"title" doc:"its number, or that of its first statement"`
	Plane    traffic.Plane `json:"plane"`
	Open     bool          `json:"open"`
	Channels []string      `json:"channels"`
	Peers    []string      `json:"peers" doc:"the other members"`
	Opener   traffic.Party `json:"opener"`
	Opened   time.Time     `json:"opened"`
	Last     time.Time     `json:"last" doc:"when something was said in it last"`
	Form     string        `json:"form" doc:"that opened it"`
	What     string        `json:"what" doc:"that form, in the reader's language"`
	State    string        `json:"state"`
	Stands   string        `json:"stands" doc:"how it stands, in the reader's language"`
	Outcome  string        `json:"outcome,omitempty" enum:",agreed,disagreed,lapsed"`
	Review   bool          `json:"review" doc:"it is carried to the yearly review"`
	Severity []Severity    `json:"severity"`
	Next     *Deadline     `json:"next,omitempty" doc:"the earliest that somebody owes"`
	Entries  int           `json:"entries"`
}

// CaseTally is how many cases are open on a plane.
type CaseTally struct {
	Open    int `json:"open"`
	Ours    int `json:"ours" doc:"in which this party owes what falls due next"`
	Overdue int `json:"overdue" doc:"in which what falls due next is overdue"`
}

// Severity is how serious one side takes a case to be.
type Severity struct {
	Party  traffic.Party `json:"party"`
	Common string        `json:"common" doc:"on the common scale"`
	Own    string        `json:"own,omitempty" doc:"on its own scale, in its words"`
	Words  string        `json:"words" doc:"in the reader's language"`
}

// Deadline is what somebody owes in a case.
type Deadline struct {
	Kind    string        `json:"kind"`
	Words   string        `json:"words" doc:"in the reader's language"`
	Party   traffic.Party `json:"party,omitempty" doc:"who owes; empty for whoever was addressed"`
	Number  string        `json:"number" doc:"of the statement that it runs from"`
	Since   time.Time     `json:"since"`
	At      time.Time     `json:"at"`
	Moved   int           `json:"moved,omitempty" doc:"how often it was put off"`
	Overdue bool          `json:"overdue"`
	Soft    bool          `json:"soft,omitempty" doc:"proposed, and not owed"`
}

// CaseFile is a case with all that was said in it.
type CaseFile struct {
	Case
	Sheets   []CaseSheet `json:"sheets" doc:"one for each channel"`
	Declared []CaseMatch `json:"declared" doc:"declared activities that match what was observed"`
	Steps    []CaseStep  `json:"steps" doc:"what this party may say as the case stands"`
}

// CaseSheet is a case on one channel.
type CaseSheet struct {
	Channel  string       `json:"channel"`
	ID       string       `json:"id" doc:"of the dossier"`
	State    string       `json:"state"`
	Stands   string       `json:"stands"`
	Outcome  string       `json:"outcome,omitempty"`
	Entries  []CaseEntry  `json:"entries"`
	Matters  []CaseMatter `json:"matters"`
	Owed     []Deadline   `json:"owed"`
	Passings []Passing    `json:"passings" doc:"what was passed on within a state: by category, never by name"`
	Links    []CaseLink   `json:"links" doc:"to declared activities, as the sides have stated them"`
}

// CaseEntry is a statement of a case and what it did.
type CaseEntry struct {
	ID       string    `json:"id"`
	Number   string    `json:"number"`
	From     string    `json:"from"`
	To       string    `json:"to"`
	Form     string    `json:"form"`
	What     string    `json:"what"`
	At       time.Time `json:"at"`
	Held     time.Time `json:"held"`
	Own      bool      `json:"own"`
	Effect   string    `json:"effect,omitempty" doc:"what it did, or why it did nothing"`
	Why      string    `json:"why,omitempty" doc:"why it has no effect, as a code"`
	Remarks  []string  `json:"remarks"`
	Language string    `json:"language,omitempty"`
	Text     string    `json:"text,omitempty" doc:"the originator's first words"`
	Files    int       `json:"files" doc:"attachments"`
}

// CaseMatter is one thing asked or announced within a case.
type CaseMatter struct {
	ID     string        `json:"id"`
	Number string        `json:"number"`
	Kind   string        `json:"kind"`
	What   string        `json:"what"`
	Asker  traffic.Party `json:"asker"`
	Asked  traffic.Party `json:"asked,omitempty"`
	State  string        `json:"state"`
	Stands string        `json:"stands"`
	Since  time.Time     `json:"since"`
	Open   bool          `json:"open"`
	Next   *Deadline     `json:"next,omitempty" doc:"What is expected next in it, and of whom"`
}

// Passing is what a side says of passing something on.
type Passing struct {
	Party     traffic.Party `json:"party"`
	To        []string      `json:"to"`
	Confirmed []string      `json:"confirmed"`
	Words     string        `json:"words"`
	At        time.Time     `json:"at"`
	Number    string        `json:"number"`
}

// CaseLink ties a case to a declared activity.
type CaseLink struct {
	Party      traffic.Party `json:"party"`
	Notice     string        `json:"notice" doc:"id"`
	Conclusion string        `json:"conclusion"`
	Words      string        `json:"words"`
	Number     string        `json:"number"`
}

// CaseStep is a statement that this party may make in a case.
type CaseStep struct {
	Channel string   `json:"channel"`
	Form    string   `json:"form"`
	What    string   `json:"what"`
	Field   string   `json:"field,omitempty" doc:"whose code decides"`
	Codes   []string `json:"codes"`
	About   string   `json:"about" doc:"id of what it refers to"`
	Number  string   `json:"number" doc:"of what it refers to"`
	To      string   `json:"to"`
	Expects bool     `json:"expects" doc:"something runs that it would end"`
}

// CaseMatch is what comes of holding an observation against a declared activity.
type CaseMatch struct {
	Notice     Activity `json:"notice"`
	Conclusion string   `json:"conclusion" enum:"matches,in-part,differs"`
	Hit        []string `json:"hit" doc:"criteria that match"`
	Missed     []string `json:"missed" doc:"criteria that both state and that do not match"`
	Words      string   `json:"words"`
}

// Activity is a declared activity.
type Activity struct {
	ID          string        `json:"id"`
	Number      string        `json:"number"`
	Case        string        `json:"case,omitempty"`
	Party       traffic.Party `json:"party"`
	Channel     string        `json:"channel"`
	Class       string        `json:"class"`
	What        string        `json:"what" doc:"the class, in the reader's language"`
	Intensity   string        `json:"intensity,omitempty"`
	Given       time.Time     `json:"given"`
	From        time.Time     `json:"from"`
	Until       time.Time     `json:"until"`
	Activated   time.Time     `json:"activated,omitzero"`
	Ended       time.Time     `json:"ended,omitzero"`
	Extended    int           `json:"extended,omitempty"`
	Short       bool          `json:"short" doc:"given later than the regime asks for"`
	State       string        `json:"state"`
	Stands      string        `json:"stands"`
	Sources     []string      `json:"sources"`
	Networks    []string      `json:"networks"`
	ASNumbers   []uint32      `json:"as_numbers"`
	Sectors     []string      `json:"sectors"`
	Recognition string        `json:"recognition,omitempty"`
	Contact     string        `json:"contact,omitempty"`
}

// Caution is a window of special caution.
type Caution struct {
	ID      string        `json:"id"`
	Number  string        `json:"number"`
	Party   traffic.Party `json:"party"`
	Channel string        `json:"channel"`
	From    time.Time     `json:"from"`
	Until   time.Time     `json:"until"`
	State   string        `json:"state"`
	Stands  string        `json:"stands"`
	Ground  string        `json:"ground"`
	Scope   string        `json:"scope"`
}

// Calendar is what was announced on a plane.
type Calendar struct {
	Activities []Activity `json:"activities"`
	Windows    []Caution  `json:"windows"`
}

// ObservationRequest is what was observed, to be held against what was declared.
type ObservationRequest struct {
	Plane    traffic.Plane `json:"plane,omitempty" enum:",real,exercise,test"`
	Observed string        `json:"observed" doc:"FROM/TO" example:"2026-11-24T22:00:00Z/2026-11-25T04:00:00Z" maxLength:"128"`
	Sources  string        `json:"sources,omitempty" doc:"addresses and networks from which it came" maxLength:"4000"`
	Networks string        `json:"networks,omitempty" doc:"addresses and networks that it reached" maxLength:"4000"`
	Numbers  string        `json:"as_numbers,omitempty" maxLength:"400"`
	Sector   string        `json:"sector,omitempty" maxLength:"64"`
}

// CaseRequest is a statement that opens a case, or one in a case.
type CaseRequest struct {
	SendRequest
	Case string `json:"case,omitempty" doc:"number of the case; one that is opened gets its number from the node where none is given" maxLength:"64"`
}

// CaseStatement is a statement in a case. What it refers to, its channel and to whom it goes follow from the case, where they are not given.
type CaseStatement struct {
	Channel    string       `json:"channel,omitempty" doc:"where the case is dealt with on several" maxLength:"128"`
	About      string       `json:"about,omitempty" doc:"id or number of the statement that it is about" maxLength:"128"`
	To         string       `json:"to,omitempty" maxLength:"128"`
	Post       traffic.Post `json:"post,omitempty" maxLength:"64"`
	Precedence string       `json:"precedence,omitempty" maxLength:"16"`
	Words
}

// Signal is a row of a codebook.
type Signal struct {
	Code      string   `json:"code,omitempty"`
	Number    int64    `json:"number"`
	Meaning   string   `json:"meaning" doc:"in the reader's language; the proposer's words where the sides have agreed on it since"`
	Responses []string `json:"responses" doc:"codes of the responses that are appropriate"`
	Response  string   `json:"response" doc:"the usual one, in the reader's language"`
	Trial     bool     `json:"trial"`
	Retired   bool     `json:"retired"`
}

// Ledger is what was asked and answered on a channel in a period, the same at every member.
type Ledger struct {
	Channel      string              `json:"channel"`
	Plane        traffic.Plane       `json:"plane"`
	From         time.Time           `json:"from"`
	Until        time.Time           `json:"until" doc:"not in it"`
	Closed       time.Time           `json:"closed" doc:"what was said later is not in it"`
	Digest       string              `json:"digest" doc:"of the account: members who hold the same statements draw the same"`
	Figures      []LedgerFigure      `json:"figures"`
	Requests     []LedgerRequest     `json:"requests"`
	Publications []LedgerPublication `json:"publications"`
}

// LedgerFigure is what one party has had from another, by form and precedence. Times are seconds, -1 where none came.
type LedgerFigure struct {
	From               traffic.Party `json:"from"`
	To                 string        `json:"to"`
	Form               string        `json:"form"`
	What               string        `json:"what"`
	Precedence         string        `json:"precedence"`
	Requests           int           `json:"requests"`
	Acknowledged       int           `json:"acknowledged"`
	InTime             int           `json:"in_time"`
	Late               int           `json:"late"`
	Unanswered         int           `json:"unanswered"`
	Pending            int           `json:"pending"`
	Withdrawn          int           `json:"withdrawn"`
	Extensions         int           `json:"extensions"`
	AcknowledgedMedian int64         `json:"acknowledged_median"`
	AcknowledgedP90    int64         `json:"acknowledged_p90"`
	AnsweredMedian     int64         `json:"answered_median"`
	AnsweredP90        int64         `json:"answered_p90"`
	Behind             []string      `json:"behind" doc:"ids of the requests that it is made of"`
}

// LedgerRequest is one request and what came of it.
type LedgerRequest struct {
	ID           string        `json:"id"`
	From         traffic.Party `json:"from"`
	To           string        `json:"to"`
	Form         string        `json:"form"`
	What         string        `json:"what"`
	Precedence   string        `json:"precedence"`
	Issued       time.Time     `json:"issued"`
	Due          time.Time     `json:"due"`
	Acknowledged time.Time     `json:"acknowledged,omitzero"`
	Answered     time.Time     `json:"answered,omitzero"`
	Extensions   int           `json:"extensions,omitempty"`
	Outcome      string        `json:"outcome" enum:"in-time,late,unanswered,pending,withdrawn"`
	Words        string        `json:"words" doc:"the outcome, in the reader's language"`
}

// LedgerPublication is a proposal to publish the figures of a period.
type LedgerPublication struct {
	ID      string          `json:"id"`
	Party   traffic.Party   `json:"party"`
	From    time.Time       `json:"from"`
	Until   time.Time       `json:"until"`
	Digest  string          `json:"digest"`
	For     []traffic.Party `json:"for"`
	Against []traffic.Party `json:"against"`
	Agreed  bool            `json:"agreed" doc:"every member has signed for these figures"`
}
