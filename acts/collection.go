package acts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"detente/form"
	"detente/traffic"
)

// CollectionFormat is what a collection of acts says it is, docs/register.md#collections.
const CollectionFormat = "detente-acts.v1"

// Limits of a collection.
const (
	MaxCollection = 64 << 20 // bytes
	MaxActs       = 100_000
	maxID         = 128
	maxTexts      = 24
	maxText       = 80_000 // bytes of one text
	maxSource     = 2000
)

// ErrCollection is returned, wrapped, for a file that is no collection of acts.
var ErrCollection = errors.New("acts: not a collection of acts")

// Collection is dated acts about one instrument that somebody else has put together, such as an existing register, with what is stated there of the status.
type Collection struct {
	Format string                       `json:"format"`
	Title  map[string]string            `json:"title"`
	Source string                       `json:"source"` // where it is from, as it should be cited
	Rules  Rules                        `json:"rules"`
	Names  map[traffic.Party]SourceName `json:"participants,omitempty"`
	Acts   []Act                        `json:"acts"`
	Stated *Stated                      `json:"stated,omitempty"`

	digest [32]byte
}

// SourceName is a participant as the collection calls it.
type SourceName map[string]string

// Stated is the status as the collection states it.
type Stated struct {
	On      Day                      `json:"on"`             // the day for which it is stated
	Entry   Day                      `json:"entry,omitzero"` // of the instrument into force
	Parties map[traffic.Party]Claims `json:"parties,omitempty"`
}

// Claims are what a collection states of one participant; what it leaves out is not compared.
type Claims struct {
	State     State `json:"state,omitempty"`
	Signed    Day   `json:"signed,omitzero"`
	Consented Day   `json:"consented,omitzero"`
	InForce   Day   `json:"in_force,omitzero"`
	Ends      Day   `json:"ends,omitzero"`
}

// Difference is one point in which the computed status is not the stated one.
type Difference struct {
	Party    traffic.Party `json:"party,omitempty"` // empty for the instrument
	What     string        `json:"what"`            // entry, state, signed, consented, in_force, ends, missing
	Stated   string        `json:"stated"`
	Computed string        `json:"computed"`
}

// ReadCollection reads a collection strictly. Error: ErrCollection, with the place.
func ReadCollection(b []byte) (*Collection, error) {
	if len(b) > MaxCollection {
		return nil, fmt.Errorf("%w: over %d bytes", ErrCollection, MaxCollection)
	}
	c := &Collection{digest: sha256.Sum256(b)}
	if err := form.DecodeStrict(b, c); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrCollection, err)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCollection, err)
	}
	return c, nil
}

// ID is the SHA-256 of the file, in hex, which stands for an instrument's opening.
func (c *Collection) ID() string { return hex.EncodeToString(c.digest[:]) }

func (c *Collection) check() error {
	switch {
	case c.Format != CollectionFormat:
		return fmt.Errorf("format is not %s", CollectionFormat)
	case len(c.Title) == 0 || !wording(c.Title):
		return errors.New("title")
	case utf8.RuneCountInString(c.Source) > maxSource || form.Clean(c.Source, false, maxSource) != c.Source:
		return errors.New("source")
	case len(c.Acts) > MaxActs:
		return fmt.Errorf("over %d acts", MaxActs)
	case len(c.Names) > MaxActs:
		return errors.New("participants")
	}
	if err := c.Rules.Check(); err != nil {
		return err
	}
	seen := make(map[string]bool, len(c.Acts))
	for i := range c.Acts {
		a := &c.Acts[i]
		if err := a.check(); err != nil {
			return fmt.Errorf("act %d (%.40q): %w", i+1, a.ID, err)
		}
		if seen[a.ID] {
			return fmt.Errorf("act %d: the id %.40q stands twice", i+1, a.ID)
		}
		seen[a.ID] = true
	}
	for p, n := range c.Names {
		if !p.Valid() || !wording(n) {
			return fmt.Errorf("participant %.40q", p)
		}
	}
	if c.Stated != nil {
		if c.Stated.On == 0 {
			return errors.New("stated: on which day")
		}
		for p, x := range c.Stated.Parties {
			if !p.Valid() || x.State != "" && !slices.Contains(States(), x.State) {
				return fmt.Errorf("stated of %.40q", p)
			}
		}
	}
	return nil
}

// check tells whether an act from a collection is well formed.
func (a *Act) check() error {
	switch {
	case a.ID == "" || !line(a.ID, maxID):
		return errors.New("id")
	case !a.Party.Valid():
		return errors.New("party is no id: 2 to 32 of a-z, 0-9 and -")
	case a.By != "" && !a.By.Valid():
		return errors.New("by")
	case !a.Kind.Valid():
		return fmt.Errorf("no such kind: %.40q", a.Kind)
	case a.Manner != "" && !slices.Contains(Manners(), a.Manner):
		return fmt.Errorf("no such manner: %.40q", a.Manner)
	case a.Date == 0:
		return errors.New("date")
	case a.Kind == Correct && a.Known.IsZero():
		return errors.New("a correction says since when it is known: its date is that of the act")
	case a.Known.Year() > 9999:
		return errors.New("known")
	case !line(a.Provision, maxLine), !line(a.Regarding, maxID), !line(a.Participant, maxLine):
		return errors.New("provision, regarding or participant is no line")
	case !wording(a.Texts):
		return errors.New("texts")
	case len(a.With) > maxWith || !parties(a.With):
		return errors.New("with")
	case a.AtLeast < 0 || a.AtLeast > maxThresh:
		return errors.New("at_least")
	case a.Void != "" || !a.VoidFrom.IsZero():
		return errors.New("void is found, not stated")
	}
	return nil
}

// wording tells whether texts by language are within the limits.
func wording(m map[string]string) bool {
	if len(m) > maxTexts {
		return false
	}
	for lang, t := range m {
		if lang == "" || !line(lang, 35) || t == "" || len(t) > maxText || form.Clean(t, false, maxText) != t {
			return false
		}
	}
	return true
}

// Record folds the collection as known by a time, which may be zero.
func (c *Collection) Record(known time.Time) *Record { return Fold(&c.Rules, c.Acts, known) }

// Differences holds the status that is stated against the one that the acts give. It is nil when they agree, or nothing is stated.
func (c *Collection) Differences() []Difference {
	if c.Stated == nil {
		return nil
	}
	var out []Difference
	say := func(p traffic.Party, what, stated, computed string) {
		if stated != "" && stated != computed {
			out = append(out, Difference{p, what, stated, computed})
		}
	}
	r := c.Record(time.Time{})
	s := r.Status(c.Stated.On)
	say("", "entry", c.Stated.Entry.String(), r.Entry.String())
	rows := map[traffic.Party]Row{}
	for _, row := range s.Rows {
		rows[row.Party] = row
	}
	for _, p := range slices.Sorted(maps.Keys(c.Stated.Parties)) {
		x := c.Stated.Parties[p]
		row, ok := rows[p]
		if !ok {
			out = append(out, Difference{Party: p, What: "missing", Stated: string(x.State)})
			continue
		}
		say(p, "state", string(x.State), string(row.State))
		say(p, "signed", x.Signed.String(), row.Signed.String())
		say(p, "consented", x.Consented.String(), row.Consented.String())
		say(p, "in_force", x.InForce.String(), row.InForce.String())
		say(p, "ends", x.Ends.String(), row.Ends.String())
	}
	return out
}
