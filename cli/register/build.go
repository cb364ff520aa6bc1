package register

import (
	"os"
	"path/filepath"

	"detente/api/editions"
	"detente/cli/session"
	"detente/traffic"
)

// EditionCmd signs an edition.
type EditionCmd struct {
	Instrument string       `arg:"" help:"The instrument: the beginning of the id of its opening."`
	Post       traffic.Post `help:"Post that signs it, where several may speak in public." placeholder:"POST"`
	Releaser   string       `help:"Duty role of the second person, where one is needed." placeholder:"ROLE"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (EditionCmd) Help() string {
	return "The keeper of a register signs which acts of an instrument it holds, in its own public feed. Whoever has a bundle of that edition can tell whether an act was taken out, changed, added or dated otherwise.\n\n" +
		session.Detail("detente register edition 5f0c12aa --post mfa", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run signs it.
func (c *EditionCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	sent, err := editions.Sign(s.Ctx, node, editions.EditionRequest{Instrument: c.Instrument, Post: c.Post, Releaser: c.Releaser})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(sent)
	}
	s.Printf("%s  %s\n", sent.Number, sent.ID)
	return nil
}

// BuildCmd builds the site.
type BuildCmd struct {
	Out        string   `arg:"" type:"path" help:"Folder to write, on the node's machine: a new one, or one of an earlier build."`
	Instrument []string `help:"Only this instrument: the beginning of its id. May be repeated." placeholder:"ID"`
	Verifier   string   `help:"The verifier for browsers, with wasm_exec.js beside it. If not given: verifier.wasm beside the program, where it is." type:"path" placeholder:"FILE"`
	Parties    string   `help:"Names and regions of the participants: JSON." type:"path" placeholder:"FILE"`
	NoTiles    bool     `help:"Leave out the feeds as tiles."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (BuildCmd) Help() string {
	return "It writes pages in six languages, data, the feeds as tiles and a bundle for each instrument of which this party has signed an edition. Any web server can carry the folder; readers see the old edition or the new one, never half of one.\n\n" +
		session.Detail("detente register build /srv/www/register --parties parties.json", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run builds it.
func (c *BuildCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	built, err := editions.Build(s.Ctx, node, editions.BuildRequest{
		Directory: c.Out, Instruments: c.Instrument, Verifier: beside(c.Verifier), Parties: c.Parties, NoTiles: c.NoTiles,
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(built)
	}
	s.Printf("%s: instruments: %d, files: %d, of those new or changed: %d, removed: %d\n", built.Directory, len(built.Instruments), built.Files, built.Written, built.Removed)
	if len(built.Instruments) == 0 {
		s.Printf("This party has signed no edition. Sign one with: detente register edition INSTRUMENT\n")
	}
	if !built.Verifier {
		s.Printf("Without the verifier for browsers; the pages say how to verify offline.\n")
	}
	return nil
}

// beside is the verifier given, or the one beside the program, if it is there.
func beside(given string) string {
	if given != "" {
		return given
	}
	program, err := os.Executable()
	if err != nil {
		return ""
	}
	path := filepath.Join(filepath.Dir(program), "verifier.wasm")
	for _, name := range []string{path, filepath.Join(filepath.Dir(path), "wasm_exec.js")} {
		if _, err := os.Stat(name); err != nil {
			return ""
		}
	}
	return path
}
