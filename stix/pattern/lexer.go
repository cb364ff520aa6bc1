package pattern

import (
	"strings"
	"time"
	"unicode/utf8"
)

// kinds of tokens of a pattern.
const (
	tokenEnd    = iota
	tokenWord   // an identifier or a keyword
	tokenText   // '...'
	tokenNumber // whole, or with a point
	tokenTime   // t'...'
	tokenBytes  // h'...' or b'...'
	tokenSign   // one or two characters
)

type token struct {
	kind int
	text string // of tokenText and its like, what stands between the quotes, without escapes
	at   int
}

// lexer cuts a pattern into tokens, one at a time.
type lexer struct {
	s  string
	at int
}

func letter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

// skip passes over space and comments.
func (l *lexer) skip() *Error {
	for l.at < len(l.s) {
		rest := l.s[l.at:]
		c, size := utf8.DecodeRuneInString(rest)
		switch {
		case c == ' ' || c >= '\t' && c <= '\r' || c == 0x85 || c == 0xa0 || c == 0x1680 || c >= 0x2000 && c <= 0x200a || c == 0x2028 || c == 0x2029 ||
			c == 0x202f || c == 0x205f || c == 0x3000:
			l.at += size
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest[2:], "*/")
			if n < 0 {
				return l.fail("a comment without end")
			}
			l.at += n + 4
		case strings.HasPrefix(rest, "//"):
			if n := strings.IndexAny(rest, "\r\n"); n >= 0 {
				l.at += n
			} else {
				l.at = len(l.s)
			}
		default:
			return nil
		}
	}
	return nil
}

func (l *lexer) fail(reason string) *Error { return refuse(reason, l.at) }

// next returns the next token.
func (l *lexer) next() (token, *Error) {
	if fault := l.skip(); fault != nil {
		return token{}, fault
	}
	start := l.at
	if start >= len(l.s) {
		return token{kind: tokenEnd, at: start}, nil
	}
	c := l.s[start]
	second := byte(0)
	if start+1 < len(l.s) {
		second = l.s[start+1]
	}
	switch {
	case c == '\'':
		return l.quoted(tokenText, start)
	case second == '\'' && c == 't':
		l.at++
		t, fault := l.quoted(tokenTime, start)
		if _, err := time.Parse(time.RFC3339Nano, strings.Replace(t.text, ":60", ":59", 1)); fault == nil && (err != nil || !strings.HasSuffix(t.text, "Z")) {
			return t, l.fail("there is no such time")
		}
		return t, fault
	case second == '\'' && (c == 'h' || c == 'b'):
		l.at++
		return l.quoted(tokenBytes, start)
	case letter(c):
		for l.at < len(l.s) && (letter(l.s[l.at]) || digit(l.s[l.at]) || l.s[l.at] == '-') {
			l.at++
		}
		return token{tokenWord, l.s[start:l.at], start}, nil
	case digit(c) || (c == '-' || c == '+' || c == '.') && (digit(second) || second == '.'):
		return l.number(start)
	}
	for _, sign := range []string{"!=", "<>", "<=", ">=", "==", "=", "<", ">", "(", ")", "[", "]", ",", ":", ".", "*"} {
		if strings.HasPrefix(l.s[start:], sign) {
			l.at += len(sign)
			return token{tokenSign, sign, start}, nil
		}
	}
	return token{}, l.fail("a character that has no meaning here")
}

func (l *lexer) number(start int) (token, *Error) {
	if c := l.s[l.at]; c == '-' || c == '+' {
		l.at++
	}
	digits, points := 0, 0
	for l.at < len(l.s) && (digit(l.s[l.at]) || l.s[l.at] == '.' && points == 0) {
		if l.s[l.at] == '.' {
			points++
		} else {
			digits++
		}
		l.at++
	}
	text := l.s[start:l.at]
	if digits == 0 || strings.HasSuffix(text, ".") || len(text) > maxNumber {
		return token{}, l.fail("no number")
	}
	return token{tokenNumber, text, start}, nil
}

// quoted reads from an opening quote to the closing one. In a string, \' and \\ are escapes, and no other.
func (l *lexer) quoted(kind, start int) (token, *Error) {
	l.at++
	from := l.at
	var b *strings.Builder
	for l.at < len(l.s) {
		switch c := l.s[l.at]; {
		case c == '\'':
			text := l.s[from:l.at]
			if b != nil {
				b.WriteString(text)
				text = b.String()
			}
			l.at++
			return token{kind, text, start}, nil
		case c == '\\' && kind == tokenText:
			if l.at+1 >= len(l.s) || l.s[l.at+1] != '\'' && l.s[l.at+1] != '\\' {
				return token{}, l.fail("an unknown escape")
			}
			if b == nil {
				b = &strings.Builder{}
			}
			b.WriteString(l.s[from:l.at])
			from = l.at + 1
			l.at += 2
		default:
			l.at++
		}
	}
	return token{}, l.fail("a quote without end")
}
