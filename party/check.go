package party

import (
	"bytes"
	"cmp"
	"crypto/hpke"
	"fmt"
	"slices"
	"time"

	"detente/canonical"
	"detente/key"

	"filippo.io/mldsa"
)

// Limits of a charter, protocol.md#charter.
const (
	maxRoots     = 16
	maxRootKeys  = 4
	maxPosts     = 64
	maxPostKeys  = 32
	maxNames     = 32
	maxRoutes    = 32
	maxRevoked   = 1024
	maxVersion   = 1 << 20
	maxName      = 256 // bytes
	maxAddress   = 1024
	maxReason    = 256
	maxKeyBytes  = 8192
	maxTime      = 253402300799 // the end of the year 9999, beyond which a date-time group cannot be printed
	sealingBytes = 1216
)

// SealingKEM is the HPKE KEM of version 1, MLKEM768-X25519.
const SealingKEM uint16 = 0x647a

func sealingKEM() hpke.KEM { return hpke.MLKEM768X25519() }

// check holds contents to everything but the keys' uniqueness, which index finds.
func check(c *Contents) error {
	if !c.Party.Valid() {
		return fmt.Errorf("%w: %q", ErrParty, c.Party)
	}
	if c.Version < 1 || c.Version > maxVersion || (c.Version == 1) != (c.Previous == [32]byte{}) {
		return ErrVersion
	}
	if !validTime(c.Issued) {
		return ErrTime
	}
	if n := len(c.Roots); n < 1 || n > maxRoots || c.Need < 1 || c.Need > n {
		return fmt.Errorf("%w: %d of %d", ErrRoots, c.Need, n)
	}
	for _, root := range c.Roots {
		if len(root) < 1 || len(root) > maxRootKeys {
			return fmt.Errorf("%w: a root of %d keys", ErrRoots, len(root))
		}
	}
	if err := checkTexts(c); err != nil {
		return err
	}
	if err := checkPosts(c.Posts); err != nil {
		return err
	}
	return checkNode(c.Node)
}

func checkTexts(c *Contents) error {
	if n := len(c.Name); n < 1 || n > maxNames {
		return fmt.Errorf("%w: %d names", ErrCount, n)
	}
	for lang, name := range c.Name {
		if !tag(lang) || !text(name, maxName) {
			return fmt.Errorf("%w: name in %q", ErrText, lang)
		}
	}
	if n := len(c.Languages); n < 1 || n > maxNames || repeats(c.Languages) {
		return fmt.Errorf("%w: %d languages", ErrCount, n)
	}
	for _, l := range c.Languages {
		if !tag(l) {
			return fmt.Errorf("%w: language %q", ErrText, l)
		}
	}
	if len(c.Routes) > maxRoutes {
		return fmt.Errorf("%w: %d routes", ErrCount, len(c.Routes))
	}
	for _, r := range c.Routes {
		if !tag(r.Name) || r.Address != "" && !text(r.Address, maxAddress) {
			return fmt.Errorf("%w: route %q", ErrText, r.Name)
		}
	}
	if len(c.Revoked) > maxRevoked {
		return fmt.Errorf("%w: %d keys withdrawn", ErrCount, len(c.Revoked))
	}
	for _, r := range c.Revoked {
		if r.Reason != "" && !text(r.Reason, maxReason) {
			return fmt.Errorf("%w: reason of a withdrawal", ErrText)
		}
		if !validTime(r.Since) {
			return fmt.Errorf("%w: withdrawal", ErrTime)
		}
	}
	return nil
}

func checkPosts(posts []Post) error {
	if len(posts) > maxPosts {
		return fmt.Errorf("%w: %d posts", ErrCount, len(posts))
	}
	for i, p := range posts {
		if !p.Name.Valid() {
			return fmt.Errorf("%w: %q", ErrPost, p.Name)
		}
		if i > 0 && comparePosts(posts[i-1], p) >= 0 {
			return fmt.Errorf("%w: post %q", ErrOrder, p.Name)
		}
		if len(p.May) > 4 || repeats(p.May) {
			return fmt.Errorf("%w: post %q", ErrMay, p.Name)
		}
		for _, m := range p.May {
			if m != Receive && m != Acknowledge && m != Answer && m != Commit {
				return fmt.Errorf("%w: %q", ErrMay, m)
			}
		}
		if len(p.Keys) > maxPostKeys {
			return fmt.Errorf("%w: %d keys at post %q", ErrCount, len(p.Keys), p.Name)
		}
		for j, k := range p.Keys {
			if !k.Plane.Valid() {
				return fmt.Errorf("%w: %q", ErrPlane, k.Plane)
			}
			if j > 0 && comparePlaneKeys(p.Keys[j-1], k) >= 0 {
				return fmt.Errorf("%w: keys of post %q", ErrOrder, p.Name)
			}
		}
	}
	return nil
}

func checkNode(n NodeKeys) error {
	for _, k := range n.signing() {
		if k.key.Algorithm != k.algorithm {
			return fmt.Errorf("%w: node key %s", ErrKey, k.name)
		}
	}
	if n.Sealing.KEM != SealingKEM || len(n.Sealing.Public) != sealingBytes {
		return fmt.Errorf("%w: sealing", ErrKey)
	}
	return nil
}

// nodeKey is one of the node's signing keys with what its place demands.
type nodeKey struct {
	name      string
	algorithm key.Algorithm
	key       *key.Public
}

func (n *NodeKeys) signing() []nodeKey {
	return []nodeKey{
		{"checkpoint", key.Ed25519, &n.Checkpoint}, {"checkpoint-pq", key.MLDSA44, &n.CheckpointPQ},
		{"mirror", key.Ed25519, &n.Mirror}, {"mirror-pq", key.MLDSA44, &n.MirrorPQ},
		{"bundle", key.Ed25519, &n.Bundle}, {"transport", key.Ed25519, &n.Transport},
	}
}

// index finds every key of the contents by its id. Errors: ErrKey, ErrKeyTwice, ErrRevoked.
func index(c *Contents) (map[key.ID]*held, error) {
	keys := make(map[key.ID]*held)
	add := func(h *held) error {
		if !wellFormed(h.public) {
			return fmt.Errorf("%w: algorithm %d, %d bytes", ErrKey, h.public.Algorithm, len(h.public.Bytes))
		}
		id := h.public.ID()
		if keys[id] != nil {
			return fmt.Errorf("%w: %v", ErrKeyTwice, id)
		}
		keys[id] = h
		return nil
	}
	for _, root := range c.Roots {
		for _, k := range root {
			if err := add(&held{public: k, root: true}); err != nil {
				return nil, err
			}
		}
	}
	for _, p := range c.Posts {
		for _, k := range p.Keys {
			if err := add(&held{public: k.Key, post: p.Name, plane: k.Plane}); err != nil {
				return nil, err
			}
		}
	}
	for _, k := range c.Node.signing() {
		if err := add(&held{public: *k.key}); err != nil {
			return nil, err
		}
	}
	if err := add(&held{public: key.Public{Algorithm: key.Algorithm(c.Node.Sealing.KEM), Bytes: c.Node.Sealing.Public}}); err != nil {
		return nil, err
	}
	seen := make(map[key.ID]bool, len(c.Revoked))
	for _, r := range c.Revoked {
		if keys[r.Key] != nil || seen[r.Key] {
			return nil, fmt.Errorf("%w: %v", ErrRevoked, r.Key)
		}
		seen[r.Key] = true
	}
	return keys, nil
}

// wellFormed checks a key as far as that is cheap: ML-DSA keys of the right length are all well formed, and preparing one costs as much as
// a verification. A key of an algorithm that this program does not know is kept: others may know it. protocol.md#keys
func wellFormed(k key.Public) bool {
	switch k.Algorithm {
	case key.Ed25519:
		_, err := key.Standard().Verifier(k)
		return err == nil
	case key.MLDSA44:
		return len(k.Bytes) == mldsa.MLDSA44().PublicKeySize()
	case key.MLDSA65:
		return len(k.Bytes) == mldsa.MLDSA65().PublicKeySize()
	}
	return len(k.Bytes) > 0 && len(k.Bytes) <= maxKeyBytes
}

// comparePosts orders as the encodings of the names do: a shorter text has a smaller head.
func comparePosts(a, b Post) int {
	return cmp.Or(cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name))
}

func comparePlaneKeys(a, b PlaneKey) int {
	x, errX := canonical.Marshal(a)
	y, errY := canonical.Marshal(b)
	if errX != nil || errY != nil {
		return 0 // unreachable: text, an integer and bytes always encode
	}
	return bytes.Compare(x, y)
}

// sortPosts brings contents into the order that check demands.
func sortPosts(posts []Post) {
	slices.SortFunc(posts, comparePosts)
	for _, p := range posts {
		slices.SortFunc(p.Keys, comparePlaneKeys)
	}
}

func validTime(t time.Time) bool {
	s := t.Unix()
	return s >= 0 && s <= maxTime && t.Nanosecond() == 0
}

func repeats[T comparable](s []T) bool {
	for i := range s {
		if slices.Contains(s[:i], s[i]) {
			return true
		}
	}
	return false
}

// tag tells whether s can be a language tag or the name of a route.
func tag(s string) bool {
	if len(s) < 1 || len(s) > 35 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// text refuses what could change how the rest of a screen reads: control characters, line separators, direction overrides.
func text(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for _, r := range s {
		switch {
		case r < 0x20, r >= 0x7f && r <= 0x9f, r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return false
		}
	}
	return true
}
