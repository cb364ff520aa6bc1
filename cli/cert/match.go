package cert

import (
	"detente/api"
	"detente/cli/session"
)

// matchesCmd shows what others have shared that concerns own systems.
type matchesCmd struct {
	Case string `help:"Of a case: what was stated in it, and that from which it was opened." placeholder:"NUMBER"`
	Open bool   `help:"Only what nobody has seen."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (matchesCmd) Help() string {
	return "What is the own stands in the file that [gateway] own of config.toml names. The other side is told nothing of a match.\n\n" +
		outcomes("detente gateway matches --open")
}

// Run lists them.
func (c *matchesCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	m, err := node.Matches(s.Ctx, c.Case, c.Open)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(m)
	}
	if m.Fault != "" {
		s.Printf("The table of what is the own cannot be read: %s\n", session.Safe(m.Fault))
	}
	if m.Read.IsZero() {
		s.Printf("Nothing is matched: name a table in config.toml, [gateway] own.\n")
	}
	if len(m.Matches) == 0 && !m.Read.IsZero() {
		s.Printf("Nothing matches.\n")
	}
	for _, x := range m.Matches {
		s.Printf("%s  %s from %s: %d match", session.Moment(x.Found), session.Safe(x.Number), x.From, x.Count)
		switch {
		case x.Case != "":
			s.Printf(", case %s\n", session.Safe(x.Case))
		case !x.Seen.IsZero():
			s.Printf(", seen %s\n", session.Moment(x.Seen))
		default:
			s.Printf(", not seen yet\n")
		}
		for _, h := range x.Hits {
			s.Printf("    %s  %s %s %s  (%s)\n", session.Safe(h.Asset), session.Safe(h.Value), h.How, session.Safe(h.Own), session.Safe(h.Title))
		}
		if n := x.Count - len(x.Hits); n > 0 {
			s.Printf("    and more: %d\n", n)
		}
	}
	return nil
}

// seenCmd takes a match off the watch.
type seenCmd struct {
	Statement string `arg:"" help:"Number of the statement, or the beginning of its id."`
	Case      string `help:"Case that was opened from it." placeholder:"NUMBER"`
}

// Help gives examples and the exit codes.
func (seenCmd) Help() string {
	return outcomes("detente gateway seen XS/CERT-R-0003\n detente gateway seen XS/CERT-R-0003 --case xn/26-0007")
}

// Run marks it.
func (c *seenCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	if err := node.SeeMatch(s.Ctx, c.Statement, api.MatchSeen{Case: c.Case}); err != nil {
		return err
	}
	s.Printf("seen: %s\n", session.Safe(c.Statement))
	return nil
}
