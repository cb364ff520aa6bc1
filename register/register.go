// Package register is the public face: it turns proved bundles of open instruments into static pages, data and evidence that any web server can carry.
// It must never decide who is a state or where it belongs, show what its bundles do not prove, nor write a file that differs for the same bundles.
package register

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"detente/acts"
	"detente/evidence"
	"detente/form"
	"detente/traffic"
)

//go:embed phrases
var phraseFiles embed.FS

//go:embed templates static
var files embed.FS

// ErrUnproved is returned for a bundle that does not prove what it says: a register does not show it.
var ErrUnproved = errors.New("register: the bundle is not proved")

// Phrases gives the words of the register in every language: of states, kinds of acts, bonds and reasons ("state.in-force", "kind.ratify", "bond.modified",
// "why.no-powers"), for whoever shows the same elsewhere.
func Phrases() (*form.Phrasebook, error) { return form.LoadPhrases(phraseFiles) }

// Party is how a participant is shown. It is data of whoever keeps the register: the program holds no list of anybody.
type Party struct {
	Name   map[string]string `json:"name,omitempty"`   // by language
	Code   string            `json:"code,omitempty"`   // a few letters for its tile; the party's id if empty
	Region map[string]string `json:"region,omitempty"` // by language; participants are grouped by its English name, or its first
}

// Instrument is one bundle with the verdict on it.
type Instrument struct {
	Bundle  []byte
	Verdict *evidence.RegisterVerdict
}

// Open reads a bundle. Error: ErrUnproved, wrapped with the reason.
func Open(r *evidence.Reader, bundle []byte) (Instrument, error) {
	v, err := r.Register(bundle)
	if err != nil {
		return Instrument{}, fmt.Errorf("%w: %w", ErrUnproved, err)
	}
	return Instrument{bundle, v}, nil
}

// Slug is the name of the instrument in addresses: the first 16 digits of its id.
func (i *Instrument) Slug() string { return i.Verdict.Instrument[:16] }

// Source is what an edition of the register is built from. The same source gives the same files.
type Source struct {
	Instruments []Instrument
	Parties     map[traffic.Party]Party
	// Tiles writes the feeds of the bundles below the folder feeds of dir as C2SP tiles, each in a folder of its own, of which it gives the path from dir with
	// slashes. Tiles of the edition before are there already. Nil for none.
	Tiles func(dir string) ([]string, error)
	// Verifier is the verifier for browsers; nil: the site says that there is none.
	Verifier *Verifier
}

// Verifier is the program of cmd/verifier, and the script by which the Go release that compiled it starts such programs.
type Verifier struct {
	Wasm []byte // verifier.wasm
	Exec []byte // wasm_exec.js
}

// Report is what a build has done.
type Report struct {
	Files   int `json:"files"`
	Written int `json:"written"` // of those, the ones that are new or have changed
	Removed int `json:"removed"`
}

// site is a register while it is being built.
type site struct {
	*Source
	book  *form.Phrasebook
	langs []language.Tag
	pages map[language.Tag]*template.Template
	views []*view
	tiles []string
	out   *writer
}

// Build writes the register to the folder out: beside it first, then in its place at once, so that a reader sees one edition or the next. Files that have not
// changed are not written again. The parent folder must be there, and out must be no mount point.
func Build(out string, src Source) (Report, error) {
	s := &site{Source: &src, pages: make(map[language.Tag]*template.Template)}
	s.Instruments = slices.Clone(s.Instruments)
	slices.SortFunc(s.Instruments, func(a, b Instrument) int { return strings.Compare(a.Verdict.Instrument, b.Verdict.Instrument) })
	var err error
	if s.book, err = Phrases(); err != nil {
		return Report{}, fmt.Errorf("register: %w", err)
	}
	s.langs = s.book.Languages()
	for _, lang := range s.langs {
		if s.pages[lang], err = s.parse(lang); err != nil {
			return Report{}, fmt.Errorf("register: %w", err)
		}
	}
	if s.out, err = begin(out); err != nil {
		return Report{}, fmt.Errorf("register: %w", err)
	}
	if err = s.write(); err != nil {
		return Report{}, errors.Join(fmt.Errorf("register: %w", err), s.out.abandon())
	}
	report, err := s.out.finish()
	if err != nil {
		return report, fmt.Errorf("register: %w", err)
	}
	return report, nil
}

func (s *site) write() (err error) {
	if s.Tiles != nil {
		if err = s.out.carry("feeds"); err != nil {
			return err
		}
		if s.tiles, err = s.Tiles(s.out.staged); err != nil {
			return err
		}
		slices.Sort(s.tiles)
		if err := s.out.keep(s.tiles); err != nil {
			return err
		}
	}
	for i := range s.Instruments {
		v, err := s.see(&s.Instruments[i])
		if err != nil {
			return err
		}
		s.views = append(s.views, v)
		s.out.put("bundles/"+v.slug+".detente-register", v.Bundle)
		if err := s.data(v); err != nil {
			return err
		}
	}
	if err := s.list(); err != nil {
		return err
	}
	for _, name := range []string{"icon.svg", "register.css", "register.js", "verify.js"} {
		b, err := files.ReadFile("static/" + name)
		if err != nil {
			return err
		}
		s.out.put(name, b)
	}
	if s.Verifier != nil {
		s.out.put("verifier.wasm", s.Verifier.Wasm)
		s.out.put("wasm_exec.js", s.Verifier.Exec)
	}
	for _, lang := range s.langs {
		s.speak(lang)
	}
	s.choose()
	return s.out.wait()
}

// parse reads the templates for one language.
func (s *site) parse(lang language.Tag) (*template.Template, error) {
	return template.New("").Funcs(template.FuncMap{
		"T": func(key string, args ...any) string { return s.book.Phrase(lang, key, args...) },
	}).ParseFS(files, "templates/*.html")
}

// name is what a participant is called in a language.
func (s *site) name(p traffic.Party, lang language.Tag, renamed map[string]string) string {
	if t := in(lang, renamed); t != "" {
		return t
	}
	if t := in(lang, s.Parties[p].Name); t != "" {
		return t
	}
	return string(p)
}

// in chooses a text in a language, else in English, else the first of all.
func in(lang language.Tag, texts map[string]string) string { return pick(lang, texts).Text }

// worded is a text with its language.
type worded struct{ Lang, Text string }

func pick(lang language.Tag, texts map[string]string) worded {
	for _, l := range []string{lang.String(), "en"} {
		if t := texts[l]; t != "" {
			return worded{l, t}
		}
	}
	if all := list(texts); len(all) > 0 {
		return all[0]
	}
	return worded{}
}

// list is the texts by language.
func list(texts map[string]string) []worded {
	var out []worded
	for l, t := range texts {
		if t != "" {
			out = append(out, worded{l, t})
		}
	}
	slices.SortFunc(out, func(a, b worded) int { return strings.Compare(a.Lang, b.Lang) })
	return out
}

// moment is a time as the pages write it.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// day is a day as the pages write it; empty for none.
func day(d acts.Day) string { return d.String() }
