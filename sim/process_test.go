package sim_test

import (
	"bufio"
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"detente/accord"
	"detente/feed"
	"detente/form"
	"detente/host"
	"detente/key"
	"detente/node"
	"detente/party"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// childEnv makes the test binary a node in a process of its own: it holds the home directory.
const childEnv = "DETENTE_SIM_CHILD"

func TestMain(m *testing.M) {
	if home := os.Getenv(childEnv); home != "" {
		if err := serve(home); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func lock() party.Lock { return party.Lock{Passphrase: "correct horse battery staple", WorkFactor: 10} }

func open(home string, level slog.Level) (*host.Host, error) {
	settings, err := host.ReadSettings(home)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	return host.New(context.Background(), host.Config{Home: home, Settings: settings, Lock: lock(), Log: log})
}

// serve runs the node of a home under load. What becomes of each statement it says on standard output: "said ID" when it is durable here,
// "held ID" when its receipt has come. At the word "quiet" it says no more, and says "settled" when everything is receipted; when standard input
// ends, it ends.
func serve(home string) error {
	h, err := open(home, slog.LevelError+1)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ran := make(chan error, 1)
	go func() { ran <- h.Run(ctx) }()

	n := h.Node()
	loud, hush := context.WithCancel(ctx)
	var talkers sync.WaitGroup
	for range 4 {
		talkers.Go(func() { talk(loud, ctx, n) })
	}
	fmt.Println("up")
	in := bufio.NewReader(os.Stdin)
	if line, _ := in.ReadString('\n'); line == "quiet\n" {
		hush()
		talkers.Wait()
		for {
			changed := n.Changed()
			if done, err := settled(ctx, n); err != nil || done {
				break
			}
			<-changed
		}
		fmt.Println("settled")
		in.ReadString('\n')
	}
	hush()
	talkers.Wait()
	cancel()
	if err := <-ran; err != nil {
		return err
	}
	return h.Close()
}

// talk says one thing after another, now and then several at once, and reports.
func talk(loud, ctx context.Context, n *node.Node) {
	channels, err := n.Channels(ctx)
	if err != nil {
		return
	}
	i := slices.IndexFunc(channels, func(c accord.Channel) bool { return c.Kind == party.Common && c.Established })
	channel := channels[i].ID()
	peer := n.Peers()[0]
	for loud.Err() == nil {
		p := traffic.Precedences()[rand.IntN(4)]
		var batch sync.WaitGroup
		for range 1 + 20*rand.IntN(2)*rand.IntN(2) {
			batch.Go(func() {
				sent, err := n.Send(ctx, node.Draft{
					Channel: channel, Plane: traffic.Real, Precedence: p, Post: "nrrc", Audience: string(peer) + "/nrrc", Form: "check", Language: "en",
					// Of level 2, for a person to answer: to level 1 the other terminal would answer by itself, and never settle.
					Values: form.Values{"level": int64(2), "question": crand.Text()}, Drafter: "duty-officer",
				})
				if err != nil {
					return
				}
				fmt.Println("said " + sent.ID.String())
				if n.WaitReceipt(loud, sent, peer) == nil {
					fmt.Println("held " + sent.ID.String())
				}
			})
		}
		batch.Wait()
	}
}

// settled tells whether all own statements are receipted.
func settled(ctx context.Context, n *node.Node) (bool, error) {
	feeds, err := n.Feeds(ctx)
	if err != nil {
		return false, err
	}
	for _, f := range feeds {
		for _, size := range f.Cosigned {
			if f.Feed.Party == n.Self() && size < f.Size {
				return false, nil
			}
		}
	}
	return true, nil
}

// ledger is what processes have said about their statements.
type ledger struct {
	mu         sync.Mutex // guards what follows
	said, held map[statement.ID]traffic.Party
}

// process is a node in a process of its own.
type process struct {
	t       *testing.T
	party   traffic.Party
	home    string
	ledger  *ledger
	cmd     *exec.Cmd
	in      io.WriteCloser
	lines   atomic.Int64
	moved   chan struct{} // one slot: a line has come
	up      chan struct{} // closed when it serves
	settled chan struct{} // closed when everything is receipted
	ended   chan struct{} // closed when its output has ended
	stderr  bytes.Buffer
}

// start starts the process and waits until it serves.
func (p *process) start() {
	p.t.Helper()
	p.moved, p.up, p.settled, p.ended = make(chan struct{}, 1), make(chan struct{}), make(chan struct{}), make(chan struct{})
	p.stderr.Reset()
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), childEnv+"="+p.home)
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		p.in, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	go p.listen(out)
	p.await(p.up, "serve")
}

// listen enters in the ledger what the process says.
func (p *process) listen(out io.Reader) {
	defer close(p.ended)
	in := bufio.NewReader(out)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return // a last line that was cut short was not heard
		}
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		var id statement.ID
		hex.Decode(id[:], []byte(rest))
		switch word {
		case "up":
			close(p.up)
		case "settled":
			close(p.settled)
		case "said", "held":
			p.ledger.mu.Lock()
			if word == "said" {
				p.ledger.said[id] = p.party
			} else {
				p.ledger.held[id] = p.party
			}
			p.ledger.mu.Unlock()
			p.lines.Add(1)
			select {
			case p.moved <- struct{}{}:
			default:
			}
		}
	}
}

func (p *process) await(done <-chan struct{}, what string) {
	p.t.Helper()
	select {
	case <-done:
	case <-p.ended:
		select {
		case <-done:
		default:
			p.cmd.Wait()
			p.t.Fatalf("%s ended and did not %s: %s", p.party, what, p.stderr.String())
		}
	case <-time.After(2 * time.Minute):
		p.cmd.Process.Signal(syscall.SIGQUIT)
		p.cmd.Wait()
		p.t.Fatalf("%s does not %s: %s", p.party, what, p.stderr.String())
	}
}

// hear waits until the process has said so many things more.
func (p *process) hear(more int64) {
	p.t.Helper()
	stuck := time.After(time.Minute)
	for until := p.lines.Load() + more; p.lines.Load() < until; {
		select {
		case <-p.moved:
		case <-p.ended:
			p.cmd.Wait()
			p.t.Fatalf("%s has ended: %s", p.party, p.stderr.String())
		case <-stuck:
			p.cmd.Process.Signal(syscall.SIGQUIT)
			<-p.ended
			p.cmd.Wait()
			p.t.Fatalf("%s says nothing any more: %s", p.party, p.stderr.String())
		}
	}
}

// kill kills the process where it stands.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.ended
	p.cmd.Wait()
}

// quiet lets everything be receipted.
func (p *process) quiet() {
	p.t.Helper()
	if _, err := io.WriteString(p.in, "quiet\n"); err != nil {
		p.t.Fatal(err)
	}
}

// end ends the process in good order.
func (p *process) end() {
	p.t.Helper()
	p.in.Close()
	<-p.ended
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("%s: %v: %s", p.party, err, p.stderr.String())
	}
}

// address is a port of this machine that nobody uses now.
func address(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// found makes a home for a party that is called at the addresses, of which the first is its own.
func found(t *testing.T, id traffic.Party, database string, addresses ...string) (home string) {
	t.Helper()
	home = t.TempDir()
	settings := host.DefaultSettings(id)
	settings.API.Socket, settings.Listen, settings.Heartbeat = "", addresses[0], 2*time.Second
	if database != "" {
		settings.Database = database
	}
	plan := party.Plan{Party: id, Name: map[string]string{"en": string(id)}, Languages: []string{"en"}}
	for _, a := range addresses {
		plan.Routes = append(plan.Routes, party.Route{Name: "https", Address: a})
	}
	if _, err := host.Found(home, host.Founding{Plan: plan, Settings: settings, Lock: lock()}); err != nil {
		t.Fatal(err)
	}
	return home
}

// introduce pairs two homes and opens a channel between them, in this process.
func introduce(t *testing.T, homes ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var hosts []*host.Host
	var running sync.WaitGroup
	for _, home := range homes {
		h, err := open(home, slog.LevelError)
		if err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, h)
		running.Go(func() { h.Run(ctx) })
	}
	defer func() {
		cancel()
		running.Wait()
		for _, h := range hosts {
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}()
	a, b := hosts[0].Node(), hosts[1].Node()
	for _, x := range [][2]*node.Node{{a, b}, {b, a}} {
		file, err := party.EncodeChain(x[1].Chain(x[1].Self()))
		if err != nil {
			t.Fatal(err)
		}
		chain, _, err := x[0].Import(ctx, file)
		if err != nil {
			t.Fatal(err)
		}
		words, err := chain.Latest().Fingerprint().Words("en")
		if err == nil {
			_, err = x[0].Confirm(ctx, x[1].Self(), strings.Join(words, " "))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	channel := party.Channel{Name: "nrrc", Regime: party.RegimeRef{ID: "communications", Version: 1}}
	c, err := a.Propose(ctx, channel, []traffic.Party{b.Self()}, "council", "head")
	if err != nil {
		t.Fatal(err)
	}
	for {
		changed := b.Changed()
		if b.Accept(ctx, c.ID(), "council", "head") == nil {
			break
		}
		select {
		case <-changed:
		case <-time.After(time.Minute):
			t.Fatal("the proposal did not arrive")
		}
	}
	if err := a.WaitChannel(ctx, c.ID(), time.Minute); err != nil {
		t.Fatal(err)
	}
}

// copies reads a database: every entry of every feed.
func copies(t *testing.T, dsn string) map[traffic.Feed][]feed.Entry {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{
		DSN: dsn, Schemas: host.Schemas(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	out := make(map[traffic.Feed][]feed.Entry)
	err = db.View(t.Context(), func(tx *store.Tx) error {
		heads, err := feed.Heads(t.Context(), tx, nil)
		for _, h := range heads {
			if err == nil {
				err = h.Range(t.Context(), tx, 0, h.Size, func(e feed.Entry) bool {
					out[h.Feed] = append(out[h.Feed], e)
					return true
				})
			}
			if err == nil && int64(len(out[h.Feed])) != h.Size {
				err = fmt.Errorf("%s: %d entries, the head says %d", h.Feed.Origin(), len(out[h.Feed]), h.Size)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// journalOf is the internal channel of the party that lives there.
func journalOf(t *testing.T, home string) [32]byte {
	t.Helper()
	pins, err := party.OpenPins(host.KeysDir(home), key.Standard())
	if err != nil {
		t.Fatal(err)
	}
	return party.InternalChannel(pins.Own()).ID()
}

func database(home string) string { return filepath.Join(home, "data", "detente.db") }

// verify holds what two databases have against what was said about it: nothing receipted is lost, nothing durable is, nothing is there twice,
// both sides have the same, and both audits pass.
func (l *ledger) verify(t *testing.T, homes map[traffic.Party]string, dsn map[traffic.Party]string) {
	t.Helper()
	where := make(map[traffic.Party]map[statement.ID]int)
	questions := make(map[string]bool)
	held := make(map[traffic.Party]map[traffic.Feed][]feed.Entry)
	for p, d := range dsn {
		where[p] = make(map[statement.ID]int)
		held[p] = copies(t, d)
		for f, entries := range held[p] {
			for _, e := range entries {
				where[p][e.ID]++
				if e.Reason != "" {
					t.Errorf("%s holds %s as invalid: %s", p, e.ID.Short(), e.Reason)
				}
				if s, err := statement.Decode(e.Bytes); err == nil && s.Form == "check" && f.Party == p {
					if questions[string(s.Payload)] {
						t.Errorf("%s has said the same twice", p)
					}
					questions[string(s.Payload)] = true
				}
			}
		}
	}
	for p, all := range where {
		for id, n := range all {
			if n > 1 {
				t.Errorf("%s holds %s %d times", p, id.Short(), n)
			}
		}
		for id, author := range l.said {
			if all[id] == 0 {
				t.Errorf("%s was said by %s and is not at %s", id.Short(), author, p)
			}
		}
		for id, author := range l.held {
			if all[id] == 0 {
				t.Errorf("%s of %s was receipted and is not at %s", id.Short(), author, p)
			}
		}
	}
	entries := 0
	for p, home := range homes {
		journal := journalOf(t, home)
		for other, feeds := range held {
			for f := range feeds {
				if f.Channel == journal && other != p {
					t.Errorf("%s holds the journal of %s", other, p)
				}
			}
		}
		maps.DeleteFunc(held[p], func(f traffic.Feed, _ []feed.Entry) bool { return f.Channel == journal })
	}
	for f, here := range held["xn"] {
		there := held["xs"][f]
		if !slices.EqualFunc(here, there, func(a, b feed.Entry) bool { return bytes.Equal(a.Bytes, b.Bytes) }) {
			t.Errorf("%s: %d entries at xn, %d at xs, and not the same", f.Origin(), len(here), len(there))
		}
		entries += len(here)
	}
	for p, home := range homes {
		h, err := open(home, slog.LevelError)
		if err != nil {
			t.Fatal(err)
		}
		r, err := h.Node().Audit(t.Context(), nil)
		if err != nil || len(r.Faults) > 0 {
			t.Errorf("%s: audit: %v %v", p, err, r.Faults)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d statements, %d of them receipted in time to be told, none lost, none twice", entries, len(l.held))
}

// rewrite writes the settings of a home anew.
func rewrite(t *testing.T, home string, s host.Settings) {
	t.Helper()
	f, err := os.Create(filepath.Join(home, host.SettingsName))
	if err == nil {
		err = errors.Join(s.Write(f), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}
