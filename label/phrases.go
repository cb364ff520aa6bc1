package label

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed phrases
var phraseFiles embed.FS

// Phrases are the words for labels, classes, ratings and refusals in the six languages, to be loaded by form.LoadPhrases. What is a code stays one in
// every language, and stands beside the words.
func Phrases() fs.FS { return phraseFiles }

// Key is the key of what the label permits in the phrases.
func (t TLP) Key() string {
	if !t.Valid() {
		return "tlp.unmarked"
	}
	return "tlp." + strings.ReplaceAll(strings.ToLower(string(t)), "+", "-")
}

// Key is the key of what the label permits in the phrases; "" if there is none.
func (p PAP) Key() string {
	if !p.Valid() {
		return ""
	}
	return "pap." + strings.ToLower(string(p))
}

// Key is the name of the plane in the phrases.
func (p Plane) Key() string {
	switch p {
	case Exercise, Test:
		return "plane." + string(p)
	}
	return "plane.real"
}
