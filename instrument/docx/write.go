package docx

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/language"

	"detente/instrument"
	"detente/wording"
)

const (
	wordNS    = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
	xmlHead   = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	pageWide  = 11906 // twentieths of a point: A4
	pageHigh  = 16838
	pageEdge  = 1134
	labelWide = 1100
)

// Write writes a document: the same one as the same bytes, with the parties as authors of the changes and nothing that tells of persons, programs or
// times. Changes made in it are tracked from the beginning.
func Write(w io.Writer, d *Document) error {
	body, err := d.body()
	if err != nil {
		return err
	}
	z := zip.NewWriter(w)
	for _, part := range []struct{ name, text string }{
		{"[Content_Types].xml", xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
			`<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>` +
			`<Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/>` +
			`<Override PartName="/word/settings.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.settings+xml"/></Types>`},
		{"_rels/.rels", xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" ` +
			`Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`},
		{"word/_rels/document.xml.rels", xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" ` +
			`Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/><Relationship Id="r2" ` +
			`Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/settings" Target="settings.xml"/></Relationships>`},
		{"word/settings.xml", xmlHead + `<w:settings xmlns:w="` + wordNS + `"><w:trackRevisions/></w:settings>`},
		{"word/styles.xml", xmlHead + `<w:styles xmlns:w="` + wordNS + `"><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:cs="Times New Roman" w:eastAsia="SimSun"/>` +
			`<w:sz w:val="22"/><w:szCs w:val="22"/></w:rPr></w:rPrDefault><w:pPrDefault><w:pPr><w:spacing w:after="80"/></w:pPr></w:pPrDefault></w:docDefaults>` +
			`<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style></w:styles>`},
		{"word/document.xml", body},
	} {
		// The first day of the format: what is written of the same text is the same.
		f, err := z.CreateHeader(&zip.FileHeader{Name: part.name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			return fmt.Errorf("docx: %w", err)
		}
		if _, err := io.WriteString(f, part.text); err != nil {
			return fmt.Errorf("docx: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("docx: %w", err)
	}
	return nil
}

// writer writes the text, with a number of its own for each bookmark and change.
type writer struct {
	bytes.Buffer
	next int
}

func (d *Document) body() (string, error) {
	if len(d.Languages) == 0 || len(d.Languages) > MaxColumns || len(d.Rows) > maxRows {
		return "", fmt.Errorf("%w: %d languages, %d provisions", ErrText, len(d.Languages), len(d.Rows))
	}
	w := &writer{}
	wide, high := pageWide, pageHigh
	orient := ""
	if len(d.Languages) > 2 {
		wide, high, orient = high, wide, ` w:orient="landscape"`
	}
	column := (wide - 2*pageEdge - labelWide) / len(d.Languages)
	w.WriteString(xmlHead + `<w:document xmlns:w="` + wordNS + `"><w:body><w:tbl><w:tblPr>`)
	if first, err := leftward(d.Languages[0]); err != nil {
		return "", err
	} else if first {
		w.WriteString(`<w:bidiVisual/>`) // the first column is at the right, where its reader begins: ECMA-376 part 1, 17.4.1
	}
	fmt.Fprintf(w, `<w:tblW w:w="%d" w:type="dxa"/><w:tblBorders><w:insideV w:val="single" w:sz="4" w:space="0" w:color="808080"/></w:tblBorders><w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid>`,
		labelWide+column*len(d.Languages))
	fmt.Fprintf(w, `<w:gridCol w:w="%d"/>`, labelWide)
	for range d.Languages {
		fmt.Fprintf(w, `<w:gridCol w:w="%d"/>`, column)
	}
	w.WriteString(`</w:tblGrid>`)
	for _, r := range d.Rows {
		if !provisions.MatchString(r.Provision) {
			return "", fmt.Errorf("%w: provision %q", ErrText, r.Provision)
		}
		w.WriteString(`<w:tr>`)
		if err := w.cell(r, numbers, labelWide, Plain(r.Number)); err != nil {
			return "", err
		}
		for _, lang := range d.Languages {
			if err := w.cell(r, lang, column, r.Cells[lang]); err != nil {
				return "", err
			}
		}
		w.WriteString(`</w:tr>`)
	}
	fmt.Fprintf(w, `</w:tbl><w:p/><w:sectPr><w:pgSz w:w="%d" w:h="%d"%s/><w:pgMar w:top="%d" w:right="%[4]d" w:bottom="%[4]d" w:left="%[4]d" w:header="0" w:footer="0" w:gutter="0"/></w:sectPr></w:body></w:document>`,
		wide, high, orient, pageEdge)
	if w.Len() > MaxPart {
		return "", fmt.Errorf("%w: %d bytes", ErrText, w.Len())
	}
	return w.String(), nil
}

// leftward tells whether a language is written from right to left. Error: ErrText for what is no language in its one spelling.
func leftward(lang string) (bool, error) {
	tag, err := language.Parse(lang)
	if err != nil || tag.String() != lang {
		return false, fmt.Errorf("%w: language %q", ErrText, lang)
	}
	script, _ := tag.Script()
	return strings.Contains("Arab Hebr Syrc Thaa Nkoo Adlm Rohg", script.String()), nil
}

func (w *writer) cell(r Row, lang string, wide int, c Cell) error {
	rtl := false
	if lang != numbers {
		var err error
		if rtl, err = leftward(lang); err != nil {
			return err
		}
	}
	size := 0
	for _, run := range c {
		if size += len(run.Text); size > maxCell || !writable(run.Text) || !writable(run.Author) {
			return fmt.Errorf("%w: %s %s", ErrText, r.Provision, lang)
		}
	}
	fmt.Fprintf(w, `<w:tc><w:tcPr><w:tcW w:w="%d" w:type="dxa"/></w:tcPr><w:p><w:pPr>`, wide)
	if r.Kind.Heads() || r.Provision == instrument.Title {
		w.WriteString(`<w:keepNext/>`)
	}
	if rtl {
		w.WriteString(`<w:bidi/>`)
	}
	w.next++
	mark := w.next
	fmt.Fprintf(w, `</w:pPr><w:bookmarkStart w:id="%d" w:name="%s"/>`, mark, name(r.Provision, lang))
	fat := lang != numbers && (r.Kind.Heads() || r.Provision == instrument.Title)
	for _, run := range c {
		w.run(run, lang, rtl, fat)
	}
	fmt.Fprintf(w, `<w:bookmarkEnd w:id="%d"/></w:p></w:tc>`, mark)
	return nil
}

func (w *writer) run(r Run, lang string, rtl, fat bool) {
	if r.Text == "" {
		return
	}
	tag, text := map[byte]string{wording.Added: "ins", wording.Gone: "del"}[r.Op], "t"
	if tag != "" {
		w.next++
		fmt.Fprintf(w, `<w:%s w:id="%d" w:author="%s">`, tag, w.next, escaped(r.Author))
	}
	if r.Op == wording.Gone {
		text = "delText"
	}
	w.WriteString(`<w:r><w:rPr>`)
	if fat {
		w.WriteString(`<w:b/><w:bCs/>`)
	}
	if rtl {
		w.WriteString(`<w:rtl/>`)
	}
	if lang != numbers {
		fmt.Fprintf(w, `<w:lang w:val="%s" w:eastAsia="%[1]s" w:bidi="%[1]s"/>`, escaped(lang))
	}
	w.WriteString(`</w:rPr>`)
	for i, line := range strings.Split(r.Text, "\n") {
		if i > 0 {
			w.WriteString(`<w:br/>`)
		}
		if line != "" {
			fmt.Fprintf(w, `<w:%s xml:space="preserve">%s</w:%[1]s>`, text, escaped(line))
		}
	}
	w.WriteString(`</w:r>`)
	if tag != "" {
		fmt.Fprintf(w, `</w:%s>`, tag)
	}
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}

// writable tells whether XML can hold a text as it is, and a reader sees it as it is: of the controls only the line end, and none of the signs that turn
// the direction of writing by force, by which words can look like others.
func writable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r < 0x20 && r != '\n' || r == 0xfffe || r == 0xffff || r == 0x7f || r >= 0x202a && r <= 0x202e
	})
}
