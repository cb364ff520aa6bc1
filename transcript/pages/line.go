package pages

import (
	"slices"
	"strings"
	"unicode"

	"github.com/tdewolff/canvas"
	"golang.org/x/text/unicode/bidi"
)

// atom is a piece of a paragraph that is set as one: of one font and one direction, and never broken.
type atom struct {
	text  string
	face  *canvas.FontFace
	rtl   bool
	space bool
	loose bool // a line may end behind it
	weak  bool // a number, or signs only: between words from right to left it stands among them
	wide  float64
}

// style is how a text is set: its size, whether it runs from right to left, whether it is set fat.
type style struct {
	points    float64
	rtl, bold bool
}

func (s style) weight() canvas.FontStyle {
	if s.bold {
		return canvas.FontBold // of a font that has none the library makes one
	}
	return canvas.FontRegular
}

// tall is the height of a line, in millimetres, and under the line above is the base line.
func (s style) tall() float64  { return s.points*millimetres*1.25 + 0.2 }
func (s style) under() float64 { return s.points * millimetres }

// atoms parts a paragraph. The direction of each piece follows UAX #9; the library shapes a piece and is not asked for the order of several.
func (f *Fonts) atoms(text string, of style) []atom {
	text = f.shown(text)
	turns := directions(text, of.rtl)
	faces := make(map[*font]*canvas.FontFace)
	last := f.list[0]
	var out []atom
	var run strings.Builder
	var runRTL bool
	flush := func() {
		if run.Len() > 0 {
			if len(out) > 0 && strings.ContainsAny(run.String()[:min(3, run.Len())], "、。，．：；？！）」』】》〉") {
				out[len(out)-1].loose = false // these end a clause, and begin no line
			}
			out = append(out, newAtom(run.String(), faces[last], runRTL))
			run.Reset()
		}
	}
	for i, r := range text {
		if silent(r) { // it has turned what it was to turn
			continue
		}
		font := f.of(r)
		if last.has(r) && r < 0x80 { // spaces, digits and signs stay with what they stand beside
			font = last
		}
		if font != last || turns[i] != runRTL || alone(r) {
			flush()
		}
		last, runRTL = font, turns[i]
		if faces[font] == nil {
			faces[font] = font.family.Face(of.points, canvas.Black, of.weight())
		}
		run.WriteRune(r)
		if alone(r) {
			flush()
		}
	}
	flush()
	return out
}

func newAtom(text string, face *canvas.FontFace, rtl bool) atom {
	a := atom{text: text, face: face, rtl: rtl, space: text == " "}
	a.weak = !strings.ContainsFunc(text, unicode.IsLetter)
	if rtl && a.weak {
		a.text = strings.NewReplacer("(", ")", ")", "(", "[", "]", "]", "[", "<", ">", ">", "<", "«", "»", "»", "«").Replace(text)
	}
	a.loose = a.space || strings.ContainsFunc(text, func(r rune) bool { return r >= 0x2e80 })
	a.wide = face.TextWidth(a.text)
	return a
}

// alone are characters that are pieces of their own: spaces, brackets, and those of scripts without spaces.
func alone(r rune) bool {
	return unicode.IsSpace(r) || r >= 0x2e80 && r < 0xfb00 || strings.ContainsRune("()[]{}<>«»", r)
}

// shown is a text with the number of each character that no font has.
func (f *Fonts) shown(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case silent(r):
			b.WriteRune(r)
		case f.of(r) == nil:
			b.WriteString(codePoint(r))
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// directions tells of each byte of a text whether it runs from right to left.
func directions(text string, rtl bool) []bool {
	out := make([]bool, len(text))
	base := bidi.LeftToRight
	if rtl {
		base = bidi.RightToLeft
	}
	var p bidi.Paragraph
	if _, err := p.SetString(text, bidi.DefaultDirection(base)); err != nil {
		return out
	}
	order, err := p.Order()
	if err != nil {
		return out
	}
	at := 0
	for i := range order.NumRuns() {
		run := order.Run(i)
		for n := len(run.String()); n > 0 && at < len(out); n-- {
			out[at] = run.Direction() == bidi.RightToLeft
			at++
		}
	}
	return out
}

// lines fills lines of a width.
func lines(all []atom, width float64) (out [][]atom) {
	var line []atom
	used, loose := 0.0, -1
	for _, a := range all {
		for used+a.wide > width && len(line) > 0 {
			cut := len(line)
			if loose >= 0 {
				cut = loose + 1
			}
			out = append(out, trimmed(line[:cut]))
			line, used, loose = slices.Clone(line[cut:]), 0, -1
			for i := range line {
				used += line[i].wide
			}
		}
		if len(line) == 0 && a.space {
			continue
		}
		for _, piece := range a.within(width) {
			if used+piece.wide > width && len(line) > 0 {
				out = append(out, trimmed(line))
				line, used, loose = nil, 0, -1
			}
			if line, used = append(line, piece), used+piece.wide; piece.loose {
				loose = len(line) - 1
			}
		}
	}
	if len(line) > 0 {
		out = append(out, trimmed(line))
	}
	return out
}

// within cuts a piece that is wider than a line.
func (a atom) within(width float64) []atom {
	if a.wide <= width {
		return []atom{a}
	}
	runes := []rune(a.text)
	half := len(runes) / 2
	if half == 0 {
		return []atom{a}
	}
	x, y := a, a
	x.text, y.text = string(runes[:half]), string(runes[half:])
	x.wide, y.wide = a.face.TextWidth(x.text), a.face.TextWidth(y.text)
	return append(x.within(width), y.within(width)...)
}

func trimmed(line []atom) []atom {
	for len(line) > 0 && line[len(line)-1].space {
		line = line[:len(line)-1]
	}
	return line
}

// visual brings the pieces of a line into the order in which they stand on the page from the left, rule L2 of UAX #9.
func visual(line []atom, rtl bool) []atom {
	line = slices.Clone(line)
	if rtl { // everything is turned, and what runs from left to right back again
		slices.Reverse(line)
		turn(line, func(i int) bool { return !line[i].rtl })
		return line
	}
	among := within(line)
	turn(line, func(i int) bool { return among[i] })
	turn(line, func(i int) bool { return !line[i].rtl && line[i].weak && among[i] }) // a number of several pieces reads on
	return line
}

// within tells which pieces of a line from left to right belong to a stretch from right to left: those that run so, and numbers between two of them.
func within(line []atom) []bool {
	out := make([]bool, len(line))
	last := -1
	for i, a := range line {
		switch {
		case a.rtl:
			for j := i; j > last && last >= 0; j-- {
				out[j] = true
			}
			out[i], last = true, i
		case !a.weak:
			last = -1
		}
	}
	return out
}

// turn reverses each stretch of pieces.
func turn(line []atom, in func(int) bool) {
	for i := 0; i < len(line); {
		j := i
		for j < len(line) && in(j) {
			j++
		}
		slices.Reverse(line[i:j])
		i = max(j, i+1)
	}
}
