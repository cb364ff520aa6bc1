package talks

import (
	"strings"
	"time"

	"detente/api/talks"
	"detente/cli/session"
	"detente/cli/words"
	"detente/secretariat"
	"detente/traffic"
	"detente/wording"
)

// GroupCmd is groups of experts.
type GroupCmd struct {
	List       groupsCmd    `cmd:"" default:"withargs" help:"The groups."`
	Show       groupCmd     `cmd:"" help:"A group: members, thread, reports, sessions."`
	Open       openGroupCmd `cmd:"" help:"Open a group, on a protected channel."`
	Join       joinCmd      `cmd:"" help:"State that a post joins."`
	Leave      leaveCmd     `cmd:"" help:"State that a post leaves."`
	Rapporteur handCmd      `cmd:"" help:"State who is rapporteur from now on."`
	Post       postCmd      `cmd:"" help:"Contribute, signed, for all to keep."`
	Report     reportCmd    `cmd:"" help:"A report, agreed word by word."`
	Adopt      adoptCmd     `cmd:"" help:"Join the consensus on a report, or dissent."`
	Session    sessionCmd   `cmd:"" help:"Open a session under the Chatham House rule."`
	Say        sayCmd       `cmd:"" help:"Contribute to a session: not signed, in no feed, gone after its time."`
	Read       readCmd      `cmd:"" help:"What was said in a session."`
	Export     exportCmd    `cmd:"" help:"A file for the other members, sealed; or the words for the outside, by a participant."`
	Import     importCmd    `cmd:"" help:"Take the file of another member."`
	Attribute  attributeCmd `cmd:"" help:"Say that an own contribution was this party's. It cannot be taken back."`
	Output     outputCmd    `cmd:"" help:"State what a session agreed on."`
}

type groupsCmd struct {
	Channel string        `help:"Only of this channel." placeholder:"CHANNEL"`
	Plane   traffic.Plane `help:"real, exercise or test." default:"real" enum:"real,exercise,test"`
	Lang    string        `help:"Language of the words." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (groupsCmd) Help() string {
	return session.Detail("detente group list", session.ExitDone, session.ExitUse, session.ExitUnreachable)
}

// Run lists the groups.
func (c *groupsCmd) Run(s *session.Session) error {
	node, err := ask(s)
	if err != nil {
		return err
	}
	list, err := node.List(s.Ctx, "group", c.Channel, string(c.Plane), c.Lang)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	if len(list) == 0 {
		s.Printf("No groups. One is opened with: detente group open --channel NAME\n")
		return nil
	}
	rows := [][]string{{"GROUP", "NAME", "CHANNEL", "RULE", "MEMBERS", "RAPPORTEUR", "GOES ON"}}
	for _, x := range list {
		goes := "yes"
		if !x.Goes {
			goes = "no"
		}
		rows = append(rows, []string{x.Number, session.Safe(x.Name), session.Safe(x.Channel), x.Words, strings.Join(x.Members, ", "), x.Rapporteur, goes})
	}
	return s.Table(rows...)
}

// onGroup names a group.
type onGroup struct {
	Group string `arg:"" help:"Number of the group or of one of its statements, or digits of an id."`
}

type groupCmd struct {
	onGroup
	Lang string `help:"Language of the words." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (groupCmd) Help() string {
	return session.Detail("detente group show XN/CERT-R-0001", session.ExitDone, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run shows the group.
func (c *groupCmd) Run(s *session.Session) error {
	node, err := ask(s)
	if err != nil {
		return err
	}
	x, err := node.Show(s.Ctx, c.Group, c.Lang)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(x)
	}
	head(s, &x.Line)
	s.Printf("  %s; members %s; rapporteur %s\n", x.Words, strings.Join(x.Members, ", "), x.Rapporteur)
	for _, p := range x.Thread {
		s.Printf("  %s  %s  %s\n      │ %s\n", session.Moment(p.At), p.Number, p.By, session.Safe(p.Words))
	}
	for _, r := range x.Reports {
		stands := "not adopted yet"
		if r.Adopted {
			stands = "adopted, SHA-256 " + r.Text
		}
		s.Printf("  report %s: %s\n", r.Negotiation, stands)
		for p, words := range r.Dissent {
			s.Printf("    %s dissents: %s\n", p, session.Safe(words))
		}
	}
	for _, v := range x.Sessions {
		s.Printf("  session %s  %s: %s to %s, gone after %s; %s\n", v.Number, session.Safe(v.Name), session.Moment(v.From), session.Moment(v.To), session.Moment(v.Until), strings.Join(v.Members, ", "))
		for _, o := range v.Outputs {
			s.Printf("    agreed: %s\n", session.Safe(wording.In(o, c.Lang)))
		}
	}
	showRest(s, &x, c.Lang)
	return nil
}

type openGroupCmd struct {
	Channel    string        `help:"Name, or the beginning of the id; its regime is dialogue/1, and it is protected." required:"" placeholder:"CHANNEL"`
	Plane      traffic.Plane `help:"real, exercise or test." default:"real" enum:"real,exercise,test"`
	Members    string        `help:"Addresses, with commas between." required:"" placeholder:"ADDRESS,..."`
	Rapporteur string        `help:"One of them." required:"" placeholder:"ADDRESS"`
	Rule       string        `help:"open, or chatham-house: then nothing is contributed but in sessions." default:"open" enum:"open,chatham-house"`
	voice
	words.Words
}

// Help gives an example and the exit codes.
func (openGroupCmd) Help() string {
	return session.Detail(`detente group open --channel experts --members xn/cert,xs/cert --rapporteur xn/cert --rule chatham-house name.en="Experts on industrial control"`, ends()...)
}

// Run opens the group.
func (c *openGroupCmd) Run(s *session.Session) error {
	return open(s, c.Channel, "group", c.Plane, c.Post, &c.Words, "members", c.Members, "rapporteur", c.Rapporteur, "rule", c.Rule)
}

// membership is who joins or leaves.
type membership struct {
	onGroup
	Member string `arg:"" help:"PARTY or PARTY/POST."`
	voice
	words.Words
}

func (c *membership) change(s *session.Session, what string) error {
	return state(s, c.Group, "group-member", "", c.Post, &c.Words, "member", c.Member, "what", what)
}

type joinCmd struct{ membership }

// Help gives an example and the exit codes.
func (joinCmd) Help() string {
	return session.Detail("detente group join XN/CERT-R-0001 xs/nrrc", ends()...)
}

// Run states it.
func (c *joinCmd) Run(s *session.Session) error { return c.change(s, "joins") }

type leaveCmd struct{ membership }

// Help gives an example and the exit codes.
func (leaveCmd) Help() string {
	return session.Detail("detente group leave XN/CERT-R-0001 xs/nrrc", ends()...)
}

// Run states it.
func (c *leaveCmd) Run(s *session.Session) error { return c.change(s, "leaves") }

type handCmd struct{ membership }

// Help gives an example and the exit codes.
func (handCmd) Help() string {
	return session.Detail("detente group rapporteur XN/CERT-R-0001 xs/cert", ends()...)
}

// Run states it.
func (c *handCmd) Run(s *session.Session) error { return c.change(s, "rapporteur") }

type postCmd struct {
	onGroup
	Text string `help:"What is said." required:"" placeholder:"TEXT"`
	To   string `help:"Contribution that it answers: number or digits of the id." placeholder:"ID"`
	voice
	words.Words
}

// Help gives an example and the exit codes.
func (postCmd) Help() string {
	return "It is signed, and kept for ever. In a group under the Chatham House rule nothing is posted: detente group say.\n\n" +
		session.Detail(`detente group post XN/CERT-R-0001 --text "We see the same pattern."`, ends()...)
}

// Run states it.
func (c *postCmd) Run(s *session.Session) error {
	return state(s, c.Group, "contribution", c.To, c.Post, &c.Words, "words", c.Text)
}

type reportCmd struct {
	onGroup
	Report string `help:"Negotiation of the report: number or digits of the id. Without it --add begins a new one." placeholder:"ID"`
	texting
}

// Help gives examples and the exit codes.
func (reportCmd) Help() string {
	return session.Detail(`
		detente group report XN/CERT-R-0001 --add en="The group recommends a common list of sectors."
		detente group report XN/CERT-R-0001 --report XN/CERT-R-0009 --agree`, ends()...)
}

// Run builds or shows the report.
func (c *reportCmd) Run(s *session.Session) error {
	if c.Report == "" && len(c.Add) == 0 {
		return session.Fail(session.ExitUse, "detente group show GROUP", "which report?")
	}
	return c.do(s, c.Group, talks.OnText{What: "report", Negotiation: c.Report})
}

type adoptCmd struct {
	onGroup
	Report  string `arg:"" help:"Negotiation of the report: number or digits of the id."`
	Dissent string `help:"Dissent, in these words, in place of joining the consensus." placeholder:"TEXT"`
	spoken
}

// Help gives examples and the exit codes.
func (adoptCmd) Help() string {
	return "A report is adopted when every party with members has spoken on one and the same text, at least one for it.\n\n" + session.Detail(`
		detente group adopt XN/CERT-R-0001 XN/CERT-R-0009
		detente group adopt XN/CERT-R-0001 XN/CERT-R-0009 --dissent "Not as to paragraph 3."`, ends()...)
}

// Run speaks on it.
func (c *adoptCmd) Run(s *session.Session) error {
	node, err := ask(s)
	if err != nil {
		return err
	}
	how := "consensus"
	if c.Dissent != "" {
		how = "dissent"
	}
	sent, err := node.Adopt(s.Ctx, c.Group, talks.Adoption{Voice: c.said(), Negotiation: c.Report, How: how, Words: c.Dissent})
	if err != nil {
		return err
	}
	return c.tell(s, sent)
}

type sessionCmd struct {
	onGroup
	Name   string        `help:"What it is called." required:"" placeholder:"TEXT"`
	From   time.Time     `help:"When it begins; now by default." format:"2006-01-02T15:04:05Z07:00" placeholder:"TIME"`
	To     time.Time     `help:"When it ends." required:"" format:"2006-01-02T15:04:05Z07:00" placeholder:"TIME"`
	Keep   time.Duration `help:"How long after its end what was said is kept, and then gone." default:"72h"`
	Member []string      `help:"Address. Repeat for others; all members of the group by default." placeholder:"ADDRESS"`
	spoken
}

// Help gives an example and the exit codes.
func (sessionCmd) Help() string {
	return "Only the rapporteur's party opens one. Its key is sealed for each member. docs/dialogue.md says what this protects against, and what not.\n\n" +
		session.Detail("detente group session XN/CERT-R-0001 --name 2027-1 --to 2027-02-01T17:00:00Z --keep 168h --releaser head-of-post", ends()...)
}

// Run opens it.
func (c *sessionCmd) Run(s *session.Session) error {
	node, err := ask(s)
	if err != nil {
		return err
	}
	if c.From.IsZero() {
		c.From = time.Now().UTC().Truncate(time.Second)
	}
	sent, err := node.OpenSession(s.Ctx, c.Group, talks.NewSession{Voice: c.said(), Name: c.Name, From: c.From, To: c.To, Keep: c.Keep.String(), Members: c.Member})
	if err != nil {
		return err
	}
	return c.tell(s, sent)
}

// onSession names a session.
type onSession struct {
	onGroup
	Session string `help:"Number of its statement, or digits of the id; the last one by default." placeholder:"ID"`
}

type sayCmd struct {
	onSession
	Text string `arg:"" help:"What is said, or - to read it from standard input."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (sayCmd) Help() string {
	return "It is kept here, sealed, and goes to the others with detente group export.\n\n" +
		session.Detail(`detente group say XN/CERT-R-0001 "Our operators patch once a year."`, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run says it.
func (c *sayCmd) Run(s *session.Session) error {
	if c.Text == "-" {
		b, err := s.ReadFile("-", secretariat.MaxFile)
		if err != nil {
			return err
		}
		c.Text = strings.TrimSpace(string(b))
	}
	node, err := ask(s)
	if err != nil {
		return err
	}
	said, err := node.Say(s.Ctx, c.Group, c.Session, talks.Say{Words: c.Text})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(said)
	}
	s.Printf("%s\n", said.ID[:16])
	return nil
}

type readCmd struct {
	onSession
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (readCmd) Help() string {
	return session.Detail("detente group read XN/CERT-R-0001", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run prints it.
func (c *readCmd) Run(s *session.Session) error {
	node, err := ask(s)
	if err != nil {
		return err
	}
	list, err := node.Heard(s.Ctx, c.Group, c.Session)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	for _, x := range list {
		mark := ""
		if x.Attributed {
			mark = "  (attributed by its speaker)"
		}
		s.Printf("%s  %s  %s%s\n    │ %s\n", x.ID[:16], session.Moment(x.At), x.Speaker, mark, session.Safe(x.Words))
	}
	return nil
}

type exportCmd struct {
	onSession
	Output  string `short:"o" help:"Where to." required:"" placeholder:"FILE"`
	Own     bool   `help:"Only what was said here."`
	Outside bool   `help:"In place of the sealed file, the words for whoever was not there: by the day, by a participant, in the order of the words."`
	Lang    string `help:"Language of what stands around the words." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives examples and the exit codes.
func (exportCmd) Help() string {
	return session.Detail(`
		detente group export XN/CERT-R-0001 -o for-xs.session
		detente group export XN/CERT-R-0001 --outside -o what-was-said.txt`, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run writes the file.
func (c *exportCmd) Run(s *session.Session) error {
	node, err := ask(s)
	if err != nil {
		return err
	}
	if !c.Outside {
		b, err := node.Sealed(s.Ctx, c.Group, c.Session, c.Own)
		if err != nil {
			return err
		}
		return s.WriteNew(c.Output, b, 0o600)
	}
	list, err := node.Outside(s.Ctx, c.Group, c.Session, c.Lang)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	var b strings.Builder
	for _, x := range list {
		b.WriteString(x.On.Format(time.DateOnly) + "  " + x.By + ": " + x.Words + "\n")
	}
	return s.WriteNew(c.Output, []byte(b.String()), 0o600)
}

type importCmd struct {
	File string `arg:"" help:"As another member has exported it."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (importCmd) Help() string {
	return session.Detail("detente group import from-xs.session", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run takes it.
func (c *importCmd) Run(s *session.Session) error {
	b, err := s.ReadFile(c.File, secretariat.MaxFile)
	if err != nil {
		return err
	}
	node, err := ask(s)
	if err != nil {
		return err
	}
	got, err := node.Take(s.Ctx, b)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(got)
	}
	s.Printf("contributions that were not here yet: %d; refused: %d\n", got.Came, got.Refused)
	return nil
}

type attributeCmd struct {
	onSession
	Contribution string `arg:"" help:"Digits of its id: detente group read."`
	spoken
}

// Help gives an example and the exit codes.
func (attributeCmd) Help() string {
	return "From then on everybody who holds the contribution can show whose it was.\n\n" + session.Detail("detente group attribute XN/CERT-R-0001 4f12ab", ends()...)
}

// Run states it.
func (c *attributeCmd) Run(s *session.Session) error {
	node, err := ask(s)
	if err != nil {
		return err
	}
	sent, err := node.Attribute(s.Ctx, c.Group, c.Session, talks.Attribution{Voice: c.said(), Contribution: c.Contribution})
	if err != nil {
		return err
	}
	return c.tell(s, sent)
}

type outputCmd struct {
	onSession
	Text []string `arg:"" help:"What was agreed on, LANG=TEXT for each language."`
	spoken
}

// Help gives an example and the exit codes.
func (outputCmd) Help() string {
	return "Only the rapporteur's party states it, once the session has agreed. It is signed, and names no participant.\n\n" +
		session.Detail(`detente group output XN/CERT-R-0001 en="The members will compare lists of sectors." ru="…" --releaser head-of-post`, ends()...)
}

// Run states it.
func (c *outputCmd) Run(s *session.Session) error {
	said, err := texts(c.Text)
	if err != nil {
		return err
	}
	node, err := ask(s)
	if err != nil {
		return err
	}
	sent, err := node.Output(s.Ctx, c.Group, c.Session, talks.Output{Voice: c.said(), Words: said})
	if err != nil {
		return err
	}
	return c.tell(s, sent)
}
