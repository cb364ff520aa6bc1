package drafting

import (
	"context"
	"net/http"
	"time"

	"detente/api"
)

// Client asks a node about instruments. Its errors are those of [api.Client].
type Client struct{ Node *api.Client }

func path(draft, rest string) string { return "/v1/drafts/" + api.Segment(draft) + rest }

// Listing narrows a list; its zero value is all of it.
type Listing struct {
	Channel, Plane, Lang string
	Open                 bool
}

// List lists the instruments, the one first in which something was said last.
func (c Client) List(ctx context.Context, l Listing) ([]Draft, error) {
	open := ""
	if l.Open {
		open = "true"
	}
	return api.Ask[[]Draft](ctx, c.Node, http.MethodGet, "/v1/drafts"+api.Query("channel", l.Channel, "plane", l.Plane, "lang", l.Lang, "open", open), nil)
}

// Show is one negotiation, whole.
func (c Client) Show(ctx context.Context, draft, lang string) (File, error) {
	return api.Ask[File](ctx, c.Node, http.MethodGet, path(draft, api.Query("lang", lang)), nil)
}

// Templates lists the texts to begin from.
func (c Client) Templates(ctx context.Context, lang string) ([]Template, error) {
	return api.Ask[[]Template](ctx, c.Node, http.MethodGet, "/v1/templates"+api.Query("lang", lang), nil)
}

// New opens a negotiation.
func (c Client) New(ctx context.Context, r New) (Opened, error) {
	return api.Ask[Opened](ctx, c.Node, http.MethodPost, "/v1/drafts", r)
}

// Table takes a position.
func (c Client) Table(ctx context.Context, draft string, r Table) (Tabled, error) {
	return api.Ask[Tabled](ctx, c.Node, http.MethodPost, path(draft, "/positions"), r)
}

// Accept stands on wordings of others.
func (c Client) Accept(ctx context.Context, draft string, r Accept) ([]api.Sent, error) {
	return api.Ask[[]api.Sent](ctx, c.Node, http.MethodPost, path(draft, "/acceptances"), r)
}

// Reserve stands on a wording with a reservation.
func (c Client) Reserve(ctx context.Context, draft string, r Reserve) (api.Sent, error) {
	return api.Ask[api.Sent](ctx, c.Node, http.MethodPost, path(draft, "/reservations"), r)
}

// Withdraw gives up a stand.
func (c Client) Withdraw(ctx context.Context, draft string, r Withdraw) (api.Sent, error) {
	return api.Ask[api.Sent](ctx, c.Node, http.MethodPost, path(draft, "/withdrawals"), r)
}

// Package agrees to several wordings only together.
func (c Client) Package(ctx context.Context, draft string, r Bundle) (api.Sent, error) {
	return api.Ask[api.Sent](ctx, c.Node, http.MethodPost, path(draft, "/packages"), r)
}

// Unpack withdraws a package.
func (c Client) Unpack(ctx context.Context, draft, id string, v Voice) (api.Sent, error) {
	return api.Ask[api.Sent](ctx, c.Node, http.MethodPost, path(draft, "/packages/"+api.Segment(id)+"/withdrawal"), v)
}

// Comment says something without a position.
func (c Client) Comment(ctx context.Context, draft string, r Remark) (api.Sent, error) {
	return api.Ask[api.Sent](ctx, c.Node, http.MethodPost, path(draft, "/comments"), r)
}

// Note keeps something in this node alone.
func (c Client) Note(ctx context.Context, draft string, r NewNote) (Note, error) {
	return api.Ask[Note](ctx, c.Node, http.MethodPost, path(draft, "/notes"), r)
}

// Forget takes a note away.
func (c Client) Forget(ctx context.Context, draft, id string) error {
	_, err := api.Ask[struct{}](ctx, c.Node, http.MethodDelete, path(draft, "/notes/"+api.Segment(id)), nil)
	return err
}

// Text is the text: the clean one, or as it stands.
func (c Client) Text(ctx context.Context, draft string) (Text, error) {
	return api.Ask[Text](ctx, c.Node, http.MethodGet, path(draft, "/text"), nil)
}

// Import holds a text against the negotiation.
func (c Client) Import(ctx context.Context, draft string, r Import) (Imported, error) {
	return api.Ask[Imported](ctx, c.Node, http.MethodPost, path(draft, "/imports"), r)
}

// Original is the text as a party keeps it in a language.
func (c Client) Original(ctx context.Context, draft, party, lang string) (Print, error) {
	return api.Ask[Print](ctx, c.Node, http.MethodGet, path(draft, "/original")+api.Query("party", party, "lang", lang), nil)
}

// Manifest makes and tables a manifest.
func (c Client) Manifest(ctx context.Context, draft string, r Terms) (Manifested, error) {
	return api.Ask[Manifested](ctx, c.Node, http.MethodPost, path(draft, "/manifests"), r)
}

// Step takes a step on the ladder.
func (c Client) Step(ctx context.Context, draft string, r Step) (api.Sent, error) {
	return api.Ask[api.Sent](ctx, c.Node, http.MethodPost, path(draft, "/steps"), r)
}

// Status is how an instrument stands on a date; the zero time is now.
func (c Client) Status(ctx context.Context, draft string, on time.Time, lang string) (Status, error) {
	day := ""
	if !on.IsZero() {
		day = on.UTC().Format(time.RFC3339)
	}
	return api.Ask[Status](ctx, c.Node, http.MethodGet, path(draft, "/status")+api.Query("on", day, "lang", lang), nil)
}

// Powers lists full powers.
func (c Client) Powers(ctx context.Context, channel string) ([]Powers, error) {
	return api.Ask[[]Powers](ctx, c.Node, http.MethodGet, "/v1/powers"+api.Query("channel", channel), nil)
}

// Issue issues full powers.
func (c Client) Issue(ctx context.Context, r NewPowers) (api.Sent, error) {
	return api.Ask[api.Sent](ctx, c.Node, http.MethodPost, "/v1/powers", r)
}

// Revoke revokes full powers.
func (c Client) Revoke(ctx context.Context, id string, r Revoke) (api.Sent, error) {
	return api.Ask[api.Sent](ctx, c.Node, http.MethodPost, "/v1/powers/"+api.Segment(id)+"/revocation", r)
}
