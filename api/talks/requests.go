package talks

import (
	"time"

	"detente/api"
	"detente/api/drafting"
	"detente/traffic"
)

// Opening opens a series or a group, with the fields of its form.
type Opening struct {
	Channel string        `json:"channel" doc:"Name, or the beginning of the id."`
	Plane   traffic.Plane `json:"plane,omitempty" enum:"real,exercise,test"`
	Post    traffic.Post  `json:"post,omitempty"`
	Words   api.Words     `json:"words" doc:"Form series or group."`
}

// Statement is something stated in a series or a group, with the fields of its form. The number of the round may be missing, and what was agreed already.
type Statement struct {
	Post  traffic.Post `json:"post,omitempty"`
	About string       `json:"about,omitempty" doc:"Proposal, acceptance, action or contribution, by its number or by digits of its id; the only one that can be meant by default."`
	Words api.Words    `json:"words"`
}

// OnText names a text of a round.
type OnText struct {
	drafting.Voice
	Round int    `json:"round,omitempty" doc:"The round that is to come by default, of minutes and reports the one that was held last."`
	What  string `json:"what,omitempty" enum:"agenda,minutes,report,mandate"`

	Negotiation string `json:"negotiation,omitempty" doc:"In place of round and what: a negotiation on the channel, such as the report of a group, by number or digits of the id."`
}

// NewText opens a text of a round.
type NewText struct {
	OnText
	Title map[string]string `json:"title,omitempty" doc:"By language; the name of the series and the number of the round by default."`
}

// NewItem tables an item of a text.
type NewItem struct {
	OnText
	Texts map[string]string `json:"texts" doc:"By language."`
}

// Signature signs minutes.
type Signature struct {
	drafting.Voice
	Round  int    `json:"round,omitempty" doc:"The one that was held last by default."`
	Powers string `json:"powers,omitempty" doc:"Full powers, by number or digits of the id."`
}

// Adoption speaks on a report.
type Adoption struct {
	drafting.Voice
	Negotiation string `json:"negotiation" doc:"By number or digits of the id."`
	How         string `json:"how" enum:"consensus,dissent"`
	Words       string `json:"words,omitempty" doc:"Of a dissent."`
}

// NewSession opens a session. Its key is drawn here, and sealed for each member.
type NewSession struct {
	drafting.Voice
	Name    string    `json:"name"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Keep    string    `json:"keep" doc:"How long after its end what was said is kept, such as 72h."`
	Members []string  `json:"members,omitempty" maxItems:"64" doc:"Addresses; all members of the group by default."`
}

// Say is a contribution.
type Say struct {
	Words string `json:"words"`
}

// Attribution names an own contribution.
type Attribution struct {
	drafting.Voice
	Contribution string `json:"contribution" doc:"Digits of its id."`
}

// Output is what a session agreed on.
type Output struct {
	drafting.Voice
	Words map[string]string `json:"words" doc:"By language. They name no participant."`
}

// Invite is whom to invite to an agreed round by mail.
type Invite struct {
	To        []string `json:"to" minItems:"1" maxItems:"100" doc:"Mail addresses. Each gets a letter of its own, and sees the others in the event."`
	Organizer string   `json:"organizer,omitempty" maxLength:"254" doc:"Mail address that answers go to; that of the node without one."`
}

// Invited is what became of a letter.
type Invited struct {
	Address string `json:"address"`
	Sent    bool   `json:"sent" doc:"The mail server has taken it, which is no receipt."`
	Why     string `json:"why,omitempty" enum:"refused,unreachable" doc:"Why it has not."`
}
