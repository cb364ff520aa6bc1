package cli

import (
	"fmt"
	"time"

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
	jsonFlag
}

// Help gives an example and the exit codes.
func (pouchExportCmd) Help() string {
	return "The file is sealed: only the peer's node can read it. What it carries stays owed on every other route too.\n\n" +
		detail("detente pouch export xs -o /media/stick/xs.detente-pouch", exitDone, exitRefused, exitUse, exitUnreachable, exitNotFound)
}

// Run writes the pouch.
func (c *pouchExportCmd) Run(s *session) error {
	node, err := s.client(false)
	if err != nil {
		return err
	}
	p, err := node.ExportPouch(s.ctx, c.Party)
	if err != nil {
		return err
	}
	if c.Output == "" {
		c.Output = fmt.Sprintf("%s-%s%s", c.Party, time.Now().UTC().Format("20060102T150405Z"), route.PouchSuffix)
	}
	if err := s.writeNew(c.Output, p.File, 0o600); err != nil || c.Output == "-" {
		return err
	}
	if c.JSON {
		return s.json(map[string]any{"file": c.Output, "statements": p.Statements, "bytes": len(p.File)})
	}
	s.printf("%s: %d statements for %s, and the receipts owed to it.\n", c.Output, p.Statements, c.Party)
	return nil
}

// maxPouch is the most bytes of a pouch that is taken in at once.
const maxPouch = 100 << 20

type pouchImportCmd struct {
	Files []string `arg:"" help:"Pouch files; - for standard input."`
	jsonFlag
}

// Help gives an example and the exit codes.
func (pouchImportCmd) Help() string {
	return detail("detente pouch import /media/stick/*.detente-pouch", exitDone, exitRefused, exitUse, exitUnreachable, exitNotFound)
}

// Run takes the pouches in.
func (c *pouchImportCmd) Run(s *session) error {
	client, err := s.client(false)
	if err != nil {
		return err
	}
	refused := 0
	reports := []node.PouchReport{}
	for _, path := range c.Files {
		b, err := s.readFile(path, maxPouch)
		if err != nil {
			return err
		}
		r, err := client.ImportPouch(s.ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		reports = append(reports, r)
		refused += r.Refused
		if !c.JSON {
			s.printf("%s: %d bundles taken from %s, %d refused\n", path, r.Bundles, join(r.From), r.Refused)
		}
	}
	if c.JSON {
		if err := s.json(reports); err != nil {
			return err
		}
	}
	if refused > 0 {
		return fail(exitRefused, "the node's log says why; ask the sender to export it again", "%d bundles were refused", refused)
	}
	return nil
}
