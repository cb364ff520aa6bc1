package gateway_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"detente/floor/floortest"
	"detente/gateway"
	"detente/gateway/objects"
	"detente/gateway/taxii"
	"detente/label"
	"detente/stix"
	"detente/traffic"
)

// world is some response teams and the line between their nodes, in one bubble.
type world struct {
	*floortest.World
	teams map[traffic.Party]*team
}

// team is a party, its node and its gateway.
type team struct {
	*floortest.Party
	*gateway.Gateway
	cfg    gateway.Config // what the next start takes
	tools  http.Handler   // the TAXII server
	secret string
	rest   func() // ends a life of the gateway
}

// pass lets time pass, and what it brings about come to rest.
func pass(d time.Duration) { floortest.Pass(d) }

func must(t testing.TB, err error) {
	t.Helper()
	floortest.Must(t, err)
}

// inWorld plays a story between the parties, who are paired and have the channel cert, on which what is green goes out by itself.
// dsns are the databases of the first ones; the others have a file of their own.
func inWorld(t *testing.T, ids []traffic.Party, story func(t *testing.T, w *world), dsns ...string) {
	t.Helper()
	teams := make(map[traffic.Party]*team)
	for _, id := range ids {
		teams[id] = &team{cfg: gateway.Config{Validator: schemas, Rule: gateway.Rule{UpTo: label.TLPGreen}}}
	}
	floortest.Play(t, floortest.Setup{
		Parties: ids, Channels: []floortest.Channel{{Name: "cert", Regime: "indicators"}}, Heartbeat: 10 * time.Minute,
		Schemas: gateway.Schemas(), DSNs: dsns, Log: slog.LevelWarn, Bare: true,
		Joins: func(p *floortest.Party) {
			m := teams[p.ID]
			m.Party = p
			m.open()
			if m.secret == "" {
				var err error
				m.secret, err = m.Tokens().Add(p.World.T.Context(), taxii.Token{Name: "tool", Reads: []string{taxii.Every}, Writes: []string{taxii.Every}})
				must(p.World.T, err)
			}
		},
		Leaves: func(p *floortest.Party) { teams[p.ID].rest() },
	}, func(t *testing.T, w *floortest.World) {
		pass(time.Second)
		story(t, &world{w, teams})
	})
}

// open begins a life of the gateway.
func (m *team) open() {
	c := m.cfg
	c.Node, c.Log = m.Party.Node, m.Log
	g := gateway.Open(c)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { g.Run(ctx) })
	m.Gateway = g
	m.tools = g.Server(taxii.Config{Title: string(m.ID), MaxContent: 64 << 20})
	m.rest = func() {
		cancel()
		wg.Wait()
	}
}

// reopen ends a life of the gateway and begins the next.
func (m *team) reopen() {
	m.rest()
	m.open()
}

// collection finds a collection by its title.
func (m *team) collection(title string) objects.Collection {
	m.World.T.Helper()
	all, err := m.Shelf().Collections(m.World.T.Context())
	must(m.World.T, err)
	for _, c := range all {
		if c.Title == title {
			return c
		}
	}
	m.World.T.Fatalf("%s has no collection %q among %+v", m.ID, title, all)
	return objects.Collection{}
}

// ask has the tool of a team ask its own node's server.
func (m *team) ask(verb, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(verb, path, strings.NewReader(body)).WithContext(m.World.T.Context())
	r.Header.Set("Accept", taxii.MediaType)
	r.Header.Set("Content-Type", taxii.MediaType)
	r.Header.Set("Authorization", "Bearer "+m.secret)
	w := httptest.NewRecorder()
	m.tools.ServeHTTP(w, r)
	return w
}

// posts has the tool add objects to a collection, and returns the failures by id.
func (m *team) posts(title string, list ...string) map[string]string {
	m.World.T.Helper()
	w := m.ask("POST", taxii.Root+"collections/"+m.collection(title).ID+"/objects/", `{"objects":[`+strings.Join(list, ",")+`]}`)
	var st taxii.Status
	if err := json.Unmarshal(w.Body.Bytes(), &st); err != nil || w.Code != http.StatusAccepted {
		m.World.T.Fatalf("%d %s %v", w.Code, w.Body, err)
	}
	out := map[string]string{}
	for _, f := range st.Failures {
		out[f.ID] = f.Message
	}
	return out
}

// reads has the tool read a whole collection, page by page.
func (m *team) reads(title string) []string {
	m.World.T.Helper()
	out := []string{}
	query := "?match[version]=all&limit=200"
	for {
		w := m.ask("GET", taxii.Root+"collections/"+m.collection(title).ID+"/objects/"+query, "")
		var page struct {
			Objects []json.RawMessage
			More    bool
			Next    string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != http.StatusOK {
			m.World.T.Fatalf("%d %s %v", w.Code, w.Body, err)
		}
		for _, o := range page.Objects {
			out = append(out, string(o))
		}
		if !page.More {
			return out
		}
		query = "?limit=200&next=" + page.Next
	}
}

// week reads real indicators, one a line.
func week(t *testing.T, most int) []string {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "stix", "testdata", "maltrail", "week.ndjson.gz"))
	must(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	must(t, err)
	var out []string
	for s := bufio.NewScanner(z); s.Scan() && len(out) < most; {
		out = append(out, s.Text())
	}
	return out
}

const (
	clear = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
	green = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
	amber = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
	red   = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
)

// indicator writes one as a tool does. more is further members.
func indicator(n, day int, marking, more string) string {
	if marking != "" {
		more += `,"object_marking_refs":["` + marking + `"]`
	}
	return fmt.Sprintf(`{"type":"indicator", "spec_version":"2.1","id":"%s","created":"2026-11-01T00:00:00.000Z","modified":"2026-11-%02dT00:00:00.000Z",`+
		`"pattern":"[domain-name:value = 'n%d.example']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z"%s}`, indicatorID(n), day, n, more)
}

func indicatorID(n int) string { return fmt.Sprintf("indicator--00000000-0000-4000-8000-%012d", n) }

// schemas are compiled once: that takes longer than a story.
var schemas = sync.OnceValues(stix.NewValidator)

var errDead = errors.New("the process dies here")
