package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"detente/api"
	"detente/api/drafting"
	"detente/api/talks"
	"detente/traffic"
)

// consult puts a series and a group before the screens: a round that was held, one that is proposed and was declined, a session that goes on.
func (f *fakeFloor) consult(now time.Time) {
	series, group := strings.Repeat("5e", 32), strings.Repeat("6a", 32) // the series reviews an agreement
	day := func(n int) time.Time { return now.AddDate(0, 0, n) }
	line := talks.Line{
		ID: series, Number: "XN/COUNCIL-R-0001", Kind: "series", Name: "Consultations on ICT security", Channel: "council", ChannelID: strings.Repeat("cc", 32), Goes: true, Plane: "real", Parties: []string{"xn", "xs"},
		Stands: "overdue", Words: "overdue", Level: "high-level", LevelWords: "inter-agency, high level", Every: "4380h0m0s", Round: 2, Host: "xs", Due: day(-3), Overdue: true, Lighter: "virtual", LighterIn: "virtual",
		LastHeld: day(-185), Open: 2, Late: 1, Last: now,
	}
	proposal := func(id, by string, from int, standing ...traffic.Party) talks.Proposal {
		return talks.Proposal{
			ID: strings.Repeat(id, 32), Number: strings.ToUpper(by[:2]) + "/COUNCIL-R-0004", By: by, At: day(-8), Mode: "virtual", ModeIn: "virtual", Host: "xs", Place: "Geneva", From: day(from), To: day(from).Add(7 * time.Hour),
			Words: "Both delegations have interpreters.", Standing: standing,
		}
	}
	held := proposal("a0", "xn/council", -186, "xn", "xs")
	f.talk = talks.File{
		Line: line, Names: map[string]string{"en": "Consultations on ICT security", "ar": "مشاورات بشأن أمن تكنولوجيا المعلومات"}, Opener: "xn/council", Opened: day(-365), Hosts: []string{"xn", "xs"}, Languages: []string{"en", "ar"}, Case: "xn/99-0001", Basis: strings.Repeat("ba", 32),
		Rounds: []talks.Round{
			{
				Number: 1, Host: "xn", Proposals: []talks.Proposal{held}, Agreed: &held, Refusals: []talks.Refusal{}, Held: []talks.Held{{By: "xn", From: held.From, To: held.To, Mode: "virtual", Place: "Geneva"}},
				Delegations: []talks.Delegation{{By: "xs", Head: "Deputy Minister", Members: []string{"Director"}, Credentials: "accepted"}},
				Texts:       []talks.Text{{What: "minutes", Negotiation: strings.Repeat("d0", 32), Number: "XN/COUNCIL-R-0007", Agreed: true, Digest: strings.Repeat("ab", 32), Signed: []traffic.Party{"xs"}, Items: []talks.Item{{ID: "structure"}, {ID: "p-1", Agreed: true, Texts: map[string]string{"en": "Both sides compared their lists.", "ar": "قارن الجانبان قائمتيهما."}}}}},
			},
			{
				Number: 2, Host: "xs", Proposals: []talks.Proposal{proposal("a1", "xs/council", 20, "xs"), proposal("a2", "xn/council", 30, "xn"), proposal("a3", "xs/council", 40)}, Held: []talks.Held{}, Delegations: []talks.Delegation{},
				Refusals: []talks.Refusal{{By: "xs", At: day(-9), Ground: "timing", GroundIn: "time", Words: "Parliament sits then.", Instead: "virtual", InForce: true}},
				Texts:    []talks.Text{{What: "agenda", Negotiation: strings.Repeat("d0", 32), Number: "XS/COUNCIL-R-0008", Signed: []traffic.Party{}, Items: []talks.Item{{ID: "p-1", Texts: map[string]string{"en": "Points of contact"}}}}},
			},
		},
		Actions: []talks.Action{{ID: strings.Repeat("ac", 32), Number: "XN/COUNCIL-R-0009", Round: 1, Texts: map[string]string{"en": "Exchange the list of sectors.", "ar": "تبادل قائمة القطاعات."}, Owner: "xn/cert", Due: day(-2), State: "open", Note: "Under way.", Late: true}, {ID: strings.Repeat("ad", 32), Number: "XN/COUNCIL-R-0010", Round: 1, Texts: map[string]string{"en": "Translate it."}, Owner: "xs", Due: day(3), State: "done"}},
		Papers:  []talks.Paper{{ID: f.line.ID, By: "xs/council", At: day(-8), Round: 2, Kind: "non-paper", Title: map[string]string{"en": "On thresholds"}, Words: "For discussion.", File: "thresholds.pdf"}},
		Entries: []talks.Entry{{ID: f.line.ID, Number: "XN/COUNCIL-R-0001", Form: "series", What: "SERIES OF CONSULTATIONS", By: "xn/council", At: day(-365)}, {ID: "e2", Number: "XS/COUNCIL-R-0002", Form: "round-acceptance", What: "ROUND ACCEPTED", By: "xs/council", At: now, Why: "over", WhyWords: "the round was held"}},
	}
	stopped := line
	stopped.ID, stopped.Name, stopped.Stands, stopped.Words, stopped.Overdue, stopped.Goes, stopped.Stopped = strings.Repeat("5f", 32), "Review of the agreement", "due", "due", false, false, "a member has suspended this on the channel"
	f.series = []talks.Line{line, stopped}
	experts := talks.Line{
		ID: group, Number: "XN/CERT-R-0001", Kind: "group", Name: "Experts on industrial control", Channel: "experts", ChannelID: strings.Repeat("ce", 32), Protected: true, Goes: true, Plane: "real", Parties: []string{"xn", "xs"},
		Stands: "chatham-house", Words: "Chatham House rule", Rapporteur: "xn/cert", Members: []string{"xn/cert", "xs/cert"}, Rule: "chatham-house", Open: 1, Last: now,
	}
	f.groups = []talks.Line{experts}
	session := talks.Session{ID: strings.Repeat("5a", 32), Number: "XN/CERT-R-0003", Name: "2000-1", From: now.Add(-time.Hour), To: now.Add(time.Hour), Until: day(7), Members: []string{"xn/cert", "xs/cert"}, Outputs: []map[string]string{{"en": "The members will compare lists of sectors."}}}
	gone := session
	gone.ID, gone.Name, gone.To, gone.Until, gone.Outputs = strings.Repeat("5b", 32), "1999-1", day(-30), day(-23), nil
	f.group = talks.File{
		Line: experts, Names: map[string]string{"en": "Experts on industrial control", "ar": "خبراء التحكم الصناعي"}, Opener: "xn/cert", Opened: day(-90), Mandate: strings.Repeat("d0", 32),
		Thread:  []talks.Post{{ID: f.line.ID, Number: "XS/CERT-R-0002", By: "xs/cert", At: day(-80), Words: "We see the same pattern."}, {ID: "t2", Number: "XN/CERT-R-0002", By: "xn/cert", At: day(-79), Words: "So do we.", To: f.line.ID}},
		Reports: []talks.Report{{Negotiation: strings.Repeat("d0", 32), Adopted: true, Text: strings.Repeat("ab", 32), Dissent: map[string]string{"xs": "Not as to paragraph 3."}, Positions: []talks.Position{{By: "xn", How: "consensus"}, {By: "xs", How: "dissent", Words: "Not as to paragraph 3."}}}, {Negotiation: strings.Repeat("dd", 32), Positions: []talks.Position{{By: "xn", How: "consensus"}}}},
		Actions: f.talk.Actions[:1], Sessions: []talks.Session{gone, session},
		Entries: []talks.Entry{{ID: f.line.ID, Number: "XN/CERT-R-0001", Form: "group", What: "GROUP OF EXPERTS", By: "xn/cert", At: day(-90)}},
	}
	f.spoken = []talks.Spoken{{ID: strings.Repeat("c0", 32), At: now, Speaker: "xs", Words: "Our operators patch once a year."}, {ID: strings.Repeat("c1", 32), At: now, Speaker: "xn", Words: "Ours too.", Own: true}}
}

// council is a channel on which consultations are held.
func (f *fakeFloor) council() api.Channel {
	code := func(name string, codes ...string) api.Field {
		return api.Field{Name: name, Kind: "code", Codes: codes, Labels: codes}
	}
	c := f.channel
	c.ID, c.Name, c.Regime, c.Posts, c.Protected = strings.Repeat("cc", 32), "council", "dialogue/1", nil, true
	c.Forms = []api.Form{
		{ID: "series", Fields: []api.Field{code("level", "high-level", "review")}}, {ID: "group", Fields: []api.Field{code("rule", "open", "chatham-house")}},
		{ID: "round-proposal", Fields: []api.Field{code("mode", "in-person", "virtual", "correspondence", "third-venue")}}, {ID: "round-held", Fields: []api.Field{code("mode", "in-person", "virtual")}},
		{ID: "round-refusal", Fields: []api.Field{code("ground", "timing", "venue"), code("instead", "virtual", "none")}}, {ID: "action-status", Fields: []api.Field{code("state", "open", "done")}},
		{ID: "paper", Fields: []api.Field{code("kind", "position", "non-paper")}}, {ID: "report-adoption", Fields: []api.Field{code("how", "consensus", "dissent")}},
		{ID: "group-member", Fields: []api.Field{code("what", "joins", "leaves")}},
	}
	return c
}

// ofTalks answers what is asked about consultations; nil for everything else.
func (f *fakeFloor) ofTalks(r *http.Request) any {
	const at = "/v1/dialogues"
	series, group := at+"/"+strings.Repeat("5e", 32), at+"/"+strings.Repeat("6a", 32)
	switch path := r.URL.Path; {
	case r.Method == "GET" && path == "/v1/channels/"+strings.Repeat("cc", 32), r.Method == "GET" && path == "/v1/channels/"+strings.Repeat("ce", 32), r.Method == "GET" && path == "/v1/channels/council":
		return f.council()
	case r.Method == "GET" && path == at && r.URL.Query().Get("kind") == "group":
		return f.groups
	case r.Method == "GET" && path == at:
		return f.series
	case r.Method == "GET" && path == series:
		return f.talk
	case r.Method == "GET" && path == group:
		return f.group
	case r.Method == "GET" && path == series+"/text":
		return f.talk.Rounds[1].Texts[0]
	case r.Method == "GET" && path == series+"/rounds/1/pack/pdf":
		return "pages"
	case r.Method == "GET" && strings.HasSuffix(path, "/outside"):
		return []talks.Anonymous{{On: begin(), By: "a participant", Words: "Ours too."}}
	case r.Method == "GET" && strings.HasPrefix(path, group+"/sessions/"):
		return f.spoken
	case r.Method == "POST" && strings.HasSuffix(path, "/contributions"):
		return f.spoken[1]
	case r.Method == "POST" && (strings.HasSuffix(path, "/items") || strings.HasSuffix(path, "/agreements")):
		return []api.Sent{}
	case r.Method == "POST" && strings.HasPrefix(path, at):
		return f.sent
	}
	return nil
}

func TestWhenWeMeetStandsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, newFloor())
		d.floor.refuse["GET /v1/channels/"+d.floor.council().ID] = &api.Problem{Status: http.StatusInternalServerError, Code: "internal"}
		page := d.do("GET", "/real/talks", nil).Body.String()
		for _, must := range []string{
			"When do we meet, what is agreed?", "Series that need a date or a word now: 1.", `href="/real/talks/` + strings.Repeat("5e", 32) + `?offer=virtual#propose"`, "stands still", "goes on while this is suspended: ", `<bdi class="code">council</bdi>`,
			"Goes on all the same:", "past their day: 1",
		} {
			if !strings.Contains(page, must) {
				t.Errorf("the list lacks %q", must)
			}
		}
		if watch := d.do("GET", "/real/watch", nil).Body.String(); !strings.Contains(watch, "Goes on all the same:") || !strings.Contains(watch, "Experts on industrial control") {
			t.Error("the watch does not say what goes on while a channel is suspended")
		}
		d.floor.series = d.floor.series[:1]
		for _, path := range []string{"/real/talks", "/real/watch"} {
			if strings.Contains(d.do("GET", path, nil).Body.String(), "Goes on all the same:") {
				t.Errorf("%s: something is said to go on though nothing is suspended", path)
			}
		}
	})
}

func TestTheLighterFormIsOfferedAndNothingIsSaidByOffering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFloor()
		d := sit(t, f)
		page := d.do("GET", "/real/talks/"+f.talk.ID+"?offer=virtual", nil).Body.String()
		if !strings.Contains(page, `<details class="fold" id="propose" open>`) || !strings.Contains(page, `<option value="virtual" selected>`) {
			t.Error("the form is not prepared")
		}
		if slices.ContainsFunc(f.asked, func(s string) bool { return strings.HasPrefix(s, "POST") }) {
			t.Errorf("asked %v", f.asked)
		}
		accept := strings.Count(page, `value="accept"`)
		if accept != 1 {
			t.Errorf("%d proposals can be accepted: only that of the other side on which it stands and whose time has not come", accept)
		}
		if w := d.do("GET", "/exercise/talks/"+f.talk.ID, nil); w.Code != http.StatusNotFound {
			t.Errorf("a real series in an exercise window: %d", w.Code)
		}
	})
}

func TestEachDeedOfConsultationsIsOneStatement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFloor()
		d := sit(t, f)
		series, group, session := "/v1/dialogues/"+f.talk.ID, "/v1/dialogues/"+f.group.ID, f.group.Sessions[1].ID
		for _, x := range []struct {
			of    string
			given url.Values
			asks  string
			said  string
		}{
			{f.talk.ID, url.Values{"do": {"propose"}, "round": {"2"}, "mode": {"virtual"}, "from": {"010900z feb 27"}, "until": {"011600z feb 27"}}, series + "/statements", "proposed"},
			{f.talk.ID, url.Values{"do": {"accept"}, "about": {strings.Repeat("a1", 32)}}, series + "/statements", "accepted"},
			{f.talk.ID, url.Values{"do": {"withdraw"}, "about": {strings.Repeat("a2", 32)}}, series + "/statements", "round-withdrawn"},
			{f.talk.ID, url.Values{"do": {"refuse"}, "ground": {"timing"}}, series + "/statements", "round-refused"},
			{f.talk.ID, url.Values{"do": {"held"}, "round": {"2"}}, series + "/statements", "round-held"},
			{f.talk.ID, url.Values{"do": {"delegation"}, "head": {"Minister"}}, series + "/statements", "sent"},
			{f.talk.ID, url.Values{"do": {"item"}, "what": {"agenda"}, "t.en": {"Checks"}, "t.ar": {"فحوص"}}, series + "/items", "item-added"},
			{f.talk.ID, url.Values{"do": {"agree"}, "what": {"agenda"}, "round": {"2"}}, series + "/agreements", "text-agreed"},
			{f.talk.ID, url.Values{"do": {"sign"}, "round": {"1"}}, series + "/signatures", "minutes-signed"},
			{f.talk.ID, url.Values{"do": {"action"}, "owner": {"xs/cert"}, "due": {"010000Z JUN 27"}, "t.en": {"x"}}, series + "/statements", "action-agreed"},
			{f.talk.ID, url.Values{"do": {"status"}, "about": {strings.Repeat("ac", 32)}, "state": {"done"}}, series + "/statements", "action-said"},
			{f.talk.ID, url.Values{"do": {"paper"}, "kind": {"position"}, "t.en": {"x"}}, series + "/statements", "sent"},
			{f.group.ID, url.Values{"do": {"contribute"}, "words": {"x"}}, group + "/statements", "contributed"},
			{f.group.ID, url.Values{"do": {"member"}, "member": {"xn/nrrc"}, "what": {"joins"}}, group + "/statements", "member-changed"},
			{f.group.ID, url.Values{"do": {"item"}, "what": {"report"}, "negotiation": {""}, "t.en": {"x"}}, group + "/texts", "item-added"},
			{f.group.ID, url.Values{"do": {"adopt"}, "negotiation": {"dd"}, "how": {"consensus"}}, group + "/adoptions", "report-spoken"},
			{f.group.ID, url.Values{"do": {"session"}, "name": {"2000-2"}, "from": {"010900Z FEB 00"}, "until": {"011600Z FEB 00"}, "keep": {"24h"}}, group + "/sessions", "session-opened"},
			{f.group.ID, url.Values{"do": {"say"}, "session": {session}, "words": {"x"}}, group + "/sessions/" + session + "/contributions", "session-said"},
			{f.group.ID, url.Values{"do": {"attribute"}, "session": {session}, "contribution": {"c1"}}, group + "/sessions/" + session + "/attributions", "attributed"},
			{f.group.ID, url.Values{"do": {"output"}, "session": {session}, "t.en": {"x"}}, group + "/sessions/" + session + "/outputs", "output-stated"},
			{"new", url.Values{"do": {"open"}, "channel": {"council"}, "form": {"series"}, "every": {"4380h"}, "hosts": {"xn, xs"}, "t.en": {"x"}}, "/v1/dialogues", "talk-opened"},
		} {
			f.asked = nil
			w := d.do("POST", "/real/talks/"+x.of, x.given)
			if w.Code != http.StatusSeeOther || !strings.Contains(w.Header().Get("Location"), "said="+x.said) || !f.wasAsked("POST "+x.asks) {
				t.Errorf("%v: %d %s, asked %v", x.given, w.Code, w.Header().Get("Location"), f.asked)
			}
		}
		if w := d.do("POST", "/real/talks/"+f.talk.ID, url.Values{"do": {"burn"}}); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `role="alert"`) {
			t.Errorf("nothing that can be done: %d", w.Code)
		}
	})
}

func TestWhatIsNotStatedOfARoundIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFloor()
		d := sit(t, f)
		request := "POST /v1/dialogues/" + f.talk.ID + "/statements"
		f.refuse[request] = &api.Problem{Status: http.StatusConflict, Code: "no-effect", Detail: "over"}
		given := url.Values{"do": {"propose"}, "mode": {"correspondence"}, "from": {"010900Z FEB 27"}, "words": {"Words that took an hour."}}
		page := d.do("POST", "/real/talks/"+f.talk.ID, given).Body.String()
		for _, must := range []string{"Words that took an hour.</textarea>", `value="010900Z FEB 27"`, `<option value="correspondence" selected>`, "It would have no effect", `id="propose" open`} {
			if !strings.Contains(page, must) {
				t.Errorf("the page lacks %q", must)
			}
		}
		f.refuse[request] = &api.Problem{Status: http.StatusConflict, Code: "release-needed", Fields: []string{"r1"}}
		if w := d.do("POST", "/real/talks/"+f.talk.ID, given); !strings.HasPrefix(w.Header().Get("Location"), "/real/releases?id=r1") {
			t.Errorf("a second person: %d %s", w.Code, w.Header().Get("Location"))
		}
	})
}

// What was said in a session is asked for as the officer who looks; where the node refuses him, nothing of it is on the page, and its rule is.
func TestWhatWasSaidInASessionIsForItsMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFloor()
		d := sit(t, f)
		at := "/real/talks/" + f.group.ID
		if page := d.do("GET", at, nil).Body.String(); !strings.Contains(page, "Our operators patch once a year.") || !strings.Contains(page, "What was said is not printed.") {
			t.Error("a member does not see what was said")
		}
		f.refuse["GET /v1/dialogues/"+f.group.ID+"/sessions/"+f.group.Sessions[1].ID] = &api.Problem{Status: http.StatusForbidden, Code: "role"}
		page := d.do("GET", at, nil).Body.String()
		if strings.Contains(page, "Our operators") || !strings.Contains(page, "shown to the members of the session only") || !strings.Contains(page, "The members will compare lists of sectors.") {
			t.Error("whoever is no member sees more or less than what was agreed on")
		}
		f.me.May = slices.DeleteFunc(f.me.May, func(s string) bool { return s == "send" || s == "commit" })
		f.asked = nil
		page = d.do("GET", at, nil).Body.String()
		if strings.Contains(page, `<form method="post" action="`+at) || slices.ContainsFunc(f.asked, func(s string) bool { return strings.Contains(s, "/sessions/") }) {
			t.Errorf("an officer who may say nothing has forms, or asked for a session: %v", f.asked)
		}
		if page = d.do("GET", "/real/talks/"+f.talk.ID, nil).Body.String(); strings.Contains(page, `action="/real/talks/`) {
			t.Error("an officer who may say nothing has buttons")
		}
	})
}

func TestAMonthHasRoundsAndActionsOnTheirDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFloor()
		d := sit(t, f)
		page := d.do("GET", "/real/talks/month", nil).Body.String()
		// The 1st of January 2000 was a Saturday: the week begins on the 27th of December.
		if first, today := strings.Index(page, `datetime="1999-12-27"`), strings.Index(page, `aria-current="date"`); first < 0 || today < first || !strings.Contains(page, "round proposed") || !strings.Contains(page, `datetime="2000-01-21"`) {
			t.Error("the month does not begin on a Monday, or lacks today or a proposal")
		}
		if strings.Contains(page, "2000-1<") {
			t.Error("a session stands in the month")
		}
		if page = d.do("GET", "/real/talks/month?m=1999-12", nil).Body.String(); !strings.Contains(page, "round due") || !strings.Contains(page, "action due") {
			t.Error("December lacks what was due in it")
		}
		for _, bad := range []string{"x", "2000-13", "99999-01", "2000"} {
			if w := d.do("GET", "/real/talks/month?m="+bad, nil); w.Code != http.StatusBadRequest {
				t.Errorf("month %q: %d", bad, w.Code)
			}
		}
	})
}

func TestFilesOfConsultationsAreSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFloor()
		d := sit(t, f)
		w := d.do("GET", "/real/talks/"+f.group.ID+"/file?what=outside&session="+f.group.Sessions[1].ID, nil)
		if w.Code != http.StatusOK || w.Body.String() != "2000-01-01  a participant: Ours too.\n" || !strings.Contains(w.Header().Get("Content-Disposition"), "said.txt") {
			t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
		}
		if w := d.do("GET", "/real/talks/"+f.talk.ID+"/file?what=papers&round=1&as=pdf", nil); w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/pdf" {
			t.Errorf("papers: %d %v", w.Code, w.Header())
		}
		for _, path := range []string{"/file?what=other", "/file?what=invitation&round=x", "/file?what=papers&round=1&as=exe"} {
			if w := d.do("GET", "/real/talks/"+f.group.ID+path, nil); w.Code != http.StatusNotFound {
				t.Errorf("%s: %d", path, w.Code)
			}
		}
	})
}

func TestAnItemOfTheWatchLeadsToItsConsultations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFloor()
		d := sit(t, f)
		led := `href="/real/talks/` + f.line.ID + `"`
		if page := d.do("GET", "/real/watch", nil).Body.String(); strings.Contains(page, led) {
			t.Error("an inquiry leads to consultations")
		}
		for _, change := range []func(*api.Item){func(i *api.Item) { i.Kind = "dialogue" }, func(i *api.Item) { i.Kind, i.Form = "answer", "round-proposal" }} {
			change(&f.watch.Items[0])
			if page := d.do("GET", "/real/watch", nil).Body.String(); !strings.Contains(page, led) {
				t.Errorf("an item %s of form %s leads nowhere", f.watch.Items[0].Kind, f.watch.Items[0].Form)
			}
		}
	})
}

func TestAReportSaysWhoStandsOnItWhoDissentsAndWhoIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFloor()
		f.drafts = append(f.drafts, reportOf(begin()))
		d := sit(t, f)
		page := d.do("GET", "/real/talks/"+f.group.ID, nil).Body.String()
		for _, must := range []string{"adopted, with a dissent", "Not as to paragraph 3.", "Report on patches", "not every party has spoken on one and the same text", "has not spoken on it yet"} {
			if strings.Count(page, must) < 1 {
				t.Errorf("the page lacks %q", must)
			}
		}
	})
}

// reportOf is a report in negotiation on the channel of the group.
func reportOf(now time.Time) drafting.Draft {
	return drafting.Draft{ID: strings.Repeat("dd", 32), Number: "XN/CERT-R-0009", Title: "Report on patches", Kind: "report", Total: 3, Agreed: 2, Last: now}
}
