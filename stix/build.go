package stix

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // UUID version 5 is made with it
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/gowebpki/jcs"
)

func sortObservables(all []Observable) {
	slices.SortFunc(all, func(a, b Observable) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Hash, b.Hash), cmp.Compare(a.Value, b.Value))
	})
}

// NewID returns a new id of a type, with a random UUID.
func NewID(kind string) string {
	var u [16]byte
	rand.Read(u[:]) // which cannot fail
	return kind + "--" + uuid(u, 4)
}

func nameUUID(space [16]byte, name []byte) (u [16]byte) {
	h := sha1.New()
	h.Write(space[:])
	h.Write(name)
	copy(u[:], h.Sum(nil))
	return u
}

func uuid(u [16]byte, version byte) string {
	u[6], u[8] = u[6]&0x0f|version<<4, u[8]&0x3f|0x80
	s := hex.EncodeToString(u[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// contributing are the members from which the id of an observable follows, by its type.
func contributing(kind string) []string {
	switch kind {
	case "artifact":
		return []string{"hashes", "payload_bin"}
	case "autonomous-system":
		return []string{"number"}
	case "directory":
		return []string{"path"}
	case "domain-name", "email-addr", "ipv4-addr", "ipv6-addr", "mac-addr", "url":
		return []string{"value"}
	case "email-message":
		return []string{"from_ref", "subject", "body"}
	case "file":
		return []string{"hashes", "name", "extensions", "parent_directory_ref"}
	case "mutex":
		return []string{"name"}
	case "network-traffic":
		return []string{"start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions"}
	case "software":
		return []string{"name", "cpe", "swid", "vendor", "version"}
	case "user-account":
		return []string{"account_type", "user_id", "account_login"}
	case "windows-registry-key":
		return []string{"key", "values"}
	case "x509-certificate":
		return []string{"hashes", "serial_number"}
	}
	return nil
}

// observableSpace is the name space of the ids of observables, as the standard has it.
func observableSpace() [16]byte {
	return [16]byte{0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7}
}

// ObservableID returns the id that an observable has by its content, so that whoever describes the same thing gives it the same id. One that has
// none of the members that count, or is of a type that has none, gets a random one.
func ObservableID(kind string, members map[string]any) (string, error) {
	of := map[string]any{}
	for _, name := range contributing(kind) {
		v, ok := members[name]
		if !ok {
			continue
		}
		if hashes, ok := v.(map[string]any); ok && name == "hashes" {
			v = oneHash(hashes)
		}
		of[name] = v
	}
	if len(of) == 0 {
		return NewID(kind), nil
	}
	b, err := json.Marshal(of)
	if err == nil {
		b, err = jcs.Transform(b)
	}
	if err != nil {
		return "", fmt.Errorf("stix: id of %s: %w", kind, err)
	}
	return kind + "--" + uuid(nameUUID(observableSpace(), b), 5), nil
}

// oneHash picks the hash that counts for an id.
func oneHash(hashes map[string]any) map[string]any {
	for _, name := range []string{"MD5", "SHA-1", "SHA-256", "SHA-512"} {
		if v, ok := hashes[name]; ok {
			return map[string]any{name: v}
		}
	}
	names := make([]string, 0, len(hashes))
	for name := range hashes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		return map[string]any{name: hashes[name]}
	}
	return map[string]any{}
}

// Build writes an object of our own, its well-known members first and the others in order, and reads it back, so that what is said of it is said of
// its bytes. A time.Time is written as a timestamp. It fills in spec_version, of an observable its id, of others an id and the times if now is given.
// Whether it is STIX is for a [Validator]. Error: a *[Fault], or that a value cannot be written.
func Build(members map[string]any, now time.Time) (*Object, error) {
	all := make(map[string]any, len(members)+4)
	for k, v := range members {
		if t, ok := v.(time.Time); ok {
			v = FormatTime(t)
		}
		all[k] = v
	}
	kind, _ := all["type"].(string)
	fill := func(name string, v any) {
		if _, has := all[name]; !has {
			all[name] = v
		}
	}
	fill("spec_version", "2.1")
	if contributing(kind) != nil || kind == "process" {
		if _, has := all["id"]; !has {
			id, err := ObservableID(kind, all)
			if err != nil {
				return nil, err
			}
			all["id"] = id
		}
	} else if !now.IsZero() {
		fill("id", NewID(kind))
		fill("created", FormatTime(now.Truncate(time.Millisecond)))
		if kind != "marking-definition" {
			fill("modified", all["created"])
		}
	}
	b, err := encode(all)
	if err != nil {
		return nil, fmt.Errorf("stix: build %s: %w", kind, err)
	}
	return Read(b, Standard())
}

// encode writes an object, what names it first.
func encode(all map[string]any) ([]byte, error) {
	first := []string{"type", "spec_version", "id", "created_by_ref", "created", "modified"}
	names := make([]string, 0, len(all))
	for k := range all {
		names = append(names, k)
	}
	slices.SortFunc(names, func(a, b string) int {
		i, j := slices.Index(first, a), slices.Index(first, b)
		if i < 0 {
			i = len(first)
		}
		if j < 0 {
			j = len(first)
		}
		return cmp.Or(cmp.Compare(i, j), cmp.Compare(a, b))
	})
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	out.WriteByte('{')
	for i, k := range names {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := enc.Encode(k); err != nil {
			return nil, err
		}
		out.Truncate(out.Len() - 1)
		out.WriteByte(':')
		if err := enc.Encode(all[k]); err != nil {
			return nil, err
		}
		out.Truncate(out.Len() - 1)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}
