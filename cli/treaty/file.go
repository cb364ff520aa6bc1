package treaty

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"time"

	"detente/api/drafting"
	"detente/cli/session"
	"detente/traffic"
)

type exportCmd struct {
	Draft    string `arg:"" help:"Digits of its id, or the number of one of its statements."`
	Format   string `help:"text, json, docx (for a word processor), akn (Akoma Ntoso) or pdf; by the name of the file by default, else text." enum:",text,json,docx,akn,pdf" default:"" placeholder:"FORMAT"`
	Original string `help:"The original of this party, as it is printed: the party stands first. Of a PDF the own one by default." placeholder:"PARTY"`
	In       string `help:"Language of the original, or of Akoma Ntoso; of a PDF two, with a comma, stand beside each other. The first authentic one by default." placeholder:"TAG"`
	Output   string `short:"o" help:"Where to; standard output by default." default:"-" placeholder:"FILE"`
}

// Help gives examples and the exit codes.
func (exportCmd) Help() string {
	return "What is exported can be edited and imported again: what was changed becomes the own position. A document for a word processor has the own wording, with what the others want as their tracked changes. " +
		"Nothing but the originals is exported as PDF; while something is open, the draft with its brackets.\n\n" + session.Detail(`
		detente draft export 1f2e3d4c -o agreement.txt
		detente draft export 1f2e3d4c -o agreement.docx
		detente draft export 1f2e3d4c --in ru -o agreement.ru.xml
		detente draft export 1f2e3d4c --in en,ru -o agreement.pdf
		detente draft export 1f2e3d4c --original xs --in ru`, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run writes the file.
func (c *exportCmd) Run(s *session.Session) error {
	node, err := client(s)
	if err != nil {
		return err
	}
	switch format := c.format(); format {
	case "docx", "akn", "pdf":
		return c.document(s, node, format)
	}
	if c.Original != "" {
		o, err := node.Original(s.Ctx, c.Draft, c.Original, c.In)
		if err != nil {
			return err
		}
		return c.write(s, []byte(original(&o)))
	}
	t, err := node.Text(s.Ctx, c.Draft)
	if err != nil {
		return err
	}
	if c.format() == "json" {
		b, err := json.MarshalIndent(t, "", "  ")
		if err != nil {
			return err
		}
		return c.write(s, append(b, '\n'))
	}
	return c.write(s, []byte(t.Marked()))
}

// format is what was asked for, or what the name of the file says.
func (c *exportCmd) format() string {
	if c.Format != "" {
		return c.Format
	}
	return map[string]string{".json": "json", ".docx": "docx", ".xml": "akn", ".pdf": "pdf"}[strings.ToLower(filepath.Ext(c.Output))]
}

func (c *exportCmd) write(s *session.Session, b []byte) error {
	if c.Output == "-" {
		s.Printf("%s", session.Safe(string(b)))
		return nil
	}
	return s.WriteNew(c.Output, b, 0o644)
}

// original is an original as plain text.
func original(o *drafting.Print) string {
	var b strings.Builder
	b.WriteString(o.Title + "\n")
	for _, x := range o.Blocks {
		b.WriteString("\n" + strings.TrimSpace(x.Label+" "+x.Text) + "\n")
	}
	b.WriteString("\n")
	for _, x := range o.Signatures {
		b.WriteString(x + "\n")
	}
	return b.String() + "\nSHA-256 " + o.Digest + "\n"
}

type importCmd struct {
	Draft  string `arg:"" help:"Digits of its id, or the number of one of its statements."`
	File   string `arg:"" help:"What draft export writes, but PDF, edited or not: marked text, JSON, a word processor's document, Akoma Ntoso; - for standard input."`
	Note   string `help:"An explanation for the others, with each position." placeholder:"TEXT"`
	DryRun bool   `help:"Only show what would be tabled."`
	voice
}

// Help gives examples and the exit codes.
func (importCmd) Help() string {
	return "Each difference from where this side stands becomes a position. A language that the file does not have keeps its text. A document for a word processor is read as if all its changes were accepted: reject what is not to be tabled. " +
		"What cannot be understood is refused, with its place.\n\n" + session.Detail(`
		detente draft import 1f2e3d4c agreement.txt --dry-run
		detente draft import 1f2e3d4c agreement.docx --dry-run
		detente draft import 1f2e3d4c agreement.txt --note "After the talks of this week."`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run imports the file.
func (c *importCmd) Run(s *session.Session) error {
	b, err := s.ReadFile(c.File, maxFile)
	if err != nil {
		return err
	}
	if isDocument(b) {
		return c.proposals(s, b)
	}
	t, err := textOf(c.File, b)
	if err != nil {
		return err
	}
	node, err := client(s)
	if err != nil {
		return err
	}
	done, err := node.Import(s.Ctx, c.Draft, drafting.Import{Voice: c.api(), Text: *t, Note: c.Note, DryRun: c.DryRun})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(done)
	}
	if len(done.Changes) == 0 {
		s.Printf("Nothing differs from where this side stands.\n")
		return nil
	}
	for _, x := range done.Changes {
		what := "changed"
		if x.New {
			what = "new"
		}
		s.Printf("%s  %s\n", session.Safe(x.Provision), what)
		for _, lang := range sortedKeys(x.Changes, nil) {
			s.Printf("  [%s] %s\n", lang, session.Safe(changed(x.Changes[lang])))
		}
	}
	if c.DryRun {
		s.Printf("Nothing was tabled.\n")
		return nil
	}
	return c.lines(s, done.Sent...)
}

// changed shows what differs, word by word: {-left out-} {+added+}.
func changed(list drafting.Changes) string {
	var b strings.Builder
	for _, x := range list {
		switch x.Op {
		case "added":
			b.WriteString("{+" + x.Text + "+}")
		case "removed":
			b.WriteString("{-" + x.Text + "-}")
		default:
			b.WriteString(x.Text)
		}
	}
	return strings.ReplaceAll(b.String(), "\n", " ")
}

type certifyCmd struct {
	Draft     string   `arg:"" help:"Digits of its id, or the number of one of its statements."`
	Officer   string   `help:"Office that certifies, never a name." required:"" placeholder:"OFFICE"`
	Languages []string `help:"That were compared; all by default." placeholder:"TAG,..."`
	voice
}

// Help gives an example and the exit codes.
func (certifyCmd) Help() string {
	return session.Detail(`detente draft certify 1f2e3d4c --officer "Language Service"`, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run certifies.
func (c *certifyCmd) Run(s *session.Session) error {
	return c.step(s, c.Draft, drafting.Step{Step: "certify", Officer: c.Officer, Languages: c.Languages})
}

type manifestCmd struct {
	Draft    string        `arg:"" help:"Digits of its id, or the number of one of its statements."`
	Effect   string        `help:"When it enters into force: sealing (with the last act of the parties, or the round of sealers), date, procedures." enum:"sealing,date,procedures" default:"sealing"`
	Date     string        `help:"With --effect date." placeholder:"DATE"`
	After    string        `help:"With --effect procedures: how long after the last party has notified, such as P30D." placeholder:"PERIOD"`
	Duration string        `help:"How long it stays in force, such as P3Y; without limit by default." placeholder:"PERIOD"`
	Renewal  string        `help:"By how much it is renewed at its end unless a party gives notice." placeholder:"PERIOD"`
	Notice   string        `help:"Between a notice of termination and its effect, such as P6M." placeholder:"PERIOD"`
	Sealer   []string      `help:"PARTY/POST that seals. Repeat for others; none: it enters into force by the acts of the parties." placeholder:"ADDRESS"`
	Faulty   int           `help:"How many sealers may fail or lie: there must be three times as many and one." placeholder:"N"`
	Delta    time.Duration `help:"Within which sealers reach each other." placeholder:"DURATION"`
	Deadline string        `help:"Until when all consent; in 90 days by default." placeholder:"DATE"`
	Channel  []string      `help:"NAME=REGIME/VERSION[:POST+POST] that comes into being with it. Those that the text foresees, by default." sep:"none" placeholder:"CHANNEL"`
	Sign     []string      `help:"PARTY/POST that signs; the one with full powers by default." placeholder:"ADDRESS"`
	Kind     string        `help:"What is done: that of the negotiation by default; ratification or termination of another." placeholder:"KIND"`
	Regards  string        `help:"Hash of the manifest that it ratifies, amends, extends or ends." placeholder:"HASH"`
	voice
}

// Help gives examples and the exit codes.
func (manifestCmd) Help() string {
	return "It names what each party holds in each language, the keys by which the parties speak, and the terms. Both sides render the same originals, or initial nothing.\n\n" + session.Detail(`
		detente draft manifest 1f2e3d4c --duration P3Y --renewal P3Y --notice P6M
		detente draft manifest 1f2e3d4c --channel hotline=incidents/1:nrrc --sign xn/council --sign xs/council`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run makes and tables it.
func (c *manifestCmd) Run(s *session.Session) error {
	r := drafting.Terms{
		Voice: c.api(), Kind: c.Kind, Sealers: c.Sealer, Faulty: c.Faulty, Effect: c.Effect, After: c.After, Duration: c.Duration, Renewal: c.Renewal, Notice: c.Notice, Regards: c.Regards,
		Posts: make(map[traffic.Party]traffic.Post),
	}
	if c.Delta > 0 {
		r.Delta = c.Delta.String()
	}
	var err error
	if r.Date, err = day(c.Date); err != nil {
		return err
	}
	if r.Deadline, err = day(c.Deadline); err != nil {
		return err
	}
	for _, text := range c.Sign {
		a, err := traffic.ParseAddress(text)
		if err != nil || a.Post == "" {
			return session.Fail(session.ExitUse, "", "%q is no PARTY/POST", text)
		}
		r.Posts[a.Party] = a.Post
	}
	for _, text := range c.Channel {
		name, rest, ok := strings.Cut(text, "=")
		regime, posts, some := strings.Cut(rest, ":")
		if !ok || name == "" || regime == "" {
			return session.Fail(session.ExitUse, "--channel hotline=incidents/1:nrrc", "%q is no NAME=REGIME/VERSION", text)
		}
		ch := drafting.TermsChannel{Name: name, Regime: regime}
		if some {
			for p := range strings.SplitSeq(posts, "+") {
				ch.Posts = append(ch.Posts, traffic.Post(p))
			}
		}
		r.Channels = append(r.Channels, ch)
	}
	node, err := client(s)
	if err != nil {
		return err
	}
	m, err := node.Manifest(s.Ctx, c.Draft, r)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(m)
	}
	s.Printf("manifest %s\n", m.Manifest.Hash)
	return c.lines(s, m.Sent)
}
