package asset

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"strings"

	"detente/canonical"
	"detente/observable"
	"detente/traffic"

	"github.com/gaissmai/bart"
)

// The bounds of a list.
const (
	MaxEntries = 50000
	MaxText    = 8 << 20
	maxSecret  = 16 << 20
	minLeaves  = 256 // a list of three and a list of a hundred look alike

	secretType = "detente-asset-list.v1"
)

// Head is what is published of a list: nothing else leaves its owner until he proves an entry.
type Head struct {
	Party   traffic.Party
	Version uint64 // 1, and one more for each list that takes the place of an earlier one
	Root    [32]byte
	Leaves  uint64 // with decoys; a power of two
	Totals  Totals
}

// Check tells whether a head can be one. Error: ErrHead.
func (h Head) Check() error {
	if _, ok := depthOf(h.Leaves); !ok || !h.Party.Valid() || h.Version < 1 || h.Version > maxTotal || h.Totals.Entries > h.Leaves {
		return fmt.Errorf("%w: %d leaves, version %d", ErrHead, h.Leaves, h.Version)
	}
	for _, n := range h.Totals.each() {
		if n > maxTotal {
			return fmt.Errorf("%w: a total of %d", ErrHead, n)
		}
	}
	return nil
}

// List is a list with its secret. Whoever has it can read the list and prove what is on it: it is kept offline.
type List struct {
	party   traffic.Party
	version uint64
	key     []byte
	slots   map[uint64]Entry
	leaves  uint64
	levels  [][]node // leaves first
}

// Make commits a party to entries. Their places are drawn at random, each beside a decoy, so that the sums beside a path tell nothing of the closest
// neighbour. Errors: ErrEntry, ErrTwice, ErrLimits.
func Make(p traffic.Party, version uint64, entries []Entry, limits Limits) (*List, error) {
	var totals Totals
	for _, e := range entries {
		w, err := e.Weight()
		if err != nil {
			return nil, err
		}
		if err := limits.AllowEntry(e); err != nil {
			return nil, err
		}
		var ok bool
		if totals, ok = totals.plus(w); !ok {
			return nil, ErrLimits
		}
	}
	if len(entries) > MaxEntries {
		return nil, fmt.Errorf("%w: %d entries, at most %d", ErrLimits, len(entries), MaxEntries)
	}
	if err := limits.Allow(totals); err != nil {
		return nil, err
	}
	if err := overlap(entries); err != nil {
		return nil, err
	}
	l := &List{party: p, version: version, key: make([]byte, saltSize), slots: make(map[uint64]Entry, len(entries)), leaves: minLeaves}
	rand.Read(l.key)
	for l.leaves < 2*uint64(len(entries)) {
		l.leaves *= 2
	}
	pairs := make([]uint64, l.leaves/2)
	for i := range pairs {
		pairs[i] = uint64(i)
	}
	for i, e := range entries { // as Fisher and Yates shuffle, for as many as are needed
		j := i + int(below(len(pairs)-i))
		pairs[i], pairs[j] = pairs[j], pairs[i]
		l.slots[2*pairs[i]+below(2)] = e
	}
	if err := l.grow(); err != nil {
		return nil, err
	}
	return l, l.Head().Check()
}

// below draws a number from 0 up to n, without n.
func below(n int) uint64 {
	v, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil { // the reader of package rand never fails
		panic(err)
	}
	return v.Uint64()
}

// overlap refuses what would count twice: a network in a network, a name under a name, an entry that is there already.
func overlap(entries []Entry) error {
	var networks bart.Lite
	names := make(map[string]bool, len(entries))
	seen := make(map[Entry]bool, len(entries))
	for _, e := range entries {
		if seen[e] {
			return fmt.Errorf("%w: %s", ErrTwice, e)
		}
		seen[e] = true
		switch e.Kind {
		case observable.IP, observable.Prefix:
			p, err := e.prefix()
			if err != nil {
				return err
			}
			if networks.OverlapsPrefix(p) {
				return fmt.Errorf("%w: %s lies in another network, or holds one", ErrTwice, e)
			}
			networks.Insert(p)
		case observable.Domain:
			names[e.Value] = true
		}
	}
	for name := range names {
		for _, above, ok := strings.Cut(name, "."); ok; _, above, ok = strings.Cut(above, ".") {
			if names[above] {
				return fmt.Errorf("%w: %s lies under %s", ErrTwice, name, above)
			}
		}
	}
	return nil
}

// grow computes the tree.
func (l *List) grow() error {
	level := make([]node, l.leaves)
	for i := range level {
		entry, weight := "", Totals{}
		if e, ok := l.slots[uint64(i)]; ok {
			var err error
			if weight, err = e.Weight(); err != nil {
				return err
			}
			entry = e.String()
		}
		level[i] = leaf(l.party, l.version, salt(l.key, l.version, uint64(i)), weight, entry)
	}
	l.levels = [][]node{level}
	for len(level) > 1 {
		above := make([]node, len(level)/2)
		for i := range above {
			var ok bool
			if above[i], ok = join(level[2*i], level[2*i+1]); !ok {
				return ErrLimits
			}
		}
		l.levels = append(l.levels, above)
		level = above
	}
	return nil
}

// Head is what to publish.
func (l *List) Head() Head {
	top := l.levels[len(l.levels)-1][0]
	return Head{Party: l.party, Version: l.version, Root: top.Hash, Leaves: l.leaves, Totals: top.Sums}
}

// Entries are those on the list, in their order as text.
func (l *List) Entries() []Entry {
	out := make([]Entry, 0, len(l.slots))
	for _, e := range l.slots {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(a.String(), b.String()) })
	return out
}

// Find gives the entry that covers what was hit. Error: ErrAbsent.
func (l *List) Find(hit observable.Observable) (Entry, error) {
	if host, ok := hit.Host(); ok {
		hit = host
	}
	for _, e := range l.slots {
		if e.Covers(hit) {
			return e, nil
		}
	}
	return Entry{}, fmt.Errorf("%w: %s", ErrAbsent, hit)
}

type secretShape struct {
	Type    string       `cbor:"type"`
	Party   string       `cbor:"party"`
	Version uint64       `cbor:"version"`
	Key     []byte       `cbor:"key"`
	Leaves  uint64       `cbor:"leaves"`
	Entries []secretSlot `cbor:"entries"`
}

type secretSlot struct {
	_     struct{} `cbor:",toarray"`
	Index uint64
	Entry string
}

// Secret is the list as it is kept, with its key. It is for nobody but its owner.
func (l *List) Secret() ([]byte, error) {
	s := secretShape{Type: secretType, Party: string(l.party), Version: l.version, Key: l.key, Leaves: l.leaves}
	for i, e := range l.slots {
		s.Entries = append(s.Entries, secretSlot{Index: i, Entry: e.String()})
	}
	slices.SortFunc(s.Entries, func(a, b secretSlot) int { return int(int64(a.Index) - int64(b.Index)) })
	return canonical.Marshal(s)
}

// Open reads what Secret wrote, and computes the tree again. Error: ErrSecret.
func Open(b []byte) (*List, error) {
	var s secretShape
	if err := canonical.Unmarshal(b, &s, maxSecret); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSecret, err)
	}
	l := &List{party: traffic.Party(s.Party), version: s.Version, key: s.Key, leaves: s.Leaves, slots: make(map[uint64]Entry, len(s.Entries))}
	if _, ok := depthOf(s.Leaves); !ok || s.Type != secretType || len(s.Key) != saltSize || len(s.Entries) > MaxEntries {
		return nil, ErrSecret
	}
	for _, slot := range s.Entries {
		e, err := parseLeaf(slot.Entry)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSecret, err)
		}
		if _, twice := l.slots[slot.Index]; twice || slot.Index >= s.Leaves {
			return nil, fmt.Errorf("%w: place %d", ErrSecret, slot.Index)
		}
		l.slots[slot.Index] = e
	}
	if err := l.grow(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSecret, err)
	}
	if err := l.Head().Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSecret, err)
	}
	return l, nil
}

// ParseText reads a list as a person writes it: an entry a line, and remarks after a #. Errors: ErrEntry with the line, ErrLimits.
func ParseText(text []byte) ([]Entry, error) {
	if len(text) > MaxText {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrLimits, len(text), MaxText)
	}
	var out []Entry
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		e, err := ParseEntry(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if p, err := netip.ParsePrefix(line); err == nil && p.Masked() != p {
			return nil, fmt.Errorf("line %d: %w: %s has bits beyond its length; is %s meant?", n, ErrEntry, line, p.Masked())
		}
		if out = append(out, e); len(out) > MaxEntries {
			return nil, fmt.Errorf("%w: over %d entries", ErrLimits, MaxEntries)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, errors.Join(ErrEntry, err)
	}
	return out, nil
}
