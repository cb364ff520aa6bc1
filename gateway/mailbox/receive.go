package mailbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"detente/casework"
	"detente/form"
	"detente/gateway/report"
	"detente/journal"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

const (
	maxText = 64 << 10
	maxRaw  = 8 << 20
	maxNote = 7000 // bytes of a text that go into the journal
)

// Receive takes a mail in: it finds its case, keeps it, and writes a note on the case into the journal. When it returns the mail is durable. known tells that it
// was here before. Errors: ErrClosed, report.ErrMail.
func (m *Mailbox) Receive(ctx context.Context, raw []byte) (got Mail, known bool, err error) {
	if m.cfg.Desk == nil {
		return got, false, ErrClosed
	}
	teams, err := m.cfg.Teams()
	if err != nil {
		return got, false, err
	}
	r, err := m.cfg.Desk.Receive(raw, m.cfg.Queue, teams, m.cfg.Now())
	if err != nil {
		return got, false, err
	}
	got = Mail{
		In: true, ID: clean(r.ID, 250), Plane: traffic.Plane(r.Plane), At: m.cfg.Now().UTC(), Address: clean(r.From, 250), Flaw: clean(r.Flaw, 250), Auto: r.Auto, TLP: string(r.TLP),
		Subject: clean(r.Subject, 1000), Text: clean(r.Text, maxText), State: Arrived,
	}
	switch {
	case r.Signed:
		got.Team, got.Proof = r.Team, Signed
	case r.Answers:
		got.Proof = Answers
	}
	for _, f := range r.Files {
		got.Files = append(got.Files, strings.ReplaceAll(clean(f.Name, 200), "\n", " "))
	}
	if number, err := caseOf(r.Ticket); err == nil {
		f, err := m.cfg.Cases.File(ctx, number.String())
		switch {
		case err == nil:
			got.Case, got.Plane = f.Title, f.Plane
		case !errors.Is(err, casework.ErrNoCase) && !errors.Is(err, casework.ErrAmbiguous):
			return got, false, err
		}
	}
	if got.Case == "" || len(raw) > maxRaw {
		raw = []byte{}
	}
	// A Message-ID is the sender's choice: whoever uses another's again does not keep the other's mail out.
	mark := sha256.Sum256(fmt.Appendf(nil, "in\n%s\n%s\n%s\n%s", got.ID, got.Address, got.Subject, got.Text))
	err = m.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		known = false
		err := tx.QueryRow(ctx, "SELECT number FROM mails WHERE mark = $1", mark[:]).Scan(&got.Number)
		if known = err == nil; known || !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return insert(ctx, tx, &got, mark, raw)
	})
	if err != nil {
		return got, known, fmt.Errorf("mailbox: %w", err)
	}
	return got, known, m.settle(ctx)
}

// insert puts a mail behind the last one.
func insert(ctx context.Context, tx *store.Tx, x *Mail, mark [32]byte, raw []byte) error {
	if err := tx.QueryRow(ctx, "SELECT COALESCE(MAX(number), 0) + 1 FROM mails").Scan(&x.Number); err != nil {
		return err
	}
	direction, auto := "out", 0
	if x.In {
		direction = "in"
	}
	if x.Auto {
		auto = 1
	}
	_, err := tx.Exec(ctx, `INSERT INTO mails (number, way, mark, id, incident, plane, at, address, team, proof, flaw, auto, tlp, subject, body, files, raw, state, seen, role)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 0, $19)`,
		x.Number, direction, mark[:], x.ID, x.Case, string(x.Plane), x.At.UnixMicro(), x.Address, x.Team, x.Proof, x.Flaw, auto, x.TLP, x.Subject, x.Text,
		strings.Join(x.Files, "\n"), raw, x.State, x.Role)
	return err
}

// settle writes into the journal what is not there yet, and puts onto the board what waits for somebody. Dying between the journal and the note of it the
// claim of the floor tells that it was written.
func (m *Mailbox) settle(ctx context.Context) error {
	var fresh []Mail
	err := m.db.View(ctx, func(tx *store.Tx) (err error) {
		fresh, err = store.All(ctx, tx, (*Mail).fields, "SELECT "+mailColumns+" FROM mails WHERE state = 'new' ORDER BY number LIMIT $1", mostOpen)
		return err
	})
	if err != nil {
		return fmt.Errorf("mailbox: %w", err)
	}
	for i := range fresh {
		x := &fresh[i]
		if x.Case != "" {
			if err := m.cfg.Floor.Once(ctx, fmt.Sprintf("mail:%d", x.Number), Noted, func() error { return m.note(ctx, x, journal.Machine) }); err != nil {
				return fmt.Errorf("mailbox: journal: %w", err)
			}
		}
		err := m.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE mails SET state = 'noted' WHERE number = $1 AND state = 'new'", x.Number)
			return err
		})
		if err != nil {
			return fmt.Errorf("mailbox: %w", err)
		}
	}
	return m.load(ctx)
}

// note writes a mail into the journal, as a note on its case.
func (m *Mailbox) note(ctx context.Context, x *Mail, role string) error {
	f, err := m.cfg.Cases.File(ctx, x.Case)
	if err != nil {
		return err
	}
	var refs []statement.ID
	for _, s := range f.Sheets {
		if len(s.Entries) > 0 {
			refs = append(refs, s.Entries[0].ID)
		}
	}
	arrow, proof := "→ "+x.Address, x.Proof
	if x.In {
		if arrow = "← " + x.Address; x.Team != "" {
			proof += ", " + x.Team
		}
	}
	text := fmt.Sprintf("%s %s [%s]\n%s\n\n%s", x.Case, arrow, proof, x.Subject, clean(x.Text, maxNote))
	post := m.post()
	_, err = m.cfg.Floor.Journal().Record(ctx, post, role, "entry", form.Values{"post": string(post), "text": form.Clean(text, false, 7800), "by": role}, refs...)
	return err
}

// post is that of the response team, else the first.
func (m *Mailbox) post() traffic.Post {
	posts := m.node.Chain(m.node.Self()).Latest().Posts
	for _, p := range posts {
		if p.Name == "cert" {
			return p.Name
		}
	}
	return posts[0].Name
}

// theirs is the number under which the other side keeps a case, as an answer that proves something has told it.
func (m *Mailbox) theirs(ctx context.Context, number string) (t report.Ticket, err error) {
	list, err := m.List(ctx, Filter{Case: number})
	for _, x := range list {
		if !x.In || x.Proof == "" {
			continue
		}
		for _, t := range report.Tickets(x.Subject) {
			if !strings.EqualFold(t.Queue, m.cfg.Queue) {
				return t, err
			}
		}
	}
	return t, err
}
