package misp_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"detente/gateway/misp"
	"detente/label"

	"github.com/google/go-cmp/cmp"
)

const (
	readerKey = "RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR"
	pusherKey = "PPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPP"
)

// shelf holds events in memory.
type shelf struct {
	mu     sync.Mutex
	events map[string]*misp.Event
	pushed []misp.Pushed
	broken error
}

func (s *shelf) list(_ context.Context, over label.Path) ([]misp.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []misp.Entry
	for _, e := range s.events {
		if e.Leave(over, false) == nil {
			all = append(all, e.Entry())
		}
	}
	return all, s.broken
}

func (s *shelf) event(_ context.Context, _ label.Path, uuid string) (*misp.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.events[uuid]; e != nil {
		return e, nil
	}
	return nil, misp.ErrNoEvent
}

func (s *shelf) take(_ context.Context, p misp.Pushed) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if have := s.events[string(p.Event.UUID)]; have != nil && !p.Event.Changed().After(have.Changed()) {
		return misp.ErrOld
	}
	s.events[string(p.Event.UUID)] = p.Event
	s.pushed = append(s.pushed, p)
	return nil
}

func serve(t *testing.T, s *shelf) *httptest.Server {
	t.Helper()
	over := label.Path{Audience: label.Community, Plane: label.Real}
	read, err := misp.NewKey("reader", readerKey, over, false)
	must(t, err)
	push, err := misp.NewKey("pusher", pusherKey, over, true)
	must(t, err)
	server := &misp.Server{UUID: "5f1c8a30-6a1e-4f0e-9a55-0d4f7e2f9b11", Keys: []misp.Key{read, push}, List: s.list, Event: s.event, Take: s.take}
	h := httptest.NewServer(server.Handler())
	t.Cleanup(h.Close)
	return h
}

// misps is how a MISP asks.
func misps(t *testing.T, key, method, where, posted string, header ...string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequest(method, where, strings.NewReader(posted))
	must(t, err)
	r.Header.Set("Authorization", key)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	must(t, err)
	return answer.StatusCode, answer.Header, string(b)
}

// A MISP tests the connection, pulls everything, and pulls again when nothing has changed.
func TestPull(t *testing.T) {
	s := &shelf{events: map[string]*misp.Event{infoblox: event(t, infoblox), decoyDog: event(t, decoyDog)}}
	red := event(t, "d83c5966-efe8-45c2-92e4-e9eb1b9fb8fd")
	red.Tags = []misp.Tag{{Name: "tlp:red"}}
	s.events[string(red.UUID)] = red
	at := serve(t, s).URL

	status, _, text := misps(t, readerKey, "GET", at+"/servers/getVersion", "")
	var version struct {
		Version  string
		PermSync bool     `json:"perm_sync"`
		Encoding []string `json:"request_encoding"`
	}
	must(t, json.Unmarshal([]byte(text), &version))
	if status != 200 || version.Version != misp.Version || version.PermSync || version.Encoding[0] != "gzip" {
		t.Errorf("%d %s", status, text)
	}
	_, _, text = misps(t, readerKey, "POST", at+"/servers/postTest", `{"testString":"ä\"x"}`)
	var test struct {
		Body    struct{ TestString string }
		Headers map[string]string
	}
	must(t, json.Unmarshal([]byte(text), &test))
	if test.Body.TestString != `ä"x` || test.Headers["Content-type"] != "application/json" || test.Headers["Accept"] != "application/json" {
		t.Error(text)
	}

	status, header, text := misps(t, readerKey, "POST", at+"/events/index", `{"minimal":1,"published":1}`, "If-None-Match", `""`)
	var index []struct{ UUID, Timestamp string }
	must(t, json.Unmarshal([]byte(text), &index))
	if status != 200 || len(index) != 2 || index[0].UUID != infoblox || index[0].Timestamp != "1722272240" {
		t.Errorf("%d %s", status, text)
	}
	tag := header.Get("ETag")
	if status, _, text := misps(t, readerKey, "POST", at+"/events/index", `{}`, "If-None-Match", tag); status != 304 || text != "" {
		t.Errorf("not modified: %d %s", status, text)
	}
	status, _, text = misps(t, readerKey, "GET", at+"/events/view/"+infoblox+"/deleted[]:0/deleted[]:1/excludeGalaxy:1", "")
	got, err := misp.Read([]byte(text))
	must(t, err)
	if d := cmp.Diff(values(s.events[infoblox]), values(got)); status != 200 || d != "" {
		t.Errorf("%d %s", status, d)
	}
	for what, want := range map[string]int{infoblox: 200, "5f1c8a30-6a1e-4f0e-9a55-0d4f7e2f9b11": 404, string(red.UUID): 404, "..%2fkeys": 404} {
		if status, _, _ := misps(t, readerKey, "HEAD", at+"/events/view/"+what, ""); status != want {
			t.Errorf("HEAD %s: %d", what, status)
		}
	}

	s.events[infoblox].Timestamp = "1722272241"
	if status, header, _ := misps(t, readerKey, "POST", at+"/events/index", `{}`, "If-None-Match", tag); status != 200 || header.Get("ETag") == tag {
		t.Errorf("a changed event: %d", status)
	}
	s.broken = errors.New("the disk of " + t.TempDir())
	if status, _, text := misps(t, readerKey, "POST", at+"/events/index", `{}`); status != 500 || strings.Contains(text, "disk") {
		t.Errorf("a failure: %d %s", status, text)
	}
}

// A MISP asks what is wanted, pushes it packed, and pushes a change.
func TestPush(t *testing.T) {
	s := &shelf{events: map[string]*misp.Event{infoblox: event(t, infoblox)}}
	at := serve(t, s).URL
	offered := `[{"Event":{"uuid":"` + infoblox + `","timestamp":"1722272240"}},{"Event":{"uuid":"` + decoyDog + `","timestamp":1}},{"Event":{"uuid":"x","timestamp":"1"}}]`
	_, _, text := misps(t, pusherKey, "POST", at+"/events/filterEventIdsForPush", offered)
	if strings.TrimSpace(text) != `["`+decoyDog+`"]` {
		t.Errorf("wanted %s", text)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write(raw(t, decoyDog))
	must(t, err)
	must(t, z.Close())
	status, _, text := misps(t, pusherKey, "POST", at+"/events/add/metadata:1", packed.String(), "Content-Encoding", "gzip", "x-pgp-signature", "sig")
	if status != 200 || !strings.Contains(text, decoyDog) {
		t.Fatalf("%d %s", status, text)
	}
	if p := s.pushed[0]; p.From != "pusher" || p.Signature != "sig" || !bytes.Equal(p.Raw, raw(t, decoyDog)) {
		t.Errorf("%+v", p)
	}
	if status, _, _ := misps(t, pusherKey, "POST", at+"/events/edit/"+decoyDog+"/metadata:1", string(raw(t, decoyDog))); status != 403 {
		t.Errorf("the same again: %d", status)
	}
	later := strings.ReplaceAll(string(raw(t, decoyDog)), string(s.events[decoyDog].Timestamp), "1900000000")
	if status, _, text := misps(t, pusherKey, "POST", at+"/events/edit/"+decoyDog+"/metadata:1", later); status != 200 {
		t.Errorf("a change: %d %s", status, text)
	}
}

func TestNotLetIn(t *testing.T) {
	s := &shelf{events: map[string]*misp.Event{}}
	at := serve(t, s).URL
	good := string(raw(t, infoblox))
	var bomb bytes.Buffer
	z, err := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	must(t, err)
	_, err = z.Write(bytes.Repeat([]byte(" "), misp.MaxEvent+1))
	must(t, err)
	must(t, z.Close())
	for name, c := range map[string]struct {
		key, method, path, body string
		header                  []string
		want                    int
	}{
		"no key":               {"", "GET", "/servers/getVersion", "", nil, 403},
		"a false key":          {strings.Replace(readerKey, "R", "S", 1), "GET", "/servers/getVersion", "", nil, 403},
		"a key with more":      {readerKey + "R", "GET", "/servers/getVersion", "", nil, 403},
		"a reader who pushes":  {readerKey, "POST", "/events/add/metadata:1", good, nil, 403},
		"a reader who offers":  {readerKey, "POST", "/events/filterEventIdsForPush", "[]", nil, 403},
		"nonsense":             {pusherKey, "POST", "/events/add/metadata:1", "nonsense", nil, 400},
		"another's name":       {pusherKey, "POST", "/events/edit/" + decoyDog + "/metadata:1", good, nil, 404},
		"an exercise":          {pusherKey, "POST", "/events/add/metadata:1", strings.Replace(good, "tlp:clear", "exercise:generic", 1), nil, 403},
		"brotli":               {pusherKey, "POST", "/events/add/metadata:1", good, []string{"Content-Encoding", "br"}, 415},
		"gzip that is none":    {pusherKey, "POST", "/events/add/metadata:1", good, []string{"Content-Encoding", "gzip"}, 400},
		"a bomb":               {pusherKey, "POST", "/events/add/metadata:1", bomb.String(), []string{"Content-Encoding", "gzip"}, 413},
		"an offer of nonsense": {pusherKey, "POST", "/events/filterEventIdsForPush", strings.Repeat("[", 100), nil, 400},
		"a test of nonsense":   {pusherKey, "POST", "/servers/postTest", "[]", nil, 400},
		"another way":          {pusherKey, "POST", "/users/add", "{}", nil, 404},
		"a file of the feed":   {pusherKey, "GET", "/feed/..%2f..%2fkeys.json", "", nil, 404},
	} {
		if status, _, text := misps(t, c.key, c.method, at+c.path, c.body, c.header...); status != c.want {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if len(s.pushed) > 0 {
		t.Error("something was taken")
	}
	if _, err := misp.NewKey("x", "short", label.Path{}, false); err == nil {
		t.Error("a short key")
	}
}

// A feed is written, served as files, and read by the other side; so is the one that the server makes.
func TestFeed(t *testing.T) {
	public := label.Path{Audience: label.Everybody, Plane: label.Real}
	events := []*misp.Event{event(t, infoblox), event(t, decoyDog)}
	files, err := misp.Files(events, public)
	must(t, err)
	folder := t.TempDir()
	gone := filepath.Join(folder, "d83c5966-efe8-45c2-92e4-e9eb1b9fb8fd.json")
	must(t, os.WriteFile(gone, []byte("{}"), 0o600))
	must(t, os.WriteFile(filepath.Join(folder, "index.html"), nil, 0o600))
	must(t, misp.Write(folder, files))
	must(t, misp.Write(folder, files))
	if _, err := os.Stat(gone); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an event that is gone: %v", err)
	}
	static := httptest.NewServer(http.FileServer(http.Dir(folder)))
	defer static.Close()
	s := &shelf{events: map[string]*misp.Event{infoblox: events[0], decoyDog: events[1]}}
	for name, source := range map[string]*misp.Source{
		"files": {URL: static.URL}, "server": {URL: serve(t, s).URL + "/feed/", Header: http.Header{"Authorization": {"Bearer " + readerKey}}},
	} {
		manifest, err := source.Manifest(t.Context())
		must(t, err)
		if m := manifest[infoblox]; len(manifest) != 2 || m.Info != "olympics_20240729_iocs" || m.Orgc.Name != "Infoblox" || m.Changed != events[0].Changed() {
			t.Errorf("%s: %+v", name, manifest)
		}
		e, _, err := source.Event(t.Context(), infoblox)
		must(t, err)
		if d := cmp.Diff(values(events[0]), values(e)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		known, err := source.Known(t.Context(), []string{"olympics2024.cc", "unknown.example"})
		must(t, err)
		if d := cmp.Diff(map[string][]string{"olympics2024.cc": {infoblox}}, known); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if _, _, err := source.Event(t.Context(), "5f1c8a30-6a1e-4f0e-9a55-0d4f7e2f9b11"); !errors.Is(err, misp.ErrFeed) {
			t.Errorf("%s, no such event: %v", name, err)
		}
	}
	events[1].Tags = []misp.Tag{{Name: "tlp:red"}}
	for _, over := range []label.Path{public, {Audience: label.Organisation, Plane: label.Real}} {
		if _, err := misp.Files(events, over); !errors.Is(err, label.ErrRefused) {
			t.Errorf("RED by feed: %v", err)
		}
	}
}

// A feed that lies: another event than asked for, names that climb, a redirect with our key.
func TestHostileFeed(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/manifest.json", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"../../etc/passwd":{"timestamp":"1"}}`)
	})
	mux.HandleFunc("/"+infoblox+".json", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(raw(t, decoyDog)) })
	mux.HandleFunc("/"+decoyDog+".json", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) })
	mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
	h := httptest.NewServer(mux)
	defer h.Close()
	s := &misp.Source{URL: h.URL}
	if _, err := s.Manifest(t.Context()); !errors.Is(err, misp.ErrFeed) {
		t.Error(err)
	}
	for _, uuid := range []string{infoblox, decoyDog, "../x"} {
		if _, _, err := s.Event(t.Context(), uuid); !errors.Is(err, misp.ErrFeed) {
			t.Errorf("%s: %v", uuid, err)
		}
	}
}
