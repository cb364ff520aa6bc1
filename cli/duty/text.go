package duty

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// What is drawn comes from strangers too: titles, numbers, reasons. On a screen where a line means something by where it stands, nothing of it may
// move the cursor, reorder what stands beside it, or make a line longer than it is counted.

const (
	isolateFirst = '\u2066' // LRI, RLI and FSI
	isolateLast  = '\u2068'
	isolateEnd   = '\u2069'
)

// clean makes text one line that cannot leave its place. Isolates stay where they are balanced: phrases set them around what they quote.
func clean(text string) string {
	open, balanced := 0, true
	for _, r := range text {
		switch {
		case r >= isolateFirst && r <= isolateLast:
			open++
		case r == isolateEnd:
			open--
			balanced = balanced && open >= 0
		}
	}
	balanced = balanced && open == 0
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r >= isolateFirst && r <= isolateEnd && !balanced:
			return unicode.ReplacementChar
		case r >= isolateFirst && r <= isolateEnd:
			return r
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d', r == '\u2028', r == '\u2029':
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
}

// columns is how many columns of a terminal a rune takes.
func columns(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r < 0x1100:
		return 1
	}
	if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
		return 2
	}
	return 1
}

func widthOf(text string) (n int) {
	for _, r := range text {
		n += columns(r)
	}
	return n
}

// cut is the beginning of a text that takes at most so many columns, with a sign that more follows. What it isolates is closed again.
func cut(text string, most int) string {
	if widthOf(text) <= most {
		return text
	}
	if most <= 0 {
		return ""
	}
	var b strings.Builder
	used, open := 0, 0
	for _, r := range text {
		if used+columns(r) > most-1 {
			break
		}
		used += columns(r)
		switch {
		case r >= isolateFirst && r <= isolateLast:
			open++
		case r == isolateEnd:
			open--
		}
		b.WriteRune(r)
	}
	for range open {
		b.WriteRune(isolateEnd)
	}
	return b.String() + "…"
}

// pad is a text in exactly so many columns; right sets it to their end.
func pad(text string, columns int, right bool) string {
	text = cut(text, columns)
	space := strings.Repeat(" ", columns-widthOf(text))
	if right {
		return space + text
	}
	return text + space
}

// wrap breaks a text into lines of at most so many columns, at spaces where there are any.
func wrap(text string, most int) (out []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(clean(strings.TrimRight(line, "\n")), " ")
		indent := line[:len(line)-len(strings.TrimLeft(line, " │"))]
		if widthOf(indent) > most/2 {
			indent = ""
		}
		for widthOf(line) > most {
			at, used, space := 0, 0, 0
			for i, r := range line {
				if used += columns(r); used > most {
					break
				}
				at = i + len(string(r))
				if r == ' ' && i > len(indent) {
					space = at
				}
			}
			if space > 0 {
				at = space
			}
			if at == 0 {
				break // a terminal narrower than a letter
			}
			out = append(out, strings.TrimRight(line[:at], " "))
			line = indent + strings.TrimLeft(line[at:], " ")
		}
		out = append(out, line)
	}
	return out
}
