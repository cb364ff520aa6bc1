package acts

import (
	"strings"
	"testing"
	"time"

	"detente/form"
	"detente/statement"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

const pledge = `{"version":1,"nature":"political","depositary":["xl"],"eligibility":{"who":"all"},"entry":{"threshold":2},"reservations":{"regime":"permitted"},"runs":"all","powers":{"required":true,"exempt":["head-of-state"]}}`

// world is public feeds, written by hand.
type world struct {
	items []Item
	clock int64
	start time.Time
}

func (w *world) say(from string, kind string, v form.Values, refs ...statement.ID) *Item {
	a, err := traffic.ParseAddress(from)
	if err != nil {
		panic(err)
	}
	w.clock++
	it := Item{
		ID: statement.Hash([]byte{byte(w.clock), byte(w.clock >> 8)}), Party: a.Party, Issuer: a, At: w.start.Add(time.Duration(w.clock) * time.Hour), Clock: w.clock, Form: kind,
		Values: v, Refs: refs, Commits: a.Post == "mfa" || a.Post == "head-of-state",
	}
	w.items = append(w.items, it)
	return &w.items[len(w.items)-1]
}

func (w *world) act(from string, opening statement.ID, kind Kind, more form.Values) *Item {
	v := form.Values{"instrument": opening[:], "kind": string(kind), "date": w.start.Add(time.Duration(w.clock) * time.Hour).Unix()}
	for k, x := range more {
		v[k] = x
	}
	return w.say(from, FormAct, v)
}

// Full powers are looked at as of the place of the act in its party's feeds, and nobody acts for another but a depositary.
func TestActsAreReadWithTheirPowers(t *testing.T) {
	w := &world{start: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
	opening := w.say("xl/mfa", FormOpening, form.Values{"title": map[string]any{"en": "Pledge"}, "nature": "political", "languages": "en ru", "rules": pledge}).ID
	may := func(from, post string, more form.Values, codes ...any) statement.ID {
		v := form.Values{"representative": "Head of delegation", "post": post, "may": codes, "authority": "foreign-minister"}
		for k, x := range more {
			v[k] = x
		}
		return w.say(from, FormPowers, v).ID
	}
	want := map[string]Reason{}
	expect := func(it *Item, why Reason) statement.ID {
		want[it.ID.String()] = why
		return it.ID
	}
	expect(w.act("xn/envoy", opening, Adhere, nil), NoPowers) // before they were given
	given := may("xn/mfa", "xn/envoy", nil, "consent")
	expect(w.act("xn/envoy", opening, Adhere, nil), "")
	expect(w.act("xn/envoy", opening, Declare, nil), PowersScope)
	expect(w.act("xn/envoy", opening, Adhere, form.Values{"powers": given[:]}), "") // repeated, as the fold finds
	w.say("xn/mfa", FormRevocation, form.Values{}, given)
	expect(w.act("xn/envoy", opening, Adhere, nil), PowersRevoked)
	expect(w.act("xn/envoy", opening, Adhere, form.Values{"powers": given[:]}), PowersRevoked)
	expect(w.act("xn/head-of-state", opening, Declare, nil), "")

	may("xs/mfa", "xs/mfa", nil, "consent") // no post gives itself powers
	expect(w.act("xs/mfa", opening, Adhere, nil), NoPowers)
	may("xs/envoy", "xs/other", nil, "consent") // nor does one that may not commit its party
	expect(w.act("xs/other", opening, Adhere, nil), NoPowers)
	may("xs/mfa", "xs/envoy", form.Values{"window": []any{w.start.Unix(), w.start.Add(time.Hour).Unix()}}, "consent")
	expect(w.act("xs/envoy", opening, Adhere, nil), PowersScope)
	foreign := may("xn/mfa", "xs/envoy", nil, "consent")
	expect(w.act("xs/envoy", opening, Adhere, form.Values{"powers": foreign[:]}), NoPowers)

	expect(w.act("xl/head-of-state", opening, Adhere, form.Values{"of": "xk"}), "")
	expect(w.act("xn/head-of-state", opening, Adhere, form.Values{"of": "xm"}), "") // void in the fold: not the depositary
	bad := w.act("xn/head-of-state", opening, Denounce, nil)
	bad.Invalid = "unknown-key"
	expect(bad, Invalid)
	w.act("xn/head-of-state", statement.Hash(nil), Adhere, nil)
	w.say("xn/mfa", FormAct, nil).Invalid = "bad-payload"

	r := Read(w.items, nil)
	got := map[string]Reason{}
	for _, a := range r.Acts[opening.String()] {
		if a.Kind != Open {
			got[a.ID] = a.Void
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(r.Strays) != 2 {
		t.Errorf("strays: %+v", r.Strays)
	}
	o, ok := r.Opening(opening.String()[:8])
	if !ok || o.Party != "xl" || o.Title["en"] != "Pledge" || len(o.Languages) != 2 {
		t.Fatalf("opening: %+v", o)
	}
	rec := r.Record(o, time.Time{})
	s := rec.Status(NewDay(2027, 1, 1))
	states := map[traffic.Party]State{}
	for _, row := range s.Rows {
		states[row.Party] = row.State
	}
	if diff := cmp.Diff(map[traffic.Party]State{"xn": InForce, "xk": InForce, "xm": None, "xs": None}, states); diff != "" {
		t.Error(diff)
	}
	if p := rec.Pledge("xn", s.On); !p.Runs || !p.All || len(p.Toward) != 1 || p.Toward[0] != "xk" {
		t.Errorf("pledge: %+v", p)
	}
	for i := range w.items { // a statement that was held late, or dated before the one before it, is known late
		w.items[i].At = w.start
	}
	w.items[3].Held = w.start.Add(240 * time.Hour)
	for _, a := range Read(w.items, nil).Acts[opening.String()] {
		if a.Party == "xn" && a.ID != w.items[1].ID.String() && !a.Known.Equal(w.items[3].Held) {
			t.Errorf("%s is known since %v", a.ID[:8], a.Known)
		}
	}
}

// A party that has signed two histories changes no status from when that is known, and is named. What it said before stands: a fork is no way out.
func TestAForkedPartyChangesNoStatus(t *testing.T) {
	w := &world{start: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
	opening := w.say("xl/mfa", FormOpening, form.Values{"title": map[string]any{"en": "Pledge"}, "nature": "political", "languages": "en", "rules": pledge}).ID
	w.act("xn/head-of-state", opening, Adhere, nil)
	w.act("xs/head-of-state", opening, Adhere, nil)
	convicted := w.items[2].At.Add(time.Second)
	w.act("xs/head-of-state", opening, Denounce, nil)
	w.items[3].At = convicted.Add(time.Hour)
	r := Read(w.items, map[traffic.Party]time.Time{"xs": convicted})
	o, _ := r.Opening("")
	before, after := r.Record(o, convicted.Add(-time.Second)), r.Record(o, time.Time{})
	if before.Entry == 0 || after.Entry != before.Entry {
		t.Errorf("in force %s before, %s after", before.Entry, after.Entry)
	}
	if row := after.Status(NewDay(2027, 6, 1)).Rows[1]; row.Party != "xs" || row.State != InForce || len(row.NoEffect) != 1 {
		t.Errorf("%+v", row)
	}
	if n, _ := after.Act(w.items[3].ID.String()); n.Why != Forked {
		t.Errorf("%+v", n)
	}
}

// A notice to leave and its revocation may be stated within one second. The clock says which was first, whatever their ids are.
func TestWhatAnswersWithinTheSameSecondIsLater(t *testing.T) {
	w := &world{start: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
	opening := w.say("xl/mfa", FormOpening, form.Values{"title": map[string]any{"en": "Pledge"}, "nature": "political", "languages": "en", "rules": strings.Replace(pledge, `"eligibility"`, `"notice":{"months":3},"eligibility"`, 1)}).ID
	w.act("xn/head-of-state", opening, Adhere, nil)
	w.act("xs/head-of-state", opening, Adhere, nil)
	leaving := w.act("xn/head-of-state", opening, Denounce, nil).ID
	back := w.act("xn/head-of-state", opening, Revoke, form.Values{"regarding": leaving[:]})
	for back.ID[0] >= leaving[0] { // the id that would come first
		back.ID = statement.Hash(back.ID[:])
	}
	for i := range w.items {
		w.items[i].At = w.start
		w.items[i].Values["date"] = w.start.Unix()
	}
	r := Read(w.items, nil)
	o, _ := r.Opening("")
	row := r.Record(o, time.Time{}).Status(NewDay(2999, 1, 1)).Rows[0]
	if row.Party != "xn" || row.State != InForce || len(row.NoEffect) != 1 {
		t.Fatalf("%+v", row)
	}
}

func TestOpeningsOfOneSecondStandInTheOrderOfTheirClocks(t *testing.T) {
	w := &world{start: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
	for _, party := range []string{"xn", "xl", "xs"} {
		w.say(party+"/mfa", FormOpening, form.Values{"title": map[string]any{"en": party}, "nature": "political", "languages": "en", "rules": pledge})
	}
	for i := range w.items {
		w.items[i].At, w.items[i].ID[0] = w.start, byte(9-i) // the last would come first by its id
	}
	var got string
	for _, o := range Read(w.items, nil).Openings {
		got += o.Title["en"] + " "
	}
	if got != "xn xl xs " {
		t.Errorf("in the order %s", got)
	}
}

func FuzzParseRules(f *testing.F) {
	f.Add([]byte(pledge))
	f.Add([]byte(`{"version":1,"nature":"legal","eligibility":{"who":"listed","parties":["xn","xs"]},"entry":{"threshold":2,"among":[{"parties":["xn"],"at_least":1}],"delay":{"months":3,"first_of_month":true},"not_before":"2027-01-01"},"reservations":{"regime":"only","provisions":["art-4"],"late":"tacit","tacit_months":12},"powers":{"required":false}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRules(b)
		if err != nil {
			return
		}
		again, err := r.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseRules(again)
		if err != nil || !cmp.Equal(r, back) {
			t.Errorf("%v: %s", err, cmp.Diff(r, back))
		}
		Fold(r, many(60), time.Time{}).Status(NewDay(1960, 1, 1))
	})
}
