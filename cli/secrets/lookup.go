// Package secrets is the commands that ask without telling, and show a part without the whole: blinded questions, and parts withheld.
// It must never print what the other side was shown or asked, nor overwrite a file of disclosures, which nothing could make again.
package secrets

import (
	"fmt"
	"strings"
	"time"

	"detente/api"
	"detente/cli/session"
	"detente/traffic"
)

// LookupCmd is blinded questions.
type LookupCmd struct {
	Status  lookupStatusCmd  `cmd:"" default:"withargs" help:"The lists in force, and what came of the own questions."`
	Ask     lookupAskCmd     `cmd:"" help:"Ask whether a party knows indicators, without telling which."`
	Publish lookupPublishCmd `cmd:"" help:"Publish a list that the other members may ask about, and cannot read."`
}

type lookupStatusCmd struct {
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (lookupStatusCmd) Help() string {
	return session.Detail("detente lookup status", session.ExitDone, session.ExitUse, session.ExitUnreachable)
}

// Run shows how lists and questions stand.
func (c *lookupStatusCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	all, err := node.Lookups(s.Ctx)
	switch {
	case err != nil:
		return err
	case c.JSON:
		return s.JSON(all)
	case len(all.Lists) == 0:
		s.Printf("No list is in force. Publish one with: detente lookup publish FILE --channel NAME\n")
	}
	for _, l := range all.Lists {
		s.Printf("%s  list %d of %s, up to %d indicators (%s), until %s\n", l.ID[:12], l.Epoch, l.Owner, l.Entries, strings.Join(l.Kinds, ", "), session.Moment(l.Until))
		if l.About != "" {
			s.Printf("  %s\n", session.Safe(l.About))
		}
		if !l.Own {
			s.Printf("  %d of %d may still be asked about now, at most %d a day\n", l.Left, l.Total, l.PerDay)
		}
		for _, a := range l.Asked {
			s.Printf("  %s has asked about %d, of %d; %d questions were refused\n", a.Party, a.Total, l.Total, a.Refused)
		}
		for _, id := range l.Broken {
			s.Printf("  %s was refused although the list allows it\n", id[:12])
		}
	}
	for i := range all.Results {
		show(s, &all.Results[i])
	}
	return nil
}

// show prints what came of a question. A result is of the list as it was published: not known is not harmless.
func show(s *session.Session, r *api.LookupResult) {
	s.Printf("%s  asked of %s: %s", session.Moment(r.Asked), r.List[:12], r.State)
	if r.Reason != "" {
		s.Printf(" (%s)", r.Reason)
	}
	s.Printf("\n")
	for _, f := range r.Indicators {
		mark := "?"
		if r.State == "answered" {
			mark = map[bool]string{true: "known", false: "not in the list"}[f.Known]
		}
		s.Printf("  %-15s  %s  %s\n", mark, f.Kind, defang(f.Value))
	}
}

// defang keeps a terminal or a mail program from making a link of what is better not followed.
func defang(v string) string {
	return session.Safe(strings.NewReplacer(".", "[.]", "http", "hxxp", "@", "[@]").Replace(v))
}

type lookupAskCmd struct {
	Values []string      `arg:"" help:"Indicators: addresses, networks, names, URLs, hashes, mail addresses; defanged or not." placeholder:"VALUE"`
	Party  traffic.Party `help:"Whose list, where it has one." placeholder:"PARTY"`
	List   string        `help:"Which list: the beginning of its id." placeholder:"ID"`
	Post   traffic.Post  `help:"Post that asks; needed where several may." placeholder:"POST"`
	Wait   time.Duration `help:"Wait for the answer, for at most so long." default:"0s" placeholder:"DURATION"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (lookupAskCmd) Help() string {
	return "What is asked stays on this node: the other side sees that a question was put, and about how many indicators. docs/asking.md says what else it learns.\n\n" +
		session.Detail("detente lookup ask --party xs evil[.]example 192.0.2.7 --wait 30s", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run asks.
func (c *lookupAskCmd) Run(s *session.Session) error {
	node, err := s.Client(c.Wait > 0)
	if err != nil {
		return err
	}
	sent, err := node.AskList(s.Ctx, api.LookupRequest{List: c.List, Party: string(c.Party), Post: c.Post, Indicators: c.Values})
	if err != nil {
		return err
	}
	for began := time.Now(); c.Wait > 0; {
		all, err := node.Lookups(s.Ctx)
		if err != nil {
			return err
		}
		if len(all.Results) > 0 && all.Results[0].State != "waiting" {
			if c.JSON {
				return s.JSON(all.Results[0])
			}
			show(s, &all.Results[0])
			return nil
		}
		if time.Since(began) > c.Wait {
			break
		}
		select {
		case <-s.Ctx.Done():
			return s.Ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	if c.JSON {
		return s.JSON(sent)
	}
	s.Printf("%s  %s\n  the answer will stand in: detente lookup status\n", sent.Number, sent.ID)
	return nil
}

type lookupPublishCmd struct {
	File    string        `arg:"" help:"Indicators, one a line, # for remarks; - for standard input." placeholder:"FILE"`
	Channel string        `help:"Name, or the beginning of the id." required:"" placeholder:"CHANNEL"`
	Post    traffic.Post  `help:"Post that speaks; needed where several may." placeholder:"POST"`
	Plane   traffic.Plane `help:"real, exercise or test." default:"real" enum:"real,exercise,test"`
	Days    int           `help:"How long it may be asked." default:"30" placeholder:"N"`
	PerDay  int64         `help:"Indicators that each party may ask about in a day, as was agreed." default:"100" placeholder:"N"`
	Total   int64         `help:"And in all." default:"1000" placeholder:"N"`
	About   string        `help:"What it is, for those who may ask." placeholder:"TEXT"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (lookupPublishCmd) Help() string {
	return "It takes the place of the last list on that channel, and destroys that list's key. Whose questions are answered stands in config.toml, [lookup] answer.\n\n" +
		session.Detail("detente lookup publish indicators.txt --channel cert --per-day 100 --total 1000", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

const maxListFile = 64 << 20

// Run publishes.
func (c *lookupPublishCmd) Run(s *session.Session) error {
	b, err := s.ReadFile(c.File, maxListFile)
	if err != nil {
		return err
	}
	lines := []string{}
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(line, "# ")
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	sent, err := node.PublishList(s.Ctx, api.LookupListRequest{
		Channel: c.Channel, Plane: c.Plane, Post: c.Post, Indicators: lines, Days: c.Days, PerDay: c.PerDay, Total: c.Total, About: c.About,
	})
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", c.File, err)
	case c.JSON:
		return s.JSON(sent)
	}
	s.Printf("%s  %s\n  durable here, and on its way\n", sent.Number, sent.ID)
	return nil
}
