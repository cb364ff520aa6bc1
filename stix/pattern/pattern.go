// Package pattern reads patterns of STIX 2.1 by the grammar of the standard, as far as their tests and what these point at.
// It must never look for what a pattern describes, nor take for a sign of something what the pattern rules out.
package pattern

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

const (
	maxPattern     = 256 << 10 // bytes
	maxNesting     = 64        // of brackets in a pattern
	maxComparisons = 10_000    // in a pattern
	maxNumber      = 40        // letters of a number
)

// Err is wrapped by every [Error].
var Err = errors.New("pattern: it cannot be read")

// Error says what is wrong with a pattern, and at which byte.
type Error struct {
	Reason string
	At     int
}

func (e *Error) Error() string {
	return Err.Error() + ": " + e.Reason + " at character " + strconv.Itoa(e.At+1)
}

func (e *Error) Unwrap() error { return Err }

func refuse(reason string, at int) *Error { return &Error{reason, at} }

// Comparison is one test of a pattern.
type Comparison struct {
	Path    []string // the type of object, then the steps, "*" and numbers in brackets among them: ["file", "hashes", "MD5"]
	Op      string   // "=", "!=", "<", "<=", ">", ">=", "IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET", "EXISTS"
	Not     bool
	Values  []string // what it is compared with, without quotes
	Exclude bool     // it rules something out: NOT or "!=", but not both
	// Alone tells whether this test by itself makes the pattern true: no other has to hold with it, and once is enough.
	Alone bool
}

// Pattern is a pattern of STIX, read as far as its tests.
type Pattern struct {
	Comparisons []Comparison
}

// Parse reads a pattern. Error: an *[Error].
func Parse(s string) (*Pattern, error) {
	p, fault := parse(s)
	if fault != nil {
		return nil, fault
	}
	return p, nil
}

func parse(s string) (*Pattern, *Error) {
	if len(s) > maxPattern {
		return nil, refuse("longer than "+strconv.Itoa(maxPattern)+" bytes", maxPattern)
	}
	p := &parser{lex: lexer{s: s}, out: &Pattern{}}
	if fault := p.advance(); fault != nil {
		return nil, fault
	}
	if _, fault := p.observations(0); fault != nil {
		return nil, fault
	}
	if p.now.kind != tokenEnd {
		return nil, p.fail("more after the end")
	}
	return p.out, nil
}

// parser reads a pattern by recursive descent, no deeper than maxNesting.
type parser struct {
	lex lexer
	now token
	out *Pattern
}

func (p *parser) fail(reason string) *Error { return refuse(reason, p.now.at) }

func (p *parser) advance() (fault *Error) {
	p.now, fault = p.lex.next()
	return fault
}

func (p *parser) is(kind int, text string) bool { return p.now.kind == kind && p.now.text == text }

// take passes over a token if it is the one named.
func (p *parser) take(kind int, text string) (bool, *Error) {
	if !p.is(kind, text) {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) expect(kind int, text string) *Error {
	if !p.is(kind, text) {
		return p.fail(strconv.Quote(text) + " is missing")
	}
	return p.advance()
}

// notAlone says of the tests from on that others must hold with them.
func (p *parser) notAlone(from int) {
	for i := from; i < len(p.out.Comparisons); i++ {
		p.out.Comparisons[i].Alone = false
	}
}

// observations reads observation expressions. FOLLOWEDBY binds the least, then OR, then AND. It returns the place of their first test.
func (p *parser) observations(depth int) (int, *Error) {
	return p.chain("FOLLOWEDBY", func() (int, *Error) {
		return p.chain("OR", func() (int, *Error) {
			return p.chain("AND", func() (int, *Error) { return p.observation(depth) })
		})
	})
}

// chain reads one or more of what read reads, with a word between.
func (p *parser) chain(word string, read func() (int, *Error)) (int, *Error) {
	first, fault := read()
	for fault == nil && p.is(tokenWord, word) {
		if fault = p.advance(); fault == nil {
			_, fault = read()
		}
		if word != "OR" {
			p.notAlone(first)
		}
	}
	return first, fault
}

func (p *parser) observation(depth int) (int, *Error) {
	if depth > maxNesting {
		return 0, p.fail("brackets within brackets beyond " + strconv.Itoa(maxNesting))
	}
	first := len(p.out.Comparisons)
	open, closing := "[", "]"
	inside := func() (int, *Error) { return p.comparisons(depth + 1) }
	if p.is(tokenSign, "(") {
		open, closing = "(", ")"
		inside = func() (int, *Error) { return p.observations(depth + 1) }
	}
	if fault := p.expect(tokenSign, open); fault != nil {
		return 0, fault
	}
	if _, fault := inside(); fault != nil {
		return 0, fault
	}
	if fault := p.expect(tokenSign, closing); fault != nil {
		return 0, fault
	}
	return first, p.qualifiers(first)
}

// qualifiers reads START ... STOP, WITHIN and REPEATS. What must repeat, or lie in the past, is not said by one sighting.
func (p *parser) qualifiers(first int) *Error {
	for p.now.kind == tokenWord {
		var parts []int // the kinds that follow, with words between
		var words []string
		switch p.now.text {
		case "START":
			parts, words = []int{tokenTime, tokenTime}, []string{"START", "STOP"}
		case "WITHIN":
			parts, words = []int{tokenNumber}, []string{"WITHIN", "SECONDS"}
		case "REPEATS":
			parts, words = []int{tokenNumber}, []string{"REPEATS", "TIMES"}
		default:
			return nil
		}
		if words[0] != "WITHIN" {
			p.notAlone(first)
		}
		for i, word := range words {
			if fault := p.expect(tokenWord, word); fault != nil {
				return fault
			}
			if i < len(parts) {
				if p.now.kind != parts[i] || strings.HasPrefix(p.now.text, "-") || word == "REPEATS" && strings.Contains(p.now.text, ".") {
					return p.fail("no value for " + word)
				}
				if fault := p.advance(); fault != nil {
					return fault
				}
			}
		}
	}
	return nil
}

// comparisons reads comparison expressions: OR, then AND.
func (p *parser) comparisons(depth int) (int, *Error) {
	return p.chain("OR", func() (int, *Error) {
		first := len(p.out.Comparisons)
		parts := []int{first}
		_, fault := p.test(depth)
		for fault == nil && p.is(tokenWord, "AND") {
			parts = append(parts, len(p.out.Comparisons))
			if fault = p.advance(); fault == nil {
				_, fault = p.test(depth)
			}
		}
		if fault == nil && len(parts) > 1 {
			p.joined(first)
		}
		return first, fault
	})
}

// joined says of tests that are joined by AND that none is enough, but for a value beside nothing else than tests of the type of what holds it:
// dst_ref.type = 'domain-name' AND dst_ref.value = 'example.com' says no more than the value.
func (p *parser) joined(first int) {
	tests := p.out.Comparisons[first:]
	value := -1
	for i, c := range tests {
		if c.Path[len(c.Path)-1] == "type" && len(c.Path) > 2 && c.Op == "=" && !c.Exclude {
			continue
		}
		if value >= 0 {
			p.notAlone(first)
			return
		}
		value = i
	}
	for i := range tests {
		ok := i == value && slices.ContainsFunc(tests, func(c Comparison) bool {
			n := len(c.Path) - 1
			return c.Path[n] == "type" && len(tests[value].Path) > n && slices.Equal(c.Path[:n], tests[value].Path[:n])
		})
		tests[i].Alone = tests[i].Alone && ok
	}
}

// test reads one test, or a bracket of them.
func (p *parser) test(depth int) (int, *Error) {
	first := len(p.out.Comparisons)
	if depth > maxNesting {
		return 0, p.fail("brackets within brackets beyond " + strconv.Itoa(maxNesting))
	}
	if first >= maxComparisons {
		return 0, p.fail("more than " + strconv.Itoa(maxComparisons) + " tests")
	}
	if open, fault := p.take(tokenSign, "("); open || fault != nil {
		if fault == nil {
			_, fault = p.comparisons(depth + 1)
		}
		if fault == nil {
			fault = p.expect(tokenSign, ")")
		}
		return first, fault
	}
	c := Comparison{Alone: true}
	var fault *Error
	if c.Not, fault = p.take(tokenWord, "NOT"); fault != nil {
		return 0, fault
	}
	if p.is(tokenWord, "EXISTS") {
		c.Op = "EXISTS"
		if fault = p.advance(); fault == nil {
			c.Path, fault = p.path()
		}
	} else if c.Not {
		return 0, p.fail(`"EXISTS" is missing`)
	} else {
		fault = p.compare(&c)
	}
	if fault != nil {
		return 0, fault
	}
	c.Exclude = c.Not != (c.Op == "!=")
	c.Alone = !c.Exclude
	p.out.Comparisons = append(p.out.Comparisons, c)
	return first, nil
}

// compare reads the path, the operator and what stands behind it.
func (p *parser) compare(c *Comparison) (fault *Error) {
	if c.Path, fault = p.path(); fault != nil {
		return fault
	}
	if c.Not, fault = p.take(tokenWord, "NOT"); fault != nil {
		return fault
	}
	switch c.Op = p.now.text; {
	case p.now.kind == tokenSign && slices.Contains([]string{"=", "==", "!=", "<>", "<", "<=", ">", ">="}, c.Op):
		switch c.Op {
		case "==":
			c.Op = "="
		case "<>":
			c.Op = "!="
		}
		if fault = p.advance(); fault != nil {
			return fault
		}
		return p.literal(c)
	case p.now.kind == tokenWord && c.Op == "IN":
		return p.set(c)
	case p.now.kind == tokenWord && slices.Contains([]string{"LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"}, c.Op):
		if fault = p.advance(); fault != nil {
			return fault
		}
		if p.now.kind != tokenText {
			return p.fail("no string")
		}
		return p.literal(c)
	}
	return p.fail("no comparison")
}

func (p *parser) set(c *Comparison) *Error {
	fault := p.advance()
	if fault == nil {
		fault = p.expect(tokenSign, "(")
	}
	for i := 0; fault == nil && !p.is(tokenSign, ")"); i++ {
		if i > 0 {
			if fault = p.expect(tokenSign, ","); fault != nil {
				return fault
			}
		}
		if len(c.Values) >= maxComparisons {
			return p.fail("more than " + strconv.Itoa(maxComparisons) + " values")
		}
		fault = p.literal(c)
	}
	if fault != nil {
		return fault
	}
	return p.advance()
}

func (p *parser) literal(c *Comparison) *Error {
	switch {
	case p.now.kind == tokenText, p.now.kind == tokenNumber, p.now.kind == tokenTime, p.now.kind == tokenBytes:
	case p.is(tokenWord, "true") && (c.Op == "=" || c.Op == "!=" || c.Op == "IN"), p.is(tokenWord, "false") && (c.Op == "=" || c.Op == "!=" || c.Op == "IN"):
	default:
		return p.fail("no value")
	}
	c.Values = append(c.Values, p.now.text)
	return p.advance()
}

// path reads type:step.step[*].step
func (p *parser) path() ([]string, *Error) {
	if p.now.kind != tokenWord {
		return nil, p.fail("no type of object")
	}
	path := []string{p.now.text}
	fault := p.advance()
	if fault == nil {
		fault = p.expect(tokenSign, ":")
	}
	for more := true; more; {
		if fault != nil {
			return nil, fault
		}
		if p.now.kind != tokenText && (p.now.kind != tokenWord || strings.Contains(p.now.text, "-")) {
			return nil, p.fail("no name of a property")
		}
		path = append(path, p.now.text)
		if fault = p.advance(); fault != nil {
			return nil, fault
		}
		for p.is(tokenSign, "[") {
			if fault = p.advance(); fault != nil {
				return nil, fault
			}
			if !p.is(tokenSign, "*") && (p.now.kind != tokenNumber || strings.Contains(p.now.text, ".")) {
				return nil, p.fail("no index")
			}
			path = append(path, "["+p.now.text+"]")
			if fault = p.advance(); fault == nil {
				fault = p.expect(tokenSign, "]")
			}
			if fault != nil {
				return nil, fault
			}
		}
		if len(path) > maxNesting {
			return nil, p.fail("a path of more than " + strconv.Itoa(maxNesting) + " steps")
		}
		more, fault = p.take(tokenSign, ".")
	}
	return path, fault
}
