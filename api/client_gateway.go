package api

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
)

// Gateway tells how the collections of the response team's tools stand.
func (c *Client) Gateway(ctx context.Context) (GatewayStatus, error) {
	return call[GatewayStatus](ctx, c, http.MethodGet, "/v1/gateway", nil)
}

// GatewayTokens lists which tools may ask the gateway.
func (c *Client) GatewayTokens(ctx context.Context) ([]GatewayToken, error) {
	return call[[]GatewayToken](ctx, c, http.MethodGet, "/v1/gateway/tokens", nil)
}

// AddGatewayToken lets a tool ask the gateway. The answer alone tells the secret.
func (c *Client) AddGatewayToken(ctx context.Context, r GatewayTokenRequest) (GatewayToken, error) {
	return call[GatewayToken](ctx, c, http.MethodPost, "/v1/gateway/tokens", r)
}

// RevokeGatewayToken ends a tool's token.
func (c *Client) RevokeGatewayToken(ctx context.Context, name string) error {
	_, err := call[struct{}](ctx, c, http.MethodDelete, "/v1/gateway/tokens/"+seg(name), nil)
	return err
}

// Reviews lists what waits for a person before it is stated.
func (c *Client) Reviews(ctx context.Context, limit int) ([]Review, error) {
	return call[[]Review](ctx, c, http.MethodGet, "/v1/gateway/reviews"+query("limit", strconv.Itoa(limit)), nil)
}

// Review approves or refuses what waits.
func (c *Client) Review(ctx context.Context, r ReviewRequest) error {
	_, err := call[struct{}](ctx, c, http.MethodPost, "/v1/gateway/reviews", r)
	return err
}

// AddObjects adds a bundle or envelope to a collection.
func (c *Client) AddObjects(ctx context.Context, collection string, envelope []byte) (Added, error) {
	return call[Added](ctx, c, http.MethodPost, "/v1/gateway/objects"+query("collection", collection), envelope)
}

// Objects reads objects of a collection that were added after a stamp, one a line. after is where to go on; empty at the end.
func (c *Client) Objects(ctx context.Context, collection, after string) (lines []byte, next string, err error) {
	b, err := call[[]byte](ctx, c, http.MethodGet, "/v1/gateway/objects"+query("collection", collection, "after", after), nil)
	if err != nil {
		return nil, "", err
	}
	if i := bytes.LastIndex(b, []byte("\n# ")); i >= 0 {
		next = strings.TrimSpace(string(b[i+3:]))
		b = b[:i+1]
	}
	return b, next, nil
}

// ExchangeGateway pulls from, or pushes to, a collection of a local server.
func (c *Client) ExchangeGateway(ctx context.Context, r RemoteRequest) (Added, error) {
	return call[Added](ctx, c, http.MethodPost, "/v1/gateway/exchange", r)
}

// Matches lists what others have shared that concerns own systems: of a case, where its number is given.
func (c *Client) Matches(ctx context.Context, incident string, open bool) (Matches, error) {
	only := ""
	if open {
		only = "true"
	}
	return call[Matches](ctx, c, http.MethodGet, "/v1/matches"+query("case", incident, "open", only), nil)
}

// SeeMatch takes the matches of a statement off the watch.
func (c *Client) SeeMatch(ctx context.Context, statement string, r MatchSeen) error {
	_, err := call[struct{}](ctx, c, http.MethodPost, "/v1/matches/"+seg(statement)+"/seen", r)
	return err
}

// Mails lists the mails about cases: of one, where its number is given.
func (c *Client) Mails(ctx context.Context, incident string, open bool) ([]Mail, error) {
	only := ""
	if open {
		only = "true"
	}
	return call[[]Mail](ctx, c, http.MethodGet, "/v1/mails"+query("case", incident, "open", only), nil)
}

// ReceiveMail takes a mail in.
func (c *Client) ReceiveMail(ctx context.Context, raw []byte) (MailReceived, error) {
	return call[MailReceived](ctx, c, http.MethodPost, "/v1/mails", raw)
}

// SeeMail takes a mail off the watch.
func (c *Client) SeeMail(ctx context.Context, number int64) error {
	_, err := call[struct{}](ctx, c, http.MethodPost, "/v1/mails/"+strconv.FormatInt(number, 10)+"/seen", nil)
	return err
}

// SendMail sends the report of a case.
func (c *Client) SendMail(ctx context.Context, incident string, r MailRequest) (Mail, error) {
	return call[Mail](ctx, c, http.MethodPost, "/v1/cases/"+seg(incident)+"/mails", r)
}

// MISPKeys lists which MISPs may ask the gateway.
func (c *Client) MISPKeys(ctx context.Context) ([]MISPKey, error) {
	return call[[]MISPKey](ctx, c, http.MethodGet, "/v1/gateway/misp/keys", nil)
}

// AddMISPKey lets a MISP ask the gateway. The answer alone tells the secret.
func (c *Client) AddMISPKey(ctx context.Context, r MISPKeyRequest) (MISPKey, error) {
	return call[MISPKey](ctx, c, http.MethodPost, "/v1/gateway/misp/keys", r)
}

// RevokeMISPKey ends a MISP's key.
func (c *Client) RevokeMISPKey(ctx context.Context, name string) error {
	_, err := call[struct{}](ctx, c, http.MethodDelete, "/v1/gateway/misp/keys/"+seg(name), nil)
	return err
}

// MISPEvents lists the events of the feed for an audience on a plane.
func (c *Client) MISPEvents(ctx context.Context, audience, plane string) ([]MISPEvent, error) {
	return call[[]MISPEvent](ctx, c, http.MethodGet, "/v1/gateway/misp/events"+query("audience", audience, "plane", plane), nil)
}

// MISPEvent gives one of them as a file.
func (c *Client) MISPEvent(ctx context.Context, audience, plane, uuid string) ([]byte, error) {
	return call[[]byte](ctx, c, http.MethodGet, "/v1/gateway/misp/events/"+seg(uuid)+query("audience", audience, "plane", plane), nil)
}

// ImportFile recognises a file and takes in what is in it.
func (c *Client) ImportFile(ctx context.Context, collection, name, tlp string, data []byte) (Imported, error) {
	return call[Imported](ctx, c, http.MethodPost, "/v1/gateway/files"+query("collection", collection, "name", name, "tlp", tlp), data)
}

// FormatRequest says what is written, in which format, and for whom.
type FormatRequest struct{ Format, Case, Collection, After, Audience, TLP string }

// ExportFile writes a case or a collection.
func (c *Client) ExportFile(ctx context.Context, r FormatRequest) (Written, error) {
	return call[Written](ctx, c, http.MethodGet, "/v1/gateway/files"+query("format", r.Format, "case", r.Case, "collection", r.Collection, "after", r.After, "audience", r.Audience, "tlp", r.TLP), nil)
}

// Advisories lists the security advisories: of a case, those that name a vulnerability of it.
func (c *Client) Advisories(ctx context.Context, incident string) ([]Advisory, error) {
	return call[[]Advisory](ctx, c, http.MethodGet, "/v1/advisories"+query("case", incident), nil)
}
