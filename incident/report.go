package incident

import (
	"detente/form"
)

// Report proposes the fields of an incident-report from what the case says: a person reads it, adds and signs. It quotes the asker's own words and takes
// nothing from the other side's but the measures that it states. What the case does not say is left out.
func (c *Case) Report() form.Values {
	v := form.Values{"outcome": "open"}
	if c.Outcome != "" {
		v["outcome"] = c.Outcome
	}
	if c.Number != (Number{}) {
		v["case"] = c.Number.String()
	}
	var from, to int64
	for i := range c.Entries {
		e := &c.Entries[i]
		if e.Why != "" {
			continue
		}
		if w, ok := e.Values["observed"].([]any); ok && len(w) == 2 {
			a, _ := w[0].(int64)
			b, _ := w[1].(int64)
			if to == 0 || a < from {
				from = a
			}
			to = max(to, b)
		}
		first := func(name string, in ...string) {
			for _, field := range in {
				if s := e.Values.Text(field); s != "" && v[name] == nil {
					v[name] = s
				}
			}
		}
		first("summary", "observation", "what")
		first("effects", "effects", "spread")
		first("sector", "sector")
		if e.Form == formReply {
			if s := e.Values.Text("measures"); s != "" {
				v["measures"] = s // the last word on them
			}
		}
	}
	if to != 0 {
		v["observed"] = []any{from, to}
	}
	for _, a := range c.Severity {
		if a.By != c.Opener {
			continue
		}
		for name, s := range map[string]string{"severity": a.Common, "severity_own": a.Own, "confidence": a.Confidence, "limits": a.Limits} {
			if s != "" {
				v[name] = s
			}
		}
	}
	return v
}
