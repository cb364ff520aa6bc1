package host_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"detente/api"
	"detente/officer"
)

// screenActions names for each screen the actions of which one opens it, docs/operate.md#roles.
func screenActions() map[string][]officer.Action {
	return map[string][]officer.Action{
		"watch": {officer.Read}, "traffic": {officer.Read}, "compose": {officer.Send}, "loss": {officer.Send}, "releases": {officer.Read},
		"links": {officer.Read}, "directory": {officer.Read}, "checks": {officer.Read}, "roster": {officer.Read, officer.Roster}, "log": {officer.Log},
		"officers": {officer.Self}, "system": {officer.Inspect, officer.System}, "help": {officer.Self}, "passkey": {officer.Self},
	}
}

// Every role sees on the console what the table permits it, is refused the rest, and begins on a page that it may see.
func TestEveryRoleOpensItsScreensAndNoOther(t *testing.T) {
	c := found(t, "xn", "en")
	console, err := c.host.OpenConsole()
	if err != nil {
		t.Fatal(err)
	}
	pages := console.Handler()
	for _, role := range officer.Roles() {
		session := c.signedIn(pages, role)
		ask := func(path string) *httptest.ResponseRecorder {
			r := httptest.NewRequest("GET", path, nil)
			r.AddCookie(session)
			w := httptest.NewRecorder()
			pages.ServeHTTP(w, r)
			return w
		}
		me, err := c.host.Officers().Officer(t.Context(), role)
		if err != nil {
			t.Fatal(err)
		}
		table := screenActions()
		for _, screen := range slices.Sorted(maps.Keys(table)) {
			may := slices.ContainsFunc(table[screen], func(a officer.Action) bool { return me.May(a, "") })
			w := ask("/real/" + screen)
			if got := w.Code == http.StatusOK; got != may {
				t.Errorf("%s opens %s: %v (%d), the table says %v", role, screen, got, w.Code, may)
			}
			if w.Code >= 500 {
				t.Errorf("%s on %s: %d %s", role, screen, w.Code, w.Body)
			}
		}
		w := ask("/real/watch")
		if !me.May(officer.Read, "") && w.Code == http.StatusSeeOther {
			w = ask(w.Header().Get("Location"))
		}
		if w.Code != http.StatusOK {
			t.Errorf("%s begins on an error: %d", role, w.Code)
		}
		for _, where := range strings.Split(w.Body.String(), `<a href="/real/`)[1:] {
			name, _, _ := strings.Cut(where, `"`)
			if w := ask("/real/" + name); w.Code != http.StatusOK && name != "watch" {
				t.Errorf("%s is led to %s, which is refused: %d", role, name, w.Code)
			}
		}
	}
}

// signedIn enrols an officer of a role and lets him in by a link.
func (c *capital) signedIn(pages http.Handler, role string) *http.Cookie {
	c.t.Helper()
	if _, err := c.node.SetOfficer(c.t.Context(), api.OfficerRequest{ID: role, Name: role, Grants: []api.Grant{{Post: "*", Role: role}}}); err != nil {
		c.t.Fatal(err)
	}
	in, err := c.node.Invite(c.t.Context(), role)
	if err != nil {
		c.t.Fatal(err)
	}
	form := url.Values{"link": {strings.TrimPrefix(in.Link, api.LinkPath)}}
	r := httptest.NewRequest("POST", "/sign-in/link", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	pages.ServeHTTP(w, r)
	if len(w.Result().Cookies()) == 0 {
		c.t.Fatal(w.Code, w.Body)
	}
	return w.Result().Cookies()[0]
}

// Whoever comes without a session, or with an empty one, is a stranger to every address, and never the terminal.
func TestNobodyIsTheTerminalByTheConsole(t *testing.T) {
	c := found(t, "xn", "en")
	console, err := c.host.OpenConsole()
	if err != nil {
		t.Fatal(err)
	}
	pages := console.Handler()
	session := c.signedIn(pages, "administrator")
	for _, cookies := range [][]*http.Cookie{nil, {{Name: session.Name}}, {{Name: session.Name, Value: "terminal"}}} {
		for address, want := range map[string]int{
			"GET /real/officers": http.StatusSeeOther, "POST /real/officers": http.StatusSeeOther, "GET /live/real/watch": http.StatusSeeOther,
			"POST /passkey/begin": http.StatusForbidden, "POST /passkey/finish": http.StatusForbidden,
		} {
			method, path, _ := strings.Cut(address, " ")
			r := httptest.NewRequest(method, path, nil)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			for _, k := range cookies {
				r.AddCookie(k)
			}
			w := httptest.NewRecorder()
			pages.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s with %v: %d, want %d", address, cookies, w.Code, want)
			}
		}
	}
}
