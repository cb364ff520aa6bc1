package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"detente/api"
	"detente/api/refusal"
	"detente/api/view"
	"detente/key"
	"detente/node"
	"detente/officer"
	"detente/party"
	"detente/traffic"
)

// named is a request about one party.
type named struct {
	Party traffic.Party `path:"party"`
	Lang  string        `query:"lang" doc:"Of the reader, BCP 47." default:"en"`
}

// upload is a file that comes in.
type upload struct {
	RawBody []byte `contentType:"application/octet-stream"`
}

func (s *Server) registerCharters() {
	const tag = "charters"
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/charters", "list-charters", "The own charter, and those of other parties, trusted or not yet", officer.Inspect), s.charters)
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/charters/{party}", "show-charter", "One party's charter", officer.Inspect), s.charter)
	HandleFile(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/charters/{party}/file", "export-charter", "A trusted party's charter file", officer.Inspect),
		"application/octet-stream", func(_ context.Context, _ officer.Actor, in *named) ([]byte, error) { return s.node.Charters(in.Party) })
	Handle(s, Operation(s, officer.Commit, tag, http.MethodPost, "/v1/charters", "import-charter", "Take in another party's charter file"), s.importCharter)
	Handle(s, Operation(s, officer.Commit, tag, http.MethodPost, "/v1/charters/{party}/confirm", "confirm-charter", "Pair with a party whose words were heard"), s.confirm)
	Handle(s, Operation(s, officer.Commit, tag, http.MethodPost, "/v1/charter", "renew-charter", "Put a new version of the own charter into force"), s.renew)
}

func (s *Server) charters(_ context.Context, _ officer.Actor, in *struct {
	Lang string `query:"lang" default:"en"`
}) ([]api.Charter, error) {
	out := []api.Charter{}
	for _, p := range append([]traffic.Party{s.node.Self()}, s.node.Peers()...) {
		c, err := view.Charter(s.node.Self(), s.node.Chain(p), true, in.Lang)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	for _, chain := range s.node.Pending() {
		c, err := view.Charter(s.node.Self(), chain, false, in.Lang)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func (s *Server) charter(_ context.Context, _ officer.Actor, in *named) (api.Charter, error) {
	// What is pending is shown before what is trusted: its words are what somebody waits to compare.
	for _, chain := range s.node.Pending() {
		if chain.Party() == in.Party {
			return view.Charter(s.node.Self(), chain, false, in.Lang)
		}
	}
	chain := s.node.Chain(in.Party)
	if chain == nil {
		return api.Charter{}, fmt.Errorf("%w: %s", node.ErrNoPeer, in.Party)
	}
	return view.Charter(s.node.Self(), chain, true, in.Lang)
}

func (s *Server) importCharter(ctx context.Context, _ officer.Actor, in *upload) (api.Charter, error) {
	chain, trusted, err := s.node.Import(ctx, bytes.Clone(in.RawBody)) // the buffer is huma's
	if err != nil {
		return api.Charter{}, malformedCharter(err)
	}
	return view.Charter(s.node.Self(), chain, trusted, "en")
}

// malformedCharter tells apart what is wrong with a file from what is wrong with the node.
func malformedCharter(err error) error {
	for _, r := range rules() {
		if errors.Is(err, r.Is) {
			return err
		}
	}
	return &api.Problem{
		Title: http.StatusText(http.StatusUnprocessableEntity), Status: http.StatusUnprocessableEntity, Code: "not-a-charter",
		Detail: "not a charter file: " + refusal.Plain(err), Hint: "ask the other party for the file that its detente charter export writes",
	}
}

func (s *Server) confirm(ctx context.Context, _ officer.Actor, in *struct {
	Party traffic.Party `path:"party"`
	Body  api.ConfirmRequest
}) (api.Charter, error) {
	chain, err := s.node.Confirm(ctx, in.Party, in.Body.Words)
	if err != nil {
		return api.Charter{}, err
	}
	return view.Charter(s.node.Self(), chain, true, "en")
}

func (s *Server) renew(ctx context.Context, by officer.Actor, in *struct{ Body api.RenewRequest }) (api.Charter, error) {
	if s.cfg.Keyring == nil {
		return api.Charter{}, errNoKeys
	}
	c, err := party.DecodeCharter(in.Body.Charter, key.Standard())
	if err != nil {
		return api.Charter{}, malformedCharter(err)
	}
	ring, err := s.cfg.Keyring(c)
	if err != nil {
		return api.Charter{}, fmt.Errorf("%w: %w", errNoKeys, err)
	}
	d, err := s.decide(by, api.Decision{Post: in.Body.Post, By: in.Body.By})
	if err != nil {
		return api.Charter{}, err
	}
	if err := s.node.Renew(ctx, c, ring, d.Post, d.By); err != nil {
		return api.Charter{}, err
	}
	return view.Charter(s.node.Self(), s.node.Chain(s.node.Self()), true, "en")
}
