package form

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// maxTexts is in how many languages one field may say the same.
const maxTexts = 24

// tagPattern is a tag of BCP 47 as RFC 5646 writes it: language, script, region. A pattern and no table of what exists, since a tag that one version of the
// program knows must not be unknown to another.
var tagPattern = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$`)

// Texts gives the texts of that name by language tag; nil if they are absent. The map is the caller's own.
func (v Values) Texts(name string) map[string]string {
	m, _ := v[name].(map[string]any)
	if m == nil {
		return nil
	}
	out := make(map[string]string, len(m))
	for tag, text := range m {
		out[tag], _ = text.(string)
	}
	return out
}

// acceptTexts takes the map that the wire carries, or a map of strings. Each text is in normal form C: what two delegations compare by its hash must have one
// spelling. (Unicode's stability policy holds that for characters which exist; the form refuses none that do not.)
func (field *Field) acceptTexts(value any) (any, error) {
	var m map[string]any
	switch t := value.(type) {
	case map[string]any:
		m = t
	case map[string]string:
		m = make(map[string]any, min(len(t), maxTexts+1))
		for tag, text := range t {
			if m[tag] = text; len(m) > maxTexts {
				break
			}
		}
	}
	if len(m) == 0 {
		return nil, ErrValue
	}
	if len(m) > maxTexts {
		return nil, fmt.Errorf("%w: more than %d languages", ErrTooLong, maxTexts)
	}
	one := Field{Kind: KindText, Min: field.Min, Max: field.Max}
	for _, tag := range slices.Sorted(maps.Keys(m)) { // of several faults the same one is told everywhere
		text := m[tag]
		if !tagPattern.MatchString(tag) {
			return nil, fmt.Errorf("%w: %.40q is no language tag such as en or zh-Hans", ErrValue, tag)
		}
		if _, err := one.acceptText(text); err != nil {
			return nil, fmt.Errorf("%s: %w", tag, err)
		}
		if s, _ := text.(string); !norm.NFC.IsNormalString(s) {
			return nil, fmt.Errorf("%s: %w: not in normal form C", tag, ErrValue)
		}
	}
	return m, nil
}

// tongue is a language tag as a person may write it, in the one spelling that texts have.
func tongue(s string) (string, error) {
	tag, err := language.Parse(s)
	if err != nil {
		return "", fmt.Errorf("%.40q is no language tag such as en or zh-Hans", s)
	}
	return tag.String(), nil
}

// written is a text as browsers and keyboards give it, in the one spelling that texts have; "" for a blank one.
func written(s string) string {
	if strings.TrimSpace(s) == "" {
		return ""
	}
	return norm.NFC.String(strings.ReplaceAll(s, "\r\n", "\n"))
}

// textsFromJSON reads {"en": "…", "ru": "…"}. Blank texts are absent, and so are texts of which none is left.
func textsFromJSON(raw json.RawMessage) (any, error) {
	var m map[string]string
	if err := decodeStrict(raw, &m); err != nil {
		return nil, err
	}
	out := map[string]any{}
	for tag, text := range m {
		if err := addText(out, tag, text); err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

func addText(out map[string]any, tag, text string) error {
	if text = written(text); text == "" {
		return nil
	}
	tag, err := tongue(tag)
	if err != nil {
		return err
	}
	if out[tag] != nil {
		return fmt.Errorf("two texts in %s", tag)
	}
	if len(out) == maxTexts {
		return errors.New("too many languages")
	}
	out[tag] = text
	return nil
}

// addNamed puts what a command line gives as name.tag=text, such as title.en, among the values. It tells whether the name is that of texts.
func (f *Form) addNamed(v Values, name, text string) (bool, error) {
	name, tag, found := strings.Cut(name, ".")
	field := f.byName[name]
	if !found || field == nil || field.Kind != KindTexts {
		return false, nil
	}
	m, _ := v[name].(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	if err := addText(m, tag, text); err != nil {
		return true, f.refuse(name, fmt.Errorf("%w: %w", ErrValue, err))
	}
	if len(m) > 0 {
		v[name] = m
	}
	return true, nil
}

// texts prints each language apart, in the order of the tags, every one as the originator's own words.
func (p printer) texts(value any) (runs []Run) {
	m, _ := value.(map[string]any)
	for _, tag := range slices.Sorted(maps.Keys(m)) {
		s, _ := m[tag].(string)
		run := p.quoted(s)
		run.Lang = language.Raw.Make(tag)
		runs = append(runs, run)
	}
	return runs
}

// most is the number of words in the longest of texts: they say the same in each language.
func most(value any) int {
	m, _ := value.(map[string]any)
	words := 0
	for _, text := range m {
		s, _ := text.(string)
		words = max(words, Words(s))
	}
	return words
}
