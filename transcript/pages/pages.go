// Package pages sets transcripts and other papers in type, as a PDF: Arabic joined and from right to left, Chinese, text that can be searched and copied.
// The same words under the same date are the same bytes, as long as the fonts are the same.
// It must never leave a character out: one that no font has stands as its number.
package pages

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/tdewolff/canvas"
	"github.com/tdewolff/canvas/renderers/pdf"
	"golang.org/x/text/language"

	"detente/form"
	"detente/transcript"
)

// Measures of a page of A4, in millimetres and points.
const (
	wide, high   = 210.0, 297.0
	margin       = 20.0
	size         = 10.0
	large        = 14.0
	gap          = 1.6
	indent       = 6.0
	millimetres  = 0.3528 // of a point
	maxParagraph = 1200   // characters that are set as one; longer ones are parted where words are
	maxPages     = 2000
)

// PDF writes a case in languages, one after the other, each on pages of its own.
func PDF(w *transcript.Writer, f *Fonts, c transcript.Case, langs ...language.Tag) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil { // the library gives up on a font that it cannot cut down
			out, err = nil, fmt.Errorf("pages: %v", r)
		}
	}()
	var set setter
	for _, lang := range langs {
		set.begin(w, f, lang)
		set.whole(c)
		set.number()
	}
	return written(set.pages, c.State.ID.String(), date(c))
}

// written is the file of pages. The same pages under the same title and date are the same bytes.
func written(pages []*canvas.Canvas, title string, at time.Time) ([]byte, error) {
	if len(pages) == 0 || len(pages) > maxPages {
		return nil, fmt.Errorf("pages: %d pages", len(pages))
	}
	var b bytes.Buffer
	p := pdf.New(&b, wide, high, &pdf.Options{Compress: true, SubsetFonts: true})
	p.SetInfo(title, "", "", "", "")
	for i, page := range pages {
		if i > 0 {
			p.NewPage(wide, high)
		}
		page.RenderTo(p)
	}
	if err := p.Close(); err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	return settled(b.Bytes(), at)
}

// date is that of the newest statement: what is written of the same statements bears the same.
func date(c transcript.Case) (at time.Time) {
	for i := range c.State.Entries {
		if t := c.State.Entries[i].Statement.IssuedAt; t.After(at) {
			at = t
		}
	}
	if at.Year() > 9999 || at.IsZero() {
		return time.Unix(0, 0)
	}
	return at
}

// setter sets lines on pages, from above.
type setter struct {
	w     *transcript.Writer
	f     *Fonts
	lang  language.Tag
	rtl   bool
	pages []*canvas.Canvas
	first int // page of the language
	y     float64
}

func (s *setter) begin(w *transcript.Writer, f *Fonts, lang language.Tag) {
	s.w, s.f, s.lang, s.rtl, s.first = w, f, lang, w.RTL(lang), len(s.pages)
	s.page()
}

func (s *setter) page() {
	s.pages = append(s.pages, canvas.New(wide, high))
	s.y = high - margin
}

func (s *setter) whole(c transcript.Case) {
	title, front := s.w.Front(c, s.lang)
	s.text(title, large, 0, s.rtl, false)
	for _, l := range front {
		s.text(l, size, 0, s.rtl, false)
	}
	for _, sheet := range s.w.Sheets(c, s.lang) {
		s.rule()
		s.text(sheet.Heading+" · "+sheet.Standing, size, 0, s.rtl, false)
		if sheet.Document != nil {
			s.document(sheet.Document)
		}
		for _, l := range append(sheet.Lines, sheet.Files...) {
			s.text(l, size, 0, s.rtl, false)
		}
	}
}

func (s *setter) document(d *form.Document) {
	if d.Banner != "" {
		s.text(d.Banner, large, 0, s.rtl, false)
	}
	s.text(d.Precedence+"  "+d.Title+"  "+d.Number, large, 0, s.rtl, false)
	for _, e := range d.Head {
		s.text(e.Label+"  "+e.Text, size, 0, s.rtl, false)
	}
	s.y -= gap
	for i, item := range d.Items {
		s.text(fmt.Sprintf("%d. %s", i+1, item.Label), size, 0, s.rtl, false)
		for _, run := range item.Runs {
			if run.Quoted {
				s.text("["+run.Lang.String()+"] "+run.Text, size, indent, run.RTL, true)
			} else {
				s.text(run.Text, size, indent, s.rtl, false)
			}
		}
	}
	for _, l := range append([]string{d.Fixed}, d.Status...) {
		if l != "" {
			s.text(l, size, 0, s.rtl, false)
		}
	}
	s.text(d.End, size, 0, s.rtl, false)
	if d.Banner != "" {
		s.text(d.Banner, large, 0, s.rtl, false)
	}
}

// text sets a text, line by line of its own; the originator's words behind a rule at their side that nothing else has.
func (s *setter) text(text string, points, in float64, rtl, quoted bool) {
	for line := range strings.SplitSeq(text, "\n") {
		for _, part := range parts(line) {
			s.paragraph(part, points, in, rtl, quoted)
		}
	}
}

func (s *setter) paragraph(text string, points, in float64, rtl, quoted bool) {
	of := style{points: points, rtl: rtl}
	tall := of.tall()
	for _, line := range lines(s.f.atoms(text, of), wide-2*margin-in) {
		if s.y-tall < margin {
			s.page()
		}
		ctx := canvas.NewContext(s.pages[len(s.pages)-1])
		long := 0.0
		for _, a := range line {
			long += a.wide
		}
		x, at := margin+in, margin+in-2
		if rtl {
			x, at = wide-margin-in-long, wide-margin-in+2
		}
		draw(ctx, x, s.y-of.under(), visual(line, rtl))
		if quoted {
			ctx.SetFillColor(canvas.Black)
			ctx.DrawPath(at, s.y-tall, canvas.Rectangle(0.3, tall))
		}
		s.y -= tall
	}
	s.y -= gap / 2
}

// draw sets the pieces of a line on their base line, from the left.
func draw(ctx *canvas.Context, x, y float64, line []atom) {
	for _, a := range line {
		if !a.space {
			ctx.DrawText(x, y, canvas.NewTextLine(a.face, a.text, canvas.Left))
		}
		x += a.wide
	}
}

func codePoint(r rune) string { return fmt.Sprintf("[U+%04X]", r) }

// silent are the marks that only turn the direction of writing, and what no font shows.
func silent(r rune) bool {
	return r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r < 0x20 || r == 0xfeff
}

func (s *setter) rule() {
	if s.y -= 2 * gap; s.y < margin+3*size {
		s.page()
		return
	}
	ctx := canvas.NewContext(s.pages[len(s.pages)-1])
	ctx.SetFillColor(canvas.Black)
	ctx.DrawPath(margin, s.y, canvas.Rectangle(wide-2*margin, 0.2))
	s.y -= 2 * gap
}

// number writes the numbers of a language's pages, when it is known how many there are.
func (s *setter) number() {
	all := s.pages[s.first:]
	for i, page := range all {
		line := s.f.atoms(s.w.Page(s.lang, i+1, len(all)), style{points: size - 2, rtl: s.rtl})
		draw(canvas.NewContext(page), wide/2, margin/2, visual(line, s.rtl))
	}
}

// parts cuts a long paragraph between words.
func parts(text string) (out []string) {
	runes := []rune(text)
	for len(runes) > maxParagraph {
		cut := maxParagraph
		for i := cut; i > cut/2; i-- {
			if runes[i] == ' ' {
				cut = i
				break
			}
		}
		out = append(out, string(runes[:cut]))
		runes = runes[cut:]
	}
	return append(out, string(runes))
}
