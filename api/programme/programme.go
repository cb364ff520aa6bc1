// Package programme is what a node tells of the six measures between two parties: the types of api/server/relations, and its client.
// It must never be used between parties, nor tell others what a board that is not public shows.
package programme

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"detente/api"
	"detente/traffic"
)

// Relation is two parties of whom this node can draw a board.
type Relation struct {
	X      traffic.Party `json:"x"`
	Y      traffic.Party `json:"y"`
	Own    bool          `json:"own" doc:"This party is one of the two."`
	Stands []string      `json:"stands" doc:"How each of the six measures stands now, by code."`
}

// Board is how the six measures stand between two parties on a date.
type Board struct {
	X      traffic.Party `json:"x"`
	Y      traffic.Party `json:"y"`
	Plane  traffic.Plane `json:"plane"`
	On     time.Time     `json:"on" doc:"What was stated after it is not in the board."`
	Public bool          `json:"public" doc:"It may be shown to others: figures on conduct are those that all have signed for."`
	Lines  []Line        `json:"lines" doc:"Six, in the order of the programme."`
}

// Line is one measure.
type Line struct {
	Measure  int        `json:"measure" minimum:"1" maximum:"6"`
	Title    string     `json:"title" doc:"Its name, for a reader."`
	Stands   string     `json:"stands" enum:"none,waiting,alive,overdue,suspended,ended,unseen"`
	StandsIn string     `json:"stands_words"`
	Key      string     `json:"key" doc:"Code of the sentence."`
	Words    string     `json:"words" doc:"The sentence."`
	Evidence []Evidence `json:"evidence" doc:"What the sentence rests on."`
	Facts    []Fact     `json:"facts" doc:"The newest first."`
}

// Fact is one thing that holds on the date.
type Fact struct {
	Key      string     `json:"key"`
	Words    string     `json:"words"`
	At       time.Time  `json:"at"`
	Conduct  bool       `json:"conduct,omitempty" doc:"About how a side has acted: for the members, until all have signed for the figures."`
	Evidence []Evidence `json:"evidence"`
}

// Evidence is a statement that something rests on.
type Evidence struct {
	Statement string `json:"statement" doc:"Id."`
	Number    string `json:"number,omitempty"`
	Feed      string `json:"feed,omitempty" doc:"Origin of the feed."`
	Index     int64  `json:"index"`
	Kind      string `json:"kind" enum:"statement,case,draft,talk,act" doc:"Of the file in which it stands."`
	File      string `json:"file,omitempty" doc:"Id or number of that file."`
}

// Timeline is how a relation stood over some time.
type Timeline struct {
	X       traffic.Party `json:"x"`
	Y       traffic.Party `json:"y"`
	From    time.Time     `json:"from"`
	To      time.Time     `json:"to"`
	Begins  []string      `json:"begins" doc:"How each measure stood at the beginning, by code."`
	Changes []Change      `json:"changes" doc:"By day, then measure. A measure that changed twice in a day is here as it stood at the end of it."`
}

// Change is a measure that came to stand otherwise.
type Change struct {
	Day      time.Time  `json:"day"`
	Measure  int        `json:"measure"`
	Title    string     `json:"title"`
	From     string     `json:"from"`
	FromIn   string     `json:"from_words"`
	To       string     `json:"to"`
	ToIn     string     `json:"to_words"`
	Words    string     `json:"words" doc:"The sentence from then on."`
	Evidence []Evidence `json:"evidence" doc:"What decided it first."`
}

// Ask says which board is asked for.
type Ask struct {
	On     string        // a day, such as 2026-11-23, or a time as RFC 3339; empty for now
	Plane  traffic.Plane // empty for real
	Lang   string        // of the words; empty for English
	Public bool          // as it may be shown to others
	Months int           // of a time line; 0 for twelve
}

func (a Ask) query() string {
	return api.Query("on", a.On, "plane", string(a.Plane), "lang", a.Lang, "public", flag(a.Public), "months", number(a.Months))
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func flag(b bool) string {
	if b {
		return "true"
	}
	return ""
}

// Client asks a node about the programme. Its errors are those of [api.Client].
type Client struct{ Node *api.Client }

// Relations lists those of whom the node can draw a board, the own ones first.
func (c Client) Relations(ctx context.Context, a Ask) ([]Relation, error) {
	return api.Ask[[]Relation](ctx, c.Node, http.MethodGet, "/v1/programme"+api.Query("plane", string(a.Plane)), nil)
}

// Board is the board of two parties.
func (c Client) Board(ctx context.Context, x, y traffic.Party, a Ask) (Board, error) {
	a.Months = 0
	return api.Ask[Board](ctx, c.Node, http.MethodGet, path(x, y)+a.query(), nil)
}

// Timeline is how they stood over the months before.
func (c Client) Timeline(ctx context.Context, x, y traffic.Party, a Ask) (Timeline, error) {
	return api.Ask[Timeline](ctx, c.Node, http.MethodGet, path(x, y)+"/timeline"+a.query(), nil)
}

func path(x, y traffic.Party) string {
	return "/v1/programme/" + api.Segment(string(x)) + "/" + api.Segment(string(y))
}
