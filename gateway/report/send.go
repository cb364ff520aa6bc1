package report

import (
	"context"
	"errors"
	"fmt"

	"detente/call"
)

// ErrSend says that the mail server did not take a mail. It may be sent again: its id stays the same, and mailboxes know it.
var ErrSend = errors.New("report: not sent")

// Send hands a mail to a mail server, byte by byte as it was signed. Error: ErrSend.
func Send(ctx context.Context, by *call.Mail, m *Message) error {
	ctx, cancel := context.WithTimeout(ctx, call.Limit)
	defer cancel()
	client, err := by.Client()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSend, err)
	}
	c, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSend, err)
	}
	err = func() error {
		if err := c.Mail(m.From); err != nil {
			return err
		}
		if err := c.Rcpt(m.To); err != nil {
			return err
		}
		w, err := c.Data()
		if err != nil {
			return err
		}
		if _, err := w.Write(m.Raw); err != nil {
			return errors.Join(err, w.Close())
		}
		return w.Close() // the server's answer to all of it
	}()
	if err != nil {
		_ = client.CloseWithSMTPClient(c) // the first error tells more
		return fmt.Errorf("%w: %w", ErrSend, err)
	}
	_ = client.CloseWithSMTPClient(c) // it has taken the mail: how it says goodbye does not matter
	return nil
}
