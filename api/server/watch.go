package server

import (
	"context"
	"encoding/hex"
	"net/http"
	"slices"
	"time"

	"detente/api"
	"detente/api/view"
	"detente/call"
	"detente/floor"
	"detente/officer"
	"detente/roster"
	"detente/statement"
	"detente/traffic"
	"detente/watch"

	"golang.org/x/text/language"
)

// watching is a request for the watch.
type watching struct {
	Post  traffic.Post  `query:"post" doc:"Empty for every post."`
	Plane traffic.Plane `query:"plane" doc:"Empty for every plane."`
	Lang  string        `query:"lang" default:"en"`
}

func (s *Server) registerWatch() {
	const tag = "watch"
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/watch", "show-watch", "What needs somebody now, and who is on duty"), s.watch)
	Handle(s, Operation(s, officer.Take, tag, http.MethodPost, "/v1/watch/take", "take-item", "Take an item: its alarm stops").Recorded(), s.take)
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/rosters", "list-rosters", "The rosters of all posts", officer.Roster), s.rosters)
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/rosters/{post}", "show-roster", "The roster of a post", officer.Roster), s.roster)
	Handle(s, Operation(s, officer.Roster, tag, http.MethodPut, "/v1/rosters/{post}", "set-roster", "Put a roster into force").Recorded(), s.setRoster)
	Handle(s, Operation(s, officer.Roster, tag, http.MethodPost, "/v1/rosters/{post}/overrides", "override-roster", "Put another officer into a duty role for a time").Recorded(), s.override)
	s.registerLog()
}

func (s *Server) watch(ctx context.Context, by officer.Actor, in *watching) (api.Watch, error) {
	v, err := s.floor.Watch(ctx, in.Post, in.Plane)
	if err != nil {
		return api.Watch{}, err
	}
	lang := language.Make(in.Lang)
	for _, list := range []*[]floor.Shown{&v.Items, &v.Taken, &v.Done} {
		*list = slices.DeleteFunc(*list, func(it floor.Shown) bool { return !by.May(officer.Read, it.Post) })
	}
	out := api.Watch{Now: v.Now, More: v.More, Items: s.items(v.Items, lang), Taken: s.items(v.Taken, lang), Done: s.items(v.Done, lang), Duty: []api.Duty{}, Sound: "none"}
	for _, d := range v.Duty {
		out.Duty = append(out.Duty, view.Duty(d))
	}
	for _, it := range v.Items {
		switch {
		case it.Precedence == traffic.Flash:
			out.Sound = "flash"
		case it.Precedence == traffic.Immediate && out.Sound == "none":
			out.Sound = "immediate"
		}
	}
	return out, nil
}

func (s *Server) items(list []floor.Shown, lang language.Tag) []api.Item {
	out := []api.Item{}
	for _, it := range list {
		out = append(out, s.item(it, lang))
	}
	return out
}

// item is an item in its reader's words.
func (s *Server) item(it floor.Shown, lang language.Tag) api.Item {
	out := api.Item{
		Key: it.Key, Kind: string(it.Kind), Post: it.Post, Plane: it.Plane, Precedence: it.Precedence, Title: s.floor.Title(it.Item, lang), Number: it.Number,
		Form: it.Form, Peer: it.Peer, Since: it.Since, Due: it.Due, Ended: it.Ended, Calls: []api.Call{},
	}
	out.Overdue = it.Ended.IsZero() && it.Overdue(time.Now())
	if it.Statement != (statement.ID{}) {
		out.Statement = it.Statement.String()
	}
	if it.Channel != [32]byte{} {
		out.Channel = hex.EncodeToString(it.Channel[:4])
		if c, regime, err := s.node.Channel(it.Channel); err == nil {
			out.Channel = view.ChannelName(c)
			if f, ok := regime.Latest(it.Form); ok {
				out.Detail = regime.Phrases.Phrase(lang, f.ID)
			}
		}
	}
	if t := it.Taken; t != nil {
		out.Taken = &api.Taken{By: t.By, Role: t.Role, At: t.At}
	}
	for _, c := range it.Calls {
		shown := api.Call{Officer: c.Officer, Role: c.Role, Means: c.Means, At: c.Claimed, Outcome: c.Outcome}
		switch {
		case c.Outcome == watch.Failed:
			shown.Detail = s.phrases.Phrase(lang, "failure."+call.CodeOf(c.Detail))
		case c.Detail != "":
			shown.Detail = s.phrases.Phrase(lang, "call.shared") // one call for several items
		}
		out.Calls = append(out.Calls, shown)
	}
	if n := it.Next; n != nil {
		out.NextCall = &api.NextCall{Role: string(n.Role), Officer: n.Officer, At: n.At}
	}
	return out
}

func (s *Server) take(ctx context.Context, by officer.Actor, in *struct {
	Key  string `query:"key" required:"true"`
	Lang string `query:"lang" default:"en"`
	Body api.TakeRequest
}) (api.Item, error) {
	post, err := s.floor.PostOf(ctx, in.Key)
	if err != nil {
		return api.Item{}, err
	}
	role, err := must(by, officer.Take, post, in.Body.Role)
	if err != nil {
		return api.Item{}, err
	}
	it, err := s.floor.Take(ctx, in.Key, floor.By{Officer: by.ID, Role: role}, in.Body.Remark)
	if err != nil {
		return api.Item{}, err
	}
	return s.item(it, language.Make(in.Lang)), nil
}

func (s *Server) rosters(ctx context.Context, _ officer.Actor, _ *None) ([]api.Roster, error) {
	list, err := s.floor.Rosters(ctx)
	out := []api.Roster{}
	for _, p := range list {
		out = append(out, view.Roster(p))
	}
	return out, err
}

// ofPost is a request about a post.
type ofPost struct {
	Post traffic.Post `path:"post"`
}

func (s *Server) roster(ctx context.Context, _ officer.Actor, in *ofPost) (api.Roster, error) {
	p, err := s.floor.Roster(ctx, in.Post)
	if err != nil {
		return api.Roster{}, err
	}
	return view.Roster(p), nil
}

func (s *Server) setRoster(ctx context.Context, by officer.Actor, in *struct {
	Post traffic.Post `path:"post"` // an embedded part that is not exported is passed over
	Body api.RosterRequest
}) (api.Roster, error) {
	role, err := must(by, officer.Roster, in.Post, "")
	if err != nil {
		return api.Roster{}, err
	}
	p, err := s.floor.SetRoster(ctx, in.Post, in.Body.Text, floor.By{Officer: by.ID, Role: role})
	if err != nil {
		return api.Roster{}, err
	}
	return view.Roster(p), nil
}

func (s *Server) override(ctx context.Context, by officer.Actor, in *struct {
	Post traffic.Post `path:"post"` // an embedded part that is not exported is passed over
	Body api.Override
}) (api.Roster, error) {
	role, err := must(by, officer.Roster, in.Post, "")
	if err != nil {
		return api.Roster{}, err
	}
	o := in.Body
	p, err := s.floor.Override(ctx, roster.Override{
		Post: in.Post, Role: roster.Role(o.Role), Officer: o.Officer, From: o.From, Until: o.Until, Reason: o.Reason,
	}, floor.By{Officer: by.ID, Role: role})
	if err != nil {
		return api.Roster{}, err
	}
	return view.Roster(p), nil
}
