package officer

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"detente/store"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

const (
	ceremonyLife   = 5 * time.Minute
	mostCeremonies = 10_000 // begun and not ended: a stranger who begins more is told to wait
	mostPasskeys   = 16     // of an officer
)

// relyingParty is whom passkeys are made for: the host of the console's address.
func relyingParty(origin, title string) (*webauthn.WebAuthn, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("%w: origin %q is not of the shape https://HOST", ErrField, origin)
	}
	if net.ParseIP(u.Hostname()) != nil {
		return nil, fmt.Errorf("%w: origin %q: browsers make passkeys for a name, not for an address; on this machine that is localhost", ErrField, origin)
	}
	if u.Scheme == "http" && u.Hostname() != "localhost" && !strings.HasSuffix(u.Hostname(), ".localhost") {
		return nil, fmt.Errorf("%w: origin %q: browsers make passkeys over https, or on localhost", ErrField, origin)
	}
	if title == "" {
		title = "Detente"
	}
	w, err := webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: title, RPOrigins: []string{origin}, AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrField, err)
	}
	return w, nil
}

// person is an officer as the library sees him.
type person struct{ *Officer }

func (p person) WebAuthnID() []byte                         { return p.handle }
func (p person) WebAuthnName() string                       { return p.ID }
func (p person) WebAuthnDisplayName() string                { return p.Name }
func (p person) WebAuthnCredentials() []webauthn.Credential { return p.credentials }

func readCredential(b []byte) (c webauthn.Credential, err error) {
	if err := json.Unmarshal(b, &c); err != nil {
		return c, fmt.Errorf("officer: passkey: %w", err)
	}
	return c, nil
}

// ceremony is what was begun and not ended.
type ceremony struct {
	kind    string
	officer string
	data    []byte
	until   int64
}

// The kinds of ceremonies.
const (
	kindSignIn  = "sign-in"
	kindPasskey = "passkey"
	kindOpenID  = "openid"
)

// begin keeps a ceremony under its challenge for some minutes.
func (r *Roll) begin(ctx context.Context, challenge string, c ceremony) error {
	now := time.Now()
	return r.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM officer_ceremonies WHERE until < $1`, now.Unix()); err != nil {
			return fmt.Errorf("officer: ceremony: %w", err)
		}
		n, err := store.One(ctx, tx, func(n *int) []any { return []any{n} }, `SELECT count(*) FROM officer_ceremonies`)
		if err != nil {
			return fmt.Errorf("officer: ceremony: %w", err)
		}
		if n >= mostCeremonies {
			return ErrBusy
		}
		_, err = tx.Exec(ctx, `INSERT INTO officer_ceremonies (challenge, kind, officer, data, until) VALUES ($1, $2, $3, $4, $5)`,
			challenge, c.kind, c.officer, c.data, now.Add(ceremonyLife).Unix())
		if err != nil {
			return fmt.Errorf("officer: ceremony: %w", err)
		}
		return nil
	})
}

// take uses a ceremony up, in a transaction of its own: whatever comes of it, the challenge is never accepted again.
func (r *Roll) take(ctx context.Context, challenge, kind string) (c ceremony, err error) {
	err = r.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		c, err = store.One(ctx, tx, func(c *ceremony) []any { return []any{&c.kind, &c.officer, &c.data, &c.until} },
			`SELECT kind, officer, data, until FROM officer_ceremonies WHERE challenge = $1`+tx.ForUpdate(), challenge)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("%w: it was begun too long ago, or was used: begin again", ErrSignIn)
		} else if err != nil {
			return fmt.Errorf("officer: ceremony: %w", err)
		}
		_, err := tx.Exec(ctx, `DELETE FROM officer_ceremonies WHERE challenge = $1`, challenge)
		return err
	})
	if err != nil {
		return c, err
	}
	if c.kind != kind || time.Now().Unix() >= c.until {
		return c, fmt.Errorf("%w: it was begun too long ago, or for something else: begin again", ErrSignIn)
	}
	return c, nil
}

// BeginPasskey gives the options, in JSON, with which a browser makes a passkey for an officer. Errors: ErrNoConsole, ErrNoOfficer, ErrBusy.
func (r *Roll) BeginPasskey(ctx context.Context, id string) ([]byte, error) {
	if r.webauthn == nil {
		return nil, ErrNoConsole
	}
	o, err := r.Officer(ctx, id)
	if err != nil {
		return nil, err
	}
	if o.Removed {
		return nil, fmt.Errorf("%w: %s was removed", ErrNoOfficer, id)
	}
	if len(o.Passkeys) >= mostPasskeys {
		return nil, fmt.Errorf("%w: an officer has at most %d passkeys: remove one", ErrField, mostPasskeys)
	}
	var have []protocol.CredentialDescriptor
	for _, c := range o.credentials {
		have = append(have, c.Descriptor())
	}
	options, data, err := r.webauthn.BeginRegistration(person{&o}, webauthn.WithExclusions(have))
	if err != nil {
		return nil, fmt.Errorf("officer: passkey: %w", err)
	}
	return r.started(ctx, options, data, ceremony{kind: kindPasskey, officer: o.ID})
}

// started keeps what was begun, and gives the options for the browser.
func (r *Roll) started(ctx context.Context, options any, data *webauthn.SessionData, c ceremony) (out []byte, err error) {
	if c.data, err = json.Marshal(data); err != nil {
		return nil, fmt.Errorf("officer: ceremony: %w", err)
	}
	if out, err = json.Marshal(options); err != nil {
		return nil, fmt.Errorf("officer: ceremony: %w", err)
	}
	return out, r.begin(ctx, data.Challenge, c)
}

// FinishPasskey keeps the passkey that a browser has made for the officer who began. Error: ErrSignIn.
func (r *Roll) FinishPasskey(ctx context.Context, id string, response []byte, label string) (Officer, error) {
	if r.webauthn == nil {
		return Officer{}, ErrNoConsole
	}
	label = strings.TrimSpace(label)
	if label == "" {
		label = "passkey"
	}
	if len(label) > 64 || !utf8.ValidString(label) || strings.ContainsFunc(label, func(c rune) bool { return c < ' ' }) {
		return Officer{}, fmt.Errorf("%w: a label has at most 64 bytes in one line", ErrField)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return Officer{}, fmt.Errorf("%w: %s", ErrSignIn, reasonOf(err))
	}
	c, data, err := r.resume(ctx, parsed.Response.CollectedClientData.Challenge, kindPasskey)
	if err != nil {
		return Officer{}, err
	}
	if c.officer != id {
		return Officer{}, fmt.Errorf("%w: it was begun by another", ErrSignIn)
	}
	err = r.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		o, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		if o.Removed {
			return fmt.Errorf("%w: %s was removed", ErrNoOfficer, id)
		}
		made, err := r.webauthn.CreateCredential(person{&o}, data, parsed)
		if err != nil {
			return fmt.Errorf("%w: %s", ErrSignIn, reasonOf(err))
		}
		made.Attestation = webauthn.CredentialAttestation{} // it is not judged, and says more of the officer's device than we need to know
		kept, err := json.Marshal(made)
		if err != nil {
			return fmt.Errorf("officer: passkey: %w", err)
		}
		res, err := tx.Exec(ctx, `INSERT INTO officer_passkeys (id, officer, label, credential, added, used) VALUES ($1, $2, $3, $4, $5, 0)
			ON CONFLICT (id) DO NOTHING`, passkeyID(made.ID), id, label, kept, time.Now().Unix())
		if err != nil {
			return fmt.Errorf("officer: passkey: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return fmt.Errorf("%w: that passkey is there already", ErrSignIn)
		}
		return nil
	})
	if err != nil {
		return Officer{}, err
	}
	r.cfg.Record(ctx, Event{Form: "officer", Officer: id, Action: "passkey-added", Text: label, By: id})
	return r.Officer(ctx, id)
}

// resume takes the ceremony that a browser's answer belongs to.
func (r *Roll) resume(ctx context.Context, challenge, kind string) (c ceremony, data webauthn.SessionData, err error) {
	if c, err = r.take(ctx, challenge, kind); err != nil {
		return c, data, err
	}
	if err := json.Unmarshal(c.data, &data); err != nil {
		return c, data, fmt.Errorf("officer: ceremony: %w", err)
	}
	return c, data, nil
}

// RemovePasskey ends a passkey. Error: ErrNotFound.
func (r *Roll) RemovePasskey(ctx context.Context, officer, id, by string) (Officer, error) {
	err := r.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, `DELETE FROM officer_passkeys WHERE officer = $1 AND id = $2`, officer, id)
		if err != nil {
			return fmt.Errorf("officer: passkey: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return fmt.Errorf("%w: no such passkey", ErrNotFound)
		}
		return nil
	})
	if err != nil {
		return Officer{}, err
	}
	r.cfg.Record(ctx, Event{Form: "officer", Officer: officer, Action: "passkey-removed", By: by})
	return r.Officer(ctx, officer)
}

// BeginSignIn gives the options, in JSON, with which a browser asks whoever sits before it for a passkey. Errors: ErrNoConsole, ErrBusy.
func (r *Roll) BeginSignIn(ctx context.Context) ([]byte, error) {
	if r.webauthn == nil {
		return nil, ErrNoConsole
	}
	options, data, err := r.webauthn.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, fmt.Errorf("officer: sign-in: %w", err)
	}
	return r.started(ctx, options, data, ceremony{kind: kindSignIn})
}

// FinishSignIn begins a session for the officer whose passkey has answered. Error: ErrSignIn.
func (r *Roll) FinishSignIn(ctx context.Context, response []byte, device string) (token string, s Session, err error) {
	if r.webauthn == nil {
		return "", s, ErrNoConsole
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return "", s, fmt.Errorf("%w: %s", ErrSignIn, reasonOf(err))
	}
	_, data, err := r.resume(ctx, parsed.Response.CollectedClientData.Challenge, kindSignIn)
	if err != nil {
		return "", s, err
	}
	err = r.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		o, err := byHandle(ctx, tx, parsed.Response.UserHandle)
		if errors.Is(err, ErrNoOfficer) {
			return fmt.Errorf("%w: nobody here has that passkey", ErrSignIn)
		} else if err != nil {
			return err
		}
		s.Officer = o.ID
		known := func(_, _ []byte) (webauthn.User, error) { return person{&o}, nil }
		_, used, err := r.webauthn.ValidatePasskeyLogin(known, data, parsed)
		if err != nil {
			return fmt.Errorf("%w: %s", ErrSignIn, reasonOf(err))
		}
		if err := use(ctx, tx, used); err != nil {
			return err
		}
		token, s, err = open(ctx, tx, o.ID, ByPasskey, device)
		return err
	})
	return r.signedIn(ctx, token, s, ByPasskey, err)
}

// use keeps the counter that a passkey has shown. One that does not grow says that there may be a copy of the key: it is refused.
func use(ctx context.Context, tx *store.Tx, c *webauthn.Credential) error {
	if c.Authenticator.CloneWarning {
		return fmt.Errorf("%w: the passkey's counter went backwards, so there may be a copy of it: remove it, and add a new one", ErrSignIn)
	}
	kept, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("officer: passkey: %w", err)
	}
	_, err = tx.Exec(ctx, `UPDATE officer_passkeys SET credential = $1, used = $2 WHERE id = $3`, kept, time.Now().Unix(), passkeyID(c.ID))
	if err != nil {
		return fmt.Errorf("officer: passkey: %w", err)
	}
	return nil
}

func passkeyID(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// reasonOf is what the library says, without what is inside.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		return strings.TrimSpace(e.Details)
	}
	return err.Error()
}

// base32Text is a random name of n letters and digits.
func base32Text(n int) string { return rand.Text()[:n] }
