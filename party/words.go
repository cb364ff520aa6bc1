package party

import (
	"embed"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// ErrWords is returned for words that are no fingerprint; the text says which word and why.
var ErrWords = errors.New("party: words do not make a fingerprint")

// ErrLanguage is returned for a language without word lists.
var ErrLanguage = errors.New("party: no word lists in this language; there are en and ru")

// Fingerprint is the first 16 bytes of a charter's hash, spoken as 16 words, protocol.md#charter.
type Fingerprint [16]byte

//go:embed words/en.txt words/ru.txt
var wordFiles embed.FS

// Languages lists the languages in which fingerprints are spoken.
func Languages() []string { return []string{"en", "ru"} }

// lexicon is the word lists: constants in all but syntax, read on first use.
type lexicon struct {
	lists map[string][2][]string
	index map[string]spoken
}

type spoken struct {
	lang  string
	list  int // 0 for even places, 1 for odd
	value byte
}

var lexical = sync.OnceValue(func() lexicon {
	l := lexicon{map[string][2][]string{}, map[string]spoken{}}
	for _, lang := range Languages() {
		b, err := wordFiles.ReadFile("words/" + lang + ".txt")
		if err != nil {
			continue // unreachable: the files are embedded; a test counts the words
		}
		var both [2][]string
		for i, w := range strings.Fields(string(b)) {
			l.index[fold(w)] = spoken{lang, i % 2, byte(i / 2)}
			both[i%2] = append(both[i%2], w)
		}
		l.lists[lang] = both
	}
	return l
})

// Lists is the 256 words for bytes at even places (0, 2, …) and the 256 for those at odd places. Error: ErrLanguage.
func Lists(lang string) (even, odd []string, err error) {
	both, ok := lexical().lists[lang]
	if !ok {
		return nil, nil, fmt.Errorf("%w: %q", ErrLanguage, lang)
	}
	return append([]string(nil), both[0]...), append([]string(nil), both[1]...), nil
}

// Words is the fingerprint as 16 words. Error: ErrLanguage.
func (f Fingerprint) Words(lang string) ([]string, error) {
	both, ok := lexical().lists[lang]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrLanguage, lang)
	}
	out := make([]string, len(f))
	for i, b := range f {
		out[i] = both[i%2][b]
	}
	return out, nil
}

// ParseWords reads 16 words in any case, separated by spaces, line ends, commas, full stops or hyphens. Even and odd places have lists of
// their own, so a word that was left out, said twice or exchanged with its neighbour stands in the wrong place. Error: ErrWords.
func ParseWords(words string) (Fingerprint, error) {
	var f Fingerprint
	if len(words) > 4096 {
		return f, fmt.Errorf("%w: far too long", ErrWords)
	}
	heard := strings.FieldsFunc(words, func(r rune) bool { return strings.ContainsRune(" \t\r\n,.;-–—", r) })
	lang := ""
	for i, w := range heard {
		s, ok := lexical().index[fold(w)]
		switch {
		case !ok:
			return f, fmt.Errorf("%w: word %d, %q, is in no list; ask for it again", ErrWords, i+1, w)
		case lang != "" && s.lang != lang:
			return f, fmt.Errorf("%w: word %d, %q, is in another language than the first", ErrWords, i+1, w)
		case i > 0 && fold(w) == fold(heard[i-1]):
			return f, fmt.Errorf("%w: word %d, %q, was said twice", ErrWords, i+1, w)
		case s.list != i%2 && len(heard) == len(f) && i+1 < len(f):
			return f, fmt.Errorf("%w: words %d and %d, %q and %q, are exchanged", ErrWords, i+1, i+2, w, heard[i+1])
		case s.list != i%2:
			return f, fmt.Errorf("%w: word %d is missing before %q", ErrWords, i+1, w)
		case i >= len(f):
			return f, fmt.Errorf("%w: more than %d words", ErrWords, len(f))
		}
		lang, f[i] = s.lang, s.value
	}
	if len(heard) < len(f) {
		return f, fmt.Errorf("%w: %d words of %d; words are missing at the end", ErrWords, len(heard), len(f))
	}
	return f, nil
}

// fold makes words comparable: in lower case, and with the Russian letter that is commonly written without its dots.
func fold(w string) string { return strings.ReplaceAll(strings.ToLower(w), "ё", "е") }
