// Package drafting is what a node tells and takes about instruments in negotiation: the types of api/drafts, and its client.
// It must never be used between parties, nor carry what one party keeps to itself to anybody but that party.
package drafting

import (
	"time"

	"detente/traffic"
)

// Draft is an instrument in a list.
type Draft struct {
	ID        string        `json:"id" doc:"Of the statement that opened the negotiation."`
	Number    string        `json:"number" doc:"Of that statement."`
	Title     string        `json:"title" doc:"In the language of the reader, where there is one; else in the first authentic one."`
	Kind      string        `json:"kind" doc:"Code of the form negotiation."`
	KindWords string        `json:"kind_words"`
	Nature    string        `json:"nature" enum:"legal,political"`
	Channel   string        `json:"channel" doc:"Its name."`
	ChannelID string        `json:"channel_id"`
	Plane     traffic.Plane `json:"plane"`
	Parties   []string      `json:"parties"`
	Languages []string      `json:"languages" doc:"The authentic ones, in their order."`
	Stage     string        `json:"stage" doc:"opened, tabled, agreed, scrubbed, certified, initialled, signed, consented, in-force, suspended, ended or lapsed."`
	Stands    string        `json:"stands" doc:"The stage in words."`
	Since     time.Time     `json:"since,omitzero" doc:"Since when it is at that stage."`
	Total     int           `json:"total" doc:"Provisions."`
	Agreed    int           `json:"agreed" doc:"Of them, those that are agreed."`
	Ours      int           `json:"ours" doc:"Of them, those on which the others wait for this party."`
	Last      time.Time     `json:"last,omitzero" doc:"When something was said in it last."`
}

// File is one negotiation, whole.
type File struct {
	Draft
	Titles     map[string]string `json:"titles"`
	Opener     string            `json:"opener" doc:"Address."`
	Opened     time.Time         `json:"opened"`
	Prevailing string            `json:"prevailing,omitempty" doc:"Language whose text prevails in case of divergence."`
	Template   string            `json:"template,omitempty"`
	Amends     string            `json:"amends,omitempty" doc:"Hash of the manifest of the instrument that it amends."`
	Case       string            `json:"case,omitempty"`
	Remarks    string            `json:"remarks,omitempty"`
	Frozen     string            `json:"frozen,omitempty" doc:"Hash of the manifest that all have authenticated: the text does not move any more."`
	Text       string            `json:"text,omitempty" doc:"Digest of the clean text; absent while something is open."`
	Provisions []Provision       `json:"provisions" doc:"In the order of the text, those that are no clauses (title, names, structure) first."`
	Packages   []Package         `json:"packages"`
	Comments   []Comment         `json:"comments"`
	Manifests  []Manifest        `json:"manifests"`
	Powers     []Powers          `json:"powers"`
	Ladder     []Rung            `json:"ladder"`
	Notes      []Note            `json:"notes" doc:"What this party keeps to itself. It is sent to nobody."`
	Entries    []Entry           `json:"entries" doc:"Every statement, those without effect too."`
	Status     *Status           `json:"status,omitempty" doc:"How the instrument stands now; absent before it has a manifest."`
	Next       []string          `json:"next" doc:"Steps and other statements that this party may make now."`
}

// Provision is what the parties say of one provision.
type Provision struct {
	ID       string             `json:"id"`
	Kind     string             `json:"kind" doc:"Of its clause: preamble, chapter, article, paragraph, point, subpoint, passage, annex or closing; title, names or structure of what is no clause."`
	Number   string             `json:"number,omitempty"`
	Label    map[string]string  `json:"label,omitempty" doc:"Its number as each language prints it."`
	Agreed   bool               `json:"agreed"`
	Why      string             `json:"why,omitempty" doc:"Code: why it is not agreed."`
	WhyWords string             `json:"why_words,omitempty"`
	Reopened int                `json:"reopened" doc:"How often it was agreed and then was not."`
	Ours     bool               `json:"ours" doc:"The others wait for this party."`
	Texts    map[string]string  `json:"texts,omitempty" doc:"What all stand on; absent while they differ."`
	Order    string             `json:"order,omitempty" doc:"Of the structure: the one that is shown."`
	Digest   string             `json:"digest,omitempty" doc:"Of what all stand on."`
	Stands   []Stand            `json:"stands" doc:"Of each party, this one first."`
	Brackets map[string][]Piece `json:"brackets,omitempty" doc:"By language: what is common, and what who wants in its place."`
	Lines    map[string]string  `json:"lines,omitempty" doc:"The brackets in one line: … [XN: without delay] [XS: within 24 hours] …"`
	Changes  map[string]Changes `json:"changes,omitempty" doc:"By language: from the first other party's wording to this party's, word by word. Absent where they are the same."`
	Hidden   []Commitment       `json:"hidden,omitempty" doc:"Commitments to a wording that is not shown yet."`
	Comments []Comment          `json:"comments,omitempty"`
	Notes    []Note             `json:"notes,omitempty" doc:"Of this party alone."`
}

// Stand is where a party stands on a provision.
type Stand struct {
	Party     traffic.Party     `json:"party"`
	Kind      string            `json:"kind" doc:"position, acceptance, reservation, package; empty where it stands nowhere."`
	Words     string            `json:"words" doc:"The same, for a reader."`
	Digest    string            `json:"digest,omitempty"`
	Texts     map[string]string `json:"texts,omitempty"`
	Order     string            `json:"order,omitempty"`
	Reserved  string            `json:"reserved,omitempty" doc:"Code of its reservation."`
	Reason    string            `json:"reason,omitempty" doc:"Its words about it."`
	Package   string            `json:"package,omitempty" doc:"Id of the package that it is a part of."`
	Statement string            `json:"statement,omitempty"`
	Number    string            `json:"number,omitempty"`
	At        time.Time         `json:"at,omitzero"`
}

// Piece is a part of a rolling text. Without parties it is common to all.
type Piece struct {
	Text    string          `json:"text"`
	Parties []traffic.Party `json:"parties,omitempty"`
}

// Changes are what differs between two wordings, in words.
type Changes []Change

// Change is a run of words that is kept, added or left out.
type Change struct {
	Op   string `json:"op" enum:"same,added,removed"`
	Text string `json:"text"`
}

// Commitment is a wording that its author has committed itself to and not shown.
type Commitment struct {
	Party     traffic.Party   `json:"party"`
	With      []traffic.Party `json:"with,omitempty" doc:"Who is to commit itself too before it is shown; empty: all the others."`
	Digest    string          `json:"digest"`
	Statement string          `json:"statement"`
	Waits     []traffic.Party `json:"waits,omitempty" doc:"Of those, who has not."`
}

// Package is what a party agrees to only together.
type Package struct {
	ID        string            `json:"id"`
	Name      string            `json:"name"`
	By        traffic.Party     `json:"by"`
	Items     map[string]string `json:"items" doc:"Digest of the wording by provision."`
	Withdrawn bool              `json:"withdrawn,omitempty"`
	Met       bool              `json:"met" doc:"All stand on all of it."`
}

// Comment is what a party says without a position.
type Comment struct {
	By        string    `json:"by"`
	Provision string    `json:"provision,omitempty"`
	Words     string    `json:"words"`
	Paper     bool      `json:"paper,omitempty" doc:"A non-paper."`
	Statement string    `json:"statement"`
	At        time.Time `json:"at"`
}

// Note is what this party keeps to itself.
type Note struct {
	ID        string            `json:"id"`
	Provision string            `json:"provision,omitempty"`
	Kind      string            `json:"kind" enum:"instruction,fall-back,comment"`
	Officer   string            `json:"officer,omitempty" doc:"Empty for the terminal."`
	At        time.Time         `json:"at"`
	Words     string            `json:"words"`
	Texts     map[string]string `json:"texts,omitempty" doc:"Of a fall-back."`
}

// Manifest is what is initialled, signed and consented to.
type Manifest struct {
	Hash       string       `json:"hash"`
	Statement  string       `json:"statement"`
	By         string       `json:"by"`
	At         time.Time    `json:"at"`
	Kind       string       `json:"kind"`
	Text       string       `json:"text" doc:"Digest of the clean text."`
	Current    bool         `json:"current" doc:"It is of the text as it stands agreed here."`
	Originals  []Original   `json:"originals"`
	Parties    []Member     `json:"parties"`
	Sealers    []Member     `json:"sealers,omitempty" doc:"None: it enters into force by the acts of the parties, one after the other."`
	Faulty     int          `json:"faulty"`
	Deadline   time.Time    `json:"deadline"`
	Delta      string       `json:"delta,omitempty"`
	Effect     string       `json:"effect" enum:"sealing,date,procedures"`
	EffectDate time.Time    `json:"effect_date,omitzero"`
	After      string       `json:"after,omitempty" doc:"ISO 8601 period after the last notification."`
	Duration   string       `json:"duration,omitempty"`
	Renewal    string       `json:"renewal,omitempty"`
	Notice     string       `json:"notice,omitempty"`
	Channels   []NewChannel `json:"channels,omitempty" doc:"Channels that come into being with it."`
	Regards    string       `json:"regards,omitempty"`
	Initialled []string     `json:"initialled" doc:"Parties that have."`
	Signed     []string     `json:"signed"`
	Consented  []string     `json:"consented"`
}

// Original is the text as a party holds it in one language.
type Original struct {
	Party  traffic.Party `json:"party"`
	Lang   string        `json:"lang"`
	Digest string        `json:"digest"`
	Own    string        `json:"own" enum:"same,different,unknown" doc:"What rendering it here gives. unknown: the text as it stands is not the manifest's."`
}

// Member is a party or a sealer of a manifest.
type Member struct {
	Address string   `json:"address"`
	Keys    []string `json:"keys" doc:"Ids, hex."`
	Powers  []string `json:"powers,omitempty" doc:"Ids of the statements that give it full powers."`
}

// NewChannel is a channel that an instrument brings about.
type NewChannel struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Regime string `json:"regime"`
	State  string `json:"state" enum:"foreseen,proposed,established"`
}

// Powers are full powers of a post.
type Powers struct {
	ID             string    `json:"id"`
	Number         string    `json:"number"`
	Party          string    `json:"party"`
	Post           string    `json:"post"`
	Representative string    `json:"representative" doc:"An office, never a name."`
	May            []string  `json:"may"`
	Instrument     string    `json:"instrument,omitempty" doc:"Dossier; absent: every instrument."`
	Authority      string    `json:"authority"`
	From           time.Time `json:"from,omitzero"`
	Until          time.Time `json:"until,omitzero"`
	At             time.Time `json:"at"`
	Revoked        time.Time `json:"revoked,omitzero"`
	RevokedBy      string    `json:"revoked_by,omitempty" doc:"Id of the statement."`
}

// Rung is a step on the ladder.
type Rung struct {
	Form      string    `json:"form"`
	What      string    `json:"what" doc:"For a reader."`
	Party     string    `json:"party"`
	By        string    `json:"by" doc:"Address."`
	At        time.Time `json:"at"`
	Statement string    `json:"statement"`
	Number    string    `json:"number"`
	Manifest  string    `json:"manifest,omitempty"`
	Manner    string    `json:"manner,omitempty"`
	Powers    string    `json:"powers,omitempty"`
}

// Entry is a statement of a negotiation.
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
	Remarks  []string  `json:"remarks,omitempty" doc:"In words."`
}

// Status is how an instrument stands on a date.
type Status struct {
	On        time.Time `json:"on"`
	Stage     string    `json:"stage"`
	Words     string    `json:"words"`
	Manifest  string    `json:"manifest,omitempty" doc:"Hash of the one that counts."`
	Legal     bool      `json:"legal" doc:"Else political."`
	Since     time.Time `json:"since,omitzero" doc:"When it came to that stage."`
	InForce   time.Time `json:"in_force,omitzero" doc:"When it entered into force."`
	Until     time.Time `json:"until,omitzero" doc:"When it ends as things stand."`
	Term      time.Time `json:"term,omitzero" doc:"When its term ends or is renewed."`
	NoticeBy  time.Time `json:"notice_by,omitzero" doc:"The last day for a notice that takes effect with the end of the term."`
	Suspended []string  `json:"suspended,omitempty" doc:"Provisions out of operation."`
	Parties   []Party   `json:"parties"`
	Dues      []Due     `json:"dues" doc:"What runs out."`
}

// Party is how far one party has come. A time that is not there has not come.
type Party struct {
	Party      traffic.Party `json:"party"`
	Certified  time.Time     `json:"certified,omitzero"`
	Initialled time.Time     `json:"initialled,omitzero"`
	Signed     time.Time     `json:"signed,omitzero"`
	Manner     string        `json:"manner,omitempty" doc:"Of the signature."`
	Confirmed  time.Time     `json:"confirmed,omitzero" doc:"Of a signature ad referendum."`
	Consented  time.Time     `json:"consented,omitzero"`
	By         string        `json:"by,omitempty" doc:"Manner of the consent: signature, ratification, notes, …"`
	Leaves     time.Time     `json:"leaves,omitzero" doc:"Effect of its notice of termination."`
	Bound      bool          `json:"bound"`
}

// Due is what runs out.
type Due struct {
	ID    string    `json:"id" doc:"Code."`
	Words string    `json:"words"`
	Party string    `json:"party,omitempty"`
	At    time.Time `json:"at"`
}
