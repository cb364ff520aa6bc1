package form

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Phrasebook holds phrases by key in several languages, with their plural forms and directions. A regime has one for its forms;
// screens load their own. It may be used by several goroutines.
type Phrasebook struct {
	languages []language.Tag
	books     []*book // beside languages
	matcher   language.Matcher
	fallback  int
}

// book is the phrases of one language.
type book struct {
	tag     language.Tag
	numbers language.Tag // the language, with Latin digits: a number reads the same in every rendering
	rtl     bool
	phrases map[string]phrase
}

// phrase is one text, or one for each plural form that its language has, chosen by slot {1}.
type phrase struct {
	text   string // for plurals, that of the form "other"
	plural map[plural.Form]string
	slots  string // the slots of text, such as "12"
}

// phraseFile is the shape of phrases/<language>.json.
type phraseFile struct {
	Language  language.Tag               `json:"language"`
	Direction string                     `json:"direction"` // ltr or rtl
	Phrases   map[string]json.RawMessage `json:"phrases"`   // a text, or texts by plural form
}

const maxPhrases = 4096

// LoadPhrases reads the files phrases/<language>.json under fsys. It returns ErrRegime, wrapped, for one that is not well formed; whether
// the languages agree is for [Phrasebook.Complete] to say.
func LoadPhrases(fsys fs.FS) (*Phrasebook, error) {
	paths, err := fs.Glob(fsys, "phrases/*.json")
	if err != nil || len(paths) > maxFiles {
		return nil, fmt.Errorf("form: load phrases: %w: %d files: %w", ErrRegime, len(paths), err)
	}
	files := map[string][]byte{}
	for _, p := range paths {
		if files[p], err = readFile(fsys, p); err != nil {
			return nil, fmt.Errorf("form: load phrases: %w", err)
		}
	}
	p, err := parsePhrases(files)
	if err != nil {
		return nil, fmt.Errorf("form: load phrases: %w: %w", ErrRegime, err)
	}
	return p, nil
}

// Join adds the phrases of another book, such as that of screens which a package of its own keeps. It returns ErrRegime, wrapped, if that one is in other
// languages or has a key that is here. It must not be called while p is used.
func (p *Phrasebook) Join(other *Phrasebook) error {
	if !slices.Equal(p.languages, other.languages) {
		return fmt.Errorf("form: join phrases: %w: languages %v and %v", ErrRegime, p.languages, other.languages)
	}
	for i, b := range other.books {
		for key, ph := range b.phrases {
			if _, there := p.books[i].phrases[key]; there {
				return fmt.Errorf("form: join phrases: %w: %s: %q twice", ErrRegime, b.tag, key)
			}
			p.books[i].phrases[key] = ph
		}
	}
	return nil
}

func parsePhrases(files map[string][]byte) (*Phrasebook, error) {
	if len(files) == 0 {
		return nil, errors.New("no phrases")
	}
	p := &Phrasebook{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		b, err := parseBook(files[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if want := "phrases/" + b.tag.String() + ".json"; name != want {
			return nil, fmt.Errorf("%s: should be %s", name, path.Base(want))
		}
		p.languages = append(p.languages, b.tag)
		p.books = append(p.books, b)
	}
	p.fallback = max(0, slices.Index(p.languages, language.English))
	// The matcher's first language is what it gives a reader whom none suits.
	order := slices.Clone(p.languages)
	order[0], order[p.fallback] = order[p.fallback], order[0]
	p.matcher = language.NewMatcher(order)
	return p, nil
}

func parseBook(b []byte) (*book, error) {
	var file phraseFile
	if err := decodeStrict(b, &file); err != nil {
		return nil, err
	}
	if file.Direction != "ltr" && file.Direction != "rtl" {
		return nil, fmt.Errorf("direction %q is neither ltr nor rtl", file.Direction)
	}
	if len(file.Phrases) > maxPhrases {
		return nil, fmt.Errorf("%d phrases", len(file.Phrases))
	}
	numbers, err := file.Language.SetTypeForKey("nu", "latn")
	if err != nil {
		return nil, err
	}
	bk := &book{tag: file.Language, numbers: numbers, rtl: file.Direction == "rtl", phrases: make(map[string]phrase, len(file.Phrases))}
	forms := pluralForms(file.Language)
	for key, raw := range file.Phrases {
		if bk.phrases[key], err = parsePhrase(raw, forms); err != nil {
			return nil, fmt.Errorf("%q: %w", key, err)
		}
	}
	return bk, nil
}

var pluralNames = map[string]plural.Form{
	"zero": plural.Zero, "one": plural.One, "two": plural.Two, "few": plural.Few, "many": plural.Many, "other": plural.Other,
}

// pluralForms gives the forms that whole numbers take in a language, and "other".
func pluralForms(lang language.Tag) map[plural.Form]bool {
	forms := map[plural.Form]bool{plural.Other: true}
	for n := range 1000 {
		forms[plural.Cardinal.MatchPlural(lang, n, 0, 0, 0, 0)] = true
	}
	return forms
}

func parsePhrase(raw json.RawMessage, forms map[plural.Form]bool) (phrase, error) {
	var texts map[string]string
	if raw[0] != '{' {
		text := ""
		if err := json.Unmarshal(raw, &text); err != nil {
			return phrase{}, err
		}
		slots, err := slotsOf(text)
		return phrase{text: text, slots: slots}, err
	}
	if err := json.Unmarshal(raw, &texts); err != nil {
		return phrase{}, err
	}
	p := phrase{text: texts["other"], plural: map[plural.Form]string{}}
	var err error
	if p.slots, err = slotsOf(p.text); err != nil {
		return phrase{}, err
	}
	for name, text := range texts {
		form, ok := pluralNames[name]
		if !ok || !forms[form] {
			return phrase{}, fmt.Errorf("the language has no plural form %q", name)
		}
		// A form may say its number in words; every other slot stays.
		slots, err := slotsOf(text)
		if err != nil || slots != p.slots && "1"+slots != p.slots {
			return phrase{}, fmt.Errorf("the plural form %q has other slots (%v)", name, err)
		}
		p.plural[form] = text
	}
	if len(p.plural) != len(forms) || !strings.HasPrefix(p.slots, "1") {
		return phrase{}, fmt.Errorf("%d plural forms, the language has %d, chosen by {1}", len(p.plural), len(forms))
	}
	return p, nil
}

// slotsOf lists the slots of a text in ascending order, such as "12" for "from {1} to {2}".
func slotsOf(text string) (string, error) {
	if strings.TrimSpace(text) == "" {
		return "", errors.New("empty")
	}
	slots, rest := "", text
	for n := 1; n <= 9; n++ {
		slot := "{" + strconv.Itoa(n) + "}"
		if strings.Contains(rest, slot) {
			slots += strconv.Itoa(n)
			rest = strings.ReplaceAll(rest, slot, "")
		}
	}
	if strings.ContainsAny(rest, "{}") {
		return "", errors.New("a brace outside a slot {1} to {9}")
	}
	for _, r := range rest {
		if forbidden(r) {
			return "", fmt.Errorf("it holds the character %U", r)
		}
	}
	return slots, nil
}

// Languages lists the languages, in the order of their tags.
func (p *Phrasebook) Languages() []language.Tag { return slices.Clone(p.languages) }

// Match gives the language that suits a reader of want best, the first wish first; English, or else the first, if none does.
func (p *Phrasebook) Match(want ...language.Tag) language.Tag { return p.book(want...).tag }

func (p *Phrasebook) book(want ...language.Tag) *book {
	if len(want) > 0 {
		if i := slices.Index(p.languages, want[0]); i >= 0 {
			return p.books[i]
		}
	}
	_, i, confidence := p.matcher.Match(want...)
	if confidence == language.No || i == 0 {
		return p.books[p.fallback]
	}
	if i == p.fallback {
		i = 0
	}
	return p.books[i]
}

// RTL tells whether the language that serves lang is written from right to left.
func (p *Phrasebook) RTL(lang language.Tag) bool { return p.book(lang).rtl }

// Has tells whether there is a phrase of that key.
func (p *Phrasebook) Has(key string) bool {
	_, ok := p.books[p.fallback].phrases[key]
	return ok
}

// Phrase gives the phrase of that key with args in its slots {1}, {2}, …: numbers by the language's rules, a time.Time as a
// date-time group, anything else as text, isolated if it runs in another direction than the language. A language that lacks the key gives
// way to English; where English lacks it too, the key is returned.
func (p *Phrasebook) Phrase(lang language.Tag, key string, args ...any) string {
	b := p.book(lang)
	ph, ok := b.phrases[key]
	if !ok {
		b = p.books[p.fallback]
		if ph, ok = b.phrases[key]; !ok {
			return key
		}
	}
	text := ph.text
	if ph.plural != nil && len(args) > 0 {
		if n, ok := whole(args[0]); ok {
			if t, ok := ph.plural[plural.Cardinal.MatchPlural(b.tag, pluralOperand(n), 0, 0, 0, 0)]; ok {
				text = t
			}
		}
	}
	if ph.slots == "" {
		return text
	}
	slots := make([]string, 0, 2*len(args))
	for i, arg := range args {
		slots = append(slots, "{"+strconv.Itoa(i+1)+"}", b.show(arg))
	}
	return strings.NewReplacer(slots...).Replace(text) // one pass: braces in an argument stay what they are
}

// show gives an argument as it stands in a phrase.
func (b *book) show(arg any) string {
	if n, ok := whole(arg); ok {
		return message.NewPrinter(b.numbers).Sprint(n)
	}
	switch t := arg.(type) {
	case time.Time:
		return isolate(DTG(t), b.rtl)
	case string:
		return isolate(t, b.rtl)
	}
	return isolate(fmt.Sprint(arg), b.rtl)
}

func whole(arg any) (int64, bool) {
	switch n := arg.(type) {
	case int:
		return int64(n), true
	case int64:
		return n, true
	}
	return 0, false
}

// pluralOperand keeps the six digits that plural rules look at, and that the number is not small.
func pluralOperand(n int64) int {
	digits := int(max(n%1e6, -(n % 1e6)))
	if n >= 1e6 || n <= -1e6 {
		digits += 1e6
	}
	return digits
}

// Complete returns an error that names the keys which some language lacks, has with other slots, or without plural forms.
func (p *Phrasebook) Complete() error {
	var faults []string
	for key := range p.keys() {
		model := p.books[0].phrases[key]
		for _, b := range p.books {
			switch ph, ok := b.phrases[key]; {
			case !ok:
				faults = append(faults, fmt.Sprintf("%s lacks %q", b.tag, key))
			case ph.slots != model.slots && model.text != "":
				faults = append(faults, fmt.Sprintf("%s has other slots in %q", b.tag, key))
			case (ph.plural == nil) != (model.plural == nil) && model.text != "":
				faults = append(faults, fmt.Sprintf("%s differs in having plurals in %q", b.tag, key))
			}
		}
	}
	return faulty(faults)
}

// keys is the union of the languages' keys.
func (p *Phrasebook) keys() map[string]bool {
	keys := map[string]bool{}
	for _, b := range p.books {
		for key := range b.phrases {
			keys[key] = true
		}
	}
	return keys
}

func faulty(faults []string) error {
	if len(faults) == 0 {
		return nil
	}
	slices.Sort(faults)
	return fmt.Errorf("%d faults in phrases: %s", len(faults), strings.Join(faults[:min(10, len(faults))], "; "))
}
