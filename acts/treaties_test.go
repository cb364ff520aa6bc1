package acts

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func day(t testing.TB, s string) Day {
	t.Helper()
	d, err := ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func collection(t testing.TB, name string) (*Collection, []byte) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ReadCollection(b)
	if err != nil {
		t.Fatal(err)
	}
	return c, b
}

// Entry into force as it was, of a treaty whose dates are beyond doubt: five States, of them three members of the Council of Europe; the first day of the month
// after three months.
func TestEntryIntoForceAsItWas(t *testing.T) {
	c, _ := collection(t, "cybercrime.json")
	if d := c.Differences(); d != nil {
		t.Errorf("computed otherwise: %+v", d)
	}
	r := c.Record(c.Stated.On.Time())
	if r.Met.String() != "2004-03-18" || r.Entry.String() != "2004-07-01" {
		t.Errorf("met %s, in force %s", r.Met, r.Entry)
	}
	if s := r.Status(day(t, "2004-06-30")); s.InForce || s.Counts[Consented] != 6 {
		t.Errorf("the day before: %+v", s)
	}
}

// A table that no longer lists a participant that has ceased to exist gives another date of entry into force: by months. With its acts, and what became of it, the
// date is right, and nobody is missing on any day.
func TestWhatHasCeasedToExistStillCounts(t *testing.T) {
	c, b := collection(t, "extinct.json")
	if d := c.Differences(); d != nil {
		t.Errorf("with all acts: %+v", d)
	}
	var lossy Collection
	if err := json.Unmarshal(b, &lossy); err != nil {
		t.Fatal(err)
	}
	lossy.Acts = nil
	for _, a := range c.Acts {
		if a.Party != "union" && a.Party != "twin" {
			lossy.Acts = append(lossy.Acts, a)
		}
	}
	want := []Difference{
		{What: "entry", Stated: "1975-03-26", Computed: "1975-10-01"},
		{Party: "heir", What: "state", Stated: "in-force", Computed: "none"}, {Party: "heir", What: "consented", Stated: "1975-03-26"},
		{Party: "north", What: "in_force", Stated: "1975-03-26", Computed: "1975-10-01"}, {Party: "south", What: "in_force", Stated: "1975-06-18", Computed: "1975-10-01"},
		{Party: "twin", What: "missing", Stated: "dissolved"},
	}
	if diff := cmp.Diff(want, lossy.Differences()); diff != "" {
		t.Error(diff)
	}
	r := c.Record(day(t, "2020-01-01").Time())
	for _, x := range []struct{ on, party, state string }{
		{"1980-01-01", "union", "in-force"}, {"1980-01-01", "heir", ""}, {"1991-12-24", "union", "continued"}, {"1991-12-24", "heir", "in-force"},
		{"1989-01-01", "twin", "in-force"}, {"1990-10-03", "twin", "dissolved"}, {"1995-01-01", "twin", "dissolved"},
	} {
		state := ""
		for _, row := range r.Status(day(t, x.on)).Rows {
			if string(row.Party) == x.party {
				state = string(row.State)
			}
		}
		if state != x.state {
			t.Errorf("on %s %s is %q, want %q", x.on, x.party, state, x.state)
		}
	}
}

// Delays of treaties, from the day on which the last instrument that it took was deposited.
func TestDelaysAsTreatiesHaveThem(t *testing.T) {
	for _, x := range []struct {
		name     string
		delay    Delay
		from, to string
	}{
		{"Chemical Weapons Convention, 180 days", Delay{Days: 180}, "1996-10-31", "1997-04-29"},
		{"Rome Statute, first day of the month after the 60th day", Delay{Days: 60, FirstOfMonth: true}, "2002-04-11", "2002-07-01"},
		{"Convention on Cluster Munitions, first day of the sixth month after the month", Delay{Months: 5, FirstOfMonth: true}, "2010-02-16", "2010-08-01"},
		{"Arms Trade Treaty, 90 days", Delay{Days: 90}, "2014-09-25", "2014-12-24"},
		{"Prohibition of Nuclear Weapons, 90 days", Delay{Days: 90}, "2020-10-24", "2021-01-22"},
		{"a month from the end of a long one", Delay{Months: 1}, "2027-01-31", "2027-02-28"},
		{"a leap year", Delay{Months: 1}, "2028-01-31", "2028-02-29"},
		{"no delay", Delay{}, "2028-01-31", "2028-01-31"},
		{"the end of the calendar", Delay{Months: 1200, Days: 36600, FirstOfMonth: true}, "9999-12-01", "9999-12-31"},
	} {
		if got := x.delay.After(day(t, x.from)).String(); got != x.to {
			t.Errorf("%s: %s, want %s", x.name, got, x.to)
		}
	}
}

func TestWhatIsNoCollection(t *testing.T) {
	_, good := collection(t, "cybercrime.json")
	for name, change := range map[string][2]string{
		"another format": {`"detente-acts.v1"`, `"detente-acts.v2"`}, "an unknown key": {`"source"`, `"sauce"`}, "a kind that there is not": {`"kind": "ratify"`, `"kind": "sanctify"`},
		"no date": {`"date": "2002-06-20"`, `"date": ""`}, "a day that there is not": {`"2002-06-20"`, `"2002-06-31"`}, "an id twice": {`"id": "2"`, `"id": "1"`},
		"a party that is none": {`"party": "al"`, `"party": "A"`}, "a state that is none": {`"in-force"`, `"in power"`}, "void": {`"id": "1"`, `"id": "1", "void": "forked"`},
		"rules that are none": {`"threshold": 5`, `"threshold": -5`}, "a key twice": {`"id": "1"`, `"id": "1", "id": "1"`},
	} {
		b := bytes.Replace(good, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(b, good) {
			t.Fatalf("%s: nothing is changed", name)
		}
		if _, err := ReadCollection(b); !errors.Is(err, ErrCollection) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadCollection(f *testing.F) {
	for _, name := range []string{"cybercrime.json", "extinct.json"} {
		_, b := collection(f, name)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ReadCollection(b)
		if err != nil {
			return
		}
		c.Differences()
		if len(c.Record(c.Rules.Entry.NotBefore.Time()).Acts) > len(c.Acts) {
			t.Error("more acts than there are")
		}
	})
}
