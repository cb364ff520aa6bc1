package secretariat

import (
	"context"
	"crypto/hpke"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/bundle"
	"detente/canonical"
	"detente/chatham"
	"detente/dialogue"
	"detente/form"
	"detente/key"
	"detente/node"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// Sessions under the Chatham House rule, protocol.md#session. The feed has who was invited and what was agreed on; what was said lies in a table of its own until its
// time is over, sealed as it came, and goes from one member to another in files.

// Bounds of a session.
const (
	maxSaid  = 4096     // contributions that are kept of one session
	MaxFile  = 64 << 20 // bytes of a file that members hand to each other
	fileKind = "detente.v1 session file"
)

// Schema is the table of what was said in sessions.
func Schema() store.Schema {
	return store.Schema{Package: "secretariat", Steps: []string{`
CREATE TABLE secretariat_said (
	session {bytes} NOT NULL,  -- the statement that opened it
	id      {bytes} NOT NULL,  -- of the contribution
	sealed  {bytes} NOT NULL,  -- under the key of the session
	opening {bytes} NOT NULL,  -- of an own contribution, by which its speaker can say later that it was his; empty for others
	ends    {bigint} NOT NULL, -- unix seconds: when it is to be gone
	PRIMARY KEY (session, id)
);
CREATE INDEX secretariat_said_ends ON secretariat_said (ends);`}}
}

// OpenSession opens a session: it draws its key and seals it for each member. members are all of the group where none are named. Errors: ErrNothing in a series,
// ErrSession for a member whose charter is not here.
func (s *Secretariat) OpenSession(t *Talk, name string, from, to time.Time, keep time.Duration, members []string) (node.Draft, error) {
	if t.Group == nil {
		return node.Draft{}, fmt.Errorf("%w: a series has no sessions", ErrNothing)
	}
	if len(members) == 0 {
		members = t.Group.Members
	}
	k := chatham.NewKey()
	var list, keys []any
	for _, m := range members {
		if !slices.Contains(t.Group.Members, m) {
			return node.Draft{}, fmt.Errorf("%w: %s is no member of the group", ErrSession, m)
		}
		p := partyOf(m)
		chain := s.node.Chain(p)
		if chain == nil {
			return node.Draft{}, fmt.Errorf("%w: the charter of %s is not here", ErrSession, p)
		}
		to, err := bundle.NewRecipient(p, chain.Latest().Node.Sealing.Public)
		if err != nil {
			return node.Draft{}, err
		}
		wrapped, err := k.Wrap(name, p, to.Key)
		if err != nil {
			return node.Draft{}, err
		}
		list, keys = append(list, m), append(keys, wrapped)
	}
	return t.draft(FormSession, form.Values{
		"name": name, "window": []any{from.Unix(), to.Unix()}, "keep": int64(keep / time.Second), "members": list, "keys": keys,
	}), nil
}

func partyOf(address string) traffic.Party {
	p, _, _ := strings.Cut(address, "/")
	return traffic.Party(p)
}

// Session finds a session of a group by the number of its statement or digits of its id; empty is the last one. Error: ErrSession.
func (t *Talk) Session(notation string) (*dialogue.Session, error) {
	var found *dialogue.Session
	if t.Group != nil {
		for _, x := range t.Group.Sessions {
			if notation == "" || t.is(x.Statement, strings.ToLower(notation)) {
				found = x
			}
		}
	}
	if found == nil {
		return nil, fmt.Errorf("%w: %q", ErrSession, notation)
	}
	return found, nil
}

// enter opens a session with the receiving key of this party. Errors: ErrSession, chatham.ErrOver.
func (s *Secretariat) enter(x *dialogue.Session, now time.Time) (*chatham.Session, error) {
	if !now.Before(x.Until()) {
		return nil, chatham.ErrOver
	}
	for i, m := range x.Members {
		if partyOf(m) != s.self || i >= len(x.Keys) {
			continue
		}
		for _, receiving := range s.receiving() {
			k, err := chatham.Unwrap(x.Keys[i], x.Name, s.self, receiving)
			if err == nil {
				return chatham.Open(k, x.Statement, x.Until())
			}
		}
	}
	return nil, fmt.Errorf("%w: no key of it opens here", ErrSession)
}

// receiving are the own receiving keys, the newest first.
func (s *Secretariat) receiving() (out []hpke.PrivateKey) {
	var seen []key.ID
	for _, c := range slices.Backward(s.node.Chain(s.self).All()) {
		id := c.Node.Sealing.ID()
		if private := s.node.Keys().Unsealing(id); private != nil && !slices.Contains(seen, id) {
			seen, out = append(seen, id), append(out, private)
		}
	}
	return out
}

// Spoken is a contribution as this member holds it.
type Spoken struct {
	*chatham.Contribution
	Own        bool // made here: only for these can the party say later that it was the speaker
	Attributed bool // its speaker has said so, and it is so
}

type kept struct{ id, sealed, opening []byte }

func (k *kept) fields() []any { return []any{&k.id, &k.sealed, &k.opening} }

// held reads what is kept of a session.
func (s *Secretariat) held(ctx context.Context, x *dialogue.Session) (out []kept, err error) {
	err = s.node.DB.View(ctx, func(tx *store.Tx) (err error) {
		out, err = store.All(ctx, tx, (*kept).fields, `SELECT id, sealed, opening FROM secretariat_said WHERE session = $1 ORDER BY id`, x.Statement[:])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("secretariat: %w", err)
	}
	return out, nil
}

// Heard is what was said in a session, in the order that all members have. Errors: ErrSession, chatham.ErrOver.
func (s *Secretariat) Heard(ctx context.Context, x *dialogue.Session, now time.Time) ([]Spoken, error) {
	inside, err := s.enter(x, now)
	if err != nil {
		return nil, err
	}
	list, err := s.held(ctx, x)
	if err != nil {
		return nil, err
	}
	own := make(map[[32]byte]bool)
	var all []*chatham.Contribution
	for _, k := range list {
		c, err := inside.Hear(k.sealed, now)
		if err != nil {
			return nil, fmt.Errorf("secretariat: %w", err)
		}
		own[c.ID()] = len(k.opening) > 0
		all = append(all, c)
	}
	var out []Spoken
	for _, c := range chatham.Transcript(all) {
		said := Spoken{Contribution: c, Own: own[c.ID()]}
		for _, a := range x.Attributions {
			if a.Contribution == c.ID() && a.By == c.Speaker && inside.Attribute(c, a.By, a.Opening) == nil {
				said.Attributed = true
			}
		}
		out = append(out, said)
	}
	return out, nil
}

// SayInSession makes a contribution and keeps it here; Sealed hands it to the others. Errors: ErrSession, ErrFull, chatham.ErrContribution, chatham.ErrOver.
func (s *Secretariat) SayInSession(ctx context.Context, x *dialogue.Session, words string, now time.Time) (Spoken, error) {
	inside, err := s.enter(x, now)
	if err != nil {
		return Spoken{}, err
	}
	c, opening, err := inside.Say(s.self, words, now)
	if err != nil {
		return Spoken{}, err
	}
	sealed, err := inside.Seal(c)
	if err != nil {
		return Spoken{}, err
	}
	id := c.ID()
	_, err = s.keep(ctx, x, []kept{{id[:], sealed, opening}})
	return Spoken{Contribution: c, Own: true}, err
}

// keep stores contributions; what is there already stays. Error: ErrFull.
func (s *Secretariat) keep(ctx context.Context, x *dialogue.Session, list []kept) (came int, err error) {
	err = s.node.DB.Update(ctx, store.Calm, func(tx *store.Tx) error {
		came = 0
		var many int64
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM secretariat_said WHERE session = $1`, x.Statement[:]).Scan(&many); err != nil {
			return err
		}
		for _, k := range list {
			if many >= maxSaid {
				return ErrFull
			}
			if k.opening == nil {
				k.opening = []byte{}
			}
			r, err := tx.Exec(ctx, `INSERT INTO secretariat_said (session, id, sealed, opening, ends) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (session, id) DO NOTHING`,
				x.Statement[:], k.id, k.sealed, k.opening, x.Until().Unix())
			if err != nil {
				return err
			}
			n, err := r.RowsAffected()
			if err != nil {
				return err
			}
			many, came = many+n, came+int(n)
		}
		return nil
	})
	if err != nil && !errors.Is(err, ErrFull) {
		err = fmt.Errorf("secretariat: %w", err)
	}
	return came, err
}

// file is what members hand to each other: contributions as they are sealed under the key of the session. Whoever finds it reads nothing in it.
type file struct {
	_       struct{} `cbor:",toarray"`
	Kind    string
	Session []byte
	Sealed  [][]byte
}

// Sealed is the file for the other members: all that is kept of a session, or only what was said here. Error: ErrSession, chatham.ErrOver.
func (s *Secretariat) Sealed(ctx context.Context, x *dialogue.Session, own bool, now time.Time) ([]byte, error) {
	if _, err := s.enter(x, now); err != nil {
		return nil, err
	}
	list, err := s.held(ctx, x)
	if err != nil {
		return nil, err
	}
	f := file{Kind: fileKind, Session: x.Statement[:], Sealed: [][]byte{}}
	for _, k := range list {
		if !own || len(k.opening) > 0 {
			f.Sealed = append(f.Sealed, k.sealed)
		}
	}
	b, err := canonical.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("secretariat: %w", err)
	}
	return b, nil
}

// ReadFile tells of which session a file is, and what stands in it. Error: ErrFile.
func ReadFile(b []byte) (session statement.ID, sealed [][]byte, err error) {
	if len(b) > MaxFile {
		return session, nil, fmt.Errorf("%w: %d bytes", ErrFile, len(b))
	}
	var f file
	if err := canonical.Unmarshal(b, &f, MaxFile); err != nil {
		return session, nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	if f.Kind != fileKind || len(f.Session) != len(session) || len(f.Sealed) > maxSaid {
		return session, nil, fmt.Errorf("%w: %d contributions", ErrFile, len(f.Sealed))
	}
	for _, x := range f.Sealed {
		if len(x) > chatham.MaxSealed {
			return session, nil, fmt.Errorf("%w: a contribution of %d bytes", ErrFile, len(x))
		}
	}
	return statement.ID(f.Session), f.Sealed, nil
}

// Taken is what came of a file.
type Taken struct {
	Session *dialogue.Session
	Talk    *Talk
	Came    int // contributions that were not here yet
	Refused int // that were not made with the key of the session, or name a speaker who is not in it
}

// Take takes what another member has handed over. Errors: ErrFile, ErrSession, ErrFull, chatham.ErrOver.
func (s *Secretariat) Take(ctx context.Context, b []byte, now time.Time) (out Taken, err error) {
	id, sealed, err := ReadFile(b)
	if err != nil {
		return out, err
	}
	talks, err := s.Talks(ctx, Filter{Groups: true})
	if err != nil {
		return out, err
	}
	for _, t := range talks {
		for _, x := range t.Group.Sessions {
			if x.Statement == id {
				out.Talk, out.Session = t, x
			}
		}
	}
	if out.Session == nil {
		return out, fmt.Errorf("%w: the session of this file has not reached this node", ErrSession)
	}
	inside, err := s.enter(out.Session, now)
	if err != nil {
		return out, err
	}
	var list []kept
	for _, x := range sealed {
		c, err := inside.Hear(x, now)
		if err != nil || !slices.ContainsFunc(out.Session.Members, func(m string) bool { return partyOf(m) == c.Speaker }) {
			out.Refused++
			continue
		}
		id := c.ID()
		list = append(list, kept{id: id[:], sealed: x})
	}
	out.Came, err = s.keep(ctx, out.Session, list)
	return out, err
}

// Outside is what was said, for whoever was not there: by the day, and by a participant. Errors: ErrSession, chatham.ErrOver.
func (s *Secretariat) Outside(ctx context.Context, x *dialogue.Session, now time.Time) ([]chatham.Anonymous, error) {
	list, err := s.Heard(ctx, x, now)
	if err != nil {
		return nil, err
	}
	var all []*chatham.Contribution
	for _, c := range list {
		all = append(all, c.Contribution)
	}
	return chatham.Export(all), nil
}

// Attribute has this party say that a contribution was its own: the one thing that makes words from a session provable, and only their speaker can do it. contribution
// is digits of its id. Errors: ErrNothing, ErrSession.
func (s *Secretariat) Attribute(ctx context.Context, t *Talk, x *dialogue.Session, contribution string, now time.Time) (node.Draft, error) {
	if _, err := s.enter(x, now); err != nil {
		return node.Draft{}, err
	}
	list, err := s.held(ctx, x)
	if err != nil {
		return node.Draft{}, err
	}
	var found []kept
	for _, k := range list {
		if len(contribution) >= 4 && strings.HasPrefix(fmt.Sprintf("%x", k.id), strings.ToLower(contribution)) {
			found = append(found, k)
		}
	}
	if len(found) != 1 || len(found[0].opening) == 0 {
		return node.Draft{}, fmt.Errorf("%w: no own contribution %.70q", ErrNothing, contribution)
	}
	return t.draft("attribution", form.Values{"session": x.Statement[:], "contribution": found[0].id, "opening": found[0].opening}), nil
}

// Output states what a session has agreed on. It names no participant.
func (s *Secretariat) Output(t *Talk, x *dialogue.Session, words map[string]string) node.Draft {
	return t.draft(FormOutput, form.Values{"session": x.Statement[:], "words": words})
}

// forget takes away what is no longer to be kept, and tells when there is more to take away.
func (s *Secretariat) forget(ctx context.Context, now time.Time) (again time.Time, err error) {
	var due, next int64
	err = s.node.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*), COALESCE((SELECT min(ends) FROM secretariat_said WHERE ends > $1), 0) FROM secretariat_said WHERE ends <= $1`, now.Unix()).Scan(&due, &next)
	})
	if err == nil && due > 0 {
		err = s.node.DB.Update(ctx, store.Calm, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `DELETE FROM secretariat_said WHERE ends <= $1`, now.Unix())
			return err
		})
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("secretariat: %w", err)
	}
	if next > 0 {
		again = time.Unix(next, 0)
	}
	return again, nil
}
