package cli

import (
	"fmt"
	"strings"

	"detente/api"
	"detente/cli/session"
	"detente/traffic"
)

type channelCmd struct {
	Propose channelProposeCmd `cmd:"" help:"Propose a channel to its other members."`
	Accept  channelAcceptCmd  `cmd:"" help:"Agree to a proposed channel."`
	Refuse  channelRefuseCmd  `cmd:"" help:"Decline a proposed channel, with a reason."`
	List    channelListCmd    `cmd:"" help:"Every channel, in being or proposed."`
	Show    channelShowCmd    `cmd:"" help:"One channel, and the forms that can be stated on it."`
}

// decision is who commits the party.
type decision struct {
	From traffic.Post `help:"Post that commits the party; its first that may by default." placeholder:"POST"`
	By   string       `help:"Duty role of the person who decides." default:"head-of-post" placeholder:"ROLE"`
}

func (d decision) request(reason string) api.Decision {
	return api.Decision{Post: d.From, By: d.By, Reason: reason}
}

type channelProposeCmd struct {
	Name      string          `arg:"" help:"What its members call it."`
	With      []traffic.Party `help:"The other members." required:"" placeholder:"PARTY"`
	Post      []traffic.Post  `help:"Posts that may speak on it; all by default." placeholder:"POST"`
	Regime    string          `help:"Forms and time limits." default:"communications/1" placeholder:"ID/VERSION"`
	Open      bool            `help:"Anybody may be shown its feeds."`
	Protected bool            `help:"No suspension of another channel can touch it."`
	Lattice   bool            `help:"Every statement bears an ML-DSA-65 signature too; its posts need such keys."`
	decision
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (channelProposeCmd) Help() string {
	return session.Detail("detente channel propose nrrc --with xs --post nrrc", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run proposes the channel.
func (c *channelProposeCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	r := api.ProposeRequest{
		Name: c.Name, Members: c.With, Posts: c.Post, Regime: c.Regime, Open: c.Open, Protected: c.Protected, Decision: c.request(""),
	}
	if c.Lattice {
		r.Signatures = []string{"ML-DSA-65"}
	}
	channel, err := node.Propose(s.Ctx, r)
	if err != nil {
		return err
	}
	return c.tell(s, c.JSON, channel, "proposed")
}

func (d decision) tell(s *session.Session, asJSON bool, c api.Channel, done string) error {
	if asJSON {
		return s.JSON(c)
	}
	s.Printf("%s: channel %s (%s) of %s.\n", done, c.Name, c.ID[:8], join(c.Members))
	if c.Established {
		s.Printf("All its members have agreed: it is in being.\n")
	} else if len(c.Refused) == 0 {
		s.Printf("Agreed so far: %s. It is in being when every member has.\n", join(c.Agreed))
	}
	return nil
}

type channelAcceptCmd struct {
	Channel string `arg:"" help:"Name, or the beginning of the id."`
	decision
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (channelAcceptCmd) Help() string {
	return session.Detail("detente channel accept nrrc", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run agrees to the channel.
func (c *channelAcceptCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	channel, err := node.Accept(s.Ctx, c.Channel, c.request(""))
	if err != nil {
		return err
	}
	return c.tell(s, c.JSON, channel, "accepted")
}

type channelRefuseCmd struct {
	Channel string `arg:"" help:"Name, or the beginning of the id."`
	Reason  string `help:"Why; the other members read it." required:""`
	decision
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (channelRefuseCmd) Help() string {
	return session.Detail(`detente channel refuse nrrc --reason "two posts are to speak, not one"`, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run declines the channel.
func (c *channelRefuseCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	channel, err := node.Refuse(s.Ctx, c.Channel, c.request(c.Reason))
	if err != nil {
		return err
	}
	return c.tell(s, c.JSON, channel, "refused")
}

type channelListCmd struct{ session.JSONFlag }

// Help gives an example and the exit codes.
func (channelListCmd) Help() string {
	return session.Detail("detente channel list", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run lists the channels.
func (c *channelListCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	all, err := node.Channels(s.Ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(all)
	}
	rows := [][]string{{"CHANNEL", "ID", "MEMBERS", "REGIME", "STATE"}}
	for _, ch := range all {
		rows = append(rows, []string{ch.Name, ch.ID[:8], join(ch.Members), ch.Regime, state(ch)})
	}
	return s.Table(rows...)
}

// state is how far the members have agreed.
func state(c api.Channel) string {
	switch {
	case c.Kind != "common":
		return "follows from pairing"
	case c.Established:
		return "in being"
	case len(c.Refused) > 0:
		var who []string
		for _, m := range c.Members {
			if reason, refused := c.Refused[m]; refused {
				who = append(who, fmt.Sprintf("%s (%q)", m, reason))
			}
		}
		return "refused by " + strings.Join(who, ", ")
	}
	return fmt.Sprintf("proposed by %s, agreed to by %s", c.Proposer, join(c.Agreed))
}

type channelShowCmd struct {
	Channel string `arg:"" help:"Name, or the beginning of the id."`
	session.LangFlag
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (channelShowCmd) Help() string {
	return session.Detail("detente channel show nrrc --lang ru", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run shows the channel.
func (c *channelShowCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	ch, err := node.Channel(s.Ctx, c.Channel, c.Lang)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(ch)
	}
	row := func(label, text string) { s.Printf("%-12s%s\n", label, text) }
	row("channel", ch.Name)
	row("id", ch.ID)
	row("members", join(ch.Members))
	row("state", state(ch))
	if len(ch.Posts) > 0 {
		row("posts", join(ch.Posts))
	}
	row("regime", ch.Regime)
	row("signatures", join(ch.Signatures))
	for _, f := range ch.Forms {
		s.Printf("\n%s: %s\n", f.ID, f.Title)
		if len(f.TwoPersons) > 0 {
			s.Printf("  needs a releaser at %s\n", join(f.TwoPersons))
		}
		for _, field := range f.Fields {
			mark := " "
			if field.Required {
				mark = "*"
			}
			s.Printf("  %s %s (%s): %s\n", mark, field.Name, field.Kind, field.Title)
			if len(field.Codes) > 0 {
				s.Printf("      %s\n", strings.Join(field.Codes, " | "))
			}
		}
	}
	return nil
}
