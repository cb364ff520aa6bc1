package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"detente/api"
	"detente/cli/session"
)

type feedCmd struct {
	List   feedListCmd   `cmd:"" help:"Every feed held here, and how far each member has receipted it."`
	Export feedExportCmd `cmd:"" help:"Write a feed of an open channel as tiles, for the tools of others."`
}

type feedListCmd struct{ session.JSONFlag }

// Help gives an example and the exit codes.
func (feedListCmd) Help() string {
	return session.Detail("detente feed list", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run lists the feeds.
func (c *feedListCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	feeds, err := node.Feeds(s.Ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(feeds)
	}
	rows := [][]string{{"CHANNEL", "FEED", "SIZE", "ROOT", "RECEIPTED"}}
	for _, f := range feeds {
		var by []string
		for _, p := range slices.Sorted(maps.Keys(f.Cosigned)) {
			by = append(by, fmt.Sprintf("%s %d", p, f.Cosigned[p]))
		}
		if f.Behind {
			by = append(by, "BEHIND: run detente recover")
		}
		rows = append(rows, []string{f.Channel, tail(f.Origin), fmt.Sprint(f.Size), f.Root[:12], strings.Join(by, ", ")})
	}
	return s.Table(rows...)
}

// tail is the part of a feed's origin behind the channel: party/plane/precedence/epoch.
func tail(origin string) string {
	parts := strings.SplitN(origin, "/", 3)
	return parts[len(parts)-1]
}

type feedExportCmd struct {
	Feed      string `arg:"" help:"Its origin, or the end of it, such as xn/real/P/0, where only one open channel has that."`
	Directory string `arg:"" type:"path" help:"Where to, on the node's machine. What is there of the feed stays."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (feedExportCmd) Help() string {
	return "The layout is C2SP tlog-tiles: any tool for transparency logs can read it, and check that the feed only ever grows.\n\n" +
		session.Detail("detente feed export xn/real/P/0 /srv/www/xn", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run exports the feed.
func (c *feedExportCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	origin, err := c.origin(s, node)
	if err != nil {
		return err
	}
	e, err := node.ExportFeed(s.Ctx, api.ExportRequest{Feed: origin, Directory: c.Directory})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(e)
	}
	s.Printf("%s: %d statements of %s\n", e.Directory, e.Size, origin)
	return nil
}

// origin is the feed's name in full: that of the one feed of an open channel that ends like it.
func (c *feedExportCmd) origin(s *session.Session, node *api.Client) (string, error) {
	if strings.HasPrefix(c.Feed, "detente.v1/") {
		return c.Feed, nil
	}
	feeds, err := node.Feeds(s.Ctx)
	if err != nil {
		return "", err
	}
	channels, err := node.Channels(s.Ctx)
	if err != nil {
		return "", err
	}
	var found []string
	for _, f := range feeds {
		open := slices.ContainsFunc(channels, func(ch api.Channel) bool { return ch.Open && strings.HasPrefix(f.Origin, "detente.v1/"+ch.ID+"/") })
		if open && tail(f.Origin) == c.Feed {
			found = append(found, f.Origin)
		}
	}
	if len(found) != 1 {
		return "", session.Fail(session.ExitNotFound, "see them with: detente feed list; the whole origin always serves", "%d feeds of open channels end in %s", len(found), c.Feed)
	}
	return found[0], nil
}
