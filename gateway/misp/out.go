package misp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"detente/gateway/mint"
	"detente/label"
	"detente/stix"
)

// Out says for whom objects become an event.
type Out struct {
	Org     Org        // who makes the event, where the objects do not say
	Group   *Sharing   // the sharing group for AMBER; nil: AMBER goes to the own organisation only
	Path    label.Path // who is at the end
	Own     bool       // the party is the source of the objects
	Named   []string   // whom the source has named
	Default label.TLP  // of objects without a marking; Unmarked keeps them in
	Title   string     // where no report has one
	Key     string     // what the event's UUID is made of where there is no report: a case's number, a collection's id
	At      time.Time  // when it is made, where no object says
}

// ErrEmpty says that no object may go out.
var ErrEmpty = errors.New("misp: nothing of it may leave, or has a place in an event")

// NewEvent makes an event of objects: of one report and what it names, or of objects alone. Every object is held against its label and the path; what
// may not leave, or has no place in an event, is listed. Errors: ErrEmpty; a [label.Refusal] if the report itself may not leave.
func NewEvent(objects []*stix.Object, out Out) (*Event, []Left, error) {
	x := &exporter{Out: out, table: newTable(), byID: map[string]*stix.Object{}, sightings: map[string][]Sighting{}, event: &Event{Published: true, Attributes: []Attribute{}}}
	for _, o := range stix.Latest(objects) {
		x.byID[o.ID] = o
		x.objects = append(x.objects, o)
		if o.Type == "report" {
			x.report = o // of a large event the last is the first
		}
	}
	if err := x.head(); err != nil {
		return nil, nil, err
	}
	for _, o := range x.objects {
		if o.Type == "sighting" {
			x.sighting(o)
		}
	}
	for _, o := range x.objects {
		x.one(o)
	}
	x.finish()
	if len(x.event.Attributes)+len(x.event.Objects) == 0 {
		return nil, x.left, ErrEmpty
	}
	return x.event, x.left, nil
}

// exporter makes one event.
type exporter struct {
	Out
	table     *table
	objects   []*stix.Object
	byID      map[string]*stix.Object
	report    *stix.Object
	sightings map[string][]Sighting // by the object that was seen
	event     *Event
	tlp       label.TLP // of the event
	narrowest label.TLP // of what is in it
	marks     marks
	changed   time.Time
	left      []Left
}

func (x *exporter) find(id string) (*stix.Object, bool) {
	o := x.byID[id]
	return o, o != nil
}

// leaves holds an object against its label.
func (x *exporter) leaves(o *stix.Object) (label.Parcel, error) {
	tlp, pap, unknown := mint.Labels(o, x.find)
	p := label.Parcel{TLP: tlp.Or(x.Default), PAP: pap, Plane: x.Path.Plane, Own: x.Own, Named: x.Named}
	if unknown {
		return p, &label.Refusal{Reason: label.ReasonUnknown, Slots: [2]string{o.ID, x.Path.Audience.Key()}}
	}
	if plane := planeOf(o); plane != label.Real {
		p.Plane = plane
	}
	return p, label.Leave(p, x.Path)
}

// planeOf tells what the labels of an object say of its plane.
func planeOf(o *stix.Object) label.Plane {
	m := marks{plane: label.Real}
	for _, l := range o.Texts("labels") {
		if !strings.HasPrefix(l, "misp:") {
			m.read(l)
		}
	}
	return m.plane
}

func (x *exporter) drop(o *stix.Object, why error) {
	if len(x.left) < maxLeft {
		x.left = append(x.left, Left{ID: o.ID, What: o.Type, Why: why})
	}
}

// head fills what the event says as a whole.
func (x *exporter) head() error {
	e := x.event
	e.Info, e.ThreatLevel, e.Analysis, e.Orgc = Text(x.Title), "4", "2", &x.Org
	e.UUID = Text(mint.UUID("misp event", x.Key))
	x.marks.plane = x.Path.Plane
	if r := x.report; r != nil {
		p, err := x.leaves(r)
		if err != nil {
			return fmt.Errorf("misp: the report: %w", err)
		}
		x.tlp, x.marks.tlp, x.marks.pap = p.TLP, p.TLP, p.PAP
		e.Info, e.UUID = Text(r.Text("name")), Text(strings.TrimPrefix(r.ID, "report--"))
		e.Date, x.changed = Text(r.Created.Format(time.DateOnly)), r.Modified
		if t, ok := r.Time("published"); ok {
			e.PublishTimestamp = stamp(t)
		}
		x.readLabels(r, &x.marks)
		if by := x.byID[r.CreatedBy]; by != nil {
			e.Orgc = &Org{Name: Text(by.Text("name")), UUID: Text(strings.TrimPrefix(by.ID, "identity--"))}
			for _, ref := range references(by) {
				if ref.source == "misp-org" && mint.IsUUID(ref.id) {
					e.Orgc.UUID = Text(ref.id)
				}
			}
		}
		for _, ref := range references(r) {
			if ref.url != "" {
				e.Attributes = append(e.Attributes, Attribute{UUID: Text(mint.UUID("misp link", r.ID, ref.url)), Type: "link", Category: "External analysis", Value: Text(ref.url), Timestamp: stamp(r.Modified)})
			}
		}
	}
	return nil
}

type externalReference struct{ source, id, url string }

func references(o *stix.Object) []externalReference {
	all, _ := o.Value("external_references").([]any)
	var out []externalReference
	for _, one := range all {
		m, _ := one.(map[string]any)
		source, _ := m["source_name"].(string)
		id, _ := m["external_id"].(string)
		url, _ := m["url"].(string)
		out = append(out, externalReference{source, id, url})
	}
	return out
}

// readLabels reads tags, and what the import kept, out of the labels of an object.
func (x *exporter) readLabels(o *stix.Object, m *marks) map[string]Text {
	kept := map[string]Text{}
	for _, l := range o.Texts("labels") {
		if key, value, ok := keptLabel(l); ok {
			kept[key] = value
			continue
		}
		switch low := strings.ToLower(l); {
		case strings.HasPrefix(low, "tlp:") && !strings.HasPrefix(low, "tlp:ex:"), strings.HasPrefix(low, "pap:"): // the markings say it
		default:
			plane := m.plane
			m.read(l)
			m.plane = plane
		}
	}
	if o == x.report {
		for key, field := range map[string]*Text{"threat_level_id": &x.event.ThreatLevel, "analysis": &x.event.Analysis, "distribution": &x.event.Distribution, "date": &x.event.Date} {
			if v, ok := kept[key]; ok && keeps(key, string(v)) {
				*field = v
			}
		}
	}
	return kept
}

// keeps tells whether a label that came from outside says something that the format can hold.
func keeps(key, v string) bool {
	if key == "date" {
		_, err := time.Parse(time.DateOnly, v)
		return err == nil
	}
	return len(v) == 1 && v >= "0" && v <= "4"
}

func (x *exporter) sighting(o *stix.Object) {
	if _, err := x.leaves(o); err != nil {
		return
	}
	at, ok := o.Time("last_seen")
	if !ok {
		at = o.Created
	}
	of := o.Text("sighting_of_ref")
	x.sightings[of] = append(x.sightings[of], Sighting{UUID: Text(strings.TrimPrefix(o.ID, "sighting--")), Date: stamp(at), Type: "0", Source: Text(o.Text("description"))})
}

func (x *exporter) one(o *stix.Object) {
	switch o.Type {
	case "indicator", "observed-data", "vulnerability", "note":
	case "report", "identity", "marking-definition", "sighting", "extension-definition":
		return
	case "attack-pattern":
		for _, ref := range references(o) {
			if strings.HasPrefix(ref.source, "mitre") && isTechnique(ref.id) {
				x.marks.attack = append(x.marks.attack, technique{id: ref.id, name: o.Text("name")})
			}
		}
		return
	default:
		if !o.Created.IsZero() {
			x.drop(o, nil)
		}
		return // an observable goes with what observed it
	}
	p, err := x.leaves(o)
	if err != nil {
		x.drop(o, err)
		return
	}
	m := marks{plane: x.Path.Plane}
	kept := x.readLabels(o, &m)
	if x.tlp != label.Unmarked && x.tlp.Narrower(p.TLP) != x.tlp {
		m.tlp = p.TLP // narrower than the event: it says so itself
	}
	m.plane = label.Real // the event says it
	if o.Modified.After(x.changed) {
		x.changed = o.Modified
	}
	a := Attribute{
		UUID: Text(o.ID[strings.Index(o.ID, "--")+2:]), Category: kept["category"], Comment: Text(o.Text("description")), Deleted: Flag(o.Revoked), Timestamp: stamp(o.Modified),
		Tags: writeTags(m), Sightings: x.sightings[o.ID], Distribution: number(inherit),
	}
	if m.tlp != label.Unmarked {
		a.Distribution = number(distributionOf(m.tlp, false))
	}
	if !x.place(o, a, kept) {
		x.drop(o, nil)
		return
	}
	x.narrowest = x.narrowest.Narrower(p.TLP)
}

// place puts an object where it belongs in the event.
func (x *exporter) place(o *stix.Object, a Attribute, kept map[string]Text) bool {
	e := x.event
	switch o.Type {
	case "vulnerability":
		a.Type, a.Value = "vulnerability", Text(o.Text("name"))
		for _, ref := range references(o) {
			if ref.source == "cve" {
				a.Value = Text(ref.id)
			}
		}
		a.categorise("External analysis")
		e.Attributes = append(e.Attributes, a)
		return true
	case "note":
		a.Type, a.Value, a.Comment = kept["type"], Text(o.Text("content")), Text(o.Text("abstract"))
		if a.Type == "" {
			a.Type = "comment"
		}
		a.categorise("Other")
		e.Attributes = append(e.Attributes, a)
		return true
	case "observed-data":
		return x.observation(o, a, kept)
	}
	pattern := o.Text("pattern")
	if o.Text("pattern_type") != "stix" {
		return false
	}
	if from, ok := o.Time("valid_from"); ok && !from.Equal(o.Modified) {
		a.FirstSeen = Text(from.Format(time.RFC3339))
	}
	a.ToIDS = true
	all, flat := mint.Comparisons(pattern)
	if typ, value, ok := x.table.valueOf(string(kept["type"]), all); flat && ok && kept["name"] == "" {
		a.Type, a.Value = Text(typ), Text(value)
		k := x.table.byName[typ]
		a.categorise(k.category)
		e.Attributes = append(e.Attributes, a)
		return true
	}
	if part, ok := x.objectOf(string(kept["name"]), all, a, kept["to_ids"] != "0"); flat && ok {
		e.Objects = append(e.Objects, part)
		return true
	}
	a.Type, a.Value = "stix2-pattern", Text(pattern)
	a.categorise("Payload delivery")
	e.Attributes = append(e.Attributes, a)
	return true
}

func (a *Attribute) categorise(otherwise string) {
	if a.Category == "" {
		a.Category = Text(otherwise)
	}
}

// objectOf makes an object whose template knows every comparison.
func (x *exporter) objectOf(named string, all []mint.Comparison, a Attribute, ids bool) (ObjectPart, bool) {
	for _, k := range objectKinds() {
		if named != "" && named != k.name {
			continue
		}
		part := ObjectPart{UUID: a.UUID, Name: Text(k.name), MetaCategory: Text(k.meta), TemplateUUID: Text(k.template), Template: "1", Comment: a.Comment,
			Distribution: a.Distribution, Timestamp: a.Timestamp, Deleted: a.Deleted, Attributes: []Attribute{}}
		for _, c := range all {
			for _, r := range k.relations {
				if r.path != c.Path && !(r.path == "domain-name:resolves_to_refs[*].value" && strings.HasSuffix(c.Path, "-addr:value")) {
					continue
				}
				one := Attribute{UUID: Text(mint.UUID("misp object attribute", string(a.UUID), r.name, c.Value)), Type: Text(r.typ), Relation: Text(r.name), Value: Text(c.Value),
					ToIDS: Flag(ids), Timestamp: a.Timestamp, Distribution: number(inherit), Category: "Other", Tags: a.Tags}
				if kind, ok := x.table.byName[r.typ]; ok {
					one.Category = Text(kind.category)
				}
				part.Attributes = append(part.Attributes, one)
				break
			}
		}
		if len(all) > 0 && len(part.Attributes) == len(all) {
			return part, true
		}
	}
	return ObjectPart{}, false
}

// observation writes what was observed: an attribute for each thing.
func (x *exporter) observation(o *stix.Object, a Attribute, kept map[string]Text) bool {
	if t, ok := o.Time("first_observed"); ok {
		a.FirstSeen = Text(t.Format(time.RFC3339))
	}
	if t, ok := o.Time("last_observed"); ok && !t.IsZero() {
		a.LastSeen = Text(t.Format(time.RFC3339))
	}
	var all []mint.Comparison
	for _, ref := range o.Texts("object_refs") {
		all = append(all, comparisonsOf(x.byID[ref])...)
	}
	if typ, value, ok := x.table.valueOf(string(kept["type"]), all); ok {
		a.Type, a.Value = Text(typ), Text(value)
		k := x.table.byName[typ]
		a.categorise(k.category)
		x.event.Attributes = append(x.event.Attributes, a)
		return true
	}
	base := a.UUID
	for _, c := range all {
		typ, value, ok := x.table.valueOf("", []mint.Comparison{c})
		if !ok {
			continue
		}
		k := x.table.byName[typ]
		a.UUID, a.Type, a.Value, a.Category = Text(mint.UUID("misp observed", string(base), c.Path, c.Value)), Text(typ), Text(value), Text(k.category)
		x.event.Attributes = append(x.event.Attributes, a)
	}
	return len(all) > 0
}

// comparisonsOf says of an observable what a pattern would ask for.
func comparisonsOf(o *stix.Object) []mint.Comparison {
	if o == nil {
		return nil
	}
	var all []mint.Comparison
	add := func(path, value string) {
		if value != "" {
			all = append(all, mint.Comparison{Path: path, Value: value})
		}
	}
	switch o.Type {
	case "file":
		add("file:name", o.Text("name"))
		hashes, _ := o.Value("hashes").(map[string]any)
		for _, name := range []string{"MD5", "SHA-1", "SHA-256", "SHA-512", "SSDEEP", "TLSH"} {
			s, _ := hashes[name].(string)
			add(mint.Hash(name), s)
		}
	case "autonomous-system":
		if n, ok := o.Int("number"); ok {
			add("autonomous-system:number", strconv.FormatInt(n, 10))
		}
	case "mutex":
		add("mutex:name", o.Text("name"))
	case "windows-registry-key":
		add("windows-registry-key:key", o.Text("key"))
	default:
		add(o.Type+":value", o.Text("value"))
	}
	return all
}

// finish labels the event, when it is known what is in it.
func (x *exporter) finish() {
	e := x.event
	if x.tlp == label.Unmarked {
		x.tlp = x.narrowest
	}
	x.marks.tlp = x.tlp
	e.Tags = writeTags(x.marks)
	if x.changed.IsZero() {
		x.changed = x.At
	}
	e.Timestamp = stamp(x.changed)
	if e.Date == "" {
		e.Date = Text(x.changed.UTC().Format(time.DateOnly))
	}
	if e.PublishTimestamp == "" {
		e.PublishTimestamp = e.Timestamp
	}
	if e.Info == "" {
		e.Info = e.UUID
	}
	d := distributionOf(x.tlp, x.Group != nil)
	if before, ok := distributionNumber(e.Distribution); ok { // it came by MISP: as far as the last hop left it
		d = narrower(d, before)
	}
	if d == sharingGroup && x.Group == nil {
		d = ownOrganisation
	}
	e.Distribution, e.SharingGroupID = number(d), "0"
	if d == sharingGroup {
		e.SharingGroup = x.Group
	}
}
