package call

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"
)

// The ways in which the connection to a mail server is kept secret.
const (
	StartTLS = "starttls" // demanded: where the server does not offer it, nothing is sent
	TLS      = "tls"      // from the first byte
	Plain    = "none"     // for a server on this machine
)

// Mail reaches officers at their mail addresses.
type Mail struct {
	Server   string // host:port
	Security string // StartTLS, TLS or Plain; empty is StartTLS
	From     string
	User     string // empty: the server asks for none
	Password string
	Config   *tls.Config // nil: what this machine trusts
}

// Place hands the call to the mail server. A call placed twice bears one Message-ID. Error: ErrCall.
func (m *Mail) Place(ctx context.Context, c Call) error {
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	client, err := m.Client()
	if err != nil {
		return fmt.Errorf("%w: mail: %w", ErrCall, err)
	}
	msg, err := m.message(c)
	if err != nil {
		return fmt.Errorf("%w: mail: %w", ErrCall, err)
	}
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		if _, said := errors.AsType[*mail.SendError](err); said {
			err = fmt.Errorf("%w: %w", ErrRefused, err)
		}
		return fmt.Errorf("%w: mail: %w", ErrCall, err)
	}
	return nil
}

// Client is a connection to the mail server that is not yet open. What it sends is for its caller to say.
func (m *Mail) Client() (*mail.Client, error) {
	host, port, err := net.SplitHostPort(m.Server)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	options := []mail.Option{mail.WithPort(n), mail.WithTimeout(Limit)}
	switch m.Security {
	case "", StartTLS:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case TLS:
		options = append(options, mail.WithSSL())
	case Plain:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		return nil, fmt.Errorf("security %q is not %s, %s or %s", m.Security, StartTLS, TLS, Plain)
	}
	if m.Config != nil {
		config := m.Config.Clone()
		if config.ServerName == "" {
			config.ServerName = host
		}
		options = append(options, mail.WithTLSConfig(config))
	}
	if m.User != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(m.User), mail.WithPassword(m.Password))
	}
	return mail.NewClient(host, options...)
}

func (m *Mail) message(c Call) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := msg.From(m.From); err != nil {
		return nil, err
	}
	if err := msg.To(c.Address); err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(m.From, "@")
	id := sha256.Sum256([]byte(c.ID))
	msg.SetMessageIDWithValue(hex.EncodeToString(id[:16]) + "@" + domain)
	msg.SetDate()
	msg.Subject(c.subject())
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	if c.Precedence == "FLASH" || c.Precedence == "IMMEDIATE" {
		msg.SetImportance(mail.ImportanceHigh)
	}
	msg.SetBodyString(mail.TypeTextPlain, c.text())
	return msg, nil
}
