// Package match holds indicators against what is the party's own: its networks, names and AS numbers, and tells which of them an indicator concerns.
// It must never send, sign or store what it found: that one of our machines is in a list is what the author of the list would like to know.
package match

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"net/netip"

	"detente/observable"

	"github.com/gaissmai/bart"
)

// Hit says that an indicator concerns something of the party's own.
type Hit struct {
	Asset *Asset
	Own   string // the network, name or range of numbers, as it stands in the table
	How   How
}

// How says in which way an indicator and something own belong together.
type How string

// The ways.
const (
	Within   How = "within"   // the indicator's address, network or name lies within the own one
	Contains How = "contains" // the indicator's network holds the own one
	Is       How = "is"       // they are the same
)

// MaxHits is the most that Match gives for one indicator: whoever names the whole of the Internet says nothing of a single network.
const MaxHits = 64

// Table is what is the party's own. It is not changed once it is made, and may be asked by many at once. The zero value matches nothing.
type Table struct {
	Assets []*Asset

	networks bart.Table[[]*Asset]
	names    map[string][]*Asset
	numbers  []span // by first
}

// span is a range of AS numbers.
type span struct {
	first, last uint32
	asset       *Asset
	text        string
}

// Match tells what of the own the indicator concerns, the closest first, at most MaxHits. o is as [observable.Parse] gave it; of a URL or a mail
// address the host counts. It allocates nothing where nothing matches.
func (t *Table) Match(o observable.Observable) []Hit {
	if host, ok := o.Host(); ok {
		o = host
	}
	switch o.Kind {
	case observable.IP:
		a, err := netip.ParseAddr(o.Value)
		if err != nil {
			return nil
		}
		if !t.networks.Contains(a) {
			return nil
		}
		return t.network(netip.PrefixFrom(a, a.BitLen()))
	case observable.Prefix:
		p, err := netip.ParsePrefix(o.Value)
		if err != nil {
			return nil
		}
		return t.network(p.Masked())
	case observable.Domain:
		return t.name(o.Value)
	case observable.Number:
		return t.number(o.Value)
	}
	return nil
}

// network finds the own networks that hold p, the smallest first, then those that lie within it.
func (t *Table) network(p netip.Prefix) (hits []Hit) {
	for own, assets := range t.networks.Supernets(p) {
		how := Within
		if own == p {
			how = Is
		}
		if hits = add(hits, assets, own.String(), how); len(hits) == MaxHits {
			return hits
		}
	}
	if p.IsSingleIP() {
		return hits
	}
	for own, assets := range t.networks.Subnets(p) {
		if own == p {
			continue
		}
		if hits = add(hits, assets, own.String(), Contains); len(hits) == MaxHits {
			return hits
		}
	}
	return hits
}

// name finds the own names that s is or lies under, label by label: notgrid.example lies not under grid.example.
func (t *Table) name(s string) (hits []Hit) {
	how := Is
	for rest := s; rest != ""; how = Within {
		if assets := t.names[rest]; len(assets) > 0 {
			if hits = add(hits, assets, rest, how); len(hits) == MaxHits {
				return hits
			}
		}
		_, rest, _ = strings.Cut(rest, ".")
	}
	return hits
}

func (t *Table) number(s string) (hits []Hit) {
	n64, err := strconv.ParseUint(strings.TrimPrefix(s, "AS"), 10, 32)
	if err != nil {
		return nil
	}
	n := uint32(n64)
	// The ranges are few, and may overlap: all that begin at or below n are looked at.
	end, _ := slices.BinarySearchFunc(t.numbers, n, func(s span, n uint32) int {
		if s.first <= n {
			return -1
		}
		return 1
	})
	for _, r := range t.numbers[:end] {
		if n > r.last {
			continue
		}
		how := Within
		if r.first == r.last {
			how = Is
		}
		if hits = add(hits, []*Asset{r.asset}, r.text, how); len(hits) == MaxHits {
			break
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int { return cmp.Compare(rank(a.How), rank(b.How)) })
	return hits
}

func rank(h How) int {
	if h == Is {
		return 0
	}
	return 1
}

func add(hits []Hit, assets []*Asset, own string, how How) []Hit {
	for _, a := range assets {
		if len(hits) == MaxHits {
			break
		}
		hits = append(hits, Hit{a, own, how})
	}
	return hits
}
