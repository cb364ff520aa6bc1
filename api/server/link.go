package server

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"path/filepath"

	"detente/api"
	"detente/api/compose"
	"detente/exchange"
	"detente/feed"
	"detente/officer"
	"detente/store"
	"detente/traffic"

	"golang.org/x/text/language"
)

func (s *Server) registerLinks() {
	Handle(s, Operation(s, officer.Read, "links", http.MethodGet, "/v1/links", "list-links", "How the link with each peer stands, and what has reached it", officer.Inspect), s.links)
	Handle(s, Operation(s, officer.Read, "links", http.MethodGet, "/v1/feeds", "list-feeds", "Every feed held here", officer.Inspect), s.feeds)
	Handle(s, Operation(s, officer.System, "links", http.MethodPost, "/v1/feeds/export", "export-feed", "Write a feed of an open channel as tiles, for the tools of others"), s.exportFeed)
	Handle(s, Operation(s, officer.Read, "links", http.MethodGet, "/v1/alarms", "list-alarms", "What a person must know, oldest first", officer.Inspect), s.alarms)
}

func (s *Server) links(ctx context.Context, _ officer.Actor, _ *None) ([]api.Link, error) {
	feeds, err := s.node.Feeds(ctx)
	if err != nil {
		return nil, err
	}
	v := s.Viewer(ctx, language.English)
	out := []api.Link{}
	for _, c := range s.node.Conditions() {
		l := api.Link{Condition: c, Name: s.node.Chain(c.Peer).Latest().Name, Feeds: []api.Delivery{}}
		for _, f := range feeds {
			cosigned, member := f.Cosigned[c.Peer]
			if f.Feed.Party != s.node.Self() || !member {
				continue
			}
			l.Feeds = append(l.Feeds, api.Delivery{
				Feed: f.Feed.Origin(), Channel: v.Channel(f.Feed.Channel), Sent: f.Size, Cosigned: cosigned, Waiting: f.Size - cosigned,
			})
		}
		out = append(out, l)
	}
	return out, nil
}

func (s *Server) feeds(ctx context.Context, _ officer.Actor, _ *None) ([]api.Feed, error) {
	feeds, err := s.node.Feeds(ctx)
	v := s.Viewer(ctx, language.English)
	out := []api.Feed{}
	for _, f := range feeds {
		out = append(out, api.Feed{
			Origin: f.Feed.Origin(), Channel: v.Channel(f.Feed.Channel), Party: f.Feed.Party, Plane: f.Feed.Plane, Precedence: f.Feed.Precedence,
			Epoch: f.Feed.Epoch, Own: f.Feed.Party == s.node.Self(), Size: f.Size, Root: hex.EncodeToString(f.Root[:]), Behind: f.Silent,
			Cosigned: f.Cosigned,
		})
	}
	return out, err
}

// exportFeed writes the tiles of a feed that anybody may be shown, protocol.md#tiles.
func (s *Server) exportFeed(ctx context.Context, _ officer.Actor, in *struct{ Body api.ExportRequest }) (api.Exported, error) {
	f, err := traffic.ParseOrigin(in.Body.Feed)
	if err != nil {
		return api.Exported{}, err
	}
	if !filepath.IsAbs(in.Body.Directory) {
		return api.Exported{}, fmt.Errorf("%w: the directory is on the node's machine, and named from its root", compose.ErrRequest)
	}
	c, _, err := s.node.Channel(f.Channel)
	if err != nil {
		return api.Exported{}, err
	}
	if !c.Open {
		return api.Exported{}, fmt.Errorf("%w: %s", errClosed, c.Name)
	}
	out := api.Exported{Directory: in.Body.Directory}
	err = s.node.DB.View(ctx, func(tx *store.Tx) error {
		h, err := feed.Find(ctx, tx, f)
		if err != nil {
			return err
		}
		out.Size = h.Size
		return feed.ExportTiles(ctx, tx, h, in.Body.Directory)
	})
	return out, err
}

func (s *Server) alarms(ctx context.Context, _ officer.Actor, _ *None) ([]exchange.Alarm, error) {
	out, err := s.node.Alarms(ctx)
	if out == nil {
		out = []exchange.Alarm{}
	}
	return out, err
}
