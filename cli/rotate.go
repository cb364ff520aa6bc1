package cli

import (
	"fmt"
	"path/filepath"
	"time"

	"detente/api"
	"detente/cli/session"
	"detente/host"
	"detente/key"
	"detente/party"
	"detente/traffic"
)

// asRoot is whose root keys approve, and what opens their files.
type asRoot struct {
	Root        []string `help:"Root key file of a holder. Repeat until enough approve." type:"path" sep:"none" placeholder:"FILE"`
	RootPhrases []string `name:"root-passphrase-file" help:"Passphrase of each, in their order. Default: as for the node's keys." type:"path" placeholder:"FILE"`
}

// open opens the root keys.
func (a *asRoot) open(s *session.Session, fallback func() (party.Lock, error)) ([]*party.RootKey, error) {
	var out []*party.RootKey
	for i, path := range a.Root {
		var lock party.Lock
		var err error
		switch {
		case i < len(a.RootPhrases):
			lock, err = session.PassphraseFile(a.RootPhrases[i])
		case s.KeyFile == "" && s.PassphraseFile == "" && s.Terminal():
			var phrase string
			phrase, err = s.Secret("passphrase of " + path + ": ")
			lock = party.Lock{Passphrase: phrase}
		default:
			lock, err = fallback()
		}
		if err != nil {
			return nil, err
		}
		root, err := party.OpenRoot(path, lock)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, root)
	}
	return out, nil
}

type charterRotateCmd struct {
	Slot    []party.Slot `help:"Keys to replace: post/POST/PLANE, node/transport, node/checkpoint, node/sealing, …, root/N; detente charter show lists them." required:"" placeholder:"SLOT"`
	Since   string       `help:"The old keys are withdrawn from this time on (RFC 3339): they were, or may have been, in other hands." placeholder:"TIME"`
	Reason  string       `help:"Why they are withdrawn." placeholder:"TEXT"`
	Draft   string       `help:"Write the draft to this file, for holders on other machines to approve." type:"path" placeholder:"FILE"`
	Holders []int        `help:"With --draft: numbers of the root holders who will approve it; the first that suffice by default." placeholder:"N"`
	asRoot
	decision
	session.JSONFlag
}

// Help gives examples and the exit codes.
func (charterRotateCmd) Help() string {
	return "With root keys at hand it is done at once. Else --draft writes a file: each holder runs detente charter approve, and the last result " +
		"is given to detente charter adopt. New keys are in the key file before anybody approves them. After a change of node/transport, restart the node.\n\n" +
		session.Detail(`
		detente charter rotate --slot post/nrrc/real --root root-1.age --root root-2.age
		detente charter rotate --slot node/checkpoint --draft next.draft`,
			session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run drafts the next charter, and puts it into force if it can be approved here.
func (c *charterRotateCmd) Run(s *session.Session) error {
	settings, err := host.ReadSettings(s.Home)
	if err != nil {
		return err
	}
	lock, err := s.Lock(settings)
	if err != nil {
		return err
	}
	pins, err := party.OpenPins(host.KeysDir(s.Home), key.Standard())
	if err != nil {
		return err
	}
	own := pins.Own()
	if own == nil {
		return session.Fail(session.ExitNotFound, "found it with: detente init", "%s holds no charter", host.KeysDir(s.Home))
	}
	ring, err := party.OpenKeyring(host.KeyringPath(s.Home), lock, own.Latest())
	if err != nil {
		return err
	}
	withdrawal := party.Withdrawal{Reason: c.Reason}
	if c.Since != "" {
		if withdrawal.Since, err = time.Parse(time.RFC3339, c.Since); err != nil {
			return session.Fail(session.ExitUse, "write it as 2026-11-23T14:15:00Z", "--since: %w", err)
		}
	}
	roots, err := c.open(s, func() (party.Lock, error) { return lock, nil })
	if err != nil {
		return err
	}
	if len(roots) < own.Latest().Need && c.Draft == "" {
		return session.Fail(session.ExitPerson, "give --root FILE for each, or --draft FILE to have them approve it elsewhere",
			"%d holders of root keys must approve, and %d are here", own.Latest().Need, len(roots))
	}
	draft, next, fresh, err := party.Rotate(own.Latest(), ring, withdrawal, c.Slot...)
	if err != nil {
		return err
	}
	// The keys are saved before anybody approves them: a charter whose keys are lost could not be used.
	if err := party.SaveKeyring(host.KeyringPath(s.Home), next, lock); err != nil {
		return err
	}
	for i, r := range fresh {
		path := filepath.Join(host.KeysDir(s.Home), fmt.Sprintf("root-v%d-%d.age", draft.Version, i+1))
		if err := party.SaveRoot(path, r, lock); err != nil {
			return err
		}
		s.Printf("new root key: %s; give it to its holder\n", path)
	}
	if c.Draft != "" {
		return c.circulate(s, draft, own.Latest(), roots)
	}
	charter, err := party.SignCharter(draft, append(roots, fresh...)...)
	if err != nil {
		return err
	}
	return c.adopt(s, c.JSON, charter)
}

// circulate writes the draft for its holders.
func (c *charterRotateCmd) circulate(s *session.Session, draft *party.Draft, before *party.Charter, roots []*party.RootKey) error {
	var holders [][]key.Public
	for i := range before.Need {
		n := i + 1
		if i < len(c.Holders) {
			n = c.Holders[i]
		}
		if n < 1 || n > len(before.Roots) {
			return session.Fail(session.ExitUse, "", "there is no root holder %d", n)
		}
		holders = append(holders, before.Roots[n-1])
	}
	circular, err := draft.Circulate(holders...)
	if err != nil {
		return err
	}
	for _, r := range roots {
		if err := circular.Sign(r.Signers()...); err != nil {
			return err
		}
	}
	b, err := circular.Encode()
	if err != nil {
		return err
	}
	if err := s.WriteNew(c.Draft, b, 0o644); err != nil {
		return err
	}
	s.Printf("%s: version %d, to be approved by %d holders with detente charter approve\n", c.Draft, draft.Version, len(holders))
	return nil
}

// adopt puts an approved charter into force through the node.
func (d decision) adopt(s *session.Session, asJSON bool, charter *party.Charter) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	post := d.From
	if post == "" {
		for _, p := range charter.Posts {
			if charter.May(p.Name, party.Commit) {
				post = p.Name
				break
			}
		}
	}
	view, err := node.Renew(s.Ctx, api.RenewRequest{Charter: charter.Bytes(), Post: traffic.Post(post), By: d.By})
	if err != nil {
		return err
	}
	if asJSON {
		return s.JSON(view)
	}
	s.Printf("Version %d of the charter of %s is in force, and announced to every peer. Its words:\n\n", view.Version, view.Party)
	return session.PrintWords(s.Out, wordsOf(view))
}

// maxDraft is the most bytes of a draft in circulation.
const maxDraft = 1 << 20

type charterApproveCmd struct {
	File   string `arg:"" help:"The draft."`
	Output string `short:"o" help:"Where the approved draft goes." required:"" type:"path" placeholder:"FILE"`
	Yes    bool   `help:"Approve without asking."`
	session.LangFlag
	asRoot
}

// Help gives an example and the exit codes.
func (charterApproveCmd) Help() string {
	return "It needs no node: a holder runs it where the root key is. The draft is shown first.\n\n" +
		session.Detail("detente charter approve next.draft --root root-2.age -o next-2.draft", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitNotFound, session.ExitPerson)
}

// Run approves the draft.
func (c *charterApproveCmd) Run(s *session.Session) error {
	b, err := s.ReadFile(c.File, maxDraft)
	if err != nil {
		return err
	}
	circular, err := party.DecodeCircular(b, key.Standard())
	if err != nil {
		return err
	}
	if err := circular.Print(s.Out, c.Lang); err != nil {
		return err
	}
	if !c.Yes {
		if !s.Terminal() {
			return session.Fail(session.ExitPerson, "read it, then give --yes", "nobody is here to approve it")
		}
		if answer, err := s.Ask("approve it? type yes: "); err != nil || answer != "yes" {
			return session.Fail(session.ExitRefused, "", "not approved")
		}
	}
	roots, err := c.open(s, func() (party.Lock, error) { return s.Lock(host.Settings{Party: "the root key"}) })
	if err != nil {
		return err
	}
	for _, r := range roots {
		if err := circular.Sign(r.Signers()...); err != nil {
			return err
		}
	}
	if b, err = circular.Encode(); err != nil {
		return err
	}
	if err := s.WriteNew(c.Output, b, 0o644); err != nil {
		return err
	}
	s.Printf("%s: approved; %d signatures are still missing\n", c.Output, len(circular.Missing()))
	return nil
}

type charterAdoptCmd struct {
	File string `arg:"" help:"The draft that every holder has approved."`
	decision
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (charterAdoptCmd) Help() string {
	return session.Detail("detente charter adopt next-2.draft", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run puts the charter into force.
func (c *charterAdoptCmd) Run(s *session.Session) error {
	b, err := s.ReadFile(c.File, maxDraft)
	if err != nil {
		return err
	}
	circular, err := party.DecodeCircular(b, key.Standard())
	if err != nil {
		return err
	}
	if missing := circular.Missing(); len(missing) > 0 {
		return session.Fail(session.ExitPerson, "detente charter approve, by the holders who have not", "%d signatures are missing", len(missing))
	}
	charter, err := circular.Charter()
	if err != nil {
		return err
	}
	return c.adopt(s, c.JSON, charter)
}
