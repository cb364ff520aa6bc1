package originals

import (
	"fmt"

	"golang.org/x/text/language"

	"detente/instrument"
	"detente/transcript/pages"
	"detente/wording"
)

// Rolling prints a text in negotiation as it stands, in languages beside each other: what only some want is in brackets, with the parties. foot says on each
// page which draft it is. Unlike an original it is printed whatever fonts there are: a character that none has stands as its number.
func Rolling(f *pages.Fonts, title wording.Texts, r instrument.Rolling, foot string, langs ...string) ([]byte, error) {
	var tags []language.Tag
	for _, lang := range langs {
		tag, err := language.Parse(lang)
		if err != nil {
			return nil, fmt.Errorf("%w: language %q", ErrShape, lang)
		}
		tags = append(tags, tag)
	}
	if len(tags) == 0 {
		return nil, fmt.Errorf("%w: no language", ErrShape)
	}
	p := pages.Paper{Title: title[langs[0]], Foot: foot, RTL: pages.RightToLeft(tags[0])}
	row := func(kind pages.Kind, indent int, text func(lang string) string) {
		b := pages.Block{Kind: kind, Indent: indent}
		for i, lang := range langs {
			b.Cells = append(b.Cells, pages.Cell{Lang: tags[i], Text: text(lang)})
		}
		p.Blocks = append(p.Blocks, b)
	}
	row(pages.Title, 0, func(lang string) string { return title[lang] })
	for _, c := range r.Clauses {
		kind, indent, between := setting(c.Kind)
		row(kind, indent, func(lang string) string {
			return labelled(instrument.Label(lang, c.Kind, c.Number), wording.Line(c.Brackets[lang]), between)
		})
	}
	b, err := pages.Set(p, f)
	if err != nil {
		return nil, fmt.Errorf("originals: %w", err)
	}
	return b, nil
}

// setting is how a clause is set, how deep, and what stands between its number and its words.
func setting(k instrument.Kind) (kind pages.Kind, indent int, between string) {
	switch {
	case k.Heads():
		return pages.Heading, 0, "\n"
	case k == instrument.Point:
		return pages.Paragraph, 1, " "
	case k == instrument.Subpoint:
		return pages.Paragraph, 2, " "
	}
	return pages.Paragraph, 0, " "
}

func labelled(label, text, between string) string {
	if label == "" || text == "" {
		return label + text
	}
	return label + between + text
}
