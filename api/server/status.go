package server

import (
	"context"
	"net/http"

	"detente/api"
	"detente/dossier"
	"detente/officer"
	"detente/party"
	"detente/store"
	"detente/traffic"
)

func (s *Server) registerStatus() {
	Handle(s, Operation(s, officer.Read, "node", http.MethodGet, "/v1/status", "status", "How the node stands", officer.Inspect), s.status)
}

// mostOpen is how many open dossiers are counted.
const mostOpen = 1000

func (s *Server) status(ctx context.Context, _ officer.Actor, _ *None) (api.Status, error) {
	own := s.node.Chain(s.node.Self()).Latest()
	out := api.Status{
		Party: s.node.Self(), Name: own.Name, Charter: own.Version, Version: s.cfg.Version, Peers: len(s.node.Peers()),
		Pending: []traffic.Party{}, LinksDown: []traffic.Party{}, Behind: []string{},
	}
	for _, c := range s.node.Pending() {
		out.Pending = append(out.Pending, c.Party())
	}
	for _, c := range s.node.Conditions() {
		if !c.Up {
			out.LinksDown = append(out.LinksDown, c.Peer)
		}
	}
	channels, err := s.node.Channels(ctx)
	if err != nil {
		return out, err
	}
	for _, c := range channels {
		if c.Kind == party.Common && c.Established {
			out.Channels++
		}
	}
	feeds, err := s.node.Feeds(ctx)
	if err != nil {
		return out, err
	}
	journal := party.InternalChannel(s.node.Chain(s.node.Self())).ID()
	var last []string // recover sees to the journal by itself
	for _, f := range feeds {
		if f.Feed.Channel != journal { // what the party says to itself is no traffic
			out.Feeds++
			out.Statements += f.Size
		}
		switch {
		case f.Silent && f.Feed.Channel == journal:
			last = append(last, f.Feed.Origin())
		case f.Silent:
			out.Behind = append(out.Behind, f.Feed.Origin())
		}
	}
	out.Behind = append(out.Behind, last...)
	err = s.node.DB.View(ctx, func(tx *store.Tx) error {
		open, err := dossier.Dossiers(ctx, tx, dossier.Filter{Open: true, Limit: mostOpen}, s.node.RegimeOf)
		out.Open = len(open)
		return err
	})
	if err != nil {
		return out, err
	}
	alarms, err := s.node.Alarms(ctx)
	out.Alarms = len(alarms)
	return out, err
}
