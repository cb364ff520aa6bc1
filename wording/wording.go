// Package wording holds texts in several languages: their digest, their words, what differs between two of them, and the brackets that show who wants what.
// It must never decide which wording stands, nor put words into the mouth of a party that did not state them.
package wording

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"detente/canonical"
)

// What Check refuses.
var (
	ErrLanguage = errors.New("wording: not a language tag in its one form")
	ErrText     = errors.New("wording: not a text in its one form")
	ErrLimit    = errors.New("wording: too much text")
)

// Limits, protocol.md#wording.
const (
	MaxLanguages = 24
	MaxBytes     = 48 << 10 // of all languages together: a statement holds no more
)

// Texts is one wording in several languages, by BCP 47 tag. All of them together are the wording: who agrees to one agrees to all.
type Texts map[string]string

// Digest names the wording: SHA-256 over "detente/wording/v1\n" and the canonical CBOR of the map, protocol.md#wording.
func (t Texts) Digest() [32]byte {
	m := make(map[string]any, len(t))
	for lang, text := range t {
		m[lang] = text
	}
	b, err := canonical.Marshal(m)
	if err != nil { // text that is not UTF-8: Check refuses it, and no statement can hold it
		return [32]byte{}
	}
	return sha256.Sum256(append([]byte("detente/wording/v1\n"), b...))
}

// Check tells whether the tags and texts are in their one form: canonical tags, texts that are not empty, in NFC, without controls other than the line
// end. It returns, wrapped, one of ErrLanguage, ErrText, ErrLimit.
func (t Texts) Check() error {
	if len(t) == 0 || len(t) > MaxLanguages {
		return fmt.Errorf("%w: %d languages", ErrLimit, len(t))
	}
	left := MaxBytes
	for _, lang := range t.Languages() {
		if err := CheckLanguage(lang); err != nil {
			return err
		}
		text := t[lang]
		if left -= len(text); left < 0 {
			return fmt.Errorf("%w: over %d bytes", ErrLimit, MaxBytes)
		}
		if err := checkText(text); err != nil {
			return fmt.Errorf("%w: %s", err, lang)
		}
	}
	return nil
}

// CheckLanguage tells whether a tag is a language in the one form that BCP 47 gives it. Error: ErrLanguage.
func CheckLanguage(tag string) error {
	if len(tag) < 2 || len(tag) > 35 {
		return ErrLanguage
	}
	parsed, err := language.Parse(tag)
	if err != nil || parsed.String() != tag || parsed == language.Und {
		return fmt.Errorf("%w: %q", ErrLanguage, tag)
	}
	return nil
}

func checkText(text string) error {
	switch {
	case text == "" || !utf8.ValidString(text):
		return ErrText
	case !norm.NFC.IsNormalString(text):
		return fmt.Errorf("%w: not in NFC", ErrText)
	}
	for _, r := range text {
		if r != '\n' && (r < 0x20 || r >= 0x7f && r < 0xa0) {
			return fmt.Errorf("%w: a control character", ErrText)
		}
	}
	return nil
}

// Languages lists the tags in their order.
func (t Texts) Languages() []string { return slices.Sorted(maps.Keys(t)) }

// Covers tells whether there is a text in each of the languages, and in no other.
func (t Texts) Covers(langs []string) bool {
	if len(t) != len(langs) {
		return false
	}
	for _, lang := range langs {
		if t[lang] == "" {
			return false
		}
	}
	return true
}
