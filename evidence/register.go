package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"detente/canonical"
	"detente/feed"
	"detente/key"
	"detente/party"
	"detente/statement"
	"detente/traffic"
)

// Limits of a register bundle, protocol.md#bundle-register. Each is held before anything of that number is made.
const (
	MaxRegister         = 256 << 20
	MaxRegisterActs     = 32768
	maxRegisterFeeds    = 4096
	maxRegisterCharters = 16384
	maxRegisterPath     = 64
	maxRegisterForks    = 64
	maxRegisterEntry    = 1 << 18
	maxRegisterList     = 16 << 20
	maxRegisterRow      = 4096
)

const (
	registerType = "detente-register.v1"
	editionType  = "detente-edition.v1"
)

// ErrRegisterShape is a file that is no register bundle, or whose parts do not belong together.
var ErrRegisterShape = errors.New("evidence: not a register bundle")

// RegisterFile is an instrument of the open register with everything that shows how it stands, protocol.md#bundle-register. It holds no opinion:
// [Reader.Register] reads it.
type RegisterFile struct {
	Instrument statement.ID   `cbor:"instrument"` // of the statement that opened it; of a collection, SHA-256 of its file
	Edition    statement.ID   `cbor:"edition"`    // of the statement in which the keeper signed the list
	Charters   [][]byte       `cbor:"charters"`
	Channels   [][]byte       `cbor:"channels"`
	Feeds      []RegisterFeed `cbor:"feeds"`
	Collection []byte         `cbor:"collection,omitempty"` // acts that bear no signature of their own, in the file that they were imported in
	List       []byte         `cbor:"list"`                 // an [EditionList], to the byte that the edition names
	Forks      [][]byte       `cbor:"forks,omitempty"`      // fork objects: what convicts a party of two histories
}

// RegisterFeed is statements of one feed under one checkpoint.
type RegisterFeed struct {
	Feed       traffic.Feed `cbor:"feed"`
	Checkpoint string       `cbor:"checkpoint"`
	// Entries are each an encoded [RegisterEntry], by rising index. They are byte strings so that one which was tampered with spoils no other.
	Entries [][]byte `cbor:"entries"`
}

// RegisterEntry is a statement with its place.
type RegisterEntry struct {
	Index     int64           `cbor:"index"`
	Statement []byte          `cbor:"statement"`
	Path      []byte          `cbor:"path"` // the hashes one after the other
	Adoptions []feed.Adoption `cbor:"adoptions,omitempty"`
}

// Encode gives the bytes of an entry.
func (e *RegisterEntry) Encode() ([]byte, error) { return canonical.Marshal(e) }

// EditionList is what the keeper of a register signs: every act that it holds of an instrument, and whose charters it took for whose. An edition names
// it by its hash.
type EditionList struct {
	Instrument statement.ID `cbor:"instrument"`
	Known      int64        `cbor:"known"` // until when acts were recorded, Unix seconds
	Pins       []Pin        `cbor:"pins"`  // of all whose feeds stand here, by party
	Feeds      []string     `cbor:"feeds"` // origins
	Rows       [][]byte     `cbor:"rows"`  // each an encoded [EditionRow], in the order in which the acts are folded
	Forked     []Forked     `cbor:"forked,omitempty"`
}

// Forked is a party convicted of two histories, and since when the keeper knows it.
type Forked struct {
	_     struct{} `cbor:",toarray"`
	Party traffic.Party
	Since int64 // Unix seconds
}

// Pin is the first charter of a party, by its hash.
type Pin struct {
	_       struct{} `cbor:",toarray"`
	Party   traffic.Party
	Genesis [32]byte
}

// EditionRow is one act of a list.
type EditionRow struct {
	_      struct{} `cbor:",toarray"`
	Feed   int      // which of the list's feeds; -1 for an act of the collection
	Index  int64    // in the feed, or in the collection
	ID     string   // of the act: the statement's in hex, or the collection's own
	Digest [32]byte // of the statement: its id; of an act of a collection, SHA-256 of it as package acts writes it
	Party  string   // the participant
	Kind   string
	Date   string // of the act, 2026-11-23
	Known  int64  // since when the keeper has it, Unix seconds
	Mark   string // why the statement is invalid, where only the whole feed shows that: the keeper's word
	Why    string // empty, or why it changes no status
}

// Encode gives the bytes of a row.
func (r *EditionRow) Encode() ([]byte, error) { return canonical.Marshal(r) }

// Encode gives the bytes of the list, as the attachment of an edition has them.
func (l *EditionList) Encode() ([]byte, error) {
	b, err := canonical.Marshal([]any{editionType, l})
	if err != nil || len(b) > maxRegisterList {
		return nil, fmt.Errorf("evidence: list of %d bytes, over %d: %w", len(b), maxRegisterList, errors.Join(canonical.ErrTooLarge, err))
	}
	return b, nil
}

// DecodeEditionList reads a list, at most 16 MiB. Errors: those of package canonical, ErrRegisterShape.
func DecodeEditionList(b []byte) (*EditionList, []EditionRow, error) {
	var outer struct {
		_    struct{} `cbor:",toarray"`
		Type string
		List EditionList
	}
	if err := canonical.Unmarshal(b, &outer, maxRegisterList); err != nil {
		return nil, nil, registerShape(err)
	}
	l := &outer.List
	if outer.Type != editionType || len(l.Rows) > MaxRegisterActs || len(l.Feeds) > maxRegisterFeeds || len(l.Pins) > maxRegisterFeeds || len(l.Forked) > maxRegisterForks {
		return nil, nil, fmt.Errorf("%w: a list of another type, or too long", ErrRegisterShape)
	}
	rows := make([]EditionRow, len(l.Rows))
	for i, raw := range l.Rows {
		r := &rows[i]
		if err := canonical.Unmarshal(raw, r, maxRegisterRow); err != nil {
			return nil, nil, registerShape(err)
		}
		if r.Feed < -1 || r.Feed >= len(l.Feeds) || r.Index < 0 {
			return nil, nil, fmt.Errorf("%w: row %d", ErrRegisterShape, i)
		}
	}
	return l, rows, nil
}

// Encode gives the bytes of the bundle.
func (f *RegisterFile) Encode() ([]byte, error) {
	b, err := canonical.Marshal([]any{registerType, f})
	if err != nil || len(b) > MaxRegister {
		return nil, fmt.Errorf("evidence: register bundle of %d bytes, over %d: %w", len(b), MaxRegister, errors.Join(canonical.ErrTooLarge, err))
	}
	return b, nil
}

// DecodeRegister reads a bundle, at most 256 MiB. Its entries are left encoded. Errors: those of package canonical, ErrRegisterShape.
func DecodeRegister(b []byte) (*RegisterFile, error) {
	var outer struct {
		_    struct{} `cbor:",toarray"`
		Type string
		File RegisterFile
	}
	if err := canonical.Unmarshal(b, &outer, MaxRegister); err != nil {
		return nil, registerShape(err)
	}
	f := &outer.File
	if outer.Type != registerType || len(f.Feeds) > maxRegisterFeeds || len(f.Charters) > maxRegisterCharters || len(f.Channels) > maxRegisterFeeds || len(f.Forks) > maxRegisterForks {
		return nil, fmt.Errorf("%w: type or a number of parts", ErrRegisterShape)
	}
	entries, seen := 0, make(map[traffic.Feed]bool, len(f.Feeds))
	for i := range f.Feeds {
		s := &f.Feeds[i]
		if !s.Feed.Valid() || seen[s.Feed] {
			return nil, fmt.Errorf("%w: feed %d", ErrRegisterShape, i)
		}
		seen[s.Feed] = true
		if entries += len(s.Entries); entries > 2*MaxRegisterActs {
			return nil, fmt.Errorf("%w: more than %d entries", ErrRegisterShape, 2*MaxRegisterActs)
		}
	}
	return f, nil
}

// DecodeRegisterEntry reads one entry of a bundle. Errors: those of package canonical, ErrRegisterShape.
func DecodeRegisterEntry(b []byte) (*RegisterEntry, error) {
	e := &RegisterEntry{}
	if err := canonical.Unmarshal(b, e, maxRegisterEntry); err != nil {
		return nil, registerShape(err)
	}
	if e.Index < 0 || len(e.Path)%32 != 0 || len(e.Path) > maxRegisterPath*32 || len(e.Adoptions) > 1 {
		return nil, fmt.Errorf("%w: entry %s", ErrRegisterShape, strconv.FormatInt(e.Index, 10))
	}
	for _, a := range e.Adoptions {
		if a.Index < 0 || len(a.Path) > maxRegisterPath {
			return nil, fmt.Errorf("%w: adoption of entry %d", ErrRegisterShape, e.Index)
		}
	}
	return e, nil
}

func registerShape(err error) error {
	if errors.Is(err, canonical.ErrShape) {
		return fmt.Errorf("%w: %v", ErrRegisterShape, err)
	}
	return err
}

// isRegister tells whether bytes claim to be a register bundle.
func isRegister(b []byte) bool { return bytes.HasPrefix(b, []byte("\x82\x73"+registerType)) }

// RegisterCharters is the chain of a party's charters in a bundle, from the first on, for a reader who has compared the words of the newest one with the party.
// Errors: those of [DecodeRegister]; ErrUntrusted when there is no such chain.
func RegisterCharters(bundle []byte, registry key.Registry, p traffic.Party) (*party.Chain, error) {
	f, err := DecodeRegister(bundle)
	if err != nil {
		return nil, err
	}
	r := &Reader{Registry: registry}
	t, err := r.trust(f.Charters)
	if err != nil {
		return nil, err
	}
	if first := t.offered[p][1]; len(first) == 1 && t.vouch(p, first[0].Hash()) {
		return t.chains[p], nil
	}
	return nil, fmt.Errorf("%w: %s", ErrUntrusted, p)
}
