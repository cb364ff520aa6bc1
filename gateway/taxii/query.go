package taxii

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"detente/gateway/objects"
)

const (
	maxQuery = 16 << 10 // bytes of a query, and of a next
	maxWord  = 256      // of one value
)

// Query is what a client asks of objects, sections 3.4 and 3.5.
type Query struct {
	Filter objects.Filter
	match  url.Values // the filter without its position, as next carries it
}

// The match fields that the endpoints know, by section.
const (
	matchObjects  = "id,spec_version,type,version" // 5.3, 5.4
	matchObject   = "spec_version,version"         // 5.6, 5.7
	matchVersions = "spec_version"                 // 5.8
)

// ParseQuery reads a query. fields are the match fields that the endpoint knows; other parameters, which may be of extensions, are passed over. A
// parameter without a value is not there. A next stands for the whole filter: position and matches are those of the request that it came from, whatever
// else is said beside it, because clients go on with an added_after that they have moved meanwhile. Error: objects.ErrFilter, objects.ErrNext.
func ParseQuery(raw, fields string, page int) (Query, error) {
	q := Query{Filter: objects.Filter{Limit: page}}
	if len(raw) > maxQuery {
		return q, fmt.Errorf("%w: the query is over %d bytes", objects.ErrFilter, maxQuery)
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, fmt.Errorf("%w: the query cannot be read", objects.ErrFilter)
	}
	if s := values.Get("limit"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) || n < 1 {
			return q, fmt.Errorf("%w: limit is a whole number from 1", objects.ErrFilter)
		}
		q.Filter.Limit = int(min(n, objects.MaxPage))
	}
	var after time.Time
	if s := values.Get("added_after"); s != "" {
		if after, err = parseMoment(s); err != nil {
			return q, fmt.Errorf("%w: added_after is no timestamp such as 2026-11-25T12:00:00.000000Z", objects.ErrFilter)
		}
	}
	if next := values.Get("next"); next != "" {
		if after, values, err = readNext(next); err != nil {
			return q, err
		}
	}
	q.Filter.After = after
	return q, q.readMatch(values, fields)
}

// After is a filter for what was added after a stamp; empty for all. Error: objects.ErrFilter.
func After(stamp string) (f objects.Filter, err error) {
	if stamp != "" {
		if f.After, err = parseMoment(stamp); err != nil {
			err = fmt.Errorf("%w: %.40q is no timestamp such as 2026-11-25T12:00:00.000000Z", objects.ErrFilter, stamp)
		}
	}
	return f, err
}

// readMatch reads the match fields, section 3.4.1.
func (q *Query) readMatch(values url.Values, fields string) error {
	q.match = url.Values{}
	for name, list := range values {
		field, ok := strings.CutPrefix(name, "match[")
		if !ok {
			continue
		}
		field, closed := strings.CutSuffix(field, "]")
		if !closed || !slices.Contains(strings.Split(fields, ","), field) {
			return fmt.Errorf("%w: this resource has no filter %.40q", objects.ErrFilter, name)
		}
		words, err := split(list)
		if err != nil {
			return err
		}
		if len(words) == 0 {
			continue
		}
		q.match[name] = []string{strings.Join(words, ",")}
		switch f := &q.Filter; field {
		case "id":
			f.IDs = words
		case "type":
			f.Types = words
		case "spec_version":
			f.Specs = words
		case "version":
			if f.Versions, err = parseVersions(words); err != nil {
				return err
			}
		}
	}
	f := &q.Filter
	if len(f.IDs) > objects.MaxIDs || len(f.Types) > objects.MaxTypes || len(f.Versions.At) > objects.MaxVersions {
		return fmt.Errorf("%w: at most %d ids, %d types and %d versions", objects.ErrFilter, objects.MaxIDs, objects.MaxTypes, objects.MaxVersions)
	}
	return nil
}

// split takes lists with commas between, said once or several times.
func split(lists []string) ([]string, error) {
	var out []string
	for _, list := range lists {
		for word := range strings.SplitSeq(list, ",") {
			if word = strings.TrimSpace(word); word == "" {
				continue
			}
			if len(word) > maxWord || strings.ContainsRune(word, 0) || !isText(word) {
				return nil, fmt.Errorf("%w: a value of more than %d bytes, or no text", objects.ErrFilter, maxWord)
			}
			if !slices.Contains(out, word) {
				out = append(out, word)
			}
			if len(out) > objects.MaxIDs {
				return nil, fmt.Errorf("%w: more than %d values", objects.ErrFilter, objects.MaxIDs)
			}
		}
	}
	return out, nil
}

// isText tells whether s is what stands in ids, types and timestamps.
func isText(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e }) < 0
}

func parseVersions(words []string) (v objects.Versions, err error) {
	for _, w := range words {
		switch w {
		case "all":
			v.All = true
		case "first":
			v.First = true
		case "last":
			v.Last = true
		default:
			t, err := parseMoment(w)
			if err != nil {
				return v, fmt.Errorf("%w: a version is all, first, last or a timestamp, not %.40q", objects.ErrFilter, w)
			}
			v.At = append(v.At, t)
		}
	}
	return v, nil
}

// parseMoment reads a timestamp of RFC 3339. What is finer than a microsecond is cut off: no stamp is.
func parseMoment(s string) (time.Time, error) {
	// A plus that was not escaped arrives as a space.
	t, err := time.Parse(time.RFC3339Nano, strings.Replace(strings.ToUpper(s), " ", "+", 1))
	if err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, objects.ErrFilter
	}
	return t.UTC().Truncate(time.Microsecond), nil
}

// nextVersion is the first byte of a next.
const nextVersion = 1

// Next writes the next of a page: where it ended, and the filter. It means the same to every process and for ever, so no session is kept for it.
func (q *Query) Next(position time.Time) string {
	b := binary.BigEndian.AppendUint64([]byte{nextVersion}, uint64(position.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(append(b, q.match.Encode()...))
}

func readNext(s string) (time.Time, url.Values, error) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil || len(b) < 9 || b[0] != nextVersion {
		return time.Time{}, nil, objects.ErrNext
	}
	t := time.UnixMicro(int64(binary.BigEndian.Uint64(b[1:9]))).UTC()
	values, err := url.ParseQuery(string(b[9:]))
	if err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, nil, objects.ErrNext
	}
	return t, values, nil
}

// FormatStamp writes a stamp as headers and manifests carry it: always with six digits, so that no client cuts it.
func FormatStamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// formatVersion writes the version of an object as the object itself most likely does.
func formatVersion(o *objects.Row) string {
	switch v := o.Version; {
	case v.IsZero():
		return FormatStamp(o.Added)
	case v.Nanosecond()%1e6 == 0:
		return v.UTC().Format("2006-01-02T15:04:05.000Z")
	default:
		return FormatStamp(v)
	}
}
