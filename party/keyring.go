package party

import (
	"bytes"
	"crypto/hpke"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"

	"detente/key"
	"detente/traffic"
)

// ErrNoKey is returned when a private key that is asked for is not in the keyring.
var ErrNoKey = errors.New("party: private key is not in the keyring")

// Keyring is the private keys that a node holds, each in the place that one version of the charter gives it. Keys of earlier and of coming
// versions stay in it, so a crash between the approval of a charter and its first use loses nothing: [Keyring.Under] finds what a version
// needs. It is immutable and safe for concurrent use.
type Keyring struct {
	Party traffic.Party

	Checkpoint, CheckpointPQ *key.Private
	Mirror, MirrorPQ         *key.Private
	Bundle, Transport        *key.Private
	Sealing                  hpke.PrivateKey

	id      [16]byte // names the ring in its file, so that another ring is not written over it
	keys    map[key.ID]*key.Private
	sealing map[key.ID]hpke.PrivateKey // the former ones too: a bundle sealed before a rotation still opens
	posts   map[place][]*key.Private
}

type place struct {
	post  traffic.Post
	plane traffic.Plane
}

func newKeyring(p traffic.Party) *Keyring {
	k := &Keyring{Party: p, keys: map[key.ID]*key.Private{}, sealing: map[key.ID]hpke.PrivateKey{}}
	rand.Read(k.id[:])
	return k
}

// Under is the keyring with its keys in the places that c gives them. Keys of posts may be missing, since a token can hold them; keys of
// the node may not. Errors: ErrParty, ErrNoKey.
func (k *Keyring) Under(c *Charter) (*Keyring, error) {
	if c.Party != k.Party {
		return nil, fmt.Errorf("%w: keys of %s under the charter of %s", ErrParty, k.Party, c.Party)
	}
	out := &Keyring{Party: k.Party, id: k.id, keys: k.keys, sealing: k.sealing, posts: map[place][]*key.Private{}}
	into := []**key.Private{&out.Checkpoint, &out.CheckpointPQ, &out.Mirror, &out.MirrorPQ, &out.Bundle, &out.Transport}
	for i, n := range c.Node.signing() {
		if *into[i] = k.keys[n.key.ID()]; *into[i] == nil {
			return nil, fmt.Errorf("%w: %s of version %d", ErrNoKey, n.name, c.Version)
		}
	}
	if out.Sealing = k.sealing[c.Node.Sealing.ID()]; out.Sealing == nil {
		return nil, fmt.Errorf("%w: sealing of version %d", ErrNoKey, c.Version)
	}
	for id, h := range c.keys {
		if private := k.keys[id]; private != nil && h.post != "" {
			at := place{h.post, h.plane}
			out.posts[at] = append(out.posts[at], private)
		}
	}
	for _, list := range out.posts {
		slices.SortFunc(list, compareKeys)
	}
	return out, nil
}

// compareKeys puts Ed25519 first, then the other algorithms by falling number.
func compareKeys(a, b *key.Private) int {
	if x, y := a.Public().Algorithm, b.Public().Algorithm; x != y {
		return int(y - x)
	}
	x, y := a.ID(), b.ID()
	return bytes.Compare(x[:], y[:])
}

// Post is the keys that the post holds on the plane, Ed25519 first.
func (k *Keyring) Post(post traffic.Post, plane traffic.Plane) []*key.Private {
	return slices.Clone(k.posts[place{post, plane}])
}

// Signers is one key of the post on the plane for each algorithm, in that order; without algorithms, all its keys. Error: ErrNoKey.
func (k *Keyring) Signers(post traffic.Post, plane traffic.Plane, algorithms ...key.Algorithm) ([]key.Signer, error) {
	have := k.posts[place{post, plane}]
	var out []key.Signer
	if len(algorithms) == 0 {
		for _, p := range have {
			out = append(out, p)
		}
	}
	for _, a := range algorithms {
		i := slices.IndexFunc(have, func(p *key.Private) bool { return p.Public().Algorithm == a })
		if i < 0 {
			return nil, fmt.Errorf("%w: algorithm %d of %s/%s on plane %s", ErrNoKey, a, k.Party, post, plane)
		}
		out = append(out, have[i])
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: %s/%s on plane %s", ErrNoKey, k.Party, post, plane)
	}
	return out, nil
}

// Private is the private key with that id, current or former, nil for any other: for what names its keys itself, as the manifest of a sealing round does.
func (k *Keyring) Private(id key.ID) *key.Private { return k.keys[id] }

// Unsealing is the private key that opens bundles sealed to the key with that id, current or former, nil for any other.
func (k *Keyring) Unsealing(id key.ID) hpke.PrivateKey { return k.sealing[id] }

// with is a copy that can take more keys.
func (k *Keyring) with() *Keyring {
	c := *k
	c.keys, c.sealing = maps.Clone(k.keys), maps.Clone(k.sealing)
	return &c
}

// generate adds a new key to a ring that nobody else holds yet.
func (k *Keyring) generate(a key.Algorithm) (key.Public, error) {
	p, err := key.Generate(a)
	if err != nil {
		return key.Public{}, err
	}
	k.keys[p.ID()] = p
	return p.Public(), nil
}

func (k *Keyring) generateSealing() (SealingKey, error) {
	private, err := sealingKEM().GenerateKey()
	if err != nil {
		return SealingKey{}, fmt.Errorf("party: sealing key: %w", err)
	}
	return k.addSealing(private), nil
}

func (k *Keyring) addSealing(private hpke.PrivateKey) SealingKey {
	s := SealingKey{KEM: private.KEM().ID(), Public: private.PublicKey().Bytes()}
	k.sealing[s.ID()] = private
	return s
}

// RootKey is the private keys of one holder of a party's root, made to be kept offline: a charter needs all of them.
type RootKey struct {
	Party traffic.Party
	Keys  []*key.Private // Ed25519 and ML-DSA-65
}

func newRoot(p traffic.Party) (*RootKey, error) {
	r := &RootKey{Party: p}
	for _, a := range []key.Algorithm{key.Ed25519, key.MLDSA65} {
		k, err := key.Generate(a)
		if err != nil {
			return nil, err
		}
		r.Keys = append(r.Keys, k)
	}
	return r, nil
}

// Public is the root as the charter lists it.
func (r *RootKey) Public() []key.Public {
	var out []key.Public
	for _, k := range r.Keys {
		out = append(out, k.Public())
	}
	return out
}

// Signers is the root's keys as signers.
func (r *RootKey) Signers() []key.Signer {
	var out []key.Signer
	for _, k := range r.Keys {
		out = append(out, k)
	}
	return out
}
