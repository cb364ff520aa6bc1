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
	"testing/synctest"
	"time"

	"detente/form"
	"detente/gateway"
	"detente/gateway/objects"
	"detente/gateway/taxii"
	"detente/key"
	"detente/label"
	"detente/node"
	"detente/party"
	"detente/regimes"
	"detente/route"
	"detente/stix"
	"detente/traffic"
)

// world is some response teams and the line between their nodes, in one bubble.
type world struct {
	t       *testing.T
	teams   map[traffic.Party]*team
	channel [32]byte
	mu      sync.Mutex
}

// team is a party, its node and its gateway.
type team struct {
	world  *world
	id     traffic.Party
	dir    string
	dsn    string
	keys   *party.Keyring
	cfg    gateway.Config // what the next start takes
	node   *node.Node     // nil while it stands still
	tools  http.Handler   // the TAXII server
	secret string
	end    func() // of the node
	rest   func() // of the gateway
	*gateway.Gateway
}

// wires carry bundles from one node to another.
type wires struct{ *world }

func (w wires) Name() string { return "https" }
func (w wires) Limit() int   { return route.MaxBundle }
func (w wires) Carry(ctx context.Context, p route.Peer, sealed []byte) ([]byte, error) {
	w.mu.Lock()
	to := w.teams[p.Party].node
	w.mu.Unlock()
	select {
	case <-time.After(time.Millisecond):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if to == nil {
		return nil, route.ErrCut
	}
	return to.Answer(ctx, sealed)
}

// pass lets time pass, and what it brings about come to rest.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// inWorld plays a story between the parties, who are paired and have the channel cert, on which what is green goes out by itself.
// dsns are the databases of the first ones; the others have a file of their own.
func inWorld(t *testing.T, ids []traffic.Party, story func(t *testing.T, w *world), dsns ...string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, teams: make(map[traffic.Party]*team)}
		for i, id := range ids {
			m := w.found(id)
			if m.dsn = filepath.Join(m.dir, "detente.db"); i < len(dsns) {
				m.dsn = dsns[i]
			}
			m.start()
		}
		defer func() {
			for _, m := range w.teams {
				m.stop()
			}
		}()
		w.pair(ids)
		story(t, w)
	})
}

func (w *world) found(id traffic.Party) *team {
	charter, keys, _, err := party.Found(party.Plan{
		Party: id, Name: map[string]string{"en": string(id)}, Languages: []string{"en"}, Routes: []party.Route{{Name: "https", Address: string(id)}},
	})
	must(w.t, err)
	m := &team{world: w, id: id, dir: filepath.Join(w.t.TempDir(), string(id)), keys: keys, cfg: gateway.Config{Validator: schemas, Rule: gateway.Rule{UpTo: label.TLPGreen}}}
	chain, err := party.NewChain(charter)
	must(w.t, err)
	must(w.t, m.pins().SetOwn(chain))
	w.teams[id] = m
	return m
}

func (m *team) pins() *party.Pins {
	pins, err := party.OpenPins(filepath.Join(m.dir, "keys"), key.Standard())
	must(m.world.t, err)
	return pins
}

func (m *team) start() {
	t := m.world.t
	t.Helper()
	all, err := form.LoadAll(regimes.All()...)
	must(t, err)
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})).With("at", m.id)
	n, err := node.Open(t.Context(), node.Config{
		DSN: m.dsn, Keys: m.keys, Pins: m.pins(), MarksDir: filepath.Join(m.dir, "marks"), Regimes: all,
		Routes: map[string]route.Route{"https": wires{m.world}}, Callable: true, Heartbeat: 10 * time.Minute, Log: log, Schemas: gateway.Schemas(),
	})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { n.Run(ctx) })
	m.world.mu.Lock()
	m.node = n
	m.world.mu.Unlock()
	m.end = func() {
		cancel()
		wg.Wait()
		n.Close()
	}
	m.open()
	if m.secret == "" {
		m.secret, err = m.Tokens().Add(t.Context(), taxii.Token{Name: "tool", Reads: []string{taxii.Every}, Writes: []string{taxii.Every}})
		must(t, err)
	}
}

// open begins a life of the gateway.
func (m *team) open() {
	c := m.cfg
	c.Node, c.Log = m.node, slog.New(slog.NewTextHandler(m.world.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})).With("at", m.id)
	g := gateway.Open(c)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { g.Run(ctx) })
	m.Gateway = g
	m.tools = g.Server(taxii.Config{Title: string(m.id), MaxContent: 64 << 20})
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

func (m *team) stop() {
	synctest.Wait()
	m.world.mu.Lock()
	running := m.node != nil
	m.node = nil
	m.world.mu.Unlock()
	if running {
		m.rest()
		m.end()
	}
}

func (w *world) pair(ids []traffic.Party) {
	for _, a := range ids {
		for _, b := range ids {
			if a == b {
				continue
			}
			file, err := w.teams[b].node.Charters(b)
			must(w.t, err)
			chain, _, err := w.teams[a].node.Import(w.t.Context(), file)
			must(w.t, err)
			words, err := chain.Latest().Fingerprint().Words("en")
			must(w.t, err)
			_, err = w.teams[a].node.Confirm(w.t.Context(), b, strings.Join(words, " "))
			must(w.t, err)
		}
	}
	ch, err := w.teams[ids[0]].node.Propose(w.t.Context(), party.Channel{Name: "cert", Regime: party.RegimeRef{ID: "indicators", Version: 1}}, ids[1:], "council", "head")
	must(w.t, err)
	for _, id := range ids[1:] {
		n := w.teams[id].node
		for {
			changed := n.Changed()
			if n.Accept(w.t.Context(), ch.ID(), "council", "head") == nil {
				break
			}
			<-changed
		}
	}
	for _, id := range ids {
		must(w.t, w.teams[id].node.WaitChannel(w.t.Context(), ch.ID(), time.Hour))
	}
	w.channel = ch.ID()
	pass(time.Second)
}

// collection finds a collection by its title.
func (m *team) collection(title string) objects.Collection {
	m.world.t.Helper()
	all, err := m.Shelf().Collections(m.world.t.Context())
	must(m.world.t, err)
	for _, c := range all {
		if c.Title == title {
			return c
		}
	}
	m.world.t.Fatalf("%s has no collection %q among %+v", m.id, title, all)
	return objects.Collection{}
}

// ask has the tool of a team ask its own node's server.
func (m *team) ask(verb, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(verb, path, strings.NewReader(body)).WithContext(m.world.t.Context())
	r.Header.Set("Accept", taxii.MediaType)
	r.Header.Set("Content-Type", taxii.MediaType)
	r.Header.Set("Authorization", "Bearer "+m.secret)
	w := httptest.NewRecorder()
	m.tools.ServeHTTP(w, r)
	return w
}

// posts has the tool add objects to a collection, and returns the failures by id.
func (m *team) posts(title string, list ...string) map[string]string {
	m.world.t.Helper()
	w := m.ask("POST", taxii.Root+"collections/"+m.collection(title).ID+"/objects/", `{"objects":[`+strings.Join(list, ",")+`]}`)
	var st taxii.Status
	if err := json.Unmarshal(w.Body.Bytes(), &st); err != nil || w.Code != http.StatusAccepted {
		m.world.t.Fatalf("%d %s %v", w.Code, w.Body, err)
	}
	out := map[string]string{}
	for _, f := range st.Failures {
		out[f.ID] = f.Message
	}
	return out
}

// reads has the tool read a whole collection, page by page.
func (m *team) reads(title string) []string {
	m.world.t.Helper()
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
			m.world.t.Fatalf("%d %s %v", w.Code, w.Body, err)
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
