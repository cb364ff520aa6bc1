// Package observable is what indicators are about, an address, a name, a hash, each in its one spelling, so that two parties hash the same bytes.
// It must never resolve, fetch or look up one: who asks the network about a name tells the network that he has it.
package observable

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrNot is returned for what is not of the kind that it is said to be; what it wraps says why.
var ErrNot = errors.New("observable: not of this kind")

// Kind says what a value is.
type Kind string

// The kinds, protocol.md#observables.
const (
	IP     Kind = "ip"     // one address
	Prefix Kind = "prefix" // a network
	Domain Kind = "domain" // a name of two labels at least
	URL    Kind = "url"
	Hash   Kind = "hash" // of a file, in hex
	Mail   Kind = "mail" // a mail address
	Number Kind = "asn"  // of an autonomous system
)

// Kinds lists all kinds in their order.
func Kinds() []Kind { return []Kind{IP, Prefix, Domain, URL, Hash, Mail, Number} }

// MaxValue is the most bytes of a value, as it is given and in its one spelling.
const MaxValue = 4096

// Observable is a value of a kind. What Parse gives is in its one spelling: two that are equal are one thing.
type Observable struct {
	Kind  Kind
	Value string
}

// String is the kind and the value.
func (o Observable) String() string { return string(o.Kind) + " " + o.Value }

// Parse gives the one spelling of a value, protocol.md#observables. A prefix that is one address becomes an address. Error: ErrNot.
func Parse(kind Kind, value string) (Observable, error) {
	if len(value) > MaxValue || !utf8.ValidString(value) {
		return Observable{}, fmt.Errorf("%w: %s: over %d bytes, or no UTF-8", ErrNot, kind, MaxValue)
	}
	var out string
	var err error
	switch kind {
	case IP:
		out, err = address(value)
	case Prefix:
		var single bool
		if out, single, err = network(value); single {
			kind = IP
		}
	case Domain:
		out, err = domain(value)
	case URL:
		out, err = locator(value)
	case Hash:
		out, err = digest(value)
	case Mail:
		out, err = mailbox(value)
	case Number:
		out, err = system(value)
	default:
		return Observable{}, fmt.Errorf("%w: there is no kind %.32q", ErrNot, string(kind))
	}
	if err == nil && len(out) > MaxValue { // what was escaped is longer than it was
		err = errors.New("too long")
	}
	if err != nil {
		return Observable{}, fmt.Errorf("%w: %s: %w", ErrNot, kind, err)
	}
	return Observable{kind, out}, nil
}

// Guess finds the kind of a value as a person types or pastes it, defanged or not. Error: ErrNot.
func Guess(value string) (Observable, error) {
	value = strings.TrimSpace(value)
	if len(value) > MaxValue {
		return Observable{}, fmt.Errorf("%w: over %d bytes", ErrNot, MaxValue)
	}
	value = strings.NewReplacer("[.]", ".", "(.)", ".", "[dot]", ".", "[:]", ":", "[@]", "@", "[at]", "@").Replace(value)
	if rest, ok := strings.CutPrefix(value, "hxxp"); ok {
		value = "http" + rest
	}
	for _, kind := range []Kind{IP, Prefix, URL, Hash, Mail, Number, Domain} {
		if o, err := Parse(kind, value); err == nil {
			return o, nil
		}
	}
	return Observable{}, fmt.Errorf("%w: neither address, network, URL, hash, mail address, AS number nor name", ErrNot)
}

// Host is the host of a URL or of a mail address, as an observable of its own; false for other kinds. o is in its one spelling.
func (o Observable) Host() (Observable, bool) {
	host := ""
	switch o.Kind {
	case URL:
		_, rest, _ := strings.Cut(o.Value, "://")
		authority, _, _ := strings.Cut(rest, "/")
		host = authority[strings.LastIndexByte(authority, '@')+1:]
		if end := strings.IndexByte(host, ']'); end > 0 {
			return Observable{IP, host[1:end]}, true
		}
		host, _, _ = strings.Cut(host, ":")
	case Mail:
		host = o.Value[strings.LastIndexByte(o.Value, '@')+1:]
	default:
		return Observable{}, false
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return Observable{IP, a.String()}, true
	}
	return Observable{Domain, host}, true
}

func address(s string) (string, error) {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return "", errors.New("not an address")
	}
	if a.Zone() != "" {
		return "", errors.New("an address with a zone is of one machine only")
	}
	return a.Unmap().String(), nil // RFC 5952
}

func network(s string) (out string, single bool, err error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return "", false, errors.New("not a network such as 192.0.2.0/24")
	}
	if p.Addr().Is4In6() {
		return "", false, errors.New("an IPv4 network is written as one")
	}
	if p.IsSingleIP() {
		return p.Addr().String(), true, nil
	}
	return p.Masked().String(), false, nil
}

// digest takes the lengths of MD5, SHA-1, SHA-224, SHA-256, SHA-384 and SHA-512.
func digest(s string) (string, error) {
	switch len(s) {
	case 32, 40, 56, 64, 96, 128:
	default:
		return "", errors.New("not as long as any hash that is in use")
	}
	s = lower(s)
	for i := range len(s) {
		if !isHex(s[i]) {
			return "", errors.New("not in hex")
		}
	}
	return s, nil
}

// mailbox takes an address without display name, quotes or comment. Its local part is lower case: the standard permits that case matters, and no
// server that is in use lets it.
func mailbox(s string) (string, error) {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 {
		return "", errors.New("not an address such as a@b.example")
	}
	local := lower(s[:at])
	for i := range len(local) {
		c := local[i]
		if !isAlnum(c) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~.", rune(c)) {
			return "", errors.New("its local part holds what only quotes permit, or other letters than ASCII")
		}
	}
	host, err := domain(s[at+1:])
	if err != nil {
		return "", err
	}
	return local + "@" + host, nil
}

func system(s string) (string, error) {
	if len(s) > 2 && lower(s[:2]) == "as" {
		s = s[2:]
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || s[0] == '+' {
		return "", errors.New("not a number such as AS64500")
	}
	return "AS" + strconv.FormatUint(n, 10), nil
}

// lower maps ASCII only: strings.ToLower would make one name of two.
func lower(s string) string {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if b[i] >= 'A' && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isAlnum(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isHex(c byte) bool   { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }
