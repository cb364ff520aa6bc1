// Package form holds the regimes: coded forms, their limits, and the phrases in which each reader sees them.
// It must never translate an originator's words: it prints them as they were signed, set apart from its own.
package form

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/traffic"
)

// What a form refuses. Errors about a field are a [*FieldError] that wraps one of these.
var (
	ErrUnknownField = errors.New("the form has no such field")
	ErrMissing      = errors.New("a required field is missing")
	ErrValue        = errors.New("not a value that the field takes")
	ErrTooLong      = errors.New("longer than allowed")
	ErrPost         = errors.New("the form may not be signed by this post")
	ErrPrecedence   = errors.New("the precedence is above the form's ceiling")
	ErrReleaser     = errors.New("the form needs a releaser other than the drafter")
	ErrRefs         = errors.New("the form refers to exactly one statement, or to none")
	ErrRegime       = errors.New("not a valid regime")
)

// FieldError says which field of which form was refused, for a screen that marks the field.
type FieldError struct {
	Form  string
	Field string
	Err   error
}

func (e *FieldError) Error() string { return "form: " + e.Form + ": " + e.Field + ": " + e.Err.Error() }

// Unwrap gives the sentinel's wrapper.
func (e *FieldError) Unwrap() error { return e.Err }

// Kind is the type of a field. The comment gives its shape on the wire, protocol.md#canonical, and in [Values].
type Kind string

// The kinds of fields.
const (
	KindText      Kind = "text"       // string: the originator's words, several lines
	KindLine      Kind = "line"       // string: the originator's words, one line
	KindCode      Kind = "code"       // string: one of the field's codes
	KindCodes     Kind = "codes"      // []any of string: some of the field's codes, in the field's order
	KindTime      Kind = "time"       // int64: seconds since 1970, UTC
	KindWindow    Kind = "window"     // []any of two int64: from, to
	KindDuration  Kind = "duration"   // int64: seconds
	KindCount     Kind = "count"      // int64
	KindBool      Kind = "bool"       // bool
	KindAddress   Kind = "address"    // string: party, or party/post
	KindAddresses Kind = "addresses"  // []any of string, each party, or party/post
	KindStatement Kind = "statement"  // []byte: statement id, 32 bytes
	KindBytes     Kind = "bytes"      // []byte
	KindBytesList Kind = "bytes-list" // []any of []byte, each at most 8192
	KindDigests   Kind = "digests"    // []any of []byte, each 32, ascending, protocol.md#disclosure
	KindTexts     Kind = "texts"      // map[string]any of string: the originator's words by language tag
	KindBlob      Kind = "blob"       // map[string]any: hash, size, name, type, see Blob
	KindBlobs     Kind = "blobs"      // []any of map[string]any
)

// Field is one field of a form.
type Field struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// Required is waived at FLASH, so that nothing compulsory holds it up; Always, which implies it, is not.
	Required bool `json:"required,omitempty"`
	Always   bool `json:"always,omitempty"`
	// Min and Max bound a text or line, and each of texts, in characters, a count or duration in value, bytes in length, codes and lists in items.
	Min int64 `json:"min,omitempty"`
	Max int64 `json:"max,omitempty"`
	// Words bounds a text in words; 0 sets no bound.
	Words int      `json:"words,omitempty"`
	Codes []string `json:"codes,omitempty"`
	// When limits the field to statements in which another field has one of some codes.
	When *Condition `json:"when,omitempty"`
}

// Condition holds if the code in Field is one of Codes.
type Condition struct {
	Field string   `json:"field"`
	Codes []string `json:"codes"`
}

// RefRule says how many statements a form refers to.
type RefRule string

// The rules for references.
const (
	RefsNone RefRule = "none"
	RefsOne  RefRule = "one"
	RefsAny  RefRule = "any"
)

// Form is a versioned type of statement. It belongs to its Regime and is not to be changed.
type Form struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
	// Basis names the agreement or practice that the form follows, for its human readers.
	Basis string `json:"basis,omitempty"`
	// Posts are those allowed to sign; empty allows any.
	Posts   []traffic.Post     `json:"posts,omitempty"`
	Ceiling traffic.Precedence `json:"ceiling"`
	// TwoPersons are the precedences that need a releaser other than the drafter.
	TwoPersons []traffic.Precedence `json:"two_persons,omitempty"`
	Refs       RefRule              `json:"refs"`
	// MustAcknowledge and MustAnswer name the regime's time limits that the form starts for its addressee; empty starts none.
	MustAcknowledge string `json:"must_acknowledge,omitempty"`
	MustAnswer      string `json:"must_answer,omitempty"`
	// AnswersWith are the forms that may answer this one.
	AnswersWith []string `json:"answers_with,omitempty"`
	// Fixed has the regime's fixed sentence for this form printed under every statement.
	Fixed  bool    `json:"fixed,omitempty"`
	Fields []Field `json:"fields"`

	regime *Regime
	byName map[string]*Field
}

// Field gives the field of that name.
func (f *Form) Field(name string) (*Field, bool) {
	field, ok := f.byName[name]
	return field, ok
}

// AcknowledgeWithin is the time the addressee has to acknowledge at precedence p; 0 if the form asks for none.
func (f *Form) AcknowledgeWithin(p traffic.Precedence) time.Duration {
	return f.regime.Limit(f.MustAcknowledge, p)
}

// AnswerWithin is the time the addressee has to answer at precedence p; 0 if the form asks for none.
func (f *Form) AnswerWithin(p traffic.Precedence) time.Duration {
	return f.regime.Limit(f.MustAnswer, p)
}

// NeedsReleaser tells whether the form at precedence p needs two persons.
func (f *Form) NeedsReleaser(p traffic.Precedence) bool { return slices.Contains(f.TwoPersons, p) }

// Use is what a form has a say in of a statement's header, protocol.md#statement.
type Use struct {
	Post       traffic.Post
	Precedence traffic.Precedence
	Refs       int // how many statements it refers to
	Drafter    string
	Releaser   string
}

// Permit tells whether values that passed Encode or Decode may be stated in this way. It returns, wrapped, the first of ErrPost,
// ErrPrecedence, ErrReleaser, ErrRefs, ErrMissing, ErrTooLong that applies.
func (f *Form) Permit(u Use, v Values) error {
	switch {
	case len(f.Posts) > 0 && !slices.Contains(f.Posts, u.Post):
		return fmt.Errorf("form: %s: post %q: %w", f.ID, u.Post, ErrPost)
	case !u.Precedence.Valid() || u.Precedence.Rank() > f.Ceiling.Rank():
		return fmt.Errorf("form: %s: %s: %w", f.ID, u.Precedence, ErrPrecedence)
	case f.NeedsReleaser(u.Precedence) && (u.Releaser == "" || u.Releaser == u.Drafter):
		return fmt.Errorf("form: %s at %s: %w", f.ID, u.Precedence, ErrReleaser)
	case f.Refs == RefsNone && u.Refs != 0, f.Refs == RefsOne && u.Refs != 1:
		return fmt.Errorf("form: %s: %d references: %w", f.ID, u.Refs, ErrRefs)
	}
	if u.Precedence != traffic.Flash {
		for i := range f.Fields {
			field := &f.Fields[i]
			if _, ok := v[field.Name]; !ok && field.Required && field.applies(v) {
				return f.refuse(field.Name, ErrMissing)
			}
		}
	}
	if u.Precedence.Rank() >= traffic.Immediate.Rank() {
		words := 0
		for i := range f.Fields {
			switch field := &f.Fields[i]; field.Kind {
			case KindText, KindLine:
				s, _ := v[field.Name].(string)
				words += Words(s)
			case KindTexts:
				words += most(v[field.Name])
			}
		}
		if words > urgentWords {
			return fmt.Errorf("form: %s at %s: %d words, at most %d: %w", f.ID, u.Precedence, words, urgentWords, ErrTooLong)
		}
	}
	return nil
}

// urgentWords bounds the originator's words in a FLASH or IMMEDIATE statement.
const urgentWords = 200

// applies tells whether the field's condition holds in v.
func (field *Field) applies(v Values) bool {
	if field.When == nil {
		return true
	}
	code, _ := v[field.When.Field].(string)
	return slices.Contains(field.When.Codes, code)
}

func (f *Form) refuse(field string, err error) error {
	return &FieldError{Form: f.ID, Field: field, Err: err}
}

// Words counts the words of s as the limits do: runs between white space, and two characters of a script written without spaces
// (Chinese, Japanese) as one word.
func Words(s string) int {
	ideographs := 0
	spaced := strings.Map(func(r rune) rune {
		// Ranges, not the tables of package unicode: the count decides validity and must not change with a Unicode version.
		if r >= 0x3040 && r <= 0x30FF || r >= 0x3400 && r <= 0x9FFF || r >= 0xF900 && r <= 0xFAFF || r >= 0x20000 && r <= 0x3FFFF {
			ideographs++
			return ' '
		}
		return r
	}, s)
	return len(strings.Fields(spaced)) + (ideographs+1)/2
}
