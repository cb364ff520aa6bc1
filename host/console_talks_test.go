//go:build !race

package host_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"detente/api"
	"detente/api/talks"
	"detente/officer"
	"detente/traffic"
)

// browser is an officer before the pages of a node, with script off.
type browser struct {
	t       *testing.T
	pages   http.Handler
	session *http.Cookie
}

// sits enrols an officer of a post and signs him in.
func (c *capital) sits(t *testing.T, pages http.Handler, id, post, role string) *browser {
	t.Helper()
	session := c.signedIn(pages, role)
	if id != role { // the same, at one post only
		if _, err := c.node.SetOfficer(t.Context(), api.OfficerRequest{ID: id, Name: id, Grants: []api.Grant{{Post: post, Role: role}}}); err != nil {
			t.Fatal(err)
		}
		link, err := c.node.Invite(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		form := url.Values{"link": {strings.TrimPrefix(link.Link, api.LinkPath)}}
		r := httptest.NewRequest("POST", "/sign-in/link", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, r)
		session = w.Result().Cookies()[0]
	}
	return &browser{t, pages, session}
}

func (b *browser) ask(r *http.Request) *httptest.ResponseRecorder {
	r.AddCookie(b.session)
	w := httptest.NewRecorder()
	b.pages.ServeHTTP(w, r)
	return w
}

func (b *browser) get(path string) *httptest.ResponseRecorder {
	return b.ask(httptest.NewRequest("GET", path, nil))
}

// do sends a form, and wants the page to lead on to what it says was done.
func (b *browser) do(path, said string, pairs ...string) string {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := b.ask(r)
	to := w.Header().Get("Location")
	if !strings.Contains(to, "said="+said) {
		b.t.Fatalf("%v: %d %s %s", pairs, w.Code, to, w.Body)
	}
	at, _, _ := strings.Cut(to, "?")
	return at
}

// refused sends a form that the node is not to let through.
func (b *browser) refused(path string, pairs ...string) {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if w := b.ask(r); strings.Contains(w.Header().Get("Location"), "said=") || w.Code >= 500 {
		b.t.Errorf("%v: %d %s", pairs, w.Code, w.Header().Get("Location"))
	}
}

// Two nodes hold a round and a session through their consoles. Each officer has the forms that his roles permit, and the node refuses him the rest.
func TestConsultationsOnTheConsoleAreWhatTheNodePermitsEachOfficer(t *testing.T) {
	north, south := found(t, "xn", "en"), found(t, "xs", "ru")
	north.meets(south)
	south.meets(north)
	if _, err := north.node.Propose(t.Context(), api.ProposeRequest{Name: "experts", Members: []traffic.Party{"xs"}, Regime: "dialogue/1", Protected: true}); err != nil {
		t.Fatal(err)
	}
	south.sees("the proposal", func() bool { _, there := south.channel("experts"); return there })
	if _, err := south.node.Accept(t.Context(), "experts", api.Decision{}); err != nil {
		t.Fatal(err)
	}
	north.sees("the channel", func() bool { c, _ := north.channel("experts"); return c.Established })
	pages := make(map[*capital]http.Handler)
	for _, c := range []*capital{north, south} {
		console, err := c.host.OpenConsole()
		if err != nil {
			t.Fatal(err)
		}
		pages[c] = console.Handler()
	}
	head, far := north.sits(t, pages[north], officer.HeadOfPost, "*", officer.HeadOfPost), south.sits(t, pages[south], officer.HeadOfPost, "*", officer.HeadOfPost)
	duty, auditor := north.sits(t, pages[north], officer.DutyOfficer, "*", officer.DutyOfficer), north.sits(t, pages[north], officer.Auditor, "*", officer.Auditor)

	series := head.do("/real/talks/new", "talk-opened", "do", "open", "channel", "experts", "form", "series", "level", "experts", "every", "4380h", "hosts", "xn, xs", "t.en", "Meetings of experts", "post", "mfa")
	duty.do(series, "proposed", "do", "propose", "round", "1", "mode", "virtual", "from", "010900Z FEB 68", "until", "011600Z FEB 68", "post", "mfa")
	south.sees("the time that is proposed", func() bool { return strings.Contains(far.get(series).Body.String(), `value="accept"`) })
	far.do(series, "accepted", "do", "accept", "post", "mfa")
	north.sees("the round that is agreed", func() bool { return strings.Contains(duty.get(series).Body.String(), `class="proposal agreed"`) })
	if w := auditor.get(series); w.Code == http.StatusOK && strings.Contains(w.Body.String(), `action="`+series) {
		t.Error("an auditor has forms")
	}
	auditor.refused(series, "do", "withdraw", "post", "mfa")
	duty.refused(series, "do", "sign", "round", "1", "post", "mfa")
	duty.refused(series, "do", "accept", "about", "ffffffff", "post", "mfa")
	duty.refused("/exercise"+strings.TrimPrefix(series, "/real"), "do", "withdraw", "post", "mfa")
	line, err := talks.Client{Node: north.node}.List(t.Context(), "series", "", "real", "en")
	if err != nil || len(line) != 1 || line[0].Stands != "agreed" {
		t.Fatal(line, err)
	}

	group := head.do("/real/talks/new", "talk-opened", "do", "open", "channel", "experts", "form", "group", "members", "xn/cert, xs/cert", "rapporteur", "xn/cert", "rule", "chatham-house", "t.en", "Experts on control", "post", "cert")
	head.do(group, "session-opened", "do", "session", "name", "first", "from", "010000Z JAN 26", "until", "010000Z JAN 68", "keep", "24h", "post", "cert")
	head.do(group, "session-said", "do", "say", "words", "We patch once a year.")
	if page := head.get(group).Body.String(); !strings.Contains(page, "We patch once a year.") {
		t.Error("a member does not read what he said")
	}
	outside := north.sits(t, pages[north], "olga", "mfa", officer.HeadOfPost)
	if page := outside.get(group).Body.String(); strings.Contains(page, "We patch once a year.") || !strings.Contains(page, "shown to the members of the session only") {
		t.Error("an officer of a post that is no member reads what was said, or is not told why he does not")
	}
	outside.refused(group, "do", "say", "words", "I was there.")
	for _, what := range []string{"session", "outside"} {
		if w := outside.get(group + "/file?what=" + what); w.Code < 400 {
			t.Errorf("an officer of a post that is no member saves the %s file: %d", what, w.Code)
		}
	}
	if w := auditor.get(group); strings.Contains(w.Body.String(), "We patch once a year.") {
		t.Error("an auditor reads what was said")
	}
}
