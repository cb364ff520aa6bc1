package cli

import (
	"strings"

	"detente/api"
	"detente/cli/session"
	"detente/traffic"
)

type showCmd struct {
	ID   string `arg:"" help:"Four or more digits of the id, or the number, such as XN/NRRC-O-0003."`
	Save string `help:"Directory into which to save what is attached." placeholder:"DIR" type:"path"`
	session.LangFlag
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (showCmd) Help() string {
	return "○ is what a machine did, ● is what a person did. What stands behind the rule │ are the originator's own words.\n\n" +
		session.Detail("detente show XN/NRRC-O-0003 --lang ru", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run shows the statement.
func (c *showCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	st, err := node.Statement(s.Ctx, c.ID, c.Lang)
	if err != nil {
		return err
	}
	if c.Save != "" {
		for _, a := range st.Attachments {
			b, err := node.Attachment(s.Ctx, a.Hash)
			if err != nil {
				return err
			}
			if err := s.SaveAttachment(c.Save, a.Name, a.Hash, b); err != nil {
				return err
			}
		}
	}
	if c.JSON {
		return s.JSON(st)
	}
	if st.Reason != "" {
		s.Printf("%s\n\n", st.Status[0]) // first of all: it counts for nothing
	}
	if st.Text == "" {
		s.Printf("%s  from %s, form %s: it cannot be shown as its form has it.\n", st.Number, st.From, st.Form)
		for _, line := range st.Status {
			s.Printf("  %s\n", line)
		}
	} else {
		s.Printf("%s\n", strings.TrimRight(st.Text, "\n"))
	}
	if rungs := ladders(st.Ladder); len(rungs) > 0 {
		s.Printf("\n%s\n", strings.Join(rungs, "\n"))
	}
	for _, t := range st.Translations {
		s.Printf("\n%s  %s\n", session.Safe(t.Number), session.Safe(t.Label))
		for _, line := range strings.Split(t.Text, "\n") {
			s.Printf("  ┆ %s\n", session.Safe(line))
		}
	}
	s.Printf("\nid %s\n", st.ID)
	return nil
}

// ladders is how far a statement has come, a line for each addressee: hollow is what a machine did, solid what a person did, a dash what has not come.
func ladders(rungs []api.Rung) []string {
	var parties []traffic.Party
	lines := make(map[traffic.Party]string)
	for _, r := range rungs {
		if _, known := lines[r.Party]; !known {
			parties = append(parties, r.Party)
			lines[r.Party] = string(r.Party)
		}
		mark := "–"
		switch {
		case r.At.IsZero():
		case r.Human:
			mark = "●"
		default:
			mark = "○"
		}
		text := "  " + mark + " " + r.What
		if r.To != "" {
			text += " (" + r.To + ")"
		}
		if !r.At.IsZero() {
			text += " " + session.Moment(r.At)
		}
		if r.By != "" {
			text += " " + r.By
		}
		lines[r.Party] += text
	}
	var out []string
	for _, p := range parties {
		out = append(out, lines[p])
	}
	return out
}
