package cert

import (
	"io"
	"mime"
	"path/filepath"
	"time"

	"detente/api"
	"detente/cli/session"
)

// mailCmd is the mail about cases.
type mailCmd struct {
	Send    mailSendCmd    `cmd:"" help:"Send the report of a case, signed, and encrypted where the recipient's key is known."`
	Receive mailReceiveCmd `cmd:"" help:"Take a mail in, from a mail server's pipe: it is put to its case."`
	List    mailListCmd    `cmd:"" help:"What went and came."`
	Seen    mailSeenCmd    `cmd:"" help:"Take a mail off the watch."`
}

const (
	maxMail    = 24 << 20
	maxAttach  = 10 << 20
	maxOwnText = 256 << 10
)

type mailReceiveCmd struct {
	File string `arg:"" optional:"" help:"The mail as it came; without it the standard input." type:"existingfile"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (mailReceiveCmd) Help() string {
	return "A mail that was here before is known by its Message-ID and changes nothing. As a pipe of Postfix: |detente gateway mail receive || exit 75, so that the " +
		"server keeps what could not be taken.\n\n" +
		outcomes("detente gateway mail receive < message")
}

// Run takes the mail in.
func (c *mailReceiveCmd) Run(s *session.Session) error {
	var raw []byte
	var err error
	if c.File != "" {
		raw, err = s.ReadFile(c.File, maxMail)
	} else {
		raw, err = io.ReadAll(io.LimitReader(s.In, maxMail+1))
	}
	if err != nil {
		return err
	}
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	m, err := node.ReceiveMail(s.Ctx, raw)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(m)
	}
	switch {
	case m.Known:
		s.Printf("known: %d\n", m.Number)
	case m.Case == "":
		s.Printf("kept as %d: it names no case that is here\n", m.Number)
	default:
		s.Printf("kept as %d: case %s\n", m.Number, session.Safe(m.Case))
	}
	return nil
}

type mailListCmd struct {
	Case string `help:"Of a case." placeholder:"NUMBER"`
	Open bool   `help:"Only what waits for somebody."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (mailListCmd) Help() string {
	return "A sender stands there as the mail says. Whoever has signed it with a key of keys/teams is named; \"answers\" says that its writer has had a mail of ours.\n\n" +
		outcomes("detente gateway mail list --case xn/26-0007")
}

// Run lists the mails.
func (c *mailListCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	list, err := node.Mails(s.Ctx, c.Case, c.Open)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	if len(list) == 0 {
		s.Printf("No mail.\n")
	}
	for _, m := range list {
		printMail(s, &m)
	}
	return nil
}

func printMail(s *session.Session, m *api.Mail) {
	arrow := "to"
	if m.In {
		arrow = "from"
	}
	s.Printf("%d  %s  %s  %s %s  %s", m.Number, session.Moment(m.At), session.Safe(m.Case), arrow, session.Safe(m.Address), m.State)
	switch {
	case m.Proof == "signed":
		s.Printf(", signed by %s", session.Safe(m.Team))
	case m.Proof == "answers":
		s.Printf(", answers a mail of ours")
	case m.In:
		s.Printf(", unproved %s", session.Safe(m.Flaw))
	}
	s.Printf("\n    %s\n", session.Safe(m.Subject))
}

type mailSeenCmd struct {
	Number int64 `arg:"" help:"As detente gateway mail list shows it."`
}

// Help gives an example and the exit codes.
func (mailSeenCmd) Help() string { return outcomes("detente gateway mail seen 12") }

// Run marks it.
func (c *mailSeenCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	if err := node.SeeMail(s.Ctx, c.Number); err != nil {
		return err
	}
	s.Printf("seen: %d\n", c.Number)
	return nil
}

type mailSendCmd struct {
	Case       string    `arg:"" help:"Number of the case."`
	To         string    `help:"Mail address." required:"" placeholder:"ADDRESS"`
	Lang       []string  `help:"Languages in which the recipient reads; none is English." placeholder:"LIST"`
	Kind       string    `help:"report, acknowledgement, status or closing." enum:"report,acknowledgement,status,closing" default:"report"`
	TLP        string    `help:"Label." placeholder:"LABEL"`
	PAP        string    `help:"What may be done with it." placeholder:"LABEL"`
	Info       bool      `help:"For information only."`
	Action     string    `help:"What is asked for." placeholder:"TEXT"`
	Until      time.Time `help:"By when." format:"2006-01-02T15:04:05Z07:00" placeholder:"TIME"`
	Identifier string    `help:"What it is about: one address, prefix, AS number or domain name." placeholder:"VALUE"`
	First      time.Time `help:"First seen." format:"2006-01-02T15:04:05Z07:00" placeholder:"TIME"`
	Last       time.Time `help:"Last seen." format:"2006-01-02T15:04:05Z07:00" placeholder:"TIME"`
	Clock      string    `help:"How accurate the clocks are, such as 1s." placeholder:"TEXT"`
	Source     string    `help:"Where it came from: address and port." placeholder:"ADDRESS"`
	Reached    string    `help:"What it reached: address and port." placeholder:"ADDRESS"`
	URL        string    `name:"url" help:"Seen." placeholder:"URL"`
	Log        []string  `help:"A line of a log; may be given again." sep:"none" placeholder:"LINE"`
	Class      string    `help:"Class and type of RSIT, such as intrusion-attempts.brute-force." placeholder:"CLASS"`
	CVE        []string  `name:"cve" help:"Vulnerabilities." placeholder:"LIST"`
	Severity   string    `help:"low, medium or high." placeholder:"LEVEL"`
	Confidence string    `help:"low, medium or high." placeholder:"LEVEL"`
	Rating     string    `help:"Admiralty code, such as B2." placeholder:"CODE"`
	Relayed    bool      `help:"Another has told it; else the team has seen it itself."`
	Text       string    `help:"In own words." placeholder:"TEXT"`
	TextFile   string    `help:"The same from a file." type:"existingfile" placeholder:"FILE"`
	Attach     []string  `help:"Files." type:"existingfile" placeholder:"FILE"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (mailSendCmd) Help() string {
	return "What a response team cannot work without is compulsory: if something is missing nothing is sent, and all of it is listed. What is marked narrower than GREEN goes " +
		"encrypted or not at all; a label that others have set in the case is never widened.\n\n" +
		outcomes("detente gateway mail send xn/26-0007 --to cert@xs.example --tlp AMBER --identifier 198.51.100.7 --action \"Please stop the attempts\" --until 2026-11-26T18:00:00Z "+
			"--first 2026-11-25T06:00:00Z --clock 1s --source \"198.51.100.7 50123\" --class intrusion-attempts.brute-force --confidence high")
}

// Run sends the mail.
func (c *mailSendCmd) Run(s *session.Session) error {
	r := api.MailRequest{
		To: c.To, Languages: c.Lang, Kind: c.Kind, Info: c.Info, Action: c.Action, Until: c.Until, TLP: c.TLP, PAP: c.PAP, Identifier: c.Identifier, First: c.First, Last: c.Last,
		Clock: c.Clock, Source: c.Source, Reached: c.Reached, URL: c.URL, Log: c.Log, Class: c.Class, CVEs: c.CVE, Severity: c.Severity, Confidence: c.Confidence, Rating: c.Rating,
		Relayed: c.Relayed, Text: c.Text,
	}
	if c.TextFile != "" {
		b, err := s.ReadFile(c.TextFile, maxOwnText)
		if err != nil {
			return err
		}
		r.Text = string(b)
	}
	for _, path := range c.Attach {
		b, err := s.ReadFile(path, maxAttach)
		if err != nil {
			return err
		}
		r.Files = append(r.Files, api.Attachment{Name: filepath.Base(path), Type: mime.TypeByExtension(filepath.Ext(path)), Data: b})
	}
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	m, err := node.SendMail(s.Ctx, c.Case, r)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(m)
	}
	s.Printf("sent: %s\n", session.Safe(m.Subject))
	return nil
}
