// Package stix reads, validates and shows objects of STIX 2.1, and keeps each as the bytes that came: what is said about it is said of those bytes.
// It must never encode an object again, resolve or fetch a name that stands in one, or believe a label that it does not know.
package stix

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Object is one object of STIX: its bytes, and what every caller needs of it. It is not changed after it was read, and may be shared.
type Object struct {
	Raw         json.RawMessage // as received; a slice of what was given to read
	ID          string          // "indicator--" and a UUID
	Type        string          // "indicator"
	SpecVersion string          // "2.1", "2.0", or what it says; an observable that says nothing is "2.1"
	Created     time.Time       // zero for observables
	Modified    time.Time       // zero for observables; of a marking-definition, when it was created
	Revoked     bool
	CreatedBy   string   // created_by_ref
	Markings    []string // object_marking_refs
	Flags       Flags

	tree map[string]any
}

// Read reads one object, and nothing after it but space. It looks at the shape of JSON, at limits, and that there are a type and an id; whether it is
// STIX is for a [Validator]. Error: a *[Fault] of kind ErrSyntax, ErrLimit, ErrTwice or ErrInvalid.
func Read(raw []byte, lim Limits) (*Object, error) {
	if len(raw) > lim.Object {
		return nil, &Fault{Kind: ErrLimit, Reason: tooLong(lim)}
	}
	r := &reader{b: raw, lim: lim, left: lim.Members}
	r.space()
	start := r.at
	tree, fault := r.top()
	if fault != nil {
		return nil, fault
	}
	end := r.at
	if r.space(); r.at < len(raw) {
		return nil, r.fail(ErrSyntax, "more after the object")
	}
	o, fault := object(raw[start:end:end], tree, r.flags)
	if fault != nil {
		return nil, fault
	}
	return o, nil
}

// top reads an object that is not within another.
func (r *reader) top() (map[string]any, *Fault) {
	switch {
	case r.at >= len(r.b):
		return nil, r.fail(ErrSyntax, "nothing is there")
	case r.peek() != '{':
		return nil, r.fail(ErrInvalid, "it is no object of JSON")
	}
	return r.object(0)
}

// object makes an object of its bytes and tree.
func object(raw []byte, tree map[string]any, flags Flags) (*Object, *Fault) {
	o := &Object{Raw: raw, Flags: flags, tree: tree}
	o.Type, o.ID = o.Text("type"), o.Text("id")
	if o.Type == "" {
		return nil, (&Fault{Kind: ErrInvalid, Reason: "an object says its type"}).in("type")
	}
	kind, uuid, ok := strings.Cut(o.ID, "--")
	if !ok || !isType(kind) || !isUUID(uuid) {
		return nil, (&Fault{Kind: ErrInvalid, Reason: "an id is a type, two dashes and a UUID"}).in("id")
	}
	if kind != o.Type {
		return nil, (&Fault{ID: o.ID, Kind: ErrInvalid, Reason: "the id is not of the type of the object"}).in("id")
	}
	o.CreatedBy, o.Markings = o.Text("created_by_ref"), o.Texts("object_marking_refs")
	o.Revoked, _ = tree["revoked"].(bool)
	o.Created, _ = o.Time("created")
	o.Modified, _ = o.Time("modified")
	if o.Modified.IsZero() {
		o.Modified = o.Created
	}
	if o.SpecVersion = o.Text("spec_version"); o.SpecVersion == "" {
		o.SpecVersion = "2.0" // which has no such member, nor objects without created
		if _, has := tree["created"]; !has {
			o.SpecVersion = "2.1"
		}
	}
	return o, nil
}

// isType tells whether s is written as a type is.
func isType(s string) bool {
	if len(s) < 3 || len(s) > 250 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for _, c := range []byte(s) {
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return !strings.Contains(s, "--")
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// IsID tells whether s is an id of STIX.
func IsID(s string) bool {
	kind, uuid, ok := strings.Cut(s, "--")
	return ok && isType(kind) && isUUID(uuid)
}

// Has tells whether the object has a member.
func (o *Object) Has(name string) bool {
	_, ok := o.tree[name]
	return ok
}

// Value returns a member as JSON has it: map[string]any, []any, string, bool, int64, float64, or nil if there is none. It must not be changed.
func (o *Object) Value(name string) any { return o.tree[name] }

// Names returns the names of all members, sorted.
func (o *Object) Names() []string {
	names := make([]string, 0, len(o.tree))
	for k := range o.tree {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

// Text returns a member that is a string; "" if there is none.
func (o *Object) Text(name string) string {
	s, _ := o.tree[name].(string)
	return s
}

// Texts returns a member that is a list of strings; what is not a string is left out.
func (o *Object) Texts(name string) []string { return texts(o.tree[name]) }

func texts(v any) []string {
	l, _ := v.([]any)
	if len(l) == 0 {
		return nil
	}
	out := make([]string, 0, len(l))
	for _, e := range l {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Int returns a member that is a whole number.
func (o *Object) Int(name string) (int64, bool) {
	n, ok := o.tree[name].(int64)
	return n, ok
}

// Time returns a member that is a timestamp.
func (o *Object) Time(name string) (time.Time, bool) {
	s, _ := o.tree[name].(string)
	return parseTime(s)
}

// parseTime reads a timestamp: RFC 3339 in UTC, with as many decimals as it likes, of which nine count. A leap second is the one after.
func parseTime(s string) (time.Time, bool) {
	if len(s) < 20 || len(s) > 64 || s[len(s)-1] != 'Z' || s[10] != 'T' {
		return time.Time{}, false
	}
	leap := s[17:19] == "60"
	if leap {
		s = s[:17] + "59" + s[19:]
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, false
	}
	if leap {
		t = t.Truncate(time.Second).Add(time.Second)
	}
	return t.UTC(), true
}

// FormatTime writes a timestamp as STIX has it: UTC, with milliseconds, and with as many decimals more as it needs.
func FormatTime(t time.Time) string {
	t = t.UTC()
	switch {
	case t.Nanosecond()%1e6 == 0:
		return t.Format("2006-01-02T15:04:05.000Z")
	case t.Nanosecond()%1e3 == 0:
		return t.Format("2006-01-02T15:04:05.000000Z")
	}
	return t.Format("2006-01-02T15:04:05.000000000Z")
}

// Refs returns the ids of other objects that the object names in members that end with _ref or _refs, without repetition, sorted.
func (o *Object) Refs() []string {
	seen := map[string]bool{}
	var out []string
	add := func(s string) {
		if IsID(s) && !seen[s] && s != o.ID {
			seen[s] = true
			out = append(out, s)
		}
	}
	var walk func(v any)
	walk = func(v any) { // as deep as the reader has let it be
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				switch {
				case strings.HasSuffix(k, "_ref"):
					if s, ok := e.(string); ok {
						add(s)
					}
				case strings.HasSuffix(k, "_refs"):
					for _, s := range texts(e) {
						add(s)
					}
				}
				walk(e)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(o.tree)
	slices.Sort(out)
	return out
}

// Newer tells whether o is a later version than p of the same object: modified later. Versions with the same time are one version.
func (o *Object) Newer(p *Object) bool { return o.ID == p.ID && o.Modified.After(p.Modified) }

// Latest returns of each id the latest version, in the order in which ids first occur. One that was revoked stays revoked: a later version that is
// not says otherwise in vain, as the standard has it.
func Latest(objects []*Object) []*Object {
	at := map[string]int{}
	var out []*Object
	for _, o := range objects {
		i, known := at[o.ID]
		switch {
		case !known:
			at[o.ID] = len(out)
			out = append(out, o)
		case out[i].Revoked:
			if o.Revoked && o.Newer(out[i]) {
				out[i] = o
			}
		case o.Revoked || o.Newer(out[i]):
			out[i] = o
		}
	}
	return out
}
