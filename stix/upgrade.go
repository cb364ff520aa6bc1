package stix

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// Upgrade makes an object of STIX 2.1 out of one of 2.0, as the standard's own list of changes has it: types of indicators, malware, reports and the like
// stood in labels, patterns were always STIX, times are written with milliseconds. The result is another object with other bytes, and says
// nothing of what its maker has signed; keep the original. An object of 2.1 is returned as it is. Whether the result is valid is for a
// [Validator]. Error: a *[Fault] of kind ErrVersion for what is neither.
func Upgrade(o *Object) (*Object, error) {
	switch o.SpecVersion {
	case "2.1":
		return o, nil
	case "2.0":
	default:
		return nil, (&Fault{ID: o.ID, Kind: ErrVersion, Reason: "this is neither STIX 2.0 nor 2.1"}).in("spec_version")
	}
	all := maps.Clone(o.tree)
	all["spec_version"] = "2.1"
	for _, name := range []string{"created", "modified", "valid_from", "valid_until", "first_seen", "last_seen", "first_observed", "last_observed", "published"} {
		if s, ok := all[name].(string); ok {
			if t, ok := parseTime(s); ok {
				all[name] = FormatTime(t)
			}
		}
	}
	rename := map[string]string{"indicator": "indicator_types", "malware": "malware_types", "report": "report_types", "threat-actor": "threat_actor_types",
		"tool": "tool_types", "identity": "roles"}
	if to := rename[o.Type]; to != "" {
		if _, has := all[to]; !has {
			if v, ok := all["labels"]; ok {
				all[to] = v
				delete(all, "labels")
			}
		}
	}
	switch o.Type {
	case "indicator":
		if _, has := all["pattern_type"]; !has {
			all["pattern_type"] = "stix"
		}
	case "malware":
		// 2.0 did not say. That it is one program claims less than that it is a family.
		if _, has := all["is_family"]; !has {
			all["is_family"] = false
		}
	case "marking-definition":
		delete(all, "modified")
		if m := wellKnown(o.ID); m != nil && m.TLP != "" {
			definition, _ := all["definition"].(map[string]any)
			text, _ := definition["tlp"].(string)
			all["name"] = "TLP:" + strings.ToUpper(text)
		}
	case "observed-data":
		return upgradeObserved(o, all)
	}
	return rebuilt(all)
}

func rebuilt(all map[string]any) (*Object, error) {
	b, err := encode(all)
	if err != nil {
		return nil, fmt.Errorf("stix: upgrade: %w", err)
	}
	return Read(b, Standard())
}

// upgradeObserved gives the observables that an object of 2.0 holds what 2.1 asks of them.
func upgradeObserved(o *Object, all map[string]any) (*Object, error) {
	inside, _ := all["objects"].(map[string]any)
	objects := make(map[string]any, len(inside))
	for key, v := range inside {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, (&Fault{ID: o.ID, Kind: ErrVersion, Reason: "an observable is an object"}).in(key).in("objects")
		}
		m = maps.Clone(m)
		kind, _ := m["type"].(string)
		if _, has := m["id"]; !has && isType(kind) {
			id, err := ObservableID(kind, withoutRefs(m))
			if err != nil {
				return nil, err
			}
			m["id"] = id
		}
		objects[key] = m
	}
	all["objects"] = objects
	return rebuilt(all)
}

// withoutRefs leaves out the members that name others by their key in the same object: an id cannot follow from them.
func withoutRefs(m map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		if !strings.HasSuffix(k, "_ref") && !strings.HasSuffix(k, "_refs") {
			out[k] = v
		}
	}
	return out
}

// UpgradeBundle upgrades the objects of a bundle that can be read, in place. What cannot be upgraded has its error in its item.
func UpgradeBundle(b *Bundle) {
	for i := range b.Items {
		it := &b.Items[i]
		if it.Object == nil || it.Err != nil {
			continue
		}
		o, err := Upgrade(it.Object)
		if err != nil {
			it.Err = err
			continue
		}
		it.Object = o
	}
}

// Revoke writes the version of an object of our own that takes it back. now must be later than its last version. Error: a *[Fault].
func Revoke(o *Object, now time.Time) (*Object, error) {
	if now = now.Truncate(time.Millisecond); !now.After(o.Modified) || o.Created.IsZero() || o.Type == "marking-definition" {
		return nil, (&Fault{ID: o.ID, Kind: ErrInvalid, Reason: "it cannot be revoked: it has no versions, or a later one"}).in("modified")
	}
	all := maps.Clone(o.tree)
	all["revoked"], all["modified"] = true, FormatTime(now)
	return rebuilt(all)
}
