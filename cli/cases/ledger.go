package cases

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/cli/session"
	"detente/cli/words"
	"detente/traffic"
)

// LedgerCmd is the ledger of a channel, and the consent of its members to publish figures from it.
type LedgerCmd struct {
	Show    ledgerShowCmd    `cmd:"" default:"withargs" help:"What was asked and answered in a period."`
	Publish ledgerPublishCmd `cmd:"" help:"Propose to publish the figures of a period that is over."`
	Consent ledgerConsentCmd `cmd:"" help:"Sign for the figures that another member proposes to publish, or decline."`
}

// account is which account of which channel.
type account struct {
	Channel string        `arg:"" help:"Name, or the beginning of the id."`
	Period  string        `help:"month, quarter or year." enum:"month,quarter,year" default:"year"`
	Of      time.Time     `help:"A day in the period; today by default." format:"2006-01-02" placeholder:"DAY"`
	Plane   traffic.Plane `help:"real, exercise or test." default:"real" enum:"real,exercise,test"`
}

func (a *account) query(lang string) api.LedgerQuery {
	return api.LedgerQuery{Channel: a.Channel, Plane: a.Plane, Period: a.Period, Of: a.Of, Lang: lang}
}

type ledgerShowCmd struct {
	account
	Requests bool   `help:"Each request too, and what came of it."`
	Lang     string `help:"Language of the words." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives examples and the exit codes.
func (ledgerShowCmd) Help() string {
	return "Both sides that hold the same statements draw the same, to the byte: compare the digest. Figures are published when every member has signed for them: detente ledger publish, detente ledger consent.\n\n" + session.Detail(`
		detente ledger nrrc
		detente ledger nrrc --period month --of 2026-11-01 --requests`, session.ExitDone, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run shows the ledger.
func (c *ledgerShowCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	l, err := node.Ledger(s.Ctx, c.query(c.Lang))
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(l)
	}
	s.Printf("%s, %s to %s, as of %s\n", session.Safe(l.Channel), session.Moment(l.From), session.Moment(l.Until), session.Moment(l.Closed))
	if len(l.Figures) == 0 {
		s.Printf("Nothing was asked in this period.\n")
	}
	rows := [][]string{{"FROM", "TO", "WHAT", "PRECEDENCE", "ASKED", "ACK", "IN TIME", "LATE", "NONE", "PENDING", "WITHDRAWN", "ANSWERED IN (HALF)", "(9 OF 10)"}}
	for _, f := range l.Figures {
		rows = append(rows, []string{
			string(f.From), f.To, session.Safe(f.What), f.Precedence, fmt.Sprint(f.Requests), fmt.Sprint(f.Acknowledged), fmt.Sprint(f.InTime), fmt.Sprint(f.Late),
			fmt.Sprint(f.Unanswered), fmt.Sprint(f.Pending), fmt.Sprint(f.Withdrawn), span(f.AnsweredMedian), span(f.AnsweredP90),
		})
	}
	if len(rows) > 1 {
		if err := s.Table(rows...); err != nil {
			return err
		}
	}
	if c.Requests {
		for _, r := range l.Requests {
			s.Printf("%s  %s → %s  %s  %s\n", session.Moment(r.Issued), r.From, r.To, session.Safe(r.What), session.Safe(r.Words))
		}
	}
	for _, p := range l.Publications {
		word := "not agreed"
		if p.Agreed {
			word = "agreed by all members"
		}
		var names []string
		for _, x := range p.For {
			names = append(names, string(x))
		}
		s.Printf("publication %s of %s, %s to %s: %s; signed by %s\n", p.ID[:8], p.Digest[:16], session.Moment(p.From), session.Moment(p.Until), word, strings.Join(names, ", "))
	}
	s.Printf("digest %s\n", l.Digest)
	return nil
}

type ledgerPublishCmd struct {
	account
	Post traffic.Post `help:"Post that speaks; needed where several may." placeholder:"POST"`
	words.Words
}

// Help gives an example and the exit codes.
func (ledgerPublishCmd) Help() string {
	return "The digest of the account is put in here. Nothing is published by it: the figures are anybody's to publish when every member has consented to the same ones.\n\n" +
		session.Detail("detente ledger publish nrrc --period quarter --of 2026-08-01 --releaser head-of-post text=\"For the annual review.\"",
			session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run proposes it.
func (c *ledgerPublishCmd) Run(s *session.Session) error {
	node, err := s.Client(c.Wait != "")
	if err != nil {
		return err
	}
	l, err := node.Ledger(s.Ctx, c.query("en"))
	if err != nil {
		return err
	}
	if time.Now().Before(l.Until) {
		return session.Fail(session.ExitRefused, "choose a period that is over with --of", "the figures up to %s may still change", session.Moment(l.Until))
	}
	c.Fields = append(c.Fields, "period="+l.From.Format(time.RFC3339)+"/"+l.Until.Format(time.RFC3339), "figures="+l.Digest)
	said, err := c.Request(s, "publication")
	if err != nil {
		return err
	}
	sent, err := node.Send(s.Ctx, api.SendRequest{Channel: c.Channel, Post: c.Post, Plane: c.Plane, Precedence: "R", Words: said})
	if err != nil {
		return err
	}
	return c.Tell(s, node, sent)
}

type ledgerConsentCmd struct {
	account
	ID      string       `arg:"" help:"Of the proposal, as detente ledger shows it."`
	Decline bool         `help:"Decline it."`
	Post    traffic.Post `help:"Post that speaks; the one that was addressed by default." placeholder:"POST"`
	words.Words
}

// Help gives examples and the exit codes.
func (ledgerConsentCmd) Help() string {
	return "It is signed only if the account that is drawn here has the digest that was proposed.\n\n" + session.Detail(`
		detente ledger consent nrrc 8f3a2c11 --period quarter --of 2026-08-01 --releaser head-of-post
		detente ledger consent nrrc 8f3a2c11 --decline --releaser head-of-post text="Not before the consultation."`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run answers the proposal.
func (c *ledgerConsentCmd) Run(s *session.Session) error {
	node, err := s.Client(c.Wait != "")
	if err != nil {
		return err
	}
	l, err := node.Ledger(s.Ctx, c.query("en"))
	if err != nil {
		return err
	}
	i := slices.IndexFunc(l.Publications, func(p api.LedgerPublication) bool { return strings.HasPrefix(p.ID, c.ID) })
	if i < 0 {
		return session.Fail(session.ExitNotFound, "detente ledger "+c.Channel+" lists what is proposed", "there is no proposal %s", session.Safe(c.ID))
	}
	switch p := l.Publications[i]; {
	case c.Decline:
		c.Fields = append(c.Fields, "decision=declined")
	case !p.From.Equal(l.From) || !p.Until.Equal(l.Until):
		return session.Fail(session.ExitUse, "name its period with --period and --of", "the proposal is for %s to %s", session.Moment(p.From), session.Moment(p.Until))
	case p.Digest != l.Digest:
		return session.Fail(session.ExitRefused, "compare with detente ledger "+c.Channel+" --requests on both sides", "the figures that were proposed (%s) are not those that are drawn here (%s)", p.Digest, l.Digest)
	default:
		c.Fields = append(c.Fields, "decision=consented", "figures="+p.Digest)
	}
	said, err := c.Request(s, "publication-answer")
	if err != nil {
		return err
	}
	sent, err := node.Reply(s.Ctx, l.Publications[i].ID, api.ReplyRequest{Post: c.Post, Precedence: "R", Words: said})
	if err != nil {
		return err
	}
	return c.Tell(s, node, sent)
}
