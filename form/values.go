package form

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"detente/canonical"
)

// Limits on values that no form can widen.
const (
	maxPayload = 48 << 10     // a statement's own limit, protocol.md#statement
	maxTime    = 253402300799 // 9999-12-31T23:59:59Z
	maxBlob    = 64 << 20     // protocol.md#blob
	maxEach    = 8 << 10      // one element of a bytes-list
	maxName    = 255          // characters of a blob's name
)

// Values are the fields of a statement by name. [Kind] gives the Go type of each.
type Values map[string]any

// Text gives the text, line, code or address of that name, "" if it is absent.
func (v Values) Text(name string) string { s, _ := v[name].(string); return s }

// Int gives the count of that name, 0 if it is absent.
func (v Values) Int(name string) int64 { n, _ := v[name].(int64); return n }

// Time gives the time of that name in UTC, the zero time if it is absent.
func (v Values) Time(name string) time.Time {
	n, ok := v[name].(int64)
	if !ok {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// Bytes gives the byte string of that name, nil if it is absent.
func (v Values) Bytes(name string) []byte { b, _ := v[name].([]byte); return b }

// Blob gives the file of that name; false if it is absent, or none.
func (v Values) Blob(name string) (Blob, bool) { return blobOf(v[name]) }

// Blob is a file named by its hash, carried beside the statement, protocol.md#blob.
type Blob struct {
	Hash [32]byte // SHA-256 of the bytes
	Size int64    // bytes
	Name string   // what the originator calls it: never a path
	Type string   // media type
}

// Value gives b as a form's value.
func (b Blob) Value() any {
	return map[string]any{"hash": b.Hash[:], "size": b.Size, "name": b.Name, "type": b.Type}
}

// Blobs lists the files that v names, in the order of the form.
func (f *Form) Blobs(v Values) []Blob {
	var blobs []Blob
	for i := range f.Fields {
		switch value := v[f.Fields[i].Name]; f.Fields[i].Kind {
		case KindBlob:
			if b, ok := blobOf(value); ok {
				blobs = append(blobs, b)
			}
		case KindBlobs:
			list, _ := value.([]any)
			for _, item := range list {
				if b, ok := blobOf(item); ok {
					blobs = append(blobs, b)
				}
			}
		}
	}
	return blobs
}

func blobOf(value any) (b Blob, ok bool) {
	m, _ := value.(map[string]any)
	hash, _ := m["hash"].([]byte)
	if len(hash) != len(b.Hash) {
		return Blob{}, false
	}
	b.Hash = [32]byte(hash)
	b.Size, _ = m["size"].(int64)
	b.Name, _ = m["name"].(string)
	b.Type, _ = m["type"].(string)
	return b, true
}

// Encode gives the canonical payload of v. Beside the types of [Kind] it takes int for a number, time.Time for a time, []string for
// codes, map[string]string for texts, Blob and []Blob for files. It returns a *FieldError for a value that the form refuses.
func (f *Form) Encode(v Values) ([]byte, error) {
	accepted := make(Values, len(v))
	if err := f.accept(v, accepted); err != nil {
		return nil, err
	}
	payload, err := canonical.Marshal(map[string]any(accepted))
	if err != nil {
		return nil, fmt.Errorf("form: %s: %w", f.ID, err)
	}
	if len(payload) > maxPayload {
		return nil, fmt.Errorf("form: %s: %d bytes: %w", f.ID, len(payload), ErrTooLong)
	}
	return payload, nil
}

// Decode reads a payload. It returns one of package canonical's errors, or a *FieldError for a value that the form refuses. What it
// accepts, Encode turns into the same bytes.
func (f *Form) Decode(payload []byte) (Values, error) {
	fields, err := canonical.Fields(payload, maxPayload)
	if err != nil {
		return nil, fmt.Errorf("form: %s: %w", f.ID, err)
	}
	v := Values(fields)
	if err := f.accept(v, v); err != nil {
		return nil, err
	}
	return v, nil
}

// accept checks every value of v and sets it, in the type that Kind gives, in out, which may be v.
func (f *Form) accept(v, out Values) error {
	known := 0
	for i := range f.Fields {
		field := &f.Fields[i]
		value, ok := v[field.Name]
		if !ok {
			if field.Always {
				return f.refuse(field.Name, ErrMissing)
			}
			continue
		}
		known++
		if !field.applies(v) {
			return f.refuse(field.Name, fmt.Errorf("%w: it has no place beside this %s", ErrValue, field.When.Field))
		}
		value, err := field.accept(value)
		if err != nil {
			return f.refuse(field.Name, err)
		}
		out[field.Name] = value
	}
	if known == len(v) {
		return nil
	}
	for name := range v {
		if _, ok := f.byName[name]; !ok {
			return f.refuse(fmt.Sprintf("%.40q", name), ErrUnknownField)
		}
	}
	return nil
}

// accept checks one value and gives it in the type that Kind names.
func (field *Field) accept(value any) (any, error) {
	switch field.Kind {
	case KindText, KindLine:
		return field.acceptText(value)
	case KindTexts:
		return field.acceptTexts(value)
	case KindCode:
		if s, ok := value.(string); ok && slices.Contains(field.Codes, s) {
			return value, nil
		}
		return nil, ErrValue
	case KindCodes:
		return field.acceptCodes(value)
	case KindTime:
		return within(value, 0, maxTime)
	case KindWindow:
		return acceptWindow(value)
	case KindCount, KindDuration:
		return within(value, field.Min, field.Max)
	case KindBool:
		if _, ok := value.(bool); ok {
			return value, nil
		}
		return nil, ErrValue
	case KindAddress:
		return acceptAddress(value)
	case KindAddresses:
		return acceptList(value, field, acceptAddress)
	case KindStatement:
		return acceptBytes(value, 32, 32)
	case KindBytes:
		return acceptBytes(value, field.Min, field.Max)
	case KindBytesList:
		return acceptList(value, field, func(item any) (any, error) { return acceptBytes(item, 1, maxEach) })
	case KindDigests:
		return acceptDigests(value, field)
	case KindBlob:
		return acceptBlob(value)
	case KindBlobs:
		if blobs, ok := value.([]Blob); ok {
			list := make([]any, len(blobs))
			for i, b := range blobs {
				list[i] = b
			}
			value = list
		}
		return acceptList(value, field, acceptBlob)
	}
	return nil, ErrValue
}

var (
	addressPattern = regexp.MustCompile(`^[a-z0-9-]{2,32}(/[a-z0-9-]{1,32})?$`) // protocol.md#charter
	typePattern    = regexp.MustCompile(`^[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}$`)
)

// acceptText refuses what could make words show as something else: control characters, which drive terminals, and the marks that
// reorder text. Absent and empty are one thing, absent.
func (field *Field) acceptText(value any) (any, error) {
	s, ok := value.(string)
	if !ok || strings.TrimSpace(s) == "" || !utf8.ValidString(s) {
		return nil, ErrValue
	}
	for _, r := range s {
		if r == '\n' && field.Kind == KindText {
			continue
		}
		if forbidden(r) {
			return nil, fmt.Errorf("%w: it holds the character %U", ErrValue, r)
		}
	}
	switch n := int64(utf8.RuneCountInString(s)); {
	case n > field.Max:
		return nil, fmt.Errorf("%w: %d characters, at most %d", ErrTooLong, n, field.Max)
	case n < field.Min:
		return nil, fmt.Errorf("%w: %d characters, at least %d", ErrValue, n, field.Min)
	}
	if field.Words > 0 {
		if n := Words(s); n > field.Words {
			return nil, fmt.Errorf("%w: %d words, at most %d", ErrTooLong, n, field.Words)
		}
	}
	return value, nil
}

// Clean takes out of a text what no text field accepts, line ends too if it is to stay in one line, and cuts it after most characters: for what a machine
// passes on and nobody signs as his own words.
func Clean(s string, oneLine bool, most int) string {
	out := make([]rune, 0, min(len(s), most))
	for _, r := range strings.ToValidUTF8(s, "") {
		if len(out) == most {
			break
		}
		if r == '\n' && !oneLine || !forbidden(r) {
			out = append(out, r)
		}
	}
	return strings.TrimSpace(string(out))
}

// forbidden lists ranges, not the tables of package unicode: validity must not change with a Unicode version.
func forbidden(r rune) bool {
	return r < 0x20 || r >= 0x7F && r <= 0x9F || // controls
		r == 0x2028 || r == 0x2029 || // separators that end a line for some programs only
		r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x206F || // marks that reorder
		r == 0xFEFF || r >= 0xFFF0 && r <= 0xFFFB || r == 0xFFFE || r == 0xFFFF || r >= 0xE0000 // invisible, or no character
}

// acceptCodes takes each code once and, from the wire, in the field's order only, so that one choice has one encoding.
func (field *Field) acceptCodes(value any) (any, error) {
	if choice, ok := value.([]string); ok {
		list := make([]any, 0, len(choice))
		for _, code := range field.Codes {
			if slices.Contains(choice, code) {
				list = append(list, code)
			}
		}
		if len(list) == 0 || len(list) != len(choice) {
			return nil, ErrValue
		}
		return list, nil
	}
	list, ok := value.([]any)
	if !ok || len(list) == 0 {
		return nil, ErrValue
	}
	last := -1
	for _, item := range list {
		code, _ := item.(string)
		i := slices.Index(field.Codes, code)
		if i <= last {
			return nil, ErrValue
		}
		last = i
	}
	return list, nil
}

// within takes a whole number from least to most, or a time as seconds.
func within(value any, least, most int64) (any, error) {
	var n int64
	switch t := value.(type) {
	case int64:
		n = t
	case int:
		n = int64(t)
	case time.Time:
		n = t.Unix()
	case time.Duration:
		n = int64(t / time.Second)
	default:
		return nil, ErrValue
	}
	if n < least || n > most {
		return nil, fmt.Errorf("%w: %d is not from %d to %d", ErrValue, n, least, most)
	}
	if _, ok := value.(int64); ok {
		return value, nil // as it is: boxing it again would cost an allocation
	}
	return n, nil
}

func acceptWindow(value any) (any, error) {
	if t, ok := value.([2]time.Time); ok {
		value = []any{t[0], t[1]}
	}
	list, _ := value.([]any)
	if len(list) != 2 {
		return nil, ErrValue
	}
	from, err := within(list[0], 0, maxTime)
	if err != nil {
		return nil, err
	}
	to, err := within(list[1], from.(int64), maxTime)
	if err != nil {
		return nil, err
	}
	return []any{from, to}, nil
}

func acceptAddress(value any) (any, error) {
	if s, ok := value.(string); ok && addressPattern.MatchString(s) {
		return value, nil
	}
	return nil, ErrValue
}

func acceptBytes(value any, least, most int64) (any, error) {
	b, ok := value.([]byte)
	if !ok || len(b) == 0 || int64(len(b)) < least {
		return nil, ErrValue
	}
	if int64(len(b)) > most {
		return nil, ErrTooLong
	}
	return value, nil
}

func acceptList(value any, field *Field, accept func(any) (any, error)) (any, error) {
	list, ok := value.([]any)
	if !ok || len(list) == 0 || int64(len(list)) < field.Min {
		return nil, ErrValue
	}
	if int64(len(list)) > field.Max {
		return nil, fmt.Errorf("%w: %d items, at most %d", ErrTooLong, len(list), field.Max)
	}
	out := make([]any, len(list))
	for i, item := range list {
		var err error
		if out[i], err = accept(item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// acceptDigests takes hashes that ascend: one set has one spelling, and its order tells nothing.
func acceptDigests(value any, field *Field) (any, error) {
	out, err := acceptList(value, field, func(item any) (any, error) { return acceptBytes(item, 32, 32) })
	if err != nil {
		return nil, err
	}
	list := out.([]any)
	for i := 1; i < len(list); i++ {
		if bytes.Compare(list[i-1].([]byte), list[i].([]byte)) >= 0 {
			return nil, fmt.Errorf("%w: digests out of order, or one of them twice", ErrValue)
		}
	}
	return out, nil
}

// acceptBlob takes a Blob, or the map that the wire carries.
func acceptBlob(value any) (any, error) {
	if blob, ok := value.(Blob); ok {
		value = blob.Value()
	}
	m, _ := value.(map[string]any)
	b, ok := blobOf(m)
	if !ok || len(m) != 4 || m["size"] != any(b.Size) || m["name"] != any(b.Name) || m["type"] != any(b.Type) {
		return nil, ErrValue
	}
	if b.Size < 1 || b.Size > maxBlob || !typePattern.MatchString(b.Type) {
		return nil, ErrValue
	}
	name := Field{Kind: KindLine, Min: 1, Max: maxName}
	if _, err := name.acceptText(b.Name); err != nil || strings.ContainsAny(b.Name, `/\`) {
		return nil, fmt.Errorf("%w: not a file name", ErrValue)
	}
	return m, nil
}
