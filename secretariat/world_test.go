package secretariat_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
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
	"detente/regimes"
	"detente/route"
	"detente/secretariat"
	"detente/standing"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// world is two parties with all that stands between them, in one bubble.
type world struct {
	t        *testing.T
	capitals map[traffic.Party]*capital
	channels map[string][32]byte // by name

	mu  sync.Mutex
	cut bool
}

// capital is a party and what runs on its machine.
type capital struct {
	world    *world
	id       traffic.Party
	dir      string
	keys     *party.Keyring
	node     *node.Node // nil while it stands still
	floor    *floor.Floor
	standing *standing.Standing
	*secretariat.Secretariat
	online  func() (offline func())
	offline func()
	end     func()
}

// wires carry bundles from one node to another, unless they are cut.
type wires struct{ *world }

func (w wires) Name() string { return "https" }
func (w wires) Limit() int   { return route.MaxBundle }
func (w wires) Carry(ctx context.Context, p route.Peer, sealed []byte) ([]byte, error) {
	w.mu.Lock()
	cut, to := w.cut, w.capitals[p.Party].node
	w.mu.Unlock()
	select {
	case <-time.After(time.Millisecond):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if cut || to == nil {
		return nil, route.ErrCut
	}
	return to.Answer(ctx, sealed)
}

// sever has both nodes call nobody for a time: what is said is kept.
func (w *world) sever(cut bool) {
	w.mu.Lock()
	w.cut = cut
	w.mu.Unlock()
	for _, c := range w.capitals {
		if cut {
			c.offline()
		} else {
			c.offline = c.online()
		}
	}
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

// inWorld plays a story between xn and xs, who are paired and have a channel on which instruments are negotiated.
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
		DSN: filepath.Join(c.dir, "detente.db"), Keys: c.keys, Pins: c.pins(), MarksDir: filepath.Join(c.dir, "marks"), Regimes: all, Schemas: []store.Schema{secretariat.Schema()},
		Routes: map[string]route.Route{"https": wires{c.world}}, Callable: true, Heartbeat: 240 * time.Hour, Log: log,
	})
	must(t, err)
	f, err := floor.New(n, floor.Config{Log: log})
	must(t, err)
	st, k := standing.New(f, log), secretariat.New(f, log)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	c.world.mu.Lock()
	c.online = func() func() {
		ctx, cancel := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() { n.Run(ctx); close(done) }()
		return func() { cancel(); <-done }
	}
	c.offline = c.online()
	c.world.mu.Unlock()
	wg.Go(func() { f.Run(ctx) })
	c.world.mu.Lock()
	c.node, c.floor, c.standing, c.Secretariat = n, f, st, k
	c.world.mu.Unlock()
	c.end = func() {
		c.offline()
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
	for _, name := range []string{"council", "experts"} {
		ch, err := xn.node.Propose(w.t.Context(), party.Channel{
			Name: name, Regime: party.RegimeRef{ID: "dialogue", Version: 1}, Protected: name == "experts",
		}, []traffic.Party{"xs"}, "council", "head")
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

func (c *capital) other() traffic.Party {
	if c.id == "xs" {
		return "xn"
	}
	return "xs"
}

// says has a post state what the secretariat has drafted.
func (c *capital) says(d node.Draft, err error) node.Sent {
	c.world.t.Helper()
	must(c.world.t, err)
	if d.Post == "" {
		d.Post = "council"
	}
	d.Language, d.Drafter, d.Releaser = "en", "duty-officer", "head-of-post"
	sent, err := c.node.Send(c.world.t.Context(), d)
	must(c.world.t, err)
	return sent
}

// talk is a series or a group as this party has it.
func (c *capital) talk(id statement.ID) *secretariat.Talk {
	c.world.t.Helper()
	t, err := c.Talk(c.world.t.Context(), id.String())
	must(c.world.t, err)
	return t
}

// states has the party state something in a dialogue, in the shape in which a person gives it.
func (c *capital) states(id statement.ID, formID, about string, v form.Values) node.Sent {
	c.world.t.Helper()
	t := c.talk(id)
	d, err := c.Say(t, formID, v, about, time.Now())
	must(c.world.t, err)
	d.Post = "council"
	must(c.world.t, c.Rehearse(t, d))
	return c.says(d, nil)
}

// opens opens a series that is due every twenty days.
func (c *capital) opens() statement.ID {
	c.world.t.Helper()
	return c.says(c.Open(c.world.t.Context(), c.world.channels["council"], traffic.Real, "series", form.Values{
		"name": map[string]string{"en": "Consultations", "ru": "Консультации"}, "level": "high-level", "every": int64(every / time.Second), "hosts": []any{"xn", "xs"}, "languages": "en ru",
	})).ID
}

const every = 20 * 24 * time.Hour

// window is a period that begins after a time.
func window(after time.Duration) []any {
	from := time.Now().Add(after)
	return []any{from.Unix(), from.Add(6 * time.Hour).Unix()}
}

// board lists what needs somebody about consultations, by what is said; of what waits for an answer, the form.
func (c *capital) board() []string {
	c.world.t.Helper()
	v, err := c.floor.Watch(c.world.t.Context(), "", "")
	must(c.world.t, err)
	out := []string{}
	for _, it := range v.Items {
		switch {
		case !it.Ended.IsZero():
		case strings.HasPrefix(it.Say, "talks."):
			out = append(out, it.Say)
		case it.Say == "answer":
			out = append(out, "answer "+it.Form)
		}
	}
	slices.Sort(out)
	return out
}
