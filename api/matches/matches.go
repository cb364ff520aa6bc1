// Package matches is the part of the local API about what others share that concerns own systems: an extension of api/server.
// It must never show it to anybody but the own officers, nor send anything.
package matches

import (
	"context"
	"net/http"

	"detente/api"
	"detente/api/server"
	"detente/casework"
	"detente/gateway/matching"
	"detente/officer"
	"detente/stix"
)

// desk answers the requests.
type desk struct {
	matching *matching.Matching
	cases    *casework.Casework
}

// Extend adds the requests to a server.
func Extend(m *matching.Matching, cases *casework.Casework) server.Extension {
	return func(s *server.Server) {
		const tag = "matches"
		d := &desk{m, cases}
		server.Handle(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/matches", "list-matches", "Indicators of others that concern own systems"), d.list)
		server.Handle(s, server.Operation(s, officer.Take, tag, http.MethodPost, "/v1/matches/{statement}/seen", "see-match", "Take the matches of a statement off the watch"), d.see)
		s.Teach(server.Rule{Is: matching.ErrNoMatch, Status: http.StatusNotFound, Code: "no-match", Hint: "see what matches with: detente gateway matches"})
	}
}

func (d *desk) list(ctx context.Context, _ officer.Actor, in *struct {
	Case string `query:"case" doc:"Number of a case: what was stated in it, and that from which it was opened."`
	Open bool   `query:"open" doc:"Only what nobody has seen."`
}) (api.Matches, error) {
	st := d.matching.State()
	out := api.Matches{Assets: st.Assets, Read: st.Read, Matches: []api.Match{}}
	if st.Fault != nil {
		out.Fault = st.Fault.Error()
	}
	f := matching.Filter{Open: in.Open}
	if in.Case != "" {
		file, err := d.cases.File(ctx, in.Case)
		if err != nil {
			return out, err
		}
		f.Case = file.Title
		for _, s := range file.Sheets {
			f.Dossiers = append(f.Dossiers, s.Name.ID)
		}
	}
	list, err := d.matching.List(ctx, f)
	for i := range list {
		out.Matches = append(out.Matches, view(&list[i]))
	}
	return out, err
}

func view(m *matching.Match) api.Match {
	v := api.Match{
		Statement: m.Statement.String(), Number: m.Number, From: m.Peer, Plane: m.Plane, Post: m.Post, Count: m.Count, Found: m.Found, Seen: m.Seen, Role: m.Role, Case: m.Case,
		Hits: []api.MatchHit{},
	}
	for _, h := range m.Hits {
		v.Hits = append(v.Hits, api.MatchHit{Object: h.Object, Title: stix.Defang(h.Title), Kind: h.Kind, Value: stix.Defang(h.Value), Own: h.Own, Asset: h.Asset, How: h.How})
	}
	return v
}

func (d *desk) see(ctx context.Context, by officer.Actor, in *struct {
	Statement string `path:"statement" doc:"Number, or four or more digits of the id."`
	Body      api.MatchSeen
}) (done struct{}, err error) {
	h, err := d.matching.Named(ctx, in.Statement)
	if err != nil {
		return done, err
	}
	number := in.Body.Case
	if number != "" {
		file, err := d.cases.File(ctx, number)
		if err != nil {
			return done, err
		}
		number = file.Title
	}
	return done, d.matching.Seen(ctx, h, by.Role(officer.Take, "", ""), number)
}
