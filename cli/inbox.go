package cli

import (
	"fmt"
	"strings"

	"detente/api"
	"detente/cli/session"
	"detente/traffic"
)

type inboxCmd struct {
	All     bool          `help:"What this party said too."`
	Sent    bool          `help:"Only what this party said."`
	Open    bool          `help:"Only those on which something is due."`
	System  bool          `help:"Also what nodes say to each other: proposals of channels, charters."`
	Channel string        `help:"Only of this channel." placeholder:"CHANNEL"`
	Plane   traffic.Plane `help:"Only of this plane." placeholder:"PLANE"`
	Form    string        `help:"Only of this form." placeholder:"FORM"`
	From    string        `help:"Only by this party or post." placeholder:"ADDRESS"`
	Ladder  bool          `help:"How far each has come: held, accepted, understood, passed on, answered."`
	Limit   int           `help:"At most so many." default:"50"`
	session.LangFlag
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (inboxCmd) Help() string {
	return session.Detail("detente inbox --open --channel nrrc", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run lists the statements.
func (c *inboxCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	l := api.Listing{
		Open: c.Open, Channel: c.Channel, Plane: c.Plane, Form: c.Form, From: c.From, System: c.System, Limit: c.Limit, Lang: c.Lang, Direction: "in",
	}
	if c.All {
		l.Direction = "all"
	} else if c.Sent {
		l.Direction = "out"
	}
	lines, err := node.List(s.Ctx, l)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(lines)
	}
	if len(lines) == 0 {
		s.Printf("Nothing. What peers say on a channel comes here when it arrives: see detente link.\n")
		return nil
	}
	for _, line := range lines {
		s.Printf("%s  %-9s  %s  %s  %s%s\n", line.ID[:8], line.Precedence, session.Moment(line.Issued), line.Number, line.Title, plane(line.Plane))
		s.Printf("          %s\n", strings.Join(append([]string{line.Channel, standingOf(line)}, owed(line.Owed)...), "; "))
		if !c.Ladder {
			continue
		}
		st, err := node.Statement(s.Ctx, line.ID, c.Lang)
		if err != nil {
			return err
		}
		for _, rung := range ladders(st.Ladder) {
			s.Printf("          %s\n", rung)
		}
	}
	return nil
}

func plane(p traffic.Plane) string {
	if p == traffic.Real {
		return ""
	}
	return "  " + strings.ToUpper(string(p))
}

func standingOf(l api.Line) string {
	if l.Reason != "" {
		return fmt.Sprintf("%s (%s)", l.Standing, l.Reason)
	}
	return l.Standing
}

func owed(list []api.Owed) []string {
	var out []string
	for _, o := range list {
		switch {
		case o.Overdue:
			out = append(out, fmt.Sprintf("OVERDUE: %s was due from %s until %s", o.What, join(o.By), session.Moment(o.Until)))
		case o.Until.IsZero():
			out = append(out, fmt.Sprintf("%s due from %s, once it is held there", o.What, join(o.By)))
		default:
			out = append(out, fmt.Sprintf("%s due from %s until %s", o.What, join(o.By), session.Moment(o.Until)))
		}
	}
	return out
}
