package cli

import (
	"strings"
)

type showCmd struct {
	ID   string `arg:"" help:"Four or more digits of the id, or the number, such as XN/NRRC-O-0003."`
	Save string `help:"Directory into which to save what is attached." placeholder:"DIR" type:"path"`
	langFlag
	jsonFlag
}

// Help gives an example and the exit codes.
func (showCmd) Help() string {
	return "○ is what a machine did, ● is what a person did. What stands behind the rule │ are the originator's own words.\n\n" +
		detail("detente show XN/NRRC-O-0003 --lang ru", exitDone, exitRefused, exitUse, exitUnreachable, exitNotFound)
}

// Run shows the statement.
func (c *showCmd) Run(s *session) error {
	node, err := s.client(false)
	if err != nil {
		return err
	}
	st, err := node.Statement(s.ctx, c.ID, c.Lang)
	if err != nil {
		return err
	}
	if c.Save != "" {
		for _, a := range st.Attachments {
			b, err := node.Attachment(s.ctx, a.Hash)
			if err != nil {
				return err
			}
			if err := s.saveAttachment(c.Save, a.Name, a.Hash, b); err != nil {
				return err
			}
		}
	}
	if c.JSON {
		return s.json(st)
	}
	if st.Reason != "" {
		s.printf("%s\n\n", st.Status[0]) // first of all: it counts for nothing
	}
	if st.Text == "" {
		s.printf("%s  from %s, form %s: it cannot be shown as its form has it.\n", st.Number, st.From, st.Form)
		for _, line := range st.Status {
			s.printf("  %s\n", line)
		}
	} else {
		s.printf("%s\n", strings.TrimRight(st.Text, "\n"))
	}
	s.printf("\nid %s\n", st.ID)
	return nil
}
