package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"detente/api"
	"detente/traffic"
)

type auditCmd struct{ jsonFlag }

// Help gives an example and the exit codes.
func (auditCmd) Help() string {
	return "Signatures and judgements of every entry, trees against heads and checkpoints, every cosignature, every fold. It changes nothing.\n\n" +
		detail("detente audit", exitDone, exitRefused, exitUse, exitUnreachable, exitNotFound)
}

// Run audits the node.
func (c *auditCmd) Run(s *session) error {
	node, err := s.client(false)
	if err != nil {
		return err
	}
	show, end := s.progress("audit")
	began := time.Now()
	r, err := node.Audit(s.ctx, show)
	end()
	if err != nil {
		return err
	}
	if c.JSON {
		if err := s.json(r); err != nil {
			return err
		}
	} else {
		s.printf("Verified in %s: %d feeds, %d entries, %d signatures of statements, %d checkpoints, %d cosignatures, %d dossiers folded.\n",
			time.Since(began).Round(time.Millisecond), r.Feeds, r.Entries, r.Signatures, r.Checkpoints, r.Cosignatures, r.Dossiers)
		if r.Invalid > 0 {
			s.printf("%d entries are held and rightly marked invalid.\n", r.Invalid)
		}
		for _, f := range r.Faults {
			s.printf("FAULT  %s\n", f)
		}
	}
	if len(r.Faults) > 0 {
		return fail(exitRefused, "keep a copy of the database, then see docs/operate.md", "%d faults", len(r.Faults))
	}
	if !c.JSON {
		s.printf("No faults.\n")
	}
	return nil
}

type rebuildCmd struct{ jsonFlag }

// Help gives an example and the exit codes.
func (rebuildCmd) Help() string {
	return "Folded dossiers are a cache of the feeds. None should differ.\n\n" +
		detail("detente rebuild", exitDone, exitRefused, exitUse, exitUnreachable, exitNotFound)
}

// Run rebuilds the dossiers.
func (c *rebuildCmd) Run(s *session) error {
	node, err := s.client(false)
	if err != nil {
		return err
	}
	show, end := s.progress("rebuild")
	r, err := node.Rebuild(s.ctx, show)
	end()
	if err != nil {
		return err
	}
	if c.JSON {
		if err := s.json(r); err != nil {
			return err
		}
	} else {
		s.printf("%d dossiers folded anew, %d differed.\n", r.Checked, len(r.Differing))
	}
	if len(r.Differing) > 0 {
		return fail(exitRefused, "they are put right; report it, for it should not happen", "%s differed", strings.Join(r.Differing, ", "))
	}
	return nil
}

type recoverCmd struct {
	Timeout time.Duration `help:"How long to try." default:"10m"`
	Abandon string        `help:"Open a new epoch of this feed instead: nobody can give back what is missing." placeholder:"FEED"`
	Post    traffic.Post  `help:"With --abandon: post that says so." placeholder:"POST"`
	By      string        `help:"With --abandon: duty role of the person who decides." placeholder:"ROLE"`
	Reason  string        `help:"With --abandon: why; the other members read it." placeholder:"TEXT"`
	jsonFlag
}

// Help gives examples and the exit codes.
func (recoverCmd) Help() string {
	return "After a database was lost or restored from an old copy: its own feeds say nothing until what was signed is back.\n\n" +
		detail(`
		detente recover
		detente recover --abandon detente.v1/…/xn/real/R/0 --post nrrc --by head-of-post --reason "both sites burnt down"`,
			exitDone, exitRefused, exitUse, exitUnreachable, exitNotFound)
}

// Run recovers the feeds.
func (c *recoverCmd) Run(s *session) error {
	node, err := s.client(true)
	if err != nil {
		return err
	}
	if c.Abandon != "" {
		sent, err := node.OpenEpoch(s.ctx, api.EpochRequest{Feed: c.Abandon, Post: c.Post, By: c.By, Reason: c.Reason})
		if err != nil {
			return err
		}
		if c.JSON {
			return s.json(sent)
		}
		s.printf("A new epoch is open; its first statement, %s, says so.\n", sent.Number)
		return nil
	}
	ctx, cancel := context.WithTimeout(s.ctx, c.Timeout)
	defer cancel()
	show, end := s.progress("recover")
	r, err := node.Recover(ctx, show)
	end()
	if late, ok := errors.AsType[*api.Problem](err); errors.Is(err, context.DeadlineExceeded) || ok && late.Code == "not-yet" {
		return fail(exitUnreachable, "see detente link; what no peer can give back is left with --abandon", "not everything is back yet after %s", c.Timeout)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(r)
	}
	s.printf("%d entries came back. Nothing is known to be missing: every feed may speak.\n", r.Restored)
	for _, p := range r.Unheard {
		s.printf("%s has not been heard: it may hold more of ours. Run recover again when its link is up, before anything is said.\n", p)
	}
	return nil
}
