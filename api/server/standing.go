package server

import (
	"context"
	"errors"
	"maps"
	"net/http"

	"detente/api"
	"detente/api/view"
	"detente/archive"
	"detente/officer"
	"detente/standing"
	"detente/traffic"

	"golang.org/x/text/language"
)

func (s *Server) registerStanding() {
	const tag = "standing"
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/channel-statuses", "list-channel-statuses", "How each channel stands by what its members have stated"), s.statuses)
	Handle(s, Operation(s, officer.Commit, tag, http.MethodPost, "/v1/channel-statuses", "set-channel-status", "Suspend a channel, in part or whole, or resume it"), s.setStatus)
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/silences", "list-silences", "By link and post, why nothing is heard"), s.silences)
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/glossary", "list-glossary", "The terms of both sides beside each other"), s.glossary)
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/statistics", "show-statistics", "What each post has sent, by precedence"), s.statistics)
	Handle(s, Operation(s, officer.Read, "statements", http.MethodGet, "/v1/statements/{id}/stations", "trace-statement", "Where a statement was, since when, and what proves it"), s.stations)
	Handle(s, Operation(s, officer.Read, "statements", http.MethodPost, "/v1/preview", "preview-statement", "What a statement would look like, without making it").Recorded(), s.preview)
	Handle(s, Operation(s, officer.Read, "statements", http.MethodGet, "/v1/search", "search-statements", "Statements that hold every word, the newest first"), s.search)
}

func (s *Server) statuses(ctx context.Context, _ officer.Actor, _ *None) ([]api.ChannelStatus, error) {
	list, err := s.stands.Channels(ctx, traffic.Real)
	out := []api.ChannelStatus{}
	for _, c := range list {
		out = append(out, view.Status(c))
	}
	return out, err
}

func (s *Server) setStatus(ctx context.Context, by officer.Actor, in *struct{ Body api.SuspendRequest }) (api.Sent, error) {
	r := in.Body
	text := maps.Clone(r.Text)
	if text == nil {
		text = make(map[string]string)
	}
	text["state"] = r.State
	return s.state(ctx, by, r.Channel, r.Post, api.Words{Form: "status", Text: text, Releaser: r.Releaser})
}

func (s *Server) silences(ctx context.Context, _ officer.Actor, in *struct {
	Lang string `query:"lang" default:"en"`
}) ([]api.PostSilence, error) {
	list, err := s.stands.Silences(ctx)
	v := s.Viewer(ctx, language.Make(in.Lang))
	out := []api.PostSilence{}
	for _, p := range list {
		out = append(out, v.Silence(p))
	}
	return out, err
}

func (s *Server) glossary(ctx context.Context, _ officer.Actor, in *channelQuery) ([]api.Term, error) {
	id, err := s.ChannelID(ctx, in.Channel)
	if err != nil {
		return nil, err
	}
	list, err := s.stands.Glossary(ctx, id)
	v := s.Viewer(ctx, language.English)
	out := []api.Term{}
	for _, t := range list {
		out = append(out, v.Term(t))
	}
	return out, err
}

func (s *Server) statistics(ctx context.Context, _ officer.Actor, _ *None) ([]api.Traffic, error) {
	list, err := s.stands.Statistics(ctx)
	out := []api.Traffic{}
	for _, t := range list {
		out = append(out, api.Traffic{Party: t.Party, Post: t.Post, Sent: t.Sent, Total: t.Total})
	}
	return out, err
}

func (s *Server) stations(ctx context.Context, _ officer.Actor, in *onStatement) ([]api.Station, error) {
	h, err := s.node.Named(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	list, err := s.stands.Stations(ctx, h)
	return view.Stations(list), err
}

func (s *Server) preview(ctx context.Context, by officer.Actor, in *struct {
	Lang string `query:"lang" default:"en"`
	Body api.SendRequest
}) (api.Statement, error) {
	d, f, err := s.draft(ctx, &in.Body)
	if err != nil {
		return api.Statement{}, err
	}
	return s.Viewer(ctx, language.Make(in.Lang)).Draft(&d, f)
}

func (s *Server) search(ctx context.Context, _ officer.Actor, in *struct {
	Text    string        `query:"text" maxLength:"500"`
	Channel string        `query:"channel"`
	Plane   traffic.Plane `query:"plane" enum:"real,exercise,test"`
	Limit   int           `query:"limit" default:"50" minimum:"1" maximum:"500"`
	Lang    string        `query:"lang" default:"en"`
}) ([]api.Line, error) {
	id, err := s.ChannelID(ctx, in.Channel)
	if err != nil {
		return nil, err
	}
	lang := language.Make(in.Lang)
	found, err := s.stands.Search(ctx, standing.Query{Text: in.Text, Channel: id, Plane: in.Plane, Lang: lang, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	v := s.Viewer(ctx, lang)
	out := []api.Line{}
	for _, id := range found {
		h, err := s.node.Statement(ctx, id)
		if errors.Is(err, archive.ErrNotHeld) {
			continue // of a feed that was left behind meanwhile
		}
		if err != nil {
			return nil, err
		}
		line, err := v.Line(h)
		if err != nil {
			return nil, err
		}
		out = append(out, line)
	}
	return out, nil
}
