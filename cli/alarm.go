package cli

import (
	"os"

	"detente/cli/session"
)

type alarmCmd struct {
	List alarmListCmd `cmd:"" default:"withargs" help:"What a person must know, oldest first."`
}

type alarmListCmd struct {
	Evidence string `help:"Directory into which to save the evidence, such as fork objects for detente verify." type:"path" placeholder:"DIR"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (alarmListCmd) Help() string {
	return session.Detail("detente alarm list --evidence .", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run lists the alarms.
func (c *alarmListCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	alarms, err := node.Alarms(s.Ctx)
	if err != nil {
		return err
	}
	if c.Evidence != "" {
		if err := os.MkdirAll(c.Evidence, 0o700); err != nil {
			return err
		}
		for _, a := range alarms {
			if len(a.Evidence) == 0 {
				continue
			}
			name := a.Raised.UTC().Format("20060102T150405Z") + ".detente-" + a.Kind
			if err := s.SaveAttachment(c.Evidence, name, hexHash(a.Evidence), a.Evidence); err != nil {
				return err
			}
		}
	}
	if c.JSON {
		return s.JSON(alarms)
	}
	if len(alarms) == 0 {
		s.Printf("No alarms.\n")
	}
	for _, a := range alarms {
		s.Printf("%s  %s  %s\n  %s\n", session.Moment(a.Raised), a.Kind, a.Subject, a.Detail)
		if len(a.Evidence) > 0 {
			s.Printf("  there is evidence: detente alarm list --evidence DIR\n")
		}
	}
	return nil
}
