package yearly

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"detente/form"
	"detente/instrument"
	"detente/instrument/docx"
	"detente/traffic"
	"detente/transcript/pages"
	"detente/wording"
)

// Errors of papers.
var (
	ErrAlternat = errors.New("yearly: no party of the round")
	ErrLanguage = errors.New("yearly: not a language in which a pack can be printed")
	ErrFonts    = errors.New("yearly: no font has these characters")
)

//go:embed phrases
var phraseFiles embed.FS

// Phrases loads the words of the papers. Error: form.ErrRegime.
func Phrases() (*form.Phrasebook, error) {
	book, err := form.LoadPhrases(phraseFiles)
	if err == nil {
		err = book.Complete()
	}
	if err != nil {
		return nil, fmt.Errorf("yearly: %w", err)
	}
	return book, nil
}

// Words is what a paper takes from above and beside: how a case stands, and what a channel's regime calls its forms and codes. What gives nothing back leaves the code.
type Words struct {
	// Case gives the words for how a matter stands; "" where there are none.
	Case func(lang language.Tag, machine, state string) string
	// Regime gives a phrase of a channel's regime; "" where there is none.
	Regime func(channel string, lang language.Tag, key string) string
}

// Copy is how one party has the pack printed: itself first, in its language and another beside it.
type Copy struct {
	Alternat  traffic.Party
	Languages []string // two at most; empty for the two of the series that the party reads first
}

// Paper is a pack written out. Its PDF and its document for word processors say the same.
type Paper struct {
	Languages []string
	Title     map[string]string
	Blocks    []Block
	Digest    string // of the pack
	At        time.Time
}

// Block is a row of it, in each language.
type Block struct {
	Heads  bool
	Indent int
	Texts  []string // beside the languages
}

// writing is a paper while it is written.
type writing struct {
	*Pack
	words Words
	book  *form.Phrasebook
	tags  []language.Tag
	first traffic.Party
	out   *Paper
}

// Paper writes the pack out. The same pack, alternat, languages and words give the same paper at every end. Errors: ErrAlternat, ErrLanguage, form.ErrRegime.
func (p *Pack) Paper(c Copy, words Words) (*Paper, error) {
	book, err := Phrases()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(p.Parties, c.Alternat) {
		return nil, fmt.Errorf("%w: %q", ErrAlternat, c.Alternat)
	}
	w := &writing{Pack: p, words: words, book: book, first: c.Alternat, out: &Paper{Languages: p.columns(c, book), Title: map[string]string{}, Digest: p.Digest, At: p.To}}
	for _, lang := range w.out.Languages {
		tag, ok := printable(book, lang)
		if !ok || slices.Contains(w.tags, tag) {
			return nil, fmt.Errorf("%w: %.40q", ErrLanguage, lang)
		}
		w.tags = append(w.tags, tag)
	}
	if len(w.tags) == 0 || len(w.tags) > 2 {
		return nil, fmt.Errorf("%w: %d of them", ErrLanguage, len(w.tags))
	}
	w.write()
	return w.out, nil
}

func base(t language.Tag) string {
	b, _ := t.Base()
	return b.String()
}

// printable tells whether the program has words in a language, which is named by its one tag.
func printable(book *form.Phrasebook, lang string) (language.Tag, bool) {
	tag, err := language.Parse(lang)
	return tag, err == nil && tag.String() == lang && slices.ContainsFunc(book.Languages(), func(t language.Tag) bool { return base(t) == base(tag) })
}

// columns are the languages of a copy: those of the series that can be printed, the ones first that the party's charter names, in that order; English if there is none.
func (p *Pack) columns(c Copy, book *form.Phrasebook) []string {
	if len(c.Languages) > 0 {
		return c.Languages
	}
	var out []string
	add := func(lang string) {
		if _, ok := printable(book, lang); ok && slices.Contains(p.Languages, lang) && !slices.Contains(out, lang) {
			out = append(out, lang)
		}
	}
	for _, m := range p.Members {
		for _, lang := range m.Languages {
			if m.Party == c.Alternat {
				add(lang)
			}
		}
	}
	for _, lang := range p.Languages {
		add(lang)
	}
	if len(out) == 0 {
		out = []string{"en"}
	}
	return out[:min(2, len(out))]
}

// say is a phrase, with what stands in its slots for each language.
func (w *writing) say(key string, args ...any) []string {
	out := make([]string, len(w.tags))
	for i, tag := range w.tags {
		filled := make([]any, len(args))
		for j, a := range args {
			switch x := a.(type) {
			case []string: // one for each language
				filled[j] = x[i]
			case traffic.Party:
				filled[j] = form.Clean(w.party(tag, x), true, maxCell)
			case string:
				filled[j] = form.Clean(x, true, maxCell)
			default:
				filled[j] = a
			}
		}
		out[i] = w.book.Phrase(tag, key, filled...)
	}
	return out
}

func (w *writing) row(indent int, texts ...[]string) {
	b := Block{Indent: indent, Texts: make([]string, len(w.tags))}
	for i := range w.tags {
		var said []string
		for _, t := range texts {
			if t[i] != "" {
				said = append(said, t[i])
			}
		}
		b.Texts[i] = strings.Join(said, "\n")
	}
	w.out.Blocks = append(w.out.Blocks, b)
}

func (w *writing) heading(key string, n int) {
	w.out.Blocks = append(w.out.Blocks, Block{Heads: true, Texts: w.say("section." + key)})
	if n == 0 {
		w.row(0, w.say("none"))
	}
}

// party is its name in a language, with its code.
func (w *writing) party(tag language.Tag, p traffic.Party) string {
	for _, m := range w.Members {
		if m.Party == p {
			return cmp.Or(wording.In(m.Names, base(tag)), strings.ToUpper(string(p)))
		}
	}
	return strings.ToUpper(string(p))
}

// addressee is a party, an office of one, or all.
func (w *writing) addressee(to string) []string {
	out := make([]string, len(w.tags))
	for i, tag := range w.tags {
		at, err := traffic.ParseAddress(to)
		switch {
		case err != nil:
			out[i] = w.book.Phrase(tag, "everyone")
		case at.Post != "":
			out[i] = w.party(tag, at.Party) + ", " + string(at.Post)
		default:
			out[i] = w.party(tag, at.Party)
		}
	}
	return out
}

func (w *writing) each(fn func(tag language.Tag) string) []string {
	out := make([]string, len(w.tags))
	for i, tag := range w.tags {
		out[i] = form.Clean(fn(tag), false, maxCell)
	}
	return out
}

// maxCell is the most characters of what somebody wrote that stands in one place.
const maxCell = 8000

// regime is a phrase of a channel's regime, else the code itself.
func (w *writing) regime(channel, key, code string) []string {
	return w.each(func(tag language.Tag) string {
		if w.words.Regime != nil {
			if said := w.words.Regime(channel, tag, key); said != "" {
				return said
			}
		}
		return code
	})
}

func (w *writing) stands(c *Case) []string {
	return w.each(func(tag language.Tag) string {
		if w.words.Case != nil {
			if said := w.words.Case(tag, c.Leads, c.State); said != "" {
				return said
			}
		}
		return c.State
	})
}

func (w *writing) precedence(p traffic.Precedence) []string {
	return w.say("precedence." + string(p))
}

// rank puts the party first whose copy it is.
func (w *writing) rank(p traffic.Party) int {
	if p == w.first {
		return 0
	}
	return 1
}

// sorted is a list with the rows of the party first whose copy it is, in the pack's own order otherwise.
func sorted[T any](w *writing, list []T, of func(T) traffic.Party) []T {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b T) int { return w.rank(of(a)) - w.rank(of(b)) })
	return list
}

// clock writes a length of time as hours and minutes.
func clock(seconds int64) string {
	if seconds < 0 {
		return "–"
	}
	return fmt.Sprintf("%d:%02d", seconds/3600, seconds/60%60)
}

// PDF sets the paper. The same paper in the same fonts is the same bytes. Error: ErrFonts, with the characters.
func (p *Paper) PDF(f *pages.Fonts) ([]byte, error) {
	var all strings.Builder
	tags := make([]language.Tag, len(p.Languages))
	cells := func(kind pages.Kind, indent int, texts []string) pages.Block {
		b := pages.Block{Kind: kind, Indent: indent}
		for i, text := range texts {
			all.WriteString(text)
			b.Cells = append(b.Cells, pages.Cell{Lang: tags[i], Text: text})
		}
		return b
	}
	var title []string
	for i, lang := range p.Languages {
		tag, err := language.Parse(lang)
		if err != nil {
			return nil, fmt.Errorf("%w: %.40q", ErrLanguage, lang)
		}
		tags[i] = tag
		title = append(title, p.Title[lang])
	}
	sheet := pages.Paper{Title: title[0], Date: p.At, Foot: "SHA-256 " + p.Digest, RTL: pages.RightToLeft(tags[0]), Blocks: []pages.Block{cells(pages.Title, 0, title)}}
	for _, b := range p.Blocks {
		kind := pages.Paragraph
		if b.Heads {
			kind = pages.Heading
		}
		sheet.Blocks = append(sheet.Blocks, cells(kind, b.Indent, b.Texts))
	}
	if missing := f.Missing(all.String()); len(missing) > 0 {
		return nil, fmt.Errorf("%w: %U", ErrFonts, missing[:min(len(missing), 20)])
	}
	b, err := pages.Set(sheet, f)
	if err != nil {
		return nil, fmt.Errorf("yearly: %w", err)
	}
	return b, nil
}

// DOCX writes the paper for a word processor. The same paper is the same bytes.
func (p *Paper) DOCX(to io.Writer) error {
	d := &docx.Document{Languages: p.Languages}
	row := func(id string, kind instrument.Kind, indent int, texts []string) {
		r := docx.Row{Provision: id, Kind: kind, Cells: make(map[string]docx.Cell)}
		for i, lang := range p.Languages {
			r.Cells[lang] = docx.Plain(strings.Repeat("\u2003", indent) + texts[i])
		}
		d.Rows = append(d.Rows, r)
	}
	var title []string
	for _, lang := range p.Languages {
		title = append(title, p.Title[lang])
	}
	row(instrument.Title, "", 0, title)
	section, n := 0, 0
	for _, b := range p.Blocks {
		kind := instrument.Passage
		if b.Heads {
			kind, section, n = instrument.Article, section+1, 0
			row(fmt.Sprintf("s.%d", section), kind, 0, b.Texts)
			continue
		}
		n++
		row(fmt.Sprintf("s.%d.%d", section, n), kind, b.Indent, b.Texts)
	}
	row("digest", instrument.Closing, 0, slices.Repeat([]string{"SHA-256 " + p.Digest}, len(p.Languages)))
	if err := docx.Write(to, d); err != nil {
		return fmt.Errorf("yearly: %w", err)
	}
	return nil
}

// Text is the paper as plain text, one language after the other.
func (p *Paper) Text() string {
	var b bytes.Buffer
	for i, lang := range p.Languages {
		if i > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(p.Title[lang] + "\n")
		for _, x := range p.Blocks {
			if x.Heads {
				b.WriteString("\n" + x.Texts[i] + "\n")
				continue
			}
			for line := range strings.SplitSeq(x.Texts[i], "\n") {
				b.WriteString(strings.Repeat("  ", x.Indent) + "  " + line + "\n")
			}
		}
	}
	b.WriteString("\nSHA-256 " + p.Digest + "\n")
	return b.String()
}
