package incident_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"detente/form"
	"detente/incident"
	"detente/statement"
	"detente/traffic"
)

// A whole case, as two duty officers would work it.
func TestACaseFromQuestionToClosure(t *testing.T) {
	r, table := table(t)
	d := newDossier(t, r, table)
	asked := d.says("xn", "clarification", "", form.Values{"severity": "moderate", "severity_own": "Stufe 2", "confidence": "low", "limits": "one sensor"})
	d.says("xs", "acknowledgement", "", nil, asked)
	d.says("xs", "dissemination", "", form.Values{"passed_to": []string{"cert", "operators"}, "confirmed_by": []string{"cert"}}, asked)
	d.says("xs", "interim", "need-data", nil, asked)
	d.says("xn", "particulars", "", nil, asked)
	d.says("xs", "interim", "extension", form.Values{"expected": day0.Add(90 * time.Hour)}, asked)
	d.now = day0.Add(20 * time.Hour)
	cease := d.says("xn", "cease-request", "", form.Values{"severity": "major"})
	d.items[len(d.items)-1].Precedence = traffic.Immediate
	d.says("xs", "reply", "confirmed-stopped", nil, cease)
	d.says("xn", "interim", "checking", nil, asked) // whoever asks does not check
	notice := [32]byte{9}
	d.says("xs", "reply", "declared-activity", form.Values{"notice": notice[:]}, asked)
	proposal := d.says("xs", "closure", "agreed", form.Values{"review": true}, asked)
	d.says("xn", "closure-answer", "accepted", nil, proposal)
	d.says("xs", "interim", "checking", nil, asked)
	d.says("xn", "incident-report", "", nil, asked)
	c := d.fold()
	want := `02 08:00 xn clarification → opened
02 09:00 xs acknowledgement → acknowledged
02 10:00 xs dissemination
02 11:00 xs interim → awaiting-data
02 12:00 xn particulars → checking
02 13:00 xs interim → checking
03 04:00 xn cease-request → asked
03 05:00 xs reply → stopped
03 06:00 xn interim (wrong-side)
03 07:00 xs reply → declared
03 08:00 xs closure → proposed-agreed
03 09:00 xn closure-answer → closed-agreed
03 10:00 xs interim (closed)
03 11:00 xn incident-report → declared
closure: closed-agreed, outcome "agreed"
`
	if diff := cmp.Diff(want, story(c, d.now)); diff != "" {
		t.Error(diff)
	}
	if c.Number.String() != "xn/26-0007" || !c.Review || c.Opener != "xn" || !c.ClosedAt.Equal(day0.Add(25*time.Hour)) {
		t.Errorf("%+v", c)
	}
	if len(c.Severity) != 1 || c.Severity[0].Common != "major" {
		t.Errorf("severity %+v", c.Severity)
	}
	if len(c.Passings) != 1 || !slices.Equal(c.Passings[0].To, []string{"cert", "operators"}) || !slices.Equal(c.Passings[0].Confirmed, []string{"cert"}) {
		t.Errorf("passed on %+v", c.Passings)
	}
	if len(c.Links) != 1 || c.Links[0].Notice != statement.ID(notice) || c.Links[0].Conclusion != "declared" {
		t.Errorf("links %+v", c.Links)
	}
	// The ledger reads from the deadlines how the sides kept their times.
	for _, due := range c.Matters[0].Dues {
		switch due.ID {
		case "acknowledge", "first-word":
			if due.Met == (statement.ID{}) || due.Late(d.now) {
				t.Errorf("%+v", due)
			}
		case "explain":
			if due.Statement != asked && due.Moved != 1 {
				t.Errorf("put off %d times", due.Moved)
			}
		}
	}
}

// A report is proposed from any case, and its form takes what is proposed.
func TestReportFromACase(t *testing.T) {
	r, table := table(t)
	d := newDossier(t, r, table)
	asked := d.says("xn", "clarification", "", form.Values{
		"observed": [2]time.Time{day0, day0.Add(time.Hour)}, "observation": "Traffic.", "effects": "None.", "sector": "energy", "severity": "minor", "severity_own": "Stufe 1", "confidence": "low", "limits": "One sensor.",
	})
	d.says("xn", "particulars", "", form.Values{"observed": [2]time.Time{day0.Add(-time.Hour), day0}}, asked)
	d.says("xs", "reply", "confirmed-stopped", form.Values{"measures": "Cut off."}, asked)
	want := form.Values{
		"case": "xn/26-0007", "observed": []any{day0.Add(-time.Hour).Unix(), day0.Add(time.Hour).Unix()}, "summary": "Traffic.", "effects": "None.", "sector": "energy", "severity": "minor",
		"severity_own": "Stufe 1", "confidence": "low", "limits": "One sensor.", "measures": "Cut off.", "outcome": "open",
	}
	got := d.fold().Report()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	f, _ := r.Latest("incident-report")
	if _, err := f.Encode(got); err != nil {
		t.Error(err)
	}
	accident := newDossier(t, r, table)
	accident.says("xs", "loss-of-control", "", form.Values{"what": "A worm.", "spread": "Two networks."})
	got = accident.fold().Report()
	if diff := cmp.Diff(form.Values{"summary": "A worm.", "effects": "Two networks.", "outcome": "open"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheUrgentMatterLeadsTheCase(t *testing.T) {
	r, table := table(t)
	d := newDossier(t, r, table)
	asked := d.says("xn", "clarification", "", nil)
	leads := func(machine, state string) {
		t.Helper()
		if v := d.fold().At(d.now); v.Machine != machine || v.State != state || !v.Open() {
			t.Errorf("%s: %s leads", v.Machine, v.State)
		}
	}
	leads("clarification", "opened")
	cease := d.says("xn", "cease-request", "", nil)
	leads("cease", "asked")
	d.says("xs", "acknowledgement", "", nil, asked)
	leads("cease", "asked")
	d.says("xs", "reply", "not-confirmed", nil, cease)
	leads("clarification", "acknowledged")
	proposal := d.says("xn", "closure", "disagreed", nil)
	leads("closure", "proposed-disagreed")
	d.says("xs", "closure-answer", "declined", nil, proposal)
	leads("clarification", "acknowledged")
	again := d.says("xn", "closure", "lapsed", nil)
	leads("closure", "proposed-lapsed")

	// Silence closes what was proposed as lapsed, and a late word opens it again.
	due := d.fold().At(d.now).Owed
	last := due[len(due)-1].At
	v := d.fold().At(last)
	if v.Outcome != "lapsed" || v.State != "closed-lapsed" || len(v.Overdue()) > 0 {
		t.Errorf("after the silence: %s, %q, %v", v.State, v.Outcome, v.Overdue())
	}
	d.now = last.Add(time.Hour)
	d.says("xs", "closure-answer", "declined", nil, again)
	leads("clarification", "acknowledged")
}

func TestWhoOwesWhatByWhen(t *testing.T) {
	r, table := table(t)
	d := newDossier(t, r, table)
	d.says("xn", "cease-request", "", nil)
	d.items[0].Precedence = traffic.Flash
	c := d.fold()
	v := c.At(day0)
	if next := v.Next(); !next.Equal(day0.Add(10 * time.Minute)) {
		t.Errorf("next at %s", next)
	}
	late := func(after time.Duration, want ...string) {
		t.Helper()
		var have []string
		for _, due := range c.At(day0.Add(after)).Overdue() {
			if due.Owner != "xs" {
				t.Errorf("%s is owed by %s", due.ID, due.Owner)
			}
			have = append(have, due.ID)
		}
		if !slices.Equal(have, want) {
			t.Errorf("late after %s: %v", after, have)
		}
	}
	late(10 * time.Minute)
	late(10*time.Minute+time.Second, "cease-acknowledge")
	late(31*time.Minute, "cease-acknowledge", "cease-check")
	late(1000*time.Hour, "cease-acknowledge", "cease-check", "cease-result") // the report is proposed, not owed
}

func TestStatementsThatDoNotFit(t *testing.T) {
	r, table := table(t)
	for name, c := range map[string]struct {
		why string
		say func(d *dossier, asked statement.ID)
	}{
		"a third party":          {incident.NotParty, func(d *dossier, asked statement.ID) { d.says("xt", "reply", "refused", nil, asked) }},
		"the asker's own answer": {incident.WrongSide, func(d *dossier, asked statement.ID) { d.says("xn", "reply", "refused", nil, asked) }},
		"data that nobody needs": {"", func(d *dossier, asked statement.ID) { d.says("xn", "particulars", "", nil, asked) }},
		"void in the dossier": {incident.Void, func(d *dossier, asked statement.ID) {
			d.says("xs", "reply", "refused", nil, asked)
			d.items[1].Void = "ref-later"
		}},
		"cancelled by its author": {incident.Cancelled, func(d *dossier, asked statement.ID) {
			d.says("xs", "reply", "refused", nil, asked)
			d.items[1].Cancelled = true
		}},
		"a course of no activity": {incident.NoMatter, func(d *dossier, asked statement.ID) { d.says("xn", "activity-status", "activated", nil) }},
		"an interim after the last": {incident.NotNow, func(d *dossier, asked statement.ID) {
			d.says("xs", "reply", "refused", nil, asked)
			d.says("xs", "interim", "checking", nil, asked)
		}},
		"a reply acknowledged": {"", func(d *dossier, asked statement.ID) {
			d.says("xn", "acknowledgement", "", nil, d.says("xs", "reply", "refused", nil, asked))
		}},
		"a word beside the table": {"", func(d *dossier, asked statement.ID) {
			d.says("xs", "goodwill", "", form.Values{"text": "Good day."}, asked)
		}},
	} {
		d := newDossier(t, r, table)
		asked := d.says("xn", "clarification", "", nil)
		c.say(d, asked)
		entries := d.fold().Entries
		if last := entries[len(entries)-1]; last.Why != c.why {
			t.Errorf("%s: %q, not %q", name, last.Why, c.why)
		}
	}
	d := newDossier(t, r, table)
	figures := d.says("xn", "publication", "", nil)
	d.says("xs", "publication-answer", "consented", form.Values{"figures": make([]byte, 32)}, figures)
	c := d.fold()
	if c.Entries[1].Why != incident.Differs || len(c.Consents()) != 0 {
		t.Errorf("consent to other figures: %q, %v", c.Entries[1].Why, c.Consents())
	}
	d.says("xs", "publication-answer", "consented", nil, figures)
	if got := d.fold().Consents(); len(got) != 1 || got[0].Statement != figures {
		t.Errorf("consent %v", got)
	}
	withdrawn := newDossier(t, r, table)
	asked := withdrawn.says("xn", "clarification", "", nil)
	withdrawn.items[0].Cancelled = true
	withdrawn.says("xn", "cancellation", "", nil, asked)
	withdrawn.says("xs", "acknowledgement", "", nil, asked)
	withdrawn.says("xs", "reply", "refused", nil, asked)
	if got, want := story(withdrawn.fold(), day0), "02 08:00 xn clarification → opened\n02 09:00 xn cancellation → withdrawn\n02 10:00 xs acknowledgement → withdrawn\n02 11:00 xs reply (not-now)\nclarification: withdrawn, outcome \"\"\n"; got != want {
		t.Errorf("withdrawn:\n%s", got)
	}
}

func TestCaseNumbers(t *testing.T) {
	for _, s := range []string{"xn/26-0007", "xn/00-123456", "a-b/99-9999"} {
		n, err := incident.ParseNumber(s)
		if err != nil || n.String() != s {
			t.Errorf("%s became %s, %v", s, n, err)
		}
	}
	for _, s := range []string{"", "xn", "xn/26-0000", "xn/26-007", "xn/26-00007", "XN/26-0007", "xn/26-0007 ", "xn/2026-0007", "xn/26-1234567", strings.Repeat("x", 40) + "/26-0001"} {
		if n, err := incident.ParseNumber(s); err == nil {
			t.Errorf("%q is %s", s, n)
		}
	}
	taken := []incident.Number{{Party: "xn", Year: 26, Serial: 4}, {Party: "xn", Year: 25, Serial: 9}, {Party: "xs", Year: 26, Serial: 7}}
	if n := incident.Next("xn", 2026, taken); n.String() != "xn/26-0005" {
		t.Errorf("next is %s", n)
	}
	if n := incident.Next("xn", 2027, taken); n.String() != "xn/27-0001" {
		t.Errorf("next is %s", n)
	}
}

func TestOneCaseOnThreeChannels(t *testing.T) {
	r, table := table(t)
	on := func(channel byte, plane traffic.Plane, number string) *incident.Case {
		d := newDossier(t, r, table)
		d.says("xn", "clarification", "", form.Values{"case": number})
		d.says("xs", "interim", "checking", nil, d.items[0].ID)
		d.items[0].Channel, d.items[0].Plane = [32]byte{channel}, plane
		return d.fold()
	}
	files := incident.Tie([]*incident.Case{
		on(3, traffic.Real, "xn/26-0007"), on(1, traffic.Real, "xn/26-0008"), on(2, traffic.Exercise, "xn/26-0007"), on(1, traffic.Real, "xn/26-0007"), on(1, traffic.Real, "?"),
	})
	var have []string
	for _, f := range files {
		s := string(f.Plane) + " " + f.Number.String() + ":"
		for _, c := range f.Cases {
			s += " " + string('0'+rune(c.Channel[0]))
		}
		have = append(have, s)
	}
	want := []string{"exercise xn/26-0007: 2", "real xn/26-0007: 1 3", "real xn/26-0008: 1", "real : 1"}
	if !slices.Equal(have, want) {
		t.Errorf("%q", have)
	}
	d := newDossier(t, r, table)
	asked := d.says("xn", "clarification", "", nil)
	d.says("xs", "reply", "refused", form.Values{"case": "xs/26-0001"}, asked)
	d.says("xs", "particulars", "", form.Values{"case": "7"}, asked)
	c := d.fold()
	if !slices.Equal(c.Entries[1].Remarks, []string{incident.OtherCase}) || !slices.Equal(c.Entries[2].Remarks, []string{incident.NoNumber}) || c.Entries[1].Why != "" {
		t.Errorf("%v, %v", c.Entries[1].Remarks, c.Entries[2].Remarks)
	}
}
