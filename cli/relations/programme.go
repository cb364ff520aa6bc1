// Package relations is the command about the programme between two parties.
// It must never compute how anything stands: the node does.
package relations

import (
	"fmt"
	"strings"

	"detente/api/programme"
	"detente/cli/session"
	"detente/traffic"
)

// Cmd is the programme board of a relation.
type Cmd struct {
	X        string        `arg:"" optional:"" help:"One party; the relations of the node are listed if it is left out." placeholder:"XN"`
	Y        string        `arg:"" optional:"" help:"The other." placeholder:"XS"`
	On       string        `help:"As of a day, such as 2026-11-23, or a time as RFC 3339: what was stated later is not in it." placeholder:"DATE"`
	Public   bool          `help:"As it may be shown to others: no figures on anybody's conduct but those that all have signed for."`
	Timeline bool          `help:"How the measures stood over the months before, and what changed it."`
	Months   int           `help:"Months of the time line." default:"12"`
	Evidence bool          `help:"Also the statements that each fact rests on."`
	Plane    traffic.Plane `help:"real, exercise or test." default:"real" enum:"real,exercise,test"`
	Lang     string        `help:"Language of the words." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help says what it does, and gives an example and the exit codes.
func (Cmd) Help() string {
	return "Dialogue, channels, the agreement on incidents, guarantees, experts, the pledge: how each stands between two parties, by what both have stated and by nothing else. " +
		"Both see the same.\n\n" + session.Detail("detente programme XN XS --on 2026-11-23", session.ExitDone, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run shows it.
func (c *Cmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	ask := programme.Ask{On: c.On, Plane: c.Plane, Lang: c.Lang, Public: c.Public, Months: c.Months}
	client := programme.Client{Node: node}
	x, y := traffic.Party(strings.ToLower(c.X)), traffic.Party(strings.ToLower(c.Y))
	switch {
	case c.X == "":
		return c.list(s, client, ask)
	case c.Y == "":
		return session.Fail(session.ExitUse, "such as: detente programme XN XS", "a relation is between two parties")
	case c.Timeline:
		t, err := client.Timeline(s.Ctx, x, y, ask)
		if err != nil {
			return err
		}
		if c.JSON {
			return s.JSON(t)
		}
		return c.timeline(s, &t)
	}
	b, err := client.Board(s.Ctx, x, y, ask)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(b)
	}
	return c.board(s, &b)
}

func (c *Cmd) list(s *session.Session, client programme.Client, ask programme.Ask) error {
	all, err := client.Relations(s.Ctx, ask)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(all)
	}
	rows := [][]string{{"PARTIES", "1", "2", "3", "4", "5", "6"}}
	for _, r := range all {
		rows = append(rows, append([]string{fmt.Sprintf("%s %s", r.X, r.Y)}, r.Stands...))
	}
	return s.Table(rows...)
}

func (c *Cmd) board(s *session.Session, b *programme.Board) error {
	s.Printf("%s – %s  %s\n", strings.ToUpper(string(b.X)), strings.ToUpper(string(b.Y)), session.Moment(b.On))
	for _, l := range b.Lines {
		s.Printf("\n%d  %s: %s\n   %s\n", l.Measure, l.Title, l.StandsIn, session.Safe(l.Words))
		for _, f := range l.Facts {
			s.Printf("   %s  %s%s\n", session.Moment(f.At), session.Safe(f.Words), numbers(f.Evidence, c.Evidence))
			if c.Evidence {
				for _, e := range f.Evidence {
					s.Printf("      %s  %s  %s %d\n", e.Number, e.Statement, e.Feed, e.Index)
				}
			}
		}
	}
	return nil
}

// numbers are the first statements behind something.
func numbers(list []programme.Evidence, all bool) string {
	if all || len(list) == 0 {
		return ""
	}
	more := ""
	if n := len(list) - 1; n > 0 {
		more = fmt.Sprintf(" +%d", n)
	}
	name := list[0].Number
	if name == "" {
		name = list[0].Statement[:12]
	}
	return "  [" + name + more + "]"
}

func (c *Cmd) timeline(s *session.Session, t *programme.Timeline) error {
	s.Printf("%s – %s  %s to %s\n", strings.ToUpper(string(t.X)), strings.ToUpper(string(t.Y)), session.Moment(t.From), session.Moment(t.To))
	rows := [][]string{{"DAY", "MEASURE", "FROM", "TO", "WORDS", "BY"}}
	for _, x := range t.Changes {
		rows = append(rows, []string{x.Day.Format("2006-01-02"), fmt.Sprintf("%d %s", x.Measure, x.Title), x.FromIn, x.ToIn, session.Safe(x.Words), strings.TrimSpace(numbers(x.Evidence, false))})
	}
	return s.Table(rows...)
}
