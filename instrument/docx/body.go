package docx

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"detente/wording"
)

// body reads the text of a document, element by element. Each element has a list of what it may hold, and everything else is refused: a document is read
// as a whole or not at all.
type body struct {
	d         *xml.Decoder
	languages []string
	hashed    map[string][2]string // provision and language by bookmark
	seen      map[string]bool      // bookmarks
	doc       Document
	row, col  int
	at        string // provision and language of the cell, once known
	depth     int
	tokens    int
}

// paragraph is one as it was read.
type paragraph struct {
	names []string // bookmarks of provisions that begin in it
	runs  Cell
	end   byte // what was done to its end
	by    string
}

func (b *body) refuse(format string, args ...any) error {
	place := "before the table"
	if b.row > 0 {
		place = fmt.Sprintf("row %d", b.row)
	}
	if b.col > 0 {
		place += fmt.Sprintf(", column %d", b.col)
	}
	if b.at != "" {
		place += " (" + b.at + ")"
	}
	return &Refusal{Place: place, What: fmt.Sprintf(format, args...)}
}

// next is the next token that is not a comment. Names of elements are local ones with a w; those of other name spaces are their whole name.
func (b *body) next() (xml.Token, error) {
	for {
		t, err := b.d.Token()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: it ends in its middle", ErrFormat)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %v", ErrFormat, err)
		}
		if b.tokens++; b.tokens > maxTokens {
			return nil, fmt.Errorf("%w: more than %d elements", ErrFormat, maxTokens)
		}
		switch t.(type) {
		case xml.StartElement:
			if b.depth++; b.depth > maxDepth {
				return nil, fmt.Errorf("%w: more than %d elements in each other", ErrFormat, maxDepth)
			}
		case xml.EndElement:
			b.depth--
		case xml.Directive:
			return nil, fmt.Errorf("%w: it declares a type", ErrFormat)
		case xml.Comment, xml.ProcInst:
			continue
		}
		return t, nil
	}
}

func element(e xml.StartElement) string {
	if e.Name.Space == wordNS || e.Name.Space == "http://purl.oclc.org/ooxml/wordprocessingml/main" {
		return "w:" + e.Name.Local
	}
	return e.Name.Space + " " + e.Name.Local
}

// each calls fn for every element in the one that has begun, until it ends. Words between elements are refused.
func (b *body) each(fn func(name string, e xml.StartElement) error) error {
	for {
		t, err := b.next()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.EndElement:
			return nil
		case xml.CharData:
			if strings.Trim(string(t), " \t\r\n") != "" {
				return b.refuse("words outside any paragraph: %.40q", string(t))
			}
		case xml.StartElement:
			if err := fn(element(t), t); err != nil {
				return err
			}
		}
	}
}

// skip passes over an element that changes no word, and refuses it if it holds one of those named.
func (b *body) skip(refused ...string) error {
	return b.each(func(name string, e xml.StartElement) error {
		if slices.Contains(refused, name) && !off(e) {
			return b.refuse("%s", meaning(name))
		}
		return b.skip(refused...)
	})
}

// off tells whether a switch says that it is off.
func off(e xml.StartElement) bool {
	v := attribute(e, "val")
	return v == "0" || v == "false" || v == "off"
}

// meaning says in words what an element is.
func meaning(name string) string {
	if said, ok := map[string]string{
		"w:moveFrom": "words that were moved: reject the move, and delete and insert them", "w:moveTo": "words that were moved: reject the move, and delete and insert them",
		"w:moveFromRangeStart": "words that were moved: reject the move, and delete and insert them", "w:moveToRangeStart": "words that were moved: reject the move, and delete and insert them",
		"w:object": "an embedded object", "w:pict": "a picture", "w:drawing": "a picture", "w:altChunk": "another file that is embedded", "w:hyperlink": "a link: remove it, the words stay",
		"w:commentRangeStart": "a comment: state it as a comment on the provision", "w:commentReference": "a comment: state it as a comment on the provision",
		"w:footnoteReference": "a footnote", "w:endnoteReference": "a footnote", "w:fldChar": "a field", "w:fldSimple": "a field", "w:instrText": "a field", "w:sdt": "a content control",
		"w:vanish": "hidden words", "w:strike": "words struck through by format: delete them", "w:dstrike": "words struck through by format: delete them", "w:tab": "a tabulator: use a space",
		"w:sym": "a sign of a font of its own", "w:headerReference": "a header", "w:footerReference": "a footer", "w:cellIns": "a cell that was added", "w:cellDel": "a cell that was deleted",
		"w:cellMerge": "cells that were merged", "w:vMerge": "cells that were merged", "w:gridSpan": "cells that were merged", "w:tbl": "a table in a table", "w:ruby": "words above words",
		"w:numPr": "a number made by the word processor: type it",
	}[name]; ok {
		return said
	}
	return "cannot be read: " + name
}

// ignored are elements that are neither words nor change any.
func ignored(name string) bool {
	return slices.Contains([]string{"w:bookmarkEnd", "w:proofErr", "w:lastRenderedPageBreak", "w:permStart", "w:permEnd", "w:tblPr", "w:tblGrid", "w:tblPrEx"}, name)
}

func (b *body) document() (*Document, error) {
	b.doc.Languages = nil
	for {
		t, err := b.next()
		if err != nil {
			return nil, err
		}
		e, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		if element(e) != "w:document" {
			return nil, fmt.Errorf("%w: it begins with %q", ErrFormat, e.Name.Local)
		}
		break
	}
	bodies := 0
	err := b.each(func(name string, _ xml.StartElement) error {
		if bodies++; name != "w:body" || bodies > 1 {
			return b.refuse("%s", meaning(name))
		}
		return b.each(b.inBody)
	})
	if err != nil {
		return nil, err
	}
	for { // nothing may follow
		t, err := b.d.Token()
		if errors.Is(err, io.EOF) {
			return &b.doc, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %v", ErrFormat, err)
		}
		if c, ok := t.(xml.CharData); !ok || strings.TrimSpace(string(c)) != "" {
			return nil, fmt.Errorf("%w: more behind its end", ErrFormat)
		}
	}
}

func (b *body) inBody(name string, e xml.StartElement) error {
	switch {
	case name == "w:tbl":
		return b.each(b.inTable)
	case name == "w:p":
		b.col, b.at = 0, ""
		p, err := b.paragraph()
		if err != nil {
			return err
		}
		if len(p.names) == 0 && len(p.runs) == 0 {
			return nil
		}
		return b.refuse("words outside any provision: %.40q", p.runs.New()+p.runs.Old())
	case name == "w:sectPr":
		return b.skip("w:headerReference", "w:footerReference")
	case name == "w:bookmarkStart" && !bound(e), ignored(name):
		return b.skip()
	}
	return b.refuse("%s", meaning(name))
}

func (b *body) inTable(name string, e xml.StartElement) error {
	switch {
	case name == "w:tr":
		if b.row++; b.row > maxRows {
			return fmt.Errorf("%w: more than %d rows", ErrFormat, maxRows)
		}
		b.col, b.at = 0, ""
		b.doc.Rows = append(b.doc.Rows, Row{Cells: make(map[string]Cell)})
		if err := b.each(b.inRow); err != nil {
			return err
		}
		if r := &b.doc.Rows[len(b.doc.Rows)-1]; r.Provision == "" { // nothing in it
			b.doc.Rows = b.doc.Rows[:len(b.doc.Rows)-1]
		}
		return nil
	case name == "w:bookmarkStart" && !bound(e), ignored(name):
		return b.skip()
	}
	return b.refuse("%s", meaning(name))
}

func (b *body) inRow(name string, e xml.StartElement) error {
	switch {
	case name == "w:trPr":
		return b.skip("w:ins", "w:del")
	case name == "w:tc":
		b.col, b.at = b.col+1, ""
		return b.cell()
	case name == "w:bookmarkStart" && !bound(e), ignored(name):
		return b.skip()
	}
	return b.refuse("%s", meaning(name))
}

// bound tells whether a bookmark is one of a provision.
func bound(e xml.StartElement) bool {
	_, _, ok := named(attribute(e, "name"))
	return ok
}

func (b *body) cell() error {
	var whole []paragraph
	size := 0
	err := b.each(func(name string, e xml.StartElement) error {
		switch {
		case name == "w:tcPr":
			return b.skip("w:cellIns", "w:cellDel", "w:cellMerge", "w:vMerge", "w:gridSpan")
		case name == "w:p":
			p, err := b.paragraph()
			if err != nil {
				return err
			}
			for _, r := range p.runs {
				size += len(r.Text)
			}
			if whole = append(whole, p); size > maxCell || len(whole) > maxCell/16 {
				return b.refuse("more than %d bytes", maxCell)
			}
			return nil
		case name == "w:bookmarkStart" && !bound(e), ignored(name):
			return b.skip()
		}
		return b.refuse("%s", meaning(name))
	})
	if err != nil {
		return err
	}
	for len(whole) > 0 && len(whole[0].names) == 0 && len(whole[0].runs) == 0 {
		whole = whole[1:]
	}
	for len(whole) > 0 && len(whole[len(whole)-1].names) == 0 && len(whole[len(whole)-1].runs) == 0 {
		whole = whole[:len(whole)-1]
	}
	if len(whole) == 0 {
		return nil
	}
	if len(whole[0].names) == 0 {
		return b.refuse("words outside any provision: %.40q (the bookmark of the cell is gone: put the words into a fresh copy)", whole[0].runs.New()+whole[0].runs.Old())
	}
	return b.keep(whole)
}

// keep puts what a cell says into its row.
func (b *body) keep(whole []paragraph) error {
	var c Cell
	for i, p := range whole {
		if len(p.names) > 1 || i > 0 && len(p.names) > 0 {
			return b.refuse("two provisions in one paragraph or cell")
		}
		if i > 0 {
			c = append(c, Run{Op: whole[i-1].end, Text: "\n", Author: whole[i-1].by})
		}
		c = append(c, p.runs...)
	}
	bookmark := whole[0].names[0]
	provision, lang, _ := named(bookmark)
	if lang == "" {
		found, ok := b.hashed[bookmark]
		if !ok {
			return b.refuse("the bookmark %s is of no provision of this text", bookmark)
		}
		provision, lang = found[0], found[1]
	}
	if b.seen[provision+" "+lang] {
		return b.refuse("%s %s stands here twice", provision, lang)
	}
	b.seen[provision+" "+lang] = true
	r := &b.doc.Rows[len(b.doc.Rows)-1]
	if r.Provision != "" && r.Provision != provision {
		return b.refuse("%s and %s in one row", r.Provision, provision)
	}
	r.Provision = provision
	c = joined(c)
	if len(c.Authors()) > maxAuthors {
		return b.refuse("changes by more than %d authors", maxAuthors)
	}
	if lang == numbers {
		if len(c.Authors()) > 0 {
			return b.refuse("the number was changed: the order of provisions is a provision of its own")
		}
		r.Number = c.New()
		return nil
	}
	if !slices.Contains(b.doc.Languages, lang) {
		if len(b.doc.Languages) >= MaxColumns {
			return b.refuse("more than %d languages", MaxColumns)
		}
		b.doc.Languages = append(b.doc.Languages, lang)
	}
	r.Cells[lang] = c
	return nil
}

// joined puts runs of the same kind and author together.
func joined(c Cell) (out Cell) {
	var text strings.Builder
	for i, r := range c {
		text.WriteString(r.Text)
		if i+1 < len(c) && c[i+1].Op == r.Op && c[i+1].Author == r.Author {
			continue
		}
		r.Text = text.String()
		text.Reset()
		out = append(out, r)
	}
	return out
}

func (b *body) paragraph() (p paragraph, err error) {
	p.end = wording.Same
	err = b.each(func(name string, e xml.StartElement) error {
		switch {
		case name == "w:pPr":
			return b.each(func(name string, _ xml.StartElement) error {
				if name == "w:rPr" {
					return b.mark(&p)
				}
				if name == "w:numPr" {
					return b.refuse("%s", meaning(name))
				}
				return b.skip()
			})
		case name == "w:bookmarkStart":
			b.bookmark(&p, e)
			return b.skip()
		case name == "w:r":
			return b.run(&p, Run{Op: wording.Same})
		case name == "w:ins" || name == "w:del":
			return b.change(&p, name, e)
		case ignored(name):
			return b.skip()
		}
		return b.refuse("%s", meaning(name))
	})
	return p, err
}

// bookmark notes one that begins in a paragraph. LibreOffice writes that of an empty paragraph twice.
func (b *body) bookmark(p *paragraph, e xml.StartElement) {
	if n := attribute(e, "name"); bound(e) && len(p.names) < 2 && !slices.Contains(p.names, n) {
		p.names = append(p.names, n)
		b.at = n
		if provision, lang, _ := named(n); lang != "" {
			b.at = provision + " " + lang
		}
	}
}

// mark reads what was done to the end of a paragraph: an inserted one parts what was together, a deleted one joins what was apart.
func (b *body) mark(p *paragraph) error {
	return b.each(func(name string, e xml.StartElement) error {
		switch name {
		case "w:ins", "w:del":
			if p.end != wording.Same {
				return b.refuse("the end of a paragraph was inserted and deleted: accept or reject one of them")
			}
			p.end, p.by = wording.Added, attribute(e, "author")
			if name == "w:del" {
				p.end = wording.Gone
			}
		case "w:moveFrom", "w:moveTo":
			return b.refuse("%s", meaning(name))
		}
		return b.skip()
	})
}

func (b *body) change(p *paragraph, name string, e xml.StartElement) error {
	r := Run{Op: wording.Added, Author: norm.NFC.String(attribute(e, "author"))}
	if name == "w:del" {
		r.Op = wording.Gone
	}
	return b.each(func(name string, e xml.StartElement) error {
		switch {
		case name == "w:r":
			return b.run(p, r)
		case name == "w:bookmarkStart":
			b.bookmark(p, e)
			return b.skip()
		case name == "w:ins" || name == "w:del":
			return b.refuse("a change in a change: accept or reject one of them")
		case ignored(name):
			return b.skip()
		}
		return b.refuse("%s", meaning(name))
	})
}

func (b *body) run(p *paragraph, r Run) error {
	add := func(text string) error {
		r.Text = norm.NFC.String(text)
		if !writable(r.Text) {
			return b.refuse("a character that is none, or that turns the direction of writing by force: %.40q", text)
		}
		if text != "" {
			p.runs = append(p.runs, r)
		}
		return nil
	}
	return b.each(func(name string, e xml.StartElement) error {
		said := ""
		switch {
		case name == "w:rPr":
			return b.skip("w:vanish", "w:strike", "w:dstrike", "w:ins", "w:del")
		case name == "w:t" && r.Op != wording.Gone || name == "w:delText" && r.Op == wording.Gone:
			text, err := b.words(e)
			if err != nil {
				return err
			}
			return add(text)
		case name == "w:br" && (attribute(e, "type") == "" || attribute(e, "type") == "textWrapping"), name == "w:cr":
			said = "\n"
		case name == "w:noBreakHyphen":
			said = "\u2011"
		case name == "w:softHyphen":
			said = "\u00ad"
		case ignored(name):
		default:
			return b.refuse("%s", meaning(name))
		}
		if err := add(said); err != nil {
			return err
		}
		return b.skip()
	})
}

// words reads what a w:t says.
func (b *body) words(e xml.StartElement) (string, error) {
	var s strings.Builder
	for {
		t, err := b.next()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.CharData:
			if s.Len()+len(t) > maxCell {
				return "", b.refuse("more than %d bytes", maxCell)
			}
			s.Write(t)
		case xml.EndElement:
			text := strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ").Replace(s.String())
			if attribute(e, "space") != "preserve" {
				text = strings.Trim(text, " ")
			}
			return text, nil
		default:
			return "", b.refuse("an element within words")
		}
	}
}
