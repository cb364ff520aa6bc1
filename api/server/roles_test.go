package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/api"
	"detente/officer"

	"github.com/google/go-cmp/cmp"
)

// table is what docs/operate.md#roles says.
type table struct {
	roles    []string
	may      map[string][]string // role: actions
	requests map[string][]string // request: actions, any of which permits it
}

// documented reads the two tables of docs/operate.md: what an officer reads there is what is true.
func documented(t *testing.T) table {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "operate.md"))
	must(t, err)
	_, section, found := strings.Cut(string(b), "<a id=\"roles\"></a>\n## Officers and roles\n")
	if !found {
		t.Fatal("docs/operate.md has no section with the anchor roles")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	out := table{may: map[string][]string{}, requests: map[string][]string{}}
	word := regexp.MustCompile("`([^`]+)`")
	kind := ""
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case !strings.HasPrefix(line, "|"):
			kind = ""
		case cells[0] == "action" && strings.Contains(line, officer.DutyOfficer):
			kind, out.roles = "roles", cells[2:]
		case cells[0] == "action":
			kind = "requests"
		case strings.HasPrefix(cells[0], "`") && kind == "roles":
			for i, mark := range cells[2:] {
				if mark == "•" {
					out.may[out.roles[i]] = append(out.may[out.roles[i]], strings.Trim(cells[0], "`"))
				}
			}
		case strings.HasPrefix(cells[0], "`") && kind == "requests":
			for _, m := range word.FindAllStringSubmatch(cells[1], -1) {
				out.requests[m[1]] = append(out.requests[m[1]], strings.Trim(cells[0], "`"))
			}
		}
	}
	for _, list := range out.may {
		slices.Sort(list)
	}
	for _, list := range out.requests {
		slices.Sort(list)
	}
	return out
}

// What the document says of roles and of requests is what the program has.
func TestTheTableOfRolesIsTheProgram(t *testing.T) {
	doc, d := documented(t), open(t, "xn")
	may, requests := map[string][]string{}, map[string][]string{}
	for _, role := range officer.Roles() {
		for _, a := range officer.Actions() {
			if officer.May([]officer.Grant{{Post: "*", Role: role}}, a, "") {
				may[role] = append(may[role], string(a))
			}
		}
		slices.Sort(may[role])
	}
	for id, actions := range d.server.Rights() {
		for _, a := range actions {
			requests[id] = append(requests[id], string(a))
		}
		slices.Sort(requests[id])
	}
	if diff := cmp.Diff(may, doc.may); diff != "" {
		t.Errorf("officer/roles.go, and docs/operate.md#roles:\n%s", diff)
	}
	if diff := cmp.Diff(requests, doc.requests); diff != "" {
		t.Errorf("the operations of package api/server, and docs/operate.md#roles:\n%s", diff)
	}
}

// Every request is made in every role, and refused or not as the document says.
func TestEveryRoleMayDoWhatTheTableSays(t *testing.T) {
	doc, d := documented(t), open(t, "xn")
	roll := d.server.Officers()
	set := func(o officer.Officer) {
		_, err := roll.Set(t.Context(), o, "terminal")
		must(t, err)
	}
	set(officer.Officer{ID: "boss", Name: "Boss", Grants: []officer.Grant{{Post: "*", Role: officer.Administrator}}}) // so that nobody is the last one
	asked := 0
	d.server.Operations(func(id, method, path string) {
		for _, role := range officer.Roles() {
			set(officer.Officer{ID: "who", Name: "Who", Grants: []officer.Grant{{Post: "*", Role: role}}})
			token, err := roll.NewToken(t.Context(), "who", "terminal")
			must(t, err)
			want := slices.ContainsFunc(doc.requests[id], func(a string) bool { return slices.Contains(doc.may[role], a) })
			// What is the officer's own is asked of his own.
			got := d.permitted(method, strings.ReplaceAll(path, "{id}", "who"), token)
			if got != want {
				t.Errorf("%s as %s: permitted %v, the table says %v", id, role, got, want)
			}
			asked++
		}
		if got := d.permitted(method, path, "ds_made-up"); got {
			t.Errorf("%s is permitted to a session that is none", id)
		}
	})
	if asked < 300 {
		t.Errorf("%d requests only", asked)
	}
}

// permitted tells whether a request gets past the question who may; what else is wrong with it does not matter.
func (d *desk) permitted(method, path, token string) bool {
	d.t.Helper()
	path = regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(path, "abcd")
	ctx, cancel := context.WithTimeout(d.t.Context(), 200*time.Millisecond) // some requests are answered for as long as somebody listens
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	d.server.Handler().ServeHTTP(w, r)
	var p api.Problem
	json.Unmarshal(w.Body.Bytes(), &p) // what is no problem leaves it empty
	if w.Code >= 400 && w.Header().Get("Content-Type") != "application/problem+json" {
		d.t.Errorf("%s %s is refused with a %s", method, path, w.Header().Get("Content-Type"))
	}
	return !(w.Code == http.StatusForbidden && p.Code == "role" || w.Code == http.StatusUnauthorized)
}
