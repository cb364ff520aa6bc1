package talks

import (
	"context"
	"net/http"
	"strconv"

	"detente/api"
)

// Client asks a node about consultations and groups. Its errors are those of [api.Client].
type Client struct{ Node *api.Client }

func path(talk, rest string) string { return "/v1/dialogues/" + api.Segment(talk) + rest }

func inSession(talk, session, rest string) string {
	if session == "" {
		session = "last"
	}
	return path(talk, "/sessions/"+api.Segment(session)+rest)
}

// List lists series, or groups; kind is series or group.
func (c Client) List(ctx context.Context, kind, channel, plane, lang string) ([]Line, error) {
	return api.Ask[[]Line](ctx, c.Node, http.MethodGet, "/v1/dialogues"+api.Query("kind", kind, "channel", channel, "plane", plane, "lang", lang), nil)
}

// Show is one series or group, whole.
func (c Client) Show(ctx context.Context, talk, lang string) (File, error) {
	return api.Ask[File](ctx, c.Node, http.MethodGet, path(talk, api.Query("lang", lang)), nil)
}

// Open opens a series or a group.
func (c Client) Open(ctx context.Context, r Opening) (api.Sent, error) {
	return api.Ask[api.Sent](ctx, c.Node, http.MethodPost, "/v1/dialogues", r)
}

// State states something in one.
func (c Client) State(ctx context.Context, talk string, r Statement) (api.Sent, error) {
	return api.Ask[api.Sent](ctx, c.Node, http.MethodPost, path(talk, "/statements"), r)
}

// Text is a text of a round, or a negotiation on the channel.
func (c Client) Text(ctx context.Context, talk string, r OnText) (Text, error) {
	round := ""
	if r.Round > 0 {
		round = strconv.Itoa(r.Round)
	}
	return api.Ask[Text](ctx, c.Node, http.MethodGet, path(talk, "/text")+api.Query("round", round, "what", r.What, "negotiation", r.Negotiation), nil)
}

// NewText opens a text of a round.
func (c Client) NewText(ctx context.Context, talk string, r NewText) (api.Sent, error) {
	return api.Ask[api.Sent](ctx, c.Node, http.MethodPost, path(talk, "/texts"), r)
}

// AddItem tables an item of a text.
func (c Client) AddItem(ctx context.Context, talk string, r NewItem) ([]api.Sent, error) {
	return api.Ask[[]api.Sent](ctx, c.Node, http.MethodPost, path(talk, "/items"), r)
}

// Agree stands on all that the others have tabled in a text.
func (c Client) Agree(ctx context.Context, talk string, r OnText) ([]api.Sent, error) {
	return api.Ask[[]api.Sent](ctx, c.Node, http.MethodPost, path(talk, "/agreements"), r)
}

// Sign signs minutes.
func (c Client) Sign(ctx context.Context, talk string, r Signature) (api.Sent, error) {
	return api.Ask[api.Sent](ctx, c.Node, http.MethodPost, path(talk, "/signatures"), r)
}

// Adopt speaks on a report.
func (c Client) Adopt(ctx context.Context, talk string, r Adoption) (api.Sent, error) {
	return api.Ask[api.Sent](ctx, c.Node, http.MethodPost, path(talk, "/adoptions"), r)
}

// OpenSession opens a session.
func (c Client) OpenSession(ctx context.Context, talk string, r NewSession) (api.Sent, error) {
	return api.Ask[api.Sent](ctx, c.Node, http.MethodPost, path(talk, "/sessions"), r)
}

// Say makes a contribution. An empty session is the last one, here and in what follows.
func (c Client) Say(ctx context.Context, talk, session string, r Say) (Spoken, error) {
	return api.Ask[Spoken](ctx, c.Node, http.MethodPost, inSession(talk, session, "/contributions"), r)
}

// Heard is what was said.
func (c Client) Heard(ctx context.Context, talk, session string) ([]Spoken, error) {
	return api.Ask[[]Spoken](ctx, c.Node, http.MethodGet, inSession(talk, session, ""), nil)
}

// Outside is what was said, by a participant.
func (c Client) Outside(ctx context.Context, talk, session, lang string) ([]Anonymous, error) {
	return api.Ask[[]Anonymous](ctx, c.Node, http.MethodGet, inSession(talk, session, "/outside")+api.Query("lang", lang), nil)
}

// Sealed is the file for the other members.
func (c Client) Sealed(ctx context.Context, talk, session string, own bool) ([]byte, error) {
	only := ""
	if own {
		only = "true"
	}
	return api.Ask[[]byte](ctx, c.Node, http.MethodGet, inSession(talk, session, "/file")+api.Query("own", only), nil)
}

// Take takes what another member has handed over.
func (c Client) Take(ctx context.Context, file []byte) (Taken, error) {
	return api.Ask[Taken](ctx, c.Node, http.MethodPost, "/v1/sessions/files", file)
}

// Attribute says that an own contribution was the party's.
func (c Client) Attribute(ctx context.Context, talk, session string, r Attribution) (api.Sent, error) {
	return api.Ask[api.Sent](ctx, c.Node, http.MethodPost, inSession(talk, session, "/attributions"), r)
}

// Output states what a session agreed on.
func (c Client) Output(ctx context.Context, talk, session string, r Output) (api.Sent, error) {
	return api.Ask[api.Sent](ctx, c.Node, http.MethodPost, inSession(talk, session, "/outputs"), r)
}

// Calendar is rounds and actions as iCalendar.
func (c Client) Calendar(ctx context.Context, channel, plane, lang string) ([]byte, error) {
	return api.Ask[[]byte](ctx, c.Node, http.MethodGet, "/v1/calendars/dialogues"+api.Query("channel", channel, "plane", plane, "lang", lang), nil)
}

// Invitation is the file that invites to an agreed round.
func (c Client) Invitation(ctx context.Context, talk string, round int, organizer, attendees, lang string) ([]byte, error) {
	return api.Ask[[]byte](ctx, c.Node, http.MethodGet, path(talk, "/rounds/"+strconv.Itoa(round)+"/invitation")+api.Query("organizer", organizer, "attendees", attendees, "lang", lang), nil)
}

// Invite sends the invitation to an agreed round by the node's mail server.
func (c Client) Invite(ctx context.Context, talk string, round int, lang string, r Invite) ([]Invited, error) {
	return api.Ask[[]Invited](ctx, c.Node, http.MethodPost, path(talk, "/rounds/"+strconv.Itoa(round)+"/invitations")+api.Query("lang", lang), r)
}
