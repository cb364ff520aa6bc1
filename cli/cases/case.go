// Package cases is the commands about cases, declared activities, signals and the ledger.
// It must never do what the API cannot, nor say of a case what its statements do not.
package cases

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/cli/session"
	"detente/cli/words"
	"detente/evidence"
	"detente/traffic"
)

// CaseCmd is cases.
type CaseCmd struct {
	List   listCmd   `cmd:"" default:"withargs" help:"The cases: those first in which something is due."`
	Show   showCmd   `cmd:"" help:"A case: what was said, how it stands, who owes what by when."`
	Open   openCmd   `cmd:"" help:"Open a case with a request for clarification, or with another form."`
	Say    sayCmd    `cmd:"" help:"State something in a case: the node finds what it is about."`
	Close  closeCmd  `cmd:"" help:"Propose to close a case, or answer the other side's proposal."`
	Pass   passCmd   `cmd:"" help:"Say to which kinds of bodies something was passed on, and which have confirmed it."`
	Report reportCmd `cmd:"" help:"The report on a case: drafted from what was said, and stated when you say so."`
	Export exportCmd `cmd:"" help:"The case on one channel in one file, that anyone can verify."`
}

// where is on which channel and by whom something is said.
type where struct {
	Channel    string        `help:"Name, or the beginning of the id." required:"" placeholder:"CHANNEL"`
	To         string        `help:"PARTY, PARTY/POST, or * for all members. Default: the other member of two, else all." placeholder:"ADDRESS"`
	Post       traffic.Post  `help:"Post that speaks; needed where several may." placeholder:"POST"`
	Precedence string        `short:"p" help:"FLASH (Z), IMMEDIATE (O), PRIORITY (P) or ROUTINE (R)." default:"ROUTINE"`
	Plane      traffic.Plane `help:"real, exercise or test: kept apart in everything." default:"real" enum:"real,exercise,test"`
	Case       string        `help:"Number of a case that is dealt with on another channel already; a new one by default." placeholder:"NUMBER"`
}

// open opens a case with a form.
func (w *where) open(s *session.Session, form string, say *words.Words) error {
	said, err := say.Request(s, form)
	if err != nil {
		return err
	}
	node, err := s.Client(say.Wait != "")
	if err != nil {
		return err
	}
	return w.openAt(s, node, said, say)
}

// openAt opens it at a node that is open already.
func (w *where) openAt(s *session.Session, node *api.Client, said api.Words, say *words.Words) error {
	sent, err := node.OpenCase(s.Ctx, api.CaseRequest{Case: w.Case, SendRequest: api.SendRequest{
		Channel: w.Channel, To: w.To, Post: w.Post, Plane: w.Plane, Precedence: w.Precedence, Words: said,
	}})
	if err != nil {
		return err
	}
	return say.Tell(s, node, sent)
}

// within is in which case something is said.
type within struct {
	Case       string       `arg:"" help:"Number of the case, such as xn/26-0007, or of a statement of it."`
	Channel    string       `help:"Where the case is dealt with on several." placeholder:"CHANNEL"`
	About      string       `help:"Id or number of the statement that it is about; the node finds it by default." placeholder:"ID"`
	Post       traffic.Post `help:"Post that speaks; needed where several may." placeholder:"POST"`
	Precedence string       `short:"p" help:"That of what it is about by default." placeholder:"WORD"`
}

// say states something in a case.
func (w *within) say(s *session.Session, form string, say *words.Words) error {
	said, err := say.Request(s, form)
	if err != nil {
		return err
	}
	node, err := s.Client(say.Wait != "")
	if err != nil {
		return err
	}
	return w.sayTo(s, node, said, say)
}

// sayTo states it to a node that is open already.
func (w *within) sayTo(s *session.Session, node *api.Client, said api.Words, say *words.Words) error {
	sent, err := node.StateInCase(s.Ctx, w.Case, api.CaseStatement{Channel: w.Channel, About: w.About, Post: w.Post, Precedence: w.Precedence, Words: said})
	if err != nil {
		return err
	}
	return say.Tell(s, node, sent)
}

type listCmd struct {
	All     bool          `help:"Closed ones too."`
	Channel string        `help:"Only of this channel." placeholder:"CHANNEL"`
	Plane   traffic.Plane `help:"real, exercise or test." default:"real" enum:"real,exercise,test"`
	Lang    string        `help:"Language of the words." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (listCmd) Help() string {
	return session.Detail("detente case list --all", session.ExitDone, session.ExitUse, session.ExitUnreachable)
}

// Run lists the cases.
func (c *listCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	list, err := node.Cases(s.Ctx, api.CaseListing{Channel: c.Channel, Plane: c.Plane, Open: !c.All, Lang: c.Lang})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	if len(list) == 0 {
		s.Printf("No open cases. One opens with: detente case open --channel NAME, or when another party opens it; closed ones: detente case list --all\n")
		return nil
	}
	rows := [][]string{{"CASE", "WITH", "CHANNELS", "WHAT", "STANDS", "NEXT", "BY WHOM", "BY WHEN"}}
	for _, k := range list {
		next, by, at := "", "", ""
		if k.Next != nil {
			next, by, at = k.Next.Words, string(k.Next.Party), session.Moment(k.Next.At)
			if k.Next.Overdue {
				at += " overdue"
			}
		}
		rows = append(rows, []string{
			session.Safe(k.Title), strings.Join(k.Peers, ","), session.Safe(strings.Join(k.Channels, ",")), session.Safe(k.What), session.Safe(k.Stands), session.Safe(next), by, at,
		})
	}
	return s.Table(rows...)
}

type showCmd struct {
	Case string `arg:"" help:"Number of the case, of one of its statements, or digits of an id."`
	Lang string `help:"Language of the words." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (showCmd) Help() string {
	return session.Detail("detente case show xn/26-0007 --lang ru", session.ExitDone, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run shows the case.
func (c *showCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	k, err := node.Case(s.Ctx, c.Case, c.Lang)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(k)
	}
	show(s, &k)
	m, err := node.Matches(s.Ctx, c.Case, false)
	if err != nil {
		return err
	}
	for _, x := range m.Matches {
		s.Printf("\nOwn side only: %s concerns own systems\n", session.Safe(x.Number))
		for _, h := range x.Hits {
			s.Printf("  %s  %s  (%s)\n", session.Safe(h.Asset), session.Safe(h.Value), session.Safe(h.Own))
		}
	}
	advisories, err := node.Advisories(s.Ctx, c.Case)
	if err != nil {
		return err
	}
	for _, a := range advisories {
		s.Printf("\nAdvisory that names a vulnerability of this case: %s  %s\n", session.Safe(a.ID), session.Safe(a.Title))
	}
	list, err := node.Mails(s.Ctx, k.Title, false)
	if err != nil {
		return err
	}
	for _, x := range list {
		arrow := "to"
		if x.In {
			arrow = "from"
		}
		s.Printf("\nOwn side only: mail %d %s %s, %s\n  %s\n", x.Number, arrow, session.Safe(x.Address), session.Moment(x.At), session.Safe(x.Subject))
	}
	return nil
}

// show prints a case: how it stands first, then what is owed, then what was said.
func show(s *session.Session, k *api.CaseFile) {
	s.Printf("%s  %s\n  %s\n", session.Safe(k.Title), session.Safe(k.What), session.Safe(k.Stands))
	for _, x := range k.Severity {
		s.Printf("  %s: %s\n", x.Party, session.Safe(x.Words))
	}
	for _, m := range k.Declared {
		s.Printf("  %s: %s (%s)\n", m.Notice.Number, session.Safe(m.Words), session.Safe(strings.Join(m.Hit, ", ")))
	}
	for _, sheet := range k.Sheets {
		s.Printf("\n%s: %s\n", session.Safe(sheet.Channel), session.Safe(sheet.Stands))
		for _, d := range sheet.Owed {
			by, late := string(d.Party), ""
			if d.Overdue {
				late = "  overdue"
			}
			if d.Soft {
				by = "–"
			}
			s.Printf("  %s  %s: %s%s\n", session.Moment(d.At), by, session.Safe(d.Words), late)
		}
		for _, e := range sheet.Entries {
			s.Printf("  %s  %s  %s  %s", session.Moment(e.At), e.Number, e.From, session.Safe(e.What))
			if e.Effect != "" {
				s.Printf("  (%s)", session.Safe(e.Effect))
			}
			s.Printf("\n")
			if e.Text != "" {
				s.Printf("      │ %s\n", session.Safe(strings.Join(strings.Fields(e.Text), " ")))
			}
			for _, r := range e.Remarks {
				s.Printf("      %s\n", session.Safe(r))
			}
		}
		for _, p := range sheet.Passings {
			s.Printf("  %s  %s: %s\n", session.Moment(p.At), p.Party, session.Safe(p.Words))
		}
	}
	var forms []string
	for _, st := range k.Steps {
		if st.Expects && !slices.Contains(forms, st.Form) {
			forms = append(forms, st.Form)
		}
	}
	if len(forms) > 0 {
		s.Printf("\nexpected from here: %s\n  detente case say %s %s …\n", strings.Join(forms, ", "), session.Safe(k.Title), forms[0])
	}
}

type openCmd struct {
	Form string `help:"Form that opens it: clarification, loss-of-control, assistance-request, consultation-request, caution-window, inquiry." default:"clarification" placeholder:"FORM"`
	where
	words.Words
}

// Help gives examples and the exit codes.
func (openCmd) Help() string {
	return "Nothing in it asks for a confession or says whose act something was.\n\n" + session.Detail(`
		detente case open --channel nrrc -p PRIORITY asked=check,stop observed=2026-11-24T22:00:00Z/2026-11-25T04:00:00Z observation="…" sources=203.0.113.0/24 severity=major confidence=moderate --attach report.json
		detente case open --channel cert --case xn/26-0007 asked=check observed=… observation="The technical part."`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run opens the case.
func (c *openCmd) Run(s *session.Session) error { return c.open(s, c.Form, &c.Words) }

type sayCmd struct {
	within
	Form string `arg:"" help:"What kind of statement; detente case show lists what is expected."`
	words.Words
}

// Help gives examples and the exit codes.
func (sayCmd) Help() string {
	return session.Detail(`
		detente case say xn/26-0007 interim status=checking
		detente case say xn/26-0007 reply finding=confirmed-stopped measures="The host was taken off the network." --releaser head-of-post
		detente case say xn/26-0007 activity-match notice=… conclusion=matches criteria=window,sources`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run states it.
func (c *sayCmd) Run(s *session.Session) error { return c.say(s, c.Form, &c.Words) }

type closeCmd struct {
	within
	Outcome string `help:"Propose this: agreed, disagreed (agreed to disagree) or lapsed." enum:",agreed,disagreed,lapsed" default:"" placeholder:"OUTCOME"`
	Accept  bool   `help:"Accept the other side's proposal." xor:"answer"`
	Decline bool   `help:"Decline it." xor:"answer"`
	Review  bool   `help:"Carry the case to the yearly review."`
	words.Words
}

// Help gives examples and the exit codes.
func (closeCmd) Help() string {
	return "A case is closed by both sides: one proposes, the other accepts.\n\n" + session.Detail(`
		detente case close xn/26-0007 --outcome agreed --review
		detente case close xn/26-0007 --accept`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run proposes or answers.
func (c *closeCmd) Run(s *session.Session) error {
	form := "closure"
	switch {
	case c.Accept:
		form = "closure-answer"
		c.Fields = append(c.Fields, "decision=accepted")
	case c.Decline:
		form = "closure-answer"
		c.Fields = append(c.Fields, "decision=declined")
	case c.Outcome == "":
		return session.Fail(session.ExitUse, "detente case close NUMBER --outcome agreed, or --accept", "neither an outcome to propose nor an answer to a proposal")
	default:
		c.Fields = append(c.Fields, "outcome="+c.Outcome)
	}
	if c.Review {
		c.Fields = append(c.Fields, "review=true")
	}
	return c.say(s, form, &c.Words)
}

type passCmd struct {
	within
	To        []string `help:"To whom, by category: superior, foreign-ministry, cert, security-council, military, law-enforcement, sector-authority, operators." placeholder:"CODE,..."`
	Confirmed []string `help:"Who of them has confirmed receipt." placeholder:"CODE,..."`
	words.Words
}

// Help gives examples and the exit codes.
func (passCmd) Help() string {
	return "A warning that nobody within a state hears is no warning. The other side learns categories, never names.\n\n" + session.Detail(`
		detente case pass xn/26-0007 --to cert,operators
		detente case pass xn/26-0007 --confirmed cert`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run states it. Whoever has confirmed it has it.
func (c *passCmd) Run(s *session.Session) error {
	if len(c.To)+len(c.Confirmed) == 0 {
		return session.Fail(session.ExitUse, "detente case pass NUMBER --to cert,operators", "neither to whom it was passed on nor who has confirmed it")
	}
	to := slices.Clone(c.To)
	for _, x := range c.Confirmed {
		if !slices.Contains(to, x) {
			to = append(to, x)
		}
	}
	c.Fields = append(c.Fields, "passed_to="+strings.Join(to, ","), "at="+time.Now().UTC().Format(time.RFC3339))
	if len(c.Confirmed) > 0 {
		c.Fields = append(c.Fields, "confirmed_by="+strings.Join(c.Confirmed, ","))
	}
	return c.say(s, "dissemination", &c.Words)
}

type exportCmd struct {
	Case    string `arg:"" help:"Number of the case, of one of its statements, or digits of an id."`
	Channel string `help:"Of which channel, where the case is dealt with on several." placeholder:"CHANNEL"`
	Output  string `short:"o" help:"Where to; standard output by default." default:"-" placeholder:"FILE"`
	PDF     string `name:"pdf" help:"In place of the file, only the pages that it holds for print, in six languages." placeholder:"FILE"`
}

// Help gives an example and the exit codes.
func (exportCmd) Help() string {
	return "Every statement of it with its proof, the attachments, the text in six languages and the same as a PDF, sealed by this node. detente verify reads it.\n\n" +
		session.Detail(`
		detente case export xn/26-0007 > xn-26-0007.detente-case
		detente case export xn/26-0007 --pdf xn-26-0007.pdf`, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run writes the file.
func (c *exportCmd) Run(s *session.Session) error {
	if c.PDF == "" && c.Output == "-" && session.IsTerminal(s.Out) {
		return session.Fail(session.ExitUse, "detente case export "+c.Case+" > FILE", "a case file is not for a terminal")
	}
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	b, err := node.CaseEvidence(s.Ctx, c.Case, c.Channel)
	if err != nil {
		return err
	}
	if c.PDF == "" {
		return s.WriteNew(c.Output, b, 0o644)
	}
	file, _, _, err := evidence.DecodeCase(b)
	if err != nil {
		return err
	}
	if len(file.Paper) == 0 {
		return session.Fail(session.ExitRefused, "install fonts on the node's machine: docs/operate.md, section Cases, names them", "the node has no fonts to set the case in")
	}
	return s.WriteNew(c.PDF, file.Paper, 0o644)
}

type reportCmd struct {
	within
	State bool `help:"State it; otherwise it is only shown."`
	words.Words
}

// Help gives examples and the exit codes.
func (reportCmd) Help() string {
	return "A report after the model of the agreements on incidents at sea is due within 15 days. What the case says already stands in it; what you give takes its place.\n\n" + session.Detail(`
		detente case report xn/26-0007
		detente case report xn/26-0007 --state proposals="A signal for scans that were announced." --releaser head-of-post`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run shows or states the report.
func (c *reportCmd) Run(s *session.Session) error {
	node, err := s.Client(c.Wait != "")
	if err != nil {
		return err
	}
	draft, err := node.CaseReport(s.Ctx, c.Case)
	if err != nil {
		return err
	}
	given := make(map[string]bool)
	for _, f := range c.Fields {
		name, _, _ := strings.Cut(f, "=")
		given[name] = true
	}
	var names []string
	for name := range draft.Text {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !given[name] {
			c.Fields = append(c.Fields, name+"="+draft.Text[name])
		}
	}
	if c.State {
		said, err := c.Request(s, "incident-report")
		if err != nil {
			return err
		}
		return c.sayTo(s, node, said, &c.Words)
	}
	if c.JSON {
		return s.JSON(draft)
	}
	for _, f := range c.Fields {
		s.Printf("%s\n", session.Safe(f))
	}
	s.Printf("\nNot stated yet: detente case report %s --state\n", session.Safe(c.Case))
	return nil
}

// span writes seconds, "–" where there are none.
func span(seconds int64) string {
	if seconds < 0 {
		return "–"
	}
	d := time.Duration(seconds) * time.Second
	if d >= 48*time.Hour {
		return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
	}
	return d.String()
}
