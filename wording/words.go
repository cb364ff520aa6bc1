package wording

import "github.com/rivo/uniseg"

// Words parts a text into words, spaces and marks by UAX 29: put together again they are the text, byte for byte. In scripts without spaces each
// character is a word. The language, first, decides nothing yet: none of the six asks for rules of its own.
func Words(_, text string) []string {
	words := make([]string, 0, len(text)/4+1)
	for state := -1; text != ""; {
		var word string
		word, text, state = uniseg.FirstWordInString(text, state)
		words = append(words, word)
	}
	return words
}
