package matching_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"detente/feed"
	"detente/floor"
	"detente/form"
	"detente/gateway"
	"detente/gateway/matching"
	"detente/key"
	"detente/label"
	"detente/node"
	"detente/party"
	"detente/regimes"
	"detente/route"
	"detente/stix"
	"detente/store"
	"detente/traffic"
	"detente/watch"

	"github.com/google/go-cmp/cmp"
)

// world is two parties and the line between them, in one bubble.
type world struct {
	t        *testing.T
	capitals map[traffic.Party]*capital
	channel  [32]byte

	mu   sync.Mutex
	sent map[traffic.Party]int // bundles that left a node
}

type capital struct {
	world *world
	id    traffic.Party
	dir   string
	keys  *party.Keyring
	node  *node.Node
	floor *floor.Floor
	*gateway.Gateway
	matching *matching.Matching
	end      func()
}

// wires carry bundles from one node to another, and count them.
type wires struct {
	*world
	from traffic.Party
}

func (w wires) Name() string { return "https" }
func (w wires) Limit() int   { return route.MaxBundle }
func (w wires) Carry(ctx context.Context, p route.Peer, sealed []byte) ([]byte, error) {
	w.mu.Lock()
	to := w.capitals[p.Party].node
	w.sent[w.from]++
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

func (w *world) count(p traffic.Party) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent[p]
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

// schemas are compiled once: that takes longer than a story.
var schemas = sync.OnceValues(stix.NewValidator)

func inWorld(t *testing.T, story func(t *testing.T, w *world, xn, xs *capital)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, capitals: make(map[traffic.Party]*capital), sent: make(map[traffic.Party]int)}
		xn, xs := w.found("xn"), w.found("xs")
		xn.start()
		xs.start()
		defer func() {
			xn.stop()
			xs.stop()
		}()
		w.pair(xn, xs)
		story(t, w, xn, xs)
	})
}

func (w *world) found(id traffic.Party) *capital {
	charter, keys, _, err := party.Found(party.Plan{
		Party: id, Name: map[string]string{"en": string(id)}, Languages: []string{"en"}, Routes: []party.Route{{Name: "https", Address: string(id)}},
	})
	must(w.t, err)
	c := &capital{world: w, id: id, dir: filepath.Join(w.t.TempDir(), string(id)), keys: keys}
	chain, err := party.NewChain(charter)
	must(w.t, err)
	must(w.t, c.pins().SetOwn(chain))
	w.capitals[id] = c
	return c
}

func (c *capital) pins() *party.Pins {
	pins, err := party.OpenPins(filepath.Join(c.dir, "keys"), key.Standard())
	must(c.world.t, err)
	return pins
}

func (c *capital) start() {
	t := c.world.t
	t.Helper()
	all, err := form.LoadAll(regimes.All()...)
	must(t, err)
	log := slog.New(slog.DiscardHandler)
	n, err := node.Open(t.Context(), node.Config{
		DSN: filepath.Join(c.dir, "detente.db"), Keys: c.keys, Pins: c.pins(), Schemas: append(gateway.Schemas(), matching.Schema()), MarksDir: filepath.Join(c.dir, "marks"),
		Regimes: all, Routes: map[string]route.Route{"https": wires{c.world, c.id}}, Callable: true, Heartbeat: 12 * time.Hour, Silence: 48 * time.Hour, Log: log,
	})
	must(t, err)
	f, err := floor.New(n, floor.Config{Log: log})
	must(t, err)
	var m *matching.Matching
	g := gateway.Open(gateway.Config{Node: n, Rule: gateway.Rule{UpTo: label.TLPGreen}, Validator: schemas, Turned: func() { m.Kick() }})
	m = matching.New(matching.Config{Floor: f, Shelf: g.Shelf(), Path: c.own(), Log: log})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { n.Run(ctx) })
	wg.Go(func() { f.Run(ctx) })
	wg.Go(func() { g.Run(ctx) })
	wg.Go(func() { m.Run(ctx) })
	c.world.mu.Lock()
	c.node, c.floor, c.Gateway, c.matching = n, f, g, m
	c.world.mu.Unlock()
	c.end = func() {
		cancel()
		wg.Wait()
		f.Close()
		n.Close()
	}
}

func (c *capital) own() string { return filepath.Join(c.dir, "own.toml") }

func (c *capital) stop() {
	synctest.Wait()
	c.world.mu.Lock()
	running := c.node != nil
	c.node = nil
	c.world.mu.Unlock()
	if running {
		c.end()
	}
}

func (w *world) pair(xn, xs *capital) {
	for _, x := range [][2]*capital{{xn, xs}, {xs, xn}} {
		file, err := x[1].node.Charters(x[1].id)
		must(w.t, err)
		chain, _, err := x[0].node.Import(w.t.Context(), file)
		must(w.t, err)
		words, err := chain.Latest().Fingerprint().Words("en")
		must(w.t, err)
		_, err = x[0].node.Confirm(w.t.Context(), x[1].id, strings.Join(words, " "))
		must(w.t, err)
	}
	ch, err := xn.node.Propose(w.t.Context(), party.Channel{Name: "cert", Regime: party.RegimeRef{ID: "indicators", Version: 1}}, []traffic.Party{"xs"}, "council", "head")
	must(w.t, err)
	for {
		changed := xs.node.Changed()
		if xs.node.Accept(w.t.Context(), ch.ID(), "council", "head") == nil {
			break
		}
		<-changed
	}
	must(w.t, xn.node.WaitChannel(w.t.Context(), ch.ID(), time.Hour))
	w.channel = ch.ID()
	pass(time.Minute)
}

// shares states indicators: patterns, with the id's last digits before them.
func (c *capital) shares(patterns ...string) {
	t := c.world.t
	t.Helper()
	all, err := c.Shelf().Collections(t.Context())
	must(t, err)
	var raws [][]byte
	for _, p := range patterns {
		n, pattern, _ := strings.Cut(p, " ")
		raws = append(raws, fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-%012s","created":"2026-11-01T00:00:00.000Z",`+
			`"modified":"2026-11-02T00:00:00.000Z","pattern":"%s","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z",`+
			`"object_marking_refs":["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]}`, n, pattern))
	}
	for _, k := range all {
		if k.Title == "cert to members" {
			_, err := c.Post(t.Context(), "tool", k, raws)
			must(t, err)
		}
	}
	pass(time.Minute)
}

// board is the items of the kind match, as they would be read.
func (c *capital) board() (out []string) {
	v, err := c.floor.Watch(c.world.t.Context(), "", "")
	must(c.world.t, err)
	for _, it := range v.Items {
		if it.Kind == watch.Match {
			out = append(out, fmt.Sprint(it.Say, it.Args, it.Post))
		}
	}
	return out
}

// entries counts what is in all feeds of a party that others hold.
func (c *capital) entries() (n int64) {
	t := c.world.t
	must(t, c.node.DB.View(t.Context(), func(tx *store.Tx) error {
		n = 0
		heads, err := feed.Heads(t.Context(), tx, &c.world.channel)
		for _, h := range heads {
			if h.Feed.Party == c.id {
				n += h.Size
			}
		}
		return err
	}))
	return n
}

const table = `[[asset]]
name = "Grid operator North"
post = "cert"
networks = ["192.0.2.0/24"]
names = ["grid.example"]

[[asset]]
name = "Ministry"
numbers = ["AS64500"]
`

func TestWhatOthersShareIsHeldAgainstTheOwn(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		xn.shares("1 [ipv4-addr:value = '192.0.2.7']", "2 [domain-name:value = 'elsewhere.example']", "3 [url:value = 'https://vpn.grid.example/login']",
			"4 [autonomous-system:number = 64500]")
		if got := xs.board(); len(got) != 0 {
			t.Errorf("without a table: %q", got)
		}

		// A table appears: what is here is held against it, and in the time in which that is done nothing at all leaves the node.
		pass(10 * time.Minute)
		bundles, entries := w.count("xs"), xs.entries()
		must(t, os.WriteFile(xs.own(), []byte(table), 0o600))
		pass(10 * time.Minute)
		want := []string{"match[1 XN/MFA-R-0001 xn]mfa", "match[2 XN/MFA-R-0001 xn]cert"}
		if diff := cmp.Diff(want, xs.board()); diff != "" {
			t.Error(diff)
		}
		if w.count("xs") != bundles || xs.entries() != entries {
			t.Errorf("%d bundles and %d entries left the node", w.count("xs")-bundles, xs.entries()-entries)
		}

		// What the officer reads.
		list, err := xs.matching.List(t.Context(), matching.Filter{Open: true})
		must(t, err)
		var hits []string
		for _, m := range list {
			for _, h := range m.Hits {
				hits = append(hits, fmt.Sprint(m.Number, " ", h.Asset, ": ", h.Value, " ", h.How, " ", h.Own))
			}
		}
		if diff := cmp.Diff([]string{"XN/MFA-R-0001 Ministry: AS64500 is AS64500", "XN/MFA-R-0001 Grid operator North: 192.0.2.7 within 192.0.2.0/24",
			"XN/MFA-R-0001 Grid operator North: https://vpn.grid.example/login within grid.example"}, hits); diff != "" {
			t.Error(diff)
		}

		// After a restart it stands there once; seen, it is gone, and does not come back.
		xs.stop()
		xs.start()
		pass(5 * time.Minute)
		if diff := cmp.Diff(want, xs.board()); diff != "" {
			t.Error(diff)
		}
		must(t, xs.matching.Seen(t.Context(), list[0].Statement, "duty-officer", "xs/26-0001"))
		pass(time.Second)
		xs.stop()
		xs.start()
		must(t, os.WriteFile(xs.own(), []byte(table+"# touched\n"), 0o600))
		pass(5 * time.Minute)
		if got := xs.board(); len(got) != 0 {
			t.Errorf("seen, and there: %q", got)
		}
		if list, err = xs.matching.List(t.Context(), matching.Filter{Case: "xs/26-0001"}); err != nil || len(list) != 2 || list[0].Role != "duty-officer" {
			t.Errorf("of the case: %+v, %v", list, err)
		}
		if err := xs.matching.Seen(t.Context(), list[0].Statement, "duty-officer", ""); err == nil {
			t.Error("seen twice")
		}

		// Whether an indicator matches or not, the same leaves the node.
		before := w.count("xs")
		xn.shares("5 [ipv4-addr:value = '198.51.100.1']")
		without := w.count("xs") - before
		pass(time.Minute)
		before = w.count("xs")
		xn.shares("6 [ipv4-addr:value = '192.0.2.66']")
		if with := w.count("xs") - before; with != without {
			t.Errorf("%d bundles left the node where nothing matched, %d where something did", without, with)
		}
		if diff := cmp.Diff([]string{"match[1 XN/MFA-R-0003 xn]cert"}, xs.board()); diff != "" {
			t.Error(diff)
		}

		// A table with a fault leaves the last one in force, and says so. A wider one tells what is new alone.
		must(t, os.WriteFile(xs.own(), []byte("[[asset]]\nnetwork = 7\n"), 0o600))
		pass(2 * time.Minute)
		if st := xs.matching.State(); st.Fault == nil || st.Assets != 2 {
			t.Errorf("%+v", st)
		}
		must(t, os.WriteFile(xs.own(), []byte(table+"networks = [\"198.51.100.0/24\"]\n"), 0o600))
		pass(2 * time.Minute)
		if diff := cmp.Diff([]string{"match[1 XN/MFA-R-0003 xn]cert", "match[1 XN/MFA-R-0002 xn]mfa"}, xs.board()); diff != "" {
			t.Error(diff)
		}
	})
}
