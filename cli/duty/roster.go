package duty

import (
	"fmt"
	"time"

	"detente/api"
	"detente/cli/session"
	"detente/form"
	"detente/traffic"
)

// RosterCmd is who is on duty at which post, when.
type RosterCmd struct {
	Show     rosterShowCmd     `cmd:"" default:"withargs" help:"Who is on duty now and in the next seven days."`
	Set      rosterSetCmd      `cmd:"" help:"Put a post's roster into force."`
	Override rosterOverrideCmd `cmd:"" help:"Put another officer into a duty role for a time."`
}

type rosterShowCmd struct {
	Post traffic.Post `arg:"" optional:"" help:"Only of this post."`
	Text bool         `help:"The roster as it was written, to be changed and set again."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (rosterShowCmd) Help() string {
	return session.Detail("detente roster show nrrc --text > nrrc.toml", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable,
		session.ExitNotFound)
}

// Run shows the rosters.
func (c *rosterShowCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	var rosters []api.Roster
	if c.Post != "" {
		r, err := node.Roster(s.Ctx, c.Post)
		if err != nil {
			return err
		}
		rosters = []api.Roster{r}
	} else if rosters, err = node.Rosters(s.Ctx); err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(rosters)
	}
	if len(rosters) == 0 {
		s.Printf("No roster: nobody can be called. Write one, and: detente roster set POST FILE\n")
	}
	for i, r := range rosters {
		if c.Text {
			s.Printf("%s", r.Text)
			continue
		}
		if i > 0 {
			s.Printf("\n")
		}
		if err := printRoster(s, r); err != nil {
			return err
		}
	}
	return nil
}

func printRoster(s *session.Session, r api.Roster) error {
	s.Printf("%s  now: %s%s\n", r.Post, onDuty(r.Now), lasting(r.Now.Until))
	s.Printf("  in force since %s, set by %s\n", session.Moment(r.At), r.By)
	rows := [][]string{{"  FROM", "UNTIL", "SHIFT", "ON DUTY"}}
	for _, d := range r.Shifts {
		rows = append(rows, []string{"  " + session.Moment(d.From), session.Moment(d.Until), d.Shift, onDuty(d)})
	}
	if len(rows) > 1 {
		if err := s.Table(rows...); err != nil {
			return err
		}
	}
	for _, o := range r.Overrides {
		s.Printf("  override: %s is %s from %s until %s, by %s", o.Officer, o.Role, session.Moment(o.From), session.Moment(o.Until), o.By)
		if o.Reason != "" {
			s.Printf(": %s", o.Reason)
		}
		s.Printf("\n")
	}
	return nil
}

func lasting(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ", until " + session.Moment(t)
}

type rosterSetCmd struct {
	Post traffic.Post `arg:"" help:"Post whose roster it is."`
	File string       `arg:"" help:"File in TOML, as docs/operate.md describes it; - for standard input."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (rosterSetCmd) Help() string {
	return "It comes into force at once; what was in force before stands in the watch log.\n\n" +
		session.Detail("detente roster set nrrc nrrc.toml", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run puts the roster into force.
func (c *rosterSetCmd) Run(s *session.Session) error {
	text, err := s.ReadFile(c.File, maxRoster)
	if err != nil {
		return err
	}
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	r, err := node.SetRoster(s.Ctx, c.Post, api.RosterRequest{Text: string(text)})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(r)
	}
	return printRoster(s, r)
}

type rosterOverrideCmd struct {
	Post    traffic.Post `arg:"" help:"Post whose roster it is."`
	Officer string       `arg:"" help:"Officer who stands in."`
	Role    string       `help:"Duty role." default:"duty-officer" enum:"duty-officer,deputy,head-of-post,senior-official"`
	From    string       `help:"When it begins: 231415Z NOV 26 or RFC 3339; now by default." placeholder:"TIME"`
	Until   string       `help:"When it ends: a time, or how long, such as 8h." required:"" placeholder:"TIME"`
	Reason  string       `help:"Goes into the watch log." placeholder:"TEXT"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (rosterOverrideCmd) Help() string {
	return session.Detail(`detente roster override nrrc ivanova --until 8h --reason "Petrov is ill"`, session.ExitDone, session.ExitRefused, session.ExitUse,
		session.ExitUnreachable, session.ExitNotFound)
}

// Run states the override.
func (c *rosterOverrideCmd) Run(s *session.Session) error {
	from := time.Now().UTC().Truncate(time.Second)
	if c.From != "" {
		var err error
		if from, err = parseMoment(c.From); err != nil {
			return err
		}
	}
	until, err := parseMoment(c.Until)
	if err != nil {
		d, wrong := time.ParseDuration(c.Until)
		if wrong != nil {
			return err
		}
		until = from.Add(d)
	}
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	r, err := node.Override(s.Ctx, api.Override{Post: c.Post, Role: c.Role, Officer: c.Officer, From: from, Until: until, Reason: c.Reason})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(r)
	}
	return printRoster(s, r)
}

// parseMoment reads a time as officers write it, or as programs do.
func parseMoment(text string) (time.Time, error) {
	if t, err := form.ParseDTG(text); err == nil {
		return t, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, session.Fail(session.ExitUse, "", "%s", fmt.Sprintf("%q is no time: write 231415Z NOV 26, 2026-11-23T14:15:00Z or 2026-11-23", text))
}
