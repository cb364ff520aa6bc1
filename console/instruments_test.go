package console

import (
	"bytes"
	"errors"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"detente/acts"
	"detente/api"
	"detente/api/drafting"
	"detente/api/registry"
	"detente/traffic"
)

// negotiation puts an agreement before the screens: an article on which the sides differ, one that is agreed, one with a reservation.
func (f *fakeFloor) negotiation(now time.Time) {
	draft := drafting.Draft{
		ID: strings.Repeat("d0", 32), Number: "XN/MFA-R-0001", Title: "Agreement on incidents", Kind: "treaty", KindWords: "treaty", Nature: "legal", Channel: "mfa", ChannelID: "c0ffee", Plane: "real",
		Parties: []string{"xn", "xs"}, Languages: []string{"en", "ar"}, Stage: "tabled", Stands: "tabled", Since: now.AddDate(0, 0, -3), Total: 3, Agreed: 1, Ours: 1, Last: now,
	}
	inForce := draft
	inForce.ID, inForce.Title, inForce.Stage, inForce.Stands = strings.Repeat("d1", 32), "Exchange of notes", "in-force", "in force"
	f.drafts = []drafting.Draft{draft, inForce}
	theirs := map[string]string{"en": "Each Party shall notify the other within 24 hours.", "ar": "يُخطر كل طرف الطرف الآخر خلال 24 ساعة."}
	ours := map[string]string{"en": "Each Party shall notify the other without delay.", "ar": "يُخطر كل طرف الطرف الآخر دون إبطاء."}
	agreed := map[string]string{"en": "Definitions", "ar": "التعاريف"}
	f.draft = drafting.File{
		Draft: draft, Titles: map[string]string{"en": "Agreement on incidents", "ar": "اتفاق بشأن الحوادث"}, Opener: "xn/mfa", Opened: now.AddDate(0, 0, -9), Prevailing: "en",
		Provisions: []drafting.Provision{
			{ID: "structure", Kind: "structure", Agreed: true, Order: "article p-1\nparagraph p-2", Digest: "00", Stands: []drafting.Stand{{Party: "xn", Kind: "position", Words: "tables it", Digest: "00", Order: "article p-1\nparagraph p-2"}}},
			{ID: "p-1", Kind: "article", Number: "1", Label: map[string]string{"en": "Article 1", "ar": "المادة 1"}, Agreed: true, Texts: agreed, Digest: "aa", Stands: []drafting.Stand{{Party: "xn", Kind: "position", Words: "tables it", Digest: "aa", Texts: agreed}, {Party: "xs", Kind: "acceptance", Words: "accepts it", Digest: "aa", Texts: agreed}}},
			{ID: "p-2", Kind: "paragraph", Number: "1", Why: "differ", WhyWords: "the wordings differ", Ours: true, Reopened: 1,
				Stands:   []drafting.Stand{{Party: "xn", Kind: "position", Words: "tables other words", Digest: "bb", Texts: ours, Statement: f.line.ID, Number: "XN/MFA-R-0002", At: now.Add(-time.Hour)}, {Party: "xs", Kind: "reservation", Words: "with a reservation", Digest: "cc", Texts: theirs, Reserved: "scrutiny", Reason: "The ministry reads it.", At: now}},
				Brackets: map[string][]drafting.Piece{"en": {{Text: "Each Party shall notify the other "}, {Text: "without delay", Parties: []traffic.Party{"xn"}}, {Text: "within 24 hours", Parties: []traffic.Party{"xs"}}, {Text: "."}}},
				Comments: []drafting.Comment{{By: "xs/mfa", Provision: "p-2", Words: "24 hours is what both can keep.", Statement: f.line.ID, At: now}},
				Notes:    []drafting.Note{{ID: "n1", Provision: "p-2", Kind: "fall-back", Officer: "anna", At: now, Words: "Not before the last day.", Texts: theirs}}},
		},
		Packages:  []drafting.Package{{ID: strings.Repeat("a1", 32), Name: "Times", By: "xn", Items: map[string]string{"p-2": "bb"}}},
		Comments:  []drafting.Comment{{By: "xs/mfa", Words: "A good beginning.", Statement: f.line.ID, At: now, Paper: true}},
		Notes:     []drafting.Note{{ID: "n2", Kind: "instruction", At: now, Words: "Do not speak of borders."}},
		Manifests: []drafting.Manifest{{Hash: strings.Repeat("ee", 32), Statement: f.line.ID, By: "xn/mfa", At: now, Current: true, Effect: "sealing", Duration: "P3Y", Originals: []drafting.Original{{Party: "xn", Lang: "en", Digest: strings.Repeat("ef", 32), Own: "same"}}, Sealers: []drafting.Member{{Address: "xa/mfa"}}, Deadline: now.AddDate(0, 3, 0), Channels: []drafting.NewChannel{{Name: "nrrc", Regime: "incidents/1", State: "foreseen"}}, Initialled: []string{"xn"}}},
		Powers:    []drafting.Powers{{ID: f.line.ID, Party: "xn", Post: "xn/mfa", Representative: "Deputy Minister", May: []string{"sign"}, Authority: "foreign-minister", From: now, Until: now.AddDate(1, 0, 0), At: now}},
		Ladder:    []drafting.Rung{{Form: "initialling", Party: "xn", By: "xn/mfa", At: now, Statement: f.line.ID, Manifest: strings.Repeat("ee", 32)}},
		Entries:   []drafting.Entry{{ID: f.line.ID, Number: "XN/MFA-R-0001", Form: "negotiation", What: "NEGOTIATION OPENED", By: "xn/mfa", At: now}, {ID: "e2", Number: "XS/MFA-R-0002", Form: "acceptance", What: "ACCEPTANCE", By: "xs/mfa", At: now, Why: "no-wording", WhyWords: "nobody has tabled such words"}},
		Next:      []string{"table", "certify", "manifest", "initial", "sign", "consent", "correct", "accept-correction", "object-to-correction", "suspend", "resume", "extend", "terminate", "revoke-notice"},
	}
	f.pledges = []registry.Instrument{{ID: "0a0b", Source: "feed", Party: "xn", Title: map[string]string{"en": "Pledge not to strike first", "ar": "تعهد بعدم المبادأة"}, Nature: "political", Acts: 2, Parties: 1, Entry: acts.NewDay(2000, 1, 1)}}
	f.pledge = registry.Whole{Instrument: f.pledges[0], Texts: map[string]string{"en": "We shall not be the first."}}
	f.pledged = registry.Table{Status: acts.Status{On: acts.NewDay(2000, 1, 1), Nature: "political", Entry: acts.NewDay(2000, 1, 1), InForce: true, Counts: map[acts.State]int{acts.InForce: 1}, Rows: []acts.Row{
		{Party: "xs", State: acts.InForce, Consented: acts.NewDay(2000, 1, 1), Way: acts.Adhere, InForce: acts.NewDay(2000, 1, 1), Held: []acts.Held{{ID: "a1", Provision: "p-1", From: acts.NewDay(2000, 1, 1), Objections: []string{"a2"}}}, Statements: []string{"a3"}},
	}}}
	f.acts = registry.List{Instrument: "0a0b", Acts: []acts.Noted{{Act: acts.Act{ID: "a1", Party: "xs", Kind: acts.Adhere, Date: acts.NewDay(2000, 1, 1), Texts: map[string]string{"ru": "Мы не будем первыми.", "en": "We shall not."}}}, {Act: acts.Act{ID: "a4", Party: "xa", Kind: acts.Adhere, Date: acts.NewDay(2000, 1, 1)}, Why: acts.NoPowers}}}
	f.seals = []api.Seal{{Round: strings.Repeat("ee", 32), Kind: "treaty", Plane: "real", Dossier: draft.ID, Opened: f.line.ID, By: "xn/mfa", At: now, Deadline: now.AddDate(0, 0, 7), Final: now.AddDate(0, 0, 9), Faulty: 1, Need: 3, Parties: []string{"xn/mfa", "xs/mfa"}, State: "pending",
		Sealers: []api.SealSealer{{Sealer: "xa/mfa", Says: []string{"in-force"}}, {Sealer: "xb/mfa"}, {Sealer: "xl/mfa", Says: []string{"in-force", "lapsed"}}}, Deposits: []api.SealDeposited{{Sealer: "xa/mfa", Sent: now}}}}
	f.templates = []drafting.Template{{Name: "incidents", Title: map[string]string{"en": "Model agreement"}, Languages: []string{"en", "ru"}}}
}

func TestBracketsStandInTheirPlaceWithWhoWantsThem(t *testing.T) {
	d := sit(t, newFloor())
	id := strings.Repeat("d0", 32)
	page := d.do("GET", "/real/instrument?n="+id, nil).Body.String()
	for _, must := range []string{
		`<span class="bracket ours">[<b class="code">XN</b>: without delay]</span><span class="bracket">[<b class="code">XS</b>: within 24 hours]</span>.`, "the wordings differ", "Article 1",
		`lang="ar" dir="rtl"`, "The ministry reads it.", "Do not speak of borders.", "Waiting for our side: 1.", `value="accept"`,
	} {
		if !strings.Contains(page, must) {
			t.Errorf("the page lacks %q", must)
		}
	}
	if only := d.do("GET", "/real/instrument?n="+id+"&only=open", nil).Body.String(); strings.Contains(only, `id="p-p-1"`) || !strings.Contains(only, `id="p-p-2"`) {
		t.Error("what is agreed stands among what is open")
	}
	if w := d.do("GET", "/exercise/instrument?n="+id, nil); w.Code != http.StatusNotFound {
		t.Errorf("a real instrument in an exercise window: %d", w.Code)
	}
}

func TestTheOpenRegisterSaysWhoIsBoundAndWhichActsHaveNoEffect(t *testing.T) {
	d := sit(t, newFloor())
	if page := d.do("GET", "/real/pledges", nil).Body.String(); !strings.Contains(page, "Pledge not to strike first") {
		t.Error("the list lacks the instrument")
	}
	page := d.do("GET", "/real/pledges?i=0a0b", nil).Body.String()
	for _, must := range []string{"Bound: 1, on", "We shall not be the first.", "Мы не будем первыми.", "objections: 1", "declarations: 1", "without full powers"} {
		if !strings.Contains(page, must) {
			t.Errorf("the page lacks %q", must)
		}
	}
}

func TestWhatIsKeptToOneselfIsMarkedSo(t *testing.T) {
	d := sit(t, newFloor())
	for _, path := range []string{"/real/instrument?n=", "/real/instrument/provision?p=p-2&n="} {
		page := d.do("GET", path+strings.Repeat("d0", 32), nil).Body.String()
		at := strings.Index(page, "Not before the last day.")
		if at < 0 || strings.LastIndex(page[:at], `class="private"`) < strings.LastIndex(page[:at], "</section>") || !strings.Contains(page, "Only in this node: it is never sent") {
			t.Errorf("%s: a fall-back does not stand within what is private", path)
		}
	}
}

func TestTheDifferenceIsShownBeforeWordsAreTabled(t *testing.T) {
	f := newFloor()
	d := sit(t, f)
	written := url.Values{"n": {f.draft.ID}, "p": {"p-2"}, "from": {"editor"}, "t.en": {"Each Party shall notify the other within 12 hours."}, "t.ar": {""}}
	page := d.do("POST", "/real/instrument/preview", written).Body.String()
	for _, must := range []string{"left out: </span>24</del>", "added: </span>12</ins>", "There are no words yet in:"} {
		if !strings.Contains(page, must) {
			t.Errorf("the difference lacks %q: %s", must, page)
		}
	}
	written.Set("do", "look") // without script
	if page := d.do("POST", "/real/instrument", written).Body.String(); !strings.Contains(page, "12</ins>") || !strings.Contains(page, "within 12 hours.</textarea>") {
		t.Errorf("without script: %s", page)
	}
	if f.wasAsked("POST /v1/drafts/" + f.draft.ID + "/positions") {
		t.Error("looking at a difference has tabled it")
	}
}

func TestEachDeedIsOneAction(t *testing.T) {
	f := newFloor()
	d := sit(t, f)
	at := "/v1/drafts/" + f.draft.ID
	for _, x := range []struct {
		given url.Values
		asks  string
		to    string
	}{
		{url.Values{"do": {"table"}, "p": {"p-2"}, "from": {"editor"}, "t.en": {"a"}}, "POST " + at + "/positions", "said=tabled"},
		{url.Values{"do": {"table"}, "p": {""}, "from": {"editor"}, "t.en": {"a"}, "kind": {"article"}}, "POST " + at + "/positions", "said=tabled"},
		{url.Values{"do": {"table"}, "p": {"structure"}, "id": {"p-2", "p-1"}, "at.p-1": {"1"}, "at.p-2": {"2"}, "kind.p-1": {"article"}, "kind.p-2": {"paragraph"}}, "POST " + at + "/positions", "said=tabled"},
		{url.Values{"do": {"accept"}, "p": {"p-2"}, "of": {"cc"}}, "POST " + at + "/acceptances", "said=accepted#p-p-2"},
		{url.Values{"do": {"reserve"}, "p": {"p-2"}, "of": {"cc"}, "reason": {"scrutiny"}}, "POST " + at + "/reservations", "said=reserved"},
		{url.Values{"do": {"withdraw"}, "p": {"p-2"}}, "POST " + at + "/withdrawals", "said=stand-withdrawn"},
		{url.Values{"do": {"comment"}, "words": {"x"}}, "POST " + at + "/comments", "said=commented"},
		{url.Values{"do": {"package"}, "name": {"x"}, "in": {"p-2"}, "of.p-2": {"bb"}}, "POST " + at + "/packages", "said=packed"},
		{url.Values{"do": {"unpack"}, "package": {"a1a1"}}, "POST " + at + "/packages/a1a1/withdrawal", "said=unpacked"},
		{url.Values{"do": {"note"}, "kind": {"comment"}, "words": {"x"}}, "POST " + at + "/notes", "said=kept-here"},
		{url.Values{"do": {"keep"}, "p": {"p-2"}, "t.en": {"x"}}, "POST " + at + "/notes", "said=kept-here"},
		{url.Values{"do": {"forget"}, "note": {"n1"}}, "DELETE " + at + "/notes/n1", "said=forgotten"},
		{url.Values{"do": {"manifest"}, "effect": {"sealing"}, "sealers": {"xa/mfa"}, "name": {"nrrc"}, "regime": {"incidents/1"}}, "POST " + at + "/manifests", "said=manifested"},
		{url.Values{"do": {"seal-open"}, "round": {"ee"}}, "POST /v1/seals", "said=seal-opened"},
		{url.Values{"do": {"seal-deposit"}, "round": {"ee"}}, "POST /v1/seals/ee/deposit", "said=seal-deposited"},
		{url.Values{"do": {"seal-certify"}, "round": {"ee"}}, "POST /v1/seals/ee/certificate", "said=seal-certified"},
		{url.Values{"do": {"step"}, "step": {"sign"}, "manner": {"definitive"}}, "POST " + at + "/steps", "said=stepped"},
		{url.Values{"do": {"step"}, "step": {"suspend"}, "in": {"p-2"}, "moment": {"010900Z JAN 27"}, "words": {"x"}}, "POST " + at + "/steps", "said=stepped"},
		{url.Values{"do": {"open"}, "channel": {"mfa"}, "language": {"en"}, "t.en": {"x"}}, "POST /v1/drafts", "said=opened"},
	} {
		x.given.Set("n", f.draft.ID)
		f.asked = nil
		w := d.do("POST", "/real/instrument", x.given)
		if w.Code != http.StatusSeeOther || !strings.Contains(w.Header().Get("Location"), x.to) || !f.wasAsked(x.asks) {
			t.Errorf("%v: %d %s, asked %v", x.given, w.Code, w.Header().Get("Location"), f.asked)
		}
	}
	if w := d.do("POST", "/real/instrument", url.Values{"n": {f.draft.ID}, "do": {"burn"}}); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `role="alert"`) {
		t.Errorf("nothing that can be done: %d", w.Code)
	}
}

func TestWhatIsNotDoneIsNotLost(t *testing.T) {
	f := newFloor()
	d := sit(t, f)
	late := url.Values{"n": {f.draft.ID}, "do": {"step"}, "step": {"suspend"}, "in": {"p-2"}, "words": {"No officer is on duty."}, "moment": {"tomorrow"}}
	if page := d.do("POST", "/real/instrument", late).Body.String(); !strings.Contains(page, "No officer is on duty.</textarea>") || !strings.Contains(page, `value="p-2" checked`) || !strings.Contains(page, `value="tomorrow"`) {
		t.Errorf("what was written is lost: %s", page)
	}
	request := "POST /v1/drafts/" + f.draft.ID + "/positions"
	f.refuse[request] = &api.Problem{Status: http.StatusUnprocessableEntity, Code: "wording", Detail: "not normalised"}
	given := url.Values{"n": {f.draft.ID}, "p": {"p-2"}, "from": {"editor"}, "do": {"table"}, "t.en": {"Words that took an hour."}, "note": {"Why."}}
	if page := d.do("POST", "/real/instrument", given).Body.String(); !strings.Contains(page, "Words that took an hour.</textarea>") || !strings.Contains(page, "not normalised") {
		t.Errorf("what was written is lost: %s", page)
	}
	f.refuse[request] = &api.Problem{Status: http.StatusConflict, Code: "release-needed", Fields: []string{"r1"}}
	if w := d.do("POST", "/real/instrument", given); !strings.HasPrefix(w.Header().Get("Location"), "/real/releases?id=r1") {
		t.Errorf("a second person: %d %s", w.Code, w.Header().Get("Location"))
	}
}

// reading is what a document says otherwise in one language of one provision.
func reading() drafting.Reading {
	return drafting.Reading{Format: "docx", Missing: []string{"p-1 ar"}, Proposals: []drafting.PaperPoint{{
		Provision: "p-2", Texts: map[string]string{"en": "Each Party shall notify the other within 12 hours.", "ar": "يُخطر كل طرف الطرف الآخر دون إبطاء."},
		Changes: []drafting.PaperChange{{
			Lang: "en", Old: "Each Party shall notify the other without delay.", New: "Each Party shall notify the other within 12 hours.", Authors: []string{"A. Clerk", "A. Clerk"}, Untracked: true,
		}},
	}}}
}

// A document that came back is shown word by word, and goes to the editor; it states nothing by itself. Papers are saved, not shown.
func TestADocumentThatCameBackGoesToTheEditor(t *testing.T) {
	f := newFloor()
	d := sit(t, f)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("file", "agreement.docx")
	if err == nil {
		_, err = file.Write([]byte("PK"))
	}
	if err := errors.Join(err, form.WriteField("n", f.draft.ID), form.Close()); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, origin+"/real/instrument/document", &body)
	r.Header = d.header.Clone()
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.AddCookie(&http.Cookie{Name: "detente-xn", Value: d.token})
	w := httptest.NewRecorder()
	d.pages.ServeHTTP(w, r)
	for _, want := range []string{
		"A document that came back", "12 hours</ins>", "A. Clerk</bdi>", "Changed without tracking", "Article 1 (Arabic)", `name="t.ar" value="يُخطر كل طرف الطرف الآخر دون إبطاء."`, `name="do" value="look"`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page lacks %q: %d %s", want, w.Code, w.Body)
		}
	}
	if f.wasAsked("POST /v1/drafts/" + f.draft.ID + "/positions") {
		t.Error("reading a document has tabled it")
	}
	saved := d.do("GET", "/real/instrument/paper?n="+f.draft.ID+"&format=pdf&langs=en+ar", nil)
	if got := saved.Header().Get("Content-Disposition"); saved.Code != http.StatusOK || !strings.Contains(got, "attachment") || !strings.Contains(got, "XN-MFA-R-0001.pdf") {
		t.Errorf("%d %q", saved.Code, got)
	}
	if w := d.do("GET", "/real/instrument/paper?n="+f.draft.ID+"&format=exe", nil); w.Code != http.StatusNotFound {
		t.Errorf("an unknown format: %d", w.Code)
	}
}

// A complaint names one of the guarantees that are known, says what appears not to have been observed, and leads to its case.
func TestAComplaintLeadsToItsCase(t *testing.T) {
	f := newFloor()
	d := sit(t, f)
	if page := d.do("GET", "/real/instruments", nil).Body.String(); strings.Contains(page, `value="complain"`) {
		t.Error("a complaint without a guarantee")
	}
	f.guarantees.Instruments = []api.GuaranteeInstrument{{ID: strings.Repeat("ee", 32), Title: "Exchange of notes", Dossier: f.draft.ID, Channel: "c0ffee", Plane: "real"}, {ID: strings.Repeat("ef", 32), Title: "Open to all", Plane: "real"}}
	page := d.do("GET", "/real/instruments", nil).Body.String()
	if !strings.Contains(page, `value="complain"`) || !strings.Contains(page, strings.Repeat("ee", 32)) || strings.Contains(page, strings.Repeat("ef", 32)) {
		t.Errorf("what can be relied on: %s", page)
	}
	w := d.do("POST", "/real/instrument", url.Values{"do": {"complain"}, "basis": {strings.Repeat("ee", 32)}, "words": {"The count was disturbed."}, "from": {"010000z jan 00"}})
	if to := w.Header().Get("Location"); !strings.Contains(to, "/real/case?n=xn%2F99-0004") || !f.wasAsked("POST /v1/guarantees/complaints") {
		t.Errorf("%d to %q", w.Code, to)
	}
	for _, given := range []url.Values{{"do": {"complain"}, "words": {" "}}, {"do": {"complain"}, "words": {"x"}, "from": {"yesterday"}}} {
		if w := d.do("POST", "/real/instrument", given); w.Code != http.StatusBadRequest {
			t.Errorf("%v: %d", given, w.Code)
		}
	}
}
