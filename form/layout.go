package form

import (
	"iter"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/width"
)

// columns is the width of a telegram: it fits a terminal of 80 with a margin, and an A4 page.
const columns = 72

// Marks of the Unicode bidirectional algorithm, UAX #9.
const (
	rightToLeftMark = "\u200F"
	isolateLTR      = "\u2066"
	isolateRTL      = "\u2067"
	isolateFirst    = "\u2068" // direction of the first strong character
	isolateEnd      = "\u2069"
)

// String is the document as a telegram, for a terminal or a printed page. The originator's words stand behind a rule at the side that
// nothing else uses; no character of theirs can leave it.
func (d *Document) String() string {
	t := telegram{doc: d}
	rule := strings.Repeat("─", columns)
	if d.Banner != "" {
		t.line(d.Banner)
		t.line("")
	}
	t.line(d.Precedence)
	t.line(strings.TrimSpace(d.Title + "  " + isolate(d.Number, d.RTL)))
	t.line(rule)
	label := 0
	for _, e := range d.Head {
		label = max(label, measure(e.Label))
	}
	for _, e := range d.Head {
		pad := strings.Repeat(" ", label-measure(e.Label)+2)
		t.paragraph(e.Label+pad, strings.Repeat(" ", label+2), e.Text)
	}
	t.line(rule)
	for i, item := range d.Items {
		t.item(i+1, item)
	}
	if d.Fixed != "" {
		t.line("")
		t.paragraph("", "", d.Fixed)
	}
	if len(d.Status) > 0 {
		t.line(rule)
		t.line(d.statusLabel)
		for _, s := range d.Status {
			t.paragraph("– ", "  ", s)
		}
	}
	t.line(rule)
	t.line(d.End)
	if d.Banner != "" {
		t.line("")
		t.line(d.Banner)
	}
	return t.out.String()
}

// telegram collects the lines of a document.
type telegram struct {
	doc *Document
	out strings.Builder
}

// line writes one line. In a document from right to left a mark first sets the direction of the line, whatever stands on it.
func (t *telegram) line(s string) {
	if t.doc.RTL && s != "" {
		t.out.WriteString(rightToLeftMark)
	}
	t.out.WriteString(s)
	t.out.WriteByte('\n')
}

// paragraph writes s in lines, behind first on the first and rest on the others.
func (t *telegram) paragraph(first, rest, s string) {
	for i, line := range wrap(s, columns-max(measure(first), measure(rest))) {
		if i == 0 {
			t.line(first + line)
		} else {
			t.line(rest + line)
		}
	}
}

func (t *telegram) item(n int, item Item) {
	head := strings.NewReplacer("{1}", strconv.Itoa(n), "{2}", item.Label).Replace(t.doc.item)
	space := " "
	if r, _ := utf8.DecodeLastRuneInString(head); columnsOf(r) == 2 {
		space = "" // a full-width colon holds its own space
	}
	if len(item.Runs) == 1 && !item.Runs[0].Quoted && measure(head+space+item.Runs[0].Text) <= columns {
		t.line(head + space + item.Runs[0].Text)
		return
	}
	t.paragraph("", "   ", head)
	for _, run := range item.Runs {
		switch {
		case run.Quoted:
			t.quote(run)
		case len(item.Runs) > 1 && !item.Runs[0].Quoted:
			t.paragraph("   – ", "     ", run.Text)
		default:
			t.paragraph("   ", "   ", run.Text)
		}
	}
}

// quote writes the originator's words line by line behind a rule, with the tag of their language.
func (t *telegram) quote(run Run) {
	mark := isolateLTR
	if run.RTL {
		mark = isolateRTL
	}
	tag := ""
	if run.Lang.String() != "und" {
		tag = "[" + run.Lang.String() + "] "
	}
	text := tag + strings.Replace(t.doc.quote, "{1}", run.Text, 1)
	for paragraph := range strings.SplitSeq(text, "\n") {
		for _, line := range wrap(paragraph, columns-5) {
			if run.RTL != t.doc.RTL {
				line = mark + line + isolateEnd
			}
			t.line("   │ " + line)
		}
	}
}

// wrap breaks s into lines of at most limit columns, between words where it can. It returns one line at least. An isolate that a break
// falls into is closed on the one line and opened again on the next.
func wrap(s string, limit int) []string {
	limit = max(limit, 8)
	var lines []string
	line, used, gap := "", 0, ""
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ' ' || r == '\t' }) {
		for part := range parts(word) {
			w := measure(part)
			if used > 0 && used+len(gap)+w <= limit {
				line, used, gap = line+gap+part, used+len(gap)+w, ""
				continue
			}
			if used > 0 {
				lines = append(lines, line)
			}
			for w > limit { // nowhere to break: an address, a hash
				cut := fit(part, limit)
				lines = append(lines, part[:cut])
				part = part[cut:]
				w = measure(part)
			}
			line, used, gap = part, w, ""
		}
		gap = " "
	}
	lines = append(lines, line)
	open := ""
	for i, line := range lines {
		lines[i] = open + line
		for _, r := range line {
			switch mark := string(r); mark {
			case isolateLTR, isolateRTL, isolateFirst:
				open += mark
			case isolateEnd:
				open = open[:max(0, len(open)-len(mark))]
			}
		}
		lines[i] += strings.Repeat(isolateEnd, utf8.RuneCountInString(open))
	}
	return lines
}

// parts cuts a word where a line may end within it: beside characters of full width, as Chinese is written without spaces. No
// part begins with a mark that closes, nor ends with one that opens, a much reduced UAX #14.
func parts(word string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start, before := 0, rune(0)
		for i, r := range word {
			wide := columnsOf(before) == 2 || columnsOf(r) == 2
			if i > start && wide && columnsOf(r) > 0 && !closes(r) && !opens(before) {
				if !yield(word[start:i]) {
					return
				}
				start = i
			}
			before = r
		}
		yield(word[start:])
	}
}

func opens(r rune) bool {
	return unicode.In(r, unicode.Ps, unicode.Pi) || r == '\u2066' || r == '\u2067' || r == '\u2068'
}

func closes(r rune) bool { return unicode.In(r, unicode.Pe, unicode.Pf, unicode.Po) }

// measure is the width of s in columns.
func measure(s string) int {
	n := 0
	for _, r := range s {
		n += columnsOf(r)
	}
	return n
}

// fit gives how many bytes of s fill at most limit columns, one character at least.
func fit(s string, limit int) int {
	for i, r := range s {
		if limit -= columnsOf(r); limit < 0 && i > 0 {
			return i
		}
	}
	return len(s)
}

func columnsOf(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// strong counts the letters of s that run from left to right, and from right to left.
func strong(s string) (ltr, rtl int) {
	for _, r := range s {
		p, _ := bidi.LookupRune(r)
		switch p.Class() {
		case bidi.L:
			ltr++
		case bidi.R, bidi.AL:
			rtl++
		}
	}
	return ltr, rtl
}

// isolate sets s apart from text around it that runs the other way, so that neither reorders the other. A number such as 26-0007 has no direction
// of its own, and after Arabic letters its parts would change places.
func isolate(s string, inRTL bool) string {
	ltr, rtl := strong(s)
	if inRTL && (ltr > 0 || rtl == 0 && strings.ContainsFunc(s, unicode.IsDigit)) || !inRTL && rtl > 0 {
		return isolateFirst + s + isolateEnd
	}
	return s
}

// MostlyRTL tells whether most of a text that has a direction runs from right to left.
func MostlyRTL(s string) bool { return mostlyRTL(s) }

func mostlyRTL(s string) bool {
	ltr, rtl := strong(s)
	return rtl > ltr
}

// clean makes a text from a header printable on one line, cleanText on several: what could drive a terminal or reorder a line shows as U+FFFD.
func clean(s string) string { return strings.Map(printable, strings.ToValidUTF8(s, "\uFFFD")) }

// Visible is a text of a stranger, of one line or several, as a screen may show it: what could drive a terminal, hide or reorder shows as U+FFFD.
func Visible(s string) string { return cleanText(s) }

func cleanText(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return printable(r)
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func printable(r rune) rune {
	if forbidden(r) {
		return '\uFFFD'
	}
	return r
}
