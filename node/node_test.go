package node_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"detente/form"
	"detente/key"
	"detente/node"
	"detente/party"
	"detente/regimes"
	"detente/route"
	"detente/statement"
	"detente/traffic"
)

// wires joins nodes of a test directly: a Route whose Carry calls the other node's Answer.
type wires struct{ nodes map[traffic.Party]*node.Node }

func (w *wires) Name() string { return "https" }
func (w *wires) Limit() int   { return 8 << 20 }
func (w *wires) Carry(ctx context.Context, p route.Peer, sealed []byte) ([]byte, error) {
	return w.nodes[p.Party].Answer(ctx, sealed)
}

func loadRegimes(t testing.TB) []*form.Regime {
	var out []*form.Regime
	for _, f := range []func() (*form.Regime, error){
		func() (*form.Regime, error) { return form.Load(regimes.Communications()) },
		func() (*form.Regime, error) { return form.Load(regimes.Link()) },
		func() (*form.Regime, error) { return form.Load(regimes.Public(), regimes.Link()) },
	} {
		r, err := f()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func open(t testing.TB, w *wires, id traffic.Party) *node.Node {
	n := openWith(t, id, func(c *node.Config) { c.Routes = map[string]route.Route{"https": w} })
	w.nodes[id] = n
	return n
}

func openWith(t testing.TB, id traffic.Party, set func(*node.Config)) *node.Node {
	dir := t.TempDir()
	charter, keys, _, err := party.Found(party.Plan{
		Party: id, Name: map[string]string{"en": string(id)}, Languages: []string{"en"}, Routes: []party.Route{{Name: "https", Address: string(id)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	chain, err := party.NewChain(charter)
	if err != nil {
		t.Fatal(err)
	}
	pins, err := party.OpenPins(filepath.Join(dir, "pins"), key.Standard())
	if err != nil {
		t.Fatal(err)
	}
	if err := pins.SetOwn(chain); err != nil {
		t.Fatal(err)
	}
	c := node.Config{
		DSN: filepath.Join(dir, "detente.db"), Keys: keys, Pins: pins, MarksDir: filepath.Join(dir, "marks"), Regimes: loadRegimes(t), Callable: true,
	}
	set(&c)
	n, err := node.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func pair(t testing.TB, a, b *node.Node) {
	for _, x := range [][2]*node.Node{{a, b}, {b, a}} {
		file, err := x[1].Charters(x[1].Self())
		if err != nil {
			t.Fatal(err)
		}
		chain, _, err := x[0].Import(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		words, err := chain.Latest().Fingerprint().Words("en")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x[0].Confirm(t.Context(), x[1].Self(), strings.Join(words, " ")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTwoCapitalsTalk(t *testing.T) {
	w := &wires{make(map[traffic.Party]*node.Node)}
	a, b := open(t, w, "xn"), open(t, w, "xs")
	pair(t, a, b)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	for _, n := range []*node.Node{a, b} {
		go func() { done <- n.Run(ctx) }()
	}
	defer func() {
		cancel()
		<-done
		<-done
		a.Close()
		b.Close()
	}()
	c, err := a.Propose(ctx, party.Channel{Name: "nrrc", Regime: party.RegimeRef{ID: "communications", Version: 1}}, []traffic.Party{"xs"}, "council", "head")
	if err != nil {
		t.Fatal(err)
	}
	short, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	for {
		changed := b.Changed()
		if err := b.Accept(short, c.ID(), "council", "head"); err == nil {
			break
		}
		select {
		case <-changed:
		case <-short.Done():
			t.Fatal("proposal did not arrive")
		}
	}
	if err := a.WaitChannel(short, c.ID(), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	sent, err := a.Send(short, node.Draft{
		Channel: c.ID(), Plane: traffic.Real, Precedence: traffic.Flash, Post: "nrrc", Audience: "xs/nrrc", Form: "check",
		Values: form.Values{"level": int64(2), "question": "What is the weather?"}, Language: "en", Drafter: "duty-officer",
	})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := a.WaitReceipt(short, sent, "xs"); err != nil {
		t.Fatal(err)
	}
	t.Log("receipt after", time.Since(start))
	held, err := b.Statement(short, sent.ID)
	if err != nil || held.Reason != "" {
		t.Fatal(err, held.Reason)
	}
	if held.Statement.Audience != "xs/nrrc" || held.ID == (statement.ID{}) {
		t.Fatal(held)
	}
	for _, n := range []*node.Node{a, b} {
		r, err := n.Audit(short, nil)
		if err != nil || len(r.Faults) > 0 {
			t.Fatal(err, r.Faults)
		}
		t.Logf("%+v", r)
	}
	proof, err := a.Prove(short, sent.ID)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("proof", len(proof), "bytes")
}
