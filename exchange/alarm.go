package exchange

import (
	"context"
	"fmt"
	"time"

	"detente/bundle"
	"detente/store"
	"detente/traffic"
)

// Schema is the tables of this package.
func Schema() store.Schema {
	return store.Schema{Package: "exchange", Steps: []string{`
CREATE TABLE alarms (
	kind     TEXT NOT NULL,
	subject  TEXT NOT NULL,
	raised   {bigint} NOT NULL,
	detail   TEXT NOT NULL,
	evidence {bytes} NOT NULL,
	PRIMARY KEY (kind, subject)
);`}}
}

// The kinds of alarms.
const (
	AlarmFork     = "fork"     // two signed histories; the evidence is a fork object
	AlarmRollback = "rollback" // a peer holds less than it has cosigned
	AlarmBehind   = "behind"   // the own database is behind what was signed
	AlarmExtend   = "extend"   // a peer's checkpoint does not extend what is held of its feed
	AlarmInvalid  = "invalid"  // a peer logs statements that are invalid
	AlarmHostile  = "hostile"  // a peer sends what no honest node would
	AlarmSilent   = "silent"   // nothing was heard of a peer for too long
	AlarmView     = "view"     // a peer sees a dossier differently, of the same statements; the evidence is its signed view
)

// Alarm is something that a person must know. It is raised once for a kind and subject, however often its cause recurs.
type Alarm struct {
	Kind     string    `json:"kind"`
	Subject  string    `json:"subject"`
	Raised   time.Time `json:"raised"`
	Detail   string    `json:"detail"`
	Evidence []byte    `json:"evidence,omitempty"` // a fork object, a note; whatever proves it
}

// Raise keeps an alarm, and tells whether it is new.
func Raise(ctx context.Context, tx *store.Tx, a Alarm) (fresh bool, err error) {
	if a.Evidence == nil {
		a.Evidence = []byte{}
	}
	r, err := tx.Exec(ctx, `INSERT INTO alarms (kind, subject, raised, detail, evidence) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		a.Kind, a.Subject, time.Now().Unix(), a.Detail, a.Evidence)
	if err != nil {
		return false, fmt.Errorf("exchange: alarm: %w", err)
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

// Clear ends an alarm whose cause has gone.
func Clear(ctx context.Context, tx *store.Tx, kind, subject string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM alarms WHERE kind = $1 AND subject = $2`, kind, subject); err != nil {
		return fmt.Errorf("exchange: alarm: %w", err)
	}
	return nil
}

// ClearAll ends all alarms of a kind.
func ClearAll(ctx context.Context, tx *store.Tx, kind string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM alarms WHERE kind = $1`, kind); err != nil {
		return fmt.Errorf("exchange: alarm: %w", err)
	}
	return nil
}

// Alarms lists the alarms, oldest first.
func Alarms(ctx context.Context, tx *store.Tx) ([]Alarm, error) {
	type row struct {
		Alarm
		raised int64
	}
	rows, err := store.All(ctx, tx, func(r *row) []any { return []any{&r.Kind, &r.Subject, &r.raised, &r.Detail, &r.Evidence} },
		`SELECT kind, subject, raised, detail, evidence FROM alarms ORDER BY raised, kind, subject`)
	if err != nil {
		return nil, fmt.Errorf("exchange: alarms: %w", err)
	}
	out := make([]Alarm, len(rows))
	for i, r := range rows {
		out[i] = r.Alarm
		out[i].Raised = time.Unix(r.raised, 0).UTC()
	}
	return out, nil
}

// PackForks adds to a hello the proofs held here that convict members of shared channels, other than the peer.
func (l *Link) PackForks(ctx context.Context, tx *store.Tx, b *bundle.Bundle, shared func([32]byte) bool, room int) error {
	alarms, err := Alarms(ctx, tx)
	if err != nil {
		return err
	}
	for _, a := range alarms {
		if f, err := traffic.ParseOrigin(a.Subject); a.Kind != AlarmFork || err != nil || f.Party == l.Peer || !shared(f.Channel) {
			continue
		}
		if room -= len(a.Evidence) + bundle.EntryOverhead; room < 0 || len(b.Forks) == bundle.MaxForks {
			break
		}
		b.Forks = append(b.Forks, a.Evidence)
	}
	return nil
}
