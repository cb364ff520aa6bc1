package api

import (
	"time"

	"detente/traffic"
)

// Seal is a sealing round, as this party may know it.
type Seal struct {
	Round     string          `json:"round" doc:"Hash of the manifest, hex. In requests a beginning of it is enough."`
	Kind      string          `json:"kind"`
	Plane     traffic.Plane   `json:"plane"`
	Channel   string          `json:"channel" doc:"Id."`
	Dossier   string          `json:"dossier" doc:"The negotiation."`
	Opened    string          `json:"opened" doc:"Id of the statement that opened the round."`
	By        string          `json:"by"`
	At        time.Time       `json:"at"`
	Deadline  time.Time       `json:"deadline" doc:"Until when consents are deposited."`
	Final     time.Time       `json:"final" doc:"After which sealers decide."`
	Faulty    int             `json:"faulty" doc:"How many sealers may fail or lie."`
	Need      int             `json:"need" doc:"How many final statements decide."`
	Parties   []string        `json:"parties"`
	Sealers   []SealSealer    `json:"sealers"`
	State     string          `json:"state" enum:"pending,in-force,lapsed,contested,plain"`
	Double    []string        `json:"double,omitempty" doc:"Sealers that have signed both decisions, which none may."`
	Certified string          `json:"certified,omitempty" doc:"What the certificates that were stated show."`
	Deposits  []SealDeposited `json:"deposits" doc:"What this party has sent to sealers."`
}

// SealSealer is one sealer of a round. What it holds before the end is told to nobody.
type SealSealer struct {
	Sealer  string   `json:"sealer"`
	Says    []string `json:"says" doc:"in-force, lapsed; both where it has lied."`
	Own     bool     `json:"own"`
	Refused string   `json:"refused,omitempty" doc:"Why an own sealer takes no part."`
}

// SealDeposited is a packet to a sealer.
type SealDeposited struct {
	Sealer string    `json:"sealer"`
	Blank  bool      `json:"blank" doc:"It holds nothing."`
	Sent   time.Time `json:"sent"`
}

// SealProposal opens a round.
type SealProposal struct {
	Manifest string       `json:"manifest" doc:"Beginning of the hash of a manifest that was declared on a channel."`
	Post     traffic.Post `json:"post,omitempty" doc:"That of the manifest by default."`
	Releaser string       `json:"releaser,omitempty"`
}

// SealDeposit deposits the consent of this party.
type SealDeposit struct {
	Blank bool `json:"blank,omitempty" doc:"Send packets of nothing, which look the same."`
}

// SealDepositDone is what came of it.
type SealDepositDone struct {
	Sent int `json:"sent" doc:"To how many sealers; those that had it before are not sent it again."`
}
