package cli

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"detente/api"
	"detente/cli/session"
	"detente/node"
	"detente/route"
	"detente/traffic"
)

type pouchCmd struct {
	Export pouchExportCmd `cmd:"" help:"Write everything that a peer has not receipted into a file."`
	Import pouchImportCmd `cmd:"" help:"Take in pouch files, in any order, as often as they are brought."`
}

type pouchExportCmd struct {
	Party  traffic.Party `arg:"" help:"For whom."`
	Output string        `short:"o" help:"Where to; - for standard output." placeholder:"FILE"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (pouchExportCmd) Help() string {
	return "The file is sealed: only the peer's node can read it. What it carries stays owed on every other route too.\n\n" +
		session.Detail("detente pouch export xs -o /media/stick/xs.detente-pouch", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run writes the pouch.
func (c *pouchExportCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	p, err := node.ExportPouch(s.Ctx, c.Party)
	if err != nil {
		return err
	}
	if c.Output == "" {
		c.Output = fmt.Sprintf("%s-%s%s", c.Party, time.Now().UTC().Format("20060102T150405Z"), route.PouchSuffix)
	}
	if err := s.WriteNew(c.Output, p.File, 0o600); err != nil || c.Output == "-" {
		return err
	}
	if c.JSON {
		return s.JSON(map[string]any{"file": c.Output, "statements": p.Statements, "bytes": len(p.File)})
	}
	s.Printf("%s: %d statements for %s, and the receipts owed to it.\n", c.Output, p.Statements, c.Party)
	return nil
}

// maxPouch is the most bytes of a pouch that is taken in at once.
const maxPouch = 100 << 20

type pouchImportCmd struct {
	Files  []string `arg:"" help:"Pouch files; - for standard input."`
	Answer string   `help:"Write a pouch for their sender at once: the receipts, and what it has lost of its own." placeholder:"FILE"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (pouchImportCmd) Help() string {
	return session.Detail(`
		detente pouch import /media/stick/*.detente-pouch
		detente pouch import xn.detente-pouch --answer /media/stick/answer.detente-pouch`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run takes the pouches in.
func (c *pouchImportCmd) Run(s *session.Session) error {
	client, err := s.Client(false)
	if err != nil {
		return err
	}
	refused := 0
	senders := make(map[traffic.Party]bool)
	reports := []node.PouchReport{}
	for _, path := range c.Files {
		b, err := s.ReadFile(path, maxPouch)
		if err != nil {
			return err
		}
		r, err := client.ImportPouch(s.Ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		reports = append(reports, r)
		refused += r.Refused
		for _, p := range r.From {
			senders[p] = true
		}
		if !c.JSON {
			s.Printf("%s: %d bundles taken from %s, %d refused\n", path, r.Bundles, join(r.From), r.Refused)
		}
	}
	if c.JSON {
		if err := s.JSON(reports); err != nil {
			return err
		}
	}
	if err := c.answer(s, client, slices.Collect(maps.Keys(senders))); err != nil {
		return err
	}
	if refused > 0 {
		return session.Fail(session.ExitRefused, "the node's log says why; ask the sender to export it again", "%d bundles were refused", refused)
	}
	return nil
}

// answer writes the pouch that goes back. It must be made by the node that took the pouches in: what the sender said it lacks is remembered
// only as long as the node runs.
func (c *pouchImportCmd) answer(s *session.Session, client *api.Client, senders []traffic.Party) error {
	if c.Answer == "" {
		return nil
	}
	if len(senders) != 1 {
		return session.Fail(session.ExitUse, "give the pouches of one party at a time", "--answer writes one pouch, and these are of %d parties", len(senders))
	}
	p, err := client.ExportPouch(s.Ctx, senders[0])
	if err != nil {
		return err
	}
	if err := s.WriteNew(c.Answer, p.File, 0o600); err != nil || c.Answer == "-" || c.JSON {
		return err
	}
	s.Printf("%s: %d statements for %s, and the receipts owed to it.\n", c.Answer, p.Statements, senders[0])
	return nil
}
