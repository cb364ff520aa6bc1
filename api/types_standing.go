package api

import (
	"time"

	"detente/traffic"
)

// Rung is a rung of the ladder of receipts: how far a statement has come at one addressee. What a machine has done and what a person has done never
// look alike: Human tells.
type Rung struct {
	What     string        `json:"what" enum:"terminal,accepted,understood,passed-on,answered" doc:"terminal: held there, by an automatic receipt."`
	Party    traffic.Party `json:"party"`
	Human    bool          `json:"human"`
	At       time.Time     `json:"at,omitzero" doc:"Absent where it has not come that far."`
	By       string        `json:"by,omitempty" doc:"Duty role of the person."`
	To       string        `json:"to,omitempty" doc:"Category of authority, where it was passed on."`
	Evidence string        `json:"evidence,omitempty" doc:"Id of the statement, or feed and size of the receipt, that proves it."`
}

// Translated is a translation of a statement: a statement of its own. The original is authoritative.
type Translated struct {
	ID         string    `json:"id"`
	Number     string    `json:"number"`
	From       string    `json:"from"`
	Language   string    `json:"language"`
	MadeBy     string    `json:"made_by" enum:"person,machine,machine-reviewed"`
	Machine    bool      `json:"machine" doc:"A machine made it, also where a person has looked it over: it is labelled."`
	Label      string    `json:"label" doc:"What it is and who made it, in the language asked for."`
	Translator string    `json:"translator,omitempty"`
	Reviewer   string    `json:"reviewer,omitempty"`
	Certifier  string    `json:"certifier,omitempty"`
	Text       string    `json:"text"`
	Direction  string    `json:"direction" enum:"ltr,rtl"`
	At         time.Time `json:"at"`
}
