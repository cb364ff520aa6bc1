package flat

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

// In says what holds for all events of a file.
type In struct {
	TLP label.TLP // how the file came; an event may be narrower
	PAP label.PAP
}

// Plane tells which plane an event belongs to: what is classified as a test is one, and nothing in these formats marks an exercise.
func (e Event) Plane() label.Plane {
	if e["classification.taxonomy"] == "test" || e["classification.type"] == "test" {
		return label.Test
	}
	return label.Real
}

// Class is the event's class and type of RSIT. The zero value if it has none.
func (e Event) Class() label.Classification {
	if c, ok := label.OfType(e["classification.type"]); ok {
		return c
	}
	if c := (label.Classification{Class: e["classification.taxonomy"]}); c.Valid() {
		return c
	}
	return label.Classification{}
}

// threat tells whether the source of an event is to be looked for by others, or is somebody to be helped.
func threat(c label.Classification) bool {
	switch c.Type {
	case "c2-server", "malware-distribution", "malware-configuration", "phishing", "masquerade", "scanner", "brute-force", "exploit", "ids-alert", "spam":
		return true
	}
	return false
}

// STIX gives the objects that an event is: what was observed; where its source is a threat, an indicator for it, the same for all events of its source, and
// a sighting of that. Ids are made of what the event says, so an event that comes twice makes nothing new. Error: ErrLine.
func (e Event) STIX(in In) ([]*stix.Object, error) {
	at := e.Time()
	if at.IsZero() {
		return nil, fmt.Errorf("%w: it has no time", ErrLine)
	}
	tlp := in.TLP
	if own, ok := label.ParseTLP(e["tlp"]); ok {
		tlp = tlp.Narrower(own)
	} else if e["tlp"] != "" {
		tlp = label.TLPRed
	}
	m := &minter{event: e, at: at, marking: mint.Markings(tlp, in.PAP), labels: e.labels()}
	if err := m.all(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLine, err)
	}
	return m.out, nil
}

type minter struct {
	event   Event
	at      time.Time
	marking []string
	labels  []string
	refs    []string
	out     []*stix.Object
}

func (m *minter) add(o *stix.Object, err error) (string, error) {
	if err != nil {
		return "", err
	}
	m.out = append(m.out, o)
	return o.ID, nil
}

// observable adds an observable to what was seen.
func (m *minter) observable(kind string, f mint.Fields, by ...string) (string, error) {
	o, err := mint.Observable(kind, f, by...)
	if err != nil {
		return "", err
	}
	if slices.Contains(m.refs, o.ID) {
		return o.ID, nil
	}
	m.refs = append(m.refs, o.ID)
	return m.add(o, nil)
}

func (m *minter) all() error {
	ends := map[string]string{}
	for _, side := range []string{"source.", "destination."} {
		id, err := m.side(side)
		if err != nil {
			return err
		}
		ends[side] = id
	}
	if err := m.file(); err != nil {
		return err
	}
	if err := m.traffic(ends["source."], ends["destination."]); err != nil {
		return err
	}
	if len(m.refs) == 0 {
		return errors.New("it names no address, name, URL, account or hash")
	}
	seen, err := m.add(mint.Object("observed-data", m.event.key(), m.at, m.at, mint.Fields{
		"first_observed": m.at, "last_observed": m.at, "number_observed": 1, "object_refs": m.refs, "object_marking_refs": m.marking, "labels": m.labels,
	}))
	if err != nil || !threat(m.event.Class()) {
		return err
	}
	pattern := m.pattern()
	if pattern == "" {
		return nil
	}
	day := m.at.Truncate(24 * time.Hour) // one version a day, whatever the order in which events come
	class := m.event.Class()
	indicator, err := m.add(mint.Object("indicator", mint.UUID("flat indicator", class.String(), pattern, strings.Join(m.marking, " ")), time.Unix(0, 0), day, mint.Fields{
		"name": class.Type, "pattern": pattern, "pattern_type": "stix", "valid_from": day, "object_marking_refs": m.marking, "labels": []string{class.Tag()},
	}))
	if err != nil {
		return err
	}
	_, err = m.add(mint.Object("sighting", mint.UUID("flat sighting", m.event.key()), m.at, m.at, mint.Fields{
		"sighting_of_ref": indicator, "observed_data_refs": []string{seen}, "first_seen": m.at, "last_seen": m.at, "count": 1, "object_marking_refs": m.marking,
	}))
	return err
}

// side adds what is said of the source or destination, and gives the address or name that traffic goes from or to.
func (m *minter) side(side string) (string, error) {
	end := ""
	if family, value, ok := mint.Address(m.event[side+"ip"]); ok {
		var err error
		if end, err = m.observable(family, mint.Fields{"value": value}, "value"); err != nil {
			return "", err
		}
	}
	if name := m.event[side+"fqdn"]; name != "" {
		id, err := m.observable("domain-name", mint.Fields{"value": name}, "value")
		if err != nil {
			return "", err
		}
		if end == "" {
			end = id
		}
	}
	if family, value, ok := mint.Address(m.event[side+"network"]); ok {
		if _, err := m.observable(family, mint.Fields{"value": value}, "value"); err != nil {
			return "", err
		}
	}
	if url := m.event[side+"url"]; url != "" {
		if _, err := m.observable("url", mint.Fields{"value": url}, "value"); err != nil {
			return "", err
		}
	}
	if n, err := strconv.ParseInt(m.event[side+"asn"], 10, 64); err == nil {
		if _, err := m.observable("autonomous-system", mint.Fields{"number": n, "name": m.event[side+"as_name"]}, "number"); err != nil {
			return "", err
		}
	}
	if account := m.event[side+"account"]; strings.Count(account, "@") == 1 && !strings.ContainsAny(account, " <>") {
		if _, err := m.observable("email-addr", mint.Fields{"value": account}, "value"); err != nil {
			return "", err
		}
	}
	return end, nil
}

// hashNames are the hashes that IntelMQ has fields for.
func hashNames() [3][2]string {
	return [...][2]string{{"malware.hash.md5", "MD5"}, {"malware.hash.sha1", "SHA-1"}, {"malware.hash.sha256", "SHA-256"}}
}

func (m *minter) file() error {
	hashes := map[string]any{}
	for _, h := range hashNames() {
		if v := strings.ToLower(m.event[h[0]]); v != "" && mint.HashName(v) == h[1] {
			hashes[h[1]] = v
		}
	}
	if len(hashes) == 0 {
		return nil
	}
	_, err := m.observable("file", mint.Fields{"hashes": hashes}, "hashes")
	return err
}

func (m *minter) traffic(from, to string) error {
	protocol := m.event["protocol.transport"]
	if protocol == "" || from == "" && to == "" {
		return nil
	}
	protocols := []string{protocol}
	if p := m.event["protocol.application"]; p != "" {
		protocols = append(protocols, p)
	}
	f := mint.Fields{"protocols": protocols, "src_ref": from, "dst_ref": to}
	for member, field := range map[string]string{"src_port": "source.port", "dst_port": "destination.port"} {
		if n, err := strconv.ParseInt(m.event[field], 10, 64); err == nil && n <= 65535 {
			f[member] = n
		}
	}
	_, err := m.observable("network-traffic", f, "dst_port", "dst_ref", "protocols", "src_port", "src_ref")
	return err
}

// pattern is that for the source: the most exact of what is said of it.
func (m *minter) pattern() string {
	e := m.event
	names := hashNames()
	for i := len(names) - 1; i >= 0; i-- {
		h := names[i]
		if v := strings.ToLower(e[h[0]]); v != "" && mint.HashName(v) == h[1] {
			return mint.Pattern(mint.Comparison{Path: mint.Hash(h[1]), Value: v})
		}
	}
	switch family, address, ok := mint.Address(e["source.ip"]); {
	case e["source.url"] != "":
		return mint.Pattern(mint.Comparison{Path: "url:value", Value: e["source.url"]})
	case e["source.fqdn"] != "":
		return mint.Pattern(mint.Comparison{Path: "domain-name:value", Value: e["source.fqdn"]})
	case ok:
		return mint.Pattern(mint.Comparison{Path: family + ":value", Value: address})
	}
	return ""
}

const (
	kept    = "intelmq:" // labels that hold a field: intelmq:feed.name=Shadowserver
	maxKept = 1000       // bytes of one
)

// labels are the class of the event, and its fields: what of them STIX has members for stands there too.
func (e Event) labels() []string {
	var out []string
	if c := e.Class(); c.Class != "" {
		out = append(out, c.Tag())
	}
	for _, name := range names(e) {
		switch v := e[name]; {
		case name == "raw" || name == "output" || name == "event_hash" || name == "tlp" || len(v) > maxKept:
		default:
			out = append(out, kept+name+"="+v)
		}
	}
	return out
}

// Out says for whom objects become events.
type Out struct {
	Path    label.Path
	Own     bool     // the party is the source of the objects
	Named   []string // whom the source has named
	Default label.TLP
	Feed    string // feed.name of what did not come as an event
}

// Left is an object that did not become an event.
type Left struct {
	ID  string
	Why error // a [label.Refusal]; nil if an event cannot say it
}

// Events makes events of what was observed, and of indicators of single values. Every object is held against its label; what stays is listed with its reason.
func Events(objects []*stix.Object, out Out) ([]Event, []Left) {
	byID := map[string]*stix.Object{}
	objects = stix.Latest(objects)
	for _, o := range objects {
		byID[o.ID] = o
	}
	f := known(fields())
	var events []Event
	var left []Left
	covered := map[string]bool{} // indicators that an event with what was observed stands for
	for _, o := range objects {
		if o.Type == "sighting" && len(o.Texts("observed_data_refs")) > 0 {
			covered[o.Text("sighting_of_ref")] = true
		}
	}
	for _, o := range objects {
		var e Event
		switch {
		case o.Type == "observed-data":
			e = f.observed(o, byID)
		case o.Type == "indicator" && !covered[o.ID] && !o.Revoked:
			e = f.indicator(o)
		default:
			continue
		}
		tlp, err := out.leaves(o, byID)
		if err != nil || e == nil {
			left = append(left, Left{ID: o.ID, Why: err})
			continue
		}
		e["tlp"] = string(tlp)
		if e["feed.name"] == "" && out.Feed != "" {
			e["feed.name"] = out.Feed
		}
		events = append(events, e)
	}
	return events, left
}

func (out *Out) leaves(o *stix.Object, byID map[string]*stix.Object) (label.TLP, error) {
	tlp, pap, unknown := mint.Labels(o, func(id string) (*stix.Object, bool) {
		d := byID[id]
		return d, d != nil
	})
	tlp = tlp.Or(out.Default)
	if unknown {
		return tlp, &label.Refusal{Reason: label.ReasonUnknown, Slots: [2]string{o.ID, out.Path.Audience.Key()}}
	}
	plane := out.Path.Plane
	if own := mint.Plane(o); own != label.Real {
		plane = own
	}
	return tlp, label.Leave(label.Parcel{TLP: tlp, PAP: pap, Plane: plane, Own: out.Own, Named: out.Named}, out.Path)
}

// fromLabels takes the fields out of labels.
func (f known) fromLabels(o *stix.Object) Event {
	e := Event{}
	for _, l := range o.Texts("labels") {
		if field, ok := strings.CutPrefix(l, kept); ok {
			name, v, _ := strings.Cut(field, "=")
			_ = f.set(e, name, v) // what is no value of the field is left out
		} else if c, ok := label.ParseClassification(l); ok && strings.HasPrefix(l, "rsit:") {
			e.fill("classification.type", c.Type)
			e.fill("classification.taxonomy", c.Class)
		}
	}
	return e
}

func (e Event) fill(name, v string) {
	if e[name] == "" && v != "" {
		e[name] = v
	}
}

func (f known) observed(o *stix.Object, byID map[string]*stix.Object) Event {
	e := f.fromLabels(o)
	at, _ := o.Time("last_observed")
	e.fill("time.source", at.Format(time.RFC3339Nano))
	n := len(e)
	for _, ref := range o.Texts("object_refs") {
		s := byID[ref]
		if s == nil {
			continue
		}
		switch s.Type {
		case "file":
			hashes, _ := s.Value("hashes").(map[string]any)
			for _, h := range hashNames() {
				v, _ := hashes[h[1]].(string)
				e.fill(h[0], v)
			}
		case "autonomous-system":
			if number, ok := s.Int("number"); ok {
				e.fill("source.asn", strconv.FormatInt(number, 10))
			}
		default:
			e.value(s.Type, s.Text("value"))
		}
	}
	if n == len(e) && e["source.ip"] == "" && e["source.url"] == "" && e["source.fqdn"] == "" && e["destination.ip"] == "" && e["source.account"] == "" && e["malware.hash.sha256"] == "" {
		return nil
	}
	return e
}

// value fills the field of the source for an observable of one value.
func (e Event) value(kind, v string) {
	switch kind {
	case "ipv4-addr", "ipv6-addr":
		if e["destination.ip"] == v {
			return
		}
		if strings.Contains(v, "/") {
			e.fill("source.network", v)
		} else {
			e.fill("source.ip", v)
		}
	case "domain-name":
		if e["destination.fqdn"] != v {
			e.fill("source.fqdn", v)
		}
	case "url":
		if e["destination.url"] != v {
			e.fill("source.url", v)
		}
	case "email-addr":
		e.fill("source.account", v)
	}
}

func (f known) indicator(o *stix.Object) Event {
	if o.Text("pattern_type") != "stix" {
		return nil
	}
	all, ok := mint.Comparisons(o.Text("pattern"))
	if !ok {
		return nil
	}
	e := f.fromLabels(o)
	if at, ok := o.Time("valid_from"); ok {
		e.fill("time.source", at.Format(time.RFC3339Nano))
	}
	n := len(e)
	for _, c := range all {
		kind, _, _ := strings.Cut(c.Path, ":")
		if c.Path == kind+":value" {
			e.value(kind, c.Value)
		}
		for _, h := range hashNames() {
			if c.Path == mint.Hash(h[1]) {
				e.fill(h[0], c.Value)
			}
		}
	}
	if len(e)-n != len(all) {
		return nil
	}
	e.fill("event_description.text", o.Text("name"))
	return e
}
