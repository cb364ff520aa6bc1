package standing

import (
	"fmt"

	"detente/api"
	"detente/cli/session"
	"detente/traffic"
)

// TraceCmd tells where a statement was.
type TraceCmd struct {
	ID string `arg:"" help:"Four or more digits of the id, or the number, such as XN/NRRC-O-0003."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (TraceCmd) Help() string {
	return "○ is what a machine has done, ● what a person has done.\n\n" +
		session.Detail("detente trace XN/NRRC-O-0003", session.ExitDone, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run traces the statement.
func (c *TraceCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	list, err := node.Trace(s.Ctx, c.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	for _, x := range list {
		mark := "○"
		switch {
		case x.At.IsZero() && x.Evidence == "":
			mark = "·"
		case x.Human:
			mark = "●"
		}
		s.Printf("%s %-6s %-11s %s", mark, x.Party, x.What, session.Moment(x.At))
		if x.By != "" {
			s.Printf("  by %s", session.Safe(x.By))
		}
		if x.To != "" {
			s.Printf("  to %s", x.To)
		}
		if x.Evidence != "" {
			s.Printf("  (%s)", x.Evidence)
		}
		s.Printf("\n")
	}
	return nil
}

// SearchCmd finds statements by their words.
type SearchCmd struct {
	Words   []string      `arg:"" help:"A statement must hold all of them: in its number, its form's title, its parties or its own words."`
	Channel string        `help:"Only on this channel." placeholder:"CHANNEL"`
	Plane   traffic.Plane `help:"Only on this plane." enum:",real,exercise,test" default:"" placeholder:"PLANE"`
	Lang    string        `help:"Language of the titles." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (SearchCmd) Help() string {
	return session.Detail("detente search relay inquiry", session.ExitDone, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run searches.
func (c *SearchCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	text := ""
	for _, w := range c.Words {
		text += " " + w
	}
	list, err := node.Search(s.Ctx, text, api.Listing{Channel: c.Channel, Plane: c.Plane, Lang: c.Lang})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	rows := [][]string{{"NUMBER", "FORM", "FROM", "TO", "ISSUED", "STANDING"}}
	for _, l := range list {
		rows = append(rows, []string{l.Number, l.Title, l.From, l.To, session.Moment(l.Issued), l.Standing})
	}
	if len(rows) == 1 {
		s.Printf("Nothing holds all of it.\n")
		return nil
	}
	return s.Table(rows...)
}

// GlossaryCmd lists terms.
type GlossaryCmd struct {
	Channel string `arg:"" optional:"" help:"Only of this channel."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (GlossaryCmd) Help() string {
	return session.Detail(`
		detente glossary nrrc
		detente send --channel nrrc --form glossary term=incident language=en definition="…" counterpart=инцидент counterpart_in=ru standing=proposed`,
		session.ExitDone, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run lists the terms of both sides beside each other.
func (c *GlossaryCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	list, err := node.Glossary(s.Ctx, c.Channel)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	if len(list) == 0 {
		s.Printf("No terms. State one with: detente send --form glossary\n")
	}
	for _, t := range list {
		s.Printf("%s  %s (%s)", t.Party, session.Safe(line(t.Term)), session.Safe(line(t.Language)))
		if t.Counterpart != "" {
			s.Printf("  =  %s (%s)", session.Safe(line(t.Counterpart)), session.Safe(line(t.CounterpartIn)))
		}
		s.Printf("  %s\n    %s\n", t.Standing, session.Safe(line(t.Definition)))
	}
	return nil
}

// StatisticsCmd counts what was sent.
type StatisticsCmd struct{ session.JSONFlag }

// Help gives an example and the exit codes.
func (StatisticsCmd) Help() string {
	return "Of every precedence, what each post has sent in the last 30 days, and in all. Precedence is for urgency of delivery, never for importance.\n\n" +
		session.Detail("detente statistics", session.ExitDone, session.ExitUse, session.ExitUnreachable)
}

// Run counts.
func (c *StatisticsCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	list, err := node.Statistics(s.Ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	if len(list) == 0 {
		s.Printf("Nothing was sent yet. Here will stand how much each post has sent, by precedence.\n")
		return nil
	}
	rows := [][]string{{"POST", "FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE", "URGENT"}}
	for _, t := range list {
		row, all, urgent := []string{string(t.Party) + "/" + string(t.Post)}, 0, 0
		for _, p := range traffic.Precedences() {
			row = append(row, count(t.Sent[p], t.Total[p]))
			all += t.Sent[p]
			if p.Rank() >= traffic.Immediate.Rank() {
				urgent += t.Sent[p]
			}
		}
		share := "–"
		if all > 0 {
			share = percent(urgent, all)
		}
		rows = append(rows, append(row, share))
	}
	return s.Table(rows...)
}

// TranslateCmd states a translation.
type TranslateCmd struct {
	ID         string `arg:"" help:"Statement that is translated: four or more digits of the id, or the number."`
	To         string `help:"Language of the translation, BCP 47." required:"" placeholder:"TAG"`
	File       string `help:"Text of it, - for standard input." required:"" placeholder:"FILE"`
	MadeBy     string `help:"person, machine or machine-reviewed: a machine's is labelled as one." enum:"person,machine,machine-reviewed" default:"person" placeholder:"WHO"`
	Translator string `help:"Who translated, as a duty role." placeholder:"ROLE"`
	Reviewer   string `help:"Who reviewed it." placeholder:"ROLE"`
	Certifier  string `help:"Who certified it." placeholder:"ROLE"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (TranslateCmd) Help() string {
	return "The original stays authoritative. The translation is a statement of its own, beneath it.\n\n" +
		session.Detail("detente translate XS/NRRC-O-0003 --to en --file translation.txt --translator translator --reviewer deputy",
			session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// maxTranslation is the most bytes of a translation's text.
const maxTranslation = 48 << 10

// Run states the translation.
func (c *TranslateCmd) Run(s *session.Session) error {
	text, err := s.ReadFile(c.File, maxTranslation)
	if err != nil {
		return err
	}
	words := map[string]string{"language": c.To, "made_by": c.MadeBy, "text": string(text)}
	for name, value := range map[string]string{"translator": c.Translator, "reviewer": c.Reviewer, "certifier": c.Certifier} {
		if value != "" {
			words[name] = value
		}
	}
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	sent, err := node.Reply(s.Ctx, c.ID, api.ReplyRequest{Words: api.Words{Form: "translation", Text: words, Language: c.To, Drafter: c.Translator}})
	return tell(s, sent, c.JSON, err)
}

// CancelCmd cancels an own statement.
type CancelCmd struct {
	ID       string `arg:"" help:"Own statement: four or more digits of the id, or the number."`
	Reason   string `help:"By default that the message was sent in error, in the language of the original." placeholder:"TEXT"`
	Drafter  string `help:"Duty role of the person who cancels." placeholder:"ROLE"`
	Releaser string `help:"Duty role of the second person, where the form demands one." placeholder:"ROLE"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (CancelCmd) Help() string {
	return "The words are prepared, so that what was sent in error is taken back at once.\n\n" +
		session.Detail("detente cancel XN/NRRC-O-0003 --releaser head-of-post", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run cancels the statement.
func (c *CancelCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	st, err := node.Statement(s.Ctx, c.ID, "en")
	if err != nil {
		return err
	}
	if !st.Own {
		return session.Fail(session.ExitRefused, "only its own party can cancel a statement", "%s is not a statement of this party", st.Number)
	}
	reason := c.Reason
	if reason == "" {
		reason = st.Prepared["cancellation"]
	}
	sent, err := node.Reply(s.Ctx, st.ID, api.ReplyRequest{Words: api.Words{
		Form: "cancellation", Text: map[string]string{"reason": reason}, Language: st.Language, Drafter: c.Drafter, Releaser: c.Releaser,
	}})
	return tell(s, sent, c.JSON, err)
}

func count(sent, total int) string { return fmt.Sprintf("%d (%d)", sent, total) }

func percent(part, of int) string { return fmt.Sprintf("%d %%", 100*part/of) }
