package mailbox

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"detente/gateway/report"
	"detente/incident"
	"detente/store"

	"golang.org/x/text/language"
)

// Send writes the report of a case to an address and hands it to the mail server. Of r the team, the numbers, the time, and what the case says of labels are
// set here; all else is the officer's. role is his duty role. It is kept before it is handed over: if the process dies meanwhile it stays as Writing, and whoever
// sends it again makes another mail of the same thread. Errors: ErrClosed, ErrNoServer, ErrNoNumber, casework.ErrNoCase, report.ErrMissing, report.ErrPlain,
// report.ErrSend, a [label.Refusal].
func (m *Mailbox) Send(ctx context.Context, notation, to string, r report.Report, languages []language.Tag, role string) (Mail, error) {
	if m.cfg.Desk == nil {
		return Mail{}, ErrClosed
	}
	f, err := m.cfg.Cases.File(ctx, notation)
	if err != nil {
		return Mail{}, err
	}
	if f.Number == (incident.Number{}) {
		return Mail{}, ErrNoNumber
	}
	m.writing.Lock()
	defer m.writing.Unlock()
	if r.Label, err = m.cfg.Cases.Parcel(ctx, f, r.Label.TLP, r.Label.PAP); err != nil {
		return Mail{}, err
	}
	if r.Theirs, err = m.theirs(ctx, f.Title); err != nil {
		return Mail{}, err
	}
	if r.Theirs != (report.Ticket{}) && !r.Theirs.Valid() {
		r.Theirs = report.Ticket{}
	}
	earlier, err := m.List(ctx, Filter{Case: f.Title})
	if err != nil {
		return Mail{}, err
	}
	r.Sent = 0
	for _, x := range earlier {
		if !x.In {
			r.Sent++
		}
	}
	r.Team, r.Ticket, r.At = m.cfg.Team, m.ticketOf(f.Number), m.cfg.Now().UTC()
	recipient, err := m.recipient(to, languages)
	if err != nil {
		return Mail{}, err
	}
	out, err := m.cfg.Desk.Write(&r, recipient)
	if err != nil {
		return Mail{}, err
	}
	if m.cfg.Send == nil {
		return Mail{}, ErrNoServer
	}
	x := Mail{
		ID: out.ID, Case: f.Title, Plane: f.Plane, At: r.At, Address: to, TLP: string(r.Label.TLP), Subject: clean(out.Subject, 1000), Text: clean(r.Text, maxText), State: Writing, Role: role,
	}
	if recipient.Key != nil {
		x.Team = recipient.Name
	}
	for _, file := range r.Files {
		x.Files = append(x.Files, strings.ReplaceAll(clean(file.Name, 200), "\n", " "))
	}
	mark := sha256.Sum256([]byte("out\n" + out.ID))
	raw := out.Raw
	if len(raw) > maxRaw {
		raw = []byte{}
	}
	if err := m.db.Update(ctx, store.Calm, func(tx *store.Tx) error { return insert(ctx, tx, &x, mark, raw) }); err != nil {
		return Mail{}, fmt.Errorf("mailbox: %w", err)
	}
	failed := m.cfg.Send(ctx, out)
	if x.State = Sent; failed != nil {
		x.State = Failed
	}
	if err := m.db.Update(context.WithoutCancel(ctx), store.Calm, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE mails SET state = $2 WHERE number = $1", x.Number, x.State)
		return err
	}); err != nil {
		m.log.Error("that a mail was sent cannot be kept", "number", x.Number, "reason", err)
	}
	if failed != nil {
		return x, failed
	}
	if err := m.note(ctx, &x, role); err != nil {
		m.log.Error("the journal cannot be written", "mail", x.Number, "reason", err)
	}
	return x, nil
}

// recipient is the team that an address belongs to, by the keys that are known; without one the address itself.
func (m *Mailbox) recipient(address string, languages []language.Tag) (report.Recipient, error) {
	to := report.Recipient{Name: address, Mail: address, Languages: languages}
	teams, err := m.cfg.Teams()
	for _, k := range teams {
		if k.Key != nil && slices.Contains(k.Key.Addresses(), strings.ToLower(address)) {
			to.Name, to.Key = k.Name, k.Key
			break
		}
	}
	return to, err
}
