package acts

import (
	"fmt"
	"testing"
	"time"

	"detente/traffic"
)

func day(t testing.TB, s string) Day {
	t.Helper()
	d, err := ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Entry into force as it was, of a treaty whose dates are beyond doubt: the Convention on Cybercrime (ETS No. 185), article 36: five States, of them three members
// of the Council of Europe; the first day of the month after three months.
func TestEntryIntoForceAsItWas(t *testing.T) {
	rules := &Rules{
		Version: 1, Nature: Legal, Eligibility: Eligibility{Who: EligibleAll}, Reservations: Reservations{Regime: ReservePermitted},
		Entry: Entry{
			Threshold: 5, Among: []Group{{Parties: []traffic.Party{"al", "hr", "ee", "hu", "lt", "ro", "si", "mk"}, AtLeast: 3}}, Delay: Delay{Months: 3, FirstOfMonth: true},
		},
		Notice: Delay{Months: 3, FirstOfMonth: true},
	}
	var list []Act
	stated := map[traffic.Party]string{}
	for i, x := range [][3]string{
		{"al", "2002-06-20", "2004-07-01"}, {"hr", "2002-10-17", "2004-07-01"}, {"ee", "2003-05-12", "2004-07-01"}, {"hu", "2003-12-04", "2004-07-01"},
		{"lt", "2004-03-18", "2004-07-01"}, {"ro", "2004-05-12", "2004-09-01"}, {"si", "2004-09-08", "2005-01-01"}, {"mk", "2004-09-15", "2005-01-01"},
	} {
		list = append(list, Act{ID: fmt.Sprint(i), Party: traffic.Party(x[0]), Kind: Ratify, Date: day(t, x[1])})
		stated[traffic.Party(x[0])] = x[2]
	}
	r := Fold(rules, list, time.Time{})
	if r.Met.String() != "2004-03-18" || r.Entry.String() != "2004-07-01" {
		t.Errorf("met %s, in force %s", r.Met, r.Entry)
	}
	for _, row := range r.Status(day(t, "2006-01-01")).Rows {
		if row.InForce.String() != stated[row.Party] {
			t.Errorf("%s: in force %s, stated %s", row.Party, row.InForce, stated[row.Party])
		}
	}
	if s := r.Status(day(t, "2004-06-30")); s.InForce || s.Counts[Consented] != 6 {
		t.Errorf("the day before: %+v", s)
	}
}

// Delays of other treaties, from the day on which the last instrument that it took was deposited.
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
