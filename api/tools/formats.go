package tools

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"net/http"

	"detente/api"
	"detente/api/compose"
	"detente/api/server"
	"detente/casework"
	"detente/gateway"
	"detente/gateway/csaf"
	"detente/gateway/flat"
	"detente/gateway/iodef"
	"detente/gateway/misp"
	"detente/gateway/objects"
	"detente/gateway/taxii"
	"detente/label"
	"detente/officer"
	"detente/traffic"
)

// bench is the desk for files of other formats.
type bench struct {
	desk
	cases *casework.Casework
}

// Formats registers the operations on keys of MISPs and on files of other formats.
func Formats(g *gateway.Gateway, cases *casework.Casework) server.Extension {
	return func(s *server.Server) {
		const tag = "gateway"
		const malformed = http.StatusUnprocessableEntity
		d := bench{desk{g}, cases}
		server.Handle(s, server.Operation(s, officer.Inspect, tag, http.MethodGet, "/v1/gateway/misp/keys", "list-misp-keys", "Which MISPs may ask the gateway"), d.keys)
		server.Handle(s, server.Operation(s, officer.System, tag, http.MethodPost, "/v1/gateway/misp/keys", "add-misp-key", "Let a MISP ask the gateway"), d.addKey)
		server.Handle(s, server.Operation(s, officer.System, tag, http.MethodDelete, "/v1/gateway/misp/keys/{name}", "revoke-misp-key", "End a MISP's key"), d.revokeKey)
		server.Handle(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/gateway/misp/events", "list-misp-events", "The events of the feed for whoever will read it"), d.events)
		server.HandleFile(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/gateway/misp/events/{uuid}", "export-misp-event", "An event of the feed"), "application/json", d.event)
		server.Handle(s, server.Operation(s, officer.Send, tag, http.MethodPost, "/v1/gateway/files", "import-gateway-file", "Recognise a file and take in what is in it"), d.take)
		server.Handle(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/gateway/files", "export-gateway-file", "Write a collection or a case in another format"), d.write)
		server.Handle(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/advisories", "list-advisories", "Security advisories, of a case those that name a vulnerability of it"), d.advisories)
		s.Teach(
			server.Rule{Is: gateway.ErrKeyName, Status: malformed, Code: "key-name"},
			server.Rule{Is: gateway.ErrKeyThere, Status: http.StatusConflict, Code: "key-there", Hint: "revoke it first: detente gateway misp key revoke NAME"},
			server.Rule{Is: gateway.ErrNoKey, Status: http.StatusNotFound, Code: "no-misp-key", Hint: "see the keys with: detente gateway misp key list"},
			server.Rule{Is: gateway.ErrAudience, Status: malformed, Code: "audience"},
			server.Rule{Is: gateway.ErrFormat, Status: malformed, Code: "format"},
			server.Rule{Is: gateway.ErrNeedsCollection, Status: malformed, Code: "needs-collection", Hint: "give --collection; detente gateway status shows them"},
			server.Rule{Is: gateway.ErrTooLarge, Status: http.StatusConflict, Code: "too-large", Hint: "give --after"},
			server.Rule{Is: misp.ErrEvent, Status: malformed, Code: "not-an-event"},
			server.Rule{Is: misp.ErrNoEvent, Status: http.StatusNotFound, Code: "no-event"},
			server.Rule{Is: misp.ErrEmpty, Status: http.StatusForbidden, Code: "nothing-leaves", Hint: "its labels keep all of it from this audience, or nothing of it has a place in the format"},
			server.Rule{Is: csaf.ErrDocument, Status: malformed, Code: "not-an-advisory"},
			server.Rule{Is: flat.ErrFile, Status: malformed, Code: "not-events"},
			server.Rule{Is: iodef.ErrReport, Status: http.StatusConflict, Code: "incomplete"},
		)
	}
}

func audiences() map[string]label.Audience {
	return map[string]label.Audience{"": label.Organisation, "organisation": label.Organisation, "clients": label.Clients, "community": label.Community, "everybody": label.Everybody}
}

func audienceName(a label.Audience) string {
	for name, b := range audiences() {
		if a == b && name != "" {
			return name
		}
	}
	return ""
}

func planeOr(p traffic.Plane) traffic.Plane {
	if p == "" {
		return traffic.Real
	}
	return p
}

func (d bench) keys(ctx context.Context, _ officer.Actor, _ *server.None) ([]api.MISPKey, error) {
	list, err := d.MISPKeys(ctx)
	out := []api.MISPKey{}
	for _, k := range list {
		out = append(out, api.MISPKey{Name: k.Name, Audience: audienceName(k.Audience), Plane: k.Plane, Collection: k.Collection, Created: k.Created})
	}
	return out, err
}

func (d bench) addKey(ctx context.Context, _ officer.Actor, in *struct{ Body api.MISPKeyRequest }) (api.MISPKey, error) {
	k := gateway.MISPKey{Name: in.Body.Name, Audience: audiences()[in.Body.Audience], Plane: planeOr(in.Body.Plane)}
	if in.Body.Collection != "" {
		c, err := d.Named(ctx, in.Body.Collection)
		if err != nil {
			return api.MISPKey{}, err
		}
		k.Collection = c.ID
	}
	letters, err := d.AddMISPKey(ctx, k)
	return api.MISPKey{Name: k.Name, Audience: audienceName(k.Audience), Plane: k.Plane, Collection: k.Collection, Secret: letters}, err
}

func (d bench) revokeKey(ctx context.Context, _ officer.Actor, in *struct {
	Name string `path:"name"`
}) (done struct{}, err error) {
	return done, d.RevokeMISPKey(ctx, in.Name)
}

// Readers is who will read what is written, and on which plane.
type Readers struct {
	Audience string        `query:"audience" enum:"organisation,clients,community,everybody" default:"organisation"`
	Plane    traffic.Plane `query:"plane" enum:"real,exercise,test" default:"real"`
}

func (r *Readers) path() label.Path {
	return label.Path{Audience: audiences()[r.Audience], Plane: label.Plane(r.Plane)}
}

func (d bench) events(ctx context.Context, _ officer.Actor, in *Readers) ([]api.MISPEvent, error) {
	list, err := d.MISPEvents(ctx, in.path())
	out := []api.MISPEvent{}
	for _, e := range list {
		out = append(out, api.MISPEvent{UUID: string(e.UUID), Info: string(e.Info), Timestamp: string(e.Timestamp)})
	}
	return out, err
}

func (d bench) event(ctx context.Context, _ officer.Actor, in *struct {
	Readers
	UUID string `path:"uuid"`
}) ([]byte, error) {
	return d.MISPEvent(ctx, in.path(), in.UUID)
}

func (d bench) take(ctx context.Context, by officer.Actor, in *struct {
	Collection string `query:"collection" doc:"Id, alias or title of the one that it goes into; an advisory goes into none."`
	Name       string `query:"name" doc:"Of the file: it tells the reports of Shadowserver apart."`
	TLP        string `query:"tlp" doc:"Label of what says nothing itself."`
	RawBody    []byte `contentType:"application/octet-stream"`
}) (api.Imported, error) {
	f := gateway.File{Name: in.Name, Data: bytes.Clone(in.RawBody)} // the buffer is huma's
	if in.TLP != "" {
		var ok bool
		if f.TLP, ok = label.ParseTLP(in.TLP); !ok {
			return api.Imported{}, fmt.Errorf("%w: no label of TLP: %.30q", compose.ErrRequest, in.TLP)
		}
	}
	var to *objects.Collection
	if in.Collection != "" {
		c, err := d.Named(ctx, in.Collection)
		if err != nil {
			return api.Imported{}, err
		}
		to = &c
	}
	done, err := d.Import(ctx, by.ID, to, f)
	out := api.Imported{Format: done.Format, Advisory: done.Advisory, CVEs: done.CVEs}
	out.Added, _ = added(done.Added, nil)
	return out, err
}

func (d bench) write(ctx context.Context, _ officer.Actor, in *struct {
	Format     string `query:"format" enum:"misp,intelmq,iodef" required:"true"`
	Case       string `query:"case" doc:"Number of a case, or"`
	Collection string `query:"collection" doc:"id, alias or title of a collection."`
	After      string `query:"after" doc:"Stamp: only what was added to it later."`
	Audience   string `query:"audience" enum:"organisation,clients,community,everybody" default:"organisation"`
	TLP        string `query:"tlp" doc:"Label of a document that is made of a case."`
}) (api.Written, error) {
	out := api.Written{Left: []api.WrittenNot{}}
	x := gateway.Export{Format: in.Format, Cases: d.cases, Audience: audiences()[in.Audience]}
	if in.TLP != "" {
		var ok bool
		if x.TLP, ok = label.ParseTLP(in.TLP); !ok {
			return out, fmt.Errorf("%w: no label of TLP: %.30q", compose.ErrRequest, in.TLP)
		}
	}
	after, err := taxii.After(in.After)
	if err != nil {
		return out, err
	}
	x.After = after.After
	switch {
	case in.Case != "":
		x.Case, err = d.cases.File(ctx, in.Case)
	case in.Collection != "":
		var c objects.Collection
		c, err = d.Named(ctx, in.Collection)
		x.Collection = &c
	default:
		err = fmt.Errorf("%w: name a case or a collection", compose.ErrRequest)
	}
	if err != nil {
		return out, err
	}
	b, left, err := d.Export(ctx, x)
	out.Data = b
	for _, l := range left {
		n := api.WrittenNot{ID: l.ID}
		if l.Why != nil {
			n.Why = l.Why.Error()
		}
		out.Left = append(out.Left, n)
	}
	return out, err
}

func (d bench) advisories(ctx context.Context, _ officer.Actor, in *struct {
	Case string `query:"case"`
}) ([]api.Advisory, error) {
	var of *casework.File
	if in.Case != "" {
		var err error
		if of, err = d.cases.File(ctx, in.Case); err != nil {
			return nil, err
		}
	}
	list, err := d.Advisories(ctx, of)
	out := []api.Advisory{}
	for _, a := range list {
		out = append(out, api.Advisory{
			Hash: hex.EncodeToString(a.Hash[:]), ID: a.ID, Namespace: a.Namespace, Title: a.Title, Publisher: a.Publisher, TLP: a.TLP, Severity: a.Severity, CVEs: a.CVEs,
		})
	}
	return out, err
}
