package register

import (
	"time"

	"detente/acts"
	"detente/api/registry"
	"detente/cli/session"
)

type importCmd struct {
	File   string `arg:"" help:"Collection of acts, JSON: docs/register.md describes it; - for standard input." placeholder:"FILE"`
	DryRun bool   `help:"Compute and compare only; no node is needed."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (importCmd) Help() string {
	return "Exit code 1 also says that the status which the collection states is not the one that its acts give.\n\n" +
		session.Detail("detente register import treaty.json", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable)
}

// Run loads and compares.
func (c *importCmd) Run(s *session.Session) error {
	b, err := s.ReadFile(c.File, acts.MaxCollection)
	if err != nil {
		return err
	}
	read, err := acts.ReadCollection(b)
	if err != nil {
		return session.Fail(session.ExitRefused, "docs/register.md says what a collection has", "%s: %w", c.File, err)
	}
	r := read.Record(time.Time{})
	if !c.DryRun {
		node, err := s.Client(false)
		if err != nil {
			return err
		}
		if _, err := (registry.Client{Node: node}).Import(s.Ctx, b); err != nil {
			return err
		}
	}
	differences := read.Differences()
	if c.JSON {
		if err := s.JSON(report{read.ID(), len(read.Acts), r.Entry, append([]acts.Difference{}, differences...)}); err != nil {
			return err
		}
	} else {
		c.tell(s, read, r, differences)
	}
	if len(differences) > 0 {
		return session.Fail(session.ExitRefused, "see whether acts are missing in the collection, or its rules are others", "the stated status differs in %d points", len(differences))
	}
	return nil
}

type report struct {
	Instrument  string            `json:"instrument"`
	Acts        int               `json:"acts"`
	Entry       acts.Day          `json:"entry,omitzero"`
	Differences []acts.Difference `json:"differences"`
}

func (c *importCmd) tell(s *session.Session, read *acts.Collection, r *acts.Record, differences []acts.Difference) {
	s.Printf("%s  %s\n  %d acts of %d participants", short(read.ID()), in("en", read.Title), len(read.Acts), len(r.Parties()))
	if r.Entry != 0 {
		s.Printf(", in force since %s", r.Entry)
	}
	s.Printf("\n")
	for _, n := range r.Acts {
		if n.Why != "" {
			s.Printf("  %s of %s on %s (%s) has no effect: %s\n", n.Kind, n.Party, n.Date, short(n.ID), n.Why)
		}
	}
	switch {
	case read.Stated == nil:
		s.Printf("  no status is stated to compare with\n")
	case len(differences) == 0:
		s.Printf("  the status that is stated for %s is the one that the acts give\n", read.Stated.On)
	}
	for _, d := range differences {
		who := string(d.Party)
		if who == "" {
			who = "the instrument"
		}
		s.Printf("  %s, %s: stated %s, computed %s\n", who, d.What, none(d.Stated), none(d.Computed))
	}
}

func none(s string) string {
	if s == "" {
		return "nothing"
	}
	return session.Safe(s)
}
