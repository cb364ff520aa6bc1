package floor_test

import (
	"context"
	"errors"
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
	"detente/journal"
	"detente/key"
	"detente/node"
	"detente/party"
	"detente/regimes"
	"detente/route"
	"detente/traffic"
	"detente/watch"

	"github.com/google/go-cmp/cmp"
)

// world is two parties with their watch floors, in one bubble.
type world struct {
	t        *testing.T
	capitals map[traffic.Party]*capital
	channel  [32]byte
	mu       sync.Mutex
	cut      bool
}

// capital is a party, what is on its disk, and the node and floor that run on it.
type capital struct {
	world  *world
	id     traffic.Party
	dir    string
	keys   *party.Keyring
	phone  *phone
	node   *node.Node
	floor  *floor.Floor
	end    func()
	faultM sync.Mutex
	fault  func(step string) error
}

// phone is a way of calling people, with levers.
type phone struct {
	mu     sync.Mutex
	calls  []placed
	broken func(floor.Call) error
	rings  time.Duration // how long placing takes
}

type placed struct {
	at   time.Time
	call floor.Call
}

func (p *phone) Place(ctx context.Context, c floor.Call) error {
	p.mu.Lock()
	broken, rings := p.broken, p.rings
	p.mu.Unlock()
	if rings > 0 {
		select {
		case <-time.After(rings):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if broken != nil {
		if err := broken(c); err != nil {
			return err
		}
	}
	p.mu.Lock()
	p.calls = append(p.calls, placed{time.Now(), c})
	p.mu.Unlock()
	return nil
}

func (p *phone) set(fn func(p *phone)) {
	p.mu.Lock()
	fn(p)
	p.mu.Unlock()
}

// said lists who was called, when after a moment, in what role, as one line each.
func (p *phone) said(since time.Time) (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.calls {
		line := fmt.Sprintf("%v %s %s %s", c.at.Sub(since).Truncate(time.Second), c.call.Officer, c.call.Role, c.call.Item.Kind)
		if c.call.More > 0 {
			line += fmt.Sprintf(" +%d", c.call.More)
		}
		out = append(out, line)
	}
	return out
}

// wires carries bundles from one node of the world to another.
type wires struct{ *world }

func (w wires) Name() string { return "https" }
func (w wires) Limit() int   { return route.MaxBundle }
func (w wires) Carry(ctx context.Context, p route.Peer, sealed []byte) ([]byte, error) {
	w.mu.Lock()
	cut, to := w.cut, w.capitals[p.Party]
	w.mu.Unlock()
	select {
	case <-time.After(time.Millisecond):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if cut || to == nil {
		return nil, route.ErrCut
	}
	n := to.up()
	if n == nil {
		return nil, route.ErrCut
	}
	return n.Answer(ctx, sealed)
}

func (c *capital) up() *node.Node {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	return c.node
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// inWorld plays a story between xn and xs, who are paired and have the channel nrrc.
func inWorld(t *testing.T, story func(t *testing.T, w *world, xn, xs *capital)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, capitals: make(map[traffic.Party]*capital)}
		xn, xs := w.found("xn"), w.found("xs")
		xn.start()
		xs.start()
		defer func() {
			xn.stop()
			xs.stop()
		}()
		w.pair()
		story(t, w, xn, xs)
		for _, c := range []*capital{xn, xs} {
			if c.up() != nil {
				c.speaksInCodes()
			}
		}
	})
}

// speaksInCodes holds that nothing which the machine has written down is in any one language, and that each of its phrases is on the list.
func (c *capital) speaksInCodes() {
	t := c.world.t
	t.Helper()
	_, err := c.floor.Journal().Each(t.Context(), 0, func(e journal.Entry) bool {
		if e.Statement.Drafter == journal.Machine && (e.Values.Text("text") != "" || e.Values.Text("remarks") != "") {
			t.Errorf("the machine has written words: %v", e.Values)
		}
		if say := e.Values.Text("title"); say != "" && !slices.Contains(watch.Says(), say) {
			t.Errorf("the phrase %q is not on the list of watch.Says", say)
		}
		return true
	})
	must(t, err)
}

func (w *world) found(id traffic.Party) *capital {
	charter, keys, _, err := party.Found(party.Plan{
		Party: id, Name: map[string]string{"en": string(id)}, Languages: []string{"en"}, Routes: []party.Route{{Name: "https", Address: string(id)}},
	})
	must(w.t, err)
	c := &capital{world: w, id: id, dir: filepath.Join(w.t.TempDir(), string(id)), keys: keys, phone: &phone{}}
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

func allRegimes(t testing.TB) []*form.Regime {
	t.Helper()
	all, err := form.LoadAll(regimes.All()...)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (c *capital) start() {
	t := c.world.t
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})).With("at", c.id)
	n, err := node.Open(t.Context(), node.Config{
		DSN: filepath.Join(c.dir, "detente.db"), Keys: c.keys, Pins: c.pins(), MarksDir: filepath.Join(c.dir, "marks"), Regimes: allRegimes(t),
		Routes: map[string]route.Route{"https": wires{c.world}}, Callable: true, Heartbeat: 10 * time.Minute, Log: log, Fault: c.fails,
	})
	must(t, err)
	f, err := floor.New(n, floor.Config{
		Means: func(officer string) []floor.Means {
			return []floor.Means{{Name: "mail", Address: officer, Language: "en"}}
		},
		Callers: map[string]floor.Caller{"mail": c.phone}, Log: log,
	})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { n.Run(ctx) })
	wg.Go(func() { f.Run(ctx) })
	c.world.mu.Lock()
	c.node, c.floor = n, f
	c.world.mu.Unlock()
	c.end = func() {
		cancel()
		wg.Wait()
		f.Close()
		n.Close()
	}
}

func (c *capital) fails(step string) error {
	c.faultM.Lock()
	defer c.faultM.Unlock()
	if c.fault == nil {
		return nil
	}
	return c.fault(step)
}

func (c *capital) trap(fn func(step string) error) {
	c.faultM.Lock()
	c.fault = fn
	c.faultM.Unlock()
}

func (c *capital) stop() {
	c.world.mu.Lock()
	running := c.node != nil
	c.node = nil
	c.world.mu.Unlock()
	if running {
		synctest.Wait()
		c.end()
	}
}

func (c *capital) restart() {
	c.stop()
	c.start()
}

func (w *world) pair() {
	for _, x := range [][2]*capital{{w.capitals["xn"], w.capitals["xs"]}, {w.capitals["xs"], w.capitals["xn"]}} {
		file, err := x[1].node.Charters(x[1].id)
		must(w.t, err)
		chain, _, err := x[0].node.Import(w.t.Context(), file)
		must(w.t, err)
		words, err := chain.Latest().Fingerprint().Words("en")
		must(w.t, err)
		_, err = x[0].node.Confirm(w.t.Context(), x[1].id, strings.Join(words, " "))
		must(w.t, err)
	}
	xn, xs := w.capitals["xn"].node, w.capitals["xs"].node
	ch, err := xn.Propose(w.t.Context(), party.Channel{Name: "nrrc", Regime: party.RegimeRef{ID: "communications", Version: 1}}, []traffic.Party{"xs"}, "council", "head")
	must(w.t, err)
	for {
		changed := xs.Changed()
		if xs.Accept(w.t.Context(), ch.ID(), "council", "head") == nil {
			break
		}
		<-changed
	}
	must(w.t, xn.WaitChannel(w.t.Context(), ch.ID(), time.Hour))
	w.channel = ch.ID()
}

// send has the capital state a notice to the other's nrrc.
func (c *capital) send(p traffic.Precedence, formID string, v form.Values) node.Sent {
	c.world.t.Helper()
	to := traffic.Party("xs")
	if c.id == to {
		to = "xn"
	}
	sent, err := c.node.Send(c.world.t.Context(), node.Draft{
		Channel: c.world.channel, Plane: traffic.Real, Precedence: p, Post: "nrrc", Audience: string(to) + "/nrrc", Form: formID, Values: v, Language: "en",
		Drafter: "duty-officer", Releaser: "head-of-post",
	})
	must(c.world.t, err)
	return sent
}

func (c *capital) notice(p traffic.Precedence, text string) node.Sent {
	c.world.t.Helper()
	return c.send(p, "notice", form.Values{"subject": "information", "text": text})
}

const fourOfThem = `
post = "nrrc"
zone = "UTC"
duty-officer = "anna"
deputy = "boris"
head-of-post = "clara"
senior-official = "dmitri"
`

func (c *capital) roster(text string) {
	c.world.t.Helper()
	_, err := c.floor.SetRoster(c.world.t.Context(), "nrrc", text, floor.By{Officer: "clara", Role: "head-of-post"})
	must(c.world.t, err)
}

func (c *capital) watch() floor.View {
	c.world.t.Helper()
	v, err := c.floor.Watch(c.world.t.Context(), "", "")
	must(c.world.t, err)
	return v
}

func (c *capital) names(list []floor.Shown) (out []string) {
	for _, it := range list {
		out = append(out, string(it.Kind)+" "+it.Number)
	}
	return out
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// A FLASH that nobody takes climbs the ladder; once taken nobody more is called.
func TestTheLadderIsClimbedUntilSomebodyTakesIt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		xs.roster(fourOfThem)
		sent := xn.notice(traffic.Flash, "Loss of control of a test system.")
		begun := time.Now()
		time.Sleep(7 * time.Minute)
		second := begun.Truncate(time.Second)
		same(t, "called", xs.phone.said(second), []string{
			"0s anna duty-officer acknowledge", "3m0s boris deputy acknowledge", "6m0s clara head-of-post acknowledge",
		})
		it, err := xs.floor.Take(t.Context(), watch.Key(watch.Acknowledge, sent.ID.String()), floor.By{Officer: "boris", Role: "deputy"}, "")
		must(t, err)
		if it.Taken == nil || it.Taken.By != "boris" || it.Next != nil {
			t.Errorf("taken by boris: %+v", it)
		}
		time.Sleep(2 * time.Minute)
		if n := len(xs.phone.said(begun)); n != 3 {
			t.Errorf("%d calls, and it was taken after three", n)
		}
		if _, err := xs.floor.Take(t.Context(), it.Key, floor.By{Officer: "anna", Role: "duty-officer"}, ""); !errors.Is(err, floor.ErrTaken) {
			t.Errorf("taken twice: %v", err)
		}
		// The time runs out although he had taken it: those above the duty officer are told of it.
		time.Sleep(2 * time.Minute)
		same(t, "called", xs.phone.said(second)[3:], []string{"10m0s boris deputy missed"})
		_, err = xs.node.Reply(t.Context(), node.Reply{
			To: sent.ID, Form: "acknowledgement", Values: form.Values{"received": time.Now(), "understood": true}, Language: "en", Drafter: "deputy",
		})
		must(t, err)
		if v := xs.watch(); len(v.Items)+len(v.Taken) != 0 || len(v.Done) != 2 {
			t.Errorf("acknowledged, and still there: %v %v %v", xs.names(v.Items), xs.names(v.Taken), xs.names(v.Done))
		}
	})
}

// A node that restarts in the middle of an escalation goes on where it was, and calls nobody twice.
func TestRestartInTheMiddleOfAnEscalation(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		xs.roster(fourOfThem)
		xn.notice(traffic.Flash, "Loss of control of a test system.")
		begun := time.Now().Truncate(time.Second)
		for range 11 {
			time.Sleep(time.Minute)
			xs.restart()
		}
		time.Sleep(time.Minute)
		calls := xs.phone.said(begun)
		var who []string
		for _, c := range calls {
			who = append(who, strings.Join(strings.Fields(c)[1:], " "))
		}
		same(t, "called", who, []string{
			"anna duty-officer acknowledge", "boris deputy acknowledge", "clara head-of-post acknowledge", "dmitri senior-official acknowledge",
		})
		var states []string
		_, err := xs.floor.Journal().Each(t.Context(), 0, func(e journal.Entry) bool {
			if e.Statement.Form == "item" || e.Statement.Form == "call" {
				if e.Statement.Drafter != journal.Machine {
					t.Errorf("a machine's act bears the role %q", e.Statement.Drafter)
				}
				states = append(states, strings.TrimSpace(e.Statement.Form+" "+e.Values.Text("state")+e.Values.Text("outcome")+" "+e.Values.Text("role")+" "+e.Values.Text("means")))
			}
			return true
		})
		must(t, err)
		slices.Sort(states)
		same(t, "journal", states, []string{
			"call placed deputy console", "call placed deputy mail", "call placed duty-officer console", "call placed duty-officer mail",
			"call placed head-of-post console", "call placed head-of-post mail", "call placed senior-official console", "call placed senior-official mail",
			"item escalated deputy", "item escalated head-of-post", "item escalated senior-official", "item missed", "item raised",
		})
	})
}
