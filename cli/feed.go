package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

type feedCmd struct {
	List feedListCmd `cmd:"" help:"Every feed held here, and how far each member has receipted it."`
}

type feedListCmd struct{ jsonFlag }

// Help gives an example and the exit codes.
func (feedListCmd) Help() string {
	return detail("detente feed list", exitDone, exitRefused, exitUse, exitUnreachable, exitNotFound)
}

// Run lists the feeds.
func (c *feedListCmd) Run(s *session) error {
	node, err := s.client(false)
	if err != nil {
		return err
	}
	feeds, err := node.Feeds(s.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(feeds)
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
	return s.table(rows...)
}

// tail is the part of a feed's origin behind the channel: party/plane/precedence/epoch.
func tail(origin string) string {
	parts := strings.SplitN(origin, "/", 3)
	return parts[len(parts)-1]
}
