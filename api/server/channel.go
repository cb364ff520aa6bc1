package server

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"detente/accord"
	"detente/api"
	"detente/api/compose"
	"detente/api/view"
	"detente/key"
	"detente/node"
	"detente/officer"
	"detente/party"

	"golang.org/x/text/language"
)

// answer is to a proposed channel.
type answer struct {
	Channel string `path:"channel" doc:"Name, or the beginning of the id in hex."`
	Body    api.Decision
}

// onChannel is a request about one channel.
type onChannel struct {
	Channel string `path:"channel" doc:"Name, or the beginning of the id in hex."`
	Lang    string `query:"lang" doc:"Of the reader, BCP 47." default:"en"`
}

func (s *Server) registerChannels() {
	const tag, one = "channels", "/v1/channels/{channel}"
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/channels", "list-channels", "Every channel that this node knows of", officer.Inspect), s.channels)
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, one, "show-channel", "One channel, with the forms that can be stated on it", officer.Inspect), s.channel)
	Handle(s, Operation(s, officer.Commit, tag, http.MethodPost, "/v1/channels", "propose-channel", "Propose a channel to its other members"), s.propose)
	Handle(s, Operation(s, officer.Commit, tag, http.MethodPost, one+"/accept", "accept-channel", "Agree to a proposed channel"), s.accept)
	Handle(s, Operation(s, officer.Commit, tag, http.MethodPost, one+"/refuse", "refuse-channel", "Decline a proposed channel"), s.refuse)
}

func (s *Server) channels(ctx context.Context, _ officer.Actor, _ *None) ([]api.Channel, error) {
	states, err := s.node.Channels(ctx)
	out := []api.Channel{}
	for _, c := range states {
		out = append(out, view.Channel(c))
	}
	return out, err
}

func (s *Server) channel(ctx context.Context, _ officer.Actor, in *onChannel) (api.Channel, error) {
	c, err := s.findChannel(ctx, in.Channel)
	if err != nil {
		return api.Channel{}, err
	}
	out := view.Channel(c)
	for _, r := range s.node.Regimes() {
		if r.ID == c.Regime.ID && r.Version == c.Regime.Version {
			out.Forms = view.Forms(r, language.Make(in.Lang))
		}
	}
	return out, nil
}

func (s *Server) propose(ctx context.Context, by officer.Actor, in *struct{ Body api.ProposeRequest }) (api.Channel, error) {
	r := in.Body
	d, err := s.decide(by, r.Decision)
	if err != nil {
		return api.Channel{}, err
	}
	id, version, found := strings.Cut(cmp.Or(r.Regime, "communications/1"), "/")
	number, err := strconv.Atoi(version)
	if !found || err != nil {
		return api.Channel{}, fmt.Errorf("%w: regime %q is not of the shape communications/1", compose.ErrRequest, r.Regime)
	}
	signatures := []key.Algorithm{key.Ed25519}
	if slices.Contains(r.Signatures, "ML-DSA-65") {
		signatures = append(signatures, key.MLDSA65)
	}
	c, err := s.node.Propose(ctx, party.Channel{
		Name: r.Name, Posts: r.Posts, Regime: party.RegimeRef{ID: id, Version: number}, Open: r.Open, Protected: r.Protected, Signatures: signatures,
	}, r.Members, d.Post, d.By)
	if err != nil {
		return api.Channel{}, err
	}
	return s.byID(ctx, c.ID())
}

func (s *Server) accept(ctx context.Context, by officer.Actor, in *answer) (api.Channel, error) {
	return s.respond(ctx, by, in.Channel, in.Body, func(id [32]byte, d api.Decision) error { return s.node.Accept(ctx, id, d.Post, d.By) })
}

func (s *Server) refuse(ctx context.Context, by officer.Actor, in *answer) (api.Channel, error) {
	if in.Body.Reason == "" {
		return api.Channel{}, fmt.Errorf("%w: a refusal gives its reason, which the other members read", compose.ErrRequest)
	}
	return s.respond(ctx, by, in.Channel, in.Body, func(id [32]byte, d api.Decision) error { return s.node.Refuse(ctx, id, d.Post, d.By, d.Reason) })
}

func (s *Server) respond(ctx context.Context, by officer.Actor, name string, d api.Decision, say func([32]byte, api.Decision) error) (api.Channel, error) {
	c, err := s.findChannel(ctx, name)
	if err != nil {
		return api.Channel{}, err
	}
	if d, err = s.decide(by, d); err != nil {
		return api.Channel{}, err
	}
	if err := say(c.ID(), d); err != nil {
		return api.Channel{}, err
	}
	return s.byID(ctx, c.ID())
}

// decide completes a decision: by the party's first post that may commit it, and for which whoever acts may.
func (s *Server) decide(by officer.Actor, d api.Decision) (api.Decision, error) {
	if by.Terminal() {
		d.By = cmp.Or(d.By, officer.HeadOfPost)
	}
	own := s.node.Chain(s.node.Self()).Latest()
	for _, p := range own.Posts {
		if d.Post == "" && own.May(p.Name, party.Commit) && by.May(officer.Commit, p.Name) {
			d.Post = p.Name
		}
	}
	if d.Post == "" {
		return d, fmt.Errorf("%w: no post of %s may commit it", node.ErrAuthority, own.Party)
	}
	var err error
	d.By, err = must(by, officer.Commit, d.Post, d.By)
	return d, err
}

// findChannel finds a channel by its name or the beginning of its id. Where several bear the name, the one in being is meant; public, where none bears it, is
// the own one.
func (s *Server) findChannel(ctx context.Context, name string) (accord.Channel, error) {
	states, err := s.node.Channels(ctx)
	if err != nil {
		return accord.Channel{}, err
	}
	var found []accord.Channel
	for _, c := range states {
		id := c.ID()
		if c.Name == name && c.Kind == party.Common || len(name) >= 4 && strings.HasPrefix(hex.EncodeToString(id[:]), strings.ToLower(name)) {
			found = append(found, c)
		}
	}
	if len(found) == 0 && name == party.Public {
		found = slices.DeleteFunc(states, func(c accord.Channel) bool { return c.Kind != party.Public || !c.Member(s.node.Self()) })
	}
	if inBeing := slices.DeleteFunc(slices.Clone(found), func(c accord.Channel) bool { return !c.Established }); len(inBeing) > 0 {
		found = inBeing
	}
	switch len(found) {
	case 0:
		return accord.Channel{}, fmt.Errorf("%w: %q", node.ErrNoChannel, name)
	case 1:
		return found[0], nil
	}
	return accord.Channel{}, fmt.Errorf("%w: %q", errSeveral, name)
}

func (s *Server) byID(ctx context.Context, id [32]byte) (api.Channel, error) {
	c, err := s.findChannel(ctx, hex.EncodeToString(id[:]))
	if err != nil {
		return api.Channel{}, err
	}
	return view.Channel(c), nil
}
