package incident_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/form"
	"detente/incident"
)

func scan(d *dossier, more form.Values) incident.Case {
	v := form.Values{
		"class": "scan", "window": [2]time.Time{day0.Add(100 * time.Hour), day0.Add(200 * time.Hour)}, "sources": "192.0.2.0/24, 2001:db8:7::/48",
		"as_numbers": "AS64500 64501", "networks": "198.51.100.0/24", "sectors": []string{"energy", "finance"},
	}
	for k, x := range more {
		v[k] = x
	}
	d.says("xn", "planned-activity", "", v)
	return *d.fold()
}

func TestTheLifeOfANotice(t *testing.T) {
	r, table := table(t)
	d := newDossier(t, r, table)
	c := scan(d, nil)
	id := d.items[0].ID
	at := func(after time.Duration, state string, owed ...string) incident.Notice {
		t.Helper()
		c := d.fold()
		n := c.Notices(day0.Add(after))[0]
		var have []string
		for _, due := range c.At(day0.Add(after)).Overdue() {
			have = append(have, due.ID)
		}
		if n.State != state || !slices.Equal(have, owed) {
			t.Errorf("after %s: %s, overdue %v", after, n.State, have)
		}
		return n
	}
	if n := at(time.Hour, "planned"); n.Short || n.Class != "scan" || n.By != "xn" || n.Void() {
		t.Errorf("%+v", n)
	}
	if len(c.Entries[0].Remarks) > 0 {
		t.Errorf("remarks %v", c.Entries[0].Remarks)
	}
	d.says("xs", "acknowledgement", "", nil, id)
	at(99*time.Hour, "planned")
	at(100*time.Hour, "unconfirmed")
	at(224*time.Hour, "overdue")
	at(224*time.Hour+1, "overdue", "completion")
	d.says("xs", "activity-status", "activated", nil, id) // the other side cannot begin it
	at(101*time.Hour, "unconfirmed")
	d.now = day0.Add(102 * time.Hour)
	d.says("xn", "activity-status", "activated", nil, id)
	if n := at(103*time.Hour, "activated"); !n.Activated.Equal(day0.Add(102 * time.Hour)) {
		t.Errorf("%+v", n)
	}
	d.says("xn", "activity-status", "extended", form.Values{"window": [2]time.Time{day0.Add(100 * time.Hour), day0.Add(300 * time.Hour)}}, id)
	if n := at(290*time.Hour, "activated"); n.Extended != 1 || !n.Declared.To.Equal(day0.Add(300*time.Hour)) {
		t.Errorf("%+v", n)
	}
	at(325*time.Hour, "overdue", "completion")
	d.says("xn", "activity-status", "completed", nil) // without a reference it is about the only activity
	if n := at(325*time.Hour, "completed"); !n.Ended.Equal(d.now.Add(-time.Hour)) {
		t.Errorf("%+v", n)
	}
}

func TestShortNotice(t *testing.T) {
	r, table := table(t)
	for reason, want := range map[string]string{"": incident.NoReason, "The storm came early.": incident.ShortNotice} {
		d := newDossier(t, r, table)
		v := form.Values{"window": [2]time.Time{day0.Add(71 * time.Hour), day0.Add(80 * time.Hour)}}
		if reason != "" {
			v["short_notice"] = reason
		}
		c := scan(d, v)
		if !slices.Equal(c.Entries[0].Remarks, []string{want}) || !c.Notices(day0)[0].Short {
			t.Errorf("%q: %v", reason, c.Entries[0].Remarks)
		}
	}
}

func TestWhatWasObservedAgainstWhatWasDeclared(t *testing.T) {
	r, table := table(t)
	d := newDossier(t, r, table)
	c := scan(d, nil)
	n := c.Notices(day0.Add(150 * time.Hour))[0]
	hours := func(from, to time.Duration) [2]time.Time {
		return [2]time.Time{day0.Add(from * time.Hour), day0.Add(to * time.Hour)}
	}
	for name, o := range map[string]struct {
		seen       form.Values
		conclusion string
		hit        string
		missed     string
	}{
		"from an announced address":         {form.Values{"observed": hours(150, 151), "sources": "192.0.2.7"}, incident.Matches, "window sources", ""},
		"from a part of the other network":  {form.Values{"observed": hours(150, 151), "sources": "2001:db8:7:1::/64"}, incident.Matches, "window sources", ""},
		"from a network around it":          {form.Values{"observed": hours(150, 151), "sources": "10.0.0.1 192.0.0.0/16"}, incident.Matches, "window sources", ""},
		"an address written as IPv6":        {form.Values{"observed": hours(150, 151), "sources": "::ffff:192.0.2.7"}, incident.Matches, "window sources", ""},
		"everything":                        {form.Values{"observed": hours(0, 500), "sources": "192.0.2.7", "as_numbers": "as64501", "networks": "198.51.100.9", "sector": "energy"}, incident.Matches, "window sources as-numbers networks sectors", ""},
		"at its last second":                {form.Values{"observed": hours(200, 201), "as_numbers": "64500"}, incident.Matches, "window as-numbers", ""},
		"the day before":                    {form.Values{"observed": hours(70, 80), "sources": "192.0.2.7"}, incident.Differ, "sources", "window"},
		"another source in its time":        {form.Values{"observed": hours(150, 151), "sources": "203.0.113.1"}, incident.Differ, "window", "sources"},
		"the source, but another target":    {form.Values{"observed": hours(150, 151), "sources": "192.0.2.7", "networks": "203.0.113.0/24"}, incident.InPart, "window sources", "networks"},
		"the sector alone":                  {form.Values{"observed": hours(150, 151), "sector": "finance"}, incident.InPart, "window sectors", ""},
		"the sector, from elsewhere":        {form.Values{"observed": hours(150, 151), "sector": "finance", "sources": "203.0.113.1"}, incident.Differ, "window sectors", "sources"},
		"only that something was":           {form.Values{"observed": hours(150, 151)}, incident.Differ, "window", ""},
		"several sectors say nothing":       {form.Values{"observed": hours(150, 151), "sector": "several"}, incident.Differ, "window", ""},
		"networks beside the announced one": {form.Values{"observed": hours(150, 151), "sources": "192.0.1.255 192.0.3.0"}, incident.Differ, "window", "sources"},
	} {
		seen, unread := incident.ObservationOf(values(t, r, table, "clarification", "", o.seen))
		m := incident.Compare(seen, n)
		if m.Conclusion != o.conclusion || strings.Join(m.Hit, " ") != o.hit || strings.Join(m.Missed, " ") != o.missed || unread > 0 {
			t.Errorf("%s: %s, matched %v, missed %v, %d unread", name, m.Conclusion, m.Hit, m.Missed, unread)
		}
	}
	seen, _ := incident.ObservationOf(values(t, r, table, "clarification", "", form.Values{"observed": hours(150, 151), "sources": "192.0.2.7", "networks": "203.0.113.0/24"}))
	better := n
	better.Declared.Networks = nil
	over := n
	over.Ended = day0.Add(120 * time.Hour)
	gone := n
	gone.State = "withdrawn"
	if got := incident.CompareAll(seen, []incident.Notice{n, gone, over, better}); len(got) != 2 || got[0].Conclusion != incident.Matches || got[1].Conclusion != incident.InPart {
		t.Errorf("%+v", got)
	}
}

func TestListsOfNetworksAreBounded(t *testing.T) {
	o, unread := incident.ObservationOf(form.Values{
		"sources": strings.Repeat("192.0.2.1 ", 5) + "192.0.2.256 fe80::1%eth0 10.0.0.0/33 name.example", "as_numbers": "AS1 ASN 4294967296 -1 1", "networks": "",
	})
	if !slices.Equal(o.Sources, []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}) || !slices.Equal(o.Numbers, []uint32{1}) || unread != 7 {
		t.Errorf("%v, %v, %d unread", o.Sources, o.Numbers, unread)
	}
	var many strings.Builder
	for i := range 300 {
		many.WriteString(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).String() + " ")
	}
	if o, unread := incident.ObservationOf(form.Values{"sources": many.String()}); len(o.Sources) != 256 || unread != 44 {
		t.Errorf("%d, %d unread", len(o.Sources), unread)
	}
	r, table := table(t)
	d := newDossier(t, r, table)
	if c := scan(d, form.Values{"networks": "everything"}); !slices.Equal(c.Entries[0].Remarks, []string{incident.Unread}) {
		t.Errorf("%v", c.Entries[0].Remarks)
	}
}

func TestCodebookAndItsChanges(t *testing.T) {
	r, table := table(t)
	b, err := incident.LoadCodebook(r)
	if err != nil {
		t.Fatal(err)
	}
	if !b.Appropriate("s104", "r03") || !b.Appropriate("s104", "r10") || b.Appropriate("s104", "r08") || !b.Appropriate("agreed", "r08") {
		t.Error("appropriate responses")
	}
	proposal := func(clock int64, action string, number int, answer string) *incident.Case {
		d := newDossier(t, r, table)
		id := d.says("xn", "codebook-change", action, nil)
		d.items[0].Values["action"], d.items[0].Values["number"], d.items[0].Clock = action, int64(number), clock
		d.says("xs", "codebook-answer", answer, nil, id)
		return d.fold()
	}
	cases := []*incident.Case{
		proposal(5, "adopt", 501, "accepted"), proposal(2, "try", 501, "accepted"), proposal(3, "try", 502, "declined"),
		proposal(4, "retire", 101, "accepted"), proposal(6, "adopt", 204, "accepted"), proposal(7, "try", 102, "accepted"),
	}
	now := map[int64]incident.Signal{}
	for _, s := range b.With(incident.Changes(cases)) {
		now[s.Number] = s
	}
	if s := now[501]; s.Trial || s.Meaning == "" || s.Agreed == [32]byte{} {
		t.Errorf("501: %+v", s)
	}
	if _, ok := now[502]; ok || !now[101].Retired || now[204].Trial || !now[402].Trial || now[102].Meaning != "" || len(now) != len(b.Signals)+1 {
		t.Errorf("%+v", now)
	}
}

func TestScalesOfBothSides(t *testing.T) {
	r, table := table(t)
	d := newDossier(t, r, table)
	say := func(from, own, common string, more form.Values) {
		v := form.Values{"level": own, "common": common}
		for k, x := range more {
			v[k] = x
		}
		d.says(from, "severity-scale", "", v)
	}
	say("xn", "Stufe 2", "minor", nil)
	say("xn", "Stufe 2", "moderate", nil)
	say("xn", "Stufe 3", "severe", nil)
	say("xs", "Stufe 2", "major", nil)
	say("xn", "Stufe 3", "severe", form.Values{"withdrawn": true})
	scales := incident.Scales(d.items)
	if len(scales) != 2 || incident.Common(scales, "xn", "Stufe 2") != "moderate" || incident.Common(scales, "xs", "Stufe 2") != "major" || incident.Common(scales, "xn", "Stufe 3") != "" {
		t.Errorf("%+v", scales)
	}
}
