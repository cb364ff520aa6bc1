package cli

import (
	"detente/api"
	"detente/cli/session"
	"detente/cli/words"
	"detente/traffic"
)

type sendCmd struct {
	Channel    string        `help:"Name, or the beginning of the id." required:"" placeholder:"CHANNEL"`
	Form       string        `help:"What kind of statement; detente channel show lists them." required:"" placeholder:"FORM"`
	To         string        `help:"PARTY, PARTY/POST, or * for all members. Default: the other member of two, else all." placeholder:"ADDRESS"`
	Post       traffic.Post  `help:"Post that speaks; needed where several may." placeholder:"POST"`
	Precedence string        `short:"p" help:"FLASH (Z), IMMEDIATE (O), PRIORITY (P) or ROUTINE (R)." default:"ROUTINE"`
	Plane      traffic.Plane `help:"real, exercise or test: kept apart in everything." default:"real" enum:"real,exercise,test"`
	Dossier    string        `help:"Id or number of a statement of the dossier that it belongs to; a new one by default." placeholder:"ID"`
	Ref        []string      `help:"Id or number of a statement that it refers to." placeholder:"ID"`
	words.Words
}

// Help gives examples and the exit codes.
func (sendCmd) Help() string {
	return session.Detail(`
		detente send --channel nrrc --form check level=2 question="What is the weather at your post?"
		detente send --channel nrrc --form notice -p IMMEDIATE --releaser head-of-post subject=accident text="…" --attach indicators.json`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run makes the statement.
func (c *sendCmd) Run(s *session.Session) error {
	w, err := c.Request(s, c.Form)
	if err != nil {
		return err
	}
	node, err := s.Client(c.Wait != "")
	if err != nil {
		return err
	}
	sent, err := node.Send(s.Ctx, api.SendRequest{
		Channel: c.Channel, To: c.To, Post: c.Post, Plane: c.Plane, Precedence: c.Precedence, Dossier: c.Dossier, Refs: c.Ref, Words: w,
	})
	if err != nil {
		return err
	}
	return c.Tell(s, node, sent)
}
