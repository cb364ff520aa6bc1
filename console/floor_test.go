package console

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	"detente/api"
	"detente/api/drafting"
	"detente/api/programme"
	"detente/api/registry"
	"detente/api/talks"
	"detente/archive"
	"detente/asset"
	"detente/exchange"
	"detente/traffic"
)

// fakeFloor answers the requests of the screens from what the test puts into it. It is the API's shape and not its logic: what the node does with
// them is tested in its own packages, and in a browser against real nodes.
type fakeFloor struct {
	me         api.Me
	watch      api.Watch
	line       api.Line
	statement  api.Statement
	channel    api.Channel
	charters   []api.Charter
	links      []api.Link
	silences   []api.PostSilence
	statuses   []api.ChannelStatus
	contacts   []api.Contact
	checks     api.Checks
	rosters    []api.Roster
	handovers  []api.Handover
	log        []api.LogEntry
	officers   []api.Officer
	sessions   []api.Session
	releases   []api.Release
	status     api.Status
	alarms     []exchange.Alarm
	traffic    []api.Traffic
	stations   []api.Station
	cases      []api.Case
	file       api.CaseFile
	calendar   api.Calendar
	guarantees api.Guarantees
	matches    []api.CaseMatch
	ledger     api.Ledger
	gateway    api.GatewayStatus
	reviews    []api.Review
	concerns   api.Matches
	mails      []api.Mail
	advisories []api.Advisory
	tokens     []api.GatewayToken
	drafts     []drafting.Draft
	draft      drafting.File
	templates  []drafting.Template
	seals      []api.Seal
	pledges    []registry.Instrument
	pledge     registry.Whole
	pledged    registry.Table
	acts       registry.List
	series     []talks.Line
	groups     []talks.Line
	talk       talks.File
	group      talks.File
	spoken     []talks.Spoken
	relations  []programme.Relation
	programme  programme.Board
	timeline   programme.Timeline
	heads      []api.Statement // of lists of protected assets
	lists      []*asset.List
	bundle     []byte
	sent       api.Sent
	refuse     map[string]*api.Problem // by request
	mu         sync.Mutex
	asked      []string // guarded by mu
	questions  []string // the same with their queries, likewise
}

// begin is where the clock of a bubble of testing/synctest stands.
func begin() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

// newFloor is an ordinary watch: one FLASH, one item taken, one done.
func newFloor() *fakeFloor {
	now := begin()
	doc := &api.Document{
		Language: "en", Precedence: "FLASH", Title: "INQUIRY",
		Head:  []api.DocumentLine{{Label: "From", Text: "xs/nrrc"}, {Label: "Acknowledge within", Text: "10 minutes"}},
		Items: []api.DocumentField{{Label: "Observation", Runs: []api.DocumentRun{{Text: "Команды на подстанцию.", Quoted: true, Language: "ru", Direction: "ltr"}}}, {Label: "Asked", Runs: []api.DocumentRun{{Text: "to check"}}}},
		Fixed: "An inquiry is no accusation.",
	}
	line := api.Line{
		ID: "a3c30bf2e02aa3c30bf2e02aa3c30bf2e02aa3c30bf2e02aa3c30bf2e02aa3c3", Number: "XS/NRRC-Z-0001", Form: "inquiry", Title: "Inquiry", Precedence: "Z", Plane: "real",
		Channel: "nrrc", From: "xs/nrrc", To: "xn/nrrc", Issued: now.Add(-3 * time.Minute), Held: now.Add(-2 * time.Minute), Dossier: "a3c3", Standing: "open",
		Owed: []api.Owed{{What: "acknowledgement", By: []traffic.Party{"xn"}, Until: now.Add(8 * time.Minute)}},
	}
	item := api.Item{
		Key: "ack:a3c3", Kind: "acknowledge", Post: "nrrc", Plane: "real", Precedence: "Z", Title: "Inquiry of Southland", Detail: "Nobody has it yet.", Statement: line.ID,
		Number: line.Number, Form: "inquiry", Channel: "nrrc", Peer: "xs", Since: now.Add(-2 * time.Minute), Due: now.Add(8 * time.Minute),
		Calls:    []api.Call{{Officer: "anna", Role: "duty-officer", Means: "mail", At: now.Add(-2 * time.Minute), Outcome: "placed", Detail: "250 OK"}},
		NextCall: &api.NextCall{Role: "deputy", Officer: "boris", At: now.Add(time.Minute)},
	}
	taken, done := item, item
	taken.Key, taken.Precedence, taken.Taken = "ack:b", "O", &api.Taken{By: "anna", Role: "duty-officer", At: now.Add(-time.Minute)}
	done.Key, done.Precedence, done.Ended = "ack:c", "R", now.Add(-time.Hour)
	duty := api.Duty{Post: "nrrc", Shift: "night", From: now.Add(-time.Hour), Until: now.Add(7 * time.Hour), Officers: []api.DutyOfficer{{Role: "duty-officer", Officer: "anna", Name: "Anna Berg"}}}
	f := &fakeFloor{
		me: api.Me{
			Officer: "anna", Name: "Anna Berg", Language: "en", Means: "passkey", Grants: []api.Grant{{Post: "*", Role: "head-of-post"}},
			May: []string{"read", "take", "acknowledge", "answer", "send", "release", "commit", "check", "handover", "roster", "directory", "translate", "note", "log", "officers", "inspect", "system", "export"},
		},
		watch: api.Watch{Now: now, Items: []api.Item{item}, Taken: []api.Item{taken}, Done: []api.Item{done}, Duty: []api.Duty{duty}, Sound: "flash"},
		line:  line,
		statement: api.Statement{
			Line: line, Refs: []string{}, Language: "ru", Drafter: "duty-officer", Releaser: "head-of-post", Feed: "detente/1/xs", Index: 7, Fields: json.RawMessage(`{"observation":"Команды на подстанцию."}`),
			Attachments: []api.AttachedFile{{Name: "report.json", Type: "application/stix+json", Size: 2048, Hash: "00ff00ff00ff00ff", Held: true}},
			Receipts:    []archive.Receipt{}, Replies: []api.Reply{{ID: "b1", Number: "XN/NRRC-Z-0001", Form: "acknowledgement", From: "xn/nrrc", Drafter: "duty-officer", Issued: now}},
			Level: "E2", Status: []string{"○ held by xn since 312358Z DEC 99 (Ed25519)", "● accepted by the duty officer", "an answer is due"}, Document: doc, Direction: "ltr",
		},
		channel: api.Channel{ID: "c0ffee", Name: "nrrc", Kind: "common", Members: []traffic.Party{"xn", "xs"}, Posts: []traffic.Post{"nrrc"}, Regime: "communications/1", Established: true, Forms: []api.Form{
			{ID: "notice", Version: 1, Title: "Notice", Ceiling: "Z", TwoPersons: []traffic.Precedence{"Z", "O"}, Refs: "any", Fields: []api.Field{
				{Name: "subject", Kind: "code", Title: "Subject", Required: true, Codes: []string{"planned", "accident"}, Labels: []string{"planned", "accident"}},
				{Name: "text", Kind: "text", Title: "Text", Required: true, Max: 8000}, {Name: "window", Kind: "window", Title: "Window"},
				{Name: "attachments", Kind: "blobs", Title: "Files"}, {Name: "info", Kind: "addresses", Title: "For information"},
			}},
			{ID: "inquiry", Version: 1, Title: "Inquiry", Ceiling: "Z", Refs: "any", AnswersWith: []string{"acknowledgement", "answer"}, Fields: []api.Field{}},
			{ID: "acknowledgement", Version: 1, Title: "Acknowledgement", Ceiling: "Z", Refs: "one", Fields: []api.Field{
				{Name: "received", Kind: "time", Title: "Received", Required: true}, {Name: "understood", Kind: "bool", Title: "Understood"},
				{Name: "forwarded_to", Kind: "code", Title: "Passed on to", Codes: []string{"not-yet", "superior"}, Labels: []string{"not yet", "superior"}},
			}},
			{ID: "answer", Version: 1, Title: "Answer", Ceiling: "Z", Refs: "one", TwoPersons: []traffic.Precedence{"Z", "O"}, Fields: []api.Field{{Name: "text", Kind: "text", Title: "Text"}}},
			{ID: "cancellation", Version: 1, Title: "Cancellation", Ceiling: "Z", Refs: "one", Fields: []api.Field{{Name: "reason", Kind: "text", Title: "Reason"}}},
		}},
		charters:  []api.Charter{{Party: "xn", Own: true, Trusted: true, Version: 1, Posts: []api.Post{{Post: "nrrc"}}, Languages: []string{"en"}}, {Party: "xs", Trusted: true, Version: 2, Posts: []api.Post{{Post: "nrrc"}}, Languages: []string{"ru"}}},
		links:     []api.Link{{Condition: exchange.Condition{Peer: "xs", Since: now.Add(-time.Hour), Heard: now.Add(-time.Hour), Tried: now, Failure: "timeout"}, Name: map[string]string{"en": "Southland"}, Feeds: []api.Delivery{{Feed: "f", Channel: "nrrc", Sent: 3, Cosigned: 2, Waiting: 1}}}},
		silences:  []api.PostSilence{{Peer: "xs", Post: "nrrc", Channel: "nrrc", Why: "link-down", Words: "The link is down.", Since: now.Add(-time.Hour), Evidence: []string{"last heard 312300Z DEC 99"}}},
		statuses:  []api.ChannelStatus{{Channel: "nrrc", ChannelID: "c0ffee", State: "open", Members: []api.MemberState{{Party: "xs", State: "open"}}}},
		contacts:  []api.Contact{{ID: "d1", Number: "XN/NRRC-R-0002", Channel: "nrrc", Party: "xn", Own: true, Name: "duty", Category: "risk-reduction", Organisation: "NRRC", AroundClock: true, Voice: "+1 555 0100", Speaks: "en ru", Reads: "en ru fr", Authority: []string{"receive", "acknowledge"}, Stated: now, Confirmed: now.AddDate(-2, 0, 0), Stale: "unconfirmed"}},
		checks:    api.Checks{Checks: []api.Check{{ID: "e1", Number: "XN/NRRC-P-0001", Channel: "nrrc", Peer: "xs", Own: true, Plane: "real", Level: 2, Question: "Which way does the wind blow?", Sent: now.Add(-time.Hour), Answered: now.Add(-50 * time.Minute), AnsweredBy: "duty-officer", Answer: "North.", State: "answered"}}, Days: []api.CheckDay{{Peer: "xs", Day: "1999-12-31", Sent: 1, Answered: 1}}, Next: []api.PlannedCheck{{Channel: "nrrc", Peer: "xs", Level: 1, At: now.Add(time.Hour)}}, Plan: "[[checks]]\n"},
		rosters:   []api.Roster{{Post: "nrrc", Text: "zone = \"UTC\"\n", Now: duty, Shifts: []api.Duty{duty, {Post: "nrrc", From: now.Add(7 * time.Hour), Until: now.Add(15 * time.Hour), Unmanned: true}}, Overrides: []api.Override{{Post: "nrrc", Role: "deputy", Officer: "boris", From: now, Until: now.Add(time.Hour), Reason: "leave"}}}},
		handovers: []api.Handover{{ID: "h1", Post: "nrrc", Off: "anna", On: "boris", Items: []api.Item{item}, Remarks: "Quiet."}},
		log:       []api.LogEntry{{Index: 3, At: now, Post: "nrrc", Kind: "item", By: "anna", Who: "anna", Human: true, Text: "took the inquiry of Southland", Refs: []string{line.ID}}, {Index: 2, At: now.Add(-time.Minute), Post: "nrrc", Kind: "call", By: "node", Who: "the node", Text: "called anna by mail"}},
		officers:  []api.Officer{{ID: "anna", Name: "Anna Berg", Grants: []api.Grant{{Post: "*", Role: "head-of-post"}}, Language: "en", Mail: "anna@xn.example", Passkeys: []api.Passkey{{ID: "p1", Label: "key in the safe", Added: now}}, Seen: now}},
		sessions:  []api.Session{{ID: "s1", Officer: "anna", Means: "passkey", Device: "Firefox", Begun: now, Seen: now, Until: now.Add(time.Hour), Own: true}},
		releases:  []api.Release{{ID: "r1", Kind: "statement", Post: "nrrc", Digest: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", Drafter: "boris", Role: "duty-officer", Asked: now, Until: now.Add(time.Hour), Needs: []string{"deputy"}, Title: "Notice to xs", Text: "FLASH\nNOTICE\n", Mine: true}},
		status:    api.Status{Party: "xn", Charter: 1, Version: "v0.2", Statements: 100_000, Feeds: 12, Open: 1, Alarms: 1},
		alarms:    []exchange.Alarm{{Kind: "silent", Subject: "xs", Raised: now, Detail: "not heard for 3m"}},
		traffic:   []api.Traffic{{Party: "xn", Post: "nrrc", Sent: map[traffic.Precedence]int{"Z": 1}, Total: map[traffic.Precedence]int{"Z": 2, "R": 9}}},
		stations:  []api.Station{{At: now.Add(-3 * time.Minute), Party: "xs", What: "released"}, {At: now.Add(-2 * time.Minute), Party: "xn", What: "held"}, {At: now.Add(-time.Minute), Party: "xn", What: "accepted", By: "duty-officer", Human: true}},
		sent:      api.Sent{ID: "f00d", Number: "XN/NRRC-R-0003"},
		refuse:    map[string]*api.Problem{},
	}
	f.incident(now)
	f.negotiation(now)
	f.protect(now)
	f.consult(now)
	f.survey(now)
	return f
}

// hostile puts s into every text that comes from a person or another party: all of them, but for codes that the node has checked and words that it
// makes itself, such as times and precedences.
func (f *fakeFloor) hostile(s string) {
	for _, v := range []any{&f.watch, &f.line, &f.statement, &f.links, &f.silences, &f.contacts, &f.checks, &f.rosters, &f.handovers, &f.log, &f.officers, &f.sessions, &f.releases, &f.alarms, &f.charters, &f.cases, &f.file, &f.calendar, &f.guarantees, &f.matches, &f.ledger, &f.gateway, &f.reviews, &f.tokens, &f.concerns, &f.mails, &f.advisories, &f.drafts, &f.draft, &f.templates, &f.seals, &f.pledges, &f.pledge, &f.pledged, &f.acts, &f.series, &f.groups, &f.talk, &f.group, &f.spoken, &f.relations, &f.programme, &f.timeline} {
		poison(reflect.ValueOf(v).Elem(), s, "")
	}
	for i := range f.heads { // what the other party writes in it
		f.heads[i].Number = s
		f.heads[i].Fields = headFields(f.lists[i].Head(), f.heads[i].Held, s)
	}
	f.draft.Provisions[2].ID, f.pledge.ID = "p-2", "0a0b" // by which a page asks for it
	for _, text := range []*string{&f.me.Name, &f.channel.Forms[0].Title} {
		*text = s
	}
}

func poison(v reflect.Value, s, name string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem(), s, name)
		}
	case reflect.Struct:
		if _, ok := v.Interface().(time.Time); ok {
			return
		}
		for i := range v.NumField() {
			poison(v.Field(i), s, v.Type().Field(i).Name)
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i), s, name)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if v.Type().Elem().Kind() == reflect.String {
				v.SetMapIndex(k, reflect.ValueOf(s))
			}
		}
	case reflect.String:
		switch name {
		case "Plane", "Precedence", "Kind", "Direction", "Language", "State", "Standing", "What", "Sound", "Digest", "Own", "Channel", "Form", "Day":
			return
		}
		if v.Type().PkgPath() == "" || v.Type().PkgPath() == "detente/traffic" {
			v.SetString(s)
		}
	}
}

// ServeHTTP answers as the API would.
func (f *fakeFloor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request := r.Method + " " + r.URL.Path
	f.mu.Lock()
	f.asked, f.questions = append(f.asked, request), append(f.questions, r.URL.RequestURI())
	f.mu.Unlock()
	fail := func(p *api.Problem) {
		w.Header().Set("Content-Type", p.ContentType(""))
		w.WriteHeader(p.Status)
		json.NewEncoder(w).Encode(p)
	}
	if r.Header.Get("Authorization") != "Bearer good" {
		fail(&api.Problem{Status: http.StatusUnauthorized, Code: "session"})
		return
	}
	if p := f.refuse[request]; p != nil {
		fail(p)
		return
	}
	answer := map[string]any{
		"GET /v1/me": f.me, "GET /v1/watch": f.watch, "GET /v1/statements": []api.Line{f.line}, "GET /v1/search": []api.Line{f.line},
		"GET /v1/statements/" + f.line.ID: f.statement, "GET /v1/statements/x": f.statement, "GET /v1/channels": []api.Channel{f.channel},
		"GET /v1/channels/" + f.channel.ID: f.channel, "GET /v1/channels/" + f.channel.Name: f.channel, "GET /v1/charters": f.charters,
		"GET /v1/links": f.links, "GET /v1/silences": f.silences, "GET /v1/channel-statuses": f.statuses, "GET /v1/directory": f.contacts,
		"GET /v1/checks": f.checks, "GET /v1/rosters": f.rosters, "GET /v1/handovers": f.handovers, "GET /v1/log": f.log, "GET /v1/officers": f.officers,
		"GET /v1/sessions": f.sessions, "GET /v1/releases": f.releases, "GET /v1/status": f.status, "GET /v1/alarms": f.alarms, "GET /v1/statistics": f.traffic,
		"GET /v1/statements/x/stations": f.stations, "GET /v1/statements/" + f.line.ID + "/stations": f.stations, "POST /v1/statements": f.sent,
		"POST /v1/watch/take": api.Item{}, "POST /v1/preview": f.statement, "POST /v1/statements/" + f.line.ID + "/replies": f.sent, "POST /v1/log": api.LogEntry{},
		"GET /v1/cases": f.cases, "GET /v1/cases/tally": api.CaseTally{Open: 2, Ours: 1, Overdue: 1}, "GET /v1/cases/xn/99-0001": f.file, "GET /v1/cases/" + f.line.Dossier: f.file, "GET /v1/calendar": f.calendar, "GET /v1/guarantees": f.guarantees, "POST /v1/guarantees/complaints": api.ComplaintSent{Sent: api.Sent{ID: f.line.ID, Case: "xn/99-0004"}}, "POST /v1/observations": f.matches,
		"GET /v1/ledger": f.ledger, "GET /v1/gateway": f.gateway, "GET /v1/gateway/reviews": f.reviews, "GET /v1/gateway/tokens": f.tokens,
		"GET /v1/matches": f.concerns, "GET /v1/mails": f.mails, "GET /v1/advisories": f.advisories,
		"POST /v1/gateway/reviews": struct{}{}, "POST /v1/mails/2/seen": struct{}{}, "POST /v1/matches/" + f.line.ID + "/seen": struct{}{}, "POST /v1/cases": f.sent, "POST /v1/cases/xn/99-0001/statements": f.sent,
		"GET /v1/drafts": f.drafts, "POST /v1/drafts": drafting.Opened{Sent: f.sent}, "GET /v1/templates": f.templates, "GET /v1/seals": f.seals, "POST /v1/seals": f.sent, "POST /v1/seals/ee/deposit": api.SealDepositDone{}, "POST /v1/seals/ee/certificate": f.sent, "GET /v1/instruments": f.pledges, "GET /v1/instruments/0a0b": f.pledge, "GET /v1/instruments/0a0b/status": f.pledged, "GET /v1/instruments/0a0b/acts": f.acts, "GET /v1/drafts/" + strings.Repeat("d0", 32): f.draft,
		"POST /v1/drafts/" + strings.Repeat("d0", 32) + "/documents": reading(), "GET /v1/drafts/" + strings.Repeat("d0", 32) + "/documents/pdf": "pages",
	}[request]
	if answer == nil {
		answer = f.ofTalks(r)
	}
	if answer == nil {
		answer = f.ofProgramme(r)
	}
	if r.URL.Query().Get("form") == "asset-list" {
		answer = f.headLines(r.URL.Query().Get("from"))
	}
	for i := range f.heads {
		if request == "GET /v1/statements/"+f.heads[i].ID {
			answer = f.heads[i]
		}
	}
	switch {
	case answer == nil && strings.HasPrefix(request, "POST /v1/drafts/"):
		list := strings.HasSuffix(request, "/acceptances")
		w.Write([]byte(map[bool]string{true: "[]", false: "{}"}[list]))
	case strings.HasPrefix(request, "DELETE /v1/drafts/"):
		w.Write([]byte("{}"))
	case r.URL.Path == "/v1/events":
		w.Header().Set("Content-Type", "text/event-stream")
		w.Write([]byte("data: {}\n\n"))
		<-r.Context().Done()
	case strings.HasPrefix(r.URL.Path, "/v1/blobs/"):
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write(f.bundle)
	case answer == nil:
		fail(&api.Problem{Status: http.StatusNotFound, Code: "no-such-request", Detail: request})
	default:
		json.NewEncoder(w).Encode(answer)
	}
}
