package yearly_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"detente/casework"
	"detente/floor"
	"detente/form"
	"detente/key"
	"detente/node"
	"detente/party"
	"detente/regimes"
	"detente/route"
	"detente/secretariat"
	"detente/statement"
	"detente/store"
	"detente/traffic"
	"detente/yearly"
)

// world is two parties with all that stands between them, in one bubble.
type world struct {
	t        *testing.T
	capitals map[traffic.Party]*capital
	channels map[string][32]byte // by name

	mu    sync.Mutex
	cut   bool
	quota int // bundles that still go through before it is cut; 0 for any number
}

// capital is a party and what runs on its machine.
type capital struct {
	world *world
	id    traffic.Party
	dir   string
	keys  *party.Keyring
	most  int // bytes of a bundle
	node  *node.Node
	work  *casework.Casework
	talks *secretariat.Secretariat
	end   func()
}

// wires carry bundles from one node to another, unless they are cut.
type wires struct{ *world }

func (w wires) Name() string { return "https" }
func (w wires) Limit() int   { return route.MaxBundle }
func (w wires) Carry(ctx context.Context, p route.Peer, sealed []byte) ([]byte, error) {
	w.mu.Lock()
	cut, to := w.cut, w.capitals[p.Party].node
	if !cut && w.quota > 0 {
		w.quota--
		w.cut = w.quota == 0
	}
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

func (w *world) sever(cut bool, quota int) {
	w.mu.Lock()
	w.cut, w.quota = cut, quota
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

// inWorld plays a story between xn and xs, who are paired, have two channels under the agreement on incidents and one on which they consult.
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
		DSN: filepath.Join(c.dir, "detente.db"), Keys: c.keys, Pins: c.pins(), MarksDir: filepath.Join(c.dir, "marks"), Regimes: all, MaxBundle: c.most,
		Schemas: []store.Schema{secretariat.Schema()}, Routes: map[string]route.Route{"https": wires{c.world}}, Callable: true, Heartbeat: 240 * time.Hour, Log: log,
	})
	must(t, err)
	f, err := floor.New(n, floor.Config{Log: log})
	must(t, err)
	k, s := casework.New(f, log), secretariat.New(f, log)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { n.Run(ctx) })
	wg.Go(func() { f.Run(ctx) })
	c.world.mu.Lock()
	c.node, c.work, c.talks = n, k, s
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
	for name, regime := range map[string]string{"nrrc": "incidents", "cert": "incidents", "council": "dialogue"} {
		ch, err := xn.node.Propose(w.t.Context(), party.Channel{Name: name, Regime: party.RegimeRef{ID: regime, Version: 1}}, []traffic.Party{"xs"}, "council", "head")
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

// fields are fields of a form, as a person gives them.
type fields map[string]string

// says has a post state something on a channel, of a precedence.
func (c *capital) says(channel string, p traffic.Precedence, formID string, words fields, in *node.Draft) node.Sent {
	t := c.world.t
	t.Helper()
	d := node.Draft{Audience: string(c.other())}
	if in != nil {
		d = *in
	}
	d.Channel, d.Plane, d.Precedence, d.Form, d.Language, d.Drafter, d.Releaser = c.world.channels[channel], traffic.Real, p, formID, "en", "duty-officer", "head-of-post"
	if d.Post == "" {
		d.Post = traffic.Post(channel)
	}
	_, regime, err := c.node.Channel(d.Channel)
	must(t, err)
	fm, ok := regime.Latest(formID)
	if !ok {
		t.Fatal("no form ", formID)
	}
	if d.Values == nil {
		d.Values, err = fm.FromText(words)
		must(t, err)
	}
	if p.Rank() > fm.Ceiling.Rank() {
		d.Precedence = fm.Ceiling
	}
	sent, err := c.node.Send(t.Context(), d)
	must(t, err)
	return sent
}

// opens opens a case.
func (c *capital) opens(channel, formID string, words fields) (string, node.Sent) {
	c.world.t.Helper()
	n, err := c.work.Allot(c.world.t.Context())
	must(c.world.t, err)
	words["case"] = n.String()
	return n.String(), c.says(channel, traffic.Priority, formID, words, nil)
}

// replies has the post reply to a statement.
func (c *capital) replies(to node.Sent, formID string, words fields) node.Sent {
	t := c.world.t
	t.Helper()
	_, regime, err := c.node.Channel(to.Feed.Channel)
	must(t, err)
	fm, _ := regime.Latest(formID)
	v, err := fm.FromText(words)
	must(t, err)
	sent, err := c.node.Reply(t.Context(), node.Reply{To: to.ID, Post: c.postOn(to.Feed.Channel), Form: formID, Values: v, Language: "en", Drafter: "duty-officer", Releaser: "head-of-post"})
	must(t, err)
	return sent
}

func (c *capital) postOn(channel [32]byte) traffic.Post {
	for name, id := range c.world.channels {
		if id == channel {
			return traffic.Post(name)
		}
	}
	return ""
}

// about has the post state something in the dossier of a statement.
func (c *capital) about(of node.Sent, formID string, words fields) node.Sent {
	c.world.t.Helper()
	return c.says(string(c.postOn(of.Feed.Channel)), traffic.Routine, formID, words, &node.Draft{Audience: string(c.other()), Dossier: of.ID, Refs: []statement.ID{of.ID}})
}

// states has the party state something in its series.
func (c *capital) states(series statement.ID, formID string, v form.Values) node.Sent {
	t := c.world.t
	t.Helper()
	talk, err := c.talks.Talk(t.Context(), series.String())
	must(t, err)
	d, err := c.talks.Say(talk, formID, v, "", time.Now())
	must(t, err)
	d.Post = "council"
	must(t, c.talks.Rehearse(talk, d))
	return c.says("council", d.Precedence, formID, nil, &d)
}

// window is a period that begins after a time.
func window(after time.Duration) []any {
	from := time.Now().Add(after)
	return []any{from.Unix(), from.Add(6 * time.Hour).Unix()}
}

// span is a window as a person writes it, from now on.
func span(from, to time.Duration) string {
	now := time.Now().UTC()
	return now.Add(from).Format(time.RFC3339) + "/" + now.Add(to).Format(time.RFC3339)
}

// pack is the pack of the party for a round, from what it holds.
func (c *capital) pack(series statement.ID, round int, from, to time.Time) (*yearly.Pack, error) {
	return yearly.Gather(c.world.t.Context(), c.node, yearly.Ask{
		Subject: yearly.Subject{Series: series, Round: round, Plane: traffic.Real, From: from, To: to}, Channel: c.world.channels["council"],
	})
}

// whole is its JSON.
func (c *capital) whole(series statement.ID, round int, from, to time.Time) (*yearly.Pack, string) {
	c.world.t.Helper()
	p, err := c.pack(series, round, from, to)
	must(c.world.t, err)
	_, err = p.Whole()
	must(c.world.t, err)
	b, err := p.Encode()
	must(c.world.t, err)
	return p, string(b)
}

// nil2 is a draft to everyone with values.
func nil2(v form.Values) *node.Draft { return &node.Draft{Audience: statement.Everyone, Values: v} }
