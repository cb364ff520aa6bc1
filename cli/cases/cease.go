package cases

import (
	"fmt"
	"strconv"

	"detente/cli/session"
	"detente/cli/words"
	"detente/traffic"
)

// CeaseCmd is requests to stop something: observe, ask, check, stop.
type CeaseCmd struct {
	Ask    ceaseAskCmd    `cmd:"" help:"Ask the other side to check, and to stop what comes from or through its territory."`
	Check  ceaseCheckCmd  `cmd:"" help:"Say that it is being checked."`
	Answer ceaseAnswerCmd `cmd:"" help:"Say what the check has found."`
}

type ceaseAskCmd struct {
	where
	words.Words
}

// Help gives examples and the exit codes.
func (ceaseAskCmd) Help() string {
	return "Its clock is short: acknowledged in 10 minutes, checked in 30. It says that something was observed, not whose act it was.\n\n" + session.Detail(`
		detente cease ask --channel nrrc -p IMMEDIATE --releaser head-of-post observed=… observation="Commands reach the dispatch system of a utility." stop="The traffic from 203.0.113.7 to port 2404." sources=203.0.113.7`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run asks.
func (c *ceaseAskCmd) Run(s *session.Session) error { return c.open(s, "cease-request", &c.Words) }

type ceaseCheckCmd struct {
	within
	words.Words
}

// Help gives an example and the exit codes.
func (ceaseCheckCmd) Help() string { return followHelp("detente cease check xn/26-0009") }

// Run says so.
func (c *ceaseCheckCmd) Run(s *session.Session) error {
	c.Fields = append(c.Fields, "status=checking")
	return c.say(s, "interim", &c.Words)
}

type ceaseAnswerCmd struct {
	within
	words.Words
}

// Help gives examples and the exit codes.
func (ceaseAnswerCmd) Help() string {
	return session.Detail(`
		detente cease answer xn/26-0009 finding=confirmed-stopped measures="The host was taken off the network." --releaser head-of-post
		detente cease answer xn/26-0009 finding=not-confirmed --releaser head-of-post`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run answers.
func (c *ceaseAnswerCmd) Run(s *session.Session) error { return c.say(s, "reply", &c.Words) }

// SignalCmd is short signals.
type SignalCmd struct {
	List   signalListCmd   `cmd:"" default:"withargs" help:"The codebook of a channel: what each number means, and the appropriate response."`
	Send   signalSendCmd   `cmd:"" help:"Send a signal by its number."`
	Answer signalAnswerCmd `cmd:"" help:"Answer a signal."`
}

type signalListCmd struct {
	Channel string        `help:"Name, or the beginning of the id." required:"" placeholder:"CHANNEL"`
	Plane   traffic.Plane `help:"real, exercise or test." default:"real" enum:"real,exercise,test"`
	Lang    string        `help:"Language of the words." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (signalListCmd) Help() string {
	return session.Detail("detente signal list --channel nrrc --lang ru", session.ExitDone, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run lists the signals.
func (c *signalListCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	list, err := node.Codebook(s.Ctx, c.Channel, c.Plane, c.Lang)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	rows := [][]string{{"NUMBER", "MEANING", "RESPONSE", ""}}
	for _, x := range list {
		mark := ""
		switch {
		case x.Retired:
			mark = "retired"
		case x.Trial:
			mark = "on trial"
		}
		rows = append(rows, []string{fmt.Sprint(x.Number), session.Safe(oneLine(x.Meaning)), session.Safe(oneLine(x.Response)), mark})
	}
	return s.Table(rows...)
}

type signalSendCmd struct {
	Number int64 `arg:"" help:"Of the codebook."`
	where
	words.Words
}

// Help gives an example and the exit codes.
func (signalSendCmd) Help() string {
	return session.Detail("detente signal send 101 --channel nrrc -p IMMEDIATE", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run sends it.
func (c *signalSendCmd) Run(s *session.Session) error {
	node, err := s.Client(c.Wait != "")
	if err != nil {
		return err
	}
	list, err := node.Codebook(s.Ctx, c.Channel, c.Plane, "en")
	if err != nil {
		return err
	}
	code := ""
	for _, x := range list {
		if x.Number == c.Number && !x.Retired {
			if code = x.Code; code == "" {
				code = "agreed"
				c.Fields = append(c.Fields, "number="+strconv.FormatInt(c.Number, 10))
			}
		}
	}
	if code == "" {
		return session.Fail(session.ExitNotFound, "see the codebook with: detente signal list --channel "+c.Channel, "no signal has the number %d", c.Number)
	}
	c.Fields = append(c.Fields, "signal="+code)
	said, err := c.Request(s, "signal")
	if err != nil {
		return err
	}
	return c.openAt(s, node, said, &c.Words)
}

type signalAnswerCmd struct {
	within
	words.Words
}

// Help gives an example and the exit codes.
func (signalAnswerCmd) Help() string {
	return followHelp("detente signal answer xn/26-0011 response=r01")
}

// Run answers.
func (c *signalAnswerCmd) Run(s *session.Session) error { return c.say(s, "signal-answer", &c.Words) }
