package form

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"golang.org/x/text/language"

	"detente/traffic"
)

// Limits of a regime folder, checked before a file is read.
const (
	maxFile   = 1 << 20
	maxFiles  = 32
	maxForms  = 128
	maxUnder  = 8 // regimes that one includes
	maxFields = 64
	maxCodes  = 256
)

// Regime is a versioned set of forms, time limits, phrases and tables, pinned as a whole by its hash.
type Regime struct {
	ID      string
	Version int
	// Includes names, such as "communications/1", the regimes whose forms, limits, phrases and tables are this one's too.
	Includes []string
	// Hash is SHA-256 over one line "path NUL hash LF" for each file of the folder, sorted by path with slashes, hash being the
	// file's SHA-256 in lower-case hex; then one such line for each regime that it includes, in their order, with its name and hash.
	Hash    [32]byte
	Phrases *Phrasebook

	forms  []*Form
	limits map[string]map[traffic.Precedence]time.Duration
	tables map[string][]byte
}

// regimeFile is the shape of regime.json.
type regimeFile struct {
	ID        string                                     `json:"id"`
	Version   int                                        `json:"version"`
	Includes  []string                                   `json:"includes"`
	Tables    []string                                   `json:"tables"`
	Languages []language.Tag                             `json:"languages"`
	Limits    map[string]map[traffic.Precedence]duration `json:"time_limits"`
	Forms     []*Form                                    `json:"forms"`
}

type duration time.Duration

func (d *duration) UnmarshalText(b []byte) error {
	t, err := time.ParseDuration(string(b))
	*d = duration(t)
	return err
}

// Load reads a regime folder: regime.json, phrases/<language>.json for each of its languages, <table>.json for each of its tables, and
// nothing else. What it includes is sought among the folders in others. It returns ErrRegime, wrapped, if anything is unknown, missing or
// superfluous, down to a single phrase in a single language.
func Load(fsys fs.FS, others ...fs.FS) (*Regime, error) {
	own, err := readPart(fsys)
	if err != nil {
		return nil, fmt.Errorf("form: load regime: %w", err)
	}
	return own.load(newLibrary(others))
}

func (p *part) load(others *library) (*Regime, error) {
	under, err := p.included(others)
	if err != nil {
		return nil, fmt.Errorf("form: load regime: %w: %w", ErrRegime, err)
	}
	r, err := p.regime(under)
	if err != nil {
		return nil, fmt.Errorf("form: load regime: %w: %w", ErrRegime, err)
	}
	return r, nil
}

// LoadAll loads several regimes that may include each other.
func LoadAll(folders ...fs.FS) ([]*Regime, error) {
	out, all := make([]*Regime, 0, len(folders)), newLibrary(folders)
	for i := range folders {
		p, err := all.part(i)
		if err != nil {
			return nil, fmt.Errorf("form: load regime: %w", err)
		}
		r, err := p.load(all)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// readFolder reads every file under fsys, by slash path.
func readFolder(fsys fs.FS) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if len(files) == maxFiles {
			return fmt.Errorf("%w: more than %d files", ErrRegime, maxFiles)
		}
		files[path], err = readFile(fsys, path)
		return err
	})
	return files, err
}

func readFile(fsys fs.FS, path string) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%w: %s is over %d bytes", ErrRegime, path, maxFile)
	}
	return b, err
}

// hashParts is the hash of a regime, protocol.md#regime.
func hashParts(own *part, under []*part) [32]byte {
	h := sha256.New()
	h.Write(own.lines)
	for _, u := range under {
		fmt.Fprintf(h, "%s\x00%x\n", u.name(), sha256.Sum256(u.lines)) // what it includes itself is in under too
	}
	return [32]byte(h.Sum(nil))
}

// hashLines are the lines that a folder puts into the hash.
func hashLines(files map[string][]byte) []byte {
	var lines bytes.Buffer
	for _, path := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&lines, "%s\x00%x\n", path, sha256.Sum256(files[path]))
	}
	return lines.Bytes()
}

// Form gives the form of that id and version.
func (r *Regime) Form(id string, version int) (*Form, bool) {
	for _, f := range r.forms {
		if f.ID == id && f.Version == version {
			return f, true
		}
	}
	return nil, false
}

// Latest gives the form of that id: a regime holds one version of each.
func (r *Regime) Latest(id string) (*Form, bool) {
	for _, f := range r.forms {
		if f.ID == id {
			return f, true
		}
	}
	return nil, false
}

// Forms lists the forms in the order of the regime.
func (r *Regime) Forms() []*Form { return slices.Clone(r.forms) }

// Table gives a table of the regime as it stands in the folder, for the package that knows what it means. It is covered by Hash and not to
// be changed. Phrases whose keys begin with its name and a dot are its words.
func (r *Regime) Table(name string) ([]byte, bool) {
	b, ok := r.tables[name]
	return b, ok
}

// Limit is the time limit of that name at precedence p; 0 if there is none.
func (r *Regime) Limit(name string, p traffic.Precedence) time.Duration { return r.limits[name][p] }

var (
	idPattern   = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
)

// check holds the rules of regime.json and links the forms.
func (r *Regime) check() error {
	if !idPattern.MatchString(r.ID) || r.Version < 1 {
		return fmt.Errorf("id %q, version %d", r.ID, r.Version)
	}
	for name, limit := range r.limits {
		for p, d := range limit {
			if !idPattern.MatchString(name) || !p.Valid() || d <= 0 {
				return fmt.Errorf("time limit %q: %s %v", name, p, d)
			}
		}
	}
	if len(r.forms) == 0 || len(r.forms) > maxForms {
		return fmt.Errorf("%d forms", len(r.forms))
	}
	seen := map[string]bool{}
	for _, f := range r.forms {
		if f == nil || !idPattern.MatchString(f.ID) || reserved(f.ID) || seen[f.ID] || r.tables[f.ID] != nil {
			return errors.New("a form without a valid id of its own")
		}
		seen[f.ID] = true
		f.regime = r
		if err := f.check(); err != nil {
			return fmt.Errorf("form %s: %w", f.ID, err)
		}
	}
	for _, f := range r.forms {
		for _, id := range f.AnswersWith {
			if !seen[id] {
				return fmt.Errorf("form %s: answers with %q, which is no form", f.ID, id)
			}
		}
	}
	return nil
}

// check holds the rules of one form and fills what Decode looks up.
func (f *Form) check() error {
	switch {
	case f.Version < 1:
		return fmt.Errorf("version %d", f.Version)
	case !f.Ceiling.Valid():
		return fmt.Errorf("ceiling %q", string(f.Ceiling))
	case f.Refs != RefsNone && f.Refs != RefsOne && f.Refs != RefsAny:
		return fmt.Errorf("refs %q", f.Refs)
	case len(f.Fields) == 0 || len(f.Fields) > maxFields:
		return fmt.Errorf("%d fields", len(f.Fields))
	}
	for _, p := range f.TwoPersons {
		if !p.Valid() {
			return fmt.Errorf("two persons at %q", string(p))
		}
	}
	for _, name := range []string{f.MustAcknowledge, f.MustAnswer} {
		if _, ok := f.regime.limits[name]; name != "" && !ok {
			return fmt.Errorf("no time limit %q", name)
		}
	}
	f.byName = make(map[string]*Field, len(f.Fields))
	for i := range f.Fields {
		field := &f.Fields[i]
		if err := field.check(f.byName); err != nil {
			return fmt.Errorf("field %q: %w", field.Name, err)
		}
		f.byName[field.Name] = field
	}
	return nil
}

// check holds the rules of one field; before holds the fields above it.
func (field *Field) check(before map[string]*Field) error {
	if !namePattern.MatchString(field.Name) || field.Name == "fixed" || before[field.Name] != nil { // "fixed" keys the form's sentence
		return errors.New("not a name, or used twice")
	}
	bounds, codes := kindShape(field.Kind)
	switch {
	case field.Always && field.When != nil:
		return errors.New("what is always there has no condition")
	case bounds == unknown:
		return fmt.Errorf("unknown kind %q", field.Kind)
	case bounds == unbounded && (field.Min != 0 || field.Max != 0):
		return errors.New("this kind takes no min or max")
	case bounds == bounded && (field.Max < 1 || field.Min < 0 || field.Min > field.Max):
		return errors.New("this kind needs a max, and a min below it")
	case codes != (len(field.Codes) > 0) || len(field.Codes) > maxCodes:
		return errors.New("kinds code and codes, and only they, need a list of codes")
	case field.Words < 0 || field.Words > 0 && field.Kind != KindText:
		return errors.New("only a text is bounded in words")
	}
	field.Required = field.Required || field.Always
	for i, code := range field.Codes {
		if !idPattern.MatchString(code) || slices.Contains(field.Codes[:i], code) {
			return fmt.Errorf("code %q is not a code, or is used twice", code)
		}
	}
	if w := field.When; w != nil {
		other := before[w.Field]
		if other == nil || other.Kind != KindCode || len(w.Codes) == 0 {
			return errors.New("when needs a code field above, and codes")
		}
		for _, code := range w.Codes {
			if !slices.Contains(other.Codes, code) {
				return fmt.Errorf("when: %s has no code %q", w.Field, code)
			}
		}
	}
	return nil
}

// How a kind uses min and max.
const (
	unknown = iota
	unbounded
	bounded
)

func kindShape(k Kind) (bounds int, codes bool) {
	switch k {
	case KindCode, KindCodes:
		return unbounded, true
	case KindTime, KindWindow, KindBool, KindAddress, KindStatement, KindBlob:
		return unbounded, false
	case KindText, KindLine, KindTexts, KindCount, KindDuration, KindBytes, KindBytesList, KindDigests, KindBlobs, KindAddresses:
		return bounded, false
	}
	return unknown, false
}

// DecodeStrict decodes JSON in which no key is unknown to v and none stands twice, as it reads a regime.
func DecodeStrict(b []byte, v any) error { return decodeStrict(b, v) }

func decodeStrict(b []byte, v any) error {
	if err := noDuplicates(b); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if len(bytes.TrimSpace(b[dec.InputOffset():])) > 0 {
		return errors.New("something follows the JSON value")
	}
	return nil
}

// noDuplicates refuses a key that stands twice in an object of one JSON value: encoding/json would silently take the last. It goes over the bytes once,
// since a regime with its phrases has a quarter of a million, and leaves what is no JSON to the decoder.
func noDuplicates(b []byte) error {
	var open []map[string]bool // the keys of each open object, nil for an array
	key := false               // the next string is a key
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{':
			open, key = append(open, map[string]bool{}), true
		case '[':
			open, key = append(open, nil), false
		case '}', ']':
			if len(open) < 2 {
				return nil
			}
			open, key = open[:len(open)-1], false
		case ',':
			key = len(open) > 0 && open[len(open)-1] != nil
		case '"':
			end := stringEnd(b, i)
			if end < 0 {
				return nil
			}
			if key {
				name, err := keyOf(b[i:end])
				if err != nil {
					return err
				}
				keys := open[len(open)-1]
				if keys[name] {
					return fmt.Errorf("key %q stands twice", name)
				}
				keys[name], key = true, false
			}
			i = end - 1
		}
	}
	return nil
}

// stringEnd is where a JSON string that begins at a place has ended, -1 where it does not end.
func stringEnd(b []byte, at int) int {
	for i := at + 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// keyOf reads a key as encoding/json does, which takes several spellings for the same.
func keyOf(quoted []byte) (s string, err error) {
	if plain := quoted[1 : len(quoted)-1]; bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
		return string(plain), nil
	}
	err = json.Unmarshal(quoted, &s)
	return s, err
}
