package host

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"detente/call"
	"detente/casework"
	"detente/gateway/mailbox"
	"detente/gateway/report"
)

// ReportSettings is the section [gateway.mail].
type ReportSettings struct {
	Address        string `toml:"address" doc:"Of the response team, for answers. Empty: it writes and reads no mail. Its key is keys/mail.asc; keys of other teams are keys/teams/NAME.asc."`
	Name           string `toml:"name" doc:"Of the team. Empty: CERT of the party."`
	Phone          string `toml:"phone" doc:"For urgent calls."`
	About          string `toml:"about" doc:"Where its RFC 2350 stands."`
	Member         string `toml:"member" doc:"Such as FIRST, TF-CSIRT."`
	Queue          string `toml:"queue" doc:"Of the own numbers in subjects. Empty: the party and -cert, such as xn-cert."`
	Maildir        string `toml:"maildir" doc:"Folder that is looked into for answers. Empty: none; a mail server can hand them to detente gateway mail receive."`
	PassphraseFile string `toml:"passphrase_file" doc:"File with the passphrase of keys/mail.asc. Empty: it has none."`
}

// MailKeyPath is the OpenPGP key of the response team, in armour.
func MailKeyPath(home string) string { return filepath.Join(KeysDir(home), "mail.asc") }

// MailSecretPath is the secret that marks the ids of its mails.
func MailSecretPath(home string) string { return filepath.Join(KeysDir(home), "mail.secret") }

// TeamsDir holds the OpenPGP keys of other teams, by the names of their files: xs.asc is of the party xs, xs_cert.asc of its post cert.
func TeamsDir(home string) string { return filepath.Join(KeysDir(home), "teams") }

// post makes the mailbox beside the floor.
func (h *Host) post(work *casework.Casework) error {
	s := h.cfg.Settings.Gateway.Mail
	c := mailbox.Config{
		Floor: h.floor, Cases: work, Queue: s.Queue, Maildir: h.cfg.Settings.Path(h.cfg.Home, s.Maildir), Log: h.log,
		Team:  report.Team{Name: s.Name, Mail: s.Address, Phone: s.Phone, About: s.About, Member: s.Member},
		Teams: func() ([]report.Known, error) { return teams(TeamsDir(h.cfg.Home)) },
	}
	if c.Queue == "" {
		c.Queue = string(h.node.Self()) + "-cert"
	}
	if c.Team.Name == "" {
		c.Team.Name = "CERT of " + string(h.node.Self())
	}
	if s.Address != "" {
		var err error
		if c.Desk, c.Team.Fingerprint, err = h.desk(); err != nil {
			return err
		}
	}
	by, err := h.mailServer()
	if err != nil {
		return err
	}
	if by != nil {
		c.Send = func(ctx context.Context, m *report.Message) error { return report.Send(ctx, by, m) }
	}
	h.mailbox = mailbox.New(c)
	return nil
}

// mailServer is the one that calls go by as well; nil where none is set.
func (h *Host) mailServer() (*call.Mail, error) {
	s := h.cfg.Settings.Call.Mail
	if s.Server == "" {
		return nil, nil
	}
	m := &call.Mail{Server: s.Server, Security: s.Security, From: s.From, User: s.User}
	if m.User == "" {
		return m, nil
	}
	var err error
	m.Password, err = h.secret("call.mail.password_file", s.PasswordFile)
	return m, err
}

// desk opens the key of the response team. Error: ErrSettings.
func (h *Host) desk() (*report.Desk, string, error) {
	path := MailKeyPath(h.cfg.Home)
	armoured, err := os.ReadFile(path)
	if err != nil {
		return nil, "", fmt.Errorf("%w: [gateway.mail] address is set, and there is no OpenPGP key: put the armoured secret key at %s", ErrSettings, path)
	}
	var passphrase string
	if file := h.cfg.Settings.Gateway.Mail.PassphraseFile; file != "" {
		if passphrase, err = h.secret("gateway.mail.passphrase_file", file); err != nil {
			return nil, "", err
		}
	}
	k, err := report.ReadKey(armoured, []byte(passphrase))
	if err != nil {
		return nil, "", fmt.Errorf("%w: %s: %w", ErrSettings, path, err)
	}
	secret, err := mailSecret(MailSecretPath(h.cfg.Home))
	if err != nil {
		return nil, "", err
	}
	d, err := report.NewDesk(k, secret)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %s: %w", ErrSettings, path, err)
	}
	return d, k.Fingerprint(), nil
}

// mailSecret reads the secret, or makes it: it has to stay the same, or answers to earlier mails are known by their number only.
func mailSecret(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		secret := make([]byte, 32)
		rand.Read(secret)
		return secret, writeFile(path, []byte(hex.EncodeToString(secret)+"\n"))
	}
	if err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) < 32 {
		return nil, fmt.Errorf("%w: %s holds no secret of 32 bytes in hex", ErrSettings, path)
	}
	return secret, nil
}

// mostTeams is how many keys are read.
const mostTeams = 1000

// teams reads the keys of other teams. One that cannot be read is an error: a signature by it would count as nobody's.
func teams(dir string) ([]report.Known, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.asc"))
	if err != nil {
		return nil, err
	}
	if len(files) > mostTeams {
		return nil, fmt.Errorf("%w: over %d keys in %s", ErrSettings, mostTeams, dir)
	}
	var out []report.Known
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		k, err := report.ReadKey(b, nil)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrSettings, path, err)
		}
		name := strings.Replace(strings.TrimSuffix(filepath.Base(path), ".asc"), "_", "/", 1)
		out = append(out, report.Known{Name: name, Key: k})
	}
	return out, nil
}
