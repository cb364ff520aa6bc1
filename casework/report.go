package casework

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"detente/form"
	"detente/incident"
)

// errWindow is what is said of a period that cannot be read.
var errWindow = errors.New("casework: a period is FROM/TO, such as 2026-11-24T22:00:00Z/2026-11-25T04:00:00Z")

// Observe reads what was observed as a person gives it: a period, and lists of addresses, networks and numbers.
func Observe(period, sources, networks, numbers, sector string) (incident.Observation, error) {
	from, to, ok := strings.Cut(period, "/")
	begin, err := time.Parse(time.RFC3339, strings.TrimSpace(from))
	end, err2 := time.Parse(time.RFC3339, strings.TrimSpace(to))
	if !ok || err != nil || err2 != nil || end.Before(begin) {
		return incident.Observation{}, errWindow
	}
	v := form.Values{"sources": sources, "networks": networks, "as_numbers": numbers}
	if sector != "" {
		v["sector"] = sector
	}
	o, unread := incident.ObservationOf(v)
	if unread > 0 {
		return incident.Observation{}, fmt.Errorf("casework: %d of the addresses, networks and numbers cannot be read", unread)
	}
	o.From, o.To = begin.UTC(), end.UTC()
	return o, nil
}

// Report is what a case gives of the fields of an incident report, as text: when, what was observed, how serious, what was done, how it ended. What only
// a person can say stands empty.
func (f *File) Report() map[string]string {
	out := map[string]string{"case": f.Number.String(), "outcome": "open"}
	keep := func(field, value string) {
		if value != "" && out[field] == "" {
			out[field] = value
		}
	}
	var from, to time.Time
	for _, s := range f.Sheets {
		if s.View.Outcome != "" {
			out["outcome"] = s.View.Outcome
		}
		for _, e := range s.Case.Entries {
			if e.Why != "" || e.Values == nil {
				continue
			}
			if o, _ := incident.ObservationOf(e.Values); !o.To.IsZero() && e.Form != formActivity && e.Form != formWindow {
				if from.IsZero() || o.From.Before(from) {
					from = o.From
				}
				if o.To.After(to) {
					to = o.To
				}
			}
			keep("summary", e.Values.Text("observation"))
			keep("summary", e.Values.Text("what"))
			for _, field := range []string{"effects", "sector", "severity", "severity_own", "confidence", "limits"} {
				keep(field, e.Values.Text(field))
			}
			if m := e.Values.Text("measures"); m != "" {
				out["measures"] = strings.TrimSpace(out["measures"] + "\n" + m)
			}
		}
	}
	if !to.IsZero() {
		out["observed"] = from.UTC().Format(time.RFC3339) + "/" + to.UTC().Format(time.RFC3339)
	}
	for field, value := range out {
		if value == "" {
			delete(out, field)
		}
	}
	return out
}
