package taxii

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"detente/gateway/objects"
	"detente/store"
)

// Errors that a caller decides on.
var (
	ErrTokenName = errors.New("taxii: a token's name is 1 to 64 letters, digits, dots and dashes")
	ErrThere     = errors.New("taxii: there is a token of that name")
	ErrNoToken   = errors.New("taxii: no such token")
)

// Every is the collection that stands for all.
const Every = "*"

// Schema is the tables of this package.
func Schema() store.Schema {
	return store.Schema{Package: "taxii", Steps: []string{`
CREATE TABLE taxii_tokens (
	name    TEXT PRIMARY KEY,
	hash    {bytes} NOT NULL UNIQUE, -- SHA-256 of the token, which is random and long: guessing it costs the same with a slower hash
	reads   TEXT NOT NULL,           -- ids of collections, a space between, or *
	writes  TEXT NOT NULL,
	created {bigint} NOT NULL        -- unix microseconds
);
CREATE TABLE taxii_status (
	id    TEXT PRIMARY KEY,
	token TEXT NOT NULL,
	made  {bigint} NOT NULL, -- unix microseconds
	body  {bytes} NOT NULL
);
CREATE INDEX taxii_status_made ON taxii_status (made);
CREATE TABLE taxii_pulls ( -- how far each source was pulled
	source   TEXT PRIMARY KEY,
	after    TEXT NOT NULL, -- added_after of the next request
	next     TEXT NOT NULL, -- within the pages of that
	last     TEXT NOT NULL, -- stamp of the last object of these pages so far
	pulled   {bigint} NOT NULL, -- unix microseconds
	objects  {bigint} NOT NULL
);`}}
}

// Token is who asks: a tool of this party, and the collections that it may read and write, by their ids; Every is all.
type Token struct {
	Name    string
	Reads   []string
	Writes  []string
	Created time.Time
}

// May tells whether a token reads and writes a collection. What another party has shared nobody writes.
func (t *Token) May(c *objects.Collection) (read, write bool) {
	in := func(list []string) bool { return slices.Contains(list, Every) || slices.Contains(list, c.ID) }
	return in(t.Reads), in(t.Writes) && c.Flow != objects.In
}

// Tokens is the tokens of a database. A token that was checked is remembered for some seconds, so that a request costs no query; one that is revoked by
// another process is refused when these have passed.
type Tokens struct {
	db *store.DB

	mu    sync.Mutex
	known map[[32]byte]remembered // guarded by mu
}

type remembered struct {
	token Token
	until time.Time
}

const (
	remember  = 5 * time.Second
	mostKnown = 1024
)

// OpenTokens gives the tokens of a database that has the tables.
func OpenTokens(db *store.DB) *Tokens {
	return &Tokens{db: db, known: make(map[[32]byte]remembered)}
}

// Add makes a token and returns its secret, which is kept nowhere. Errors: ErrTokenName, ErrThere.
func (ts *Tokens) Add(ctx context.Context, t Token) (secret string, err error) {
	if t.Name == "" || len(t.Name) > 64 || strings.IndexFunc(t.Name, func(r rune) bool {
		return r != '.' && r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) >= 0 {
		return "", ErrTokenName
	}
	var raw [32]byte
	rand.Read(raw[:])
	secret = "dtx_" + base64.RawURLEncoding.EncodeToString(raw[:])
	hash := sha256.Sum256([]byte(secret))
	err = ts.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM taxii_tokens WHERE name = $1", t.Name).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return ErrThere
		}
		_, err := tx.Exec(ctx, "INSERT INTO taxii_tokens (name, hash, reads, writes, created) VALUES ($1, $2, $3, $4, $5)",
			t.Name, hash[:], strings.Join(t.Reads, " "), strings.Join(t.Writes, " "), time.Now().UnixMicro())
		return err
	})
	return secret, err
}

// Revoke ends a token. Error: ErrNoToken.
func (ts *Tokens) Revoke(ctx context.Context, name string) error {
	err := ts.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, "DELETE FROM taxii_tokens WHERE name = $1", name)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrNoToken, err)
		}
		return nil
	})
	ts.mu.Lock()
	clear(ts.known)
	ts.mu.Unlock()
	return err
}

type tokenRow struct {
	name, reads, writes string
	created             int64
}

func (r *tokenRow) fields() []any { return []any{&r.name, &r.reads, &r.writes, &r.created} }

func (r *tokenRow) token() Token {
	return Token{Name: r.name, Reads: strings.Fields(r.reads), Writes: strings.Fields(r.writes), Created: time.UnixMicro(r.created).UTC()}
}

// List gives all tokens, by name.
func (ts *Tokens) List(ctx context.Context) ([]Token, error) {
	var out []Token
	err := ts.db.View(ctx, func(tx *store.Tx) error {
		rows, err := store.All(ctx, tx, (*tokenRow).fields, "SELECT name, reads, writes, created FROM taxii_tokens ORDER BY name")
		out = nil
		for i := range rows {
			out = append(out, rows[i].token())
		}
		return err
	})
	return out, err
}

// Check finds the token of a secret. Error: ErrNoToken.
func (ts *Tokens) Check(ctx context.Context, secret string) (Token, error) {
	hash := sha256.Sum256([]byte(secret))
	now := time.Now()
	ts.mu.Lock()
	k, ok := ts.known[hash]
	ts.mu.Unlock()
	if ok && now.Before(k.until) {
		return k.token, nil
	}
	var row tokenRow
	err := ts.db.View(ctx, func(tx *store.Tx) (err error) {
		row, err = store.One(ctx, tx, (*tokenRow).fields, "SELECT name, reads, writes, created FROM taxii_tokens WHERE hash = $1", hash[:])
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return Token{}, ErrNoToken
	}
	if err != nil {
		return Token{}, err
	}
	t := row.token()
	ts.mu.Lock()
	if len(ts.known) >= mostKnown {
		clear(ts.known)
	}
	ts.known[hash] = remembered{t, now.Add(remember)}
	ts.mu.Unlock()
	return t, nil
}

const maxAuthorization = 1024

// authenticate finds out who asks: a token as Bearer, or as the password of Basic, whatever the case of the scheme and the name of the user.
func (c *call) authenticate() error {
	err := func() error {
		scheme, rest, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
		secret := strings.TrimSpace(rest)
		if len(secret) > maxAuthorization {
			return ErrNoToken
		}
		switch strings.ToLower(scheme) {
		case "bearer", "token":
		case "basic":
			b, err := base64.StdEncoding.DecodeString(secret)
			if err != nil {
				return ErrNoToken
			}
			_, secret, _ = strings.Cut(string(b), ":")
		default:
			return ErrNoToken
		}
		var err error
		c.by, err = c.tokens.Check(c.r.Context(), secret)
		return err
	}()
	if errors.Is(err, ErrNoToken) {
		c.w.Header().Add("WWW-Authenticate", `Basic realm="detente", charset="UTF-8"`)
		c.w.Header().Add("WWW-Authenticate", `Bearer realm="detente"`)
		return &refusal{http.StatusUnauthorized, "Unauthorized", "show a token: as Authorization: Bearer TOKEN, or as the password of Basic. detente gateway token add makes one"}
	}
	if err != nil {
		return fmt.Errorf("taxii: token: %w", err)
	}
	return nil
}
