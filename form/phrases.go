package form

import (
	"io/fs"

	"golang.org/x/text/language"
)

// Phrasebook holds phrases by key in several languages, with their plural forms and directions. One serves a regime's forms, others
// serve screens.
type Phrasebook struct {
	languages []language.Tag
}

// LoadPhrases reads the files phrases/<language>.json of a folder.
func LoadPhrases(fsys fs.FS) (*Phrasebook, error) { return nil, nil }

func parsePhrases(files map[string][]byte) (*Phrasebook, error) { return &Phrasebook{}, nil }

// Languages lists the languages, in the order of their tags.
func (p *Phrasebook) Languages() []language.Tag { return p.languages }

// Match gives the phrasebook's language that suits a reader of want best; English, or the first, if none does.
func (p *Phrasebook) Match(want ...language.Tag) language.Tag { return language.English }

// RTL tells whether the language is written from right to left.
func (p *Phrasebook) RTL(lang language.Tag) bool { return false }

// Phrase gives the phrase of that key with args in its slots {1}, {2}, …; where the language lacks it, the English one; where
// English lacks it too, the key.
func (p *Phrasebook) Phrase(lang language.Tag, key string, args ...any) string { return key }

// Complete returns an error that names every key which some language lacks, or has with other slots.
func (p *Phrasebook) Complete() error { return nil }

func (r *Regime) checkPhrases() error { return nil }

func reserved(id string) bool { return false }
