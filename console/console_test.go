package console

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"detente/api"
	"detente/console/habits"
	"detente/console/paper"
	"detente/officer"
	"detente/store"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden pages")

const origin = "http://localhost:7443"

// desk is a console before a floor of the test's making, with somebody at its browser.
type desk struct {
	t      *testing.T
	floor  *fakeFloor
	roll   *officer.Roll
	server *Server
	pages  http.Handler
	token  string // of the session; empty is a stranger
	prefs  string
	header http.Header
}

func sit(t *testing.T, f *fakeFloor) *desk {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{DSN: filepath.Join(t.TempDir(), "detente.db"), Schemas: []store.Schema{officer.Schema()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	roll, err := officer.New(officer.Config{DB: db, Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{API: api.InProcess(f), Roll: roll, Party: "xn", Name: map[string]string{"en": "Northland", "ru": "Северная страна"}, Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	return &desk{t: t, floor: f, roll: roll, server: s, pages: s.Handler(), token: "good", header: http.Header{"Sec-Fetch-Site": {"same-origin"}}}
}

// do sends a request as the browser would.
func (d *desk) do(method, path string, form url.Values) *httptest.ResponseRecorder {
	d.t.Helper()
	body := strings.NewReader(form.Encode())
	r := httptest.NewRequestWithContext(d.t.Context(), method, origin+path, body)
	r.Header = d.header.Clone()
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if d.token != "" {
		r.AddCookie(&http.Cookie{Name: "detente-xn", Value: d.token})
	}
	if d.prefs != "" {
		r.AddCookie(&http.Cookie{Name: "detente-xn-prefs", Value: d.prefs})
	}
	w := httptest.NewRecorder()
	d.pages.ServeHTTP(w, r)
	return w
}

// speak chooses the language of the screens.
func (d *desk) speak(lang string) { d.prefs = "lang%3D" + lang }

// everyScreen is an address of every screen.
func everyScreen() []string {
	var out []string
	for _, sc := range screens() {
		id := "x"
		if sc.name == "talk" {
			id = strings.Repeat("5e", 32)
			out = append(out, "/real/talks/"+strings.Repeat("6a", 32))
		}
		if sc.name == "relation" {
			id = "xn..xs"
		}
		path := "/real" + strings.ReplaceAll(sc.path, "{id}", id)
		if sc.name == "compose" {
			out = append(out, path+"?channel=c0ffee&form=notice")
		}
		if sc.name == "reply" {
			path += "?form=acknowledgement&set=passed"
		}
		if sc.name == "pledges" {
			out = append(out, path+"?i=0a0b")
		}
		if sc.name == "case" {
			path += "?n=xn%2F99-0001"
		}
		switch sc.name {
		case "instrument":
			path += "?n=" + strings.Repeat("d0", 32)
		case "provision":
			path += "?p=p-2&n=" + strings.Repeat("d0", 32)
		}
		if sc.name == "talks.new" {
			out = append(out, path+"?channel=council&form=group")
			path += "?channel=council&form=series"
		}
		if sc.name == "officers" {
			path += "?id=anna"
		}
		out = append(out, path)
	}
	return out
}

func TestPagesAreAsTheyWereReviewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, newFloor())
		for _, lang := range []string{"en", "ar"} {
			d.speak(lang)
			for _, path := range append(everyScreen(), "/sign-in", "/sign-in/link/secret", "/exercise/help", "/real/nothing") {
				w := d.do("GET", path, nil)
				if w.Code != http.StatusOK && path != "/real/nothing" {
					t.Errorf("GET %s: %d %s", path, w.Code, w.Body)
				}
				golden(t, lang+strings.NewReplacer("%2F", "-", "/", "-", "?", "-", "=", "-", "&", "-").Replace(path)+".html", w.Body.String())
			}
		}
	})
}

var hashed = regexp.MustCompile(`/static/[0-9a-f]{16}/`)

func golden(t *testing.T, name, got string) {
	t.Helper()
	got = hashed.ReplaceAllString(got, "/static/HASH/")
	path := filepath.Join("testdata", "pages", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: make it with -update and review it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; review it, then go test ./console -update:\n%s", name, diff)
	}
}

func TestEveryAnswerBearsThePolicy(t *testing.T) {
	d := sit(t, newFloor())
	paths := append(everyScreen(), "/", "/sign-in", "/sign-in/link/x", "/sign-in/openid", "/sign-in/openid/begin", "/nothing", "/static/none/x.js", "/favicon.ico", "/real/statement/x/proof")
	paths = append(paths, d.server.paper.Path("live.js"), d.server.paper.Path("tokens.css"))
	for _, path := range paths {
		h := d.do("GET", path, nil).Header()
		if got := h.Get("Content-Security-Policy"); got != policy && !strings.HasPrefix(got, "sandbox;") {
			t.Errorf("GET %s: policy %q", path, got)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("GET %s: a browser may guess what it is", path)
		}
	}
	for _, a := range actions() {
		path := "/real" + strings.NewReplacer("{id}", "x", "{post}", "nrrc", "{key}", "k").Replace(a.path)
		if got := d.do("POST", path, nil).Header().Get("Content-Security-Policy"); got != policy {
			t.Errorf("POST %s: policy %q", path, got)
		}
	}
	for _, must := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"} {
		if !strings.Contains(policy, must) || strings.Contains(policy, "unsafe") {
			t.Errorf("the policy lacks %s", must)
		}
	}
}

// What every hostile text holds: markup for every place in a page, and characters that hide or reorder.
const hostileText = "\"'></textarea></title><script>alert(1)</script><img src=x onerror=alert(2)> javascript:alert(3) {{.}} \u202egnp.exe\u2066\u2069\u2069 \u200f\u0000\ufeff\u2028 ` ]]>"

func TestNothingThatOthersWriteExecutesHidesOrReorders(t *testing.T) {
	f := newFloor()
	f.hostile(hostileText)
	d := sit(t, f)
	tag, quoted, handler := regexp.MustCompile(`<[^>]*>`), regexp.MustCompile(`="[^"]*"`), regexp.MustCompile(`\son\w+`)
	for _, lang := range []string{"ar", "en", "es", "fr", "ru", "zh"} {
		d.speak(lang)
		for _, path := range append(everyScreen(), "/real/traffic?q="+url.QueryEscape(hostileText), "/sign-in?to="+url.QueryEscape("javascript:alert(1)")) {
			w := d.do("GET", path, nil)
			if w.Code != http.StatusOK {
				t.Errorf("%s %s: %d", lang, path, w.Code)
			}
			page := w.Body.String()
			if strings.Contains(page, "<script>") || strings.Contains(page, "<img src=x") || strings.Contains(page, `href="javascript`) || strings.Contains(page, "ZgotmplZ") {
				t.Errorf("%s %s: markup of a stranger is in the page", lang, path)
			}
			for _, m := range tag.FindAllString(page, -1) {
				if handler.MatchString(quoted.ReplaceAllString(m, "")) {
					t.Errorf("%s %s: %s", lang, path, m)
				}
			}
			for _, r := range page {
				if r >= 0x202a && r <= 0x202e || r == 0xfeff || r == 0x2028 || r == 0 {
					t.Errorf("%s %s: %U is in the page", lang, path, r)
					break
				}
			}
			page = tag.ReplaceAllString(page, "") // what is in a tag is not read
			if strings.Count(page, "\u2069") != strings.Count(page, "\u2066")+strings.Count(page, "\u2067")+strings.Count(page, "\u2068") {
				t.Errorf("%s %s: isolates are not in pairs", lang, path)
			}
		}
	}
}

func TestStrangersSeeNothing(t *testing.T) {
	f := newFloor()
	d := sit(t, f)
	for _, token := range []string{"", "stolen"} {
		d.token = token
		f.asked = nil
		for _, path := range everyScreen() {
			if w := d.do("GET", path, nil); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/sign-in") {
				t.Errorf("GET %s with token %q: %d %s", path, token, w.Code, w.Header().Get("Location"))
			}
		}
		for _, a := range actions() {
			if w := d.do("POST", "/real"+strings.NewReplacer("{id}", "x", "{post}", "nrrc", "{key}", "k").Replace(a.path), nil); w.Code != http.StatusSeeOther {
				t.Errorf("POST %s with token %q: %d", a.path, token, w.Code)
			}
		}
		for _, asked := range f.asked {
			if asked != "GET /v1/me" {
				t.Errorf("a stranger made the console ask %s", asked)
			}
		}
	}
}

func TestAnotherSiteCannotActForAnOfficer(t *testing.T) {
	f := newFloor()
	d := sit(t, f)
	for name, h := range map[string]http.Header{
		"fetch metadata": {"Sec-Fetch-Site": {"cross-site"}},
		"same site":      {"Sec-Fetch-Site": {"same-site"}},
		"origin":         {"Origin": {"https://evil.example"}},
		"null origin":    {"Origin": {"null"}},
	} {
		d.header = h
		f.asked = nil
		for _, path := range []string{"/real/watch/take?key=x", "/sign-out", "/preferences", "/real/officers", "/sign-in/link", "/sign-in/finish", "/passkey/begin"} {
			if w := d.do("POST", path, url.Values{"id": {"x"}}); w.Code != http.StatusForbidden {
				t.Errorf("%s: POST %s: %d", name, path, w.Code)
			}
		}
		if len(f.asked) > 0 {
			t.Errorf("%s: the node was asked %v", name, f.asked)
		}
	}
	d.header = http.Header{"Sec-Fetch-Site": {"same-origin"}}
	r := httptest.NewRequest("GET", "http://rebound.example/real/watch", nil)
	w := httptest.NewRecorder()
	d.pages.ServeHTTP(w, r)
	if w.Code != http.StatusMisdirectedRequest {
		t.Errorf("another host's name is answered: %d", w.Code)
	}
}

func TestFormsHaveLimits(t *testing.T) {
	d := sit(t, newFloor())
	big := url.Values{"text": {strings.Repeat("x", maxForm+1)}}
	for _, path := range []string{"/real/log", "/real/compose", "/real/loss", "/preferences", "/sign-in/link", "/real/preview"} {
		if w := d.do("POST", path, big); w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("POST %s with %d bytes: %d", path, maxForm+1, w.Code)
		}
	}
	for _, path := range []string{"/sign-in/finish", "/passkey/finish"} {
		if w := d.do("POST", path, big); w.Code < 400 {
			t.Errorf("POST %s with %d bytes: %d", path, maxForm+1, w.Code)
		}
	}
}

func TestASessionIsNewAtEverySignIn(t *testing.T) {
	d := sit(t, newFloor())
	if _, err := d.roll.Set(t.Context(), officer.Officer{ID: "anna", Name: "Anna", Grants: []officer.Grant{{Post: "*", Role: officer.DutyOfficer}}}, "terminal"); err != nil {
		t.Fatal(err)
	}
	invite := func() string {
		in, err := d.roll.Invite(t.Context(), "anna", "terminal")
		if err != nil {
			t.Fatal(err)
		}
		return in.Secret
	}
	d.token = "ds_planted-by-somebody-else" // fixation: the browser has a session that another knows
	link := invite()
	if w := d.do("GET", "/sign-in/link/"+link, nil); w.Code != http.StatusOK || len(w.Result().Cookies()) > 0 {
		t.Fatalf("looking at a link: %d, cookies %v", w.Code, w.Result().Cookies())
	}
	first := d.do("POST", "/sign-in/link", url.Values{"link": {link}})
	c := session(t, first)
	if c.Value == d.token || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("cookie %v", c)
	}
	if w := d.do("POST", "/sign-in/link", url.Values{"link": {link}}); w.Code != http.StatusForbidden {
		t.Errorf("a link worked twice: %d", w.Code)
	}
	if again := session(t, d.do("POST", "/sign-in/link", url.Values{"link": {invite()}})); again.Value == c.Value {
		t.Error("two sign-ins have one session")
	}
	if _, err := d.roll.Actor(t.Context(), c.Value); err != nil {
		t.Fatal(err)
	}
	d.token = c.Value
	d.do("POST", "/sign-out", nil)
	if _, err := d.roll.Actor(t.Context(), c.Value); err == nil {
		t.Error("the session outlives its end")
	}
}

func session(t *testing.T, w *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	for _, c := range w.Result().Cookies() {
		if c.Name == "detente-xn" && c.Value != "" {
			return c
		}
	}
	t.Fatalf("no session: %d %s", w.Code, w.Body)
	return nil
}

func TestCookiesOverTLSAreTheHostsAlone(t *testing.T) {
	s, err := New(Config{Party: "xn", Origin: "https://watch.example"})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.admit(w, "token")
	if c := w.Result().Cookies()[0]; c.Name != "__Host-detente-xn" || !c.Secure {
		t.Errorf("cookie %v", c)
	}
}

func TestErrorsTellNothingOfTheInside(t *testing.T) {
	f := newFloor()
	d := sit(t, f)
	f.refuse["GET /v1/links"] = &api.Problem{Status: 500, Code: "internal", Detail: "the node could not do it"}
	if w := d.do("GET", "/real/links", nil); w.Code != 500 || strings.Contains(w.Body.String(), "console:") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	f.refuse["POST /v1/watch/take"] = &api.Problem{Status: 403, Code: "role", Detail: "anna may not take"}
	w := d.do("POST", "/real/watch/take?key=x", nil)
	if page := w.Body.String(); w.Code != 403 || !strings.Contains(page, "Your role does not permit this.") || !strings.Contains(page, "Nothing was lost") {
		t.Errorf("%d %s", w.Code, page)
	}
}

func TestOnlyWhatIsOursIsGoneBackTo(t *testing.T) {
	for to, want := range map[string]string{
		"/real/traffic?q=a": "/real/traffic?q=a", "https://evil.example/": "/", "//evil.example": "/", `/\evil.example`: "/", "javascript:alert(1)": "/", "": "/", "real": "/", "/a\r\nb": "/",
	} {
		if got := local(to); got != want {
			t.Errorf("local(%q) = %q, want %q", to, got, want)
		}
	}
}

func TestAWindowNeverMixesPlanes(t *testing.T) {
	d := sit(t, newFloor())
	if w := d.do("GET", "/exercise/statement/x", nil); w.Code != http.StatusNotFound {
		t.Errorf("a real statement in an exercise window: %d", w.Code)
	}
	page := d.do("GET", "/exercise/help", nil).Body.String()
	if n := strings.Count(page, `class="edge edge-`); n != 4 {
		t.Errorf("EXERCISE stands on %d sides", n)
	}
	if !regexp.MustCompile(`<title>[^<]*EXERCISE`).MatchString(page) {
		t.Error("EXERCISE is not in the title")
	}
}

func TestAttachmentsOfStrangersAreSavedInASandbox(t *testing.T) {
	f := newFloor()
	f.statement.Attachments[0].Name = "\u202egpj.exe/../..\r\nx"
	d := sit(t, f)
	f.refuse["GET /v1/blobs/00ff00ff00ff00ff"] = nil
	w := d.do("GET", "/real/statement/x/proof", nil)
	if w.Code == 200 && !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment;") {
		t.Errorf("headers %v", w.Header())
	}
	if got := paper.FileName(f.statement.Attachments[0].Name); strings.ContainsAny(got, "/\\\r\n\u202e") {
		t.Errorf("file name %q", got)
	}
}

// streamed is an answer that is read while it is written.
type streamed struct {
	mu sync.Mutex // guards what is written
	*httptest.ResponseRecorder
}

// Write implements http.ResponseWriter.
func (s *streamed) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ResponseRecorder.Write(b)
}

// Flush implements http.Flusher.
func (s *streamed) Flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ResponseRecorder.Flush()
}

func (s *streamed) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Body.String()
}

func TestLiveSendsThePresentStateOnceAndOnlyWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, newFloor())
		ctx, cancel := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, "GET", origin+"/live/real/watch", nil)
		r.AddCookie(&http.Cookie{Name: "detente-xn", Value: "good"})
		w := &streamed{ResponseRecorder: httptest.NewRecorder()}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			d.pages.ServeHTTP(w, r)
		}()
		time.Sleep(time.Second)
		synctest.Wait()
		first := w.text()
		if n := strings.Count(first, "event: region"); n != 4 {
			t.Errorf("%d regions at first:\n%s", n, first)
		}
		id := regexp.MustCompile(`id: (\w+)`).FindStringSubmatch(first)
		time.Sleep(3 * beat)
		synctest.Wait()
		// The clock on the bar goes on by itself; with each minute the bar alone is new.
		rest := w.text()[len(first):]
		if strings.Contains(rest, `"id":"watch.items"`) || !strings.Contains(rest, ": beat") {
			t.Errorf("what did not change was sent again:\n%s", rest)
		}
		cancel()
		<-ended
		if len(id) < 2 || id[1] == "" {
			t.Fatal("events have no id")
		}
	})
}

func TestKeysCanBeMoved(t *testing.T) {
	d := sit(t, newFloor())
	w := d.do("POST", "/preferences", url.Values{"key-accept": {"q"}, "key-next": {"q"}, "back": {"/real/help"}})
	if p := d.read(w); p.Keys["accept"] != "a" || p.Keys["next"] != "j" {
		t.Errorf("two things on one key: %v", p.Keys)
	}
	w = d.do("POST", "/preferences", url.Values{"key-accept": {"q"}, "back": {"/real/help"}})
	if p := d.read(w); p.Keys["accept"] != "q" {
		t.Errorf("keys %v", p.Keys)
	}
	d.prefs = w.Result().Cookies()[0].Value
	if page := d.do("GET", "/real/watch", nil).Body.String(); !strings.Contains(page, `data-key="q"`) {
		t.Error("the page shows the old key")
	}
}

func (d *desk) read(w *httptest.ResponseRecorder) habits.Settings {
	r := httptest.NewRequest("GET", origin, nil)
	for _, c := range w.Result().Cookies() {
		r.AddCookie(c)
	}
	return d.server.preferences(r)
}

func TestComposeLeadsToTheStatementOrToItsRelease(t *testing.T) {
	f := newFloor()
	d := sit(t, f)
	form := url.Values{"channel": {"c0ffee"}, "form": {"notice"}, "precedence": {"Z"}, "f.text": {"a"}, "f.window": {"011000z jan 00"}, "f.window.until": {"011200Z JAN 00"}}
	if w := d.do("POST", "/real/compose", form); w.Code != 303 || !strings.HasPrefix(w.Header().Get("Location"), "/real/statement/f00d") {
		t.Errorf("%d %s", w.Code, w.Header().Get("Location"))
	}
	f.refuse["POST /v1/statements"] = &api.Problem{Status: 409, Code: "release-needed", Fields: []string{"r1"}}
	if w := d.do("POST", "/real/compose", form); w.Code != 303 || !strings.HasPrefix(w.Header().Get("Location"), "/real/releases?id=r1") {
		t.Errorf("%d %s", w.Code, w.Header().Get("Location"))
	}
	f.refuse["POST /v1/statements"] = &api.Problem{Status: 422, Code: "missing-field", Detail: "notice: subject"}
	w := d.do("POST", "/real/compose", form)
	if page := w.Body.String(); w.Code != 200 || !strings.Contains(page, "Something that is needed is not said.") || !strings.Contains(page, "011200Z JAN 00") {
		t.Errorf("what was written is lost: %d %s", w.Code, page)
	}
}

func BenchmarkWatchPage(b *testing.B) {
	f := newFloor()
	for i := range 50 {
		item := f.watch.Items[0]
		item.Key = fmt.Sprint("k", i)
		f.watch.Items = append(f.watch.Items, item)
	}
	s, err := New(Config{API: api.InProcess(f), Party: "xn"})
	if err != nil {
		b.Fatal(err)
	}
	h := s.Handler()
	for b.Loop() {
		r := httptest.NewRequest("GET", "/real/watch", nil)
		r.AddCookie(&http.Cookie{Name: "detente-xn", Value: "good"})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}

func TestEveryBindingIsOnAKeyOfItsOwn(t *testing.T) {
	var keys []string
	for _, b := range habits.Bindings() {
		if slices.Contains(keys, b.Key) {
			t.Errorf("two things on %q", b.Key)
		}
		keys = append(keys, b.Key)
	}
}
