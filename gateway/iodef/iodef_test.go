package iodef_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/gateway/iodef"
	"detente/label"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func day(hour, minute int) time.Time { return time.Date(2026, 11, 23, hour, minute, 0, 0, time.UTC) }

func toXS() label.Path {
	return label.Path{Audience: label.Named, Recipients: []string{"xs/cert"}, Plane: label.Exercise}
}

// scan is a case as a CERT would report it.
func scan() *iodef.Report {
	return &iodef.Report{
		Team: "cert.xn.example", Case: "2026-0017", Others: []iodef.ID{{Team: "cert.xs.example", Number: "4711"}}, Purpose: iodef.Mitigation, Status: "in-progress",
		Label:     label.Parcel{TLP: label.TLPAmberStrict, PAP: label.PAPGreen, Plane: label.Exercise, Own: true},
		Generated: day(8, 0), Detected: day(6, 30), Start: day(6, 0), End: day(7, 0), Reported: day(7, 30), Clock: "NTP, 1 s",
		Text: "Log-in attempts apparently from or through your territory. <b>1 < 2</b>", Category: label.Classification{Class: "intrusion-attempts", Type: "brute-force"},
		Occurred: true, Severity: "medium", Impact: "Remote access was slow for an hour.", Rating: "high",
		Methods:  []iodef.Method{{URL: "https://attack.mitre.org/techniques/T1110", Text: "T1110"}},
		Contacts: []iodef.Contact{{Role: "creator", Name: "CERT of xn", Mail: "cert@xn.example", Phone: "+00 1 234", Zone: "+02:00"}, {Role: "irt", Mail: "cert@xs.example"}},
		Events: []iodef.Event{{
			Start: day(6, 0), End: day(7, 0),
			Systems: []iodef.System{{Role: "source", Address: "198.51.100.7", ASN: 64500, Domain: "host.xs.example"}, {Role: "target", Address: "2001:db8::/32", Port: 22, Protocol: 6, NodeRole: "remote-access"}},
			Asked:   []iodef.Expectation{{Action: "investigate", Text: "Please look whose it is.", Until: day(18, 0)}},
			Logs:    []string{"06:00:01 sshd: failed password for root from 198.51.100.7"},
		}},
		Found: []iodef.Indicator{
			{ID: "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", Address: "198.51.100.7", Start: day(6, 0), Rating: "medium"},
			{ID: "i2", Domain: "c2.example"}, {ID: "i3", URL: "http://c2.example/a"}, {ID: "i4", Mail: "lure@c2.example"},
			{ID: "i5", SHA256: strings.Repeat("ab", 32), MD5: strings.Repeat("0c", 16), File: "tool.exe"},
		},
		History: []iodef.HistoryItem{{At: day(6, 45), Action: "rate-limit-host", Text: "Slowed down at the border."}},
	}
}

func TestReport(t *testing.T) {
	got, err := scan().XML(toXS())
	must(t, err)
	golden := filepath.Join("testdata", "scan.xml")
	if *update {
		must(t, os.WriteFile(golden, got, 0o644))
	}
	want, err := os.ReadFile(golden)
	must(t, err)
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Error(d)
	}
	conforms(t, got)
}

// The smallest report that may go, and each label.
func TestRestriction(t *testing.T) {
	for tlp, want := range map[label.TLP]string{
		label.TLPRed: `restriction="red"`, label.TLPAmberStrict: `restriction="ext-value" ext-restriction="TLP:AMBER+STRICT"`, label.TLPAmber: `restriction="amber"`,
		label.TLPGreen: `restriction="green"`, label.TLPClear: `restriction="white"`,
	} {
		r := &iodef.Report{Team: "cert.xn.example", Case: "1", Purpose: iodef.Reporting, Label: label.Parcel{TLP: tlp, Plane: label.Real, Own: true}, Generated: day(8, 0),
			Contacts: []iodef.Contact{{Role: "creator", Name: "CERT of xn"}}}
		b, err := r.XML(label.Path{Audience: label.Named, Recipients: []string{"xs/cert"}, Plane: label.Real})
		must(t, err)
		conforms(t, b)
		if !strings.Contains(string(b), want) || strings.Contains(string(b), "EXERCISE") || !strings.Contains(string(b), `purpose="reporting"`) {
			t.Errorf("%s:\n%s", tlp, b)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, change := range map[string]func(*iodef.Report){
		"no purpose":            func(r *iodef.Report) { r.Purpose = "" },
		"two purposes":          func(r *iodef.Report) { r.Purpose = "reporting watch" },
		"no number":             func(r *iodef.Report) { r.Case = "" },
		"no creator":            func(r *iodef.Report) { r.Contacts = r.Contacts[1:] },
		"nobody's role":         func(r *iodef.Report) { r.Contacts[1].Role = "spy" },
		"no time":               func(r *iodef.Report) { r.Generated = time.Time{} },
		"a host for an address": func(r *iodef.Report) { r.Events[0].Systems[0].Address = "host.example" },
		"a system of nothing":   func(r *iodef.Report) { r.Events[0].Systems[0] = iodef.System{Role: "source"} },
		"a port too high":       func(r *iodef.Report) { r.Events[0].Systems[1].Port = 65536 },
		"an unknown action":     func(r *iodef.Report) { r.Events[0].Asked[0].Action = "strike back" },
		"two observables":       func(r *iodef.Report) { r.Found[1].URL = "http://c2.example" },
		"half a hash":           func(r *iodef.Report) { r.Found[4].SHA256 = "abab" },
		"an id twice":           func(r *iodef.Report) { r.Found[2].ID = "i2" },
		"an id with markup":     func(r *iodef.Report) { r.Found[2].ID = "<i/>" },
		"very many systems":     func(r *iodef.Report) { r.Events[0].Systems = make([]iodef.System, 10_001) },
		"an unknown class":      func(r *iodef.Report) { r.Category.Class = "weather" },
	} {
		r := scan()
		change(r)
		if _, err := r.XML(toXS()); !errors.Is(err, iodef.ErrReport) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, over := range map[string]label.Path{
		"to the community": {Audience: label.Community, Plane: label.Exercise},
		"as if it were so": {Audience: label.Named, Recipients: []string{"xs/cert"}, Plane: label.Real},
	} {
		if _, err := scan().XML(over); !errors.Is(err, label.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// models are the content models of RFC 7970, section 8, for the elements that we write: the children in their order. A child with "!" must
// be there, after "@" stand the attributes, those with "!" compulsory. Elements that are not named hold text only.
func models() map[string]string {
	return map[string]string{
		"IODEF-Document": "Incident! AdditionalData @ version lang!",
		"Incident": "IncidentID! AlternativeID RelatedActivity DetectTime StartTime EndTime RecoveryTime ReportTime GenerationTime! Description Discovery Assessment Method " +
			"Contact! EventData IndicatorData History AdditionalData @ purpose! ext-purpose status lang restriction ext-restriction",
		"IncidentID":     "@ name!",
		"AlternativeID":  "IncidentID! @",
		"Assessment":     "IncidentCategory SystemImpact! Counter MitigatingFactor Cause Confidence AdditionalData @ occurrence",
		"SystemImpact":   "Description @ severity completion type",
		"Confidence":     "@ rating!",
		"Method":         "Reference Description @",
		"Reference":      "URL Description @",
		"Contact":        "ContactName ContactTitle Description RegistryHandle PostalAddress Email Telephone Timezone Contact @ role! type!",
		"Email":          "EmailTo! Description @ type",
		"Telephone":      "TelephoneNumber! Description @ type",
		"EventData":      "Description DetectTime StartTime EndTime RecoveryTime ReportTime Contact Discovery Assessment Method Flow Expectation Record EventData AdditionalData @",
		"Flow":           "System! @",
		"System":         "Node! NodeRole Service OperatingSystem Counter AssetID Description @ category spoofed",
		"Node":           "DomainData Address PostalAddress Location Counter @",
		"DomainData":     "Name! @",
		"Address":        "@ category",
		"NodeRole":       "Description @ category!",
		"Service":        "ServiceName Port Portlist @ ip-protocol",
		"Expectation":    "Description DefinedCOA StartTime EndTime Contact @ action",
		"Record":         "RecordData! @",
		"RecordData":     "DateTime Description Application RecordPattern RecordItem @",
		"RecordItem":     "@ name dtype!",
		"AdditionalData": "@ name dtype!",
		"IndicatorData":  "Indicator! @",
		"Indicator":      "IndicatorID! AlternativeIndicatorID Description StartTime EndTime Confidence Contact Observable! @",
		"IndicatorID":    "@ name! version!",
		"Observable":     "Address DomainData FileData @",
		"FileData":       "File! @",
		"File":           "FileName FileSize FileType URL HashData @",
		"HashData":       "HashTargetID Hash @ scope!",
		"Hash":           "DigestMethod! DigestValue! @",
		"DigestMethod":   "@ Algorithm!",
		"History":        "HistoryItem! @",
		"HistoryItem":    "DateTime! IncidentID Contact Description @ action!",
	}
}

// conforms walks a document along the content models.
func conforms(t *testing.T, doc []byte) {
	t.Helper()
	known := models()
	type open struct {
		name     string
		children []string
	}
	var stack []open
	d := xml.NewDecoder(strings.NewReader(string(doc)))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		must(t, err)
		switch x := token.(type) {
		case xml.StartElement:
			space := "urn:ietf:params:xml:ns:iodef-2.0"
			if strings.HasPrefix(x.Name.Local, "Digest") {
				space = "http://www.w3.org/2000/09/xmldsig#"
			}
			if x.Name.Space != space {
				t.Errorf("%s is in the namespace %q", x.Name.Local, x.Name.Space)
			}
			if len(stack) > 0 {
				top := &stack[len(stack)-1]
				top.children = append(top.children, x.Name.Local)
			}
			stack = append(stack, open{name: x.Name.Local})
			_, attributes, _ := strings.Cut(known[x.Name.Local], "@")
			have := map[string]bool{}
			for _, a := range x.Attr {
				have[a.Name.Local] = true
				if a.Name.Local != "xmlns" && !slices.Contains(strings.Fields(strings.ReplaceAll(attributes, "!", "")), a.Name.Local) {
					t.Errorf("%s has the attribute %s", x.Name.Local, a.Name.Local)
				}
			}
			for _, a := range strings.Fields(attributes) {
				if name, must := strings.CutSuffix(a, "!"); must && !have[name] {
					t.Errorf("%s lacks the attribute %s", x.Name.Local, name)
				}
			}
		case xml.EndElement:
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			order, _, _ := strings.Cut(known[top.name], "@")
			last := 0
			names := strings.Fields(strings.ReplaceAll(order, "!", ""))
			for _, c := range top.children {
				i := slices.Index(names, c)
				if i < last {
					t.Errorf("%s holds %v, must be in the order %v", top.name, top.children, names)
				}
				last = max(last, i)
			}
			for _, c := range strings.Fields(order) {
				if name, must := strings.CutSuffix(c, "!"); must && !slices.Contains(top.children, name) {
					t.Errorf("%s lacks %s", top.name, name)
				}
			}
			if (top.name == "Node" || top.name == "Observable") && len(top.children) == 0 {
				t.Errorf("%s is empty", top.name)
			}
		}
	}
}
