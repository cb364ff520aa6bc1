package console

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/api"
	"detente/traffic"
)

// The bundle that is attached to the case: an address, a name, and what they show, with a cycle of references in it.
const attachedBundle = `{"type":"bundle","id":"bundle--44af6c39-c09b-49c5-9de2-394224b04982","objects":[
{"type":"indicator","spec_version":"2.1","id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2016-04-06T20:03:48.000Z","modified":"2016-04-06T20:03:48.000Z","name":"Relay at http://relay.example/gate","indicator_types":["malicious-activity"],"pattern":"[ipv4-addr:value = '198.51.100.7' OR domain-name:value = 'relay.example']","pattern_type":"stix","valid_from":"2016-01-01T00:00:00Z"},
{"type":"malware","spec_version":"2.1","id":"malware--31b940d4-6f7f-459a-80ea-9c1f17b5891b","created":"2016-04-06T20:07:09.000Z","modified":"2016-04-06T20:07:09.000Z","is_family":true,"name":"Poison <Ivy>"},
{"type":"relationship","spec_version":"2.1","id":"relationship--44298a74-ba52-4f0c-87a3-1824e67d7fad","created":"2016-04-06T20:06:37.000Z","modified":"2016-04-06T20:06:37.000Z","relationship_type":"indicates","source_ref":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","target_ref":"malware--31b940d4-6f7f-459a-80ea-9c1f17b5891b"},
{"type":"relationship","spec_version":"2.1","id":"relationship--44298a74-ba52-4f0c-87a3-1824e67d7fae","created":"2016-04-06T20:06:37.000Z","modified":"2016-04-06T20:06:37.000Z","relationship_type":"drops","source_ref":"malware--31b940d4-6f7f-459a-80ea-9c1f17b5891b","target_ref":"malware--31b940d4-6f7f-459a-80ea-9c1f17b5891b"}]}`

// incident puts a case before the screens: asked for clarification, a declared scan that matches in part, a closure that finds no use.
func (f *fakeFloor) incident(now time.Time) {
	due := api.Deadline{Kind: "explain", Words: "explanation", Party: "xn", Number: "XS/NRRC-O-0007", Since: now.Add(-time.Hour), At: now.Add(5 * time.Hour)}
	late := api.Deadline{Kind: "first-word", Words: "first word", Party: "xs", Number: "XN/NRRC-P-0002", Since: now.Add(-24 * time.Hour), At: now.Add(-12 * time.Hour), Overdue: true, Moved: 1}
	notice := api.Activity{
		ID: "b00c", Number: "XS/NRRC-R-0004", Case: "xs/99-0003", Party: "xs", Channel: "nrrc", Class: "scanning", What: "network scanning", Given: now.AddDate(0, 0, -9),
		From: now.AddDate(0, 0, -1), Until: now.AddDate(0, 0, 6), Activated: now.AddDate(0, 0, -1), State: "activated", Stands: "under way", Sources: []string{"198.51.100.0/24"},
		Networks: []string{"203.0.113.0/24"}, ASNumbers: []uint32{64500}, Sectors: []string{"energy"}, Recognition: "User-Agent: survey", Contact: "cert@xs.example",
	}
	f.matches = []api.CaseMatch{{Notice: notice, Conclusion: "in-part", Hit: []string{"time", "sources"}, Missed: []string{"sector"}, Words: "It matches in part."}}
	c := api.Case{
		Number: "xn/99-0001", Title: "xn/99-0001", Plane: "real", Open: true, Channels: []string{"nrrc"}, Peers: []string{"xs"}, Opener: "xs", Opened: now.Add(-time.Hour), Last: now,
		Form: "clarification", What: "REQUEST FOR CLARIFICATION", State: "checking", Stands: "being checked", Severity: []api.Severity{{Party: "xs", Common: "serious", Own: "3 of 5", Words: "serious (3 of 5)"}},
		Next: &due, Entries: 3,
	}
	closed := c
	closed.Number, closed.Title, closed.Open, closed.Next, closed.Stands, closed.Outcome = "xs/98-0044", "xs/98-0044", false, nil, "closed, agreed", "agreed"
	overdue := c
	overdue.Number, overdue.Title, overdue.Next, overdue.Opener = "xn/99-0002", "xn/99-0002", &late, "xn"
	f.cases = []api.Case{overdue, closed, c}
	f.file = api.CaseFile{Case: c, Declared: f.matches, Sheets: []api.CaseSheet{{
		Channel: "nrrc", ID: "a3c3", State: "checking", Stands: "being checked", Owed: []api.Deadline{due, {Kind: "report", Words: "report", Party: "xs", Number: "XS/NRRC-O-0007", At: now.AddDate(0, 0, 15), Soft: true}},
		Entries: []api.CaseEntry{
			{ID: f.line.ID, Number: "XS/NRRC-O-0007", From: "xs/nrrc", To: "xn/nrrc", Form: "clarification", What: "REQUEST FOR CLARIFICATION", At: now.Add(-time.Hour), Held: now.Add(-time.Hour), Text: "Команды на подстанцию.", Language: "ru", Files: 1},
			{ID: "c1", Number: "XN/NRRC-O-0003", From: "xn/nrrc", To: "xs/nrrc", Form: "interim", What: "INTERIM", At: now.Add(-40 * time.Minute), Held: now.Add(-40 * time.Minute), Own: true, Effect: "opened → being checked"},
			{ID: "c2", Number: "XS/NRRC-R-0009", From: "xs/nrrc", To: "xn/nrrc", Form: "closure-answer", What: "ANSWER TO A CLOSURE", At: now, Held: now, Why: "no-row", Effect: "nothing of the kind was asked", Remarks: []string{"It came late."}},
		},
		Matters:  []api.CaseMatter{{ID: f.line.ID, Number: "XS/NRRC-O-0007", Kind: "clarification", What: "REQUEST FOR CLARIFICATION", Asker: "xs", Asked: "xn", State: "checking", Stands: "being checked", Since: now.Add(-40 * time.Minute), Open: true, Next: &due}},
		Passings: []api.Passing{{Party: "xn", To: []string{"operators"}, Words: "passed to operators", At: now, Number: "XN/NRRC-R-0010"}},
		Links:    []api.CaseLink{{Party: "xn", Notice: "b00c", Conclusion: "in-part", Words: "in part", Number: "XN/NRRC-R-0011"}},
	}}, Steps: []api.CaseStep{
		{Channel: "nrrc", Form: "reply", What: "REPLY", Field: "finding", Codes: []string{"not-ours"}, About: f.line.ID, Number: "XS/NRRC-O-0007", To: "xs", Expects: true},
		{Channel: "nrrc", Form: "reply", What: "REPLY", Field: "finding", Codes: []string{"confirmed-stopped", "not-confirmed"}, About: f.line.ID, Number: "XS/NRRC-O-0007", To: "xs", Expects: true},
		{Channel: "nrrc", Form: "closure", What: "PROPOSAL TO CLOSE", Field: "outcome", Codes: []string{"agreed"}, About: f.line.ID, Number: "XS/NRRC-O-0007", To: "xs"},
	}}
	f.bundle = []byte(attachedBundle)
	f.calendar = api.Calendar{Activities: []api.Activity{notice, {ID: "b00d", Number: "XN/NRRC-R-0005", Party: "xn", Channel: "nrrc", What: "exercise", From: now.AddDate(0, 0, -30), Until: now.AddDate(0, 0, -20), State: "completed", Stands: "completed"}},
		Windows: []api.Caution{{ID: "b00e", Number: "XN/NRRC-R-0006", Party: "xn", Channel: "nrrc", From: now.AddDate(0, 0, 10), Until: now.AddDate(0, 0, 24), State: "agreed", Stands: "agreed", Ground: "election", Scope: "Voter registers"}}}
	f.guarantees = api.Guarantees{
		Processes:  []api.ProtectedProcess{{ID: "b010", Number: "XS/MFA-R-0007", By: "xs/mfa", To: "xn", Plane: "real", Name: "Parliamentary election", Process: "election", State: "open", From: now.AddDate(0, 0, -2), Until: now.AddDate(0, 0, 5), Scope: "Voter registers and the count.", Duty: []string{"xn/nrrc", "xs/nrrc"}, Every: 3600, Instrument: "Exchange of notes"}},
		Complaints: []api.Complaint{{ID: "b011", Number: "XS/MFA-P-0008", By: "xs/mfa", At: now, Case: "xs/99-0009", Words: "The count was <disturbed>.", Instrument: "Exchange of notes"}},
	}
	f.ledger = api.Ledger{
		Channel: "nrrc", Plane: "real", From: now, Until: now.AddDate(1, 0, 0), Closed: now, Digest: strings.Repeat("ab", 32),
		Figures:      []api.LedgerFigure{{From: "xs", To: "xn", Form: "clarification", What: "REQUEST FOR CLARIFICATION", Precedence: "IMMEDIATE", Requests: 2, Acknowledged: 2, InTime: 1, Late: 1, AcknowledgedMedian: 240, AcknowledgedP90: 59, AnsweredMedian: 9000, AnsweredP90: -1}},
		Requests:     []api.LedgerRequest{{ID: "c1", From: "xs", To: "xn", Form: "clarification", What: "REQUEST FOR CLARIFICATION", Precedence: "IMMEDIATE", Issued: now.Add(time.Hour), Due: now.Add(7 * time.Hour), Answered: now.Add(3 * time.Hour), Outcome: "in-time", Words: "answered in time"}},
		Publications: []api.LedgerPublication{{ID: "c9", Party: "xs", From: now, Until: now.AddDate(1, 0, 0), Digest: strings.Repeat("ab", 32), For: []traffic.Party{"xs"}}},
	}
	f.gateway = api.GatewayStatus{
		Collections: []api.Collection{{ID: "91a7b528-80eb-42ed-a74d-c6fbd5a26116", Title: "cert from xs", Channel: "cert", Flow: "in", Party: "xs", Plane: "real", Objects: 1200, Newest: now}, {ID: "91a7b528-80eb-42ed-a74d-c6fbd5a26117", Title: "cert to members", Channel: "cert", Flow: "out", Party: "xs", Plane: "real", Objects: 7, Newest: now, States: map[string]int64{"waiting": 1, "sent": 6}}, {ID: "e", Title: "Drill only", Flow: "in", Plane: "exercise"}},
		Arrivals:    []api.Arrival{{Statement: f.line.ID, Attachment: "00ff", Collection: "91a7b528-80eb-42ed-a74d-c6fbd5a26116", Done: now, Added: 3, Duplicates: 1, Refused: 1, Reason: "not STIX"}},
		Pulls:       []api.Pull{{Name: "intel.example", Objects: 7, At: now}},
		Remotes: []api.Remote{{URL: "https://sensor.example/taxii2/lab/collections/1/", Collection: "cert to members", Every: "10m0s", Last: now.Add(-time.Hour), Next: now.Add(time.Minute), Failure: "taxii: the other server cannot be reached", Failed: 3, Added: 7, Refused: 1},
			{URL: "https://archive.example/taxii2/lab/collections/1/", Collection: "cert to members", Push: true, Every: "6h0m0s", Next: now}},
	}
	f.reviews = []api.Review{{Key: "2-946684800000000", Collection: "cert to members", ID: "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", Type: "indicator", Version: now.AddDate(-1, 0, 0), Added: now, Form: "indicators", To: "xs", TLP: "TLP:AMBER", Token: "sensor",
		Object: attachedBundle[strings.Index(attachedBundle, `{"type":"indicator"`):strings.Index(attachedBundle, ",\n{\"type\":\"malware\"")]}}
	f.concerns = api.Matches{Assets: 3, Read: now, Matches: []api.Match{{Statement: f.line.ID, Number: "XS/NRRC-O-0007", From: "xs", Plane: "real", Count: 3, Found: now, Case: "xn/99-0001",
		Hits: []api.MatchHit{{Object: "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", Title: "Relay", Kind: "ipv4-addr", Value: "203[.]0[.]113[.]9", Own: "203.0.113.0/28", Asset: "Control centre", How: "within"}}}}}
	f.mails = []api.Mail{
		{Number: 2, In: true, ID: "<2@xs.example>", Case: "xn/99-0001", Plane: "real", At: now, Address: "cert@xs.example", Team: "xs-cert", Proof: "signed", TLP: "TLP:GREEN", Subject: "Re: [xn-cert #99-1] http://relay.example/", Text: "Stopped at <198.51.100.7>.", Files: []string{"log.txt"}, State: "noted"},
		{Number: 1, Case: "xn/99-0001", Plane: "real", At: now.Add(-time.Hour), Address: "cert@xs.example", Subject: "[xn-cert #99-1]", Text: "Please check.", State: "sent"},
		{Number: 3, In: true, Plane: "exercise", At: now, Address: "drill@xs.example", Subject: "Drill", State: "noted"},
	}
	f.advisories = []api.Advisory{{Hash: "00", ID: "XN-2000-001", Title: "Gate <server>", Publisher: "Vendor", Severity: "critical", CVEs: []string{"CVE-1999-0001"}}}
	f.tokens = []api.GatewayToken{{Name: "sensor", Reads: []string{"*"}, Writes: []string{"91a7b528-80eb-42ed-a74d-c6fbd5a26117"}, Created: now}}
}

func TestACaseSaysWhoOwesWhatFirstAndShowsNoAddressThatLeadsAnywhere(t *testing.T) {
	d := sit(t, newFloor())
	page := d.do("GET", "/real/case?n=xn%2F99-0001", nil).Body.String()
	for _, must := range []string{"198[.]51[.]100[.]7", "relay[.]example", "Poison &lt;Ivy&gt;", `<svg xmlns="http://www.w3.org/2000/svg" class="drawn graph"`, "It matches in part.", "about=" + d.floor.line.ID} {
		if !strings.Contains(page, must) {
			t.Errorf("the page lacks %q", must)
		}
	}
	for _, never := range []string{"198.51.100.7", "http://relay", "relay.example"} {
		if strings.Contains(page, never) {
			t.Errorf("%q stands on the page as it came", never)
		}
	}
	if first, then := strings.Index(page, "It matches in part."), strings.Index(page, "explanation"); first > then {
		t.Error("what is due stands before the declared activity that matches")
	}
	if w := d.do("GET", "/exercise/case?n=xn%2F99-0001", nil); w.Code != http.StatusNotFound {
		t.Errorf("a real case in an exercise window: %d", w.Code)
	}
}

func TestBesideACaseStandsWhatOnlyTheOwnSideSees(t *testing.T) {
	f := newFloor()
	d := sit(t, f)
	page := d.do("GET", "/real/case?n=xn%2F99-0001", nil).Body.String()
	for _, must := range []string{"203[.]0[.]113[.]9", "Control centre", "cert@xs.example", "signed with a known key", "hxxp://relay[.]example/", "sent by us", "XN-2000-001", "Gate &lt;server&gt;", "CVE-1999-0001"} {
		if !strings.Contains(page, must) {
			t.Errorf("the page lacks %q", must)
		}
	}
	if strings.Contains(page, "drill@xs.example") {
		t.Error("a mail of an exercise stands in a real window")
	}
	for request, p := range map[string]*api.Problem{"GET /v1/matches": {Status: http.StatusNotFound, Code: "no-such-request"}, "GET /v1/mails": {Status: http.StatusForbidden, Code: "not-permitted"}, "GET /v1/advisories": {Status: http.StatusForbidden, Code: "not-permitted"}} {
		f.refuse[request] = p
	}
	if w := d.do("GET", "/real/case?n=xn%2F99-0001", nil); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "Beside the case") {
		t.Errorf("a node without a gateway: %d", w.Code)
	}
}

func TestAnItemLeadsToThePageOfWhatItIsAbout(t *testing.T) {
	for _, to := range []struct {
		item api.Item
		href string
	}{
		{api.Item{Kind: "review"}, `href="/real/collections"`},
		{api.Item{Kind: "match", Statement: "x"}, `href="/real/collections#concerns"`},
		{api.Item{Kind: "case", Number: "xn/99-0001"}, `href="/real/case?n=xn%2F99-0001"`},
		{api.Item{Kind: "release"}, `href="/real/releases"`},
	} {
		f := newFloor()
		to.item.Key, to.item.Plane, to.item.Precedence = "k", "real", "R"
		f.watch.Items = []api.Item{to.item}
		if page := sit(t, f).do("GET", "/real/watch", nil).Body.String(); !strings.Contains(page, `class="deed" `+to.href) {
			t.Errorf("%s does not lead to %s", to.item.Kind, to.href)
		}
	}
}

func TestOpenCasesStandFirstWithWhoOwesAndWhatIsLate(t *testing.T) {
	d := sit(t, newFloor())
	page := d.do("GET", "/real/cases?state=all", nil).Body.String()
	late, ours, closed := strings.Index(page, "xn/99-0002"), strings.Index(page, "xn/99-0001"), strings.Index(page, "xs/98-0044")
	if late < 0 || late > ours || ours > closed {
		t.Errorf("order of the cases: %d %d %d", late, ours, closed)
	}
	for _, must := range []string{"Open cases: 2.", "Our side owes next in: 1.", "Overdue: 1."} {
		if !strings.Contains(page, must) {
			t.Errorf("the page lacks %q", must)
		}
	}
	if page := d.do("GET", "/real/cases?q=nothing+like+it", nil).Body.String(); !strings.Contains(page, "No case fits.") {
		t.Error("a search in vain does not say so")
	}
}

func TestWhatIsWrittenForACaseGoesIntoIt(t *testing.T) {
	f := newFloor()
	f.channel.Forms = append(f.channel.Forms, api.Form{ID: "clarification", Version: 1, Title: "Request for clarification", Ceiling: "Z", Refs: "any", Fields: []api.Field{
		{Name: "case", Kind: "line", Title: "Case"}, {Name: "observed", Kind: "window", Title: "Observed"}, {Name: "sources", Kind: "line", Title: "Sources"}, {Name: "text", Kind: "text", Title: "Text"},
	}})
	d := sit(t, f)
	page := d.do("GET", "/real/compose?channel=c0ffee&form=clarification&case=xn%2F99-0001&about=a3c3", nil).Body.String()
	if !strings.Contains(page, `name="f.case" value="xn/99-0001"`) || !strings.Contains(page, `name="about" value="a3c3"`) {
		t.Error("the number of the case is not prepared")
	}
	written := url.Values{"channel": {"c0ffee"}, "form": {"clarification"}, "to": {"xs"}, "f.observed": {"010000Z JAN 00"}, "f.observed.until": {"010100Z JAN 00"}, "f.sources": {"198.51.100.7"}, "f.text": {"x"}}
	if page := d.do("POST", "/real/preview", written).Body.String(); !strings.Contains(page, "It matches in part.") || !strings.Contains(page, "gets its number when this is sent") {
		t.Errorf("the preview does not show the declared activity: %s", page)
	}
	if w := d.do("POST", "/real/compose", written); w.Code != http.StatusSeeOther || !f.wasAsked("POST /v1/cases") {
		t.Errorf("a form that bears a number did not open a case: %d", w.Code)
	}
	written.Set("case", "xn/99-0001")
	if w := d.do("POST", "/real/compose", written); w.Code != http.StatusSeeOther || !f.wasAsked("POST /v1/cases/xn/99-0001/statements") {
		t.Errorf("what was opened from a case was not said in it: %d", w.Code)
	}
}

// wasAsked tells whether the console has made a request.
func (f *fakeFloor) wasAsked(request string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.asked, request)
}

func TestWhatWaitsBesideACaseIsSeenByWhoeverMayTakeIt(t *testing.T) {
	f := newFloor()
	f.mails[0].State = "new"
	d := sit(t, f)
	for _, path := range []string{"/real/case?n=xn%2F99-0001", "/real/collections"} {
		page := d.do("GET", path, nil).Body.String()
		if !strings.Contains(page, `name="match" value="`+f.line.ID) || !strings.Contains(page, `name="mail" value="2"`) || strings.Contains(page, `name="mail" value="1"`) {
			t.Errorf("%s: what waits has no button, or what does not has one", path)
		}
	}
	if w := d.do("POST", "/real/collections/seen", url.Values{"mail": {"2"}, "back": {"xn/99-0001"}}); w.Header().Get("Location") != "/real/case?n=xn%2F99-0001&said=seen" || !f.wasAsked("POST /v1/mails/2/seen") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := d.do("POST", "/real/collections/seen", url.Values{"match": {f.line.ID}}); w.Header().Get("Location") != "/real/collections?said=seen" || !f.wasAsked("POST /v1/matches/"+f.line.ID+"/seen") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := d.do("POST", "/real/collections/seen", nil); w.Code != http.StatusBadRequest {
		t.Errorf("nothing is seen: %d", w.Code)
	}
	f.me.May = slices.DeleteFunc(f.me.May, func(a string) bool { return a == "take" })
	if page := d.do("GET", "/real/collections", nil).Body.String(); strings.Contains(page, `name="mail"`) || strings.Contains(page, `name="match"`) {
		t.Error("who may not take has a button")
	}
}

func TestLossOfControlOpensACase(t *testing.T) {
	f := newFloor()
	lost := url.Values{"channel": {"c0ffee"}, "what": {"A tool has got away."}}
	if w := sit(t, f).do("POST", "/real/loss", lost); w.Code != http.StatusSeeOther || !f.wasAsked("POST /v1/statements") {
		t.Errorf("under a regime without cases: %d", w.Code)
	}
	f.channel.Forms = append(f.channel.Forms, api.Form{ID: "loss-of-control", Version: 2, Refs: "any", Fields: []api.Field{{Name: "what", Kind: "text"}, {Name: "case", Kind: "line"}}})
	if w := sit(t, f).do("POST", "/real/loss", lost); w.Code != http.StatusSeeOther || !f.wasAsked("POST /v1/cases") {
		t.Errorf("it got no number: %d", w.Code)
	}
}

func TestWhatIsNotAllHereIsAskedForAgainWithOneKey(t *testing.T) {
	f := newFloor()
	d := sit(t, f)
	f.statement.Attachments[0].Held = true
	if page := d.do("GET", "/real/statement/x", nil).Body.String(); strings.Contains(page, "retransmit") {
		t.Error("what is here is asked for again")
	}
	f.statement.Attachments[0].Held = false
	page := d.do("GET", "/real/statement/x", nil).Body.String()
	if !regexp.MustCompile(`<a class="deed" href="/real/compose\?[^"]*f\.service=retransmit[^"]*" data-key="e">`).MatchString(page) {
		t.Errorf("a gap has no key: %s", page)
	}
}

func TestReviewsNeedADecision(t *testing.T) {
	f := newFloor()
	d := sit(t, f)
	if w := d.do("POST", "/real/collections", url.Values{"key": {"2-946684800000000"}}); w.Code != http.StatusBadRequest {
		t.Errorf("no decision: %d", w.Code)
	}
	if w := d.do("POST", "/real/collections", url.Values{"key": {"2-946684800000000"}, "decision": {"approve"}}); w.Code != http.StatusSeeOther {
		t.Errorf("approved: %d %s", w.Code, w.Body)
	}
	if page := d.do("GET", "/real/collections", nil).Body.String(); strings.Contains(page, "Drill only") || strings.Contains(page, "198.51.100.7") {
		t.Error("another plane's collection, or an address that leads somewhere, is on the page")
	}
}
