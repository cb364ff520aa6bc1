package floor

import (
	"context"

	"detente/form"
	"detente/officer"
)

// RecordOfficer keeps what package officer has done: sign-ins, and changes of the roll.
func (j *Journal) RecordOfficer(ctx context.Context, e officer.Event) error {
	v := form.Values{"officer": e.Officer, "action": e.Action}
	by := Machine
	if e.Form == "officer" {
		v["by"] = e.By
		by = officer.Administrator
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
