package taxii_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/gateway/objects"
	"detente/gateway/taxii"
	"detente/store"
	"detente/store/storetest"

	"github.com/google/go-cmp/cmp"
)

// desk is a server with two collections, "indicators", which tools may write, and "from-nordland", which only the other side fills.
type desk struct {
	t      *testing.T
	shelf  *objects.Shelf
	own    objects.Collection
	in     objects.Collection
	server *taxii.Server
	http   *httptest.Server
	tokens map[string]string // secrets by name
}

func openDesk(t *testing.T, db *store.DB, limit int64) *desk {
	t.Helper()
	d := &desk{t: t, shelf: objects.Open(db, nil), tokens: map[string]string{}}
	var err error
	if d.own, err = d.shelf.Create(t.Context(), objects.Collection{Title: "indicators", Alias: "own", Flow: objects.Local}); err != nil {
		t.Fatal(err)
	}
	if d.in, err = d.shelf.Create(t.Context(), objects.Collection{Title: "cert from nordland", Flow: objects.In, Channel: [32]byte{1}, Party: "nordland"}); err != nil {
		t.Fatal(err)
	}
	d.server = taxii.New(taxii.Config{
		Shelf: d.shelf, DB: db, Title: "Sudland", MaxContent: limit,
		Accept: func(ctx context.Context, _ taxii.Token, c objects.Collection, envelope []byte) ([]taxii.Result, error) {
			return accept(ctx, d.shelf, c, envelope)
		},
		Delete: func(ctx context.Context, _ taxii.Token, c objects.Collection, id string, which objects.Versions) error {
			_, err := d.shelf.Delete(ctx, c.Number, id, which, nil)
			return err
		},
	})
	d.http = httptest.NewServer(d.server)
	t.Cleanup(d.http.Close)
	for name, scope := range map[string][2][]string{
		"both": {{taxii.Every}, {taxii.Every}}, "reader": {{d.own.ID, d.in.ID}, nil}, "writer": {nil, {d.own.ID}}, "stranger": {nil, nil},
	} {
		if d.tokens[name], err = d.server.Tokens().Add(t.Context(), taxii.Token{Name: name, Reads: scope[0], Writes: scope[1]}); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// accept keeps objects that have an id, a type and a version, and refuses others: what is STIX, package gateway decides.
func accept(ctx context.Context, shelf *objects.Shelf, c objects.Collection, envelope []byte) ([]taxii.Result, error) {
	var e struct{ Objects []json.RawMessage }
	if json.Unmarshal(envelope, &e) != nil {
		return nil, taxii.ErrEnvelope
	}
	var results []taxii.Result
	for _, raw := range e.Objects {
		var o struct {
			ID, Type string
			Spec     string `json:"spec_version"`
			Modified time.Time
		}
		err := json.Unmarshal(raw, &o)
		if err == nil {
			var out []objects.Outcome
			if out, err = shelf.Add(ctx, c.Number, []objects.Object{{ID: o.ID, Type: o.Type, Spec: o.Spec, Version: o.Modified, Bytes: raw}}, objects.Source{}); err != nil {
				return nil, err
			}
			err = out[0].Err
		}
		r := taxii.Result{ID: o.ID, Version: o.Modified}
		if err != nil {
			r.Failed, r.Message = true, err.Error()
		}
		results = append(results, r)
	}
	return results, nil
}

// answer is what came back.
type answer struct {
	*http.Response
	body []byte
}

func (a *answer) json(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(a.body, &m); err != nil {
		t.Fatalf("%s: %v: %.200s", a.Request.URL, err, a.body)
	}
	return m
}

// ask sends a request; headers are "Name: value" and stand in place of the usual ones.
func (d *desk) ask(who, verb, path, body string, headers ...string) *answer {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), verb, d.http.URL+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Accept", taxii.MediaType)
	if verb == http.MethodPost {
		r.Header.Set("Content-Type", taxii.MediaType)
	}
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+d.tokens[who])
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
		if value == "" {
			r.Header.Del(name)
		}
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return &answer{resp, b}
}

func objectID(n int) string { return fmt.Sprintf("indicator--00000000-0000-4000-8000-%012d", n) }

// version is an indicator as a tool writes it, spaces and all.
func version(n, day int) string {
	return fmt.Sprintf(`{ "type":"indicator", "spec_version":"2.1","id":"%s","modified":"2026-11-%02dT12:00:00.000Z" }`, objectID(n), day)
}

func envelope(list ...string) string { return `{"objects":[` + strings.Join(list, ",") + `]}` }

func (d *desk) path(rest string) string { return taxii.Root + "collections/" + d.own.ID + "/" + rest }

func TestTheSpecificationSectionBySection(t *testing.T) {
	d := openDesk(t, storetest.Open(t, objects.Schema(), taxii.Schema()), 4096)
	posted := d.ask("both", "POST", d.path("objects/"), envelope(version(1, 1), version(1, 2), version(2, 1), version(3, 1)))
	if posted.StatusCode != http.StatusAccepted {
		t.Fatalf("%s: %s", posted.Status, posted.body)
	}
	status := posted.json(t)
	stamp := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$`)
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[48][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	collections, one := taxii.Root+"collections/", d.path("")
	has := func(names ...string) func(*testing.T, *answer) {
		return func(t *testing.T, a *answer) {
			m := a.json(t)
			for _, n := range names {
				if m[n] == nil {
					t.Errorf("without %s: %s", n, a.body)
				}
			}
		}
	}
	dates := func(t *testing.T, a *answer) {
		first, last := a.Header.Get("X-TAXII-Date-Added-First"), a.Header.Get("X-TAXII-Date-Added-Last")
		if !stamp.MatchString(first) || !stamp.MatchString(last) || first > last {
			t.Errorf("added first %q, last %q", first, last)
		}
	}
	count := func(list string, n int) func(*testing.T, *answer) {
		return func(t *testing.T, a *answer) {
			if got, _ := a.json(t)[list].([]any); len(got) != n {
				t.Errorf("%d %s, want %d: %s", len(got), list, n, a.body)
			}
		}
	}
	const get, post, del = "GET", "POST", "DELETE"
	for _, test := range []struct {
		section, what   string
		who, verb, path string
		body            string
		headers         []string
		status          int
		check           func(*testing.T, *answer)
	}{
		{"1.6.8", "another media type is not acceptable", "both", get, collections, "", []string{"Accept: text/html"}, 406, nil},
		{"1.6.8", "TAXII 2.0 is not acceptable", "both", get, collections, "", []string{"Accept: application/vnd.oasis.taxii+json; version=2.0"}, 406, nil},
		{"1.6.8", "another version is not acceptable", "both", get, collections, "", []string{"Accept: application/taxii+json;version=2.2"}, 406, nil},
		{"1.6.8", "what has no weight is not acceptable", "both", get, collections, "", []string{"Accept: application/taxii+json;q=0"}, 406, nil},
		{"1.6.8", "without a version it is", "both", get, collections, "", []string{"Accept: application/taxii+json"}, 200, nil},
		{"1.6.8", "spaces and other ranges do not matter", "both", get, collections, "", []string{"Accept: text/html, application/taxii+json; version=2.1"}, 200, nil},
		{"1.6.8", "everything is acceptable", "both", get, collections, "", []string{"Accept: */*"}, 200, nil},
		{"1.6.8", "a body of another media type is not supported", "both", post, d.path("objects/"), envelope(), []string{"Content-Type: application/json"}, 415, nil},
		{"1.6.8", "a body of another version is not supported", "both", post, d.path("objects/"), envelope(), []string{"Content-Type: application/taxii+json;version=2.0"}, 415, nil},
		{"1.6.8", "a compressed body is not supported", "both", post, d.path("objects/"), envelope(), []string{"Content-Encoding: gzip"}, 415, nil},
		{"1.6.9", "who shows no token is unauthorized, and told how", "", get, "/taxii2/", "", nil, 401, func(t *testing.T, a *answer) {
			if !strings.Contains(strings.Join(a.Header.Values("WWW-Authenticate"), ","), "Basic") {
				t.Errorf("WWW-Authenticate: %q", a.Header.Values("WWW-Authenticate"))
			}
		}},
		{"1.6.9", "a false token is unauthorized", "", get, "/taxii2/", "", []string{"Authorization: Bearer x"}, 401, nil},
		{"1.6.9", "who sees nothing finds nothing", "stranger", get, one, "", nil, 404, nil},
		{"1.6.9", "Basic is implemented", "", get, collections, "", []string{"Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("misp:"+d.tokens["both"]))}, 200, nil},
		{"1.6.9", "in whatever case the scheme is", "", get, collections, "", []string{"Authorization: basic " + base64.StdEncoding.EncodeToString([]byte("misp:"+d.tokens["both"]))}, 200, nil},
		{"3.1", "a path ends with a slash", "both", get, d.path("objects/"), "", nil, 200, nil},
		{"3.1", "or without one", "both", get, strings.TrimSuffix(d.path("objects/"), "/"), "", nil, 200, nil},
		{"3.1", "what is no resource is not found", "both", get, taxii.Root + "channels/", "", nil, 404, nil},
		{"3.1", "another API root is not found", "both", get, "/taxii2/other/collections/", "", nil, 404, nil},
		{"3.2", "the answer says its media type", "both", get, collections, "", nil, 200, nil}, // as each does, below
		{"3.2", "objects tell their first and last stamp", "both", get, d.path("objects/"), "", nil, 200, dates},
		{"3.2", "so does an object", "both", get, d.path("objects/" + objectID(1) + "/"), "", nil, 200, dates},
		{"3.2", "so does a manifest", "both", get, d.path("manifest/"), "", nil, 200, dates},
		{"3.2", "so do versions", "both", get, d.path("objects/" + objectID(1) + "/versions/"), "", nil, 200, dates},
		{"3.3", "objects are in the order of their stamps", "both", get, d.path("manifest/?match[version]=all"), "", nil, 200, func(t *testing.T, a *answer) {
			var m struct{ Objects []taxii.Record }
			if err := json.Unmarshal(a.body, &m); err != nil || !slices.IsSortedFunc(m.Objects, func(a, b taxii.Record) int { return strings.Compare(a.DateAdded, b.DateAdded) }) {
				t.Errorf("%s %v", a.body, err)
			}
		}},
		{"3.4", "added_after is exclusive", "both", get, d.path("objects/?added_after=2999-01-01T00:00:00Z"), "", nil, 200, count("objects", 0)},
		{"3.4", "added_after that is no timestamp", "both", get, d.path("objects/?added_after=yesterday"), "", nil, 400, nil},
		{"3.4.1", "by id", "both", get, d.path("objects/?match[id]=" + objectID(1) + "," + objectID(3)), "", nil, 200, count("objects", 2)},
		{"3.4.1", "by type", "both", get, d.path("objects/?match[type]=malware,indicator"), "", nil, 200, count("objects", 3)},
		{"3.4.1", "by another type", "both", get, d.path("objects/?match[type]=malware"), "", nil, 200, count("objects", 0)},
		{"3.4.1", "by specification", "both", get, d.path("objects/?match[spec_version]=2.1"), "", nil, 200, count("objects", 3)},
		{"3.4.1", "by another specification", "both", get, d.path("objects/?match[spec_version]=2.0"), "", nil, 200, count("objects", 0)},
		{"3.4.1", "without a version it is the last", "both", get, d.path("objects/"), "", nil, 200, count("objects", 3)},
		{"3.4.1", "all versions", "both", get, d.path("objects/?match[version]=all"), "", nil, 200, count("objects", 4)},
		{"3.4.1", "first and last", "both", get, d.path("objects/?match[version]=first,last"), "", nil, 200, count("objects", 4)},
		{"3.4.1", "a moment", "both", get, d.path("objects/?match[version]=2026-11-02T12:00:00.000Z"), "", nil, 200, count("objects", 1)},
		{"3.4.1", "no moment", "both", get, d.path("objects/?match[version]=newest"), "", nil, 400, nil},
		{"3.4.1", "fields are met together", "both", get, d.path("objects/?match[id]=" + objectID(1) + "&match[version]=all&match[type]=indicator"), "", nil, 200, count("objects", 2)},
		{"3.4.1", "a field that this resource does not have", "both", get, d.path("objects/?match[name]=x"), "", nil, 400, nil},
		{"3.5", "a page is not larger than asked for, and says that there is more", "both", get, d.path("objects/?limit=2"), "", nil, 200, func(t *testing.T, a *answer) {
			count("objects", 2)(t, a)
			if m := a.json(t); m["more"] != true || m["next"] == "" || m["next"] == nil {
				t.Errorf("%s", a.body)
			}
		}},
		{"3.5", "the last page says that there is no more", "both", get, d.path("objects/?limit=3"), "", nil, 200, func(t *testing.T, a *answer) {
			if m := a.json(t); m["more"] != false || m["next"] != nil {
				t.Errorf("%s", a.body)
			}
		}},
		{"3.5", "a limit is positive", "both", get, d.path("objects/?limit=0"), "", nil, 400, nil},
		{"3.5", "a limit is a number", "both", get, d.path("objects/?limit=many"), "", nil, 400, nil},
		{"3.5", "a limit may be more than the server's", "both", get, d.path("objects/?limit=99999999999999999999"), "", nil, 200, count("objects", 3)},
		{"3.5", "a next that was not given", "both", get, d.path("objects/?next=x"), "", nil, 400, nil},
		{"3.5", "a next of nothing is none", "both", get, d.path("objects/?limit=50&next="), "", nil, 200, count("objects", 3)},
		{"3.6.1", "an error is an error message", "both", get, collections + "none/", "", nil, 404, has("title", "http_status")},
		{"4.1", "discovery", "reader", get, "/taxii2/", "", nil, 200, has("title", "api_roots", "default")},
		{"4.2", "the API root", "reader", get, taxii.Root, "", nil, 200, func(t *testing.T, a *answer) {
			has("title")(t, a)
			if m := a.json(t); m["max_content_length"] != 4096.0 || !cmp.Equal(m["versions"], []any{taxii.MediaType}) {
				t.Errorf("%s", a.body)
			}
		}},
		{"4.3", "a status that is not", "both", get, taxii.Root + "status/none/", "", nil, 404, nil},
		{"4.3", "the status is what the request was answered with", "both", get, taxii.Root + "status/" + fmt.Sprint(status["id"]) + "/", "", nil, 200, func(t *testing.T, a *answer) {
			if diff := cmp.Diff(status, a.json(t)); diff != "" {
				t.Error(diff)
			}
		}},
		{"4.3", "another's status is not shown", "writer", get, taxii.Root + "status/" + fmt.Sprint(status["id"]) + "/", "", nil, 404, nil},
		{"5.1", "the collections that the caller sees", "reader", get, collections, "", nil, 200, count("collections", 2)},
		{"5.1", "and no others", "writer", get, collections, "", nil, 200, count("collections", 1)},
		{"5.1", "nothing is an empty resource", "stranger", get, collections, "", nil, 200, func(t *testing.T, a *answer) {
			if string(a.body) != "{}" {
				t.Errorf("%s", a.body)
			}
		}},
		{"5.2", "a collection", "reader", get, one, "", nil, 200, func(t *testing.T, a *answer) {
			if m := a.json(t); !uuid.MatchString(fmt.Sprint(m["id"])) || m["title"] != "indicators" || m["can_read"] != true || m["can_write"] != false || m["alias"] != "own" {
				t.Errorf("%s", a.body)
			}
		}},
		{"5.2", "by its alias", "reader", get, collections + "own/", "", nil, 200, has("id")},
		{"5.2", "what another party fills nobody writes", "both", get, collections + d.in.ID + "/", "", nil, 200, func(t *testing.T, a *answer) {
			if m := a.json(t); m["can_read"] != true || m["can_write"] != false {
				t.Errorf("%s", a.body)
			}
		}},
		{"5.3", "a manifest", "reader", get, d.path("manifest/"), "", nil, 200, func(t *testing.T, a *answer) {
			var m struct{ Objects []taxii.Record }
			if err := json.Unmarshal(a.body, &m); err != nil || len(m.Objects) != 3 {
				t.Fatalf("%s %v", a.body, err)
			}
			if r := m.Objects[0]; r.ID != objectID(1) || r.Version != "2026-11-02T12:00:00.000Z" || !stamp.MatchString(r.DateAdded) || r.MediaType != taxii.StixMediaType {
				t.Errorf("%+v", r)
			}
		}},
		{"5.3", "who may not read", "writer", get, d.path("manifest/"), "", nil, 403, nil},
		{"5.3", "next on a manifest", "reader", get, d.path("manifest/?limit=1"), "", nil, 200, has("next")},
		{"5.4", "objects are the bytes received", "reader", get, d.path("objects/"), "", nil, 200, func(t *testing.T, a *answer) {
			if want := `{"objects":[` + version(1, 2) + "," + version(2, 1) + "," + version(3, 1) + `],"more":false}`; string(a.body) != want {
				t.Errorf("%s", a.body)
			}
		}},
		{"5.4", "who may not read", "writer", get, d.path("objects/"), "", nil, 403, nil},
		{"5.4", "nothing is an empty envelope", "reader", get, collections + d.in.ID + "/objects/", "", nil, 200, func(t *testing.T, a *answer) {
			if string(a.body) != "{}" || a.Header.Get("X-TAXII-Date-Added-First") != "" {
				t.Errorf("%s %v", a.body, a.Header)
			}
		}},
		{"5.4", "a collection that is not", "reader", get, collections + "00000000-0000-4000-8000-000000000000/objects/", "", nil, 404, nil},
		{"5.5", "who may not write", "reader", post, d.path("objects/"), envelope(version(4, 1)), nil, 403, nil},
		{"5.5", "what another party fills", "both", post, collections + d.in.ID + "/objects/", envelope(version(4, 1)), nil, 403, nil},
		{"5.5", "more than max_content_length", "both", post, d.path("objects/"), envelope(strings.Repeat(" ", 5000)), nil, 413, nil},
		{"5.5", "what is no envelope", "both", post, d.path("objects/"), "objects", nil, 422, nil},
		{"5.5", "each object stands for itself", "writer", post, d.path("objects/"), envelope(version(5, 1), `{"type":"x"}`), nil, 202, func(t *testing.T, a *answer) {
			m := a.json(t)
			if m["status"] != "complete" || m["total_count"] != 2.0 || m["success_count"] != 1.0 || m["failure_count"] != 1.0 || m["pending_count"] != 0.0 || !uuid.MatchString(fmt.Sprint(m["id"])) || !stamp.MatchString(fmt.Sprint(m["request_timestamp"])) {
				t.Errorf("%s", a.body)
			}
			count("successes", 1)(t, a)
			count("failures", 1)(t, a)
		}},
		{"5.5", "the same again is no failure", "writer", post, d.path("objects/"), envelope(version(5, 1)), nil, 202, count("successes", 1)},
		{"5.6", "an object", "reader", get, d.path("objects/" + objectID(1) + "/"), "", nil, 200, count("objects", 1)},
		{"5.6", "all its versions", "reader", get, d.path("objects/" + objectID(1) + "/?match[version]=all"), "", nil, 200, count("objects", 2)},
		{"5.6", "an object that is not", "reader", get, d.path("objects/" + objectID(99) + "/"), "", nil, 404, nil},
		{"5.6", "an object that cannot be", "reader", get, d.path("objects/%00/"), "", nil, 404, nil},
		{"5.6", "a field that is for lists of objects", "reader", get, d.path("objects/" + objectID(1) + "/?match[type]=x"), "", nil, 400, nil},
		{"5.7", "who may not write", "reader", del, d.path("objects/" + objectID(1) + "/"), "", nil, 403, nil},
		{"5.7", "who may not read", "writer", del, d.path("objects/" + objectID(1) + "/"), "", nil, 403, nil},
		{"5.7", "an object that is not", "both", del, d.path("objects/" + objectID(99) + "/"), "", nil, 404, nil},
		{"5.7", "one version", "both", del, d.path("objects/" + objectID(1) + "/?match[version]=first"), "", nil, 200, nil},
		{"5.8", "versions", "reader", get, d.path("objects/" + objectID(1) + "/versions/"), "", nil, 200, func(t *testing.T, a *answer) {
			if m := a.json(t); !cmp.Equal(m["versions"], []any{"2026-11-02T12:00:00.000Z"}) {
				t.Errorf("%s", a.body)
			}
		}},
		{"5.8", "of an object that is not", "reader", get, d.path("objects/" + objectID(99) + "/versions/"), "", nil, 404, nil},
		{"5.7", "without a version it is all", "both", del, d.path("objects/" + objectID(1) + "/"), "", nil, 200, nil},
		{"5.6", "what was deleted is not there", "reader", get, d.path("objects/" + objectID(1) + "/"), "", nil, 404, nil},
		{"8.2", "a method that a resource does not have", "both", "PUT", d.path("objects/"), "", nil, 405, func(t *testing.T, a *answer) {
			if a.Header.Get("Allow") != "GET, POST" {
				t.Errorf("Allow: %q", a.Header.Get("Allow"))
			}
		}},
		{"8.2", "HEAD is GET without a body", "both", "HEAD", d.path("objects/"), "", nil, 200, dates},
	} {
		t.Run(test.section+" "+test.what, func(t *testing.T) {
			a := d.ask(test.who, test.verb, test.path, test.body, test.headers...)
			if a.StatusCode != test.status {
				t.Fatalf("%s %s: %s: %s", test.verb, test.path, a.Status, a.body)
			}
			if got := a.Header.Get("Content-Type"); got != taxii.MediaType {
				t.Errorf("content type %q", got)
			}
			if a.StatusCode >= 400 && test.verb != "HEAD" {
				if m := a.json(t); m["title"] == "" || m["http_status"] != fmt.Sprint(test.status) {
					t.Errorf("error message: %s", a.body)
				}
			}
			if test.check != nil {
				test.check(t, a)
			}
		})
	}
}

// A next carries its filter, so a client that says only next, or next beside an added_after that it has moved, goes on where it was.
func TestNextStandsForTheWholeRequest(t *testing.T) {
	d := openDesk(t, storetest.Open(t, objects.Schema(), taxii.Schema()), 0)
	var list []string
	for n := range 7 {
		list = append(list, version(n, 1), version(n, 2))
	}
	d.ask("both", "POST", d.path("objects/"), envelope(list...))
	for _, resource := range []string{"objects/", "manifest/"} {
		for name, also := range map[string]string{"next alone": "", "with a changed added_after": "&added_after=2999-01-01T00:00:00Z", "with a changed filter": "&match[type]=malware"} {
			seen, query := 0, "?limit=3&match[version]=first&match[type]=indicator"
			for pages := 1; ; pages++ {
				a := d.ask("reader", "GET", d.path(resource+query), "")
				m := a.json(t)
				got, _ := m["objects"].([]any)
				seen += len(got)
				if m["more"] != true {
					break
				}
				if pages > 10 {
					t.Fatalf("%s, %s: no end", resource, name)
				}
				query = "?limit=3&next=" + url.QueryEscape(fmt.Sprint(m["next"])) + also
			}
			if seen != 7 {
				t.Errorf("%s, %s: %d of 7", resource, name, seen)
			}
		}
	}
	a := d.ask("reader", "GET", d.path("objects/"+objectID(1)+"/versions/?limit=1"), "")
	b := d.ask("reader", "GET", d.path("objects/"+objectID(1)+"/versions/?next="+fmt.Sprint(a.json(t)["next"])), "")
	if !strings.Contains(string(b.body), "2026-11-02") || strings.Contains(string(b.body), "2026-11-01") {
		t.Errorf("versions, page by page: %s then %s", a.body, b.body)
	}
}

func TestATokenThatIsRevokedIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(...store.Schema) *store.DB) {
		ts := taxii.OpenTokens(open(taxii.Schema()))
		secret, err := ts.Add(t.Context(), taxii.Token{Name: "misp", Reads: []string{"a", "b"}})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time from memory
			if got, err := ts.Check(t.Context(), secret); err != nil || got.Name != "misp" || !slices.Equal(got.Reads, []string{"a", "b"}) || len(got.Writes) > 0 {
				t.Fatalf("%+v, %v", got, err)
			}
		}
		if _, err := ts.Add(t.Context(), taxii.Token{Name: "misp"}); err != taxii.ErrThere {
			t.Errorf("again: %v", err)
		}
		if _, err := ts.Add(t.Context(), taxii.Token{Name: "a b"}); err != taxii.ErrTokenName {
			t.Errorf("a name with a space: %v", err)
		}
		if list, err := ts.List(t.Context()); err != nil || len(list) != 1 {
			t.Errorf("%+v, %v", list, err)
		}
		if err := ts.Revoke(t.Context(), "misp"); err != nil {
			t.Fatal(err)
		}
		if err := ts.Revoke(t.Context(), "misp"); !strings.Contains(fmt.Sprint(err), "no such token") {
			t.Errorf("revoked twice: %v", err)
		}
		if _, err := ts.Check(t.Context(), secret); err != taxii.ErrNoToken {
			t.Errorf("after it was revoked: %v", err)
		}
	})
}

func FuzzQuery(f *testing.F) {
	f.Add("limit=5&added_after=2026-11-25T00:00:00Z&match[id]=a,b&match[version]=all")
	f.Add("next=AQAGQAAAAAAAAG1hdGNo")
	f.Add("match[version]=2026-11-25T00:00:00.1234567Z&match[type]=,,x&next=")
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := taxii.ParseQuery(raw, "id,spec_version,type,version", 10)
		if err != nil {
			return
		}
		if q.Filter.Limit < 1 || q.Filter.Limit > objects.MaxPage || len(q.Filter.IDs) > objects.MaxIDs {
			t.Fatalf("%+v", q.Filter)
		}
		// What goes on with its next means the same, from there on.
		position := time.UnixMicro(1_764_000_000_000_001).UTC()
		again, err := taxii.ParseQuery("next="+q.Next(position), "id,spec_version,type,version", q.Filter.Limit)
		if err != nil {
			t.Fatalf("next of %q: %v", raw, err)
		}
		want := q.Filter
		want.After = position
		if diff := cmp.Diff(want, again.Filter); diff != "" {
			t.Fatal(diff)
		}
	})
}
