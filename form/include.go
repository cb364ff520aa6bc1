package form

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"detente/traffic"
)

// part is what one folder gives to a regime. Several regimes may be made of it, so nothing changes it once it is read.
type part struct {
	file   regimeFile
	lines  []byte // what it puts into the hash
	book   *Phrasebook
	tables map[string][]byte
}

func (p *part) name() string { return fmt.Sprintf("%s/%d", p.file.ID, p.file.Version) }

// readPart reads a folder. What is wrong in it is ErrRegime, wrapped.
func readPart(fsys fs.FS) (*part, error) {
	files, err := readFolder(fsys)
	if err != nil {
		return nil, err
	}
	p, err := parsePart(files)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRegime, err)
	}
	return p, nil
}

func parsePart(files map[string][]byte) (*part, error) {
	p := &part{lines: hashLines(files), tables: map[string][]byte{}}
	if err := decodeStrict(files["regime.json"], &p.file); err != nil {
		return nil, fmt.Errorf("regime.json: %w", err)
	}
	phrases := maps.Clone(files)
	delete(phrases, "regime.json")
	for _, name := range p.file.Tables {
		b, ok := files[name+".json"]
		if !idPattern.MatchString(name) || name == "regime" || !ok || p.tables[name] != nil {
			return nil, fmt.Errorf("the table %q is not there, or named twice", name)
		}
		if !json.Valid(b) {
			return nil, fmt.Errorf("the table %q is no JSON", name)
		}
		p.tables[name] = b
		delete(phrases, name+".json")
	}
	var err error
	if p.book, err = parsePhrases(phrases); err != nil {
		return nil, err
	}
	if !slices.Equal(p.file.Languages, p.book.Languages()) {
		return nil, fmt.Errorf("regime.json names the languages %v, the phrases are in %v", p.file.Languages, p.book.Languages())
	}
	return p, nil
}

// library is folders, each read once, when it is first asked for.
type library struct {
	folders []fs.FS
	read    map[int]*part // by the place of the folder
}

func newLibrary(folders []fs.FS) *library { return &library{folders, make(map[int]*part)} }

func (l *library) part(at int) (*part, error) {
	if p := l.read[at]; p != nil {
		return p, nil
	}
	p, err := readPart(l.folders[at])
	if err == nil {
		l.read[at] = p
	}
	return p, err
}

// find is the place of the regime of that name and version, -1 for none.
func (l *library) find(want string) int {
	for i, folder := range l.folders {
		if p := l.read[i]; p != nil && p.name() == want || p == nil && named(folder, want) {
			return i
		}
	}
	return -1
}

// included gives the parts that p includes. What an included regime includes itself, p names too: so there is no circle, and nothing comes in unseen.
func (p *part) included(others *library) ([]*part, error) {
	if len(p.file.Includes) > maxUnder {
		return nil, fmt.Errorf("it includes %d regimes", len(p.file.Includes))
	}
	var under []*part
	for i, want := range p.file.Includes {
		if slices.Contains(p.file.Includes[:i], want) || want == p.name() {
			return nil, fmt.Errorf("it includes %q twice, or in itself", want)
		}
		at := others.find(want)
		if at < 0 {
			return nil, fmt.Errorf("it includes %q, which is not at hand", want)
		}
		u, err := others.part(at)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", want, err)
		}
		for _, below := range u.file.Includes {
			if !slices.Contains(p.file.Includes, below) {
				return nil, fmt.Errorf("it includes %q, which itself includes %q, and does not name that too", want, below)
			}
		}
		under = append(under, u)
	}
	return under, nil
}

// named tells whether a folder holds the regime of that name and version.
func named(fsys fs.FS, want string) bool {
	b, err := readFile(fsys, "regime.json")
	if err != nil {
		return false
	}
	var head struct {
		ID      string `json:"id"`
		Version int    `json:"version"`
	}
	return json.Unmarshal(b, &head) == nil && fmt.Sprintf("%s/%d", head.ID, head.Version) == want
}

// forms are copies of its forms, for a regime to take as its own.
func (p *part) forms() []*Form {
	out := slices.Clone(p.file.Forms)
	for i, f := range out {
		if f != nil {
			c := *f
			c.Fields = slices.Clone(f.Fields)
			out[i] = &c
		}
	}
	return out
}

// regime makes one regime of p and of what it includes, protocol.md#regime. Its own forms come first.
func (p *part) regime(under []*part) (*Regime, error) {
	forms := p.forms()
	r := &Regime{
		ID: p.file.ID, Version: p.file.Version, Includes: p.file.Includes, Hash: hashParts(p, under),
		forms: slices.Clone(forms), limits: map[string]map[traffic.Precedence]time.Duration{}, tables: map[string][]byte{},
	}
	own := map[string]int{} // the versions of its forms
	for _, f := range forms {
		if f == nil {
			return nil, errors.New("a form that is null")
		}
		own[f.ID] = f.Version
	}
	books := []*Phrasebook{p.book}
	frame := map[string]bool{} // the frame's phrases are the first included regime's
	for _, u := range under {
		drop := maps.Clone(frame)
		for _, f := range u.forms() {
			switch version, again := own[f.id()]; {
			case f == nil:
				return nil, errors.New("a form that is null")
			case !again:
				own[f.ID] = f.Version
				r.forms = append(r.forms, f)
			case version <= f.Version || !slices.Contains(forms, r.find(f.ID)):
				return nil, fmt.Errorf("the form %s stands twice, and the regime's own is no later version", f.ID)
			default:
				drop[f.ID] = true
			}
		}
		books = append(books, u.book.without(drop))
		for _, key := range frameKeys {
			frame[key] = true
		}
	}
	for _, part := range slices.Concat([]*part{p}, under) {
		if err := r.take(part); err != nil {
			return nil, fmt.Errorf("%s: %w", part.name(), err)
		}
	}
	var err error
	if r.Phrases, err = joinBooks(books); err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return r, r.checkPhrases()
}

func (f *Form) id() string {
	if f == nil {
		return ""
	}
	return f.ID
}

func (r *Regime) find(id string) *Form {
	f, _ := r.Latest(id)
	return f
}

// take adds the limits and tables of a part.
func (r *Regime) take(p *part) error {
	for name, limit := range p.file.Limits {
		if r.limits[name] != nil {
			return fmt.Errorf("the time limit %q stands twice", name)
		}
		r.limits[name] = map[traffic.Precedence]time.Duration{}
		for at, d := range limit {
			r.limits[name][at] = time.Duration(d)
		}
	}
	for name, b := range p.tables {
		if r.tables[name] != nil {
			return fmt.Errorf("the table %q stands twice", name)
		}
		r.tables[name] = b
	}
	return nil
}

// without gives the phrases without those of some forms, and without some keys.
func (p *Phrasebook) without(drop map[string]bool) *Phrasebook {
	out := *p
	out.books = make([]*book, len(p.books))
	for i, b := range p.books {
		kept := *b
		kept.phrases = maps.Clone(b.phrases)
		maps.DeleteFunc(kept.phrases, func(key string, _ phrase) bool {
			id, _, _ := strings.Cut(key, ".")
			return drop[key] || drop[id]
		})
		out.books[i] = &kept
	}
	return &out
}

// joinBooks puts several phrasebooks of the same languages into one. A key that stands in two of them is an error.
func joinBooks(books []*Phrasebook) (*Phrasebook, error) {
	if len(books) == 1 {
		return books[0], nil
	}
	out := books[0].without(nil)
	for _, next := range books[1:] {
		if !slices.EqualFunc(out.languages, next.languages, func(a, b language.Tag) bool { return a == b }) {
			return nil, fmt.Errorf("it speaks %v, what it includes %v", out.languages, next.languages)
		}
		for i, b := range next.books {
			for key, ph := range b.phrases {
				if _, twice := out.books[i].phrases[key]; twice {
					return nil, fmt.Errorf("the phrase %q stands twice in %s", key, b.tag)
				}
				out.books[i].phrases[key] = ph
			}
		}
	}
	return out, nil
}
