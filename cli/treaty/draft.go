package treaty

import (
	"context"
	"strings"

	"detente/api"
	"detente/api/drafting"
	"detente/cli/session"
	"detente/traffic"
)

// DraftCmd is the drafting of instruments.
type DraftCmd struct {
	List     listCmd     `cmd:"" default:"withargs" help:"The instruments in negotiation and in force."`
	Show     showCmd     `cmd:"" help:"The text with its brackets: who stands where, what is open."`
	New      newCmd      `cmd:"" help:"Open a negotiation: empty, from a template or from a file."`
	Table    tableCmd    `cmd:"" help:"Take a position on a provision, openly or as a commitment."`
	Accept   acceptCmd   `cmd:"" help:"Stand on wordings that others have tabled."`
	Reserve  reserveCmd  `cmd:"" help:"Stand on a wording with a reservation: under scrutiny, ad referendum."`
	Withdraw withdrawCmd `cmd:"" help:"Give up the own stand on a provision."`
	Package  packageCmd  `cmd:"" help:"Agree to several wordings only together, or withdraw that."`
	Comment  commentCmd  `cmd:"" help:"Say something without taking a position; or hand over a non-paper."`
	Instruct instructCmd `cmd:"" help:"Keep something to oneself: an instruction, a fall-back, a comment. It leaves the node never."`
	Export   exportCmd   `cmd:"" help:"Write the text into a file: the clean one, or as it stands."`
	Import   importCmd   `cmd:"" help:"Hold a file against the negotiation: what differs becomes the own position."`
	Certify  certifyCmd  `cmd:"" help:"Certify that all languages of the clean text say the same."`
	Manifest manifestCmd `cmd:"" help:"Make the manifest of the clean text, which is then initialled and signed."`
}

type listCmd struct {
	All     bool          `help:"Those that have ended or lapsed too."`
	Channel string        `help:"Only of this channel." placeholder:"CHANNEL"`
	Plane   traffic.Plane `help:"real, exercise or test." default:"real" enum:"real,exercise,test"`
	Lang    string        `help:"Language of the words." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (listCmd) Help() string {
	return session.Detail("detente draft list --all", session.ExitDone, session.ExitUse, session.ExitUnreachable)
}

// Run lists the instruments.
func (c *listCmd) Run(s *session.Session) error {
	node, err := client(s)
	if err != nil {
		return err
	}
	list, err := node.List(s.Ctx, drafting.Listing{Channel: c.Channel, Plane: string(c.Plane), Lang: c.Lang, Open: !c.All})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	if len(list) == 0 {
		s.Printf("No instruments. A negotiation is opened with: detente draft new --channel NAME, or when another party opens it\n")
		return nil
	}
	rows := [][]string{{"INSTRUMENT", "ID", "WITH", "CHANNEL", "STANDS", "AGREED", "FOR US", "LAST"}}
	for _, d := range list {
		ours := ""
		if d.Ours > 0 {
			ours = number(d.Ours)
		}
		rows = append(rows, []string{
			session.Safe(d.Title), d.ID[:8], strings.Join(d.Parties, ","), session.Safe(d.Channel), session.Safe(d.Stands), number(d.Agreed) + " of " + number(d.Total), ours, session.Moment(d.Last),
		})
	}
	return s.Table(rows...)
}

type newCmd struct {
	Channel    string          `help:"Name, or the beginning of the id." required:"" placeholder:"CHANNEL"`
	Plane      traffic.Plane   `help:"real, exercise or test: kept apart in everything." default:"real" enum:"real,exercise,test"`
	From       string          `help:"Template to begin from, or a file (JSON, marked text): its text is tabled as the own position." placeholder:"NAME|FILE"`
	Title      []string        `arg:"" optional:"" name:"language=title" help:"Title in each authentic language, which are these; those of the template by default."`
	Kind       string          `help:"treaty, exchange-of-notes, joint-statement, parallel-declarations, letters, minutes, mandate, agenda, report." default:"" placeholder:"KIND"`
	Political  bool            `help:"A political commitment, not a legal one."`
	Prevailing string          `help:"Language that prevails in case of divergence; none by default." placeholder:"TAG"`
	Language   []string        `help:"Authentic languages in their order, where they are not those of the title." placeholder:"TAG,..."`
	With       []traffic.Party `help:"Parties to it; all members of the channel by default." placeholder:"PARTY,..."`
	Amends     string          `help:"Hash of the manifest of the instrument that it amends." placeholder:"HASH"`
	Case       string          `help:"Number of a case that it is about." placeholder:"NUMBER"`
	Remarks    string          `help:"For the others to read." placeholder:"TEXT"`
	Templates  bool            `help:"Only list the templates."`
	voice
}

// Help gives examples and the exit codes.
func (newCmd) Help() string {
	return session.Detail(`
		detente draft new --channel talks --from incidents-agreement
		detente draft new --channel talks en="Agreement on …" ru="Соглашение о …" --prevailing en
		detente draft new --channel talks --templates`, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run opens the negotiation.
func (c *newCmd) Run(s *session.Session) error {
	node, err := client(s)
	if err != nil {
		return err
	}
	if c.Templates {
		return c.templates(s, node)
	}
	r := drafting.New{
		Voice: c.api(), Channel: c.Channel, Plane: c.Plane, Kind: c.Kind, Languages: c.Language, Prevailing: c.Prevailing, Parties: c.With, Amends: c.Amends, Case: c.Case, Remarks: c.Remarks,
	}
	if c.Political {
		r.Nature = "political"
	}
	if r.Title, err = texts(s, c.Title); err != nil {
		return err
	}
	for _, a := range c.Title {
		lang, _, _ := strings.Cut(a, "=")
		if len(c.Language) == 0 {
			r.Languages = append(r.Languages, lang)
		}
	}
	switch {
	case c.From == "":
		if len(r.Title) == 0 {
			return session.Fail(session.ExitUse, "write en=\"Agreement on …\", or --from TEMPLATE", "an instrument has a title")
		}
	case exists(c.From):
		if r.Text, err = readText(s, c.From); err != nil {
			return err
		}
	default:
		r.Template = c.From
	}
	opened, err := node.New(s.Ctx, r)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(opened)
	}
	s.Printf("draft %s\n", opened.ID[:8])
	if opened.Positions > 0 {
		s.Printf("  positions taken: %d\n", opened.Positions)
	}
	return c.lines(s, opened.Sent)
}

func (c *newCmd) templates(s *session.Session, node drafting.Client) error {
	list, err := node.Templates(s.Ctx, "en")
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	rows := [][]string{{"TEMPLATE", "KIND", "LANGUAGES", "TITLE"}}
	for _, t := range list {
		title := t.Title["en"]
		if title == "" && len(t.Languages) > 0 {
			title = t.Title[t.Languages[0]]
		}
		rows = append(rows, []string{t.Name, t.Kind + ", " + t.Nature, strings.Join(t.Languages, ","), session.Safe(title)})
	}
	return s.Table(rows...)
}

type tableCmd struct {
	Draft     string          `arg:"" help:"Digits of its id, or the number of one of its statements."`
	Provision string          `arg:"" help:"Its id; new for a new clause; structure, title and names are provisions too."`
	Texts     []string        `arg:"" optional:"" name:"language=text" help:"Its wording; @FILE for the text in a file. A language that is not given keeps the text on which this side stands."`
	Kind      string          `help:"Of a new clause: preamble, chapter, article, paragraph, point, subpoint, passage, annex, closing." placeholder:"KIND"`
	After     string          `help:"Behind which clause the new one goes; the end by default." placeholder:"PROVISION"`
	Drop      bool            `help:"Propose a text without this clause."`
	Order     string          `help:"Of the structure: a file with lines of kind and provision." placeholder:"FILE"`
	Note      string          `help:"An explanation for the others." placeholder:"TEXT"`
	Hidden    bool            `help:"Only commit to it: the wording shows itself once the others have committed themselves too."`
	With      []traffic.Party `help:"Who is to; all the others by default." placeholder:"PARTY,..."`
	voice
}

// Help gives examples and the exit codes.
func (tableCmd) Help() string {
	return session.Detail(`
		detente draft table 1f2e3d4c art-3.2 en="It shall do so without delay." ru="Она делает это незамедлительно."
		detente draft table 1f2e3d4c new --kind paragraph --after art-3.2 en=@third.txt
		detente draft table 1f2e3d4c art-3.2 en="…" --hidden
		detente draft table 1f2e3d4c art-7 --drop`, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run takes the position.
func (c *tableCmd) Run(s *session.Session) error {
	r := drafting.Table{Voice: c.api(), Provision: c.Provision, Note: c.Note, Kind: c.Kind, After: c.After, Drop: c.Drop, Hidden: c.Hidden, With: c.With}
	if r.Provision == "new" {
		if r.Provision = ""; c.Kind == "" {
			return session.Fail(session.ExitUse, "detente draft table DRAFT new --kind paragraph en=…", "of what kind is the new clause?")
		}
	}
	var err error
	if r.Texts, err = texts(s, c.Texts); err != nil {
		return err
	}
	if c.Order != "" {
		b, err := s.ReadFile(c.Order, maxFile)
		if err != nil {
			return err
		}
		r.Order = strings.TrimSpace(strings.ReplaceAll(string(b), "\r\n", "\n"))
	}
	node, err := client(s)
	if err != nil {
		return err
	}
	t, err := node.Table(s.Ctx, c.Draft, r)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(t)
	}
	s.Printf("provision %s\n", t.Provision)
	return c.lines(s, t.Sent...)
}

type acceptCmd struct {
	Draft      string   `arg:"" help:"Digits of its id, or the number of one of its statements."`
	Provisions []string `arg:"" optional:"" name:"provision" help:"Which."`
	All        bool     `help:"Every provision on which all others stand on one wording."`
	Of         string   `help:"Whose wording, or digits of its digest; the only one of the others by default." placeholder:"PARTY|DIGEST"`
	voice
}

// Help gives examples and the exit codes.
func (acceptCmd) Help() string {
	return "What is agreed is agreed provisionally: nothing is agreed until everything is agreed.\n\n" + session.Detail(`
		detente draft accept 1f2e3d4c art-3.2 art-3.3
		detente draft accept 1f2e3d4c --all`, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run accepts.
func (c *acceptCmd) Run(s *session.Session) error {
	if len(c.Provisions) == 0 && !c.All {
		return session.Fail(session.ExitUse, "detente draft accept DRAFT PROVISION, or --all", "which provisions?")
	}
	node, err := client(s)
	if err != nil {
		return err
	}
	sent, err := node.Accept(s.Ctx, c.Draft, drafting.Accept{Voice: c.api(), Provisions: c.Provisions, All: c.All, Of: c.Of})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(sent)
	}
	return c.lines(s, sent...)
}

type reserveCmd struct {
	Draft     string `arg:"" help:"Digits of its id, or the number of one of its statements."`
	Provision string `arg:"" help:"Its id."`
	Reason    string `help:"scrutiny, ad-referendum, language or other." enum:"scrutiny,ad-referendum,language,other" default:"scrutiny"`
	Of        string `help:"On whose wording, or digits of its digest; the own one, or the only one of the others, by default." placeholder:"PARTY|DIGEST"`
	Words     string `help:"For the others to read." placeholder:"TEXT"`
	voice
}

// Help gives an example and the exit codes.
func (reserveCmd) Help() string {
	return session.Detail(`detente draft reserve 1f2e3d4c art-5.1 --reason ad-referendum --words "Our parliament decides on costs."`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run reserves.
func (c *reserveCmd) Run(s *session.Session) error {
	return c.does(s, func(ctx context.Context, n drafting.Client) (api.Sent, error) {
		return n.Reserve(ctx, c.Draft, drafting.Reserve{Voice: c.api(), Provision: c.Provision, Of: c.Of, Reason: c.Reason, Words: c.Words})
	})
}

type withdrawCmd struct {
	Draft     string `arg:"" help:"Digits of its id, or the number of one of its statements."`
	Provision string `arg:"" help:"Its id."`
	voice
}

// Help gives an example and the exit codes.
func (withdrawCmd) Help() string {
	return session.Detail("detente draft withdraw 1f2e3d4c art-5.1", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run withdraws.
func (c *withdrawCmd) Run(s *session.Session) error {
	return c.does(s, func(ctx context.Context, n drafting.Client) (api.Sent, error) {
		return n.Withdraw(ctx, c.Draft, drafting.Withdraw{Voice: c.api(), Provision: c.Provision})
	})
}

type packageCmd struct {
	Draft    string   `arg:"" help:"Digits of its id, or the number of one of its statements."`
	Items    []string `arg:"" optional:"" name:"provision[=of]" help:"Provisions, each with whose wording or digits of its digest; by default the own stand, or the only one of the others."`
	Name     string   `help:"What it is called." default:"Package" placeholder:"TEXT"`
	Withdraw string   `help:"Withdraw the package of this id instead." placeholder:"ID"`
	voice
}

// Help gives examples and the exit codes.
func (packageCmd) Help() string {
	return session.Detail(`
		detente draft package 1f2e3d4c art-3.2=xs art-9.1 --name "Time for time"
		detente draft package 1f2e3d4c --withdraw 9a8b7c6d`, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run proposes or withdraws the package.
func (c *packageCmd) Run(s *session.Session) error {
	if (len(c.Items) == 0) == (c.Withdraw == "") {
		return session.Fail(session.ExitUse, "detente draft package DRAFT PROVISION=PARTY PROVISION, or --withdraw ID", "the provisions of a package, or one to withdraw")
	}
	return c.does(s, func(ctx context.Context, n drafting.Client) (api.Sent, error) {
		if c.Withdraw != "" {
			return n.Unpack(ctx, c.Draft, c.Withdraw, c.api())
		}
		items := make(map[string]string)
		for _, item := range c.Items {
			id, of, _ := strings.Cut(item, "=")
			items[id] = of
		}
		return n.Package(ctx, c.Draft, drafting.Bundle{Voice: c.api(), Name: c.Name, Items: items})
	})
}

type commentCmd struct {
	Draft     string `arg:"" help:"Digits of its id, or the number of one of its statements."`
	Words     string `arg:"" help:"What is said."`
	Provision string `help:"On which provision; on all by default." placeholder:"PROVISION"`
	NonPaper  bool   `help:"A non-paper: it commits nobody, and is not to be cited as a position."`
	voice
}

// Help gives an example and the exit codes.
func (commentCmd) Help() string {
	return session.Detail(`detente draft comment 1f2e3d4c "Which incidents are significant?" --provision art-3.1`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run comments.
func (c *commentCmd) Run(s *session.Session) error {
	return c.does(s, func(ctx context.Context, n drafting.Client) (api.Sent, error) {
		return n.Comment(ctx, c.Draft, drafting.Remark{Voice: c.api(), Provision: c.Provision, Words: c.Words, Paper: c.NonPaper})
	})
}

type instructCmd struct {
	Draft     string   `arg:"" help:"Digits of its id, or the number of one of its statements."`
	Words     string   `arg:"" optional:"" help:"What is to be kept."`
	Provision string   `help:"On which provision; on all by default." placeholder:"PROVISION"`
	FallBack  []string `help:"A wording to which the delegation may go, as LANGUAGE=TEXT. Repeat for others." sep:"none" placeholder:"LANGUAGE=TEXT"`
	Comment   bool     `help:"A comment between colleagues, no instruction."`
	Forget    string   `help:"Take the note of this id away instead." placeholder:"ID"`
	session.JSONFlag
}

// Help gives examples and the exit codes.
func (instructCmd) Help() string {
	return "It lies in the database of this node, is in no feed, and goes to nobody.\n\n" + session.Detail(`
		detente draft instruct 1f2e3d4c "Not beyond 48 hours." --provision art-3.2
		detente draft instruct 1f2e3d4c --provision art-3.2 --fall-back en="within 48 hours" --fall-back ru="в течение 48 часов"`,
		session.ExitDone, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run keeps the note.
func (c *instructCmd) Run(s *session.Session) error {
	node, err := client(s)
	if err != nil {
		return err
	}
	if c.Forget != "" {
		return node.Forget(s.Ctx, c.Draft, c.Forget)
	}
	r := drafting.NewNote{Provision: c.Provision, Kind: "instruction", Words: c.Words}
	if r.Texts, err = texts(s, c.FallBack); err != nil {
		return err
	}
	switch {
	case len(r.Texts) > 0:
		r.Kind = "fall-back"
	case c.Words == "":
		return session.Fail(session.ExitUse, `detente draft instruct DRAFT "Not beyond 48 hours." --provision PROVISION`, "there is nothing to keep")
	case c.Comment:
		r.Kind = "comment"
	}
	n, err := node.Note(s.Ctx, c.Draft, r)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(n)
	}
	s.Printf("kept as %s, in this node alone\n", n.ID[:8])
	return nil
}
