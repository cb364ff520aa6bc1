package evidence

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"detente/feed"
	"detente/traffic"
)

// Conviction is what a fork object shows: that a party has signed two histories of one feed. Encoded in JSON it is what a script reads.
type Conviction struct {
	Result  string        `json:"verdict"` // Proved or Refused
	Reason  string        `json:"reason,omitempty"`
	Detail  string        `json:"detail,omitempty"`
	Party   traffic.Party `json:"party,omitempty"`
	Feed    string        `json:"feed,omitempty"` // the origin of both checkpoints
	Smaller *Tree         `json:"smaller,omitempty"`
	Larger  *Tree         `json:"larger,omitempty"`
	Keys    []Key         `json:"keys,omitempty"`
	// Doubtful: one of the two bears only signatures by keys that were withdrawn. Whoever held them is convicted: the party or a thief.
	Doubtful bool       `json:"doubtful,omitempty"`
	RestsOn  []Basis    `json:"rests_on,omitempty"`
	Compare  *Untrusted `json:"compare,omitempty"`
	Notes    []string   `json:"notes,omitempty"`
}

// Tree is one of the two states that the party has signed.
type Tree struct {
	Size int64  `json:"size"`
	Root string `json:"root"` // hex
}

// Fork reads a fork object, protocol.md#fork. The conviction is never nil: of a refused object it has what could be read before the refusal.
// The error is a [*Refusal], nil if and only if the party is convicted.
func (r *Reader) Fork(b []byte) (*Conviction, error) {
	c := &Conviction{}
	err := r.fork(b, c)
	if err == nil {
		c.Result = Proved
		return c, nil
	}
	c.Result = Refused
	c.Reason, c.Detail, c.Compare = explain(err, nil)
	return c, err
}

func (r *Reader) fork(b []byte, c *Conviction) error {
	f, err := feed.DecodeFork(b)
	if err != nil {
		return decoding("proof-shape", fmt.Errorf("%w: %w", ErrShape, err))
	}
	if !f.Feed.Valid() {
		return &Refusal{"proof-shape", fmt.Errorf("%w: the feed's name", ErrShape)}
	}
	var notes [2]*feed.Note
	for i, note := range []string{f.Smaller, f.Larger} {
		if notes[i], err = feed.ReadNote(note); err != nil {
			return decoding("note", err)
		}
	}
	t, err := r.trust(f.Charters)
	if err != nil {
		return err
	}
	c.Party, c.Feed = f.Feed.Party, f.Feed.Origin()
	chain, err := t.of(f.Feed.Party, nil)
	if err != nil {
		return err
	}
	// Whenever it was in force: a party cannot leave its signatures behind by changing keys.
	keys := authors(chain, 1, chain.Latest().Version)
	small, large, err := f.Convicts(keys...)
	switch {
	case errors.Is(err, feed.ErrOrigin):
		return &Refusal{"origin", fmt.Errorf("%w: %w", ErrOrigin, err)}
	case errors.Is(err, feed.ErrUnsigned):
		return &Refusal{"checkpoint-signature", fmt.Errorf("%w: %w", ErrCheckpoint, err)}
	case err != nil:
		return &Refusal{"no-fork", fmt.Errorf("%w: %w", ErrNoFork, err)}
	}
	c.Smaller = &Tree{small.Size, hex.EncodeToString(small.Root[:])}
	c.Larger = &Tree{large.Size, hex.EncodeToString(large.Root[:])}
	for _, note := range notes {
		good, _ := note.Check(keys...)
		withdrawn := true
		for _, g := range good {
			k := t.key("checkpoint", f.Feed.Party, g)
			withdrawn = withdrawn && !k.Withdrawn.IsZero()
			if !slices.Contains(c.Keys, k) {
				c.Keys = append(c.Keys, k)
			}
		}
		c.Doubtful = c.Doubtful || withdrawn
	}
	if c.Doubtful {
		c.Notes = append(c.Notes, fmt.Sprintf("One of the two is signed by withdrawn keys alone. It convicts whoever held them: %s, or a thief.", c.Party))
	}
	c.RestsOn = []Basis{t.basis(f.Feed.Party)}
	return nil
}
