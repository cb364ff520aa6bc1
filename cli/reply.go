package cli

import (
	"detente/api"
	"detente/cli/session"
	"detente/cli/words"
	"detente/traffic"
)

// replying is what every reply is told.
type replying struct {
	ID         string       `arg:"" help:"Four or more digits of the id, or the number, such as XS/NRRC-O-0003."`
	Post       traffic.Post `help:"Post that speaks; the one that was addressed by default." placeholder:"POST"`
	Precedence string       `short:"p" help:"That of the statement by default." placeholder:"WORD"`
	words.Words
}

func (c *replying) run(s *session.Session, form string) error {
	w, err := c.Request(s, form)
	if err != nil {
		return err
	}
	node, err := s.Client(c.Wait != "")
	if err != nil {
		return err
	}
	sent, err := node.Reply(s.Ctx, c.ID, api.ReplyRequest{Post: c.Post, Precedence: c.Precedence, Words: w})
	if err != nil {
		return err
	}
	return c.Tell(s, node, sent)
}

type ackCmd struct{ replying }

// Help gives examples and the exit codes.
func (ackCmd) Help() string {
	return "It says that a person of the watch has the statement in hand, and nothing more.\n\n" +
		session.Detail("detente ack XN/NRRC-O-0003 understood=yes forwarded_to=cert", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run acknowledges the statement. Whoever acknowledges has understood, unless he says otherwise.
func (c *ackCmd) Run(s *session.Session) error {
	said := false
	for _, f := range c.Fields {
		said = said || len(f) > 11 && f[:11] == "understood="
	}
	if !said {
		c.Fields = append(c.Fields, "understood=true")
	}
	return c.run(s, "acknowledgement")
}

type answerCmd struct{ replying }

// Help gives examples and the exit codes.
func (answerCmd) Help() string {
	return session.Detail(`
		detente answer XN/NRRC-O-0003 --releaser head-of-post finding=confirmed-stopped measures="The server was taken off the network."
		detente answer 8f3a2c11 --releaser head-of-post finding=not-ours`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run answers the statement.
func (c *answerCmd) Run(s *session.Session) error { return c.run(s, "answer") }

type replyCmd struct {
	Form string `help:"What kind of reply." required:"" placeholder:"FORM"`
	replying
}

// Help gives examples and the exit codes.
func (replyCmd) Help() string {
	return session.Detail(`
		detente reply XN/NRRC-R-0001 --form check-answer answered_by=duty-officer answer="Snow, four degrees below."
		detente reply XS/NRRC-O-0002 --form correction read="14:05 UTC" in_place_of="14:50 UTC"`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run replies to the statement.
func (c *replyCmd) Run(s *session.Session) error { return c.run(s, c.Form) }

type correctCmd struct {
	Read      string `required:"" help:"What is to be read." placeholder:"TEXT"`
	InPlaceOf string `required:"" help:"What it stands in the place of, as it was said." placeholder:"TEXT"`
	replying
}

// Help gives an example and the exit codes.
func (correctCmd) Help() string {
	return "Nothing is taken out: the correction stands beside what it corrects. A statement that should not be there at all is cancelled.\n\n" +
		session.Detail(`detente correct XS/NRRC-O-0002 --read "14:05 UTC" --in-place-of "14:50 UTC"`,
			session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run corrects the statement.
func (c *correctCmd) Run(s *session.Session) error {
	c.Fields = append(c.Fields, "read="+c.Read, "in_place_of="+c.InPlaceOf)
	return c.run(s, "correction")
}
