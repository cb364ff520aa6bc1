package incident_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"detente/form"
	"detente/incident"
	"detente/regimes"
	"detente/statement"
	"detente/traffic"
)

var day0 = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// loaded is read once: nothing changes it.
var loaded = sync.OnceValues(func() (*incident.Table, error) {
	r, err := form.Load(regimes.Incidents(), regimes.All()...)
	if err != nil {
		return nil, err
	}
	return incident.Load(r)
})

func table(t testing.TB) (*form.Regime, *incident.Table) {
	t.Helper()
	table, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return table.Regime(), table
}

// dossier makes the items of one dossier, each as its form takes it.
type dossier struct {
	t      testing.TB
	regime *form.Regime
	table  *incident.Table
	items  []incident.Item
	now    time.Time
}

func newDossier(t testing.TB, r *form.Regime, table *incident.Table) *dossier {
	return &dossier{t: t, regime: r, table: table, now: day0}
}

// says adds a statement of xn or xs, addressed to the other, an hour after the last one.
func (d *dossier) says(from, formID, code string, set form.Values, refs ...statement.ID) statement.ID {
	d.t.Helper()
	to := map[string]string{"xn": "xs", "xs": "xn", "xt": "xn"}[from]
	it := incident.Item{
		Issuer: traffic.Address{Party: traffic.Party(from), Post: "nrrc"}, Audience: to, At: d.now, Plane: traffic.Real, Precedence: traffic.Priority,
		Form: formID, Refs: refs, Clock: int64(len(d.items) + 1), Values: values(d.t, d.regime, d.table, formID, code, set),
	}
	it.ID = sha256.Sum256(fmt.Append(nil, len(d.items), from, formID))
	d.items = append(d.items, it)
	d.now = d.now.Add(time.Hour)
	return it.ID
}

func (d *dossier) fold() *incident.Case { return d.table.Fold(d.items) }

// values fills what a form requires, with the deciding code, and sees to it that the form takes it.
func values(t testing.TB, r *form.Regime, table *incident.Table, formID, code string, set form.Values) form.Values {
	t.Helper()
	f, ok := r.Latest(formID)
	if !ok {
		t.Fatalf("no form %s", formID)
	}
	v := form.Values{}
	for _, field := range f.Fields {
		if field.Name == table.Decides(formID) {
			v[field.Name] = code
		} else if value, ok := set[field.Name]; ok {
			v[field.Name] = value
		} else if field.Required && (field.When == nil || slices.Contains(field.When.Codes, v.Text(field.When.Field))) {
			v[field.Name] = sample(field)
		}
	}
	payload, err := f.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.Decode(payload)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sample(field form.Field) any {
	switch field.Kind {
	case form.KindLine, form.KindText:
		if field.Name == "case" {
			return "xn/26-0007"
		}
		return "words"
	case form.KindCode:
		return field.Codes[0]
	case form.KindCodes:
		return field.Codes[:1]
	case form.KindTime:
		return day0
	case form.KindWindow:
		return [2]time.Time{day0.Add(100 * time.Hour), day0.Add(200 * time.Hour)}
	case form.KindBool:
		return true
	case form.KindBytes, form.KindStatement:
		return bytes.Repeat([]byte{7}, 32)
	}
	return max(field.Min, 1)
}

// canonical sorts items as a dossier does.
func canonical(items []incident.Item) []incident.Item {
	out := slices.Clone(items)
	slices.SortFunc(out, func(a, b incident.Item) int {
		return cmp.Or(cmp.Compare(a.Clock, b.Clock), cmp.Compare(a.Issuer.String(), b.Issuer.String()), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return out
}

// story writes a case as a person would read it.
func story(c *incident.Case, now time.Time) string {
	var b strings.Builder
	for _, e := range c.Entries {
		fmt.Fprintf(&b, "%s %s %s", e.At.Format("02 15:04"), e.Issuer.Party, e.Form)
		if e.Why != "" {
			fmt.Fprintf(&b, " (%s)", e.Why)
		} else if e.To != "" {
			fmt.Fprintf(&b, " → %s", e.To)
		}
		if len(e.Remarks) > 0 {
			fmt.Fprintf(&b, " %v", e.Remarks)
		}
		b.WriteByte('\n')
	}
	v := c.At(now)
	fmt.Fprintf(&b, "%s: %s, outcome %q\n", v.Machine, v.State, v.Outcome)
	for _, d := range v.Owed {
		late := ""
		if d.Late(now) {
			late = ", late"
		}
		fmt.Fprintf(&b, "owed: %s by %s until %s%s\n", d.ID, cmp.Or(string(d.Owner), "-"), d.At.Format("02 15:04"), late)
	}
	return b.String()
}
