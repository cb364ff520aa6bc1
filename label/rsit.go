package label

import (
	"slices"
	"strings"
)

// Class is a class of RSIT, the Reference Security Incident Classification Taxonomy of ENISA and TF-CSIRT, version 1003 (CC0). Names are English and
// fixed; what is shown comes from the phrases, by "rsit." and the name, and "rsit." and "class.type".
type Class struct {
	Name  string
	Types []string
}

// RSITVersion is the version of the taxonomy.
const RSITVersion = 1003

// Classes returns the taxonomy, in its own order.
func Classes() []Class {
	return []Class{
		{"abusive-content", []string{"spam", "harmful-speech", "violence"}},
		{"malicious-code", []string{"infected-system", "c2-server", "malware-distribution", "malware-configuration"}},
		{"information-gathering", []string{"scanner", "sniffing", "social-engineering"}},
		{"intrusion-attempts", []string{"ids-alert", "brute-force", "exploit"}},
		{"intrusions", []string{"privileged-account-compromise", "unprivileged-account-compromise", "application-compromise", "system-compromise", "burglary"}},
		{"availability", []string{"dos", "ddos", "misconfiguration", "sabotage", "outage"}},
		{"information-content-security", []string{"unauthorised-information-access", "unauthorised-information-modification", "data-loss", "data-leak"}},
		{"fraud", []string{"unauthorised-use-of-resources", "copyright", "masquerade", "phishing"}},
		{"vulnerable", []string{"weak-crypto", "ddos-amplifier", "potentially-unwanted-accessible", "information-disclosure", "vulnerable-system"}},
		{"other", []string{"other", "undetermined"}},
		{"test", []string{"test"}},
	}
}

// Classification is a class and, if known, a type of it.
type Classification struct {
	Class string
	Type  string // "" if only the class is known
}

// ParseClassification reads "class" or "class.type"; "class:type" and a MISP tag `rsit:class="type"` too.
func ParseClassification(s string) (Classification, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	s = strings.ReplaceAll(strings.TrimPrefix(s, "rsit:"), `"`, "")
	if i := strings.IndexAny(s, ".:="); i >= 0 {
		c := Classification{s[:i], s[i+1:]}
		return c, c.Type != "" && c.Valid()
	}
	c := Classification{Class: s}
	return c, c.Valid()
}

// OfType finds the class of a type, as IntelMQ names only the type. A name that is both, such as "other", is the type of that class.
func OfType(name string) (Classification, bool) {
	for _, c := range Classes() {
		if slices.Contains(c.Types, name) {
			return Classification{c.Name, name}, true
		}
	}
	return Classification{}, false
}

// Valid tells whether the taxonomy has the class, and the class the type.
func (c Classification) Valid() bool {
	for _, k := range Classes() {
		if k.Name == c.Class {
			return c.Type == "" || slices.Contains(k.Types, c.Type)
		}
	}
	return false
}

// String is "class" or "class.type".
func (c Classification) String() string {
	if c.Type == "" {
		return c.Class
	}
	return c.Class + "." + c.Type
}

// Tag is the classification as a MISP tag.
func (c Classification) Tag() string {
	if c.Type == "" {
		return `rsit:` + c.Class
	}
	return `rsit:` + c.Class + `="` + c.Type + `"`
}

// Key is the key of its name in the phrases.
func (c Classification) Key() string { return "rsit." + c.String() }

// IsTest tells whether it is the class for testing, which must not be counted among incidents.
func (c Classification) IsTest() bool { return c.Class == "test" }
