package standing

import (
	"maps"
	"slices"
	"strings"

	"detente/api"
	"detente/cli/session"
	"detente/traffic"
)

// SuspendCmd states that a channel, or functions of it, are suspended.
type SuspendCmd struct {
	Channel   string       `arg:"" help:"Name, or the beginning of the id."`
	Functions []string     `help:"notices, inquiries, answers, technical, consultations, goodwill; all by default." placeholder:"LIST"`
	State     string       `help:"suspended, restricted or degraded. Default: suspended, or restricted where functions are named." enum:",suspended,restricted,degraded" default:"" placeholder:"STATE"`
	Ground    string       `help:"technical, political, legal or security." required:"" placeholder:"GROUND"`
	Text      string       `help:"Why." placeholder:"TEXT"`
	Until     string       `help:"When it ends by itself." placeholder:"TIME"`
	Condition string       `help:"On what condition it ends." placeholder:"TEXT"`
	Continues []string     `help:"What continues beside what always does: inquiries, notices." placeholder:"LIST"`
	Post      traffic.Post `help:"Post that states it; the first that may by default." placeholder:"POST"`
	Releaser  string       `help:"Duty role of the second person." placeholder:"ROLE"`
	session.JSONFlag
}

// Help says what continues, and gives examples and the exit codes.
func (SuspendCmd) Help() string {
	return "Checks, accidents, response teams, service messages and every FLASH always continue, and so does every other channel.\n\n" + session.Detail(`
		detente suspend nrrc --functions goodwill,notices --ground political --condition "until the talks of March" --releaser head-of-post
		detente suspend nrrc --ground technical --until "261200Z NOV 26" --releaser head-of-post`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run states the suspension.
func (c *SuspendCmd) Run(s *session.Session) error {
	state := c.State
	switch {
	case state != "":
	case len(c.Functions) > 0 && !slices.Contains(c.Functions, "all"):
		state = "restricted"
	default:
		state = "suspended"
	}
	text := map[string]string{
		"ground": c.Ground, "text": c.Text, "until": c.Until, "condition": c.Condition, "functions": strings.Join(c.Functions, ","), "continues": strings.Join(c.Continues, ","),
	}
	return stateOf(s, api.SuspendRequest{Channel: c.Channel, Post: c.Post, State: state, Text: text, Releaser: c.Releaser}, c.JSON)
}

// ResumeCmd states that a channel stands open again.
type ResumeCmd struct {
	Channel  string       `arg:"" help:"Name, or the beginning of the id."`
	Text     string       `help:"Remark." placeholder:"TEXT"`
	Post     traffic.Post `help:"Post that states it; the first that may by default." placeholder:"POST"`
	Releaser string       `help:"Duty role of the second person." placeholder:"ROLE"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (ResumeCmd) Help() string {
	return "It ends what this party has suspended, and nothing that another has.\n\n" +
		session.Detail("detente resume nrrc --releaser head-of-post", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run states the resumption.
func (c *ResumeCmd) Run(s *session.Session) error {
	return stateOf(s, api.SuspendRequest{
		Channel: c.Channel, Post: c.Post, State: "open", Text: map[string]string{"ground": "resumed", "text": c.Text}, Releaser: c.Releaser,
	}, c.JSON)
}

// stateOf states the status of a channel.
func stateOf(s *session.Session, r api.SuspendRequest, asJSON bool) error {
	maps.DeleteFunc(r.Text, func(_, v string) bool { return v == "" })
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	sent, err := node.SetStatus(s.Ctx, r)
	return tell(s, sent, asJSON, err)
}

// SilenceCmd tells why nothing is heard.
type SilenceCmd struct {
	Lang string `help:"Language of the words." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (SilenceCmd) Help() string {
	return session.Detail("detente silence", session.ExitDone, session.ExitUse, session.ExitUnreachable)
}

// Run tells how each link, post and channel stands.
func (c *SilenceCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	silences, err := node.Silences(s.Ctx, c.Lang)
	if err != nil {
		return err
	}
	statuses, err := node.Statuses(s.Ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(struct {
			Silences []api.PostSilence   `json:"silences"`
			Channels []api.ChannelStatus `json:"channels"`
		}{silences, statuses})
	}
	if len(silences)+len(statuses) == 0 {
		s.Printf("No peers yet. Exchange charters with one: detente charter export, detente charter import FILE\n")
	}
	for _, x := range silences {
		where := "link"
		if x.Post != "" {
			where = x.Post + " on " + session.Safe(x.Channel)
		}
		s.Printf("%s  %s: %s, since %s\n", x.Peer, where, session.Safe(x.Words), session.Moment(x.Since))
		for _, e := range x.Evidence {
			s.Printf("    %s\n", session.Safe(e))
		}
	}
	for _, x := range statuses {
		s.Printf("%s  %s\n", session.Safe(x.Channel), x.State)
		for _, m := range x.Members {
			if m.Statement == "" {
				continue
			}
			s.Printf("    %s: %s %s by %s, ground %s, since %s, until %s\n", m.Party, m.State, strings.Join(m.Functions, ","), m.Number, m.Ground, session.Moment(m.From), session.Moment(m.Until))
			if m.Condition != "" {
				s.Printf("      condition: %s\n", session.Safe(line(m.Condition)))
			}
		}
		if x.Minimize != nil {
			s.Printf("    MINIMIZE by %s since %s, until %s\n", x.Minimize.By, session.Moment(x.Minimize.Since), session.Moment(x.Minimize.Until))
		}
	}
	return nil
}
