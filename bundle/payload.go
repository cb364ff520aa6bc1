package bundle

import (
	"time"

	"detente/canonical"
	"detente/traffic"
)

// content is the map of protocol.md#bundle. Lists that are empty are left out, so that one bundle has one encoding.
type content struct {
	Charters [][]byte              `cbor:"charters,omitempty"`
	Feeds    []FeedPart            `cbor:"feeds,omitempty"`
	Held     []Held                `cbor:"held,omitempty"`
	Gossip   []string              `cbor:"gossip,omitempty"`
	Forks    [][]byte              `cbor:"forks,omitempty"`
	Wants    []Want                `cbor:"wants,omitempty"`
	Blobs    []Chunk               `cbor:"blobs,omitempty"`
	Know     map[traffic.Party]int `cbor:"know,omitempty"`
	Hold     int64                 `cbor:"hold,omitempty"`
}

func encode(b *Bundle) ([]byte, error) {
	return canonical.Marshal(content{
		b.Charters, b.Feeds, b.Held, b.Gossip, b.Forks, b.Wants, b.Blobs, b.Know, int64(b.Hold / time.Second),
	})
}

// decode reads the content into b; what it stores there aliases raw. It is written out by hand, not left to the CBOR library, because a
// count must be judged before a list is made for it: eight million empty entries fit a bundle and would take 200 MB as slices.
func decode(raw []byte, b *Bundle) error {
	if err := canonical.Check(raw, MaxSealed); err != nil {
		return err
	}
	r := &reader{b: raw, entries: MaxEntries}
	for range r.pairs(0, 9) {
		switch r.text(maxKey) {
		case "charters":
			b.Charters = list(r, MaxCharters, func() []byte { return r.bytes(MaxCharter) })
		case "feeds":
			b.Feeds = list(r, MaxFeeds, r.feedPart)
		case "held":
			b.Held = list(r, MaxFeeds, r.held)
		case "gossip":
			b.Gossip = list(r, MaxGossip, func() string { return r.text(MaxNote) })
		case "forks":
			b.Forks = list(r, MaxForks, func() []byte { return r.bytes(MaxFork) })
		case "wants":
			b.Wants = list(r, MaxWants, r.want)
		case "blobs":
			b.Blobs = list(r, MaxChunks, r.chunk)
		case "know":
			b.Know = make(map[traffic.Party]int)
			for range r.pairs(1, MaxKnow) {
				b.Know[r.party()] = int(r.number(1, maxVersion))
			}
		case "hold":
			b.Hold = time.Duration(r.number(1, int64(MaxHold/time.Second))) * time.Second
		default:
			r.fail(ErrShape)
		}
	}
	return r.err
}

func (r *reader) feedPart() (p FeedPart) {
	n := r.pairs(3, 4)
	r.key("feed")
	p.Feed = r.feed()
	r.key("start")
	p.Start = r.number(0, maxPosition)
	if n == 4 {
		r.key("entries")
		p.Entries = list(r, r.entries, func() []byte { return r.bytes(MaxEntry) })
		r.entries -= len(p.Entries)
	}
	r.key("checkpoint")
	p.Checkpoint = r.text(MaxNote)
	return p
}

func (r *reader) held() (h Held) {
	n := r.pairs(3, 4)
	r.key("feed")
	h.Feed = r.feed()
	r.key("root")
	h.Root = r.hash()
	r.key("size")
	h.Size = r.number(0, maxPosition)
	if n == 4 {
		r.key("cosignatures")
		h.Cosignatures = r.text(MaxNote)
	}
	return h
}

func (r *reader) want() (w Want) {
	r.array(2, 2)
	w.Hash, w.Offset = r.hash(), r.number(0, MaxBlob)
	return w
}

func (r *reader) chunk() (c Chunk) {
	r.pairs(4, 4)
	r.key("data")
	c.Data = r.bytes(MaxChunk)
	r.key("hash")
	c.Hash = r.hash()
	r.key("size")
	c.Size = r.number(1, MaxBlob)
	r.key("offset")
	c.Offset = r.number(0, MaxBlob)
	if c.Offset+int64(len(c.Data)) > c.Size {
		r.fail(ErrLimit)
	}
	return c
}

func (r *reader) feed() (f traffic.Feed) {
	r.array(5, 5)
	f.Channel, f.Party = r.hash(), r.party()
	f.Plane, f.Precedence = traffic.Plane(r.text(16)), traffic.Precedence(r.text(1))
	f.Epoch = int(r.number(0, 1<<31-1))
	if !f.Valid() {
		r.fail(ErrShape)
	}
	return f
}

func (r *reader) party() traffic.Party {
	p := traffic.Party(r.text(32))
	if !p.Valid() {
		r.fail(ErrShape)
	}
	return p
}
