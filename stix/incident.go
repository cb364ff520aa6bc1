package stix

import (
	"cmp"
	"slices"
	"time"

	"detente/label"
)

// IncidentExtension is the extension of the OASIS TC that says of an incident what the plain object leaves open. It is a draft, so the rest of the
// program sees [Incident] only, and what we write is readable without it.
const IncidentExtension = "extension-definition--ef765651-680c-498d-9894-99799f2fa126"

// caseSource is the source_name of the external reference that holds the number of a case.
const caseSource = "detente-case"

// Incident is what a case shows of an incident, and what of a case becomes one. Nothing in it says who is behind it.
type Incident struct {
	ID                string // "" for one that has none yet
	Name, Description string
	Created, Modified time.Time
	CreatedBy         string // id of an identity
	Revoked           bool

	Determination  string // "suspected", "successful-attempt", "failed-attempt", "blocked", "false-positive", "low-value", or another; "" if unknown
	Status         string // of the investigation: "new", "open", "closed", or another
	Types          []string
	Class          label.Classification // by RSIT, if one of the types is of it
	Criticality    int                  // 0 to 100, how much it matters to operations; -1 if it says none
	Confidence     int                  // 0 to 100, in what is said; -1 if it says none
	Detection      []string             // how it was found
	Recoverability string
	Affected       map[string]int64 // how many of what: "organizations", "systems"

	Events, Impacts, Tasks []string // ids
	Case                   string   // number of the case at both sides; "" if none
	References             []Reference
	Markings               []string // ids of marking-definitions for the whole
}

// Incident returns the object as an incident, with what the extension says if it is there.
func (o *Object) Incident() (Incident, bool) {
	if o.Type != "incident" {
		return Incident{}, false
	}
	i := Incident{ID: o.ID, Name: o.Text("name"), Description: o.Text("description"), Created: o.Created, Modified: o.Modified, CreatedBy: o.CreatedBy,
		Revoked: o.Revoked, Criticality: -1, Confidence: -1, Markings: o.Markings}
	if n, ok := o.Int("confidence"); ok {
		i.Confidence = int(n)
	}
	for _, r := range o.References() {
		if r.Source == caseSource && i.Case == "" {
			i.Case = r.ID
		} else {
			i.References = append(i.References, r)
		}
	}
	extensions, _ := o.Value("extensions").(map[string]any)
	ext, _ := extensions[IncidentExtension].(map[string]any)
	i.Determination, _ = ext["determination"].(string)
	i.Status, _ = ext["investigation_status"].(string)
	i.Recoverability, _ = ext["recoverability"].(string)
	i.Types, i.Detection = texts(ext["incident_types"]), texts(ext["detection_methods"])
	if n, ok := ext["criticality"].(int64); ok && n >= 0 && n <= 100 {
		i.Criticality = int(n)
	}
	counts, _ := ext["impacted_entity_counts"].(map[string]any)
	for k, v := range counts {
		if n, ok := v.(int64); ok {
			if i.Affected == nil {
				i.Affected = map[string]int64{}
			}
			i.Affected[k] = n
		}
	}
	// Two drafts are in use: the one lists ids, the other entries with an id each.
	i.Events = entries(ext, "event_refs", "events", "event_ref")
	i.Tasks = entries(ext, "task_refs", "tasks", "task_ref")
	i.Impacts = texts(ext["impact_refs"])
	for _, t := range i.Types {
		if c, ok := label.ParseClassification(t); ok {
			i.Class = c
			break
		}
		if c, ok := label.OfType(t); ok && i.Class.Class == "" {
			i.Class = c
		}
	}
	return i, true
}

func entries(ext map[string]any, refs, list, ref string) []string {
	out := texts(ext[refs])
	all, _ := ext[list].([]any)
	for _, v := range all {
		m, _ := v.(map[string]any)
		if s, ok := m[ref].(string); ok && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// Object writes the incident. The determination is "suspected" and the status "new" if nothing else is said. now is the time of the version. Error: a *[Fault].
func (i Incident) Object(now time.Time) (*Object, error) {
	now = now.Truncate(time.Millisecond)
	types := slices.Clone(i.Types)
	if s := i.Class.String(); s != "" && !slices.Contains(types, s) {
		types = append(types, s)
	}
	ext := map[string]any{
		"extension_type":       "property-extension",
		"determination":        cmp.Or(i.Determination, "suspected"),
		"investigation_status": cmp.Or(i.Status, "new"),
	}
	members := map[string]any{
		"type": "incident", "id": cmp.Or(i.ID, NewID("incident")), "name": i.Name, "created": now, "modified": now,
		"extensions": map[string]any{IncidentExtension: ext},
	}
	if !i.Created.IsZero() {
		members["created"] = i.Created
	}
	put(members, "description", i.Description)
	put(members, "created_by_ref", i.CreatedBy)
	putList(members, "object_marking_refs", i.Markings)
	put(ext, "recoverability", i.Recoverability)
	putList(ext, "incident_types", types)
	putList(ext, "detection_methods", i.Detection)
	putList(ext, "impact_refs", i.Impacts)
	putRefs(ext, "events", "event_ref", i.Events)
	putRefs(ext, "tasks", "task_ref", i.Tasks)
	if i.Revoked {
		members["revoked"] = true
	}
	if i.Criticality >= 0 {
		ext["criticality"] = i.Criticality
	}
	if i.Confidence >= 0 {
		members["confidence"] = i.Confidence
	}
	if len(i.Affected) > 0 {
		ext["impacted_entity_counts"] = i.Affected
	}
	references := slices.Clone(i.References)
	if i.Case != "" {
		references = append([]Reference{{Source: caseSource, ID: i.Case}}, references...)
	}
	if len(references) > 0 {
		var all []any
		for _, r := range references {
			m := map[string]any{"source_name": r.Source}
			put(m, "external_id", r.ID)
			put(m, "url", r.URL)
			put(m, "description", r.Description)
			all = append(all, m)
		}
		members["external_references"] = all
	}
	return Build(members, now)
}

func put(m map[string]any, name, v string) {
	if v != "" {
		m[name] = v
	}
}

func putList(m map[string]any, name string, v []string) {
	if len(v) > 0 {
		m[name] = v
	}
}

func putRefs(m map[string]any, name, ref string, ids []string) {
	var all []any
	for _, id := range ids {
		all = append(all, map[string]any{ref: id})
	}
	if len(all) > 0 {
		m[name] = all
	}
}
