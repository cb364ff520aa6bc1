// Package tools is the part of the local API that is about the gateway: collections, tokens, reviews, and the exchange with local servers.
// It must never tell a token's secret but to whoever makes it, nor fetch what a stranger names.
package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"detente/api"
	"detente/api/server"
	"detente/gateway"
	"detente/gateway/objects"
	"detente/gateway/taxii"
	"detente/officer"
)

// desk answers what is asked of a gateway.
type desk struct{ *gateway.Gateway }

// Extend registers the operations of a gateway.
func Extend(g *gateway.Gateway) server.Extension {
	return func(s *server.Server) {
		const tag = "gateway"
		d := desk{g}
		s.Teach(rules()...)
		server.Handle(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/gateway", "show-gateway", "Collections of the response team's tools, and what flows through them"), d.status)
		server.Handle(s, server.Operation(s, officer.Inspect, tag, http.MethodGet, "/v1/gateway/tokens", "list-gateway-tokens", "Which tools may ask the gateway"), d.tokens)
		server.Handle(s, server.Operation(s, officer.System, tag, http.MethodPost, "/v1/gateway/tokens", "add-gateway-token", "Let a tool ask the gateway"), d.addToken)
		server.Handle(s, server.Operation(s, officer.System, tag, http.MethodDelete, "/v1/gateway/tokens/{name}", "revoke-gateway-token", "End a tool's token"), d.revokeToken)
		server.Handle(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/gateway/reviews", "list-gateway-reviews", "What waits for a person before it is stated"), d.reviews)
		server.Handle(s, server.Operation(s, officer.Send, tag, http.MethodPost, "/v1/gateway/reviews", "review-gateway", "Approve or refuse what waits"), d.review)
		server.Handle(s, server.Operation(s, officer.Send, tag, http.MethodPost, "/v1/gateway/objects", "add-gateway-objects", "Add a bundle or envelope to a collection"), d.add)
		server.HandleFile(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/gateway/objects", "export-gateway-objects", "Objects of a collection, one a line, by their stamps"), "application/x-ndjson", d.export)
		server.Handle(s, server.Operation(s, officer.System, tag, http.MethodPost, "/v1/gateway/exchange", "exchange-gateway", "Pull from, or push to, a local TAXII server"), d.exchange)
	}
}

func rules() []server.Rule {
	const malformed = http.StatusUnprocessableEntity
	return []server.Rule{
		{Is: objects.ErrNoCollection, Status: http.StatusNotFound, Code: "no-collection", Hint: "see the collections with: detente gateway status"},
		{Is: objects.ErrFilter, Status: malformed, Code: "filter"},
		{Is: taxii.ErrEnvelope, Status: malformed, Code: "not-stix", Hint: "see what is wrong with: detente stix validate FILE"},
		{Is: taxii.ErrReadOnly, Status: http.StatusForbidden, Code: "read-only", Hint: "choose a collection that local tools fill: detente gateway status"},
		{Is: taxii.ErrTokenName, Status: malformed, Code: "token-name"},
		{Is: taxii.ErrThere, Status: http.StatusConflict, Code: "token-there", Hint: "revoke it first: detente gateway token revoke NAME"},
		{Is: taxii.ErrNoToken, Status: http.StatusNotFound, Code: "no-gateway-token", Hint: "see the tokens with: detente gateway token list"},
		{Is: taxii.ErrAddress, Status: malformed, Code: "address"},
		{Is: taxii.ErrRemote, Status: http.StatusBadGateway, Code: "remote", Hint: "see whether the other server runs, and takes the token"},
		{Is: gateway.ErrNoItem, Status: http.StatusNotFound, Code: "no-review", Hint: "see what waits with: detente gateway pending"},
	}
}

func (d desk) status(ctx context.Context, _ officer.Actor, _ *server.None) (api.GatewayStatus, error) {
	return d.stand(ctx)
}

func (d desk) tokens(ctx context.Context, _ officer.Actor, _ *server.None) ([]api.GatewayToken, error) {
	list, err := d.Tokens().List(ctx)
	out := []api.GatewayToken{}
	for _, t := range list {
		out = append(out, api.GatewayToken{Name: t.Name, Reads: t.Reads, Writes: t.Writes, Created: t.Created})
	}
	return out, err
}

func (d desk) addToken(ctx context.Context, _ officer.Actor, in *struct{ Body api.GatewayTokenRequest }) (out api.GatewayToken, err error) {
	t := taxii.Token{Name: in.Body.Name}
	if t.Reads, err = d.ids(ctx, in.Body.Reads); err != nil {
		return out, err
	}
	if t.Writes, err = d.ids(ctx, in.Body.Writes); err != nil {
		return out, err
	}
	secret, err := d.Tokens().Add(ctx, t)
	return api.GatewayToken{Name: t.Name, Reads: t.Reads, Writes: t.Writes, Secret: secret}, err
}

func (d desk) revokeToken(ctx context.Context, _ officer.Actor, in *struct {
	Name string `path:"name"`
}) (done struct{}, err error) {
	return done, d.Tokens().Revoke(ctx, in.Name)
}

func (d desk) reviews(ctx context.Context, _ officer.Actor, in *struct {
	Limit int `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}) ([]api.Review, error) {
	list, err := d.Pending(ctx, in.Limit)
	out := []api.Review{}
	for _, r := range list {
		out = append(out, api.Review{
			Key: r.Key, Collection: r.Collection.Title, ID: r.Row.ID, Type: r.Row.Type, Version: r.Row.Version, Added: r.Row.Added, Form: r.Form, To: r.Audience, TLP: r.TLP.String(),
			PAP: r.PAP.String(), Token: r.Token, Failure: r.Failure, Object: string(r.Row.Bytes),
		})
	}
	return out, err
}

func (d desk) review(ctx context.Context, by officer.Actor, in *struct{ Body api.ReviewRequest }) (done struct{}, err error) {
	role := by.Role(officer.Send, "", "")
	if in.Body.Refuse {
		return done, d.Refuse(ctx, in.Body.Keys, role, in.Body.Reason)
	}
	return done, d.Approve(ctx, in.Body.Keys, role)
}

func (d desk) add(ctx context.Context, by officer.Actor, in *struct {
	Collection string `query:"collection" required:"true" doc:"Id, alias or title."`
	RawBody    []byte `contentType:"application/stix+json"`
}) (api.Added, error) {
	c, err := d.Named(ctx, in.Collection)
	if err != nil {
		return api.Added{}, err
	}
	return added(d.Put(ctx, by.ID, c, in.RawBody))
}

// most is the bytes of one answer of objects.
const most = 16 << 20

func (d desk) export(ctx context.Context, _ officer.Actor, in *struct {
	Collection string `query:"collection" required:"true" doc:"Id, alias or title."`
	After      string `query:"after" doc:"Stamp; what was added later alone. Where there is more, the last line is a number sign and the stamp to go on behind."`
	Limit      int    `query:"limit" default:"1000" minimum:"1" maximum:"5000"`
}) ([]byte, error) {
	c, err := d.Named(ctx, in.Collection)
	if err != nil {
		return nil, err
	}
	f, err := taxii.After(in.After)
	if err != nil {
		return nil, err
	}
	f.Limit, f.Bytes, f.Versions = in.Limit, most, objects.Versions{All: true}
	var b bytes.Buffer
	p, err := d.Shelf().Page(ctx, c.Number, f, func(o *objects.Row) error { return line(&b, o) })
	if err == nil && p.More {
		b.WriteString("# " + taxii.FormatStamp(p.Next) + "\n")
	}
	return b.Bytes(), err
}

// line writes an object as one line: its bytes as they came, or without the space between its members if lines end in it.
func line(b *bytes.Buffer, o *objects.Row) error {
	if !bytes.ContainsAny(o.Bytes, "\r\n") {
		b.Write(o.Bytes)
	} else if err := json.Compact(b, o.Bytes); err != nil {
		return err
	}
	return b.WriteByte('\n')
}

func (d desk) exchange(ctx context.Context, _ officer.Actor, in *struct{ Body api.RemoteRequest }) (api.Added, error) {
	c, err := d.Named(ctx, in.Body.Collection)
	if err != nil {
		return api.Added{}, err
	}
	remote := taxii.Remote{URL: in.Body.URL, User: in.Body.User, Secret: strings.TrimSpace(in.Body.Secret)}
	if in.Body.Push {
		return added(d.Push(ctx, c, remote))
	}
	return added(d.Pull(ctx, remote, c))
}

func added(a gateway.Added, err error) (api.Added, error) {
	return api.Added{Added: a.Objects, Known: a.Known, Refused: a.Refused, Reasons: a.Reasons}, err
}
