package secretariat

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"detente/call"

	"github.com/wneessen/go-mail"
)

// Errors of mails that invite.
var (
	ErrNoMail  = errors.New("secretariat: this node has no mail server")
	ErrAddress = errors.New("secretariat: not a mail address")
)

// MaxInvited is how many may be invited at once.
const MaxInvited = 100

// Letter invites people to a round. The file in it is that of Invitation, so that a later letter about the same round changes the event and adds none.
type Letter struct {
	Subject, Text string
	Organizer     string // mail address that answers go to; empty for that of the node
	To            []string
	Calendar      []byte
}

// Delivery is what became of a letter to one of those invited. No error says that the mail server has taken it, not that anybody has read it.
type Delivery struct {
	To  string
	Err error
}

// Post hands a letter to a mail server, by itself for each of those invited, so that one address which is refused keeps nobody else from being invited, RFC 6047 section 2.4.
// A letter that is handed over twice bears one Message-ID for each of them. Every address is looked at before the first letter goes. Errors: ErrNoMail, ErrAddress; what fails later is in
// the deliveries, and in the log of the process.
func (s *Secretariat) Post(ctx context.Context, by *call.Mail, l Letter) ([]Delivery, error) {
	switch {
	case by == nil:
		return nil, ErrNoMail
	case len(l.To) == 0 || len(l.To) > MaxInvited:
		return nil, fmt.Errorf("%w: from 1 to %d are invited at once", ErrAddress, MaxInvited)
	}
	var letters []*mail.Msg
	for _, to := range l.To {
		m, err := l.written(by.From, to)
		if err != nil {
			return nil, err
		}
		letters = append(letters, m)
	}
	out := make([]Delivery, len(letters))
	for i, m := range letters {
		out[i] = Delivery{l.To[i], hand(ctx, by, m)}
		if err := out[i].Err; err != nil {
			s.log.WarnContext(ctx, "an invitation was not taken", "error", err)
		}
	}
	return out, nil
}

func (l *Letter) written(from, to string) (*mail.Msg, error) {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := m.From(from); err != nil {
		return nil, fmt.Errorf("%w: %.80q, of this node: %w", ErrAddress, from, err)
	}
	if err := m.To(to); err != nil {
		return nil, fmt.Errorf("%w: %.80q", ErrAddress, to)
	}
	if l.Organizer != "" {
		if err := m.ReplyTo(l.Organizer); err != nil {
			return nil, fmt.Errorf("%w: %.80q", ErrAddress, l.Organizer)
		}
	}
	_, domain, _ := strings.Cut(from, "@")
	id := sha256.Sum256(append([]byte(to+"\x00"), l.Calendar...))
	m.SetMessageIDWithValue(hex.EncodeToString(id[:16]) + "@" + domain)
	m.SetDate()
	m.Subject(l.Subject)
	m.SetBodyString(mail.TypeTextPlain, l.Text)
	m.AddAlternativeString("text/calendar; method=REQUEST", string(l.Calendar), mail.WithPartEncoding(mail.EncodingB64)) // whose line ends and lengths stay as they are
	if err := m.AttachReader("invitation.ics", bytes.NewReader(l.Calendar), mail.WithFileContentType("application/ics")); err != nil {
		return nil, fmt.Errorf("secretariat: letter: %w", err)
	}
	return m, nil
}

func hand(ctx context.Context, by *call.Mail, m *mail.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, call.Limit)
	defer cancel()
	client, err := by.Client()
	if err == nil {
		err = client.DialAndSendWithContext(ctx, m)
	}
	if err == nil {
		return nil
	}
	if _, said := errors.AsType[*mail.SendError](err); said {
		err = fmt.Errorf("%w: %w", call.ErrRefused, err)
	}
	return fmt.Errorf("secretariat: letter: %w: %w", call.ErrCall, err)
}
