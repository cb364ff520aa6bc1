// Package lookups is the requests of the local API about blinded questions: an extension of api/server.
// It must never show an officer what another has asked, nor say in an error what was asked.
package lookups

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/api/compose"
	"detente/api/server"
	"detente/asking"
	"detente/lookup"
	"detente/observable"
	"detente/officer"
	"detente/traffic"
)

// desk answers the requests.
type desk struct {
	*server.Server
	lookups *lookup.Desk
}

// Extend adds the requests to a server.
func Extend(l *lookup.Desk) server.Extension {
	return func(s *server.Server) {
		const tag = "lookups"
		d := &desk{s, l}
		server.Handle(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/lookups", "list-lookups", "Lists that blinded questions may be put to, and what came of the own ones"), d.list)
		server.Handle(s, server.Operation(s, officer.Send, tag, http.MethodPost, "/v1/lookups/lists", "publish-list", "Publish a list that the other members may ask about"), d.publish)
		server.Handle(s, server.Operation(s, officer.Send, tag, http.MethodPost, "/v1/lookups/questions", "ask-list", "Ask whether a party knows indicators, without telling which"), d.ask)
		s.Teach(rules()...)
	}
}

// rules says how what may go wrong looks from outside.
func rules() []server.Rule {
	const malformed = http.StatusUnprocessableEntity
	return []server.Rule{
		{Is: lookup.ErrNoList, Status: http.StatusNotFound, Code: "no-list", Hint: "see the lists with: detente lookup status"},
		{Is: lookup.ErrOwnList, Status: http.StatusConflict, Code: "own-list", Hint: "look the indicator up where the list was made from"},
		{Is: lookup.ErrLimit, Status: http.StatusConflict, Code: "lookup-limit", Hint: "ask less, or another day: detente lookup status says how many are left"},
		{Is: lookup.ErrWindow, Status: http.StatusConflict, Code: "lookup-window", Hint: "ask while the list may be asked: detente lookup status"},
		{Is: lookup.ErrKind, Status: malformed, Code: "lookup-kind", Hint: "detente lookup status says which kinds a list has"},
		{Is: lookup.ErrNoKeys, Status: http.StatusConflict, Code: "no-lookup-keys", Hint: "run the node from a home directory with keys"},
		{Is: asking.ErrKind, Status: malformed, Code: "lookup-kind", Hint: "AS numbers are not asked about: there are so few that the list would be no secret"},
		{Is: asking.ErrCount, Status: malformed, Code: "lookup-count", Hint: "ask about 1 to 256 indicators at once; a list has 2097152 at most"},
		{Is: observable.ErrNot, Status: malformed, Code: "no-indicator", Hint: "write an address, a network, a name, a URL, a hash or a mail address"},
	}
}

func (s *desk) list(ctx context.Context, by officer.Actor, _ *server.None) (api.Lookups, error) {
	out := api.Lookups{Lists: []api.LookupList{}, Results: []api.LookupResult{}}
	if err := s.lookups.Work(ctx); err != nil {
		return out, err
	}
	lists, err := s.lookups.Lists(ctx)
	if err != nil {
		return out, err
	}
	now := time.Now()
	for i := range lists {
		out.Lists = append(out.Lists, s.view(&lists[i], now))
	}
	results, err := s.lookups.Results(ctx, by.ID, by.Terminal())
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

func (s *desk) view(l *lookup.State, now time.Time) api.LookupList {
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
		if p == s.lookups.Self() && l.In(now) {
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

func (s *desk) publish(ctx context.Context, by officer.Actor, in *struct{ Body api.LookupListRequest }) (api.Sent, error) {
	r := in.Body
	c, err := s.ChannelNamed(ctx, r.Channel)
	if err != nil {
		return api.Sent{}, err
	}
	post, err := s.Speaker(c.Channel, r.Post)
	if err != nil {
		return api.Sent{}, err
	}
	role, err := server.Must(by, officer.Send, post)
	if err != nil {
		return api.Sent{}, err
	}
	values, err := indicators(r.Indicators)
	if err != nil {
		return api.Sent{}, err
	}
	sent, _, err := s.lookups.Publish(ctx, lookup.List{
		Channel: c.ID(), Plane: cmp.Or(r.Plane, traffic.Real), Post: post, Values: values, For: time.Duration(r.Days) * 24 * time.Hour, PerDay: r.PerDay,
		Total: r.Total, About: r.About, Drafter: role,
	})
	if err != nil {
		return api.Sent{}, err
	}
	return s.Sent(sent, post), nil
}

func (s *desk) ask(ctx context.Context, by officer.Actor, in *struct{ Body api.LookupRequest }) (api.Sent, error) {
	r := in.Body
	lists, err := s.lookups.Lists(ctx)
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
	c, err := s.ChannelNamed(ctx, hex.EncodeToString(list.Channel[:]))
	if err != nil {
		return api.Sent{}, err
	}
	post, err := s.Speaker(c.Channel, r.Post)
	if err != nil {
		return api.Sent{}, err
	}
	role, err := server.Must(by, officer.Send, post)
	if err != nil {
		return api.Sent{}, err
	}
	values, err := indicators(r.Indicators)
	if err != nil {
		return api.Sent{}, err
	}
	sent, err := s.lookups.Ask(ctx, lookup.Question{List: list.ID, Values: values, Post: post, Officer: by.ID, Drafter: role})
	if err != nil {
		return api.Sent{}, err
	}
	return s.Sent(sent, post), nil
}
