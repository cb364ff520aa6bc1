// Package registry is what the local API tells about open instruments and the acts concerning them, and its Go client.
// It must never compute anything: what it carries was folded at the node.
package registry

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"detente/acts"
	"detente/api"
	"detente/traffic"
)

// Instrument is an open instrument that the node knows.
type Instrument struct {
	ID        string            `json:"id"`
	Source    string            `json:"source" enum:"feed,collection"`
	Party     traffic.Party     `json:"party,omitempty" doc:"Who opened it, of a feed."`
	At        time.Time         `json:"at,omitzero" doc:"Since when it is known, of a feed."`
	Title     map[string]string `json:"title"`
	Kind      string            `json:"kind,omitempty"`
	Nature    string            `json:"nature"`
	Languages []string          `json:"languages,omitempty"`
	Cited     string            `json:"cited,omitempty" doc:"Where a collection is from."`
	Acts      int               `json:"acts"`
	Parties   int               `json:"parties" doc:"For whom it is in force today."`
	Entry     acts.Day          `json:"entry,omitzero"`
	Why       acts.Reason       `json:"why,omitempty" doc:"Why it opens nothing."`
}

// Whole is an instrument with its words and rules.
type Whole struct {
	Instrument
	Texts    map[string]string `json:"texts,omitempty"`
	Manifest string            `json:"manifest,omitempty"`
	Rules    json.RawMessage   `json:"rules,omitempty"`
}

// List is the acts about an instrument, in the order in which they are folded.
type List struct {
	Instrument string       `json:"instrument"`
	Known      time.Time    `json:"known,omitzero"`
	Acts       []acts.Noted `json:"acts"`
}

// Table is the status of an instrument.
type Table struct{ acts.Status }

// Found is one act, and its instrument.
type Found struct {
	Instrument string   `json:"instrument"`
	Act        acts.Act `json:"act"`
}

// Between is what an instrument is between participants on a day.
type Between struct {
	Pledge    *acts.Pledge    `json:"pledge,omitempty"`
	Relations []acts.Relation `json:"relations"`
}

// Import is a collection of acts to be kept.
type Import struct {
	File []byte `json:"file"`
}

// Imported is what came of it.
type Imported struct {
	Instrument
	Differences []acts.Difference `json:"differences" doc:"Where the computed status is not the stated one."`
}

// When is a question about a day, as known at a time.
type When struct {
	On    string // a day; empty for today
	Known string // RFC 3339; empty for all that is known
}

// Client asks a node about instruments. Its errors are those of [api.Client].
type Client struct{ Node *api.Client }

func path(id, rest string) string { return "/v1/instruments/" + api.Segment(id) + rest }

// Instruments lists what the node knows.
func (c Client) Instruments(ctx context.Context) ([]Instrument, error) {
	return api.Ask[[]Instrument](ctx, c.Node, http.MethodGet, "/v1/instruments", nil)
}

// Instrument gives one, by the beginning of its id.
func (c Client) Instrument(ctx context.Context, id string) (Whole, error) {
	return api.Ask[Whole](ctx, c.Node, http.MethodGet, path(id, ""), nil)
}

// Acts lists the acts about an instrument.
func (c Client) Acts(ctx context.Context, id string, w When) (List, error) {
	return api.Ask[List](ctx, c.Node, http.MethodGet, path(id, "/acts"+api.Query("known", w.Known)), nil)
}

// Status is the table of an instrument.
func (c Client) Status(ctx context.Context, id string, w When) (Table, error) {
	return api.Ask[Table](ctx, c.Node, http.MethodGet, path(id, "/status"+api.Query("on", w.On, "known", w.Known)), nil)
}

// Between is what there is between a participant and another, or all others if y is empty.
func (c Client) Between(ctx context.Context, id string, x, y traffic.Party, w When) (Between, error) {
	return api.Ask[Between](ctx, c.Node, http.MethodGet, path(id, "/relations"+api.Query("x", string(x), "y", string(y), "on", w.On, "known", w.Known)), nil)
}

// Act finds an act by the beginning of its id.
func (c Client) Act(ctx context.Context, id string) (Found, error) {
	return api.Ask[Found](ctx, c.Node, http.MethodGet, "/v1/acts/"+api.Segment(id), nil)
}

// Import has the node keep a collection.
func (c Client) Import(ctx context.Context, file []byte) (Imported, error) {
	return api.Ask[Imported](ctx, c.Node, http.MethodPost, "/v1/instruments", Import{file})
}
