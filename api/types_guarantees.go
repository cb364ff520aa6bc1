package api

import (
	"time"

	"detente/traffic"
)

// Guarantees are guarantees at work, as a reader sees them.
type Guarantees struct {
	Instruments []GuaranteeInstrument `json:"instruments" doc:"What processes and complaints can rely on."`
	Processes   []ProtectedProcess    `json:"processes" doc:"By the beginning of their window."`
	Complaints  []Complaint           `json:"complaints" doc:"The newest first."`
}

// GuaranteeInstrument is an instrument that can be relied on.
type GuaranteeInstrument struct {
	ID      string        `json:"id" doc:"Hash of its manifest; of an exchange of notes, or of what is open to all, the statement that opened it. In hex."`
	Title   string        `json:"title" doc:"In the language asked for where it has that, else in another."`
	Kind    string        `json:"kind"`
	Channel string        `json:"channel" doc:"Id in hex."`
	Plane   traffic.Plane `json:"plane"`
	Dossier string        `json:"dossier,omitempty" doc:"Of its negotiation."`
}

// ProtectedProcess is a process that a guarantee protects.
type ProtectedProcess struct {
	ID         string        `json:"id"`
	Number     string        `json:"number"`
	By         string        `json:"by"`
	To         string        `json:"to"`
	Channel    string        `json:"channel" doc:"Id in hex."`
	Plane      traffic.Plane `json:"plane"`
	Name       string        `json:"name" doc:"In the language asked for where it has that, else in another."`
	Process    string        `json:"process" enum:"election,referendum,census,succession,other"`
	State      string        `json:"state" enum:"upcoming,open,past,cancelled"`
	From       time.Time     `json:"from"`
	Until      time.Time     `json:"until"`
	Scope      string        `json:"scope"`
	Restraints string        `json:"restraints,omitempty"`
	Duty       []string      `json:"duty" doc:"The points on duty, on both sides."`
	Every      int64         `json:"every" doc:"Seconds between two checks of the line while it is open."`
	Basis      string        `json:"basis,omitempty" doc:"Id of the instrument, in hex."`
	Instrument string        `json:"instrument,omitempty" doc:"Its title, where it is known here."`
}

// Complaint is that a guarantee appears not to have been observed.
type Complaint struct {
	ID         string        `json:"id"`
	Number     string        `json:"number"`
	By         string        `json:"by"`
	To         string        `json:"to"`
	At         time.Time     `json:"at"`
	Channel    string        `json:"channel" doc:"Id in hex."`
	Plane      traffic.Plane `json:"plane"`
	Basis      string        `json:"basis" doc:"Id of the instrument, in hex."`
	Instrument string        `json:"instrument,omitempty" doc:"Its title, where it is known here."`
	Provision  string        `json:"provision,omitempty"`
	Case       string        `json:"case"`
	Words      string        `json:"words"`
	Opened     string        `json:"opened,omitempty" doc:"The statement with which the case began; absent while it is not held here."`
}

// ComplaintRequest is a complaint to be made. The node gives its case a number, and opens it.
type ComplaintRequest struct {
	Basis     string        `json:"basis" minLength:"4" maxLength:"64" doc:"The beginning of the instrument's id."`
	Provision string        `json:"provision,omitempty" maxLength:"64"`
	Text      string        `json:"text" minLength:"1" maxLength:"8000" doc:"What appears not to have been observed."`
	From      time.Time     `json:"from,omitzero" doc:"From when to when it was observed; now by default."`
	Until     time.Time     `json:"until,omitzero"`
	Channel   string        `json:"channel,omitempty" doc:"Name, or the beginning of the id; that of the instrument by default."`
	To        string        `json:"to,omitempty" doc:"Party, party/post, or *. Empty for the other member of two, else *."`
	Post      traffic.Post  `json:"post,omitempty"`
	Plane     traffic.Plane `json:"plane,omitempty" enum:"real,exercise,test" default:"real"`

	Precedence string `json:"precedence,omitempty" doc:"O, P or R, or the word." default:"P"`
	Language   string `json:"language,omitempty" doc:"Of the text, BCP 47. Empty for the party's first."`
	Marking    string `json:"marking,omitempty" example:"TLP:AMBER"`
	Drafter    string `json:"drafter,omitempty" doc:"Duty role, for the terminal."`
	Releaser   string `json:"releaser,omitempty" doc:"Duty role of a second person, where the form demands one."`
	Essential  bool   `json:"essential,omitempty" doc:"It cannot wait."`
}

// ComplaintSent is where a complaint stands.
type ComplaintSent struct {
	Sent
	Opened string `json:"opened,omitempty" doc:"The statement with which its case began; absent where that is tried again later."`

	Pending bool `json:"pending,omitempty" doc:"The case is not open yet: the node tries again, and the board says why."`
}
