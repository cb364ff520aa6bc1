package talks

import (
	"strings"
	"time"

	"detente/api"
	"detente/api/talks"
	"detente/cli/session"
	"detente/cli/words"
	"detente/traffic"
)

// ends are the exit codes of commands that state something.
func ends() []int {
	return []int{session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson}
}

// onSeries names a series and one of its rounds.
type onSeries struct {
	Series string `arg:"" help:"Number of the series or of one of its statements, or digits of an id."`
	Round  int    `help:"Number of the round; the one that is meant by how the series stands by default." placeholder:"N"`
	voice
}

type openSeriesCmd struct {
	Channel   string        `help:"Name, or the beginning of the id; its regime is dialogue/1." required:"" placeholder:"CHANNEL"`
	Plane     traffic.Plane `help:"real, exercise or test." default:"real" enum:"real,exercise,test"`
	Level     string        `help:"high-level, risk-reduction, response-teams, review, experts or other." default:"high-level" placeholder:"CODE"`
	Every     time.Duration `help:"How often a round is due, such as 4380h for half a year." required:""`
	Hosts     string        `help:"Who receives, in turn, with commas between." required:"" placeholder:"ADDRESS,..."`
	Languages string        `help:"Languages of its texts." default:"en" placeholder:"TAGS"`
	voice
	words.Words
}

// Help gives an example and the exit codes.
func (openSeriesCmd) Help() string {
	return session.Detail(`detente round open --channel council --every 4380h --hosts xn,xs --languages "en ru" name.en="Consultations on ICT security" name.ru="…"`, ends()...)
}

// Run opens the series.
func (c *openSeriesCmd) Run(s *session.Session) error {
	return open(s, c.Channel, "series", c.Plane, c.Post, &c.Words, "level", c.Level, "every", c.Every.String(), "hosts", c.Hosts, "languages", c.Languages)
}

type proposeCmd struct {
	onSeries
	Mode   string `help:"in-person, third-venue, virtual or correspondence." required:"" placeholder:"CODE"`
	Window string `help:"FROM/TO." required:"" placeholder:"PERIOD"`
	Host   string `help:"Who receives; whose turn it is by default." placeholder:"ADDRESS"`
	Place  string `help:"Where." placeholder:"TEXT"`
	words.Words
}

// Help gives an example and the exit codes.
func (proposeCmd) Help() string {
	return "Several proposals may stand; a round is agreed while all stand on one. Proposing does not withdraw what was proposed before.\n\n" +
		session.Detail("detente round propose XN/COUNCIL-R-0001 --mode virtual --window 2027-02-01T09:00:00Z/2027-02-01T16:00:00Z", ends()...)
}

// Run proposes.
func (c *proposeCmd) Run(s *session.Session) error {
	return state(s, c.Series, "round-proposal", "", c.Post, &c.Words, "number", round(c.Round), "mode", c.Mode, "window", c.Window, "host", c.Host, "place", c.Place)
}

type acceptCmd struct {
	Series   string `arg:"" help:"Number of the series or of one of its statements, or digits of an id."`
	Proposal string `help:"Which: its number or digits of its id; the only one that waits by default." placeholder:"ID"`
	voice
	words.Words
}

// Help gives an example and the exit codes.
func (acceptCmd) Help() string {
	return session.Detail("detente round accept XN/COUNCIL-R-0001 --proposal XN/COUNCIL-R-0004", ends()...)
}

// Run accepts.
func (c *acceptCmd) Run(s *session.Session) error {
	return state(s, c.Series, "round-acceptance", c.Proposal, c.Post, &c.Words)
}

type withdrawCmd struct {
	Series string `arg:"" help:"Number of the series or of one of its statements, or digits of an id."`
	About  string `help:"Own proposal or acceptance: its number or digits of its id; the only one in force by default." placeholder:"ID"`
	voice
	words.Words
}

// Help gives an example and the exit codes.
func (withdrawCmd) Help() string {
	return session.Detail("detente round withdraw XN/COUNCIL-R-0001", ends()...)
}

// Run withdraws.
func (c *withdrawCmd) Run(s *session.Session) error {
	return state(s, c.Series, "round-withdrawal", c.About, c.Post, &c.Words)
}

type refuseCmd struct {
	onSeries
	Ground  string `help:"timing, agenda, composition, venue, political, technical or other." required:"" placeholder:"CODE"`
	Instead string `help:"What is offered: virtual, correspondence, later or none." placeholder:"CODE"`
	words.Words
}

// Help gives an example and the exit codes.
func (refuseCmd) Help() string {
	return "A refusal is recorded with its ground. It ends nothing: the series stays due, at both ends.\n\n" +
		session.Detail("detente round refuse XN/COUNCIL-R-0001 --ground timing --instead virtual", ends()...)
}

// Run declines.
func (c *refuseCmd) Run(s *session.Session) error {
	return state(s, c.Series, "round-refusal", "", c.Post, &c.Words, "number", round(c.Round), "ground", c.Ground, "instead", c.Instead)
}

type heldCmd struct {
	onSeries
	Window string `help:"FROM/TO; as agreed by default." placeholder:"PERIOD"`
	Mode   string `help:"in-person, third-venue, virtual or correspondence; as agreed by default." placeholder:"CODE"`
	Place  string `help:"Where; as agreed by default." placeholder:"TEXT"`
	words.Words
}

// Help gives an example and the exit codes.
func (heldCmd) Help() string {
	return session.Detail("detente round held XN/COUNCIL-R-0001", ends()...)
}

// Run states it.
func (c *heldCmd) Run(s *session.Session) error {
	return state(s, c.Series, "round-held", "", c.Post, &c.Words, "number", round(c.Round), "window", c.Window, "mode", c.Mode, "place", c.Place)
}

type delegationCmd struct {
	onSeries
	Head   string   `help:"Office of the head of delegation." required:"" placeholder:"OFFICE"`
	Member []string `help:"Office of a member. Repeat for others." sep:"none" placeholder:"OFFICE"`
	words.Words
}

// Help gives an example and the exit codes.
func (delegationCmd) Help() string {
	return session.Detail(`detente round delegation XN/COUNCIL-R-0001 --head "Deputy minister" --member "Director of the response team"`, ends()...)
}

// Run states it.
func (c *delegationCmd) Run(s *session.Session) error {
	return state(s, c.Series, "delegation", "", c.Post, &c.Words, "number", round(c.Round), "head", c.Head, "members", strings.Join(c.Member, "\n"))
}

// texting is what is done with a text.
type texting struct {
	Add   []string `help:"Table an item, LANG=TEXT. Repeat for its other languages." sep:"none" placeholder:"LANG=TEXT"`
	Agree bool     `help:"Stand on all that the other side has tabled, and join the own items to it."`
	spoken
}

// do opens the text where it is missing, tables and agrees; with neither it shows the text.
func (c *texting) do(s *session.Session, talk string, on talks.OnText) error {
	node, err := ask(s)
	if err != nil {
		return err
	}
	on.Voice = c.said()
	if len(c.Add) == 0 && !c.Agree {
		x, err := node.Text(s.Ctx, talk, on)
		if err != nil {
			return err
		}
		if c.JSON {
			return s.JSON(x)
		}
		showText(s, &x, c.Language)
		return nil
	}
	said := []api.Sent{}
	if len(c.Add) > 0 {
		item, err := texts(c.Add)
		if err != nil {
			return err
		}
		if _, err := node.Text(s.Ctx, talk, on); err != nil && on.Negotiation == "" {
			sent, err := node.NewText(s.Ctx, talk, talks.NewText{OnText: on})
			if err != nil {
				return err
			}
			said = append(said, sent)
			if on.What == "report" {
				on.Negotiation = sent.ID
			}
		}
		sent, err := node.AddItem(s.Ctx, talk, talks.NewItem{OnText: on, Texts: item})
		if err != nil {
			return err
		}
		said = append(said, sent...)
	}
	if c.Agree {
		sent, err := node.Agree(s.Ctx, talk, on)
		if err != nil {
			return err
		}
		said = append(said, sent...)
	}
	if c.JSON {
		return s.JSON(said)
	}
	return c.tell(s, said...)
}

type agendaCmd struct {
	Series string `arg:"" help:"Number of the series or of one of its statements, or digits of an id."`
	Round  int    `help:"Number of the round; the one to come by default." placeholder:"N"`
	texting
}

// Help gives examples and the exit codes.
func (agendaCmd) Help() string {
	return "Each side adds items without waiting for the other. It is agreed when all stand on every item and on their order.\n\n" + session.Detail(`
		detente round agenda XN/COUNCIL-R-0001 --add en="Points of contact" --add ru="Пункты связи"
		detente round agenda XN/COUNCIL-R-0001 --agree`, ends()...)
}

// Run builds or shows the agenda.
func (c *agendaCmd) Run(s *session.Session) error {
	return c.do(s, c.Series, talks.OnText{Round: c.Round, What: "agenda"})
}

type minutesCmd struct {
	Series string `arg:"" help:"Number of the series or of one of its statements, or digits of an id."`
	Round  int    `help:"Number of the round; the one that was held last by default." placeholder:"N"`
	texting
}

// Help gives examples and the exit codes.
func (minutesCmd) Help() string {
	return session.Detail(`
		detente round minutes XN/COUNCIL-R-0001 --add en="Both sides compared their lists." --add ru="…"
		detente round minutes XN/COUNCIL-R-0001 --agree`, ends()...)
}

// Run builds or shows the minutes.
func (c *minutesCmd) Run(s *session.Session) error {
	return c.do(s, c.Series, talks.OnText{Round: c.Round, What: "minutes"})
}

type signCmd struct {
	Series string `arg:"" help:"Number of the series or of one of its statements, or digits of an id."`
	Round  int    `help:"Number of the round; the one that was held last by default." placeholder:"N"`
	Powers string `help:"Full powers of whoever signs: number or digits of the id." placeholder:"ID"`
	spoken
}

// Help gives an example and the exit codes.
func (signCmd) Help() string {
	return "What is signed is the digest of the clean text, in all its languages. It is refused while something is open.\n\n" +
		session.Detail("detente round sign XN/COUNCIL-R-0001 --releaser head-of-post", ends()...)
}

// Run signs.
func (c *signCmd) Run(s *session.Session) error {
	node, err := ask(s)
	if err != nil {
		return err
	}
	sent, err := node.Sign(s.Ctx, c.Series, talks.Signature{Voice: c.said(), Round: c.Round, Powers: c.Powers})
	if err != nil {
		return err
	}
	return c.tell(s, sent)
}

type paperCmd struct {
	Talk string `arg:"" name:"series" help:"Number of the series or group or of one of its statements, or digits of an id."`
	Kind string `help:"position, non-paper, chair or technical." default:"position" placeholder:"CODE"`
	voice
	words.Words
}

// Help gives an example and the exit codes.
func (paperCmd) Help() string {
	return session.Detail(`detente round paper XN/COUNCIL-R-0001 title.en="On thresholds" number=3 --attach thresholds.pdf`, ends()...)
}

// Run states it.
func (c *paperCmd) Run(s *session.Session) error {
	return state(s, c.Talk, "paper", "", c.Post, &c.Words, "kind", c.Kind)
}

type actionCmd struct {
	onSeries
	Owner  string `help:"PARTY or PARTY/POST that is to do it." placeholder:"ADDRESS"`
	Due    string `help:"By when; with --state, the new day." placeholder:"TIME"`
	State  string `help:"In place of a new one, how one stands: open, done, dropped or transferred." enum:",open,done,dropped,transferred" default:"" placeholder:"CODE"`
	Action string `help:"Which: its number or digits of its id; the only open one by default." placeholder:"ID"`
	words.Words
}

// Help gives examples and the exit codes.
func (actionCmd) Help() string {
	return "It is carried over from round to round until its owner has done it, or both sides drop it.\n\n" + session.Detail(`
		detente round action XN/COUNCIL-R-0001 --owner xs/cert --due 2027-06-01T00:00:00Z words.en="Exchange the list of sectors." words.ru="…"
		detente round action XN/COUNCIL-R-0001 --state done`, ends()...)
}

// Run resolves it, or says how it stands.
func (c *actionCmd) Run(s *session.Session) error {
	switch {
	case c.State != "":
		return state(s, c.Series, "action-status", c.Action, c.Post, &c.Words, "state", c.State, "due", c.Due)
	case c.Owner == "" || c.Due == "":
		return session.Fail(session.ExitUse, "detente round action SERIES --owner ADDRESS --due TIME words.en=…", "neither a new action with owner and day, nor the state of one")
	}
	return state(s, c.Series, "action", "", c.Post, &c.Words, "number", round(c.Round), "owner", c.Owner, "due", c.Due)
}

type calendarCmd struct {
	Series    string   `arg:"" optional:"" help:"Of a round that is agreed, the file that invites to it; without it, all rounds and actions."`
	Round     int      `help:"Number of the round to invite to." default:"1" placeholder:"N"`
	Organizer string   `help:"Mail address of whoever invites." placeholder:"ADDRESS"`
	Attendee  []string `help:"Mail address. Repeat for others." placeholder:"ADDRESS"`
	Channel   string   `help:"Only of this channel." placeholder:"CHANNEL"`
	Lang      string   `help:"Language of the texts." default:"en" placeholder:"TAG"`
	Output    string   `short:"o" help:"Where to; standard output by default." default:"-" placeholder:"FILE"`
}

// Help gives examples and the exit codes.
func (calendarCmd) Help() string {
	return "iCalendar, RFC 5545. An invitation is a file for a mail program to send. Of sessions nothing stands there.\n\n" + session.Detail(`
		detente round calendar -o rounds.ics
		detente round calendar XN/COUNCIL-R-0001 --round 3 --organizer protocol@mfa.xn.example --attendee talks@mfa.xs.example -o round-3.ics`,
		session.ExitDone, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run writes the file.
func (c *calendarCmd) Run(s *session.Session) error {
	node, err := ask(s)
	if err != nil {
		return err
	}
	var b []byte
	if c.Series == "" {
		b, err = node.Calendar(s.Ctx, c.Channel, "", c.Lang)
	} else {
		b, err = node.Invitation(s.Ctx, c.Series, c.Round, c.Organizer, strings.Join(c.Attendee, ","), c.Lang)
	}
	if err != nil {
		return err
	}
	return s.WriteNew(c.Output, b, 0o644)
}

type inviteCmd struct {
	Series    string   `arg:"" help:"The series, by digits of its id or the number of one of its statements." placeholder:"SERIES"`
	To        []string `arg:"" help:"Mail addresses of those who are invited." placeholder:"ADDRESS"`
	Round     int      `help:"Number of the round." default:"1" placeholder:"N"`
	Organizer string   `help:"Mail address that answers go to; that of the node by default." placeholder:"ADDRESS"`
	Lang      string   `help:"Language of the letter." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives examples and the exit codes.
func (inviteCmd) Help() string {
	return "It goes by the mail server of the node, [call.mail] in config.toml, with the round as an event that calendars understand. A letter that the server took is no receipt.\n\n" + session.Detail(`
		detente round invite XN/COUNCIL-R-0001 head@mfa.xn.example talks@mfa.xs.example --round 3 --organizer protocol@mfa.xn.example`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run sends the letters.
func (c *inviteCmd) Run(s *session.Session) error {
	node, err := ask(s)
	if err != nil {
		return err
	}
	done, err := node.Invite(s.Ctx, c.Series, c.Round, c.Lang, talks.Invite{To: c.To, Organizer: c.Organizer})
	if err != nil {
		return err
	}
	missing := 0
	for _, d := range done {
		if !d.Sent {
			missing++
		}
	}
	if c.JSON {
		if err := s.JSON(done); err != nil {
			return err
		}
	} else {
		for _, d := range done {
			stands := "taken by the mail server"
			if !d.Sent {
				stands = "NOT SENT: " + d.Why
			}
			s.Printf("%s  %s\n", d.Address, stands)
		}
	}
	if missing > 0 {
		return session.Fail(session.ExitRefused, "invite those again, or send them the file of: detente round calendar "+c.Series, "%d of %d letters were not sent", missing, len(done))
	}
	return nil
}
