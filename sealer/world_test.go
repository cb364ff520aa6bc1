package sealer_test

import (
	"context"
	"crypto/sha256"
	"fmt"
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
	"detente/sealer"
	"detente/sealing"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// world is two parties and two neutral ones with a channel between them, in one bubble. Each of the four nominates its post cert as a sealer.
type world struct {
	t        *testing.T
	capitals map[traffic.Party]*capital
	channel  [32]byte
	dossier  statement.ID
	order    []traffic.Party
	rounds   int

	mu  sync.Mutex
	cut map[traffic.Party]bool
}

// capital is a party and what runs on its machine.
type capital struct {
	world *world
	id    traffic.Party
	dir   string
	keys  *party.Keyring
	node  *node.Node // nil while it stands still
	floor *floor.Floor
	*sealer.Desk
	away bool // it is no sealer: its desk does not run
	end  func()

	levers sync.Mutex
	fault  func(step string) error // of marks and of the database
}

// wires carry bundles from one node to another, unless one of them is cut off.
type wires struct {
	*world
	from traffic.Party
}

func (w wires) Name() string { return "https" }
func (w wires) Limit() int   { return route.MaxBundle }
func (w wires) Carry(ctx context.Context, p route.Peer, sealed []byte) ([]byte, error) {
	w.mu.Lock()
	cut, to := w.cut[w.from] || w.cut[p.Party], w.capitals[p.Party].node
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

func (w *world) sever(p traffic.Party, cut bool) {
	w.mu.Lock()
	w.cut[p] = cut
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

const (
	until = 40 * time.Minute // the deadline of a round, from its manifest
	delta = 10 * time.Minute
	done  = until + 3*delta // after which a round has ended
)

// inWorld plays a story between xn, xs and the others named. The negotiation is open when it begins.
func inWorld(t *testing.T, others []traffic.Party, story func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, capitals: make(map[traffic.Party]*capital), cut: make(map[traffic.Party]bool), order: append([]traffic.Party{"xn", "xs"}, others...)}
		for _, id := range w.order {
			w.found(id)
		}
		for _, c := range w.capitals {
			c.start()
		}
		defer func() {
			for _, c := range w.capitals {
				c.stop()
			}
		}()
		w.join()
		sent, err := w.capitals["xn"].node.Send(t.Context(), node.Draft{
			Channel: w.channel, Plane: traffic.Real, Precedence: traffic.Routine, Post: "mfa", Audience: statement.Everyone, Form: "negotiation", Language: "en", Drafter: "head",
			Values: form.Values{
				"title": map[string]any{"en": "Agreement on incidents"}, "kind": "treaty", "nature": "legal", "languages": "en", "parties": []any{"xn", "xs"},
			},
		})
		must(t, err)
		w.dossier = sent.ID
		story(t, w)
	})
}

func (w *world) found(id traffic.Party) {
	charter, keys, _, err := party.Found(party.Plan{
		Party: id, Name: map[string]string{"en": string(id)}, Languages: []string{"en"}, Routes: []party.Route{{Name: "https", Address: string(id)}}, Roots: 1, Need: 1,
	})
	must(w.t, err)
	c := &capital{world: w, id: id, dir: filepath.Join(w.t.TempDir(), string(id)), keys: keys}
	chain, err := party.NewChain(charter)
	must(w.t, err)
	must(w.t, c.pins().SetOwn(chain))
	w.capitals[id] = c
}

func (c *capital) pins() *party.Pins {
	pins, err := party.OpenPins(filepath.Join(c.dir, "keys"), key.Standard())
	must(c.world.t, err)
	return pins
}

func (c *capital) marks() string { return filepath.Join(c.dir, "keys", "seals") }

func (c *capital) lever(step string) error {
	c.levers.Lock()
	defer c.levers.Unlock()
	if c.fault == nil {
		return nil
	}
	return c.fault(step)
}

func (c *capital) setFault(f func(step string) error) {
	c.levers.Lock()
	defer c.levers.Unlock()
	c.fault = f
}

func (c *capital) start() {
	t := c.world.t
	t.Helper()
	all, err := form.LoadAll(regimes.All()...)
	must(t, err)
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})).With("at", c.id)
	n, err := node.Open(t.Context(), node.Config{
		DSN: filepath.Join(c.dir, "detente.db"), Keys: c.keys, Pins: c.pins(), Schemas: []store.Schema{sealer.Schema()}, MarksDir: filepath.Join(c.dir, "marks"), Regimes: all,
		Routes: map[string]route.Route{"https": wires{c.world, c.id}}, Callable: true, Heartbeat: 10 * time.Minute, Silence: 90 * time.Hour, Fault: c.lever, Log: log,
	})
	must(t, err)
	f, err := floor.New(n, floor.Config{Log: log})
	must(t, err)
	var desk *sealer.Desk
	if !c.away {
		desk, err = sealer.New(f, sealer.Config{MarksDir: c.marks(), Fault: c.lever, Log: log})
		must(t, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { n.Run(ctx) })
	wg.Go(func() { f.Run(ctx) })
	c.world.mu.Lock()
	c.node, c.floor, c.Desk = n, f, desk
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

// join pairs everybody with everybody and brings the channel into being.
func (w *world) join() {
	order := w.order
	for _, at := range order {
		for _, other := range order {
			if at == other {
				continue
			}
			file, err := w.capitals[other].node.Charters(other)
			must(w.t, err)
			chain, _, err := w.capitals[at].node.Import(w.t.Context(), file)
			must(w.t, err)
			words, err := chain.Latest().Fingerprint().Words("en")
			must(w.t, err)
			_, err = w.capitals[at].node.Confirm(w.t.Context(), other, strings.Join(words, " "))
			must(w.t, err)
		}
	}
	ch, err := w.capitals["xn"].node.Propose(w.t.Context(), party.Channel{Name: "talks", Regime: party.RegimeRef{ID: "instruments", Version: 1}}, order[1:], "council", "head")
	must(w.t, err)
	for _, p := range order[1:] {
		n := w.capitals[p].node
		for {
			changed := n.Changed()
			if n.Accept(w.t.Context(), ch.ID(), "council", "head") == nil {
				break
			}
			<-changed
		}
	}
	for _, p := range order {
		must(w.t, w.capitals[p].node.WaitChannel(w.t.Context(), ch.ID(), time.Hour))
	}
	w.channel = ch.ID()
}

// member is a post with its keys as its charter has them.
func (w *world) member(p traffic.Party, post traffic.Post) sealing.Member {
	entry, ok := w.capitals[p].node.Chain(p).Latest().Post(post)
	if !ok {
		w.t.Fatalf("%s has no post %s", p, post)
	}
	m := sealing.Member{Party: p, Post: post}
	for _, k := range entry.Keys {
		if k.Plane == traffic.Real {
			m.Keys = append(m.Keys, k.Key)
		}
	}
	return m
}

// manifest is one that all seal of which f may fail; the deadline is forty minutes away.
func (w *world) manifest(f int) *sealing.Manifest {
	w.rounds++
	m := &sealing.Manifest{
		Kind: "treaty", Plane: traffic.Real, Instrument: w.dossier, Text: sha256.Sum256([]byte("the text")), Faulty: f,
		Deadline: time.Now().Add(until).UTC().Truncate(time.Second), Delta: delta, Effect: sealing.Effect{Kind: sealing.OnSealing}, Nonce: [16]byte{byte(w.rounds)},
	}
	for _, p := range []traffic.Party{"xn", "xs"} {
		m.Parties = append(m.Parties, w.member(p, "mfa"))
		m.Texts = append(m.Texts, sealing.TextHash{Party: p, Lang: "en", Digest: m.Text})
	}
	for _, p := range slices.Sorted(slices.Values(w.order)) {
		if f > 0 || p == "xn" { // a single depositary is that of xn
			m.Sealers = append(m.Sealers, w.member(p, "cert"))
		}
		if f > 0 && len(w.order) == 2 {
			m.Sealers = append(m.Sealers, w.member(p, "nrrc"))
		}
	}
	return m
}

// declare states a manifest and opens its round, and returns the round's name.
func (w *world) declare(m *sealing.Manifest) string {
	w.t.Helper()
	b, err := m.Encode()
	must(w.t, err)
	xn := w.capitals["xn"]
	_, err = xn.node.Send(w.t.Context(), node.Draft{
		Channel: w.channel, Plane: traffic.Real, Precedence: traffic.Routine, Post: "mfa", Audience: statement.Everyone, Form: sealer.FormManifest, Language: "en", Drafter: "head",
		Values: form.Values{"manifest": b}, Dossier: w.dossier, Refs: []statement.ID{w.dossier},
	})
	must(w.t, err)
	name := sealer.Name(sealing.HashOf(b))
	_, err = xn.Propose(w.t.Context(), sealer.Proposal{Manifest: name, Post: "mfa", Drafter: "head"})
	must(w.t, err)
	pass(time.Minute)
	return name
}

// deposit has a party send its consent to all sealers.
func (c *capital) deposit(name string) {
	c.world.t.Helper()
	_, err := c.Desk.Deposit(c.world.t.Context(), sealer.Deposit{Round: name, Drafter: "head"})
	must(c.world.t, err)
}

// state is how a round stands at a capital.
func (c *capital) state(name string) sealer.State {
	c.world.t.Helper()
	list, err := c.Rounds(c.world.t.Context())
	must(c.world.t, err)
	for _, s := range list {
		if sealer.Name(s.Hash) == name {
			return s
		}
	}
	c.world.t.Fatalf("%s knows no round %s", c.id, name)
	return sealer.State{}
}

// finals tells how many have said what, as a capital holds it.
func (c *capital) finals(name string) string {
	o := c.state(name).Outcome
	return fmt.Sprintf("%d in force, %d lapsed", len(o.InForce), len(o.Lapsed))
}

// rogue is a capital whose people act by hand, under all its keys.
type rogue struct {
	*capital
	round *sealing.Round
}

// goRogue has a capital stop to seal by the rules.
func (w *world) goRogue(p traffic.Party, m *sealing.Manifest) *rogue {
	c := w.capitals[p]
	c.stop()
	c.away = true
	c.start()
	b, err := m.Encode()
	must(w.t, err)
	r, err := sealing.Open(b, key.Standard())
	must(w.t, err)
	return &rogue{c, r}
}

func (r *rogue) signers(m sealing.Member) (list []key.Signer) {
	for _, k := range m.Keys {
		list = append(list, r.keys.Private(k.ID()))
	}
	return list
}

func (r *rogue) cert() traffic.Address { return traffic.Address{Party: r.id, Post: "cert"} }

func (r *rogue) consent() sealing.Consent {
	m, _ := r.round.Manifest().Party(r.id)
	c, err := r.round.SignConsent(r.id, r.signers(m)...)
	must(r.world.t, err)
	return c
}

func (r *rogue) seen() sealing.Seen {
	m, _ := r.round.Manifest().Sealer(r.cert())
	s, err := r.round.SignSeen(r.cert(), r.signers(m)...)
	must(r.world.t, err)
	return s
}

// say states something in the round.
func (r *rogue) say(post traffic.Post, to, formID string, v form.Values) {
	r.world.t.Helper()
	hash := r.round.Hash()
	v["round"] = hash[:]
	_, err := r.node.Send(r.world.t.Context(), node.Draft{
		Channel: r.world.channel, Plane: traffic.Real, Precedence: traffic.Priority, Post: post, Audience: to, Form: formID, Language: "en", Drafter: "head",
		Values: v, Dossier: r.world.dossier, Refs: []statement.ID{r.world.dossier},
	})
	must(r.world.t, err)
}

func (r *rogue) send(to traffic.Party, p sealing.Packet) {
	r.world.t.Helper()
	a := traffic.Address{Party: to, Post: "cert"}
	b, err := r.round.SealPacket(p, a, r.node.Chain(to).Latest().Node.Sealing.Public)
	must(r.world.t, err)
	r.raw(to, b)
}

func (r *rogue) raw(to traffic.Party, b []byte) {
	r.world.t.Helper()
	a := traffic.Address{Party: to, Post: "cert"}.String()
	r.say("cert", a, sealer.FormPacket, form.Values{"to": a, "packet": b})
}

func (r *rogue) final(d sealing.Decision) {
	r.world.t.Helper()
	m, _ := r.round.Manifest().Sealer(r.cert())
	f, err := r.round.SignFinal(r.cert(), d, r.signers(m)...)
	must(r.world.t, err)
	b, err := f.Encode()
	must(r.world.t, err)
	r.say("cert", statement.Everyone, sealer.FormFinal, form.Values{"final": b})
}

// open states a round.
func (r *rogue) open(formID string, v form.Values) {
	r.world.t.Helper()
	_, err := r.node.Send(r.world.t.Context(), node.Draft{
		Channel: r.world.channel, Plane: traffic.Real, Precedence: traffic.Priority, Post: "mfa", Audience: statement.Everyone, Form: formID, Language: "en", Drafter: "head",
		Values: v, Dossier: r.world.dossier, Refs: []statement.ID{r.world.dossier},
	})
	must(r.world.t, err)
}
