package officer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"detente/store"
)

// How long a sign-in lasts: Idle without a request, Longest whatever happens. A link works for LinkLife.
const (
	Idle     = 12 * time.Hour
	Longest  = 24 * time.Hour
	LinkLife = 24 * time.Hour
)

// The ways in which somebody signs in.
const (
	ByPasskey = "passkey"
	ByOpenID  = "openid"
	ByLink    = "link"
	ByToken   = "token"
)

// The beginnings of secrets, so that a person and a scanner of files see what they are.
const (
	sessionPrefix = "ds_"
	tokenPrefix   = "dt_"
)

// IsToken tells whether a text has the shape of a session's or an officer's token.
func IsToken(s string) bool {
	return strings.HasPrefix(s, sessionPrefix) || strings.HasPrefix(s, tokenPrefix)
}

// Session is a sign-in that has not ended.
type Session struct {
	ID      string
	Officer string
	Means   string
	Device  string
	Begun   time.Time
	Seen    time.Time // within a minute
	Until   time.Time // ends by itself, if nothing is asked any more
}

const sessionColumns = `SELECT id, officer, means, device, begun, seen FROM officer_sessions`

type sessionRow struct {
	Session
	begun, seen int64
}

func (r *sessionRow) fields() []any {
	return []any{&r.ID, &r.Officer, &r.Means, &r.Device, &r.begun, &r.seen}
}

func (r *sessionRow) session() Session {
	s := r.Session
	s.Begun, s.Seen = moment(r.begun), moment(r.seen)
	s.Until = s.Seen.Add(Idle)
	if last := s.Begun.Add(Longest); last.Before(s.Until) {
		s.Until = last
	}
	return s
}

// open begins a session and gives its token, which is new at every sign-in: nobody who knew one before knows it. The caller records it.
func open(ctx context.Context, tx *store.Tx, officer, means, device string) (token string, s Session, err error) {
	token, hash := secret(sessionPrefix)
	now := time.Now().UTC().Truncate(time.Second)
	device = strings.ToValidUTF8(strings.ReplaceAll(device, "\x00", ""), "")
	if len(device) > 200 {
		device = strings.ToValidUTF8(device[:200], "")
	}
	s = Session{ID: strings.ToLower(base32Text(8)), Officer: officer, Means: means, Device: device, Begun: now, Seen: now, Until: now.Add(Idle)}
	_, err = tx.Exec(ctx, `INSERT INTO officer_sessions (id, token, officer, means, device, begun, seen) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		s.ID, hash, officer, means, device, now.Unix(), now.Unix())
	if err == nil {
		_, err = tx.Exec(ctx, `UPDATE officers SET seen = $1 WHERE id = $2`, now.Unix(), officer)
	}
	if err == nil { // what has ended is swept when somebody comes, so that nothing has to be swept by a clock
		_, err = tx.Exec(ctx, `DELETE FROM officer_sessions WHERE seen < $1 OR begun < $2`, now.Add(-Idle).Unix(), now.Add(-Longest).Unix())
	}
	if err != nil {
		return "", Session{}, fmt.Errorf("officer: session: %w", err)
	}
	return token, s, nil
}

// Actor is the officer whose session or token it is. Error: ErrSession.
func (r *Roll) Actor(ctx context.Context, token string) (Actor, error) {
	var o Officer
	var s Session
	means, stale := "", false
	err := r.db.View(ctx, func(tx *store.Tx) (err error) {
		switch {
		case strings.HasPrefix(token, sessionPrefix):
			found, err := store.All(ctx, tx, (*sessionRow).fields, sessionColumns+` WHERE token = $1`, hashOf(token))
			if err != nil {
				return fmt.Errorf("officer: session: %w", err)
			}
			if len(found) == 0 {
				return ErrSession
			}
			s = found[0].session()
			if !time.Now().Before(s.Until) {
				return ErrSession
			}
			means, stale = s.Means, time.Since(s.Seen) >= time.Minute
			o, err = find(ctx, tx, s.Officer)
			return err
		case strings.HasPrefix(token, tokenPrefix):
			id, err := store.One(ctx, tx, func(id *string) []any { return []any{id} }, `SELECT officer FROM officer_tokens WHERE token = $1`, hashOf(token))
			if errors.Is(err, store.ErrNotFound) {
				return ErrSession
			} else if err != nil {
				return fmt.Errorf("officer: token: %w", err)
			}
			means = ByToken
			o, err = find(ctx, tx, id)
			return err
		}
		return ErrSession
	})
	if errors.Is(err, ErrNoOfficer) || err == nil && o.Removed {
		err = ErrSession
	}
	if err != nil {
		return Actor{}, err
	}
	if stale {
		err := r.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE officer_sessions SET seen = $1 WHERE id = $2`, time.Now().Unix(), s.ID)
			return err
		})
		if err != nil && ctx.Err() == nil {
			// A disk that takes nothing must not shut the watch out of what it can still read.
			r.cfg.Record(ctx, Event{Form: "session", Officer: o.ID, Action: "refused", Means: means, Cause: "not-kept"})
		}
	}
	return Actor{ID: o.ID, Name: o.Name, Grants: o.Grants, Language: o.Language, Means: means, Session: s.ID}, nil
}

// Sessions lists the sessions of an officer, or all of them where that is empty, the one used last first.
func (r *Roll) Sessions(ctx context.Context, officer string) (out []Session, err error) {
	err = r.db.View(ctx, func(tx *store.Tx) error {
		out = nil
		rows, err := store.All(ctx, tx, (*sessionRow).fields, sessionColumns+` WHERE $1 = '' OR officer = $1 ORDER BY seen DESC, id`, officer)
		for _, row := range rows {
			if s := row.session(); time.Now().Before(s.Until) {
				out = append(out, s)
			}
		}
		return err
	})
	return out, err
}

// Revoke ends a session by its id, at once. Error: ErrNotFound.
func (r *Roll) Revoke(ctx context.Context, id, by string) error {
	return r.end(ctx, `WHERE id = $1`, id, "revoked", by)
}

// SignOut ends the session whose token it is. Error: ErrNotFound.
func (r *Roll) SignOut(ctx context.Context, token string) error {
	return r.end(ctx, `WHERE token = $1`, hashOf(token), "signed-out", "")
}

func (r *Roll) end(ctx context.Context, where string, arg any, action, by string) error {
	var s Session
	err := r.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		rows, err := store.All(ctx, tx, (*sessionRow).fields, sessionColumns+` `+where, arg)
		if err != nil {
			return fmt.Errorf("officer: session: %w", err)
		}
		if len(rows) == 0 {
			return fmt.Errorf("%w: no such session", ErrNotFound)
		}
		s = rows[0].session()
		_, err = tx.Exec(ctx, `DELETE FROM officer_sessions WHERE id = $1`, s.ID)
		return err
	})
	if err != nil {
		return err
	}
	e := Event{Form: "session", Officer: s.Officer, Action: action, Means: s.Means}
	if by != "" && by != s.Officer {
		e.By = by
	}
	r.cfg.Record(ctx, e)
	return nil
}

// Invitation is a link by which an officer signs in once.
type Invitation struct {
	Officer string
	Secret  string // to be shown once
	Until   time.Time
}

// Invite makes a link by which an officer signs in once, to add a passkey. The ones before end. Error: ErrNoOfficer.
func (r *Roll) Invite(ctx context.Context, id, by string) (Invitation, error) {
	text, hash := secret("")
	in := Invitation{Officer: id, Secret: text, Until: time.Now().Add(LinkLife).UTC().Truncate(time.Second)}
	err := r.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		o, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		if o.Removed {
			return fmt.Errorf("%w: %s was removed", ErrNoOfficer, id)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM officer_links WHERE officer = $1 OR until < $2`, id, time.Now().Unix()); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO officer_links (link, officer, until, maker) VALUES ($1, $2, $3, $4)`, hash, id, in.Until.Unix(), by)
		return err
	})
	if err != nil {
		return Invitation{}, err
	}
	r.cfg.Record(ctx, Event{Form: "officer", Officer: id, Action: "invited", By: by})
	return in, nil
}

// SignInByLink uses a link up and begins a session. Error: ErrSignIn for a link that is none, is used, or is too old.
func (r *Roll) SignInByLink(ctx context.Context, link, device string) (token string, s Session, err error) {
	err = r.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		type kept struct {
			officer, maker string
			until          int64
		}
		k, err := store.One(ctx, tx, func(k *kept) []any { return []any{&k.officer, &k.until, &k.maker} },
			`SELECT officer, until, maker FROM officer_links WHERE link = $1`+tx.ForUpdate(), hashOf(link))
		if errors.Is(err, store.ErrNotFound) || err == nil && time.Now().Unix() >= k.until {
			return fmt.Errorf("%w: the link was used, or is too old", ErrSignIn)
		} else if err != nil {
			return fmt.Errorf("officer: link: %w", err)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM officer_links WHERE link = $1`, hashOf(link)); err != nil {
			return fmt.Errorf("officer: link: %w", err)
		}
		if _, err := tx.Exec(ctx, `UPDATE officers SET let_in = $1 WHERE id = $2`, k.maker, k.officer); err != nil {
			return fmt.Errorf("officer: link: %w", err)
		}
		token, s, err = open(ctx, tx, k.officer, ByLink, device)
		return err
	})
	return r.signedIn(ctx, token, s, ByLink, err)
}

// signedIn records a sign-in, or that it was refused.
func (r *Roll) signedIn(ctx context.Context, token string, s Session, means string, err error) (string, Session, error) {
	if err == nil {
		r.cfg.Record(ctx, Event{Form: "session", Officer: s.Officer, Action: "signed-in", Means: means, Text: s.Device})
		return token, s, nil
	}
	if errors.Is(err, ErrSignIn) && s.Officer != "" {
		// A stranger's attempts are not recorded: else anybody who reaches the console could fill the journal.
		r.cfg.Record(ctx, Event{Form: "session", Officer: s.Officer, Action: "refused", Means: means, Cause: "not-accepted"})
	}
	return "", Session{}, err
}

// NewToken makes a token by which an officer's own tools act for him; the one before ends. Error: ErrNoOfficer.
func (r *Roll) NewToken(ctx context.Context, id, by string) (string, error) {
	text, hash := secret(tokenPrefix)
	err := r.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		if o, err := find(ctx, tx, id); err != nil {
			return err
		} else if o.Removed {
			return fmt.Errorf("%w: %s was removed", ErrNoOfficer, id)
		}
		_, err := tx.Exec(ctx, `INSERT INTO officer_tokens (officer, token, made) VALUES ($1, $2, $3)
			ON CONFLICT (officer) DO UPDATE SET token = excluded.token, made = excluded.made`, id, hash, time.Now().Unix())
		return err
	})
	if err != nil {
		return "", err
	}
	r.cfg.Record(ctx, Event{Form: "officer", Officer: id, Action: "token-made", By: by})
	return text, nil
}

// RemoveToken ends an officer's token, if he has one.
func (r *Roll) RemoveToken(ctx context.Context, id, by string) error {
	err := r.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM officer_tokens WHERE officer = $1`, id)
		return err
	})
	if err == nil {
		r.cfg.Record(ctx, Event{Form: "officer", Officer: id, Action: "token-removed", By: by})
	}
	return err
}
