package api

import (
	"time"

	"detente/traffic"
)

// Collection is a collection of STIX objects, and how far what local tools have added to it has come.
type Collection struct {
	ID      string           `json:"id" doc:"As TAXII names it."`
	Title   string           `json:"title"`
	Channel string           `json:"channel,omitempty" doc:"Name of the channel that it is of; absent for a local one."`
	Flow    string           `json:"flow" enum:"in,out,local" doc:"in: another party fills it. out: local tools do, and it is stated. local: it stays here."`
	Party   traffic.Party    `json:"party,omitempty"`
	Plane   traffic.Plane    `json:"plane,omitempty"`
	Objects int64            `json:"objects" doc:"Versions in it."`
	Newest  time.Time        `json:"newest,omitzero" doc:"Stamp of the newest."`
	States  map[string]int64 `json:"states,omitempty" doc:"Of an outgoing one, how many are waiting, released, refused, drafted and sent."`
}

// Arrival is what became of an attachment that another party has stated.
type Arrival struct {
	Statement  string    `json:"statement"`
	Attachment string    `json:"attachment" doc:"SHA-256."`
	Collection string    `json:"collection"`
	Done       time.Time `json:"done,omitzero" doc:"Absent while its bytes are on their way."`
	Added      int       `json:"added"`
	Duplicates int       `json:"duplicates"`
	Conflicts  int       `json:"conflicts" doc:"Other bytes of a version that is here; kept aside."`
	Refused    int       `json:"refused" doc:"No STIX 2.1."`
	Reason     string    `json:"reason,omitempty" doc:"Why the first was refused."`
}

// Pull is how far a collection of a local server was pulled, or one of here pushed.
type Pull struct {
	Name    string    `json:"name"`
	Objects int64     `json:"objects"`
	At      time.Time `json:"at"`
}

// GatewayStatus is how the gateway stands.
type GatewayStatus struct {
	Collections []Collection `json:"collections"`
	Arrivals    []Arrival    `json:"arrivals" doc:"What is on its way first, then the newest."`
	Pulls       []Pull       `json:"pulls"`
	Remotes     []Remote     `json:"remotes" doc:"What is pulled and pushed on schedule."`
}

// Remote is a collection of a local server that is pulled, or pushed to, on schedule.
type Remote struct {
	URL        string    `json:"url"`
	Collection string    `json:"collection" doc:"Of here."`
	Push       bool      `json:"push"`
	Every      string    `json:"every" doc:"Such as 10m0s."`
	Last       time.Time `json:"last,omitzero" doc:"When it went well."`
	Next       time.Time `json:"next,omitzero"`
	Failure    string    `json:"failure,omitempty" doc:"Why the last try failed."`
	Failed     int64     `json:"failed" doc:"Tries in a row."`
	Added      int64     `json:"added" doc:"Objects, when it went well."`
	Refused    int64     `json:"refused" doc:"The same time."`
}

// GatewayToken is who may ask the gateway. Secret is told once, when it is made.
type GatewayToken struct {
	Name    string    `json:"name"`
	Reads   []string  `json:"reads" doc:"Ids of collections, or *."`
	Writes  []string  `json:"writes" doc:"The same. What another party fills nobody writes."`
	Created time.Time `json:"created,omitzero"`
	Secret  string    `json:"secret,omitempty"`
}

// GatewayTokenRequest makes a token.
type GatewayTokenRequest struct {
	Name   string   `json:"name"`
	Reads  []string `json:"reads,omitempty" doc:"Ids, aliases or titles of collections, or *."`
	Writes []string `json:"writes,omitempty"`
}

// Review is an object that waits for a person before it is stated.
type Review struct {
	Key        string    `json:"key"`
	Collection string    `json:"collection"`
	ID         string    `json:"id"`
	Type       string    `json:"type"`
	Version    time.Time `json:"version,omitzero" doc:"As the object itself says: modified, else created."`
	Added      time.Time `json:"added" doc:"When it came here."`
	Form       string    `json:"form"`
	To         string    `json:"to"`
	TLP        string    `json:"tlp"`
	PAP        string    `json:"pap,omitempty"`
	Token      string    `json:"token" doc:"Who added it."`
	Failure    string    `json:"failure,omitempty" doc:"Why the node has refused to state it, though it was released."`
	Object     string    `json:"object" doc:"The bytes, as they came."`
}

// ReviewRequest decides on what waits.
type ReviewRequest struct {
	Keys   []string `json:"keys" maxItems:"1000"`
	Refuse bool     `json:"refuse,omitempty"`
	Reason string   `json:"reason,omitempty" maxLength:"500"`
}

// Added is what became of objects that were added.
type Added struct {
	Added   int               `json:"added"`
	Known   int               `json:"known" doc:"These versions were here."`
	Refused int               `json:"refused"`
	Reasons map[string]string `json:"reasons,omitempty" doc:"Of the refused, by id, the first ones."`
}

// RemoteRequest pulls from, or pushes to, a collection of a server of this party's own tools.
type RemoteRequest struct {
	URL        string `json:"url" doc:"Of the collection: https://HOST/ROOT/collections/ID/. http is for this machine alone."`
	User       string `json:"user,omitempty" doc:"Of Basic; without it the secret is shown as Bearer."`
	Secret     string `json:"secret,omitempty"`
	Collection string `json:"collection" doc:"Id, alias or title of the one of here."`
	Push       bool   `json:"push,omitempty"`
}
