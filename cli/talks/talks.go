// Package talks is the commands about consultations and groups of experts.
// It must never do what the API cannot, nor write anywhere what was said in a session but where it is told to.
package talks

import (
	"fmt"
	"strings"
	"time"

	"detente/api"
	"detente/api/drafting"
	"detente/api/talks"
	"detente/cli/session"
	"detente/cli/words"
	"detente/traffic"
	"detente/wording"
)

// RoundCmd is series of consultations and their rounds.
type RoundCmd struct {
	List       listCmd       `cmd:"" default:"withargs" help:"The series, and how each stands."`
	Show       showCmd       `cmd:"" help:"A series: its rounds, texts, actions."`
	Open       openSeriesCmd `cmd:"" help:"Open a series of consultations."`
	Propose    proposeCmd    `cmd:"" help:"Propose a time and a form for a round."`
	Accept     acceptCmd     `cmd:"" help:"Accept a proposal of another party."`
	Withdraw   withdrawCmd   `cmd:"" help:"Take back an own proposal or acceptance."`
	Refuse     refuseCmd     `cmd:"" help:"Decline a round, with the ground. The series stays due."`
	Held       heldCmd       `cmd:"" help:"State that a round took place."`
	Delegation delegationCmd `cmd:"" help:"State who comes."`
	Agenda     agendaCmd     `cmd:"" help:"The agenda, which both sides build."`
	Minutes    minutesCmd    `cmd:"" help:"The minutes, agreed word by word."`
	Sign       signCmd       `cmd:"" help:"Sign the agreed minutes."`
	Paper      paperCmd      `cmd:"" help:"Put a paper on the table."`
	Action     actionCmd     `cmd:"" help:"Resolve that somebody does something, or say how that stands."`
	Pack       packCmd       `cmd:"" help:"The papers of a review: cases, figures, changes, open actions, the same at both ends."`
	Calendar   calendarCmd   `cmd:"" help:"Rounds and actions for a calendar, or the file that invites to a round."`
	Invite     inviteCmd     `cmd:"" help:"Invite to an agreed round by mail."`
}

// voice is who speaks.
type voice struct {
	Post traffic.Post `help:"Post that speaks; the one that opened it by default." placeholder:"POST"`
}

// spoken is a voice of words that have no fields of a form.
type spoken struct {
	voice
	Drafter  string `help:"Duty role of the person who wrote it." default:"duty-officer" placeholder:"ROLE"`
	Releaser string `help:"Duty role of the second person who releases it, where the form demands one." placeholder:"ROLE"`
	Language string `name:"lang" help:"Language in which it is written; the party's first by default." placeholder:"TAG"`
	session.JSONFlag
}

func (v *spoken) said() drafting.Voice {
	return drafting.Voice{Post: v.Post, Drafter: v.Drafter, Releaser: v.Releaser, Language: v.Language}
}

// tell says what was stated.
func (v *spoken) tell(s *session.Session, list ...api.Sent) error {
	if v.JSON {
		if len(list) == 1 {
			return s.JSON(list[0])
		}
		return s.JSON(list)
	}
	for _, sent := range list {
		s.Printf("%s  %s\n", sent.Number, sent.ID)
	}
	return nil
}

// ask is the client of a command.
func ask(s *session.Session) (talks.Client, error) {
	node, err := s.Client(false)
	return talks.Client{Node: node}, err
}

// state states something with the fields of its form: those that a command has flags for, and those that are given as field=value.
func state(s *session.Session, talk, form, about string, post traffic.Post, say *words.Words, fields ...string) error {
	for i := 0; i+1 < len(fields); i += 2 {
		if fields[i+1] != "" {
			say.Fields = append(say.Fields, fields[i]+"="+fields[i+1])
		}
	}
	said, err := say.Request(s, form)
	if err != nil {
		return err
	}
	node, err := s.Client(say.Wait != "")
	if err != nil {
		return err
	}
	sent, err := talks.Client{Node: node}.State(s.Ctx, talk, talks.Statement{Post: post, About: about, Words: said})
	if err != nil {
		return err
	}
	return say.Tell(s, node, sent)
}

// open opens a series or a group.
func open(s *session.Session, channel, form string, plane traffic.Plane, post traffic.Post, say *words.Words, fields ...string) error {
	for i := 0; i+1 < len(fields); i += 2 {
		if fields[i+1] != "" {
			say.Fields = append(say.Fields, fields[i]+"="+fields[i+1])
		}
	}
	said, err := say.Request(s, form)
	if err != nil {
		return err
	}
	node, err := s.Client(say.Wait != "")
	if err != nil {
		return err
	}
	sent, err := talks.Client{Node: node}.Open(s.Ctx, talks.Opening{Channel: channel, Plane: plane, Post: post, Words: said})
	if err != nil {
		return err
	}
	return say.Tell(s, node, sent)
}

// round writes the number of a round, empty for none.
func round(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// texts reads LANG=TEXT.
func texts(list []string) (map[string]string, error) {
	out := make(map[string]string)
	for _, x := range list {
		lang, text, ok := strings.Cut(x, "=")
		if !ok || lang == "" || text == "" {
			return nil, session.Fail(session.ExitUse, "such as en=\"Points of contact\"", "%q is not of the shape LANG=TEXT", x)
		}
		out[lang] = text
	}
	return out, nil
}

type listCmd struct {
	Channel string        `help:"Only of this channel." placeholder:"CHANNEL"`
	Plane   traffic.Plane `help:"real, exercise or test." default:"real" enum:"real,exercise,test"`
	Lang    string        `help:"Language of the words." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (listCmd) Help() string {
	return session.Detail("detente round list --lang fr", session.ExitDone, session.ExitUse, session.ExitUnreachable)
}

// Run lists the series.
func (c *listCmd) Run(s *session.Session) error {
	node, err := ask(s)
	if err != nil {
		return err
	}
	list, err := node.List(s.Ctx, "series", c.Channel, string(c.Plane), c.Lang)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	if len(list) == 0 {
		s.Printf("No series. One is opened with: detente round open --channel NAME\n")
		return nil
	}
	rows := [][]string{{"SERIES", "NAME", "CHANNEL", "ROUND", "STANDS", "DUE", "HOST", "OPEN", "LATE"}}
	for _, x := range list {
		at := x.Due
		if x.Next != nil {
			at = x.Next.From
		}
		rows = append(rows, []string{x.Number, session.Safe(x.Name), session.Safe(x.Channel), fmt.Sprint(x.Round), x.Words, session.Moment(at), x.Host, fmt.Sprint(x.Open), fmt.Sprint(x.Late)})
	}
	return s.Table(rows...)
}

type showCmd struct {
	Series string `arg:"" help:"Number of the series or of one of its statements, or digits of an id."`
	Lang   string `help:"Language of the words." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (showCmd) Help() string {
	return session.Detail("detente round show XN/COUNCIL-R-0001", session.ExitDone, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run shows the series.
func (c *showCmd) Run(s *session.Session) error {
	node, err := ask(s)
	if err != nil {
		return err
	}
	x, err := node.Show(s.Ctx, c.Series, c.Lang)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(x)
	}
	head(s, &x.Line)
	s.Printf("  %s; every %s; round %d, host %s, due %s: %s\n", x.LevelWords, period(x.Every), x.Round, x.Host, session.Moment(x.Due), x.Words)
	if x.Overdue {
		s.Printf("  next lighter form: %s\n    detente round propose %s --mode %s --window FROM/TO\n", x.LighterIn, x.Number, x.Lighter)
	}
	for _, r := range x.Rounds {
		showRound(s, &r)
	}
	showRest(s, &x, c.Lang)
	return nil
}

// period is a duration in days and hours: half a year is 182 d 12 h, and nobody reads 4380h0m0s.
func period(text string) string {
	d, err := time.ParseDuration(text)
	if err != nil || d < 24*time.Hour || d%time.Hour != 0 {
		return text
	}
	days, hours := d/(24*time.Hour), d%(24*time.Hour)/time.Hour
	if hours == 0 {
		return fmt.Sprintf("%d d", days)
	}
	return fmt.Sprintf("%d d %d h", days, hours)
}

// head prints where something lives, and whether it goes on.
func head(s *session.Session, x *talks.Line) {
	s.Printf("%s  %s\n  %s with %s", x.Number, session.Safe(x.Name), session.Safe(x.Channel), strings.Join(x.Parties, ", "))
	if x.Protected {
		s.Printf("; protected")
	}
	s.Printf("\n")
	if !x.Goes {
		s.Printf("  stopped: %s\n", session.Safe(x.Stopped))
	}
}

func showRound(s *session.Session, r *talks.Round) {
	s.Printf("\nround %d, host %s\n", r.Number, r.Host)
	for _, p := range r.Proposals {
		mark := " "
		if r.Agreed != nil && r.Agreed.ID == p.ID {
			mark = "●"
		}
		s.Printf("  %s %s  %s: %s to %s, %s %s  [%s]\n", mark, p.Number, p.By, session.Moment(p.From), session.Moment(p.To), p.ModeIn, session.Safe(p.Place), join(p.Standing))
	}
	for _, p := range r.Refusals {
		standing := ""
		if !p.InForce {
			standing = " (no longer)"
		}
		s.Printf("    %s declines: %s%s  %s\n", p.By, p.GroundIn, standing, session.Safe(p.Words))
	}
	for _, h := range r.Held {
		s.Printf("    held, by %s: %s to %s\n", h.By, session.Moment(h.From), session.Moment(h.To))
	}
	for _, d := range r.Delegations {
		s.Printf("    delegation of %s: %s %s\n", d.By, session.Safe(d.Head), session.Safe(strings.Join(d.Members, ", ")))
	}
	for _, t := range r.Texts {
		showText(s, &t, "en")
	}
}

func join(list []traffic.Party) string {
	var out []string
	for _, p := range list {
		out = append(out, string(p))
	}
	return strings.Join(out, ", ")
}

// showText prints an agenda or minutes: what is not agreed yet is marked.
func showText(s *session.Session, t *talks.Text, lang string) {
	stands := "open"
	if t.Agreed {
		stands = "agreed, SHA-256 " + t.Digest
	}
	s.Printf("    %s %s: %s\n", t.What, t.Number, stands)
	for i, x := range t.Items {
		mark := ""
		if !x.Agreed {
			mark = "  (not agreed)"
		}
		s.Printf("      %d. %s%s\n", i+1, session.Safe(wording.In(x.Texts, lang)), mark)
	}
	if len(t.Signed) > 0 {
		s.Printf("      signed by %s\n", join(t.Signed))
	}
}

// showRest prints actions, papers, and what had no effect.
func showRest(s *session.Session, x *talks.File, lang string) {
	if len(x.Actions) > 0 {
		s.Printf("\nactions\n")
	}
	for _, a := range x.Actions {
		late := ""
		if a.Late {
			late = "  overdue"
		}
		s.Printf("  %s  %s  %s, due %s: %s%s\n", a.Number, a.State, a.Owner, session.Moment(a.Due), session.Safe(wording.In(a.Texts, lang)), late)
	}
	for _, p := range x.Papers {
		s.Printf("  paper of %s, %s: %s %s\n", p.By, p.Kind, session.Safe(wording.In(p.Title, lang)), session.Safe(p.File))
	}
	for _, e := range x.Entries {
		if e.Why != "" {
			s.Printf("  without effect: %s %s, %s\n", e.Number, e.What, e.WhyWords)
		}
	}
}
