// Package asset commits a party to a list of what it protects, networks, names and AS numbers, so that it can later prove that one of them was on the list.
// It must never let a head or a proof tell more of the list than the totals, the entry that is proved, and the sums beside its path.
//
// The list is a Merkle sum tree, protocol.md#assets: each leaf has a salt of its own and the weight of its entry, each node the hash and the sums of both its
// children. Along any proof that verifies, the sums add up to the published totals. So whatever its owner does, the entries that he can ever prove weigh no
// more, all together, than he declared: he can neither list the whole Internet nor add to the list afterwards.
package asset

import (
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"strings"

	"detente/observable"
)

// What is refused.
var (
	ErrEntry  = errors.New("asset: not an entry: a network, a name or an AS number in its one spelling")
	ErrTwice  = errors.New("asset: two entries overlap, and what lies in both would count twice")
	ErrLimits = errors.New("asset: beyond what the agreement allows")
	ErrHead   = errors.New("asset: not the head of a list")
	ErrSecret = errors.New("asset: not the secret of a list")
	ErrProof  = errors.New("asset: not a proof")
	ErrRoot   = errors.New("asset: the proof does not lead to the head that was published")
	ErrAbsent = errors.New("asset: not on the list")
)

// Entry is one asset in its one spelling: an observable of the kind prefix, ip, domain or asn. A name stands for all that lies under it.
type Entry observable.Observable

// ParseEntry reads an asset as a person types it. Error: ErrEntry.
func ParseEntry(s string) (Entry, error) {
	o, err := observable.Guess(strings.TrimSpace(s))
	if err != nil {
		return Entry{}, fmt.Errorf("%w: %.60q: %w", ErrEntry, s, err)
	}
	e := Entry(o)
	_, err = e.Weight()
	return e, err
}

// String is the entry as it stands in a leaf: "prefix 192.0.2.0/24".
func (e Entry) String() string { return observable.Observable(e).String() }

// parseLeaf reads what String wrote, in its one spelling and no other. Error: ErrEntry.
func parseLeaf(s string) (Entry, error) {
	kind, value, _ := strings.Cut(s, " ")
	o, err := observable.Parse(observable.Kind(kind), value)
	if err != nil || o.String() != s {
		return Entry{}, fmt.Errorf("%w: %.60q", ErrEntry, s)
	}
	return Entry(o), nil
}

// Weight is what the entry adds to the totals: itself, and the addresses, networks of 64 bits, names or numbers that it protects. Who verifies computes it
// from the entry; no proof states it. Error: ErrEntry.
func (e Entry) Weight() (Totals, error) {
	t := Totals{Entries: 1}
	switch e.Kind {
	case observable.IP, observable.Prefix:
		p, err := e.prefix()
		if err != nil {
			return Totals{}, err
		}
		if p.Addr().Is4() {
			t.Addresses = 1 << (32 - p.Bits())
			return t, nil
		}
		if p.Bits() == 0 {
			return Totals{}, fmt.Errorf("%w: the whole of IPv6", ErrEntry)
		}
		t.Subnets = 1 << max(0, 64-p.Bits())
	case observable.Domain:
		t.Names = 1
	case observable.Number:
		t.Numbers = 1
	default:
		return Totals{}, fmt.Errorf("%w: %s", ErrEntry, e.Kind)
	}
	return t, nil
}

func (e Entry) prefix() (netip.Prefix, error) {
	if e.Kind == observable.IP {
		a, err := netip.ParseAddr(e.Value)
		if err != nil {
			return netip.Prefix{}, fmt.Errorf("%w: %w", ErrEntry, err)
		}
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(e.Value)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%w: %w", ErrEntry, err)
	}
	return p, nil
}

// Covers tells whether what was hit lies within the asset: an address or network in its network, a name under its name, its number. Other kinds lie in none;
// of a URL or a mail address take the Host first.
func (e Entry) Covers(hit observable.Observable) bool {
	switch e.Kind {
	case observable.IP, observable.Prefix:
		own, err := e.prefix()
		if err != nil || hit.Kind != observable.IP && hit.Kind != observable.Prefix {
			return false
		}
		p, err := Entry(hit).prefix()
		return err == nil && own.Bits() <= p.Bits() && own.Contains(p.Addr())
	case observable.Domain:
		return hit.Kind == observable.Domain && (hit.Value == e.Value || strings.HasSuffix(hit.Value, "."+e.Value))
	case observable.Number:
		return hit == observable.Observable(e)
	}
	return false
}

// Totals are what a list weighs, all of its entries together.
type Totals struct {
	Entries   uint64
	Addresses uint64 // of IPv4
	Subnets   uint64 // of IPv6, of 64 bits; a longer prefix counts as one
	Names     uint64
	Numbers   uint64 // AS numbers
}

// maxTotal keeps every total within what canonical CBOR and JavaScript hold exactly.
const maxTotal = 1<<53 - 1

func (t Totals) each() [5]uint64 {
	return [5]uint64{t.Entries, t.Addresses, t.Subnets, t.Names, t.Numbers}
}

// plus adds; false if a total goes beyond maxTotal. Without this a sum that wraps around would hide what is below it.
func (t Totals) plus(o Totals) (Totals, bool) {
	a, b := t.each(), o.each()
	var sum [5]uint64
	for i := range a {
		s, carry := bits.Add64(a[i], b[i], 0)
		if carry != 0 || s > maxTotal {
			return Totals{}, false
		}
		sum[i] = s
	}
	return Totals{sum[0], sum[1], sum[2], sum[3], sum[4]}, true
}

// Limits are what an agreement allows a list to hold. Zero in a total allows none.
type Limits struct {
	Totals
	ShortestIPv4 int // the shortest prefix, such as 20; 0 sets no bound
	ShortestIPv6 int
}

// Usual are the limits of the model agreement: at most 5,000 entries, 65,536 addresses, nothing shorter than a /20, or a /32 of IPv6.
func Usual() Limits {
	return Limits{Totals{Entries: 5000, Addresses: 65536, Subnets: 1 << 33, Names: 5000, Numbers: 50}, 20, 32}
}

// Allow tells whether totals keep to the limits. Error: ErrLimits.
func (l Limits) Allow(t Totals) error {
	names := [5]string{"entries", "IPv4 addresses", "IPv6 networks of 64 bits", "names", "AS numbers"}
	most, have := l.each(), t.each()
	for i, n := range have {
		if n > most[i] {
			return fmt.Errorf("%w: %d %s, at most %d", ErrLimits, n, names[i], most[i])
		}
	}
	return nil
}

// AllowEntry tells whether an entry keeps to the limits by itself. Error: ErrLimits.
func (l Limits) AllowEntry(e Entry) error {
	if e.Kind != observable.Prefix {
		return nil
	}
	p, err := e.prefix()
	if err != nil {
		return err
	}
	least := l.ShortestIPv6
	if p.Addr().Is4() {
		least = l.ShortestIPv4
	}
	if p.Bits() < least {
		return fmt.Errorf("%w: %s is shorter than a /%d", ErrLimits, e.Value, least)
	}
	return nil
}
