package stix

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"detente/label"
)

// extensionTLP2 is the extension by which a marking-definition carries a label of TLP 2.0.
const extensionTLP2 = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"

// Mark is what one or several markings say.
type Mark struct {
	TLP        label.TLP
	PAP        label.PAP
	Statements []string // terms of use and the like, in the order met
}

// Narrower returns what holds where both do.
func (m Mark) Narrower(o Mark) Mark {
	m.TLP, m.PAP = m.TLP.Narrower(o.TLP), m.PAP.Narrower(o.PAP)
	for _, s := range o.Statements {
		if !slices.Contains(m.Statements, s) {
			m.Statements = append(m.Statements[:len(m.Statements):len(m.Statements)], s)
		}
	}
	return m
}

// Granular is a marking of parts of an object.
type Granular struct {
	Selectors []string // "description", "labels.[0]", "extensions.socket-ext.options"
	Lang      string   // the language of these parts; then Mark is empty
	Mark      Mark
}

// Markings are what an object's markings say of it.
type Markings struct {
	Object   Mark // of the whole
	Granular []Granular
}

// Of returns what holds for a part, named as a selector names it: the marks of the whole, of what it is part of, and its own. The narrowest counts:
// a marking of a part never makes the whole's wider.
func (m Markings) Of(selector string) Mark {
	out := m.Object
	for _, g := range m.Granular {
		for _, s := range g.Selectors {
			if selector == s || strings.HasPrefix(selector, s+".") {
				out = out.Narrower(g.Mark)
				break
			}
		}
	}
	return out
}

// Narrowest returns what holds for the object with all its parts, which is what counts when it is sent whole.
func (m Markings) Narrowest() Mark {
	out := m.Object
	for _, g := range m.Granular {
		out = out.Narrower(g.Mark)
	}
	return out
}

// Restrict returns the selectors of the parts that may not go where the rest may: those whose label is narrower than that of the whole.
func (m Markings) Restrict() []string {
	var out []string
	for _, g := range m.Granular {
		if n := m.Object.Narrower(g.Mark); n.TLP != m.Object.TLP || n.PAP != m.Object.PAP {
			out = append(out, g.Selectors...)
		}
	}
	return out
}

// MarkOf reads a marking-definition: a label of TLP or PAP, or a statement. One that bears a known id and says something else, one that claims a
// label under another id, and one of a kind that this program does not know, which might forbid anything, are refused. Error: a *[Fault] of kind
// ErrMarking.
func MarkOf(o *Object) (Mark, error) {
	no := func(reason string) (Mark, error) {
		return Mark{}, &Fault{ID: o.ID, Kind: ErrMarking, Reason: reason}
	}
	if o.Type != "marking-definition" {
		return no("it is no marking-definition")
	}
	known := wellKnown(o.ID)
	var says Mark
	understood := false
	extensions, _ := o.Value("extensions").(map[string]any)
	for id, v := range extensions {
		props, _ := v.(map[string]any)
		switch id {
		case extensionTLP2:
			text, _ := props["tlp_2_0"].(string)
			if says.TLP, understood = label.ParseTLP(text); !understood {
				return no("an unknown label of TLP")
			}
		case label.PAPExtension:
			text, _ := props["pap"].(string)
			if says.PAP, understood = label.ParsePAP(text); !understood {
				return no("an unknown label of PAP")
			}
		default:
			return no("a marking by an extension that is not known here")
		}
	}
	definition, _ := o.Value("definition").(map[string]any)
	switch kind := o.Text("definition_type"); kind {
	case "":
	case "tlp":
		text, _ := definition["tlp"].(string)
		if says.TLP, understood = label.ParseTLP(text); !understood {
			return no("an unknown label of TLP")
		}
	case "statement":
		text, _ := definition["statement"].(string)
		if text == "" {
			return no("a statement that says nothing")
		}
		says.Statements, understood = []string{text}, true
	default:
		if t, ok := label.ParseTLP(kind); !ok || t != says.TLP { // some name the label of an extension there
			return no("a kind of marking that is not known here")
		}
	}
	switch {
	case known != nil && (says.TLP != known.TLP || says.PAP != known.PAP || len(says.Statements) > 0):
		return no("the id is that of " + known.name() + ", the content is not")
	case known == nil && (says.TLP != "" || says.PAP != ""):
		return no("labels of TLP and PAP have ids of their own, and this is none of them")
	case !understood:
		return no("a marking that says nothing")
	}
	return says, nil
}

func (m Mark) name() string {
	if m.TLP != "" {
		return m.TLP.String()
	}
	return m.PAP.String()
}

// wellKnown returns what the id of a label of TLP or PAP says; nil for another id.
func wellKnown(id string) *Mark {
	if t, ok := label.TLPOfMarking(id); ok {
		return &Mark{TLP: t}
	}
	if p, ok := label.PAPOfMarking(id); ok {
		return &Mark{PAP: p}
	}
	return nil
}

// Resolve says what the markings of an object come to. Labels of TLP, 1.0 and 2.0, and PAP are known by their ids; of every other the definition is asked
// for with lookup, which may be nil. A reference that leads nowhere, or to something else than a marking, is refused, since it might forbid
// anything. Markings of marking-definitions themselves are not followed. Error: [Faults] of kind ErrMarking.
func Resolve(o *Object, lookup func(id string) (*Object, bool)) (Markings, error) {
	var out Markings
	var all Faults
	fail := func(err error, path ...string) {
		f := FaultsOf(err)[0]
		f = &Fault{ID: o.ID, Kind: ErrMarking, Reason: f.Reason}
		for _, p := range slices.Backward(path) {
			f.in(p)
		}
		if len(all) < mostFaults {
			all = append(all, f)
		}
	}
	of := func(id string) (Mark, error) {
		if known := wellKnown(id); known != nil {
			return *known, nil
		}
		if lookup != nil {
			if def, ok := lookup(id); ok {
				return MarkOf(def)
			}
		}
		return Mark{}, &Fault{Kind: ErrMarking, Reason: "the marking is not known here: " + cut(id)}
	}
	refs, _ := o.Value("object_marking_refs").([]any)
	for i, ref := range refs {
		id, _ := ref.(string)
		m, err := of(id)
		if err != nil {
			fail(err, "object_marking_refs", strconv.Itoa(i))
			continue
		}
		out.Object = out.Object.Narrower(m)
	}
	granular, _ := o.Value("granular_markings").([]any)
	for i, v := range granular {
		g, _ := v.(map[string]any)
		part := Granular{Selectors: texts(g["selectors"])}
		part.Lang, _ = g["lang"].(string)
		at := strconv.Itoa(i)
		for j, s := range part.Selectors {
			if !o.selects(s) {
				fail(&Fault{Reason: "the selector leads nowhere: " + cut(s)}, "granular_markings", at, "selectors", strconv.Itoa(j))
			}
		}
		if ref, ok := g["marking_ref"].(string); ok {
			m, err := of(ref)
			if err != nil {
				fail(err, "granular_markings", at, "marking_ref")
				continue
			}
			part.Mark = m
		} else if part.Lang == "" {
			fail(&Fault{Reason: "it says neither a marking nor a language"}, "granular_markings", at)
		}
		out.Granular = append(out.Granular, part)
	}
	if len(all) > 0 {
		return Markings{}, all
	}
	return out, nil
}

// selects tells whether a selector leads to something.
func (o *Object) selects(selector string) bool {
	var v any = o.tree
	for step := range strings.SplitSeq(selector, ".") {
		switch at := v.(type) {
		case map[string]any:
			next, ok := at[step]
			if !ok {
				return false
			}
			v = next
		case []any:
			n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(step, "["), "]"))
			if err != nil || n < 0 || n >= len(at) || step != fmt.Sprintf("[%d]", n) {
				return false
			}
			v = at[n]
		default:
			return false
		}
	}
	return true
}

// markingRules holds a marking-definition against what is known of its id, and the selectors of any object against the object.
func markingRules(all Faults, o *Object) Faults {
	if o.Type == "marking-definition" && wellKnown(o.ID) != nil {
		if _, err := MarkOf(o); err != nil {
			all = append(all, FaultsOf(err)...)
		}
	}
	granular, _ := o.Value("granular_markings").([]any)
	for i, v := range granular {
		g, _ := v.(map[string]any)
		for j, s := range texts(g["selectors"]) {
			if !o.selects(s) && len(all) < mostFaults {
				f := &Fault{Kind: ErrMarking, Reason: "the selector leads nowhere: " + cut(s)}
				all = append(all, f.in(strconv.Itoa(j)).in("selectors").in(strconv.Itoa(i)).in("granular_markings"))
			}
		}
	}
	return all
}
