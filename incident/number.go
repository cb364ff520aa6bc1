package incident

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"detente/traffic"
)

// ErrNumber is what ParseNumber refuses.
var ErrNumber = errors.New("incident: not a case number such as xn/26-0007")

// Number is the number of a case, the same on every channel on which it is dealt with. The party that opens a case allots it.
type Number struct {
	Party  traffic.Party
	Year   int // 0 to 99
	Serial int // from 1, within the party and year
}

var numberPattern = regexp.MustCompile(`^([a-z0-9-]{2,32})/([0-9]{2})-([0-9]{4}|[1-9][0-9]{4,5})$`)

// ParseNumber reads a number in its one spelling.
func ParseNumber(s string) (Number, error) {
	if len(s) > 48 {
		return Number{}, ErrNumber
	}
	m := numberPattern.FindStringSubmatch(s)
	if m == nil {
		return Number{}, ErrNumber
	}
	year, _ := strconv.Atoi(m[2])
	serial, _ := strconv.Atoi(m[3])
	if serial == 0 {
		return Number{}, ErrNumber
	}
	return Number{traffic.Party(m[1]), year, serial}, nil
}

// String is the number as statements carry it, empty for none.
func (n Number) String() string {
	if n == (Number{}) {
		return ""
	}
	return fmt.Sprintf("%s/%02d-%04d", n.Party, n.Year, n.Serial)
}

// Next is the number after the highest of a party and year among those that are taken.
func Next(p traffic.Party, year int, taken []Number) Number {
	n := Number{p, year % 100, 0}
	for _, t := range taken {
		if t.Party == n.Party && t.Year == n.Year {
			n.Serial = max(n.Serial, t.Serial)
		}
	}
	n.Serial++
	return n
}

// File is one case as its several channels hold it: the political part on one, the technical on another, each for those who may see it.
type File struct {
	Plane  traffic.Plane
	Number Number  // zero for a case that bears none, which then stands alone
	Cases  []*Case // in the order of their channels
}

// Tie puts the cases of several channels together by their numbers. Planes stay apart. The files come in the order of their numbers, those without one
// last.
func Tie(cases []*Case) []File {
	sorted := slices.Clone(cases)
	slices.SortFunc(sorted, func(a, b *Case) int {
		return cmp.Or(
			compareBool(a.Number == (Number{}), b.Number == (Number{})), cmp.Compare(a.Plane, b.Plane), cmp.Compare(a.Number.Party, b.Number.Party),
			cmp.Compare(a.Number.Year, b.Number.Year), cmp.Compare(a.Number.Serial, b.Number.Serial), bytes.Compare(a.Channel[:], b.Channel[:]), bytes.Compare(a.ID[:], b.ID[:]),
		)
	})
	var files []File
	for _, c := range sorted {
		if last := len(files) - 1; last >= 0 && c.Number != (Number{}) && files[last].Number == c.Number && files[last].Plane == c.Plane {
			files[last].Cases = append(files[last].Cases, c)
			continue
		}
		files = append(files, File{c.Plane, c.Number, []*Case{c}})
	}
	return files
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
