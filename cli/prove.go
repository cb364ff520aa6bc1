package cli

import (
	"crypto/sha256"
	"encoding/hex"

	"detente/cli/session"
)

type proveCmd struct {
	ID     string `arg:"" help:"Four or more digits of the id, or the number."`
	Output string `short:"o" help:"Where to; standard output by default." default:"-" placeholder:"FILE"`
}

// Help gives an example and the exit codes.
func (proveCmd) Help() string {
	return "The file proves to anybody, with no other help than the charters of the parties, who said what to whom and who held it when.\n\n" +
		session.Detail("detente prove XN/NRRC-O-0003 > inquiry.detente-proof", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run writes the proof.
func (c *proveCmd) Run(s *session.Session) error {
	if c.Output == "-" && session.IsTerminal(s.Out) {
		return session.Fail(session.ExitUse, "detente prove "+c.ID+" > FILE", "a proof file is not for a terminal")
	}
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	b, err := node.Prove(s.Ctx, c.ID)
	if err != nil {
		return err
	}
	return s.WriteNew(c.Output, b, 0o644)
}

func hexHash(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
