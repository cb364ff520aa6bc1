package server

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/api/compose"
	"detente/lookup"
	"detente/observable"
	"detente/officer"
	"detente/traffic"
)

var errNoLookups = errors.New("api: this node keeps no lists")

func (s *Server) registerLookups() {
	const tag = "lookups"
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/lookups", "list-lookups", "Lists that blinded questions may be put to, and what came of the own ones"), s.lookups)
	Handle(s, Operation(s, officer.Send, tag, http.MethodPost, "/v1/lookups/lists", "publish-list", "Publish a list that the other members may ask about"), s.publishList)
	Handle(s, Operation(s, officer.Send, tag, http.MethodPost, "/v1/lookups/questions", "ask-list", "Ask whether a party knows indicators, without telling which"), s.askList)
}

func (s *Server) lookups(ctx context.Context, by officer.Actor, _ *struct{}) (api.Lookups, error) {
	out := api.Lookups{Lists: []api.LookupList{}, Results: []api.LookupResult{}}
	if s.cfg.Lookups == nil {
		return out, nil
	}
	if err := s.cfg.Lookups.Work(ctx); err != nil {
		return out, err
	}
	lists, err := s.cfg.Lookups.Lists(ctx)
	if err != nil {
		return out, err
	}
	now := time.Now()
	for i := range lists {
		out.Lists = append(out.Lists, s.viewList(&lists[i], now))
	}
	results, err := s.cfg.Lookups.Results(ctx, by.ID, by.Terminal())
	if err != nil {
		return out, err
	}
	for _, r := range results {
		v := api.LookupResult{List: r.List.String(), Officer: r.Officer, Asked: r.Asked, State: r.State, Reason: string(r.Reason)}
		for _, f := range r.Found {
			v.Indicators = append(v.Indicators, api.LookupFound{Kind: string(f.Kind), Value: f.Value, Known: f.Known})
		}
		out.Results = append(out.Results, v)
	}
	return out, nil
}

func (s *Server) viewList(l *lookup.State, now time.Time) api.LookupList {
	v := api.LookupList{
		ID: l.ID.String(), Owner: l.Owner.String(), Channel: hex.EncodeToString(l.Channel[:]), Plane: l.Plane, Epoch: l.Epoch, Entries: l.Bucket,
		From: l.From, Until: l.Until, PerDay: l.PerDay, Total: l.Total, About: l.About, Own: l.Own, Kinds: []string{}, Asked: []api.LookupCount{},
	}
	for _, k := range l.Kinds {
		v.Kinds = append(v.Kinds, string(k))
	}
	for _, p := range slices.Sorted(maps.Keys(l.Counts)) {
		c := l.Counts[p]
		v.Asked = append(v.Asked, api.LookupCount{Party: p, Today: c.Today, Total: c.Total, Refused: c.Refused})
		if p == s.node.Self() && l.In(now) {
			v.Left = c.Left(now)
		}
	}
	for _, b := range l.Wanted {
		v.Broken = append(v.Broken, b.Question.String())
	}
	return v
}

// indicators reads what a person wrote or pasted. The error names the line, and not what stands there: it is logged by some.
func indicators(lines []string) ([]observable.Observable, error) {
	out := make([]observable.Observable, len(lines))
	for i, line := range lines {
		var err error
		if out[i], err = observable.Guess(line); err != nil {
			return nil, fmt.Errorf("indicator %d: %w", i+1, err)
		}
	}
	return out, nil
}

func (s *Server) publishList(ctx context.Context, by officer.Actor, in *struct{ Body api.LookupListRequest }) (api.Sent, error) {
	r := in.Body
	if s.cfg.Lookups == nil {
		return api.Sent{}, errNoLookups
	}
	c, err := s.findChannel(ctx, r.Channel)
	if err != nil {
		return api.Sent{}, err
	}
	post, err := s.speaker(c.Channel, r.Post)
	if err != nil {
		return api.Sent{}, err
	}
	role, err := must(by, officer.Send, post, "")
	if err != nil {
		return api.Sent{}, err
	}
	values, err := indicators(r.Indicators)
	if err != nil {
		return api.Sent{}, err
	}
	sent, _, err := s.cfg.Lookups.Publish(ctx, lookup.List{
		Channel: c.ID(), Plane: cmp.Or(r.Plane, traffic.Real), Post: post, Values: values, For: time.Duration(r.Days) * 24 * time.Hour, PerDay: r.PerDay,
		Total: r.Total, About: r.About, Drafter: role,
	})
	if err != nil {
		return api.Sent{}, err
	}
	return s.viewSent(sent, post), nil
}

func (s *Server) askList(ctx context.Context, by officer.Actor, in *struct{ Body api.LookupRequest }) (api.Sent, error) {
	r := in.Body
	if s.cfg.Lookups == nil {
		return api.Sent{}, errNoLookups
	}
	lists, err := s.cfg.Lookups.Lists(ctx)
	if err != nil {
		return api.Sent{}, err
	}
	lists = slices.DeleteFunc(lists, func(l lookup.State) bool {
		return r.List != "" && !strings.HasPrefix(l.ID.String(), strings.ToLower(r.List)) || r.Party != "" && string(l.Owner.Party) != r.Party || l.Own && r.List == ""
	})
	switch {
	case len(lists) == 0:
		return api.Sent{}, lookup.ErrNoList
	case len(lists) > 1:
		return api.Sent{}, fmt.Errorf("%w: there are %d such lists: give more of the id of one", compose.ErrRequest, len(lists))
	}
	list := lists[0]
	c, _, err := s.node.Channel(list.Channel)
	if err != nil {
		return api.Sent{}, err
	}
	post, err := s.speaker(c, r.Post)
	if err != nil {
		return api.Sent{}, err
	}
	role, err := must(by, officer.Send, post, "")
	if err != nil {
		return api.Sent{}, err
	}
	values, err := indicators(r.Indicators)
	if err != nil {
		return api.Sent{}, err
	}
	sent, err := s.cfg.Lookups.Ask(ctx, lookup.Question{List: list.ID, Values: values, Post: post, Officer: by.ID, Drafter: role})
	if err != nil {
		return api.Sent{}, err
	}
	return s.viewSent(sent, post), nil
}
