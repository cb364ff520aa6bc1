// Package mint makes STIX objects of what another format says, the same object with the same id however often the same thing is said.
// It must never make an object of a name it has not looked at, nor mark one wider than its source did.
package mint

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"detente/label"
	"detente/stix"
)

// Fields are the members of an object that is made.
type Fields map[string]any

// The name spaces of ids: that of the standard for observables, and our own for everything else.
const (
	observables = "00abedb4-aa42-466c-9c01-fed23315a9b7"
	own         = "6d0c1b0a-58a0-5d1c-9a35-5b8a3c1d2e4f"
)

// UUID is a UUID of version 5 in our own name space. The parts are told apart: ("ab", "c") is not ("a", "bc").
func UUID(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(strconv.Itoa(len(p)) + ":" + p)
	}
	return uuid5(own, b.String())
}

func uuid5(space, name string) string {
	raw, _ := hex.DecodeString(strings.ReplaceAll(space, "-", "")) // a constant of this package
	h := sha1.New()                                                // which version 5 is defined by
	h.Write(raw)
	h.Write([]byte(name))
	u := h.Sum(nil)[:16]
	u[6], u[8] = u[6]&0x0f|0x50, u[8]&0x3f|0x80
	s := hex.EncodeToString(u)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// IsUUID tells whether s is a UUID in the usual form.
func IsUUID(s string) bool { return stix.IsID("tool--" + s) }

// Object makes an object of a type: id is its UUID. Fields hold whatever else it has; nil and empty texts and lists are left out.
func Object(kind, uuid string, at, modified time.Time, f Fields) (*stix.Object, error) {
	m := clean(f)
	m["type"], m["spec_version"], m["id"] = kind, "2.1", kind+"--"+strings.ToLower(uuid)
	if modified.Before(at) {
		modified = at
	}
	m["created"], m["modified"] = stix.FormatTime(at), stix.FormatTime(modified)
	return read(m)
}

// Observable makes an observable. by are the members that its id is made of, in the order that the standard gives for the type; the id is that of
// the standard.
func Observable(kind string, f Fields, by ...string) (*stix.Object, error) {
	m := clean(f)
	contributes := Fields{}
	for _, name := range by {
		if v, ok := m[name]; ok {
			contributes[name] = one(v)
		}
	}
	if len(contributes) == 0 {
		return nil, fmt.Errorf("mint: a %s that says nothing", kind)
	}
	b, err := encode(contributes) // keys sorted, no space: what RFC 8785 asks of texts and whole numbers
	if err != nil {
		return nil, err
	}
	m["type"], m["spec_version"], m["id"] = kind, "2.1", kind+"--"+uuid5(observables, string(b))
	return read(m)
}

// one reduces hashes to the one that the standard makes an id of, and leaves everything else.
func one(v any) any {
	hashes, ok := v.(map[string]any)
	if !ok {
		return v
	}
	for _, name := range []string{"MD5", "SHA-1", "SHA-256", "SHA-512"} {
		if h, ok := hashes[name]; ok {
			return map[string]any{name: h}
		}
	}
	return hashes
}

func clean(f Fields) Fields {
	m := Fields{}
	for k, v := range f {
		switch x := v.(type) {
		case nil:
			continue
		case string:
			if x == "" {
				continue
			}
		case []string:
			if len(x) == 0 {
				continue
			}
		case time.Time:
			if x.IsZero() {
				continue
			}
			v = stix.FormatTime(x)
		}
		m[k] = v
	}
	return m
}

func encode(m Fields) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(map[string]any(m)); err != nil {
		return nil, fmt.Errorf("mint: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func read(m Fields) (*stix.Object, error) {
	b, err := encode(m)
	if err != nil {
		return nil, err
	}
	o, err := stix.Read(b, stix.Standard())
	if err != nil {
		return nil, fmt.Errorf("mint: %w", err)
	}
	return o, nil
}

// Markings are the ids of the marking-definitions of labels, for object_marking_refs. Unmarked gives none.
func Markings(tlp label.TLP, pap label.PAP) []string {
	var ids []string
	for _, id := range []string{tlp.MarkingID(), pap.MarkingID()} {
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// Labels are those of an object with all its parts: the narrowest of what the whole and the parts are marked with. lookup finds marking-definitions beside those that
// the standards name; it may be nil. unknown tells that a marking is not known, and might forbid what the others permit.
func Labels(o *stix.Object, lookup func(id string) (*stix.Object, bool)) (tlp label.TLP, pap label.PAP, unknown bool) {
	if lookup == nil {
		lookup = func(string) (*stix.Object, bool) { return nil, false }
	}
	m, err := stix.Resolve(o, lookup)
	if err != nil {
		return label.Unmarked, "", true
	}
	n := m.Narrowest()
	return n.TLP, n.PAP, false
}

// Address gives the observable type of an address or prefix, and how it is written canonically.
func Address(s string) (kind, value string, ok bool) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return "", "", false
		}
		return family(p.Addr()), p.Masked().String(), true
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return "", "", false
	}
	a = a.Unmap()
	return family(a), a.String(), true
}

func family(a netip.Addr) string {
	if a.Is4() {
		return "ipv4-addr"
	}
	return "ipv6-addr"
}

// HashName gives the name that STIX has for a hash of that many hexadecimal digits; "" for what is no hash.
func HashName(value string) string {
	if strings.Trim(value, "0123456789abcdefABCDEF") != "" {
		return ""
	}
	return map[int]string{32: "MD5", 40: "SHA-1", 64: "SHA-256", 128: "SHA-512"}[len(value)]
}

// Plane is what the labels of an object say of its plane: of an exercise, or of a test by its class of RSIT. What says nothing is real.
func Plane(o *stix.Object) label.Plane {
	plane := label.Real
	for _, l := range o.Texts("labels") {
		switch c, ok := label.ParseClassification(l); {
		case strings.HasPrefix(l, "exercise:"):
			return label.Exercise
		case ok && strings.HasPrefix(l, "rsit:") && c.IsTest():
			plane = label.Test
		}
	}
	return plane
}
