package api

import (
	"time"

	"detente/exchange"
	"detente/traffic"
)

// This file is what the watch floor shows: what needs somebody now, who is on duty, who was called, and what a second person is to release.

// Watch is what needs somebody now.
type Watch struct {
	Now   time.Time `json:"now"`
	Items []Item    `json:"items" doc:"Not taken yet: FLASH first, then what runs out first."`
	More  int       `json:"more,omitempty" doc:"Items not taken behind those listed: at most 500 are."`
	Taken []Item    `json:"taken" doc:"Taken by a person, and not done."`
	Done  []Item    `json:"done" doc:"Done in the present shift, the newest first; at most 50."`
	Duty  []Duty    `json:"duty" doc:"Who is on duty, by post."`
	Sound string    `json:"sound" enum:"none,immediate,flash" doc:"What an untaken item makes the console sound."`
}

// Item is one thing that needs somebody. It is there until a person has taken it and its cause has gone.
type Item struct {
	Key        string             `json:"key" doc:"The same for one thing for ever, on every process of the party."`
	Kind       string             `json:"kind" enum:"acknowledge,answer,info,missed,alarm,check,directory,roster,release" doc:"acknowledge, answer: due from here; info: to be read by an information addressee; missed: due from another party and overdue, or own time that ran out although somebody had taken the item; check: a check is overdue; directory: an entry is stale; roster: nobody is on duty; release: waits for a second person."`
	Post       traffic.Post       `json:"post"`
	Plane      traffic.Plane      `json:"plane"`
	Precedence traffic.Precedence `json:"precedence"`
	Title      string             `json:"title" doc:"In the language asked for."`
	Detail     string             `json:"detail,omitempty"`
	Statement  string             `json:"statement,omitempty" doc:"Id, where it is about one."`
	Number     string             `json:"number,omitempty"`
	Form       string             `json:"form,omitempty"`
	Channel    string             `json:"channel,omitempty"`
	Peer       traffic.Party      `json:"peer,omitempty"`
	Since      time.Time          `json:"since"`
	Due        time.Time          `json:"due,omitzero"`
	Overdue    bool               `json:"overdue,omitempty"`
	Taken      *Taken             `json:"taken,omitempty"`
	Ended      time.Time          `json:"ended,omitzero"`
	Calls      []Call             `json:"calls" doc:"Who was called for it."`
	NextCall   *NextCall          `json:"next_call,omitempty" doc:"Who will be called next, if nobody takes it."`
}

// Taken is who took an item.
type Taken struct {
	By   string    `json:"by" doc:"Officer, within the party only."`
	Role string    `json:"role" doc:"Duty role."`
	At   time.Time `json:"at"`
}

// Call is an attempt to reach a person.
type Call struct {
	Officer string    `json:"officer"`
	Role    string    `json:"role"`
	Means   string    `json:"means" enum:"console,mail,webhook,command"`
	At      time.Time `json:"at"`
	Outcome string    `json:"outcome" enum:"under-way,placed,failed"`
	Detail  string    `json:"detail,omitempty" doc:"Why it failed, or that it was one call for several items; in the language asked for."`
}

// NextCall is the next step of the ladder.
type NextCall struct {
	Role    string    `json:"role"`
	Officer string    `json:"officer,omitempty" doc:"Empty where the roster names nobody: the step after is taken at once."`
	At      time.Time `json:"at"`
}

// Duty is who is on duty at a post.
type Duty struct {
	Post     traffic.Post  `json:"post"`
	Shift    string        `json:"shift,omitempty"`
	From     time.Time     `json:"from,omitzero"`
	Until    time.Time     `json:"until,omitzero"`
	Officers []DutyOfficer `json:"officers"`
	Unmanned bool          `json:"unmanned,omitempty" doc:"The roster names nobody for the duty officer's role, or there is no roster."`
}

// DutyOfficer is an officer in a duty role.
type DutyOfficer struct {
	Role    string `json:"role" enum:"duty-officer,deputy,head-of-post,senior-official"`
	Officer string `json:"officer"`
	Name    string `json:"name,omitempty"`
}

// TakeRequest takes an item: its alarm stops, and the log says who.
type TakeRequest struct {
	Role   string `json:"role,omitempty" doc:"Duty role in which it is taken; empty for the only one held."`
	Remark string `json:"remark,omitempty" maxLength:"2000"`
}

// Roster is a post's roster.
type Roster struct {
	Post      traffic.Post `json:"post"`
	Text      string       `json:"text" doc:"As it was written, TOML; docs/operate.md#roster."`
	By        string       `json:"by,omitempty"`
	At        time.Time    `json:"at,omitzero"`
	Now       Duty         `json:"now"`
	Shifts    []Duty       `json:"shifts" doc:"The next seven days, overrides included."`
	Overrides []Override   `json:"overrides"`
}

// RosterRequest puts a roster into force.
type RosterRequest struct {
	Text string `json:"text" maxLength:"16000"`
}

// Override puts another officer into a role for a time.
type Override struct {
	Post    traffic.Post `json:"post"`
	Role    string       `json:"role"`
	Officer string       `json:"officer"`
	From    time.Time    `json:"from"`
	Until   time.Time    `json:"until"`
	Reason  string       `json:"reason,omitempty"`
	By      string       `json:"by,omitempty"`

	Handover bool `json:"handover,omitempty" doc:"It came of a hand-over of the watch, until the shift ends."`
}

// Handover is the watch of a post handed over, with what is open. It is in force when both officers have signed.
type Handover struct {
	ID      string       `json:"id,omitempty" doc:"While it waits for a signature."`
	Post    traffic.Post `json:"post"`
	Off     string       `json:"off" doc:"Officer who hands over."`
	On      string       `json:"on" doc:"Officer who takes over."`
	Items   []Item       `json:"items" doc:"What was open when it was drawn up, and still is."`
	Text    string       `json:"text,omitempty" doc:"What was open when it was drawn up, one item a line, in the language asked for."`
	Remarks string       `json:"remarks,omitempty"`
	Signed  []string     `json:"signed" doc:"Officers who have signed."`
	At      time.Time    `json:"at,omitzero" doc:"When it came into force; absent while it waits."`
}

// HandoverRequest begins a hand-over; both officers then approve it.
type HandoverRequest struct {
	Post    traffic.Post `json:"post"`
	Off     string       `json:"off,omitempty" doc:"Empty for whoever acts."`
	On      string       `json:"on" doc:"Officer who takes over."`
	Remarks string       `json:"remarks,omitempty" maxLength:"4000"`
}

// LogEntry is a line of the watch log. The log is append-only: it is the party's internal feed.
type LogEntry struct {
	Index  int64        `json:"index"`
	At     time.Time    `json:"at"`
	Post   traffic.Post `json:"post"`
	Kind   string       `json:"kind" doc:"Form of the internal regime: item, call, handover, entry, officer, session, release, action…"`
	Title  string       `json:"title" doc:"What the kind is called, in the language asked for."`
	By     string       `json:"by" doc:"Officer, terminal, or node for the machine."`
	Who    string       `json:"who" doc:"The same in the language asked for: an officer's id as it is."`
	Human  bool         `json:"human" doc:"A person did it."`
	Text   string       `json:"text" doc:"In the language asked for."`
	Refs   []string     `json:"refs,omitempty" doc:"Ids of statements."`
	Proof  string       `json:"proof,omitempty" doc:"Id of the entry's own statement: detente prove takes it."`
	Number string       `json:"number,omitempty"`
}

// LogListing narrows the log.
type LogListing struct {
	Post  traffic.Post
	Kind  string
	From  time.Time
	Until time.Time
	Limit int // 200 when 0, the newest first
	Lang  string
}

// LogRequest is a note in the log.
type LogRequest struct {
	Post traffic.Post `json:"post"`
	Text string       `json:"text" minLength:"1" maxLength:"8000"`
}

// Check is one communication check, by either side.
type Check struct {
	ID         string        `json:"id"`
	Number     string        `json:"number"`
	Channel    string        `json:"channel"`
	Peer       traffic.Party `json:"peer" doc:"The other side."`
	Own        bool          `json:"own" doc:"Sent from here."`
	Plane      traffic.Plane `json:"plane"`
	Level      int           `json:"level" minimum:"1" maximum:"4"`
	Occasion   string        `json:"occasion,omitempty"`
	Question   string        `json:"question,omitempty"`
	Sent       time.Time     `json:"sent"`
	Due        time.Time     `json:"due,omitzero"`
	Answered   time.Time     `json:"answered,omitzero"`
	AnsweredBy string        `json:"answered_by,omitempty" enum:"terminal,duty-officer,authority"`
	Answer     string        `json:"answer,omitempty"`
	Elapsed    float64       `json:"elapsed,omitempty" doc:"Seconds by the own clock: from sending to the answer, or from holding it to answering."`
	State      string        `json:"state" enum:"waiting,answered,late,missed"`
}

// CheckListing narrows the history of checks.
type CheckListing struct {
	Peer  traffic.Party
	Since time.Time
	Limit int // 200 when 0, the newest first
}

// Checks is the history of checks, and what is planned.
type Checks struct {
	Checks []Check        `json:"checks"`
	Days   []CheckDay     `json:"days" doc:"The last 366 days, by peer."`
	Next   []PlannedCheck `json:"next"`
	Plan   string         `json:"plan" doc:"TOML; docs/operate.md#checks."`
}

// CheckDay is the checks of one day with one peer.
type CheckDay struct {
	Peer     traffic.Party `json:"peer"`
	Day      string        `json:"day" example:"2026-11-23"`
	Sent     int           `json:"sent"`
	Answered int           `json:"answered" doc:"In time."`
	Late     int           `json:"late"`
	Missed   int           `json:"missed"`
}

// PlannedCheck is a check that is to come. Random ones are not told beforehand.
type PlannedCheck struct {
	Channel string        `json:"channel"`
	Peer    traffic.Party `json:"peer"`
	Level   int           `json:"level"`
	At      time.Time     `json:"at"`
	Held    string        `json:"held,omitempty" doc:"Why it is put off: a hand-over on either side."`
}

// CheckRequest runs a check now.
type CheckRequest struct {
	Channel  string        `json:"channel"`
	To       string        `json:"to,omitempty" doc:"Party or party/post; empty for the other member of two."`
	Post     traffic.Post  `json:"post,omitempty"`
	Plane    traffic.Plane `json:"plane,omitempty" enum:"real,exercise,test" default:"real"`
	Level    int           `json:"level" minimum:"1" maximum:"4"`
	Question string        `json:"question,omitempty" doc:"Empty for a fresh one of the program, up to level 2." maxLength:"1000"`
	Largest  bool          `json:"largest,omitempty" doc:"On the plane test: a text of every script and the largest size goes before it."`
	Force    bool          `json:"force,omitempty" doc:"Although a hand-over is under way: both shifts have agreed."`
}

// PlanRequest puts a plan of checks into force.
type PlanRequest struct {
	Text string `json:"text" maxLength:"16000"`
}

// Contact is an entry of the directory.
type Contact struct {
	ID           string        `json:"id" doc:"Of the statement that says so."`
	Number       string        `json:"number"`
	Channel      string        `json:"channel"`
	Party        traffic.Party `json:"party" doc:"Whose entry it is: it alone can change it."`
	Own          bool          `json:"own"`
	Name         string        `json:"name" doc:"Of the entry, within its party."`
	Post         string        `json:"post,omitempty"`
	Category     string        `json:"category"`
	Organisation string        `json:"organisation,omitempty"`
	DutyRole     string        `json:"duty_role,omitempty"`
	Position     string        `json:"position,omitempty"`
	Alternates   string        `json:"alternates,omitempty"`
	AroundClock  bool          `json:"around_clock"`
	Hours        string        `json:"hours,omitempty"`
	Zone         string        `json:"zone,omitempty"`
	Handovers    string        `json:"handovers,omitempty" doc:"UTC, such as 06:00 14:00 22:00."`
	Voice        string        `json:"voice,omitempty"`
	Callback     string        `json:"callback,omitempty"`
	Mail         string        `json:"mail,omitempty"`
	Secure       string        `json:"secure,omitempty"`
	Key          string        `json:"key,omitempty"`
	KeyVerified  string        `json:"key_verified,omitempty"`
	Speaks       string        `json:"speaks,omitempty"`
	Reads        string        `json:"reads,omitempty"`
	Authority    []string      `json:"authority,omitempty"`
	NominatedBy  string        `json:"nominated_by,omitempty"`
	NominatedOn  time.Time     `json:"nominated_on,omitzero"`
	Changed      time.Time     `json:"changed,omitzero"`
	ValidFrom    time.Time     `json:"valid_from,omitzero"`
	ValidUntil   time.Time     `json:"valid_until,omitzero"`
	Visibility   string        `json:"visibility,omitempty"`
	Stated       time.Time     `json:"stated"`
	Confirmed    time.Time     `json:"confirmed" doc:"The last confirmation, or the statement itself."`
	Withdrawn    time.Time     `json:"withdrawn,omitzero"`
	Stale        string        `json:"stale,omitempty" enum:",unconfirmed,expired,withdrawn" doc:"Why it cannot be relied on."`
	ToldLate     bool          `json:"told_late,omitempty" doc:"A change that was told more than 30 days after it."`
	LastCheck    *Check        `json:"last_check,omitempty" doc:"The last check with its party on that channel."`
}

// ContactRequest states an entry of the own directory; Text as the command line takes fields.
type ContactRequest struct {
	Channel string            `json:"channel"`
	Text    map[string]string `json:"text" doc:"Fields of the form contact."`
}

// ContactStatusRequest confirms or withdraws an own entry.
type ContactStatusRequest struct {
	Channel string `json:"channel"`
	Name    string `json:"name"`
	Action  string `json:"action" enum:"confirmed,withdrawn"`
	Text    string `json:"text,omitempty" maxLength:"1000"`
}

// ImportedContacts is what a CSV file of contacts changed.
type ImportedContacts struct {
	Stated    []string `json:"stated" doc:"Names of entries that are new or changed."`
	Unchanged int      `json:"unchanged"`
	Refused   []string `json:"refused" doc:"Lines that are not right, with the reason. Nothing is stated if there are any."`
}

// ChannelStatus is how a channel stands by what its members have stated.
type ChannelStatus struct {
	Channel   string        `json:"channel"`
	ChannelID string        `json:"channel_id"`
	State     string        `json:"state" enum:"open,degraded,restricted,suspended" doc:"The narrowest that any member has stated."`
	Protected bool          `json:"protected" doc:"It cannot be suspended by a statement on another channel."`
	Minimize  *Minimize     `json:"minimize,omitempty"`
	Members   []MemberState `json:"members"`
}

// MemberState is what one member has stated of a channel.
type MemberState struct {
	Party     traffic.Party `json:"party"`
	State     string        `json:"state" enum:"open,degraded,restricted,suspended"`
	Functions []string      `json:"functions,omitempty"`
	Ground    string        `json:"ground,omitempty"`
	Text      string        `json:"text,omitempty"`
	Condition string        `json:"condition,omitempty"`
	Continues []string      `json:"continues,omitempty"`
	From      time.Time     `json:"from,omitzero"`
	Until     time.Time     `json:"until,omitzero"`
	Statement string        `json:"statement,omitempty"`
	Number    string        `json:"number,omitempty"`
}

// Minimize says that only what is essential is to be sent.
type Minimize struct {
	By    traffic.Party `json:"by"`
	Since time.Time     `json:"since"`
	Until time.Time     `json:"until,omitzero"`
}

// SuspendRequest states the status of a channel. What needs two persons waits for the second one.
type SuspendRequest struct {
	Channel  string            `json:"channel"`
	Post     traffic.Post      `json:"post,omitempty"`
	State    string            `json:"state" enum:"open,degraded,restricted,suspended"`
	Text     map[string]string `json:"text,omitempty" doc:"Other fields of the form status."`
	Releaser string            `json:"releaser,omitempty" doc:"Duty role of the second person, at the terminal."`
}

// PostSilence is how one post of a peer stands: why nothing is heard, since when, on what evidence. Silence is never one thing.
type PostSilence struct {
	Peer     traffic.Party    `json:"peer"`
	Post     string           `json:"post" doc:"Empty for the link itself."`
	Channel  string           `json:"channel,omitempty"`
	Why      exchange.Silence `json:"why"`
	Words    string           `json:"words" doc:"In the language asked for."`
	Since    time.Time        `json:"since,omitzero"`
	Evidence []string         `json:"evidence" doc:"What it rests on, in the language asked for."`
}

// Term is an entry of the glossary of a channel: the terms of both sides beside each other.
type Term struct {
	ID            string        `json:"id"`
	Channel       string        `json:"channel"`
	Party         traffic.Party `json:"party"`
	Term          string        `json:"term"`
	Language      string        `json:"language"`
	Definition    string        `json:"definition"`
	Counterpart   string        `json:"counterpart,omitempty"`
	CounterpartIn string        `json:"counterpart_in,omitempty"`
	Standing      string        `json:"standing"`
}

// Station is one point on the way of a statement: where it was, since when, and who says so. A tracer answers with them.
type Station struct {
	At       time.Time     `json:"at,omitzero" doc:"Absent where it has not come."`
	Party    traffic.Party `json:"party"`
	What     string        `json:"what" enum:"released,in-feed,held,accepted,understood,passed-on,answered"`
	By       string        `json:"by,omitempty" doc:"Duty role of a person."`
	To       string        `json:"to,omitempty" doc:"Category, where it was passed on."`
	Human    bool          `json:"human"`
	Evidence string        `json:"evidence" doc:"Id of the statement, or the receipt, that proves it."`
}

// Traffic is the statistics of precedences of one post: inflation is the known disease.
type Traffic struct {
	Party traffic.Party              `json:"party"`
	Post  traffic.Post               `json:"post"`
	Sent  map[traffic.Precedence]int `json:"sent" doc:"In the last 30 days, by precedence."`
	Total map[traffic.Precedence]int `json:"total"`
}
