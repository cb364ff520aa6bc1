package api

import (
	"encoding/json"
	"time"

	"detente/archive"
	"detente/exchange"
	"detente/traffic"
)

// Status is how the node stands, in one look.
type Status struct {
	Party      traffic.Party     `json:"party"`
	Name       map[string]string `json:"name" doc:"By language."`
	Charter    int               `json:"charter" doc:"Version in force."`
	Version    string            `json:"version" doc:"Of the program."`
	Peers      int               `json:"peers" doc:"Parties that this one is paired with."`
	LinksDown  []traffic.Party   `json:"links_down"`
	Pending    []traffic.Party   `json:"pending" doc:"Imported, and their words not compared yet."`
	Channels   int               `json:"channels" doc:"Established, beside those that follow from pairing."`
	Feeds      int               `json:"feeds"`
	Statements int64             `json:"statements" doc:"Held, of all feeds."`
	Open       int               `json:"open" doc:"Dossiers in which something is due, 1000 for more."`
	Alarms     int               `json:"alarms"`
	Behind     []string          `json:"behind" doc:"Own feeds that may not speak until recover has fetched what was signed."`
}

// Charter is a party as it is known here.
type Charter struct {
	Party     traffic.Party       `json:"party"`
	Own       bool                `json:"own"`
	Trusted   bool                `json:"trusted" doc:"Its words were compared, or it is the own one. Nothing is taken from a party that is not trusted."`
	Name      map[string]string   `json:"name" doc:"By language."`
	Version   int                 `json:"version"`
	Issued    time.Time           `json:"issued"`
	Genesis   string              `json:"genesis" doc:"Hash of version 1 in hex."`
	Words     map[string][]string `json:"words" doc:"Fingerprint of this version, by language: what two people compare by voice."`
	Posts     []Post              `json:"posts"`
	Languages []string            `json:"languages"`
	Routes    []Route             `json:"routes"`
	Text      string              `json:"text" doc:"The charter for a person to read."`
}

// Post is an office of a party.
type Post struct {
	Post traffic.Post `json:"post"`
	May  []string     `json:"may"`
}

// Route is an address at which a party takes bundles.
type Route struct {
	Route   string `json:"route"`
	Address string `json:"address"`
}

// ConfirmRequest is what was heard from the other party.
type ConfirmRequest struct {
	Words string `json:"words" doc:"The 16 words, in English or Russian." maxLength:"1000"`
}

// RenewRequest puts a new version of the own charter into force.
type RenewRequest struct {
	Charter []byte       `json:"charter" doc:"Approved by the roots; its keys are in the key file already."`
	Post    traffic.Post `json:"post" doc:"That announces it."`
	By      string       `json:"by" doc:"Duty role that decides."`
}

// Channel is a channel and who has agreed to it.
type Channel struct {
	ID          string                   `json:"id" doc:"Hex."`
	Name        string                   `json:"name"`
	Kind        string                   `json:"kind" enum:"link,public,common"`
	Members     []traffic.Party          `json:"members"`
	Posts       []traffic.Post           `json:"posts" doc:"That may speak; empty for all."`
	Regime      string                   `json:"regime" example:"communications/1"`
	Open        bool                     `json:"open"`
	Protected   bool                     `json:"protected"`
	Signatures  []string                 `json:"signatures" doc:"That every statement bears."`
	Established bool                     `json:"established"`
	Proposer    traffic.Party            `json:"proposer,omitempty"`
	Agreed      []traffic.Party          `json:"agreed"`
	Refused     map[traffic.Party]string `json:"refused,omitempty" doc:"With the reason given."`
	Forms       []Form                   `json:"forms,omitempty" doc:"Only when one channel is asked for."`
}

// Form is what can be stated on a channel.
type Form struct {
	ID              string               `json:"id"`
	Version         int                  `json:"version"`
	Title           string               `json:"title" doc:"In the language asked for."`
	Ceiling         traffic.Precedence   `json:"ceiling"`
	TwoPersons      []traffic.Precedence `json:"two_persons,omitempty"`
	Posts           []traffic.Post       `json:"posts,omitempty"`
	MustAcknowledge bool                 `json:"must_acknowledge,omitempty"`
	MustAnswer      bool                 `json:"must_answer,omitempty"`
	AnswersWith     []string             `json:"answers_with,omitempty"`
	Refs            string               `json:"refs" enum:"none,one,any" doc:"How many statements it refers to."`
	Fields          []Field              `json:"fields"`
}

// Field is a field of a form.
type Field struct {
	Name     string   `json:"name"`
	Kind     string   `json:"kind"`
	Title    string   `json:"title"`
	Required bool     `json:"required,omitempty"`
	Codes    []string `json:"codes,omitempty"`
	Labels   []string `json:"labels,omitempty" doc:"Beside codes, in the language asked for."`
	Min      int64    `json:"min,omitempty"`
	Max      int64    `json:"max,omitempty" doc:"Characters of a text or line, and of each of texts, value of a count or duration, items of a list."`
	Words    int      `json:"words,omitempty" doc:"The most words of a text."`
	When     *When    `json:"when,omitempty" doc:"Absent where the field always applies."`
}

// When limits a field to statements in which another field has one of some codes.
type When struct {
	Field string   `json:"field"`
	Codes []string `json:"codes"`
}

// ProposeRequest proposes a channel to its other members.
type ProposeRequest struct {
	Name       string          `json:"name" minLength:"1" maxLength:"128"`
	Members    []traffic.Party `json:"members" minItems:"1" maxItems:"64"`
	Posts      []traffic.Post  `json:"posts,omitempty" doc:"That may speak; empty for all."`
	Regime     string          `json:"regime,omitempty" doc:"Such as communications/1, which is the default."`
	Open       bool            `json:"open,omitempty"`
	Protected  bool            `json:"protected,omitempty"`
	Signatures []string        `json:"signatures,omitempty" doc:"Beside Ed25519: ML-DSA-65." enum:"Ed25519,ML-DSA-65"`
	Decision
}

// Decision is who commits the party: a post that may, and the duty role of the person who decides.
type Decision struct {
	Post   traffic.Post `json:"post,omitempty" doc:"A post that may commit the party; empty for the first."`
	By     string       `json:"by,omitempty" doc:"Duty role that decides." maxLength:"128"`
	Reason string       `json:"reason,omitempty" doc:"Of a refusal." maxLength:"2000"`
}

// SendRequest is a statement to be made.
type SendRequest struct {
	Channel    string        `json:"channel" doc:"Name, or the beginning of the id in hex."`
	To         string        `json:"to,omitempty" doc:"Party, party/post, or *. Empty for the other member of two, else *."`
	Post       traffic.Post  `json:"post,omitempty" doc:"That speaks. Empty where the channel or the party has one only."`
	Plane      traffic.Plane `json:"plane,omitempty" enum:"real,exercise,test" default:"real"`
	Precedence string        `json:"precedence,omitempty" doc:"Z, O, P or R, or the word." default:"R"`
	Dossier    string        `json:"dossier,omitempty" doc:"Id or number of a statement of the dossier; empty opens a new one."`
	Refs       []string      `json:"refs,omitempty" maxItems:"64"`
	Words
}

// ReplyRequest is a statement that refers to another, on its channel, in its dossier, to its author.
type ReplyRequest struct {
	Post       traffic.Post `json:"post,omitempty" doc:"Empty for the post that was addressed."`
	Precedence string       `json:"precedence,omitempty" doc:"Empty for that of the statement."`
	Words
}

// Words is what is stated, and by whom.
type Words struct {
	Form        string            `json:"form"`
	Fields      json.RawMessage   `json:"fields,omitempty" doc:"By name, as the form has them."`
	Text        map[string]string `json:"text,omitempty" doc:"In place of fields: each as text, as the command line takes it."`
	Attachments []Attachment      `json:"attachments,omitempty" maxItems:"16"`
	Language    string            `json:"language,omitempty" doc:"Of the original, BCP 47. Empty for the party's first."`
	Marking     string            `json:"marking,omitempty" example:"TLP:AMBER"`
	Drafter     string            `json:"drafter,omitempty" doc:"Duty role. The terminal claims it, by default duty-officer; an officer speaks in one of his own."`
	Releaser    string            `json:"releaser,omitempty" doc:"Duty role of a second person, where the form demands one."`
	Essential   bool              `json:"essential,omitempty" doc:"It cannot wait: it passes MINIMIZE, and what another member has suspended. What this party itself has suspended it does not pass."`
}

// Attachment is a file beside a statement.
type Attachment struct {
	Field string `json:"field,omitempty" doc:"Of the form; empty where it has one only."`
	Name  string `json:"name"`
	Type  string `json:"type" example:"application/stix+json"`
	Data  []byte `json:"data"`
}

// Sent is where a statement now stands. It is durable here, and on its way.
type Sent struct {
	ID      string          `json:"id"`
	Number  string          `json:"number" example:"XN/NRRC-O-0003"`
	Channel string          `json:"channel" doc:"Id in hex."`
	Feed    string          `json:"feed"`
	Index   int64           `json:"index"`
	Waits   []traffic.Party `json:"waits" doc:"Who is to hold it."`
	Case    string          `json:"case,omitempty" doc:"Number of the case that it opened or is in, where it was stated as such."`
}

// Line is a statement in a list.
type Line struct {
	ID         string             `json:"id"`
	Number     string             `json:"number"`
	Form       string             `json:"form"`
	Title      string             `json:"title" doc:"In the language asked for."`
	Precedence traffic.Precedence `json:"precedence"`
	Plane      traffic.Plane      `json:"plane"`
	Channel    string             `json:"channel"`
	From       string             `json:"from"`
	To         string             `json:"to"`
	Issued     time.Time          `json:"issued" doc:"By the author's clock."`
	Held       time.Time          `json:"held" doc:"Here."`
	Own        bool               `json:"own"`
	Dossier    string             `json:"dossier"`
	Standing   string             `json:"standing" doc:"noted, open, acknowledged, answered, corrected, cancelled, out-of-order or invalid."`
	Reason     string             `json:"reason,omitempty" doc:"Why it is out of order or invalid."`
	Owed       []Owed             `json:"owed,omitempty"`
	Duplicate  string             `json:"duplicate,omitempty" doc:"Id of the statement of which it is a suspected duplicate: its author said the same within a day before it."`
}

// Owed is what is due on a statement.
type Owed struct {
	What    string          `json:"what" enum:"acknowledgement,answer"`
	By      []traffic.Party `json:"by"`
	Until   time.Time       `json:"until,omitzero" doc:"Absent while nobody is known to hold it."`
	Overdue bool            `json:"overdue,omitempty"`
}

// Statement is all that is known of one.
type Statement struct {
	Line
	Refs         []string          `json:"refs" doc:"Ids of what it answers, corrects or cancels."`
	Language     string            `json:"language"`
	Marking      string            `json:"marking,omitempty"`
	Drafter      string            `json:"drafter"`
	Releaser     string            `json:"releaser,omitempty"`
	Charter      int               `json:"charter" doc:"Version of the author's that judges it."`
	Feed         string            `json:"feed"`
	Index        int64             `json:"index"`
	Fields       json.RawMessage   `json:"fields,omitempty"`
	Attachments  []AttachedFile    `json:"attachments"`
	Receipts     []archive.Receipt `json:"receipts" doc:"Of machines: who held it, by when."`
	Replies      []Reply           `json:"replies" doc:"Of persons."`
	Level        string            `json:"level" enum:"E0,E1,E2" doc:"E0 signed, E1 in the author's feed, E2 held by everybody it is addressed to."`
	Silence      []Silence         `json:"silence,omitempty" doc:"Why an own statement has no answer yet."`
	Ladder       []Rung            `json:"ladder,omitempty" doc:"How far it has come at each addressee, from the lowest rung up."`
	Translations []Translated      `json:"translations,omitempty" doc:"Beneath the original, which is authoritative: persons' first."`
	Prepared     map[string]string `json:"prepared,omitempty" doc:"Of an own statement: words prepared for a form that takes it back, by form, in the language of the original."`
	Status       []string          `json:"status" doc:"The above in words, in the language asked for."`
	Text         string            `json:"text" doc:"The statement as its reader sees it."`
	Document     *Document         `json:"document,omitempty" doc:"The same in its parts, for a screen. Absent for what its form refuses."`
	Direction    string            `json:"direction" enum:"ltr,rtl"`
}

// Document is a statement laid out for one reader: the form's phrases in his language, the originator's words apart from them. No text in it
// holds a character that could reorder or hide what stands beside it.
type Document struct {
	Language   string          `json:"language" doc:"Of the phrases."`
	Banner     string          `json:"banner,omitempty" doc:"The plane, where it is not the real one."`
	Precedence string          `json:"precedence"`
	Title      string          `json:"title"`
	Head       []DocumentLine  `json:"head"`
	Items      []DocumentField `json:"items"`
	Fixed      string          `json:"fixed,omitempty" doc:"The sentence that the form always bears."`
}

// DocumentLine is a line of the head.
type DocumentLine struct {
	Label string `json:"label"`
	Text  string `json:"text"`
}

// DocumentField is a field: the form's label, and what was stated.
type DocumentField struct {
	Label string        `json:"label"`
	Runs  []DocumentRun `json:"runs"`
}

// DocumentRun is a piece of text on lines of its own: the form's, or the originator's.
type DocumentRun struct {
	Text      string `json:"text"`
	Quoted    bool   `json:"quoted,omitempty" doc:"The originator's words, never translated."`
	Language  string `json:"language,omitempty" doc:"Of quoted words."`
	Direction string `json:"direction,omitempty" enum:"ltr,rtl" doc:"Of quoted words."`
}

// AttachedFile is a file that a statement names.
type AttachedFile struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Size int64  `json:"size"`
	Hash string `json:"hash" doc:"SHA-256 in hex."`
	Held bool   `json:"held" doc:"All of it is here."`
}

// Reply is a statement that refers to another.
type Reply struct {
	ID      string    `json:"id"`
	Number  string    `json:"number"`
	Form    string    `json:"form"`
	From    string    `json:"from"`
	Drafter string    `json:"drafter" doc:"Duty role of the person."`
	Issued  time.Time `json:"issued"`
	Human   bool      `json:"human" doc:"A person said it, and not the node by itself."`
}

// Silence is why one addressee has not answered. Silence is never one thing.
type Silence struct {
	Party traffic.Party    `json:"party"`
	Why   exchange.Silence `json:"why"`
}

// Link is how the link with a peer stands, and what has reached it.
type Link struct {
	exchange.Condition
	Name  map[string]string `json:"name"`
	Feeds []Delivery        `json:"feeds" doc:"Own feeds that the peer is to hold: sent = cosigned + waiting."`
}

// Delivery is how much of an own feed a peer holds.
type Delivery struct {
	Feed     string `json:"feed"`
	Channel  string `json:"channel"`
	Sent     int64  `json:"sent"`
	Cosigned int64  `json:"cosigned"`
	Waiting  int64  `json:"waiting"`
}

// Feed is a feed as it is held here.
type Feed struct {
	Origin     string                  `json:"origin"`
	Channel    string                  `json:"channel"`
	Party      traffic.Party           `json:"party"`
	Plane      traffic.Plane           `json:"plane"`
	Precedence traffic.Precedence      `json:"precedence"`
	Epoch      int                     `json:"epoch"`
	Own        bool                    `json:"own"`
	Size       int64                   `json:"size"`
	Root       string                  `json:"root"`
	Behind     bool                    `json:"behind,omitempty" doc:"It may not speak until recover has fetched what was signed."`
	Cosigned   map[traffic.Party]int64 `json:"cosigned" doc:"How far each other member has."`
}

// ExportRequest asks for the tiles of a feed.
type ExportRequest struct {
	Feed      string `json:"feed" doc:"Its origin."`
	Directory string `json:"directory" doc:"On the node's machine, from its root; what is there of the feed stays."`
}

// Exported is where the tiles of a feed are.
type Exported struct {
	Directory string `json:"directory"`
	Size      int64  `json:"size"`
}

// Pouched is what a pouch file carries.
type Pouched struct {
	Statements int    `json:"statements"`
	File       []byte `json:"file"`
}

// EpochRequest leaves an own feed whose lost entries no member can give back.
type EpochRequest struct {
	Feed   string       `json:"feed" doc:"Origin of the feed that is left."`
	Post   traffic.Post `json:"post"`
	By     string       `json:"by" doc:"Duty role that decides."`
	Reason string       `json:"reason"`
}

// Progress is one line of the stream of a long task. The last one has a result or a problem.
type Progress[T any] struct {
	Done    int64    `json:"done"`
	Of      int64    `json:"of"`
	Result  *T       `json:"result,omitempty"`
	Problem *Problem `json:"problem,omitempty"`
}

// Rebuilt is what a rebuild found.
type Rebuilt struct {
	Checked   int      `json:"checked"`
	Differing []string `json:"differing" doc:"Dossiers whose kept state was not the fold of their statements. None should be."`
}

// Change says that something was stored. What it was, the other requests tell.
type Change struct {
	Statements int64 `json:"statements"`
	Alarms     int   `json:"alarms"`
}
