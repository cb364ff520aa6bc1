package release

import (
	"context"

	"detente/form"
	"detente/journal"
	"detente/officer"
)

// Record keeps in the journal what package officer has done: sign-ins, and changes of the roll.
func Record(ctx context.Context, j *journal.Journal, e officer.Event) error {
	v := form.Values{"officer": e.Officer, "action": e.Action}
	by := journal.Machine
	if e.Form == "officer" || e.By != "" {
		v["by"] = e.By
		by = officer.Administrator
	}
	if e.Grants != "" {
		v["grants"] = form.Clean(e.Grants, false, 2000)
	}
	if e.Cause != "" {
		v["cause"] = e.Cause
	}
	if e.Means != "" {
		v["means"] = e.Means
	}
	if text := form.Clean(e.Text, false, 900); text != "" {
		v["text"] = text
	}
	_, err := j.Record(context.WithoutCancel(ctx), "", by, e.Form, v)
	return err
}
