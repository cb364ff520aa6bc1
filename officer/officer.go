// Package officer is who the persons of a party are: officers and their roles, how they sign in, and what waits for a second one of them.
// It must never let anybody in on a secret that it keeps: what it stores of tokens and links are hashes, and of passkeys the public keys.
package officer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"

	"detente/store"
	"detente/traffic"

	"github.com/go-webauthn/webauthn/webauthn"
	"golang.org/x/text/language"
)

// Errors that a caller decides on.
var (
	ErrNoOfficer = errors.New("officer: no such officer")
	ErrField     = errors.New("officer: not a right entry")
	ErrSignIn    = errors.New("officer: the sign-in is not accepted")
	ErrSession   = errors.New("officer: the session has ended")
	ErrNotFound  = errors.New("officer: not found")
	ErrLast      = errors.New("officer: the last administrator cannot be removed")
	ErrBusy      = errors.New("officer: too many sign-ins have been begun")
	ErrNoConsole = errors.New("officer: this node has no console to sign in to")
)

// Schema is the tables of this package.
func Schema() store.Schema {
	return store.Schema{Package: "officer", Steps: []string{`
CREATE TABLE officers (
	id       TEXT PRIMARY KEY,
	handle   {bytes} NOT NULL,
	name     TEXT NOT NULL,
	grants   TEXT NOT NULL,
	language TEXT NOT NULL,
	mail     TEXT NOT NULL,
	webhook  TEXT NOT NULL,
	openid   TEXT NOT NULL,
	removed  {bigint} NOT NULL,
	seen     {bigint} NOT NULL,
	let_in   TEXT NOT NULL
);
CREATE TABLE officer_passkeys (
	id         TEXT PRIMARY KEY,
	officer    TEXT NOT NULL,
	label      TEXT NOT NULL,
	credential {bytes} NOT NULL,
	added      {bigint} NOT NULL,
	used       {bigint} NOT NULL
);
CREATE TABLE officer_ceremonies (
	challenge TEXT PRIMARY KEY,
	kind      TEXT NOT NULL,
	officer   TEXT NOT NULL,
	data      {bytes} NOT NULL,
	until     {bigint} NOT NULL
);
CREATE TABLE officer_sessions (
	id      TEXT PRIMARY KEY,
	token   {bytes} NOT NULL UNIQUE,
	officer TEXT NOT NULL,
	means   TEXT NOT NULL,
	device  TEXT NOT NULL,
	begun   {bigint} NOT NULL,
	seen    {bigint} NOT NULL
);
CREATE TABLE officer_links (
	link    {bytes} PRIMARY KEY,
	officer TEXT NOT NULL,
	until   {bigint} NOT NULL,
	maker   TEXT NOT NULL
);
CREATE TABLE officer_tokens (
	officer TEXT PRIMARY KEY,
	token   {bytes} NOT NULL UNIQUE,
	made    {bigint} NOT NULL
);
CREATE TABLE officer_releases (
	id        TEXT PRIMARY KEY,
	kind      TEXT NOT NULL,
	post      TEXT NOT NULL,
	digest    {bytes} NOT NULL,
	draft     {bytes} NOT NULL,
	officer   TEXT NOT NULL,
	role      TEXT NOT NULL,
	asked     {bigint} NOT NULL,
	until     {bigint} NOT NULL,
	needs     TEXT NOT NULL,
	state     TEXT NOT NULL,
	holder    TEXT NOT NULL,
	held      {bigint} NOT NULL,
	epoch     {bigint} NOT NULL,
	size      {bigint} NOT NULL,
	statement {bytes} NOT NULL
);
CREATE INDEX officer_releases_state ON officer_releases (state, until);
CREATE TABLE officer_approvals (
	release_id TEXT NOT NULL,
	officer    TEXT NOT NULL,
	role       TEXT NOT NULL,
	at         {bigint} NOT NULL,
	digest     {bytes} NOT NULL,
	credential {bytes} NOT NULL,
	assertion  {bytes} NOT NULL,
	PRIMARY KEY (release_id, officer)
);`}}
}

// Event is something to be recorded in the journal. Form is "officer" or "session", a form of the internal regime, and Action one of its codes.
type Event struct {
	Form    string
	Officer string
	Action  string
	Means   string // of a session
	Grants  string // "post role", one a line, for what an officer may do from now on
	Cause   string // why a sign-in was refused: a code of the form "session"
	Text    string // what a person or a browser has named
	By      string // whoever acts, if it is not the officer himself
}

// Config is what a roll is made of.
type Config struct {
	DB *store.DB
	// Origin is the address at which browsers reach the console, such as https://watch.example; passkeys hold for its host alone. Empty: there is no
	// console, and nobody can sign in with a passkey.
	Origin string
	// Title is shown by the browser beside the passkey.
	Title string
	// OpenID is the organisation's provider; nil for none.
	OpenID *OpenID
	// Record keeps an event in the journal; nil keeps none. An event that cannot be kept stops nobody from signing in: the floor must be manned
	// also when the journal has lost entries.
	Record func(ctx context.Context, e Event)
}

// Roll is the officers of a party. It is safe for concurrent use.
type Roll struct {
	cfg      Config
	db       *store.DB
	webauthn *webauthn.WebAuthn // nil without a console
	provider provider
}

// New makes a roll. Error: ErrField for an origin that is none.
func New(cfg Config) (*Roll, error) {
	if cfg.Record == nil {
		cfg.Record = func(context.Context, Event) {}
	}
	r := &Roll{cfg: cfg, db: cfg.DB}
	if cfg.Origin != "" {
		var err error
		if r.webauthn, err = relyingParty(cfg.Origin, cfg.Title); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Origin is the address of the console, empty when there is none.
func (r *Roll) Origin() string { return r.cfg.Origin }

// Officer is a person at a post. Outside the own node only the duty role is seen.
type Officer struct {
	ID       string
	Name     string
	Grants   []Grant
	Language string
	Mail     string
	Webhook  string
	OpenID   string // subject at the organisation's provider
	Removed  bool
	Seen     time.Time
	Passkeys []Passkey
	Token    bool   // has a token for own tools
	LetIn    string // whose link he used last; empty for nobody's

	handle      []byte // what passkeys know him by: random, so that a lost key tells nothing
	credentials []webauthn.Credential
}

// Passkey is a credential of an officer.
type Passkey struct {
	ID    string
	Label string
	Added time.Time
	Used  time.Time
}

// May tells whether an officer may do something at a post; the empty post is any.
func (o *Officer) May(a Action, post traffic.Post) bool {
	return !o.Removed && len(RolesFor(o.Grants, a, post)) > 0
}

var idShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,31}$`)

// check refuses what is no entry of a roll.
func (o *Officer) check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrField, fmt.Sprintf(format, args...))
	}
	switch {
	case !idShape.MatchString(o.ID):
		return bad("id %q: 2 to 32 of a-z, 0-9 and -", o.ID)
	case o.ID == terminal || o.ID == "node":
		return bad("id %q is not an officer's", o.ID)
	case strings.TrimSpace(o.Name) == "" || len(o.Name) > 128 || strings.ContainsFunc(o.Name, func(c rune) bool { return c < ' ' || c == 0x7f }):
		return bad("a name has 1 to 128 bytes in one line")
	case len(o.Grants) > 64:
		return bad("more than 64 grants")
	case len(o.OpenID) > 255:
		return bad("a subject has at most 255 bytes")
	}
	for _, g := range o.Grants {
		if !g.valid() {
			return bad("grant %s at %s: give a role at a post, or at *", g.Role, g.Post)
		}
	}
	if _, err := language.Parse(o.Language); err != nil {
		return bad("language %q", o.Language)
	}
	if o.Mail != "" {
		if a, err := mail.ParseAddress(o.Mail); err != nil || a.Address != o.Mail || len(o.Mail) > 254 {
			return bad("mail address %q", o.Mail)
		}
	}
	if o.Webhook != "" {
		u, err := url.Parse(o.Webhook)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(o.Webhook) > 2000 {
			return bad("webhook %q: give an address of http or https, without a password in it", o.Webhook)
		}
	}
	return nil
}

// Set enrols an officer, or changes the one of that id. A removed one is enrolled anew, without the passkeys he had. Errors: ErrField, ErrLast.
func (r *Roll) Set(ctx context.Context, o Officer, by string) (Officer, error) {
	if o.Language == "" {
		o.Language = "en"
	}
	if err := o.check(); err != nil {
		return Officer{}, err
	}
	grants, err := json.Marshal(append([]Grant{}, o.Grants...))
	if err != nil {
		return Officer{}, fmt.Errorf("officer: %w", err)
	}
	var action string
	err = r.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		action = "enrolled"
		before, err := find(ctx, tx, o.ID)
		if err == nil && !before.Removed {
			action = "changed"
		} else if err != nil && !errors.Is(err, ErrNoOfficer) {
			return err
		}
		if o.OpenID != "" {
			other, err := bySubject(ctx, tx, o.OpenID)
			if err == nil && other.ID != o.ID {
				return fmt.Errorf("%w: %s has that subject already", ErrField, other.ID)
			} else if err != nil && !errors.Is(err, ErrNoOfficer) {
				return err
			}
		}
		_, err = tx.Exec(ctx, `INSERT INTO officers (id, handle, name, grants, language, mail, webhook, openid, removed, seen, let_in)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, '')
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, grants = excluded.grants, language = excluded.language, mail = excluded.mail,
			webhook = excluded.webhook, openid = excluded.openid, removed = 0`,
			o.ID, random(32), o.Name, string(grants), o.Language, o.Mail, o.Webhook, o.OpenID)
		if err != nil {
			return fmt.Errorf("officer: %w", err)
		}
		return r.keepAdministrator(ctx, tx, before, by)
	})
	if err != nil {
		return Officer{}, err
	}
	r.cfg.Record(ctx, Event{Form: "officer", Officer: o.ID, Action: action, Grants: describe(o.Grants), By: by})
	return r.Officer(ctx, o.ID)
}

// keepAdministrator refuses to take the last administrator away from the officers; whoever may open the socket can.
func (r *Roll) keepAdministrator(ctx context.Context, tx *store.Tx, before Officer, by string) error {
	if by == terminal || !before.May(Officers, "") {
		return nil
	}
	all, err := list(ctx, tx)
	if err != nil {
		return err
	}
	for _, o := range all {
		if o.May(Officers, "") {
			return nil
		}
	}
	return ErrLast
}

// Remove ends an officer's access: sessions, passkeys, links and tokens at once. His name stays, for the log. Errors: ErrNoOfficer, ErrLast.
func (r *Roll) Remove(ctx context.Context, id, by string) (Officer, error) {
	err := r.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		before, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE officers SET removed = $1 WHERE id = $2`, time.Now().Unix(), id); err != nil {
			return fmt.Errorf("officer: %w", err)
		}
		for _, table := range []string{"officer_sessions", "officer_passkeys", "officer_links", "officer_tokens", "officer_ceremonies"} {
			if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE officer = $1`, id); err != nil {
				return fmt.Errorf("officer: %w", err)
			}
		}
		return r.keepAdministrator(ctx, tx, before, by)
	})
	if err != nil {
		return Officer{}, err
	}
	r.cfg.Record(ctx, Event{Form: "officer", Officer: id, Action: "removed", By: by})
	return r.Officer(ctx, id)
}

// Officers lists everybody, those who were removed too, by id.
func (r *Roll) Officers(ctx context.Context) (out []Officer, err error) {
	err = r.db.View(ctx, func(tx *store.Tx) (err error) {
		out, err = list(ctx, tx)
		return err
	})
	return out, err
}

// Officer finds an officer. Error: ErrNoOfficer.
func (r *Roll) Officer(ctx context.Context, id string) (o Officer, err error) {
	err = r.db.View(ctx, func(tx *store.Tx) (err error) {
		o, err = find(ctx, tx, id)
		return err
	})
	return o, err
}

func describe(grants []Grant) string {
	var words []string
	for _, g := range grants {
		words = append(words, g.Post+" "+g.Role)
	}
	return strings.Join(words, "\n")
}

// random gives n random bytes.
func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // it does not fail
	return b
}

// secret is a new secret that somebody else is to keep, and the hash that is kept here. The prefix says what it is for.
func secret(prefix string) (text string, hash []byte) {
	text = prefix + base64.RawURLEncoding.EncodeToString(random(32))
	return text, hashOf(text)
}

func hashOf(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// moment is a time of a row; zero stays zero.
func moment(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
