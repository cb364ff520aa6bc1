package console

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"strings"
	"time"

	"detente/form"
	"detente/traffic"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// loadPhrases loads the words of the screens, which must be there in every language.
func loadPhrases() (*form.Phrasebook, error) {
	book, err := form.LoadPhrases(fs.FS(phraseFiles))
	if err != nil {
		return nil, err
	}
	return book, book.Complete()
}

// parseTemplates parses the templates once for each language, in which "t" then speaks.
func parseTemplates(book *form.Phrasebook, a *assets) (map[language.Tag]*template.Template, error) {
	out := make(map[language.Tag]*template.Template)
	for _, lang := range book.Languages() {
		t, err := template.New("").Funcs(functions(book, a, lang)).ParseFS(templateFiles, "templates/*.html")
		if err != nil {
			return nil, fmt.Errorf("console: templates: %w", err)
		}
		out[lang] = t
	}
	return out, nil
}

func functions(book *form.Phrasebook, a *assets, lang language.Tag) template.FuncMap {
	return template.FuncMap{
		"t":     func(key string, args ...any) string { return book.Phrase(lang, key, args...) },
		"asset": a.path,
		// A sentence of the node: strangers' words in it are isolated already.
		"sentence": sentence,
		"free":     visible, // a stranger's words: always through this, and in an element that isolates
		"dtg":      func(t time.Time) string { return form.DTG(t) },
		"iso":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"hm":       func(t time.Time) string { return t.UTC().Format("15:04Z") },
		"hms":      func(t time.Time) string { return t.UTC().Format("15:04:05Z") },
		"short":    func(s string) string { return s[:min(len(s), 12)] },
		"upper":    strings.ToUpper,
		"word": func(prefix string, code any) string { // a code in words; one that is new to this program as it is
			key := prefix + "." + fmt.Sprint(code)
			if text := book.Phrase(lang, key); text != key {
				return text
			}
			return form.Visible(fmt.Sprint(code))
		},
		"tongue": func(tag string) string { return tongue(tag, lang) },
		"size":   size,
		"count":  func(m map[traffic.Precedence]int, p string) int { return m[traffic.Precedence(p)] },
		"keys":   func(m map[string]string) (string, error) { b, err := json.Marshal(m); return string(b), err },
	}
}

// visible is text as a screen may show it, whatever kind of name it is.
func visible(text any) string { return form.Visible(fmt.Sprint(text)) }

// sentence is a text that the node has made of phrases and of others' words, which it has set apart with isolates of the bidirectional
// algorithm. Those that are in pairs stay; whatever else could reorder or hide does not.
func sentence(text string) string {
	var b strings.Builder
	open := 0
	for _, r := range text {
		switch {
		case r >= 0x2066 && r <= 0x2068:
			open++
			b.WriteRune(r)
		case r == 0x2069 && open > 0:
			open--
			b.WriteRune(r)
		case r == 0x2069:
		default:
			b.WriteString(form.Visible(string(r)))
		}
	}
	for range open {
		b.WriteRune(0x2069)
	}
	return b.String()
}

// tongue names a language in another.
func tongue(tag string, in language.Tag) string {
	t, err := language.Parse(tag)
	if err != nil {
		return form.Visible(tag)
	}
	if namer := display.Languages(in); namer != nil {
		if name := namer.Name(t); name != "" {
			return name
		}
	}
	return form.Visible(tag)
}

func size(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
