package instrument

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"detente/canonical"
	"detente/statement"
	"detente/traffic"
	"detente/wording"
)

// ErrOpen is returned for a text that is not agreed in full. The error names the first provision that is not, and why.
var ErrOpen = errors.New("instrument: the text is not agreed in full")

// Clean gives the text when every provision of it is agreed, protocol.md#positions. Error: ErrOpen.
func (n *Negotiation) Clean() (Text, error) {
	if ok, why := n.Agreed(Structure); !ok {
		return Text{}, fmt.Errorf("%w: %s: %s", ErrOpen, Structure, why)
	}
	all := n.Opening.Parties[0]
	lines, _, err := parseOrder(n.Provisions[Structure].Stands[all].Order)
	if err != nil {
		return Text{}, err // unreachable: a position has an order
	}
	t := Text{Title: n.Opening.Title, Languages: slices.Clone(n.Opening.Languages), Prevailing: n.Opening.Prevailing}
	for id, to := range map[string]*wording.Texts{Title: &t.Title, Names: &t.Names} {
		p := n.Provisions[id]
		if p == nil || len(p.Stands) == 0 {
			continue
		}
		if ok, why := n.Agreed(id); !ok {
			return Text{}, fmt.Errorf("%w: %s: %s", ErrOpen, id, why)
		}
		*to = p.Stands[all].Texts
	}
	for _, l := range lines {
		c := Clause{ID: l.id, Kind: l.kind}
		if p := n.Provisions[l.id]; p != nil && len(p.Stands) > 0 || !l.kind.Heads() {
			if ok, why := n.Agreed(l.id); !ok {
				return Text{}, fmt.Errorf("%w: %s: %s", ErrOpen, l.id, why)
			}
			c.Texts = p.Stands[all].Texts
		}
		t.Clauses = append(t.Clauses, c)
	}
	t.Renumber()
	return t, nil
}

// Digest names the text, protocol.md#text. Numbers are no part of it: they follow from the rest.
func (t *Text) Digest() [32]byte {
	name := func(texts wording.Texts) []byte {
		if len(texts) == 0 {
			return []byte{}
		}
		d := texts.Digest()
		return d[:]
	}
	langs, clauses := make([]any, len(t.Languages)), make([]any, len(t.Clauses))
	for i, lang := range t.Languages {
		langs[i] = lang
	}
	for i, c := range t.Clauses {
		clauses[i] = []any{string(c.Kind), c.ID, name(c.Texts)}
	}
	b, err := canonical.Marshal([]any{name(t.Title), langs, t.Prevailing, clauses, name(t.Names)})
	if err != nil {
		return [32]byte{} // ids and tags that are not UTF-8: no negotiation has them
	}
	return sha256.Sum256(append([]byte("detente/text/v1\n"), b...))
}

// Clause gives the clause of that id.
func (t *Text) Clause(id string) (*Clause, bool) {
	i := slices.IndexFunc(t.Clauses, func(c Clause) bool { return c.ID == id })
	if i < 0 {
		return nil, false
	}
	return &t.Clauses[i], true
}

// Renumber computes the numbers from kinds and order, protocol.md#text.
func (t *Text) Renumber() {
	kinds := make([]Kind, len(t.Clauses))
	for i, c := range t.Clauses {
		kinds[i] = c.Kind
	}
	for i, number := range numbers(kinds) {
		t.Clauses[i].Number = number
	}
}

func numbers(kinds []Kind) []string {
	out := make([]string, len(kinds))
	annexes := 0
	paragraphs := make([]int, len(kinds)) // by the index of the heading above, how many stand below it
	head := 0
	for i, k := range kinds {
		switch {
		case k.Heads():
			head = i
			if k == Annex {
				annexes++
			}
		case k == Paragraph:
			paragraphs[head]++
		}
	}
	var chapter, article, annex, paragraph, point, sub int
	head = 0
	for i, k := range kinds {
		switch k {
		case Chapter:
			chapter, paragraph, point, sub, head = chapter+1, 0, 0, 0, i
			out[i] = roman(chapter)
		case Article:
			article, paragraph, point, sub, head = article+1, 0, 0, 0, i
			out[i] = strconv.Itoa(article)
		case Annex:
			annex, chapter, article, paragraph, point, sub, head = annex+1, 0, 0, 0, 0, 0, i
			if annexes > 1 {
				out[i] = strconv.Itoa(annex)
			}
		case Paragraph:
			paragraph, point, sub = paragraph+1, 0, 0
			if paragraphs[head] > 1 {
				out[i] = strconv.Itoa(paragraph)
			}
		case Point:
			point, sub = point+1, 0
			out[i] = letters(point)
		case Subpoint:
			sub++
			out[i] = strings.ToLower(roman(sub))
		}
	}
	return out
}

// letters counts a, b, …, z, aa, ab, …
func letters(n int) string {
	s := ""
	for ; n > 0; n = (n - 1) / 26 {
		s = string(rune('a'+(n-1)%26)) + s
	}
	return s
}

func roman(n int) string {
	var b strings.Builder
	for _, r := range []struct {
		value int
		sign  string
	}{{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}} {
		for ; n >= r.value; n -= r.value {
			b.WriteString(r.sign)
		}
	}
	return b.String()
}

// Rolling is the text as it stands: of each clause, who wants what. The structure is the agreed one, else that of the first party of the opening that
// stands on one; clauses that are in no structure shown come last, so that nothing tabled is hidden.
func (n *Negotiation) Rolling() Rolling {
	r := Rolling{Languages: n.Opening.Languages}
	r.Structure, _ = n.Agreed(Structure)
	var lines []line
	if p := n.Provisions[Structure]; p != nil {
		for _, party := range n.Opening.Parties {
			if s, ok := p.Stands[party]; ok {
				lines, _, _ = parseOrder(s.Order)
				if !r.Structure {
					r.Order = party
				}
				break
			}
		}
	}
	in := make(map[string]bool)
	kinds := make([]Kind, len(lines))
	for i, l := range lines {
		in[l.id], kinds[i] = true, l.kind
	}
	for i, number := range numbers(kinds) {
		r.Clauses = append(r.Clauses, n.rolling(lines[i].id, lines[i].kind, number))
	}
	for _, id := range sortedKeys(n.Provisions) {
		if p := n.Provisions[id]; !in[id] && !(id == Structure) && (len(p.Stands) > 0 || len(p.Wordings) > 0) {
			c := n.rolling(id, "", "")
			c.Outside = true
			r.Clauses = append(r.Clauses, c)
		}
	}
	return r
}

func (n *Negotiation) rolling(id string, kind Kind, number string) RollingClause {
	c := RollingClause{Clause: Clause{ID: id, Kind: kind, Number: number}, Reserved: make(map[traffic.Party]string), Brackets: make(map[string][]wording.Piece)}
	p := n.Provisions[id]
	c.Agreed, c.Why = n.Agreed(id)
	if p == nil {
		c.Silent = n.Opening.Parties
		if c.Agreed = kind.Heads(); c.Agreed {
			c.Why = ""
		}
		return c
	}
	if len(p.Stands) == 0 && kind.Heads() {
		c.Agreed, c.Why = true, ""
	}
	c.Reopened = p.Reopened
	same, first := true, true
	var digest [32]byte
	for _, party := range n.Opening.Parties {
		s, ok := p.Stands[party]
		if !ok {
			c.Silent = append(c.Silent, party)
			continue
		}
		if s.Reserved != "" {
			c.Reserved[party] = s.Reserved
		}
		same = same && (first || s.Digest == digest)
		if first {
			first, digest, c.Texts = false, s.Digest, s.Texts
		}
	}
	if !same || len(c.Silent) > 0 {
		c.Texts = nil
	}
	for _, lang := range n.Opening.Languages {
		c.Brackets[lang] = n.brackets(p, lang)
	}
	return c
}

// brackets shows one language of a provision. What all who stand anywhere want is attributed to them while others are silent, and so is what is not there
// in the language.
func (n *Negotiation) brackets(p *Provision, lang string) []wording.Piece {
	var wishes []wording.Wish
	for _, party := range n.Opening.Parties {
		if s, ok := p.Stands[party]; ok && s.Texts[lang] != "" {
			wishes = append(wishes, wording.Wish{Party: party, Text: s.Texts[lang]})
		}
	}
	pieces := wording.Brackets(lang, wishes)
	if len(wishes) == len(n.Opening.Parties) {
		return pieces
	}
	var some []traffic.Party
	for _, w := range wishes {
		some = append(some, w.Party)
	}
	for i := range pieces {
		if pieces[i].Parties == nil {
			pieces[i].Parties = some
		}
	}
	return pieces
}

// Open lists the provisions of the text that are not agreed, with the reason: the structure first.
func (n *Negotiation) Open() map[string]string {
	open := make(map[string]string)
	r := n.Rolling()
	if !r.Structure {
		_, open[Structure] = n.Agreed(Structure)
	}
	for _, c := range r.Clauses {
		if !c.Agreed && !c.Outside {
			open[c.ID] = c.Why
		}
	}
	for _, id := range []string{Title, Names} {
		if p := n.Provisions[id]; p != nil && len(p.Stands) > 0 && !p.agreed {
			_, open[id] = n.Agreed(id)
		}
	}
	return open
}

// Find gives the entry of a statement.
func (n *Negotiation) Find(id statement.ID) (*Entry, bool) {
	i := slices.IndexFunc(n.Entries, func(e Entry) bool { return e.ID == id })
	if i < 0 {
		return nil, false
	}
	return &n.Entries[i], true
}
