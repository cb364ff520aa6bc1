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
	RestsOn []Basis       `json:"rests_on,omitempty"`
	Compare *Untrusted    `json:"compare,omitempty"`
	Notes   []string      `json:"notes,omitempty"`
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
	for _, note := range []string{f.Smaller, f.Larger} {
		if _, err := checkpoint(note); err != nil {
			return err
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
	case errors.Is(err, feed.ErrUnsigned), errors.Is(err, feed.ErrNote):
		return &Refusal{"checkpoint-signature", fmt.Errorf("%w: %w", ErrCheckpoint, err)}
	case err != nil:
		return &Refusal{"no-fork", fmt.Errorf("%w: %w", ErrNoFork, err)}
	}
	c.Smaller = &Tree{small.Size, hex.EncodeToString(small.Root[:])}
	c.Larger = &Tree{large.Size, hex.EncodeToString(large.Root[:])}
	for _, note := range []string{f.Smaller, f.Larger} {
		for _, g := range open(note, keys).good {
			k := Key{"checkpoint", string(f.Feed.Party), algorithm(g.Algorithm), g.Key.String()}
			if slices.Contains(c.Keys, k) {
				continue
			}
			c.Keys = append(c.Keys, k)
			if since, gone := chain.WithdrawnAt(g.Key); gone {
				c.Notes = append(c.Notes, fmt.Sprintf("Key %s was withdrawn since %s: from then on somebody else may have signed with it.", k.ID, clock(since)))
			}
		}
	}
	c.RestsOn = []Basis{t.basis(f.Feed.Party)}
	return nil
}
