package cli

import (
	"fmt"
	"strings"

	"detente/api"
	"detente/cli/session"
	"detente/party"
	"detente/traffic"
)

type charterCmd struct {
	Export  charterExportCmd  `cmd:"" help:"Write a charter file, to be given to others."`
	Import  charterImportCmd  `cmd:"" help:"Take in another party's charter file."`
	Confirm charterConfirmCmd `cmd:"" help:"Pair with a party whose words were heard."`
	Show    charterShowCmd    `cmd:"" help:"Show a charter with the words of its fingerprint."`
	List    charterListCmd    `cmd:"" help:"Who is known here, and who is paired."`
	Rotate  charterRotateCmd  `cmd:"" help:"Replace keys by a new version of the own charter."`
	Approve charterApproveCmd `cmd:"" help:"Approve a drafted charter with a root key, on its holder's machine."`
	Adopt   charterAdoptCmd   `cmd:"" help:"Put an approved charter into force."`
}

type charterExportCmd struct {
	Party  traffic.Party `arg:"" optional:"" help:"Whose; the own one by default."`
	Output string        `short:"o" help:"Where to; - for standard output. Default: PARTY.charters." placeholder:"FILE"`
}

// Help gives an example and the exit codes.
func (charterExportCmd) Help() string {
	return session.Detail("detente charter export -o xn.charters", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run writes the file.
func (c *charterExportCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	if c.Party == "" {
		st, err := node.Status(s.Ctx)
		if err != nil {
			return err
		}
		c.Party = st.Party
	}
	b, err := node.CharterFile(s.Ctx, c.Party)
	if err != nil {
		return err
	}
	if c.Output == "" {
		c.Output = string(c.Party) + ".charters"
	}
	if err := s.WriteNew(c.Output, b, 0o644); err != nil || c.Output == "-" {
		return err
	}
	view, err := node.Charter(s.Ctx, c.Party, "en")
	if err != nil {
		return err
	}
	s.Printf("%s holds the charter of %s, version %d. Whoever takes it compares these words with you, by voice:\n\n", c.Output, c.Party, view.Version)
	return session.PrintWords(s.Out, wordsOf(view))
}

func wordsOf(c api.Charter) func(string) ([]string, error) {
	return func(lang string) ([]string, error) { return c.Words[lang], nil }
}

type charterImportCmd struct {
	File string `arg:"" help:"What the other party's detente charter export wrote; - for standard input."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (charterImportCmd) Help() string {
	return "A party that is not paired yet becomes pending: nothing is taken from it until its words are compared.\n\n" +
		session.Detail("detente charter import xs.charters", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run takes the file in.
func (c *charterImportCmd) Run(s *session.Session) error {
	b, err := s.ReadFile(c.File, party.MaxChainFile)
	if err != nil {
		return err
	}
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	view, err := node.ImportCharter(s.Ctx, b)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(view)
	}
	if view.Trusted {
		s.Printf("%s is paired; its charter is now at version %d.\n", view.Party, view.Version)
		return nil
	}
	// The words are not shown: whoever sees them is tempted to type them instead of hearing them.
	s.Printf("%s is imported, version %d, and NOT trusted yet.\n\n", view.Party, view.Version)
	s.Printf("Call %s by a way you trust, have its officer read out the 16 words of its charter, and type them into:\n\n", view.Party)
	s.Printf("  detente charter confirm %s\n", view.Party)
	return nil
}

type charterConfirmCmd struct {
	Party traffic.Party `arg:"" help:"Whose words were heard."`
	Words []string      `arg:"" optional:"" help:"The 16 words; asked for on a terminal."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (charterConfirmCmd) Help() string {
	return "The words are those that the other party's officer reads out of detente charter show, in English or Russian.\n\n" +
		session.Detail("detente charter confirm xs", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run pairs with the party.
func (c *charterConfirmCmd) Run(s *session.Session) error {
	spoken := strings.Join(c.Words, " ")
	if spoken == "" {
		if !s.Terminal() {
			return session.Fail(session.ExitPerson, "call the party, and type the words that its officer reads out", "the words of %s were not given", c.Party)
		}
		var err error
		if spoken, err = s.Ask(fmt.Sprintf("the 16 words, as the officer of %s reads them out: ", c.Party)); err != nil {
			return err
		}
	}
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	view, err := node.Confirm(s.Ctx, c.Party, spoken)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(view)
	}
	s.Printf("The words agree. %s is paired.\nThe other side must do the same with the words of this party.\n", view.Party)
	return nil
}

type charterShowCmd struct {
	Party traffic.Party `arg:"" optional:"" help:"Whose; the own one by default."`
	session.LangFlag
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (charterShowCmd) Help() string {
	return session.Detail("detente charter show --lang ru", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run shows the charter.
func (c *charterShowCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	if c.Party == "" {
		st, err := node.Status(s.Ctx)
		if err != nil {
			return err
		}
		c.Party = st.Party
	}
	view, err := node.Charter(s.Ctx, c.Party, c.Lang)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(view)
	}
	if !view.Trusted {
		s.Printf("NOT TRUSTED: its words were not compared yet.\n\n")
	}
	s.Printf("%s", view.Text)
	return nil
}

type charterListCmd struct{ session.JSONFlag }

// Help gives an example and the exit codes.
func (charterListCmd) Help() string {
	return session.Detail("detente charter list", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run lists the parties.
func (c *charterListCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	all, err := node.Charters(s.Ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(all)
	}
	rows := [][]string{{"PARTY", "VERSION", "TRUST", "NAME"}}
	for _, p := range all {
		trust := "words not compared"
		if p.Own {
			trust = "own"
		} else if p.Trusted {
			trust = "paired"
		}
		rows = append(rows, []string{string(p.Party), fmt.Sprint(p.Version), trust, p.Name["en"]})
	}
	return s.Table(rows...)
}
