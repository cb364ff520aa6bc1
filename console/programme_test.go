package console

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"detente/api/programme"
)

// survey puts the programme of two parties before the screens, with a measure in each of the states.
func (f *fakeFloor) survey(now time.Time) {
	stands := []string{"alive", "overdue", "waiting", "ended", "suspended", "none"}
	f.relations = []programme.Relation{
		{X: "xn", Y: "xs", Own: true, Stands: stands}, {X: "xl", Y: "xs", Stands: []string{"unseen", "unseen", "unseen", "unseen", "unseen", "alive"}},
	}
	evidence := func(kind, file string) []programme.Evidence {
		return []programme.Evidence{{Statement: f.line.ID, Number: "XN/COUNCIL-R-0001", Feed: "detente.v1/cc/xn/real/R/0", Kind: kind, File: file}}
	}
	f.programme = programme.Board{X: "xn", Y: "xs", Plane: "real", On: now}
	f.timeline = programme.Timeline{X: "xn", Y: "xs", From: now.AddDate(-1, 0, 0).Truncate(24 * time.Hour), To: now}
	for i, s := range stands {
		l := programme.Line{Measure: i + 1, Title: "A measure", Stands: s, StandsIn: s, Key: s, Words: "Consultations: round 2 is agreed.", Evidence: evidence("talk", strings.Repeat("5e", 32)), Facts: []programme.Fact{}}
		if s == "none" {
			l.Words, l.Evidence = "Nothing was opened.", []programme.Evidence{}
		}
		for kind, file := range map[string]string{"alive": "talk", "overdue": "statement", "waiting": "draft", "ended": "case", "suspended": "act"} {
			if kind == s {
				l.Facts = append(l.Facts, programme.Fact{Key: "round.agreed", Words: "Case xn/99-0001: a reply was due.", At: now.AddDate(0, 0, -i), Conduct: s == "overdue", Evidence: evidence(file, "xn/99-0001")})
			}
		}
		f.programme.Lines = append(f.programme.Lines, l)
		f.timeline.Begins = append(f.timeline.Begins, "none")
		if s != "none" {
			f.timeline.Changes = append(f.timeline.Changes, programme.Change{
				Day: now.AddDate(0, 0, -40+i).Truncate(24 * time.Hour), Measure: i + 1, Title: "A measure", From: "none", FromIn: "nothing yet", To: s, ToIn: s, Words: l.Words, Evidence: l.Evidence,
			})
		}
	}
}

// ofProgramme answers what is asked about the programme; nil for everything else.
func (f *fakeFloor) ofProgramme(r *http.Request) any {
	switch r.Method + " " + r.URL.Path {
	case "GET /v1/programme":
		return f.relations
	case "GET /v1/programme/xn/xs":
		return f.programme
	case "GET /v1/programme/xn/xs/timeline":
		return f.timeline
	}
	return nil
}

func TestTheProgrammeGoesToAnyDateWithoutAScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFloor()
		d := sit(t, f)
		page := d.do("GET", "/real/programme/xn..xs", nil).Body.String()
		today := time.Now().UTC().Format(time.DateOnly)
		for _, must := range []string{
			`<input type="range" id="back" name="back"`, `<input type="date" id="on" name="on" max="` + today + `" value="` + today + `"`, "Dialogue", "Agreement on incidents", "overdue", `href="/real/statement/` + f.line.ID,
			`href="/real/talks/xn%2F99-0001"`, `href="/real/case?n=xn%2F99-0001"`, `href="/real/instrument?n=xn%2F99-0001"`, `class="bar-suspended"`, "As of now", `href="/real/programme/xn..xs?public=1"`,
		} {
			if !strings.Contains(page, must) {
				t.Errorf("the page lacks %q", must)
			}
		}
		asked := func(path string) string {
			f.questions = nil
			d.do("GET", path, nil)
			for _, q := range f.questions {
				if strings.HasPrefix(q, "/v1/programme/xn/xs?") {
					return q
				}
			}
			return "nothing"
		}
		ten := time.Now().UTC().AddDate(0, 0, -10).Format(time.DateOnly)
		for path, want := range map[string]string{
			"/real/programme/xn..xs?back=10":                 "on=" + ten,
			"/real/programme/xn..xs?on=" + ten:               "on=" + ten,
			"/real/programme/xn..xs?back=0&on=" + ten:        "on=" + ten,
			"/real/programme/xn..xs?public=1&on=" + ten:      "public=true",
			"/exercise/programme/xn..xs?on=" + ten:           "plane=exercise",
			"/real/programme/xn..xs?on=nonsense&back=-5":     "lang=en",
			"/real/programme/xn..xs?on=2999-01-01":           "lang=en",
			"/real/programme/xn..xs?back=99999999999&on=bad": "lang=en",
		} {
			got := asked(path)
			if !strings.Contains(got, want) || !strings.Contains(want, "on=") && strings.HasPrefix(want, "lang") && strings.Contains(got, "on=2999") {
				t.Errorf("%s asks %s", path, got)
			}
		}
		if w := d.do("GET", "/real/programme/xn", nil); w.Code != http.StatusNotFound {
			t.Errorf("of one party: %d", w.Code)
		}
		list := d.do("GET", "/real/programme", nil).Body.String()
		if !strings.Contains(list, `href="/real/programme/xn..xs"`) || !strings.Contains(list, "not shown to others") {
			t.Error("the list lacks a relation")
		}
	})
}
