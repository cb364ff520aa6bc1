package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"detente/api"
	"detente/cli/session"
	"detente/traffic"
)

type auditCmd struct{ session.JSONFlag }

// Help gives an example and the exit codes.
func (auditCmd) Help() string {
	return "Signatures and judgements of every entry, trees against heads and checkpoints, every cosignature, every fold. It changes nothing.\n\n" +
		session.Detail("detente audit", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run audits the node.
func (c *auditCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	show, end := s.Progress("audit")
	began := time.Now()
	r, err := node.Audit(s.Ctx, show)
	end()
	if err != nil {
		return err
	}
	if c.JSON {
		if err := s.JSON(r); err != nil {
			return err
		}
	} else {
		s.Printf("Verified in %s: %d feeds, %d entries, %d signatures of statements, %d checkpoints, %d cosignatures, %d dossiers folded.\n",
			time.Since(began).Round(time.Millisecond), r.Feeds, r.Entries, r.Signatures, r.Checkpoints, r.Cosignatures, r.Dossiers)
		if r.Invalid > 0 {
			s.Printf("%d entries are held and rightly marked invalid.\n", r.Invalid)
		}
		for _, f := range r.Faults {
			s.Printf("FAULT  %s\n", f)
		}
	}
	if len(r.Faults) > 0 {
		return session.Fail(session.ExitRefused, "keep a copy of the database, then see docs/operate.md", "%d faults", len(r.Faults))
	}
	if !c.JSON {
		s.Printf("No faults.\n")
	}
	return nil
}

type rebuildCmd struct{ session.JSONFlag }

// Help gives an example and the exit codes.
func (rebuildCmd) Help() string {
	return "Folded dossiers are a cache of the feeds. None should differ.\n\n" +
		session.Detail("detente rebuild", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run rebuilds the dossiers.
func (c *rebuildCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	show, end := s.Progress("rebuild")
	r, err := node.Rebuild(s.Ctx, show)
	end()
	if err != nil {
		return err
	}
	if c.JSON {
		if err := s.JSON(r); err != nil {
			return err
		}
	} else {
		s.Printf("%d dossiers folded anew, %d differed.\n", r.Checked, len(r.Differing))
	}
	if len(r.Differing) > 0 {
		return session.Fail(session.ExitRefused, "they are put right; report it, for it should not happen", "%s differed", strings.Join(r.Differing, ", "))
	}
	return nil
}

type recoverCmd struct {
	Timeout time.Duration `help:"How long to try." default:"10m"`
	Abandon string        `help:"Open a new epoch of this feed instead: nobody can give back what is missing." placeholder:"FEED"`
	Post    traffic.Post  `help:"With --abandon: post that says so." placeholder:"POST"`
	By      string        `help:"With --abandon: duty role of the person who decides." placeholder:"ROLE"`
	Reason  string        `help:"With --abandon: why; the other members read it." placeholder:"TEXT"`
	session.JSONFlag
}

// Help gives examples and the exit codes.
func (recoverCmd) Help() string {
	return "After a database was lost or restored from an old copy: its own feeds say nothing until what was signed is back.\n\n" +
		session.Detail(`
		detente recover
		detente recover --abandon detente.v1/…/xn/real/R/0 --post nrrc --by head-of-post --reason "both sites burnt down"`,
			session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run recovers the feeds.
func (c *recoverCmd) Run(s *session.Session) error {
	node, err := s.Client(true)
	if err != nil {
		return err
	}
	if c.Abandon != "" {
		sent, err := node.OpenEpoch(s.Ctx, api.EpochRequest{Feed: c.Abandon, Post: c.Post, By: c.By, Reason: c.Reason})
		if err != nil {
			return err
		}
		if c.JSON {
			return s.JSON(sent)
		}
		s.Printf("A new epoch is open; its first statement, %s, says so.\n", sent.Number)
		return nil
	}
	ctx, cancel := context.WithTimeout(s.Ctx, c.Timeout)
	defer cancel()
	show, end := s.Progress("recover")
	r, err := node.Recover(ctx, show)
	end()
	if late, ok := errors.AsType[*api.Problem](err); errors.Is(err, context.DeadlineExceeded) || ok && late.Code == "not-yet" {
		return session.Fail(session.ExitUnreachable, "see detente link; what no peer can give back is left with --abandon", "not everything is back yet after %s", c.Timeout)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(r)
	}
	s.Printf("%d entries came back. Nothing is known to be missing: every feed may speak.\n", r.Restored)
	for _, p := range r.Unheard {
		s.Printf("%s has not been heard: it may hold more of ours. Run recover again when its link is up, before anything is said.\n", p)
	}
	return nil
}
