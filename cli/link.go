package cli

import (
	"fmt"
)

type linkCmd struct {
	List linkListCmd `cmd:"" default:"withargs" help:"How the link with each peer stands."`
}

type linkListCmd struct{ jsonFlag }

// Help gives an example and the exit codes.
func (linkListCmd) Help() string {
	return "Sent = receipted + waiting, for each feed and peer, always.\n\n" +
		detail("detente link", exitDone, exitRefused, exitUse, exitUnreachable, exitNotFound)
}

// Run tells how the links stand.
func (c *linkListCmd) Run(s *session) error {
	node, err := s.client(false)
	if err != nil {
		return err
	}
	links, err := node.Links(s.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(links)
	}
	if len(links) == 0 {
		s.printf("No peers. Pair with one: detente charter import FILE.\n")
	}
	for i, l := range links {
		if i > 0 {
			s.printf("\n")
		}
		condition := "down"
		if l.Up {
			condition = "up"
		}
		s.printf("%s  %s since %s; last heard %s", l.Peer, condition, moment(l.Since), moment(l.Heard))
		if l.Route != "" {
			s.printf(" over %s", l.Route)
		}
		s.printf("\n")
		if l.Failure != "" {
			s.printf("  last attempt %s: %s\n", moment(l.Tried), l.Failure)
		}
		rows := [][]string{{"  FEED", "SENT", "RECEIPTED", "WAITING"}}
		for _, f := range l.Feeds {
			rows = append(rows, []string{"  " + f.Channel + " " + tail(f.Feed), fmt.Sprint(f.Sent), fmt.Sprint(f.Cosigned), fmt.Sprint(f.Waiting)})
		}
		if len(rows) > 1 {
			if err := s.table(rows...); err != nil {
				return err
			}
		}
	}
	return nil
}
