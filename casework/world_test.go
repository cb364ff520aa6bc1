package casework_test

import (
	"context"
	"crypto/sha256"
	"fmt"
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
	"detente/statement"
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
	world *world
	id    traffic.Party
	dir   string
	keys  *party.Keyring
	node  *node.Node // nil while it stands still
	floor *floor.Floor
	*casework.Casework
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

// inWorld plays a story between xn and xs, who are paired and have two channels under the agreement on incidents.
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
		DSN: filepath.Join(c.dir, "detente.db"), Keys: c.keys, Pins: c.pins(), MarksDir: filepath.Join(c.dir, "marks"), Regimes: all,
		Routes: map[string]route.Route{"https": wires{c.world}}, Callable: true, Heartbeat: 2 * time.Hour, Log: log,
	})
	must(t, err)
	f, err := floor.New(n, floor.Config{Log: log})
	must(t, err)
	k := casework.New(f, log)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { n.Run(ctx) })
	wg.Go(func() { f.Run(ctx) })
	c.world.mu.Lock()
	c.node, c.floor, c.Casework = n, f, k
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
	for _, name := range []string{"nrrc", "cert"} {
		ch, err := xn.node.Propose(w.t.Context(), party.Channel{Name: name, Regime: party.RegimeRef{ID: "incidents", Version: 1}}, []traffic.Party{"xs"}, "council", "head")
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

// opens has a post state what opens a case, under a number of its own or under one that is known from another channel.
func (c *capital) opens(channel string, p traffic.Precedence, formID, number string, words fields, blobs ...[]byte) (string, statement.ID) {
	c.world.t.Helper()
	if number == "" {
		n, err := c.Allot(c.world.t.Context())
		must(c.world.t, err)
		number = n.String()
	}
	sent := c.sends(node.Draft{
		Channel: c.world.channels[channel], Precedence: p, Post: traffic.Post(channel), Audience: string(c.other()) + "/" + channel, Form: formID, Blobs: blobs,
	}, words.with("case", number))
	return number, sent.ID
}

func (f fields) with(name, value string) fields {
	out := fields{name: value}
	for k, v := range f {
		out[k] = v
	}
	return out
}

// states has the post say something in a case: to what, the case tells.
func (c *capital) states(channel, notation, formID string, words fields) statement.ID {
	c.world.t.Helper()
	f, err := c.File(c.world.t.Context(), notation)
	must(c.world.t, err)
	deciding := ""
	on := c.world.channels[channel]
	for _, s := range c.Steps(f) {
		if s.Form == formID && s.Field != "" {
			deciding = words[s.Field]
		}
	}
	step, err := c.Step(f, &on, formID, deciding)
	must(c.world.t, err)
	audience := step.To
	if audience != statement.Everyone {
		audience += "/" + channel
	}
	p := traffic.Routine
	for _, e := range step.Sheet.Entries {
		if e.ID == step.About {
			p = e.Precedence
		}
	}
	return c.sends(node.Draft{
		Channel: step.Sheet.Name.Channel, Precedence: p, Post: traffic.Post(channel), Audience: audience, Form: formID, Dossier: step.Sheet.Name.ID, Refs: []statement.ID{step.About},
	}, words).ID
}

func (c *capital) sends(d node.Draft, words fields) node.Sent {
	c.world.t.Helper()
	_, regime, err := c.node.Channel(d.Channel)
	must(c.world.t, err)
	fm, ok := regime.Latest(d.Form)
	if !ok {
		c.world.t.Fatal("no form ", d.Form)
	}
	d.Values, err = fm.FromText(words)
	must(c.world.t, err)
	for _, b := range d.Blobs {
		d.Values["attachments"] = []any{form.Blob{Hash: sha256.Sum256(b), Size: int64(len(b)), Name: "report.json", Type: "application/json"}.Value()}
	}
	if d.Precedence.Rank() > fm.Ceiling.Rank() {
		d.Precedence = fm.Ceiling
	}
	d.Plane, d.Language, d.Drafter, d.Releaser = traffic.Real, "en", "duty-officer", "head-of-post"
	sent, err := c.node.Send(c.world.t.Context(), d)
	must(c.world.t, err)
	return sent
}

// acknowledges a statement, as its post does.
func (c *capital) acknowledges(to statement.ID) {
	c.world.t.Helper()
	_, err := c.node.Reply(c.world.t.Context(), node.Reply{
		To: to, Form: "acknowledgement", Values: form.Values{"received": time.Now().Unix(), "understood": true}, Language: "en", Drafter: "duty-officer",
	})
	must(c.world.t, err)
}

// file is a case as this party has it.
func (c *capital) file(notation string) *casework.File {
	c.world.t.Helper()
	f, err := c.File(c.world.t.Context(), notation)
	must(c.world.t, err)
	return f
}

// stands is how a case stands on its first channel.
func (c *capital) stands(notation string) string {
	c.world.t.Helper()
	v := c.file(notation).Sheets[0].View
	return strings.TrimSpace(v.Machine + " " + v.State + " " + v.Outcome)
}

// board lists what needs somebody about cases, by what is said.
func (c *capital) board() []string {
	c.world.t.Helper()
	v, err := c.floor.Watch(c.world.t.Context(), "", "")
	must(c.world.t, err)
	out := []string{}
	for _, it := range v.Items {
		if strings.HasPrefix(it.Say, "case.") && it.Ended.IsZero() {
			out = append(out, it.Say+" "+fmt.Sprint(it.Args[0]))
		}
	}
	return out
}
