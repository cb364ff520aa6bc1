package party

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"detente/canonical"
	"detente/envelope"
	"detente/key"
	"detente/traffic"
)

// MaxCharter is the most bytes that a charter may have, protocol.md#charter.
const MaxCharter = 256 << 10

const contentType = "application/vnd.detente.charter"

// Charter is one version of a party's charter, approved by its own roots. Whether the version before approves it is for [Chain] to say.
// It is immutable and safe for concurrent use.
type Charter struct {
	Contents

	env      *envelope.Envelope
	hash     [32]byte
	registry key.Registry
	keys     map[key.ID]*held
	signed   map[key.ID]bool // the own root keys that signed
}

// held is one key of a charter. Its verifier is prepared when first asked for, since most ML-DSA keys of a charter are never used here.
type held struct {
	public key.Public
	root   bool
	post   traffic.Post // empty for root and node keys
	plane  traffic.Plane

	once     sync.Once
	verifier key.Verifier // nil when the registry cannot use the key
}

type wireCharter struct {
	Party     traffic.Party     `cbor:"party"`
	Name      map[string]string `cbor:"name"`
	Version   int               `cbor:"version"`
	Previous  []byte            `cbor:"previous,omitempty"`
	Issued    int64             `cbor:"issued"`
	Roots     wireRoots         `cbor:"roots"`
	Posts     []Post            `cbor:"posts"`
	Node      NodeKeys          `cbor:"node"`
	Languages []string          `cbor:"languages"`
	Routes    []Route           `cbor:"routes"`
	Revoked   []wireRevocation  `cbor:"revoked,omitempty"`
}

type wireRoots struct {
	Need  int            `cbor:"need"`
	Roots [][]key.Public `cbor:"roots"`
}

type wireRevocation struct {
	Key    key.ID `cbor:"key"`
	Since  int64  `cbor:"since"`
	Reason string `cbor:"reason"`
}

// DecodeCharter reads a charter strictly and checks that enough of its own roots approve it. The approval by the roots of the version
// before is checked by [Chain.Extend]. Errors: those of this package, of envelope and of canonical.
func DecodeCharter(b []byte, r key.Registry) (*Charter, error) {
	if len(b) > MaxCharter {
		return nil, canonical.ErrTooLarge
	}
	b = bytes.Clone(b)
	env, err := envelope.Decode(b, contentType, MaxCharter)
	if err != nil {
		return nil, fmt.Errorf("party: charter: %w", err)
	}
	contents, err := readContents(env.Payload)
	if err != nil {
		return nil, err
	}
	c := &Charter{Contents: contents, env: env, hash: sha256.Sum256(b), registry: r}
	if c.keys, err = index(&c.Contents); err != nil {
		return nil, err
	}
	if c.signed, err = env.Approved(c.root); err != nil {
		return nil, fmt.Errorf("party: charter: %w", err)
	}
	if n := approvals(c.Roots, c.signed); n < c.Need {
		return nil, fmt.Errorf("%w: %d of its own %d needed", ErrNotApproved, n, c.Need)
	}
	if c.Version == 1 && len(c.signed) < len(env.Set) {
		return nil, fmt.Errorf("party: charter: %w", envelope.ErrUnknownKey)
	}
	return c, nil
}

// Bytes is the charter as it was decoded.
func (c *Charter) Bytes() []byte { return bytes.Clone(c.env.Bytes()) }

// Hash is the SHA-256 of the charter's bytes.
func (c *Charter) Hash() [32]byte { return c.hash }

// Fingerprint is what two people compare by voice.
func (c *Charter) Fingerprint() Fingerprint { return Fingerprint(c.hash[:16]) }

// PostKey is the verifier of a key that post holds on plane, nil when it does not hold it or the registry cannot use it.
func (c *Charter) PostKey(post traffic.Post, plane traffic.Plane, id key.ID) key.Verifier {
	h := c.keys[id]
	if h == nil || post == "" || h.post != post || h.plane != plane {
		return nil
	}
	return c.prepared(h)
}

// Verifier is the verifier of any key of the charter, nil when the charter does not hold it or the registry cannot use it. It is for node
// keys; a statement's key is asked for with [Charter.PostKey], which knows whose it is.
func (c *Charter) Verifier(k key.Public) key.Verifier {
	if h := c.keys[k.ID()]; h != nil {
		return c.prepared(h)
	}
	return nil
}

// Post is the entry of a post, false when the party has no such post.
func (c *Charter) Post(name traffic.Post) (Post, bool) {
	for _, p := range c.Posts {
		if p.Name == name {
			return p, true
		}
	}
	return Post{}, false
}

// May tells whether the post exists and has the permission [Receive], [Acknowledge], [Answer] or [Commit].
func (c *Charter) May(post traffic.Post, what string) bool {
	p, ok := c.Post(post)
	return ok && slices.Contains(p.May, what)
}

func (c *Charter) root(id key.ID) key.Verifier {
	if h := c.keys[id]; h != nil && h.root {
		return c.prepared(h)
	}
	return nil
}

// prepared gives an untyped nil when the registry cannot use the key, since callers compare with nil.
func (c *Charter) prepared(h *held) key.Verifier {
	h.once.Do(func() {
		if v, err := c.registry.Verifier(h.public); err == nil {
			h.verifier = v
		}
	})
	return h.verifier
}

// approvals counts the roots all of whose keys have signed.
func approvals(roots [][]key.Public, signed map[key.ID]bool) int {
	n := 0
	for _, root := range roots {
		if !slices.ContainsFunc(root, func(k key.Public) bool { return !signed[k.ID()] }) {
			n++
		}
	}
	return n
}

func readContents(payload []byte) (Contents, error) {
	var w wireCharter
	if err := canonical.Unmarshal(payload, &w, MaxCharter); err != nil {
		if errors.Is(err, canonical.ErrShape) {
			err = fmt.Errorf("%w: %v", ErrShape, err)
		}
		return Contents{}, err
	}
	if (w.Version == 1) != (w.Previous == nil) || w.Version < 1 || w.Previous != nil && len(w.Previous) != sha256.Size {
		return Contents{}, ErrVersion
	}
	c := Contents{
		Party: w.Party, Name: w.Name, Version: w.Version, Issued: time.Unix(w.Issued, 0).UTC(), Need: w.Roots.Need, Roots: w.Roots.Roots,
		Posts: w.Posts, Node: w.Node, Languages: w.Languages, Routes: w.Routes,
	}
	copy(c.Previous[:], w.Previous)
	for _, r := range w.Revoked {
		c.Revoked = append(c.Revoked, Revocation{r.Key, time.Unix(r.Since, 0).UTC(), r.Reason})
	}
	return c, check(&c)
}

// payload is the one encoding of the contents, checked as a reader would.
func (c *Contents) payload() ([]byte, error) {
	if err := check(c); err != nil {
		return nil, err
	}
	if _, err := index(c); err != nil {
		return nil, err
	}
	w := wireCharter{
		Party: c.Party, Name: c.Name, Version: c.Version, Issued: c.Issued.Unix(), Roots: wireRoots{c.Need, c.Roots},
		Posts: c.Posts, Node: c.Node, Languages: c.Languages, Routes: c.Routes,
	}
	if c.Version > 1 {
		w.Previous = c.Previous[:]
	}
	for _, r := range c.Revoked {
		w.Revoked = append(w.Revoked, wireRevocation{r.Key, r.Since.Unix(), r.Reason})
	}
	return canonical.Marshal(w)
}
