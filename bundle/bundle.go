// Package bundle is the sealed unit that routes carry: what one party's node has for another's, signed by the one and readable by the other.
// It must never judge what it carries, nor hold any of it back: it knows no database and no meaning of a statement.
package bundle

import (
	"errors"
	"time"

	"detente/traffic"
)

// Limits, protocol.md#bundle. A bundle over one of them is refused whole.
const (
	MaxSealed = 8 << 20 // bytes of a sealed bundle

	MaxFeeds    = 4096     // sections of feeds, and of what is held
	MaxEntries  = 1 << 16  // entries of all feeds together
	MaxEntry    = 48 << 10 // bytes of an entry
	MaxNote     = 32 << 10 // bytes of a checkpoint, or of cosignature lines
	MaxCharters = 64
	MaxCharter  = 256 << 10
	MaxGossip   = 4096
	MaxForks    = 16
	MaxFork     = 1 << 20
	MaxWants    = 1024
	MaxChunks   = 64
	MaxChunk    = 256 << 10 // bytes of a blob that travel at once
	MaxBlob     = 64 << 20  // bytes of a blob
	MaxKnow     = 1024
	MaxHold     = 5 * time.Minute

	maxPosition = 1 << 53 // sizes of feeds, so that they are the same number on every machine
	maxVersion  = 1<<31 - 1
	maxTime     = 253402300799 // the end of the year 9999
	maxKey      = len("charters")
)

// Errors that a caller decides on.
var (
	ErrNotForUs = errors.New("bundle: for another party")
	ErrKey      = errors.New("bundle: sealed to a key that is not held") // the sender has an old charter of ours
	ErrSeal     = errors.New("bundle: seal does not open")
	ErrSender   = errors.New("bundle: not signed by the sender it names")
	ErrLimit    = errors.New("bundle: over a limit")
	ErrShape    = errors.New("bundle: not a bundle")
)

// Bundle is what one party's node tells another's. Every part below the first
// three may be empty. It is idempotent, in any order.
type Bundle struct {
	From, To traffic.Party
	At       time.Time // whole seconds

	Charters [][]byte              // versions of the sender's charter that the receiver may lack
	Feeds    []FeedPart            // highest precedence first
	Held     []Held                // how far the sender holds each feed of the shared channels, its own included
	Gossip   []string              // checkpoints of third members' feeds
	Forks    [][]byte              // fork objects, protocol.md#proof
	Wants    []Want                // blobs that the sender lacks
	Blobs    []Chunk               // pieces of blobs that the receiver wanted
	Know     map[traffic.Party]int // the newest charter version of each party that the sender holds
	Hold     time.Duration         // whole seconds that the answer may be held back until there is something to say
}

// FeedPart is consecutive entries of a feed under a checkpoint. They may end below its size.
type FeedPart struct {
	Feed       traffic.Feed `cbor:"feed"`
	Start      int64        `cbor:"start"` // index of the first entry
	Entries    [][]byte     `cbor:"entries,omitempty"`
	Checkpoint string       `cbor:"checkpoint"` // signed note
}

// Held says that the sender has durably stored a feed up to a size.
type Held struct {
	Feed         traffic.Feed `cbor:"feed"`
	Size         int64        `cbor:"size"`
	Root         [32]byte     `cbor:"root"`
	Cosignatures string       `cbor:"cosignatures,omitempty"` // note signature lines of the sender as mirror
}

// Want asks for a blob from an offset.
type Want struct {
	_      struct{} `cbor:",toarray"`
	Hash   [32]byte
	Offset int64
}

// Chunk is a piece of a blob.
type Chunk struct {
	Hash   [32]byte `cbor:"hash"`
	Size   int64    `cbor:"size"` // of the whole blob
	Offset int64    `cbor:"offset"`
	Data   []byte   `cbor:"data"`
}

// Bytes that each piece adds to the content at most, beside its own, for a packer that keeps count as it fills a bundle.
const (
	EntryOverhead = 5
	PartOverhead  = 160 // of a FeedPart or a Held beside its note
	ChunkOverhead = 96
	overhead      = 128 // of the content's keys
)

// Size is the most bytes that the content of b takes; [Capacity] says how many a route takes. Counting costs time in proportion to the entries,
// so a packer adds up its own additions.
func (b *Bundle) Size() int {
	n := overhead + len(b.Know)*(32+EntryOverhead+EntryOverhead) + len(b.Wants)*48
	for _, list := range [][][]byte{b.Charters, b.Forks} {
		for _, c := range list {
			n += len(c) + EntryOverhead
		}
	}
	for i := range b.Feeds {
		n += b.Feeds[i].Size()
	}
	for i := range b.Held {
		n += PartOverhead + len(b.Held[i].Cosignatures)
	}
	for _, g := range b.Gossip {
		n += len(g) + EntryOverhead
	}
	for i := range b.Blobs {
		n += ChunkOverhead + len(b.Blobs[i].Data)
	}
	return n
}

// Size is the most bytes that the part adds to the content.
func (p *FeedPart) Size() int {
	n := PartOverhead + len(p.Checkpoint)
	for _, e := range p.Entries {
		n += len(e) + EntryOverhead
	}
	return n
}
