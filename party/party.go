// Package party says who: the charters of parties and channels, the keys behind them, and how two parties come to trust each other's.
// It must never trust what nobody compared: a first charter is pending until its spoken words were heard from the other side.
package party

import (
	"errors"
	"time"

	"detente/key"
	"detente/traffic"
)

// What the decoder of a charter refuses beside the errors of packages envelope and canonical, protocol.md#charter.
var (
	ErrShape    = errors.New("party: not a charter")
	ErrParty    = errors.New("party: another party's, or not a party id")
	ErrVersion  = errors.New("party: version and previous do not fit together")
	ErrTime     = errors.New("party: time is out of range")
	ErrRoots    = errors.New("party: roots cannot approve")
	ErrPost     = errors.New("party: malformed post")
	ErrPlane    = errors.New("party: unknown plane")
	ErrMay      = errors.New("party: unknown or repeated permission")
	ErrOrder    = errors.New("party: not in the order of the encodings")
	ErrKey      = errors.New("party: malformed key, or another algorithm than its place demands")
	ErrKeyTwice = errors.New("party: the same key in two places")
	ErrText     = errors.New("party: a text is empty, too long or not printable")
	ErrCount    = errors.New("party: too many or too few of something")
	ErrRevoked  = errors.New("party: a withdrawn key is used again")
)

// What a chain refuses.
var (
	ErrNotApproved = errors.New("party: charter lacks approvals of its roots")
	ErrChain       = errors.New("party: charter does not follow the one before")
)

// What a post may do, protocol.md#charter.
const (
	Receive     = "receive"
	Acknowledge = "acknowledge"
	Answer      = "answer"
	Commit      = "commit"
)

// Contents is what a charter says. In a decoded [Charter] it must not be changed.
type Contents struct {
	Party     traffic.Party
	Name      map[string]string // by language tag
	Version   int               // from 1
	Previous  [32]byte          // hash of the version before, zero in version 1
	Issued    time.Time         // whole seconds, UTC
	Need      int               // how many of the roots must approve
	Roots     [][]key.Public    // each the keys of one holder
	Posts     []Post            // in the order of their encodings
	Node      NodeKeys
	Languages []string
	Routes    []Route
	Revoked   []Revocation // withdrawn with this version
}

// Post is an office and the keys it speaks with.
type Post struct {
	Name traffic.Post `cbor:"post"`
	May  []string     `cbor:"may"`
	Keys []PlaneKey   `cbor:"keys"`
}

// PlaneKey is a post's key on one plane.
type PlaneKey struct {
	_     struct{} `cbor:",toarray"`
	Plane traffic.Plane
	Key   key.Public
}

// NodeKeys are the keys of the machine, none of which can speak for a post.
type NodeKeys struct {
	Checkpoint   key.Public `cbor:"checkpoint"`    // Ed25519
	CheckpointPQ key.Public `cbor:"checkpoint-pq"` // ML-DSA-44
	Mirror       key.Public `cbor:"mirror"`        // Ed25519
	MirrorPQ     key.Public `cbor:"mirror-pq"`     // ML-DSA-44
	Bundle       key.Public `cbor:"bundle"`        // Ed25519
	Transport    key.Public `cbor:"transport"`     // Ed25519
	Sealing      SealingKey `cbor:"sealing"`
}

// SealingKey is the public key that bundles are sealed to, HPKE.
type SealingKey struct {
	_      struct{} `cbor:",toarray"`
	KEM    uint16
	Public []byte
}

// ID is the key id with the KEM id as algorithm, protocol.md#bundle.
func (s SealingKey) ID() key.ID {
	return key.Public{Algorithm: key.Algorithm(s.KEM), Bytes: s.Public}.ID()
}

// Route is an address at which the party takes bundles.
type Route struct {
	_       struct{} `cbor:",toarray"`
	Name    string   // "https", "mail", "pouch", "relay"
	Address string
}

// Revocation withdraws a key: from Since on, what it signed does not count.
type Revocation struct {
	Key    key.ID
	Since  time.Time
	Reason string
}
