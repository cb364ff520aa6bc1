package officer

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"detente/store"
)

const officerColumns = `SELECT id, handle, name, grants, language, mail, webhook, openid, removed, seen, let_in FROM officers`

// row is an officer as he is kept.
type row struct {
	Officer
	grants        string
	removed, seen int64
}

func (r *row) fields() []any {
	return []any{&r.ID, &r.handle, &r.Name, &r.grants, &r.Language, &r.Mail, &r.Webhook, &r.OpenID, &r.removed, &r.seen, &r.LetIn}
}

// read completes officers with their grants, passkeys and tokens.
func read(ctx context.Context, tx *store.Tx, rows []row) ([]Officer, error) {
	out := make([]Officer, 0, len(rows))
	for _, r := range rows {
		o := r.Officer
		o.Removed, o.Seen = r.removed != 0, moment(r.seen)
		if err := json.Unmarshal([]byte(r.grants), &o.Grants); err != nil {
			return nil, fmt.Errorf("officer: grants of %s: %w", o.ID, err)
		}
		if err := o.readPasskeys(ctx, tx); err != nil {
			return nil, err
		}
		tokens, err := store.One(ctx, tx, func(n *int64) []any { return []any{n} }, `SELECT count(*) FROM officer_tokens WHERE officer = $1`, o.ID)
		if err != nil {
			return nil, fmt.Errorf("officer: %w", err)
		}
		o.Token = tokens > 0
		out = append(out, o)
	}
	return out, nil
}

func (o *Officer) readPasskeys(ctx context.Context, tx *store.Tx) error {
	type key struct {
		Passkey
		credential  []byte
		added, used int64
	}
	keys, err := store.All(ctx, tx, func(k *key) []any { return []any{&k.ID, &k.Label, &k.credential, &k.added, &k.used} },
		`SELECT id, label, credential, added, used FROM officer_passkeys WHERE officer = $1 ORDER BY added, id`, o.ID)
	if err != nil {
		return fmt.Errorf("officer: passkeys: %w", err)
	}
	for _, k := range keys {
		c, err := readCredential(k.credential)
		if err != nil {
			return err
		}
		k.Added, k.Used = moment(k.added), moment(k.used)
		o.Passkeys, o.credentials = append(o.Passkeys, k.Passkey), append(o.credentials, c)
	}
	return nil
}

func list(ctx context.Context, tx *store.Tx) ([]Officer, error) {
	rows, err := store.All(ctx, tx, (*row).fields, officerColumns+` ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("officer: list: %w", err)
	}
	return read(ctx, tx, rows)
}

func find(ctx context.Context, tx *store.Tx, id string) (Officer, error) {
	return one(ctx, tx, officerColumns+` WHERE id = $1`, id)
}

func bySubject(ctx context.Context, tx *store.Tx, subject string) (Officer, error) {
	return one(ctx, tx, officerColumns+` WHERE openid = $1 AND removed = 0`, subject)
}

func byHandle(ctx context.Context, tx *store.Tx, handle []byte) (Officer, error) {
	return one(ctx, tx, officerColumns+` WHERE handle = $1 AND removed = 0`, handle)
}

func one(ctx context.Context, tx *store.Tx, query string, arg any) (Officer, error) {
	rows, err := store.All(ctx, tx, (*row).fields, query, arg)
	if err != nil {
		return Officer{}, fmt.Errorf("officer: %w", err)
	}
	if len(rows) == 0 {
		return Officer{}, fmt.Errorf("%w: %v", ErrNoOfficer, printable(arg))
	}
	all, err := read(ctx, tx, rows[:1])
	if err != nil {
		return Officer{}, err
	}
	return all[0], nil
}

func printable(arg any) any {
	if b, ok := arg.([]byte); ok {
		return base64.RawURLEncoding.EncodeToString(b)
	}
	return arg
}
