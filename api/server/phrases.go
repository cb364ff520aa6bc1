package server

import (
	"embed"
	"io/fs"

	"detente/form"
)

//go:embed phrases
var phraseFiles embed.FS

// Phrases loads the words in which the standing of statements, and the items of the watch, are told. Error: form.ErrRegime.
func Phrases() (*form.Phrasebook, error) {
	book, err := form.LoadPhrases(fs.FS(phraseFiles))
	if err != nil {
		return nil, err
	}
	return book, book.Complete()
}
