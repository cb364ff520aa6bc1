package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"detente/traffic"
)

// As is the client acting for the officer whose session or token it is: the node then permits what his roles permit, and records him.
func (c *Client) As(token string) *Client {
	other := *c
	other.token = token
	return &other
}

// Me tells whom the node takes the caller for.
func (c *Client) Me(ctx context.Context) (Me, error) {
	return call[Me](ctx, c, http.MethodGet, "/v1/me", nil)
}

// Watch tells what needs somebody now. An empty post is every post, an empty plane every plane.
func (c *Client) Watch(ctx context.Context, post traffic.Post, plane traffic.Plane, lang string) (Watch, error) {
	return call[Watch](ctx, c, http.MethodGet, "/v1/watch"+query("post", string(post), "plane", string(plane), "lang", lang), nil)
}

// Take takes an item: its alarm stops.
func (c *Client) Take(ctx context.Context, key string, r TakeRequest) (Item, error) {
	return call[Item](ctx, c, http.MethodPost, "/v1/watch/take"+query("key", key), r)
}

// Rosters lists the rosters of all posts.
func (c *Client) Rosters(ctx context.Context) ([]Roster, error) {
	return call[[]Roster](ctx, c, http.MethodGet, "/v1/rosters", nil)
}

// Roster shows a post's roster.
func (c *Client) Roster(ctx context.Context, post traffic.Post) (Roster, error) {
	return call[Roster](ctx, c, http.MethodGet, "/v1/rosters/"+seg(string(post)), nil)
}

// SetRoster puts a roster into force.
func (c *Client) SetRoster(ctx context.Context, post traffic.Post, r RosterRequest) (Roster, error) {
	return call[Roster](ctx, c, http.MethodPut, "/v1/rosters/"+seg(string(post)), r)
}

// Override puts another officer into a duty role for a time.
func (c *Client) Override(ctx context.Context, o Override) (Roster, error) {
	return call[Roster](ctx, c, http.MethodPost, "/v1/rosters/"+seg(string(o.Post))+"/overrides", o)
}

// Handovers lists hand-overs, those that wait for a signature first, then the newest.
func (c *Client) Handovers(ctx context.Context, post traffic.Post, lang string) ([]Handover, error) {
	return call[[]Handover](ctx, c, http.MethodGet, "/v1/handovers"+query("post", string(post), "lang", lang), nil)
}

// HandOver begins a hand-over. Both officers approve it as they approve a release, by its id.
func (c *Client) HandOver(ctx context.Context, r HandoverRequest) (Handover, error) {
	return call[Handover](ctx, c, http.MethodPost, "/v1/handovers", r)
}

// Log lists the watch log, the newest first.
func (c *Client) Log(ctx context.Context, l LogListing) ([]LogEntry, error) {
	return call[[]LogEntry](ctx, c, http.MethodGet, "/v1/log"+query(l.pairs()...), nil)
}

func (l LogListing) pairs() []string {
	pairs := []string{"post", string(l.Post), "kind", l.Kind, "from", stamp(l.From), "until", stamp(l.Until), "lang", l.Lang}
	if l.Limit > 0 {
		pairs = append(pairs, "limit", strconv.Itoa(l.Limit))
	}
	return pairs
}

// LogCSV is the watch log as a table, the oldest line first.
func (c *Client) LogCSV(ctx context.Context, l LogListing) ([]byte, error) {
	return call[[]byte](ctx, c, http.MethodGet, "/v1/log.csv"+query(l.pairs()...), nil)
}

// Note writes a note into the watch log.
func (c *Client) Note(ctx context.Context, r LogRequest) (LogEntry, error) {
	return call[LogEntry](ctx, c, http.MethodPost, "/v1/log", r)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Checks is the history of communication checks, and what is planned.
func (c *Client) Checks(ctx context.Context, l CheckListing) (Checks, error) {
	pairs := []string{"peer", string(l.Peer), "since", stamp(l.Since)}
	if l.Limit > 0 {
		pairs = append(pairs, "limit", strconv.Itoa(l.Limit))
	}
	return call[Checks](ctx, c, http.MethodGet, "/v1/checks"+query(pairs...), nil)
}

// RunCheck sends a communication check now.
func (c *Client) RunCheck(ctx context.Context, r CheckRequest) (Sent, error) {
	return call[Sent](ctx, c, http.MethodPost, "/v1/checks", r)
}

// SetPlan puts a plan of checks into force.
func (c *Client) SetPlan(ctx context.Context, r PlanRequest) (Checks, error) {
	return call[Checks](ctx, c, http.MethodPut, "/v1/checks/plan", r)
}

// CheckPicture is a year of checks with a peer, as SVG, for a reader of lang.
func (c *Client) CheckPicture(ctx context.Context, peer traffic.Party, lang string) ([]byte, error) {
	return call[[]byte](ctx, c, http.MethodGet, "/v1/checks/"+seg(string(peer))+"/year.svg"+query("lang", lang), nil)
}

// Directory lists the points of contact of every channel, or of one.
func (c *Client) Directory(ctx context.Context, channel string) ([]Contact, error) {
	return call[[]Contact](ctx, c, http.MethodGet, "/v1/directory"+query("channel", channel), nil)
}

// StateContact states an own entry of the directory.
func (c *Client) StateContact(ctx context.Context, r ContactRequest) (Sent, error) {
	return call[Sent](ctx, c, http.MethodPost, "/v1/directory", r)
}

// SetContactStatus confirms or withdraws an own entry.
func (c *Client) SetContactStatus(ctx context.Context, r ContactStatusRequest) (Sent, error) {
	return call[Sent](ctx, c, http.MethodPost, "/v1/directory/status", r)
}

// ExportDirectory gives the directory as CSV.
func (c *Client) ExportDirectory(ctx context.Context, channel string) ([]byte, error) {
	return call[[]byte](ctx, c, http.MethodGet, "/v1/directory.csv"+query("channel", channel), nil)
}

// ImportDirectory states what a CSV file says of the own entries.
func (c *Client) ImportDirectory(ctx context.Context, channel string, csv []byte) (ImportedContacts, error) {
	return call[ImportedContacts](ctx, c, http.MethodPost, "/v1/directory.csv"+query("channel", channel), csv)
}

// Statuses tells how each channel stands by what its members have stated.
func (c *Client) Statuses(ctx context.Context) ([]ChannelStatus, error) {
	return call[[]ChannelStatus](ctx, c, http.MethodGet, "/v1/channel-statuses", nil)
}

// SetStatus suspends a channel, in part or whole, or resumes it. Error: a *Problem with the code release-needed names the release that waits.
func (c *Client) SetStatus(ctx context.Context, r SuspendRequest) (Sent, error) {
	return call[Sent](ctx, c, http.MethodPost, "/v1/channel-statuses", r)
}

// Silences tells, by link and post, why nothing is heard.
func (c *Client) Silences(ctx context.Context, lang string) ([]PostSilence, error) {
	return call[[]PostSilence](ctx, c, http.MethodGet, "/v1/silences"+query("lang", lang), nil)
}

// Trace tells where a statement was, since when, and what proves it.
func (c *Client) Trace(ctx context.Context, id string) ([]Station, error) {
	return call[[]Station](ctx, c, http.MethodGet, "/v1/statements/"+seg(id)+"/stations", nil)
}

// Glossary lists the terms of a channel.
func (c *Client) Glossary(ctx context.Context, channel string) ([]Term, error) {
	return call[[]Term](ctx, c, http.MethodGet, "/v1/glossary"+query("channel", channel), nil)
}

// Statistics counts what each post has sent, by precedence.
func (c *Client) Statistics(ctx context.Context) ([]Traffic, error) {
	return call[[]Traffic](ctx, c, http.MethodGet, "/v1/statistics", nil)
}

// Preview renders what Send would say, for a reader of lang, without saying it: the Statement's Text, Fields and Direction are set.
func (c *Client) Preview(ctx context.Context, r SendRequest, lang string) (Statement, error) {
	return call[Statement](ctx, c, http.MethodPost, "/v1/preview"+query("lang", lang), r)
}

// Search lists statements of which the number, the form's title, the parties or the originator's words hold every word of text.
func (c *Client) Search(ctx context.Context, text string, l Listing) ([]Line, error) {
	return call[[]Line](ctx, c, http.MethodGet, "/v1/search"+query("text", text, "plane", string(l.Plane), "channel", l.Channel, "lang", l.Lang), nil)
}

// Officers lists the officers of the party.
func (c *Client) Officers(ctx context.Context) ([]Officer, error) {
	return call[[]Officer](ctx, c, http.MethodGet, "/v1/officers", nil)
}

// SetOfficer enrols an officer, or changes one.
func (c *Client) SetOfficer(ctx context.Context, r OfficerRequest) (Officer, error) {
	return call[Officer](ctx, c, http.MethodPut, "/v1/officers/"+seg(r.ID), r)
}

// RemoveOfficer ends an officer's access: sessions, passkeys and tokens at once.
func (c *Client) RemoveOfficer(ctx context.Context, id string) (Officer, error) {
	return call[Officer](ctx, c, http.MethodDelete, "/v1/officers/"+seg(id), nil)
}

// Invite makes a link by which an officer signs in once.
func (c *Client) Invite(ctx context.Context, id string) (Invitation, error) {
	return call[Invitation](ctx, c, http.MethodPost, "/v1/officers/"+seg(id)+"/invitation", nil)
}

// NewToken makes a token for an officer's own tools; the one before ends.
func (c *Client) NewToken(ctx context.Context, id string) (APIToken, error) {
	return call[APIToken](ctx, c, http.MethodPost, "/v1/officers/"+seg(id)+"/token", nil)
}

// RemoveToken ends an officer's token.
func (c *Client) RemoveToken(ctx context.Context, id string) (Officer, error) {
	return call[Officer](ctx, c, http.MethodDelete, "/v1/officers/"+seg(id)+"/token", nil)
}

// RemovePasskey ends a passkey.
func (c *Client) RemovePasskey(ctx context.Context, officer, id string) (Officer, error) {
	return call[Officer](ctx, c, http.MethodDelete, "/v1/officers/"+seg(officer)+"/passkeys/"+seg(id), nil)
}

// Sessions lists the sessions: all of them for who may see officers, else the own ones.
func (c *Client) Sessions(ctx context.Context) ([]Session, error) {
	return call[[]Session](ctx, c, http.MethodGet, "/v1/sessions", nil)
}

// Revoke ends a session.
func (c *Client) Revoke(ctx context.Context, id string) ([]Session, error) {
	return call[[]Session](ctx, c, http.MethodDelete, "/v1/sessions/"+seg(id), nil)
}

// Releases lists what waits for a second person.
func (c *Client) Releases(ctx context.Context, lang string) ([]Release, error) {
	return call[[]Release](ctx, c, http.MethodGet, "/v1/releases"+query("lang", lang), nil)
}

// ApprovalOptions gives what an officer's passkey is asked, to approve a release.
func (c *Client) ApprovalOptions(ctx context.Context, id, role string) (Ceremony, error) {
	return call[Ceremony](ctx, c, http.MethodPost, "/v1/releases/"+seg(id)+"/options", ApprovalRequest{role})
}

// Decide approves or refuses a release.
func (c *Client) Decide(ctx context.Context, id string, d ReleaseDecision) (Released, error) {
	return call[Released](ctx, c, http.MethodPost, "/v1/releases/"+seg(id), d)
}
