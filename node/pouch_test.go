package node_test

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"detente/form"
	"detente/node"
	"detente/party"
	"detente/route"
	"detente/traffic"
)

// swamp is a route that takes every bundle and brings none anywhere.
type swamp struct{ calm chan struct{} } // one slot: a bundle of the calm lane has set out

func (s *swamp) Name() string { return "https" }
func (s *swamp) Limit() int   { return 8 << 20 }
func (s *swamp) Carry(ctx context.Context, _ route.Peer, _ []byte) ([]byte, error) {
	if _, urgent := ctx.Deadline(); !urgent { // an urgent call does not wait for ever
		select {
		case s.calm <- struct{}{}:
		default:
		}
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// courier takes a pouch from one capital to the other.
func courier(t *testing.T, from, to *node.Node) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pouch")
	if _, err := from.ExportPouch(t.Context(), to.Self(), path); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if r, err := to.ImportPouch(t.Context(), file); err != nil || r.Bundles == 0 || r.Refused > 0 {
		t.Fatalf("%+v %v", r, err)
	}
}

// The receipts go back by pouch, and at that very moment a call sets out with them on a line that leads nowhere. They are in the pouch all the same.
func TestPouchHasTheReceiptsThatACallHasTakenOn(t *testing.T) {
	lost := &swamp{make(chan struct{}, 1)}
	routes := map[string]route.Route{"https": lost}
	var moment atomic.Pointer[func()] // what happens the next time that xs looks at the clock
	a := openWith(t, "xn", func(c *node.Config) { c.Routes = routes })
	defer a.Close()
	b := openWith(t, "xs", func(c *node.Config) {
		c.Routes = routes
		c.Now = func() time.Time {
			if happens := moment.Swap(nil); happens != nil {
				(*happens)()
			}
			return time.Now()
		}
	})
	defer b.Close()
	pair(t, a, b)
	c, err := a.Propose(t.Context(), party.Channel{Name: "nrrc", Regime: party.RegimeRef{ID: "communications", Version: 1}}, []traffic.Party{"xs"}, "council", "head")
	if err != nil {
		t.Fatal(err)
	}
	courier(t, a, b)
	if err := b.Accept(t.Context(), c.ID(), "council", "head"); err != nil {
		t.Fatal(err)
	}
	courier(t, b, a)
	sent, err := a.Send(t.Context(), node.Draft{
		Channel: c.ID(), Plane: traffic.Real, Precedence: traffic.Flash, Post: "nrrc", Audience: "xs/nrrc", Form: "check",
		Values: form.Values{"level": int64(2), "question": "What is the weather?"}, Language: "en", Drafter: "duty-officer",
	})
	if err != nil {
		t.Fatal(err)
	}
	courier(t, a, b)

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	run := func() {
		go func() { done <- b.Run(ctx) }()
		<-lost.calm
	}
	moment.Store(&run)
	courier(t, b, a)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if size, err := a.Cosigned(t.Context(), sent.Feed, "xs"); err != nil || size != sent.Index+1 {
		t.Errorf("xs has cosigned %d of %d: %v", size, sent.Index+1, err)
	}
}

// Whoever waits for a link is told that it is up, even by a bundle that brings nothing else.
func TestALinkThatComesUpIsAChange(t *testing.T) {
	a, b := openWith(t, "xn", func(*node.Config) {}), openWith(t, "xs", func(*node.Config) {})
	defer a.Close()
	defer b.Close()
	pair(t, a, b)
	changed := a.Changed()
	courier(t, b, a)
	select {
	case <-changed:
	default:
		t.Error("nobody was told")
	}
	if c := a.Conditions(); len(c) != 1 || !c[0].Up {
		t.Errorf("%+v", c)
	}
}

// There is no line, and no process that stays: every command opens the node and closes it. A file that does not fit into one bundle is there after three
// pouches: one that names it, one that asks, one that gives; and the next one does not bring it again.
func TestAFileByPouchBetweenCommands(t *testing.T) {
	var of [2]node.Config
	at := func(i int, id traffic.Party, do func(*node.Node)) {
		var n *node.Node
		if of[i].DSN == "" {
			n = openWith(t, id, func(c *node.Config) { of[i] = *c })
		} else {
			var err error
			if n, err = node.Open(t.Context(), of[i]); err != nil {
				t.Fatal(err)
			}
		}
		defer n.Close()
		do(n)
	}
	both := func(do func(a, b *node.Node)) {
		at(0, "xn", func(a *node.Node) { at(1, "xs", func(b *node.Node) { do(a, b) }) })
	}
	there := func() { both(func(a, b *node.Node) { courier(t, a, b) }) }
	back := func() { both(func(a, b *node.Node) { courier(t, b, a) }) }
	both(func(a, b *node.Node) { pair(t, a, b) })
	var channel [32]byte
	at(0, "xn", func(a *node.Node) {
		c, err := a.Propose(t.Context(), party.Channel{Name: "nrrc", Regime: party.RegimeRef{ID: "communications", Version: 1}}, []traffic.Party{"xs"}, "council", "head")
		if err != nil {
			t.Fatal(err)
		}
		channel = c.ID()
	})
	there()
	at(1, "xs", func(b *node.Node) {
		if err := b.Accept(t.Context(), channel, "council", "head"); err != nil {
			t.Fatal(err)
		}
	})
	back()
	file := make([]byte, 9<<20)
	for i := range file {
		file[i] = byte(i * i >> 3)
	}
	sum := sha256.Sum256(file)
	at(0, "xn", func(a *node.Node) {
		_, err := a.Send(t.Context(), node.Draft{
			Channel: channel, Plane: traffic.Real, Precedence: traffic.Priority, Post: "nrrc", Audience: "xs/nrrc", Form: "notice", Language: "en",
			Values:  form.Values{"subject": "information", "text": "See the file.", "attachments": []form.Blob{{Hash: sum, Size: int64(len(file)), Name: "report", Type: "application/octet-stream"}}},
			Drafter: "duty-officer", Blobs: [][]byte{file},
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	held := func() (complete bool) {
		at(1, "xs", func(b *node.Node) {
			var err error
			if _, complete, err = b.BlobHeld(t.Context(), sum); err != nil {
				t.Fatal(err)
			}
		})
		return complete
	}
	there()
	if held() {
		t.Error("it came unasked")
	}
	back()
	there()
	if !held() {
		t.Error("it did not come")
	}
	back() // with receipts, and without a wish
	at(0, "xn", func(a *node.Node) {
		path := filepath.Join(t.TempDir(), "pouch")
		if _, err := a.ExportPouch(t.Context(), "xs", path); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() > 1<<20 {
			t.Errorf("it goes again: %d bytes, %v", info.Size(), err)
		}
	})
}
