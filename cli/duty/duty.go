// Package duty is the commands of the watch floor: the watch in a terminal, taking what stands there, rosters, hand-overs, the watch log.
// It must never do what the API cannot, nor let a stranger's words leave their place on the screen.
package duty

import (
	"fmt"
	"strings"
	"time"

	"detente/api"
	"detente/cli/session"
)

// maxRoster is the most bytes of a roster's text that the API takes.
const maxRoster = 16000

// TakeCmd takes an item of the watch.
type TakeCmd struct {
	Key    string `arg:"" help:"Key of the item, as detente watch --json has it, or the number of the statement that it is about."`
	Role   string `help:"Duty role in which you take it; duty-officer by default." placeholder:"ROLE"`
	Remark string `help:"Goes into the watch log." placeholder:"TEXT"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (TakeCmd) Help() string {
	return "Its alarm stops, nobody else is called for it, and the log says who has it. What is due is still due.\n\n" +
		session.Detail(`detente take XS/NRRC-O-0003 --remark "calling the grid operator"`, session.ExitDone, session.ExitRefused, session.ExitUse,
			session.ExitUnreachable, session.ExitNotFound)
}

// Run takes the item.
func (c *TakeCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	watch, err := node.Watch(s.Ctx, "", "", "en")
	if err != nil {
		return err
	}
	var keys []string
	for _, i := range watch.Items {
		if i.Key == c.Key || strings.EqualFold(i.Number, c.Key) {
			keys = append(keys, i.Key)
		}
	}
	if len(keys) == 0 {
		keys = []string{c.Key} // the node knows best why not
	}
	var taken []api.Item
	for _, key := range keys { // an acknowledgement and an answer may be due on one statement: he who takes it takes both
		i, err := node.Take(s.Ctx, key, api.TakeRequest{Role: c.Role, Remark: c.Remark})
		if err != nil {
			return err
		}
		taken = append(taken, i)
	}
	if c.JSON {
		return s.JSON(taken)
	}
	for _, i := range taken {
		s.Printf("● %s  %s  %s", i.Kind, i.Number, i.Title)
		if t := i.Taken; t != nil {
			s.Printf("; taken by %s (%s) %s", t.By, t.Role, session.Moment(t.At))
		}
		s.Printf("%s\n", until(i.Due))
	}
	return nil
}

func until(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ", due " + session.Moment(t)
}

// onDuty is who is on duty at a post, in one line.
func onDuty(d api.Duty) string {
	if d.Unmanned || len(d.Officers) == 0 {
		return "! nobody"
	}
	var who []string
	for _, o := range d.Officers {
		who = append(who, fmt.Sprintf("%s %s", o.Role, o.Officer))
	}
	return strings.Join(who, ", ")
}
