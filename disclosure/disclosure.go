// Package disclosure withholds parts of a report while its signature stays valid: the statement has their salted digests, and each part is shown apart, or never.
// It must never put a part, its name or the true number of parts into what is signed, nor take a part that the author's digests do not have.
package disclosure

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"detente/canonical"
	"detente/traffic"
)

// What is refused, protocol.md#disclosure.
var (
	ErrPart    = errors.New("disclosure: not a part in its one form")
	ErrDigests = errors.New("disclosure: not digests in their one form")
	ErrUnknown = errors.New("disclosure: the author's digests do not have this part")
	ErrTwice   = errors.New("disclosure: a part stands there twice")
	ErrName    = errors.New("disclosure: there is no part of that name")
	ErrFile    = errors.New("disclosure: not a file of disclosures")
)

// The bounds.
const (
	MaxParts  = 48       // true ones
	MaxDigest = 64       // with decoys
	MaxPart   = 32 << 10 // bytes of one disclosure
	MaxFile   = 2 << 20

	minDigests = 8
	saltSize   = 32
)

// Part is one part of a report, such as its source.
type Part struct {
	Name  string // a-z, 0-9 and _, as fields of forms are named
	Value any    // text, int64, []byte, bool, or a list or map of those
}

// Digest is what the statement has for a part.
type Digest [32]byte

// disclosure is the shape of a disclosure: what opens one digest.
type disclosure struct {
	_     struct{} `cbor:",toarray"`
	Salt  []byte
	Name  string
	Value any
}

// label parts what is hashed here from whatever else is.
const label = "detente.v1 disclosure\n"

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// digest binds a disclosure to the party that states it: another one that copies the digests has nothing that opens them as its own.
func digest(issuer traffic.Party, d []byte) Digest {
	h := sha256.New()
	h.Write([]byte(label))
	h.Write([]byte(issuer))
	h.Write([]byte{'\n'})
	h.Write(d)
	return Digest(h.Sum(nil))
}

// Make gives the digests that a statement of the issuer is to have, ascending, and the disclosure of each part, in the order of the parts. Digests of
// nothing fill up their number to the next power of two, 8 at least, so that it tells little. Errors: ErrPart, ErrTwice.
func Make(issuer traffic.Party, parts []Part) (digests []Digest, disclosures [][]byte, err error) {
	if len(parts) == 0 || len(parts) > MaxParts {
		return nil, nil, fmt.Errorf("%w: %d parts, 1 to %d", ErrPart, len(parts), MaxParts)
	}
	for i, p := range parts {
		if slices.ContainsFunc(parts[:i], func(other Part) bool { return other.Name == p.Name }) {
			return nil, nil, fmt.Errorf("%w: %s", ErrTwice, p.Name)
		}
		salt := make([]byte, saltSize)
		rand.Read(salt)
		b, err := canonical.Marshal(disclosure{Salt: salt, Name: p.Name, Value: p.Value})
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %s: %w", ErrPart, p.Name, err)
		}
		if _, _, err := parse(b); err != nil {
			return nil, nil, err
		}
		digests, disclosures = append(digests, digest(issuer, b)), append(disclosures, b)
	}
	size := minDigests
	for size < len(parts) {
		size *= 2
	}
	for len(digests) < size {
		var decoy Digest
		rand.Read(decoy[:])
		digests = append(digests, decoy)
	}
	slices.SortFunc(digests, func(a, b Digest) int { return bytes.Compare(a[:], b[:]) })
	return digests, disclosures, nil
}

// parse reads one disclosure. Error: ErrPart.
func parse(b []byte) (Part, []byte, error) {
	var d disclosure
	if err := canonical.Unmarshal(b, &d, MaxPart); err != nil {
		return Part{}, nil, fmt.Errorf("%w: %w", ErrPart, err)
	}
	if len(d.Salt) != saltSize || !namePattern.MatchString(d.Name) {
		return Part{}, nil, fmt.Errorf("%w: salt of %d bytes, name %.40q", ErrPart, len(d.Salt), d.Name)
	}
	return Part{d.Name, d.Value}, d.Salt, nil
}

// Reveal chooses the disclosures of some parts, in the order of the disclosures. Errors: ErrPart, ErrName.
func Reveal(disclosures [][]byte, names ...string) ([][]byte, error) {
	missing := slices.Clone(names)
	var out [][]byte
	for _, b := range disclosures {
		p, _, err := parse(b)
		if err != nil {
			return nil, err
		}
		if slices.Contains(names, p.Name) {
			out = append(out, b)
			missing = slices.DeleteFunc(missing, func(n string) bool { return n == p.Name })
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%w: %.40q", ErrName, missing[0])
	}
	return out, nil
}

// Verify gives the parts that are shown, once each is found among the digests that the issuer's statement has. What is not shown, and whether there is
// anything, stays unknown. Errors: ErrDigests, ErrPart, ErrUnknown, ErrTwice.
func Verify(issuer traffic.Party, digests []Digest, disclosures [][]byte) ([]Part, error) {
	if err := checkDigests(digests); err != nil {
		return nil, err
	}
	if len(disclosures) > len(digests) {
		return nil, fmt.Errorf("%w: %d disclosures for %d digests", ErrUnknown, len(disclosures), len(digests))
	}
	var parts []Part
	for _, b := range disclosures {
		p, _, err := parse(b)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(digests, digest(issuer, b)) {
			return nil, fmt.Errorf("%w: %s", ErrUnknown, p.Name)
		}
		// One name twice would let the author show this value to one and that to another, each well proved.
		if slices.ContainsFunc(parts, func(other Part) bool { return other.Name == p.Name }) {
			return nil, fmt.Errorf("%w: %s", ErrTwice, p.Name)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

func checkDigests(digests []Digest) error {
	if len(digests) == 0 || len(digests) > MaxDigest {
		return fmt.Errorf("%w: %d", ErrDigests, len(digests))
	}
	for i := 1; i < len(digests); i++ {
		if bytes.Compare(digests[i-1][:], digests[i][:]) >= 0 {
			return fmt.Errorf("%w: out of order, or one of them twice", ErrDigests)
		}
	}
	return nil
}
