// Package originals prints the originals of an instrument as a PDF: each party's own, in its alternat, in one language or in two beside each other.
// It must never be what is signed by key: the digest in the foot of each page names the words, and those are what a signature covers.
package originals

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/text/language"

	"detente/instrument"
	"detente/transcript/pages"
)

// Errors of this package.
var (
	ErrShape = errors.New("originals: they are not of one text and one party")
	ErrFonts = errors.New("originals: no font has these characters")
)

const perRow = 2 // signatures beside each other

// PDF prints what one party keeps: one original, or several of the same text in languages beside each other, the party's own first. The same originals in
// the same fonts are the same bytes. Errors: ErrShape; ErrFonts, with the characters: an original is not printed with signs in place of its words.
func PDF(f *pages.Fonts, all ...instrument.Original) ([]byte, error) {
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: none", ErrShape)
	}
	first := &all[0]
	p := pages.Paper{Title: first.Title}
	var langs []language.Tag
	var foot []string
	for i := range all {
		o := &all[i]
		if o.Party != first.Party || len(o.Blocks) != len(first.Blocks) || len(o.Signatures) != len(first.Signatures) {
			return nil, fmt.Errorf("%w: %s and %s", ErrShape, first.Lang, o.Lang)
		}
		for j := range o.Blocks {
			if o.Blocks[j].ID != first.Blocks[j].ID || o.Blocks[j].Kind != first.Blocks[j].Kind {
				return nil, fmt.Errorf("%w: %s in %s is %s in %s", ErrShape, first.Blocks[j].ID, first.Lang, o.Blocks[j].ID, o.Lang)
			}
		}
		lang, err := language.Parse(o.Lang)
		if err != nil {
			return nil, fmt.Errorf("%w: language %q", ErrShape, o.Lang)
		}
		langs = append(langs, lang)
		digest := o.Digest()
		foot = append(foot, fmt.Sprintf("SHA-256 (%s) %s", o.Lang, hex.EncodeToString(digest[:])))
	}
	p.RTL = pages.RightToLeft(langs[0])
	p.Foot = strings.Join(foot, "\n")

	row := func(kind pages.Kind, indent int, text func(o *instrument.Original) string) {
		b := pages.Block{Kind: kind, Indent: indent}
		said := false
		for i := range all {
			c := pages.Cell{Lang: langs[i], Text: text(&all[i])}
			said = said || c.Text != ""
			b.Cells = append(b.Cells, c)
		}
		if said {
			p.Blocks = append(p.Blocks, b)
		}
	}
	signed := false
	sign := func() { // once: below the last words, before what is annexed
		if signed {
			return
		}
		signed = true
		for from := 0; from < len(first.Signatures); from += perRow {
			for i := range all { // the line once, above the words of the first language
				b := pages.Block{Kind: pages.Paragraph}
				if i == 0 {
					b.Kind = pages.Signature
				}
				for j := from; j < from+perRow; j++ {
					c := pages.Cell{Lang: langs[i]}
					if j < len(first.Signatures) {
						c.Text = all[i].Signatures[j].For
					}
					b.Cells = append(b.Cells, c)
				}
				p.Blocks = append(p.Blocks, b)
			}
		}
	}
	row(pages.Title, 0, func(o *instrument.Original) string { return o.Title })
	for i := range first.Blocks {
		if first.Blocks[i].Kind == instrument.Annex {
			if i > 0 && first.Blocks[i-1].Kind == instrument.Closing {
				sign()
			}
			p.Blocks = append(p.Blocks, pages.Block{Kind: pages.NewPage})
		}
		kind, indent, between := setting(first.Blocks[i].Kind)
		row(kind, indent, func(o *instrument.Original) string { return labelled(o.Blocks[i].Label, o.Blocks[i].Text, between) })
	}
	sign()
	if missing := f.Missing(words(p)); len(missing) > 0 {
		return nil, fmt.Errorf("%w: %U", ErrFonts, missing[:min(len(missing), 20)])
	}
	b, err := pages.Set(p, f)
	if err != nil {
		return nil, fmt.Errorf("originals: %w", err)
	}
	return b, nil
}

func words(p pages.Paper) string {
	var b strings.Builder
	for _, block := range p.Blocks {
		for _, c := range block.Cells {
			b.WriteString(c.Text)
		}
	}
	return b.String()
}
