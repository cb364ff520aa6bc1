package api

import (
	"time"

	"detente/traffic"
)

// Mail is a mail about a case. It is for the own side alone.
type Mail struct {
	Number  int64         `json:"number"`
	In      bool          `json:"in" doc:"It came; else it went."`
	ID      string        `json:"id" doc:"Message-ID."`
	Case    string        `json:"case,omitempty" doc:"Empty where it names none that is here."`
	Plane   traffic.Plane `json:"plane"`
	At      time.Time     `json:"at"`
	Address string        `json:"address" doc:"That it says it comes from, or that it goes to."`
	Team    string        `json:"team,omitempty" doc:"Whose key has signed it, or it was encrypted to."`
	Proof   string        `json:"proof,omitempty" enum:",signed,answers" doc:"signed: by a team whose key is known. answers: by somebody who has had a mail of ours. Empty: anybody may have written it."`
	Flaw    string        `json:"flaw,omitempty" doc:"Why a signature that is there does not count."`
	Auto    bool          `json:"auto,omitempty" doc:"A machine has written it."`
	TLP     string        `json:"tlp,omitempty"`
	Subject string        `json:"subject"`
	Text    string        `json:"text"`
	Files   []string      `json:"files,omitempty" doc:"Names of its attachments."`
	State   string        `json:"state" enum:"new,noted,writing,sent,failed"`
	Seen    time.Time     `json:"seen,omitzero"`
	Role    string        `json:"role,omitempty"`
}

// MailReceived is what became of a mail that came.
type MailReceived struct {
	Mail
	Known bool `json:"known" doc:"It was here before."`
}

// MailRequest is a report of a case by mail. What a response team cannot work without is compulsory, docs/gateway.md.
type MailRequest struct {
	To         string       `json:"to" doc:"Mail address."`
	Languages  []string     `json:"languages,omitempty" doc:"In which the recipient reads; none is English."`
	Kind       string       `json:"kind,omitempty" enum:",report,acknowledgement,status,closing"`
	Info       bool         `json:"info,omitempty" doc:"For information only."`
	Action     string       `json:"action,omitempty" doc:"What is asked for."`
	Until      time.Time    `json:"until,omitzero" doc:"By when."`
	TLP        string       `json:"tlp,omitempty"`
	PAP        string       `json:"pap,omitempty"`
	Onward     []string     `json:"onward,omitempty" doc:"operator, police, vendor, ministry."`
	Naming     bool         `json:"naming,omitempty"`
	Identifier string       `json:"identifier,omitempty" doc:"One address, prefix, AS number or domain name."`
	First      time.Time    `json:"first,omitzero"`
	Last       time.Time    `json:"last,omitzero"`
	Detected   time.Time    `json:"detected,omitzero"`
	NTP        bool         `json:"ntp,omitempty"`
	Clock      string       `json:"clock,omitempty" doc:"How accurate the clocks are."`
	Source     string       `json:"source,omitempty" doc:"Address, with its port behind a space."`
	Reached    string       `json:"reached,omitempty" doc:"The same of the other end."`
	Protocol   string       `json:"protocol,omitempty"`
	URL        string       `json:"url,omitempty"`
	Hashes     []string     `json:"hashes,omitempty"`
	Log        []string     `json:"log,omitempty"`
	Class      string       `json:"class,omitempty" doc:"Class and type of RSIT."`
	CVEs       []string     `json:"cves,omitempty"`
	Severity   string       `json:"severity,omitempty"`
	Effect     string       `json:"effect,omitempty"`
	Confidence string       `json:"confidence,omitempty" doc:"low, medium or high."`
	Rating     string       `json:"rating,omitempty" doc:"Admiralty code."`
	Relayed    bool         `json:"relayed,omitempty"`
	Text       string       `json:"text,omitempty"`
	Files      []Attachment `json:"files,omitempty"`
}
