package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"detente/cli/session"
	"detente/host"
	"detente/party"
	"detente/traffic"
)

type initCmd struct {
	Party       traffic.Party     `help:"Id of the party: 2 to 32 of a-z, 0-9 and -." placeholder:"ID"`
	Name        map[string]string `help:"Name of the party in a language, such as en=Northland. Repeat for others." placeholder:"TAG=NAME"`
	Language    []string          `help:"Languages that its posts read, the first one preferred." placeholder:"TAG"`
	Listen      string            `help:"host:port at which this node takes calls. None: it calls only." placeholder:"HOST:PORT"`
	Address     string            `help:"host:port at which other parties reach it." placeholder:"HOST:PORT"`
	Console     string            `help:"host:port of the pages for officers, such as localhost:7480. None: no pages." placeholder:"HOST:PORT"`
	Post        []string          `help:"A post that speaks, NAME, or NAME=commit for one that may commit the party. Default: nrrc, cert, experts, council and mfa, of which the last two may." placeholder:"NAME[=commit]"`
	Roots       int               `help:"How many holders of root keys." default:"3"`
	Need        int               `help:"How many of them must approve a charter." default:"2"`
	RootPhrases []string          `name:"root-passphrase-file" help:"Passphrase of each root key file, in their order. Default: that of the node's keys." type:"path" placeholder:"FILE"`
	Database    string            `help:"Where the database is, if not in the home directory: a file, or postgres://…" placeholder:"DSN"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (initCmd) Help() string {
	return "What is not given is asked for on a terminal. With --key-file, the file is made if it is not there.\n\n" +
		session.Detail("detente init --party xn --name en=Northland --listen :7440 --address xn.example:7440 --console localhost:7480", session.ExitDone, session.ExitRefused, session.ExitUse)
}

// Run founds the party.
func (c *initCmd) Run(s *session.Session) error {
	if _, err := os.Stat(filepath.Join(s.Home, host.SettingsName)); err == nil {
		return fmt.Errorf("%w: %s", host.ErrThere, s.Home)
	}
	if err := c.complete(s); err != nil {
		return err
	}
	f, err := c.founding(s)
	if err != nil {
		return err
	}
	charter, err := host.Found(s.Home, f)
	if errors.Is(err, party.ErrOtherKeys) {
		return session.Fail(session.ExitRefused, "if nobody uses them, remove the directory and begin again", "%s holds keys that an unfinished init has left", host.KeysDir(s.Home))
	}
	if err != nil {
		return err
	}
	// A database that cannot be reached yet does not undo the founding: the link can be made at any time.
	link, in, err := host.Invite(s.Ctx, s.Home, f.Settings, f.Lock)
	var noLink error
	if err != nil {
		noLink = session.Fail(session.ExitUnreachable, "once the database is there: detente officer add "+host.FirstAdministrator+" --name Administrator --grant '*=administrator', then detente officer invite "+host.FirstAdministrator,
			"the party is founded, but its first administrator has no link yet: %w", err)
	}
	if c.JSON {
		words, _ := charter.Fingerprint().Words("en")
		err := s.JSON(map[string]any{"party": charter.Party, "home": s.Home, "words": words, "roots": c.Roots, "need": c.Need,
			"administrator": in.Officer, "link": link, "until": in.Until})
		return errors.Join(err, noLink)
	}
	if err := c.tell(s, charter); err != nil {
		return err
	}
	if noLink != nil {
		return noLink
	}
	s.Printf("\nThe first administrator signs in to the console by this link, once, until %s:\n\n  %s\n", session.Moment(in.Until), link)
	if strings.HasPrefix(link, "/") {
		s.Printf("\nPut the address of the console before it; set console.listen in %s first.\n", filepath.Join(s.Home, host.SettingsName))
	}
	return nil
}

// complete asks for what was not given.
func (c *initCmd) complete(s *session.Session) (err error) {
	ask := func(into *string, prompt string) {
		if err == nil && *into == "" && s.Terminal() {
			*into, err = s.Ask(prompt)
		}
	}
	id := string(c.Party)
	fresh := id == ""
	ask(&id, "party id, such as xn: ")
	c.Party = traffic.Party(id)
	if len(c.Name) == 0 {
		name := ""
		ask(&name, "its name in English: ")
		c.Name = map[string]string{"en": name}
	}
	if fresh {
		ask(&c.Listen, "address to take calls at, such as :7440 (empty for none): ")
		if c.Listen != "" {
			ask(&c.Address, "address at which other parties reach it, such as xn.example:7440: ")
		}
	}
	if err != nil {
		return err
	}
	switch {
	case !c.Party.Valid():
		return session.Fail(session.ExitUse, "give --party ID", "%q is no party id: 2 to 32 of a-z, 0-9 and -", c.Party)
	case slices.Contains(slices.Collect(maps.Values(c.Name)), ""):
		return session.Fail(session.ExitUse, "give --name en=NAME", "the party has no name")
	case (c.Listen == "") != (c.Address == ""):
		return session.Fail(session.ExitUse, "give both, or neither", "--listen says where this node takes calls, --address where others reach it")
	}
	return nil
}

func (c *initCmd) founding(s *session.Session) (f host.Founding, err error) {
	f.Settings = host.DefaultSettings(c.Party)
	f.Settings.Listen, f.Settings.Console.Listen = c.Listen, c.Console
	if c.Database != "" {
		f.Settings.Database = c.Database
	}
	if c.Language == nil {
		c.Language = slices.Sorted(maps.Keys(c.Name))
	}
	f.Plan = party.Plan{Party: c.Party, Name: c.Name, Languages: c.Language, Roots: c.Roots, Need: c.Need}
	for _, p := range c.Post {
		name, what, _ := strings.Cut(p, "=")
		plan := party.PostPlan{Name: traffic.Post(name), May: []string{party.Receive, party.Acknowledge, party.Answer}}
		switch what {
		case "":
		case "commit":
			plan.May, plan.Lattice = append(plan.May, party.Commit), true
		default:
			return f, session.Fail(session.ExitUse, "", "--post %s: a post is NAME or NAME=commit", p)
		}
		f.Plan.Posts = append(f.Plan.Posts, plan)
	}
	if c.Address != "" {
		f.Plan.Routes = []party.Route{{Name: "https", Address: c.Address}}
	}
	for _, path := range c.RootPhrases {
		lock, err := session.PassphraseFile(path)
		if err != nil {
			return f, err
		}
		f.Roots = append(f.Roots, lock)
	}
	f.Lock, err = c.lock(s, &f.Settings)
	return f, err
}

// lock is what will open the new keys.
func (c *initCmd) lock(s *session.Session, settings *host.Settings) (party.Lock, error) {
	switch {
	case s.KeyFile != "":
		err := party.NewKeyFile(s.KeyFile)
		if errors.Is(err, fs.ErrExist) {
			err = nil
		}
		if err != nil {
			return party.Lock{}, err
		}
		settings.KeyFile, err = filepath.Abs(s.KeyFile)
		return party.Lock{KeyFile: s.KeyFile}, err
	case s.PassphraseFile != "":
		return session.PassphraseFile(s.PassphraseFile)
	}
	phrase, err := s.NewSecret("the keys of " + string(c.Party))
	return party.Lock{Passphrase: phrase, WorkFactor: session.WorkFactor()}, err
}

func (c *initCmd) tell(s *session.Session, charter *party.Charter) error {
	s.Printf("%s is founded in %s.\n\nFingerprint of its charter, to be compared by voice with each party that takes it:\n\n", charter.Party, s.Home)
	if err := session.PrintWords(s.Out, func(lang string) ([]string, error) { return charter.Fingerprint().Words(lang) }); err != nil {
		return err
	}
	s.Printf("\nNext:\n")
	s.Printf("  1. Take %s … %s off this machine, each to its holder; %d of %d must approve every\n     change of the charter. Who holds them is the party.\n",
		host.RootPath(s.Home, 1), filepath.Base(host.RootPath(s.Home, c.Roots)), c.Need, c.Roots)
	s.Printf("  2. Start the node:           detente serve\n")
	s.Printf("  3. Give others your charter: detente charter export\n")
	_, err := fmt.Fprintf(s.Out, "  4. Take theirs:              detente charter import FILE\n")
	return err
}
