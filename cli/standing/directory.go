package standing

import (
	"strings"

	"detente/api"
	"detente/cli/session"
	"detente/directory"
)

// DirectoryCmd is the points of contact.
type DirectoryCmd struct {
	List     directoryListCmd     `cmd:"" default:"withargs" help:"The points of contact of every channel, or of one."`
	Add      directoryAddCmd      `cmd:"" help:"State an own entry, new or changed."`
	Confirm  directoryConfirmCmd  `cmd:"" help:"Confirm an own entry: it holds as it stands."`
	Withdraw directoryWithdrawCmd `cmd:"" help:"Withdraw an own entry."`
	Export   directoryExportCmd   `cmd:"" help:"Write the directory as a table (CSV)."`
	Import   directoryImportCmd   `cmd:"" help:"State what a table says of the own entries."`
}

type directoryListCmd struct {
	Channel string `help:"Only of this channel." placeholder:"CHANNEL"`
	Stale   bool   `help:"Only what cannot be relied on."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (directoryListCmd) Help() string {
	return session.Detail("detente directory list --stale", session.ExitDone, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run lists the entries.
func (c *directoryListCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	all, err := node.Directory(s.Ctx, c.Channel)
	if err != nil {
		return err
	}
	var list []api.Contact
	for _, x := range all {
		if !c.Stale || x.Stale != "" {
			list = append(list, x)
		}
	}
	if c.JSON {
		return s.JSON(list)
	}
	if len(list) == 0 {
		s.Printf("No entries. State one with: detente directory add --help\n")
		return nil
	}
	rows := [][]string{{"PARTY", "NAME", "CATEGORY", "24 H", "READS", "MAY", "CONFIRMED", "LAST CHECK", ""}}
	for _, x := range list {
		around, last, note := "no", "–", strings.ToUpper(x.Stale)
		if x.AroundClock {
			around = "yes"
		}
		if x.LastCheck != nil {
			last = session.Moment(x.LastCheck.Sent) + " " + x.LastCheck.State
		}
		if x.ToldLate {
			note = strings.TrimSpace(note + " told late")
		}
		rows = append(rows, []string{string(x.Party), line(x.Name), x.Category, around, line(x.Reads), strings.Join(x.Authority, ","), session.Moment(x.Confirmed), last, note})
	}
	return s.Table(rows...)
}

// line keeps a stranger's words on one line of one column.
func line(text string) string { return strings.Join(strings.Fields(text), " ") }

type directoryAddCmd struct {
	Channel string   `help:"Name, or the beginning of the id." required:"" placeholder:"CHANNEL"`
	Fields  []string `arg:"" name:"field=value" help:"Fields of the form contact; detente channel show lists them."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (directoryAddCmd) Help() string {
	return session.Detail(`
		detente directory add --channel nrrc name=watch category=risk-reduction organisation="National Centre" around_clock=true \
		    voice="+00 1 234" speaks="en, fr" reads="en, fr, ru" authority=receive,acknowledge handovers="06:00 14:00 22:00" nominated_by="Note 17 of the Ministry"`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run states the entry.
func (c *directoryAddCmd) Run(s *session.Session) error {
	text, err := fields(c.Fields)
	if err != nil {
		return err
	}
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	sent, err := node.StateContact(s.Ctx, api.ContactRequest{Channel: c.Channel, Text: text})
	return tell(s, sent, c.JSON, err)
}

// fields reads field=value.
func fields(given []string) (map[string]string, error) {
	text := make(map[string]string)
	for _, f := range given {
		name, value, ok := strings.Cut(f, "=")
		if _, twice := text[name]; !ok || name == "" || twice {
			return nil, session.Fail(session.ExitUse, "detente channel show CHANNEL lists the fields of each form", "%q is not of the shape field=value, or there twice", f)
		}
		text[name] = value
	}
	return text, nil
}

// contactStatus is what confirming and withdrawing take.
type contactStatus struct {
	Name    string `arg:"" help:"Of the own entry."`
	Channel string `help:"Name, or the beginning of the id." required:"" placeholder:"CHANNEL"`
	Text    string `help:"Remark." placeholder:"TEXT"`
	session.JSONFlag
}

func (c *contactStatus) run(s *session.Session, action string) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	sent, err := node.SetContactStatus(s.Ctx, api.ContactStatusRequest{Channel: c.Channel, Name: c.Name, Action: action, Text: c.Text})
	return tell(s, sent, c.JSON, err)
}

type directoryConfirmCmd struct{ contactStatus }

// Help gives an example and the exit codes.
func (directoryConfirmCmd) Help() string {
	return session.Detail("detente directory confirm watch --channel nrrc", session.ExitDone, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run confirms the entry.
func (c *directoryConfirmCmd) Run(s *session.Session) error { return c.run(s, "confirmed") }

type directoryWithdrawCmd struct{ contactStatus }

// Help gives an example and the exit codes.
func (directoryWithdrawCmd) Help() string {
	return session.Detail("detente directory withdraw watch --channel nrrc --text \"The post has moved.\"", session.ExitDone, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run withdraws the entry.
func (c *directoryWithdrawCmd) Run(s *session.Session) error { return c.run(s, "withdrawn") }

type directoryExportCmd struct {
	Channel string `help:"Only of this channel." placeholder:"CHANNEL"`
	Output  string `short:"o" help:"File to write." default:"directory.csv" placeholder:"FILE"`
}

// Help gives an example and the exit codes.
func (directoryExportCmd) Help() string {
	return session.Detail("detente directory export --channel nrrc -o nrrc.csv", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run writes the table.
func (c *directoryExportCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	table, err := node.ExportDirectory(s.Ctx, c.Channel)
	if err != nil {
		return err
	}
	return s.WriteNew(c.Output, table, 0o644)
}

type directoryImportCmd struct {
	File    string `arg:"" help:"Table, - for standard input. Its columns are fields of the form contact."`
	Channel string `help:"Name, or the beginning of the id." required:"" placeholder:"CHANNEL"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (directoryImportCmd) Help() string {
	return "Lines that say what is stated already change nothing. If one line is not right, nothing is stated.\n\n" +
		session.Detail("detente directory import nrrc.csv --channel nrrc", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run states what the table says.
func (c *directoryImportCmd) Run(s *session.Session) error {
	table, err := s.ReadFile(c.File, directory.MaxCSV)
	if err != nil {
		return err
	}
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	r, err := node.ImportDirectory(s.Ctx, c.Channel, table)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := s.JSON(r); err != nil {
			return err
		}
	} else {
		for _, name := range r.Stated {
			s.Printf("stated: %s\n", session.Safe(name))
		}
		s.Printf("%d stated, %d unchanged\n", len(r.Stated), r.Unchanged)
	}
	if len(r.Refused) > 0 {
		return session.Fail(session.ExitRefused, "correct the table; nothing of it was stated", "%s", session.Safe(strings.Join(r.Refused, "; ")))
	}
	return nil
}
