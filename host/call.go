package host

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"detente/call"
	"detente/floor"
)

// CallSettings is the section [call].
type CallSettings struct {
	Mail    MailSettings    `toml:"mail" doc:"Calls to the mail addresses of officers."`
	Webhook WebhookSettings `toml:"webhook" doc:"Calls to the webhooks of officers."`
	Command CommandSettings `toml:"command" doc:"Calls by a program of this machine, for every officer."`
}

// MailSettings is the section [call.mail].
type MailSettings struct {
	Server       string `toml:"server" doc:"host:port of the mail server. Empty: nobody is called by mail."`
	Security     string `toml:"security" doc:"starttls, tls or none; none is for a server on this machine."`
	From         string `toml:"from" doc:"Address that the mails come from."`
	User         string `toml:"user" doc:"Name at the mail server. Empty: it asks for none."`
	PasswordFile string `toml:"password_file" doc:"File with the password."`
}

// WebhookSettings is the section [call.webhook].
type WebhookSettings struct {
	SecretFile string `toml:"secret_file" doc:"File with the secret that signs each call. Empty: nobody is called by webhook."`
}

// CommandSettings is the section [call.command].
type CommandSettings struct {
	Command []string      `toml:"command" doc:"Program and arguments; {officer}, {role}, {post}, {precedence}, {number}, {kind} and {id} stand for words of the call. Empty: none."`
	Timeout time.Duration `toml:"timeout" doc:"After which the program is stopped, and the call counts as failed."`
}

// placer is a way of calling people.
type placer interface {
	Place(ctx context.Context, c call.Call) error
}

// caller gives the calls of the floor to a way of calling people.
type caller struct {
	placer
	console string
}

// Place places a call.
func (p caller) Place(ctx context.Context, c floor.Call) error {
	it := c.Item
	out := call.Call{
		ID: c.ID, Officer: c.Officer, Role: c.Role, Address: c.Means.Address, Language: c.Means.Language, Title: c.Title, More: c.More, Console: p.console,
		Kind: string(it.Kind), Post: string(it.Post), Plane: string(it.Plane), Precedence: it.Precedence.String(), Number: it.Number, Due: it.Due,
	}
	return p.placer.Place(ctx, out)
}

// secret reads a file with a secret. Error: ErrSettings.
func (h *Host) secret(key, path string) (string, error) {
	if path == "" {
		return "", fmt.Errorf("%w: %s is not set", ErrSettings, key)
	}
	b, err := os.ReadFile(h.cfg.Settings.Path(h.cfg.Home, path))
	if err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrSettings, key, err)
	}
	text := strings.TrimSpace(string(b))
	if text == "" {
		return "", fmt.Errorf("%w: %s: %s is empty", ErrSettings, key, path)
	}
	return text, nil
}

// callers are the ways of calling people that are set, by the names of the means.
func (h *Host) callers() (map[string]floor.Caller, error) {
	s := h.cfg.Settings.Call
	out := make(map[string]floor.Caller)
	add := func(name string, p placer) { out[name] = caller{p, h.officers.Origin()} }
	m, err := h.mailServer()
	if err != nil {
		return nil, err
	}
	if m != nil {
		add("mail", m)
	}
	if s.Webhook.SecretFile != "" {
		secret, err := h.secret("call.webhook.secret_file", s.Webhook.SecretFile)
		if err != nil {
			return nil, err
		}
		add("webhook", &call.Webhook{Secret: []byte(secret)})
	}
	if len(s.Command.Command) > 0 {
		add("command", &call.Command{Args: s.Command.Command, Limit: s.Command.Timeout})
	}
	return out, nil
}

// addressBook tells how each officer is called. What it was told last serves while the database cannot be read.
type addressBook struct {
	host *Host
	set  map[string]floor.Caller

	mu   sync.Mutex
	last map[string][]floor.Means // guarded by mu
}

// means lists by which means, beside the console, an officer is called. Whoever was removed is called by none.
func (b *addressBook) means(id string) []floor.Means {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	o, err := b.host.officers.Officer(ctx, id)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		// An officer of the roster who is not enrolled has no addresses, and the command may know him all the same.
		if known := b.last[id]; known != nil {
			return known
		}
	}
	var out []floor.Means
	for _, m := range []floor.Means{{Name: "mail", Address: o.Mail}, {Name: "webhook", Address: o.Webhook}, {Name: "command", Address: id}} {
		if b.set[m.Name] != nil && m.Address != "" && !o.Removed {
			m.Language = o.Language
			out = append(out, m)
		}
	}
	if err == nil {
		b.last[id] = out
	}
	return out
}
