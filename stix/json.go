package stix

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits are what one object may cost. They hold before anything is allocated for what exceeds them.
type Limits struct {
	Object  int // bytes of an object
	Depth   int // of objects and lists within each other
	Members int // members of objects and elements of lists, all together
	String  int // bytes of a string, as it is written
	Objects int // in a bundle or envelope
}

// Standard returns limits that every object seen in the public feeds keeps by far, and within which reading costs less than carrying.
func Standard() Limits {
	return Limits{Object: 1 << 20, Depth: 32, Members: 20_000, String: 768 << 10, Objects: 100_000}
}

const maxNumber = 40 // letters of a number: more is precision that nobody has, or an attack on whoever computes with it

// Flags say what is unusual in the strings of an object. It is kept as it came, and shown with care.
type Flags uint8

// The flags.
const (
	Replaced Flags = 1 << iota // bytes that are not UTF-8, or half a surrogate pair: the views have U+FFFD there
	Control                    // NUL and other control characters, but for tabs and ends of lines
	Bidi                       // characters that turn the direction of text, and can hide what it says
)

// reader reads JSON strictly, in one pass, into the tree that the schemas are held against: map[string]any, []any, string, bool, nil, int64 and float64.
type reader struct {
	b     []byte
	at    int
	cut   bool // b ends before the input does, because an object may not be longer
	lim   Limits
	left  int // members
	flags Flags
}

// fail returns a fault at the present place; the path is filled in on the way up.
func (r *reader) fail(kind error, reason string) *Fault {
	if kind == ErrSyntax && r.cut && r.at >= len(r.b) {
		kind, reason = ErrLimit, "longer than "+strconv.Itoa(r.lim.Object)+" bytes"
	}
	return &Fault{Kind: kind, Reason: reason, Offset: r.at}
}

func (r *reader) space() {
	for r.at < len(r.b) {
		switch r.b[r.at] {
		case ' ', '\n', '\r', '\t':
			r.at++
		default:
			return
		}
	}
}

func (r *reader) peek() byte {
	if r.at < len(r.b) {
		return r.b[r.at]
	}
	return 0
}

func (r *reader) value(depth int) (any, *Fault) {
	r.space()
	switch c := r.peek(); {
	case c == '{':
		return r.object(depth)
	case c == '[':
		return r.list(depth)
	case c == '"':
		return r.text()
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	case c == 't':
		return true, r.word("true")
	case c == 'f':
		return false, r.word("false")
	case c == 'n':
		return nil, r.word("null")
	}
	return nil, r.fail(ErrSyntax, "no value")
}

func (r *reader) word(w string) *Fault {
	end := r.at + len(w)
	if end > len(r.b) {
		r.at = len(r.b)
		return r.fail(ErrSyntax, "no value")
	}
	if string(r.b[r.at:end]) != w {
		return r.fail(ErrSyntax, "no value")
	}
	r.at = end
	return nil
}

// open enters an object or list.
func (r *reader) open(depth int) *Fault {
	if depth >= r.lim.Depth {
		return r.fail(ErrLimit, "deeper than "+strconv.Itoa(r.lim.Depth))
	}
	r.at++
	r.space()
	return nil
}

// count takes a member or element from the budget.
func (r *reader) count() *Fault {
	if r.left--; r.left < 0 {
		return r.fail(ErrLimit, "more than "+strconv.Itoa(r.lim.Members)+" members")
	}
	return nil
}

// next tells whether another member follows, or the end.
func (r *reader) next(end byte) (bool, *Fault) {
	r.space()
	switch r.peek() {
	case ',':
		r.at++
		r.space()
		return true, nil
	case end:
		r.at++
		return false, nil
	}
	return false, r.fail(ErrSyntax, "neither a comma nor "+string(rune(end)))
}

// key reads the name of a member and the colon.
func (r *reader) key() (string, *Fault) {
	if r.peek() != '"' {
		return "", r.fail(ErrSyntax, "no name of a member")
	}
	k, err := r.text()
	if err != nil {
		return "", err
	}
	r.space()
	if r.peek() != ':' {
		return "", r.fail(ErrSyntax, "no colon")
	}
	r.at++
	return k, nil
}

func (r *reader) object(depth int) (map[string]any, *Fault) {
	if err := r.open(depth); err != nil {
		return nil, err
	}
	if r.peek() == '}' {
		r.at++
		return map[string]any{}, nil
	}
	m := make(map[string]any, 8)
	for more := true; more; {
		if err := r.count(); err != nil {
			return nil, err
		}
		k, err := r.key()
		if err != nil {
			return nil, err
		}
		// Of two members with one name, programs differ in which they see: one side would act on what the other never saw.
		if _, twice := m[k]; twice {
			return nil, r.fail(ErrTwice, "").in(k)
		}
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err.in(k)
		}
		m[k] = v
		if more, err = r.next('}'); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (r *reader) list(depth int) ([]any, *Fault) {
	if err := r.open(depth); err != nil {
		return nil, err
	}
	l := []any{}
	if r.peek() == ']' {
		r.at++
		return l, nil
	}
	for more := true; more; {
		err := r.count()
		if err != nil {
			return nil, err
		}
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err.in(strconv.Itoa(len(l)))
		}
		l = append(l, v)
		if more, err = r.next(']'); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// text reads a string. What is plain ASCII, as nearly everything, is taken as it stands.
func (r *reader) text() (string, *Fault) {
	start := r.at + 1
	limit := min(len(r.b), start+r.lim.String+1)
	plain := true
	i := start
	for ; i < limit; i++ {
		c := r.b[i]
		if c == '"' {
			r.at = i + 1
			if plain {
				return string(r.b[start:i]), nil
			}
			return r.unescape(r.b[start:i])
		}
		if c == '\\' {
			plain = false
			i++ // whatever it is, it does not end the string
			continue
		}
		if c < 0x20 {
			r.at = i
			return "", r.fail(ErrSyntax, "a control character in a string")
		}
		if c >= 0x80 || c == 0x7f {
			plain = false
		}
	}
	if limit < len(r.b) {
		return "", r.fail(ErrLimit, "a string longer than "+strconv.Itoa(r.lim.String)+" bytes")
	}
	r.at = len(r.b)
	return "", r.fail(ErrSyntax, "a string without end")
}

// unescape reads the inside of a string, and notes what is unusual in it.
func (r *reader) unescape(in []byte) (string, *Fault) {
	var b strings.Builder
	b.Grow(len(in))
	for len(in) > 0 {
		c, size := rune(in[0]), 1
		switch {
		case c == '\\':
			if len(in) < 2 {
				return "", r.fail(ErrSyntax, "half an escape in a string")
			}
			c, size = escaped(in)
			if size == 0 {
				return "", r.fail(ErrSyntax, "an unknown escape in a string")
			}
			if c == utf8.RuneError && !strings.EqualFold(string(in[:size]), `\ufffd`) {
				r.flags |= Replaced
			}
		case c >= utf8.RuneSelf:
			if c, size = utf8.DecodeRune(in); c == utf8.RuneError && size == 1 {
				r.flags |= Replaced
			}
		}
		r.note(c)
		b.WriteRune(c)
		in = in[size:]
	}
	return b.String(), nil
}

func (r *reader) note(c rune) {
	switch {
	case c < 0x20 && c != '\n' && c != '\r' && c != '\t', c >= 0x7f && c < 0xa0:
		r.flags |= Control
	case c == 0x061c, c == 0x200e, c == 0x200f, c >= 0x202a && c <= 0x202e, c >= 0x2066 && c <= 0x2069:
		r.flags |= Bidi
	}
}

// escaped reads an escape at the start of in. Size 0 means that there is none of the kind.
func escaped(in []byte) (c rune, size int) {
	switch in[1] {
	case '"', '\\', '/':
		return rune(in[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		c, ok := unit(in)
		if !ok {
			return 0, 0
		}
		if !utf16.IsSurrogate(c) {
			return c, 6
		}
		if low, ok := unit(in[6:]); ok {
			if full := utf16.DecodeRune(c, low); full != utf8.RuneError {
				return full, 12
			}
		}
		return utf8.RuneError, 6
	}
	return 0, 0
}

// unit reads \uXXXX.
func unit(in []byte) (rune, bool) {
	if len(in) < 6 || in[0] != '\\' || in[1] != 'u' {
		return 0, false
	}
	n := rune(0)
	for _, c := range in[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		n = n<<4 | rune(c)
	}
	return n, true
}

// number reads a number into an int64 or a float64, so that nobody after us computes with what takes a gigabyte to write out.
func (r *reader) number() (any, *Fault) {
	start, whole := r.at, true
	digits := func() bool {
		from := r.at
		for r.at < len(r.b) && r.b[r.at] >= '0' && r.b[r.at] <= '9' {
			r.at++
		}
		return r.at > from
	}
	if r.peek() == '-' {
		r.at++
	}
	first, from := r.peek(), r.at
	ok := digits() && (first != '0' || r.at == from+1)
	if ok && r.peek() == '.' {
		r.at++
		whole, ok = false, digits()
	}
	if c := r.peek(); ok && (c == 'e' || c == 'E') {
		r.at++
		if c := r.peek(); c == '+' || c == '-' {
			r.at++
		}
		whole, ok = false, digits()
	}
	if !ok {
		return nil, r.fail(ErrSyntax, "no number")
	}
	if r.at-start > maxNumber {
		return nil, r.fail(ErrLimit, "a number of more than "+strconv.Itoa(maxNumber)+" characters")
	}
	text := string(r.b[start:r.at])
	if whole {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, r.fail(ErrLimit, "a number beyond all measure")
	}
	return f, nil
}
