package cli

import (
	"bytes"
	"context"
	"fmt"
	"os/signal"
	"strings"
	"syscall"

	"detente/cli/session"
	"detente/demo"
)

type demoCmd struct {
	Once bool `help:"Play the story and end. Without it the nodes stay up, to be talked to."`
}

// Help gives an example and the exit codes.
func (demoCmd) Help() string {
	return "Three parties on loopback, in a temporary directory: pairing, channels, a check, an inquiry with a real report, a case from the notice to the ledger, a FLASH by pouch,\n" +
		"indicators by TAXII, proofs.\n\n" +
		session.Detail("detente demo --once", session.ExitDone, session.ExitRefused, session.ExitUse)
}

// Run plays the story.
func (c *demoCmd) Run(s *session.Session) error {
	ctx, stop := signal.NotifyContext(s.Ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return demo.Run(ctx, demo.Config{Out: s.Out, Stay: !c.Once, Verify: verifyFiles})
}

// verifyFiles is the command "verify" without a home: it knows nothing but the files.
func verifyFiles(ctx context.Context, files []string) (string, error) {
	var out, errs bytes.Buffer
	if code := Main(ctx, append([]string{"verify"}, files...), strings.NewReader(""), &out, &errs); code != session.ExitDone {
		return out.String(), fmt.Errorf("verify ended with %d: %s", code, errs.String())
	}
	return out.String(), nil
}
