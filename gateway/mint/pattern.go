package mint

import (
	"strings"
)

// Comparison is one equality of a pattern: an object path, such as "file:hashes.'SHA-256'", and a value.
type Comparison struct{ Path, Value string }

const maxComparisons = 100

// Pattern gives a STIX pattern that demands all of the comparisons in one observation.
func Pattern(all ...Comparison) string {
	parts := make([]string, len(all))
	for i, c := range all {
		value := "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(c.Value) + "'"
		if number(c.Path) && digits(c.Value) {
			value = c.Value
		}
		parts[i] = c.Path + " = " + value
	}
	return "[" + strings.Join(parts, " AND ") + "]"
}

// number tells whether a path holds a whole number.
func number(path string) bool {
	return strings.HasSuffix(path, "_port") || path == "autonomous-system:number" || path == "file:size"
}

func digits(s string) bool { return s != "" && len(s) < 16 && strings.Trim(s, "0123456789") == "" }

// Comparisons reads a pattern of equalities in one observation, joined by AND: what [Pattern] writes, and what most feeds have. ok is false for
// every other pattern: what it means cannot be said in a format of single values.
func Comparisons(pattern string) (all []Comparison, ok bool) {
	s := strings.TrimSpace(pattern)
	if len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']' {
		return nil, false
	}
	s = s[1 : len(s)-1]
	for {
		var c Comparison
		if c.Path, s, ok = path(s); !ok {
			return nil, false
		}
		if s = strings.TrimLeft(s, " \t\r\n"); !strings.HasPrefix(s, "=") {
			return nil, false
		}
		if c.Value, s, ok = value(strings.TrimLeft(s[1:], " \t\r\n")); !ok {
			return nil, false
		}
		if all = append(all, c); len(all) > maxComparisons {
			return nil, false
		}
		if s = strings.TrimLeft(s, " \t\r\n"); s == "" {
			return all, true
		}
		rest, and := strings.CutPrefix(s, "AND")
		if !and || rest == "" || !strings.ContainsAny(rest[:1], " \t\r\n") {
			return nil, false
		}
		s = rest
	}
}

// path takes an object path off the front. Quotes around a step that needs none are dropped, so that a path is written in one way.
func path(s string) (name, rest string, ok bool) {
	s = strings.TrimLeft(s, " \t\r\n")
	i := 0
	for i < len(s) {
		switch c := s[i]; {
		case c == '\'':
			end := strings.IndexByte(s[i+1:], '\'')
			if end < 0 {
				return "", "", false
			}
			i += end + 2
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '=' || c == '<' || c == '>' || c == '!':
			return tidy(s[:i]), s[i:], strings.Contains(s[:i], ":")
		case c == '[' && i > 0:
			end := strings.IndexByte(s[i:], ']')
			if end < 2 || s[i+1:i+end] != "*" && !digits(s[i+1:i+end]) {
				return "", "", false
			}
			i += end + 1
		case c == '[' || c == ']' || c == '(' || c == ')':
			return "", "", false
		default:
			i++
		}
	}
	return "", "", false
}

// tidy writes hash names in the one way that the standard's examples have.
func tidy(p string) string {
	for _, h := range []string{"MD5", "SHA-1", "SHA-256", "SHA-512", "SSDEEP", "TLSH"} {
		for _, q := range []string{h, `"` + h + `"`} {
			if p == "file:hashes."+q {
				return Hash(h)
			}
		}
	}
	return p
}

// Hash is the path of a file's hash of that name.
func Hash(name string) string {
	if strings.Contains(name, "-") {
		return "file:hashes.'" + name + "'"
	}
	return "file:hashes." + name
}

func value(s string) (v, rest string, ok bool) {
	if s == "" {
		return "", "", false
	}
	if s[0] != '\'' {
		end := strings.IndexAny(s, " \t\r\n")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], digits(s[:end])
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i >= len(s) {
				return "", "", false
			}
			b.WriteByte(s[i])
		case '\'':
			return b.String(), s[i+1:], true
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}
