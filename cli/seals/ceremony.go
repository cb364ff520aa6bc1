package seals

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"detente/cli/session"
	"detente/host"
	"detente/key"
	"detente/party"
	"detente/sealing"
	"detente/sealing/ceremony"
	"detente/traffic"
)

// ceremonyCmd is a round at a table.
type ceremonyCmd struct {
	Box      boxCmd      `cmd:"" help:"Make a box: a sealer with keys of its own, for one round, in a file of this machine."`
	Manifest manifestCmd `cmd:"" help:"Make the manifest of a round that a box seals."`
	Consent  consentCmd  `cmd:"" help:"Sign this party's consent, encrypted to the box."`
	Begin    beginCmd    `cmd:"" help:"Have a box seal by a manifest."`
	Take     takeCmd     `cmd:"" help:"Have a box take in a consent."`
	End      endCmd      `cmd:"" help:"Have a box decide, when it is time."`
}

// out is how a message leaves: as lines, and as pictures to be scanned.
type out struct {
	QR   string `help:"Write each line as a picture into this folder, too." placeholder:"FOLDER"`
	Show bool   `help:"Print each line as a picture, too."`
}

func (o *out) say(s *session.Session, kind ceremony.Kind, data []byte) error {
	for i, line := range (ceremony.Message{Kind: kind, Data: data}).Lines() {
		s.Printf("%s\n", line)
		if o.Show {
			text, err := ceremony.Show(line)
			if err != nil {
				return err
			}
			s.Printf("%s", text)
		}
		if o.QR == "" {
			continue
		}
		b, err := ceremony.Picture(line)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(o.QR, 0o755); err != nil {
			return err
		}
		if err := s.WriteNew(filepath.Join(o.QR, fmt.Sprintf("%s-%02d.png", strings.ToLower(string(kind)), i+1)), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// clock is what the time is at the table.
type clock struct {
	At string `help:"What the time is, where this machine's clock cannot be relied on; it cannot go back." placeholder:"TIME"`
}

func (c *clock) now() (time.Time, error) {
	if c.At == "" {
		return time.Now(), nil
	}
	t, err := time.Parse(time.RFC3339, c.At)
	if err != nil {
		return t, session.Fail(session.ExitUse, "write it as 2027-03-01T12:00:00Z", "%q is no time", c.At)
	}
	return t, nil
}

type boxCmd struct {
	File string `arg:"" help:"File to write. Its private keys are in it: leave it on this machine, and keep no copy." placeholder:"FILE"`
	Name string `help:"What it is called in the manifest, as an office is." default:"ceremony/box" placeholder:"PARTY/POST"`
	out
}

// Help gives an example and the exit codes.
func (boxCmd) Help() string {
	return "It prints the card of the box, which detente seal ceremony manifest needs.\n\n" +
		session.Detail("detente seal ceremony box geneva.box --name geneva/box > geneva.card", session.ExitDone, session.ExitRefused, session.ExitUse)
}

// Run makes the box.
func (c *boxCmd) Run(s *session.Session) error {
	name, err := traffic.ParseAddress(c.Name)
	if err != nil {
		return session.Fail(session.ExitUse, "", "%w", err)
	}
	box, err := ceremony.NewBox(name)
	if err != nil {
		return session.Fail(session.ExitUse, "", "%w", err)
	}
	state, err := box.Encode()
	if err != nil {
		return err
	}
	if err := s.WriteNew(c.File, state, 0o600); err != nil {
		return err
	}
	card, err := box.Card()
	if err != nil {
		return err
	}
	b, err := card.Encode()
	if err != nil {
		return err
	}
	return c.say(s, ceremony.KindCard, b)
}

type manifestCmd struct {
	Card     string        `arg:"" help:"Card of the box, as file or lines." placeholder:"CARD"`
	Party    []string      `help:"Party and post that signs, and its charter file; for each party." required:"" placeholder:"PARTY/POST=FILE"`
	Text     []string      `help:"Text that a party holds, in a language; for each." required:"" placeholder:"PARTY:LANG=FILE"`
	Kind     string        `help:"What it is." default:"treaty" placeholder:"WORD"`
	Plane    traffic.Plane `help:"real, exercise or test." default:"real" enum:"real,exercise,test"`
	Deadline string        `help:"Until when the box takes consents." required:"" placeholder:"TIME"`
	Delta    time.Duration `help:"How long after that it decides." default:"1m" placeholder:"DURATION"`
	Output   string        `short:"o" help:"File to write, to be carried to everybody." default:"round.detente-manifest" placeholder:"FILE"`
	out
}

// Help gives an example and the exit codes.
func (manifestCmd) Help() string {
	return "It prints the hash of the manifest, which everybody at the table compares, and its lines.\n\n" + session.Detail(
		"detente seal ceremony manifest geneva.card --party xn/mfa=xn.charters --party xs/mfa=xs.charters --text xn:en=treaty.en.txt --text xs:ru=treaty.ru.txt --deadline 2027-03-01T12:00:00Z",
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitNotFound)
}

const maxText = 64 << 20

// Run makes the manifest.
func (c *manifestCmd) Run(s *session.Session) error {
	b, err := message(s, c.Card, ceremony.KindCard)
	if err != nil {
		return err
	}
	card, err := ceremony.DecodeCard(b)
	if err != nil {
		return session.Fail(session.ExitRefused, "detente seal ceremony box prints it", "%s: %w", c.Card, err)
	}
	deadline, err := (&clock{c.Deadline}).now()
	if err != nil {
		return err
	}
	m := &sealing.Manifest{
		Kind: c.Kind, Plane: c.Plane, Sealers: []sealing.Member{card.Member()}, Deadline: deadline.UTC(), Delta: c.Delta, Effect: sealing.Effect{Kind: sealing.OnSealing},
	}
	rand.Read(m.Nonce[:])
	for _, p := range c.Party {
		member, err := memberOf(s, p, c.Plane)
		if err != nil {
			return err
		}
		m.Parties = append(m.Parties, member)
	}
	whole := sha256.New()
	for _, t := range c.Text {
		whose, file, _ := strings.Cut(t, "=")
		who, lang, ok := strings.Cut(whose, ":")
		if !ok || file == "" {
			return session.Fail(session.ExitUse, "write it as xn:en=treaty.en.txt", "%q names no text", t)
		}
		b, err := s.ReadFile(file, maxText)
		if err != nil {
			return err
		}
		m.Texts = append(m.Texts, sealing.TextHash{Party: traffic.Party(who), Lang: lang, Digest: sha256.Sum256(b)})
	}
	slices.SortFunc(m.Parties, func(a, b sealing.Member) int { return strings.Compare(string(a.Party), string(b.Party)) })
	slices.SortFunc(m.Texts, func(a, b sealing.TextHash) int {
		if a.Party != b.Party {
			return strings.Compare(string(a.Party), string(b.Party))
		}
		return strings.Compare(a.Lang, b.Lang)
	})
	for _, t := range m.Texts {
		whole.Write(t.Digest[:])
	}
	m.Text = [32]byte(whole.Sum(nil)) // no negotiation stands behind it: the texts are what the files are
	b, err = m.Encode()
	if err != nil {
		return session.Fail(session.ExitUse, "", "%w", err)
	}
	if err := s.WriteNew(c.Output, b, 0o644); err != nil {
		return err
	}
	s.Printf("%x\n", sealing.HashOf(b))
	return c.say(s, ceremony.KindManifest, b)
}

// memberOf reads PARTY/POST=FILE.
func memberOf(s *session.Session, arg string, plane traffic.Plane) (sealing.Member, error) {
	name, file, _ := strings.Cut(arg, "=")
	a, err := traffic.ParseAddress(name)
	if err != nil || a.Post == "" || file == "" {
		return sealing.Member{}, session.Fail(session.ExitUse, "write it as xn/mfa=xn.charters", "%q names no post and its charter file", arg)
	}
	b, err := s.ReadFile(file, party.MaxChainFile)
	if err != nil {
		return sealing.Member{}, err
	}
	chain, err := party.DecodeChain(b, key.Standard())
	if err != nil {
		return sealing.Member{}, session.Fail(session.ExitRefused, "ask its party for it again", "%s: %w", file, err)
	}
	post, ok := chain.Latest().Post(a.Post)
	if !ok || chain.Party() != a.Party {
		return sealing.Member{}, session.Fail(session.ExitNotFound, "", "%s is the charter of %s and has no %s", file, chain.Party(), a)
	}
	m := sealing.Member{Party: a.Party, Post: a.Post}
	for _, k := range post.Keys {
		if k.Plane == plane {
			m.Keys = append(m.Keys, k.Key)
		}
	}
	// Ed25519 stands first: a manifest asks for it.
	slices.SortStableFunc(m.Keys, func(a, b key.Public) int { return int(b.Algorithm) - int(a.Algorithm) })
	return m, nil
}

type consentCmd struct {
	Manifest string `arg:"" help:"Manifest, as file or lines." placeholder:"MANIFEST"`
	Hash     string `help:"Its hash, as everybody at the table has compared it, or the first digits of it, 16 at least." required:"" placeholder:"HASH"`
	out
}

// Help gives an example and the exit codes.
func (consentCmd) Help() string {
	return "It signs with the keys of this home directory, and prints lines for the box. They are encrypted to it, and as long as any others of the round.\n\n" +
		session.Detail("detente seal ceremony consent round.detente-manifest --hash 1f0c77d2a90b41e8 > xn.lines", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitNotFound)
}

// Run signs.
func (c *consentCmd) Run(s *session.Session) error {
	b, err := message(s, c.Manifest, ceremony.KindManifest)
	if err != nil {
		return err
	}
	r, err := sealing.Open(b, key.Standard())
	if err != nil {
		return session.Fail(session.ExitRefused, "", "%s: %w", c.Manifest, err)
	}
	hash := r.Hash()
	if len(c.Hash) < 16 || !strings.HasPrefix(hex.EncodeToString(hash[:]), strings.ToLower(c.Hash)) {
		return session.Fail(session.ExitRefused, "compare it with the others at the table", "the hash of this manifest is %x", hash)
	}
	settings, err := host.ReadSettings(s.Home)
	if err != nil {
		return err
	}
	pins, err := party.OpenPins(host.KeysDir(s.Home), key.Standard())
	if err != nil {
		return err
	}
	own := pins.Own()
	if own == nil {
		return fmt.Errorf("%w: %s", host.ErrNoParty, s.Home)
	}
	m, ok := r.Manifest().Party(own.Party())
	if !ok || len(r.Manifest().Sealers) != 1 {
		return session.Fail(session.ExitRefused, "", "%s takes no part in this round, or it has not one sealer", own.Party())
	}
	lock, err := s.Lock(settings)
	if err != nil {
		return err
	}
	ring, err := party.OpenKeyring(host.KeyringPath(s.Home), lock, own.Latest())
	if err != nil {
		return err
	}
	var signers []key.Signer
	for _, k := range m.Keys {
		private := ring.Private(k.ID())
		if private == nil {
			return session.Fail(session.ExitRefused, "", "%w: %s", party.ErrNoKey, k.ID())
		}
		signers = append(signers, private)
	}
	consent, err := r.SignConsent(own.Party(), signers...)
	if err != nil {
		return err
	}
	sealed, err := r.SealPacket(sealing.Packet{Consents: []sealing.Consent{consent}}, r.Manifest().Sealers[0].Address(), nil)
	if err != nil {
		return err
	}
	return c.say(s, ceremony.KindPacket, sealed)
}

// withBox has a box do something, and keeps its state before anything of it is shown. A box that was interrupted in between goes on from the state before.
func withBox(s *session.Session, file string, do func(*ceremony.Box) error) (*ceremony.Box, error) {
	b, err := s.ReadFile(file, ceremony.MaxState)
	if err != nil {
		return nil, err
	}
	box, err := ceremony.DecodeBox(b)
	if err != nil {
		return nil, session.Fail(session.ExitRefused, "", "%s: %w", file, err)
	}
	if err := do(box); err != nil {
		return nil, err
	}
	if b, err = box.Encode(); err != nil {
		return nil, err
	}
	return box, overwrite(file, b)
}

type beginCmd struct {
	File     string `arg:"" help:"The box." placeholder:"BOX"`
	Manifest string `arg:"" help:"Manifest, as file or lines." placeholder:"MANIFEST"`
}

// Help gives an example and the exit codes.
func (beginCmd) Help() string {
	return session.Detail("detente seal ceremony begin geneva.box round.detente-manifest", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitNotFound)
}

// Run begins, and prints what everybody compares.
func (c *beginCmd) Run(s *session.Session) error {
	b, err := message(s, c.Manifest, ceremony.KindManifest)
	if err != nil {
		return err
	}
	var r *sealing.Round
	if _, err := withBox(s, c.File, func(box *ceremony.Box) (err error) {
		if r, err = box.Begin(b); err != nil {
			err = session.Fail(session.ExitRefused, "", "%w", err)
		}
		return err
	}); err != nil {
		return err
	}
	m := r.Manifest()
	s.Printf("%x\n  %s, %s, between %s\n  consents until %s, decided after %s\n", r.Hash(), m.Kind, m.Plane, addresses(m.Parties), session.Moment(m.Deadline), session.Moment(m.Final()))
	return nil
}

type takeCmd struct {
	File  string `arg:"" help:"The box." placeholder:"BOX"`
	Lines string `arg:"" help:"Lines of a consent, as scanned or pasted; - for standard input." placeholder:"FILE"`
	clock
}

// Help gives an example and the exit codes.
func (takeCmd) Help() string {
	return session.Detail("detente seal ceremony take geneva.box xn.lines", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitNotFound)
}

// Run takes it in.
func (c *takeCmd) Run(s *session.Session) error {
	now, err := c.now()
	if err != nil {
		return err
	}
	b, err := message(s, c.Lines, ceremony.KindPacket)
	if err != nil {
		return err
	}
	if _, err := withBox(s, c.File, func(box *ceremony.Box) error {
		if err := box.Take(now, b); err != nil {
			return session.Fail(session.ExitRefused, "", "%w", err)
		}
		return nil
	}); err != nil {
		return err
	}
	s.Printf("taken in; what was in it the box tells nobody before the end\n")
	return nil
}

type endCmd struct {
	File   string `arg:"" help:"The box." placeholder:"BOX"`
	Output string `short:"o" help:"Write the file from which anybody computes the verdict, too." placeholder:"FILE"`
	clock
	out
}

// Help gives an example and the exit codes.
func (endCmd) Help() string {
	return "It may be asked again: the box says the same.\n\n" +
		session.Detail("detente seal ceremony end geneva.box -o treaty.detente-verdict", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitNotFound)
}

// Run decides.
func (c *endCmd) Run(s *session.Session) error {
	now, err := c.now()
	if err != nil {
		return err
	}
	box, err := withBox(s, c.File, func(box *ceremony.Box) error {
		err := box.Decide(now)
		if errors.Is(err, ceremony.ErrEarly) || errors.Is(err, ceremony.ErrNone) || errors.Is(err, ceremony.ErrClock) {
			return session.Fail(session.ExitRefused, "", "%w", err)
		}
		return err
	})
	if err != nil {
		return err
	}
	file, decision, err := box.Verdict()
	if err != nil {
		return err
	}
	if c.Output != "" {
		if err := s.WriteNew(c.Output, file, 0o644); err != nil {
			return err
		}
	}
	s.Printf("%s\n", strings.ToUpper(string(decision)))
	return c.say(s, ceremony.KindVerdict, file)
}
