package duty

import (
	"strings"

	"detente/api"
	"detente/cli/session"
	"detente/traffic"
)

// HandoverCmd is the watch of a post handed over, with what is open.
type HandoverCmd struct {
	List    handoverListCmd    `cmd:"" default:"withargs" help:"Hand-overs: those that wait for a signature first, then the newest."`
	Begin   handoverBeginCmd   `cmd:"" help:"Begin a hand-over: what is open is listed for both officers to sign."`
	Approve handoverApproveCmd `cmd:"" help:"Sign a hand-over that waits, as one of its two officers."`
}

type handoverListCmd struct {
	Post traffic.Post `help:"Only of this post." placeholder:"POST"`
	session.LangFlag
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (handoverListCmd) Help() string {
	return session.Detail("detente handover list --post nrrc", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run lists the hand-overs.
func (c *handoverListCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	list, err := node.Handovers(s.Ctx, c.Post, c.Lang)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	if len(list) == 0 {
		s.Printf("None. Begin one with: detente handover begin POST --on OFFICER\n")
	}
	for _, h := range list {
		printHandover(s, h)
	}
	return nil
}

func printHandover(s *session.Session, h api.Handover) {
	if h.At.IsZero() {
		s.Printf("WAITS  %s  %s: %s → %s; signed by %s\n", h.ID, h.Post, h.Off, h.On, signed(h.Signed))
	} else {
		s.Printf("%s  %s: %s → %s; both have signed\n", session.Moment(h.At), h.Post, h.Off, h.On)
	}
	for _, i := range h.Items {
		s.Printf("  %s %s  %s  %s%s\n", shape(i.Precedence), i.Precedence, i.Number, i.Title, until(i.Due))
	}
	if h.Remarks != "" {
		s.Printf("  │ %s\n", strings.ReplaceAll(strings.TrimSpace(h.Remarks), "\n", "\n  │ "))
	}
	if h.At.IsZero() {
		s.Printf("  next: detente handover approve %s\n", h.ID)
	}
}

func signed(list []string) string {
	if len(list) == 0 {
		return "nobody yet"
	}
	return strings.Join(list, ", ")
}

type handoverBeginCmd struct {
	Post    traffic.Post `arg:"" help:"Post whose watch is handed over."`
	On      string       `help:"Officer who takes over." required:"" placeholder:"OFFICER"`
	Off     string       `help:"Officer who hands over; whoever acts by default." placeholder:"OFFICER"`
	Remarks string       `help:"What the next watch should know." placeholder:"TEXT"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (handoverBeginCmd) Help() string {
	return session.Detail(`detente handover begin nrrc --off petrov --on ivanova --remarks "Grid inquiry: the operator calls back at 05:00Z."`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run begins the hand-over.
func (c *handoverBeginCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	h, err := node.HandOver(s.Ctx, api.HandoverRequest{Post: c.Post, Off: c.Off, On: c.On, Remarks: c.Remarks})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(h)
	}
	printHandover(s, h)
	return nil
}

type handoverApproveCmd struct {
	ID     string `arg:"" help:"Id of the hand-over."`
	Refuse string `help:"Do not hand it over, for this reason." placeholder:"TEXT"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (handoverApproveCmd) Help() string {
	return "In the console each officer signs with his own passkey. At the terminal it signs for whoever hands over, then for whoever takes over, " +
		"and the log says that it was the terminal.\n\n" +
		session.Detail("detente handover approve 5f2c1a", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run signs the hand-over, or refuses it.
func (c *handoverApproveCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	done, err := node.Decide(s.Ctx, c.ID, api.ReleaseDecision{Approve: c.Refuse == "", Reason: c.Refuse})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(done)
	}
	switch {
	case c.Refuse != "":
		s.Printf("Refused: the watch stays where it is.\n")
	case done.Complete:
		s.Printf("● Both have signed: the watch is handed over.\n")
	default:
		s.Printf("● Signed. The other officer has still to sign.\n")
	}
	return nil
}
