package cli

import (
	"crypto/sha256"
	"encoding/hex"
)

type proveCmd struct {
	ID     string `arg:"" help:"Four or more digits of the id, or the number."`
	Output string `short:"o" help:"Where to; standard output by default." default:"-" placeholder:"FILE"`
}

// Help gives an example and the exit codes.
func (proveCmd) Help() string {
	return "The file proves to anybody, with no other help than the charters of the parties, who said what to whom and who held it when.\n\n" +
		detail("detente prove XN/NRRC-O-0003 > inquiry.detente-proof", exitDone, exitRefused, exitUse, exitUnreachable, exitNotFound)
}

// Run writes the proof.
func (c *proveCmd) Run(s *session) error {
	if c.Output == "-" && isTerminal(s.out) {
		return fail(exitUse, "detente prove "+c.ID+" > FILE", "a proof file is not for a terminal")
	}
	node, err := s.client(false)
	if err != nil {
		return err
	}
	b, err := node.Prove(s.ctx, c.ID)
	if err != nil {
		return err
	}
	return s.writeNew(c.Output, b, 0o644)
}

func hexHash(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
