package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"detente/traffic"
)

// ErrNotation is returned for what is neither the beginning of an id nor a number.
var ErrNotation = errors.New("archive: neither the beginning of an id nor a number")

var numbered = regexp.MustCompile(`^(?i)([a-z0-9-]{2,32}/[a-z0-9-]{1,32})-([ZOPR])-(\d{1,12})(?:-(EXERCISE|TEST))?(?:-E(\d{1,9}))?$`)

var prefixed = regexp.MustCompile(`^[0-9a-fA-F]{4,64}$`)

// Named finds a statement by the beginning of its id, or by its number, such as XN/NRRC-O-0003. Errors: ErrNotation, ErrNotHeld, ErrAmbiguous.
func (a *Archive) Named(ctx context.Context, ref string) (Held, error) {
	if prefixed.MatchString(ref) {
		return a.Find(ctx, ref)
	}
	m := numbered.FindStringSubmatch(ref)
	if m == nil {
		return Held{}, fmt.Errorf("%w: %q", ErrNotation, ref)
	}
	from, err := traffic.ParseAddress(strings.ToLower(m[1]))
	if err != nil {
		return Held{}, err
	}
	n, _ := strconv.ParseInt(m[3], 10, 64)
	epoch, _ := strconv.Atoi(m[5])
	plane := traffic.Plane(strings.ToLower(cmp.Or(m[4], string(traffic.Real))))
	return a.ByNumber(ctx, from, plane, traffic.Precedence(strings.ToUpper(m[2])), epoch, n-1)
}
