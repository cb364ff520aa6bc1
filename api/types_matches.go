package api

import (
	"time"

	"detente/traffic"
)

// Matches is what others have shared that concerns own systems. It is for the own side alone.
type Matches struct {
	Assets  int       `json:"assets" doc:"In the table of what is the own."`
	Read    time.Time `json:"read,omitzero" doc:"When that was read."`
	Fault   string    `json:"fault,omitempty" doc:"Why its file cannot be read now; the table that was read last is in force."`
	Matches []Match   `json:"matches" doc:"What nobody has seen first, then the newest."`
}

// Match is what of one statement concerns own systems.
type Match struct {
	Statement string        `json:"statement"`
	Number    string        `json:"number"`
	From      traffic.Party `json:"from"`
	Plane     traffic.Plane `json:"plane"`
	Post      traffic.Post  `json:"post,omitempty" doc:"Whom it concerns."`
	Count     int           `json:"count" doc:"Objects that match."`
	Found     time.Time     `json:"found"`
	Seen      time.Time     `json:"seen,omitzero"`
	Role      string        `json:"role,omitempty" doc:"Of whoever has seen it."`
	Case      string        `json:"case,omitempty" doc:"That was opened from it."`
	Hits      []MatchHit    `json:"hits" doc:"The first hundred."`
}

// MatchHit is one indicator and what of the own it concerns.
type MatchHit struct {
	Object string `json:"object"`
	Title  string `json:"title" doc:"Defanged."`
	Kind   string `json:"kind"`
	Value  string `json:"value" doc:"Defanged."`
	Own    string `json:"own" doc:"Network, name or numbers."`
	Asset  string `json:"asset"`
	How    string `json:"how" enum:"within,contains,is"`
}

// MatchSeen says that the matches of a statement were seen.
type MatchSeen struct {
	Case string `json:"case,omitempty" doc:"Number of the case that was opened from them."`
}
