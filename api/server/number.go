package server

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"detente/archive"
	"detente/traffic"
)

var numbered = regexp.MustCompile(`^(?i)([a-z0-9-]{2,32}/[a-z0-9-]{1,32})-([ZOPR])-(\d{1,12})(?:-(EXERCISE|TEST))?(?:-E(\d{1,9}))?$`)

var prefixed = regexp.MustCompile(`^[0-9a-fA-F]{4,64}$`)

// find finds a statement by the beginning of its id, or by its number.
func (s *Server) find(ctx context.Context, ref string) (archive.Held, error) {
	if prefixed.MatchString(ref) {
		return s.node.Find(ctx, ref)
	}
	m := numbered.FindStringSubmatch(ref)
	if m == nil {
		return archive.Held{}, fmt.Errorf("%w: %q", errNotation, ref)
	}
	from, err := traffic.ParseAddress(strings.ToLower(m[1]))
	if err != nil {
		return archive.Held{}, err
	}
	n, _ := strconv.ParseInt(m[3], 10, 64)
	epoch, _ := strconv.Atoi(m[5])
	plane := traffic.Plane(strings.ToLower(cmp.Or(m[4], string(traffic.Real))))
	return s.node.ByNumber(ctx, from, plane, traffic.Precedence(strings.ToUpper(m[2])), epoch, n-1)
}
