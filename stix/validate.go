package stix

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// The schemas are those of the OASIS TC, unchanged.
//
//go:embed schemas
var schemaFiles embed.FS

// schemaBase is where the schemas say that they are; nothing is fetched from there.
const schemaBase = "http://raw.githubusercontent.com/oasis-open/cti-stix2-json-schemas/stix2.1/schemas/"

// Validator holds objects against the schemas of OASIS and the rules of the standard that no schema can say. It is made once, and may be used by
// several goroutines.
type Validator struct {
	Limits Limits

	byType     map[string]*jsonschema.Schema
	custom     *jsonschema.Schema // what the standard asks of every object
	observable *jsonschema.Schema // the same for observables
	scos       map[string]bool
}

// NewValidator compiles the schemas, which takes some 100 ms of one core.
func NewValidator() (*Validator, error) {
	c := jsonschema.NewCompiler()
	c.UseLoader(nowhere{})
	v := &Validator{Limits: Standard(), byType: map[string]*jsonschema.Schema{}, scos: map[string]bool{}}
	var names []string
	err := fs.WalkDir(schemaFiles, "schemas", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".json" {
			return err
		}
		b, err := schemaFiles.ReadFile(name)
		if err != nil {
			return err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if name = strings.TrimPrefix(name, "schemas/"); name == "sdos/observed-data.json" {
			if err := loosen(doc); err != nil {
				return err
			}
		}
		names = append(names, name)
		return c.AddResource(schemaBase+name, doc)
	})
	if err != nil {
		return nil, fmt.Errorf("stix: schemas: %w", err)
	}
	for _, name := range names {
		folder, base := path.Split(name)
		kind := strings.TrimSuffix(base, ".json")
		switch {
		case name == "common/core.json", name == "common/cyber-observable-core.json":
		case folder != "common/":
		case kind == "marking-definition", kind == "language-content", kind == "extension-definition":
		default:
			continue // a part of others
		}
		schema, err := c.Compile(schemaBase + name)
		if err != nil {
			return nil, fmt.Errorf("stix: schema %s: %w", name, err)
		}
		switch {
		case kind == "core":
			v.custom = schema
		case kind == "cyber-observable-core":
			v.observable = schema
		default:
			v.byType[kind] = schema
			v.scos[kind] = folder == "observables/"
		}
	}
	return v, nil
}

// loosen takes from the schema of observed-data what it asks of each observable within: it would try eighteen forms for each, and an object of 200 kB would
// take seconds. Validate asks the one form that the observable says it is of.
func loosen(doc any) error {
	at := doc
	for _, step := range []string{"allOf", "properties", "objects", "patternProperties"} {
		if l, ok := at.([]any); ok && len(l) == 2 {
			at = l[1]
		}
		m, ok := at.(map[string]any)
		if !ok || m[step] == nil {
			return fmt.Errorf("observed-data: the schema is another than we know, at %s", step)
		}
		at = m[step]
	}
	m, ok := at.(map[string]any)
	if !ok || len(m) != 1 || m["^.*$"] == nil {
		return errors.New("observed-data: the schema is another than we know")
	}
	m["^.*$"] = map[string]any{"type": "object"}
	return nil
}

// nowhere loads no schema: all are known beforehand.
type nowhere struct{}

// Load refuses.
func (nowhere) Load(url string) (any, error) { return nil, fmt.Errorf("stix: no schema %s", url) }

// Knows tells whether the standard defines a type.
func (v *Validator) Knows(kind string) bool { return v.byType[kind] != nil }

// IsObservable tells whether a type is one of the observables of the standard, which have neither created nor modified.
func (v *Validator) IsObservable(kind string) bool { return v.scos[kind] }

// Read reads an object and validates it. The object is nil if it cannot be read at all. Error: a *[Fault], or [Faults].
func (v *Validator) Read(raw []byte) (*Object, error) {
	o, err := Read(raw, v.Limits)
	if err != nil {
		return nil, err
	}
	return o, v.Validate(o)
}

// Split cuts a bundle or envelope and validates each object; what is wrong with one stands in its item. Error: a *[Fault] of the whole.
func (v *Validator) Split(b []byte) (*Bundle, error) {
	bundle, err := Split(b, v.Limits)
	if err != nil {
		return nil, err
	}
	for i := range bundle.Items {
		if it := &bundle.Items[i]; it.Err == nil {
			it.Err = v.Validate(it.Object)
		}
	}
	return bundle, nil
}

const mostFaults = 16 // of one object, told to whoever made it

// Validate holds an object against its schema and the rules. An object of a type that the standard does not know has to keep what it asks of all.
// Error: [Faults].
func (v *Validator) Validate(o *Object) error {
	var all Faults
	if o.SpecVersion != "2.1" {
		reason := "an object says spec_version 2.1"
		if o.SpecVersion == "2.0" {
			reason = "this is STIX 2.0, which has to be upgraded first"
		}
		return Faults{(&Fault{ID: o.ID, Kind: ErrVersion, Reason: reason}).in("spec_version")}
	}
	schema := v.byType[o.Type]
	if schema == nil {
		if schema = v.custom; !o.Has("created") {
			schema = v.observable
		}
	}
	if err := schema.Validate(o.tree); err != nil {
		all = leaves(all, err)
	}
	if inside, ok := o.tree["objects"].(map[string]any); ok && o.Type == "observed-data" {
		all = v.within(all, inside)
	}
	all = rules(all, o)
	if len(all) == 0 {
		return nil
	}
	for _, f := range all {
		f.ID = o.ID
	}
	return all
}

// within validates the observables that an observed-data of the older kind holds itself.
func (v *Validator) within(all Faults, inside map[string]any) Faults {
	for _, key := range slices.Sorted(maps.Keys(inside)) {
		m, ok := inside[key].(map[string]any)
		if !ok {
			continue // which the schema has said
		}
		schema := v.observable
		if kind, _ := m["type"].(string); v.scos[kind] {
			schema = v.byType[kind]
		}
		if err := schema.Validate(m); err != nil {
			for _, f := range leaves(nil, err) {
				all = append(all, f.in(key).in("objects"))
			}
		}
		if len(all) >= mostFaults {
			return all[:mostFaults]
		}
	}
	return all
}

// leaves collects what is wrong at the ends of an error of the library.
func leaves(all Faults, err error) Faults {
	verr, ok := err.(*jsonschema.ValidationError)
	if !ok {
		return append(all, &Fault{Kind: ErrInvalid, Reason: "the schema does not accept it"})
	}
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		reason := ""
		switch k := e.ErrorKind.(type) {
		case *kind.AnyOf, *kind.OneOf, *kind.Not:
			reason = noForm // what each of them would have asked says little
			if cause := nearest(e); cause != nil {
				walk(cause)
				return
			}
		default:
			if len(e.Causes) == 0 {
				reason = say(k)
			}
		}
		if reason == "" {
			for _, c := range e.Causes {
				walk(c)
			}
			return
		}
		if len(all) >= mostFaults {
			return
		}
		f := &Fault{Kind: ErrInvalid, Reason: reason}
		for _, k := range slices.Backward(e.InstanceLocation) {
			f = f.in(k)
		}
		if !slices.ContainsFunc(all, func(g *Fault) bool { return g.Path == f.Path && g.Reason == f.Reason }) {
			all = append(all, f)
		}
	}
	walk(verr)
	// Beside what says more, that no form fits is only a consequence.
	if more := slices.DeleteFunc(slices.Clone(all), func(f *Fault) bool { return f.Reason == noForm }); len(more) > 0 {
		return more
	}
	return all
}

const noForm = "none of the forms that are allowed here"

// nearest returns the cause of an alternative that failed if there is one only, or one only within a member.
func nearest(e *jsonschema.ValidationError) *jsonschema.ValidationError {
	if len(e.Causes) == 1 {
		return e.Causes[0]
	}
	return nil
}

// say tells what the schema wanted. Nothing of the object itself is said, but for names of its members.
func say(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Required:
		return "lacks " + list(k.Missing)
	case *kind.DependentRequired:
		return "with " + list([]string{k.Prop}) + " it lacks " + list(k.Missing)
	case *kind.Type:
		return "is " + k.Got + ", should be " + strings.Join(k.Want, " or ")
	case *kind.Enum:
		var want []string
		for _, w := range k.Want[:min(len(k.Want), 12)] {
			want = append(want, fmt.Sprint(w))
		}
		return "should be one of " + list(want)
	case *kind.Pattern:
		return "is not written as it should be: " + cut(k.Want)
	case *kind.AdditionalProperties:
		return "has what it cannot have: " + list(k.Properties)
	case *kind.MinItems:
		return "has " + strconv.Itoa(k.Got) + " elements, should have " + strconv.Itoa(k.Want) + " at least"
	case *kind.MinProperties:
		return "has " + strconv.Itoa(k.Got) + " members, should have " + strconv.Itoa(k.Want) + " at least"
	case *kind.MinLength, *kind.MaxLength:
		return "is too short or too long"
	case *kind.Minimum, *kind.Maximum, *kind.ExclusiveMinimum, *kind.ExclusiveMaximum:
		return "is out of its range"
	case *kind.FalseSchema:
		return "cannot stand there"
	}
	return "is not what the schema asks: " + strings.Join(k.KeywordPath(), ".")
}

func list(names []string) string {
	var b strings.Builder
	for i, n := range names {
		if i == 8 {
			b.WriteString(", ...")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(cut(n))
	}
	return b.String()
}

// cut shortens what came from outside, and takes from it what a terminal would obey.
func cut(s string) string {
	const longest = 96
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x200e && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '?'
		}
		return r
	}, s[:min(len(s), longest)])
	return strings.ToValidUTF8(s, "?")
}
