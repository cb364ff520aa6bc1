package api

import (
	"time"

	"detente/traffic"
)

// Lookups are the lists that blinded questions may be put to, and what came of the own ones.
type Lookups struct {
	Lists   []LookupList   `json:"lists"`
	Results []LookupResult `json:"results" doc:"Those of who asks for them; the terminal sees all."`
}

// LookupList is a list in force.
type LookupList struct {
	ID      string        `json:"id" doc:"Of its statement."`
	Owner   string        `json:"owner"`
	Channel string        `json:"channel" doc:"Id."`
	Plane   traffic.Plane `json:"plane"`
	Epoch   int64         `json:"epoch"`
	Entries int64         `json:"entries" doc:"Filled up to a power of two: how many indicators there are is not told."`
	Kinds   []string      `json:"kinds"`
	From    time.Time     `json:"from"`
	Until   time.Time     `json:"until"`
	PerDay  int64         `json:"per_day" doc:"Indicators that each party may ask about in a day, UTC."`
	Total   int64         `json:"total" doc:"And in all."`
	About   string        `json:"about,omitempty"`
	Own     bool          `json:"own"`
	Left    int64         `json:"left" doc:"How many indicators this party may still ask about now; 0 for an own list."`
	Asked   []LookupCount `json:"asked" doc:"By whom, of an own list; of another's, this party alone. Both sides count from the same statements."`
	Broken  []string      `json:"broken,omitempty" doc:"Own questions that were refused although the list allows them."`
}

// LookupCount is how many indicators a party has asked about.
type LookupCount struct {
	Party   traffic.Party `json:"party"`
	Today   int64         `json:"today" doc:"On the day of its last question."`
	Total   int64         `json:"total"`
	Refused int           `json:"refused" doc:"Questions that did not count."`
}

// LookupResult is what came of a question.
type LookupResult struct {
	List       string        `json:"list"`
	Officer    string        `json:"officer,omitempty"`
	Asked      time.Time     `json:"asked"`
	State      string        `json:"state" enum:"waiting,answered,refused,wrong" doc:"wrong: the answer was not made with the key of the list."`
	Reason     string        `json:"reason,omitempty" doc:"Of a refusal, as the form lookup-answer has it."`
	Indicators []LookupFound `json:"indicators"`
}

// LookupFound is what came of one indicator.
type LookupFound struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
	Known bool   `json:"known" doc:"Whether the list has it. It says nothing while the state is not answered."`
}

// LookupListRequest publishes a list.
type LookupListRequest struct {
	Channel    string        `json:"channel"`
	Plane      traffic.Plane `json:"plane,omitempty"`
	Post       traffic.Post  `json:"post,omitempty"`
	Indicators []string      `json:"indicators" maxItems:"2097152" doc:"As people write them, defanged or not. They are kept nowhere."`
	Days       int           `json:"days" minimum:"1" maximum:"366" doc:"How long it may be asked."`
	PerDay     int64         `json:"per_day" minimum:"1" maximum:"100000"`
	Total      int64         `json:"total" minimum:"1" maximum:"100000"`
	About      string        `json:"about,omitempty"`
}

// LookupRequest puts a question.
type LookupRequest struct {
	List       string       `json:"list,omitempty" doc:"Id of the list, or its beginning."`
	Party      string       `json:"party,omitempty" doc:"In place of a list: whose. It must have one alone."`
	Post       traffic.Post `json:"post,omitempty"`
	Indicators []string     `json:"indicators" maxItems:"256" doc:"As people write them, defanged or not. They do not leave this node."`
}
