package chancery_test

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

	"detente/chancery"
	"detente/floor"
	"detente/form"
	"detente/instrument"
	"detente/key"
	"detente/node"
	"detente/party"
	"detente/regimes"
	"detente/route"
	"detente/statement"
	"detente/store"
	"detente/traffic"
	"detente/wording"
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
	world *world
	id    traffic.Party
	dir   string
	keys  *party.Keyring
	node  *node.Node // nil while it stands still
	floor *floor.Floor
	*chancery.Chancery
	end func()
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

func (w *world) sever(cut bool) {
	w.mu.Lock()
	w.cut = cut
	w.mu.Unlock()
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
		DSN: filepath.Join(c.dir, "detente.db"), Keys: c.keys, Pins: c.pins(), MarksDir: filepath.Join(c.dir, "marks"), Regimes: all, Schemas: []store.Schema{chancery.Schema()},
		Routes: map[string]route.Route{"https": wires{c.world}}, Callable: true, Heartbeat: 2 * time.Hour, Log: log,
	})
	must(t, err)
	f, err := floor.New(n, floor.Config{Log: log})
	must(t, err)
	k := chancery.New(f, log)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { n.Run(ctx) })
	wg.Go(func() { f.Run(ctx) })
	c.world.mu.Lock()
	c.node, c.floor, c.Chancery = n, f, k
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
	for _, name := range []string{"talks"} {
		ch, err := xn.node.Propose(w.t.Context(), party.Channel{Name: name, Regime: party.RegimeRef{ID: "instruments", Version: 1}}, []traffic.Party{"xs"}, "council", "head")
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

// says has a post state what the chancery has drafted.
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

// draft is an instrument as this party has it.
func (c *capital) draft(id statement.ID) *chancery.Draft {
	c.world.t.Helper()
	d, err := c.Draft(c.world.t.Context(), id.String())
	must(c.world.t, err)
	return d
}

// opens opens the negotiation of a small treaty in two languages.
func (c *capital) opens() statement.ID {
	c.world.t.Helper()
	return c.says(c.Open(c.world.t.Context(), chancery.Opening{
		Channel: c.world.channels["talks"], Plane: traffic.Real, Kind: "treaty", Nature: "legal", Languages: []string{"en", "ru"},
		Title: wording.Texts{"en": "Agreement on the Prevention of Incidents", "ru": "Соглашение о предотвращении инцидентов"},
	})).ID
}

// tables has a party take positions on a small text: an article with two paragraphs.
func (c *capital) tables(id statement.ID, limit map[string]string) {
	c.world.t.Helper()
	wishes, err := c.draft(id).Import(c.id, treaty(limit), "")
	must(c.world.t, err)
	for _, w := range wishes {
		c.says(c.draft(id).Table(w))
	}
}

// treaty is a small text; of its second paragraph the wording is given.
func treaty(second map[string]string) chancery.Document {
	return chancery.Document{Text: instrument.Text{
		Names: wording.Texts{"en": "xn Northland\nxs Southland", "ru": "xn Северия\nxs Южная"},
		Clauses: []instrument.Clause{
			{ID: "preamble", Kind: instrument.Preamble, Texts: wording.Texts{"en": "{parties} have agreed as follows:", "ru": "{parties} согласились о нижеследующем:"}},
			{ID: "a1", Kind: instrument.Article, Texts: wording.Texts{"en": "Notification", "ru": "Уведомление"}},
			{ID: "a1.1", Kind: instrument.Paragraph, Texts: wording.Texts{"en": "Each Party shall notify the other Party of significant incidents.", "ru": "Каждая Сторона уведомляет другую Сторону о значительных инцидентах."}},
			{ID: "a1.2", Kind: instrument.Paragraph, Texts: second},
		},
	}}
}

func within(en, ru string) map[string]string {
	return wording.Texts{"en": "It shall do so " + en + ".", "ru": "Она делает это " + ru + "."}
}

// board lists what needs somebody about instruments, by what is said.
func (c *capital) board() []string {
	c.world.t.Helper()
	v, err := c.floor.Watch(c.world.t.Context(), "", "")
	must(c.world.t, err)
	out := []string{}
	for _, it := range v.Items {
		if strings.HasPrefix(it.Say, "draft.") && it.Ended.IsZero() {
			out = append(out, it.Say)
		}
	}
	slices.Sort(out)
	return out
}
