package pattern

import (
	"cmp"
	"slices"
	"strings"

	"detente/observable"
)

// Observable is something that an indicator points at.
type Observable struct {
	observable.Observable
	Hash  string // of a hash, its algorithm as STIX names it: "SHA-256"; "" if unknown
	Alone bool   // to see it is all that the pattern asks
}

// Observables returns what a pattern points at: tests for equality, for one of a set, and for a network, of addresses, names, URLs, hashes, mail
// addresses and numbers of autonomous systems. Wildcards, regular expressions and what a pattern rules out point at nothing. Error: an
// *[Error].
func Observables(s string) ([]Observable, error) {
	p, err := Parse(s)
	if err != nil {
		return nil, err
	}
	return p.Observables(), nil
}

// Observables returns what the pattern points at, each once.
func (p *Pattern) Observables() []Observable {
	var out []Observable
	seen := map[Observable]bool{}
	for _, c := range p.Comparisons {
		if c.Exclude || c.Op != "=" && c.Op != "IN" && c.Op != "ISSUBSET" {
			continue
		}
		for _, v := range c.Values {
			o, ok := pointed(c.Path, v)
			o.Alone = c.Alone
			if ok && !seen[o] {
				seen[o] = true
				out = append(out, o)
			}
		}
	}
	return out
}

// pointed tells what a path and a value of a pattern point at.
func pointed(path []string, v string) (Observable, bool) {
	last := path[len(path)-1]
	if i := slices.Index(path, "hashes"); i > 0 && i == len(path)-2 {
		return Of("hashes:"+last, v)
	}
	switch {
	case last == "number" && len(path) == 2, last == "value" && len(path) == 2:
		return Of(path[0], v)
	case last != "value" || len(path) < 3:
		return Observable{}, false
	}
	step := path[len(path)-2] // a reference, whose type the value itself tells
	if strings.HasPrefix(step, "[") {
		step = path[len(path)-3]
	}
	switch step {
	case "src_ref", "dst_ref", "resolves_to_refs":
		if o, ok := Of("ipv4-addr", v); ok {
			return o, true
		}
		return Of("domain-name", v)
	case "from_ref", "sender_ref", "to_refs", "cc_refs", "bcc_refs":
		return Of("email-addr", v)
	}
	return Observable{}, false
}

// Of returns what a value of an observable of STIX is: of "ipv4-addr", "ipv6-addr", "domain-name", "url", "email-addr", "autonomous-system", and
// of "hashes:" and the name of an algorithm. False for other types, and for what is not written as one.
func Of(kind, v string) (Observable, bool) {
	var kinds []observable.Kind
	algorithm := ""
	switch kind {
	case "ipv4-addr", "ipv6-addr":
		kinds = []observable.Kind{observable.IP, observable.Prefix}
	case "domain-name":
		kinds = []observable.Kind{observable.Domain}
	case "url":
		kinds = []observable.Kind{observable.URL}
	case "email-addr":
		kinds = []observable.Kind{observable.Mail}
	case "autonomous-system":
		kinds = []observable.Kind{observable.Number}
	default:
		var ok bool
		if algorithm, ok = strings.CutPrefix(kind, "hashes:"); !ok {
			return Observable{}, false
		}
		kinds = []observable.Kind{observable.Hash}
	}
	for _, k := range kinds {
		if o, err := observable.Parse(k, v); err == nil {
			return Observable{Observable: o, Hash: hashName(algorithm)}, true
		}
	}
	return Observable{}, false
}

// hashName is the name of an algorithm as STIX has it: people also write SHA256 and sha-256.
func hashName(s string) string {
	s = strings.ToUpper(s)
	if rest, ok := strings.CutPrefix(s, "SHA"); ok && rest != "" && rest[0] != '-' && !strings.HasPrefix(rest, "3-") {
		return "SHA-" + rest
	}
	return s
}

// For writes the pattern that looks for observables, any of them. It is "" for none, or for one that no pattern can name.
func For(all ...Observable) string {
	var b strings.Builder
	for i, o := range all {
		if i > 0 {
			b.WriteString(" OR ")
		}
		kind := typeOf(o.Kind, o.Value)
		switch {
		case kind == "":
			return ""
		case o.Kind == observable.Hash:
			b.WriteString("file:hashes." + quote(cmp.Or(o.Hash, hashByLength(o.Value))))
		case o.Kind == observable.Number:
			b.WriteString("autonomous-system:number")
		default:
			b.WriteString(kind + ":value")
		}
		switch o.Kind {
		case observable.Number:
			b.WriteString(" = " + strings.TrimPrefix(strings.ToUpper(o.Value), "AS"))
		case observable.Prefix:
			b.WriteString(" ISSUBSET " + quote(o.Value))
		default:
			b.WriteString(" = " + quote(o.Value))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "[" + b.String() + "]"
}

// quote writes a string of a pattern.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// hashByLength names the algorithm that a hash in hex most likely is of.
func hashByLength(v string) string {
	return map[int]string{32: "MD5", 40: "SHA-1", 56: "SHA-224", 64: "SHA-256", 96: "SHA-384", 128: "SHA-512"}[len(v)]
}

// typeOf is the type of STIX that holds an observable.
func typeOf(k observable.Kind, v string) string {
	switch k {
	case observable.IP, observable.Prefix:
		if strings.Contains(v, ":") {
			return "ipv6-addr"
		}
		return "ipv4-addr"
	case observable.Domain:
		return "domain-name"
	case observable.URL:
		return "url"
	case observable.Mail:
		return "email-addr"
	case observable.Number:
		return "autonomous-system"
	case observable.Hash:
		return "file"
	}
	return ""
}
