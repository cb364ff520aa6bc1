// Package iodef writes a case as an incident document of RFC 7970 (IODEF version 2), for teams whose tools read nothing else.
// It must never read one, nor leave out the restriction: the label of the case stands on the incident and on every part that has its own.
package iodef

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"detente/label"
)

// ErrReport says that a report lacks what RFC 7970 demands, or holds what it cannot say; the text names it.
var ErrReport = errors.New("iodef: the report is not complete")

// Purpose says why the report is sent: RFC 7970, section 3.2.
type Purpose string

// The purposes.
const (
	Traceback  Purpose = "traceback"
	Mitigation Purpose = "mitigation"
	Reporting  Purpose = "reporting"
	Watch      Purpose = "watch"
	Other      Purpose = "other"
)

// Report is the view of a case that is written. The zero values of optional fields are left out.
type Report struct {
	Team      string       // the domain name of the team that numbers the incident
	Case      string       // its number there
	Others    []ID         // the numbers that other teams gave it
	Purpose   Purpose      // compulsory
	Status    string       // new, in-progress, forwarded, resolved or future
	Language  string       // of the texts; empty is en
	Label     label.Parcel // compulsory: its TLP becomes the restriction; an exercise or a test says so to readers and to tools
	Generated time.Time    // compulsory: when the document was made
	Detected  time.Time    // when the reporter noticed it
	Start     time.Time    // when it began
	End       time.Time    // when it ended
	Reported  time.Time    // when it was reported to the reporter
	Clock     string       // how accurate the clocks are, such as "NTP"
	Text      string       // what happened
	Category  label.Classification
	Occurred  bool          // it happened; else it may happen
	Severity  string        // low, medium or high
	Impact    string        // the effect in words
	Rating    string        // confidence: low, medium, high, or numeric
	Score     int           // of confidence, 0 to 100, if Rating is numeric
	Methods   []Method      // how it was done
	Contacts  []Contact     // at least one, and one of them the creator
	Events    []Event       // what was seen
	Found     []Indicator   // what may be looked for
	History   []HistoryItem // what was done so far
}

// ID is a number of the incident at a team.
type ID struct{ Team, Number string }

// Method refers to a known way of doing harm.
type Method struct {
	URL  string // where it is described
	Text string // such as "CVE-2024-3400" or "T1190"
}

// Contact is a team or an office; never a named person.
type Contact struct {
	Role  string // creator, reporter, irt, victim … : RFC 7970, section 3.9
	Name  string
	Mail  string
	Phone string // for what is urgent
	Zone  string // "+02:00" or "Z"
}

// Event is one occurrence.
type Event struct {
	Text     string
	Detected time.Time
	Start    time.Time
	End      time.Time
	Systems  []System
	Asked    []Expectation
	Logs     []string // extracts, each a line or a few
}

// System is a machine in an event.
type System struct {
	Role     string // source, target, intermediate, sensor or infrastructure
	Spoofed  bool
	Address  string // an address or prefix
	Domain   string
	ASN      uint32
	URL      string
	Port     int // 0: none
	Protocol int // number of the IP protocol; 0: none
	NodeRole string
}

// Expectation is what is asked for.
type Expectation struct {
	Action string // investigate, block-host, nothing … : the action values of RFC 7970
	Text   string
	Until  time.Time
}

// Indicator is one thing to look for: exactly one of its observables.
type Indicator struct {
	ID     string // a name of XML, such as a STIX identifier
	Text   string
	Start  time.Time
	End    time.Time
	Rating string // low, medium or high

	Address string
	Domain  string
	URL     string
	Mail    string
	SHA256  string
	SHA1    string
	MD5     string
	File    string // name beside the hash
}

// HistoryItem is something that was done.
type HistoryItem struct {
	At     time.Time
	Action string
	Text   string
}

const (
	maxText   = 64 << 10 // bytes of one text
	maxParts  = 10_000   // events, indicators and their systems
	namespace = "urn:ietf:params:xml:ns:iodef-2.0"
)

// XML gives the document, for whoever is at the end of a path. Errors: ErrReport; a [label.Refusal] if the label does not permit the path.
func (r *Report) XML(over label.Path) ([]byte, error) {
	if err := label.Leave(r.Label, over); err != nil {
		return nil, fmt.Errorf("iodef: %w", err)
	}
	doc, err := r.document()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrReport, err)
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", "  ")
	if err := e.Encode(doc); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrReport, err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// check says what is missing, all of it at once.
func (r *Report) check() error {
	var missing []string
	need := func(ok bool, what string) {
		if !ok {
			missing = append(missing, what)
		}
	}
	creator := false
	for _, c := range r.Contacts {
		creator = creator || c.Role == "creator"
		need(c.Name != "" || c.Mail != "", "a contact's name or mail address")
		need(contains(roles, c.Role), "a contact's role that RFC 7970 knows")
	}
	need(r.Team != "" && r.Case != "", "team and number of the case")
	need(contains(purposes, string(r.Purpose)), "the purpose")
	need(r.Category == label.Classification{} || r.Category.Valid(), "a classification of RSIT")
	need(!r.Generated.IsZero(), "the time at which it was made")
	need(creator, "a contact with the role creator")
	need(r.Status == "" || contains(statuses, r.Status), "a known status")
	need(r.Severity == "" || contains(levels, r.Severity), "a severity low, medium or high")
	need(r.Rating == "" || r.Rating == "numeric" || contains(levels, r.Rating), "a confidence low, medium, high or numeric")
	if len(missing) > 0 {
		return errors.New("it lacks " + strings.Join(missing, ", "))
	}
	parts := len(r.Events) + len(r.Found) + len(r.Contacts) + len(r.Methods) + len(r.History)
	for _, e := range r.Events {
		parts += len(e.Systems) + len(e.Logs) + len(e.Asked)
	}
	if parts > maxParts {
		return fmt.Errorf("%d parts, over %d", parts, maxParts)
	}
	return nil
}

// The lists of RFC 7970 that are used here, each between spaces.
const (
	purposes   = " traceback mitigation reporting watch other "
	statuses   = " new in-progress forwarded resolved future "
	levels     = " low medium high "
	roles      = " creator reporter admin tech provider user billing legal abuse irt cc cc-irt leo vendor vendor-support victim victim-notified "
	categories = " source target intermediate sensor infrastructure "
	nodeRoles  = " client server-internal server-public www mail file ftp name directory database application remote-access infra infra-firewall infra-router scada sinkhole honeypot " +
		"anonymization c2-server malware-distribution drop-server hop-point reflector phishing-site "
	actions = " nothing contact-source-site contact-target-site contact-sender investigate block-host block-network block-port rate-limit-host rate-limit-network " +
		"rate-limit-port redirect-traffic honeypot upgrade-software rebuild-asset harden-asset remediate-other status-triage status-new-info watch-and-report training other "
)

func contains(list, word string) bool {
	return word != "" && !strings.Contains(word, " ") && strings.Contains(list, " "+word+" ")
}

// restriction gives the value of the attribute and of its extension. The list of RFC 7970 is that of TLP 1.0: AMBER+STRICT is an extension.
func restriction(t label.TLP) (value, extension string) {
	switch t {
	case label.TLPClear:
		return "white", ""
	case label.TLPGreen:
		return "green", ""
	case label.TLPAmber:
		return "amber", ""
	case label.TLPRed:
		return "red", ""
	}
	return "ext-value", t.String()
}

func (r *Report) document() (*document, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	lang := r.Language
	if lang == "" {
		lang = "en"
	}
	in := incident{Purpose: string(r.Purpose), Status: r.Status, Lang: lang, ID: incidentID{Name: r.Team, Text: r.Case}}
	in.Restriction, in.ExtRestriction = restriction(r.Label.TLP)
	in.DetectTime, in.StartTime, in.EndTime, in.ReportTime, in.GenerationTime = at(r.Detected), at(r.Start), at(r.End), at(r.Reported), at(r.Generated)
	if r.Label.Plane != label.Real {
		// A tool that knows nothing of planes must not take an exercise for an incident: it does not know the purpose either.
		in.ExtPurpose, in.Purpose = string(r.Label.Plane)+"-"+in.Purpose, "ext-value"
		word := r.Label.Plane.Flag()
		in.Description = append(in.Description, word+" "+word+" "+word)
		in.AdditionalData = append(in.AdditionalData, extension{Type: "string", Name: "plane", Text: word})
	}
	in.Description = append(in.Description, texts(r.Text)...)
	if r.Clock != "" {
		in.AdditionalData = append(in.AdditionalData, extension{Type: "string", Name: "clock", Text: clip(r.Clock)})
	}
	in.AdditionalData = append(in.AdditionalData, extension{Type: "string", Name: "tlp", Text: r.Label.TLP.String()})
	if p := r.Label.PAP.String(); p != "" {
		in.AdditionalData = append(in.AdditionalData, extension{Type: "string", Name: "pap", Text: p})
	}
	if len(r.Others) > 0 {
		in.Others = &alternativeID{}
		for _, o := range r.Others {
			in.Others.IDs = append(in.Others.IDs, incidentID{Name: o.Team, Text: o.Number})
		}
	}
	in.Assessment = append(in.Assessment, r.assessment())
	if len(r.Methods) > 0 {
		m := method{}
		for _, one := range r.Methods {
			m.References = append(m.References, reference{URL: one.URL, Description: texts(one.Text)})
		}
		in.Method = &m
	}
	for _, c := range r.Contacts {
		in.Contacts = append(in.Contacts, newContact(c))
	}
	for _, e := range r.Events {
		data, err := newEvent(e)
		if err != nil {
			return nil, err
		}
		in.Events = append(in.Events, data)
	}
	if len(r.Found) > 0 {
		in.Indicators = &indicatorData{}
		seen := map[string]bool{}
		for _, f := range r.Found {
			one, err := newIndicator(f, r.Team)
			if err != nil {
				return nil, err
			}
			if seen[f.ID] {
				return nil, fmt.Errorf("the indicator %q stands twice", f.ID)
			}
			seen[f.ID] = true
			in.Indicators.Indicators = append(in.Indicators.Indicators, one)
		}
	}
	if len(r.History) > 0 {
		in.History = &history{}
		for _, h := range r.History {
			if !contains(actions, h.Action) || h.At.IsZero() {
				return nil, fmt.Errorf("the history holds the action %q without time, or one that RFC 7970 does not know", h.Action)
			}
			in.History.Items = append(in.History.Items, historyItem{Action: h.Action, DateTime: at(h.At), Description: texts(h.Text)})
		}
	}
	return &document{Namespace: namespace, Version: "2.00", Lang: lang, Incident: in}, nil
}

func (r *Report) assessment() assessment {
	a := assessment{Occurrence: "potential", Impact: systemImpact{Severity: r.Severity, Type: "unknown", Description: texts(r.Impact)}}
	if r.Occurred {
		a.Occurrence = "actual"
	}
	if r.Category.Class != "" {
		a.Category = r.Category.String()
		a.Impact.Type = impactOf(r.Category)
	}
	a.Confidence = newConfidence(r.Rating, r.Score)
	return a
}

// impactOf gives the kind of impact that an RSIT class means, where it means one.
func impactOf(c label.Classification) string {
	switch c.Class {
	case "availability":
		return "availability-system"
	case "intrusions":
		if strings.Contains(c.Type, "account") {
			return "takeover-account"
		}
		return "takeover-system"
	case "malicious-code":
		return "takeover-system"
	case "information-content-security":
		if c.Type == "unauthorised-information-modification" {
			return "integrity-data"
		}
		return "breach-proprietary"
	}
	return "unknown"
}

func newConfidence(rating string, score int) *confidence {
	switch rating {
	case "":
		return nil
	case "numeric":
		return &confidence{Rating: rating, Text: strconv.Itoa(min(100, max(0, score)))}
	}
	return &confidence{Rating: rating, Text: "0"} // the number is demanded, and means nothing beside a word
}

func newContact(c Contact) contact {
	out := contact{Role: c.Role, Type: "organization", Name: c.Name, Zone: c.Zone}
	if c.Mail != "" {
		out.Mail = &mail{To: c.Mail}
	}
	if c.Phone != "" {
		out.Phone = &phone{Type: "hotline", Number: c.Phone}
	}
	return out
}

func newEvent(e Event) (eventData, error) {
	out := eventData{Description: texts(e.Text), DetectTime: at(e.Detected), StartTime: at(e.Start), EndTime: at(e.End)}
	if len(e.Systems) > 0 {
		out.Flow = &flow{}
		for _, s := range e.Systems {
			one, err := newSystem(s)
			if err != nil {
				return eventData{}, err
			}
			out.Flow.Systems = append(out.Flow.Systems, one)
		}
	}
	for _, x := range e.Asked {
		if !contains(actions, x.Action) {
			return eventData{}, fmt.Errorf("the action %q is not one of RFC 7970", x.Action)
		}
		out.Asked = append(out.Asked, expectation{Action: x.Action, Description: texts(x.Text), EndTime: at(x.Until)})
	}
	if len(e.Logs) > 0 {
		out.Record = &record{}
		for _, l := range e.Logs {
			out.Record.Data = append(out.Record.Data, recordData{Items: []extension{{Type: "string", Text: clip(l)}}})
		}
	}
	return out, nil
}

func newSystem(s System) (system, error) {
	if !contains(categories, s.Role) {
		return system{}, fmt.Errorf("the role %q of a system is not one of RFC 7970", s.Role)
	}
	out := system{Category: s.Role}
	if s.Spoofed {
		out.Spoofed = "yes"
	}
	if s.Domain != "" {
		out.Node.Domains = append(out.Node.Domains, domainData{Name: s.Domain})
	}
	if s.Address != "" {
		a, err := newAddress(s.Address)
		if err != nil {
			return system{}, err
		}
		out.Node.Addresses = append(out.Node.Addresses, a)
	}
	if s.ASN != 0 {
		out.Node.Addresses = append(out.Node.Addresses, address{Category: "asn", Text: strconv.FormatUint(uint64(s.ASN), 10)})
	}
	if s.URL != "" {
		out.Node.Addresses = append(out.Node.Addresses, address{Category: "site-uri", Text: s.URL})
	}
	if len(out.Node.Domains)+len(out.Node.Addresses) == 0 {
		return system{}, errors.New("a system has neither address nor name")
	}
	if s.NodeRole != "" {
		if !contains(nodeRoles, s.NodeRole) {
			return system{}, fmt.Errorf("%q is not a role of a node that is written", s.NodeRole)
		}
		out.NodeRole = &nodeRole{Category: s.NodeRole}
	}
	if s.Port != 0 || s.Protocol != 0 {
		if s.Port < 0 || s.Port > 65535 || s.Protocol < 0 || s.Protocol > 255 {
			return system{}, fmt.Errorf("port %d, protocol %d", s.Port, s.Protocol)
		}
		out.Service = &service{Protocol: number(s.Protocol), Port: number(s.Port)}
	}
	return out, nil
}

func newAddress(s string) (address, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		if p.Addr().Is4() {
			return address{Category: "ipv4-net", Text: p.String()}, nil
		}
		return address{Category: "ipv6-net", Text: p.String()}, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return address{}, fmt.Errorf("%q is neither an address nor a prefix", s)
	}
	if a.Is4() {
		return address{Category: "ipv4-addr", Text: a.String()}, nil
	}
	return address{Category: "ipv6-addr", Text: a.String()}, nil
}

func newIndicator(f Indicator, team string) (indicator, error) {
	if !ncName(f.ID) {
		return indicator{}, fmt.Errorf("%q cannot be the id of an indicator", f.ID)
	}
	out := indicator{ID: indicatorID{Name: team, Version: "1", Text: f.ID}, Description: texts(f.Text), StartTime: at(f.Start), EndTime: at(f.End)}
	if f.Rating != "" {
		if !contains(levels, f.Rating) {
			return indicator{}, fmt.Errorf("the indicator %s has the confidence %q", f.ID, f.Rating)
		}
		out.Confidence = newConfidence(f.Rating, 0)
	}
	o := &out.Observable
	n := 0
	if f.Address != "" {
		a, err := newAddress(f.Address)
		if err != nil {
			return indicator{}, err
		}
		o.Address, n = &a, n+1
	}
	if f.Domain != "" {
		o.Domain, n = &domainData{Name: f.Domain}, n+1
	}
	if f.URL != "" {
		o.Address, n = &address{Category: "site-uri", Text: f.URL}, n+1
	}
	if f.Mail != "" {
		o.Address, n = &address{Category: "e-mail", Text: f.Mail}, n+1
	}
	hashes, err := hashesOf(f)
	if err != nil {
		return indicator{}, err
	}
	if len(hashes) > 0 || f.File != "" {
		one := file{Name: f.File}
		if len(hashes) > 0 {
			one.Hashes = &hashData{Scope: "file-contents", Hashes: hashes}
		}
		o.File, n = &fileData{Files: []file{one}}, n+1
	}
	if n != 1 {
		return indicator{}, fmt.Errorf("the indicator %s has %d observables, must have one", f.ID, n)
	}
	return out, nil
}

func hashesOf(f Indicator) ([]hash, error) {
	var all []hash
	for _, h := range []struct {
		value, algorithm string
		size             int
	}{
		{f.SHA256, "http://www.w3.org/2001/04/xmlenc#sha256", 32},
		{f.SHA1, "http://www.w3.org/2000/09/xmldsig#sha1", 20},
		{f.MD5, "http://www.w3.org/2001/04/xmldsig-more#md5", 16},
	} {
		if h.value == "" {
			continue
		}
		b, err := hex.DecodeString(h.value)
		if err != nil || len(b) != h.size {
			return nil, fmt.Errorf("%q is not a hash of %d bytes", h.value, h.size)
		}
		all = append(all, hash{Method: digestMethod{Algorithm: h.algorithm}, Value: base64.StdEncoding.EncodeToString(b)})
	}
	return all, nil
}

// ncName tells whether s may be an xs:ID, of ASCII.
func ncName(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
		if !letter && (i == 0 || !(r >= '0' && r <= '9' || r == '-' || r == '.')) {
			return false
		}
	}
	return s != "" && len(s) <= 200
}

func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func texts(s string) []string {
	if s == "" {
		return nil
	}
	return []string{clip(s)}
}

// clip shortens a text at a character's border.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "")
}
