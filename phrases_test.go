package detente_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/language"

	"detente/form"
	"detente/regimes"
	"detente/traffic"
)

// The tests of this file hold that nobody has to read another's language: every phrase that the program shows stands in all six languages of
// the United Nations.

func languages() []string { return []string{"ar", "en", "es", "fr", "ru", "zh"} }

// phrasebooks lists the folders that hold phrases/<language>.json.
func phrasebooks(t *testing.T) []string {
	t.Helper()
	var folders []string
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules" || d.Name() == ".git") {
			return fs.SkipDir
		}
		if err == nil && d.IsDir() && d.Name() == "phrases" {
			folders = append(folders, filepath.Dir(p))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) < 4 {
		t.Fatalf("phrases in %v only", folders)
	}
	return folders
}

// texts reads the phrases of one language as they stand in the file: of a plural, every form.
func texts(t *testing.T, folder, lang string) map[string][]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder, "phrases", lang+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Phrases map[string]json.RawMessage
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for key, raw := range file.Phrases {
		text, plural := "", map[string]string{}
		if json.Unmarshal(raw, &text) == nil {
			all[key] = []string{text}
			continue
		}
		if err := json.Unmarshal(raw, &plural); err != nil {
			t.Fatal(err)
		}
		for _, text := range plural {
			all[key] = append(all[key], text)
		}
	}
	return all
}

// textsOf reads the phrases of a regime in one language, and of those that it includes: the folders bear their names.
func textsOf(t *testing.T, r *form.Regime, lang string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, name := range append(slices.Clone(r.Includes), r.ID) {
		id, _, _ := strings.Cut(name, "/")
		maps.Copy(all, texts(t, path.Join("regimes", id), lang))
	}
	return all
}

// latin finds the words in Latin letters, and what has some, such as a hash.
var latin = regexp.MustCompile(`[\p{Latin}\p{N}]*\p{Latin}[\p{Latin}\p{N}]*`)

// sameEverywhere are the words that stand in Latin letters in every language: the precedences and planes beside their translation, as the
// officers of both sides say them to each other, and names.
func sameEverywhere() []string {
	return []string{"FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE", "MINIMIZE", "EXERCISE", "TEST", "UTC", "SHA", "webhook", "OpenID", "Connect",
		"TLP", "CLEAR", "GREEN", "AMBER", "STRICT", "RED", "PAP", "STIX", "MISP", "CSV", "JSON", "PDF", "API", "TOML", "Enter", "MiB"}
}

// untranslated are English words that no French or Spanish sentence holds.
func untranslated() []string {
	return []string{"the", "of", "and", "not", "by", "is", "are", "was", "with", "from", "to", "for", "within", "nobody"}
}

// typed is a command as it is typed, in every language.
var typed = regexp.MustCompile(`detente( [a-z]+)+`)

// script is how a language that does not use Latin letters is told.
func script(lang string) *unicode.RangeTable {
	return map[string]*unicode.RangeTable{"ar": unicode.Arabic, "ru": unicode.Cyrillic, "zh": unicode.Han}[lang]
}

// fault says what is foreign in a text for a reader of lang; allowed are words that may stand in it as they are.
func fault(lang, text string, allowed ...string) string {
	for _, word := range latin.FindAllString(typed.ReplaceAllString(text, ""), -1) {
		switch {
		case script(lang) == nil:
			if slices.Contains(untranslated(), strings.ToLower(word)) {
				return word
			}
		case len(word) == 1 || strings.ContainsFunc(word, unicode.IsDigit): // a key on the keyboard, or a precedence; a hash
		case !slices.Contains(sameEverywhere(), word) && !slices.Contains(allowed, word):
			return word
		}
	}
	return ""
}

// Every phrasebook of the program, found by its folder: each key in six languages, with the same slots, in the words of the language.
func TestPhrasesInSixLanguages(t *testing.T) {
	for _, folder := range phrasebooks(t) {
		book, err := form.LoadPhrases(os.DirFS(folder))
		if err != nil {
			t.Error(err)
			continue
		}
		var have []string
		for _, lang := range book.Languages() {
			have = append(have, lang.String())
		}
		if !slices.Equal(have, languages()) {
			t.Errorf("%s speaks %v, should speak %v", folder, have, languages())
			continue
		}
		if err := book.Complete(); err != nil {
			t.Errorf("%s: %v", folder, err)
		}
		english := texts(t, folder, "en")
		for _, lang := range languages() {
			if lang == "en" {
				continue
			}
			for key, all := range texts(t, folder, lang) {
				for _, text := range all {
					letters := strings.NewReplacer("{1}", "", "{2}", "", "{3}", "", "{4}", "").Replace(text)
					switch word := fault(lang, text); {
					case word != "":
						t.Errorf("%s, %s, %s: %q holds %q", folder, lang, key, text, word)
					case !strings.ContainsFunc(letters, unicode.IsLetter) || slices.Contains(sameEverywhere(), strings.Fields(letters)[0]):
					case script(lang) != nil && !strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(script(lang), r) }):
						t.Errorf("%s, %s, %s: %q is in other letters", folder, lang, key, text)
					case slices.Contains(english[key], text) && !slices.Contains(cognates(), text):
						t.Errorf("%s, %s, %s: %q is the English; a word that both languages share is listed in cognates", folder, lang, key, text)
					}
				}
			}
		}
	}
}

// Every form of every regime, with each of its codes, as a reader of each language sees it: no key in place of a phrase, nothing left in English.
func TestRenderingsInSixLanguages(t *testing.T) {
	all, err := form.LoadAll(regimes.All()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		english := textsOf(t, r, "en")
		done := map[string]int{} // versions of the forms that it includes
		for _, other := range all {
			if slices.Contains(r.Includes, fmt.Sprintf("%s/%d", other.ID, other.Version)) {
				for _, f := range other.Forms() {
					done[f.ID] = f.Version
				}
			}
		}
		for _, lang := range languages() {
			if lang == "en" {
				continue
			}
			// What the language itself says, by no key in particular.
			var own strings.Builder
			for _, all := range textsOf(t, r, lang) {
				own.WriteString(strings.Join(all, "\n") + "\n")
			}
			for _, f := range r.Forms() {
				if done[f.ID] == f.Version {
					continue // the regime that this one includes has shown it
				}
				left := leftovers(f, english, own.String())
				for i, values := range everyCode(f) {
					m := form.Message{Form: f, Values: values, Number: "00", From: "xn", To: "xs", At: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC),
						Precedence: traffic.Precedences()[i%4], Plane: traffic.Exercise, Case: "00", Refs: []string{"00"},
						Original: language.French, Marking: "TLP:RED"}
					text := r.Render(m, language.Make(lang)).String()
					if key := keyed.FindString(text); key != "" {
						t.Errorf("%s in %s: the key %s", f.ID, lang, key)
					}
					if word := fault(lang, text, "xn", "xs", "fr", "MAY", "JAN", "RED"); word != "" {
						t.Errorf("%s in %s: %q in\n%s", f.ID, lang, word, text)
					}
					for _, phrase := range left {
						if phrase.in(text) {
							t.Errorf("%s in %s: %q is left in English", f.ID, lang, phrase.text)
						}
					}
				}
			}
		}
	}
}

// keyed finds what looks like the key of a phrase.
var keyed = regexp.MustCompile(`[a-z_-]+\.[a-z][a-z._-]*`)

// leftover is an English phrase that no reader of another language should see.
type leftover struct {
	text  string
	whole *regexp.Regexp // the phrase between what is no letter
}

func (l leftover) in(s string) bool { return strings.Contains(s, l.text) && l.whole.MatchString(s) }

// leftovers finds the English phrases of a form, but for those that the language itself says.
func leftovers(f *form.Form, english map[string][]string, own string) []leftover {
	var left []leftover
	for key, all := range english {
		for _, phrase := range all {
			if key != f.ID && !strings.HasPrefix(key, f.ID+".") && !strings.HasPrefix(key, "frame.") || !strings.ContainsFunc(phrase, unicode.IsLetter) {
				continue
			}
			phrase, _, _ = strings.Cut(strings.TrimSpace(strings.TrimPrefix(phrase, "{1}")), "{")
			l := leftover{phrase, regexp.MustCompile(`(?:^|\PL)` + regexp.QuoteMeta(phrase) + `(?:\PL|$)`)}
			if strings.ContainsFunc(phrase, unicode.IsLetter) && !l.in(own) {
				left = append(left, l)
			}
		}
	}
	return left
}

// everyCode gives values for all fields of f, in as many sets as its longest list of codes, and one for each precedence at least: each code
// stands in one of them.
func everyCode(f *form.Form) []form.Values {
	sets := len(traffic.Precedences())
	for _, field := range f.Fields {
		if field.Kind == form.KindCode {
			sets = max(sets, len(field.Codes))
		}
	}
	out := make([]form.Values, sets)
	for i := range out {
		out[i] = form.Values{}
		for _, field := range f.Fields {
			out[i][field.Name] = sampleValue(field, i)
		}
	}
	return out
}

// sampleValue is a value without a word in it.
func sampleValue(field form.Field, i int) any {
	file := form.Blob{Size: 1 + int64(i), Name: "0", Type: "0/0"}.Value()
	switch field.Kind {
	case form.KindCode:
		return field.Codes[i%len(field.Codes)]
	case form.KindCodes:
		var all []any
		for _, code := range field.Codes {
			all = append(all, code)
		}
		return all
	case form.KindTime, form.KindCount:
		return int64(i)
	case form.KindWindow:
		return []any{int64(10_368_000), int64(10_368_060)} // in May
	case form.KindDuration:
		return int64(3*86_400 + 3_600 + 60 + 1)
	case form.KindBool:
		return i%2 == 0
	case form.KindAddresses:
		return []any{"xn", "xs"}
	case form.KindStatement:
		return make([]byte, 32)
	case form.KindBytes:
		return make([]byte, 33)
	case form.KindBytesList:
		return []any{make([]byte, 33)}
	case form.KindDigests:
		return []any{make([]byte, 32)}
	case form.KindTexts:
		return map[string]any{"fr": "0"}
	case form.KindBlob:
		return file
	case form.KindBlobs:
		return []any{file}
	}
	return "0"
}

// cognates are phrases that are the same word in English and in another of the languages.
func cognates() []string {
	return []string{
		"{1} minute", "{1} minutes", "{1} byte, {2}, SHA-256: {3}", "{1} bytes, {2}, SHA-256: {3}", "{1} byte, SHA-256: {2}", "{1} bytes, SHA-256: {2}",
		"Original", "no", "maintenance", "communications", "consultations", "console", "Plan", "SESSION", "Version", "Signature", "Signatures",
		"Collection", "Collections", "Publication", "Type", "{1} s", "{1} min", "{1} h {2} min", "terminal", "auditor", "REAL", "Real", "1: terminal", "Parties", "Sessions", "Code", "Question", "organisation",
		"virtual", "experts", "CONTRIBUTION", "Rapporteur", "Position",
		"simple", "signature", "SIGNATURE", "ratification", "objection", "confirmation", "communication",
		"Instrument", "Instruments", "Instruction", "Article", "Article {1}", "Passage", "Dialogue",
	}
}
