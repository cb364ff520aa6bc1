// Package paper is what the pages of the console are made of: the phrases in every language, the templates, the files of the interface.
// It must never let through a stranger's character that could hide or reorder what stands beside it.
package paper

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"reflect"
	"strings"
	"time"

	"detente/form"
	"detente/traffic"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Paper makes pages. It is safe for concurrent use.
type Paper struct {
	Book      *form.Phrasebook
	assets    *assets
	templates map[language.Tag]*template.Template
}

// New reads phrases, templates and static files from the folders of those names, and more phrases and templates from those of other packages. Every
// template is parsed in every language, so what is wrong in one is seen here.
func New(files fs.FS, more ...fs.FS) (*Paper, error) {
	p := &Paper{}
	var err error
	if p.Book, err = form.LoadPhrases(files); err != nil {
		return nil, err
	}
	for _, m := range more {
		book, err := form.LoadPhrases(m)
		if err != nil {
			return nil, err
		}
		if err := p.Book.Join(book); err != nil {
			return nil, err
		}
	}
	if err := p.Book.Complete(); err != nil {
		return nil, err
	}
	if p.assets, err = loadAssets(files); err != nil {
		return nil, err
	}
	p.templates, err = parseTemplates(append([]fs.FS{files}, more...), p.Book, p.assets)
	return p, err
}

// Make fills a template in a language. It gives the whole page or an error, and never half a page.
func (p *Paper) Make(lang language.Tag, name string, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := p.templates[lang].ExecuteTemplate(&b, name, data); err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	return plain(b.Bytes()), nil
}

// Template is a template in a language, for tests that check it against its data; nil if there is none.
func (p *Paper) Template(lang language.Tag, name string) *template.Template {
	return p.templates[lang].Lookup(name)
}

// Path is the address of a file of the interface.
func (p *Paper) Path(name string) string { return p.assets.path(name) }

// Asset is the content of a file of the interface, nil if there is none.
func (p *Paper) Asset(name string) []byte {
	if f := p.assets.byName[name]; f != nil {
		return f.content
	}
	return nil
}

// parseTemplates parses the templates once for each language, in which "t" then speaks.
func parseTemplates(all []fs.FS, book *form.Phrasebook, a *assets) (map[language.Tag]*template.Template, error) {
	out := make(map[language.Tag]*template.Template)
	for _, lang := range book.Languages() {
		t := template.New("").Funcs(functions(book, a, lang))
		for _, files := range all {
			if _, err := t.ParseFS(files, "templates/*.html"); err != nil {
				return nil, fmt.Errorf("paper: templates: %w", err)
			}
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
		"upper":    func(s any) string { return strings.ToUpper(letter(s)) },
		"word": func(prefix string, code any) string { // a code in words; one that is new to this program as it is
			key := prefix + "." + letter(code)
			if text := book.Phrase(lang, key); text != key {
				return text
			}
			return form.Visible(letter(code))
		},
		"tongue": func(tag string) string { return tongue(tag, lang) },
		"size":   size,
		"letter": letter,
		"dir": func() string {
			if book.RTL(lang) {
				return "rtl"
			}
			return "ltr"
		},
		"arrow": func() string { // from who speaks to whom, in the direction of reading
			if book.RTL(lang) {
				return "←"
			}
			return "→"
		},
		"count": func(m map[traffic.Precedence]int, p string) int { return m[traffic.Precedence(p)] },
		"keys":  func(m map[string]string) (string, error) { b, err := json.Marshal(m); return string(b), err },
	}
}

// letter is a code as it stands on the wire, such as Z, and not as it is read aloud.
func letter(code any) string { return reflect.ValueOf(code).String() }

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

// plain is a page without the characters that reorder what stands after them, wherever in it they have come from: the last of several nets.
func plain(page []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if r >= 0x202a && r <= 0x202e || r == 0xfeff || r == 0x2028 || r == 0x2029 || r < ' ' && r != '\n' && r != '\t' && r != '\r' {
			return 0xfffd
		}
		return r
	}, page)
}

// FileName is a stranger's name for a file, with what could hide its end or lead to another folder taken out.
func FileName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r >= 0x7f && r <= 0x9f || r >= 0x2000 && r <= 0x200f || r >= 0x2028 && r <= 0x202f || r >= 0x2060 && r <= 0x206f || r == 0xfeff || r >= 0xe0000:
			return -1
		case strings.ContainsRune(`/\:*?"<>|`, r):
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	name = strings.Trim(name, ". ")
	if r := []rune(name); len(r) > 100 {
		name = string(r[len(r)-100:]) // the end says what it is
	}
	if name == "" {
		return "attachment"
	}
	return name
}

// Native is a language's name in itself, which everybody finds who looks for it.
func Native(l language.Tag) string {
	switch l.String() {
	case "ar":
		return "العربية"
	case "zh":
		return "中文"
	case "en":
		return "English"
	case "fr":
		return "Français"
	case "ru":
		return "Русский"
	case "es":
		return "Español"
	}
	return l.String()
}
