package cli

import (
	"fmt"
	"strings"

	"detente/cli/session"
	"detente/cli/treaty"
	"detente/traffic"
)

type statusCmd struct {
	Instrument string `arg:"" optional:"" help:"In place of the node, an instrument: digits of its id, or the number of one of its statements."`
	On         string `help:"How the instrument stands on which day; now by default." placeholder:"DATE"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (statusCmd) Help() string {
	return session.Detail(`
		detente status
		detente status 1f2e3d4c --on 2030-01-01`, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run tells how the node stands, or an instrument.
func (c *statusCmd) Run(s *session.Session) error {
	if c.Instrument != "" {
		of := treaty.StatusCmd{Draft: c.Instrument, On: c.On, Lang: "en", JSONFlag: c.JSONFlag}
		return of.Run(s)
	}
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	st, err := node.Status(s.Ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(st)
	}
	row := func(label, format string, args ...any) { s.Printf("%-12s%s\n", label, fmt.Sprintf(format, args...)) }
	row("party", "%s, charter version %d", st.Party, st.Charter)
	row("peers", "%d%s", st.Peers, among(st.LinksDown, "link down"))
	if len(st.Pending) > 0 {
		row("pending", "%s: compare the words with detente charter confirm", join(st.Pending))
	}
	row("channels", "%d", st.Channels)
	row("statements", "%d in %d feeds", st.Statements, st.Feeds)
	row("open", "%d", st.Open)
	row("alarms", "%d", st.Alarms)
	for _, f := range st.Behind {
		row("behind", "%s: run detente recover", f)
	}
	return nil
}

func among(parties []traffic.Party, what string) string {
	if len(parties) == 0 {
		return ""
	}
	return ", " + what + ": " + join(parties)
}

func join[S ~string](list []S) string {
	var out []string
	for _, x := range list {
		out = append(out, string(x))
	}
	return strings.Join(out, ", ")
}
