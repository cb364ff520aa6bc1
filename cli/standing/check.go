// Package standing is the commands about what stands between parties: checks, directory, suspension, silence, terms, traces.
// It must never do what the API cannot, nor show as a person's what a machine has done: ○ is the machine's mark, ● a person's.
package standing

import (
	"fmt"
	"time"

	"detente/api"
	"detente/check"
	"detente/cli/session"
	"detente/traffic"
)

// CheckCmd is communication checks.
type CheckCmd struct {
	List checkListCmd `cmd:"" default:"withargs" help:"What came of the checks, and which are planned."`
	Run  checkRunCmd  `cmd:"" help:"Send a check now."`
	Plan checkPlanCmd `cmd:"" help:"When the links are checked: show the plan, or put one into force."`
	Year checkYearCmd `cmd:"" help:"A year of checks with a peer, as a picture."`
}

type checkListCmd struct {
	Peer  traffic.Party `help:"Only with this party." placeholder:"PARTY"`
	Days  int           `help:"Of the last so many days." default:"7" placeholder:"N"`
	Limit int           `help:"At most so many." default:"50" placeholder:"N"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (checkListCmd) Help() string {
	return session.Detail("detente check list --peer xs --days 30", session.ExitDone, session.ExitUse, session.ExitUnreachable)
}

// Run lists the checks.
func (c *checkListCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	all, err := node.Checks(s.Ctx, api.CheckListing{Peer: c.Peer, Since: time.Now().AddDate(0, 0, -c.Days), Limit: c.Limit})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(all)
	}
	rows := [][]string{{"", "NUMBER", "LEVEL", "PEER", "SENT", "STATE", "BY", "TOOK"}}
	for _, k := range all.Checks {
		mark, took, way := "○", "", "from "+string(k.Peer)
		if k.AnsweredBy != "" && k.AnsweredBy != check.ByTerminal {
			mark = "●"
		}
		if k.AnsweredBy == "" {
			mark = " "
		} else {
			took = time.Duration(k.Elapsed * float64(time.Second)).Round(time.Second).String()
		}
		if k.Own {
			way = "to " + string(k.Peer)
		}
		rows = append(rows, []string{mark, k.Number, fmt.Sprint(k.Level), way, session.Moment(k.Sent), k.State, k.AnsweredBy, took})
	}
	if len(rows) == 1 {
		s.Printf("No checks in the last %d days. Send one with: detente check run --channel NAME\n", c.Days)
	} else if err := s.Table(rows...); err != nil {
		return err
	}
	for _, n := range all.Next {
		held := ""
		if n.Held != "" {
			held = "  put off by a hand-over (" + n.Held + " side)"
		}
		s.Printf("next: level %d with %s on %s, %s%s\n", n.Level, n.Peer, session.Safe(n.Channel), session.Moment(n.At), held)
	}
	if all.Plan == "" {
		s.Printf("No plan is in force: detente check plan --help\n")
	}
	return nil
}

type checkRunCmd struct {
	Channel  string        `help:"Name, or the beginning of the id." required:"" placeholder:"CHANNEL"`
	To       string        `help:"PARTY or PARTY/POST. Default: the other member of two." placeholder:"ADDRESS"`
	Post     traffic.Post  `help:"Post that asks; needed where several may." placeholder:"POST"`
	Plane    traffic.Plane `help:"real, exercise or test: kept apart in everything." default:"real" enum:"real,exercise,test"`
	Level    int           `help:"1 the terminal answers; 2 the duty officer, in his own words; 3 a task for another authority; 4 an exercise." default:"1"`
	Question string        `help:"Default: a fresh one of the program, up to level 2." placeholder:"TEXT"`
	Largest  bool          `help:"On the plane test: a text of every script and the largest size goes before it."`
	Force    bool          `help:"Although a watch is being handed over: both shifts have agreed."`
	session.JSONFlag
}

// Help gives examples and the exit codes.
func (checkRunCmd) Help() string {
	return session.Detail(`
		detente check run --channel nrrc
		detente check run --channel nrrc --level 2
		detente check run --channel nrrc --level 3 --question "Ask the energy regulator for the number of its duty line."
		detente check run --channel nrrc --plane test --largest`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run sends the check.
func (c *checkRunCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	sent, err := node.RunCheck(s.Ctx, api.CheckRequest{
		Channel: c.Channel, To: c.To, Post: c.Post, Plane: c.Plane, Level: c.Level, Question: c.Question, Largest: c.Largest, Force: c.Force,
	})
	return tell(s, sent, c.JSON, err)
}

// tell says where a statement now stands.
func tell(s *session.Session, sent api.Sent, asJSON bool, err error) error {
	switch {
	case err != nil:
		return err
	case asJSON:
		return s.JSON(sent)
	}
	s.Printf("%s  %s\n  durable here, and on its way\n", sent.Number, sent.ID)
	return nil
}

type checkPlanCmd struct {
	File string `arg:"" optional:"" help:"Plan to put into force, - for standard input; without it the plan in force is printed." placeholder:"FILE"`
	None bool   `help:"Put into force that nothing is checked by plan."`
	session.JSONFlag
}

// Help shows a plan, an example and the exit codes.
func (checkPlanCmd) Help() string {
	return "A plan is TOML:\n\n" + check.Example + "\n" +
		session.Detail("detente check plan plan.toml", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable)
}

// Run shows the plan or puts one into force.
func (c *checkPlanCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	if c.File == "" && !c.None {
		all, err := node.Checks(s.Ctx, api.CheckListing{Limit: 1})
		switch {
		case err != nil:
			return err
		case c.JSON:
			return s.JSON(all.Next)
		case all.Plan == "":
			s.Printf("No plan is in force: detente check plan --help shows one\n")
		}
		s.Printf("%s", all.Plan)
		return nil
	}
	text := []byte("# none\n")
	if c.File != "" {
		if text, err = s.ReadFile(c.File, check.MaxPlan); err != nil {
			return err
		}
	}
	all, err := node.SetPlan(s.Ctx, api.PlanRequest{Text: string(text)})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(all.Next)
	}
	s.Printf("in force\n")
	for _, n := range all.Next {
		s.Printf("next: level %d with %s on %s, %s\n", n.Level, n.Peer, session.Safe(n.Channel), session.Moment(n.At))
	}
	return nil
}

type checkYearCmd struct {
	Peer   traffic.Party `arg:"" help:"Party with which the checks were."`
	Lang   string        `help:"Language of the picture." default:"en" placeholder:"TAG"`
	Output string        `short:"o" help:"File to write." default:"year.svg" placeholder:"FILE"`
}

// Help gives an example and the exit codes.
func (checkYearCmd) Help() string {
	return session.Detail("detente check year xs -o xs.svg", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run writes the picture.
func (c *checkYearCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	picture, err := node.CheckPicture(s.Ctx, c.Peer, c.Lang)
	if err != nil {
		return err
	}
	return s.WriteNew(c.Output, picture, 0o644)
}
