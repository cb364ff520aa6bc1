package wording

import (
	"slices"
	"strings"

	"detente/traffic"
)

// Wish is the wording that a party wants, in one language.
type Wish struct {
	Party traffic.Party
	Text  string
}

// Piece is a run of words and who wants it.
type Piece struct {
	Text    string
	Parties []traffic.Party // nil: all
}

// Brackets shows what all wish and what only some do. Two wordings are compared word by word, whoever stands behind each; of three and more the words that
// all begin and end with stand once, and between them each wording as a whole, attributed. What a party wishes is, byte for byte, the pieces that are for
// all or name it.
func Brackets(lang string, wishes []Wish) []Piece {
	var texts []string
	by := make(map[string][]traffic.Party)
	for _, w := range wishes {
		if by[w.Text] == nil {
			texts = append(texts, w.Text)
		}
		by[w.Text] = append(by[w.Text], w.Party)
	}
	switch len(texts) {
	case 0:
		return nil
	case 1:
		return piece(nil, texts[0], nil)
	case 2:
		var out []Piece
		for _, c := range Diff(lang, texts[0], texts[1]) {
			switch c.Op {
			case Same:
				out = piece(out, c.Text, nil)
			case Gone:
				out = piece(out, c.Text, by[texts[0]])
			case Added:
				out = piece(out, c.Text, by[texts[1]])
			}
		}
		return out
	}
	words := make([][]string, len(texts))
	for i, text := range texts {
		words[i] = Words(lang, text)
	}
	head := shared(words, func(w []string, i int) string { return w[i] })
	for i := range words {
		words[i] = words[i][head:]
	}
	tail := shared(words, func(w []string, i int) string { return w[len(w)-1-i] })
	first := Words(lang, texts[0])
	out := piece(nil, strings.Join(first[:head], ""), nil)
	for i, w := range words {
		out = piece(out, strings.Join(w[:len(w)-tail], ""), by[texts[i]])
	}
	return piece(out, strings.Join(first[len(first)-tail:], ""), nil)
}

// shared counts the words that all lists have in common, taken one by one.
func shared(lists [][]string, at func([]string, int) string) int {
	least := len(lists[0])
	for _, list := range lists {
		least = min(least, len(list))
	}
	for i := range least {
		for _, list := range lists[1:] {
			if at(list, i) != at(lists[0], i) {
				return i
			}
		}
	}
	return least
}

func piece(list []Piece, text string, by []traffic.Party) []Piece {
	if text == "" {
		return list
	}
	return append(list, Piece{text, slices.Clone(by)})
}

// Wished is the text of one party: the pieces that are for all or name it.
func Wished(pieces []Piece, party traffic.Party) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.Parties == nil || slices.Contains(p.Parties, party) {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

// Line is the pieces as one text, such as "shall notify [XN: without delay] [XS: within 24 hours] of [XS: significant] incidents". Spaces at the edge of a
// bracket stand outside of it. Brackets within a wording are doubled, so that no party's words can look like those of another.
func Line(pieces []Piece) string {
	var b strings.Builder
	space, open := true, false // whether the text so far ends in a space; whether its last piece was a bracket
	for _, p := range pieces {
		text := strings.NewReplacer("[", "[[", "]", "]]").Replace(p.Text)
		if p.Parties == nil {
			if space {
				text = strings.TrimPrefix(text, " ")
			}
			b.WriteString(text)
			if text != "" {
				space, open = strings.HasSuffix(text, " ") || strings.HasSuffix(text, "\n"), false
			}
			continue
		}
		bare := strings.Trim(text, " ")
		if !space && (open || strings.HasPrefix(text, " ")) {
			b.WriteString(" ")
		}
		names := make([]string, len(p.Parties))
		for i, party := range p.Parties {
			names[i] = strings.ToUpper(string(party))
		}
		b.WriteString("[" + strings.Join(names, ", ") + ": " + bare + "]")
		space, open = false, true
		if strings.HasSuffix(text, " ") {
			b.WriteString(" ")
			space = true
		}
	}
	return b.String()
}
