package cases

import (
	"strings"
	"time"

	"detente/api"
	"detente/cli/session"
	"detente/cli/words"
	"detente/traffic"
)

// NoticeCmd is declared activities.
type NoticeCmd struct {
	List     noticeListCmd  `cmd:"" default:"withargs" help:"What was declared, by whom, for when, and windows of special caution."`
	Give     noticeGiveCmd  `cmd:"" help:"Declare a planned activity, three to five days ahead."`
	Activate activateCmd    `cmd:"" help:"Say that it has begun."`
	Complete completeCmd    `cmd:"" help:"Say that it is over."`
	Cancel   noticeCallOff  `cmd:"" help:"Say that it will not take place."`
	Extend   extendCmd      `cmd:"" help:"Say that it takes until later."`
	Match    noticeMatchCmd `cmd:"" help:"Hold what was observed against what was declared."`
}

type noticeListCmd struct {
	Plane traffic.Plane `help:"real, exercise or test." default:"real" enum:"real,exercise,test"`
	Lang  string        `help:"Language of the words." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (noticeListCmd) Help() string {
	return session.Detail("detente notice list", session.ExitDone, session.ExitUse, session.ExitUnreachable)
}

// Run lists what was declared.
func (c *noticeListCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	cal, err := node.Calendar(s.Ctx, c.Plane, c.Lang)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(cal)
	}
	if len(cal.Activities)+len(cal.Windows) == 0 {
		s.Printf("Nothing was declared. Declare a planned activity with: detente notice give --channel NAME\n")
		return nil
	}
	rows := [][]string{{"NOTICE", "BY", "WHAT", "FROM", "UNTIL", "STANDS", "WHERE"}}
	for _, a := range cal.Activities {
		area := strings.Join(append(append([]string{}, a.Sources...), a.Networks...), " ")
		rows = append(rows, []string{a.Number, string(a.Party), session.Safe(a.What), session.Moment(a.From), session.Moment(a.Until), session.Safe(a.Stands), session.Safe(area)})
	}
	for _, w := range cal.Windows {
		rows = append(rows, []string{w.Number, string(w.Party), session.Safe(w.Ground), session.Moment(w.From), session.Moment(w.Until), session.Safe(w.Stands), session.Safe(oneLine(w.Scope))})
	}
	return s.Table(rows...)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

type noticeGiveCmd struct {
	where
	words.Words
}

// Help gives examples and the exit codes.
func (noticeGiveCmd) Help() string {
	return session.Detail(`
		detente notice give --channel nrrc class=scan window=2026-12-01T06:00:00Z/2026-12-01T18:00:00Z text="A survey of open resolvers." sources=198.51.100.0/28 recognition="User agent SURVEY/1, one packet a host." contact="+00 1 234"`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run declares the activity.
func (c *noticeGiveCmd) Run(s *session.Session) error {
	return c.open(s, "planned-activity", &c.Words)
}

// follow is a word about a declared activity.
type follow struct {
	within
	words.Words
}

func (f *follow) run(s *session.Session, status string) error {
	f.Fields = append(f.Fields, "status="+status)
	said := false
	for _, x := range f.Fields {
		said = said || strings.HasPrefix(x, "at=")
	}
	if !said && status != "extended" {
		f.Fields = append(f.Fields, "at="+time.Now().UTC().Format(time.RFC3339))
	}
	return f.say(s, "activity-status", &f.Words)
}

func followHelp(example string) string {
	return session.Detail(example, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

type activateCmd struct{ follow }

// Help gives an example and the exit codes.
func (activateCmd) Help() string { return followHelp("detente notice activate xn/26-0003") }

// Run states it.
func (c *activateCmd) Run(s *session.Session) error { return c.run(s, "activated") }

type completeCmd struct{ follow }

// Help gives an example and the exit codes.
func (completeCmd) Help() string { return followHelp("detente notice complete xn/26-0003") }

// Run states it.
func (c *completeCmd) Run(s *session.Session) error { return c.run(s, "completed") }

type noticeCallOff struct{ follow }

// Help gives an example and the exit codes.
func (noticeCallOff) Help() string {
	return followHelp(`detente notice cancel xn/26-0003 text="Put off to next week."`)
}

// Run states it.
func (c *noticeCallOff) Run(s *session.Session) error { return c.run(s, "cancelled") }

type extendCmd struct{ follow }

// Help gives an example and the exit codes.
func (extendCmd) Help() string {
	return followHelp("detente notice extend xn/26-0003 window=2026-12-01T06:00:00Z/2026-12-02T18:00:00Z")
}

// Run states it.
func (c *extendCmd) Run(s *session.Session) error { return c.run(s, "extended") }

type noticeMatchCmd struct {
	Observed string        `help:"When: FROM/TO." required:"" placeholder:"FROM/TO"`
	Sources  string        `help:"Addresses and networks from which it came." placeholder:"LIST"`
	Networks string        `help:"Addresses and networks that it reached." placeholder:"LIST"`
	Numbers  string        `help:"Numbers of autonomous systems." placeholder:"LIST"`
	Sector   string        `help:"Sector that it reached." placeholder:"SECTOR"`
	Plane    traffic.Plane `help:"real, exercise or test." default:"real" enum:"real,exercise,test"`
	Lang     string        `help:"Language of the words." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (noticeMatchCmd) Help() string {
	return "Nothing of it leaves the node.\n\n" + session.Detail("detente notice match --observed 2026-12-01T07:00:00Z/2026-12-01T08:00:00Z --sources 198.51.100.7", session.ExitDone, session.ExitUse, session.ExitUnreachable)
}

// Run compares.
func (c *noticeMatchCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	list, err := node.MatchObservation(s.Ctx, api.ObservationRequest{
		Plane: c.Plane, Observed: c.Observed, Sources: c.Sources, Networks: c.Networks, Numbers: c.Numbers, Sector: c.Sector,
	}, c.Lang)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	if len(list) == 0 {
		s.Printf("No declared activity matches.\n")
	}
	for _, m := range list {
		s.Printf("%s  %s  %s  %s\n  %s: %s\n", m.Notice.Number, m.Notice.Party, session.Safe(m.Notice.What), session.Safe(m.Notice.Stands), session.Safe(m.Words), session.Safe(strings.Join(m.Hit, ", ")))
		if len(m.Missed) > 0 {
			s.Printf("  not: %s\n", session.Safe(strings.Join(m.Missed, ", ")))
		}
		if m.Notice.Recognition != "" {
			s.Printf("  compare: %s\n", session.Safe(oneLine(m.Notice.Recognition)))
		}
	}
	return nil
}
