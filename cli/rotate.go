package cli

import (
	"fmt"
	"path/filepath"
	"time"

	"detente/api"
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
func (a *asRoot) open(s *session, fallback func() (party.Lock, error)) ([]*party.RootKey, error) {
	var out []*party.RootKey
	for i, path := range a.Root {
		var lock party.Lock
		var err error
		switch {
		case i < len(a.RootPhrases):
			lock, err = passphraseFile(a.RootPhrases[i])
		case s.KeyFile == "" && s.PassphraseFile == "" && s.terminal():
			var phrase string
			phrase, err = s.secret("passphrase of " + path + ": ")
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
	jsonFlag
}

// Help gives examples and the exit codes.
func (charterRotateCmd) Help() string {
	return "With root keys at hand it is done at once. Else --draft writes a file: each holder runs detente charter approve, and the last result " +
		"is given to detente charter adopt. New keys are in the key file before anybody approves them. After a change of node/transport, restart the node.\n\n" +
		detail(`
		detente charter rotate --slot post/nrrc/real --root root-1.age --root root-2.age
		detente charter rotate --slot node/checkpoint --draft next.draft`,
			exitDone, exitRefused, exitUse, exitUnreachable, exitNotFound, exitPerson)
}

// Run drafts the next charter, and puts it into force if it can be approved here.
func (c *charterRotateCmd) Run(s *session) error {
	settings, err := host.ReadSettings(s.Home)
	if err != nil {
		return err
	}
	lock, err := s.lock(settings)
	if err != nil {
		return err
	}
	pins, err := party.OpenPins(host.KeysDir(s.Home), key.Standard())
	if err != nil {
		return err
	}
	own := pins.Own()
	if own == nil {
		return fail(exitNotFound, "found it with: detente init", "%s holds no charter", host.KeysDir(s.Home))
	}
	ring, err := party.OpenKeyring(host.KeyringPath(s.Home), lock, own.Latest())
	if err != nil {
		return err
	}
	withdrawal := party.Withdrawal{Reason: c.Reason}
	if c.Since != "" {
		if withdrawal.Since, err = time.Parse(time.RFC3339, c.Since); err != nil {
			return fail(exitUse, "write it as 2026-11-23T14:15:00Z", "--since: %w", err)
		}
	}
	roots, err := c.open(s, func() (party.Lock, error) { return lock, nil })
	if err != nil {
		return err
	}
	if len(roots) < own.Latest().Need && c.Draft == "" {
		return fail(exitPerson, "give --root FILE for each, or --draft FILE to have them approve it elsewhere",
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
		s.printf("new root key: %s; give it to its holder\n", path)
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
func (c *charterRotateCmd) circulate(s *session, draft *party.Draft, before *party.Charter, roots []*party.RootKey) error {
	var holders [][]key.Public
	for i := range before.Need {
		n := i + 1
		if i < len(c.Holders) {
			n = c.Holders[i]
		}
		if n < 1 || n > len(before.Roots) {
			return fail(exitUse, "", "there is no root holder %d", n)
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
	if err := s.writeNew(c.Draft, b, 0o644); err != nil {
		return err
	}
	s.printf("%s: version %d, to be approved by %d holders with detente charter approve\n", c.Draft, draft.Version, len(holders))
	return nil
}

// adopt puts an approved charter into force through the node.
func (d decision) adopt(s *session, asJSON bool, charter *party.Charter) error {
	node, err := s.client(false)
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
	view, err := node.Renew(s.ctx, api.RenewRequest{Charter: charter.Bytes(), Post: traffic.Post(post), By: d.By})
	if err != nil {
		return err
	}
	if asJSON {
		return s.json(view)
	}
	s.printf("Version %d of the charter of %s is in force, and announced to every peer. Its words:\n\n", view.Version, view.Party)
	return printWords(s.out, wordsOf(view))
}

// maxDraft is the most bytes of a draft in circulation.
const maxDraft = 1 << 20

type charterApproveCmd struct {
	File   string `arg:"" help:"The draft."`
	Output string `short:"o" help:"Where the approved draft goes." required:"" type:"path" placeholder:"FILE"`
	Yes    bool   `help:"Approve without asking."`
	langFlag
	asRoot
}

// Help gives an example and the exit codes.
func (charterApproveCmd) Help() string {
	return "It needs no node: a holder runs it where the root key is. The draft is shown first.\n\n" +
		detail("detente charter approve next.draft --root root-2.age -o next-2.draft", exitDone, exitRefused, exitUse, exitNotFound, exitPerson)
}

// Run approves the draft.
func (c *charterApproveCmd) Run(s *session) error {
	b, err := s.readFile(c.File, maxDraft)
	if err != nil {
		return err
	}
	circular, err := party.DecodeCircular(b, key.Standard())
	if err != nil {
		return err
	}
	if err := circular.Print(s.out, c.Lang); err != nil {
		return err
	}
	if !c.Yes {
		if !s.terminal() {
			return fail(exitPerson, "read it, then give --yes", "nobody is here to approve it")
		}
		if answer, err := s.ask("approve it? type yes: "); err != nil || answer != "yes" {
			return fail(exitRefused, "", "not approved")
		}
	}
	roots, err := c.open(s, func() (party.Lock, error) { return s.lock(host.Settings{Party: "the root key"}) })
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
	if err := s.writeNew(c.Output, b, 0o644); err != nil {
		return err
	}
	s.printf("%s: approved; %d signatures are still missing\n", c.Output, len(circular.Missing()))
	return nil
}

type charterAdoptCmd struct {
	File string `arg:"" help:"The draft that every holder has approved."`
	decision
	jsonFlag
}

// Help gives an example and the exit codes.
func (charterAdoptCmd) Help() string {
	return detail("detente charter adopt next-2.draft", exitDone, exitRefused, exitUse, exitUnreachable, exitNotFound, exitPerson)
}

// Run puts the charter into force.
func (c *charterAdoptCmd) Run(s *session) error {
	b, err := s.readFile(c.File, maxDraft)
	if err != nil {
		return err
	}
	circular, err := party.DecodeCircular(b, key.Standard())
	if err != nil {
		return err
	}
	if missing := circular.Missing(); len(missing) > 0 {
		return fail(exitPerson, "detente charter approve, by the holders who have not", "%d signatures are missing", len(missing))
	}
	charter, err := circular.Charter()
	if err != nil {
		return err
	}
	return c.adopt(s, c.JSON, charter)
}
