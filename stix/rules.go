package stix

import (
	"errors"
	"fmt"

	"detente/stix/pattern"
)

// rules adds what the standard asks and no schema can say.
func rules(all Faults, o *Object) Faults {
	add := func(name, reason string) {
		all = append(all, (&Fault{Kind: ErrInvalid, Reason: reason}).in(name))
	}
	order := func(from, to, reason string) {
		a, okA := o.Time(from)
		b, okB := o.Time(to)
		if okA && okB && b.Before(a) {
			add(to, reason)
		}
	}
	for _, name := range []string{"created", "modified", "valid_from", "valid_until", "first_seen", "last_seen", "first_observed", "last_observed", "published"} {
		if s := o.Text(name); s != "" {
			if _, ok := parseTime(s); !ok {
				add(name, "there is no such time")
			}
		}
	}
	order("created", "modified", "is before created")
	order("first_seen", "last_seen", "is before first_seen")
	order("first_observed", "last_observed", "is before first_observed")
	order("start_time", "stop_time", "is before start_time")
	if from, ok := o.Time("valid_from"); ok {
		if until, ok := o.Time("valid_until"); ok && !until.After(from) {
			add("valid_until", "is not after valid_from")
		}
	}
	switch o.Type {
	case "indicator":
		if o.Text("pattern_type") == "stix" {
			if err, ok := errors.AsType[*pattern.Error](CheckPattern(o.Text("pattern"))); ok {
				add("pattern", fmt.Sprintf("%s at character %d", err.Reason, err.At+1))
			}
		}
	case "relationship":
		if o.Text("source_ref") != "" && o.Text("source_ref") == o.ID || o.Text("target_ref") != "" && o.Text("target_ref") == o.ID {
			add("source_ref", "a relationship with itself")
		}
	case "sighting":
		if n, ok := o.Int("count"); ok && n > 999_999_999 {
			add("count", "is out of its range")
		}
	}
	return markingRules(all, o)
}
