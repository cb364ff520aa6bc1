package stix

import (
	"strconv"
	"strings"
	"time"

	"detente/stix/pattern"
)

// Indicator is an indicator, read.
type Indicator struct {
	Name, Description    string
	Types                []string
	Pattern, PatternType string
	ValidFrom            time.Time
	ValidUntil           time.Time // zero if it says none
	Revoked              bool
}

// Indicator returns the object as an indicator; false if it is another thing. So do the views below.
func (o *Object) Indicator() (Indicator, bool) {
	from, _ := o.Time("valid_from")
	until, _ := o.Time("valid_until")
	return Indicator{o.Text("name"), o.Text("description"), o.Texts("indicator_types"), o.Text("pattern"), o.Text("pattern_type"), from, until,
		o.Revoked}, o.Type == "indicator"
}

// Valid tells whether an indicator says something about that moment.
func (i Indicator) Valid(at time.Time) bool {
	return !i.Revoked && !at.Before(i.ValidFrom) && (i.ValidUntil.IsZero() || at.Before(i.ValidUntil))
}

// Sighting is that something was seen.
type Sighting struct {
	Of          string   // id of what was seen
	Where       []string // ids of identities or locations
	Observed    []string // ids of observed-data
	First, Last time.Time
	Count       int64 // 0 if it says none
	Summary     bool
	Description string
}

// Sighting returns the object as a sighting.
func (o *Object) Sighting() (Sighting, bool) {
	first, _ := o.Time("first_seen")
	last, _ := o.Time("last_seen")
	n, _ := o.Int("count")
	summary, _ := o.Value("summary").(bool)
	return Sighting{o.Text("sighting_of_ref"), o.Texts("where_sighted_refs"), o.Texts("observed_data_refs"), first, last, n, summary,
		o.Text("description")}, o.Type == "sighting"
}

// Relationship joins two objects.
type Relationship struct {
	Kind, Source, Target string // a verb such as "indicates", and two ids
	Description          string
	Start, Stop          time.Time
}

// Relationship returns the object as a relationship.
func (o *Object) Relationship() (Relationship, bool) {
	start, _ := o.Time("start_time")
	stop, _ := o.Time("stop_time")
	return Relationship{o.Text("relationship_type"), o.Text("source_ref"), o.Text("target_ref"), o.Text("description"), start, stop}, o.Type == "relationship"
}

// ObservedData is what was seen, and when.
type ObservedData struct {
	First, Last time.Time
	Number      int64
	Refs        []string // ids of observables
}

// ObservedData returns the object as observed-data.
func (o *Object) ObservedData() (ObservedData, bool) {
	first, _ := o.Time("first_observed")
	last, _ := o.Time("last_observed")
	n, _ := o.Int("number_observed")
	return ObservedData{first, last, n, o.Texts("object_refs")}, o.Type == "observed-data"
}

// Identity is somebody: a team, an organisation, a sector.
type Identity struct {
	Name, Class, Description, Contact string
	Sectors, Roles                    []string
}

// Identity returns the object as an identity.
func (o *Object) Identity() (Identity, bool) {
	return Identity{o.Text("name"), o.Text("identity_class"), o.Text("description"), o.Text("contact_information"), o.Texts("sectors"),
		o.Texts("roles")}, o.Type == "identity"
}

// Report is a collection with a name.
type Report struct {
	Name, Description string
	Types             []string
	Published         time.Time
	Refs              []string
}

// Report returns the object as a report, or a grouping, which is one that is not published.
func (o *Object) Report() (Report, bool) {
	at, _ := o.Time("published")
	return Report{o.Text("name"), o.Text("description"), o.Texts("report_types"), at, o.Texts("object_refs")}, o.Type == "report" || o.Type == "grouping"
}

// Malware is a malicious program, or a family of them.
type Malware struct {
	Name, Description string
	Types, Aliases    []string
	Family            bool
}

// Malware returns the object as malware.
func (o *Object) Malware() (Malware, bool) {
	family, _ := o.Value("is_family").(bool)
	return Malware{o.Text("name"), o.Text("description"), o.Texts("malware_types"), o.Texts("aliases"), family}, o.Type == "malware"
}

// Vulnerability is a weakness.
type Vulnerability struct {
	Name, Description string
	CVE               string // "CVE-2026-12345", from a reference or the name; "" if there is none
}

// Vulnerability returns the object as a vulnerability.
func (o *Object) Vulnerability() (Vulnerability, bool) {
	v := Vulnerability{Name: o.Text("name"), Description: o.Text("description")}
	for _, r := range o.References() {
		if strings.EqualFold(r.Source, "cve") && r.ID != "" {
			v.CVE = r.ID
			break
		}
	}
	if v.CVE == "" && strings.HasPrefix(v.Name, "CVE-") {
		v.CVE = v.Name
	}
	return v, o.Type == "vulnerability"
}

// Reference points out of STIX.
type Reference struct {
	Source, ID, URL, Description string
}

// References returns the object's external references.
func (o *Object) References() []Reference {
	all, _ := o.Value("external_references").([]any)
	var out []Reference
	for _, v := range all {
		m, _ := v.(map[string]any)
		text := func(k string) string {
			s, _ := m[k].(string)
			return s
		}
		out = append(out, Reference{text("source_name"), text("external_id"), text("url"), text("description")})
	}
	return out
}

// Title is what a list shows of the object, defanged: its name, the value of an observable, the pattern; at worst its id.
func (o *Object) Title() string {
	for _, name := range []string{"name", "value", "pattern", "path", "key", "subject", "attribute_abstract", "abstract", "opinion"} {
		if s := o.Text(name); s != "" {
			return Defang(s)
		}
	}
	if all := o.Observables(); len(all) > 0 {
		return DefangValue(all[0].Observable)
	}
	return o.ID
}

// Observables returns what the object points at: an indicator by its pattern, an observable by its value and hashes, observed-data by those of the
// older kind that it holds itself. Of an indicator in another language than STIX, nothing.
func (o *Object) Observables() []Observable {
	switch o.Type {
	case "indicator":
		if o.Text("pattern_type") != "stix" {
			return nil
		}
		all, err := pattern.Observables(o.Text("pattern"))
		if err != nil {
			return nil // which Validate has said
		}
		return all
	case "observed-data":
		inside, _ := o.Value("objects").(map[string]any)
		var out []Observable
		for _, v := range inside {
			if m, ok := v.(map[string]any); ok {
				out = append(out, held(m)...)
			}
		}
		sortObservables(out)
		return out
	}
	return held(o.tree)
}

// held returns what an observable of STIX points at.
func held(m map[string]any) []Observable {
	kind, _ := m["type"].(string)
	var out []Observable
	add := func(kind, v string) {
		if o, ok := pattern.Of(kind, v); ok {
			o.Alone = true
			out = append(out, o)
		}
	}
	if v, ok := m["value"].(string); ok {
		add(kind, v)
	}
	if n, ok := m["number"].(int64); ok {
		add(kind, strconv.FormatInt(n, 10))
	}
	if hashes, ok := m["hashes"].(map[string]any); ok && (kind == "file" || kind == "artifact" || kind == "x509-certificate") {
		for name, v := range hashes {
			if s, ok := v.(string); ok {
				add("hashes:"+name, s)
			}
		}
		sortObservables(out)
	}
	return out
}
