package chancery

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"detente/statement"
	"detente/store"
	"detente/wording"
)

// Schema is the tables of this package: what a party keeps to itself about a negotiation, and what it has committed itself to and not shown yet. Nothing of
// them is sent, nor named in a feed or in the journal.
func Schema() store.Schema {
	return store.Schema{Package: "chancery", Steps: []string{`
CREATE TABLE chancery_notes (
	id        {bytes} NOT NULL PRIMARY KEY, -- 16 random bytes
	number    {bigint} NOT NULL,           -- in the order in which they were written
	dossier   {bytes} NOT NULL,             -- the negotiation
	provision TEXT NOT NULL,               -- empty for the negotiation as a whole
	kind      TEXT NOT NULL,               -- instruction, fall-back or comment
	officer   TEXT NOT NULL,               -- who wrote it; empty for the terminal
	written   {bigint} NOT NULL,           -- unix seconds
	words     TEXT NOT NULL,
	texts     TEXT NOT NULL                -- JSON: the wording of a fall-back by language; empty for none
);
CREATE INDEX chancery_notes_of ON chancery_notes (dossier, provision);
CREATE TABLE chancery_commitments (
	digest    {bytes} NOT NULL PRIMARY KEY, -- known before the commitment has an id
	dossier   {bytes} NOT NULL,
	provision TEXT NOT NULL,
	position  TEXT NOT NULL,               -- JSON: the wording and the salt that show what the digest is of
	post      TEXT NOT NULL,               -- that speaks
	made      {bigint} NOT NULL,           -- unix seconds
	shown     {bigint} NOT NULL            -- 1 once the position was stated
);
CREATE INDEX chancery_commitments_of ON chancery_commitments (dossier) WHERE shown = 0;`}}
}

// The kinds of notes. None leaves the node.
const (
	Instruction = "instruction" // what the delegation was told
	FallBack    = "fall-back"   // a wording that it may go to
	Comment     = "comment"     // between colleagues
)

// Bounds of what is kept to oneself.
const (
	maxNote  = 16 << 10 // bytes of its words
	maxNotes = 10_000   // of one negotiation
)

// Note is what this party keeps to itself about a provision.
type Note struct {
	ID        string
	Provision string // empty for the negotiation as a whole
	Kind      string
	Officer   string // empty for the terminal
	At        time.Time
	Words     string
	Texts     wording.Texts // of a fall-back

	id, texts []byte
	at        int64
}

func (n *Note) fields() []any {
	return []any{&n.id, &n.Provision, &n.Kind, &n.Officer, &n.at, &n.Words, &n.texts}
}

// Note keeps something about a negotiation in this node alone. Errors: ErrNote.
func (c *Chancery) Note(ctx context.Context, dossier statement.ID, n Note) (Note, error) {
	switch {
	case n.Kind != Instruction && n.Kind != FallBack && n.Kind != Comment:
		return n, fmt.Errorf("%w: %q is none of its kinds", ErrNote, n.Kind)
	case n.Words == "" && len(n.Texts) == 0, len(n.Words) > maxNote, !utf8.ValidString(n.Words):
		return n, fmt.Errorf("%w: its words are missing, no text, or longer than %d bytes", ErrNote, maxNote)
	case n.Kind != FallBack && len(n.Texts) > 0:
		return n, fmt.Errorf("%w: only a fall-back has a wording of the text", ErrNote)
	}
	texts := []byte{}
	if len(n.Texts) > 0 {
		if err := n.Texts.Check(); err != nil {
			return n, fmt.Errorf("%w: %w", ErrNote, err)
		}
		var err error
		if texts, err = json.Marshal(n.Texts); err != nil {
			return n, fmt.Errorf("chancery: %w", err)
		}
	}
	n.id = make([]byte, 16)
	rand.Read(n.id)
	n.ID, n.At = hex.EncodeToString(n.id), time.Now().UTC().Truncate(time.Second)
	err := c.node.DB.Update(ctx, store.Calm, func(tx *store.Tx) error {
		var many, last int64
		if err := tx.QueryRow(ctx, `SELECT count(*), coalesce(max(number), 0) FROM chancery_notes WHERE dossier = $1`, dossier[:]).Scan(&many, &last); err != nil {
			return err
		}
		if many >= maxNotes {
			return fmt.Errorf("%w: there are %d already", ErrNote, many)
		}
		_, err := tx.Exec(ctx, `INSERT INTO chancery_notes (id, number, dossier, provision, kind, officer, written, words, texts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			n.id, last+1, dossier[:], n.Provision, n.Kind, n.Officer, n.At.Unix(), n.Words, string(texts))
		return err
	})
	if err != nil && !errors.Is(err, ErrNote) {
		err = fmt.Errorf("chancery: %w", err)
	}
	return n, err
}

// Forget takes a note away.
func (c *Chancery) Forget(ctx context.Context, dossier statement.ID, id string) error {
	b, err := hex.DecodeString(id)
	if err != nil {
		return fmt.Errorf("%w: %q is none", ErrNote, id)
	}
	var gone int64
	err = c.node.DB.Update(ctx, store.Calm, func(tx *store.Tx) error {
		r, err := tx.Exec(ctx, `DELETE FROM chancery_notes WHERE dossier = $1 AND id = $2`, dossier[:], b)
		if err != nil {
			return err
		}
		gone, err = r.RowsAffected()
		return err
	})
	if err == nil && gone == 0 {
		return fmt.Errorf("%w: there is none %q", ErrNote, id)
	}
	return err
}

// Notes are what this party keeps to itself about a negotiation, in the order in which it was written.
func (c *Chancery) Notes(ctx context.Context, dossier statement.ID) ([]Note, error) {
	var out []Note
	err := c.node.DB.View(ctx, func(tx *store.Tx) (err error) {
		out, err = store.All(ctx, tx, (*Note).fields,
			`SELECT id, provision, kind, officer, written, words, texts FROM chancery_notes WHERE dossier = $1 ORDER BY number, id`, dossier[:])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("chancery: %w", err)
	}
	for i := range out {
		n := &out[i]
		n.ID, n.At = hex.EncodeToString(n.id), time.Unix(n.at, 0).UTC()
		if len(n.texts) > 0 {
			if err := json.Unmarshal(n.texts, &n.Texts); err != nil {
				return nil, fmt.Errorf("chancery: %w", err)
			}
		}
	}
	return out, nil
}
