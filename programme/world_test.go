package programme_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"detente/floor"
	"detente/form"
	"detente/key"
	"detente/node"
	"detente/party"
	"detente/programme"
	"detente/regimes"
	"detente/register/docket"
	"detente/route"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// world is two parties with all that stands between them, in one bubble.
type world struct {
	t        *testing.T
	capitals map[traffic.Party]*capital
	channels map[string][32]byte // by name

	mu sync.Mutex
}

// capital is a party and what runs on its machine.
type capital struct {
	world *world
	id    traffic.Party
	dir   string
	keys  *party.Keyring
	node  *node.Node // nil while it stands still
	floor *floor.Floor
	*programme.Desk
	end func()
}

// wires carry bundles from one node to another, unless they are cut.
type wires struct{ *world }

func (w wires) Name() string { return "https" }
func (w wires) Limit() int   { return route.MaxBundle }
func (w wires) Carry(ctx context.Context, p route.Peer, sealed []byte) ([]byte, error) {
	w.mu.Lock()
	to := w.capitals[p.Party].node
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

// inWorld plays a story between xn and xs, who are paired and have a council, experts on a protected channel, and a channel on which cases are worked.
func inWorld(t *testing.T, story func(t *testing.T, w *world, xn, xs *capital)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, capitals: make(map[traffic.Party]*capital), channels: make(map[string][32]byte)}
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
	languages := []string{"en"}
	if id == "xs" {
		languages = []string{"ru", "en"}
	}
	charter, keys, _, err := party.Found(party.Plan{
		Party: id, Name: map[string]string{"en": string(id)}, Languages: languages, Routes: []party.Route{{Name: "https", Address: string(id)}},
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
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})).With("at", c.id)
	n, err := node.Open(t.Context(), node.Config{
		DSN: filepath.Join(c.dir, "detente.db"), Keys: c.keys, Pins: c.pins(), MarksDir: filepath.Join(c.dir, "marks"), Regimes: all, Schemas: []store.Schema{docket.Schema()},
		Routes: map[string]route.Route{"https": wires{c.world}}, Callable: true, Heartbeat: 480 * time.Hour, Log: log,
	})
	must(t, err)
	f, err := floor.New(n, floor.Config{Log: log})
	must(t, err)
	k := programme.New(f, docket.New(n).Reading)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { n.Run(ctx) })
	wg.Go(func() { f.Run(ctx) })
	c.world.mu.Lock()
	c.node, c.floor, c.Desk = n, f, k
	c.world.mu.Unlock()
	c.end = func() {
		cancel()
		wg.Wait()
		f.Close()
		n.Close()
	}
}

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
	for _, name := range []string{"council", "experts", "incidents"} {
		regime := "dialogue"
		if name == "incidents" {
			regime = name
		}
		ch, err := xn.node.Propose(w.t.Context(), party.Channel{Name: name, Regime: party.RegimeRef{ID: regime, Version: 1}, Protected: name == "experts"}, []traffic.Party{"xs"}, "council", "head")
		must(w.t, err)
		for {
			changed := xs.node.Changed()
			if xs.node.Accept(w.t.Context(), ch.ID(), "council", "head") == nil {
				break
			}
			<-changed
		}
		must(w.t, xn.node.WaitChannel(w.t.Context(), ch.ID(), time.Hour))
		w.channels[name] = ch.ID()
	}
}

// says has the council of a party state something to the other.
func (c *capital) says(channel, formID string, v form.Values, refs ...statement.ID) statement.ID {
	return c.saysIn(channel, statement.ID{}, formID, v, refs...)
}

// saysIn says it in a dossier.
func (c *capital) saysIn(channel string, of statement.ID, formID string, v form.Values, refs ...statement.ID) statement.ID {
	c.world.t.Helper()
	to := "xs"
	if c.id == "xs" {
		to = "xn"
	}
	d := node.Draft{
		Channel: c.world.channels[channel], Plane: traffic.Real, Precedence: traffic.Routine, Post: "council", Audience: to, Form: formID, Values: v, Refs: refs, Dossier: of,
		Language: "en", Drafter: "duty-officer", Releaser: "head-of-post",
	}
	if channel == "public" {
		d.Channel, d.Audience = party.PublicChannel(c.node.Chain(c.id)).ID(), statement.Everyone
	}
	sent, err := c.node.Send(c.world.t.Context(), d)
	must(c.world.t, err)
	return sent.ID
}
