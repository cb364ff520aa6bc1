// Package mailbox is the mail of the response team about cases: it writes the human report of one, and brings what is answered back into it.
// It must never send what a label forbids, nor take a sender's word for who he is; what came by mail is shown to the own side alone.
package mailbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"detente/casework"
	"detente/floor"
	"detente/gateway/report"
	"detente/incident"
	"detente/node"
	"detente/store"
	"detente/traffic"
	"detente/watch"
)

// Errors that a caller decides on. Those of package report come through.
var (
	ErrClosed   = errors.New("mailbox: no mail is written or read here: there is no OpenPGP key")
	ErrNoServer = errors.New("mailbox: no mail server is set")
	ErrNoMail   = errors.New("mailbox: no such mail that waits for somebody")
	ErrNoNumber = errors.New("mailbox: the case bears no number, by which an answer could be found")
)

// Config is what a mailbox is made of.
type Config struct {
	Floor *floor.Floor
	Cases *casework.Casework
	Desk  *report.Desk // nil: it is closed
	Team  report.Team  // who writes
	Queue string       // of the own tickets, such as xn-cert
	// Teams gives the teams whose keys are known, under the names by which labels name them.
	Teams func() ([]report.Known, error)
	// Send hands a mail to the mail server; nil: there is none.
	Send    func(context.Context, *report.Message) error
	Maildir string           // that is looked into; empty: none
	Log     *slog.Logger     // nil discards
	Now     func() time.Time // nil is time.Now
}

// Mailbox is the mail of a node. Its methods may be called at the same time.
type Mailbox struct {
	cfg  Config
	node *node.Node
	db   *store.DB
	log  *slog.Logger

	writing sync.Mutex // one mail is written at a time: each has its number in the thread

	mu   sync.RWMutex // guards open; the floor's own lock comes before it
	open []Mail
}

// New joins a floor. It must be called before the floor runs.
func New(cfg Config) *Mailbox {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Teams == nil {
		cfg.Teams = func() ([]report.Known, error) { return nil, nil }
	}
	n := cfg.Floor.Node()
	m := &Mailbox{cfg: cfg, node: n, db: n.DB, log: cfg.Log}
	cfg.Floor.Join(m)
	return m
}

// Schema is the table of this package.
func Schema() store.Schema {
	return store.Schema{Package: "mailbox", Steps: []string{`
CREATE TABLE mails (
	number    {rowkey},
	way       TEXT NOT NULL,          -- in or out
	mark      {bytes} NOT NULL UNIQUE, -- by which a mail that comes again is known
	id        TEXT NOT NULL,          -- Message-ID
	incident  TEXT NOT NULL,          -- number of the case; empty where it names none that is here
	plane     TEXT NOT NULL,
	at        {bigint} NOT NULL,       -- when it came or went, unix microseconds
	address   TEXT NOT NULL,          -- that it says it comes from, or that it goes to
	team      TEXT NOT NULL,          -- whose key has signed it, or it was encrypted to
	proof     TEXT NOT NULL,          -- signed: by a team that is known. answers: by somebody who has had a mail of ours. Empty: anybody may have written it
	flaw      TEXT NOT NULL,          -- why a signature that is there does not count
	auto      {bigint} NOT NULL,       -- 1 for what a machine has written
	tlp       TEXT NOT NULL,
	subject   TEXT NOT NULL,
	body      TEXT NOT NULL,
	files     TEXT NOT NULL,          -- their names, one a line
	raw       {bytes} NOT NULL,        -- of one that belongs to a case
	state     TEXT NOT NULL,          -- new, then noted in the journal; writing, then sent or failed
	seen      {bigint} NOT NULL,
	role      TEXT NOT NULL           -- of whoever has seen or sent it
);
CREATE INDEX mails_incident ON mails (incident, number);
CREATE INDEX mails_state ON mails (state, seen, number);`}}
}

// Mail is a mail that came or went.
type Mail struct {
	Number  int64
	In      bool
	ID      string
	Case    string
	Plane   traffic.Plane
	At      time.Time
	Address string
	Team    string
	Proof   string
	Flaw    string
	Auto    bool
	TLP     string
	Subject string
	Text    string
	Files   []string
	State   string
	Seen    time.Time
	Role    string
}

// States of a mail.
const (
	Arrived = "new"     // it came, and is not in the journal yet
	Noted   = "noted"   // it came
	Writing = "writing" // whether the mail server has it is not known
	Sent    = "sent"
	Failed  = "failed"
)

// Proofs of who has written a mail.
const (
	Signed  = "signed"
	Answers = "answers"
)

const mailColumns = "number, way, id, incident, plane, at, address, team, proof, flaw, auto, tlp, subject, body, files, state, seen, role"

func (m *Mail) fields() []any {
	return []any{
		&m.Number, way{&m.In}, &m.ID, &m.Case, (*string)(&m.Plane), instant{&m.At}, &m.Address, &m.Team, &m.Proof, &m.Flaw, flag{&m.Auto}, &m.TLP, &m.Subject, &m.Text,
		lines{&m.Files}, &m.State, instant{&m.Seen}, &m.Role,
	}
}

// waits tells whether somebody has to look at a mail. What names no case and proves nothing might be anybody's, as often as he likes: it is listed only.
func (m *Mail) waits() bool {
	return m.In && m.State == Noted && m.Seen.IsZero() && !m.Auto && (m.Case != "" || m.Proof != "")
}

const (
	look     = 30 * time.Second // between two looks into the maildir
	mostOpen = 500
)

// Run looks into the maildir, and finishes what another process has left, until ctx ends.
func (m *Mailbox) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := m.Turn(ctx); err != nil && ctx.Err() == nil {
			m.log.Error("mail", "reason", err)
		}
		timer := time.NewTimer(look)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// Turn does all that there is to do now.
func (m *Mailbox) Turn(ctx context.Context) error {
	if m.cfg.Maildir != "" && m.cfg.Desk != nil {
		err := report.Maildir{Folder: m.cfg.Maildir}.Each(func(raw []byte) error {
			_, _, err := m.Receive(ctx, raw)
			return err
		})
		if err != nil {
			return err
		}
	}
	return m.settle(ctx)
}

// Add does nothing: a mail is no statement.
func (m *Mailbox) Add(*floor.Told) {}

// Errand does nothing: Run does.
func (m *Mailbox) Errand(context.Context, time.Time) time.Time { return time.Time{} }

// Items are the mails that nobody has seen.
func (m *Mailbox) Items(time.Time) (items []*watch.Item, again time.Time) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for i := range m.open {
		x := &m.open[i]
		items = append(items, &watch.Item{
			Key: watch.Key(watch.Case, "mail", fmt.Sprint(x.Number)), Kind: watch.Case, Plane: x.Plane, Precedence: traffic.Routine, Say: "case.mail",
			Args: []any{or(x.Case, x.Subject), x.Address}, Number: x.Case, Since: x.At,
		})
	}
	return items, time.Time{}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// load reads what waits for somebody.
func (m *Mailbox) load(ctx context.Context) error {
	var open []Mail
	err := m.db.View(ctx, func(tx *store.Tx) error {
		all, err := store.All(ctx, tx, (*Mail).fields, "SELECT "+mailColumns+" FROM mails WHERE state = 'noted' AND seen = 0 AND auto = 0 AND (incident <> '' OR proof <> '') ORDER BY number LIMIT $1", mostOpen)
		open = nil
		for _, x := range all {
			if x.waits() {
				open = append(open, x)
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("mailbox: %w", err)
	}
	m.mu.Lock()
	same := len(open) == len(m.open)
	for i := range open {
		same = same && open[i].Number == m.open[i].Number
	}
	m.open = open
	m.mu.Unlock()
	if !same {
		m.cfg.Floor.Kick()
	}
	return nil
}

// Filter narrows a list; its zero value is all.
type Filter struct {
	Case string // number
	Open bool   // that wait for somebody
}

// MaxMails is the most that List gives.
const MaxMails = 500

// List gives the mails, the newest first.
func (m *Mailbox) List(ctx context.Context, f Filter) ([]Mail, error) {
	out := []Mail{}
	err := m.db.View(ctx, func(tx *store.Tx) error {
		all, err := store.All(ctx, tx, (*Mail).fields, "SELECT "+mailColumns+" FROM mails WHERE incident = $1 OR $1 = '' ORDER BY number DESC LIMIT $2", f.Case, MaxMails)
		out = out[:0]
		for _, x := range all {
			if !f.Open || x.waits() {
				out = append(out, x)
			}
		}
		return err
	})
	return out, err
}

// Seen takes a mail off the board. role is the duty role of whoever has seen it. Error: ErrNoMail.
func (m *Mailbox) Seen(ctx context.Context, number int64, role string) error {
	err := m.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, "UPDATE mails SET seen = $2, role = $3 WHERE number = $1 AND way = 'in' AND seen = 0", number, m.cfg.Now().UnixMicro(), role)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrNoMail, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return m.load(ctx)
}

// ticketOf is the number of a case as it stands in a subject: a ticket holds no slash.
func (m *Mailbox) ticketOf(n incident.Number) report.Ticket {
	return report.Ticket{Queue: m.cfg.Queue, Number: strings.Replace(n.String(), "/", "_", 1)}
}

// caseOf is the number of a case by its ticket.
func caseOf(t report.Ticket) (incident.Number, error) {
	return incident.ParseNumber(strings.ToLower(strings.Replace(t.Number, "_", "/", 1)))
}

// clean is a text that a database takes, whatever a stranger put into it.
func clean(s string, most int) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s[:min(len(s), most)], "?"), "\x00", "?")
}

// instant scans unix microseconds, of which 0 is none.
type instant struct{ to *time.Time }

// Scan takes what the database holds.
func (i instant) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("mailbox: %T in a column of microseconds", v)
	}
	if *i.to = (time.Time{}); n != 0 {
		*i.to = time.UnixMicro(n).UTC()
	}
	return nil
}

// flag scans 0 and 1.
type flag struct{ to *bool }

// Scan takes what the database holds.
func (f flag) Scan(v any) error {
	n, ok := v.(int64)
	*f.to = n == 1
	if !ok {
		return fmt.Errorf("mailbox: %T in a column of flags", v)
	}
	return nil
}

// way scans in and out.
type way struct{ in *bool }

// Scan takes what the database holds.
func (w way) Scan(v any) error {
	s, ok := v.(string)
	*w.in = s == "in"
	if !ok {
		return fmt.Errorf("mailbox: %T in a column of words", v)
	}
	return nil
}

// lines scans a list, one a line.
type lines struct{ to *[]string }

// Scan takes what the database holds.
func (l lines) Scan(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("mailbox: %T in a column of lines", v)
	}
	if *l.to = nil; s != "" {
		*l.to = strings.Split(s, "\n")
	}
	return nil
}
