// Package floortest is parties with whole nodes and watch floors, paired and with channels between them, in one bubble of testing/synctest.
// It must never know what joins the floor, nor be imported by anything but tests: whoever tests a package gives it what is to join.
package floortest

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
	"detente/regimes"
	"detente/route"
	"detente/store"
	"detente/traffic"
)

// Channel is a channel of all parties of a world.
type Channel struct {
	Name      string
	Regime    string // its id; version 1
	Protected bool
}

// Setup is what a world is made of.
type Setup struct {
	Parties   []traffic.Party // xn and xs if none are named
	Channels  []Channel       // proposed one after the other by the first party
	Heartbeat time.Duration
	Silence   time.Duration // the node's own if zero
	Schemas   []store.Schema
	DSNs      []string     // databases of the first parties; the others have a file of their own
	Log       slog.Leveler // errors alone if nil
	Bare      bool         // nodes alone, without a watch floor

	// Joins makes what is tested, at each start of a party, before its node and its floor run. Leaves, if any, ends it before they end.
	Joins  func(p *Party)
	Leaves func(p *Party)
}

// World is some parties and the lines between their nodes.
type World struct {
	T        *testing.T
	Parties  []*Party            // in the order in which they were named
	Channels map[string][32]byte // by name

	setup Setup
	mu    sync.Mutex // guards cut, and who answers
	cut   bool
	up    map[traffic.Party]*node.Node
}

// Party is a party, what is on its disk, and what runs on its machine.
type Party struct {
	World *World
	ID    traffic.Party
	Dir   string
	DSN   string
	Keys  *party.Keyring
	Node  *node.Node   // nil while it stands still
	Floor *floor.Floor // nil in a bare world
	Log   *slog.Logger

	end     func()
	online  func() (offline func())
	offline func()
}

// Play founds the parties of a world, starts, pairs and joins them, tells a story about them, and stops them. Time is the bubble's.
func Play(t *testing.T, setup Setup, story func(t *testing.T, w *World)) {
	t.Helper()
	if len(setup.Parties) == 0 {
		setup.Parties = []traffic.Party{"xn", "xs"}
	}
	if setup.Log == nil {
		setup.Log = slog.LevelError
	}
	synctest.Test(t, func(t *testing.T) {
		w := &World{T: t, Channels: make(map[string][32]byte), setup: setup, up: make(map[traffic.Party]*node.Node)}
		for _, id := range setup.Parties {
			w.found(id)
		}
		defer func() {
			for _, p := range w.Parties {
				p.Stop()
			}
		}()
		for _, p := range w.Parties {
			p.Start()
		}
		w.pair()
		story(t, w)
	})
}

// Pass lets time pass, and what it brings about come to rest.
func Pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// Must ends a test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wires carry bundles from one node to another, unless they are cut.
type wires struct{ *World }

func (w wires) Name() string { return "https" }
func (w wires) Limit() int   { return route.MaxBundle }
func (w wires) Carry(ctx context.Context, p route.Peer, sealed []byte) ([]byte, error) {
	w.mu.Lock()
	cut, to := w.cut, w.up[p.Party]
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

// Sever cuts all lines, or mends them.
func (w *World) Sever(cut bool) {
	w.mu.Lock()
	w.cut = cut
	w.mu.Unlock()
}

// Party is one of the world.
func (w *World) Party(id traffic.Party) *Party {
	for _, p := range w.Parties {
		if p.ID == id {
			return p
		}
	}
	w.T.Fatalf("no party %s is in this world", id)
	return nil
}

// found founds a party. The second one reads Russian first.
func (w *World) found(id traffic.Party) {
	languages := []string{"en"}
	if id == "xs" {
		languages = []string{"ru", "en"}
	}
	charter, keys, _, err := party.Found(party.Plan{
		Party: id, Name: map[string]string{"en": string(id)}, Languages: languages, Routes: []party.Route{{Name: "https", Address: string(id)}},
	})
	Must(w.T, err)
	dir := filepath.Join(w.T.TempDir(), string(id))
	p := &Party{
		World: w, ID: id, Dir: dir, DSN: filepath.Join(dir, "detente.db"), Keys: keys,
		Log: slog.New(slog.NewTextHandler(w.T.Output(), &slog.HandlerOptions{Level: w.setup.Log})).With("at", id),
	}
	if n := len(w.Parties); n < len(w.setup.DSNs) {
		p.DSN = w.setup.DSNs[n]
	}
	chain, err := party.NewChain(charter)
	Must(w.T, err)
	Must(w.T, p.pins().SetOwn(chain))
	w.Parties = append(w.Parties, p)
}

func (p *Party) pins() *party.Pins {
	pins, err := party.OpenPins(filepath.Join(p.Dir, "keys"), key.Standard())
	Must(p.World.T, err)
	return pins
}

// Start starts the machine of a party, for the first time or once more.
func (p *Party) Start() {
	t, setup := p.World.T, &p.World.setup
	t.Helper()
	all, err := form.LoadAll(regimes.All()...)
	Must(t, err)
	p.Node, err = node.Open(t.Context(), node.Config{
		DSN: p.DSN, Keys: p.Keys, Pins: p.pins(), Schemas: setup.Schemas, MarksDir: filepath.Join(p.Dir, "marks"), Regimes: all,
		Routes: map[string]route.Route{"https": wires{p.World}}, Callable: true, Heartbeat: setup.Heartbeat, Silence: setup.Silence, Log: p.Log,
	})
	Must(t, err)
	if !setup.Bare {
		p.Floor, err = floor.New(p.Node, floor.Config{Log: p.Log})
		Must(t, err)
	}
	if setup.Joins != nil {
		setup.Joins(p)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n, f := p.Node, p.Floor
	p.online = func() func() {
		ctx, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		wg.Go(func() { n.Run(ctx) })
		return func() { cancel(); wg.Wait() }
	}
	p.offline = p.online()
	var wg sync.WaitGroup
	if f != nil {
		wg.Go(func() { f.Run(ctx) })
	}
	p.answers(n)
	p.end = func() {
		p.offline()
		cancel()
		wg.Wait()
		if f != nil {
			f.Close()
		}
		n.Close()
	}
}

// answers has a node answer whoever calls the party; nil: nobody does.
func (p *Party) answers(n *node.Node) {
	p.World.mu.Lock()
	p.World.up[p.ID] = n
	p.World.mu.Unlock()
}

// Stop stops the machine of a party, if it runs. What is under way comes to rest before.
func (p *Party) Stop() {
	synctest.Wait()
	if p.Node == nil {
		return
	}
	p.answers(nil)
	if leaves := p.World.setup.Leaves; leaves != nil {
		leaves(p)
	}
	p.end()
	p.Node = nil
}

// Offline has the node of a party call nobody until it is Online again: what is said is kept, and its floor goes on.
func (p *Party) Offline() { p.offline() }

// Online has the node of a party call others again.
func (p *Party) Online() { p.offline = p.online() }

// Other is the second party of two.
func (p *Party) Other() traffic.Party {
	for _, o := range p.World.Parties {
		if o != p {
			return o.ID
		}
	}
	return ""
}

// pair has every two parties compare the words of their charters, and all of them agree on the channels.
func (w *World) pair() {
	for _, a := range w.Parties {
		for _, b := range w.Parties {
			if a == b {
				continue
			}
			file, err := b.Node.Charters(b.ID)
			Must(w.T, err)
			chain, _, err := a.Node.Import(w.T.Context(), file)
			Must(w.T, err)
			words, err := chain.Latest().Fingerprint().Words("en")
			Must(w.T, err)
			_, err = a.Node.Confirm(w.T.Context(), b.ID, strings.Join(words, " "))
			Must(w.T, err)
		}
	}
	for _, c := range w.setup.Channels {
		w.agree(c)
	}
}

func (w *World) agree(c Channel) {
	var others []traffic.Party
	for _, p := range w.Parties[1:] {
		others = append(others, p.ID)
	}
	charter := party.Channel{Name: c.Name, Regime: party.RegimeRef{ID: c.Regime, Version: 1}, Protected: c.Protected}
	ch, err := w.Parties[0].Node.Propose(w.T.Context(), charter, others, "council", "head")
	Must(w.T, err)
	for _, p := range w.Parties[1:] {
		for {
			changed := p.Node.Changed()
			if p.Node.Accept(w.T.Context(), ch.ID(), "council", "head") == nil {
				break
			}
			<-changed
		}
	}
	for _, p := range w.Parties {
		Must(w.T, p.Node.WaitChannel(w.T.Context(), ch.ID(), time.Hour))
	}
	w.Channels[c.Name] = ch.ID()
}
