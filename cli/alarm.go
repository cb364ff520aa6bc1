package cli

import (
	"os"
)

type alarmCmd struct {
	List alarmListCmd `cmd:"" default:"withargs" help:"What a person must know, oldest first."`
}

type alarmListCmd struct {
	Evidence string `help:"Directory into which to save the evidence, such as fork objects for detente verify." type:"path" placeholder:"DIR"`
	jsonFlag
}

// Help gives an example and the exit codes.
func (alarmListCmd) Help() string {
	return detail("detente alarm list --evidence .", exitDone, exitRefused, exitUse, exitUnreachable, exitNotFound)
}

// Run lists the alarms.
func (c *alarmListCmd) Run(s *session) error {
	node, err := s.client(false)
	if err != nil {
		return err
	}
	alarms, err := node.Alarms(s.ctx)
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
			if err := s.saveAttachment(c.Evidence, name, hexHash(a.Evidence), a.Evidence); err != nil {
				return err
			}
		}
	}
	if c.JSON {
		return s.json(alarms)
	}
	if len(alarms) == 0 {
		s.printf("No alarms.\n")
	}
	for _, a := range alarms {
		s.printf("%s  %s  %s\n  %s\n", moment(a.Raised), a.Kind, a.Subject, a.Detail)
		if len(a.Evidence) > 0 {
			s.printf("  there is evidence: detente alarm list --evidence DIR\n")
		}
	}
	return nil
}
