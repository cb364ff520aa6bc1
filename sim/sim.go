// Package sim runs whole nodes, with real databases, on fake time over a network that misbehaves as it is told, and checks what must always hold.
// It must never reach into a node: what it checks, an officer or a peer could see.
package sim

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
	"detente/standing"
	"detente/statement"
	"detente/traffic"
)

// ErrCrashed is what every durable step of a crashed node returns: nothing that it still does reaches its disk.
var ErrCrashed = errors.New("sim: the node has crashed")

// Founded is a party with all its keys. Making them costs far more than a world, so that worlds may share them.
type Founded struct {
	Charter *party.Charter
	Keys    *party.Keyring
	Roots   []*party.RootKey
}

// Found founds a party. One that cannot be called has no route in its charter: it calls the others, and holds a request open with each.
func Found(t testing.TB, id traffic.Party, language string, callable bool) Founded {
	t.Helper()
	plan := party.Plan{Party: id, Name: map[string]string{language: string(id)}, Languages: []string{language}}
	if callable {
		plan.Routes = []party.Route{{Name: routeName, Address: string(id)}}
	}
	charter, keys, roots, err := party.Found(plan)
	if err != nil {
		t.Fatal(err)
	}
	return Founded{charter, keys, roots}
}

// World is some parties, their disks and the network between them, on the fake time of one synctest bubble.
type World struct {
	Net *Network

	t         testing.TB
	dir       string
	regimes   []*form.Regime
	heartbeat time.Duration
	capitals  map[traffic.Party]*Capital
	record    *record
}

// Capital is one party: what is on its disk, and the node that runs on it or does not.
type Capital struct {
	Founded
	ID traffic.Party

	world    *World
	dir      string
	callable bool
	wrong    atomic.Int64 // nanoseconds by which its clock is wrong
	trap     atomic.Pointer[Trap]
	life     atomic.Pointer[life]
	staff    *Staff // nil where nobody keeps a watch
}

// Trap decides what becomes of a durable step of a node ("begin", "write", "commit", "committed", as in store.Config). An error fails the step;
// one that wraps [ErrCrashed] kills the node there and then.
type Trap func(step string) error

// life is a node from its start to its crash.
type life struct {
	node *node.Node
	ctx  context.Context
	end  context.CancelFunc
	dead atomic.Bool
	done chan struct{} // Run has returned

	floor    *floor.Floor // nil where nobody keeps a watch
	standing *standing.Standing

	mu     sync.Mutex     // guards dead turning true against who enters
	inside sync.WaitGroup // bundles being taken in
}

// enter lets a bundle in, unless the node has died.
func (l *life) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead.Load() {
		return false
	}
	l.inside.Add(1)
	return true
}

func (l *life) die() {
	l.mu.Lock()
	l.dead.Store(true)
	l.mu.Unlock()
}

// New makes a world without parties. It is to be called, and everything of it done, inside a bubble.
func New(t testing.TB, heartbeat time.Duration, seed uint64) *World {
	t.Helper()
	w := &World{
		t: t, dir: t.TempDir(), heartbeat: heartbeat, capitals: make(map[traffic.Party]*Capital), record: newRecord(),
	}
	var err error
	if w.regimes, err = form.LoadAll(regimes.All()...); err != nil {
		t.Fatal(err)
	}
	w.Net = newNetwork(w, rand.New(rand.NewPCG(seed, seed)))
	t.Cleanup(w.Close)
	return w
}

// Close ends every node.
func (w *World) Close() {
	for _, c := range w.capitals {
		c.Crash()
	}
	w.Net.work.Wait()
}

// Add gives a party its place in the world, and starts its node.
func (w *World) Add(f Founded) *Capital {
	w.t.Helper()
	id := f.Charter.Party
	c := &Capital{
		Founded: f, ID: id, world: w, dir: filepath.Join(w.dir, string(id)),
		callable: len(f.Charter.Routes) > 0,
	}
	w.capitals[id] = c
	pins := c.pins()
	if err := os.MkdirAll(c.Pouches(), 0o700); err != nil {
		w.t.Fatal(err)
	}
	chain, err := party.NewChain(f.Charter)
	if err == nil {
		err = pins.SetOwn(chain)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	c.Start()
	return c
}

// Capital gives a party of the world.
func (w *World) Capital(id traffic.Party) *Capital {
	w.t.Helper()
	c := w.capitals[id]
	if c == nil {
		w.t.Fatalf("sim: no party %q in this world", id)
	}
	return c
}

// Parties lists the parties, by their ids.
func (w *World) Parties() []*Capital {
	var out []*Capital
	for _, c := range w.capitals {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b *Capital) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out
}

func (c *Capital) database() string { return filepath.Join(c.dir, "detente.db") }

// Pouches is where the node puts each FLASH too, for somebody to take along.
func (c *Capital) Pouches() string { return filepath.Join(c.dir, "pouches") }

func (c *Capital) pins() *party.Pins {
	pins, err := party.OpenPins(filepath.Join(c.dir, "keys"), key.Standard())
	if err != nil {
		c.world.t.Fatal(err)
	}
	return pins
}

// Start starts the party's node on what its disk holds.
func (c *Capital) Start() {
	c.world.t.Helper()
	if err := c.TryStart(); err != nil {
		c.world.t.Fatal(err)
	}
}

// TryStart is Start for a disk that may fail.
func (c *Capital) TryStart() error {
	l := &life{done: make(chan struct{})}
	l.ctx, l.end = context.WithCancel(context.Background())
	pins := c.pins()
	keys, err := c.Keys.Under(pins.Own().Latest()) // a crash may have come between new keys and the charter that names them
	if err != nil {
		l.end()
		return err
	}
	log := slog.New(slog.NewTextHandler(c.world.t.Output(), &slog.HandlerOptions{Level: slog.LevelError})).With("at", c.ID)
	n, err := node.Open(l.ctx, node.Config{
		DSN: c.database(), Keys: keys, Pins: pins, MarksDir: filepath.Join(c.dir, "keys", "marks"), Regimes: c.world.regimes,
		Routes: map[string]route.Route{routeName: wire{c.world.Net, c.ID, l}}, Callable: c.callable, Heartbeat: c.world.heartbeat,
		PouchDir: c.Pouches(), Now: c.Now, Log: log,
		Fault: func(step string) error { return c.fault(l, step) },
	})
	if err != nil {
		l.end()
		return err
	}
	l.node = n
	if err := c.manned(l, n, log); err != nil {
		l.end()
		return errors.Join(err, n.Close())
	}
	c.life.Store(l)
	go func() {
		defer close(l.done)
		var wg sync.WaitGroup
		defer wg.Wait()
		if l.floor != nil {
			wg.Go(func() { l.floor.Run(l.ctx) })
		}
		n.Run(l.ctx)
	}()
	return nil
}

// fault is a durable step of a node: after a crash there are none.
func (c *Capital) fault(l *life, step string) error {
	if l.dead.Load() {
		return ErrCrashed
	}
	if trap := c.trap.Load(); trap != nil {
		err := (*trap)(step)
		if errors.Is(err, ErrCrashed) {
			l.die()
		}
		return err
	}
	return nil
}

// Trap sets what becomes of the durable steps of the party's node; nil lets them be.
func (c *Capital) Trap(trap Trap) {
	if trap == nil {
		c.trap.Store(nil)
		return
	}
	c.trap.Store(&trap)
}

// Now is the time that the party's clock shows.
func (c *Capital) Now() time.Time { return time.Now().Add(time.Duration(c.wrong.Load())) }

// Right tells whether the party's clock is right.
func (c *Capital) Right() bool { return c.wrong.Load() == 0 }

// SetClock makes the party's clock wrong.
func (c *Capital) SetClock(by time.Duration) { c.wrong.Store(int64(by)) }

// Up tells whether the party's node runs.
func (c *Capital) Up() bool { l := c.life.Load(); return l != nil && !l.dead.Load() }

// Node is the party's node, which must be up.
func (c *Capital) Node() *node.Node {
	c.world.t.Helper()
	l := c.life.Load()
	if l == nil {
		c.world.t.Fatalf("sim: the node of %s is down", c.ID)
	}
	return l.node
}

// Crash ends the node where it stands. What it has not committed is gone, and what it was about to say is not said.
func (c *Capital) Crash() {
	l := c.life.Swap(nil)
	if l == nil {
		return
	}
	l.die() // from here on nothing reaches the disk
	l.end()
	<-l.done
	l.inside.Wait()
	l.node.Close() // lets go of the files; what it says of the marks or the log of SQLite changes nothing that was durable
}

// Backup copies the database as it is now.
func (c *Capital) Backup(name string) {
	c.world.t.Helper()
	os.RemoveAll(filepath.Join(c.dir, "backup-"+name))
	synctest.Wait() // nothing is being written
	if err := os.CopyFS(filepath.Join(c.dir, "backup-"+name), databaseOnly{os.DirFS(c.dir)}); err != nil {
		c.world.t.Fatal(err)
	}
}

// databaseOnly shows of a party's folder the files of the database: what a backup holds.
type databaseOnly struct{ fs.FS }

// ReadDir lists the files of the database.
func (d databaseOnly) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := fs.ReadDir(d.FS, name)
	return slices.DeleteFunc(all, func(e fs.DirEntry) bool {
		return e.IsDir() || strings.HasSuffix(e.Name(), ".lock") || strings.HasSuffix(e.Name(), "-shm")
	}), err
}

// Restore puts an old copy of the database in place of the present one. The node is down.
func (c *Capital) Restore(name string) {
	c.world.t.Helper()
	c.Burn()
	if err := os.CopyFS(c.dir, os.DirFS(filepath.Join(c.dir, "backup-"+name))); err != nil {
		c.world.t.Fatal(err)
	}
}

// Burn destroys the disk but for the keys, and the charters and marks beside them. The node is down.
func (c *Capital) Burn() {
	c.world.t.Helper()
	if c.life.Load() != nil {
		c.world.t.Fatalf("sim: the node of %s is up", c.ID)
	}
	files, err := filepath.Glob(c.database() + "*")
	if err != nil {
		c.world.t.Fatal(err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			c.world.t.Fatal(err)
		}
	}
	c.world.record.lost(c.ID)
}

// Recover has a party's node fetch what its disk has lost, for at most the time given.
func (w *World) Recover(id traffic.Party, most time.Duration) (node.Recovery, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), most)
	defer cancel()
	return w.Capital(id).Node().Recover(ctx, nil)
}

// Recovered holds a party to its receipts again after a recovery, once the peers' feeds have followed its own.
func (w *World) Recovered(id traffic.Party, most time.Duration) error {
	err := w.Settle(most)
	if err == nil {
		w.record.found(id)
	}
	return err
}

// Epoch has a party leave every feed that nobody could give back in full, and begin the next epoch of each. What it alone had is lost.
func (w *World) Epoch(id traffic.Party, r node.Recovery) error {
	for _, b := range r.Behind {
		f, err := traffic.ParseOrigin(b.Feed)
		if err != nil {
			return err
		}
		if _, err := w.Capital(id).Node().NewEpoch(w.t.Context(), f, "council", "head", "The disk was lost, and no member holds what was on it."); err != nil {
			return err
		}
		w.record.left(f, b.Held)
	}
	return nil
}

// Pair has two parties exchange charters and compare the words.
func (w *World) Pair(a, b traffic.Party) {
	w.t.Helper()
	for _, x := range [][2]*Capital{{w.Capital(a), w.Capital(b)}, {w.Capital(b), w.Capital(a)}} {
		file, err := party.EncodeChain(x[1].Node().Chain(x[1].ID))
		if err != nil {
			w.t.Fatal(err)
		}
		chain, _, err := x[0].Node().Import(w.t.Context(), file)
		if err != nil {
			w.t.Fatal(err)
		}
		words, err := chain.Latest().Fingerprint().Words("en")
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := x[0].Node().Confirm(w.t.Context(), x[1].ID, strings.Join(words, " ")); err != nil {
			w.t.Fatal(err)
		}
	}
}

// Patience is how long the steps of a story may take in a world where nothing is cut.
const Patience = time.Hour

// Channel has the first party propose a channel under communications, and the others accept it.
func (w *World) Channel(name string, members ...traffic.Party) [32]byte {
	w.t.Helper()
	return w.ChannelUnder(party.RegimeRef{ID: "communications", Version: 1}, name, members...)
}

// ChannelUnder is Channel for another regime.
func (w *World) ChannelUnder(r party.RegimeRef, name string, members ...traffic.Party) [32]byte {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), Patience)
	defer cancel()
	proposer := w.Capital(members[0]).Node()
	ch, err := proposer.Propose(ctx, party.Channel{Name: name, Regime: r}, members, "council", "head")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range members[1:] {
		w.until(ctx, w.Capital(m), func(n *node.Node) bool { return n.Accept(ctx, ch.ID(), "council", "head") == nil })
	}
	for _, m := range members {
		if err := w.Capital(m).Node().WaitChannel(ctx, ch.ID(), Patience); err != nil {
			w.t.Fatal(err)
		}
	}
	return ch.ID()
}

// until waits until a party's node sees something.
func (w *World) until(ctx context.Context, c *Capital, seen func(*node.Node) bool) {
	w.t.Helper()
	for {
		changed := c.Node().Changed()
		if seen(c.Node()) {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			w.t.Fatalf("sim: %s waited in vain: %v", c.ID, ctx.Err())
		}
	}
}

// Letter is a statement as a story has it.
type Letter struct {
	From, To   traffic.Party // To may be statement.Everyone
	Channel    [32]byte
	Plane      traffic.Plane // empty for real
	Precedence traffic.Precedence
	Form       string
	Text       string
}

// Send has a party say something. The error is that of the node; [ErrCrashed] when the node fell while it spoke.
func (w *World) Send(l Letter) (node.Sent, error) {
	w.Net.Watch(l.Text)
	if l.Plane == "" {
		l.Plane = traffic.Real
	}
	audience := string(l.To) + "/nrrc"
	if l.To == statement.Everyone {
		audience = statement.Everyone
	}
	d := node.Draft{
		Channel: l.Channel, Plane: l.Plane, Precedence: l.Precedence, Post: "nrrc", Audience: audience, Form: l.Form,
		Values: w.values(l.From, l.Form, l.Text), Language: w.Capital(l.From).Charter.Languages[0], Drafter: "duty-officer", Releaser: "head-of-watch",
	}
	return w.said(l.From, l.Plane, func(n *node.Node) (node.Sent, error) { return n.Send(w.t.Context(), d) })
}

// Speak is Send for a draft made by the caller.
func (w *World) Speak(from traffic.Party, d node.Draft) error {
	_, err := w.said(from, d.Plane, func(n *node.Node) (node.Sent, error) { return n.Send(w.t.Context(), d) })
	return err
}

// Rotate gives a party new keys in some places of its charter, in a new version of it. Slots are as in package party.
func (w *World) Rotate(id traffic.Party, why party.Withdrawal, slots ...party.Slot) error {
	c := w.Capital(id)
	l := c.life.Load()
	if l == nil {
		return fmt.Errorf("%w: %s is down", ErrCrashed, id)
	}
	draft, keys, roots, err := party.Rotate(l.node.Chain(id).Latest(), c.Keys, why, slots...)
	if err != nil {
		return err
	}
	charter, err := party.SignCharter(draft, append(roots, c.Roots...)...)
	if err != nil {
		return err
	}
	if c.Keys, err = keys.Under(charter); err != nil { // saved before the charter is of use
		return err
	}
	return l.node.Renew(w.t.Context(), charter, c.Keys, "council", "security-officer")
}

// Reply has a party answer a statement that it holds, with a form and a text.
func (w *World) Reply(from traffic.Party, to statement.ID, form, text string) (node.Sent, error) {
	w.Net.Watch(text)
	r := node.Reply{
		To: to, Form: form, Values: w.values(from, form, text), Language: w.Capital(from).Charter.Languages[0],
		Drafter: "duty-officer", Releaser: "head-of-watch",
	}
	return w.said(from, "", func(n *node.Node) (node.Sent, error) {
		if form == "acknowledgement" {
			held, err := n.Statement(w.t.Context(), to)
			if err != nil {
				return node.Sent{}, err
			}
			r.Values["received"], r.Releaser = held.Held.Unix(), ""
		}
		return n.Reply(w.t.Context(), r)
	})
}

func (w *World) said(from traffic.Party, plane traffic.Plane, say func(*node.Node) (node.Sent, error)) (node.Sent, error) {
	w.t.Helper()
	c := w.Capital(from)
	l := c.life.Load()
	if l == nil {
		return node.Sent{}, fmt.Errorf("%w: %s is down", ErrCrashed, from)
	}
	sent, err := say(l.node)
	if err == nil {
		w.record.said(sent, plane)
	}
	return sent, err
}

// values fills the fields that a form cannot do without.
func (w *World) values(from traffic.Party, id, text string) form.Values {
	now := w.Capital(from).Now().Unix()
	switch id {
	case "check":
		return form.Values{"level": int64(2), "question": text}
	case "check-answer":
		return form.Values{"answered_by": "duty-officer", "answer": text}
	case "notice":
		return form.Values{"subject": "information", "text": text}
	case "inquiry":
		return form.Values{"observed": []any{now - 3600, now}, "observation": text, "asked": []any{"check", "explain"}}
	case "answer":
		return form.Values{"finding": "not-ours", "text": text}
	case "interim":
		return form.Values{"status": "checking", "text": text}
	case "acknowledgement":
		return form.Values{"understood": true}
	case "correction":
		return form.Values{"read": text, "in_place_of": text}
	case "cancellation":
		return form.Values{"reason": text}
	}
	return form.Values{"text": text}
}

// Regimes are those that every node of the world has.
func (w *World) Regimes() []*form.Regime { return w.regimes }

// Settle waits until every statement is held and cosigned by all who are to hold it. The error says what is still behind after that time.
func (w *World) Settle(most time.Duration) error {
	for end := time.Now().Add(most); ; time.Sleep(time.Minute) {
		behind, err := w.Behind()
		if err != nil || behind == "" {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("sim: still behind after %v: %s", most, behind)
		}
	}
}
