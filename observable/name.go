package observable

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// domain gives a name in lower-case A-labels without the last dot. Names in ASCII take no table, so that their spelling never changes; others go
// through UTS 46, which changes with Unicode only where letters are added.
func domain(s string) (string, error) {
	s = strings.TrimSuffix(s, ".")
	for i := range len(s) {
		if s[i] >= 0x80 {
			// New, not a variable: the package has no state. Underscores are in names that indicators are about.
			p := idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.StrictDomainName(false))
			a, err := p.ToASCII(s)
			if err != nil {
				return "", errors.New("not a name that can be written in A-labels")
			}
			s = strings.TrimSuffix(a, ".")
			break
		}
	}
	s = lower(s)
	if len(s) > 253 {
		return "", errors.New("a name has 253 bytes at most")
	}
	last, labels := "", 0
	for label := range strings.SplitSeq(s, ".") {
		if len(label) < 1 || len(label) > 63 {
			return "", errors.New("a label has 1 to 63 bytes")
		}
		for i := range len(label) {
			if c := label[i]; !isAlnum(c) && c != '-' && c != '_' {
				return "", errors.New("a name has letters, digits, - and _")
			}
		}
		last = label
		labels++
	}
	if labels < 2 {
		return "", errors.New("a name of one label is no indicator")
	}
	if numeric(last) {
		return "", errors.New("what ends in a number is an address, or tries to look like one")
	}
	return s, nil
}

// numeric tells whether a resolver may take a last label for part of an IPv4 address.
func numeric(label string) bool {
	if rest, ok := strings.CutPrefix(label, "0x"); ok {
		for i := range len(rest) {
			if !isHex(rest[i]) {
				return false
			}
		}
		return true
	}
	for i := range len(label) {
		if !isDigit(label[i]) {
			return false
		}
	}
	return true
}

// locator normalises as RFC 3986 section 6.2.2 and 6.2.3 say: what differs only in ways that no server may tell apart is one. The fragment is left
// out, since it is never sent.
func locator(s string) (string, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	scheme = lower(scheme)
	if !ok || !schemeOK(scheme) {
		return "", errors.New("not scheme://host")
	}
	for i := range len(rest) {
		if rest[i] <= ' ' || rest[i] == 0x7F || rest[i] == '\\' {
			return "", errors.New("it holds a space, a control character or a backslash")
		}
	}
	rest, _, _ = strings.Cut(rest, "#")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	authority, err := authority(scheme, rest[:end])
	if err != nil {
		return "", err
	}
	path, query, _ := strings.Cut(rest[end:], "?")
	out := scheme + "://" + authority + removeDots(escape(path))
	if query != "" {
		out += "?" + escape(query)
	}
	return out, nil
}

func schemeOK(s string) bool {
	if s == "" || len(s) > 16 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

func authority(scheme, s string) (string, error) {
	user := ""
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		// An @ or a : within the first part would be read by some as its end.
		if user, s = escape(s[:at]), s[at+1:]; strings.ContainsAny(user, "@[]") {
			return "", errors.New("more than one @ before the host")
		}
		if user != "" {
			user += "@"
		}
	}
	host, port := s, ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", errors.New("not a host")
		}
		a, err := netip.ParseAddr(s[1:end])
		if err != nil || !a.Is6() || a.Zone() != "" {
			return "", errors.New("not an address in brackets")
		}
		if host, port = "["+a.String()+"]", s[end+1:]; a.Is4In6() {
			host = a.Unmap().String()
		}
		if port != "" && port[0] != ':' {
			return "", errors.New("not a host")
		}
		port = strings.TrimPrefix(port, ":")
	} else {
		host, port, _ = strings.Cut(s, ":")
		if a, err := netip.ParseAddr(host); err == nil {
			host = a.String()
		} else if host, err = domain(host); err != nil {
			return "", err
		}
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || !isDigit(port[0]) {
			return "", errors.New("not a port")
		}
		if int(n) == usual(scheme) {
			return user + host, nil
		}
		host += ":" + strconv.FormatUint(n, 10)
	}
	return user + host, nil
}

// usual is the port that a scheme means when none is said.
func usual(scheme string) int {
	switch scheme {
	case "http", "ws":
		return 80
	case "https", "wss":
		return 443
	case "ftp":
		return 21
	}
	return -1
}

// escape writes every octet in the one way that RFC 3986 section 6.2.2 gives it: unreserved ones as they are, escapes in upper case, what a URI
// may not hold escaped.
func escape(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		escaped := false
		if c == '%' {
			if i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
				n, _ := strconv.ParseUint(s[i+1:i+3], 16, 8) // two hex digits: it cannot fail
				c, escaped = byte(n), true
				i += 2
			}
		}
		unreserved := isAlnum(c) || strings.IndexByte("-._~", c) >= 0
		if unreserved || !escaped && c != '%' && strings.IndexByte(":/?#[]@!$&'()*+,;=", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
	return b.String()
}

// removeDots is RFC 3986 section 5.2.4 for a path that is empty or begins with a slash.
func removeDots(path string) string {
	if path == "" {
		return "/"
	}
	var out []string
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		switch last := i == len(segments)-1; {
		case s == "." && last:
			out = append(out, "")
		case s == ".":
		case s == "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
			if last {
				out = append(out, "")
			}
		default:
			out = append(out, s)
		}
	}
	return "/" + strings.Join(out, "/")
}
