package people

import (
	"strings"

	"detente/api"
	"detente/cli/session"
)

// ReleaseCmd is what waits for a second person.
type ReleaseCmd struct {
	List    releaseListCmd    `cmd:"" default:"withargs" help:"What waits for a second person."`
	Approve releaseApproveCmd `cmd:"" help:"Release it: it is sent."`
	Refuse  releaseRefuseCmd  `cmd:"" help:"Refuse it, or withdraw what you have drafted."`
}

type releaseListCmd struct {
	session.LangFlag
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (releaseListCmd) Help() string { return codes("detente release list --lang ru") }

// Run lists the releases.
func (c *releaseListCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	all, err := node.Releases(s.Ctx, c.Lang)
	if err != nil || c.JSON {
		return orJSON(s, c.JSON, all, err)
	}
	if len(all) == 0 {
		s.Printf("Nothing waits for a second person.\n")
	}
	for i, r := range all {
		if i > 0 {
			s.Printf("\n")
		}
		printRelease(s, r)
	}
	return nil
}

func printRelease(s *session.Session, r api.Release) {
	s.Printf("%s  %s  %s  asked by %s (%s) at %s, lapses at %s\n", r.ID, r.Post, r.Title, r.Drafter, r.Role, session.Moment(r.Asked), session.Moment(r.Until))
	s.Printf("  needs: %s; digest %s\n", strings.Join(r.Needs, ", "), r.Digest)
	for line := range strings.Lines(strings.TrimSpace(r.Text)) {
		s.Printf("  │ %s\n", strings.TrimRight(line, "\n"))
	}
	if r.Mine {
		s.Printf("  next: detente release approve %s\n", r.ID)
	}
}

type releaseApproveCmd struct {
	ID   string `arg:"" help:"Id of the release."`
	Role string `help:"Duty role in which it is released; at the terminal deputy by default." placeholder:"ROLE"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (releaseApproveCmd) Help() string {
	return "In the console an officer releases it with his passkey, over the digest. At the terminal there is none, and the journal says that it was the terminal.\n\n" +
		codes("detente release approve q4m7xk2n3a --role head-of-post")
}

// Run approves the release.
func (c *releaseApproveCmd) Run(s *session.Session) error {
	node, err := s.Client(true)
	if err != nil {
		return err
	}
	done, err := node.Decide(s.Ctx, c.ID, api.ReleaseDecision{Approve: true, Role: c.Role})
	if err != nil || c.JSON {
		return orJSON(s, c.JSON, done, err)
	}
	switch {
	case done.Sent != nil:
		s.Printf("%s  %s…\n", done.Sent.Number, done.Sent.ID[:12])
	case done.Complete:
		s.Printf("● Approved by everybody.\n")
	default:
		s.Printf("● Approved. Somebody else has still to approve it.\n")
	}
	return nil
}

type releaseRefuseCmd struct {
	ID     string `arg:"" help:"Id of the release."`
	Reason string `help:"Why; the log keeps it." placeholder:"TEXT"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (releaseRefuseCmd) Help() string {
	return codes(`detente release refuse q4m7xk2n3a --reason "The time is wrong."`)
}

// Run refuses the release.
func (c *releaseRefuseCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	done, err := node.Decide(s.Ctx, c.ID, api.ReleaseDecision{Reason: c.Reason})
	if err != nil || c.JSON {
		return orJSON(s, c.JSON, done, err)
	}
	s.Printf("It is not sent.\n")
	return nil
}
