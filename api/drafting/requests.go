package drafting

import (
	"time"

	"detente/api"
	"detente/traffic"
)

// Voice is on whose part something is stated.
type Voice struct {
	Post      traffic.Post `json:"post,omitempty" doc:"That speaks; the one that the manifest or the negotiation knows by default."`
	Drafter   string       `json:"drafter,omitempty" doc:"Duty role, for the terminal; an officer has his own."`
	Releaser  string       `json:"releaser,omitempty" doc:"Duty role of the second person, for the terminal."`
	Language  string       `json:"language,omitempty" doc:"In which remarks are written; the party's first by default."`
	Essential bool         `json:"essential,omitempty" doc:"It passes MINIMIZE."`
}

// New opens a negotiation: empty, with the text of a template, or with a text that is given.
type New struct {
	Voice
	Channel    string            `json:"channel" doc:"Name, or the beginning of the id."`
	Plane      traffic.Plane     `json:"plane,omitempty" enum:"real,exercise,test"`
	Title      map[string]string `json:"title,omitempty" doc:"By language; that of the text by default."`
	Kind       string            `json:"kind,omitempty" doc:"treaty by default, or that of the template."`
	Nature     string            `json:"nature,omitempty" enum:"legal,political" doc:"legal by default, or that of the template."`
	Languages  []string          `json:"languages,omitempty" maxItems:"24" doc:"The authentic ones, in their order; those of the title by default."`
	Prevailing string            `json:"prevailing,omitempty"`
	Parties    []traffic.Party   `json:"parties,omitempty" maxItems:"64" doc:"All members of the channel by default."`
	Template   string            `json:"template,omitempty" doc:"Its name: see list-templates."`
	Amends     string            `json:"amends,omitempty" doc:"Hash of the manifest of the instrument that it amends."`
	Case       string            `json:"case,omitempty"`
	Remarks    string            `json:"remarks,omitempty"`
	Text       *Text             `json:"text,omitempty" doc:"To be tabled as the own position on everything."`
}

// Opened is a negotiation that was opened.
type Opened struct {
	api.Sent
	Positions int `json:"positions" doc:"Provisions on which a position was taken with it."`
}

// Text is the text of an instrument, complete in itself. Clauses stand in their order.
type Text struct {
	Title      map[string]string `json:"title,omitempty"`
	Kind       string            `json:"kind,omitempty"`
	Nature     string            `json:"nature,omitempty"`
	Languages  []string          `json:"languages,omitempty"`
	Prevailing string            `json:"prevailing,omitempty"`
	Names      map[string]string `json:"names,omitempty" doc:"How the parties are called, by language: lines of party and name."`
	Clauses    []Clause          `json:"clauses" maxItems:"4096"`
	Digest     string            `json:"digest,omitempty" doc:"Of a clean text. It is not read."`
}

// Clause is a provision in its place.
type Clause struct {
	ID     string             `json:"id,omitempty" doc:"A new one is given where there is none."`
	Kind   string             `json:"kind" doc:"preamble, chapter, article, paragraph, point, subpoint, passage, annex or closing."`
	Number string             `json:"number,omitempty" doc:"It is computed, and not read."`
	Texts  map[string]string  `json:"texts,omitempty"`
	Open   map[string][]Piece `json:"open,omitempty" doc:"Of a text in negotiation: by language, who wants what. It is not read."`
}

// Import holds a text against the negotiation: what differs from where this party stands becomes a position, nothing else does.
type Import struct {
	Voice
	Text   Text   `json:"text"`
	Note   string `json:"note,omitempty" doc:"With each position."`
	DryRun bool   `json:"dry_run,omitempty" doc:"Only tell what would be tabled."`
}

// Imported is what came of it.
type Imported struct {
	Changes []ImportChange `json:"changes"`
	Sent    []api.Sent     `json:"sent" doc:"Of each change, in their order; empty for a dry run."`
}

// ImportChange is a provision on which an import takes another position.
type ImportChange struct {
	Provision string             `json:"provision"`
	New       bool               `json:"new" doc:"Nobody has spoken of it."`
	Texts     map[string]string  `json:"texts,omitempty"`
	Order     string             `json:"order,omitempty"`
	Changes   map[string]Changes `json:"changes,omitempty" doc:"By language, from where this party stood."`
}

// Table takes a position on a provision.
type Table struct {
	Voice
	Provision string            `json:"provision,omitempty" doc:"A new id is given where there is none; structure, title and names are provisions too."`
	Texts     map[string]string `json:"texts,omitempty" doc:"By language. Languages that are not given keep the text on which this party stands."`
	Order     string            `json:"order,omitempty" doc:"Of the structure: lines of kind and provision."`
	Note      string            `json:"note,omitempty"`
	Kind      string            `json:"kind,omitempty" doc:"Of a new clause, which is put into the structure too."`
	After     string            `json:"after,omitempty" doc:"Behind which clause a new one goes; the end by default."`
	Drop      bool              `json:"drop,omitempty" doc:"Propose a structure without the clause."`
	Hidden    bool              `json:"hidden,omitempty" doc:"Commit to it only; it shows itself when the others have committed themselves too."`
	With      []traffic.Party   `json:"with,omitempty" doc:"Who is to; all the others by default."`
}

// Tabled is a position, or several where a clause was put into the structure.
type Tabled struct {
	Provision string     `json:"provision"`
	Sent      []api.Sent `json:"sent"`
}

// Accept stands on wordings of others.
type Accept struct {
	Voice
	Provisions []string `json:"provisions,omitempty" maxItems:"4096"`
	All        bool     `json:"all,omitempty" doc:"Every provision on which all others stand on one wording."`
	Of         string   `json:"of,omitempty" doc:"Whose wording, or digits of its digest; the only one of the others by default."`
}

// Reserve stands on a wording with a reservation.
type Reserve struct {
	Voice
	Provision string `json:"provision"`
	Of        string `json:"of,omitempty"`
	Reason    string `json:"reason" enum:"scrutiny,ad-referendum,language,other"`
	Words     string `json:"words,omitempty"`
}

// Withdraw gives up the own stand on a provision.
type Withdraw struct {
	Voice
	Provision string `json:"provision"`
}

// Bundle agrees to several wordings only together.
type Bundle struct {
	Voice
	Name  string            `json:"name"`
	Items map[string]string `json:"items" doc:"Of each provision whose wording, or digits of its digest; empty is the own stand, or the only one of the others."`
}

// Remark comments on a provision, or on all.
type Remark struct {
	Voice
	Provision string `json:"provision,omitempty"`
	Words     string `json:"words"`
	Paper     bool   `json:"paper,omitempty" doc:"A non-paper: it commits nobody, and is about no provision."`
}

// NewNote keeps something in this node alone.
type NewNote struct {
	Provision string            `json:"provision,omitempty"`
	Kind      string            `json:"kind" enum:"instruction,fall-back,comment"`
	Words     string            `json:"words,omitempty"`
	Texts     map[string]string `json:"texts,omitempty"`
}

// Terms make a manifest of the clean text.
type Terms struct {
	Voice
	Kind     string                         `json:"kind,omitempty"`
	Posts    map[traffic.Party]traffic.Post `json:"posts,omitempty" doc:"Which post of each party takes part; the one with full powers by default."`
	Sealers  []string                       `json:"sealers,omitempty" maxItems:"31" doc:"Addresses. None: it enters into force by the acts of the parties, one after the other."`
	Faulty   int                            `json:"faulty,omitempty" doc:"How many of them may fail or lie; there must be three times as many and one."`
	Deadline time.Time                      `json:"deadline,omitzero" doc:"In 90 days by default."`
	Delta    string                         `json:"delta,omitempty" doc:"Within which sealers reach each other, such as 6h."`
	Effect   string                         `json:"effect,omitempty" enum:"sealing,date,procedures" doc:"sealing by default."`
	Date     time.Time                      `json:"date,omitzero"`
	After    string                         `json:"after,omitempty" doc:"ISO 8601 period."`
	Duration string                         `json:"duration,omitempty" doc:"ISO 8601 period, such as P3Y; none: without limit."`
	Renewal  string                         `json:"renewal,omitempty"`
	Notice   string                         `json:"notice,omitempty"`
	Channels []TermsChannel                 `json:"channels,omitempty" maxItems:"16" doc:"That come into being when it enters into force."`
	Regards  string                         `json:"regards,omitempty" doc:"Hash of the manifest that it ratifies, amends, extends or ends."`
}

// TermsChannel is a channel that comes into being.
type TermsChannel struct {
	Name      string         `json:"name"`
	Regime    string         `json:"regime" example:"incidents/1"`
	Posts     []traffic.Post `json:"posts,omitempty"`
	Open      bool           `json:"open,omitempty"`
	Protected bool           `json:"protected,omitempty"`
}

// Manifested is a manifest that was tabled.
type Manifested struct {
	api.Sent
	Manifest Manifest `json:"manifest"`
}

// Step is a step on the ladder.
type Step struct {
	Voice
	Step       string            `json:"step" enum:"certify,initial,sign,confirm,consent,first-note,second-note,correct,accept-correction,object-to-correction,suspend,resume,terminate,revoke-notice,extend"`
	Manifest   string            `json:"manifest,omitempty" doc:"Digits of its hash; the one that all have authenticated, or else the last complete one, by default."`
	Manner     string            `json:"manner,omitempty" doc:"Of a signature: definitive, ad-referendum, subject-to-ratification. Of a consent: ratification, acceptance, approval, accession, notification, exchange."`
	Place      string            `json:"place,omitempty"`
	Number     string            `json:"number,omitempty" doc:"Of a note."`
	Languages  []string          `json:"languages,omitempty" doc:"That were compared, to certify."`
	Officer    string            `json:"officer,omitempty" doc:"Office that certifies."`
	About      string            `json:"about,omitempty" doc:"The correction or notice that is answered or revoked; the last one by default."`
	Provision  string            `json:"provision,omitempty"`
	Provisions []string          `json:"provisions,omitempty"`
	Texts      map[string]string `json:"texts,omitempty" doc:"Of a correction, of which a language that is left out stays as it reads, or of a note: {note} in a second note stands for the first. A note without texts is written by the template."`
	Words      string            `json:"words,omitempty" doc:"Reason, ground or remarks."`
	At         time.Time         `json:"at,omitzero" doc:"From when it is suspended, when a notice takes effect, until when it is extended."`
	Scan       *api.Attachment   `json:"scan,omitempty" doc:"Of a paper instrument."`
}

// NewPowers issue full powers.
type NewPowers struct {
	Voice
	Channel        string          `json:"channel,omitempty" doc:"Where they are stated; that of the instrument by default."`
	Plane          traffic.Plane   `json:"plane,omitempty" enum:"real,exercise,test"`
	Instrument     string          `json:"instrument,omitempty" doc:"The negotiation that they are for; all on that channel by default."`
	Representative string          `json:"representative" doc:"An office, never a name."`
	For            traffic.Post    `json:"for" doc:"Own post that is empowered."`
	May            []string        `json:"may" doc:"negotiate, initial, sign, consent, withdraw, seal, declare."`
	Authority      string          `json:"authority" enum:"head-of-state,head-of-government,foreign-minister,organisation"`
	From           time.Time       `json:"from,omitzero"`
	Until          time.Time       `json:"until,omitzero"`
	Scan           *api.Attachment `json:"scan,omitempty"`
}

// Revoke revokes full powers.
type Revoke struct {
	Voice
	Reason string `json:"reason,omitempty"`
}

// Template is a text to begin from.
type Template struct {
	Name      string            `json:"name"`
	Title     map[string]string `json:"title"`
	Kind      string            `json:"kind"`
	Nature    string            `json:"nature"`
	Languages []string          `json:"languages"`
	About     string            `json:"about,omitempty"`
}

// Print is an original as a party keeps it in a language.
type Print struct {
	Party      traffic.Party `json:"party"`
	Lang       string        `json:"lang"`
	RTL        bool          `json:"rtl"`
	Title      string        `json:"title"`
	Blocks     []PrintBlock  `json:"blocks"`
	Signatures []string      `json:"signatures"`
	Digest     string        `json:"digest"`
}

// PrintBlock is a clause as it is printed.
type PrintBlock struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Label string `json:"label,omitempty"`
	Text  string `json:"text"`
}
