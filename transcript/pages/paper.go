package pages

import (
	"fmt"
	"strings"
	"time"

	"github.com/tdewolff/canvas"
	"golang.org/x/text/language"
)

// Kind is what a block of a paper is.
type Kind int

// The kinds of blocks.
const (
	Paragraph Kind = iota
	Title          // large, in the middle, fat
	Heading        // in the middle, fat; what follows stands on the same page
	Signature      // a line to sign on in each column that has words, those words under it, and room above; never parted between pages
	NewPage        // what follows begins a page; has no cells
)

// Cell is what stands in one column of a block: a text in one language. Lines end where it has \n.
type Cell struct {
	Lang language.Tag
	Text string
}

// Block is one row of a paper. Its cells stand beside each other in columns of the same width and begin at the same height; one cell takes the whole
// width. The first stands on the side where the paper begins to be read.
type Block struct {
	Kind   Kind
	Indent int // how deep it stands, 0 to 5
	Cells  []Cell
}

// Paper is something to be printed that knows nothing of statements.
type Paper struct {
	Title  string    // in the file, not on the pages
	Date   time.Time // in the file, not on the pages
	Foot   string    // on each page below, beside its number: a digest; lines end where it has \n
	RTL    bool      // begins to be read from the right
	Blocks []Block
}

const (
	maxBlocks  = 20_000
	maxColumns = 6
	maxCell    = 200_000 // bytes
	gutter     = 6.0     // between columns, in millimetres
	signing    = 22.0    // room to sign in, in millimetres
	footing    = 7.0     // points of what stands below
	stepping   = 5.0     // of an indent, in millimetres
	maxIndent  = 5
)

// Set sets a paper. The same paper in the same fonts is the same bytes. A character that no font has stands as its number: ask Missing before.
func Set(p Paper, f *Fonts) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil { // the library gives up on a font that it cannot cut down
			out, err = nil, fmt.Errorf("pages: %v", r)
		}
	}()
	if len(p.Blocks) > maxBlocks {
		return nil, fmt.Errorf("pages: %d blocks, at most %d are set", len(p.Blocks), maxBlocks)
	}
	s := setter{f: f, rtl: p.RTL}
	s.page()
	for i, b := range p.Blocks {
		if len(b.Cells) > maxColumns {
			return nil, fmt.Errorf("pages: block %d has %d columns, at most %d fit", i+1, len(b.Cells), maxColumns)
		}
		for _, c := range b.Cells {
			if len(c.Text) > maxCell {
				return nil, fmt.Errorf("pages: block %d has %d bytes in a column, at most %d are set", i+1, len(c.Text), maxCell)
			}
		}
		s.block(b)
		if len(s.pages) > maxPages {
			return nil, fmt.Errorf("pages: more than %d pages", maxPages)
		}
	}
	s.foot(p.Foot)
	at := p.Date
	if at.IsZero() || at.Year() > 9999 {
		at = time.Unix(0, 0)
	}
	return written(s.pages, p.Title, at)
}

// column is a cell in lines.
type column struct {
	x     float64
	style style
	lines [][]atom
}

func (s *setter) block(b Block) {
	switch {
	case b.Kind == NewPage:
		if s.y < high-margin {
			s.page()
		}
		return
	case len(b.Cells) == 0:
		return
	}
	width := (wide - 2*margin - gutter*float64(len(b.Cells)-1)) / float64(len(b.Cells))
	in := stepping * float64(max(0, min(b.Indent, maxIndent)))
	columns, rows := make([]column, len(b.Cells)), 0
	for i, c := range b.Cells {
		at := i
		if s.rtl {
			at = len(b.Cells) - 1 - i
		}
		columns[i] = s.column(b.Kind, c, width-in)
		columns[i].x = margin + float64(at)*(width+gutter)
		if !columns[i].style.rtl {
			columns[i].x += in
		}
		rows = max(rows, len(columns[i].lines))
	}
	tall := columns[0].style.tall()
	switch b.Kind {
	case Title, Heading:
		if s.y < high-margin {
			s.y -= 2 * gap
		}
		s.room(float64(rows+3) * tall)
	case Signature:
		s.room(signing + float64(rows)*tall)
		s.y -= signing
		for i, c := range columns {
			if b.Cells[i].Text != "" {
				s.line(c.x, (width-in)*0.8, c.style.rtl, width-in)
			}
		}
	}
	for i := range rows {
		s.room(tall)
		ctx := canvas.NewContext(s.pages[len(s.pages)-1])
		for _, c := range columns {
			if i < len(c.lines) {
				draw(ctx, c.x+c.indent(b.Kind, c.lines[i], width-in), s.y-c.style.under(), visual(c.lines[i], c.style.rtl))
			}
		}
		s.y -= tall
	}
	s.y -= gap
}

// room begins a page when there is less of it left.
func (s *setter) room(tall float64) {
	if s.y-tall < margin && s.y < high-margin {
		s.page()
	}
}

// line is one to sign on.
func (s *setter) line(x, long float64, rtl bool, width float64) {
	if rtl {
		x += width - long
	}
	ctx := canvas.NewContext(s.pages[len(s.pages)-1])
	ctx.SetFillColor(canvas.Black)
	ctx.DrawPath(x, s.y, canvas.Rectangle(long, 0.2))
}

func (s *setter) column(k Kind, c Cell, width float64) column {
	out := column{style: style{points: size, rtl: RightToLeft(c.Lang)}}
	switch k {
	case Title:
		out.style.points, out.style.bold = large, true
	case Heading:
		out.style.bold = true
	}
	for line := range strings.SplitSeq(c.Text, "\n") {
		for _, part := range parts(line) {
			filled := lines(s.f.atoms(part, out.style), width)
			if len(filled) == 0 {
				filled = [][]atom{nil} // an empty line is one
			}
			out.lines = append(out.lines, filled...)
		}
	}
	return out
}

// indent is where a line begins in its column.
func (c column) indent(k Kind, line []atom, width float64) float64 {
	left := width
	for _, a := range line {
		left -= a.wide
	}
	switch {
	case k == Title || k == Heading:
		return left / 2
	case c.style.rtl:
		return left
	default:
		return 0
	}
}

// foot writes what stands below on each page, and its number, when it is known how many there are.
func (s *setter) foot(text string) {
	of := style{points: footing}
	for i, page := range s.pages {
		ctx := canvas.NewContext(page)
		below := strings.Split(text, "\n")
		for j, line := range below {
			draw(ctx, margin, margin/2+float64(len(below)-1-j)*of.tall(), visual(s.f.atoms(line, of), false))
		}
		number, long := s.f.atoms(fmt.Sprintf("%d / %d", i+1, len(s.pages)), of), 0.0
		for _, a := range number {
			long += a.wide
		}
		draw(ctx, wide-margin-long, margin/2, visual(number, false))
	}
}

// RightToLeft tells whether the script that a language is written in runs from right to left.
func RightToLeft(lang language.Tag) bool {
	script, _ := lang.Script()
	switch script.String() {
	case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg", "Mand", "Samr":
		return true
	}
	return false
}
