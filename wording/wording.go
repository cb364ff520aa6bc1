// Package wording holds texts in several languages: their digest, their words, what differs between two of them, and the brackets that show who wants what.
// It must never decide which wording stands, nor put words into the mouth of a party that did not state them.
package wording

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

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

// Check tells whether tags and texts are in the one form that a statement's field takes: texts that are not blank, in normal form C, without controls
// other than the line end. It returns, wrapped, one of ErrLanguage, ErrText, ErrLimit.
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

// tagPattern has no table of what exists, as in package form: a tag that one version of the program knows must not be unknown to another.
var tagPattern = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$`)

// CheckLanguage tells whether a tag is a language, with a script and region if need be, in its one spelling. Error: ErrLanguage.
func CheckLanguage(tag string) error {
	if !tagPattern.MatchString(tag) {
		return fmt.Errorf("%w: %.40q", ErrLanguage, tag)
	}
	return nil
}

func checkText(text string) error {
	switch {
	case strings.TrimSpace(text) == "" || !utf8.ValidString(text):
		return ErrText
	case !norm.NFC.IsNormalString(text):
		return fmt.Errorf("%w: not in normal form C", ErrText)
	}
	for _, r := range text {
		if forbidden(r) {
			return fmt.Errorf("%w: it holds the character %U", ErrText, r)
		}
	}
	return nil
}

// forbidden is what no text field of a form takes either: controls, and what hides or reorders other characters.
func forbidden(r rune) bool {
	return r < 0x20 && r != '\n' || r >= 0x7F && r <= 0x9F || r == 0x2028 || r == 0x2029 || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x206F ||
		r == 0xFEFF || r >= 0xFFF0 && r <= 0xFFFB || r == 0xFFFE || r == 0xFFFF || r >= 0xE0000
}

// Languages lists the tags in their order.
func (t Texts) Languages() []string { return slices.Sorted(maps.Keys(t)) }

// In is a text in the first of some languages that it has, else in English, else in the first by its tag; empty for none.
func In(texts map[string]string, langs ...string) string {
	for _, l := range append(slices.Clone(langs), "en") {
		if text := texts[l]; text != "" {
			return text
		}
	}
	for _, l := range Texts(texts).Languages() {
		if text := texts[l]; text != "" {
			return text
		}
	}
	return ""
}

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
