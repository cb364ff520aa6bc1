// Package talks is what a node tells and takes about consultations and groups of experts: the types of api/dialogue, and its client.
// It must never be used between parties, nor carry what was said in a session to anybody but its members.
package talks

import (
	"time"

	"detente/traffic"
)

// Line is a series or a group in a list.
type Line struct {
	ID         string        `json:"id" doc:"Of the statement that opened it."`
	Number     string        `json:"number" doc:"Of that statement."`
	Kind       string        `json:"kind" enum:"series,group"`
	Name       string        `json:"name" doc:"In the language of the reader, where there is one."`
	Channel    string        `json:"channel" doc:"Its name."`
	ChannelID  string        `json:"channel_id"`
	Protected  bool          `json:"protected" doc:"No suspension of another channel touches it."`
	Goes       bool          `json:"goes" doc:"Nothing that was stated stops it now."`
	Stopped    string        `json:"stopped,omitempty" doc:"What stops it."`
	Plane      traffic.Plane `json:"plane"`
	Parties    []string      `json:"parties"`
	Stands     string        `json:"stands" doc:"Code of a series: agreed, proposed, refused, missed, overdue, due. Of a group: open, chatham-house."`
	Words      string        `json:"words" doc:"The same for a reader."`
	Level      string        `json:"level,omitempty"`
	LevelWords string        `json:"level_words,omitempty"`
	Every      string        `json:"every,omitempty" doc:"How often a round is due."`
	Round      int           `json:"round,omitempty" doc:"Number of the round that is to come."`
	Host       string        `json:"host,omitempty" doc:"Whose turn it is."`
	Due        time.Time     `json:"due,omitzero" doc:"By when it is to take place."`
	Overdue    bool          `json:"overdue,omitempty"`
	Lighter    string        `json:"lighter,omitempty" doc:"Code of the form to offer in place of the one last spoken of."`
	LighterIn  string        `json:"lighter_words,omitempty"`
	Next       *Proposal     `json:"next,omitempty" doc:"Agreed, and not held yet."`
	LastHeld   time.Time     `json:"last_held,omitzero"`
	Open       int           `json:"open" doc:"Actions that are open."`
	Late       int           `json:"late" doc:"Of them, those past their day."`
	Rapporteur string        `json:"rapporteur,omitempty"`
	Members    []string      `json:"members,omitempty"`
	Rule       string        `json:"rule,omitempty" doc:"open or chatham-house."`
	Last       time.Time     `json:"last,omitzero" doc:"When something was said in it last."`
}

// File is one series or group, whole.
type File struct {
	Line
	Names     map[string]string `json:"names"`
	Opener    string            `json:"opener" doc:"Address."`
	Opened    time.Time         `json:"opened"`
	Hosts     []string          `json:"hosts,omitempty"`
	Languages []string          `json:"languages,omitempty"`
	Basis     string            `json:"basis,omitempty" doc:"Hash of the manifest of the agreement that it reviews."`
	Case      string            `json:"case,omitempty"`
	Mandate   string            `json:"mandate,omitempty" doc:"Id of the negotiation of the mandate."`
	Rounds    []Round           `json:"rounds"`
	Actions   []Action          `json:"actions"`
	Papers    []Paper           `json:"papers"`
	Thread    []Post            `json:"thread"`
	Reports   []Report          `json:"reports"`
	Sessions  []Session         `json:"sessions"`
	Entries   []Entry           `json:"entries" doc:"Every statement, those without effect too."`
}

// Round is one round.
type Round struct {
	Number      int          `json:"number"`
	Host        string       `json:"host"`
	Proposals   []Proposal   `json:"proposals"`
	Agreed      *Proposal    `json:"agreed,omitempty"`
	Refusals    []Refusal    `json:"refusals"`
	Held        []Held       `json:"held"`
	Delegations []Delegation `json:"delegations"`
	Texts       []Text       `json:"texts"`
	Signed      bool         `json:"signed" doc:"Every member has signed the minutes."`
}

// Proposal is a time and a form for a round.
type Proposal struct {
	ID       string          `json:"id"`
	Number   string          `json:"number" doc:"Of the statement."`
	By       string          `json:"by"`
	At       time.Time       `json:"at"`
	Mode     string          `json:"mode"`
	ModeIn   string          `json:"mode_words"`
	Host     string          `json:"host"`
	Place    string          `json:"place,omitempty"`
	From     time.Time       `json:"from"`
	To       time.Time       `json:"to"`
	Words    string          `json:"words,omitempty"`
	Standing []traffic.Party `json:"standing" doc:"Who stands on it now."`
}

// Refusal is a party's word that it takes no part in a round.
type Refusal struct {
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	Ground   string    `json:"ground"`
	GroundIn string    `json:"ground_words"`
	Words    string    `json:"words,omitempty"`
	Instead  string    `json:"instead,omitempty"`
	InForce  bool      `json:"in_force" doc:"It has not stood on a proposal for this round since."`
}

// Held is a party's word that a round took place.
type Held struct {
	By    string    `json:"by"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Mode  string    `json:"mode"`
	Place string    `json:"place,omitempty"`
}

// Delegation is who comes for a party.
type Delegation struct {
	By          string   `json:"by"`
	Head        string   `json:"head"`
	Members     []string `json:"members,omitempty"`
	Credentials string   `json:"credentials,omitempty"`
}

// Text is an agenda, minutes or a report.
type Text struct {
	What        string          `json:"what" doc:"agenda, minutes or report."`
	Negotiation string          `json:"negotiation" doc:"Id, as show-draft takes it."`
	Number      string          `json:"number"`
	Agreed      bool            `json:"agreed" doc:"All stand on every word of it."`
	Digest      string          `json:"digest,omitempty" doc:"Of the clean text: what is signed."`
	Signed      []traffic.Party `json:"signed" doc:"Who has signed that digest."`
	Items       []Item          `json:"items"`
}

// Item is a line of such a text.
type Item struct {
	ID     string            `json:"id"`
	Texts  map[string]string `json:"texts"`
	Agreed bool              `json:"agreed"`
}

// Action is something that a party has to do.
type Action struct {
	ID     string            `json:"id"`
	Number string            `json:"number" doc:"Of the statement."`
	Round  int               `json:"round"`
	Texts  map[string]string `json:"texts"`
	Owner  string            `json:"owner"`
	Due    time.Time         `json:"due"`
	State  string            `json:"state" enum:"open,done,dropped,transferred"`
	Note   string            `json:"note,omitempty"`
	Late   bool              `json:"late"`
}

// Paper is a document on the table.
type Paper struct {
	ID    string            `json:"id"`
	By    string            `json:"by"`
	At    time.Time         `json:"at"`
	Round int               `json:"round,omitempty"`
	Kind  string            `json:"kind"`
	Title map[string]string `json:"title"`
	Words string            `json:"words,omitempty"`
	File  string            `json:"file,omitempty" doc:"Name of the attachment."`
}

// Post is a signed word in a group.
type Post struct {
	ID     string    `json:"id"`
	Number string    `json:"number"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Words  string    `json:"words"`
	To     string    `json:"to,omitempty" doc:"Id of the one that it answers."`
}

// Report is a text that a group adopts, or not.
type Report struct {
	Negotiation string            `json:"negotiation"`
	Adopted     bool              `json:"adopted"`
	Text        string            `json:"text,omitempty" doc:"Digest of what was adopted."`
	Dissent     map[string]string `json:"dissent" doc:"By party, the words of its dissent; empty before it is adopted."`
	Positions   []Position        `json:"positions" doc:"What each party said last, by party."`
}

// Position is what a party said of a report last.
type Position struct {
	By        traffic.Party `json:"by"`
	Statement string        `json:"statement" doc:"Id."`
	Text      string        `json:"text" doc:"Digest of the text that it is about."`
	How       string        `json:"how" enum:"consensus,dissent"`
	Words     string        `json:"words,omitempty" doc:"Of a dissent."`
}

// Session is a session under the Chatham House rule. What was said there is in read-session.
type Session struct {
	ID      string              `json:"id"`
	Number  string              `json:"number"`
	Name    string              `json:"name"`
	From    time.Time           `json:"from"`
	To      time.Time           `json:"to"`
	Until   time.Time           `json:"until" doc:"When what was said is gone."`
	Members []string            `json:"members"`
	Outputs []map[string]string `json:"outputs" doc:"What was agreed on, by language."`
}

// Entry is a statement and what the fold made of it.
type Entry struct {
	ID       string    `json:"id"`
	Number   string    `json:"number"`
	Form     string    `json:"form"`
	What     string    `json:"what"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	Held     time.Time `json:"held"`
	Why      string    `json:"why,omitempty" doc:"Code: why it has no effect."`
	WhyWords string    `json:"why_words,omitempty"`
}

// Spoken is a contribution to a session, for its members.
type Spoken struct {
	ID         string        `json:"id"`
	At         time.Time     `json:"at"`
	Speaker    traffic.Party `json:"speaker"`
	Words      string        `json:"words"`
	Own        bool          `json:"own" doc:"Made here."`
	Attributed bool          `json:"attributed" doc:"Its speaker has said so in a statement."`
}

// Anonymous is a contribution as it may leave the session.
type Anonymous struct {
	On    time.Time `json:"on" doc:"The day."`
	By    string    `json:"by" doc:"A participant."`
	Words string    `json:"words"`
}

// Taken is what came of a file of a session.
type Taken struct {
	Session string `json:"session"`
	Came    int    `json:"came" doc:"Contributions that were not here yet."`
	Refused int    `json:"refused" doc:"Those that no member made, or that name a speaker who is not a member."`
}
