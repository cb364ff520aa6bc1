package misp

import (
	"strings"

	"detente/gateway/mint"
)

// kind is a type of attribute: its category where nothing says otherwise, and what it is in STIX. A path for each part of its value, which "|"
// separates; "ip" stands for an address of either family.
type kind struct {
	name, category string
	paths          []string
}

// kinds are the types that are understood. The first that has a path is what an object path becomes that came from elsewhere.
func kinds() []kind {
	const network, payload = "Network activity", "Payload delivery"
	file := func(hash string) string { return mint.Hash(hash) }
	return []kind{
		{"ip-dst", network, []string{"ip"}},
		{"ip-src", network, []string{"ip"}},
		{"ip-dst|port", network, []string{"network-traffic:dst_ref.value", "network-traffic:dst_port"}},
		{"ip-src|port", network, []string{"network-traffic:src_ref.value", "network-traffic:src_port"}},
		{"domain", network, []string{"domain-name:value"}},
		{"hostname", network, []string{"domain-name:value"}},
		{"domain|ip", network, []string{"domain-name:value", "domain-name:resolves_to_refs[*].value"}},
		{"hostname|port", network, []string{"domain-name:value", "network-traffic:dst_port"}},
		{"url", network, []string{"url:value"}},
		{"uri", network, []string{"url:value"}},
		{"AS", network, []string{"autonomous-system:number"}},
		{"mac-address", network, []string{"mac-addr:value"}},
		{"user-agent", network, []string{"network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'"}},
		{"port", network, []string{"network-traffic:dst_port"}},
		{"md5", payload, []string{file("MD5")}},
		{"sha1", payload, []string{file("SHA-1")}},
		{"sha256", payload, []string{file("SHA-256")}},
		{"sha512", payload, []string{file("SHA-512")}},
		{"ssdeep", payload, []string{file("SSDEEP")}},
		{"tlsh", payload, []string{file("TLSH")}},
		{"filename", payload, []string{"file:name"}},
		{"filename|md5", payload, []string{"file:name", file("MD5")}},
		{"filename|sha1", payload, []string{"file:name", file("SHA-1")}},
		{"filename|sha256", payload, []string{"file:name", file("SHA-256")}},
		{"email", payload, []string{"email-addr:value"}},
		{"email-src", payload, []string{"email-message:from_ref.value"}},
		{"email-dst", payload, []string{"email-message:to_refs[*].value"}},
		{"email-subject", payload, []string{"email-message:subject"}},
		{"email-attachment", payload, []string{"email-message:body_multipart[*].body_raw_ref.name"}},
		{"mutex", "Artifacts dropped", []string{"mutex:name"}},
		{"regkey", "Persistence mechanism", []string{"windows-registry-key:key"}},
		{"regkey|value", "Persistence mechanism", []string{"windows-registry-key:key", "windows-registry-key:values[*].data"}},
		{"x509-fingerprint-md5", network, []string{"x509-certificate:hashes.MD5"}},
		{"x509-fingerprint-sha1", network, []string{"x509-certificate:hashes.'SHA-1'"}},
		{"x509-fingerprint-sha256", network, []string{"x509-certificate:hashes.'SHA-256'"}},
	}
}

// table is the types, made once for an event: there may be very many attributes.
type table struct {
	all    []kind
	byName map[string]kind
}

func newTable() *table {
	t := &table{all: kinds(), byName: map[string]kind{}}
	for _, k := range t.all {
		t.byName[k.name] = k
	}
	return t
}

// comparisons gives what the value of an attribute means in a pattern.
func (t *table) comparisons(name, value string) ([]mint.Comparison, bool) {
	k, ok := t.byName[name]
	if !ok {
		return nil, false
	}
	values := []string{value}
	if len(k.paths) > 1 {
		i := strings.LastIndexByte(value, '|') // a file's name may hold one
		if i < 0 {
			return nil, false
		}
		values = []string{value[:i], value[i+1:]}
	}
	var out []mint.Comparison
	for i, v := range values {
		v = strings.TrimSpace(v)
		path := k.paths[i]
		if v == "" || !fits(path, v) {
			return nil, false
		}
		switch {
		case path == "ip":
			family, canonical, ok := mint.Address(v)
			if !ok {
				return nil, false
			}
			path, v = family+":value", canonical
		case strings.HasPrefix(path, "domain-name:value"):
			v = strings.TrimSuffix(strings.ToLower(v), ".")
		case strings.Contains(path, "hashes") && mint.HashName(v) != "":
			v = strings.ToLower(v)
		case path == "autonomous-system:number":
			v = strings.TrimPrefix(strings.ToUpper(v), "AS")
		case path == "mac-addr:value":
			v = strings.ToLower(v)
		}
		out = append(out, mint.Comparison{Path: path, Value: v})
	}
	return out, true
}

// fits tells whether a value can be what its path says.
func fits(path, v string) bool {
	switch {
	case strings.HasSuffix(path, "_port"):
		return len(v) <= 5 && strings.Trim(v, "0123456789") == ""
	case path == "autonomous-system:number":
		v = strings.TrimPrefix(strings.ToUpper(v), "AS")
		return v != "" && len(v) <= 10 && strings.Trim(v, "0123456789") == ""
	case strings.HasSuffix(path, "_ref.value") && strings.HasPrefix(path, "network-traffic"), strings.HasPrefix(path, "domain-name:resolves"):
		_, _, ok := mint.Address(v)
		return ok
	case strings.Contains(path, "'SHA-") || strings.HasSuffix(path, "hashes.MD5"):
		want := path[strings.LastIndexByte(path, '.')+1:]
		return strings.Trim(want, "'") == mint.HashName(v)
	}
	return true
}

// valueOf is the reverse of comparisons: type and value of what a pattern demands. name is the type that it was, if known.
func (t *table) valueOf(name string, all []mint.Comparison) (typ, value string, ok bool) {
	matches := func(k kind) bool {
		if len(k.paths) != len(all) {
			return false
		}
		for i, p := range k.paths {
			if p == "ip" && (all[i].Path == "ipv4-addr:value" || all[i].Path == "ipv6-addr:value") {
				continue
			}
			if p != all[i].Path {
				return false
			}
		}
		return true
	}
	join := func(k kind) (string, string, bool) {
		parts := make([]string, len(all))
		for i, c := range all {
			parts[i] = c.Value
		}
		return k.name, strings.Join(parts, "|"), true
	}
	if k, known := t.byName[name]; known && matches(k) {
		return join(k)
	}
	for _, k := range t.all {
		if matches(k) {
			return join(k)
		}
	}
	return "", "", false
}

// relation is a part of an object of MISP: the type of its attribute, and its path in STIX.
type relation struct{ name, typ, path string }

// objectKind is a template of objects.
type objectKind struct {
	name, meta, template string
	relations            []relation
}

// objectKinds are the objects that are understood, with the UUIDs of their templates.
func objectKinds() []objectKind {
	h := mint.Hash
	return []objectKind{
		{"file", "file", "688c46fb-5edb-40a3-8273-1af7923e2215", []relation{
			{"filename", "filename", "file:name"}, {"size-in-bytes", "size-in-bytes", "file:size"}, {"md5", "md5", h("MD5")}, {"sha1", "sha1", h("SHA-1")},
			{"sha256", "sha256", h("SHA-256")}, {"sha512", "sha512", h("SHA-512")}, {"ssdeep", "ssdeep", h("SSDEEP")}, {"tlsh", "tlsh", h("TLSH")}, {"mimetype", "mime-type", "file:mime_type"},
		}},
		{"domain-ip", "network", "43b3b146-77eb-4931-b4cc-b66c60f28734", []relation{
			{"domain", "domain", "domain-name:value"}, {"ip", "ip-dst", "domain-name:resolves_to_refs[*].value"},
		}},
		{"network-connection", "network", "af16764b-f8e5-4603-9de1-de34d272f80b", []relation{
			{"ip-src", "ip-src", "network-traffic:src_ref.value"}, {"ip-dst", "ip-dst", "network-traffic:dst_ref.value"}, {"src-port", "port", "network-traffic:src_port"},
			{"dst-port", "port", "network-traffic:dst_port"}, {"layer4-protocol", "text", "network-traffic:protocols[0]"}, {"layer7-protocol", "text", "network-traffic:protocols[1]"},
		}},
		{"email", "network", "a0c666e0-fc65-4be8-b48f-3423d788b552", []relation{
			{"from", "email-src", "email-message:from_ref.value"}, {"to", "email-dst", "email-message:to_refs[*].value"}, {"subject", "email-subject", "email-message:subject"},
			{"attachment", "email-attachment", "email-message:body_multipart[*].body_raw_ref.name"}, {"message-id", "email-message-id", "email-message:message_id"},
		}},
	}
}

func objectKindOf(name string) (objectKind, bool) {
	for _, k := range objectKinds() {
		if k.name == name {
			return k, true
		}
	}
	return objectKind{}, false
}
