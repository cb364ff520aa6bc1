package match

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"detente/observable"
	"detente/traffic"

	"github.com/BurntSushi/toml"
)

// ErrTable is returned for a table that is not right; what it wraps says where.
var ErrTable = errors.New("match: not a table of the own networks, names and numbers")

// The bounds of a table.
const (
	MaxText    = 8 << 20
	maxAssets  = 10000
	maxEntries = 200000 // networks, names and numbers together
	maxRanges  = 4096   // of numbers: each is looked at
	maxName    = 128
)

// Asset is something of the party's own, or of whom it answers for: an operator, an authority.
type Asset struct {
	Name string       // what the watch is told
	Post traffic.Post // whom a match concerns; empty for the party as a whole
}

type fileTable struct {
	Asset []fileAsset `toml:"asset"`
}

type fileAsset struct {
	Name     string   `toml:"name"`
	Post     string   `toml:"post"`
	Networks []string `toml:"networks"`
	Names    []string `toml:"names"`
	Numbers  []string `toml:"numbers"`
}

// Example is a table as a person writes it, docs/asking.md.
const Example = `[[asset]]
name = "Grid operator North"                       # what the watch is told
post = "cert"                                      # whom a match concerns
networks = ["192.0.2.0/24", "2001:db8:40::/44"]
names = ["grid.example"]                           # with all that lies under it
numbers = ["AS64500", "AS64510-AS64519"]
`

// Parse reads a table strictly: a key that is not known is an error, since a network that is half read is not watched. An empty text is the table that
// matches nothing. Error: ErrTable.
func Parse(text string) (*Table, error) {
	if len(text) > MaxText {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTable, len(text), MaxText)
	}
	var f fileTable
	meta, err := toml.Decode(text, &f)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrTable, strings.TrimPrefix(err.Error(), "toml: "))
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("%w: %q is no key of it", ErrTable, unknown[0].String())
	}
	if len(f.Asset) > maxAssets {
		return nil, fmt.Errorf("%w: %d assets, at most %d", ErrTable, len(f.Asset), maxAssets)
	}
	entries := 0
	for i := range f.Asset {
		a := &f.Asset[i]
		entries += len(a.Networks) + len(a.Names) + len(a.Numbers)
	}
	if entries > maxEntries {
		return nil, fmt.Errorf("%w: %d entries, at most %d", ErrTable, entries, maxEntries)
	}
	t := &Table{names: map[string][]*Asset{}}
	seen := map[string]bool{}
	for i := range f.Asset {
		a := &f.Asset[i]
		if seen[a.Name] {
			return nil, fmt.Errorf("%w: asset %d: %q is there twice", ErrTable, i+1, a.Name)
		}
		seen[a.Name] = true
		if err := t.add(a); err != nil {
			return nil, fmt.Errorf("%w: asset %d: %w", ErrTable, i+1, err)
		}
	}
	slices.SortStableFunc(t.numbers, func(a, b span) int { return cmp.Compare(a.first, b.first) })
	return t, nil
}

func (t *Table) add(f *fileAsset) error {
	switch {
	case strings.TrimSpace(f.Name) == "" || utf8.RuneCountInString(f.Name) > maxName || strings.ContainsFunc(f.Name, unicode.IsControl):
		return fmt.Errorf("name is 1 to %d characters in one line", maxName)
	case f.Post != "" && !traffic.Post(f.Post).Valid():
		return errors.New("post is a post, such as cert")
	case len(f.Networks)+len(f.Names)+len(f.Numbers) == 0:
		return fmt.Errorf("%s has neither networks nor names nor numbers", f.Name)
	}
	a := &Asset{Name: f.Name, Post: traffic.Post(f.Post)}
	t.Assets = append(t.Assets, a)
	for _, s := range f.Networks {
		p, err := ownNetwork(s)
		if err != nil {
			return err
		}
		had, _ := t.networks.Get(p)
		if slices.Contains(had, a) {
			return fmt.Errorf("network %s is there twice", s)
		}
		t.networks.Insert(p, append(had[:len(had):len(had)], a))
	}
	for _, s := range f.Names {
		o, err := observable.Parse(observable.Domain, s)
		if err != nil {
			return err
		}
		if slices.Contains(t.names[o.Value], a) {
			return fmt.Errorf("name %.80q is there twice", s)
		}
		t.names[o.Value] = append(t.names[o.Value], a)
	}
	for _, s := range f.Numbers {
		r, err := ownNumbers(s)
		if err != nil {
			return err
		}
		if len(t.numbers) == maxRanges {
			return fmt.Errorf("over %d ranges of numbers", maxRanges)
		}
		r.asset = a
		t.numbers = append(t.numbers, r)
	}
	return nil
}

// ownNetwork reads a network or an address. Bits beyond the mask are refused: whoever writes 192.0.2.77/24 means one of two things.
func ownNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil || p.Addr().Is4In6():
		return p, fmt.Errorf("network %.80q: write one such as 192.0.2.0/24", s)
	case p != p.Masked():
		return p, fmt.Errorf("network %s: its address has bits beyond its length; write %s", s, p.Masked())
	case p.Bits() == 0:
		return p, fmt.Errorf("network %s is everything", s)
	}
	return p, nil
}

func ownNumbers(s string) (span, error) {
	from, to, is := strings.Cut(s, "-")
	if !is {
		to = from
	}
	var r span
	for _, end := range []struct {
		text string
		into *uint32
	}{{from, &r.first}, {to, &r.last}} {
		o, err := observable.Parse(observable.Number, end.text)
		if err != nil {
			return r, fmt.Errorf("number %.80q: write AS64500, or AS64510-AS64519", s)
		}
		n, _ := strconv.ParseUint(o.Value[2:], 10, 32) // Parse wrote it
		*end.into = uint32(n)
	}
	if r.last < r.first {
		return r, fmt.Errorf("number %.80q: the range ends before it begins", s)
	}
	if r.text = fmt.Sprintf("AS%d-AS%d", r.first, r.last); r.first == r.last {
		r.text = fmt.Sprintf("AS%d", r.first)
	}
	return r, nil
}
