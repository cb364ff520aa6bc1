package cli

import (
	"fmt"

	"detente/cli/session"
)

type linkCmd struct {
	List linkListCmd `cmd:"" default:"withargs" help:"How the link with each peer stands."`
}

type linkListCmd struct{ session.JSONFlag }

// Help gives an example and the exit codes.
func (linkListCmd) Help() string {
	return "Sent = receipted + waiting, for each feed and peer, always.\n\n" +
		session.Detail("detente link", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run tells how the links stand.
func (c *linkListCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	links, err := node.Links(s.Ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(links)
	}
	if len(links) == 0 {
		s.Printf("No peers. Pair with one: detente charter import FILE.\n")
	}
	for i, l := range links {
		if i > 0 {
			s.Printf("\n")
		}
		condition := "down"
		if l.Up {
			condition = "up"
		}
		s.Printf("%s  %s since %s; last heard %s", l.Peer, condition, session.Moment(l.Since), session.Moment(l.Heard))
		if l.Route != "" {
			s.Printf(" over %s", l.Route)
		}
		s.Printf("\n")
		if l.Failure != "" {
			s.Printf("  last attempt %s: %s\n", session.Moment(l.Tried), l.Failure)
		}
		rows := [][]string{{"  FEED", "SENT", "RECEIPTED", "WAITING"}}
		for _, f := range l.Feeds {
			rows = append(rows, []string{"  " + f.Channel + " " + tail(f.Feed), fmt.Sprint(f.Sent), fmt.Sprint(f.Cosigned), fmt.Sprint(f.Waiting)})
		}
		if len(rows) > 1 {
			if err := s.Table(rows...); err != nil {
				return err
			}
		}
	}
	return nil
}
