package misp

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"detente/gateway/mint"
	"detente/label"
	"detente/stix"
)

// Import is an event as objects of STIX.
type Import struct {
	Objects []*stix.Object // the report is the last; what it names comes before it
	Report  string         // its id
	Label   label.Parcel   // of the event; each object has its own marking
	RSIT    label.Classification
	Rating  label.Admiralty
	Left    []Left // what has no place in STIX here; it is in the bytes of the event
}

// Left is an attribute or object that was not translated, or an object of STIX that does not go out.
type Left struct {
	ID   string // its UUID or id
	What string // its type
	Why  error  // a [label.Refusal] if its label forbids it; nil if there is no place for it
}

const maxLeft = 1000 // of what was left, by name

// STIX translates an event. Ids are made of the UUIDs in it, so an event that comes again gives the same objects. Error: ErrEvent.
func (e *Event) STIX() (*Import, error) {
	in := &importer{event: e, table: newTable(), marks: readTags(e.Tags), out: &Import{}}
	in.out.Label = label.Parcel{TLP: in.marks.tlp, PAP: in.marks.pap, Plane: in.marks.plane}
	if t, ok := tlpOf(e.Distribution); ok && in.out.Label.TLP == label.Unmarked {
		in.out.Label.TLP = t
	}
	in.out.Label.Source = in.out.Label.TLP
	in.out.RSIT, in.out.Rating = in.marks.rsit, in.marks.admiralty
	in.changed = e.Changed()
	in.born = in.changed
	if day, err := time.Parse(time.DateOnly, string(e.Date)); err == nil && day.Before(in.changed) {
		in.born = day
	}
	if err := in.all(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEvent, err)
	}
	return in.out, nil
}

// importer translates one event.
type importer struct {
	event   *Event
	table   *table
	marks   marks
	born    time.Time // when the event was made; its objects are said to be as old
	changed time.Time
	refs    []string // of the report
	links   []any    // external references of the report
	out     *Import
}

func (in *importer) add(o *stix.Object, err error) error {
	if err != nil {
		return err
	}
	in.out.Objects = append(in.out.Objects, o)
	return nil
}

// named adds an object, and names it in the report.
func (in *importer) named(o *stix.Object, err error) error {
	if err := in.add(o, err); err != nil {
		return err
	}
	in.refs = append(in.refs, o.ID)
	return nil
}

func (in *importer) left(id, what Text) {
	if len(in.out.Left) < maxLeft {
		in.out.Left = append(in.out.Left, Left{ID: string(id), What: string(what)})
	}
}

func (in *importer) all() error {
	e := in.event
	identity := ""
	if e.Orgc != nil && e.Orgc.UUID != "" {
		// Its id depends on the label too: an organisation that stands in two events may be known to two circles.
		o, err := mint.Object("identity", mint.UUID("misp org", string(e.Orgc.UUID), string(in.out.Label.TLP)), epoch(), epoch(), mint.Fields{
			"name": name(string(e.Orgc.Name), "organisation"), "identity_class": "organization", "object_marking_refs": mint.Markings(in.out.Label.TLP, ""),
			"external_references": []any{map[string]any{"source_name": "misp-org", "external_id": string(e.Orgc.UUID)}},
		})
		if err := in.add(o, err); err != nil {
			return err
		}
		identity = o.ID
	}
	for _, t := range in.marks.attack {
		if err := in.named(attackPattern(t)); err != nil {
			return err
		}
	}
	for _, a := range e.Attributes {
		if err := in.attribute(a); err != nil {
			return fmt.Errorf("attribute %s: %w", a.UUID, err)
		}
	}
	for _, o := range e.Objects {
		if err := in.object(o); err != nil {
			return fmt.Errorf("object %s: %w", o.UUID, err)
		}
	}
	if len(in.refs) == 0 {
		if identity == "" {
			return errors.New("it holds nothing that is understood, and nobody made it")
		}
		in.refs = append(in.refs, identity)
	}
	published := in.changed
	if t, ok := seconds(e.PublishTimestamp); ok && t.Unix() > 0 {
		published = t
	}
	labels := append(tagLabels(in.marks), labelOf("threat_level_id", e.ThreatLevel), labelOf("analysis", e.Analysis))
	if string(e.Date) != in.born.Format(time.DateOnly) {
		labels = append(labels, labelOf("date", e.Date))
	}
	if d, ok := distributionNumber(e.Distribution); ok {
		labels = append(labels, labelOf("distribution", number(lower(d))))
	}
	f := mint.Fields{
		"name": name(string(e.Info), "event "+string(e.UUID)), "published": published, "created_by_ref": identity,
		"object_marking_refs": mint.Markings(in.out.Label.TLP, in.out.Label.PAP), "labels": filled(labels),
	}
	if len(in.links) > 0 {
		f["external_references"] = in.links[:min(len(in.links), maxLinks)]
	}
	// An object has limits, so that a very large event is several reports: the others first.
	parts := slices.Collect(slices.Chunk(in.refs, maxRefs))
	for i := len(parts) - 1; i >= 0; i-- {
		uuid := string(e.UUID)
		if i > 0 {
			uuid = mint.UUID("misp report", uuid, strconv.Itoa(i))
		}
		f["object_refs"] = parts[i]
		o, err := mint.Object("report", uuid, in.born, in.changed, f)
		if err := in.add(o, err); err != nil {
			return err
		}
		in.out.Report = o.ID
	}
	return nil
}

const (
	maxRefs  = 12_000 // that one report names
	maxLinks = 500
)

// epoch is the time of objects that were always so.
func epoch() time.Time { return time.Unix(0, 0).UTC() }

func name(s, otherwise string) string {
	if strings.TrimSpace(s) == "" {
		return otherwise
	}
	return s
}

func attackPattern(t technique) (*stix.Object, error) {
	return mint.Object("attack-pattern", mint.UUID("attack-pattern", t.id), epoch(), epoch(), mint.Fields{
		"name": t.name, "object_marking_refs": mint.Markings(label.TLPClear, ""),
		"external_references": []any{map[string]any{"source_name": "mitre-attack", "external_id": t.id}},
	})
}

// marking gives the marking of a part of the event: never wider than the event's.
func (in *importer) marking(m marks, distribution Text) []string {
	tlp, pap := in.out.Label.TLP, in.out.Label.PAP
	if t, ok := tlpOf(distribution); ok && m.tlp == label.Unmarked {
		tlp = tlp.Narrower(t)
	}
	if m.tlp != label.Unmarked {
		tlp = tlp.Narrower(m.tlp)
	}
	return mint.Markings(tlp, pap.Narrower(m.pap))
}

// base are the fields that every translated attribute has.
func (in *importer) base(a Attribute, m marks) mint.Fields {
	return mint.Fields{
		"object_marking_refs": in.marking(m, a.Distribution), "description": strings.TrimSpace(string(a.Comment)),
		"labels": filled(append(tagLabels(m), labelOf("type", a.Type), labelOf("category", a.Category))),
	}
}

// times are when an attribute was made and changed.
func (in *importer) times(stamp Text) (made, changed time.Time) {
	changed, ok := seconds(stamp)
	if !ok {
		changed = in.changed
	}
	if in.born.Before(changed) {
		return in.born, changed
	}
	return changed, changed
}

func (in *importer) attribute(a Attribute) error {
	m := readTags(a.Tags)
	made, changed := in.times(a.Timestamp)
	f := in.base(a, m)
	if a.Deleted {
		f["revoked"] = true
	}
	from := seen(a.FirstSeen)
	if from.IsZero() {
		from = changed
	}
	all, understood := in.table.comparisons(string(a.Type), string(a.Value))
	switch {
	case a.Type == "vulnerability":
		f["name"] = name(string(a.Value), "vulnerability")
		f["external_references"] = []any{map[string]any{"source_name": "cve", "external_id": f["name"]}}
		return in.named(mint.Object("vulnerability", string(a.UUID), made, changed, f))
	case a.Type == "link" && a.Value != "":
		in.links = append(in.links, map[string]any{"source_name": "misp-link", "url": string(a.Value)})
		return nil
	case (a.Type == "text" || a.Type == "comment" || a.Type == "other") && a.Value != "":
		f["content"], f["abstract"] = string(a.Value), f["description"]
		delete(f, "description")
		f["object_refs"] = []string{"report--" + strings.ToLower(string(in.event.UUID))}
		return in.named(mint.Object("note", string(a.UUID), made, changed, f))
	case a.Type == "stix2-pattern" && stix.CheckPattern(string(a.Value)) == nil:
		return in.indicator(a, f, string(a.Value), from, made, changed)
	case !understood:
		in.left(a.UUID, a.Type)
		return nil
	case bool(a.ToIDS):
		return in.indicator(a, f, mint.Pattern(all...), from, made, changed)
	}
	return in.observed(a, f, all, from, made, changed)
}

func (in *importer) indicator(a Attribute, f mint.Fields, pattern string, from, made, changed time.Time) error {
	f["pattern"], f["pattern_type"], f["valid_from"], f["name"] = pattern, "stix", from, string(a.Type)
	o, err := mint.Object("indicator", string(a.UUID), made, changed, f)
	if err := in.named(o, err); err != nil {
		return err
	}
	for _, s := range a.Sightings {
		at, ok := seconds(s.Date)
		if !ok || s.Type != "0" && s.Type != "" {
			continue
		}
		uuid := string(s.UUID)
		if !mint.IsUUID(uuid) {
			uuid = mint.UUID("misp sighting", string(a.UUID), string(s.Date), string(s.Source))
		}
		if err := in.named(mint.Object("sighting", uuid, at, at, mint.Fields{
			"sighting_of_ref": o.ID, "first_seen": at, "last_seen": at, "count": 1, "description": string(s.Source), "object_marking_refs": f["object_marking_refs"],
		})); err != nil {
			return err
		}
	}
	return nil
}

// observed translates a value that is no indicator: it was seen, and nobody should raise an alarm for it.
func (in *importer) observed(a Attribute, f mint.Fields, all []mint.Comparison, from, made, changed time.Time) error {
	seenObjects, ok, err := observables(all)
	if err != nil {
		return err
	}
	if !ok {
		in.left(a.UUID, a.Type)
		return nil
	}
	until := seen(a.LastSeen)
	if until.Before(from) {
		until = from
	}
	var refs []string
	for _, o := range seenObjects {
		refs = append(refs, o.ID)
		in.out.Objects = append(in.out.Objects, o)
	}
	// An observed-data has no description.
	delete(f, "description")
	f["first_observed"], f["last_observed"], f["number_observed"], f["object_refs"] = from, until, 1, refs
	return in.named(mint.Object("observed-data", string(a.UUID), made, changed, f))
}

// observables makes the objects that comparisons speak of, where each is one.
func observables(all []mint.Comparison) ([]*stix.Object, bool, error) {
	var out []*stix.Object
	file := mint.Fields{}
	hashes := map[string]any{}
	for _, c := range all {
		kind, member, _ := strings.Cut(c.Path, ":")
		var o *stix.Object
		var err error
		switch {
		case kind == "file" && member == "name":
			file["name"] = c.Value
			continue
		case kind == "file" && strings.HasPrefix(member, "hashes."):
			hashes[strings.Trim(strings.TrimPrefix(member, "hashes."), "'")] = c.Value
			file["hashes"] = hashes
			continue
		case c.Path == "autonomous-system:number":
			o, err = mint.Observable(kind, mint.Fields{"number": integer(c.Value)}, "number")
		case c.Path == "mutex:name":
			o, err = mint.Observable(kind, mint.Fields{"name": c.Value}, "name")
		case c.Path == "windows-registry-key:key":
			o, err = mint.Observable(kind, mint.Fields{"key": c.Value}, "key")
		case c.Path == "domain-name:resolves_to_refs[*].value":
			family, value, ok := mint.Address(c.Value)
			if !ok {
				return nil, false, nil
			}
			o, err = mint.Observable(family, mint.Fields{"value": value}, "value")
		case member == "value" && (kind == "ipv4-addr" || kind == "ipv6-addr" || kind == "domain-name" || kind == "url" || kind == "email-addr" || kind == "mac-addr"):
			o, err = mint.Observable(kind, mint.Fields{"value": c.Value}, "value")
		default:
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		out = append(out, o)
	}
	if len(file) > 0 {
		o, err := mint.Observable("file", file, "hashes", "name")
		if err != nil {
			return nil, false, err
		}
		out = append(out, o)
	}
	return out, len(out) > 0, nil
}

// object translates an object whose template is understood into one indicator of all its values.
func (in *importer) object(o ObjectPart) error {
	k, ok := objectKindOf(string(o.Name))
	if !ok {
		in.left(o.UUID, o.Name)
		return nil
	}
	var all []mint.Comparison
	m := marks{plane: label.Real}
	ids := false
	for _, a := range o.Attributes {
		if a.Deleted {
			continue
		}
		c, ok := k.comparison(string(a.Relation), string(a.Value))
		if !ok {
			in.left(a.UUID, a.Type)
			continue
		}
		all = append(all, c)
		ids = ids || bool(a.ToIDS)
		own := readTags(a.Tags)
		m.tlp, m.pap = m.tlp.Narrower(own.tlp), m.pap.Narrower(own.pap)
		if t, ok := tlpOf(a.Distribution); ok {
			m.tlp = m.tlp.Narrower(t)
		}
		m.rest = append(m.rest, own.rest...)
	}
	if len(all) == 0 || len(all) > 50 {
		in.left(o.UUID, o.Name)
		return nil
	}
	made, changed := in.times(o.Timestamp)
	f := mint.Fields{
		"object_marking_refs": in.marking(m, o.Distribution), "description": strings.TrimSpace(string(o.Comment)), "name": string(o.Name),
		"labels":  filled(append(tagLabels(m), labelOf("name", o.Name), labelOf("meta-category", o.MetaCategory))),
		"pattern": mint.Pattern(all...), "pattern_type": "stix", "valid_from": made,
	}
	if o.Deleted {
		f["revoked"] = true
	}
	if !ids {
		f["labels"] = append(f["labels"].([]string), string(labelOf("to_ids", "0")))
		f["indicator_types"] = []string{"benign"} // nobody should raise an alarm for it
	}
	return in.named(mint.Object("indicator", string(o.UUID), made, changed, f))
}

// comparison gives what a part of an object means.
func (k objectKind) comparison(relation, value string) (mint.Comparison, bool) {
	for _, r := range k.relations {
		if r.name != relation {
			continue
		}
		value = strings.TrimSpace(value)
		if value == "" || !fits(r.path, value) {
			return mint.Comparison{}, false
		}
		if _, canonical, ok := mint.Address(value); ok && strings.HasSuffix(r.typ, "ip-dst") {
			value = canonical
		}
		return mint.Comparison{Path: r.path, Value: value}, true
	}
	return mint.Comparison{}, false
}
